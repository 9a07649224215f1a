# Completion of the pxr commands for bash. The tables at the end are made from the option tables of the
# commands when pxr is built.

declare -gA _pxr_subcommands _pxr_options _pxr_arguments _pxr_values

# _pxr_offer WORD...: those that begin with what was typed. Words are never expanded: names in a
# database can be anything.
_pxr_offer() {
	local word
	for word; do
		[[ $word == "$current"* ]] && COMPREPLY+=("$word")
	done
}

# _pxr_files OPTION: -f files, -d directories.
_pxr_files() {
	local name
	while IFS= read -r name; do
		COMPREPLY+=("$name")
	done < <(compgen "$1" -- "$current")
	compopt -o filenames 2>/dev/null
}

# _pxr_lines PROGRAM ARGUMENT...: what a pxr command prints, of words that need no quotes. It only reads.
_pxr_lines() {
	local program=$1
	shift
	[[ $folder ]] && program=$folder/$program
	timeout 2 "$program" "$@" 2>/dev/null </dev/null
}

# The database that the line names.
_pxr_database() {
	local i
	for ((i = 1; i + 1 < ${#COMP_WORDS[@]}; i++)); do
		[[ ${COMP_WORDS[i]} == --db ]] || continue
		[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
		printf '%s' "${COMP_WORDS[i + 1]/#\~\//$HOME/}"
		return
	done
	printf pxr.db
}

# Complete a value by what --help calls it.
_pxr_value() {
	local words=() word
	case $1 in
	FILE | FILES | PATH | DATABASE | IMAGES | *.pxr) _pxr_files -f ;;
	FOLDER) _pxr_files -d ;;
	SPEC | SWEEP)
		_pxr_files -f
		for word in "${COMPREPLY[@]}"; do
			[[ -d $word || $word == *.y?(a)ml ]] && words+=("$word")
		done
		COMPREPLY=("${words[@]}")
		;;
	RUN)
		mapfile -t words < <(_pxr_lines pxr-report runs --limit 100 --format csv --db "$(_pxr_database)" |
			sed -nE 's/^([0-9]+),([A-Za-z0-9_.-]+),.*/\1\n\2/p' | sort -u)
		_pxr_offer last "${words[@]}"
		;;
	SET)
		mapfile -t words < <(_pxr_lines pxr-data list | sed -n 's/^\([a-z0-9_]*\):.*/\1/p')
		_pxr_offer "${words[@]}"
		;;
	LAYER)
		mapfile -t words < <(_pxr_lines pxr-layers list | sed -n 's/^\([a-z0-9_]*\) .*/\1/p')
		_pxr_offer "${words[@]}"
		;;
	KEY=VALUE | KEY)
		[[ $first == *.y?(a)ml ]] || return
		mapfile -t words < <(_pxr_lines pxr-run "$first" --explain '' |
			sed -nE 's/^([A-Za-z0-9_.]+) = .*/\1/p')
		[[ $1 == KEY ]] || words=("${words[@]/%/=}")
		_pxr_offer "${words[@]}"
		compopt -o nospace 2>/dev/null
		;;
	*[a-z]*) _pxr_offer $1 ;; # the names it can be
	esac
}

# The argument that is number $1, of "RUN [TAG...]".
_pxr_argument() {
	local kinds=(${2//[\[\]]/}) number=$1
	((${#kinds[@]})) || return
	if ((number >= ${#kinds[@]})); then
		[[ $2 == *...* ]] || return
		number=$((${#kinds[@]} - 1))
	fi
	_pxr_value "${kinds[number]%...}"
}

_pxr() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[0]##*/} folder= verb= first= option= at=1 number=0 i key
	local extglob=$(shopt -p extglob) noglob=$(shopt -po noglob)
	shopt -s extglob
	set -f
	COMPREPLY=()
	[[ ${COMP_WORDS[0]} == */* ]] && folder=${COMP_WORDS[0]%/*}
	if [[ $command == pxr && $COMP_CWORD -gt 1 ]]; then
		command=pxr-${COMP_WORDS[1]} at=2
		if [[ $command == pxr-help ]]; then # its arguments are a command and its subcommand
			command=pxr
			((COMP_CWORD > 2)) && command=pxr-${COMP_WORDS[2]}
			_pxr_offer ${_pxr_subcommands[$command]}
			eval "$extglob; $noglob"
			return
		fi
	fi
	# An option with a value: "--db FILE" or "--db=FILE", which bash splits at "=".
	if [[ $current == = ]]; then
		option=$before current=
	elif [[ $before == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $before == --* && ${_pxr_values[$command $before]} ]]; then
		option=$before
	fi
	# What comes before: the subcommand, and how many arguments.
	for ((i = at; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		=) ((i++)) ;;
		--*)
			[[ ${COMP_WORDS[i + 1]} == = || -z ${_pxr_values[$command ${COMP_WORDS[i]}]} ]] || ((i++))
			;;
		-*) ;;
		*)
			if [[ -z $verb && " ${_pxr_subcommands[$command]}" == *" ${COMP_WORDS[i]} "* ]]; then
				verb=${COMP_WORDS[i]}
			else
				: "${first:=${COMP_WORDS[i]}}"
				((number++))
			fi
			;;
		esac
	done
	key=$command${verb:+ $verb}
	if [[ $option == -* ]]; then
		_pxr_value "${_pxr_values[$command $option]}"
	elif [[ $option ]]; then # KEY=
		:
	elif [[ $current == -* ]]; then
		_pxr_offer ${_pxr_options[$key]}
		[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	else
		[[ $verb ]] || ((number)) || _pxr_offer ${_pxr_subcommands[$command]}
		_pxr_argument $number "${_pxr_arguments[$key]}"
	fi
	eval "$extglob; $noglob"
}

