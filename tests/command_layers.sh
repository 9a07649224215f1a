#!/bin/sh
# command_layers.sh - pxr-layers: lists, checks that can fail, plugins that are refused.
. "${srcdir:-.}/tests/command.sh"

# compile SOURCE OUTPUT FLAG...: a module of tests/modules, with the public headers alone.
compile() {
	source_file=$1 output=$2
	shift 2
	${CC:-cc} -std=gnu17 -Wall -Wextra -Werror -O1 -shared -fPIC -I"$source/lib/include" \
		-I"$top/lib/include" -I"$source/tests/modules" "$@" -o "$output" "$source/tests/modules/$source_file" || {
		echo "# $source_file does not compile with $*"
		return 1
	}
}

# module SOURCE FOLDER FLAG: a module that is alone in its folder.
module() {
	mkdir -p "$2" && compile "$1" "$2/module.so" "$3"
}

# --- lists and descriptions -----------------------------------------------------------------------

lists() {
	pxr_layers && out_has "conv " && out_has "masked convolution" && cp out first &&
		pxr_layers list && cmp out first && ! [ -s err ]
}
ok "layers are listed with their summaries" lists

describes() {
	pxr_layers conv && out_has "integer, 1 to 63; default 3" &&
		out_has "[kernel, kernel, in, features]" && out_has "/conv.so (built for pxr "
}
ok "'pxr-layers NAME' prints a layer's options, parameters and file" describes

ok "an unknown layer gets a suggestion" refused 2 "did you mean 'conv'?" pxr_layers cnv
ok "a word too many is refused" refused 2 "list: unexpected argument 'conv'" pxr_layers list conv
ok "three words are refused" refused 2 "unexpected argument 'b'" pxr_layers a b c
ok "check refuses an unknown layer" refused 2 "there is no layer 'nosuch'" pxr_layers check nosuch

checks_all() {
	pxr_layers check && is "$(tail -n 1 out | cut -d, -f 1)" "all passed" && ! grep -q FAILED out &&
		is "$(grep -cE ' ok(,|$)' out)" "$(pxr_layers && wc -l <out)"
}
ok "all layers of pxr pass the check" checks_all

says_not_built() {
	pxr_layers check multi_scale && out_has "multi_scale      ok, not built for 2 kinds of image" &&
		pxr_layers check multi_scale --verbose && out_has "not built: layers.0.multi_scale: size: images of 5x4" &&
		out_has "all passed, but for 2 kinds of image that a layer was not built for" &&
		pxr_layers check conv && is "$(tail -n 1 out)" "all passed"
}
in_full() {
	pxr_layers check relu && is "$(head -n 1 out)" "relu             ok" && is "$(wc -l <out)" 2 &&
		pxr_layers check relu -v && is "$(head -n 1 out)" relu && is "$(grep -c ' ok$' out)" 24
}
ok "check prints one line a layer, and with --verbose all tests" in_full
ok "check names the kinds of images for which a layer was not built" says_not_built

# --- checks that can fail -------------------------------------------------------------------------

# The tests that failed, each once.
failed_tests() {
	awk '/^  .*FAILED/ { if (!seen[$1]++) printf "%s%s", (n++ ? " " : ""), $1 }' out
}

# finds FAULT TESTS TEXT: a layer with this fault fails these tests and no others, saying TEXT.
finds() {
	module faulty.c "$1" -DFAULT="$1" && exits 1 with "$1" pxr_layers check faulty &&
		is "$(failed_tests)" "$2" && out_has "$3"
}

passes() {
	module faulty.c "$1" -DFAULT="$1" && with "$1" pxr_layers check faulty &&
		is "$(failed_tests)" ""
}

ok "a correct user's layer passes" passes NONE
ok "a depends that names nonexistent inputs passes" passes WILD_DEPENDS
ok "a wrong gradient is found" finds WRONG_GRADIENT gradients \
	"op 'faulty': its gradient by input 0"
ok "a gradient that is wrong only in single precision is found" finds WRONG_SINGLE gradients \
	"in single and"
ok "a gradient that overwrites instead of adding is found" finds FORGETS_TO_ADD gradients \
	"and is added to 1"
ok "a backward pass that reads undeclared values is found" finds READS_UNDECLARED memory \
	"an op reads in backward what its flags do not declare"
ok "an op that writes to its input is found" finds WRITES_INPUT "gradients mixed" \
	"writes to what it may only read"
ok "a layer that reads later pixels is found" finds READS_FUTURE causality \
	"the model is not causal"
ok "an advance that writes another pixel is found" finds WRITES_ELSEWHERE advance \
	"advance of op 'faulty' writes outside its memory"
ok "an advance that reads another row is found" finds READS_OTHER_ROW advance \
	"advance gives"
ok "a causal read that is not declared is found" finds HIDES_READ "causality advance" \
	"reads more than its \`depends\` declares"
ok "later pixels multiplied by zero are found" finds TIMES_ZERO "causality advance" \
	"if only to multiply it by zero"
ok "an advance that differs from forward is found" finds WRONG_ADVANCE advance ", advance gives "
ok "an advance that forgets a tap is found" finds FORGETS_TAP advance ", advance gives "
ok "state kept from forward to backward is found" finds KEEPS_STATE threads \
	"an op keeps something outside its call"
ok "a static buffer is found" finds STATIC_BUFFER threads "when several threads compute at once"
ok "a write past the output is found" finds PAST_OUTPUT memory \
	"op 'faulty' writes outside its memory"
ok "a write past the scratch is found" finds PAST_SCRATCH memory "op 'faulty' writes outside its memory"
ok "a read of unwritten scratch is found" finds READS_SCRATCH memory "it reads scratch before"
ok "an unwritten output is found" finds LEAVES_OUTPUT memory "leaves part of its output unwritten"

no_advance() {
	passes NO_ADVANCE && out_has "op 'faulty' cannot be computed pixel by pixel: generation makes whole passes"
}
ok "a layer without advance passes, with a note about slow generation" no_advance

# --- what the library refuses, in every command ---------------------------------------------------

faulty_spec() {
	sed 's/- sigmoid/- faulty\n  - sigmoid/' tiny.yaml >faulty.yaml
}

# breaks FAULT TEXT: building a layer with this fault is refused, and says TEXT.
breaks() {
	faulty_spec && module faulty.c "$1" "-DFAULT=$1" &&
		with "$1" refused 2 "faulty.yaml:9:5: error: layers.3.faulty: $2" \
			pxr_run faulty.yaml --dry-run &&
		with "$1" refused 2 "layers.1.faulty: $2" pxr_layers check faulty
}

ok "a node without an op is refused" breaks NULL_OP "a node has no op"
ok "an op without a name is refused" breaks NULL_NAME "an op has no name"
ok "a layer that returns an invalid node is refused" breaks GARBAGE_NODE "the layer did not return a node of this model"
ok "an op with an invalid input is refused" breaks GARBAGE_INPUT "input 0 of op 'faulty' is not a node of this model"
ok "a map too large for memory is refused" breaks HUGE_MAP \
	"op 'faulty' cannot make a map of 1073741824x1073741824x1073741824: it is too large"
ok "scratch too large for memory is refused" breaks HUGE_SCRATCH \
	"op 'faulty' requires 18446744073709551615 values of scratch, which is too many"
ok "state too large for memory is refused" breaks HUGE_STATE \
	"op 'faulty' requires 18446744073709551615 values of state, which is too many"
ok "a parameter whose size overflows is refused" breaks HUGE_PARAMETER \
	"the parameter 'weight' of op 'faulty' is too large"
ok "a parameter without an initializer is refused" breaks NO_INIT "a parameter has no function that starts it"
ok "pxr_skip_close() without pxr_skip_open() is refused" breaks CLOSES_UNOPENED "pxr_skip_close() without pxr_skip_open()"
ok "pxr_skip_open() without pxr_skip_close() is refused" breaks LEAVES_OPEN "a pxr_skip_open() is without its pxr_skip_close()"
ok "a distribution without functions is refused" breaks NO_DISTRIBUTION \
	"the output's distribution lacks a name or a function"

# misfits FAULT TEXT: a layer with such a table of options is not used.
misfits() {
	faulty_spec && module faulty.c "$1" "-DFAULT=$1" &&
		with "$1" refused 2 "there is no layer 'faulty'" pxr_run faulty.yaml --dry-run &&
		err_has "$1/module.so was not used: $2" &&
		exits 1 with "$1" pxr_layers check && out_has "FAILED: $2"
}

ok "an option outside its struct is refused" misfits OUTSIDE_STRUCT \
	"the option 'size' lies outside its struct of 16 bytes"
ok "an option without a name is refused" misfits UNNAMED_OPTION "an option has no name"
ok "an option of an unknown type is refused" misfits UNKNOWN_TYPE "the option 'size' has no type that there is"
ok "an option without choices is refused" misfits NO_CHOICES "the option 'size' has no names to choose from"
ok "two options of the same name are refused" misfits TWICE_NAMED "two options are named 'size'"

# --- code that ends or holds up its process -------------------------------------------------------

# A crash is a signal, or under sanitizers their report.
crashed="it was killed by signal 11 (Segmentation fault)"
grep -q 'define PXR_SANITIZED 1' "$top/config.h" && crashed="it ended the program, with exit status 1"

# ends FAULT HOW OPTION...: the layer with this fault fails for this reason.
ends() {
	fault=$1 how=$2
	shift 2
	module faulty.c "$fault" "-DFAULT=$fault" &&
		exits 1 with "$fault" pxr_layers check faulty "$@" &&
		is "$(failed_tests)" FAILED: && is "$(head -n 1 out)" "faulty           FAILED" && out_has "FAILED: $how" && out_has "not all passed"
}

first_kind="for images of 5x4, 1 colour, 2 levels"
ok "a layer that exits while it is built fails the check" ends EXITS \
	"it ended the program, with exit status 0, while it was built $first_kind"
ok "a layer that crashes while it is built fails the check" ends CRASHES "$crashed, while it was built $first_kind"
ok "a layer that crashes while it computes fails the check" ends CRASHES_RUNNING \
	"$crashed, in the test of its memory $first_kind"
ok "a layer that never returns fails the check" ends LOOPS \
	"it ran too long: more than 1 second of processor time, while it was built $first_kind" \
	--seconds 1
ok "a layer that takes all memory fails the check" ends EATS_MEMORY \
	"it used too much memory: more than 2048 MB, while it was built $first_kind"

# ends_loading FAULT HOW OPTION...: so does one whose module cannot be loaded; others are examined.
ends_loading() {
	fault=$1 how=$2
	shift 2
	module faulty.c "$fault" "-DFAULT=$fault" &&
		with "$fault" refused 2 "$fault/module.so was not used: $how" \
			pxr_layers check faulty "$@" &&
		with "$fault" pxr_layers check relu && is "$(tail -n 1 out)" "all passed"
}

ok "a module that exits while it is loaded fails the check, and others pass" ends_loading EXITS_LOADING \
	"it ended the program, with exit status 0, while it was loaded"
exits_early() {
	module faulty.c EXITS_LOADING -DFAULT=EXITS_LOADING &&
		with EXITS_LOADING refused 1 "ended by exit() before its work was done" pxr_layers list &&
		with EXITS_LOADING refused 1 "ended by exit() before its work was done" \
			pxr_run tiny.yaml --dry-run
}
ok "list and pxr-run fail if a module exits while it is loaded" exits_early
ok "a module that crashes while it is loaded fails the check, and others pass" ends_loading CRASHES_LOADING \
	"$crashed, while it was loaded"
ok "a module that exits while it is unloaded fails the check, and others pass" ends_loading EXITS_UNLOADING \
	"it ended the program, with exit status 0, while it was unloaded"

never_loaded() {
	module faulty.c LOOPS_LOADING -DFAULT=LOOPS_LOADING &&
		with LOOPS_LOADING refused 2 "LOOPS_LOADING/module.so was not used: it ran too long: \
more than 1 second of processor time, while it was loaded" pxr_layers check faulty --seconds 1
}
ok "a module that never finishes loading fails the check" never_loaded

ok "check refuses --seconds 0" refused 2 "--seconds" pxr_layers check relu --seconds 0

# --- plugins that do not fit ----------------------------------------------------------------------

# unfit MISFIT TEXT: the plugin is listed with a warning, named when it is asked for, and other layers work.
unfit() {
	folder=$1 text=$2
	[ -d "$folder" ] || module misfit.c "$folder" "-DMISFIT=$folder" || return
	with "$folder" pxr_layers && err_has "warning: $folder/module.so: " && err_has "$text" &&
		out_has "conv " && with "$folder" refused 2 "$text" pxr_layers misfit &&
		err_has "note: $folder/module.so was not used: "
}

ok "a plugin of an older interface is not used" unfit OLD_ABI \
	"built for version 0 of the layer interface, and this program has version 1: rebuild it"
ok "a plugin built with newer headers is not used" unfit OTHER_SIZES "built with newer headers than this program's"
ok "a plugin with a wrong magic number is not used" unfit WRONG_MAGIC "its pxr_plugin_entry is not a pxr plugin's"
ok "a plugin whose layer has no name is not used" unfit NO_NAME "its layer lacks a name, a summary or a build function"

no_symbol() {
	mkdir no_symbol && compile misfit.c no_symbol/module.so -DMISFIT=NONE -DSYMBOL=something &&
		unfit no_symbol "it has no symbol pxr_plugin_entry: is PXR_PLUGIN() missing?"
}
ok "a module without pxr_plugin_entry is not used" no_symbol

not_a_library() {
	mkdir text && echo "not a library, by any means" >text/module.so &&
		unfit text "it cannot be loaded: "
}
ok "a file that is not a library is not used" not_a_library

empty_file() {
	mkdir empty && : >empty/module.so && unfit empty "it cannot be loaded: "
}
ok "an empty file is not used" empty_file

missing_symbol() {
	mkdir unresolved && printf '%s\n' 'int nowhere(void);' 'int f(void) { return nowhere(); }' \
		>unresolved.c && ${CC:-cc} -shared -fPIC -o unresolved/module.so unresolved.c &&
		unfit unresolved "undefined symbol: nowhere"
}
ok "a module with an undefined symbol is not used" missing_symbol

checked_too() {
	module misfit.c OLD_ABI -DMISFIT=OLD_ABI && exits 1 with OLD_ABI pxr_layers check && out_has "FAILED: it was built for version 0" &&
		out_has "not all passed"
}
ok "check fails if a plugin cannot be used" checked_too

used_by_run() {
	sed 's/- sigmoid/- misfit\n  - sigmoid/' tiny.yaml >misfit.yaml
	module misfit.c OLD_ABI -DMISFIT=OLD_ABI && with OLD_ABI refused 2 "misfit.yaml:9:5: error: there is no layer 'misfit'" \
		pxr_run misfit.yaml --dry-run && err_has "OLD_ABI/module.so was not used: it was built"
}
ok "pxr-run names the line, and the plugin that was not used" used_by_run

fifo() {
	mkdir pipe && mkfifo pipe/module.so && with pipe pxr_layers && out_has "conv " &&
		err_has "pipe/module.so: it is a device or pipe, not a file" &&
		exits 1 with pipe pxr_layers check && out_has "FAILED: it is a device or pipe"
}
ok "a pipe named like a module is not used" fifo

folder_of_a_name() {
	mkdir -p folders/module.so && with folders pxr_layers && out_has "conv " &&
		err_has "folders/module.so: it is a folder, not a file"
}
ok "a folder named like a module is not used" folder_of_a_name

# --- plugins of earlier versions, and in C++ ------------------------------------------------------

# built_with HEADERS FOLDER FLAG...: a module that was built with those headers alone.
built_with() {
	headers=$1 folder=$2
	shift 2
	mkdir -p "$folder" && ${CC:-cc} -std=gnu17 -Wall -Wextra -Werror -O1 -shared -fPIC -I"$headers" "$@" \
		-o "$folder/older.so" "$source/tests/modules/older.c"
}

built_before() {
	built_with "$source/tests/modules/abi1" before && with before pxr_layers check older &&
		is "$(tail -n 1 out)" "all passed"
}
ok "a plugin built with the first headers passes the check" built_before

# Headers whose structs each lack their last field.
shorten() {
	cp -r "$source/tests/modules/abi1" shorter && chmod -R u+w shorter &&
		sed -i '/const struct pxr_mixed \*mixed;/d' shorter/pxr/op.h &&
		sed -i '/const struct pxr_options \*section; /d' shorter/pxr/option.h &&
		sed -i '/^        const char \*check;$/d' shorter/pxr/layer.h &&
		sed -i '/^        bool density;$/d' shorter/pxr/distribution.h &&
		is "$(diff -r shorter "$source/tests/modules/abi1" | grep -c '^>')" 4
}

shorter_layer() {
	shorten && built_with shorter short && with short pxr_layers older &&
		out_has "integer, 1 to 64; default 6" && out_has "number, -1 to 1; default 0.5" &&
		with short pxr_layers check older && is "$(tail -n 1 out)" "all passed"
}
ok "a plugin whose structs end earlier passes the check" shorter_layer

shorter_output() {
	shorten && built_with shorter short -DOUTPUT && sed 's/- sigmoid/- older: {bias: {constant: 0.5}}/' tiny.yaml >older.yaml &&
		with short pxr_run older.yaml train.epochs=1 --db older.db && out_has "result valid"
}
ok "a model trains with the distribution of such a plugin" shorter_output

# The tables of options and of parameters, whose sizes later headers tell: these lack a last field each.
shorter_tables() {
	cp -r "$source/lib/include" shorter && chmod -R u+w shorter && cp "$top/lib/include/pxr/version.h" shorter/pxr &&
		sed -i '/^        const char \*(\*check)(const void/d; /^        const void \*what; /d' shorter/pxr/option.h &&
		sed -i '/^        const char \*meaning;/d' shorter/pxr/layer.h &&
		is "$(diff -r shorter "$source/lib/include" | grep -c '^>')" 3 && built_with shorter short &&
		with short pxr_layers older && out_has "in.weight" && out_has "number, 0 to 2; default 0.5" &&
		out_has "number, -1 to 1; default 0.5" &&
		with short pxr_layers check older && is "$(tail -n 1 out)" "all passed"
}
ok "a plugin whose tables have shorter structs passes the check" shorter_tables

lays_out() { # FLAG...
	${CC:-cc} -std=gnu17 "$@" -o layout "$source/tests/modules/layout.c" && ./layout
}
keeps_layout() {
	lays_out -I"$source/tests/modules/abi1" >before && lays_out -I"$source/lib/include" -I"$top/lib/include" >now &&
		[ "$(wc -l <before)" -gt 100 ] && is "$(grep -vxFf now before)" ""
}
ok "fields and constants stay where the first headers had them" keeps_layout

in_cxx() {
	command -v "${CXX:-c++}" >/dev/null || skip "a C++ compiler is missing"
	mkdir plus && ${CXX:-c++} -std=c++17 -Wall -Wextra -Wpedantic -Werror -O1 -shared -fPIC \
		-I"$source/lib/include" -I"$top/lib/include" -o plus/plus.so "$source/tests/modules/plus.cc" &&
		with plus pxr_layers plus && out_has "integer, 1 to 63; default 3" &&
		with plus pxr_layers check plus && is "$(tail -n 1 out)" "all passed"
}
ok "a plugin in C++ passes the check" in_cxx

# --- folders --------------------------------------------------------------------------------------

no_folder() {
	with "$PWD/nowhere" pxr_layers && out_has "conv " &&
		err_has "nowhere: cannot read the folder: No such file or directory" &&
		with "$PWD/nowhere" refused 2 "nowhere was not used: " pxr_layers nosuch
}
ok "a missing folder in PXR_LAYER_PATH is a warning" no_folder

not_a_folder() {
	with "$PWD/tiny.yaml" pxr_layers && out_has "conv " &&
		err_has "tiny.yaml: cannot read the folder: Not a directory"
}
ok "a file in PXR_LAYER_PATH is a warning" not_a_folder

may_not_read() {
	[ "$(id -u)" != 0 ] || skip "root may read everything"
	mkdir locked && chmod 000 locked && with locked pxr_layers && out_has "conv " &&
		err_has "locked: cannot read the folder: Permission denied"
	locked_status=$?
	chmod 700 locked
	return $locked_status
}
ok "an unreadable folder in PXR_LAYER_PATH is a warning" may_not_read

make_sound() {
	module faulty.c NONE -DFAULT=NONE
}

# warns FOLDER TEXT: there is one warning, which says TEXT, whatever the command.
warns() {
	with "$1" pxr_layers && is "$(grep -c warning: err)" 1 && err_has "$2" &&
		with "$1" pxr_run tiny.yaml --dry-run && is "$(grep -c warning: err)" 1 && err_has "$2"
}

open_folder() {
	given sound && mkdir open && cp NONE/module.so open/ && chmod o+w open &&
		warns open "warning: open: all users can write to this folder of layers"
}
ok "a folder that all users can write to is a warning" open_folder

open_file() {
	given sound && mkdir closed && cp NONE/module.so closed/ && chmod o+w closed/module.so &&
		warns closed "warning: closed/module.so: all users can write to this layer"
}
ok "a module that all users can write to is a warning" open_file

sticky_folder() {
	given sound && mkdir sticky && cp NONE/module.so sticky/ && chmod 1777 sticky && with sticky pxr_layers &&
		! [ -s err ]
}
ok "a sticky folder with the user's own modules is no warning" sticky_folder

foreign_module() {
	[ "$(id -u)" = 0 ] || skip "only root can give files away"
	given sound && mkdir sticky && cp NONE/module.so sticky/ && chmod 1777 sticky &&
		chown 65534 sticky/module.so && chmod 755 sticky/module.so &&
		warns sticky "warning: sticky/module.so: another user has put this layer"
}
ok "another user's module in a sticky folder is a warning" foreign_module

two_of_a_name() {
	given sound && mkdir second && cp NONE/module.so second/other.so && exits 2 with NONE:second \
		pxr_layers faulty && err_has "two plugins are named 'faulty': remove one" &&
		err_has "one is NONE/module.so" && err_has "the other is second/other.so"
}
ok "two plugins of the same name are refused" two_of_a_name

twice_the_same() {
	given sound && with NONE:NONE pxr_layers faulty && ln -s NONE linked && with NONE:linked pxr_layers faulty
}
ok "one plugin found twice counts once" twice_the_same

own_conv() {
	mkdir own && sed 's/"faulty"/"conv"/' "$source/tests/modules/faulty.c" >own/conv.c &&
		${CC:-cc} -std=gnu17 -shared -fPIC -DFAULT=NONE -I"$source/lib/include" \
			-I"$top/lib/include" -I"$source/tests/modules" -o own/conv.so own/conv.c &&
		with own refused 2 "tiny.yaml:4:5: error: two plugins are named 'conv'" \
			pxr_run tiny.yaml --dry-run
}
ok "a plugin with the name of a layer of pxr is refused" own_conv

# --- layers that cannot be built ------------------------------------------------------------------

misfit_spec() {
	sed 's/- sigmoid/- misfit\n  - sigmoid/' tiny.yaml >misfit.yaml
	module misfit.c "$1" "-DMISFIT=$1" &&
		with "$1" refused 2 "misfit.yaml:9:5: error: layers.3.misfit: $2" \
			pxr_run misfit.yaml --dry-run
}
ok "a layer that returns NULL without an error is refused" misfit_spec BUILDS_NULL \
	"the layer could not be built and did not say why"
ok "a layer that continues after its own error is refused" misfit_spec GOES_ON "something is wrong"

never_built() {
	module misfit.c BUILDS_NULL -DMISFIT=BUILDS_NULL && with BUILDS_NULL refused 2 "layers.1.misfit: the layer could not be built" \
		pxr_layers check misfit
}
ok "a layer that can never be built fails the check" never_built

# --- new ------------------------------------------------------------------------------------------

writes_new() {
	pxr_layers new squash && is "$(cd squash && echo *)" "Makefile README.md squash.c squash.yaml" &&
		out_has "make -C squash check" && pxr_layers new taps --op &&
		is "$(cd taps && echo *)" "Makefile README.md taps.c taps.yaml taps_kernels.h"
}
ok "new writes a folder with a layer and a spec" writes_new

# Commands of the build tree, headers of the source tree.
builds_here() {
	command -v "${PKG_CONFIG:-pkg-config}" >/dev/null || skip "pkg-config is missing"
	unset MAKEFLAGS MFLAGS MAKELEVEL
	pxr_layers new double --op && PKG_CONFIG_PATH=$top "${MAKE:-make}" -C double check >out 2>err &&
		out_has "all passed"
}
ok "a new layer builds against a pxr that is not installed" builds_here

kept() {
	mkdir mine && echo "my work" >mine/mine.c && refused 2 "mine: the folder is not empty" pxr_layers new mine &&
		is "$(cat mine/*)" "my work" && echo "a file" >file && refused 2 "file: not a folder" pxr_layers new file
}
ok "new does not overwrite a file" kept

names() {
	for name in Upper 1st _x a-b "a b" a/b ""; do
		refused 2 "invalid layer name" pxr_layers new "$name" || return
	done
	refused 2 "layer 'conv' already exists: " pxr_layers new conv && ! [ -e conv ]
}
ok "new refuses an invalid name" names

ok "new without a name is refused" refused 2 "new: missing argument" pxr_layers new
