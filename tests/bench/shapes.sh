#!/bin/sh
# shapes.sh - the speed of the paper's shapes as one Markdown table.
#
#   tests/bench/shapes.sh [REPETITIONS [IMAGES]]   (from the build folder; defaults: 3 and 64)
#
# No data set is needed. Let nothing else run meanwhile. SHAPES names some of the rows alone, as
# SHAPES="mnist_row cifar_row". Where $PYTHON (default: python3) has PyTorch, peer.py times the same
# models in it, as they are and compiled; what takes it more than PEER_SECONDS (default: 900), the
# compiling included, is "-".
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
bench=${PXR_BENCH:-runner/pxr-bench}
repetitions=${1:-3} images=${2:-64}
shapes=${SHAPES:-mnist_pixelcnn mnist_row mnist_diag7 cifar_pixelcnn cifar_row cifar_diag}
python=${PYTHON:-python3} peer_seconds=${PEER_SECONDS:-900}
[ -x "$bench" ] || {
	echo "shapes.sh: $bench is not there: run it from the build folder" >&2
	exit 2
}

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

# Median and range of PyTorch's training steps, for pxr's number of parameters.
peer() {
	timeout --foreground "$peer_seconds" "$python" -B "$source/tests/bench/peer.py" -r "$repetitions" "$@" |
		sed -n 's/^training //p' | grep . || echo "-"
}

torch=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null)
echo "$(date +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors;" \
	"batch 16, $repetitions repetitions, $images images evaluated and drawn${torch:+; PyTorch $torch}"
echo
echo "| model | training images/s | of SGEMM, of peak | evaluation images/s | of SGEMM, of peak |" \
	"generation images/s | drawing / evaluating | whole passes / drawing | SGEMM / peak GFLOP/s |" \
	"PyTorch training images/s (eager, compiled) |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for shape in $shapes; do
	# shellcheck disable=SC2046
	measured=$("$bench" "$source/experiments/$shape.yaml" train.batch=16 $(settings_of "$shape") \
		-r "$repetitions" --images "$images" --quiet) || exit
	beside=
	if [ "$torch" ]; then
		parameters=$(echo "$measured" | sed -n '1s/.* \([0-9]*\) parameters.*/\1/p')
		beside="$(peer "$shape" --parameters "$parameters"),"
		beside="$beside $(peer "$shape" --parameters "$parameters" --compile)"
	fi
	echo "$measured" | awk -v shape="$shape" -v beside="$beside" -v values="$(values_of "$shape")" '
		$1 == "training" || $1 == "evaluation" || $1 == "generation" {
			rate[$1] = $3 " (" $4 " - " $6 ")"
			share[$1] = $8 " %, " $10 " %"
		}
		$1 == "SGEMM" { sgemm = $3 }
		$1 == "peak" { peak = $3 }
		/^drawing an image/ { ratio = $5 }
		END {
			print "| " shape " | " rate["training"] " | " share["training"] " | " \
				rate["evaluation"] " | " share["evaluation"] " | " \
				rate["generation"] " | " ratio " | " int(values / ratio + 0.5) " | " sgemm " / " peak " | " beside " |"
		}'
done
