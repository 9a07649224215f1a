#!/bin/sh
# command_failures.sh - failures of the system: exit status 1 and a message, never a crash.
. "${srcdir:-.}/tests/command.sh"

command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# --- databases that are not files, are links, or are moved ---------------------------------------------------
no_file() {
	for name in :memory: "file:x?mode=memory"; do
		refused 2 "$name: a database must be a file" pxr_run tiny.yaml --db "$name" || return
		for command in "report runs" "report import none" "sample 1" "sweep grid.yaml"; do
			# shellcheck disable=SC2086 # words
			refused 2 "$name: a database must be a file" "$top/runner/pxr-${command%% *}" \
				${command#* } --db "$name" >out 2>err || return
		done
	done
	refused 2 "the database needs a name" pxr_run tiny.yaml --db ""
}
printf 'name: grid\nspec: tiny.yaml\nvary: {train.seed: [1, 2]}\n' >grid.yaml
ok "a database that is not a file is refused" no_file

linked() {
	mkdir -p disk && ln -s disk/runs.db link.db && pxr_run tiny.yaml train.epochs=1 --db link.db &&
		[ -d disk/runs.checkpoints ] && [ ! -e link.checkpoints ] &&
		"$top/runner/pxr-sample" 1 --count 1 --out one.png --db disk/runs.db >out 2>err &&
		"$top/runner/pxr-sample" 1 --count 1 --out two.png --db link.db >out 2>err && cmp one.png two.png &&
		"$top/runner/pxr-report" export 1 --db link.db --out one.tar.gz >out 2>err &&
		ln -s disk/in.db in.db && "$top/runner/pxr-report" import one.tar.gz --db in.db >out 2>err &&
		[ -d disk/in.checkpoints ] && [ ! -e in.checkpoints ]
}
ok "checkpoints of a database behind a link are put beside the database's file" linked

# A run that would go on for long, with its database $1 at work.
begin() {
	"$top/runner/pxr-run" tiny.yaml train.epochs=3000 --quiet --db "$1" >out 2>err &
	run=$!
	until [ "$(query "$1" 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 1 ]; do
		kill -0 $run 2>/dev/null || return
		sleep 0.02
	done
}
stops() {
	wait $run
	is $? 1 && err_has "was moved, deleted or replaced while it was in use" &&
		[ -f "$(sed -n 's/^note: the checkpoint of step [0-9]* is //p' err)" ]
}

moved() {
	begin run.db && mv run.db moved.db && stops && mv moved.db run.db &&
		is "$(query run.db "PRAGMA integrity_check; SELECT status FROM run")" "ok
running" && pxr_run --resume 1 --dry-run --db run.db
}
ok "a run whose database is moved stops and keeps its checkpoint" moved

replaced() {
	pxr_run tiny.yaml train.epochs=1 --db other.db && begin rep.db || return
	cp other.db new.db && mv new.db rep.db && stops &&
		is "$(query rep.db "PRAGMA integrity_check; SELECT status FROM run")" "ok
finished"
}
ok "a run whose database is replaced stops and does not change the new one" replaced

deleted() {
	begin del.db && rm del.db* && stops && [ ! -e del.db ]
}
ok "a run whose database is deleted stops" deleted

sweep_moved() {
	printf 'name: long\nspec: tiny.yaml\nvary: {train.epochs: [2998, 2999]}\n' >long.yaml
	"$top/runner/pxr-sweep" long.yaml --quiet --db sweep.db >out 2>err &
	run=$!
	until [ "$(query sweep.db 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 1 ]; do
		kill -0 $run 2>/dev/null || return
		sleep 0.02
	done
	mv sweep.db gone.db
	wait $run
	is $? 1 && err_has "sweep.db: the database was moved, deleted or replaced"
}
ok "a sweep whose database is moved stops" sweep_moved

# --- allocations that fail -------------------------------------------------------------------------
# fail_at NUMBER COMMAND...: with that allocation failing.
fail_at() {
	at=$1
	shift
	FAIL_ALLOCATION=$at preload "$@" >out 2>err
}

# out_of_memory FIRST LAST STEP COMMAND...: the command exits with 0, or with 1 and a message, whichever
# allocation fails.
out_of_memory() {
	first=$1 last=$2 step=$3
	shift 3
	while [ "$first" -le "$last" ]; do
		fail_at "$first" "$@"
		failed=$?
		[ $failed = 0 ] || { [ $failed = 1 ] && [ -s err ]; } || {
			echo "# allocation $first of $*: status $failed"
			return 1
		}
		first=$((first + step))
	done
}

# The first allocations are those of the arguments.
arguments() {
	needs_failures
	for words in "bench none" "codec info none" "data list" "layers list" "report runs" "run none" \
		"sample 1" "sweep none"; do
		command=${words%% *}
		for at in 0 1 2 3 4 5 6; do
			# shellcheck disable=SC2086 # words
			fail_at $at "$top/runner/pxr-$command" ${words#* }
			[ $? -le 2 ] || return
		done
	done
}
ok "an allocation that fails while arguments are read is an error, not a crash" arguments

# A failed allocation must not be reported as a mistake in what the command reads.
prepare() {
	mkdir disk pictures && pxr_run tiny.yaml train.epochs=1 --db disk/runs.db && "$top/runner/pxr-sample" 1 --count 1 --out pictures/one.png --db disk/runs.db &&
		"$top/runner/pxr-codec" encode 1 --split test --count 2 --out one.pxr --db disk/runs.db &&
		"$top/runner/pxr-report" export 1 --db disk/runs.db --out some.tar.gz
}
commands() {
	needs_failures
	prepare >log 2>&1 || return
	out_of_memory 0 140 3 "$top/runner/pxr-layers" conv &&
		out_of_memory 0 110 2 "$top/runner/pxr-codec" info one.pxr &&
		out_of_memory 1 400 7 "$top/runner/pxr-data" info png_folder path=pictures &&
		out_of_memory 5 900 29 "$top/runner/pxr-run" tiny.yaml --dry-run --threads 1 &&
		out_of_memory 5 5000 211 "$top/runner/pxr-report" show 1 --db disk/runs.db &&
		out_of_memory 7 5000 311 "$top/runner/pxr-sample" 1 --count 1 --out two.png --force --threads 1 \
			--db disk/runs.db || return
	for at in 9 10 13 14 50 100 150 200 250 500; do
		rm -rf took.*
		out_of_memory $at $at 1 "$top/runner/pxr-report" import some.tar.gz --db took.db || return
	done
}
ok "an allocation that fails while files are read is an error of the system, not of the file" commands

# --- errors of reading, such as /proc/self/mem gives at 0 ------------------------------------------
unreadable_layer() {
	[ -e /proc/self/mem ] || skip "there is no /proc"
	mkdir unread && ln -s /proc/self/mem unread/bend.so &&
		refused 1 "unread/bend.so, where the layer 'bend' may be" with unread pxr_layers bend &&
		with unread pxr_layers conv
}
ok "a layer file that cannot be read is an error of the system" unreadable_layer

# --- files that may not grow -----------------------------------------------------------------------
too_large() {
	(ulimit -f 8 && pxr_run tiny.yaml --db large.db)
	is $? 1 && err_has "cannot read or write large.db: " && err_has "ulimit -f"
}
ok "reaching the limit of file sizes is an error that names ulimit" too_large
