#!/bin/sh
# command_stopping.sh - when training stops, and which parameters are its result and its best checkpoint.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

# A learning rate so high that the NLL soon reaches its best value and then varies.
wander() {
	pxr_run tiny.yaml "train.optimizer={sgd: {rate: 2.0, momentum: 0}}" train.clip=1 \
		train.schedule=constant train.average=0 sample.count=0 "$@"
}

curve() {
	query "$1" "SELECT epoch, nats_per_image FROM learning_curve
		WHERE split = 'valid' ORDER BY epoch"
}

# The epochs of the best and of the last value of a learning curve.
best_and_last() {
	awk -F '|' 'NR == 1 || $2 < best { best = $2; at = $1 + 0 } END { print at, $1 + 0 }'
}

make_stopped_1() {
	wander train.patience=1 train.epochs=60 --db stop1.db
}
make_stopped_3() {
	wander train.patience=3 train.epochs=60 --db stop3.db
}
stops() {
	given "stopped_$1" || return
	curve "stop$1.db" >curve
	set -- "$1" $(best_and_last <curve)
	is "$3" $(($2 + $1)) && [ "$3" -lt 60 ]
}
ok "patience 1 stops training after one evaluation without improvement" stops 1
ok "patience 3 stops training after three evaluations in a row without improvement" stops 3

never_stops() {
	wander train.epochs=12 --db never.db || return
	curve never.db >curve
	set -- $(best_and_last <curve)
	is "$2" 12 && awk -F '|' 'NR > 1 && $2 > best { worse = 1 } NR == 1 || $2 < best { best = $2 }
		END { exit !worse }' curve
}
ok "without patience, training continues after a worse evaluation" never_stops

# The result is recorded at the best step, with that step's validation NLL.
filed() {
	pxr_run tiny.yaml "train.optimizer={sgd: {rate: 2.0, momentum: 0}}" train.clip=1 \
		train.schedule=constant train.average=0 train.patience=1 train.epochs=60 \
		--db filed.db || return
	best=$(query filed.db "SELECT step FROM learning_curve WHERE split = 'valid'
		ORDER BY nats_per_image LIMIT 1")
	is "$(query filed.db "SELECT group_concat(DISTINCT step) FROM run_nll")" "$best" &&
		is "$(query filed.db "SELECT max(abs(f.nats_per_image - c.nats_per_image)) < 1e-9
			FROM run_nll f JOIN learning_curve c USING (run, split, step)")" 1 &&
		is "$(query filed.db "SELECT max(step) FROM sample WHERE kind = 'samples' AND
			step <= $best")" "$best" &&
		[ "$(query filed.db "SELECT max(step) FROM metric")" -gt "$best" ] &&
		out_has "the result is of step $best "
}
ok "an early-stopped run's result is recorded at the best step" filed

# The same training, ended at the best epoch, has the same parameters.
same_parameters() {
	given stopped_1 && curve stop1.db >curve || return
	best=$(best_and_last <curve)
	best=${best% *}
	wander train.epochs="$best" --db ended.db &&
		is "$(query ended.db "SELECT parameter_hash FROM run")" \
			"$(query stop1.db "SELECT parameter_hash FROM run")"
}
ok "the parameter hash on record is that of the best step" same_parameters

ok "patience without the validation split in evaluate.splits is refused" \
	refused 2 "evaluate.splits lacks 'valid'" \
	pxr_run tiny.yaml train.patience=2 "evaluate.splits=[test]" --db no.db
ok "patience without evaluations is refused with its location" \
	refused 2 "command line:1:16: error: train.patience requires" pxr_run tiny.yaml train.patience=2 evaluate.every=never --db no.db
no_split() {
	refused 2 "the data set has no validation split" pxr_run tiny.yaml train.patience=2 \
		"data={set: markov_binary, train: 64, valid: 0}" --db no.db && [ ! -e no.db ]
}
ok "patience with a data set without a validation split is refused before anything runs" no_split

# The last step is not one of the regular evaluations.
last_is_best() {
	rm -f last.db
	pxr_run tiny.yaml train.epochs=3 "evaluate={every: $1, splits: [valid]}" --db last.db || return
	best=$(query last.db "SELECT path FROM checkpoint WHERE best")
	is "$(query last.db "SELECT step FROM checkpoint WHERE best")" \
		"$(query last.db "SELECT step FROM run_nll")" && [ -s "$best" ] &&
		"$top/runner/pxr-sample" 1 --db last.db --nll-map valid --json --out map.svg -f >out &&
		is "$(query last.db "SELECT abs(json_extract(CAST(readfile('out') AS TEXT),
			'\$.nats_per_image') - nats_per_image) < 1e-6 FROM run_nll")" 1
}
last_steps() {
	last_is_best "2 epochs" && last_is_best "7 steps" && last_is_best never
}
ok "a result that is better than all evaluations before becomes the best checkpoint" last_steps

last_is_worse() {
	wander train.epochs=12 "evaluate.every=5 epochs" train.checkpoint="1 epoch" --db worse.db || return
	best=$(query worse.db "SELECT step FROM learning_curve WHERE split = 'valid'
		ORDER BY nats_per_image, step LIMIT 1")
	is "$(query worse.db "SELECT step FROM checkpoint WHERE best")" "$best" &&
		is "$(query worse.db "SELECT count(*) FROM learning_curve WHERE split = 'valid'")" 3 &&
		[ -s "$(query worse.db "SELECT path FROM checkpoint WHERE best")" ]
}
ok "a worse result keeps the best checkpoint, which pruning spares" last_is_worse

# The activities that the progress bar shows, in their order.
evaluates_once() {
	needs script
	script -qec "'$top/runner/pxr-run' tiny.yaml train.epochs=1 --db once.db" /dev/null >out 2>err &&
		is "$(tr '\r' '\n' <out | grep -o 'evaluating [a-z]*' | uniq | tr '\n' ' ')" \
			"evaluating valid evaluating test " &&
		is "$(query once.db "SELECT count(*) FROM metric AS m JOIN metric AS f
			USING (split, step, sum_nats, sum_squares, images, dimensions)
			WHERE m.name = 'nll' AND f.name = 'final_nll'")" 2
}
ok "the last parameters are evaluated once, for the curve and the result" evaluates_once
