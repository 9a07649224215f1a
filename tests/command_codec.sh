#!/bin/sh
# command_codec.sh - pxr-codec: files of the size that the NLL predicts, images decoded to the last pixel,
# errors.
. "${srcdir:-.}/tests/command.sh"

pxr_codec() {
	"$top/runner/pxr-codec" "$@" >out 2>err
}

pxr_data() {
	"$top/runner/pxr-data" "$@" >out 2>err
}

sed -i 's/epochs: 6/epochs: 1/' tiny.yaml
pxr_run tiny.yaml --db a.db --seed 1 && pxr_run tiny.yaml --db a.db --seed 2 name=other &&
	pxr_data convert markov_binary limit=256 --out "$scratch/set" && ln -s "$scratch/set" set || exit 1
rm -f out err

# The whole test split, compressed, and 20 images of it, compressed and decoded into the folder part.
make_whole() {
	pxr_codec encode tiny --split test --db a.db -o test.pxr --json && cp out printed
}
make_part() {
	pxr_codec encode 1 --split test --count 20 --first 100 --db a.db -o some.pxr && cp out printed &&
		mkdir part && pxr_codec decode some.pxr --db a.db -o part/
}

# value_of KEY: a number in the output of --json.
value_of() {
	sed -n "s/^ *\"$1\": *\([0-9.e+-]*\),*\$/\1/p" out
}

encodes_split() {
	given whole && cp printed out && is "$(value_of images)" 256 && is "$(value_of file_bytes)" "$(wc -c <test.pxr)" &&
		value_of coded_bits_by_nll_bits | awk '{ exit !($1 > 0.995 && $1 < 1.005) }'
}
ok "a compressed split has the size of its NLL, to 0.5 %" encodes_split

prints() {
	given part && cp printed out && out_has "images   20" && out_has "bits/dim" && out_has "of the NLL"
}
ok "encode prints the number of images, bits/dim and their ratio to the NLL" prints

comes_back() {
	given whole && pxr_codec decode test.pxr --db a.db -o back/ && out_has "256 images" &&
		diff -r back set/test && is "$(ls -d back*)" back
}
ok "decode writes the images as files, equal to the last pixel" comes_back

part_comes_back() {
	given part && is "$(ls part | wc -l)" 20 &&
		cmp part/0000100.png set/test/0000100.png && cmp part/0000119.png set/test/0000119.png
}
ok "decoded images of a part of a split keep their numbers" part_comes_back

encodes_files() {
	pxr_codec encode tiny set/valid/000000[0-6].png --db a.db -o files.pxr &&
		pxr_codec decode tiny files.pxr --db a.db -o files && is "$(ls files | wc -l)" 7 &&
		for file in files/*; do
			cmp "$file" "set/valid/${file#files/}" || return 1
		done
}
ok "decoded PNG files keep their names" encodes_files

# A model trained at far too high a rate, which gives true pixels tiny probabilities.
says_what_is_spared() {
	pxr_codec encode tiny --split test --db a.db -o usual.pxr && ! grep -q spared out &&
		pxr_run tiny.yaml --db sure.db sample.count=0 evaluate.every=never \
			train.optimizer.adam.rate=1 &&
		pxr_codec encode last --split test --db sure.db -o sure.pxr &&
		out_has "less likely than 2^-32 cost 32 bits each" &&
		pxr_codec encode last --split test --db sure.db -o surer.pxr --json &&
		is "$(awk -v nll="$(value_of nll_bits)" -v spared="$(value_of spared_bits)" \
			-v coded="$(value_of coded_bytes)" 'BEGIN {
				part = (nll - spared) / (8 * coded)
				print (part > 0.999 && part < 1.001 && spared > 0.001 * nll) }')" 1
}
ok "a value that the model takes for impossible costs 32 bits, and encode says so" says_what_is_spared

threads() {
	pxr_codec encode tiny --split valid --db a.db -o one.pxr --threads 1 &&
		pxr_codec encode tiny --split valid --db a.db -o three.pxr --threads 3 &&
		cmp one.pxr three.pxr && pxr_codec decode three.pxr --db a.db -o three --threads 2 &&
		diff -r three set/valid
}
ok "the file and the images do not depend on --threads" threads

another_build() {
	given part && query a.db "UPDATE plugin SET sha256 = 'x'; UPDATE run SET program_revision = 'old'" &&
		pxr_codec decode tiny some.pxr --db a.db -o built && diff -r built part &&
		err_has "warning: run 1 was made by another build (pxr " && err_has " of revision old; layers"
}
ok "another build decodes the same images, with a warning" another_build

info() {
	given whole && pxr_codec info test.pxr && out_has "run 'tiny'" && out_has "256 of 12 x 12, grey, 2 levels" &&
		out_has "of the NLL" && pxr_codec info test.pxr --json && is "$(value_of images)" 256
}
ok "info prints the run, the images and the size of a file" info

not_json() {
	no_json pxr_codec encode tiny --split valid --count 9 --db a.db -o "$not_utf8.pxr" --json &&
		no_json pxr_codec decode "$not_utf8.pxr" --db a.db -o "$not_utf8" --json &&
		pxr_codec decode "$not_utf8.pxr" --db a.db -o nine --json && is "$(ls nine | wc -l)" 9
}
ok "--json with a name that is not UTF-8 is an error and prints nothing" not_json

quiet() {
	pxr_codec encode tiny set/valid/0000000.png --db a.db -o quiet.pxr --quiet && ! [ -s out ] &&
		! [ -s err ]
}
ok "--quiet prints nothing" quiet

make_files() {
	pxr_run tiny.yaml "data={set: png_folder, path: set, levels: 2}" --db png.db
}
data_elsewhere() {
	given files && mv set moved && refused 2 "set" pxr_codec encode last --split test --db png.db -o m.pxr &&
		pxr_codec encode last --split test --data moved --db png.db -o m.pxr && mv moved set &&
		pxr_codec decode m.pxr --db png.db -o m && diff -r m set/test
}
ok "--data names the folder of a data set that was moved" data_elsewhere

# --- refusals: nothing is written ------------------------------------------------------------------

# As `refused`, and nothing named `none` was written, not even in part.
none_of_it() {
	refused "$@" && is "$(ls -d none* 2>/dev/null)" ""
}

other_model() {
	given whole && none_of_it 2 "was made under another model than that of run 2 ('other')" \
		pxr_codec decode other test.pxr --checkpoint last --db a.db -o none && err_has "run 'tiny'"
}
ok "decode refuses another model than that of the file" other_model

no_run() {
	given whole && query a.db "DELETE FROM run" &&
		none_of_it 2 "there is no run" pxr_codec decode test.pxr --db a.db -o none
}
ok "decode refuses a database without the file's run" no_run

truncated() {
	given whole || return
	for size in 0 5 100 400 "$(($(wc -c <test.pxr) - 1))"; do
		head -c "$size" test.pxr >cut.pxr
		none_of_it 2 "cut.pxr: " pxr_codec decode cut.pxr --db a.db -o none || return 1
	done
}
ok "decode refuses a truncated file" truncated

altered() {
	given whole && sed 's/"count":256/"count":255/' test.pxr >changed.pxr
	none_of_it 2 "changed.pxr: damaged" pxr_codec decode changed.pxr --db a.db -o none
}
ok "decode refuses a changed file" altered

# Hexadecimal digits as the escapes of printf that every shell knows.
escapes() {
	awk -v digits=0123456789abcdef '{
		for (i = 1; i < length($1); i += 2)
			printf "\\%03o", 16 * index(digits, substr($1, i, 1)) + index(digits, substr($1, i + 1, 1)) - 17
	}'
}

# sealed FILE: the file with a valid SHA-256 at its end.
sealed() {
	head -c -32 "$1" >sealed.part
	# shellcheck disable=SC2059
	printf "$(sha256sum sealed.part | cut -c1-64 | escapes)" >sealed.end
	cat sealed.part sealed.end
}

# change_digest SED: test.pxr with another digest of the pixels, which is checked last, and the command SED.
change_digest() {
	digest=$(sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' test.pxr | head -n 1)
	other=$(echo "$digest" | tr 0123456789abcdef 123456789abcdef0)
	sed "s/$digest/$other/; $1" test.pxr >wrong &&
		sealed wrong >wrong.pxr && is "$(wc -c <sealed.end)" 32
}
wrong_pixels() {
	given whole && change_digest 's/x86-64[^;"]*/old-machine/' &&
		none_of_it 1 "does not give back what was compressed" \
			pxr_codec decode wrong.pxr --db a.db -o none
}
ok "decode never writes images other than those that were compressed" wrong_pixels

# The file says that it was compressed on this machine.
tells_altered() {
	given whole && change_digest "" &&
		none_of_it 1 "does not give back what was compressed" \
			pxr_codec decode wrong.pxr --db a.db -o none &&
		err_has "the file was altered and its sum made to fit, or the model sees what it is to"
}
ok "decode says that a file of this machine may have been altered" tells_altered

there_already() {
	given whole && mkdir back && echo mine | tee mine.pxr >back/file
	refused 2 "mine.pxr: already exists" pxr_codec encode tiny --split test --db a.db \
		-o mine.pxr && is "$(cat mine.pxr)" mine &&
		refused 2 "back: the folder is not empty" pxr_codec decode test.pxr --db a.db -o back &&
		refused 2 "mine.pxr: not a folder" pxr_codec decode test.pxr --db a.db -o mine.pxr
}
ok "encode and decode do not overwrite files and folders" there_already

ok "encode refuses a missing folder" refused 2 "cannot write nowhere/a.pxr" \
	pxr_codec encode tiny --split test --db a.db -o nowhere/a.pxr

wrong_images() {
	pxr_data convert markov_rgb limit=2 --out rgb &&
		refused 2 "rgb/test/0000000.png: " pxr_codec encode tiny set/test/0000000.png \
			rgb/test/0000000.png --db a.db -o none.pxr && ! [ -e none.pxr ] &&
		refused 2 "tiny.yaml: is not named like a PNG" pxr_codec encode tiny tiny.yaml \
			--db a.db -o none.pxr &&
		refused 2 "two files named 0000000.png" pxr_codec encode tiny set/test/0000000.png \
			set/valid/0000000.png --db a.db -o none.pxr && ! [ -e none.pxr ]
}
ok "encode names images that the model cannot compress" wrong_images

ok "encode refuses more images than the split has" refused 2 "the split 'test' has 256 images" \
	pxr_codec encode tiny --split test --first 200 --count 57 --db a.db -o none.pxr
ok "encode refuses an unknown split" refused 2 "--split: expected train, valid or test, got 'tset'" \
	pxr_codec encode tiny --split tset --db a.db -o none.pxr
ok "encode refuses an unknown run" refused 2 "there is no run 'tny'" \
	pxr_codec encode tny --split test --db a.db -o none.pxr
ok "encode does not create a database" refused 2 "no.db: no such database" \
	pxr_codec encode tiny --split test --db no.db -o none.pxr
ok "encode requires images or --split" refused 2 "encode: expected images or --split" pxr_codec encode tiny --db a.db -o none.pxr
ok "encode refuses images together with --split" refused 2 "not both" \
	pxr_codec encode tiny a.png --split test --db a.db -o none.pxr
ok "encode refuses an empty name for its file" refused 2 "without a name" \
	pxr_codec encode tiny --split test --db a.db -o ""
ok "encode requires --out" refused 2 "encode: missing --out PATH" \
	pxr_codec encode tiny --split test --db a.db
ok "a misspelt command gets a suggestion" refused 2 "did you mean 'encode'?" pxr_codec encod tiny
foreign_options() {
	given whole || return
	for option in "--split test" "--count 3" "--first 0" "--data set"; do
		none_of_it 2 "${option% *}: not an option of 'decode', only of: encode" \
			pxr_codec decode test.pxr --db a.db -o none $option || return
	done
	for option in "--out none" "--checkpoint last" "--db a.db" "--threads 2" "--split test"; do
		none_of_it 2 "${option% *}: not an option of 'info'" pxr_codec info test.pxr $option || return
	done
	pxr_codec info test.pxr --quiet && ! [ -s out ]
}
ok "an option that a command does not have is refused" foreign_options
overwrites() {
	echo mine >mine.pxr && refused 2 "note: use --force to overwrite it" \
		pxr_codec encode tiny --split test --count 1 --db a.db -o mine.pxr &&
		is "$(cat mine.pxr)" mine &&
		pxr_codec encode tiny --split test --count 1 --db a.db -o mine.pxr --force &&
		pxr_codec info mine.pxr
}
ok "encode overwrites a file only with --force" overwrites
ok "info refuses a file of another kind" refused 2 "tiny.yaml: not a pxr-codec file" pxr_codec info tiny.yaml

conditional() {
	pxr_run tiny.yaml "data={set: markov_binary, limit: 16}" sample.count=0 --db small.db \
		"model=[{multi_scale: {size: 6, features: 4, layers: [{conv: {mask: A, kernel: 3, features: 4}}]}}, sigmoid]" &&
		refused 2 "cannot compress: the model draws images given their small versions" \
			pxr_codec encode last --split test --db small.db -o none.pxr
}
ok "encode refuses a conditional model" conditional

# The database and what is beside it: no -wal and no -shm.
database_state() {
	cksum a.db && ls -d a.db* && ls -R a.checkpoints && cksum a.checkpoints/*/*
}
database_untouched() {
	before=$(database_state)
	make_part && is "$(database_state)" "$before" && is "$(ls -d a.db*)" a.db
}
ok "encode and decode do not change the database and its folder" database_untouched
