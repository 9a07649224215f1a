#!/bin/sh
# command_quickstart.sh - the quickstart experiment, shortened, comes near the exact entropy.
source=$(cd "${srcdir:-.}" && pwd)
together=yes
. "$source/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# A part of the images, in smaller batches so that there are steps enough.
runs() {
	pxr_run "$source/experiments/quickstart.yaml" data.limit=4000 train.batch=8 train.epochs=2 \
		evaluate.every=never sample.count=4 --db quickstart.db &&
		out_has "against the exact entropy of"
}
ok "the quickstart runs" runs

# Within 3 % on either side: below the entropy there can be no more than chance.
near_entropy() {
	is "$(query quickstart.db "SELECT group_concat(split || ' ' ||
			iif(abs(nats_per_image / data_entropy - 1) < 0.03, 'near', nats_per_image))
		FROM (SELECT * FROM run_nll ORDER BY split)")" "test near,valid near"
}
ok "its NLL is near the exact entropy, on each split" near_entropy

nothing_suspect() {
	is "$(query quickstart.db "SELECT status, count(*), count(suspect) FROM run_nll")" "finished|2|0"
}
ok "it finishes, and nothing is suspect" nothing_suspect

samples_drawn() {
	is "$(query quickstart.db "SELECT count, hex(substr(png, 1, 8)) FROM sample
		WHERE kind = 'samples'")" "4|89504E470D0A1A0A"
}
ok "its samples are in the database as PNG" samples_drawn

# What the command says to do next works.
says_how() {
	sed -n '/see also:/,$s/^  //p' out >further && [ "$(wc -l <further)" = 2 ] &&
		PATH=$top/runner:$PATH sh -e further >looked && grep -q quickstart looked && [ -s samples.png ]
}
ok "the commands it ends with show result and samples" says_how

# Nor on small runs of other kinds. What was not committed when pxr was built is no matter here.
healthy() {
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
ok "the doctor finds nothing wrong with it" healthy

# Each epoch an order of its own; the parameters behind an average, those at the end and those that
# were best, are the ones of the same training without.
facts() {
	pxr_run tiny.yaml train.average=0 --db facts.db && pxr_run tiny.yaml --db facts.db &&
		pxr_run tiny.yaml train.patience=6 --db facts.db &&
		is "$(query facts.db "SELECT group_concat(n) FROM (SELECT count(DISTINCT value) AS n FROM metric
			WHERE name = 'order_digest' GROUP BY run)")" 6,6,6 &&
		is "$(query facts.db "SELECT count(*) FROM run AS a JOIN run AS b ON b.raw_parameter_hash =
			a.parameter_hash AND b.parameter_hash <> a.parameter_hash WHERE a.raw_parameter_hash IS NULL")" 2
}
ok "what it looks at is on record" facts
