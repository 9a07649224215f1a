#!/bin/sh
# command_data.sh - pxr-data: list, info, fetch, verify, convert.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

XDG_CACHE_HOME=$scratch/cache
no_proxy='*'
export XDG_CACHE_HOME no_proxy

pxr_data() {
	"$top/runner/pxr-data" "$@" >out 2>err
}

# A value of the JSON in out.
json() {
	query :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '$1')"
}

# serve FILE ACT...: serve the file at $url, with an act (drop, stall, well) for each request. unserve ends the
# server.
serve() {
	rm -f door
	mkfifo door
	"$top/tests/serve" "$@" <door >address &
	exec 3>door
	until [ -s address ]; do sleep 0.05; done
	url=$(cat address)
}
unserve() {
	exec 3>&-
	wait
	rm -f address
}

listed() {
	pxr_data list && out_has "cifar-10-binary.tar.gz" && out_has "data/cifar10: not there" &&
		out_has "png_folder: any folder"
}
ok "list prints the data sets, their files and their default folders" listed

listed_json() {
	pxr_data list --json && is "$(json '$[0].files[0].size')" 78400000
}
ok "list --json prints JSON" listed_json

options_listed() {
	pxr_data list cifar10 && out_has "valid " && out_has "downsample" &&
		refused 2 "did you mean 'cifar10'?" pxr_data list cifar1
}
ok "list SET prints the options of a data set" options_listed

described() {
	pxr_data info markov_rgb levels=3 data.limit=5 && out_has "3 levels" &&
		out_has "train       5 images" && out_has "(exact)" &&
		out_has "            of 20000 before transforms, SHA-256 "
}
ok "info describes a data set with options" described

described_json() {
	pxr_data info markov_rgb --json levels=3 && is "$(json '$.levels')" 3 &&
		is "$(json '$.splits.valid.images')" 2000 &&
		pxr_data info markov_rgb --json limit=5 && is "$(json '$.splits.valid.images')" 5 &&
		is "$(json '$.splits.valid.whole_images')" 2000
}
ok "info --json prints JSON" described_json

wrong_option() {
	refused 2 "did you mean 'levels'?" pxr_data info markov_rgb levls=3 &&
		refused 2 "did you mean 'markov_rgb'?" pxr_data info markov_rgp &&
		is "$(sed -n 1p err)" "pxr-data: error: unknown data set 'markov_rgp'"
}
ok "a misspelt data set or option gets a suggestion" wrong_option

not_fetched_yet() {
	refused 2 "pxr-data fetch cifar10" pxr_data info cifar10 && mkdir empty &&
		refused 2 "pxr-data fetch mnist" pxr_data info mnist path=empty &&
		refused 2 "pxr-data fetch cifar10" pxr_data info cifar10 path=empty &&
		refused 2 "image-net.org" pxr_data info imagenet && rmdir empty
}
ok "info on a missing data set prints how to fetch it" not_fetched_yet

wrong_words() {
	refused 2 "did you mean 'verify'?" pxr_data verfy mnist &&
		refused 2 "verify: missing argument; expected: SET [PATH]" pxr_data verify &&
		refused 2 "list: unexpected argument 'b'" pxr_data list a b &&
		refused 2 "convert: missing --out FOLDER" pxr_data convert markov_rgb && exits 2 pxr_data
}
ok "misspelt, missing and extra arguments are refused" wrong_words

a_sweep() {
	printf 'name: s\nspec: tiny.yaml\nvary: {train.batch: [8, 16]}\n' >sweep.yaml
	refused 2 "sweep.yaml: this is a sweep, not a spec" pxr_data info sweep.yaml &&
		err_has "pxr-sweep sweep.yaml"
}
ok "info refuses a sweep and names pxr-sweep" a_sweep

# 20 training and 5 validation images as PNG files.
make_png() {
	pxr_data convert markov_rgb train=20 valid=5 test=0 levels=3 --out png && cp out printed
}

converted() {
	given png && cp printed out && is "$(ls png/train | wc -l)" 20 && is "$(cat out)" \
		"data: {set: png_folder, path: png, levels: 3}"
}
ok "convert writes PNG files and prints the data section for a spec" converted

found_again() {
	given png && pxr_data info png --json levels=3 && digest=$(json '$.splits.train.sha256') &&
		pxr_data convert png levels=3 --out again -q && pxr_data info again --json levels=3 &&
		is "$(json '$.splits.train.sha256')" "$digest" && ! [ -s err ]
}
ok "info finds the format of a folder, and converting again keeps the pixels" found_again

not_over() {
	given png && refused 2 "the folder is not empty" pxr_data convert markov_rgb --out png
}
ok "convert does not write into a folder that is not empty" not_over

no_labels() {
	mkdir -p photos/a photos/b && given png && cp png/train/0000000.png photos/a &&
		cp png/train/0000001.png photos/b &&
		refused 2 "labels=false" pxr_data convert photos labels=true --out labelled &&
		! [ -e labelled ] && pxr_data convert photos labels=false --out plain
}
ok "convert refuses to lose labels" no_labels

to_npz() {
	given png && pxr_data convert markov_binary train=20 valid=5 test=0 --to npz --out ./grey &&
		is "$(cat out)" "data: {set: npz, path: ./grey, layout: hw, levels: 2}" &&
		pxr_data info ./grey --json levels=2 && digest=$(json '$.splits.train.sha256') &&
		pxr_data convert markov_binary train=20 valid=5 test=0 --out ./black -q &&
		pxr_data info ./black --json levels=2 &&
		is "$(json '$.splits.train.sha256')" "$digest" || return 1
	pxr_data convert png --to npz --out ./npz && pxr_data info ./npz --json &&
		is "$(json '$.splits.train.images')" 20 && pxr_data info png --json &&
		digest=$(json '$.splits.train.sha256') && pxr_data info npz/train.npz --json &&
		is "$(json '$.splits.train.sha256')" "$digest"
}
ok "convert --to npz writes files with the same pixels" to_npz

streamed() {
	given png && cat >stream.yaml <<-'END'
		name: stream
		data: {set: png_folder, path: png, levels: 3, flip: true}
		model:
		  - conv: {mask: A, kernel: 3, features: 6}
		  - relu
		  - conv: {mask: B, kernel: 1, features: 9}
		  - softmax
		train: {optimizer: {adam: {rate: 3e-3}}, batch: 3, epochs: 3}
		evaluate: {every: 1 epoch}
		sample: {count: 0}
	END
	pxr_run stream.yaml --db s.db && pxr_run stream.yaml data.memory=0 --db s.db &&
		is "$(query s.db "SELECT count(DISTINCT parameter_hash) || count(DISTINCT data_identity)
			|| count(*) FROM run")" 112
}
ok "a run on streamed data is the same to the bit as with the data in memory" streamed

verified() {
	mkdir mnist && printf x >mnist/t10k-images-idx3-ubyte.gz &&
		exits 1 pxr_data verify mnist mnist && out_has "missing       mnist/train" &&
		out_has "damaged       mnist/t10k" && exits 1 pxr_data verify mnist mnist --json &&
		is "$(json '$[0].verdict')" missing && refused 2 "did you mean 'mnist'?" pxr_data verify mnst &&
		mkdir "$not_utf8" && no_json pxr_data verify mnist "$not_utf8" --json
}
ok "verify reports on each file" verified

no_server() {
	refused 1 "is there a network?" pxr_data fetch mnist --url http://127.0.0.1:9 && ! [ -e data ] &&
		refused 2 "pxr-data fetch mnist" pxr_data info mnist
}
ok "fetch without a network fails with status 1" no_server

not_offered() {
	refused 2 "no server has its files any more" pxr_data fetch imagenet &&
		refused 2 "did you mean 'valid_32x32.tar'?" pxr_data fetch imagenet valid_32x3.tar
}
ok "fetch refuses a data set that no server has" not_offered

another_file() {
	printf '<html>' >page
	serve page well
	refused 2 "expected the official file of" pxr_data fetch mnist t10k-images-idx3-ubyte.gz --url "$url"
	status=$?
	unserve
	[ $status -eq 0 ] && ! [ -e data/mnist/t10k-images-idx3-ubyte.gz ]
}
ok "fetch does not keep a file that is not the official one" another_file

idx=$real/mnist/t10k-images-idx3-ubyte.gz

fetched() {
	[ -r "$idx" ] || skip "no real data at $idx"
	serve "$idx" drop well
	pxr_data fetch mnist t10k-images-idx3-ubyte.gz --url "$url"
	status=$?
	unserve
	[ $status -eq 0 ] && cmp -s data/mnist/t10k-images-idx3-ubyte.gz "$idx" &&
		err_has "retry 1 of 10" && out_has "data: {set: mnist, path: data/mnist}" &&
		pxr_data verify mnist && false || out_has "official      data/mnist/t10k"
}

interrupted() {
	[ -r "$idx" ] || skip "no real data at $idx"
	serve "$idx" stall
	"$top/runner/pxr-data" fetch mnist t10k-images-idx3-ubyte.gz --url "$url" >out 2>err &
	client=$!
	until [ -s data/mnist/t10k-images-idx3-ubyte.gz.part ]; do sleep 0.05; done
	kill -TERM $client
	wait $client
	status=$?
	unserve
	is $status 130 && err_has "give the same command again to continue" && serve "$idx" well || return 1
	pxr_data fetch mnist t10k-images-idx3-ubyte.gz --url "$url"
	unserve
	cmp -s data/mnist/t10k-images-idx3-ubyte.gz "$idx"
}

ok "fetch resumes after a lost connection" fetched
ok "fetch resumes after an interruption" interrupted

# Check itself knows only passed and failed.
skips() {
	PXR_TEST_DATA=/nowhere CK_RUN_CASE=real_mnist_test_file_is_read "$top/tests/check_data" >out &&
		grep -q "^ok 1 .* # SKIP no real data at /nowhere/mnist " out
}
ok "a C test of missing real data counts as skipped" skips
