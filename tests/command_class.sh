#!/bin/sh
# command_class.sh - models that are given the class: training, sampling of a class, completions,
# compression, and what is refused.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

pxr_sample() {
	"$top/runner/pxr-sample" "$@" >out 2>err
}
pxr_codec() {
	"$top/runner/pxr-codec" "$@" >out 2>err
}

# Images in the class folders 0 and 1 of each split: of class 1 are those with a number above 20.
"$top/runner/pxr-data" convert markov_binary limit=48 rows=6 cols=6 --out plain >/dev/null 2>&1 || exit 1
for split in train valid test; do
	mkdir -p set/$split/0 set/$split/1 && mv plain/$split/00000[01]?.png set/$split/0 &&
		mv plain/$split/*.png set/$split/1 || exit 1
done
rm -rf plain
cat >tiny.yaml <<'END'
name: tiny
data: {set: png_folder, path: set, levels: 2, labels: true}
model:
  - class_conditional: [conv: {mask: A, kernel: 3, features: 6}]
  - relu
  - sigmoid
train: {optimizer: {adam: {rate: 1e-2}}, batch: 16, micro_batch: 3, epochs: 2, checkpoint: 2 steps}
evaluate: {every: 1 epoch}
sample: {count: 7}
END

make_run() {
	pxr_run tiny.yaml --db a.db --threads 1
}

on_record() {
	given run && pxr_run tiny.yaml --dry-run --db b.db && out_has "given           class of 2" &&
		pxr_run tiny.yaml --db b.db && out_has "bits/dim given class of 2" &&
		is "$(query b.db 'SELECT given FROM run')" "class of 2" &&
		is "$(query b.db 'SELECT parameter_hash FROM run')" "$(query a.db 'SELECT parameter_hash FROM run')" &&
		"$top/runner/pxr-report" show 1 --db b.db >out 2>err && out_has "class of 2" &&
		! out_has "small images" && "$top/runner/pxr-report" html --db b.db --out page.html >out 2>err &&
		grep -q "given class of 2" page.html
}
ok "a run records that its NLLs are of images given their class" on_record

# What a run computed that depends on classes: parameters, NLLs, samples.
computed() {
	query "$1" "SELECT parameter_hash FROM run; SELECT step, split, hex(nats_per_image) FROM nll ORDER BY 1, 2;
		SELECT step, log_likelihood FROM sample ORDER BY 1"
}
shared() {
	[ -e "$top/lib/pxr_mpi.so" ] || skip "pxr was built without MPI"
	case $(mpirun --version 2>&1) in *"Open MPI"*) ;; *) skip "Open MPI is missing" ;; esac
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # of Open MPI
	mpirun --oversubscribe -n 2 true 2>/dev/null || skip "mpirun does not start processes here"
	given run && timeout 60 mpirun --oversubscribe -n 2 "$top/runner/pxr-run" --threads 1 tiny.yaml --db b.db >out 2>err &&
		computed a.db >one && computed b.db | cmp - one
}
ok "two ranks compute the same bits as one process" shared

without_labels() {
	refused 2 "layers.0.class_conditional: the model is given the class of an image, but no labels are read" \
		pxr_run tiny.yaml data.labels=false --db b.db &&
		refused 2 "tiny.yaml" pxr_run tiny.yaml data.set=markov_binary data.path= --db b.db &&
		refused 2 "'labels: true', but the train images have no labels" \
			pxr_run tiny.yaml 'data={set: markov_binary, labels: true}' --db b.db && ! [ -e b.db ]
}
ok "a model that is given the class is refused without labels" without_labels

# likelihood I: the log-likelihood of sample number I.
likelihood() {
	grep -A 1 "\"image\": $1," out | tail -1
}
classes_of() {
	sed -n 's/^ *"class": \([0-9]*\).*/\1/p' out | tr -d '\n'
}
samples() {
	given run && pxr_sample tiny --db a.db --json --images turn && is "$(classes_of)" 0101010 &&
		out_has '"given": "class of 2"' && one=$(likelihood 1) two=$(likelihood 2) && pxr_sample tiny --db a.db --class 1 --json --images ones &&
		is "$(classes_of)" 1111111 && is "$(likelihood 1)" "$one" &&
		! [ "$(likelihood 2)" = "$two" ] && grep -q "pxr:class" turn/0000002.png && pxr_sample tiny --db a.db && out_has "given its class" &&
		grep -q "classes 0 to 1 in turn" samples.png
}
ok "samples are of all classes in turn, or of the one that is chosen" samples

wrong_class() {
	given run && refused 2 "--class 2 is out of range: the classes are 0 to 1" pxr_sample tiny --db a.db --class 2 &&
		refused 2 "expected a whole number" pxr_sample tiny --db a.db --class one &&
		pxr_run tiny.yaml 'model=[conv: {mask: A, features: 4}, sigmoid]' name=other --db a.db &&
		refused 2 "--class 1 has no effect: the model is not given the class" pxr_sample other --db a.db --class 1
}
ok "a class that the model does not have is refused" wrong_class

completes() {
	given run && pxr_sample tiny --db a.db --complete test:0,20 --count 1 --json && is "$(classes_of)" 01 &&
		out_has '"exact": true' &&
		refused 2 "name it with --class" pxr_sample tiny --db a.db --complete set/test/0/0000003.png &&
		pxr_sample tiny --db a.db --complete set/test/0/0000003.png --class 1 --count 1 --json && is "$(classes_of)" 1 &&
		pxr_sample tiny --db a.db --nll-map test:3 --json && cp out own &&
		pxr_sample tiny --db a.db --nll-map test:3 --class 1 --json && ! grep -F "$(grep nats_per own)" out &&
		pxr_sample tiny --db a.db --nll-map set/test/0/0000003.png --class 0 --json &&
		grep -qF "$(grep nats_per own)" out && refused 2 "--class has no effect on a split" \
		pxr_sample tiny --db a.db --nll-map test --class 1
}
ok "completions and maps are given an image's own label, or the class that is chosen" completes

codes() {
	given run && pxr_codec encode tiny --split test --db a.db -o test.pxr && pxr_codec info test.pxr --json &&
		is "$(sed -n '/"classes"/,/]/p' out | tr -dc '01' | cut -c 1-22)" 0000000000000000000011 &&
		pxr_codec decode test.pxr --db a.db -o back && cmp back/0000000.png set/test/0/0000000.png &&
		cmp back/0000047.png set/test/1/0000047.png &&
		refused 2 "name that of the images with --class" pxr_codec encode tiny set/test/1/0000047.png --db a.db -o b.pxr &&
		pxr_codec encode tiny set/test/1/0000047.png --class 1 --db a.db -o b.pxr && pxr_codec info b.pxr &&
		out_has "classes     1" && pxr_codec decode b.pxr --db a.db -o one && cmp one/0000047.png set/test/1/0000047.png &&
		refused 2 "--class has no effect with --split" pxr_codec encode tiny --split test --class 1 --db a.db -o c.pxr
}
ok "images are compressed given their class, which the file keeps" codes
