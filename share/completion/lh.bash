# Completion in bash for lh and the lh-* tools, made by "lh completion bash".  It runs none of
# them.

# _lh_table TOOL - set what a tool has:
#   C  its commands
#   A  a line for each command: name (. for none), then the kinds of its operands; + after the
#      last: any number of it
#   O  a line for each option: names, kind (- for none), 1 or * for how often, commands or -
# A kind is t text, d folder, c command, p page, f any file or f:*.a:*.b files; =a|b after it:
# these words, too.
_lh_table() {
	case $1 in
@TABLES@
	*) return 1 ;;
	esac
}

# Set words and cword, with what bash cut at = and : in one piece again, up to the cursor;
# piece is what bash will replace.
_lh_words() {
	local line=${COMP_LINE:0:COMP_POINT} i rest space
	words=() cword=-1
	for ((i = 0; i <= COMP_CWORD; i++)); do
		piece=${COMP_WORDS[i]}
		rest=${line#"${line%%[![:space:]]*}"}
		[[ $rest == "$line" ]] && space= || space=1
		if [[ $rest == "$piece"* && ($i -lt $COMP_CWORD || $rest == "$piece") ]]; then
			line=${rest#"$piece"}
		else
			piece=$rest line=
		fi
		if ((cword < 0)) || [[ $space ]]; then
			((++cword))
			words[cword]=
		fi
		words[cword]+=$piece
	done
	[[ $piece != [=:] ]] || piece=
}

# Remove the quoting of a word that is being typed.
_lh_plain() {
	local i c=
	plain=
	case $1 in
	\"* | \'*) plain=${1:1} ;;
	*)
		for ((i = 0; i < ${#1}; i++)); do
			c=${1:i:1}
			if [[ $c == '\' ]]; then
				((++i))
				c=${1:i:1}
			fi
			plain+=$c
		done
		;;
	esac
}

# _lh_files TEXT PATTERN... - add the folders, and the files that a pattern fits; if no file
# does, all files.
_lh_files() {
	local plain all=() found=() folders=() file pattern
	_lh_plain "$1"
	shift
	compopt -o filenames 2>/dev/null
	mapfile -t all < <(compgen -f -- "$plain")
	for file in "${all[@]}"; do
		if [[ -d ${file/#\~\//$HOME/} ]]; then
			folders+=("$file")
			continue
		fi
		for pattern in "$@"; do
			if [[ $file == $pattern ]]; then
				found+=("$file")
				break
			fi
		done
	done
	if ((!${#found[@]})); then
		COMPREPLY+=("${all[@]}")
	else
		COMPREPLY+=("${folders[@]}" "${found[@]}")
	fi
}

# _lh_value KIND TEXT - add the values of a kind that begin with the text.
_lh_value() {
	local plain kind=${1%%=*} IFS=$' \t\n'
	if [[ $1 == *=* ]]; then
		IFS='|'
		set -f
		_lh_choices "$2" ${1#*=}
		set +f
		IFS=$' \t\n'
	fi
	case $kind in
	d)
		_lh_plain "$2"
		compopt -o filenames 2>/dev/null
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$plain")
		;;
	c) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -c -- "$2") ;;
	p) _lh_choices "$2" $_lh_tools @PAGES@ ;;
	f) _lh_files "$2" '*' ;;
	f:*)
		local patterns
		IFS=: read -ra patterns <<<"${kind#f:}"
		_lh_files "$2" "${patterns[@]}"
		;;
	esac
}

# _lh_choices TEXT WORD... - add the words that begin with the text.
_lh_choices() {
	local text=$1 word
	shift
	for word; do
		[[ $word != "$text"* ]] || COMPREPLY+=("$word")
	done
}

# _lh_option NAME - set kind and many of an option, and names.
_lh_option() {
	local of
	while read -r names kind many of; do
		[[ ,$names, != *,$1,* ]] || return 0
	done <<<"$O"
	return 1
}

# Read the words before the cursor: set ended (after --), seen (options), operands (their number),
# command, and wanted (the kind of the value that an option still needs).
_lh_read() {
	local i j word names kind many
	ended= seen=, operands=0 command= wanted=
	for ((i = 1; i < cword; i++)); do
		word=${words[i]} wanted=
		if [[ ! $ended && $word == -- ]]; then
			ended=1
		elif [[ ! $ended && $word == --* ]]; then
			_lh_option "${word%%=*}" || continue
			[[ $many == '*' ]] || seen+=$names,
			[[ $kind == - || $word == *=* ]] || { wanted=$kind; ((++i)); }
		elif [[ ! $ended && $word == -?* ]]; then
			for ((j = 1; j < ${#word}; j++)); do
				_lh_option "-${word:j:1}" || break
				[[ $many == '*' ]] || seen+=$names,
				[[ $kind == - ]] || break
			done
			((j + 1 == ${#word})) && [[ $kind != - ]] && { wanted=$kind; ((++i)); }
		elif [[ ! $command && $C && " $C " == *" $word "* ]] && ((!operands)); then
			command=$word
		else
			((++operands))
		fi
	done
	((i > cword)) || wanted=
}

# Add the names of options that may follow.
_lh_names() {
	local names kind many of name
	while read -r names kind many of; do
		[[ $names ]] || continue
		[[ $of == - || ! $C || (! $command && $operands == 0) || ,$of, == *,${command:-.},* ]] || continue
		[[ $seen != *,"$names",* ]] || continue
		name=${names##*,}
		[[ $name != "$cur"* ]] || COMPREPLY+=("$name")
	done <<<"$O"
}

# Add the operands that may follow.
_lh_operand() {
	local name kinds n
	[[ $command || $operands != 0 ]] || _lh_choices "$cur" $C
	while read -r name kinds; do
		[[ $name == "${command:-.}" ]] || continue
		set -f
		kinds=($kinds)
		set +f
		n=${#kinds[@]}
		((n)) || return
		if ((operands < n)); then
			kinds=${kinds[operands]}
		elif [[ ${kinds[n - 1]} == *+ ]]; then
			kinds=${kinds[n - 1]}
		else
			return
		fi
		# not all of cur: bash cuts after NAME=
		_lh_value "${kinds%+}" "$piece"
	done <<<"$A"
}

_lh() {
	local words cword piece cur tool C A O before
	local ended seen operands command wanted names kind many IFS=$' \t\n'
	COMPREPLY=()
	_lh_words
	tool=${words[0]##*/}
	if [[ $tool == lh ]] && ((cword > 1)) && [[ " $_lh_tools " == *" ${words[1]} "* ]]; then
		tool=lh-${words[1]}
		words=("$tool" "${words[@]:2}")
		((--cword))
	fi
	_lh_table "$tool" || return
	[[ $tool != lh ]] || C+=" $_lh_tools"
	cur=${words[cword]}
	_lh_read
	if [[ $wanted ]]; then
		_lh_value "$wanted" "$cur"
		before=
	elif [[ ! $ended && $cur == --*=* ]]; then
		_lh_option "${cur%%=*}" && _lh_value "$kind" "${cur#*=}"
		before=${cur%%=*}=
	elif [[ ! $ended && $cur == -* ]]; then
		_lh_names
		before=
	else
		_lh_operand
		return
	fi
	# what bash does not replace
	local cut=${cur%"$piece"}
	((${#COMPREPLY[@]})) || return
	COMPREPLY=("${COMPREPLY[@]/#/$before}")
	COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}

_lh_tools='@TOOLS@'
complete -F _lh @NAMES@
