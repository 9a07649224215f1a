#!/bin/sh
# command_own_layer.sh - a layer of one's own that is edited after a run was made with it: what it
# then computes is not what the run is of.
source=$(cd "${srcdir:-.}" && pwd)
together=yes
. "$source/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# compile VALUE SLOPE FLAG...: the layer `bend`, of the value of x and the slope in terms of it, y.
compile() {
	sed -e "s|tanh(x), 1 - y \* y|$1, $2|" written/bend.c >bend.c && grep -qF "$1, $2)" bend.c || return
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

trains() {
	mkdir written && (cd written && pxr_layers new bend) && as_it_was &&
		sed 's/- relu$/- bend/' tiny.yaml >bend.yaml && grep -q -e '- bend' bend.yaml &&
		with . pxr_run bend.yaml --db a.db && sample 1 --db a.db --out was.png &&
		is "$(query a.db 'SELECT model FROM run_summary')" pixelcnn
}
ok "a layer of one's own trains and samples" trains

# A run that is stopped after its first checkpoint.
stops() {
	PXR_LAYER_PATH=. "$top/runner/pxr-run" bend.yaml train.epochs=60 --db half.db >out 2>err &
	until [ "$(query half.db 'SELECT count(*) FROM checkpoint' 2>/dev/null || echo 0)" -gt 0 ]; do
		kill -0 $! 2>/dev/null || return
		sleep 0.02
	done
	kill -INT $!
	wait $!
	is "$(query half.db 'SELECT status FROM run')" interrupted
}
ok "a run with it is stopped" stops

# The same source, for which the compiler makes another file.
built_anew() {
	compile 'tanh(x)' '1 - y * y' -O1 -DOTHER=1 -g && sample 1 --db a.db --out anew.png &&
		cmp anew.png was.png && err_has "made by another build (pxr " &&
		grep -qE "layers bend [0-9a-f]{8} \(here [0-9a-f]{8}\)\): its last bits may differ" err
}
ok "another build of its source samples the run, and warns" built_anew

refused_here() {
	refused 2 "run 1 was made with layers that compute something else: pixel by pixel, the first" "$@" &&
		err_has "these layers are from other files than then: bend" &&
		err_has "put back the plugins it was made with"
}

edited() {
	compile 'tanh(x) / 2' '0.5 - 2 * y * y' -O2 && with . pxr_layers check bend &&
		refused_here sample 1 --db a.db --out edited.png && ! [ -e edited.png ] &&
		refused_here sample 1 --db a.db --nll-map test:3 --out edited.svg && ! [ -e edited.svg ]
}
ok "edited, it draws and tells nothing of the run" edited

encode() {
	with . "$top/runner/pxr-codec" encode 1 --split test --count 4 --db a.db -o edited.pxr >out 2>err
}
compresses_nothing() {
	refused_here encode && ! [ -e edited.pxr ]
}
ok "nor does it compress" compresses_nothing

# Refused without a change of the database.
unchanged() { # TEXT
	query half.db .dump >before
	refused 2 "$1" with . pxr_run --resume 1 --db half.db && err_has "bend" &&
		query half.db .dump | cmp - before
}
ok "nor does a run go on with it" \
	unchanged "run 1 was made with layers that compute something else"

slope_edited() {
	compile 'tanh(x)' '1 - y' -O2 && sample 1 --db a.db --out slope.png && cmp slope.png was.png &&
		unchanged "run 1 was trained with layers whose backward pass computes something else"
}
ok "a layer whose gradient was edited samples, but no run is resumed with it" slope_edited

# In the precision that is used alone, and in how pixels are drawn alone.
float_edited() {
	compile 'tanh(x) + (sizeof(x) == sizeof(float) ? 0.1f : 0)' '1 - y * y' -O2 &&
		refused 2 "layers that compute something else: pixel by pixel, the first pixels" \
			sample 1 --db a.db --out float.png && ! [ -e float.png ] &&
		unchanged "run 1 was made with layers that compute something else in single precision: the"
}
ok "nor with one of which the single precision was edited" float_edited

# The layer's own file stays; what it is linked with does not.
helper() { # VALUE
	echo "#include <math.h>
		double bend_value(double x);
		double bend_value(double x) { return $1; }" >help.c &&
		${CC:-cc} -shared -fPIC -O2 -o libhelp.so help.c
}
linked() {
	sed -i '/^#include <pxr.layer/a double bend_value(double x);' written/bend.c && helper 'tanh(x)' &&
		compile 'bend_value(x)' '1 - y * y' -O2 -L. -Wl,-rpath,"$PWD" -Wl,--no-as-needed -lhelp &&
		with . pxr_run bend.yaml train.epochs=1 name=linked --db a.db &&
		sample linked --db a.db --out linked.png && helper 'tanh(x) / 2' &&
		refused 2 "compute something else" sample linked --db a.db --out helped.png &&
		err_has "no layer is from another file" && ! [ -e helped.png ]
}
ok "what a layer is linked with counts too" linked

# Two runs of one spec, seeds or not, are of two models then.
doctor() {
	compile 'tanh(x) / 2' '0.5 - 2 * y * y' -O2 &&
		with . pxr_run bend.yaml train.seed=2 --db a.db &&
		"$top/runner/pxr-report" doctor --db a.db >out 2>err && out_has "one spec, two models" &&
		grep -qE "runs (1 and 3|3 and 1): the same spec" out && ! out_has "not the same bits"
}
ok "the doctor tells runs with one and with the other" doctor

# One that computes no number.
spoilt() {
	compile 'x / (x - x)' '1 - y * y' -O2 &&
		refused 2 "layers that compute something else" sample 1 --db a.db --out nan.png &&
		! [ -e nan.png ] && unchanged "layers that compute something else"
}
ok "nor does anything with one that computes no number" spoilt

# A sweep does not mix runs of two models, whichever of its layers was edited.
swept() {
	printf '%s\n' 'name: bends' 'spec: bend.yaml' 'set: {train.epochs: 1}' \
		'vary: {model.2: [bend, relu], train.seed: [1]}' >sweep.yaml
	cp a.db s.db && as_it_was && with . "$top/runner/pxr-sweep" sweep.yaml --db s.db -q >out 2>err &&
		compile 'tanh(x) / 2' '0.5 - 2 * y * y' -O2 && sed -i 's/\[1\]/[1, 2]/' sweep.yaml &&
		query s.db .dump >before &&
		refused 2 "was made with layers that compute something else" \
			with . "$top/runner/pxr-sweep" sweep.yaml --db s.db 2>err &&
		err_has "give the sweep another name to start over" && query s.db .dump | cmp - before &&
		as_it_was && with . "$top/runner/pxr-sweep" sweep.yaml --db s.db >out 2>err &&
		is "$(query s.db "SELECT group_concat(state) FROM job")" finished,finished,finished,finished
}
ok "a sweep is resumed only with the same layers" swept

# Without a fingerprint on record.
unknown() {
	compile 'tanh(x) / 2' '0.5 - 2 * y * y' -O2 && query a.db "UPDATE run SET fingerprint_nll = NULL, fingerprint_gradient = NULL,
		fingerprint_single = NULL, fingerprint_version = 0" &&
		sample 1 --db a.db --out unknown.png &&
		err_has "): whether it computes the same is not on record"
}
ok "a run without a fingerprint is sampled with a warning" unknown
