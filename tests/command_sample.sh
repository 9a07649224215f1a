#!/bin/sh
# command_sample.sh - pxr-sample: pictures, errors, a database that is only read.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

pxr_sample() {
	"$top/runner/pxr-sample" "$@" >out 2>err
}

# A value of the JSON in `out`.
json() {
	query :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '$1')"
}

# text_is PNG KEY TEXT: the picture has this text under this key. Texts in PNG are not compressed here.
text_is() {
	is "$(grep -aobF -e "$2" "$1" | wc -l)" 1 && grep -aqF -e "$3" "$1"
}

cat >small.yaml <<'END2'
name: small
data: {set: markov_rgb, limit: 64, downsample: 4}
model: [conv: {mask: A, kernel: 3, features: 6}, relu, softmax]
train: {batch: 8, micro_batch: 4, epochs: 1}
evaluate: {every: never}
sample: {count: 3}
END2
cat >big.yaml <<'END2'
name: big
data: {set: markov_rgb, limit: 64}
model:
  - multi_scale: {size: 4, features: 3, layers: [conv: {mask: A, kernel: 3, features: 6}]}
  - relu
  - softmax
train: {batch: 8, micro_batch: 4, epochs: 1}
evaluate: {every: never}
sample: {count: 18, seed: 5}
END2

cat >seven.yaml <<'END2'
name: seven
data: {set: markov_rgb, limit: 8, levels: 7}
model: [conv: {mask: A, kernel: 3, features: 6}, relu, softmax]
train: {batch: 8, micro_batch: 4, epochs: 1}
evaluate: {every: never}
END2

cat >folder.yaml <<'END2'
name: folder
data: {set: png_folder, path: folder}
model: [conv: {mask: A, kernel: 3, features: 6}, relu, softmax]
train: {batch: 8, micro_batch: 4, epochs: 1}
evaluate: {every: never}
END2

# Runs 1 (tiny), 2 (small) and 3 (big), which all cases draw from.
pxr_run tiny.yaml --db a.db --out pictures && pxr_run small.yaml --db a.db --out pictures &&
	pxr_run big.yaml --db a.db --out pictures || exit 1
rm -f out err

# pxr_convert FOLDER SET KEY=VALUE...: write a data set as PNG files, of which $file is the first.
pxr_convert() {
	folder=$1
	shift
	"$top/runner/pxr-data" convert "$@" --out "$folder" -q >out 2>err &&
		file=$(find "$folder" -name '*.png' | grep test | sort | head -n 1) && [ -s "$file" ]
}

# --- samples --------------------------------------------------------------------------------------

same_as_the_run() {
	pxr_sample 1 --db a.db --checkpoint last --out plain.png && out_has "4 samples" &&
		cmp plain.png pictures/run-1-samples-00000096.png
}
ok "samples of the last checkpoint are the same as the run's own" same_as_the_run

same_given_small() {
	pxr_sample big --from data --db a.db --checkpoint last --out given.png &&
		cmp given.png pictures/run-3-samples-00000008.png &&
		text_is given.png pxr:given "small versions of the data set's images, valid:0 on"
}
ok "a conditional run is given the same small images as while it was trained" same_given_small

same_bits() {
	pxr_sample big --from data --db a.db --count 40 --threads 1 --out one.png &&
		pxr_sample big --from data --db a.db --count 40 --threads 3 --batch 32 --out two.png &&
		pxr_sample big --from data --db a.db --count 40 --threads 2 --batch 7 --out three.png &&
		cmp one.png two.png && cmp one.png three.png
}
ok "samples do not depend on --threads and --batch" same_bits

texts_there() {
	hash=$(query a.db "SELECT parameter_hash FROM run WHERE id = 1")
	nats=$(query a.db "SELECT printf('test %.4f nats/image', nats_per_image) FROM run_nll
		WHERE run = 1 AND split = 'test'")
	uid=$(query a.db "SELECT uid FROM run WHERE id = 1")
	pxr_sample 1 --db a.db --checkpoint last --out plain.png || return
	for picture in plain.png pictures/run-1-samples-00000096.png; do
		text_is $picture pxr:run 1 && text_is $picture pxr:uid "$uid" &&
			text_is $picture pxr:name tiny && text_is $picture pxr:step 96 &&
			text_is $picture pxr:parameters "$hash" && text_is $picture pxr:nll "$nats" &&
			text_is $picture pxr:seed 1 && text_is $picture pxr:temperature 1 || return
	done
}
ok "a picture's texts name its run, step, parameters, NLL, seed and temperature" texts_there

# At the last step the result on the test split; at earlier steps what was evaluated then, if anything.
rows_hold_the_same() {
	picture=pictures/run-1-samples-00000096.png
	is "$(query a.db "SELECT seed, temperature, count, parameter_hash = (SELECT parameter_hash FROM
			run WHERE id = 1), nll_split FROM sample WHERE run = 1 AND kind = 'samples' AND step = 96")" \
		"1|1.0|4|1|test" &&
		text_is $picture pxr:log_likelihood "$(query a.db "SELECT printf('%.4f', log_likelihood)
			FROM sample WHERE run = 1 AND kind = 'samples' AND step = 96")" &&
		text_is $picture pxr:nll "$(query a.db "SELECT printf('test %.4f nats/image', nll)
			FROM sample WHERE run = 1 AND kind = 'samples' AND step = 96")" &&
		picture=pictures/run-1-samples-00000032.png &&
		text_is $picture pxr:parameters "$(query a.db "SELECT parameter_hash FROM sample WHERE
			run = 1 AND step = 32 AND kind = 'samples'")" &&
		is "$(query a.db "SELECT s.nll = n.nats_per_image, nll_split FROM sample AS s JOIN nll AS n
			USING (run, step) WHERE run = 1 AND step = 32 AND n.name = 'nll' AND kind = 'samples'
			AND split = nll_split")" "1|test" &&
		is "$(query a.db "SELECT count(*) FROM sample WHERE kind <> 'samples' AND coalesce(nll,
			temperature, parameter_hash, log_likelihood) IS NOT NULL")" 0 &&
		pxr_sample 1 --db a.db --checkpoint last --json --out plain.png &&
		is "$(query a.db "SELECT abs(log_likelihood - (SELECT avg(json_extract(value,
			'\$.log_likelihood')) FROM json_each(CAST(readfile('out') AS TEXT), '\$.images'))) < 1e-9
			FROM sample WHERE run = 1 AND kind = 'samples' AND step = 96")" 1
}
ok "a sample's row in the database has the same facts as its picture" rows_hold_the_same

nll_of_its_step() {
	nats=$(query a.db "SELECT printf('%s %.4f nats/image', nll_split, nll) FROM sample
		WHERE run = 1 AND step = 32 AND kind = 'samples'")
	text_is pictures/run-1-samples-00000032.png pxr:step 32 &&
		text_is pictures/run-1-samples-00000032.png pxr:nll "$nats" &&
		pxr_sample 1 --db a.db --checkpoint 95 --out early.png && ! grep -aqF pxr:nll early.png
}
ok "a picture of an earlier step has the NLL of that step, if there is one" nll_of_its_step

seed_and_temperature() {
	pxr_sample 1 --db a.db --seed 7 --temperature 0.5 --out cold.png &&
		text_is cold.png pxr:seed 7 && text_is cold.png pxr:temperature 0.5 &&
		! cmp -s cold.png pictures/run-1-samples-00000096.png
}
ok "a picture's texts have the seed and temperature of the command line" seed_and_temperature

# An image's log-likelihood does not depend on how many others are drawn.
prints_likelihoods() {
	pxr_sample 1 --db a.db --count 3 --json --out j.png && first=$(json '$.images[2]') &&
		is "$(json '$.count')" 3 && is "$(json '$.out')" j.png &&
		pxr_sample 1 --db a.db --count 4 --json --out j.png --force &&
		is "$(json '$.images[2]')" "$first" && json '$.images[2].log_likelihood' | grep -q '^-'
}
ok "--json prints each image's log-likelihood" prints_likelihoods

# Of 32 draws of one pixel, some give the value it has in the image; --nll-map prints that image's nats.
likelihood_is_the_evaluators() {
	pxr_sample 1 --db a.db --nll-map test:3 --json --out map.svg &&
		nats=$(json '$.nats_per_image') &&
		pxr_sample 1 --db a.db --complete test:3 --occlude rect:11,11,1,1 --count 32 --json \
			--out one.png &&
		is "$(query :memory: "SELECT min(abs(json_extract(value, '\$.log_likelihood') + $nats)) < 1e-3
			FROM json_each(CAST(readfile('out') AS TEXT), '\$.images')")" 1
}
ok "log-likelihoods of samples are those of the evaluation" likelihood_is_the_evaluators

checkpoints() {
	pxr_sample 1 --db a.db --checkpoint 95 --out step.png && text_is step.png pxr:step 95 &&
		refused 2 "no checkpoint of step 77" pxr_sample 1 --db a.db --checkpoint 77 --out n.png &&
		err_has "there is one of step 95" && ! [ -e n.png ]
}
ok "a checkpoint is chosen by its step" checkpoints

lost_checkpoint() {
	cp -r a.db lost.db && cp -r a.checkpoints lost.checkpoints &&
		query lost.db "UPDATE checkpoint SET path = replace(path, 'a.checkpoints', 'lost.checkpoints')" &&
		last=$(query lost.db "SELECT path FROM checkpoint WHERE run = 1 AND step = 96") &&
		printf x >>"$last" &&
		refused 2 "its SHA-256 differs" pxr_sample 1 --db lost.db --checkpoint last --out n.png &&
		err_has "note: there is one of step 95" && ! err_has "step 96 (" && rm "$last" &&
		refused 2 "$last" pxr_sample 1 --db lost.db --checkpoint last --out n.png &&
		err_has "note: there is one of step 95" && ! err_has "of step 96" &&
		rm -r lost.checkpoints && exits 2 pxr_sample 1 --db lost.db --checkpoint last --out n.png &&
		! err_has "there is one"
}
ok "a missing or changed checkpoint is refused, with the other checkpoints' steps" lost_checkpoint

quiet() {
	pxr_sample 1 --db a.db -q --out quiet.png && ! [ -s out ] && ! [ -s err ] && [ -s quiet.png ]
}
ok "--quiet prints nothing" quiet

# Another file of a layer is allowed, another model is not.
another_build() {
	pxr_sample 1 --db a.db --out plain.png && query a.db "UPDATE plugin SET sha256 = 'x' WHERE name = 'relu'" &&
		pxr_sample 1 --db a.db --out build.png && cmp build.png plain.png &&
		err_has "warning: run 1 was made by another build (pxr " && err_has "; layers relu x (here " &&
		err_has "its last bits may differ" &&
		query a.db "UPDATE plugin SET version = '0.0.1' WHERE name = 'relu'" &&
		pxr_sample 1 --db a.db --out build.png -f && cmp build.png plain.png &&
		err_has "; layers relu 0.0.1 (here " && is "$(wc -l <err)" 1
}
ok "another build of a layer samples the run, with a warning" another_build

other_model() {
	query a.db "UPDATE run SET certificate = 'x' WHERE id = 1" &&
		refused 2 "the layers no longer build the same one from its spec" \
			pxr_sample 1 --db a.db --out other.png && ! [ -e other.png ]
}
ok "layers that build another model are refused" other_model

not_overwritten() {
	cp pictures/run-1-samples-00000096.png plain.png &&
		refused 2 "plain.png: already exists" pxr_sample 1 --db a.db --seed 9 --out plain.png &&
		err_has "note: use --force to overwrite it" && cmp plain.png pictures/run-1-samples-00000096.png &&
		pxr_sample 1 --db a.db --seed 9 --out plain.png -f &&
		! cmp -s plain.png pictures/run-1-samples-00000096.png
}
ok "a picture is overwritten only with --force" not_overwritten

next_name() {
	mkdir names && cd names && pxr_sample 1 --db ../a.db --count 1 && cp samples.png first &&
		pxr_sample 1 --db ../a.db --count 1 --seed 9 && out_has "in samples-2.png" &&
		pxr_sample 1 --db ../a.db --count 1 --json && out_has '"samples-3.png"' &&
		cmp samples.png first && ! cmp -s samples-2.png first &&
		pxr_sample 1 --db ../a.db --nll-map valid && pxr_sample 1 --db ../a.db --nll-map valid &&
		out_has "in nll-map-2.svg" && pxr_sample 1 --db ../a.db --count 1 --seed 9 -f &&
		cmp samples.png samples-2.png
}
ok "without --out, a picture gets the next free name" next_name

# --- chains ---------------------------------------------------------------------------------------

chain() {
	pxr_sample big --from small --db a.db --seed 4 --json --out chain.png && ! [ -s err ] &&
		is "$(json '$.from[0].name')" small && is "$(json '$.count')" 18 &&
		is "$(json '$.seed')" 4 && is "$(json '$.from[0].seed')" "" &&
		first=$(json '$.from[0].images[17]') && grep -aqF "from run 2 (" chain.png &&
		pxr_sample small --db a.db --seed 4 --count 18 --json --out alone.png &&
		is "$(json '$.images[17]')" "$first"
}
ok "--from RUN gives a conditional run the images that RUN draws" chain

other_data() {
	pxr_run small.yaml data.limit=32 name=part --db a.db &&
		pxr_sample big --from part --db a.db --out part.png -q && is "$(wc -l <err)" 1 &&
		err_has "('part') was trained on other images (markov_rgb) than the small versions that run"
}
ok "a run of other data given by --from is a warning" other_data

misfits() {
	refused 2 "is given images of 4x4x3 with 4 levels, but run 3 ('big') draws 8x8x3" \
		pxr_sample big --from big --from data --db a.db --out m.png &&
		refused 2 "run 2 ('small') is not given small images" \
			pxr_sample small --from tiny --db a.db --out m.png && ! [ -e m.png ]
}
ok "--from refuses runs whose images do not fit" misfits

nothing_given() {
	refused 2 "run 3 ('big') is conditional: what small images is it given?" \
		pxr_sample big --db a.db --out m.png &&
		err_has "'--from RUN' has them drawn by a run of 4x4 images" && err_has "'--from data'" &&
		refused 2 "run 3 ('big') is conditional" \
			pxr_sample big --db a.db --softmax 0,0 --out m.svg &&
		err_has "'--from data'" && ! err_has "'--from RUN'" &&
		refused 2 "run 2 ('small') is not given small images" \
			pxr_sample big --from small --from data --db a.db --out m.png &&
		! [ -e m.png ] && ! [ -e m.svg ]
}
ok "a conditional run without --from is refused, with what --from can be" nothing_given

# --- completions ----------------------------------------------------------------------------------

completes() {
	pxr_sample 1 --db a.db --complete valid:0,7 --count 3 --json --out c.png &&
		is "$(json '$.images[5].of') $(json '$.images[5].completion')" "valid:7 2" &&
		is "$(json '$.exact') $(json '$.occluded')" "1 bottom:0.5" &&
		text_is c.png pxr:occluded bottom:0.5 &&
		text_is c.png pxr:images "valid:0, valid:7"
}
ok "--complete completes images of the data set" completes

# The log-likelihoods of the completions of an image, in their order.
completions_of() {
	query :memory: "SELECT json_extract(value, '\$.completion'),
			round(json_extract(value, '\$.log_likelihood'), 4)
		FROM json_each(CAST(readfile('out') AS TEXT), '\$.images')
		WHERE json_extract(value, '\$.of') = '$1'"
}

same_in_company() {
	pxr_sample 1 --db a.db --complete valid:7 --count 3 --json --out c.png &&
		alone=$(completions_of valid:7) && is "$(echo "$alone" | wc -l)" 3 &&
		is "$(echo "$alone" | cut -d '|' -f 2 | sort -u | wc -l)" 3 &&
		pxr_sample 1 --db a.db --complete valid:0,7,2 --count 40 --json --out c.png -f &&
		is "$(completions_of valid:7 | head -n 3)" "$alone"
}
ok "a completion does not depend on which others are drawn" same_in_company

# With every pixel occluded, both log-likelihoods are equal. With only the last pixel occluded, that of the
# drawn pixel is in the NLL map if the same value was drawn, and the difference is that of the known pixels,
# equal for all completions.
likelihood_of_what_is_drawn() {
	pxr_sample 1 --db a.db --complete valid:7 --occlude bottom:1 --json --out c.png &&
		is "$(query :memory: "SELECT count(*), max(abs(json_extract(value, '\$.log_likelihood') -
			json_extract(value, '\$.drawn_log_likelihood'))) < 1e-3
			FROM json_each(CAST(readfile('out') AS TEXT), '\$.images')")" "4|1" &&
		pxr_sample 1 --db a.db --nll-map test:3 --json --out map.svg &&
		bits=$(json '$.bits_per_pixel[11][11]') &&
		pxr_sample 1 --db a.db --complete test:3 --occlude rect:11,11,1,1 --count 32 --json \
			--out one.png &&
		is "$(query :memory: "SELECT min(abs(json_extract(value, '\$.drawn_log_likelihood') +
			$bits * ln(2))) < 1e-4, count(DISTINCT round(json_extract(value, '\$.log_likelihood') -
			json_extract(value, '\$.drawn_log_likelihood'), 2))
			FROM json_each(CAST(readfile('out') AS TEXT), '\$.images')")" "1|1" &&
		pxr_sample 1 --db a.db --complete valid:7 --out c.png -f &&
		grep -q "4 completions, log-likelihood of the drawn pixels -.*, log-likelihood of all pixels -" out &&
		pxr_sample 1 --db a.db --out c.png -f && ! grep -q "drawn pixels" out
}
ok "a completion has the log-likelihood of the drawn pixels and of the whole image" likelihood_of_what_is_drawn

# The small version is of the image that is completed, not of the completion.
likelihood_given_the_small() {
	pxr_sample big --db a.db --complete valid:0 --occlude bottom:1 --json --out c.png &&
		is "$(query :memory: "SELECT count(*), max(abs(json_extract(value, '\$.log_likelihood') -
			json_extract(value, '\$.drawn_log_likelihood'))) < 1e-2
			FROM json_each(CAST(readfile('out') AS TEXT), '\$.images')")" "4|1"
}
ok "a completion by a conditional run has both log-likelihoods, given the same small image" likelihood_given_the_small

says_not_exact() {
	pxr_sample 1 --db a.db --complete valid:0 --occlude top:0.5 --out top.png &&
		out_has "was drawn given the pixels before it, not those after it"
}
ok "a completion that is not from the exact conditional distribution is reported as such" says_not_exact

says_what_is_given() {
	pxr_sample big --from data --db a.db --out b.png && out_has "given its 4x4 version" &&
		pxr_sample big --db a.db --complete valid:0 --out bc.png &&
		out_has "given its 4x4 version" && out_has "the small versions show part of what is hidden" &&
		text_is bc.png pxr:given "its 4x4 version" &&
		pxr_sample big --db a.db --complete valid:0 --out bc.png --json -f &&
		is "$(json '$.exact') $(json '$.given')" "0 4x4" &&
		pxr_sample big --db a.db --nll-map test --out b.svg && out_has "given its 4x4 version" &&
		grep -q "<title>.*bits an image given its 4x4 version" b.svg &&
		grep -q "^pxr:given: its 4x4 version" b.svg &&
		pxr_sample big --db a.db --nll-map test --out b.svg -f --json && is "$(json '$.given')" 4x4 &&
		pxr_sample big --from data --db a.db --softmax 0,0 --out b.svg -f && out_has "given its 4x4 version" &&
		grep -q "^pxr:given: its 4x4 version" b.svg &&
		pxr_sample 1 --db a.db --nll-map test --out b.svg -f && ! grep -q given b.svg out
}
ok "output and texts of pictures name what a conditional model is given" says_what_is_given

of_a_file() {
	pxr_convert files markov_binary limit=2 &&
		pxr_sample 1 --db a.db --complete "$file" --json --out f.png && file_says=$(json '$.images') &&
		pxr_sample 1 --db a.db --complete test:0 --json --out g.png &&
		is "$(json '$.images' | sed 's/"of":"[^"]*"//g')" \
			"$(echo "$file_says" | sed 's/"of":"[^"]*"//g')"
}
ok "a PNG file has the same completions as the image in the data set" of_a_file

any_name() {
	odd=$(printf 'o\001\377.png') && pxr_convert files markov_binary limit=2 && cp "$file" "$odd" &&
		pxr_sample 1 --db a.db --complete "$odd" --json --out "$(printf 'p\377.png')" &&
		is "$(json '$.images[0].of') $(json '$.out')" 'o\x01\xff.png p\xff.png' &&
		text_is "$(printf 'p\377.png')" pxr:images 'o\x01\xff.png' &&
		pxr_sample 1 --db a.db --softmax 1,1 --image "$odd" --out odd.svg &&
		grep -qF 'o\x01\xff.png' odd.svg && ! grep -q "$(printf '\001')" odd.svg &&
		pxr_sample 1 --db a.db --nll-map "$odd" --json --out odd.svg -f &&
		is "$(json '$.of')" 'o\x01\xff.png' && grep -q '<title>Run .*, o.x01.xff.png: ' odd.svg &&
		! grep -q "$(printf '[\001\377]')" odd.svg
}
ok "a file name that is not UTF-8 is escaped in pictures and JSON" any_name

# 255 is not a multiple of 6: pictures of seven levels have rounded values, as pxr-data writes them.
of_seven_levels() {
	pxr_run seven.yaml --db seven.db && pxr_convert p7 markov_rgb limit=2 levels=7 &&
		is "$file" p7/test/0000000.png &&
		pxr_sample 1 --db seven.db --complete "$file" --json --out s.png &&
		file_says=$(json '$.images' | sed 's/"of":"[^"]*"//g') &&
		pxr_sample 1 --db seven.db --complete test:0 --json --out s.png -f &&
		is "$(json '$.images' | sed 's/"of":"[^"]*"//g')" "$file_says"
}
ok "a PNG file of seven levels is read as the image in the data set" of_seven_levels

not_black_and_white() {
	pxr_convert greys markov_rgb limit=2 grey=true rows=12 cols=12 &&
		refused 2 "is not one of 2 levels from 0 to 255: make it black and white" \
			pxr_sample 1 --db a.db --complete "$file" --out n.png && ! [ -e n.png ]
}
ok "a model of black and white images refuses a PNG with shades of grey" not_black_and_white

wrong_size() {
	pxr_convert colours markov_rgb limit=2 rows=12 cols=12 &&
		refused 2 "expected a grey image, got colour" \
			pxr_sample 1 --db a.db --complete "$file" --out n.png &&
		pxr_convert sizes markov_binary limit=2 rows=11 &&
		refused 2 "expected 12 x 12 pixels, got 11 x 12" \
			pxr_sample 1 --db a.db --complete "$file" --out n.png
}
ok "a PNG of another size or of colour is refused" wrong_size

bad_images() {
	refused 2 "counted from 0: there is no number 256" \
		pxr_sample 1 --db a.db --complete valid:256 --out n.png &&
		refused 2 "there is no number 99999999999999999999" \
			pxr_sample 1 --db a.db --complete valid:0,99999999999999999999 --out n.png &&
		refused 2 "SPLIT:NUMBER[,NUMBER...]" pxr_sample 1 --db a.db --complete valid:1, --out n.png &&
		refused 2 "cannot open nothere.png" \
			pxr_sample 1 --db a.db --complete nothere.png --out n.png &&
		err_has "SPLIT:NUMBER[,NUMBER...]" &&
		refused 2 "tset:0,1: there is no split 'tset'" \
			pxr_sample 1 --db a.db --complete tset:0,1 --out n.png &&
		refused 2 "there is no split 'tset'" \
			pxr_sample 1 --db a.db --nll-map tset --out n.svg &&
		refused 2 "invalid region 'middle'" \
			pxr_sample 1 --db a.db --complete valid:1 --occlude middle --out n.png && ! [ -e n.png ]
}
ok "unknown images, splits, files and regions are refused" bad_images

# --- plain images ---------------------------------------------------------------------------------

# An image that was drawn is the same image when its file is evaluated, completed or trained on.
make_drawn() {
	pxr_sample 1 --db a.db --count 12 --images drawn --json && cp out printed
}
plain_images() {
	given drawn && uid=$(query a.db "SELECT uid FROM run WHERE id = 1") && cp printed out &&
		is "$(json '$.folder')" drawn &&
		is "$(json '$.out')" "" && is "$(ls drawn | wc -l)" 12 && ! [ -e samples.png ] || return
	for i in 0 11; do
		file=drawn/00000$(printf '%02d' $i).png
		pxr_sample 1 --db a.db --count 12 --images again$i --json &&
			log=$(json "\$.images[$i].log_likelihood") &&
			text_is $file pxr:image $i && text_is $file pxr:seed 1 && text_is $file pxr:uid "$uid" &&
			text_is $file pxr:log_likelihood "$(printf '%.4f' "$log")" &&
			pxr_sample 1 --db a.db --nll-map $file --json --out plain.svg -f &&
			is "$(query :memory: "SELECT abs($(json '$.nats_per_image') + $log) < 1e-3")" 1 || return
	done
	diff -r drawn again11 &&
		pxr_sample 1 --db a.db --complete drawn/0000003.png --occlude rect:11,11,1,1 --count 9 \
			--images back --out back.png && [ -s back.png ] && is "$(ls back | wc -l)" 9 &&
		"$top/runner/pxr-data" info png_folder path=drawn >out 2>err && out_has 12
}
ok "--images writes each sample as a file, which can be read again" plain_images

plain_completions() {
	pxr_sample 1 --db a.db --complete valid:0,7 --count 2 --images parts --json || return
	file=parts/0000003.png
	is "$(json '$.images[3].of') $(json '$.images[3].completion')" "valid:7 1" &&
		text_is $file pxr:of valid:7 && text_is $file pxr:completion 1 &&
		text_is $file pxr:occluded bottom:0.5 && text_is $file pxr:drawn_log_likelihood \
		"$(printf '%.4f' "$(json '$.images[3].drawn_log_likelihood')")"
}
ok "--images writes each completion as a file" plain_completions

trains_on_them() {
	given drawn && pxr_run folder.yaml data.path=drawn --db drawn.db && pxr_sample last --db drawn.db \
		--nll-map train --out drawn.svg && out_has "all 12 images of train"
}
ok "the files that --images writes are a data set" trains_on_them

folder_refused() {
	given drawn && refused 2 "drawn: the folder is not empty" pxr_sample 1 --db a.db --images drawn -f &&
		refused 2 "--images is only for samples and completions" \
			pxr_sample 1 --db a.db --nll-map test --images none &&
		refused 2 "cannot write no/such" pxr_sample 1 --db a.db --images no/such &&
		! [ -e none ]
}
ok "--images refuses a folder that is not empty or cannot be created" folder_refused

# --- looking into the model -----------------------------------------------------------------------

distributions() {
	pxr_sample small --db a.db --softmax 1,2 --softmax 0,3,green --image test:1 --json &&
		is "$(json '$.distributions[3].colour') $(json '$.distributions[3].row')" "green 0" &&
		is "$(query :memory: "SELECT abs(sum(value) - 1) < 1e-9 FROM json_each(
			CAST(readfile('out') AS TEXT), '\$.distributions[0].probabilities')")" 1 &&
		is "$(grep -c 'font-weight="bold"' softmax.svg)" 4 && grep -q "^pxr:run: 2$" softmax.svg
}
ok "--softmax plots distributions, and --json prints them" distributions

distribution_of_a_sample() {
	pxr_sample 1 --db a.db --softmax 0,0 --out sample.svg --temperature 0.7 &&
		grep -q "a sample, row 0, column 0" sample.svg && grep -q "^pxr:seed: 1$" sample.svg &&
		grep -q "^pxr:temperature: 0.7$" sample.svg &&
		pxr_sample 1 --db a.db --softmax 0,0 --image test:0 --out sample.svg -f &&
		! grep -q pxr:seed sample.svg
}
ok "--softmax without --image uses a sample" distribution_of_a_sample

# The first pixel's distribution does not depend on the image. At temperature 0.5 it is p squared, normalized.
distribution_at_its_temperature() {
	pxr_sample small --db a.db --softmax 0,0,red --json --out t.svg -f &&
		is "$(json '$.temperature')" 1.0 &&
		wanted=$(query :memory: "WITH p AS (SELECT value * value AS square FROM json_each(
			CAST(readfile('out') AS TEXT), '\$.distributions[0].probabilities'))
			SELECT group_concat(printf('%.5f', square / (SELECT sum(square) FROM p)), ' ') FROM p") &&
		! grep -q "at temperature" t.svg &&
		pxr_sample small --db a.db --softmax 0,0,red --json --out t.svg -f --temperature 0.5 &&
		is "$(query :memory: "SELECT group_concat(printf('%.5f', value), ' ') FROM json_each(
			CAST(readfile('out') AS TEXT), '\$.distributions[0].probabilities')")" "$wanted" &&
		grep -q "<title>Distributions of .*, at temperature 0.5<" t.svg
}
ok "--softmax plots the distributions at the temperature of the sample" distribution_at_its_temperature

bad_pixels() {
	refused 2 "there is no pixel 4,0" pxr_sample small --db a.db --softmax 4,0 --out n.svg &&
		refused 2 "a colour is red, green or blue" \
			pxr_sample small --db a.db --softmax 0,0,mauve --out n.svg &&
		refused 2 "images are grey" pxr_sample 1 --db a.db --softmax 0,0,red --out n.svg &&
		refused 2 "'1;2' is not a pixel" pxr_sample 1 --db a.db --softmax '1;2' --out n.svg &&
		! [ -e n.svg ]
}
ok "--softmax refuses pixels and colours that do not exist" bad_pixels

map_adds_up() {
	pxr_sample 1 --db a.db --checkpoint last --nll-map test --json &&
		nats=$(query a.db "SELECT nats_per_image FROM run_nll WHERE run = 1 AND split = 'test'") &&
		is "$(query :memory: "SELECT abs(sum(b.value) * ln(2) - $nats) < 1e-9 FROM
			json_each(CAST(readfile('out') AS TEXT), '\$.bits_per_pixel') AS a,
			json_each(a.value) AS b")" 1 &&
		is "$(grep -c '<title>row ' nll-map.svg)" 144
}
ok "the bits of --nll-map add up to the run's NLL" map_adds_up

few_images() {
	pxr_sample 1 --db a.db --nll-map valid --count 10 --out few.svg &&
		out_has "the first 10 of 256 images of valid: " &&
		grep -q "<title>.*(tiny), the first 10 of 256 images of valid: .* bits an image, in the mean<" \
			few.svg && grep -q "^pxr:images: the first 10 of 256 images of valid$" few.svg &&
		pxr_sample 1 --db a.db --nll-map valid --count 10 --out few.svg -f --json &&
		is "$(json '$.of') $(json '$.images') $(json '$.of_images')" "valid 10 256" &&
		pxr_sample 1 --db a.db --nll-map valid --out few.svg -f && out_has "all 256 images of valid:" &&
		pxr_sample 1 --db a.db --nll-map valid:3,4 --out few.svg -f && out_has "valid:3,4:"
}
ok "--nll-map --count evaluates a part of a split, and says so" few_images

too_many_images() {
	refused 2 "'test' has 256 images: there are not 257" \
		pxr_sample 1 --db a.db --nll-map test --count 257 --out n.svg &&
		refused 2 "'test:3' has 1 image: there are not 2" \
			pxr_sample 1 --db a.db --nll-map test:3 --count 2 --out n.svg && ! [ -e n.svg ]
}
ok "--nll-map refuses a --count of more images than there are" too_many_images

# --- arguments ------------------------------------------------------------------------------------

senseless() {
	refused 2 "exclude each other" pxr_sample 1 --db a.db --complete valid:0 --nll-map test &&
		refused 2 "--occlude needs --complete" pxr_sample 1 --db a.db --occlude top:0.5 &&
		refused 2 "--image needs --softmax" pxr_sample 1 --db a.db --image test:0 &&
		refused 2 "nothing is drawn" pxr_sample 1 --db a.db --nll-map test --seed 3 &&
		refused 2 "--from RUN is only for plain samples" \
			pxr_sample big --from small --db a.db --complete valid:0 &&
		refused 2 "--from data has no effect here" \
			pxr_sample big --from data --db a.db --complete valid:0 &&
		refused 2 "--from data must be the last --from" \
			pxr_sample big --from data --from small --db a.db &&
		refused 2 "expected a name that ends with .png" pxr_sample 1 --db a.db --out x.jpg &&
		refused 2 "--temperature: expected a number from 0.001 to 1000, got '0'" pxr_sample 1 --db a.db --temperature 0 &&
		refused 2 "--seed: expected a whole number of at least 0, got '99999999999999999999'" \
			pxr_sample 1 --db a.db --seed 99999999999999999999 &&
		refused 2 "--batch: expected a whole number from 1 to 65536" pxr_sample 1 --db a.db --batch 0 &&
		refused 2 "Usage: pxr-sample" pxr_sample --db a.db
}
ok "options that exclude or need each other are refused" senseless

no_run() {
	refused 2 "none.db: no such database" pxr_sample 1 --db none.db && ! [ -e none.db ] &&
		refused 2 "no run" pxr_sample 99 --db a.db && refused 2 "no run" pxr_sample nobody --db a.db
}
ok "a missing database and an unknown run are refused" no_run

other_data() {
	refused 2 "/nowhere: the run's data set (markov_binary) is not read from files" \
		pxr_sample 1 --db a.db --complete valid:0 --data /nowhere --out n.png
}
ok "--data is refused if the run's data set is not read from files" other_data

needless_data() {
	refused 2 "--data /nowhere has no effect here: the run's data set is not used" \
		pxr_sample 1 --db a.db --data /nowhere --out n.png &&
		refused 2 "has no effect here" \
			pxr_sample 1 --db a.db --complete pictures/run-1-samples-00000096.png --data /nowhere --out n.png &&
		refused 2 "has no effect here" \
			pxr_sample big --from small --from 1 --db a.db --data /nowhere --out n.png &&
		refused 2 "(markov_rgb) is not read from files" \
			pxr_sample big --from data --db a.db --data /nowhere --out n.png && ! [ -e n.png ]
}
ok "--data is refused if no data set is read" needless_data

# YAML would read each of these names as something else.
moved_data() {
	pxr_convert folder markov_binary limit=8 && pxr_run folder.yaml --db folder.db || return
	was=folder
	for name in 'a: b' 1 null 'x #y' '"q'; do
		mv "$was" "$name" && was=$name && pxr_sample 1 --db folder.db --complete test:0 \
			--data "$name" --out moved.png -f || return
	done
	refused 2 "true: no such file or folder" \
		pxr_sample 1 --db folder.db --complete test:0 --data true --out moved.png -f &&
		! err_has "data.path="
}
ok "--data takes a folder of any name" moved_data

# --- whole or not at all --------------------------------------------------------------------------

cannot_write() {
	refused 2 "cannot write no/such/x.png" pxr_sample 1 --db a.db --out no/such/x.png &&
		mkdir folder.png && refused 2 "not a plain file" \
		pxr_sample 1 --db a.db --out folder.png -f
}
ok "a picture that cannot be written is refused before it is drawn" cannot_write

# The limit is below the size of the grid, and above that of each image and of SQLite's files.
both_or_neither() {
	(trap '' XFSZ && ulimit -f 70 && exec "$top/runner/pxr-sample" 1 --db a.db --count 4096 \
		--images both --out both.png -q) >out 2>err
	[ $? -eq 1 ] && err_has "both.png" && is "$(find . -name 'both*')" "" &&
		pxr_sample 1 --db a.db --count 4096 --images both --out both.png && [ -s both.png ] &&
		is "$(ls both | wc -l)" 4096
}
ok "if a picture cannot be finished, its images are removed too" both_or_neither

# The right moment, after the preparation and before the end, depends on the machine.
interrupted_after() {
	"$top/runner/pxr-sample" big --from data --db a.db --count 60000 --threads 1 --out long.png -f >out 2>err &
	drawing=$!
	sleep "$1"
	kill -TERM $drawing
	wait $drawing
	[ $? -eq 130 ]
}
interrupted() {
	for seconds in 0.3 0.1 0.6 1 2 4; do
		interrupted_after $seconds && break
		rm -f long.png
	done
	err_has "nothing was written" && is "$(ls | grep '^long')" ""
}
ok "an interrupted command leaves no incomplete file" interrupted

database_untouched() {
	before=$(cksum a.db && ls -R a.checkpoints && ls)
	pxr_sample 1 --db a.db --out x.png && pxr_sample 1 --db a.db --complete valid:0 --out y.png &&
		pxr_sample 1 --db a.db --nll-map test --out x.svg && rm x.png y.png x.svg out err &&
		is "$(cksum a.db && ls -R a.checkpoints && ls)" "$before"
}
ok "sampling does not change the database and its folder" database_untouched

# As root, the folder can be written all the same.
read_only_folder() {
	mkdir locked && cp -R a.db a.checkpoints locked && chmod a-w locked locked/a.db &&
		pxr_sample 1 --db locked/a.db --out locked.png && [ -s locked.png ] &&
		is "$(ls locked)" "$(printf 'a.checkpoints\na.db')"
	status=$?
	chmod u+w locked
	return $status
}
ok "a database in a read-only folder can be sampled" read_only_folder

relative() {
	mkdir elsewhere && cd elsewhere && pxr_sample last --from data --db ../a.db --count 1 &&
		[ -s samples.png ]
}
ok "a run is sampled from another folder" relative
