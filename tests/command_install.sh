#!/bin/sh
# command_install.sh - what is installed works by itself: commands find their layers, headers compile,
# a plugin is built with pkg-config alone, and nothing stays behind.
source=$(cd "${srcdir:-.}" && pwd)
together=yes
. "$source/tests/command.sh"
cc=${CC:-cc} cxx=${CXX:-c++} pkg_config=${PKG_CONFIG:-pkg-config}
command -v "$pkg_config" >/dev/null || skip_all "pkg-config is missing"
unset MAKEFLAGS MFLAGS MAKELEVEL # those of the make that runs the tests

stage=$scratch/stage

make_quietly() {
	"${MAKE:-make}" -C "$top" -s "$@" DESTDIR="$stage" >out 2>err
}

folder_of() {
	dirname "$(find "$stage" -name "$1")"
}

installs() {
	make_quietly install && bin=$(folder_of pxr-run) && lib=$(folder_of libpxr.so) &&
		include=$(dirname "$(folder_of layer.h)")
}
ok "make install" installs

complete() {
	[ -x "$bin/pxr-layers" ] && [ -f "$lib/pkgconfig/pxr.pc" ] &&
		[ -f "$lib/pxr/layers/conv.so" ] && [ -f "$include/pxr/version.h" ] &&
		is "$(ls "$lib/pxr/layers" | grep -v '\.so$')" "" &&
		for header in "$source"/lib/include/pxr/*.h; do
			[ -f "$include/pxr/${header##*/}" ] || return
		done
}
ok "commands, library, layers, headers and pxr.pc are there" complete

# All is found from the program, the library too unless it is installed apart from the programs.
installed() {
	program=$1
	shift
	if grep -q '^PXR_RPATH = .' "$top/Makefile"; then
		"$bin/$program" "$@" >out 2>err
	else
		LD_LIBRARY_PATH=$lib "$bin/$program" "$@" >out 2>err
	fi
}

finds_layers() {
	installed pxr-layers && out_has "conv " && installed pxr-layers conv &&
		out_has "from $lib/pxr/layers/conv.so"
}
ok "the installed pxr-layers finds the layers installed with it" finds_layers

runs() {
	installed pxr-run tiny.yaml train.epochs=1 --db installed.db && out_has "nats/image"
}
ok "the installed pxr-run trains" runs

draws() {
	installed pxr-sample tiny --db installed.db --out installed.png && [ -s installed.png ]
}
ok "the installed pxr-sample draws from the run" draws

compresses() {
	installed pxr-codec encode tiny --split test --count 40 --db installed.db -o installed.pxr &&
		installed pxr-codec decode installed.pxr --db installed.db -o back &&
		is "$(ls back | wc -l)" 40
}
ok "the installed pxr-codec compresses under the run, and back" compresses

measures() {
	installed pxr-bench tiny.yaml --image 6x6x1:2 -r 1 --images 4 --threads 1 && out_has "training"
}
ok "the installed pxr-bench measures" measures

# Moved as a whole, the commands find the layers that moved with them.
moves() {
	mv "$stage" "$stage.moved" && here=$bin && bin=$stage.moved${bin#"$stage"} &&
		kept=$lib && lib=$stage.moved${lib#"$stage"} &&
		installed pxr-sample tiny --db installed.db --out moved.png && cmp installed.png moved.png &&
		installed pxr-codec encode tiny --split test --count 40 --db installed.db -o moved.pxr &&
		cmp installed.pxr moved.pxr &&
		installed pxr-codec decode moved.pxr --db installed.db -o moved && diff -r back moved &&
		installed pxr-bench tiny.yaml --image 6x6x1:2 -r 1 --images 4 --threads 1
	moved=$?
	mv "$stage.moved" "$stage" && bin=$here lib=$kept
	return $moved
}
ok "and they do so from another folder" moves

# Another build of the same source: the layers without what debuggers read.
stripped() {
	cp -r "$lib/pxr/layers" layers.kept && strip "$lib"/pxr/layers/*.so &&
		installed pxr-sample tiny --db installed.db --out stripped.png &&
		cmp installed.png stripped.png && err_has "made by another build (pxr " &&
		installed pxr-codec decode installed.pxr --db installed.db -o stripped && diff -r back stripped
	same=$?
	cp layers.kept/* "$lib/pxr/layers/"
	return $same
}
ok "stripped layers do the same for a run, and warn" stripped

nowhere() {
	! grep -lF -e "$source" -e "$top" "$lib"/pxr/layers/*.so
}
if grep -q 'define PXR_SANITIZED' "$top/config.h"; then
	ok "layers are the same wherever they were built # SKIP sanitizers name the sources in their reports" true
elif grep -q '^PXR_PREFIX_MAP = .' "$top/Makefile"; then
	ok "layers are the same wherever they were built" nowhere
else
	ok "layers are the same wherever they were built # SKIP the compiler cannot" true
fi

# --- headers --------------------------------------------------------------------------------------

# all_compile STANDARD SUFFIX COMPILER: each header alone. precisions.h compiles the file that
# PXR_KERNELS_FILE names, and so needs one.
all_compile() {
	echo 'static inline real K(zero)(void) { return 0; }' >kernels.h
	for header in "$include"/pxr/*.h; do
		printf '#include <pxr/%s>\nextern int something;\n' "${header##*/}" >"alone.$2"
		$3 -std="$1" -Wall -Wextra -Wpedantic -Werror -DPXR_KERNELS_FILE='"kernels.h"' \
			-I. -I"$include" -fsyntax-only "alone.$2" 2>err || {
			echo "# ${header##*/} does not compile as $1"
			return 1
		}
	done
}

ok "each header compiles alone as C17" all_compile c17 c "$cc"
if command -v "$cxx" >/dev/null; then
	ok "each header compiles alone as C++17" all_compile c++17 cc "$cxx"
else
	ok "each header compiles alone as C++17 # SKIP there is no C++ compiler" true
fi

# --- a plugin of one's own ------------------------------------------------------------------------

# The tree is staged: pxr.pc lies elsewhere than where it was configured to.
flags() {
	PKG_CONFIG_PATH=$lib/pkgconfig "$pkg_config" "$@" pxr
}

knows_itself() {
	is "$(cd "$(flags --variable=layerdir)" && pwd)" "$lib/pxr/layers" &&
		is "$(flags --modversion)" "$(installed pxr-run --version && sed 's/.* //' out)"
}
ok "pkg-config knows where layers lie" knows_itself

builds_new() {
	installed pxr-layers new foo &&
		$cc -std=c17 -Wall -Wextra -Werror -shared -fPIC -O2 $(flags --cflags) -o foo.so foo.c 2>err
}
ok "what pxr-layers new writes compiles with pkg-config alone" builds_new

passes() {
	with . installed pxr-layers check foo && ! grep -q "FAILED\|skipped" out
}
ok "and passes the check untouched" passes

trains() {
	sed 's/- relu$/- foo/' tiny.yaml >foo.yaml
	grep -q -e '- foo' foo.yaml && with . installed pxr-run foo.yaml train.epochs=1 --db foo.db
}
ok "and trains" trains

links() {
	printf '%s\n' '#include <pxr/diag.h>' \
		'int main(void) { pxr_diag_free(pxr_diag_new()); return 0; }' >program.c
	$cc -std=c17 $(flags --cflags) -o program program.c $(flags --libs) 2>err &&
		LD_LIBRARY_PATH=$lib ./program
}
if grep -q 'define PXR_SANITIZED' "$top/config.h"; then
	ok "a program links with the library # SKIP the library wants the sanitizers" true
else
	ok "a program links with the library" links
fi

# --- the end --------------------------------------------------------------------------------------

leaves_nothing() {
	make_quietly uninstall && is "$(find "$stage" ! -type d)" "" &&
		! [ -e "$include/pxr" ] && ! [ -e "$lib/pxr" ]
}
ok "make uninstall leaves nothing" leaves_nothing
