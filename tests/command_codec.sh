#!/bin/sh
# command_codec.sh - pxr-codec as its user meets it: files as large as the NLL says, images that come
# back, refusals.
together=yes
. "${srcdir:-.}/tests/command.sh"

pxr_codec() {
	"$top/runner/pxr-codec" "$@" >out 2>err
}

pxr_data() {
	"$top/runner/pxr-data" "$@" >out 2>err
}

sed -i 's/epochs: 6/epochs: 1/' tiny.yaml
pxr_run tiny.yaml --db a.db --seed 1 && pxr_run tiny.yaml --db a.db --seed 2 name=other ||
	echo "# the runs failed"
pxr_data convert markov_binary limit=256 --out set || echo "# convert failed"

# The database, and what is beside it: no -wal and no -shm.
database_state() {
	cksum a.db && ls -d a.db* && ls -R a.checkpoints && cksum a.checkpoints/*/*
}
database_state >before

# The number of a key of what --json printed.
value_of() {
	sed -n "s/^ *\"$1\": *\([0-9.e+-]*\),*\$/\1/p" out
}

encodes_split() {
	pxr_codec encode tiny --split test --db a.db -o test.pxr --json &&
		is "$(value_of images)" 256 && is "$(value_of file_bytes)" "$(wc -c <test.pxr)" &&
		value_of coded_bits_by_nll_bits | awk '{ exit !($1 > 0.995 && $1 < 1.005) }'
}
ok "a split is as large as its NLL says, to 0.5 %" encodes_split

encodes_in_words() {
	pxr_codec encode 1 --split test --count 20 --first 100 --db a.db -o some.pxr &&
		out_has "images   20" && out_has "bits/dim" && out_has "of the NLL"
}
ok "the result is printed" encodes_in_words

comes_back() {
	pxr_codec decode test.pxr --db a.db -o back/ && out_has "256 images" &&
		diff -r back set/test && is "$(ls -d back*)" back
}
ok "the images come back to the last pixel, as files" comes_back

part_comes_back() {
	mkdir part && pxr_codec decode some.pxr --db a.db -o part/ && is "$(ls part | wc -l)" 20 &&
		cmp part/0000100.png set/test/0000100.png && cmp part/0000119.png set/test/0000119.png
}
ok "a part of a split keeps its numbers, in an empty folder" part_comes_back

encodes_files() {
	pxr_codec encode tiny set/valid/000000[0-6].png --db a.db -o files.pxr &&
		pxr_codec decode tiny files.pxr --db a.db -o files && is "$(ls files | wc -l)" 7 &&
		for file in files/*; do
			cmp "$file" "set/valid/${file#files/}" || return 1
		done
}
ok "PNG files come back under their names" encodes_files

# A model that was trained far too fast, so that it is sure of what is wrong.
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
ok "what a model thinks impossible costs 32 bits, and that is said" says_what_is_spared

threads() {
	pxr_codec encode tiny --split valid --db a.db -o one.pxr --threads 1 &&
		pxr_codec encode tiny --split valid --db a.db -o three.pxr --threads 3 &&
		cmp one.pxr three.pxr && pxr_codec decode three.pxr --db a.db -o three --threads 2 &&
		diff -r three set/valid
}
ok "threads change nothing" threads

another_build() {
	cp a.db b.db && cp -r a.checkpoints b.checkpoints &&
		query b.db "UPDATE plugin SET sha256 = 'x'; UPDATE run SET program_revision = 'old'" &&
		pxr_codec decode tiny some.pxr --db b.db -o built && diff -r built part &&
		err_has "warning: run 1 was made by another build (pxr " && err_has " of revision old; layers" &&
		rm -r b.db* b.checkpoints
}
ok "another build gives the images back, and warns" another_build

info() {
	pxr_codec info test.pxr && out_has "run 'tiny'" && out_has "256 of 12 x 12, grey, 2 levels" &&
		out_has "of the NLL" && pxr_codec info test.pxr --json && is "$(value_of images)" 256
}
ok "info says what a file is and takes" info

not_json() {
	no_json pxr_codec encode tiny --split valid --count 9 --db a.db -o "$not_utf8.pxr" --json &&
		no_json pxr_codec decode "$not_utf8.pxr" --db a.db -o "$not_utf8" --json &&
		pxr_codec decode "$not_utf8.pxr" --db a.db -o nine --json && is "$(ls nine | wc -l)" 9
}
ok "what cannot be JSON is an error, not an empty line" not_json

quiet() {
	pxr_codec encode tiny set/valid/0000000.png --db a.db -o quiet.pxr --quiet && ! [ -s out ] &&
		! [ -s err ]
}
ok "--quiet prints nothing" quiet

data_elsewhere() {
	pxr_run tiny.yaml "data={set: png_folder, path: set, levels: 2}" --db png.db &&
		mv set moved && refused 2 "set" pxr_codec encode last --split test --db png.db -o m.pxr &&
		pxr_codec encode last --split test --data moved --db png.db -o m.pxr && mv moved set &&
		pxr_codec decode m.pxr --db png.db -o m && diff -r m set/test
}
ok "--data names where the set lies now" data_elsewhere

# --- refusals: nothing is written ------------------------------------------------------------------

# As `refused`, and there is no folder `none`, nor the beginning of one.
none_of_it() {
	refused "$@" && is "$(ls -d none* 2>/dev/null)" ""
}

other_model() {
	none_of_it 2 "was made under another model than that of run 2 ('other')" \
		pxr_codec decode other test.pxr --checkpoint last --db a.db -o none && err_has "run 'tiny'"
}
ok "another model is refused" other_model

ok "a database without the run is refused" \
	none_of_it 2 "there is no run" pxr_codec decode test.pxr --db png.db -o none

truncated() {
	for size in 0 5 100 400 "$(($(wc -c <test.pxr) - 1))"; do
		head -c "$size" test.pxr >cut.pxr
		none_of_it 2 "cut.pxr: " pxr_codec decode cut.pxr --db a.db -o none || return 1
	done
}
ok "a truncated file is refused" truncated

altered() {
	sed 's/"count":256/"count":255/' test.pxr >changed.pxr
	none_of_it 2 "changed.pxr: damaged" pxr_codec decode changed.pxr --db a.db -o none
}
ok "an altered file is refused" altered

# Hexadecimal digits as the escapes of printf that every shell knows.
escapes() {
	awk -v digits=0123456789abcdef '{
		for (i = 1; i < length($1); i += 2)
			printf "\\%03o", 16 * index(digits, substr($1, i, 1)) + index(digits, substr($1, i + 1, 1)) - 17
	}'
}

# sealed FILE: with the SHA-256 that goes with what is in it.
sealed() {
	head -c -32 "$1" >sealed.part
	# shellcheck disable=SC2059
	printf "$(sha256sum sealed.part | cut -c1-64 | escapes)" >sealed.end
	cat sealed.part sealed.end
}

# The pixels' own digest is the last that is looked at.
wrong_pixels() {
	digest=$(sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' test.pxr | head -n 1)
	other=$(echo "$digest" | tr 0123456789abcdef 123456789abcdef0)
	sed "s/$digest/$other/; s/x86-64[^;\"]*/old-machine/" test.pxr >wrong &&
		sealed wrong >wrong.pxr && is "$(wc -c <sealed.end)" 32 &&
		none_of_it 1 "does not give back what was compressed" \
			pxr_codec decode wrong.pxr --db a.db -o none
}
ok "images other than those that were compressed are never written" wrong_pixels

# On the machine that compressed them.
tells_altered() {
	sed "s/$digest/$other/" test.pxr >wrong && sealed wrong >wrong.pxr &&
		none_of_it 1 "does not give back what was compressed" \
			pxr_codec decode wrong.pxr --db a.db -o none &&
		err_has "the file was altered and its sum made to fit, or the model sees what it is to"
}
ok "... and that the file may have been altered is said" tells_altered

there_already() {
	echo mine >mine.pxr
	refused 2 "mine.pxr: already exists" pxr_codec encode tiny --split test --db a.db \
		-o mine.pxr && is "$(cat mine.pxr)" mine &&
		refused 2 "back: the folder is not empty" pxr_codec decode test.pxr --db a.db -o back &&
		refused 2 "mine.pxr: not a folder" pxr_codec decode test.pxr --db a.db -o mine.pxr
}
ok "what is there stays" there_already

ok "a folder that is not there" refused 2 "cannot write nowhere/a.pxr" \
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
ok "images that the model is not for are named" wrong_images

ok "more images than there are" refused 2 "the split 'test' has 256 images" \
	pxr_codec encode tiny --split test --first 200 --count 57 --db a.db -o none.pxr
ok "no split of that name" refused 2 "--split: expected train, valid or test, got 'tset'" \
	pxr_codec encode tiny --split tset --db a.db -o none.pxr
ok "no run of that name" refused 2 "there is no run 'tny'" \
	pxr_codec encode tny --split test --db a.db -o none.pxr
ok "no database is made" refused 2 "no.db: there is no such database" \
	pxr_codec encode tiny --split test --db no.db -o none.pxr
ok "no images" refused 2 "encode: expected images or --split" pxr_codec encode tiny --db a.db -o none.pxr
ok "images and a split" refused 2 "not both" \
	pxr_codec encode tiny a.png --split test --db a.db -o none.pxr
ok "a file without a name" refused 2 "without a name" \
	pxr_codec encode tiny --split test --db a.db -o ""
ok "no place to write to" refused 2 "encode: missing --out PATH" \
	pxr_codec encode tiny --split test --db a.db
ok "a misspelt command" refused 2 "did you mean 'encode'?" pxr_codec encod tiny
foreign_options() {
	for option in "--split test" "--count 3" "--first 0" "--data set"; do
		none_of_it 2 "${option% *}: not an option of 'decode', only of: encode" \
			pxr_codec decode test.pxr --db a.db -o none $option || return
	done
	for option in "--out none" "--checkpoint last" "--db a.db" "--threads 2" "--split test"; do
		none_of_it 2 "${option% *}: not an option of 'info'" pxr_codec info test.pxr $option || return
	done
	pxr_codec info test.pxr --quiet && ! [ -s out ]
}
ok "options that mean nothing to a command are refused" foreign_options
overwrites() {
	echo mine >mine.pxr && refused 2 "note: use --force to overwrite it" \
		pxr_codec encode tiny --split test --count 1 --db a.db -o mine.pxr &&
		is "$(cat mine.pxr)" mine &&
		pxr_codec encode tiny --split test --count 1 --db a.db -o mine.pxr --force &&
		pxr_codec info mine.pxr
}
ok "a file is overwritten with --force alone" overwrites
ok "not a file" refused 2 "tiny.yaml: not a pxr-codec file" pxr_codec info tiny.yaml

conditional() {
	pxr_run tiny.yaml "data={set: markov_binary, limit: 16}" sample.count=0 --db small.db \
		"model=[{multi_scale: {size: 6, features: 4, layers: [{conv: {mask: A, kernel: 3, features: 4}}]}}, sigmoid]" &&
		refused 2 "cannot compress: the model draws images given their small versions" \
			pxr_codec encode last --split test --db small.db -o none.pxr
}
ok "a model that is given a small image is refused" conditional

database_untouched() {
	is "$(database_state)" "$(cat before)" && is "$(ls -d a.db*)" a.db
}
ok "the database and its folder are as they were" database_untouched
