#!/bin/sh
# command_stopping.sh - early stopping: when, and with which parameters.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
plan 8

# A rate so high that training is soon at its best and then wanders.
wander() {
	pxr_run tiny.yaml "train.optimizer={sgd: {rate: 2.0, momentum: 0}}" train.clip=1 \
		train.schedule=constant train.average=0 sample.count=0 "$@"
}

curve() {
	query "$1" "SELECT epoch, nats_per_image FROM learning_curve
		WHERE split = 'valid' ORDER BY epoch"
}

# Of a learning curve: the epoch of the best value, and of the last.
best_and_last() {
	awk -F '|' 'NR == 1 || $2 < best { best = $2; at = $1 + 0 } END { print at, $1 + 0 }'
}

stops() {
	wander train.patience="$1" train.epochs=60 --db "stop$1.db" || return
	curve "stop$1.db" >curve
	set -- "$1" $(best_and_last <curve)
	is "$3" $(($2 + $1)) && [ "$3" -lt 60 ]
}
ok "training stops after one evaluation that is no better" stops 1
ok "training stops after three in a row" stops 3

never_stops() {
	wander train.epochs=12 --db never.db || return
	curve never.db >curve
	set -- $(best_and_last <curve)
	is "$2" 12 && awk -F '|' 'NR > 1 && $2 > best { worse = 1 } NR == 1 || $2 < best { best = $2 }
		END { exit !worse }' curve
}
ok "without patience it does not stop at a worse one" never_stops

# The result stands at the best step, with that step's validation NLL.
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
ok "the result is filed under the best step" filed

# The same training, ended at the best epoch, has the same parameters.
same_parameters() {
	best=$(best_and_last <curve_of_stop)
	best=${best% *}
	wander train.epochs="$best" --db ended.db &&
		is "$(query ended.db "SELECT parameter_hash FROM run")" \
			"$(query stop1.db "SELECT parameter_hash FROM run")"
}
curve stop1.db >curve_of_stop
ok "the hash on record is of the parameters of the best step" same_parameters

ok "patience without the validation split is an error" \
	refused 2 "evaluate.splits lacks 'valid'" \
	pxr_run tiny.yaml train.patience=2 "evaluate.splits=[test]" --db no.db
ok "patience without evaluations is an error at its place" \
	refused 2 "command line:1:16: error: train.patience waits" pxr_run tiny.yaml train.patience=2 evaluate.every=never --db no.db
no_split() {
	refused 2 "the data set has no validation split" pxr_run tiny.yaml train.patience=2 \
		"data={set: markov_binary, train: 64, valid: 0}" --db no.db && [ ! -e no.db ]
}
ok "patience with a data set without validation split is an error before anything runs" no_split
