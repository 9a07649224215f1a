#!/bin/sh
# command_own_layer.sh - a user's layer that is edited after a run was trained with it: the run is not used
# with a layer that computes something else.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# compile VALUE SLOPE FLAG...: the layer `bend`, y = VALUE of x with the derivative SLOPE in terms of x and y.
compile() {
	sed -e "s|tanh(x), 1 - y \* y|$1, $2|" written.c >bend.c && grep -qF "$1, $2)" bend.c || return
	shift 2
	${CC:-cc} -std=c17 -Wall -Wextra -Werror -shared -fPIC -I"$source/lib/include" \
		-I"$top/lib/include" "$@" -o bend.so bend.c
}
as_it_was() {
	compile 'tanh(x)' '1 - y * y' -O2
}

sample() {
	with . "$top/runner/pxr-sample" "$@" >out 2>err
}

cp "$source/tests/modules/bend.c" written.c && as_it_was &&
	sed 's/- relu$/- bend/' tiny.yaml >bend.yaml && grep -q -e '- bend' bend.yaml || exit 1

# a.db: a finished run with the layer; half.db: one that was interrupted after its first checkpoint.
make_run() {
	with . pxr_run bend.yaml --db a.db && sample 1 --db a.db --out was.png
}
make_half() {
	given run || return
	PXR_LAYER_PATH=. "$top/runner/pxr-run" bend.yaml train.epochs=60 --db half.db >out 2>err &
	until [ "$(query half.db 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 0 ]; do
		kill -0 $! 2>/dev/null || return
		sleep 0.02
	done
	kill -INT $!
	wait $!
	is "$(query half.db 'SELECT status FROM run')" interrupted
}

trains() {
	given run && is "$(query a.db 'SELECT model FROM run_summary')" pixelcnn
}
ok "a user's layer trains and samples" trains

in_schema() {
	with . pxr_run --schema && out_has '"bend"'
}
ok "the JSON Schema of specs has a user's layer" in_schema

# The same source, compiled to another file.
built_anew() {
	given run && compile 'tanh(x)' '1 - y * y' -O1 -DOTHER=1 -g && sample 1 --db a.db --out anew.png &&
		cmp anew.png was.png && err_has "made by another build (pxr " &&
		grep -qE "layers bend [0-9a-f]{8} \(here [0-9a-f]{8}\)\): its last bits may differ" err
}
ok "another build of the layer samples the run, with a warning" built_anew

refused_here() {
	refused 2 "run 1 was made with layers that compute something else: pixel by pixel, the NLL" "$@" &&
		err_has "these layers are from other files than then: bend" &&
		err_has "put back the plugins it was made with"
}

halve() {
	compile 'tanh(x) / 2' '0.5 - 2 * y * y' -O2
}
edited() {
	given run && halve && with . pxr_layers check bend &&
		refused_here sample 1 --db a.db --out edited.png && ! [ -e edited.png ] &&
		refused_here sample 1 --db a.db --nll-map test:3 --out edited.svg && ! [ -e edited.svg ]
}
ok "a run is not sampled or evaluated with an edited layer" edited

encode() {
	with . "$top/runner/pxr-codec" encode 1 --split test --count 4 --db a.db -o edited.pxr >out 2>err
}
compresses_nothing() {
	given run && halve && refused_here encode && ! [ -e edited.pxr ]
}
ok "a run does not compress with an edited layer" compresses_nothing

# Refused without a change of the database.
unchanged() { # TEXT
	query half.db .dump >before
	refused 2 "$1" with . pxr_run --resume 1 --db half.db && err_has "bend" &&
		query half.db .dump | cmp - before
}
not_resumed() {
	given half && halve && unchanged "run 1 was made with layers that compute something else"
}
ok "a run is not resumed with an edited layer" not_resumed

slope_edited() {
	given half && compile 'tanh(x)' '1 - y' -O2 && sample 1 --db a.db --out slope.png && cmp slope.png was.png &&
		unchanged "run 1 was made with layers that compute something else: the gradient of a fixed image is"
}
ok "a layer whose gradient was edited samples a run, but does not resume it" slope_edited

# Only in single precision.
float_edited() {
	given half && compile 'tanh(x) + (sizeof(x) == sizeof(float) ? 0.1f : 0)' '1 - y * y' -O2 &&
		refused 2 "layers that compute something else: pixel by pixel, the NLL of a fixed image's first pixels" \
			sample 1 --db a.db --out float.png && ! [ -e float.png ] &&
		unchanged "run 1 was made with layers that compute something else: in single precision, the"
}
ok "a run is not sampled or resumed with a layer edited in single precision only" float_edited

# The layer's own file stays the same; a library that it is linked with changes.
helper() { # VALUE
	echo "#include <math.h>
		double bend_value(double x);
		double bend_value(double x) { return $1; }" >help.c &&
		${CC:-cc} -shared -fPIC -O2 -o libhelp.so help.c
}
linked() {
	sed -i '/^#include <pxr.layer/a double bend_value(double x);' written.c && helper 'tanh(x)' &&
		compile 'bend_value(x)' '1 - y * y' -O2 -L. -Wl,-rpath,"$PWD" -Wl,--no-as-needed -lhelp &&
		with . pxr_run bend.yaml train.epochs=1 name=linked --db a.db &&
		sample linked --db a.db --out linked.png && helper 'tanh(x) / 2' &&
		refused 2 "compute something else" sample linked --db a.db --out helped.png &&
		err_has "no layer is from another file" && ! [ -e helped.png ]
}
ok "a run is not sampled after a library of its layer was edited" linked

# Two runs of one spec are then of two models, whatever their seeds.
doctor() {
	given run && halve &&
		with . pxr_run bend.yaml train.seed=2 --db a.db &&
		"$top/runner/pxr-report" doctor --db a.db >out 2>err && out_has "one spec, two models" &&
		grep -qE "runs (1 and 2|2 and 1): the same spec" out && ! out_has "not the same bits"
}
ok "the doctor reports runs of one spec with different layers" doctor

spoilt() {
	given half && compile 'x / (x - x)' '1 - y * y' -O2 &&
		refused 2 "layers that compute something else" sample 1 --db a.db --out nan.png &&
		! [ -e nan.png ] && unchanged "layers that compute something else"
}
ok "a run is not sampled or resumed with a layer that computes NaN" spoilt

# A sweep does not mix runs of two models.
swept() {
	printf '%s\n' 'name: bends' 'spec: bend.yaml' 'set: {train.epochs: 1}' \
		'vary: {model.2: [bend, relu], train.seed: [1]}' >sweep.yaml
	with . "$top/runner/pxr-sweep" sweep.yaml --db s.db -q >out 2>err &&
		halve && sed -i 's/\[1\]/[1, 2]/' sweep.yaml &&
		query s.db .dump >before &&
		refused 2 "was made with layers that compute something else" \
			with . "$top/runner/pxr-sweep" sweep.yaml --db s.db 2>err &&
		err_has "give the sweep another name to start over" && query s.db .dump | cmp - before &&
		as_it_was && with . "$top/runner/pxr-sweep" sweep.yaml --db s.db >out 2>err &&
		is "$(query s.db "SELECT group_concat(state) FROM job")" finished,finished,finished,finished
}
ok "a sweep is continued only with the same layers" swept

unknown() {
	given run && halve && query a.db "UPDATE run SET fingerprint_nll = NULL, fingerprint_gradient = NULL,
		fingerprint_single = NULL, fingerprint_version = 0" &&
		sample 1 --db a.db --out unknown.png &&
		err_has "): whether it computes the same is not on record"
}
ok "a run without a fingerprint on record is sampled with a warning" unknown
