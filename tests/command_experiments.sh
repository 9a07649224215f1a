#!/bin/sh
# command_experiments.sh - every spec in experiments/ passes --dry-run on its own data, where that is
# there, and every sweep tells its runs.
#
# The models of the paper's size take minutes to certify: they wait for PXR_TEST_LONG=1.
source=$(cd "${srcdir:-.}" && pwd)
. "$source/tests/command.sh"
plan "$(find "$source/experiments" -name '*.yaml' | wc -l)"

# The folder of a data set in the real data; nothing: it is not read from files. Fails for a set that
# is not known.
folder_of() {
	case $1 in
	binarized_mnist) echo binarized_mnist ;;
	cifar10) echo cifar-10 ;;
	imagenet) echo small-imagenet ;;
	markov_*) ;;
	*) return 1 ;;
	esac
}

is_long() {
	case $1 in
	*_small | *_uniform | *_gaussian) return 1 ;;
	cifar_* | imagenet*) return 0 ;;
	*) return 1 ;;
	esac
}

# Nothing is complained of: a proof that takes long says how far it has come.
no_complaint() {
	! grep -v '^checking causality ' err
}

# dry_run SPEC [KEY=VALUE]: the model is certified, the data are read, and nothing is left behind.
dry_run() {
	pxr_run "$@" --dry-run --threads 1 --db none.db && out_has "causal          certificate " &&
		out_has "data            $set" && no_complaint && ! [ -e none.db ]
}

for spec in "$source"/experiments/*.yaml; do
	name=$(basename "$spec" .yaml)
	what="$name passes --dry-run"
	pxr_run "$spec" --explain=data.set
	set=$(sed -n 's/^data\.set = \([a-z0-9_]*\) .*/\1/p' out)
	if ! folder=$(folder_of "$set"); then
		ok "$what" false
	elif is_long "$name" && [ -z "${PXR_TEST_LONG:-}" ]; then
		ok "$what # SKIP it takes long; PXR_TEST_LONG=1 runs it" true
	elif [ -n "$folder" ] && ! [ -e "$real/$folder" ]; then
		ok "$what # SKIP no real data at $real/$folder" true
	else
		ok "$what" dry_run "$spec" ${folder:+"data.path=$real/$folder"}
	fi
done

# As many runs as the last line says, one a line.
tells_runs() {
	"$top/runner/pxr-sweep" "$1" --dry-run --db none.db >out 2>err &&
		runs=$(sed -n 's/^[a-z0-9_]*: \([0-9]*\) runs of .*/\1/p' out) &&
		is "$(grep -c '^ *[0-9]*  [a-z]*=' out)" "$runs" && ! [ -e none.db ]
}

for spec in "$source"/experiments/sweeps/*.yaml; do
	ok "the sweep $(basename "$spec" .yaml) tells its runs" tells_runs "$spec"
done
