#!/bin/sh
# command_quickstart.sh - the quickstart experiment, shortened, comes near the exact entropy.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# Fewer images, in smaller batches so that there are enough steps.
make_run() {
	pxr_run "$source/experiments/quickstart.yaml" data.limit=4000 train.batch=8 train.epochs=2 \
		evaluate.every=never sample.count=4 --db quickstart.db && cp out printed
}
runs() {
	given run && grep -qF "against the exact entropy of" printed
}
ok "the quickstart runs and compares its NLL with the exact entropy" runs

# Within 3 % on either side: an NLL below the entropy is chance.
near_entropy() {
	given run && is "$(query quickstart.db "SELECT group_concat(split || ' ' ||
			iif(abs(nats_per_image / data_entropy - 1) < 0.03, 'near', nats_per_image))
		FROM (SELECT * FROM run_nll ORDER BY split)")" "test near,valid near"
}
ok "the quickstart's NLL is near the exact entropy on each split" near_entropy

nothing_suspect() {
	given run && is "$(query quickstart.db "SELECT status, count(*), count(suspect) FROM run_nll")" "finished|2|0"
}
ok "the quickstart finishes, and no NLL is suspect" nothing_suspect

samples_drawn() {
	given run && is "$(query quickstart.db "SELECT count, hex(substr(png, 1, 8)) FROM sample
		WHERE kind = 'samples'")" "4|89504E470D0A1A0A"
}
ok "the quickstart's samples are in the database as PNG" samples_drawn

says_how() {
	given run && sed -n '/see also:/,$s/^  //p' printed >further && [ "$(wc -l <further)" = 2 ] &&
		PATH=$top/runner:$PATH sh -e further >looked && grep -q quickstart looked && [ -s samples.png ]
}
ok "the commands that the quickstart prints at its end work" says_how

# Nothing on small runs of other kinds either. Uncommitted changes of this build do not matter here.
healthy() {
	given run || return
	cat >rgb.yaml <<'END'
name: rgb
data: {set: markov_rgb, limit: 400}
model:
  - conv: {mask: A, kernel: 5, features: 24}
  - relu
  - conv: {mask: B, kernel: 3, features: 24}
  - relu
  - softmax
train: {optimizer: {adam: {rate: 3e-3}}, batch: 4, epochs: 3}
evaluate: {every: 1 epoch}
sample: {count: 1}
END
	pxr_run tiny.yaml --db quickstart.db && pxr_run tiny.yaml train.epochs=2 --db quickstart.db &&
		pxr_run tiny.yaml train.patience=2 evaluate.splits=[train,valid,test] --db quickstart.db &&
		pxr_run rgb.yaml --db quickstart.db &&
		"$top/runner/pxr-report" doctor --db quickstart.db --format csv >out 2>err &&
		is "$(sed 1d out | cut -d , -f 1,2 | grep -v 'made of uncommitted code')" ""
}
ok "the doctor finds nothing wrong with the quickstart and other small runs" healthy

# Each epoch has its own order of images. The raw parameters behind an average, at the end and at the best
# step, are those of the same training without an average.
facts() {
	pxr_run tiny.yaml train.average=0 --db facts.db && pxr_run tiny.yaml --db facts.db &&
		pxr_run tiny.yaml train.patience=6 --db facts.db &&
		is "$(query facts.db "SELECT group_concat(n) FROM (SELECT count(DISTINCT value) AS n FROM metric
			WHERE name = 'order_digest' GROUP BY run)")" 6,6,6 &&
		is "$(query facts.db "SELECT count(*) FROM run AS a JOIN run AS b ON b.raw_parameter_hash =
			a.parameter_hash AND b.parameter_hash <> a.parameter_hash WHERE a.raw_parameter_hash IS NULL")" 2
}
ok "order digests and raw parameter hashes, which the doctor compares, are on record" facts

# PYTHON names another interpreter, such as one of a virtual environment that has PyTorch.
torch_agrees() {
	python=${PYTHON:-python3}
	$python -c 'import numpy, torch' 2>/dev/null || skip "PyTorch is missing"
	given run && "$top/runner/pxr-data" convert markov_binary limit=4000 "splits=[test]" --to npz --out textures -q &&
		$python "$source/docs/quickstart_torch.py" "$(ls quickstart.checkpoints/*/*.safetensors | tail -1)" \
			textures/test.npz >torch &&
		is "$(query quickstart.db "SELECT abs(nats_per_image - $(cut -d ' ' -f 1 torch)) < 0.001
			FROM run_nll WHERE split = 'test'")" 1
}
ok "PyTorch finds the same NLL for a checkpoint" torch_agrees

# What the page on Python says of them.
metadata() {
	command -v python3 >/dev/null || skip "python3 is missing"
	given run && python3 - quickstart.checkpoints/*/*.safetensors >metadata <<'END' &&
import json, sys
data = open(sys.argv[1], "rb").read()
text = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"]
open("spec", "w").write(text["spec"])
print(text["data_identity"], "[" + text["evaluated"] + "]", "in C order" in text["layout"])
END
		query quickstart.db "SELECT data_identity || ' [] True' FROM run" >expected && cmp metadata expected &&
		"$top/runner/pxr-report" show 1 --part spec --db quickstart.db | cmp - spec
}
ok "a checkpoint holds the spec and the identity of the data" metadata

metrics() {
	given run && "$top/runner/pxr-report" metrics --db quickstart.db --format csv \
		--where "metric = 'final_bits_per_dim' AND split = 'test'" >csv &&
		head -1 csv | grep -q "^run,name,step,epoch,split,metric,value,standard_error" &&
		is "$(sed 1d csv | cut -d , -f 1,2,3,5,6)" "1,quickstart,1000,test,final_bits_per_dim" &&
		is "$(query quickstart.db "SELECT abs(bits_per_dimension - $(sed 1d csv | cut -d , -f 7)) < 1e-12
			FROM run_nll WHERE split = 'test'")" 1
}
ok "metrics are exported as rows of one value" metrics
