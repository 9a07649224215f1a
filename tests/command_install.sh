#!/bin/sh
# command_install.sh - an installed pxr works by itself: commands find their layers, headers compile, a
# plugin is built with pkg-config alone, and uninstalling leaves nothing.
. "${srcdir:-.}/tests/command.sh"
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

# Installed once; a case that changes an installation copies it first.
make_quietly install && bin=$(dirname "$(find "$stage" -type f -name pxr-run)") && lib=$(folder_of libpxr.so) &&
	include=$(dirname "$(folder_of layer.h)") || {
	cat err
	exit 1
}

complete() {
	[ -x "$bin/pxr-layers" ] && [ -f "$lib/pkgconfig/pxr.pc" ] &&
		[ -f "$lib/pxr/layers/conv.so" ] && [ -f "$include/pxr/version.h" ] &&
		is "$(ls "$lib/pxr/layers" | grep -v '\.so$')" "" &&
		for header in "$source"/lib/include/pxr/*.h; do
			[ -f "$include/pxr/${header##*/}" ] || return
		done
}
ok "make install installs commands, library, layers, headers and pxr.pc" complete

# Programs find everything from where they are, except a library that is installed apart from them.
installed() {
	program=$1
	shift
	if grep -q '^PXR_RPATH = .' "$top/Makefile"; then
		"$bin/$program" "$@" >out 2>err
	else
		LD_LIBRARY_PATH=$lib "$bin/$program" "$@" >out 2>err
	fi
}

documented() {
	man=$(dirname "$(folder_of pxr-report-show.1)") completions=$(dirname "$(find "$stage" -path '*completions/pxr')")
	for command in "$bin"/*; do
		[ -s "$man/man1/${command##*/}.1" ] && [ -s "$completions/${command##*/}" ] || return
	done
	installed pxr help run && out_has "pxr-run"
}
ok "make install installs the man pages and the completion of each command" documented

finds_layers() {
	installed pxr-layers && out_has "conv " && installed pxr-layers conv &&
		out_has "from $lib/pxr/layers/conv.so"
}
ok "the installed pxr-layers finds the layers installed with it" finds_layers

# A run, a sample of it, and a compressed split.
make_run() {
	installed pxr-run tiny.yaml train.epochs=1 --db installed.db && cp out printed
}
make_used() {
	given run && installed pxr-sample tiny --db installed.db --out installed.png &&
		installed pxr-codec encode tiny --split test --count 40 --db installed.db -o installed.pxr &&
		installed pxr-codec decode installed.pxr --db installed.db -o back
}

runs() {
	given run && grep -qF "nats/image" printed
}
ok "the installed pxr-run trains" runs

draws() {
	given run && installed pxr-sample tiny --db installed.db --out installed.png && [ -s installed.png ]
}
ok "the installed pxr-sample samples from a run" draws

compresses() {
	given used && is "$(ls back | wc -l)" 40
}
ok "the installed pxr-codec compresses images and gives them back" compresses

measures() {
	installed pxr-bench tiny.yaml --image 6x6x1:2 -r 1 --images 4 --threads 1 && out_has "training"
}
ok "the installed pxr-bench measures a spec" measures

reports() {
	given run && installed pxr-report runs --db installed.db && out_has tiny &&
		installed pxr-report table2 --db installed.db && out_has "Table 2" &&
		rm -r *checkpoints && installed pxr-report doctor --db installed.db && out_has "checkpoint gone"
}
ok "the installed pxr-report finds the reports, the paper's tables and the doctor's signs" reports

# copy FOLDER: use a copy of the whole installation there.
copy() {
	cp -a "$stage" "$1" && bin=$PWD/$1${bin#"$stage"} && lib=$PWD/$1${lib#"$stage"}
}

moves() {
	given used && copy moved.stage &&
		installed pxr-sample tiny --db installed.db --out moved.png && cmp installed.png moved.png &&
		installed pxr-codec encode tiny --split test --count 40 --db installed.db -o moved.pxr &&
		cmp installed.pxr moved.pxr &&
		installed pxr-codec decode moved.pxr --db installed.db -o moved && diff -r back moved &&
		installed pxr-bench tiny.yaml --image 6x6x1:2 -r 1 --images 4 --threads 1
}
ok "an installation that was moved as a whole works the same" moves

# Layers without debug information are like another build of the same source.
stripped() {
	given used && copy stripped.stage && strip "$lib"/pxr/layers/*.so &&
		installed pxr-sample tiny --db installed.db --out stripped.png &&
		cmp installed.png stripped.png && err_has "made by another build (pxr " &&
		installed pxr-codec decode installed.pxr --db installed.db -o stripped && diff -r back stripped
}
ok "stripped layers give the same results, with a warning" stripped

nowhere() {
	! grep -q 'define PXR_SANITIZED' "$top/config.h" || skip "sanitizers name the sources in their reports"
	grep -q '^PXR_PREFIX_MAP = .' "$top/Makefile" || skip "the compiler cannot map paths"
	! grep -lF -e "$source" -e "$top" "$lib"/pxr/layers/*.so
}
ok "layers do not contain the path where they were built" nowhere

# --- headers --------------------------------------------------------------------------------------

# all_compile STANDARD SUFFIX COMPILER: each header alone. precisions.h compiles the file that
# PXR_KERNELS_FILE names, and so needs one.
all_compile() {
	command -v ${3%% *} >/dev/null || skip "$3 is missing"
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

ok "each installed header compiles alone as C11" all_compile c11 c "$cc"
ok "each installed header compiles alone as C++17" all_compile c++17 cc "$cxx"

# --- a user's plugin ------------------------------------------------------------------------------

# The tree is staged: pxr.pc is not in the folder that was configured.
flags() {
	PKG_CONFIG_PATH=$lib/pkgconfig "$pkg_config" "$@" pxr
}

knows_itself() {
	is "$(cd "$(flags --variable=layerdir)" && pwd)" "$lib/pxr/layers" &&
		is "$(flags --modversion)" "$(installed pxr-run --version && sed '1s/.* //;1q' out)"
}
ok "pkg-config prints the folder of the layers and the version" knows_itself

# What a user has: the environment, and the installation in it, without the folders of the source.
make_layer() {
	folder=$1
	shift
	env -i HOME="$PWD" PATH="$PATH" PKG_CONFIG="$pkg_config" PKG_CONFIG_PATH="$lib/pkgconfig" \
		LD_LIBRARY_PATH="$lib" CC="$cc" CFLAGS="-O2 -Wall -Wextra -Wpedantic -Werror" \
		"${MAKE:-make}" -C "$folder" -e "$@" >out 2>err
}

# builds_new OPTION...: the folder that `new` writes builds, passes its check, and trains.
builds_new() {
	installed pxr-layers new foo "$@" && make_layer foo &&
		! sed "s|$lib||g" out | grep -qF -e "$source" -e "$top/" && # but for $lib, inside one of them
		make_layer foo check && out_has "all passed" && ! grep -q "FAILED\|skipped" out &&
		make_layer foo run && out_has "against the exact entropy" && [ -s foo/pxr.db ]
}
ok "a layer written by 'pxr-layers new' builds, passes its check and trains" builds_new
ok "a new layer with an op of its own does so too" builds_new --op

no_pxr() {
	installed pxr-layers new foo &&
		! PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/nowhere "${MAKE:-make}" -C foo >out 2>err &&
		err_has "Package pxr was not found" && ! [ -e foo/foo.so ]
}
ok "the Makefile of a layer says that pxr is not found" no_pxr

links() {
	! grep -q 'define PXR_SANITIZED' "$top/config.h" || skip "the library requires the sanitizers"
	printf '%s\n' '#include <pxr/diag.h>' \
		'int main(void) { pxr_diag_free(pxr_diag_new()); return 0; }' >program.c
	$cc -std=c17 $(flags --cflags) -o program program.c $(flags --libs) 2>err &&
		LD_LIBRARY_PATH=$lib ./program
}
ok "a program links with the installed library" links

# --- uninstalling ---------------------------------------------------------------------------------

leaves_nothing() {
	cp -a "$stage" kept && make_quietly uninstall && is "$(find "$stage" ! -type d)" "" &&
		! [ -e "$include/pxr" ] && ! [ -e "$lib/pxr" ] &&
		is "$(find "$stage" -name reports)" ""
	status=$?
	rm -rf "$stage" && mv kept "$stage"
	return $status
}
ok "make uninstall leaves no file and no folder of pxr" leaves_nothing
