# command.sh - what the tests of the commands share: cases, TAP, checks of output, a small spec.
#
# A test file sources this and calls `ok WHAT COMMAND...` for each case. WHAT says what is promised. A
# case runs in a subshell and in a folder of its own, so that no case depends on another; the folder
# begins as a copy of $common, where the file itself runs and puts what all its cases need. What only
# some of them need, `given NAME` copies. All folders are deleted at the end.
#
# CASE='part of WHAT' in the environment runs only the cases with that text in their WHAT.
set -u
LC_ALL=C
export LC_ALL
unset PXR_LAYER_PATH

# The folders of the build, of the source, and of the real data, which need not be there.
top=$PWD
source=$(cd "${srcdir:-.}" && pwd)
real=${PXR_TEST_DATA:-$source/../shared/data}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/pxr-command-XXXXXX") || exit 1
common=$scratch/common
number=0
end_tests() {
	status=$?
	if [ $number -gt 0 ]; then
		echo "1..$number"
	elif [ "${CASE:-}" ] && [ $status = 0 ]; then
		echo "Bail out! No case has '$CASE' in its name."
	fi
	rm -rf "$scratch"
}
trap end_tests EXIT
mkdir "$common" && cd "$common" || exit 1

# skip_all REASON: skip the whole file.
skip_all() {
	echo "1..0 # SKIP $1"
	CASE=
	exit 0
}

# skip REASON: skip the case that calls it.
skip() {
	echo "$1" >"$scratch/reason"
	exit 77
}

# ok WHAT COMMAND...: one case, passed when the command succeeds.
ok() {
	what=$1
	case $what in *"${CASE:-}"*) ;; *) return 0 ;; esac
	shift
	number=$((number + 1))
	folder=$scratch/case-$number
	(cp -a "$common" "$folder" && cd "$folder" && "$@")
	case $? in
	0) echo "ok $number - $what" ;;
	77) echo "ok $number - $what # SKIP $(cat "$scratch/reason")" ;;
	*)
		echo "not ok $number - $what"
		for file in "$folder/out" "$folder/err"; do
			[ -f "$file" ] && sed "s/^/# ${file##*/}: /" "$file"
		done
		;;
	esac
	rm -rf "$folder" || : # a job that was cancelled may still write there; end_tests() removes it
}

# given NAME: copy the files of the fixture NAME, which make_NAME makes once, in a copy of $common.
given() {
	made=$scratch/made-$1
	if ! [ -d "$made" ]; then
		rm -rf "$scratch/making-$1" && cp -a "$common" "$scratch/making-$1" &&
			(cd "$scratch/making-$1" && "make_$1" && rm -f out err) && mv "$scratch/making-$1" "$made" || {
			echo "# make_$1 failed"
			sed 's/^/# err: /' "$scratch/making-$1/err" 2>/dev/null
			return 1
		}
	fi
	cp -a "$made/." .
}

pxr_run() {
	"$top/runner/pxr-run" "$@" >out 2>err
}

pxr_layers() {
	"$top/runner/pxr-layers" "$@" >out 2>err
}

# with FOLDER COMMAND...: with the layers in that folder too.
with() {
	PXR_LAYER_PATH=$1
	export PXR_LAYER_PATH
	shift
	"$@"
	with_status=$?
	unset PXR_LAYER_PATH
	return $with_status
}

# exits STATUS COMMAND...
exits() {
	wanted=$1
	shift
	"$@"
	got=$?
	[ $got -eq "$wanted" ] || {
		echo "# exit status $got instead of $wanted"
		return 1
	}
}

# Is the text in what was written to stdout (out) or stderr (err)?
out_has() {
	grep -qF -e "$1" out
}
err_has() {
	grep -qF -e "$1" err
}

# Exit status and a text of the error, together.
refused() {
	wanted_status=$1 wanted_text=$2
	shift 2
	exits "$wanted_status" "$@" && err_has "$wanted_text"
}

# A name that is no UTF-8, as files may have, and that JSON has no way to write.
not_utf8=$(printf 'x\377')

# no_json COMMAND...: it says that its result cannot be printed as JSON, and prints nothing.
no_json() {
	refused 1 "cannot be printed as JSON: a name in it is not UTF-8" "$@" && ! [ -s out ]
}

# bound COMMAND...: with no more rights to files than their modes give, even as root. needs_bound skips
# the case where root cannot be bound.
bound() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}
needs_bound() {
	bound true 2>/dev/null || skip "root cannot be bound to modes: setpriv is missing"
}

# needs COMMAND: skip the case where there is no such command.
needs() {
	command -v "$1" >/dev/null || skip "$1 is missing"
}

# needs_failures: skip the case where commands cannot be made to fail by `preload`.
needs_failures() {
	[ -e "$scratch/failing.so" ] && return
	! grep -q '^#define PXR_SANITIZED' "$top/config.h" || skip "a sanitizer has its own malloc"
	${CC:-cc} -shared -fPIC -o "$scratch/failing.so" "$source/tests/modules/failing.c" 2>/dev/null ||
		skip "the C library's malloc cannot be replaced"
}
# preload COMMAND...: with tests/modules/failing.c in it.
preload() {
	LD_PRELOAD=$scratch/failing.so "$@"
}

query() {
	sqlite3 "$@"
}

is() {
	[ "$1" = "$2" ] || {
		echo "# '$1' instead of '$2'"
		return 1
	}
}

cat >tiny.yaml <<'END'
name: tiny
data: {set: markov_binary, limit: 256}
model:
  - conv: {mask: A, kernel: 5, features: 8}
  - repeat: 2
    layers:
      - residual: [relu, conv: {mask: B, kernel: 3, features: 8}]
  - relu
  - sigmoid
train:
  optimizer: {adam: {rate: 3e-3}}
  schedule: cosine
  batch: 16
  micro_batch: 3
  epochs: 6
  average: 0.9
  checkpoint: 5 steps
evaluate: {every: 1 epoch}
sample: {count: 4, every: 2 epochs}
END
