#!/bin/sh
# command_quickstart.sh - the quickstart experiment, shortened, comes near the exact entropy.
source=$(cd "${srcdir:-.}" && pwd)
. "$source/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
plan 5

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
	sed -n '/to look further:/,$s/^  //p' out >further && [ "$(grep -c sqlite3 further)" = 2 ] &&
		sh -e further >looked && grep -q quickstart looked && [ -s samples.png ]
}
ok "the commands it ends with show result and samples" says_how
