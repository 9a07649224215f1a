#!/bin/sh
# command_others.sh - hostile text in names, notes and files: no command prints its control characters.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

pxr() {
	program=$1
	shift
	"$top/runner/pxr-$program" "$@" >out 2>err
}

# ESC, BEL, CSI as one character (C1), and a change of the direction.
planted=$(printf 'a\033[2J\033]0;b\007\302\233c\342\200\256d')
sql="CAST(x'$(printf %s "$planted" | od -An -tx1 | tr -d ' \n')' AS TEXT)"

# harmless STATUS PROGRAM ARGUMENT...: the program exits with that status and prints no control character.
harmless() {
	exits "$@" || return
	if cat out err | grep -q "$(printf '\033\\|\007\\|\302\233\\|\342\200\256')"; then
		shift
		echo "# printed a control character: $*" | tr -cd ' -~\n'
		return 1
	fi
}

sed 's/epochs: 6/epochs: 1/' tiny.yaml >short.yaml
printf 'name: some\nspec: short.yaml\nvary: {train.seed: [1, 2]}\n' >sweep.yaml
pxr sweep sweep.yaml --db a.db --jobs 1 -q || exit 1
# Every text of the database that is not used as a key.
for column in run.name run.note run.command_line run.host run.message run.git_difference \
	run.data_transforms event.message tag.tag sweep.name layer.path; do
	query a.db "UPDATE ${column%.*} SET ${column#*.} = $sql" || exit 1
done

reports() {
	for words in runs "show 1" "show 1 --part difference" "compare 1 2" doctor sweep tag gc table4 \
		"runs --format csv" "runs --format md" "runs --format latex" "show 1 --format csv"; do
		harmless 0 pxr report $words --db a.db || return
	done
	harmless 2 pxr report delete 1 --db a.db && harmless 2 pxr report sweep some --db a.db &&
		harmless 0 pxr report sweep "$planted" --db a.db
}
ok "reports escape control characters in texts of the database" reports

samples() {
	harmless 0 pxr sample 1 --db a.db --count 1 --out s.png &&
		harmless 0 pxr sample 1 --db a.db --nll-map valid --out s.svg &&
		harmless 2 pxr sample "$planted x" --db a.db
}
ok "pxr-sample escapes control characters in texts of the database" samples

ok "pxr-run --from-run escapes control characters in texts of the database" harmless 0 pxr run --from-run 1 --db a.db --threads 1

resumed() {
	query a.db "UPDATE run SET status = 'interrupted', process_start = NULL WHERE id = 2" &&
		harmless 0 pxr run --resume 2 --db a.db --threads 1
}
ok "pxr-run --resume escapes control characters in texts of the database" resumed

specs() {
	cp short.yaml "$planted.yaml" && harmless 0 pxr run "$planted.yaml" --dry-run &&
		echo x >>"$planted.yaml" && harmless 2 pxr run "$planted.yaml" --dry-run &&
		harmless 2 pxr run "$planted" && harmless 2 pxr run short.yaml "$planted=1" || return
	printf 'description: "\\e]0;x\\a\\u202e"\n' >described.yaml && cat short.yaml >>described.yaml &&
		harmless 0 pxr run described.yaml --explain '' && out_has '\x1B]0;x\x07\u202E' &&
		harmless 0 pxr run described.yaml --dry-run
}
ok "pxr-run escapes control characters in specs and arguments" specs

sweeps() {
	printf 'name: some\nspec: short.yaml\nvary: {description: ["\\e[2Jx", "\\u202ey"]}\n' >bad.yaml &&
		harmless 0 pxr sweep bad.yaml --dry-run && out_has '\xe2\x80\xaey' &&
		harmless 0 pxr sweep bad.yaml --db b.db --jobs 1
}
ok "pxr-sweep escapes control characters in sweeps" sweeps

codec() {
	query a.db "UPDATE run SET name = 'x' || char(0x202e) || 'y' WHERE id = 1" &&
		harmless 0 pxr codec encode 1 --split test --count 2 -o b.pxr --db a.db &&
		harmless 0 pxr codec info b.pxr && out_has 'x\xe2\x80\xaey' &&
		harmless 0 pxr codec decode b.pxr -o "$planted.folder" --db a.db &&
		harmless 2 pxr codec info "$planted"
}
ok "pxr-codec escapes control characters in names of runs and files" codec

data() {
	harmless 0 pxr data convert markov_binary train=2 valid=2 test=2 --out "$planted" &&
		harmless 0 pxr data info "$planted" && harmless 2 pxr data info "$planted" "$planted=1"
}
ok "pxr-data escapes control characters in names of folders" data

# --- names of runs: 'last' or a number as a name would hide other runs ---------------------------

no_name() {
	for name in '""' last 2016 '"a\tb"' '"a\nb"' '"\e[2J"'; do
		harmless 2 pxr run short.yaml "name=$name" --db none.db && err_has "the name '" &&
			err_has "choose another" || return
		printf '%s\n' "name: $name" >named.yaml &&
			sed 1d short.yaml >>named.yaml && refused 2 "named.yaml:1:7: error: the name '" \
			pxr run named.yaml --dry-run || return
	done
	pxr run short.yaml "name=2016b" --dry-run && ! [ -e none.db ]
}
ok "pxr-run refuses a run name that is empty, 'last', a number or has control characters" no_name

no_name_in_sweep() {
	printf 'name: a\nspec: short.yaml\nset: {name: last}\nvary: {train.seed: [1]}\n' >bad.yaml &&
		refused 2 "the name 'last' stands for" pxr sweep bad.yaml --db none.db &&
		printf 'name: a\nspec: short.yaml\nvary: {name: [a, "12"]}\n' >bad.yaml &&
		refused 2 "the name '12' is a number" pxr sweep bad.yaml --db none.db &&
		printf 'name: "a\\nb"\nspec: short.yaml\nvary: {train.seed: [1]}\n' >bad.yaml &&
		refused 2 "'name' has a control character" pxr sweep bad.yaml --db none.db
}
ok "pxr-sweep refuses such names of runs, too" no_name_in_sweep

# Runs 1 and 2 have names that an older pxr allowed.
old_names() {
	query a.db "UPDATE run SET name = 'a' || char(10) || 'b', status = 'finished' WHERE id = 1;
		UPDATE run SET name = '2016', spec = replace(spec, 'name: tiny', 'name: 2016')
		WHERE id = 2" && harmless 0 pxr report show 2016 --db a.db &&
		harmless 0 pxr codec encode 1 --split test --count 2 -o c.pxr --db a.db &&
		harmless 0 pxr codec info c.pxr && out_has 'a\x0ab' &&
		harmless 0 pxr codec decode c.pxr -o c --db a.db &&
		harmless 0 pxr run --from-run 2 --db a.db --threads 1 &&
		is "$(query a.db "SELECT name FROM run ORDER BY id DESC LIMIT 1")" "run 2016"
}
ok "a run that an older pxr named so can be shown, repeated and used to compress" old_names

taken_over() {
	query a.db "UPDATE run SET name = 'a' || char(10) || 'b' WHERE id = 1; UPDATE run SET name = '2016' WHERE id = 2" &&
		harmless 0 pxr report merge a.db --db merged.db && err_has "stands for the run of that number" &&
		is "$(query merged.db "SELECT group_concat(name) FROM
			(SELECT name FROM run WHERE id < 3 ORDER BY id)")" 'a\x0ab,run 2016' &&
		query a.db "UPDATE run SET name = 'last' WHERE id = 2" &&
		harmless 0 pxr report export 2 --db a.db --out old && sqlite3 old/run.db \
		"UPDATE run SET name = 'last'" && (cd old && sha256sum run.db >sum &&
		sed -i "s/^.*  run.db\$/$(cat sum)/" MANIFEST.sha256 && rm sum) &&
		harmless 0 pxr report import old --db merged2.db && err_has "becomes 'run last'" &&
		is "$(query merged2.db "SELECT name FROM run")" "run last"
}
ok "merge and import rename a run whose name would hide other runs" taken_over
