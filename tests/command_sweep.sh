#!/bin/sh
# command_sweep.sh - sweeps: listing, running, killing, continuing and extending them; failures.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

pxr_sweep() {
	"$top/runner/pxr-sweep" "$@" --threads 2 >out 2>err
}

cat >fast.yaml <<'END'
extends: tiny.yaml
data: {limit: 64}
train: {epochs: 6, batch: 8, checkpoint: 1 steps, average: 0}
sample: {count: 0}
END

# sweep FILE LINE...: a sweep of fast.yaml.
sweep() {
	file=$1
	shift
	printf '%s\n' "name: ${file%.yaml}" 'spec: fast.yaml' "$@" >"$file"
}

grid='vary: {train.optimizer.adam.rate: [1e-2, 3e-2], model.1.repeat: [1, 2, 3], train.seed: [1, 2]}'
sweep grid.yaml "$grid"
sweep half.yaml 'vary: {train.optimizer.adam.rate: [1e-2, 3e-2], model.1.repeat: [1, 2, 3], train.seed: [1]}'

# whole.db: the sweep grid, finished; its results in the file whole. All sweeps of half.yaml are part of it.
make_whole() {
	pxr_sweep grid.yaml --db whole.db --jobs 2 && cp out printed && results whole.db >whole
}

listed() {
	pxr_sweep grid.yaml --dry-run --db none.db && [ ! -e none.db ] &&
		is "$(grep -c rate= out)" 12 && out_has "    1  rate=1e-2 repeat=1 seed=1" &&
		out_has "   12  rate=3e-2 repeat=3 seed=2" && out_has "12 runs of fast.yaml (grid)"
}
ok "--dry-run lists the runs and creates no database" listed

sweep set.yaml 'set: {sample.count: 0, train.seed: 9}' 'vary: {train.seed: [1]}'
sweep single.yaml 'vary: {train.seed: [1]}'
set_and_varied() {
	refused 2 "set.yaml:3:24: error: 'train.seed' cannot be set for all runs: it varies" \
		pxr_sweep set.yaml --dry-run && pxr_sweep single.yaml --dry-run && out_has "single: 1 run of" &&
		refused 2 "error: 'train.seed' cannot be set" pxr_sweep single.yaml --dry-run train.seed=4
}
ok "a key that varies cannot be set for all runs" set_and_varied

# Every run of a database: its spec, state and result.
results() {
	query "$1" "SELECT spec_hash, status, parameter_hash FROM run ORDER BY spec_hash"
}

whole() {
	given whole && is "$(wc -l <whole)" 12 && is "$(grep -c 'finished|[0-9a-f]' whole)" 12 &&
		is "$(grep -c '^job.*nats/image' printed)" 12
}
ok "a sweep of 12 runs, two at a time, finishes with a result for each" whole

view() {
	given whole && is "$(query whole.db "SELECT count(*), count(run), min(valid_nats = best_valid_nats), min(state),
		max(job) FROM sweep_result WHERE sweep = 'grid'")" "12|12|1|finished|12" &&
		is "$(query whole.db "SELECT group_concat(job) FROM sweep_result
			WHERE varied ->> '\$.\"model.1.repeat\"' = 3
			AND varied ->> '\$.\"train.optimizer.adam.rate\"' = 0.01")" 5,6 &&
		is "$(sed -n '/nats\/image  *bits/{n;p;}' printed | awk '{ print $1 }')" \
			"$(query whole.db 'SELECT job FROM sweep_result ORDER BY valid_nats LIMIT 1')"
}
ok "a sweep's results are in the view sweep_result, and the best is printed first" view

again() {
	given whole && pxr_sweep grid.yaml --db whole.db && results whole.db | cmp - whole &&
		is "$(query whole.db 'SELECT max(claims) FROM job')" 1
}

# same DB RUNS: the database has so many runs, with the same bits as in the sweep that was never stopped.
same() {
	given whole && results "$1" >these && is "$(wc -l <these)" "$2" && is "$(grep -cxFf whole these)" "$2"
}
ok "the command of a finished sweep runs nothing again" again

huge() {
	given whole && cp whole.db huge.db && query huge.db "UPDATE metric SET sum_nats = sum_nats * 1e30" &&
		pxr_sweep grid.yaml --db huge.db &&
		is "$(grep -cE '^ .* [0-9.]+e\+[0-9]+ \(\+- [0-9.]+\) +[0-9.]+e\+[0-9]+  rate=' out)" 5
}
ok "huge NLLs are printed with three digits" huge

one_image() {
	sweep one.yaml 'set: {data.valid: 1, train.epochs: 1}' 'vary: {train.seed: [1, 2]}'
	pxr_sweep one.yaml --db one.db && is "$(grep -c 'nats/image' out)" 3 && ! grep nan out
}
ok "an NLL of one image has no standard error" one_image

# begin DB SWEEP FINISHED [KEY=VALUE...]: wait until so many runs are finished and two
# running ones have a checkpoint.
begin() {
	database=$1 file=$2 finished=$3
	shift 3
	"$top/runner/pxr-sweep" "$file" --db "$database" --jobs 2 --threads 2 "$@" >out 2>err &
	sweep=$!
	until [ "$(query "$database" "SELECT
		(SELECT count(*) FROM run WHERE status = 'finished') >= $finished AND
		(SELECT count(DISTINCT run) FROM checkpoint JOIN run ON run.id = run WHERE
			status = 'running') = 2" 2>/dev/null || echo 0)" = 1 ]; do
		kill -0 $sweep 2>/dev/null || break
		sleep 0.02
	done
}

unfinished() {
	[ "$(query "$1" "SELECT count(*) FROM run WHERE status <> 'finished'")" -gt 0 ]
}

# continues DB SWEEP RUNS
continues() {
	pxr_sweep "$2" --db "$1" --jobs 2 && same "$1" "$3" &&
		is "$(query "$1" "SELECT count(DISTINCT run), max(failures), count(message) FROM job")" "$3|0|0" &&
		is "$(query "$1" "SELECT count(*) > 0 FROM event WHERE kind = 'resumed'")" 1
}

interrupted() {
	begin int.db grid.yaml 3
	kill -INT $sweep
	wait $sweep
	is $? 130 && err_has "resume with: pxr-sweep grid.yaml --db int.db --jobs 2" && unfinished int.db &&
		is "$(query int.db "SELECT count(*) FROM run WHERE status = 'running'")" 0 &&
		continues int.db grid.yaml 12
}
ok "an interrupted sweep saves its runs, and the same command continues it without repeating a run" interrupted

killed() {
	begin kill.db grid.yaml 3
	kill -9 $sweep
	wait $sweep
	unfinished kill.db && continues kill.db grid.yaml 12
}
ok "the same command continues a killed sweep without repeating a run" killed

killed_all() {
	begin all.db half.yaml 1
	children=$(query all.db "SELECT process_id FROM run WHERE status = 'running'")
	kill -STOP $sweep
	kill -9 $children
	kill -9 $sweep
	wait $sweep
	unfinished all.db && continues all.db half.yaml 6
}
ok "the same command continues a sweep that was killed with its runs" killed_all

ends_with_it() {
	begin end.db half.yaml 0 train.epochs=60
	kill -9 $sweep
	wait $sweep
	tries=0
	until [ "$(query end.db "SELECT count(*) FROM run WHERE status = 'running'")" = 0 ]; do
		sleep 0.02
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || return
	done
	[ "$(query end.db "SELECT count(*) FROM run WHERE status = 'interrupted'")" -gt 0 ]
}
ok "the runs of a killed sweep save their state and end" ends_with_it

together() {
	"$top/runner/pxr-sweep" half.yaml --db two.db --threads 1 >out1 2>err1 &
	other=$!
	pxr_sweep half.yaml --db two.db
	status=$?
	wait $other
	is "$status/$?" 0/0 && same two.db 6 && cat err1 >>err &&
		! err_has error
}
ok "two processes share the runs of a sweep" together

# --- changing a sweep --------------------------------------------------------------------------

make_extended() {
	sweep less.yaml 'vary: {train.seed: [1, 3]}' 'set: {train.epochs: 1}'
	pxr_sweep less.yaml --db ext.db || return
	sweep less.yaml 'vary: {train.seed: [1, 2, 3]}' 'set: {train.epochs: 1}'
	pxr_sweep less.yaml --db ext.db
}
extended() {
	given extended &&
		is "$(query ext.db "SELECT group_concat(job || ':' || (varied ->> '\$.\"train.seed\"'), ' ')
			FROM sweep_result")" "1:1 2:3 3:2" && is "$(query ext.db 'SELECT count(*) FROM run')" 3
}
ok "an extended sweep keeps the numbers of its jobs and their runs" extended

shortened() {
	given extended || return
	sweep less.yaml 'vary: {train.seed: [2, 3]}' 'set: {train.epochs: 1}'
	pxr_sweep less.yaml --db ext.db && out_has "skipped 1 recorded job no longer in the sweep" &&
		out_has "; 1 of them finished, and pxr-report runs --where \"sweep = 'less'\" still lists its run" &&
		is "$(query ext.db "SELECT count(*) FROM run_summary WHERE sweep = 'less'")" 3 &&
		is "$(query ext.db "SELECT group_concat(job) FROM sweep_result")" 2,3 &&
		is "$(query ext.db 'SELECT count(*) FROM run')" 3
}
ok "jobs removed from a sweep stay on record but leave its results" shortened

documented() {
	"$top/runner/pxr-sweep" --help | sed -n '/^  name: rates/,/^  budget:/s/^  //p' >rates.yaml &&
		cp "$source/experiments/quickstart.yaml" . && pxr_sweep rates.yaml --dry-run && out_has "large"
}
ok "the sweep that --help shows is valid" documented

overridden() {
	sweep less.yaml 'vary: {train.seed: [2, 3]}' 'set: {train.epochs: 1}'
	pxr_sweep less.yaml --dry-run train.ratee=1
	is $? 2 && err_has "unknown option 'ratee'" && pxr_sweep less.yaml --db over.db train.batch=8 &&
		is "$(query over.db "SELECT count(*) FROM run WHERE spec LIKE '%batch: 8%'")" 2
}
ok "KEY=VALUE on the command line sets a value for all runs" overridden

# --- failures ----------------------------------------------------------------------------------

sweep leak.yaml 'vary: {train.seed: [1, 2], model.0.conv.mask: [A, B], train.batch: [8, 16]}' \
	'set: {train.epochs: 1}' 'retries: 2'
make_failed() {
	exits 1 pxr_sweep leak.yaml --db leak.db --jobs 2 && cp out printed && cp err messages
}
failing() {
	given failed && cp printed out && cp messages err && err_has "4 of 8 runs failed" &&
		err_has "pxr-sweep leak.yaml --db leak.db --jobs 2 --threads 2 --retry" &&
		is "$(query leak.db "SELECT state, failures, count(*), count(run) FROM sweep_result
			GROUP BY state")" "failed|3|4|0
finished|0|4|4" &&
		is "$(query leak.db "SELECT count(*) FROM job WHERE message LIKE 'layers.0.conv: the model is not causal%'")" 4 &&
		is "$(grep -c 'will be retried: ' out)" 8
}
ok "failing runs do not end the sweep, and are retried as often as 'retries' says" failing

not_again() {
	given failed && exits 1 pxr_sweep leak.yaml --db leak.db && is "$(query leak.db "SELECT max(failures) FROM job")" 3 &&
		is "$(query leak.db "SELECT max(claims) FROM job")" 3 &&
		exits 1 pxr_sweep leak.yaml --db leak.db --retry &&
		is "$(query leak.db "SELECT max(claims), max(failures) FROM job")" "6|3"
}
ok "failed runs are run again with --retry alone" not_again

alike() {
	: >same.checkpoints # a file where the runs need a directory
	exits 1 pxr_sweep half.yaml --db same.db && err_has "the first 3 jobs failed with the same error" &&
		err_has "same.checkpoints" && err_has "by itself: pxr-run fast.yaml train.optimizer.adam.rate=" &&
		is "$(query same.db "SELECT sum(claims) FROM job")" 3 || return
	rm same.checkpoints
	pxr_sweep half.yaml --db same.db --jobs 2 && same same.db 6
}
ok "a sweep ends when its first runs all fail with the same error, and continues once that is fixed" alike

# Runs that were at work when the sweep ended fail, too, with the same error.
alike_at_work() {
	sed 's/^spec:/retries: 0\n&/' half.yaml >once.yaml && : >work.checkpoints &&
		exits 1 pxr_sweep once.yaml --db work.db --jobs 6 &&
		is "$(grep -c "failed with the same error" err)" 1 &&
		is "$(query work.db "SELECT sum(claims) > 3, sum(failures) FROM job")" "1|0" || return
	rm work.checkpoints
	pxr_sweep once.yaml --db work.db --jobs 2 && same work.db 6
}
ok "runs that were at work when a sweep ended on one error are retried, too" alike_at_work

crashed() {
	begin crash.db half.yaml 1
	kill -9 "$(query crash.db "SELECT process_id FROM run WHERE status = 'running' LIMIT 1")"
	wait $sweep
	is $? 0 && out_has "failed, will be retried: killed by signal 9" && same crash.db 6
}
ok "the sweep resumes a run that was killed" crashed

# --- searches and budgets ----------------------------------------------------------------------

random='vary: {train.optimizer.adam.rate: {log_uniform: [1e-4, 1e-2]}, model.1.repeat: [1, 2]}'
drawn() {
	sweep few.yaml "$random" 'search: {random: 4}'
	sweep many.yaml "$random" 'search: {random: {runs: 8, seed: 1}}'
	pxr_sweep few.yaml --dry-run && grep rate= out >few && pxr_sweep many.yaml --dry-run &&
		head -n 4 out | cmp - few && is "$(grep -c rate= out)" 8 &&
		is "$(sed -n 's/.*rate=\([^ ]*\) .*/\1/p' out | sort -u | wc -l)" 8
}
ok "random values do not depend on the number of runs" drawn

sweep climb.yaml "$random" 'search: {halving: {runs: 6, factor: 2}}' 'set: {train.epochs: 4}'
halved() {
	pxr_sweep climb.yaml --dry-run && is "$(grep -c epochs=1 out)" 6 &&
		out_has "for 4 epochs" && pxr_sweep climb.yaml --db climb.db --jobs 2 || return
	query climb.db "SELECT rung, count(*) FROM sweep_result WHERE state = 'finished' GROUP BY rung" >rungs
	is "$(head -n 1 rungs)" "0|6" && is "$(wc -l <rungs)" 3 &&
		is "$(query climb.db "SELECT count(*) FROM run JOIN sweep_result ON run.id = run
			WHERE spec LIKE '%epochs: ' || (1 << rung) || '
%'")" "$(query climb.db 'SELECT count(*) FROM run')" &&
		is "$(query climb.db "SELECT count(*) FROM sweep_result AS low WHERE rung = 0 AND valid_nats =
			(SELECT min(valid_nats) FROM sweep_result WHERE rung = 0) AND EXISTS (SELECT 1 FROM
			sweep_result AS high WHERE high.rung = 1 AND json_remove(high.varied,
			'\$.\"train.epochs\"') = json_remove(low.varied, '\$.\"train.epochs\"'))")" 1
}
ok "halving trains the best runs for longer" halved

spent() {
	sweep runs.yaml "$grid" 'budget: {runs: 2}' 'set: {train.epochs: 1}'
	pxr_sweep runs.yaml --db runs.db && err_has "the budget of 2 runs is used up" &&
		is "$(query runs.db "SELECT state, count(*) FROM sweep_result GROUP BY state")" "finished|2
waiting|10"
}
ok "a budget of runs ends a sweep" spent

out_of_time() {
	sweep hours.yaml "$grid" 'budget: {hours: 1e-7}' 'set: {train.epochs: 1}'
	pxr_sweep hours.yaml --db hours.db && err_has "the budget of 1e-07 hours" &&
		[ "$(query hours.db "SELECT count(*) FROM run")" -lt 3 ]
}
ok "a budget of hours ends a sweep" out_of_time

# --- mistakes ----------------------------------------------------------------------------------

mistaken() {
	sweep bad.yaml "$1" "${3:-}"
	refused 2 "$2" pxr_sweep bad.yaml --db bad.db && [ ! -e bad.db ]
}
ok "a misspelt key is refused with its location" \
	mistaken 'varry: {train.seed: [1]}' "bad.yaml:3:1: error: sweep: unknown option 'varry'"
ok "a range in a grid is refused with its location" mistaken 'vary: {train.batch: {integer: [1, 9]}}' \
	"bad.yaml:3:8: error: 'train.batch': a grid requires a list of values"
ok "a misspelt range gets a suggestion" mistaken 'vary: {train.batch: {unifrom: [1, 9]}}' "did you mean 'uniform'?"
ok "an invalid value is refused before anything runs" \
	mistaken 'vary: {train.batch: [4, -1]}' "a run of this sweep has batch=-1"

ok "an invalid value is refused with its location in the sweep's file" mistaken 'vary: {train.batch: [4, -1]}' \
	"bad.yaml:3:25: error: train: 'batch' must be from 1 to 65536, not -1"
ok "a misspelt key inside a value is refused with its location" mistaken 'vary: {train.optimizer: [adam, {adam: {ratee: 1}}]}' \
	"bad.yaml:3:40: error: adam: unknown option 'ratee'"
ok "an invalid value under 'set' is refused with its location" mistaken 'vary: {train.seed: [1]}' \
	"bad.yaml:4:21: error: train: 'epochs'" 'set: {train.epochs: many}'

elsewhere() {
	sweep bad.yaml 'vary: {train.seed: [1]}'
	refused 2 "command line:1:13: error: train: 'batch'" pxr_sweep bad.yaml --dry-run train.batch=-1
}
ok "an invalid value on the command line is refused with its location there" elsewhere

by_hand() {
	given whole && refused 2 "PXR_SWEEP_CLAIM is not set: only pxr-sweep may" pxr_run fast.yaml --db whole.db --job 1 &&
		export PXR_SWEEP_CLAIM="1 1 $$ now" &&
		refused 2 "only pxr-sweep may pass --job" pxr_run fast.yaml --db whole.db --job 1 &&
		results whole.db | cmp - whole
}
ok "pxr-run refuses --job from a user" by_hand

# The claim is right, but its process is gone, and another one has its number.
stale_claim() {
	given whole && query whole.db "UPDATE job SET state = 'running', claims = 3, host = '$(uname -n)',
		process_id = $$, process_start = 'then' WHERE id = 1" && export PXR_SWEEP_CLAIM="1 3 $$ then" &&
		refused 2 "job 1 is not claimed by the process that started this one" pxr_run fast.yaml --db whole.db --job 1
}
ok "pxr-run refuses --job if the sweep that claimed it has ended" stale_claim

without_setpriv() {
	mkdir bin && printf '#!/bin/sh\nexit 1\n' >bin/setpriv && chmod +x bin/setpriv && export PATH="$PWD/bin:$PATH" &&
		sweep pair.yaml 'vary: {train.seed: [1]}' &&
		refused 2 "error: --ranks requires the program setpriv" pxr_sweep pair.yaml --db none.db --ranks 2 &&
		is "$(query none.db "SELECT count(*) FROM job")" 0
}
ok "a sweep of several ranks is refused without setpriv" without_setpriv

# As mpirun does while it starts the ranks.
signal_lost() {
	setpriv --pdeathsig USR1 true 2>/dev/null || skip "setpriv is missing"
	sweep pair.yaml 'vary: {train.seed: [1]}' && printf '%s\n' '#!/bin/sh' \
		'trap "[ -e lost ] && exit 130; : >lost" USR1' ': >ready' 'while :; do sleep 0.1; done' >mpirun &&
		chmod +x mpirun || return
	"$top/runner/pxr-sweep" pair.yaml --db pair.db --ranks 2 --mpirun ./mpirun >out 2>err &
	launcher=$!
	until [ -e ready ]; do
		kill -0 $launcher || return
		sleep 0.1
	done
	kill -TERM $launcher
	wait $launcher
	is "$?, $(query pair.db "SELECT state, failures FROM job")" "130, waiting|0"
}
ok "a run of several ranks is asked to stop again if mpirun has lost the signal" signal_lost

# --- other hosts and clusters ------------------------------------------------------------------

# A finished sweep of one job; a second is claimed by a process on another host, whose last heartbeat was so
# long ago.
held() { # TIME
	query held.db "UPDATE job SET state = 'running', claims = 1, host = 'elsewhere.test', process_id = 1,
		process_start = '1', seen_at = datetime('now', '$1') WHERE number = 2"
}

sweep held.yaml 'vary: {train.seed: [1, 2, 3]}' 'set: {train.epochs: 1}'
make_begun() {
	sweep held.yaml 'vary: {train.seed: [1, 2, 3]}' 'set: {train.epochs: 1}' 'budget: {runs: 1}'
	pxr_sweep held.yaml --db held.db && sed -i /budget/d held.yaml
}

elsewhere_at_work() {
	given begun && held "-1 minutes" && pxr_sweep held.yaml --db held.db && err_has "1 run active elsewhere, in process 1 on host elsewhere.test" &&
		is "$(query held.db "SELECT group_concat(state) FROM sweep_result")" finished,running,finished
}
ok "a job that a process on another host has claimed is left alone" elsewhere_at_work

silent() {
	given begun && held "-1 hours" && pxr_sweep held.yaml --db held.db &&
		is "$(query held.db "SELECT count(*), max(failures) FROM sweep_result WHERE state = 'finished'")" "3|0"
}
ok "a job is claimed again once the host that claimed it has been silent for long" silent

mkdir bin none
ln -s "$(command -v ls)" none/ls
printf '#!/bin/sh\nexit 0\n' >bin/squeue
printf '#!/bin/sh\necho "sbatch: error: no such cluster" >&2\nexit 1\n' >bin/sbatch
chmod +x bin/*

without_slurm() {
	PATH=$PWD/none pxr_sweep held.yaml --db none.db --launcher slurm
}
no_slurm() {
	refused 2 "squeue not found" without_slurm && [ ! -e none.db ]
}
ok "--launcher slurm without Slurm is an error and creates no database" no_slurm

mkdir mute
printf '#!/bin/sh\nprintf "squeue: error: %%s\\n" one two >&2\necho "$fatal" >&2\nexit 1\n' >mute/squeue
chmod +x mute/squeue
without_controller() {
	fatal=$1 PATH=$PWD/mute:$PATH pxr_sweep held.yaml --db none.db --launcher slurm
}
mute_slurm() {
	refused 1 "squeue failed: squeue: error: one" without_controller "" && ! grep -q two err &&
		refused 1 "squeue failed: squeue: fatal: three" without_controller "squeue: fatal: three" &&
		! grep -q two err && [ ! -e none.db ]
}
ok "the error of a Slurm that does not answer is one line, and no database is created" mute_slurm

with_bad_slurm() {
	PATH=$PWD/bin:$PATH pxr_sweep held.yaml --db bad.db --launcher slurm
}
ok "the error of sbatch is shown" refused 1 "sbatch failed: sbatch: error: no such cluster" with_bad_slurm

ok "--sbatch-option requires --launcher slurm" refused 2 "--sbatch-option needs --launcher slurm" \
	pxr_sweep held.yaml --db held.db --sbatch-option=--time=1

as_json() {
	given begun && pxr_sweep held.yaml --db held.db --json && is "$(query :memory: "SELECT
		json_extract(j, '\$.sweep'), json_extract(j, '\$.end'), json_extract(j, '\$.finished'),
		json_array_length(j, '\$.jobs'), json_extract(j, '\$.jobs[0].job') FROM
		(SELECT readfile('out') AS j)")" "held|done|3|3|$(query held.db 'SELECT job FROM sweep_result
		ORDER BY valid_nats LIMIT 1')" &&
		pxr_sweep climb.yaml --dry-run --json && is "$(query :memory: "SELECT
		json_array_length(j, '\$.runs'), json_extract(j, '\$.rung_epochs[1]') FROM
		(SELECT readfile('out') AS j)")" "6|2"
}
ok "--json prints the results, and with --dry-run the plan" as_json

# --- many writers ------------------------------------------------------------------------------

eight() {
	for seed in 1 2 3 4 5 6 7 8; do
		"$top/runner/pxr-run" fast.yaml --quiet --db eight.db --threads 1 --seed $seed \
			>out$seed 2>err$seed &
		eval "writer$seed=$!"
	done
	for seed in 1 2 3 4 5 6 7 8; do
		eval "wait \$writer$seed" || return
	done
	cat err[1-8] out[1-8] >err && [ ! -s err ] &&
		is "$(query eight.db "SELECT count(*), sum(status = 'finished'), count(DISTINCT seed)
			FROM run")" "8|8|8" &&
		is "$(query eight.db "SELECT DISTINCT (SELECT count(*) FROM metric WHERE run = run.id),
			(SELECT count(*) FROM checkpoint WHERE run = run.id) > 0 FROM run")" \
			"$(query eight.db "SELECT count(*), 1 FROM metric WHERE run = 1")"
}
ok "eight processes create and write one database at the same time" eight

# Overwrite a page that runs write to and the sweep does not.
overwritten() {
	sweep one.yaml 'vary: {train.seed: [1]}' && pxr_sweep one.yaml --db worn.db || return
	page=$(sqlite3 worn.db "SELECT rootpage FROM sqlite_schema WHERE name = 'metric'")
	size=$(sqlite3 worn.db "PRAGMA page_size; PRAGMA journal_mode = DELETE" | head -n 1)
	head -c "$size" /dev/zero | tr '\0' 'x' | dd of=worn.db bs="$size" seek=$((page - 1)) conv=notrunc 2>/dev/null
	sum=$(sha256sum <worn.db)
	refused 2 "worn.db: the database is corrupt" pxr_sweep one.yaml train.epochs=1 --db worn.db &&
		err_has "restore a copy" && ! err_has "***" && is "$(grep -c error: err)" 1 && is "$(wc -c <out)" 0 &&
		is "$(sha256sum <worn.db)" "$sum"
}
ok "a sweep refuses a corrupt database and does not change it" overwritten
