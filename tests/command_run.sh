#!/bin/sh
# command_run.sh - pxr-run: results, errors, exit statuses.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

report() {
	"$top/runner/pxr-report" "$@" >out 2>err
}

make_run() {
	pxr_run tiny.yaml --db a.db --out pictures --threads 1
}

ends_well() {
	make_run && out_has "pxr-sample 1 --db a.db" &&
		is "$(head -n 1 out)" "run 1: tiny, $(query a.db "SELECT parameters FROM run") parameters; \
markov_binary, 256 training images of 12x12x1; 1 thread"
}
ok "a run prints its size, its data and the command that samples from it" ends_well

can_be_copied() {
	mkdir -p "sp ace" && pxr_run tiny.yaml train.epochs=1 --db "sp ace/a.db" &&
		sed -n '/see also:/,$s/^  //p' out >further && PATH=$top/runner:$PATH sh -e further >looked &&
		grep -q tiny looked
}
ok "the commands that a run prints can be copied, even if the database's path has a space" can_be_copied

splits_recorded() {
	given run && is "$(query a.db "SELECT group_concat(split) FROM run_nll WHERE nats_per_image > 0")" \
		"test,valid"
}
ok "the NLL of each split is on record" splits_recorded

samples_recorded() {
	given run && is "$(query a.db "SELECT DISTINCT hex(substr(png, 1, 4)) FROM sample")" 89504E47
}
ok "samples are in the database as PNG" samples_recorded

pictures_written() {
	given run && is "$(ls pictures | wc -l)" "$(query a.db "SELECT count(*) FROM sample")" &&
		is "$(ls pictures | grep -vc '^run-1-')" 0
}
ok "--out writes every picture of the database as a file" pictures_written

model_recorded() {
	given run && is "$(query a.db "SELECT (SELECT count(*) FROM layer), (SELECT count(*) FROM plugin),
		length(certificate) FROM run")" "10|5|64"
}
ok "layers, plugins and the causality certificate are on record" model_recorded

names_in_checkpoint() {
	given run && grep -aq "layers.1.0.residual.conv.weight" a.checkpoints/1-*/*
}
ok "a checkpoint names parameters by the path of their layer" names_in_checkpoint

# The NLL of the whole split under the final parameters, not the mean over the steps of an epoch.
train_at_end() {
	pxr_run tiny.yaml "evaluate.at_end=[train]" train.epochs=2 --db t.db &&
		is "$(query t.db "SELECT group_concat(split || ' ' || images) FROM
			(SELECT split, images FROM nll WHERE name = 'final_nll' ORDER BY split)")" \
			"$(query t.db "SELECT 'test 256,train ' || max(images) || ',valid 256' FROM nll
				WHERE name = 'nll' AND split = 'train'")" &&
		is "$(query t.db "SELECT count(*) FROM nll WHERE split = 'train' AND name = 'nll'")" 2
}
ok "evaluate.at_end evaluates a split once, after training" train_at_end

# The mean since the point before, so that a point per epoch is the epoch's own NLL.
logged() {
	for log in auto "10 steps" "1 epoch" never; do
		pxr_run tiny.yaml train.epochs=2 sample.count=0 train.log="$log" --db l.db || return
	done
	is "$(query l.db "SELECT run, name, group_concat(step) FROM (SELECT * FROM metric WHERE name LIKE 'step%'
			AND run > 1 ORDER BY step) GROUP BY run, name")" "2|step_gradient_norm|10,20,30,32
2|step_images_per_second|10,20,30,32
2|step_nll|10,20,30,32
2|step_rate|10,20,30,32
2|step_seconds|10,20,30,32
3|step_gradient_norm|16,32
3|step_images_per_second|16,32
3|step_nll|16,32
3|step_rate|16,32
3|step_seconds|16,32" &&
		is "$(query l.db "SELECT count(*), sum(images), count(DISTINCT step) FROM metric
			WHERE run = 1 AND name = 'step_nll'")" "32|512|32" &&
		is "$(query l.db "SELECT count(*) FROM metric AS a JOIN metric AS b USING (run, step, split, images, sum_nats)
			WHERE run = 3 AND a.name = 'nll' AND b.name = 'step_nll'")" 2 &&
		is "$(query l.db "SELECT count(*) FROM metric AS a JOIN metric AS b USING (run, step, split, value)
			WHERE run = 3 AND a.name = 'rate' AND b.name = 'step_rate'")" 2 &&
		is "$(query l.db "SELECT count(DISTINCT parameter_hash), count(DISTINCT recipe_hash) FROM run")" "1|1" &&
		refused 2 "'log': expected 'auto' or an interval, such as '100 steps', got 'often'" \
			pxr_run tiny.yaml train.log=often
}
ok "train.log says how often metrics of the training are recorded, and changes no result" logged

# Along the way only: at the end, split by split, what float32 makes of the parameters.
evaluated_in_bfloat16() {
	pxr_run tiny.yaml --db f.db && pxr_run tiny.yaml evaluate.precision=bf16 --db f.db &&
		is "$(query f.db "SELECT count(DISTINCT parameter_hash) FROM run")" 1 &&
		is "$(query f.db "SELECT count(*), count(DISTINCT nats_per_image) FROM nll WHERE name = 'final_nll'")" "4|2" &&
		is "$(query f.db "SELECT count(DISTINCT nats_per_image),
			max(nats_per_image) - min(nats_per_image) < 0.1 FROM nll
			WHERE name = 'nll' AND split = 'valid' AND epoch = 1")" "2|1"
}
ok "evaluate.precision: bf16 changes NLLs along the way and no result" evaluated_in_bfloat16

# The same learning, but for rounding; the record says what it was computed with.
trained_in_bfloat16() {
	pxr_run tiny.yaml --db m.db && pxr_run tiny.yaml train.precision=bf16 --db m.db &&
		is "$(query m.db "SELECT count(DISTINCT parameter_hash), count(DISTINCT certificate),
			count(DISTINCT recipe_hash) FROM run")" "2|1|2" &&
		is "$(query m.db "SELECT max(nats_per_image) - min(nats_per_image) < 0.1 FROM run_nll
			WHERE split = 'test'")" 1 &&
		is "$(query m.db "SELECT group_concat(spec_json ->> '\$.train.precision') FROM run")" "f32,bf16" &&
		query m.db "SELECT instruction_set FROM run WHERE id = 2" >out &&
		grep -Eq ', (portable|AVX512-BF16|AMX-BF16)$' out &&
		report --db m.db compare 1 2 && grep -Eq '^train.precision +f32 +bf16$' out
}
ok "train.precision: bf16 trains to about the same NLL and is on record" trained_in_bfloat16

without_kernels() {
	pxr_run nade.yaml train.precision=bf16 --db n.db && out_has "layers.0.nade: op 'nade_rows' has no kernels for bfloat16" &&
		is "$(query n.db "SELECT count(*) FROM event WHERE kind = 'fallback' AND message LIKE '%bfloat16%'")" 1
}
sed '/^model:/,/^train:/{/^ /d}' tiny.yaml | sed 's/^model:.*/model: [nade: {hidden: 8}]/' >nade.yaml
ok "an op without kernels for bfloat16 is named once" without_kernels

second_run() {
	given run && pxr_run tiny.yaml train.epochs=1 --db a.db --seed 2 &&
		is "$(query a.db "SELECT max(id), count(DISTINCT parameter_hash) FROM run")" "2|2"
}
ok "a second run gets the next number" second_run

override_recorded() {
	pxr_run tiny.yaml train.epochs=1 --db a.db && query a.db "SELECT origins FROM run" >out && out_has "train.epochs = 1 (command line"
}
ok "an override is on record with its origin" override_recorded

json_alone() {
	pxr_run tiny.yaml train.epochs=1 --db b.db --json &&
		is "$(query :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT),
			'\$.final_nll[1].split')")" test
}
ok "--json prints only JSON" json_alone

# One image has no standard error.
json_without_number() {
	pxr_run tiny.yaml train.epochs=0 data.limit=1 --db b.db --json &&
		is "$(query :memory: "SELECT json_type(j, '\$.final_nll[0].standard_error'),
			json_type(j, '\$.final_nll[0].nats_per_image')
			FROM (SELECT CAST(readfile('out') AS TEXT) AS j)")" "null|real"
}
ok "--json prints null for a standard error that does not exist" json_without_number

ok "--json with a name that is not UTF-8 is an error" no_json pxr_run tiny.yaml train.epochs=0 --db "$not_utf8.db" --json

# Many short pieces of work.
plain_lines() {
	began=$(date +%s)
	pxr_run tiny.yaml "train.optimizer={adam: {rate: 0}}" train.epochs=10 --db b.db || return
	ended=$(date +%s)
	! grep -q -e '-:--' err && [ "$(grep -c '%' err)" -le $(((ended - began + 1) / 10)) ]
}
ok "without a terminal, progress is one line every ten seconds at most" plain_lines

quiet() {
	pxr_run tiny.yaml train.epochs=1 --db b.db --quiet && ! [ -s out ] && ! [ -s err ]
}
ok "--quiet prints nothing" quiet

# A device on which nothing can be written.
all_of_it_arrives() {
	[ -c /dev/full ] || return 0
	for words in "run tiny.yaml --dry-run" "run tiny.yaml train.epochs=1 --db b.db" \
		"run tiny.yaml train.epochs=1 --db b.db --json" "run --help" "layers" "data list"; do
		"$top/runner/pxr-"$words >/dev/full 2>err
		is "$?" 1 && err_has "cannot write to stdout: No space left on device" || {
			echo "# pxr-$words"
			return 1
		}
	done
}
ok "every command fails if its output cannot be written" all_of_it_arrives

no_stray_lines() {
	for name in bench codec data layers report run sample sweep "report show" "codec encode"; do
		"$top/runner/pxr-"$name --help >out && ! grep '^ *$' out | grep -q ' ' || {
			echo "# pxr-$name"
			return 1
		}
	done
}
ok "--help has no lines of spaces" no_stray_lines

help_as_a_word() {
	for name in codec data report; do
		"$top/runner/pxr-$name" help >out 2>err
		is "$?" 2 && err_has "use pxr-$name --help" || return
	done
}
ok "the word 'help' gets a hint of --help" help_as_a_word

no_database() {
	[ -d /proc/self ] || return 0
	refused 2 "cannot open /proc/x.db: it cannot be created" pxr_run tiny.yaml --db /proc/x.db
}
ok "a database that cannot be created is not said to be missing" no_database

dry_run() {
	pxr_run tiny.yaml --dry-run --db none.db && out_has "layers.1.1.residual.conv" &&
		out_has "receptive field" && ! [ -e none.db ]
}
ok "--dry-run prints the model and creates no database" dry_run

dry_run_json() {
	pxr_run tiny.yaml --dry-run && cp out table && pxr_run tiny.yaml --dry-run --json &&
		json="CAST(readfile('out') AS TEXT)" &&
		is "$(query :memory: "SELECT count(*) FROM json_each($json, '\$.layers')")" \
			"$(grep -c '^ *layers\.' table)" &&
		is "$(query :memory: "SELECT json_extract($json, '\$.parameters')")" "$(sed -n 's/^parameters *//p' table)" &&
		is "$(query :memory: "SELECT printf('%.1f MB at most', json_extract($json, '\$.memory_bytes.all')
			/ 1e6)")" "$(sed -n 's/^memory *\(.*most\).*/\1/p' table)" &&
		is "$(query :memory: "SELECT substr(json_extract($json, '\$.certificate.digest'), 1, 16)")" \
			"$(sed -n 's/.*certificate \([0-9a-f]*\),.*/\1/p' table)"
}
ok "--dry-run --json has the same numbers" dry_run_json

memory_adds_up() {
	pxr_run tiny.yaml --dry-run && awk '/^memory/ {
		off = $2 - $9 - $18 - $22
		activations = substr($13, 2) + 0
		exit !($9 >= activations && activations > 0 && $18 > 0 && $22 > 0 && off < 0.21 && off > -0.21)
	}' out
}
ok "--dry-run's memory is the sum of training, evaluation and sampling" memory_adds_up

too_much_memory() {
	pxr_run tiny.yaml --dry-run train.batch=65536 train.micro_batch=65536 --threads 256 &&
		err_has "warning: this takes " && err_has "the system may end it; train.recompute=true, a" &&
		pxr_run tiny.yaml --dry-run && ! err_has "the system may end it"
}
ok "a training that needs more memory than the machine has is a warning" too_much_memory

no_memory() {
	! grep -q 'define PXR_SANITIZED' "$top/config.h" || skip "sanitizers take all addresses"
	(
		ulimit -v 2000000 &&
			refused 1 "not enough memory to check that the model is causal: requires 17" \
				pxr_run tiny.yaml "model=[{conv: {mask: A, kernel: 3, features: 65536}},
				{conv: {mask: B, kernel: 1, features: 65536}}, sigmoid]" --dry-run --threads 1
	) && err_has "use fewer layers or features" && out_has "layers.1.conv" &&
		out_has " MB at most with 1 thread"
}
ok "a model that does not fit into memory is refused with what to reduce" no_memory

# OpenBLAS once tried for ever to get memory, in its own threads too. It is asked for as many threads as on a
# large machine.
limited() {
	(
		ulimit -v "$1"
		OPENBLAS_NUM_THREADS=8 timeout 300 "$top/runner/pxr-run" tiny.yaml --dry-run >out 2>err
	)
}
little_room() {
	! grep -q 'define PXR_SANITIZED' "$top/config.h" || skip "sanitizers take all addresses"
	exits 1 limited 130000 && err_has "OpenBLAS needs 128 MB of addresses" &&
		limited 600000 && out_has "causal"
}
ok "with too little address space for OpenBLAS, the command fails and does not hang" little_room

explain() {
	pxr_run tiny.yaml train.batch=8 --explain train.batch &&
		out_has "train.batch = 8 (command line: train.batch=8)" &&
		pxr_run tiny.yaml --explain train.micro_batch && out_has "tiny.yaml:14:" &&
		pxr_run tiny.yaml --explain train.patience && out_has "default"
}
ok "--explain shows where a value comes from" explain

misspelt() {
	sed "s/kernel: 5/kernl: 5/" tiny.yaml >bad.yaml
	refused 2 "bad.yaml:4:21: error: " pxr_run bad.yaml --db none.db &&
		err_has "did you mean 'kernel'?" && ! [ -e none.db ]
}
ok "a misspelt key is refused with its location and the nearest key" misspelt

leak() {
	sed "s/mask: A/mask: B/" tiny.yaml >leak.yaml
	refused 2 "leak.yaml:4:" pxr_run leak.yaml --db none.db && ! [ -e none.db ]
}
ok "a model that is not causal is refused at the layer's line" leak

unsuited() {
	refused 2 "tiny.yaml:9:5: error: layers.3.sigmoid: requires images of 2 levels" \
		pxr_run tiny.yaml data=markov_rgb --db none.db && ! [ -e none.db ]
}
ok "a model that does not fit the data is refused at the layer's line" unsuited

given_test_images() {
	pxr_run tiny.yaml "model=[{multi_scale: {size: 6, layers: [{conv: {mask: A, features: 4}}]}},
		sigmoid]" "data={set: markov_binary, splits: [test], limit: 3}" train.epochs=0 \
		--db given.db && is "$(query given.db "SELECT split, given FROM run_nll")" "test|6x6" &&
		is "$(query given.db "SELECT count(*) FROM sample WHERE kind = 'samples'")" 1
}
ok "a conditional model samples given test images if the data have no other split" given_test_images

# chain DATABASE ROWS [SMALL]: a run of images of so many rows, given images of SMALL rows.
chain() {
	layers="{conv: {mask: A, features: 4}}"
	[ $# -lt 3 ] || layers="{multi_scale: {size: $3, features: 4, layers: [$layers]}}"
	pxr_run tiny.yaml "model=[$layers, sigmoid]" "data={set: markov_binary, limit: 300,
		downsample: $2}" "train.optimizer={adam: {rate: 1e-2}}" sample.count=0 --db "$1"
}

# A chain of runs 1 (12x12 given 6x6), 3 (6x6 given 3x3), and 2 or 4 (3x3), of which the better counts. Run 5
# has other images.
make_chain() {
	chain chain.db 12 6 && out_has "conditional on small images" &&
		is "$(query chain.db "SELECT count(*) FROM chain_nll")" 0 &&
		chain chain.db 3 && ! out_has "conditional on small" && chain chain.db 6 3 &&
		pxr_run tiny.yaml "model=[histogram]" "data={set: markov_binary, limit: 300,
			downsample: 3}" train.epochs=1 sample.count=0 --db chain.db &&
		pxr_run tiny.yaml "model=[histogram]" "data={set: markov_binary, limit: 299,
			downsample: 3}" train.epochs=9 sample.count=0 --db chain.db
}
chain_added_up() {
	given chain &&
		is "$(query chain.db "SELECT run, split, counted FROM chain_nll WHERE split = 'test'")" \
			"1|test|run 1 of 12x12 given 6x6 + run 3 of 6x6 given 3x3 + run $(best) of 3x3
3|test|run 3 of 6x6 given 3x3 + run $(best) of 3x3"
}
best() {
	query chain.db "SELECT run FROM run_nll WHERE run IN (2, 4) AND split = 'valid'
		ORDER BY suspect IS NOT NULL, nats_per_image LIMIT 1"
}
ok "the NLLs of a chain of conditional models add up to the NLL of the image" chain_added_up

chain_units() {
	given chain && is "$(query chain.db "SELECT count(*), sum(abs(nats_per_image - bits_per_dimension * 144 *
		0.69314718056) < 1e-6), sum(abs(nats_per_image - (SELECT sum(nats_per_image) FROM run_nll
		WHERE run IN (1, 3, $(best)) AND split = c.split)) < 1e-9), sum(images = 300)
		FROM chain_nll AS c WHERE run = 1")" "2|2|2|2"
}
ok "bits per dimension of a chain are per value of the largest image" chain_units

# The same runs count for each split; the best on the test split is never chosen there.
chain_chosen_by_validation() {
	given chain && cp chain.db chosen.db && other=$((6 - $(best))) &&
		query chosen.db "UPDATE metric SET sum_nats = 0.1 * sum_nats WHERE run = $other AND split = 'test'" &&
		is "$(query chosen.db "SELECT count(DISTINCT counted), min(counted) FROM chain_nll WHERE run = 3")" \
			"1|run 3 of 6x6 given 3x3 + run $(best) of 3x3" &&
		query chosen.db "UPDATE metric SET sum_nats = 0.1 * sum_nats WHERE run = $other AND
			split = 'valid'; DELETE FROM metric WHERE run = $other AND split = 'test'" &&
		is "$(query chosen.db "SELECT count(*), min(counted) FROM chain_nll WHERE run = 3")" \
			"2|run 3 of 6x6 given 3x3 + run $(best) of 3x3" &&
		cp chain.db chosen.db &&
		query chosen.db "UPDATE metric SET sum_nats = 0.1 * sum_nats WHERE run = $other AND split = 'test';
			DELETE FROM metric WHERE split = 'valid'" &&
		is "$(query chosen.db "SELECT count(*), counted FROM chain_nll WHERE run = 3")" \
			"1|run 3 of 6x6 given 3x3 + run $other of 3x3"
}
ok "the runs of a chain are chosen by their validation NLL" chain_chosen_by_validation

# 'show' prints the numbers of the view chain_nll, with the runs that were counted.
chain_shown() {
	given chain || return
	counted="run 1 of 12x12 given 6x6 + run 3 of 6x6 given 3x3 + run $(best) of 3x3"
	report show 1 --db chain.db && out_has "bits/dim of the large image" &&
		out_has "$counted" && report show 3 --db chain.db && out_has "+ run $(best) of 3x3" &&
		report show 2 --db chain.db && ! out_has "bits/dim of the large image" &&
		report show 1 --db chain.db --part chain --format json &&
		is "$(query chain.db "SELECT count(*) FROM chain_nll, json_each(CAST(readfile('out') AS TEXT),
			'\$.rows') AS shown WHERE run = 1 AND split = json_extract(value, '\$.split')
			AND counted = json_extract(value, '\$.counted') AND images = 300
			AND abs(nats_per_image - json_extract(value, '\$.nats_per_image')) < 1e-9
			AND abs(bits_per_dimension - json_extract(value, '\$.bits_per_dimension')) < 1e-9")" 2
}
ok "'show' prints the NLL of a conditional run's chain" chain_shown

# Once the run that counted is archived, the other counts; without either there is no sum.
chain_of_what_counts() {
	given chain || return
	best=$(best)
	query chain.db "UPDATE run SET archived_at = 'then' WHERE id = $best"
	is "$(query chain.db "SELECT counted LIKE '%run ' || (6 - $best) || ' of 3x3' FROM chain_nll
		WHERE run = 1 AND split = 'valid'")" 1 || return
	query chain.db "UPDATE run SET archived_at = 'then' WHERE id = 3"
	is "$(query chain.db "SELECT count(*) FROM chain_nll")" 0 &&
		is "$(query chain.db "SELECT count(*) FROM best_run WHERE run IN (3, $best)")" 0 &&
		query chain.db "UPDATE run SET archived_at = NULL" &&
		is "$(query chain.db "SELECT count(*) FROM chain_nll")" 4
}
ok "an archived run is not part of a chain, and nowhere the best run" chain_of_what_counts

# reason WORDS: 'show 3' says so, with and without --part chain.
reason() {
	report show 3 --db nochain.db --part chain && tr -s '\n ' '  ' <out >line &&
		grep -qF -e "$1" line && report show 3 --db nochain.db && tr -s '\n ' '  ' <out >line &&
		grep -qF -e "$1" line || {
		echo "# not shown: $1: $(cat line)"
		return 1
	}
}
no_chain() {
	none="No sum: no finished run of just these small images (3x3) is in the database"
	given chain && cp chain.db nochain.db && report show 3 --db nochain.db && ! out_has "No sum" &&
		report show 2 --db nochain.db --part chain && ! out_has "No sum" &&
		query nochain.db "UPDATE run SET archived_at = 'then' WHERE id = 2;
			UPDATE run SET status = 'interrupted' WHERE id = 4" &&
		reason "$none that fits: run 2 is archived; run 4 is not finished (interrupted); run 5 has other data" &&
		query nochain.db "UPDATE run SET archived_at = NULL, status = 'finished';
			UPDATE metric SET suspect = 'x' WHERE run = 2; UPDATE metric SET images = 7 WHERE run = 4" &&
		reason "run 2 has a suspect NLL; run 4 was evaluated on other splits or another number of images;" &&
		query nochain.db "INSERT INTO run (uid, name, status, spec, spec_hash, origins, seed, program_version,
			started_at, data_set, data_identity, certificate, parameters, image_rows, image_cols)
			SELECT 'other' || value, name, status, spec, spec_hash, origins, seed, program_version, started_at, data_set,
			'other', certificate, parameters, image_rows, image_cols FROM run, json_each('[1, 2, 3]')
			WHERE run.id = 2" && reason "and 1 more." &&
		query nochain.db "DELETE FROM run WHERE id IN (2, 4) OR id > 4" && reason "$none." &&
		query nochain.db "UPDATE run SET archived_at = 'then' WHERE id = 3" && reason "No sum: the run is archived."
}
ok "'show' says why a chain has no sum" no_chain

# A hard link to a picture's file shows whether the file is written into, or replaced by a whole one.
whole_pictures() {
	pxr_run tiny.yaml model=[histogram] train.epochs=1 --db whole1.db --out whole || return
	picture=$(ls whole/run-1-samples-*.png) && ln "$picture" was.png && cp was.png copy.png &&
		pxr_run tiny.yaml model=[histogram] train.epochs=1 sample.seed=2 --db whole2.db --out whole &&
		err_has "note: use --force to overwrite it" && cmp "$picture" copy.png &&
		pxr_run tiny.yaml model=[histogram] train.epochs=1 sample.seed=2 --db whole3.db --out whole --force &&
		! ls whole | grep -q partial && cmp was.png copy.png &&
		! cmp -s "$picture" was.png
}
ok "a picture in --out is replaced only with --force, and by a whole file" whole_pictures

unwritable_picture() {
	mkdir -p taken/run-1-samples-00000016.png &&
		pxr_run tiny.yaml model=[histogram] train.epochs=1 --db taken.db --out taken --force &&
		err_has "warning: cannot write taken/run-1-samples-00000016.png"
}
ok "a picture in --out that cannot be written is a warning" unwritable_picture

ok "a missing spec is refused" refused 2 "no.yaml: " pxr_run no.yaml
ok "an unknown option is refused" refused 2 "unrecognized option" pxr_run --no-such
ok "a spec together with --resume is refused" refused 2 "only the path of its data" pxr_run --resume 1 tiny.yaml
unknown_run() {
	given run && refused 2 "99" pxr_run --resume 99 --db a.db
}
ok "an unknown run is not resumed" unknown_run

no_database() {
	refused 2 "none.db: no such database" pxr_run --resume last --db none.db &&
		! [ -e none.db ]
}
ok "--resume does not create a database" no_database

resume_dry() {
	given run && cksum a.db >before && chmod a-w a.db || return
	pxr_run --resume 1 --db a.db --dry-run && out_has "receptive field" &&
		pxr_run --resume 1 --db a.db --explain train.batch && out_has "train.batch = 16"
	dry_status=$?
	chmod u+w a.db
	[ $dry_status = 0 ] && cksum a.db | cmp - before
}
ok "--resume with --dry-run or --explain does not change the database" resume_dry

not_a_database() {
	echo "not a database, but long enough to be taken for one by a careless program" >text.db
	refused 2 "text.db: " pxr_run tiny.yaml --db text.db && grep -q careless text.db
}
ok "a file that is no database is refused and not changed" not_a_database

ok "a database in a missing folder is refused" refused 2 "nowhere/a.db" \
	pxr_run tiny.yaml --db nowhere/a.db

diverges() {
	refused 1 "layers." pxr_run tiny.yaml "train.optimizer={sgd: {rate: 1e6}}" --db nan.db &&
		is "$(query nan.db "SELECT status, (SELECT count(*) > 0 FROM checkpoint),
			(SELECT kind FROM event WHERE kind NOT IN ('started', 'spike')) FROM run")" "failed|1|error"
}
ok "a training that diverges stops, names the layer and keeps a checkpoint" diverges

# Printed once, recorded up to a limit, with step, value and what it is compared with.
spikes() {
	pxr_run tiny.yaml "train.optimizer={sgd: {rate: 20, momentum: 0.9}}" train.schedule=constant \
		sample.count=0 --db spike.db && is "$(grep -c '^loss spike at step' out)" 1 &&
		is "$(query spike.db "SELECT count(*), count(DISTINCT step), max(step) < 96, sum(message LIKE
			'loss spike at step ' || step || ': % nats/image, where the steps before had %; gradient norm %'),
			sum(message LIKE '%later spikes are not recorded') FROM event WHERE kind = 'spike'")" \
			"20|20|1|20|1" &&
		report doctor --db spike.db && grep -q 'loss spike  *20 on record; the first: loss spike at step' out
}
ok "loss spikes are printed, recorded and reported by the doctor" spikes

# Large initial weights: no earlier steps to compare with.
first_spike() {
	pxr_run tiny.yaml "model=[conv: {mask: A, kernel: 3, features: 8, gain: 30}, relu,
		conv: {mask: B, kernel: 1, features: 8, gain: 30}, sigmoid]" train.epochs=1 sample.count=0 --db first.db &&
		grep -qE '^loss spike at step 1: [0-9.]+ nats/image, where the uniform distribution has [0-9.]+; gradient norm [^ ]+; train.clip' out
}
ok "the loss of the first step is compared with the uniform distribution" first_spike

no_spikes() {
	given run && is "$(query a.db "SELECT count(*) FROM event WHERE kind = 'spike'")" 0
}
ok "a training that goes well has no loss spikes" no_spikes

# In colour in bits per dimension, like its results.
bar_of() {
	script -qec "'$top/runner/pxr-run' tiny.yaml 'data={set: $1, limit: 64}' 'model=$2' train.epochs=2 \
		sample.count=0 --db unit.db" /dev/null >out 2>err &&
		tr '\r' '\n' <out | grep -o 'epoch [0-9.]*  [0-9.]* [a-z/]*' | sed 's/.* //' | sort -u
}
units() {
	needs script
	is "$(bar_of markov_binary "[conv: {mask: A, kernel: 3, features: 4}, sigmoid]")" nats &&
		is "$(bar_of markov_rgb "[conv: {mask: A, kernel: 3, features: 6}, softmax]")" bits/dim
}
ok "the progress bar shows nats for grey images and bits/dim for colour" units

huge() {
	pxr_run tiny.yaml "train.optimizer={sgd: {rate: 100}}" train.clip=1000 train.epochs=1 train.average=0 \
		sample.count=0 --db huge.db && grep -qE 'train +[0-9.]+e\+[0-9]+ nats/image' out &&
		! grep -qE '[0-9]{9}' out
}
ok "a huge NLL is printed with three digits" huge

early_stopping() {
	pxr_run tiny.yaml "train.optimizer={sgd: {rate: 2.0, momentum: 0}}" train.clip=1 \
		train.patience=1 train.average=0 train.epochs=40 --db early.db || return
	is "$(query early.db "SELECT r.epoch < 40,
			round(min(l.nats_per_image), 6) = round(r.nats_per_image, 6)
		FROM learning_curve l JOIN run_nll r USING (run, split) WHERE split = 'valid'")" "1|1"
}
ok "early stopping reports the NLL of the best parameters" early_stopping

# A data set of noise in the format of binarized MNIST.
make_set() {
	mkdir set
	for split in train valid test; do
		awk -v seed=${#split} 'BEGIN {
			srand(seed)
			for (i = 0; i < 200; i++) {
				for (j = 0; j < 784; j++)
					printf "%d%s", rand() < 0.2, j < 783 ? " " : "\n"
			}
		}' >set/binarized_mnist_$split.amat
	done
}

changed_data() {
	given set && pxr_run tiny.yaml "data={set: binarized_mnist, path: set}" train.epochs=1 sample.count=0 \
		--db set.db || return
	query set.db "UPDATE run SET status = 'interrupted'"
	sed -i '1{h;d};${p;x}' set/binarized_mnist_train.amat
	refused 2 "was trained on other data" pxr_run --resume 1 --db set.db
}
ok "a run whose data changed is not resumed" changed_data

absent_data() {
	refused 2 "nowhere: no such file or folder" pxr_run tiny.yaml \
		"data={set: binarized_mnist, path: nowhere}" --db none.db &&
		err_has "pxr-data fetch binarized_mnist" && is "$(grep -c 'no such' err)" 1
}
ok "a missing data set is reported once, with the command that fetches it" absent_data

no_files() {
	mkdir empty && refused 2 "empty: contains neither binarized_mnist_train.amat nor" pxr_run \
		tiny.yaml "data={set: binarized_mnist, path: empty}" --db none.db && rmdir empty &&
		is "$(grep -c "that 'splits' of the spec names" err)" 1 && ! err_has "splits: ["
}
ok "a folder without the data set's files is refused once, with the files expected" no_files

truncated_data() {
	given set && truncate -s -9 set/binarized_mnist_test.amat
	refused 2 "set/binarized_mnist_test.amat" pxr_run tiny.yaml \
		"data={set: binarized_mnist, path: set}" --db none.db && ! [ -e none.db ]
}
ok "a truncated data file is refused by its name" truncated_data

single() {
	pxr_run tiny.yaml "data={set: markov_binary, train: 16, valid: 1, test: 2}" train.epochs=1 sample.count=0 \
		--db single.db && out_has "nats/image  " && out_has "nats/image (+- " && ! grep -i nan out err &&
		pxr_run tiny.yaml "data={set: markov_binary, train: 16, valid: 1, test: 2}" train.epochs=1 sample.count=0 \
			--db single.db --json && is "$(grep -c '"standard_error": null' out)" 1
}
ok "the NLL of a single image has no standard error" single

no_folder() {
	refused 2 "error" pxr_run tiny.yaml model.0.conv.kernel=4 --out made && ! [ -e made ] &&
		refused 2 "causal" pxr_run tiny.yaml model.0.conv.mask=B --out made --db none.db && ! [ -e made ] &&
		pxr_run tiny.yaml --dry-run --out made && ! [ -e made ] && mkdir mine &&
		refused 2 "causal" pxr_run tiny.yaml model.0.conv.mask=B --out mine --db none.db && rmdir mine &&
		: >file && refused 2 "cannot create directory file/in" pxr_run tiny.yaml --out file/in --db none.db
}
ok "a refused spec leaves no --out folder behind" no_folder

# All 257 images are evaluated after each of the 17 steps of 16, of which the last has one image.
make_paced() {
	pxr_run tiny.yaml data.limit=257 train.epochs=2 sample.count=0 "evaluate.splits=[train]" \
		"evaluate.every=1 step" --db pace.db
}
pace() {
	given paced && is "$(query pace.db "SELECT count(*), sum(257 / value) < 0.5 * run.wall_seconds
		FROM metric, run WHERE metric.name = 'images_per_second'")" "2|1"
}
ok "images per second count training only, without evaluation" pace

# The split was already evaluated after the last step; the mean over that epoch's steps is another number.
listed_train() {
	given paced && is "$(query pace.db "SELECT count(*), count(DISTINCT sum_nats) FROM metric
		WHERE split = 'train' AND step = 34 AND name IN ('nll', 'final_nll')")" "2|1" &&
		is "$(query pace.db "SELECT count(*) FROM nll_map WHERE split = 'train' AND step = 34")" 1
}
ok "a training split in evaluate.splits has one NLL at the end" listed_train

# A share of each epoch's time.
waits() {
	given paced && is "$(query pace.db "SELECT count(*), min(value) >= 0 AND max(value) < 1
		FROM metric WHERE name = 'data_wait_share'")" "2|1"
}
ok "the share of training time spent waiting for images is on record" waits

{ cat tiny.yaml && echo "reproduces: {table: 4, row: PixelCN}"; } >row.yaml
unknown_row() {
	refused 2 "row.yaml:$(wc -l <row.yaml):29: error: table 4 of the paper has no row 'PixelCN'" \
		pxr_run row.yaml --db none.db && err_has "did you mean 'PixelCNN'?" && ! [ -e none.db ] &&
		refused 2 "no row 'PixelCN'" pxr_run row.yaml --dry-run
}
ok "a row that the paper does not have is refused with its location" unknown_row
ok "a row that the paper has is accepted" pxr_run row.yaml reproduces.row=PixelCNN --dry-run

other_tables() {
	echo "tables: [{table: 4, title: t, unit: nats, split: test, set: s, rows:
		[{row: PixelCN, value: 1}]}]" >own.yaml
	pxr_run row.yaml --paper own.yaml --dry-run && pxr_run row.yaml reproduces.table=7 --dry-run
}
ok "rows of other tables, and of another file of tables, are accepted" other_tables
