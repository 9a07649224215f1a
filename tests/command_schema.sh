#!/bin/sh
# command_schema.sh - the JSON Schemas of specs and sweeps: a validator accepts what pxr accepts, and
# refuses what it refuses.
. "${srcdir:-.}/tests/command.sh"
# That of Debian, with its packages.
python=/usr/bin/python3
$python -c 'import jsonschema, yaml' 2>/dev/null ||
	skip_all "the validator is missing: python3-jsonschema and python3-yaml have it"

"$top/runner/pxr-run" --schema >spec.json && "$top/runner/pxr-sweep" --schema >sweep.json || exit 1

# validate SCHEMA FILE...: a line for each file.
validate() {
	$python "$source/tests/validate.py" "$@" >out 2>err
}
# accepted: all files of the last validation are.
accepted() {
	grep -q ': ok$' out && ! grep -v ': ok$' out
}

shipped() {
	validate spec.json "$source"/experiments/*.yaml && accepted && is "$(wc -l <out)" \
		"$(ls "$source"/experiments/*.yaml | wc -l)" &&
		validate sweep.json "$source"/experiments/sweeps/*.yaml && accepted
}
ok "all specs and sweeps that pxr has are valid" shipped

# edit NAME SED: tiny.yaml, edited.
edit() {
	sed "$2" tiny.yaml >"$1.yaml"
	! cmp -s tiny.yaml "$1.yaml"
}

forms() {
	edit empty 's/^sample: .*/sample:/' && edit named 's/^data: .*/data: markov_binary/' &&
		edit null 's/- sigmoid/- sigmoid:/' && edit hex 's/features: 8/features: 0x8/' &&
		edit beside 's/- conv: {mask: A, /- {conv: , mask: A, /' && edit listed 's/evaluate: {/&splits: valid, /' &&
		printf 'extends: [tiny.yaml]\ntrain: {epochs: 3, schedule: {cosine: {last: 0.1}}}\n' >extending.yaml || return
	for spec in *.yaml; do
		pxr_run "$spec" --explain '' || return
	done
	validate spec.json ./*.yaml && accepted
}
ok "all forms of a spec that pxr accepts are valid" forms

wrong() {
	edit key 's/^evaluate:/evalute:/' && edit option 's/kernel: 5/kernl: 5/' && edit name 's/mask: A/mask: C/' &&
		edit range 's/kernel: 5/kernel: 99/' && edit type 's/epochs: 6/epochs: many/' &&
		edit interval 's/every: 1 epoch/every: 5/' && edit choice 's/adam:/adma:/' &&
		edit layer 's/- sigmoid/- sigmod/' && edit inner 's/\[relu,/[rleu,/' &&
		edit several 's/- sigmoid/- {sigmoid: , relu: }/' && edit set 's/set: markov_binary/set: markov/' &&
		edit data 's/limit: 256/limt: 256/' && edit none '/^name/d' && edit epochs '/epochs: 6/d' &&
		edit count 's/- repeat: 2/- repeat: {count: 2}/' && mv tiny.yaml tiny || return
	for spec in *.yaml; do
		exits 2 pxr_run "$spec" --explain '' || return
	done
	validate spec.json ./*.yaml && is "$(wc -l <out)" 15 && ! grep ': ok$' out &&
		out_has "range.yaml: model.0.conv.kernel: 99 is greater than the maximum of 63" &&
		out_has "epochs.yaml: train: 'epochs' is a required property"
}
ok "errors in a spec are found by the validator, too" wrong

# sweep NAME LINE: a sweep of this line.
sweep() {
	printf 'name: s\nspec: tiny.yaml\n%s\n' "$2" >"$1.sweep"
}
sweeps() {
	sweep ok1 'vary: {train.seed: [1, 2], size: {cases: {a: {train.batch: 1}}}}' &&
		sweep ok2 'vary: {train.optimizer.adam.rate: {uniform: [1e-3, .5]}}
search: {random: 3}' && sweep ok3 'vary: {a: {integer: [1, 2]}}
search: {halving: {runs: 9}}
set:' && validate sweep.json ./*.sweep && accepted && rm ./*.sweep && sweep no_values 'vary: {train.seed: []}' &&
		sweep no_vary 'retries: 1' && sweep range 'vary: {a: {unifrom: [1, 2]}}' &&
		sweep bounds 'vary: {a: {uniform: [1]}}' && sweep runs 'vary: {a: [1]}
search: random' && sweep budget 'vary: {a: [1]}
budget: {days: 1}' || return
	for name in *.sweep; do
		exits 2 "$top/runner/pxr-sweep" "$name" --dry-run 2>err || return
	done
	validate sweep.json ./*.sweep && is "$(wc -l <out)" 6 && ! grep ': ok$' out
}
ok "sweeps are checked the same way" sweeps

described() {
	grep -qF '"side of the kernel; odd"' spec.json && grep -qF '"rectified linear unit: max(x, 0)"' spec.json &&
		"$top/runner/pxr-layers" conv >out && out_has "side of the kernel; odd"
}
ok "options and layers have the descriptions that pxr-layers prints" described
