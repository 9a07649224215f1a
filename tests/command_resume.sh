#!/bin/sh
# command_resume.sh - the result is the same to the bit for any number of threads and interruptions.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# Everything a run has computed, as text: parameters, NLL, pixels of samples (the texts in a PNG before
# its pixels name the run). Speeds differ from run to run.
result() {
	query "$1" "SELECT status, parameter_hash FROM run;
		SELECT step, epoch, split, name, value, sum_nats, sum_squares, images, dimensions,
			standard_error, suspect FROM metric
			WHERE name NOT IN ('images_per_second', 'data_wait_share', 'step_images_per_second',
				'step_seconds') ORDER BY name, split, step;
		SELECT step, message FROM event WHERE kind = 'spike' ORDER BY step;
		SELECT split, step, epoch, images, hex(nats) FROM nll_map ORDER BY split;
		SELECT split, step, images, hex(nats) FROM image_nll ORDER BY split;
		SELECT step, kind, seed, hex(substr(png, instr(png, x'49444154'))) FROM sample
			ORDER BY kind, step;"
}

# same_result DB: what a run that was never stopped has computed.
make_whole() {
	pxr_run tiny.yaml --db one.db --threads 1
}
same_result() {
	given whole && result one.db >one && result "$1" >two && cmp one two && grep -q 'finished|[0-9a-f]' one
}

# A number of hundredths of a second up to $1, not the same each time.
random_below() {
	od -An -N4 -tu4 /dev/urandom | awk -v most="$1" '{ printf "%.2f", $1 % most / 100 }'
}

# Kill and resume the run after random times, at most $2 times; then let it finish.
kill_and_resume() {
	"$top/runner/pxr-run" tiny.yaml --db "$1" >/dev/null 2>&1 &
	times=$2
	until [ "$(query "$1" 'SELECT count(*) FROM run' 2>/dev/null || echo 0)" = 1 ]; do
		kill -0 $! || return
		sleep 0.01
	done
	while [ "$times" -gt 0 ]; do
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		[ "$(query "$1" 'SELECT status FROM run')" = finished ] && return
		killed=$((killed + 1))
		times=$((times - 1))
		"$top/runner/pxr-run" --resume 1 --db "$1" >/dev/null 2>&1 &
		sleep "$(random_below 25)"
	done
	wait $!
}

# A signal once two checkpoints are on record: if the run stops right there, the newest is saved again.
interrupt() {
	"$top/runner/pxr-run" tiny.yaml --db "$1" >out 2>err &
	run=$!
	until [ "$(query "$1" 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 1 ]; do
		kill -0 $run 2>/dev/null || break
		sleep 0.02
	done
	kill -"$2" $run
	wait $run
}

# int.db: a run interrupted by SIGINT, with two checkpoints or more on record.
make_interrupted() {
	exits 130 interrupt int.db INT
}

threads() {
	pxr_run tiny.yaml --db "$1.db" --threads "$1" && same_result "$1.db"
}
ok "two threads give the same bits as one" threads 2
ok "three threads give the same bits as one" threads 3

says_how() {
	make_interrupted && err_has "pxr-run --resume 1 --db int.db" &&
		is "$(query int.db "SELECT status FROM run")" interrupted
}
ok "an interrupted run exits with 130 and prints how to resume it" says_how

resumed() {
	given interrupted && pxr_run --resume last --db int.db && same_result int.db
}
ok "an interrupted and resumed run has the same bits as one never stopped" resumed

# The run of tiny.yaml as it is now: never stopped, and interrupted and resumed on two threads.
stopped_or_not() {
	pxr_run tiny.yaml --db one.db --threads 1 && result one.db >one &&
		make_interrupted && pxr_run --resume last --db int.db --threads 2 && result int.db >two && cmp one two
}

# Parameters are packed anew for each step: nothing of it is in a checkpoint.
in_bfloat16() {
	sed 's/^train:.*/&\n  precision: bf16/' tiny.yaml >mixed.yaml && mv mixed.yaml tiny.yaml && stopped_or_not &&
		is "$(query int.db "SELECT DISTINCT spec_json ->> '\$.train.precision' FROM run")" bf16
}
ok "a run in bfloat16 that is interrupted and resumed on two threads has the same bits" in_bfloat16

with_dropout() {
	sed 's/^  - relu$/  - dropout: {rate: 0.3}\n&/; s/kernel: 3/&, weight_norm: true/' tiny.yaml >drops.yaml &&
		mv drops.yaml tiny.yaml && stopped_or_not &&
		is "$(query int.db "SELECT count(*) FROM layer WHERE kind = 'dropout' OR kind = 'conv' AND parameters = 592")" 3
}
ok "a run with dropout and weight_norm that is interrupted and resumed on two threads has the same bits" with_dropout

terminated() {
	exits 130 interrupt term.db TERM && pxr_run --resume tiny --db term.db &&
		same_result term.db
}
ok "a run stopped by SIGTERM has the same bits once it is resumed" terminated

# Twice, and interrupted once: as a run that is trained in these stages from the start. Merging takes the
# longer record into the shorter one, and not the other way.
extended() {
	pxr_run tiny.yaml train.epochs=2 --db ext.db && cp ext.db short.db &&
		sum=$(query ext.db "SELECT spec_hash FROM run") &&
		refused 2 "to train it further: --resume 1 train.epochs=N" pxr_run --resume 1 --db ext.db &&
		refused 2 "train.epochs=2: expected a number above 2" pxr_run --resume 1 train.epochs=2 --db ext.db &&
		is "$(query ext.db "SELECT spec_hash FROM run")" "$sum" &&
		pxr_run --resume 1 train.epochs=3 --db ext.db && out_has "extended at step 32 to step 48 (train.epochs=3)" &&
		pxr_run --resume 1 train.epochs=4 --db ext.db &&
		is "$(query ext.db "SELECT status, spec_json -> '\$.train.extended_from', spec_json -> '\$.train.epochs' FROM run;
			SELECT kind, step FROM event WHERE kind = 'extended' ORDER BY id;
			SELECT count(*), count(DISTINCT step) FROM metric WHERE name = 'step_nll';
			SELECT group_concat(DISTINCT step) FROM nll WHERE name = 'final_nll'")" "finished|[2,3]|4
extended|32
extended|48
64|64
64" &&
		pxr_run --from-run 1 --db ext.db && out_has "run 2: the same to the bit as run 1" &&
		"$top/runner/pxr-report" merge ext.db --db short.db >out && out_has "replaced: it goes further" &&
		is "$(query short.db "SELECT count(*), max(step) FROM metric WHERE run = 1 AND name = 'final_nll'")" "2|64" &&
		refused 2 "expected a list of rising numbers below train.epochs (6)" \
			pxr_run tiny.yaml "train.extended_from=[3, 2]" --db ext.db &&
		refused 2 "expected a list, such as" pxr_run tiny.yaml train.extended_from=3 --db ext.db
}
ok "a finished run is extended, on record, with the bits of a run trained in the same stages" extended

# Without a step, the result is that of the checkpoint: its averaged parameters.
started_from() {
	pxr_run tiny.yaml train.epochs=2 --db s.db && last=$(ls s.checkpoints/1-*/* | tail -n 1) && cp "$last" copy.safetensors &&
		pxr_run tiny.yaml train.epochs=0 train.start_from=1@last --db s.db &&
		pxr_run tiny.yaml train.epochs=0 train.start_from=copy.safetensors --db s.db &&
		pxr_run tiny.yaml train.epochs=1 train.start_from=1@32 --db s.db &&
		is "$(query s.db "SELECT count(DISTINCT parameter_hash), count(DISTINCT start_hash) FROM run WHERE id < 4")" "1|1" &&
		is "$(query s.db "SELECT b.start_from = a.uid || '@32', b.start_hash = a.parameter_hash FROM run AS a, run AS b
			WHERE a.id = 1 AND b.id = 2")" "1|1" &&
		pxr_run --from-run 4 --db s.db && out_has "the same to the bit as run 4" &&
		refused 2 "does not fit the model: 'layers.0.conv.weight' is 5x5x1x8 in it, and 7x7x1x8 here" \
			pxr_run tiny.yaml model.0.conv.kernel=7 train.start_from=1 --db s.db &&
		refused 2 "there is no run 'nine'" pxr_run tiny.yaml train.start_from=nine --db s.db &&
		refused 2 "no checkpoint of step 7" pxr_run tiny.yaml train.start_from=1@7 --db s.db &&
		is "$(query s.db "SELECT count(*) FROM run")" 5 &&
		pxr_run tiny.yaml train.epochs=0 train.start_from=1@25 --db s.db &&
		refused 2 "is referred to by run 2, which started from its step 32, and 3 more" \
			"$top/runner/pxr-report" delete 1 --yes --db s.db 2>err &&
		"$top/runner/pxr-report" gc --old --db s.db >out && out_has "step-00000030" && ! out_has "step-00000025" &&
		pxr_run --resume 1 train.epochs=3 --db s.db && pxr_run --from-run 6 --db s.db &&
		out_has "the same to the bit as run 6" &&
		is "$(query s.db "SELECT group_concat(step) FROM checkpoint WHERE run = 1 AND step IN (25, 30, 32)")" "25,32"
}
ok "train.start_from takes the parameters of a run or a file, and its record repeats them" started_from

not_extended() {
	given interrupted && refused 2 "is not finished: resume it without train.epochs first" \
		pxr_run --resume 1 train.epochs=9 --db int.db &&
		pxr_run tiny.yaml train.patience=1 train.optimizer.adam.rate=0 --db early.db &&
		refused 2 "was stopped by train.patience" pxr_run --resume 1 train.epochs=9 --db early.db &&
		rm "$(ls early.checkpoints/1-*/* | tail -n 1)" && # the best one, from before the stop, is left
		refused 2 "was stopped by train.patience" pxr_run --resume 1 train.epochs=9 --db early.db &&
		is "$(query early.db "SELECT status, resumes FROM run")" "finished|0"
}
ok "an interrupted run, or one stopped by train.patience, is not extended" not_extended

report() {
	"$top/runner/pxr-report" "$@" --db gone.db >out 2>err
}

# Two runs at work, of which one is killed.
gone() {
	for name in here gone; do
		"$top/runner/pxr-run" tiny.yaml name=$name train.epochs=1000 --db gone.db >/dev/null 2>&1 &
		eval "$name=$!"
		until [ "$(query gone.db "SELECT count(*) FROM checkpoint JOIN run ON id = run
				WHERE name = '$name'" 2>/dev/null || echo 0)" -gt 0 ]; do
			kill -0 $! || return
			sleep 0.02
		done
	done
	kill -STOP $here && kill -9 $gone
	wait $gone
	tells_killed
	status=$?
	kill -9 $here
	return $status
}
tells_killed() {
	report runs --where "status = 'running'" --format csv && is "$(sed 1d out | cut -d , -f 2)" here &&
		report runs --where "status = 'killed'" --format csv && is "$(sed 1d out | cut -d , -f 2,6)" gone,killed &&
		report show gone --part facts && grep -q "^status  *killed$" out &&
		report compare here gone --part results && grep -q "^status  *running  *killed" out &&
		report runs --where "name = 'here' AND progress BETWEEN 0 AND 1 AND seconds_left >= 0 AND newest_nll > 40" &&
		grep -q " here  *running " out && report show here --part facts &&
		grep -q "^newest training NLL, nats/image  *[0-9]" out && grep -q "^time left, seconds  *[0-9]" out &&
		report html --out - && out_has '<span class="status killed">killed</span>' &&
		out_has '<span class="status running">running</span>' &&
		report doctor && grep -q "^ *2  killed " out && out_has "pxr-run --resume RUN" &&
		report doctor here && ! out_has killed &&
		refused 2 "nothing was deleted" report delete gone && grep -q " gone  *killed " out &&
		is "$(query gone.db "SELECT group_concat(status) FROM run")" running,running &&
		is "$(query gone.db "SELECT wall_seconds > 0 FROM run WHERE name = 'gone'")" 1
}
ok "reports show a killed run as killed, with its time up to the last checkpoint and how to resume it" gone

killed_often() {
	killed=0
	kill_and_resume kill.db 12 && echo "# killed $killed times" && [ $killed -gt 0 ] && same_result kill.db
}
ok "a run killed and resumed at random times has the same bits" killed_often

# The warning is printed before training continues.
damaged() {
	given interrupted || return
	: >"$(ls int.checkpoints/1-*/* | tail -n 1)"
	pxr_run --resume 1 --db int.db && err_has "is skipped" &&
		awk '/is skipped/ { skipped = 1 } /resumed at step/ { exit !skipped }' out && same_result int.db
}
ok "a damaged checkpoint is skipped with a warning, and the one before it is used" damaged

# An error of reading, such as /proc/self/mem gives at 0, is not damage.
unreadable() {
	given interrupted || return
	newest=$(ls int.checkpoints/1-*/* | tail -n 1)
	mv "$newest" sound && ln -s /proc/self/mem "$newest" && query int.db .dump >before
	refused 1 "nothing was changed: its checkpoint of step" pxr_run --resume 1 --db int.db &&
		err_has "cannot read $newest: Input/output error" &&
		query int.db .dump | cmp - before && [ -L "$newest" ] || return
	mv sound "$newest" && pxr_run --resume 1 --db int.db && ! err_has "is skipped" &&
		same_result int.db
}
ok "an input error on a checkpoint stops the resumption and changes nothing" unreadable

# Killed at each sync of the first seconds.
nothing_deleted() {
	needs_failures
	given interrupted || return
	newest=$(ls int.checkpoints/1-*/* | tail -n 1)
	step=$(query int.db "SELECT max(step) FROM checkpoint")
	: >"$newest"
	for at in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		KILL_SYNC=$at preload pxr_run --resume 1 --db int.db
		[ -e "$newest" ] || [ "$(query int.db "SELECT max(step) FROM checkpoint")" -gt "$step" ] || {
			echo "# at sync $at"
			return 1
		}
	done
	pxr_run --resume 1 --db int.db && same_result int.db
}
ok "a checkpoint is not deleted before a later one is on record" nothing_deleted

record_kept() {
	given interrupted || return
	for file in int.checkpoints/1-*/*; do
		: >"$file"
	done
	query int.db .dump >before
	refused 2 "none of its checkpoints is usable" pxr_run --resume 1 --db int.db &&
		query int.db .dump | cmp - before || return
	for file in int.checkpoints/1-*/*; do
		err_has "$file" || return
	done
	err_has "a new run"
}
ok "a run without a readable checkpoint is not resumed and not changed" record_kept

finished() {
	given whole && refused 2 "run 1 ('tiny') is finished" pxr_run --resume 1 --db one.db
}
ok "a finished run is not resumed" finished

# A new database under the old name, with a run of its own, does not touch the files of the old one.
renamed() {
	given interrupted && mv int.db kept.db && exits 130 interrupt int.db INT &&
		is "$(ls int.checkpoints | grep -c '^1-[0-9a-f]\{8\}$')" 2 &&
		pxr_run --resume 1 --db kept.db && same_result kept.db &&
		pxr_run --resume 1 --db int.db && same_result int.db
}
ok "a renamed database keeps its checkpoints" renamed

copied() {
	given interrupted && cp int.db second.db &&
		pxr_run --resume 1 --db second.db && pxr_run --resume 1 --db int.db &&
		same_result int.db
}
ok "resuming in a copy of a database keeps the checkpoints of the original" copied

swept() {
	given interrupted || return
	folder=$(echo int.checkpoints/1-*)
	: >"$folder/step-00099999.safetensors"
	: >"$folder/step-00000003.safetensors.partial-0a1b2c"
	: >"$folder/notes"
	pxr_run --resume 1 --db int.db || return
	query int.db "SELECT path FROM checkpoint" >named
	echo "$folder/notes" >>named
	ls "$folder"/* | sort >there
	sort named | cmp - there
}
ok "resuming removes checkpoint files that are not on record, and no other files" swept

elsewhere() {
	given interrupted &&
		query int.db "UPDATE run SET status = 'running', host = 'elsewhere'" &&
		refused 2 "may still be running on host 'elsewhere'" pxr_run --resume 1 --db int.db || return
	eval "$(sed -n 's/.*resume again: //p' err)" && pxr_run --resume 1 --db int.db &&
		same_result int.db &&
		is "$(query int.db "SELECT group_concat(kind, ' '), sum(message LIKE '% by pxr %threads') FROM
		(SELECT * FROM event WHERE kind <> 'interrupted' ORDER BY id)")" "started resumed|2" &&
		is "$(query int.db "SELECT host FROM run")" "$(uname -n)"
}
ok "a run of another host is resumed only after it is marked as the message says, and both events are on record" elsewhere

# A run whose images were moved since, and one that is resumed in another folder than the one it was
# started in.
moves() {
	"$top/runner/pxr-data" convert tiny.yaml --out set >out 2>err &&
		sed 's/^data: .*/data: {set: png_folder, path: set, levels: 2}/' tiny.yaml >files.yaml || return
	for name in moved folder; do
		"$top/runner/pxr-run" files.yaml name=$name train.epochs=30 --db files.db >out 2>err &
		run=$!
		until [ "$(query files.db "SELECT count(*) FROM checkpoint JOIN run ON id = run
				WHERE name = '$name'" 2>/dev/null || echo 0)" -gt 0 ]; do
			kill -0 $run 2>/dev/null || return
			sleep 0.02
		done
		kill -INT $run
		wait $run
	done
	mkdir below && (cd below && pxr_run --resume folder --db ../files.db) && mv set gone &&
		refused 2 "no such file or folder" pxr_run --resume moved --db files.db &&
		refused 2 "only the path of its data can be changed, by data.path=PATH" pxr_run --resume moved train.batch=2 &&
		pxr_run --resume moved data.path=gone --db files.db &&
		is "$(query files.db "SELECT group_concat(status) FROM run")" finished,finished &&
		is "$(query files.db "SELECT count(DISTINCT parameter_hash) FROM run")" 1
}
ok "a run is resumed from another folder, and with its data moved" moves

# A process whose run is claimed by another one while it is stopped.
taken() {
	"$top/runner/pxr-run" tiny.yaml --db two.db train.epochs=40 >out1 2>err1 &
	first=$!
	until [ "$(query two.db 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 0 ]; do
		kill -0 $first 2>/dev/null || return
		sleep 0.02
	done
	until kill -STOP $first && query two.db "UPDATE run SET status = 'interrupted'" 2>/dev/null; do
		kill -CONT $first || return # it stood still while it kept the database locked
		sleep 0.02
	done
	pxr_run --resume 1 --db two.db
	status=$?
	query two.db .dump >before
	kill -CONT $first
	wait $first
	is $?/$status 1/0 && grep -q "run 1 was claimed by process" err1 &&
		query two.db .dump | cmp - before
}
ok "a process whose run was claimed by another stops and changes nothing" taken

another_build() {
	given interrupted || return
	query int.db "UPDATE plugin SET sha256 = 'x' WHERE name = 'relu'"
	pxr_run --resume 1 --db int.db &&
		err_has "warning: run 1 is resumed with another build of its layers (relu x (here " &&
		out_has "resumed at step " && ! out_has "relu x (here " &&
		is "$(query int.db "SELECT count(*) FROM plugin WHERE sha256 = 'x'")" 0 &&
		is "$(query int.db "SELECT count(*) FROM event WHERE kind = 'resumed' AND message LIKE
			'resumed at step % with another build of its layers: relu x (here %) by pxr %'")" 1 &&
		same_result int.db
}
ok "a run resumed with another build of a layer warns and records it" another_build

# Refused without a change of the database.
unchanged() { # DATABASE TEXT
	query "$1" .dump >before
	refused 2 "$2" pxr_run --resume 1 --db "$1" && query "$1" .dump | cmp - before
}

changed_plugin() {
	given interrupted || return
	query int.db "UPDATE plugin SET sha256 = 'x', version = '0.0.1' WHERE name = 'relu'"
	unchanged int.db "was trained with another version of its layers: relu 0.0.1 (here " &&
		err_has "pxr-run --from-run 1"
}
ok "a run is not resumed with another version of a layer, which is named" changed_plugin

changed_model() {
	given interrupted && query int.db "DELETE FROM plugin; UPDATE run SET certificate = 'x'" &&
		unchanged int.db "the layers no longer build the same one from its spec"
}
ok "a run is not resumed with layers that build another model" changed_model

other_version() {
	given interrupted || return
	query int.db "UPDATE run SET program_version = '0.0.1'"
	pxr_run --resume 1 --db int.db && err_has "trained by pxr 0.0.1" &&
		same_result int.db
}
ok "a run resumed by another version of pxr warns" other_version
