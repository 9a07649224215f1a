#!/bin/sh
# command_pxr.sh - `pxr` runs the other commands; each has its man pages and completes in bash.
. "${srcdir:-.}/tests/command.sh"
runner=$top/runner
described=$runner/described

pxr() {
	"$runner/pxr" "$@" >out 2>err
}

# --- pxr ------------------------------------------------------------------------------------------

passes_on() {
	pxr run tiny.yaml --dry-run model.1.repeat=1 && cp out through && "$runner/pxr-run" tiny.yaml --dry-run \
		model.1.repeat=1 >direct 2>err && cmp through direct && refused 2 "unknown option 'x'" pxr run tiny.yaml x=1 &&
		pxr report --help && out_has "Usage: pxr-report" && pxr --version && out_has "pxr "
}
ok "pxr COMMAND runs pxr-COMMAND with all its arguments" passes_on

unknown() {
	refused 2 "unknown command 'rnu'" pxr rnu x && err_has "did you mean 'run'?" &&
		refused 2 "unknown command '../pxr'" pxr ../pxr && refused 2 "" pxr
}
ok "an unknown command is refused, with the nearest name" unknown

# own_command NAME TEXT: a program pxr-NAME on $PATH.
own_command() {
	mkdir -p own && printf '#!/bin/sh\n%s\n' "$2" >"own/pxr-$1" && chmod +x "own/pxr-$1"
}
on_path() {
	own_command greet 'echo "hello $*"; exit 7' && PATH=$PWD/own:$PATH && export PATH &&
		exits 7 pxr greet --db "a b" && is "$(cat out)" "hello --db a b" &&
		refused 2 "did you mean 'greet'?" pxr gret
}
ok "a program pxr-NAME on the path is the command 'pxr NAME'" on_path

opens_manual() {
	mkdir own && printf '#!/bin/sh\necho "$*"\n' >own/man && chmod +x own/man && PATH=$PWD/own:$PATH &&
		export PATH && pxr help report show && is "$(cat out)" "$described/pxr-report-show.1" &&
		pxr help run && is "$(cat out)" "$described/pxr-run.1" && pxr help help &&
		is "$(cat out)" "$described/pxr.1" && refused 2 "unknown command 'rnu'" pxr help rnu
}
ok "pxr help opens the man page of a command or a subcommand" opens_manual

without_man() {
	LD_LIBRARY_PATH=$top/lib/.libs PATH=/none "$runner/.libs/pxr" help report show >out 2>err &&
		out_has "Usage: pxr-report [OPTION...] show RUN" &&
		LD_LIBRARY_PATH=$top/lib/.libs PATH=/none "$runner/.libs/pxr" help >out 2>err && out_has "Usage: pxr "
}
ok "pxr help prints --help where there is no man" without_man

# --- what is made from the tables -----------------------------------------------------------------

# All commands there are, whatever lists the Makefile has, and what --help prints.
commands() {
	(cd "$runner" && ls | grep '^pxr-[a-z]*$')
}
for command in $(commands); do
	"$runner/$command" --help >"$command.help" || exit 1
done
# Their subcommands, as --help prints them.
subcommands() {
	sed -n '/--help/q; s/^  \([a-z][a-z0-9_]*\)\( .*\)\{0,1\}$/\1/p' "$1.help"
}
options() {
	grep -oE '^ +(-., )?--[a-z-]+' "$1.help" | grep -oE -e '--[a-z-]+$' | grep -v -e --usage
}

have_pages() {
	for command in $(commands); do
		[ -s "$described/$command.1" ] && grep -qF ".BR $(echo "$command" | sed 's/-/\\-/') (1)" \
			"$described/pxr.1" || return
		for word in $(subcommands "$command"); do
			[ -s "$described/$command-$word.1" ] || {
				echo "# $command $word has no page" && return 1
			}
		done
		for word in $(options "$command"); do
			grep -qF "\\fB$(echo "$word" | sed 's/-/\\-/g')\\fR" "$described/$command.1" || {
				echo "# $command.1 does not have $word" && return 1
			}
		done
	done
}
ok "each command and subcommand has a man page, with all options" have_pages

formats() {
	needs groff
	groff -man -ww -z "$described"/*.1 2>err && ! [ -s err ]
}
ok "the man pages are valid" formats

# completes WORD...: what bash would offer for the last word, one a line, in the file out.
completes() {
	bash -c '. "$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && _pxr &&
		printf "%s\n" "${COMPREPLY[@]}"' complete "$runner/completion" "$@" >out 2>err && ! [ -s err ]
}
has_line() {
	grep -qxF -e "$1" out || {
		echo "# '$1' is not offered" && return 1
	}
}

completes_all() {
	needs bash
	for command in $(commands); do
		completes pxr "" && has_line "${command#pxr-}" &&
			grep -q "^complete -F _pxr.* $command\( \|$\)" "$runner/completion" || return
		completes "$runner/$command" "" && cp out words || return
		for word in $(subcommands "$command"); do
			grep -qxF "$word" words || return
		done
		completes "$runner/$command" -- && sed 's/=$//' out >words || return
		for word in $(options "$command"); do
			grep -qxF -e "$word" words || {
				echo "# $command $word does not complete" && return 1
			}
		done
	done
}
ok "each command, subcommand and option completes in bash" completes_all

completes_values() {
	needs bash
	mkdir folder && completes pxr report runs --format "" && has_line csv && completes pxr-report runs --format = j &&
		is "$(cat out)" json && completes pxr-report show -- && has_line --part= && ! grep -q -e --yes out &&
		completes pxr help report un && is "$(cat out)" "$(printf 'untag\nunarchive')" &&
		completes "$runner/pxr-run" ti && is "$(cat out)" tiny.yaml && completes "$runner/pxr-run" fo &&
		is "$(cat out)" folder && completes "$runner/pxr-run" tiny.yaml train.ep && is "$(cat out)" train.epochs= &&
		completes "$runner/pxr-data" info markov_b && is "$(cat out)" markov_binary &&
		completes "$runner/pxr-layers" check row && is "$(cat out)" row_lstm
}
ok "values complete: formats, specs, keys of a spec, data sets, layers" completes_values

make_run() {
	pxr_run tiny.yaml train.epochs=1 sample.count=0 --db a.db && cp a.db b.db &&
		query b.db "UPDATE run SET name = '\$(touch made) * \`touch made\`'"
}
completes_runs() {
	needs bash
	needs sqlite3
	given run && completes "$runner/pxr-report" --db a.db show "" && is "$(cat out)" "$(printf 'last\n1\ntiny')" &&
		completes "$runner/pxr-report" --db = b.db show "" && is "$(cat out)" last && ! [ -e made ]
}
ok "runs complete by number and name, and no name is taken for a command" completes_runs
