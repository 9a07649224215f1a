#!/bin/sh
# command_failures.sh - the system fails: exit status 1 and a message, never a crash.
. "${srcdir:-.}/tests/command.sh"
source=$top/${srcdir:-.}
case ${srcdir:-.} in /*) source=$srcdir ;; esac
plan 2

# --- allocations that fail -------------------------------------------------------------------------
# fail_at NUMBER COMMAND...: with that allocation failing.
cannot_fail=
if grep -q '^#define PXR_SANITIZED' "$top/config.h"; then
	cannot_fail="a sanitizer has its own malloc"
elif ! ${CC:-cc} -shared -fPIC -o failing.so "$source/tests/modules/failing.c" 2>/dev/null; then
	cannot_fail="the C library's malloc cannot be replaced"
fi
fail_at() {
	at=$1
	shift
	FAIL_ALLOCATION=$at LD_PRELOAD=$scratch/failing.so "$@" >out 2>err
}

# out_of_memory FIRST LAST STEP COMMAND...: each ends well, or with status 1 and a message.
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
	[ -z "$cannot_fail" ] || return 0
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
ok "memory that runs out in the arguments is an error${cannot_fail:+ # SKIP $cannot_fail}" arguments

# --- files that may not grow -----------------------------------------------------------------------
too_large() {
	(ulimit -f 8 && pxr_run tiny.yaml --db large.db)
	is $? 1 && err_has "large.db: the database cannot be read or written" && err_has "ulimit -f"
}
ok "a limit of file sizes that is reached is an error" too_large
