#!/bin/sh
# reports.sh - the time that each report takes over 10,000 runs and millions of metric rows.
#
#   tests/bench/reports.sh [SECONDS]     (from the build folder)
#
# Makes the database (tests/many_runs.sql) of one small run, prints a Markdown table of the best of
# three times each, and fails when a report takes more than SECONDS (default: 2). It needs the
# sqlite3 shell, GNU date, 1 GB in $TMPDIR, and that little else runs.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$PWD most=${1:-2}
[ -x runner/pxr-report ] || {
	echo "reports.sh: runner/pxr-report is not there: run it from the build folder" >&2
	exit 2
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/pxr-reports-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

cat >one.yaml <<'END'
name: one
data: {set: markov_binary, limit: 256}
model:
  - conv: {mask: A, kernel: 7, features: 8}
  - repeat: {count: 4, layers: [residual: [relu, conv: {mask: B, kernel: 3, features: 8}]]}
  - sigmoid
train: {optimizer: {adam: {rate: 3e-3}}, batch: 16, epochs: 10}
evaluate: {every: 1 epoch, splits: [valid, test]}
sample: {count: 64, every: 1 epoch}
END
"$build/runner/pxr-run" one.yaml --db many.db --quiet
sqlite3 many.db <"$source/tests/many_runs.sql"
rows=$(sqlite3 many.db "SELECT (SELECT count(*) FROM run) || ' runs, ' ||
	(SELECT count(*) FROM metric) || ' metric rows'")
echo "$(date +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1): $rows," \
	"$(($(stat -c %s many.db) / 1000000)) MB"
echo
echo "| report | seconds | written, kB |"
echo "|---|---|---|"

slow=0
# measure WHAT COMMAND...
measure() {
	what=$1 best=
	shift
	for _ in 1 2 3; do
		begin=$(date +%s%N)
		"$@" >out 2>err || {
			cat err >&2
			exit 1
		}
		took=$((($(date +%s%N) - begin) / 1000000))
		[ "$best" ] && [ "$best" -le $took ] || best=$took
	done
	echo "| $what | $((best / 1000)).$(printf %03d $((best % 1000))) | $(($(wc -c <out) / 1000)) |"
	[ $best -le $((most * 1000)) ] || slow=1
}
report() {
	measure "$*" "$build/runner/pxr-report" "$@" --db many.db
}

for table in table2 table3 table4 table5 table6; do
	report $table
done
report runs
report runs --format json
report runs --where "nll < 82.5 and has_tag(tags, 'tag 3')"
report show last
report show last --format json
report compare 9990 9991 9992
report compare 9990 9991 9992 --format csv
report metrics --where "run > 9990" --format csv
report sweep
report sweep wide
report sweep wide --format json
report doctor
report doctor last
report doctor 1 --format json
report tag
report gc
report html --out -
report html --out - --details 50
report html --out - --limit 1000 --details 0
report html --out - --where "run % 100 = 1" --details 100
for view in run_summary chain_nll best_run sweep_result; do
	measure "SELECT * FROM $view" sqlite3 many.db "SELECT * FROM $view"
done
measure "SELECT * FROM chain_nll WHERE run = 10" sqlite3 many.db "SELECT * FROM chain_nll WHERE run = 10"
exit $slow
