#!/bin/sh
# database.sh - every column of a run database with values that pxr never writes, through every
# command that reads one.
#
#   tests/fuzz/database.sh [--long [TABLE.COLUMN]]     (from the build folder)
#
# Without --long, as `make check` has it: each column once, with the next of the values and the next
# commands in turn. NULL is put where the schema forbids it, and the schema stays as it was. A command fails the test when it
# ends with another status than 0, 1 and 2, or not within 60 seconds, when a sanitizer reports, or
# when a file outside the database's folder changes.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 UBSAN_OPTIONS=print_stacktrace=1
export OMP_WAIT_POLICY OMP_NUM_THREADS UBSAN_OPTIONS
long=${1:+yes} only=${2:-}

cat >small.yaml <<'END'
name: small
data: {set: markov_binary, rows: 4, cols: 4, train: 32, valid: 16, test: 16}
model: [conv: {mask: A, kernel: 3, features: 2}, sigmoid]
train: {optimizer: {adam: {rate: 1e-2}}, batch: 16, epochs: 3}
evaluate: {every: 1 epoch, splits: [valid, test]}
sample: {count: 4, every: 1 epoch}
END
printf '%s\n' 'name: seeds' 'spec: small.yaml' 'vary: {train.seed: [2, 3]}' >seeds.yaml
mkdir base &&
	"$top/runner/pxr-run" small.yaml --db base/run.db --threads 1 --quiet >out 2>err &&
	"$top/runner/pxr-sweep" seeds.yaml --db base/run.db --jobs 1 >out 2>err &&
	"$top/runner/pxr-report" tag 1 one --db base/run.db >out 2>err || {
	sed 's/^/# /' err
	exit 1
}
query base/run.db "UPDATE run SET status = 'interrupted', given = '2x2', given_identity = 'g' WHERE id = 1;
	DELETE FROM checkpoint WHERE step = 6 AND run = 1; DELETE FROM metric WHERE step > 4 AND run = 1;
	INSERT OR IGNORE INTO plugin (run, name, version, path, sha256) VALUES (1, 'x', '1', 'x', 'x');
	INSERT OR IGNORE INTO data_file (run, path, size, sha256) VALUES (1, 'x', 1, 'x');
	INSERT OR IGNORE INTO task_array (sweep, launcher, id, tasks, submitted_at)
		VALUES (1, 'slurm', 1, 1, 'x')" || exit 1

# mutate TABLE COLUMN VALUE: in home/run.db.
mutate() {
	rm -rf home && cp -r base home && sqlite3 home/run.db "
		PRAGMA journal_mode = DELETE; PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON;
		CREATE TEMP TABLE kept AS SELECT name AS n, sql AS s FROM main.sqlite_schema WHERE name = '$1';
		UPDATE main.sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE name = '$1';
		PRAGMA writable_schema = RESET;
		UPDATE OR REPLACE main.\"$1\" SET \"$2\" = $3;
		PRAGMA writable_schema = ON;
		UPDATE main.sqlite_schema SET sql = (SELECT s FROM kept WHERE n = name) WHERE name = '$1';" \
		>/dev/null 2>mutate.err
}

# The folder as an export: its manifest lists the database as it is now.
list_files() {
	(cd home && find . -type f ! -name MANIFEST.sha256 | sed 's|^./||' | LC_ALL=C sort |
		xargs -d '\n' sha256sum) >list && mv list home/MANIFEST.sha256
}

outside() {
	find . -path ./home -prune -o -path ./base -prune -o -path ./made -prune -o -name out -o -name err \
		-o -type f -print | LC_ALL=C sort | xargs -d '\n' cat | cksum
}

# one PROGRAM ARGUMENT...: is it a failure?
one() {
	program=$1
	shift
	number=$((number + 1))
	[ "$long" ] || [ $((number % 7)) -eq $((turn % 7)) ] || return 0
	ran=$((ran + 1))
	timeout 60 "$top/runner/pxr-$program" "$@" >out 2>err
	status=$?
	if [ $status -gt 2 ] || grep -q 'runtime error:\|Sanitizer' err; then
		echo "# $what: pxr-$program $*: status $status"
		grep -m 12 'error\|Sanitizer\|#[0-9]' err | sed 's/^/# /'
		return 1
	fi
}

all_commands() {
	bad=0 number=0
	rm -rf made && mkdir made
	for words in "runs" "show 1" "html --out made/page.html" "compare 1 2" "sweep" "sweep seeds" "doctor" \
		"table4" "export 1 --out made/x"; do
		one report $words --db home/run.db || bad=1
	done
	one sample 1 --db home/run.db --count 1 --out made/s.png || bad=1
	one codec encode 1 --db home/run.db --split test --out made/c || bad=1
	one report merge home/run.db --db made/merged.db || bad=1
	list_files
	one report import home --db made/imported.db || bad=1
	one run --resume 1 --db home/run.db --threads 1 --quiet || bad=1
	return $bad
}

set -- NULL "''" "'../x'" -1 9223372036854775807 "x'ff00fe'" "'9e999'" 0
columns=$(query base/run.db "SELECT m.name || '.' || c.name FROM sqlite_schema AS m,
	pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
	${only:+AND m.name || '.' || c.name = '$only'}")
plan 1
before=$(outside) ran=0 failed=0 turn=0
for column in $columns; do
	chosen=0
	for value in "$@"; do
		chosen=$((chosen + 1))
		[ "$long" ] || [ $chosen -eq $((turn % $# + 1)) ] || continue
		what="$column = $value"
		mutate "${column%.*}" "${column#*.}" "$value" || continue
		all_commands || failed=$((failed + 1))
	done
	turn=$((turn + 1))
done
[ "$(outside)" = "$before" ] || {
	echo "# a file outside the database's folder was changed"
	failed=$((failed + 1))
}
number=0
ok "no column of a database makes a command crash, hang or leave its folder ($ran commands)" [ $failed -eq 0 ]
