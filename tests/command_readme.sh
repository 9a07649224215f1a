#!/bin/sh
# command_readme.sh - the commands in the README and in docs/layers.md work, word for word and in their order, on
# smaller specs.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
command -v "${PKG_CONFIG:-pkg-config}" >/dev/null || skip_all "pkg-config is missing"

mkdir -p experiments/sweeps
ln -s "$source/reports" reports
sed 's/{set: markov_binary}/{set: markov_binary, limit: 200}/; s/epochs: 8/epochs: 2/' \
	"$source/experiments/quickstart.yaml" >experiments/quickstart.yaml
sed 's/limit: 4000/limit: 40/' "$source/experiments/sweeps/quickstart.yaml" \
	>experiments/sweeps/quickstart.yaml

# commands_of PAGE: one command a line; continued lines are joined. Left out are commands that need real
# data, the network, other databases or an answer, and those that take long.
commands_of() {
	awk '/^    [^ ]/ { if (line != "") print line; line = substr($0, 5); next }
		/^      / { if (line != "") line = line $0; next }
		{ if (line != "") print line; line = "" }' "$1" |
		grep -E '^(pxr-[a-z]+|make -C (squash|taps)|cc|export|mkdir|sqlite3) ' | while IFS= read -r line; do
		case ${line%%  *} in
		*mnist* | *imagenet* | *cifar* | *node1* | *' archive '* | *' delete '* | *' serve'*) ;;
		'pxr-layers check' | 'export PATH='* | 'pxr-run '[0-9]*) ;; # the last is an output
		*) printf '%s\n' "$line" ;;
		esac
	done
}
# run_all FILE LEAST: run these commands, of which there are more than LEAST.
run_all() {
	while IFS= read -r line <&3; do
		eval "$line" >out 2>err || {
			echo "# $line"
			return 1
		}
	done 3<"$1"
	[ "$(wc -l <"$1")" -gt "$2" ]
}
unset MAKEFLAGS MFLAGS MAKELEVEL # those of the make that runs the tests
# As in build/.
PATH=$top/runner:$PATH PKG_CONFIG_PATH=$top
export PATH PKG_CONFIG_PATH

# Later commands use what earlier ones made, so all are one case.
all_work_once() {
	pxr-run experiments/quickstart.yaml --db quickstart.db >out 2>err && eval "$(sed -n \
		'/see also:/,$s/^  \(.*\)/\1 \&\&/p' out) true" >out 2>err || return
	commands_of "$source/README.md" >commands && run_all commands 20
}
# The second time after what the README says about that.
all_work() {
	all_work_once && unset PXR_LAYER_PATH && eval "$(grep '^    rm -rf ' "$source/README.md")" && all_work_once && all_ignored
}
# git does not see what they made. A tarball has no .gitignore.
all_ignored() {
	[ -f "$source/.gitignore" ] && command -v git >/dev/null || return 0
	rm -f out err && cp "$source/.gitignore" . && git init -q . && git status --porcelain >status || return
	! grep -vE '(\.gitignore|commands|experiments/|reports|tiny\.yaml|status)$' status
}
ok "all commands in the README work, in its order, and work again" all_work

# In an empty folder, as beside an installed pxr. Its sources begin with "/* NAME - ".
layers_page() {
	mkdir page && cd page || return
	awk '/^    \/\* [a-z_]*\.[ch] - / { file = $2 } /^[^ ]/ { file = "" }
		file { print substr($0, 5) >file }' "$source/docs/layers.md"
	commands_of "$source/docs/layers.md" | sed 's/^pxr-run [^ ]*/& data.limit=200 train.epochs=2/' >commands &&
		run_all commands 15 &&
		is "$(ls decoded | wc -l)" 20
}
ok "all commands and sources in docs/layers.md work, in its order" layers_page
