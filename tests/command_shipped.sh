#!/bin/sh
# command_shipped.sh - the runs in reports/runs: their records and tables, and their models.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
runs=$source/reports/runs
images=200 # of the test split that each model is given again

report() {
	"$top/runner/pxr-report" "$@" >out 2>err
}

make_imported() {
	report import "$runs"/*/ --db all.db
}

imports() {
	given imported && is "$(sqlite3 all.db "SELECT count(*) FROM run WHERE status = 'finished'")" \
		"$(find "$runs" -mindepth 1 -maxdepth 1 -type d | wc -l)" &&
		is "$(sqlite3 all.db "SELECT group_concat(name) FROM (SELECT name FROM run GROUP BY name HAVING count(*) > 1)")" ""
}
ok "all shipped runs import, each by a name of its own" imports

# A row of several seeds has the numbers of their runs.
tables() {
	given imported && for table in 4 5; do
		report table$table --format json --db all.db && is "" "$(sqlite3 all.db "SELECT name FROM run
			WHERE reproduces_table = $table AND NOT EXISTS (
				SELECT 1 FROM json_each(readfile('out'), '\$.rows')
				WHERE (', ' || (value ->> '\$.run') || ',') LIKE ('%, ' || run.id || ',%'))")" || return
	done
}
ok "shipped runs stand in the tables that they reproduce" tables

draws() {
	given imported && for name in $(sqlite3 all.db "SELECT DISTINCT run.name FROM run JOIN checkpoint ON run = run.id
		WHERE data_set = 'binarized_mnist'"); do
		"$top/runner/pxr-sample" "$name" --db all.db --count 2 --threads 1 --out "$name.png" >out 2>err &&
			[ -s "$name.png" ] || return
	done
}
ok "shipped models draw without their data" draws

# numbers DATABASE RUN: the NLLs of its first test images, one a line.
numbers() {
	sqlite3 "$1" "SELECT writefile('nats', substr(nats, 1, 4 * $images)) FROM image_nll JOIN run ON run = run.id
		WHERE run.name = '$2' AND split = 'test'" >/dev/null && od -An -v -tf4 -w4 nats
}

# The NLL of images is computed anew, in a run of no epochs that starts from the parameters.
agrees() {
	given imported
	set=$(sqlite3 all.db "SELECT data_set FROM run WHERE name = '$1'")
	case $set in cifar10) folder=cifar-10 ;; *) folder=$set ;; esac
	[ -d "$real/$folder" ] || skip "the data set $set is missing"
	"$top/runner/pxr-run" "$runs/$1/spec.yaml" name=again train.start_from="$1" train.epochs=0 train.patience=0 \
		"data.path=$real/$folder" data.limit=$images evaluate.splits=[test] evaluate.at_end=[] \
		sample.count=0 --db all.db --threads 1 --quiet >out 2>err || return
	numbers all.db "$1" >recorded && numbers all.db again >now && [ "$(wc -l <now)" = $images ] &&
		paste recorded now | awk '
			function apart(a, b) { return a > b ? (a - b) / a : (b - a) / b }
			{ a += $1; b += $2; if (apart($1, $2) > 1e-5) bad = 1 }
			END { exit bad || apart(a, b) > 1e-6 }'
}
for run in "$runs"/*/; do
	[ -d "$run/run.checkpoints" ] || continue
	name=$(basename "$run")
	ok "the shipped model $name has the recorded NLLs" agrees "$name"
done
