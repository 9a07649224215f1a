#!/bin/sh
# command_manage.sh - managing runs: merging databases, exporting and importing, tags and notes,
# archiving, deleting, removing files, repeating; and invalid databases and archives.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

report() {
	"$top/runner/pxr-report" "$@" >out 2>err
}
pxr_sample() {
	"$top/runner/pxr-sample" "$@" >out 2>err
}
pxr_sweep() {
	"$top/runner/pxr-sweep" "$@" >out 2>err
}

# The whole record of runs, without their numbers and the paths of checkpoints.
contents() {
	for table in data_file plugin layer metric nll_map image_nll sample event; do
		columns=$(sqlite3 "$1" "SELECT group_concat('quote(' || name || ')', ' || '','' || ') FROM
			pragma_table_info('$table') WHERE name NOT IN ('id', 'run')")
		sqlite3 "$1" "SELECT uid, '$table', $columns FROM $table JOIN (SELECT id AS number, uid
			FROM run) ON number = $table.run ORDER BY 1, 3"
	done
	columns=$(sqlite3 "$1" "SELECT group_concat('quote(' || name || ')', ' || '','' || ') FROM
		pragma_table_info('run') WHERE name <> 'id'")
	sqlite3 "$1" "SELECT uid, $columns FROM run ORDER BY uid"
	sqlite3 "$1" "SELECT uid, step, sha256, size, best FROM checkpoint JOIN run ON id = run
		ORDER BY 1, 2"
}

# Whether all checkpoints on record exist with their hashes.
files_sound() {
	sqlite3 -separator ' ' "$1" "SELECT sha256 || '  ' || path FROM checkpoint" >sums &&
		[ -s sums ] && sha256sum -c --quiet sums
}

pxr_run tiny.yaml --db one.db --threads 1 || exit 1
pxr_run tiny.yaml --db one.db --threads 1 train.seed=2 train.epochs=2 name='o"x' || exit 1
pxr_run tiny.yaml --db two.db --threads 1 train.seed=3 train.epochs=2 || exit 1

# all.db: the runs of one.db and two.db.
make_merged() {
	report merge one.db two.db --db all.db
}

# --- merge ------------------------------------------------------------------------------------

merges() {
	report merge one.db two.db --db all.db && out_has "one.db: 2 new" && out_has "two.db: 1 new" &&
		is "$(sqlite3 all.db 'SELECT group_concat(id) FROM (SELECT id FROM run ORDER BY id)')" 1,2,3 && files_sound all.db &&
		{ contents one.db && contents two.db; } | sort >wanted && contents all.db | sort >got &&
		cmp wanted got && is "$(sqlite3 all.db 'PRAGMA foreign_key_check')" "" &&
		pxr_sample 3 --db all.db --count 1 --out drawn.png
}
ok "two databases are merged, and their runs can be used" merges

again() {
	given merged && before=$(sha256sum <all.db) files=$(find all.checkpoints | sort)
	report merge two.db one.db --db all.db && out_has "one.db: nothing is new" &&
		is "$(sha256sum <all.db)" "$before" && is "$(find all.checkpoints | sort)" "$files"
}
ok "merging the same databases again changes nothing" again

source_kept() {
	sha256sum one.db two.db >sums && make_merged && sha256sum -c --quiet sums
}
ok "a merge does not change its source databases" source_kept

keeps_tags() {
	given merged && report tag 1 mine --db all.db && report note 1 "my note" --db all.db &&
		sqlite3 one.db "UPDATE run SET note = 'theirs' WHERE id = 1; INSERT INTO tag (run, tag) VALUES (1, 'theirs')" &&
		report merge one.db --db all.db &&
		is "$(sqlite3 all.db "SELECT tags || note FROM run_summary WHERE run = 1")" "minemy note"
}
ok "a merge keeps the tags and note that a run already has" keeps_tags

# As a run that was resumed after it was merged: the longer record is kept, either way.
resumed() {
	pxr_run tiny.yaml --db long.db --threads 1 train.seed=9 && cp long.db short.db &&
		sqlite3 short.db "UPDATE run SET status = 'interrupted', parameter_hash = NULL;
			DELETE FROM metric WHERE step > 40 OR name = 'final_nll'; DELETE FROM sample WHERE step > 40;
			DELETE FROM checkpoint WHERE step < 95; UPDATE checkpoint SET step = 40 WHERE step = 95;
			DELETE FROM checkpoint WHERE step > 40" &&
		report merge short.db --db grown.db && report tag 1 kept --db grown.db &&
		report merge long.db --db grown.db && out_has "replaced: it goes further" && out_has "1 replaced" &&
		files_sound grown.db && contents long.db >wanted && contents grown.db >got &&
		cmp wanted got && is "$(sqlite3 grown.db 'SELECT tag FROM tag')" kept &&
		is "$(find grown.checkpoints -type f | wc -l)" \
			"$(sqlite3 grown.db 'SELECT count(*) FROM checkpoint')" &&
		report merge short.db --db grown.db && out_has "nothing is new" && contents grown.db >got &&
		cmp wanted got
}
ok "a merge keeps the longer record of a run" resumed

same_uid() {
	cp two.db other.db && sqlite3 other.db "UPDATE run SET started_at = '2001-01-01', name = 'other'" &&
		report merge two.db other.db --db uids.db && is "$(sqlite3 uids.db 'SELECT count(*) FROM run')" 2 &&
		files_sound uids.db
}
ok "two runs that happen to have the same uid stay two runs" same_uid

itself() {
	given merged || return
	before=$(sha256sum <all.db)
	ln -s all.db link.db
	refused 2 "cannot merge a database into itself" report merge all.db --db all.db &&
		refused 2 "cannot merge a database into itself" report merge link.db --db all.db &&
		is "$(sha256sum <all.db)" "$before"
}
ok "a database cannot be merged into itself" itself

altered_checkpoint() {
	cp two.db bad.db && before=$(sha256sum <one.db) files=$(find . | sort) &&
		file=$(sqlite3 two.db 'SELECT path FROM checkpoint ORDER BY step DESC LIMIT 1') &&
		cp "$file" kept && printf x >>"$file" &&
		refused 2 "SHA-256 does not match the record" report merge bad.db --db one.db &&
		refused 2 "SHA-256 does not match the record" report merge bad.db --db new.db &&
		! [ -e new.db ] && ! [ -e new.checkpoints ] && cp kept "$file" && rm kept &&
		is "$(sha256sum <one.db)" "$before" && is "$(find . | sort)" "$files"
}
ok "a changed checkpoint stops a merge, and nothing is merged" altered_checkpoint

malicious() {
	for path in ../../etc/passwd /etc/passwd x/../../y; do
		cp two.db evil.db && sqlite3 evil.db "UPDATE checkpoint SET path = '$path'" &&
			refused 2 "invalid path" report merge evil.db --db new.db &&
			! [ -e new.db ] || return
	done
	cp two.db evil.db && sqlite3 evil.db "UPDATE run SET uid = '../../xy'" &&
		refused 2 "invalid uid" report merge evil.db --db new.db &&
		cp two.db evil.db && sqlite3 evil.db "ALTER TABLE metric ADD COLUMN more" &&
		refused 2 "not as pxr makes it" report merge evil.db --db new.db && ! [ -e new.db ]
}
ok "a merge refuses checkpoint paths and uids that lead elsewhere, and unknown columns" malicious

# --- sweeps -----------------------------------------------------------------------------------

cat >sweep.yaml <<'END'
name: rates
spec: tiny.yaml
set: {train.epochs: 1, sample.count: 0}
vary: {train.seed: [1, 2, 3]}
search: grid
END
make_swept() {
	pxr_sweep sweep.yaml --db s1.db --jobs 1
}
sweeps() {
	given swept && sed 's/1, 2, 3/3, 4/' sweep.yaml >other.yaml &&
		pxr_sweep other.yaml --db s2.db --jobs 1 &&
		report merge s1.db s2.db --db s.db && out_has "Sweep 'rates'" &&
		is "$(sqlite3 s.db 'SELECT count(*), count(DISTINCT number), count(run) FROM job')" "4|4|4" &&
		is "$(sqlite3 s.db 'SELECT count(*) FROM run')" 5 &&
		is "$(sqlite3 s.db 'SELECT count(*) FROM job JOIN run ON run.id = job.run AND
			run.spec_hash = job.spec_hash')" 4 &&
		before=$(sha256sum <s.db) && report merge s2.db s1.db --db s.db &&
		is "$(sha256sum <s.db)" "$before"
}
ok "sweeps of the same name are merged with their jobs and runs" sweeps

needed() {
	given swept && refused 2 "job 1 of sweep 'rates'" report delete 1 --yes --db s1.db &&
		report delete 1 --yes --force --db s1.db &&
		is "$(sqlite3 s1.db 'SELECT state, run IS NULL FROM job WHERE number = 1')" "waiting|1"
}
ok "a run of a sweep is deleted only with --force, and its job waits again" needed

# --- export and import ------------------------------------------------------------------------

# Run 2 of all.db as a directory and as an archive; there.db, into which both were imported.
make_exported() {
	given merged && report export 2 --db all.db --out gone && report export 2 --db all.db --out gone.tar.gz
}
make_imported() {
	given exported && report import gone.tar.gz --db there.db
}

exports() {
	given exported && (cd gone && sha256sum -c --quiet MANIFEST.sha256) && [ -s gone/metrics.csv ] &&
		is "$(ls gone)" "$(printf 'MANIFEST.sha256\nREADME.txt\nmetrics.csv\npictures\nrun.checkpoints\nrun.db\nspec.yaml')" &&
		is "$(sqlite3 gone/run.db 'SELECT count(*) FROM run')" 1 && files=$(ls gone/pictures) &&
		is "$(echo "$files" | wc -l)" 2 && is "$(ls -d gone*)" "$(printf 'gone\ngone.tar.gz')"
}
ok "a run is exported as a directory and as an archive" exports

imports() {
	given imported && report import gone --db there.db &&
		out_has "nothing is new" && files_sound there.db &&
		report show 2 --db there.db && out_has 'o"x' &&
		pxr_sample 2 --db there.db --count 1 --out drawn.png &&
		is "$(ls there.checkpoints)" "2-$(sqlite3 there.db 'SELECT uid FROM run')"
}
ok "an exported run is imported, and can be used" imports

without_checkpoints() {
	given merged && report export 2 --db all.db --out bare --no-checkpoints && [ ! -e bare/run.checkpoints ] &&
		grep -q "$(sqlite3 all.db "SELECT sha256 FROM checkpoint WHERE run = 2 LIMIT 1")" bare/README.txt &&
		report import bare --db bare.db && [ "$(sqlite3 bare.db "SELECT count(*) FROM nll")" -gt 0 ] &&
		report show last --db bare.db >/dev/null &&
		refused 2 "has no checkpoint" pxr_sample last --db bare.db
}
ok "an export without checkpoints has their SHA-256 and imports as a record" without_checkpoints

# The database that is exported from tells where it was made, and with what.
anonymous() {
	given merged && report export 2 --db all.db --out plain && report export 2 --db all.db --out shared --anonymous &&
		grep -qa "on host $(hostname)" plain/run.db && grep -qa -e "$scratch" -e "$top" plain/run.db &&
		! grep -qa -e "host $(hostname)" -e "$scratch" -e "$top" shared/run.db &&
		is "$(sqlite3 shared/run.db "SELECT host, folder, command_line FROM run")" "||" &&
		report import shared --db shared.db && report show last --db shared.db >/dev/null &&
		pxr_sample last --db shared.db --count 1 --out shared.png && diff -r plain/pictures shared/pictures
}
ok "an anonymous export names neither host nor folders, and works" anonymous

round_trip() {
	given imported && report export 2 --db there.db --out back && diff -r gone back &&
		report export 2 --db there.db --out back.tar.gz && cmp gone.tar.gz back.tar.gz &&
		mkdir moved && mv gone moved/x && report import moved/x --db again.db && files_sound again.db
}
ok "exporting an imported run gives the same bits" round_trip

# Kill the command at each file that it syncs, and repeat it with what the others left.
killed() {
	needs_failures
	for at in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		KILL_SYNC=$at preload report "$@" --db made.db
		killed_status=$?
		[ ! -e made.db ] || is "$(sqlite3 made.db "PRAGMA integrity_check;
			SELECT count(*) > 10 FROM sqlite_schema")" "ok
1" || return
		[ $killed_status -gt 128 ] || break
		killed_left=$(ls -d made.db.new-* 2>/dev/null | wc -l)
		[ "$killed_left" -le 1 ] || return
	done
	[ "$at" -gt 3 ] && report "$@" --db made.db && contents two.db >wanted && contents made.db >got &&
		cmp wanted got && files_sound made.db && ! ls -d made.db.new-* 2>/dev/null && rm -r made.*
}
killed_merge() {
	killed merge two.db
}
killed_import() {
	report export 1 --db two.db --out made.tar.gz && killed import made.tar.gz
}
ok "a killed merge leaves no empty database and can be repeated" killed_merge
ok "a killed import leaves no empty database and can be repeated" killed_import

# Killed at its first sync; the files of a running export are not touched.
killed_export() {
	needs flock
	needs_failures
	for out in x x.tar.gz; do
		KILL_SYNC=0 preload report export 1 --db one.db --out $out
		is "$(kill -l $?)" KILL && is "$(ls | grep -c "^$out.partial-")" 1 &&
			mkdir $out.partial-0a1b2c $out.partial-mine || return
		exec 9<$out.partial-0a1b2c && flock -n 9 && report export 1 --db one.db --out $out || return
		exec 9<&-
		is "$(echo $out*)" "$out $out.partial-0a1b2c $out.partial-mine" || return
		rm -r $out*
	done
}
ok "an export removes what a killed export left, and nothing of a running one" killed_export

not_over() {
	given exported && refused 2 "already exists" report export 1 --db all.db --out gone
}
ok "an export does not overwrite files" not_over
ok "export requires --out" refused 2 "export: missing --out PATH" report export 1 --db one.db
ok "export refuses other archive formats" refused 2 "expected a directory or a file named" \
	report export 1 --db one.db --out run.zip

# untouched COMMAND...: refused with one error, no new file, and there.db unchanged.
untouched() {
	sum=$(sha256sum <there.db) files=$(find . -not -name out -not -name err | sort)
	refused 2 "$@" && is "$(grep -c 'error:' err)" 1 && is "$(sha256sum <there.db)" "$sum" &&
		is "$(find . -not -name out -not -name err | sort)" "$files"
}
cut_off() {
	given imported || return
	for bytes in 0 1000 20000; do
		head -c $bytes gone.tar.gz >cut.tar.gz && untouched "cut.tar.gz" report import cut.tar.gz --db there.db &&
			untouched "cut.tar.gz" report import cut.tar.gz --db fresh.db || return
	done
}
ok "an import refuses a truncated archive" cut_off

altered() {
	given imported && cp -r gone worse && printf x >>worse/metrics.csv &&
		untouched "'metrics.csv' was changed" report import worse --db there.db &&
		cp gone/metrics.csv worse && rm worse/spec.yaml &&
		untouched "'spec.yaml' is missing" report import worse --db there.db &&
		cp gone/spec.yaml worse && echo hm >worse/run.db-journal &&
		untouched "'run.db-journal' is not listed in" report import worse --db there.db &&
		(cd worse && sha256sum run.db-journal >>MANIFEST.sha256) &&
		untouched "invalid line in MANIFEST.sha256" report import worse --db there.db &&
		cp gone/MANIFEST.sha256 worse &&
		rm worse/run.db-journal && sqlite3 worse/run.db "UPDATE run SET name = 'better'" &&
		untouched "'run.db' was changed" report import worse --db fresh.db &&
		rm worse/MANIFEST.sha256 && untouched "not an export: MANIFEST.sha256 is missing" report import worse --db there.db
}
ok "an import refuses changed, missing and unlisted files" altered

flipped() {
	needs python3
	given imported && python3 - <<'END' || return
import gzip
data = bytearray(gzip.open('gone.tar.gz').read())
at = data.index(b'safetensors\0') # a header; its file follows
at = data.index(b'"dtype"', at) + 400
data[at] ^= 1
gzip.open('flipped.tar.gz', 'wb').write(data)
END
	untouched "was changed" report import flipped.tar.gz --db there.db
}
leads_out() {
	needs python3
	given imported && python3 - <<'END' || return
import io, tarfile
def make(name, entries):
    with tarfile.open(name, 'w:gz') as archive:
        for entry, kind in entries:
            info = tarfile.TarInfo(entry)
            info.size = 2 if kind == tarfile.REGTYPE else 0
            info.type = kind
            info.linkname = '../../..'
            archive.addfile(info, io.BytesIO(b'hi'))
make('up.tar.gz', [('x/../../../up', tarfile.REGTYPE)])
make('root.tar.gz', [('/tmp/pxr-was-here', tarfile.REGTYPE)])
make('bare.tar.gz', [('run.db', tarfile.REGTYPE)])
make('through.tar.gz', [('x/y', tarfile.SYMTYPE), ('x/y/up', tarfile.REGTYPE)])
make('twice.tar.gz', [('x/run.db', tarfile.REGTYPE), ('x/run.db', tarfile.REGTYPE)])
END
	for name in up root bare; do
		untouched "is not in a directory of its own" report import $name.tar.gz --db there.db &&
			untouched "is not in a directory of its own" report import $name.tar.gz --db fresh.db || return
	done
	untouched "MANIFEST.sha256 is missing" report import through.tar.gz --db there.db &&
		untouched "contains 'run.db' twice" report import twice.tar.gz --db there.db &&
		! [ -e /tmp/pxr-was-here ]
}
# Archives that unpack to too much: zeros, a false size, holes, a zip without sizes.
bombs() {
	needs python3
	given imported && python3 - <<'END' || return
import gzip, io, tarfile, zipfile
def head(size):
    info = tarfile.TarInfo('x/run.db')
    info.size = size
    return info
with tarfile.open('zeros.tar.gz', 'w:gz') as archive:
    archive.addfile(head(64 << 20), io.BytesIO(bytes(64 << 20)))
for name, size in ('lie', 1 << 60), ('liar', 1 << 33):
    with gzip.open(name + '.tar.gz', 'wb') as archive:
        archive.write(head(size).tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
head = tarfile.TarInfo('x/run.db')
head.pax_headers = {'GNU.sparse.major': '0', 'GNU.sparse.minor': '1', 'GNU.sparse.map': '0,0',
                    'GNU.sparse.size': str(1 << 40), 'GNU.sparse.realsize': str(1 << 40)}
with tarfile.open('holes.tar', 'w', format=tarfile.PAX_FORMAT) as archive:
    archive.addfile(head)
class Pipe(io.RawIOBase): # which cannot seek: sizes come behind the bytes
    def __init__(self): self.file = open('zip.zip', 'wb')
    def writable(self): return True
    def write(self, data): return self.file.write(data)
pipe = Pipe()
with zipfile.ZipFile(pipe, 'w', zipfile.ZIP_DEFLATED) as archive:
    with archive.open('x/run.db', 'w') as entry:
        entry.write(bytes(64 << 20))
pipe.file.close()
END
	for name in zeros.tar.gz lie.tar.gz liar.tar.gz holes.tar zip.zip; do
		for database in there.db fresh.db; do
			untouched "$name: decompresses to more than 200 times its size" report import $name --db $database || {
				echo "# $name" && return 1
			}
		done
	done
}
ok "an import refuses an archive that unpacks to too much" bombs
ok "an import detects a flipped bit in an archive" flipped
ok "an import refuses an archive with paths that lead out of it" leads_out

no_archive() {
	given imported && untouched "one.db" report import one.db --db there.db &&
		untouched "none" report import none --db there.db
}
ok "an import refuses a file that is not an archive" no_archive

# --- tags, notes, archiving -------------------------------------------------------------------

tags() {
	given merged && report tag 1 base "o'clock" 'é "q"' --db all.db && report tag 2 baseline --db all.db &&
		report runs --db all.db --where "has_tag(tags, 'base')" --format csv && is "$(wc -l <out)" 2 &&
		report runs --db all.db --where "has_tag(tags, 'o''clock') or has_tag(tags, 'baseline')" \
			--format csv && is "$(wc -l <out)" 3 && report tag --db all.db && out_has 'é "q"' &&
		report untag 1 base --db all.db && report tag 1 --db all.db && out_has "o'clock" &&
		! out_has "base" && report show 1 --db all.db --part facts && out_has "o'clock"
}
ok "tags are added, found, shown and removed" tags

bad_tags() {
	given merged && report tag 1 "o'clock" --db all.db || return
	before=$(contents all.db)
	refused 2 "tags cannot contain commas" report tag 1 fine a,b --db all.db &&
		refused 2 "it is empty" report tag 1 '' --db all.db &&
		refused 2 "is not UTF-8" report tag 1 "$not_utf8" --db all.db &&
		refused 2 "has no tag 'nope'" report untag 1 "o'clock" nope --db all.db &&
		is "$(sqlite3 all.db "SELECT count(*) FROM tag WHERE run = 1")" 1 &&
		is "$(contents all.db)" "$before"
}
ok "one invalid tag refuses all tags of the command" bad_tags

notes() {
	text=$(printf 'a "note", it'"'"'s\nof two lines \033[31m é | x')
	given merged && report note 1 "$text" --db all.db && is "$(sqlite3 all.db 'SELECT note FROM run WHERE id = 1')" "$text" &&
		report runs --db all.db && ! grep -q "$(printf '\033')" out && report note 1 --db all.db &&
		out_has '\x0aof two lines \x1b[31m é | x' && report runs --db all.db --format json &&
		is "$(sqlite3 :memory: "SELECT json_extract(readfile('out'), '\$.rows[0].note')")" "$text" &&
		report note 1 "" --db all.db && is "$(sqlite3 all.db 'SELECT note IS NULL FROM run WHERE id = 1')" 1
}
ok "a note is stored as it is and shown escaped" notes

archives() {
	given merged && refused 2 "nothing was archived: use --yes to do it" report archive 1 2 --db all.db &&
		out_has "To be archived" && report runs --db all.db --format csv && is "$(wc -l <out)" 4 &&
		report archive 1 2 --yes --db all.db && report runs --db all.db --format csv && is "$(wc -l <out)" 2 &&
		report runs --all --db all.db --format csv && is "$(wc -l <out)" 4 &&
		report runs --archived --db all.db --format csv --where "run > 0 or 1" && is "$(wc -l <out)" 3 &&
		report show 1 --db all.db && out_has "archived" && report show tiny --db all.db --part facts &&
		grep -q "^run  *3$" out && report unarchive 1 2 --db all.db &&
		report runs --db all.db --format csv && is "$(wc -l <out)" 4
}
ok "archived runs are not listed until they are unarchived" archives

# On a terminal it asks.
asks() {
	needs script
	given merged || return
	for answer in n y; do
		echo $answer | script -qec "'$top/runner/pxr-report' archive 1 --db all.db" asked >out 2>err &&
			out_has "Archive them? [y/N]" && report runs --archived --db all.db --format csv &&
			is "$(wc -l <out)" "$([ $answer = y ] && echo 2 || echo 1)" || return
	done
}
ok "archive asks on a terminal" asks

not_counted() {
	pxr_run tiny.yaml --db paper.db --threads 1 train.epochs=0 reproduces.table=4 'reproduces.row=DRAW' &&
		report table4 --db paper.db && out_has "run 1" && report archive 1 --yes --db paper.db &&
		report table4 --db paper.db && ! out_has "run 1"
}
ok "tables leave out archived runs" not_counted

together() {
	given merged || return
	before=$(contents all.db)
	refused 2 "there is no run 'nine'" report archive 1 nine --yes --db all.db && is "$(contents all.db)" "$before"
}
ok "several runs are archived together or not at all" together

# --- delete -----------------------------------------------------------------------------------

asks() {
	given merged || return
	before=$(sha256sum <all.db)
	refused 2 "use --yes to do it" report delete 2 --db all.db </dev/null && out_has "To be deleted" &&
		out_has "MB of checkpoints" && is "$(sha256sum <all.db)" "$before" &&
		refused 2 "there is no run" report delete 2 nine --yes --db all.db &&
		is "$(sha256sum <all.db)" "$before"
}
ok "delete requires --yes" asks

deletes() {
	given merged || return
	uid=$(sqlite3 all.db 'SELECT uid FROM run WHERE id = 2')
	report delete 2 2 --yes --db all.db && out_has Deleted && ! [ -e "all.checkpoints/2-$uid" ] &&
		is "$(sqlite3 all.db 'SELECT group_concat(id) FROM (SELECT id FROM run ORDER BY id)')" 1,3 && files_sound all.db &&
		is "$(sqlite3 all.db 'SELECT count(*) FROM metric WHERE run = 2')" 0
}
ok "a run is deleted with its checkpoints" deletes

of_a_copy() {
	cp one.db copy.db && report delete 1 --yes --db copy.db && out_has "Checkpoint files kept" && files_sound one.db
}
ok "deleting a run of a copied database keeps the checkpoints of the original" of_a_copy

at_work() {
	given merged && cp all.db work.db && sqlite3 work.db "UPDATE run SET status = 'running', host = '$(uname -n)',
		process_id = $$, process_start = '$(cat /proc/sys/kernel/random/boot_id) $(
		sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20)' WHERE id = 1;
		UPDATE run SET status = 'running', host = 'elsewhere.invalid', process_id = 1 WHERE id = 3" &&
		refused 2 "is running, as process $$ on" report delete 1 --yes --db work.db &&
		refused 2 "on elsewhere.invalid" report delete 3 --yes --db work.db &&
		refused 2 "is running, as process $$" report export 1 --out x --db work.db
}
ok "a running run cannot be deleted or exported" at_work

# --- gc ---------------------------------------------------------------------------------------

clears() {
	given merged || return
	run=all.checkpoints/$(ls all.checkpoints | head -n 1)
	: >"$run/step-00000001.safetensors" && : >"$run/step-00000001.safetensors.partial-0a1b2c" &&
		: >"$run/notes.txt" && : >all.checkpoints/mine && mkdir all.checkpoints/9-0a1b2c3d \
		all.checkpoints/import-0a1b2c all.checkpoints/my-folder &&
		: >all.checkpoints/9-0a1b2c3d/step-00000002.safetensors &&
		: >all.checkpoints/my-folder/step-00000002.safetensors && files=$(find all.checkpoints | sort) &&
		report gc --db all.db && out_has "not on record" && out_has "4 files" && ! out_has notes &&
		! out_has mine && ! out_has my-folder && is "$(find all.checkpoints | sort)" "$files" &&
		report gc --yes --db all.db && out_has "4 files" && files_sound all.db &&
		[ -e "$run/notes.txt" ] && [ -e all.checkpoints/mine ] &&
		[ -e all.checkpoints/my-folder/step-00000002.safetensors ] &&
		! [ -e all.checkpoints/9-0a1b2c3d ] && ! [ -e all.checkpoints/import-0a1b2c ] &&
		report gc --db all.db && out_has "Nothing to remove"
}
ok "gc lists, then removes files that pxr left, and no others" clears

old_ones() {
	given merged && report gc --old --yes --db all.db && out_has "neither the best nor the last" && files_sound all.db &&
		is "$(sqlite3 all.db "SELECT count(*) FROM checkpoint AS c WHERE NOT best AND step < (SELECT
			max(step) FROM checkpoint WHERE run = c.run)")" 0 && pxr_sample 1 --db all.db --count 1 --out drawn.png
}
ok "gc --old removes checkpoints that are neither the best nor the last" old_ones

missing() {
	given merged && cp all.db kept.db && mv all.checkpoints away && report gc --yes --db all.db && out_has "missing" &&
		is "$(sqlite3 all.db 'SELECT count(*) FROM checkpoint')" "$(sqlite3 kept.db 'SELECT count(*) FROM checkpoint')" &&
		report gc --yes --forget-missing --db all.db && is "$(sqlite3 all.db 'SELECT count(*) FROM checkpoint')" 0
}
ok "gc keeps missing checkpoints on record without --forget-missing" missing

renamed() {
	mv two.db before.db && pxr_run tiny.yaml --db two.db --threads 1 train.epochs=0 &&
		report gc --yes --db two.db && out_has "another database in this directory" && files_sound before.db
}
ok "gc keeps checkpoints that a renamed database has on record" renamed

# --- repeating --------------------------------------------------------------------------------

repeats() {
	pxr_run --from-run 1 --db one.db --threads 2 && out_has "the same to the bit as run 1" &&
		is "$(sqlite3 one.db 'SELECT repeats = (SELECT uid FROM run WHERE id = 1) FROM run WHERE id = 3')" 1 &&
		report show 3 --db one.db --part facts && out_has "repeats" &&
		refused 2 "run 3, which repeats it" report delete 1 --yes --db one.db
}
ok "--from-run repeats a run to the bit" repeats

# changed.db: one.db with another result, libraries and picture of run 1 on record.
change() {
	cp one.db changed.db && sqlite3 changed.db "UPDATE metric SET sum_nats = sum_nats + 1 WHERE
		run = 1 AND name = 'final_nll' AND split = 'test'; UPDATE run SET libraries = replace(libraries,
		'zlib ', 'zlib 0.') WHERE id = 1;
		UPDATE sample SET png = (SELECT png FROM sample WHERE run = 2 AND kind = 'samples' LIMIT 1) WHERE run = 1
		AND step = 96 AND kind = 'samples'"
}
differs() {
	change && exits 1 pxr_run --from-run 1 --db changed.db --threads 1 &&
		out_has "differs from run 1: test NLL" && out_has "1 of 116 NLLs" && out_has "1 of 4 pictures" &&
		grep -q "^library zlib  *0\.1" out && ! out_has "library SQLite"
}
ok "--from-run shows how the result and the environment differ" differs

# As with cmp: no output means the same.
quietly() {
	pxr_run --from-run 1 --db one.db --threads 2 -q && ! [ -s out ] && ! [ -s err ] && change &&
		exits 1 pxr_run --from-run 1 --db changed.db --threads 2 -q && ! [ -s out ] &&
		err_has ": differs from run 1: test NLL"
}
ok "--from-run with --quiet shows only differences" quietly

elsewhere() {
	mkdir far && (cd far && pxr_run --from-run 1 --db ../one.db --json) && mv far/out out &&
		is "$(sqlite3 :memory: "SELECT json_extract(readfile('out'), '\$.repeats.same')")" 1 &&
		refused 2 "only the path of its data" pxr_run --from-run 1 --db one.db train.epochs=2 &&
		refused 2 "there is no run 'nine'" pxr_run --from-run nine --db one.db &&
		refused 2 "no such database" pxr_run --from-run 1 --db none.db && ! [ -e none.db ]
}
ok "a run is repeated from another directory" elsewhere

# --- invalid databases ------------------------------------------------------------------------

printf '%s\n' 'name: seeds' 'spec: tiny.yaml' 'vary: {train.seed: [1, 2]}' >seeds.yaml

lacks_a_table() {
	cp one.db short.db && sqlite3 short.db "DROP TABLE metric" && cp short.db before.db || return
	for words in "tag 1 a" "note 1 b" "archive 1 --yes" "delete 1 --yes" "gc --yes" "merge one.db"; do
		refused 2 "table 'metric' is missing" report $words --db short.db &&
			cmp short.db before.db || return
	done
	refused 2 "table 'metric' is missing" pxr_sweep seeds.yaml --db short.db &&
		refused 2 "table 'metric' is missing" pxr_run tiny.yaml --db short.db &&
		is "$(sqlite3 short.db 'SELECT count(*) FROM sweep')" 0
}
ok "a database that lacks a table is refused and not changed" lacks_a_table

no_database() {
	given exported || return
	for file in empty.db text.db folder.db cut.db newer.db old.db; do
		case $file in
		empty.db) : >$file && text="the database is empty" ;;
		text.db) seq 1000 >$file && text="not a database" ;;
		folder.db) mkdir $file && text="is a folder, not a database" ;;
		cut.db) head -c 50000 one.db >$file && text="the database is corrupt" ;;
		newer.db) cp one.db $file && sqlite3 $file "PRAGMA user_version = 99" && text="written by a newer pxr" ;;
		old.db) cp one.db $file && sqlite3 $file "PRAGMA application_id = 0x70787244" && text="a development version of pxr" ;;
		esac
		for words in "tag 1 x" "tag" "untag 1 x" "note 1 x" "archive 1 --yes" "unarchive 1" "delete 1 --yes" \
			"gc" "gc --yes" "merge two.db" "import gone" "import gone.tar.gz" "export 1 --out x"; do
			sum=$(cat $file 2>/dev/null | sha256sum) all=$(find . -not -name out -not -name err | sort)
			refused 2 "$text" report $words --db $file && is "$(grep -c error: err)" 1 &&
				is "$(wc -c <out)" 0 && is "$(cat $file 2>/dev/null | sha256sum)" "$sum" &&
				is "$(find . -not -name out -not -name err | sort)" "$all" || {
				echo "# $file: $words" && return 1
			}
		done
		sum=$(cat $file 2>/dev/null | sha256sum)
		refused 2 "$text" report merge $file --db fresh.db && ! [ -e fresh.db ] &&
			refused 2 "$text" report merge one.db $file --db all.db &&
			is "$(cat $file 2>/dev/null | sha256sum)" "$sum" || return
	done
	refused 2 "delete the file" report merge two.db --db empty.db || return
	# A sweep makes its database, of an empty file too, and refuses the others.
	for file in text.db folder.db cut.db newer.db old.db; do
		sum=$(cat $file 2>/dev/null | sha256sum) all=$(find . -not -name out -not -name err | sort)
		exits 2 pxr_sweep seeds.yaml --db $file && is "$(wc -l <err)" 1 && is "$(wc -c <out)" 0 &&
			is "$(cat $file 2>/dev/null | sha256sum)" "$sum" &&
			is "$(find . -not -name out -not -name err | sort)" "$all" || {
			echo "# $file: pxr-sweep" && return 1
		}
	done
	for words in "tag 1 x" "delete 1 --yes" "gc" "export 1 --out x"; do
		refused 2 "no such database" report $words --db none.db && ! [ -e none.db ] || return
	done
	refused 2 "no such database" report merge none.db --db all.db
}
ok "every command refuses an invalid database with one error and does not change it" no_database

# The mode of the file, that of its folder, and that of its folder with a database that has a log.
read_only() {
	needs_bound
	given exported && mkdir mode folder log && cp one.db mode/x.db && cp one.db folder/x.db && cp one.db log/x.db &&
		sqlite3 log/x.db "PRAGMA journal_mode = WAL" >/dev/null && sqlite3 mode/x.db "PRAGMA
			journal_mode = DELETE" >/dev/null && cp mode/x.db folder/x.db && chmod 444 mode/x.db &&
		chmod 555 folder log || return
	for place in mode folder log; do
		sum=$(sha256sum <$place/x.db)
		for words in "tag 1 x" "untag 1 x" "note 1 x" "archive 1 --yes" "unarchive 1" "delete 1 --yes" \
			"gc --yes" "merge two.db" "import gone" "import gone.tar.gz" sweep; do
			all=$(find . -not -name out -not -name err | sort)
			if [ "$words" = sweep ]; then
				bound "$top/runner/pxr-sweep" seeds.yaml --db $place/x.db >out 2>err
			else
				bound "$top/runner/pxr-report" $words --db $place/x.db >out 2>err
			fi
			is $? 2 && err_has "read-only" && is "$(wc -l <err)" 1 && is "$(wc -c <out)" 0 &&
				is "$(sha256sum <$place/x.db)" "$sum" &&
				is "$(find . -not -name out -not -name err | sort)" "$all" || {
				echo "# $place: $words" && return 1
			}
		done
	done
	chmod 755 folder log
}
ok "every command that writes refuses a read-only database and does not change it" read_only

# All commands wait at once.
locked() {
	given exported || return
	sum=$(sha256sum <all.db)
	pids=
	mkfifo hold && { sqlite3 all.db <hold >/dev/null 2>&1 & } && exec 3>hold &&
		echo "BEGIN IMMEDIATE; CREATE TABLE x (y); SELECT 'held';" >&3 && sleep 1 && rm hold &&
		for words in "report tag 1 x --db all.db" "report untag 1 base --db all.db" \
			"report note 1 x --db all.db" "report archive 1 --yes --db all.db" \
			"report unarchive 1 --db all.db" "report delete 1 --yes --db all.db" \
			"report gc --yes --db all.db" "report merge one.db --db all.db" \
			"report import gone --db all.db" \
			"sweep seeds.yaml --db all.db"; do
			name=$(echo "$words" | tr -d ' -')
			{ "$top/runner/pxr-"$words >"locked-$name" 2>&1; echo $? >>"locked-$name"; } 3>&- &
			pids="$pids $!"
		done
	wait $pids
	exec 3>&-
	wait
	for file in locked-*; do
		grep -q "another program keeps the database locked" $file && is "$(tail -n 1 $file)" 1 &&
			is "$(wc -l <$file)" 2 || { sed 's/^/# /' $file && return 1; }
	done
	is "$(sha256sum <all.db)" "$sum"
}
ok "every command that writes stops at a locked database and does not change it" locked
