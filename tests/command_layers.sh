#!/bin/sh
# command_layers.sh - pxr-layers as its user meets it: lists, checks that can fail, plugins that do
# not fit.
source=$(cd "${srcdir:-.}" && pwd)
together=yes
. "$source/tests/command.sh"

# compile SOURCE OUTPUT FLAG...: a module of tests/modules, by the headers alone.
compile() {
	source_file=$1 output=$2
	shift 2
	${CC:-cc} -std=gnu17 -Wall -Wextra -Werror -O1 -shared -fPIC -I"$source/lib/include" \
		-I"$top/lib/include" -I"$source/tests/modules" "$@" -o "$output" "$source/tests/modules/$source_file" || {
		echo "# $source_file does not compile with $*"
		return 1
	}
}

# In a folder alone, so that each test finds one.
module() {
	mkdir -p "$2" && compile "$1" "$2/module.so" "$3"
}

# --- lists and descriptions -----------------------------------------------------------------------

lists() {
	pxr_layers && out_has "conv " && out_has "masked convolution" && cp out first &&
		pxr_layers list && cmp out first && ! [ -s err ]
}
ok "layers are listed with what they do" lists

describes() {
	pxr_layers conv && out_has "integer, 1 to 63; default 3" &&
		out_has "[kernel, kernel, in, features]" && out_has "/conv.so (built for pxr "
}
ok "a layer's options and parameters are shown" describes

ok "an unknown layer, with the nearest name" refused 2 "did you mean 'conv'?" pxr_layers cnv
ok "a word too many" refused 2 "list: unexpected argument 'conv'" pxr_layers list conv
ok "three words" refused 2 "unexpected argument 'b'" pxr_layers a b c
ok "a check of an unknown layer" refused 2 "there is no layer 'nosuch'" pxr_layers check nosuch

checks_all() {
	pxr_layers check && out_has "all passed" && ! grep -q FAILED out
}
ok "all layers that came with pxr pass" checks_all

says_not_built() {
	pxr_layers check multi_scale && out_has "not built: layers.0.multi_scale: size: images of 5x4" &&
		out_has "all passed, but for 2 kinds of image that a layer was not built for" &&
		pxr_layers check conv && is "$(tail -n 1 out)" "all passed"
}
ok "what a layer was not tested on is said" says_not_built

# --- checks that can fail -------------------------------------------------------------------------

# The tests that failed, each once.
failed_tests() {
	awk '/FAILED/ { if (!seen[$1]++) printf "%s%s", (n++ ? " " : ""), $1 }' out
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

ok "a sound layer of one's own passes" passes NONE
ok "a depends that names what is not there does no harm" passes WILD_DEPENDS
ok "a wrong gradient" finds WRONG_GRADIENT gradients \
	"op 'faulty': its gradient by input 0"
ok "a gradient wrong in single precision alone" finds WRONG_SINGLE gradients \
	"in single and"
ok "a gradient that overwrites where it should add" finds FORGETS_TO_ADD gradients \
	"and is added to 1"
ok "a backward pass that reads what it does not declare" finds READS_UNDECLARED memory \
	"an op reads in backward what its flags do not declare"
ok "an op that writes to its input" finds WRITES_INPUT gradients \
	"writes to what it may only read"
ok "a layer that reads the future" finds READS_FUTURE "causality advance" \
	"the model is not causal"
ok "an advance that writes another pixel than its own" finds WRITES_ELSEWHERE advance \
	"advance of op 'faulty' writes outside its memory"
ok "an advance that reads another row than its own" finds READS_OTHER_ROW advance \
	"advance gives"
ok "a read that is not declared, though it is causal" finds HIDES_READ "causality advance" \
	"reads more than its \`depends\` declares"
ok "the future times zero" finds TIMES_ZERO "causality advance" \
	"if only to multiply it by zero"
ok "an advance that is not forward" finds WRONG_ADVANCE advance ", advance gives "
ok "state kept from forward to backward" finds KEEPS_STATE threads \
	"an op keeps something outside its call"
ok "a static buffer" finds STATIC_BUFFER threads "when several threads compute at once"
ok "a value past the output" finds PAST_OUTPUT memory \
	"op 'faulty' writes outside its memory"
ok "a value past the scratch" finds PAST_SCRATCH memory "op 'faulty' writes outside its memory"
ok "scratch read before it is written" finds READS_SCRATCH memory "it reads scratch before"
ok "an output left unwritten" finds LEAVES_OUTPUT memory "leaves part of its output unwritten"

no_advance() {
	passes NO_ADVANCE && out_has "op 'faulty' cannot be computed pixel by pixel: generation makes whole passes"
}
ok "a layer without advance passes, and is told so" no_advance

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

ok "a node without an op" breaks NULL_OP "a node has no op"
ok "an op without a name" breaks NULL_NAME "an op has no name"
ok "a pointer that is no node" breaks GARBAGE_NODE "the layer did not return a node of this model"
ok "an input that is no node" breaks GARBAGE_INPUT "input 0 of op 'faulty' is not a node of this model"
ok "a map that no memory holds" breaks HUGE_MAP \
	"op 'faulty' cannot make a map of 1073741824x1073741824x1073741824: it is too large"
ok "scratch that no memory holds" breaks HUGE_SCRATCH \
	"op 'faulty' requires 18446744073709551615 values of scratch, which is too many"
ok "state that no memory holds" breaks HUGE_STATE \
	"op 'faulty' requires 18446744073709551615 values of state, which is too many"
ok "a parameter whose size overflows" breaks HUGE_PARAMETER \
	"the parameter 'weight' of op 'faulty' is too large"
ok "a parameter that nothing starts" breaks NO_INIT "a parameter has no function that starts it"
ok "a close without an open" breaks CLOSES_UNOPENED "pxr_skip_close() without pxr_skip_open()"
ok "an open without a close" breaks LEAVES_OPEN "a pxr_skip_open() is without its pxr_skip_close()"
ok "a distribution without functions" breaks NO_DISTRIBUTION \
	"the output's distribution lacks a name or a function"

# misfits FAULT TEXT: a layer with such a table of options is not used.
misfits() {
	faulty_spec && module faulty.c "$1" "-DFAULT=$1" &&
		with "$1" refused 2 "there is no layer 'faulty'" pxr_run faulty.yaml --dry-run &&
		err_has "$1/module.so was not used: $2" &&
		exits 1 with "$1" pxr_layers check && out_has "FAILED: $2"
}

ok "an option outside its struct" misfits OUTSIDE_STRUCT \
	"the option 'size' lies outside its struct of 16 bytes"
ok "an option without a name" misfits UNNAMED_OPTION "an option has no name"
ok "an option of an unknown type" misfits UNKNOWN_TYPE "the option 'size' has no type that there is"
ok "an option without choices" misfits NO_CHOICES "the option 'size' has no names to choose from"
ok "two options of one name" misfits TWICE_NAMED "two options are named 'size'"

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
		is "$(failed_tests)" FAILED: && is "$(head -n 1 out)" faulty && out_has "FAILED: $how" && out_has "not all passed"
}

first_kind="for images of 5x4, 1 colour, 2 levels"
ok "a layer that ends the program" ends EXITS \
	"it ended the program, with exit status 0, while it was built $first_kind"
ok "a layer that crashes" ends CRASHES "$crashed, while it was built $first_kind"
ok "a layer that crashes as it computes" ends CRASHES_RUNNING \
	"$crashed, in the test of its memory $first_kind"
ok "a layer that never comes back" ends LOOPS \
	"it ran too long: more than 1 second of processor time, while it was built $first_kind" \
	--seconds 1
ok "a layer that takes all memory" ends EATS_MEMORY \
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

ok "a module that ends the program as it is loaded" ends_loading EXITS_LOADING \
	"it ended the program, with exit status 0, while it was loaded"
# A plugin that ends the program does not pass for success.
exits_early() {
	with EXITS_LOADING refused 1 "ended by exit() before its work was done" pxr_layers list &&
		with EXITS_LOADING refused 1 "ended by exit() before its work was done" \
			pxr_run tiny.yaml --dry-run
}
ok "list and a run, with a module that ends the program as it is loaded" exits_early
ok "a module that crashes as it is loaded" ends_loading CRASHES_LOADING \
	"$crashed, while it was loaded"
ok "a module that ends the program as it is unloaded" ends_loading EXITS_UNLOADING \
	"it ended the program, with exit status 0, while it was unloaded"

never_loaded() {
	module faulty.c LOOPS_LOADING -DFAULT=LOOPS_LOADING &&
		with LOOPS_LOADING refused 2 "LOOPS_LOADING/module.so was not used: it ran too long: \
more than 1 second of processor time, while it was loaded" pxr_layers check faulty --seconds 1
}
ok "a module that is never loaded" never_loaded

ok "no time at all" refused 2 "--seconds" pxr_layers check relu --seconds 0

# --- plugins that do not fit ----------------------------------------------------------------------

# unfit MISFIT TEXT FLAG...: listed with a warning, named where it is wanted, and no harm to others.
unfit() {
	folder=$1 text=$2
	[ -d "$folder" ] || module misfit.c "$folder" "-DMISFIT=$folder" || return
	with "$folder" pxr_layers && err_has "warning: $folder/module.so: " && err_has "$text" &&
		out_has "conv " && with "$folder" refused 2 "$text" pxr_layers misfit &&
		err_has "note: $folder/module.so was not used: "
}

ok "an older interface" unfit OLD_ABI \
	"built for version 0 of the layer interface, and this program has version 1: rebuild it"
ok "structs of other sizes" unfit OTHER_SIZES "built with other headers than this program"
ok "another magic" unfit WRONG_MAGIC "its pxr_plugin_entry is not a pxr plugin's"
ok "a layer without a name" unfit NO_NAME "its layer lacks a name, a summary or a build function"

no_symbol() {
	mkdir no_symbol && compile misfit.c no_symbol/module.so -DMISFIT=NONE -DSYMBOL=something &&
		unfit no_symbol "it has no symbol pxr_plugin_entry: is PXR_PLUGIN() missing?"
}
ok "a module without the symbol" no_symbol

not_a_library() {
	mkdir text && echo "not a library, by any means" >text/module.so &&
		unfit text "it cannot be loaded: "
}
ok "a file that is no library" not_a_library

empty_file() {
	mkdir empty && : >empty/module.so && unfit empty "it cannot be loaded: "
}
ok "an empty file" empty_file

missing_symbol() {
	mkdir unresolved && printf '%s\n' 'int nowhere(void);' 'int f(void) { return nowhere(); }' \
		>unresolved.c && ${CC:-cc} -shared -fPIC -o unresolved/module.so unresolved.c &&
		unfit unresolved "undefined symbol: nowhere"
}
ok "a module that wants a function nobody has" missing_symbol

checked_too() {
	exits 1 with OLD_ABI pxr_layers check && out_has "FAILED: it was built for version 0" &&
		out_has "not all passed"
}
ok "check does not pass over what does not fit" checked_too

used_by_run() {
	sed 's/- sigmoid/- misfit\n  - sigmoid/' tiny.yaml >misfit.yaml
	with OLD_ABI refused 2 "misfit.yaml:9:5: error: there is no layer 'misfit'" \
		pxr_run misfit.yaml --dry-run && err_has "OLD_ABI/module.so was not used: it was built"
}
ok "pxr-run names the line, and the plugin that was not used" used_by_run

fifo() {
	mkdir pipe && mkfifo pipe/module.so && with pipe pxr_layers && out_has "conv " &&
		err_has "pipe/module.so: it is a device or pipe, not a file" &&
		exits 1 with pipe pxr_layers check && out_has "FAILED: it is a device or pipe"
}
ok "a pipe that is named like a module" fifo

folder_of_a_name() {
	mkdir -p folders/module.so && with folders pxr_layers && out_has "conv " &&
		err_has "folders/module.so: it is a folder, not a file"
}
ok "a folder that is named like a module" folder_of_a_name

# --- folders --------------------------------------------------------------------------------------

no_folder() {
	with "$scratch/nowhere" pxr_layers && out_has "conv " &&
		err_has "nowhere: the folder cannot be read: No such file or directory" &&
		with "$scratch/nowhere" refused 2 "nowhere was not used: " pxr_layers nosuch
}
ok "a folder that is not there" no_folder

not_a_folder() {
	with "$scratch/tiny.yaml" pxr_layers && out_has "conv " &&
		err_has "tiny.yaml: the folder cannot be read: Not a directory"
}
ok "a folder that is a file" not_a_folder

if [ "$(id -u)" = 0 ]; then
	ok "a folder that may not be read # SKIP root may read everything" true
else
	may_not_read() {
		mkdir locked && chmod 000 locked && with locked pxr_layers && out_has "conv " &&
			err_has "locked: the folder cannot be read: Permission denied"
		locked_status=$?
		chmod 700 locked
		return $locked_status
	}
	ok "a folder that may not be read" may_not_read
fi

# warns FOLDER TEXT: there is one warning, which says TEXT, whatever the command.
warns() {
	with "$1" pxr_layers && is "$(grep -c warning: err)" 1 && err_has "$2" &&
		with "$1" pxr_run tiny.yaml --dry-run && is "$(grep -c warning: err)" 1 && err_has "$2"
}

open_folder() {
	mkdir open && cp NONE/module.so open/ && chmod o+w open &&
		warns open "warning: open: all users can write to this folder of layers"
}
ok "a folder that all can write to" open_folder

open_file() {
	mkdir closed && cp NONE/module.so closed/ && chmod o+w closed/module.so &&
		warns closed "warning: closed/module.so: all users can write to this layer"
}
ok "a module that all can write to" open_file

sticky_folder() {
	mkdir sticky && cp NONE/module.so sticky/ && chmod 1777 sticky && with sticky pxr_layers &&
		! [ -s err ]
}
ok "a sticky folder with modules of one's own is no danger" sticky_folder

if [ "$(id -u)" = 0 ]; then
	foreign_module() {
		chown 65534 sticky/module.so && chmod 755 sticky/module.so &&
			warns sticky "warning: sticky/module.so: another user has put this layer"
	}
	ok "a sticky folder with another user's module" foreign_module
else
	ok "a sticky folder with another user's module # SKIP only root gives files away" true
fi

two_of_a_name() {
	mkdir second && cp NONE/module.so second/other.so && exits 2 with NONE:second \
		pxr_layers faulty && err_has "two plugins are named 'faulty': remove one" &&
		err_has "one is NONE/module.so" && err_has "the other is second/other.so"
}
ok "two plugins of one name" two_of_a_name

twice_the_same() {
	with NONE:NONE pxr_layers faulty && ln -s NONE linked && with NONE:linked pxr_layers faulty
}
ok "one plugin found twice is one plugin" twice_the_same

own_conv() {
	mkdir own && sed 's/"faulty"/"conv"/' "$source/tests/modules/faulty.c" >own/conv.c &&
		${CC:-cc} -std=gnu17 -shared -fPIC -DFAULT=NONE -I"$source/lib/include" \
			-I"$top/lib/include" -I"$source/tests/modules" -o own/conv.so own/conv.c &&
		with own refused 2 "tiny.yaml:4:5: error: two plugins are named 'conv'" \
			pxr_run tiny.yaml --dry-run
}
ok "a plugin does not silently replace a built-in layer" own_conv

# --- layers that cannot be built ------------------------------------------------------------------

misfit_spec() {
	sed 's/- sigmoid/- misfit\n  - sigmoid/' tiny.yaml >misfit.yaml
	module misfit.c "$1" "-DMISFIT=$1" &&
		with "$1" refused 2 "misfit.yaml:9:5: error: layers.3.misfit: $2" \
			pxr_run misfit.yaml --dry-run
}
ok "a layer that returns NULL in silence" misfit_spec BUILDS_NULL \
	"the layer could not be built and did not say why"
ok "a layer that goes on after its own error" misfit_spec GOES_ON "something is wrong"

never_built() {
	with BUILDS_NULL refused 2 "layers.1.misfit: the layer could not be built" \
		pxr_layers check misfit
}
ok "a layer that can never be built does not pass" never_built

# --- new ------------------------------------------------------------------------------------------

writes_new() {
	mkdir new && cd new && pxr_layers new tanh_2 && out_has "wrote tanh_2.c" &&
		grep -q 'PXR_PLUGIN(tanh_2_layer)' tanh_2.c
	written=$?
	cd ..
	return $written
}
ok "new writes a plugin" writes_new

kept() {
	echo "my work" >mine.c
	refused 2 "mine.c: already exists" pxr_layers new mine &&
		is "$(cat mine.c)" "my work"
}
ok "new leaves a file that is there alone" kept

names() {
	for name in Upper 1st _x a-b "a b" a/b ""; do
		refused 2 "invalid layer name" pxr_layers new "$name" || return
	done
	refused 2 "layer 'conv' already exists: " pxr_layers new conv && ! [ -e conv.c ]
}
ok "new refuses an invalid name" names

ok "new without a name" refused 2 "new: missing argument" pxr_layers new
