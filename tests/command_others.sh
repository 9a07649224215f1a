#!/bin/sh
# command_others.sh - text that other people wrote, in every command: it moves no terminal's cursor.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
plan 8

pxr() {
	program=$1
	shift
	"$top/runner/pxr-$program" "$@" >out 2>err
}

# ESC, BEL, CSI as one character (C1), and a change of the direction.
planted=$(printf 'a\033[2J\033]0;b\007\302\233c\342\200\256d')
sql="CAST(x'$(printf %s "$planted" | od -An -tx1 | tr -d ' \n')' AS TEXT)"

# harmless STATUS PROGRAM ARGUMENT...: it ends with that status, and prints nothing of it as it is.
harmless() {
	exits "$@" || return
	if cat out err | grep -q "$(printf '\033\\|\007\\|\302\233\\|\342\200\256')"; then
		shift
		echo "# printed as it is by $*" | tr -cd ' -~\n'
		return 1
	fi
}

sed 's/epochs: 6/epochs: 1/' tiny.yaml >short.yaml
printf 'name: some\nspec: short.yaml\nvary: {train.seed: [1, 2]}\n' >sweep.yaml
pxr sweep sweep.yaml --db a.db --jobs 1 -q || exit 1
# All texts that name nothing.
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
ok "reports" reports

samples() {
	harmless 0 pxr sample 1 --db a.db --count 1 --out s.png &&
		harmless 0 pxr sample 1 --db a.db --nll-map valid --out s.svg &&
		harmless 2 pxr sample "$planted x" --db a.db
}
ok "pxr-sample" samples

ok "a run from one on record" harmless 0 pxr run --from-run 1 --db a.db --threads 1

resumed() {
	query a.db "UPDATE run SET status = 'interrupted', process_start = NULL WHERE id = 2" &&
		harmless 0 pxr run --resume 2 --db a.db --threads 1
}
ok "a run that is resumed" resumed

specs() {
	cp short.yaml "$planted.yaml" && harmless 0 pxr run "$planted.yaml" --dry-run &&
		echo x >>"$planted.yaml" && harmless 2 pxr run "$planted.yaml" --dry-run &&
		harmless 2 pxr run "$planted" && harmless 2 pxr run short.yaml "$planted=1" || return
	printf 'description: "\\e]0;x\\a\\u202e"\n' >described.yaml && cat short.yaml >>described.yaml &&
		harmless 0 pxr run described.yaml --explain '' && out_has '\x1B]0;x\x07\u202E' &&
		harmless 0 pxr run described.yaml --dry-run
}
ok "specs" specs

sweeps() {
	printf 'name: some\nspec: short.yaml\nvary: {description: ["\\e[2Jx", "\\u202ey"]}\n' >bad.yaml &&
		harmless 0 pxr sweep bad.yaml --dry-run && out_has '\xe2\x80\xaey' &&
		harmless 0 pxr sweep bad.yaml --db b.db --jobs 1
}
ok "sweeps" sweeps

codec() {
	query a.db "UPDATE run SET name = 'x' || char(0x202e) || 'y' WHERE id = 1" &&
		harmless 0 pxr codec encode 1 --split test --count 2 -o b.pxr --db a.db &&
		harmless 0 pxr codec info b.pxr && out_has 'x\xe2\x80\xaey' &&
		harmless 0 pxr codec decode b.pxr -o "$planted.folder" --db a.db &&
		harmless 2 pxr codec info "$planted"
}
ok "pxr-codec" codec

data() {
	harmless 0 pxr data convert markov_binary train=2 valid=2 test=2 --out "$planted" &&
		harmless 0 pxr data info "$planted" && harmless 2 pxr data info "$planted" "$planted=1"
}
ok "pxr-data" data
