#!/bin/sh
# command_foreign.sh - hostile databases, used where they are: nothing outside their folder is read,
# written or removed, and impossible values are refused.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

pxr_report() {
	"$top/runner/pxr-report" "$@" >out 2>err
}
pxr_sample() {
	"$top/runner/pxr-sample" "$@" >out 2>err
}

cat >small.yaml <<'END'
name: small
data: {set: markov_binary, rows: 4, cols: 4, train: 64, valid: 32, test: 32}
model: [conv: {mask: A, kernel: 3, features: 4}, sigmoid]
train: {optimizer: {adam: {rate: 1e-2}}, batch: 16, epochs: 5}
evaluate: {every: 1 epoch, splits: [valid]}
sample: {count: 4, every: 1 epoch}
END
pxr_run small.yaml --db made.db --threads 1 || exit 1
query made.db "DELETE FROM metric WHERE step > 12; DELETE FROM checkpoint WHERE step > 16;
	UPDATE run SET status = 'interrupted'"

# A run with checkpoints of steps 12 and 16 that can be resumed, in a folder of its own; changed by
# the SQL in $1.
foreign() {
	rm -rf home && mkdir -p home/it home/precious && cp -r made.db made.checkpoints home/it &&
		echo kept >home/precious.txt && echo kept >home/precious/step-00000012.safetensors &&
		query home/it/made.db "$1" >/dev/null
}
unharmed() {
	is "$(cd home && find . -not -path './it*' | sort | xargs)" \
		". ./precious ./precious.txt ./precious/step-00000012.safetensors"
}
resume() {
	pxr_run --resume 1 --db home/it/made.db --threads 1
}

resumes() {
	foreign "SELECT 1" && resume && is "$(query home/it/made.db 'SELECT status FROM run')" finished
}
ok "an unchanged database is resumed" resumes

paths() {
	for path in ../precious.txt made.checkpoints/../../precious.txt /etc/passwd '' . made.checkpoints//x; do
		foreign "UPDATE checkpoint SET path = '$path' WHERE step = 12" &&
			refused 2 "invalid checkpoint" resume && unharmed &&
			refused 2 "invalid checkpoint" pxr_sample 1 --db home/it/made.db --out s.png &&
			refused 2 "invalid checkpoint" pxr_report delete 1 --yes --db home/it/made.db && unharmed || return
	done
	for name in precious.txt x/step-1; do
		foreign "UPDATE checkpoint SET path = 'made.checkpoints/1-' || (SELECT uid FROM run) ||
			'/$name' WHERE step = 12" && folder=$(echo home/it/made.checkpoints/*) &&
			mkdir -p $folder/x && echo kept >$folder/$name && resume &&
			is "$(cat $folder/$name)" kept || return
	done
}
ok "checkpoint paths that leave the database's folder are refused, and other files stay" paths

uids() {
	for uid in /../../x ../../precious '' 0123456 0123456G; do
		foreign "UPDATE run SET uid = '$uid'" && refused 2 "invalid uid" resume && unharmed &&
			refused 2 "invalid uid" pxr_report delete 1 --yes --db home/it/made.db || return
	done
}
ok "an invalid uid is refused and never used as a path" uids

links() {
	foreign "SELECT 1" && folder=$(echo home/it/made.checkpoints/*) && mv $folder moved &&
		ln -s ../../precious $folder && cp moved/* home/precious && before=$(ls home/precious) || return
	refused 2 "symbolic link" resume && is "$(ls home/precious)" "$before" &&
		pxr_report delete 1 --yes --force --db home/it/made.db && is "$(ls home/precious)" "$before" || return
	foreign "SELECT 1" && mv home/it/made.checkpoints home/precious/c &&
		ln -s ../precious/c home/it/made.checkpoints && before=$(find home/precious) || return
	refused 2 "symbolic link" resume && is "$(find home/precious)" "$before" &&
		pxr_report gc --yes --old --db home/it/made.db && is "$(find home/precious)" "$before" &&
		pxr_report delete 1 --yes --force --db home/it/made.db && is "$(find home/precious)" "$before"
}
ok "symbolic links in place of checkpoint folders are not followed" links

# A pipe, and a file that never ends.
no_files() {
	for make in "mkfifo" "ln -s /dev/zero"; do
		foreign "DELETE FROM checkpoint WHERE step < 16" &&
			file=home/it/$(query home/it/made.db "SELECT path FROM checkpoint") && rm -f $file && $make $file || return
		exits 2 timeout 60 "$top/runner/pxr-run" --resume 1 --db home/it/made.db >out 2>err &&
			exits 2 timeout 60 "$top/runner/pxr-sample" 1 --db home/it/made.db --out s.png >out 2>err &&
			exits 2 timeout 60 "$top/runner/pxr-report" merge home/it/made.db --db m.db >out 2>err &&
			exits 2 timeout 60 "$top/runner/pxr-report" export 1 --db home/it/made.db --out x >out 2>err || return
	done
}
ok "a checkpoint that is a pipe or a device is refused" no_files

neighbour() {
	foreign "SELECT 1" && folder=$(echo home/it/made.checkpoints/*) &&
		query home/it/other.db "CREATE VIEW checkpoint AS WITH RECURSIVE n (path) AS (SELECT 1 UNION ALL
			SELECT path + 1 FROM n) SELECT path FROM n; PRAGMA application_id = $(query made.db 'PRAGMA application_id')" &&
		touch $folder/step-00000099.safetensors &&
		exits 0 timeout 60 "$top/runner/pxr-report" gc --yes --db home/it/made.db >out 2>err &&
		[ -e $folder/step-00000099.safetensors ]
}
ok "gc does not run the views of another database in the folder" neighbour

# Unpacked files are not synced one by one: 500 syncs would kill the command.
many_files() {
	needs_failures
	pxr_report export 1 --db made.db --out many && chmod -R u+w many && mkdir many/more &&
		(cd many/more && seq 1000 | xargs touch) && (cd many && find . -type f ! -name MANIFEST.sha256 |
			sed 's|^./||' | sort | xargs sha256sum >MANIFEST.sha256) && tar -czf many.tar.gz many &&
		KILL_SYNC=500 preload pxr_report import many.tar.gz --db many.db && out_has "1 new" &&
		touch many/more/other && tar -czf many.tar.gz many &&
		refused 2 "more/other' is not listed in" pxr_report import many.tar.gz --db other.db
}
ok "an archive of a thousand files is imported without a sync for each" many_files

# rewrite FROM TO: text in the newest checkpoint's file, of the same length, with its hash on record.
rewrite() {
	file=home/it/$(query home/it/made.db "SELECT path FROM checkpoint WHERE step = 16") &&
		grep -qaF "$1" "$file" && LC_ALL=C sed -i "s/$1/$2/" "$file" && query home/it/made.db "UPDATE checkpoint SET
			sha256 = '$(sha256sum <"$file" | cut -c1-64)' WHERE step = 16"
}

# The run has one checkpoint; once that is skipped, it cannot be resumed.
metadata() {
	for change in '"step":"16" "step":"-3"' '"step":"16" "step":"1e"' '"step":"16" "step":"17"' \
		'"epoch_images":"64" "epoch_images":"-1"' '"best_step":"16" "best_step":"17"' \
		'"best":"0x1 "best":"nan'; do
		foreign "DELETE FROM checkpoint WHERE step < 16" && rewrite ${change% *} ${change#* } &&
			refused 2 "none of its checkpoints is usable" resume || return
	done
	for step in 100001 9223372036854775807 17; do
		foreign "DELETE FROM checkpoint WHERE step < 16; UPDATE checkpoint SET step = $step" &&
			refused 2 "none of its checkpoints is usable" resume &&
			is "$(query home/it/made.db 'SELECT status FROM run')" interrupted || return
	done
	foreign "DELETE FROM checkpoint WHERE step < 16; UPDATE checkpoint SET step = -1" &&
		refused 2 "invalid checkpoint" resume
}
ok "a checkpoint whose step or metadata contradict the record is not used" metadata

sizes() {
	for change in "image_rows = 65536, image_cols = 65536" "image_cols = -1" "image_levels = 1000" \
		"image_rows = 30000, image_cols = 30000" "image_colours = 2" "image_rows = 1 << 40"; do
		foreign "UPDATE run SET $change" &&
			refused 2 "invalid size of images" pxr_sample 1 --db home/it/made.db --out s.png || return
	done
	for change in "run SET image_cols = 0" "run SET image_colours = 0" "sample SET count = 1 << 40" \
		"sample SET count = -1" "sample SET count = 0" "sample SET seed = 'a'" \
		"nll_map SET rows = 65536, cols = 65536" "nll_map SET nats = x'00'"; do
		foreign "UPDATE $change" && pxr_report html --db home/it/made.db --out - || return
	done
}
ok "impossible image sizes and counts on record are refused or left out" sizes

has_tag() {
	foreign "INSERT INTO tag (run, tag) VALUES (1, 'a,'), (1, 'b')" &&
		pxr_report runs --db home/it/made.db --where "has_tag('a,', 'b')" && out_has "No row meets" &&
		pxr_report runs --db home/it/made.db --where "has_tag(tags, 'b')" && out_has small
}
ok "has_tag() finds whole tags only" has_tag

# SQLite would delete the file that is named at the end of a journal.
journal() {
	foreign "SELECT 1" && printf 'victim\331\325\005\371\040\241\143\327' >home/it/made.db-journal || return
	pxr_report runs --db home/it/made.db
	is $? 2 && err_has "made.db-journal: names a file that SQLite would delete" || return
	rm home/it/made.db-journal && pxr_report runs --db home/it/made.db
}
ok "a journal that names a file to delete is refused" journal
