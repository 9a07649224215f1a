#!/bin/sh
# shapes.sh - the speed of the paper's shapes, beside PyTorch and an older pxr, as Markdown tables.
#
#   tests/bench/shapes.sh [--quick] [TURNS [IMAGES]]     (from the build folder)
#
# Everything in a row of a table is measured in turns, one after the other, TURNS times (default: 3; with
# --quick 1, which takes less than ten minutes on a quiet machine of two cores). A cell has the median of
# the turns, and their range. IMAGES are evaluated and drawn in each (default: 64; --quick: 16). No data
# set is needed. Let nothing else run meanwhile. What was measured is printed too if it is interrupted.
#
# In the environment:
#   SHAPES="mnist_row cifar_row"   only these rows
#   PYTHON=python3                 a Python; if it has PyTorch, peer.py measures the same models in it
#   PEER_SECONDS=900               the time peer.py has for a turn, compiling included; what takes longer
#                                  is "-", and is not tried again (--quick: 45, and no scan is compiled)
#   OLD=path/to/build              another build of pxr, as an older revision; its specs are its own
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
bench=${PXR_BENCH:-runner/pxr-bench}
turns=3 images=64 seconds=900 compiled='*'
if [ "${1:-}" = --quick ]; then
	shift
	turns=1 images=16 seconds=45 compiled='*_pixelcnn' # compiling a scan takes minutes
fi
turns=${1:-$turns} images=${2:-$images} seconds=${PEER_SECONDS:-$seconds}
shapes=${SHAPES:-mnist_pixelcnn mnist_row mnist_diag7 cifar_pixelcnn cifar_row cifar_diag}
python=${PYTHON:-python3} old=${OLD:-}
for program in "$bench" ${old:+"$old/runner/pxr-bench"}; do
	[ -x "$program" ] || {
		echo "shapes.sh: $program: not found; run it from the build folder" >&2
		exit 2
	}
done
old_source=$(sed -n 's/^abs_srcdir = //p' "${old:-.}/Makefile" 2>/dev/null)
torch=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null)
work=$(mktemp -d) || exit

# The MNIST PixelCNN is measured with seven blocks, as many as the LSTMs have layers.
settings_of() {
	case $1 in
	mnist_pixelcnn)
		echo "--image 28x28x1:2 model.1.skip_connections.layers.0.repeat=7"
		;;
	mnist_*) echo "--image 28x28x1:2" ;;
	cifar_*) echo "--image 32x32x3:256" ;;
	imagenet32_*) echo "--image 32x32x3:256" ;;
	imagenet64_*) echo "--image 64x64x3:256" ;;
	esac
}

# Values of an image: so many whole passes does it take to draw one without keeping anything.
values_of() {
	settings_of "$1" | sed 's/--image \([0-9]*\)x\([0-9]*\)x\([0-9]*\):.*/\1 * \2 * \3/' | xargs expr
}

# Steps of a turn: about a second of a small model.
steps_of() {
	case $1 in mnist_*) echo 16 ;; *) echo 2 ;; esac
}

parameters_in() {
	sed -n '1s/.* \([0-9]*\) parameters.*/\1/p' "$1"
}

# record COLUMN: what pxr-bench or peer.py printed, as lines "table shape column rate".
record() {
	awk -v shape="$shape" -v column="$1" '
		$1 == "training" || $1 == "evaluation" || ($1 == "generation" && column == "pxr_f32") {
			print $1, shape, column, column ~ /^torch/ ? $2 : $3
		}
		column !~ /^pxr/ { next }
		$1 == "training" { print "share", shape, column, $9 }
		/^drawing an image/ && column == "pxr_f32" { print "drawing", shape, "ratio", $5 }
		$1 == "float32" { print "peak", "all", "float32", $3 }
		$1 == "bfloat16" { print "peak", "all", "bfloat16", $4 }
		$1 == "SGEMM" { print "peak", "all", "SGEMM", $3 }' "$work/out" >>"$work/log"
}

# pxr COLUMN PROGRAM SOURCE [KEY=VALUE...]
pxr() {
	column=$1 program=$2 specs=$3
	shift 3
	# shellcheck disable=SC2046
	"$program" "$specs/experiments/$shape.yaml" train.batch=16 $(settings_of "$shape") \
		-r "$(steps_of "$shape")" --images "$images" --quiet "$@" >"$work/out" || exit
	[ "$column" != pxr_f32 ] || parameters=$(parameters_in "$work/out")
	if [ "$(parameters_in "$work/out")" = "$parameters" ]; then
		record "$column"
	else
		echo "shapes.sh: $shape: the model of $specs is another: not compared" >&2
	fi
}

# peer COLUMN OPTION...
peer() {
	column=$1
	shift
	! grep -q "^$shape $column$" "$work/failed" || return 0
	timeout --foreground "$seconds" "$python" -B "$source/tests/bench/peer.py" "$shape" -r 1 \
		--parameters "$parameters" "$@" >"$work/out" 2>"$work/err" || echo "$shape $column" >>"$work/failed"
	record "$column"
}

# version_of PROGRAM: in one line.
version_of() {
	"$1" --version | awk '{ $1 = $1; printf "%s%s", separator, $0; separator = ", " }'
}

tables() {
	echo "$(date +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors;" \
		"batch 16, turns: $turns, $images images evaluated and drawn${torch:+; PyTorch $torch}"
	echo "$(version_of "$bench")${old:+; old: $(version_of "$old/runner/pxr-bench")}"
	for shape in $shapes; do
		echo "values $shape all $(values_of "$shape")"
	done | cat - "$work/log" | awk -v torch="$torch" -v old="$old" -f "$source/tests/bench/shapes.awk"
}

: >"$work/log"
: >"$work/failed"
trap 'tables; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for shape in $shapes; do
	for turn in $(seq "$turns"); do
		echo "$shape, turn $turn of $turns ..." >&2
		pxr pxr_f32 "$bench" "$source"
		pxr pxr_bf16 "$bench" "$source" train.precision=bf16 evaluate.precision=bf16
		[ -z "$old" ] || pxr old "$old/runner/pxr-bench" "$old_source"
		[ "$torch" ] || continue
		peer torch_f32
		peer torch_bf16 --bf16
		# shellcheck disable=SC2254
		case $shape in $compiled) ;; *) continue ;; esac
		peer torch_f32_compiled --compile
		peer torch_bf16_compiled --bf16 --compile
	done
done
