# command.sh - what the tests of the commands share: a folder of their own, TAP, a small spec.
#
# A test file sources this and calls `ok WHAT COMMAND...` for each test; the number of tests is
# printed at the end, so a file that ends early must exit with a status other than 0. A file that
# knows the number beforehand from elsewhere calls `plan N` first. Commands run in $scratch, which is
# deleted at the end.
set -u
LC_ALL=C
export LC_ALL
unset PXR_LAYER_PATH

top=$PWD
# The folder of the real data, which need not be there.
case ${srcdir:-.} in
/*) real=$srcdir/../shared/data ;;
*) real=$top/${srcdir:-.}/../shared/data ;;
esac
real=${PXR_TEST_DATA:-$real}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/pxr-command-XXXXXX") || exit 1
number=0 planned=
end_tests() {
	[ "$planned" ] || [ $number -eq 0 ] || echo "1..$number"
	rm -rf "$scratch"
}
trap end_tests EXIT
cd "$scratch" || exit 1

plan() {
	planned=yes
	echo "1..$1"
}

skip_all() {
	plan "0 # SKIP $1"
	exit 0
}

# ok WHAT COMMAND...: one test, passed when the command succeeds.
ok() {
	what=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
		for file in out err; do
			[ -f $file ] && sed "s/^/# $file: /" $file
		done
	fi
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

# bound COMMAND...: with no more rights to files than their modes give, as root too; bound_here is
# false where root cannot be bound.
bound() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}
bound_here() {
	bound true 2>/dev/null
}

# What cannot_fail says, when it is not empty, keeps commands from being made to fail.
# preload COMMAND...: with tests/modules/failing.c in it.
failing() {
	source=$top/${srcdir:-.}
	case ${srcdir:-.} in /*) source=$srcdir ;; esac
	cannot_fail=
	if grep -q '^#define PXR_SANITIZED' "$top/config.h"; then
		cannot_fail="a sanitizer has its own malloc"
	elif ! ${CC:-cc} -shared -fPIC -o "$scratch/failing.so" "$source/tests/modules/failing.c" 2>/dev/null; then
		cannot_fail="the C library's malloc cannot be replaced"
	fi
}
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
