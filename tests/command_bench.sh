#!/bin/sh
# command_bench.sh - pxr-bench: counts of multiply-adds, times, and refused specs.
. "${srcdir:-.}/tests/command.sh"

bench() {
	"$top/runner/pxr-bench" "$@" >out 2>err
}

cat >counted.yaml <<'EOF'
name: counted
data: {set: markov_binary}
model:
  - conv: {mask: A, kernel: 3, features: 4}
  - relu
  - conv: {mask: B, kernel: 1, features: 1}
  - sigmoid
train: {batch: 8, micro_batch: 4, epochs: 1}
EOF

# A value of the JSON, by its name.
field() {
	sed -n "s/^ *\"$1\": \([^,]*\),*$/\1/p" out | head -n 1
}

make_measured() {
	bench counted.yaml --image 8x8x1:2 -r 2 --images 8 --threads 1 --json && cp out measured
}

positive() {
	given measured && cp measured out || return
	for name in images_per_second slowest fastest gflops share_of_peak sgemm_gflops peak_f32_gflops \
		generation_bytes peak_memory_bytes training_step_seconds; do
		case $(field $name) in
		'' | 0 | 0.0 | -* | null) echo "# $name: $(field $name)" && return 1 ;;
		esac
	done
}
ok "a model is measured without its data set, and every rate is positive" positive

# On 64 pixels: 4 live taps of 9 to 4 features, 4 to 1, and 1 to 1 in the output. In the backward pass all
# have weights, and all but the first have an input with a gradient.
counts() {
	given measured && cp measured out && is "$(field forward_multiply_adds)" "$((64 * (16 + 4 + 1))).0" &&
		is "$(field training_multiply_adds)" "$((64 * (21 + 21 + 5))).0"
}
ok "training counts the multiply-adds of the forward pass and of both gradients" counts

# Even if other programs run meanwhile.
peak_is_most() {
	given measured && cp measured out &&
		awk "BEGIN { exit !($(field peak_f32_gflops) >= $(field sgemm_gflops)) }"
}
ok "the measured peak is at least the speed of SGEMM" peak_is_most

# OPENBLAS_CORETYPE makes OpenBLAS choose the kernels of another processor, without AVX2.
warns_of_blas() {
	blas=$(ldd "$top/lib/.libs/libpxr.so" 2>/dev/null | sed -n 's/.* => \(.*openblas[^ ]*\) .*/\1/p')
	better=Haswell
	grep -q avx512f /proc/cpuinfo && better=SkylakeX
	[ -n "$blas" ] && grep -q DYNAMIC_ARCH "$blas" && grep -q avx2 /proc/cpuinfo ||
		skip "no OpenBLAS that chooses its kernels, or no AVX2"
	OPENBLAS_CORETYPE=Prescott bench counted.yaml --image 8x8x1:2 -r 1 --images 4 -q &&
		err_has "warning: SGEMM of OpenBLAS" &&
		err_has "note: OpenBLAS takes this processor for an older one (Prescott)" &&
		err_has "OPENBLAS_CORETYPE=$better in the environment" &&
		OPENBLAS_CORETYPE=$better bench counted.yaml --image 8x8x1:2 -r 1 --images 4 -q &&
		! [ -s err ]
}
ok "an OpenBLAS that takes the processor for an older one is a warning" warns_of_blas

# Of training, evaluation and generation.
precisions() {
	sed -n 's/^ *"precision": "\(.*\)",/\1/p' out | tr '\n' ' '
}

# A share is the part of the peak of its own precision, whichever unit there is.
mixed() {
	bench counted.yaml --image 8x8x1:2 -r 1 --images 8 --threads 1 --json \
		train.precision=bf16 evaluate.precision=bf16 && is "$(precisions)" "bf16 bf16 f32 " || return
	peak=$(field peak_bf16_gflops)
	unit=$("$top/runner/pxr-bench" --version | sed -n 's/^bfloat16 *//p')
	if [ "$unit" = portable ]; then
		is "$(field bf16_unit) $peak" "null null" && peak=$(field peak_f32_gflops)
	else
		# Tiles multiply 16 times as many numbers at once as vectors do.
		is "$(field bf16_unit)" "\"$unit\"" &&
			awk "BEGIN { exit !($peak < 40 * $(field peak_f32_gflops)) }"
	fi || return
	sed -n '/"training": {/,$p' out >training && mv training out &&
		awk "BEGIN { ratio = $(field share_of_peak) * $peak / $(field gflops)
			exit !(ratio > 0.999 && ratio < 1.001) }" &&
		given measured && cp measured out && is "$(precisions)" "f32 f32 f32 "
}
ok "shares are of the peak of the precision in which the spec trains and evaluates" mixed

table() {
	bench counted.yaml --image 8x8x1:2 -r 1 --images 4 --threads 2 --scaling &&
		out_has "training           1 " && out_has "generation         2 " &&
		out_has "conv 3x3 1>4" && out_has "as long as evaluating it" &&
		out_has "the whole bench, with all of these" &&
		for row in loss optimizer drawing 'all else'; do
			grep -q "^$row  *[0-9]" out || return
		done
}
ok "--scaling prints every number of threads and every op" table

naive() {
	bench counted.yaml --image 8x8x1:2 -r 1 --images 32 --threads 1 --naive &&
		out_has "naive              1 " &&
		out_has "with a whole pass for each value it would be 64 (measured: " &&
		bench counted.yaml --image 8x8x1:2 -r 1 --images 32 --threads 1 --naive --json &&
		sed -n '/"naive"/,/}/p' out | grep -q images_per_second
}
ok "--naive also measures generation by whole passes" naive

useless() {
	for option in --scaling --naive --images=4; do
		refused 2 "${option%=*} cannot be used with --ranks" bench counted.yaml --ranks $option || return
	done
	refused 2 "--latency needs --ranks" bench counted.yaml --latency 20
}
ok "options that have no effect with --ranks, or without it, are refused" useless

cat >given.yaml <<'EOF'
name: given
data: {set: markov_rgb}
model:
  - multi_scale: {size: 4, features: 3, layers: [conv: {mask: A, kernel: 3, features: 6}]}
  - softmax
train: {batch: 8, micro_batch: 4, epochs: 1}
EOF

# An op that is computed once before the first pixel counts for generation; time outside of ops is separate.
divides() {
	bench given.yaml -r 1 --images 4 --threads 1 --json &&
		sed -n '/"op": "deconv/,/}/p' out | grep -q '"advance_seconds": [0.]*[1-9]' &&
		for name in loss_seconds optimizer_seconds drawing_seconds; do
			case $(field $name) in
			'' | 0.0 | -*) return 1 ;;
			esac
		done
}
ok "ops before the first pixel, the loss and the drawing are timed" divides

ok "more threads than the BLAS supports are refused" \
	refused 2 "--threads: expected a whole number from 1 to 256, got '1024'" bench counted.yaml --threads 1024

from_data() {
	bench counted.yaml -r 1 --images 4 --threads 1 --quiet && is "$(wc -c <err)" 0
}
ok "without --image, the image size comes from the data set" from_data

ok "an invalid --image is refused" \
	refused 2 "--image: expected ROWSxCOLSxCOLOURS:LEVELS" bench counted.yaml --image 8x8x2:2
ok "a missing spec is refused" refused 2 "cannot open none.yaml" bench none.yaml
ok "a model that does not fit the images is refused at its line" \
	refused 2 "counted.yaml:7:5" bench counted.yaml --image 8x8x1:256
# With git, files may be modified while this runs; the first line is for scripts.
version() {
	for program in bench codec data layers report run sample sweep; do
		"$top/runner/pxr-$program" --version >out 2>err &&
			is "$(sed -n 1p out)" "pxr-$program $(sed -n 's/.*define VERSION "\(.*\)"/\1/p' "$top/config.h")" &&
			grep -q '^float32    [a-z]' out && grep -q '^bfloat16   [pA]' out &&
			grep -q '^BLAS       .' out || return
	done
	revision=$(sed -n 's/.*define PXR_REVISION "\(.\{12\}\).*/\1/p' "$top/lib/record/revision.h")
	[ -z "$revision" ] || out_has "revision   $revision"
}
ok "--version of every command names revision, instruction sets and BLAS" version
nothing_made() {
	given measured && is "$(ls | grep -v 'yaml$' | tr '\n' ' ')" "measured "
}
ok "pxr-bench writes no files" nothing_made
