#!/bin/sh
# structure.sh - the rules of lib/ that no compiler checks. A file is a header together with its .c.
. "${srcdir:-.}/tests/command.sh"
lib=$source/lib

# Each folder may include from itself and from those before it.
order="base config tensor model data train sample codec record experiment report manage sweep"

# Lines "FROM TO" of includes within lib, without suffixes: "config/tree config/yaml".
includes() {
	(cd "$lib" && grep -n '^#include "[a-z_]*/' [a-z]*/*.[ch]) |
		sed -n 's/^\([a-z_0-9/]*\)\.[ch]:[0-9]*:#include "\([a-z_0-9/]*\)\.h".*/\1 \2/p' |
		awk '$1 != $2' | sort -u
}

unique_tags() {
	(cd "$lib" && grep -ho '^\(struct\|enum\|union\) pxr_[a-z0-9_]* {' [a-z]*/*.[ch] include/pxr/*.h) |
		sort | uniq -d >out
	! [ -s out ]
}
ok "no struct, enum or union of the library is defined twice" unique_tags

downwards() {
	includes | awk -v order="$order" '
		BEGIN { n = split(order, name); for (i = 1; i <= n; i++) floor[name[i]] = i }
		{
			split($1, from, "/"); split($2, to, "/")
			if (!floor[from[1]]) print from[1] " is not in the order of folders"
			else if (floor[to[1]] > floor[from[1]]) print $1 " includes " $2
		}' | sort -u >out
	! [ -s out ]
}
ok "no folder of the library includes from a folder above it" downwards

no_circles() {
	includes | tsort >/dev/null 2>out
	! [ -s out ]
}
ok "no files of the library include each other in a circle" no_circles

# --- texts ----------------------------------------------------------------------------------------

# --help breaks a longer line, and leaves a word alone on the next.
narrow() {
	! grep -nE '^.{79,}' "$source"/runner/texts/pxr-*.txt >out
}
ok "texts of --help have at most 78 columns" narrow

# A folded line of YAML gets a space at its end: "(pxr-" and "report show RUN)" would be "(pxr- report".
unbroken() {
	! (cd "$source/reports" && sed -s '/^\*\//,$d' *.sql */*.sql | grep -n '[A-Za-z]-$') >out
}
ok "no line in the head of a report ends in the middle of a word" unbroken

# --- packing --------------------------------------------------------------------------------------

versions() {
	version=$(sed -n 's/^AC_INIT(\[pxr\], \[\(.*\)\])$/\1/p' "$source/configure.ac")
	[ "$version" ] && is "$(sed -n 's/^version: //p' "$source/CITATION.cff")" "$version" &&
		is "$(sed -n '1s/^pxr (\(.*\)) .*/\1/p' "$source/debian/changelog")" "$version" &&
		grep -q "^## $version" "$source/CHANGELOG.md"
}
ok "the change logs and the citation have the version of configure.ac" versions

# The library packages that bootstrap installs, those of the tests aside.
packaged() {
	sed -n '/^packages="/,/"$/p' "$source/bootstrap" | grep -oE '[a-z0-9.-]+-dev|libjs-[a-z0-9]+' >packages
	[ -s packages ] && while read -r package; do
		grep -q "$package" "$source/debian/control" || {
			echo "# debian/control lacks $package"
			return 1
		}
	done <packages
}
ok "the Debian package is built with the libraries that bootstrap installs" packaged
