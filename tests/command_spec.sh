#!/bin/sh
# command_spec.sh - errors in specs, and --explain.
. "${srcdir:-.}/tests/command.sh"

# shown TEXT: stderr has exactly this text.
shown() {
	printf '%s\n' "$1" >expected
	diff expected err | sed 's/^/# /' >difference
	if [ -s difference ]; then
		cat difference
		return 1
	fi
}

# refuses SPEC TEXT [OVERRIDE...]
refuses() {
	refused_spec=$1 refused_text=$2
	shift 2
	exits 2 pxr_run "$refused_spec" --db none.db "$@" && shown "$refused_text" && ! [ -e none.db ]
}

everywhere() {
	cat >several.yaml <<'END'
nmae: several
data: {set: markov_binary, limt: 3}
model:
  - conv: {mask: C, kernel: 5, features: 8}
  - repeat: 2
    layers: [residual: [rleu]]
  - sigmoid: 3
train: {epochs: 1e3, optimizer: {adam: {rate: "2e-3"}}}
evaluate: {every: 5}
END
	refuses several.yaml "several.yaml:1:1: error: spec: unknown option 'nmae'
    1 | nmae: several
      | ^~~~ did you mean 'name'?
several.yaml:8:17: error: train: 'epochs': expected an integer, got '1e3'
    8 | train: {epochs: 1e3, optimizer: {adam: {rate: \"2e-3\"}}}
      |                 ^~~ write 1000
several.yaml:8:47: error: adam: 'rate': expected a number, got '2e-3'
    8 | train: {epochs: 1e3, optimizer: {adam: {rate: \"2e-3\"}}}
      |                                               ^~~~~~ in quotes it is a string
several.yaml:9:19: error: evaluate: 'every': expected an interval, such as '5 epochs', '100 steps' or \
'never', got '5'
    9 | evaluate: {every: 5}
      |                   ^
several.yaml:1:1: error: spec: the option 'name' is missing
    1 | nmae: several
      | ^ name: what the run is called
several.yaml:2:28: error: markov_binary: unknown option 'limt'
    2 | data: {set: markov_binary, limt: 3}
      |                            ^~~~ did you mean 'limit'?
several.yaml:4:18: error: conv: 'mask' cannot be 'C'
    4 |   - conv: {mask: C, kernel: 5, features: 8}
      |                  ^ did you mean 'A'?
note: it can be A or B
several.yaml:6:25: error: there is no layer 'rleu'
    6 |     layers: [residual: [rleu]]
      |                         ^~~~ did you mean 'relu'?
several.yaml:7:14: error: sigmoid takes no options
    7 |   - sigmoid: 3
      |              ^"
}
ok "all errors of sections, data and layers are shown at once" everywhere

no_files() {
	cat >files.yaml <<'END'
name: files
data: {set: cifar10}
model:
  - conv: {mask: A, kernel: 3, features: 9}
  - residual: [conv: {mask: B, kernel: 1, features: 5}]
  - softmax
train: {epochs: 1}
END
	path="pxr-run: error: data/cifar10: no such file or folder
note: the default 'path' of cifar10 is data/cifar10 in the current folder
note: 'pxr-data fetch cifar10' puts the official files into data/cifar10"
	residual="files.yaml:5:5: error: layers.1.residual: its layers must return as many channels as \
they get: they get 9 and return 5
    5 |   - residual: [conv: {mask: B, kernel: 1, features: 5}]
      |     ^"
	refuses files.yaml "$path
$residual" && refuses files.yaml "command line:1:6: error: cifar10: unknown option 'vald'
    1 | data.vald=5
      |      ^~~~ did you mean 'valid'?
$residual" data.vald=5 && refuses files.yaml "command line:1:21: error: conv: 'kernel' must be odd, so \
that it has a centre
    1 | model.0.conv.kernel=2
      |                     ^
$path" model.0.conv.kernel=2 && refuses files.yaml "command line:1:14: error: data: 'splits' names \
'valid', of which the data set has no images
    1 | data.splits=[valid, train]
      |              ^~~~~
note: it has images in train: name these alone
$residual" data.set=markov_rgb "data.splits=[valid, train]" data.valid=0
}
ok "all errors of the data and of the model's shapes are shown at once" no_files

# The size of the images is not known then: an error shows if the model has it for images of every kind.
unknown_size() {
	cat >npz.yaml <<'END'
name: files
data: {set: npz}
model:
  - conv: {mask: A, kernel: 3, features: 9}
  - residual: [conv: {mask: B, kernel: 1, features: 5}]
  - softmax
train: {epochs: 1}
END
	refused 2 "data/npz: no such file or folder" \
		pxr_run npz.yaml && err_has "they get 9 and return 5" &&
		refused 2 "data/npz: no such file or folder" pxr_run npz.yaml model.1.residual.0.conv.features=9 &&
		is "$(grep -c error: err)" 1
}
ok "an error of the data's path does not hide those of the model" unknown_size

ok "errors of overrides point at the command line" refuses tiny.yaml \
	"command line:1:7: error: train: unknown option 'bacth'
    1 | train.bacth=32
      |       ^~~~~ did you mean 'batch'?
command line:1:21: error: conv: 'kernel' must be odd, so that it has a centre
    1 | model.0.conv.kernel=4
      |                     ^" train.bacth=32 model.0.conv.kernel=4

override_repeat() {
	pxr_run tiny.yaml --dry-run model.1.repeat.count=3 && out_has layers.1.2.residual &&
		pxr_run tiny.yaml --dry-run model.1.repeat=1 && ! out_has layers.1.1.residual
}
ok "a repeat can be overridden by its name or its option" override_repeat

override_optimizer() {
	pxr_run tiny.yaml --explain train.optimizer train.optimizer.sgd.rate=1 &&
		is "$(sed '/^$/,$d' out)" "train.optimizer.sgd.rate = 1 (command line: train.optimizer.sgd.rate=1)
train.optimizer.sgd.momentum = 0.9 (default)"
}
ok "another optimizer can be chosen by overriding an option of it" override_optimizer

standard_input() {
	pxr_run - --dry-run <tiny.yaml && pxr_run - --explain model.0.conv.kernel <tiny.yaml &&
		is "$(cat out)" "model.0.conv.kernel = 5 (standard input:4:29)"
}
ok "a spec can come from the standard input" standard_input

layer_default() {
	pxr_run tiny.yaml --explain model.0.conv.bias &&
		is "$(cat out)" "model.0.conv.bias = true (default)"
}
ok "--explain shows defaults of layers" layer_default

without_data() {
	pxr_run tiny.yaml "data={set: binarized_mnist, path: nowhere}" --explain data.limit &&
		is "$(cat out)" "data.limit = 0 (default)"
}
ok "--explain works without the spec's data" without_data

short_data() {
	pxr_run tiny.yaml data=markov_binary --explain data.set &&
		is "$(cat out)" "data.set = markov_binary (command line: data=markov_binary)"
}
ok "a data set without options can be written as its name" short_data

# The options of every choice, not only of the chosen one.
explained_options() {
	pxr_run tiny.yaml --explain train.optimizer && is "$(grep -c "^options$" out)" 1 &&
		out_has "  optimizer      one of rmsprop, adam or sgd" && out_has "    rmsprop " && out_has "    adam  " &&
		out_has "      beta1          number, 0 to 0.999999; default 0.9" && out_has "    sgd " &&
		pxr_run tiny.yaml --explain train.optimizer.adam &&
		is "$(sed '1,/^options/d' out | sed -n '3p;4p')" "  beta1          number, 0 to 0.999999; default 0.9
                 m = beta1 m + (1 - beta1) g" && ! out_has sgd &&
		pxr_run tiny.yaml --explain train.batch &&
		is "$(sed 1,3d out)" "  batch          integer, 1 to 65536; default 16
                 images of one step" &&
		pxr_run tiny.yaml --explain '' && ! out_has options
}
ok "--explain lists the choices of a key with their options" explained_options

# Each choice has a row in the documentation.
documented() {
	for key in train.optimizer train.schedule; do
		pxr_run tiny.yaml --explain $key && choices=$(sed -n 's/^    \([a-z]*\) .*/\1/p' out) &&
			[ -n "$choices" ] || return
		for choice in $choices; do
			grep -q "^| \`$choice\` |" "$docs/training.md" || return
		done
	done
}
docs=$source/docs
ok "the formula of every optimizer and schedule is in the documentation" documented

# meant KEY=VALUE NAMES: what the hint of an unknown key is.
meant() {
	exits 2 pxr_run tiny.yaml "$1" --dry-run && err_has "did you mean $2?"
}
near_keys() {
	for key in learning_rate train.learning_rate evaluate.learning_rate lr train.lr; do
		meant $key=1 "'train.optimizer.adam.rate'" || return
	done
	meant train.optimizer.adam.learning_rate=1 "'rate'" && meant train.batch_size=2 "'batch'" &&
		meant train.optimizer.rate=1 "'train.optimizer.adam.rate'" &&
		meant "train={epochs: 1, optimizer: {rate: 1}}" "'train.optimizer.rmsprop.rate'" &&
		meant "train={epochs: 1, optimizer: {sgd: {}, rate: 1}}" "'train.optimizer.sgd.rate'" &&
		meant epoch=2 "'train.epochs'" && meant seed=2 "'train.seed' or 'sample.seed'" &&
		meant evaluate.count=2 "'sample.count'" && meant Train=2 "'train'" &&
		meant rate=2 "'name', or 'train.optimizer.adam.rate'" &&
		meant model.1=Conv "'conv'" && meant model.0.conv.mask=a "'A'" &&
		exits 2 pxr_run tiny.yaml --explain learning_rate &&
		err_has "did you mean 'train.optimizer.adam.rate'?" &&
		exits 2 pxr_run tiny.yaml vary=2 --dry-run && ! err_has "did you mean"
}
other_key() {
	exits 2 pxr_run tiny.yaml train.weight_decay=1 --dry-run && ! err_has "did you mean" &&
		meant train.optimizer.adam.lr=1 "'rate'" &&
		exits 2 pxr_run tiny.yaml "train.optimizer={rmsprop: {weight_decay: 1}}" --dry-run &&
		! err_has "did you mean"
}
ok "a key with another meaning is not suggested" other_key
ok "a key of another section is suggested with its path, whatever its case" near_keys

one_for_another() {
	printf '%s\n' 'name: s' 'spec: tiny.yaml' 'vary: {train.batch: [1, 2]}' >sweep.yaml
	exits 2 pxr_run sweep.yaml && shown "sweep.yaml:3:1: error: this is a sweep, not a spec
    3 | vary: {train.batch: [1, 2]}
      | ^~~~ run it with 'pxr-sweep sweep.yaml'" &&
		exits 2 "$top/runner/pxr-sweep" tiny.yaml >out 2>err && is "$(grep -c error: err)" 1 &&
		err_has "this is a spec, not a sweep" && err_has "run it with 'pxr-run tiny.yaml'"
}
ok "a sweep given as a spec, and a spec given as a sweep, are refused with the right command" one_for_another

# Whatever the path by which a program is run.
named() {
	for program in run sample sweep report data layers codec bench; do
		exits 2 "$top/runner/pxr-$program" --bogus >out 2>err &&
			is "$(sed 's/:.*//;q' err)" pxr-$program || return
	done
}
ok "errors begin with a program's name, not with its path" named

wrong_key() {
	exits 2 pxr_run tiny.yaml --explain train.bacth &&
		shown "pxr-run: error: nothing is set at 'train.bacth'
note: did you mean 'train.batch'?"
}
ok "--explain of an unknown key gets a suggestion" wrong_key

extend() {
	mkdir base && mv tiny.yaml base
}
extended() {
	extend && printf 'extends: base/tiny.yaml\nname: child\n' >child.yaml
	pxr_run child.yaml --explain name && out_has "name = child (child.yaml:2:7)" &&
		pxr_run child.yaml --explain train.batch &&
		out_has "train.batch = 16 (base/tiny.yaml:13:10)"
}
ok "a spec can extend another" extended

bomb() {
	cat >bomb.yaml <<'END'
name: bomb
data: markov_binary
model:
  - conv: {mask: A, features: 4}
  - repeat: 1000
    layers: [{repeat: 1000, layers: [{repeat: 1000, layers: [relu]}]}]
  - sigmoid
train: {epochs: 1}
END
	refuses bomb.yaml "bomb.yaml:6:62: error: a model can have 10000 layers and no more, each \
counted as often as it is repeated
    6 |     layers: [{repeat: 1000, layers: [{repeat: 1000, layers: [relu]}]}]
      |                                                              ^~~~"
}
ok "nested repeats of too many layers are refused" bomb

junk() {
	head -c 100000000 /dev/zero >junk.yaml
	refuses junk.yaml "junk.yaml: error: larger than 1048576 bytes, which no spec is"
}
ok "a hundred megabytes of junk are one error" junk

# Splits that the spec names must exist; those of the default need not.
make_splits() {
	cat >splits.yaml <<'END'
name: splits
data: {set: markov_binary, train: 16, valid: 0, test: 8}
model: [histogram]
train: {epochs: 1}
evaluate: {splits: [valid, test]}
sample: {count: 0}
END
	printf 'extends: splits.yaml\nname: child\n' >inherits.yaml
}
absent_split() {
	make_splits
	for spec in splits.yaml inherits.yaml; do
		refuses $spec "splits.yaml:5:21: error: evaluate: 'splits' names 'valid', of which the \
data set has no images
    5 | evaluate: {splits: [valid, test]}
      |                     ^~~~~
note: it has images in train, test: name these alone, or see data.splits" || return
	done
	refuses splits.yaml "command line:1:17: error: evaluate: 'splits' names 'valid', of which the \
data set has no images
    1 | evaluate.splits=valid
      |                 ^~~~~
note: it has images in train, test: name these alone, or see data.splits" evaluate.splits=valid &&
		refuses splits.yaml "command line:1:18: error: evaluate: 'at_end' names 'valid', of which \
the data set has no images
    1 | evaluate.at_end=[valid]
      |                  ^~~~~
note: it has images in train, test: name these alone, or see data.splits" \
			evaluate.splits=test evaluate.at_end=[valid] &&
		refuses splits.yaml "command line:1:20: error: data: 'splits' names 'valid', of which the \
data set has no images
    1 | data.splits=[train,valid]
      |                    ^~~~~
note: it has images in train: name these alone" evaluate.splits=train data.splits=[train,valid] &&
		pxr_run splits.yaml evaluate.splits=test data.valid=5 --db splits.db
}
ok "a split to evaluate on that has no images is refused where it is named" absent_split

# The recorded spec has its defaults written out; repeating it must skip them too.
default_splits() {
	make_splits && sed /evaluate/d splits.yaml >default.yaml
	pxr_run default.yaml --db default.db && out_has "result test" && ! out_has "result valid" &&
		pxr_run --from-run 1 --db default.db && out_has "result test"
}
ok "default splits that the data set lacks are skipped" default_splits

no_training() {
	make_splits && refuses splits.yaml "splits.yaml:4:17: error: the data set has no training split: train.epochs \
must be 0
    4 | train: {epochs: 1}
      |                 ^" data.train=0 evaluate.splits=test
}
ok "training without images is refused at its line" no_training

overridden() {
	extend && refuses base/tiny.yaml "command line:1:21: error: layers.0.conv: with mask A a 1x1 kernel reads \
nothing of images of one colour
    1 | model.0.conv.kernel=1
      |                     ^" model.0.conv.kernel=1 &&
		refused 2 "command line:1:19: error: layers.0.conv: the model is not causal" \
			pxr_run base/tiny.yaml model.0.conv.mask=B --db none.db
}
ok "a layer with an invalid override is refused at the override" overridden

overridden_elsewhere() {
	extend && refuses base/tiny.yaml "base/tiny.yaml:7:9: error: layers.1.0.residual: its layers must return as \
many channels as they get: they get 9 and return 8
    7 |       - residual: [relu, conv: {mask: B, kernel: 3, features: 8}]
      |         ^
note: see also command line: model.0.conv.features=9" model.0.conv.features=9
}
ok "a layer that an override of another layer breaks is refused with a note on the override" overridden_elsewhere
