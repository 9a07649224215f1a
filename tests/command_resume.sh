#!/bin/sh
# command_resume.sh - the same bits whatever the threads, and however often a run is stopped.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# Everything a run has computed, as text: parameters, NLL, samples (their pixels: the texts before
# them name the run). Rates of work do differ.
result() {
	query "$1" "SELECT status, parameter_hash FROM run;
		SELECT step, epoch, split, name, value, sum_nats, sum_squares, images, dimensions,
			standard_error, suspect FROM metric
			WHERE name NOT IN ('images_per_second', 'data_wait_share') ORDER BY name, split, step;
		SELECT step, message FROM event WHERE kind = 'spike' ORDER BY step;
		SELECT split, step, epoch, images, hex(nats) FROM nll_map ORDER BY split;
		SELECT step, kind, seed, hex(substr(png, instr(png, x'49444154'))) FROM sample
			ORDER BY kind, step;"
}

same_result() {
	result "$1" >one && result "$2" >two && cmp one two && grep -q 'finished|[0-9a-f]' one
}

# A number of hundredths of a second up to $1, not the same each time.
random_below() {
	od -An -N4 -tu4 /dev/urandom | awk -v most="$1" '{ printf "%.2f", $1 % most / 100 }'
}

# Go on with the run, killing it after a random while, at most $2 times; then let it end.
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

# SIGINT once a checkpoint is on record.
interrupt() {
	"$top/runner/pxr-run" tiny.yaml --db "$1" >out 2>err &
	run=$!
	until [ "$(query "$1" 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 0 ]; do
		kill -0 $run 2>/dev/null || break
		sleep 0.02
	done
	kill -"$2" $run
	wait $run
}

ok "a run ends well" pxr_run tiny.yaml --db one.db --threads 1

threads() {
	pxr_run tiny.yaml --db "$1.db" --threads "$1" && same_result one.db "$1.db"
}
ok "two threads give the same bits" threads 2
ok "three threads give the same bits" threads 3

says_how() {
	exits 130 interrupt int.db INT && err_has "pxr-run --resume 1 --db int.db" &&
		is "$(query int.db "SELECT status FROM run")" interrupted
}
ok "an interrupted run exits with 130 and says how to go on" says_how

resumed() {
	pxr_run --resume last --db int.db && same_result one.db int.db
}
ok "an interrupted and resumed run has the same bits" resumed

terminated() {
	exits 130 interrupt term.db TERM && pxr_run --resume tiny --db term.db &&
		same_result one.db term.db
}
ok "SIGTERM is taken the same way" terminated

report() {
	"$top/runner/pxr-report" "$@" --db gone.db >out 2>err
}

# Two runs that go on at first; one of them is killed.
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
		report runs --where "status = 'killed'" --format csv && is "$(sed 1d out | cut -d , -f 2,3)" gone,killed &&
		report show gone --part facts && grep -q "^status  *killed$" out &&
		report compare here gone --part results && grep -q "^status  *running  *killed" out &&
		report html --out - && out_has '<span class="status killed">killed</span>' &&
		out_has '<span class="status running">running</span>' &&
		report doctor && grep -q "^ *2  killed " out && out_has "pxr-run --resume RUN" &&
		report doctor here && ! out_has killed &&
		refused 2 "nothing was deleted" report delete gone && grep -q " gone  *killed " out &&
		is "$(query gone.db "SELECT group_concat(status) FROM run")" running,running
}
ok "a run that was killed is told from one at work, and how to go on" gone

ok "its wall time up to the last checkpoint is on record" \
	is "$(query gone.db "SELECT wall_seconds > 0 FROM run WHERE name = 'gone'")" 1

killed=0
killed_often() {
	kill_and_resume kill.db 12 && [ $killed -gt 0 ] && same_result one.db kill.db
}
ok "killed at random moments and resumed, a run has the same bits" killed_often
echo "# killed $killed times"

damaged() {
	exits 130 interrupt cut.db INT || return
	: >"$(ls cut.checkpoints/1-*/* | tail -n 1)"
	pxr_run --resume 1 --db cut.db && err_has "is skipped" && same_result one.db cut.db
}
ok "a damaged checkpoint is skipped and the one before it used" damaged

told_first() {
	awk '/is skipped/ { told = 1 } /resumed at step/ { exit !told }' out
}
ok "and that is told before training goes on" told_first

# An error of reading, such as /proc/self/mem gives at 0, is no damage.
unreadable() {
	exits 130 interrupt eio.db INT || return
	newest=$(ls eio.checkpoints/1-*/* | tail -n 1)
	mv "$newest" sound && ln -s /proc/self/mem "$newest" && query eio.db .dump >before
	refused 1 "nothing was changed: its checkpoint of step" pxr_run --resume 1 --db eio.db &&
		err_has "$newest: cannot be read: Input/output error" &&
		query eio.db .dump | cmp - before && [ -L "$newest" ] || return
	mv sound "$newest" && pxr_run --resume 1 --db eio.db && ! err_has "is skipped" &&
		same_result one.db eio.db
}
ok "a checkpoint that cannot be read now is not given up" unreadable

# Killed at each sync of the first seconds: no file goes before one of a later step is on record.
nothing_deleted() {
	[ -z "$cannot_fail" ] || return 0
	exits 130 interrupt keep.db INT || return
	newest=$(ls keep.checkpoints/1-*/* | tail -n 1)
	step=$(query keep.db "SELECT max(step) FROM checkpoint")
	: >"$newest"
	for at in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		KILL_SYNC=$at preload pxr_run --resume 1 --db keep.db
		[ -e "$newest" ] || [ "$(query keep.db "SELECT max(step) FROM checkpoint")" -gt "$step" ] || {
			echo "# at sync $at"
			return 1
		}
	done
	pxr_run --resume 1 --db keep.db && same_result one.db keep.db
}
failing
ok "no checkpoint goes before a later one is safe${cannot_fail:+ # SKIP $cannot_fail}" nothing_deleted

# Without a checkpoint that can be read, everything stays as it is.
record_kept() {
	exits 130 interrupt none.db INT || return
	for file in none.checkpoints/1-*/*; do
		: >"$file"
	done
	query none.db .dump >before
	refused 2 "none of its checkpoints is usable" pxr_run --resume 1 --db none.db &&
		query none.db .dump | cmp - before || return
	for file in none.checkpoints/1-*/*; do
		err_has "$file" || return
	done
	err_has "a new run"
}
ok "a run without a readable checkpoint is refused and left as it is" record_kept

ok "a finished run is not resumed" refused 2 "run 1 ('tiny') is finished" \
	pxr_run --resume 1 --db one.db

# A new database under the old name, and its first run, leave the files of the old one alone.
renamed() {
	exits 130 interrupt old.db INT && mv old.db kept.db && exits 130 interrupt old.db INT &&
		is "$(ls old.checkpoints | grep -c '^1-[0-9a-f]\{8\}$')" 2 &&
		pxr_run --resume 1 --db kept.db && same_result one.db kept.db &&
		pxr_run --resume 1 --db old.db && same_result one.db old.db
}
ok "a database that was renamed keeps its checkpoints" renamed

copied() {
	exits 130 interrupt first.db INT && cp first.db second.db &&
		pxr_run --resume 1 --db second.db && pxr_run --resume 1 --db first.db &&
		same_result one.db first.db
}
ok "a copy of a database leaves the checkpoints to the original" copied

swept() {
	exits 130 interrupt sweep.db INT || return
	folder=$(echo sweep.checkpoints/1-*)
	: >"$folder/step-00099999.safetensors"
	: >"$folder/step-00000003.safetensors.partial-0a1b2c"
	: >"$folder/notes"
	pxr_run --resume 1 --db sweep.db || return
	query sweep.db "SELECT path FROM checkpoint" >named
	echo "$folder/notes" >>named
	ls "$folder"/* | sort >there
	sort named | cmp - there
}
ok "resuming removes the files of checkpoints that are not on record" swept

elsewhere() {
	exits 130 interrupt far.db INT &&
		query far.db "UPDATE run SET status = 'running', host = 'elsewhere'" &&
		refused 2 "may still be running on host 'elsewhere'" pxr_run --resume 1 --db far.db || return
	eval "$(sed -n 's/.*resume again: //p' err)" && pxr_run --resume 1 --db far.db &&
		same_result one.db far.db
}
ok "a run of another host is refused until it is marked as the message says" elsewhere

# A run of images that have moved since, and one gone on with from another folder than it was
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
		refused 2 "only the path of its data can be changed, by data.path=PATH" pxr_run --resume moved train.epochs=2 &&
		pxr_run --resume moved data.path=gone --db files.db &&
		is "$(query files.db "SELECT group_concat(status) FROM run")" finished,finished &&
		is "$(query files.db "SELECT count(DISTINCT parameter_hash) FROM run")" 1
}
ok "a run is resumed from another folder, and with its data moved" moves

history() {
	is "$(query far.db "SELECT group_concat(kind, ' '), sum(message LIKE '% by pxr %threads') FROM
		(SELECT * FROM event WHERE kind <> 'interrupted' ORDER BY id)")" "started resumed|2" &&
		is "$(query far.db "SELECT host FROM run")" "$(uname -n)"
}
ok "the processes that started and resumed a run are on record" history

# A process whose run another one takes up while it stands still.
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
	exits 130 interrupt plug.db INT || return
	query plug.db "UPDATE plugin SET sha256 = 'x' WHERE name = 'relu'"
	pxr_run --resume 1 --db plug.db &&
		err_has "warning: run 1 is resumed with another build of its layers (relu x (here " &&
		is "$(query plug.db "SELECT count(*) FROM plugin WHERE sha256 = 'x'")" 0 &&
		is "$(query plug.db "SELECT count(*) FROM event WHERE kind = 'resumed' AND message LIKE
			'resumed at step % with another build of its layers: relu x (here %) by pxr %'")" 1 &&
		same_result one.db plug.db
}
ok "a run resumed with another build of a layer warns and records it" another_build

# Refused without a change of the database.
unchanged() { # DATABASE TEXT
	query "$1" .dump >before
	refused 2 "$2" pxr_run --resume 1 --db "$1" && query "$1" .dump | cmp - before
}

changed_plugin() {
	exits 130 interrupt layers.db INT || return
	query layers.db "UPDATE plugin SET sha256 = 'x', version = '0.0.1' WHERE name = 'relu'"
	unchanged layers.db "was trained with another version of its layers: relu 0.0.1 (here " &&
		err_has "pxr-run --from-run 1"
}
ok "another version of a layer is named and refused" changed_plugin

changed_model() {
	query layers.db "DELETE FROM plugin; UPDATE run SET certificate = 'x'"
	unchanged layers.db "the layers no longer build the same one from its spec"
}
ok "layers that make another model are refused" changed_model

other_version() {
	exits 130 interrupt version.db INT || return
	query version.db "UPDATE run SET program_version = '0.0.1'"
	pxr_run --resume 1 --db version.db && err_has "trained by pxr 0.0.1" &&
		same_result one.db version.db
}
ok "a run resumed by another version of pxr warns" other_version
