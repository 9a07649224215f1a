#!/bin/sh
# difference.sh - print what is not committed in folder $1 at revision $2: untracked files as
# "?? NAME", then the difference.
#
# The folder may be somebody else's. git runs what a repository's settings name (core.fsmonitor,
# filters, hooks, external diffs, the transport of a partial clone), so that it must not see them:
# it is given an empty repository of our own in front of the objects, with a copy of the index,
# which it rewrites, and those settings alone that say how files are stored. The commands before
# that only look things up. core.worktree may not point away: what lies elsewhere is not the
# experiment's.
set -eu
exec 2>/dev/null
top=$(git -C "$1" rev-parse --show-toplevel)
real=$(git -C "$1" rev-parse --absolute-git-dir)
[ "$(git -C "$top" rev-parse --absolute-git-dir)" = "$real" ]
path() { git -C "$top" rev-parse --path-format=absolute --git-path "$1"; }
index=$(path index) exclude=$(path info/exclude) objects=$(path objects)
format=$(git -C "$top" rev-parse --show-object-format)
own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
trap 'exit 1' HUP INT TERM
(
	unset GIT_DIR GIT_WORK_TREE
	git init -q --bare --template= --object-format="$format" "$own"
)
for key in fileMode symlinks ignoreCase autocrlf eol excludesFile; do
	if value=$(git -C "$top" config "core.$key"); then
		git config --file "$own/config" "core.$key" "$value"
	fi
done
git config --file "$own/config" core.bigFileThreshold 16m
[ -f "$index" ]
cp -p "$index" "$own/index"
if [ -f "$exclude" ]; then mkdir "$own/info"; cp "$exclude" "$own/info"; fi
export GIT_DIR="$own" GIT_WORK_TREE="$top" GIT_OBJECT_DIRECTORY="$objects"
export GIT_INDEX_FILE="$own/index" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
cd "$top"
git ls-files --others --exclude-standard --directory --no-empty-directory |
	sed 's/^/?? /'
git diff --no-color --no-ext-diff --no-textconv --ignore-submodules=dirty "$2"
