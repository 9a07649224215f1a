#!/bin/sh
# command_experiments.sh - every spec in experiments/ passes --dry-run on its own data, where they are
# present, and every sweep lists its runs.
#
# The models of the paper's size take minutes to certify. PXR_TEST_LONG=1 tests them too.
. "${srcdir:-.}/tests/command.sh"

# The folder of a data set in the real data, empty for a set that is not read from files. Fails for an
# unknown set.
folder_of() {
	case $1 in
	binarized_mnist | mnist) echo "$1" ;;
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

# No message but the progress of a long proof.
no_complaint() {
	! grep -v '^checking causality ' err
}

# dry_run SPEC: the model is certified, the data are read, and nothing is left behind.
dry_run() {
	pxr_run "$1" --explain=data.set
	set=$(sed -n 's/^data\.set = \([a-z0-9_]*\) .*/\1/p' out)
	folder=$(folder_of "$set") || return
	if is_long "$(basename "$1" .yaml)" && [ -z "${PXR_TEST_LONG:-}" ]; then
		skip "it takes long; PXR_TEST_LONG=1 runs it"
	elif [ "$folder" ] && ! [ -e "$real/$folder" ]; then
		skip "no real data at $real/$folder"
	fi
	pxr_run "$1" ${folder:+"data.path=$real/$folder"} --dry-run --threads 1 --db none.db &&
		out_has "causal          certificate " && out_has "data            $set" && no_complaint &&
		! [ -e none.db ]
}

for spec in "$source"/experiments/*.yaml; do
	ok "$(basename "$spec" .yaml) passes --dry-run" dry_run "$spec"
done

# One line for each run, and their number in the last line.
lists_runs() {
	"$top/runner/pxr-sweep" "$1" --dry-run --db none.db >out 2>err &&
		runs=$(sed -n 's/^[a-z0-9_]*: \([0-9]*\) runs of .*/\1/p' out) &&
		is "$(grep -c '^ *[0-9]*  [a-z]*=' out)" "$runs" && ! [ -e none.db ]
}

for spec in "$source"/experiments/sweeps/*.yaml; do
	ok "the sweep $(basename "$spec" .yaml) lists its runs" lists_runs "$spec"
done
