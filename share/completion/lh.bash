# Completion in bash for lh and the lh-* tools: "lh complete" prints what may follow.

# _lh_files TEXT KIND [PATTERN]... - add folders, and the files that fit; if none does, all files.
_lh_files() {
	local text=$1 pattern found=()
	case $text in
	[\"\']*) text=${text:1} ;;
	*) IFS= read text <<<"$text" ;; # without -r, so that backslashes are removed
	esac
	compopt -o filenames 2>/dev/null
	for pattern in "${@:3}"; do
		mapfile -t -O ${#found[@]} found < <(compgen -f -X "!$pattern" -- "$text")
	done
	[[ $2 == folder ]] || ((${#found[@]})) || mapfile -t found < <(compgen -f -- "$text")
	mapfile -t -O ${#found[@]} found < <(compgen -d -- "$text")
	COMPREPLY+=("${found[@]}")
}

_lh() {
	local rest=${COMP_LINE:0:COMP_POINT} words=() piece= before= i line parts
	# bash cuts words at = and :, and replaces the last piece
	for ((i = 0; i <= COMP_CWORD; i++)); do
		[[ $i != 0 && $rest != [[:space:]]* ]] || words+=('')
		rest=${rest#"${rest%%[![:space:]]*}"}
		((i < COMP_CWORD)) && piece=${COMP_WORDS[i]} || piece=$rest
		words[-1]+=$piece rest=${rest#"$piece"}
	done
	[[ $piece != [=:] ]] || piece=
	[[ ! ${words[-1]} =~ ^(-[a-z-]+|[A-Za-z0-9_]+)= ]] || before=${BASH_REMATCH[0]}
	COMPREPLY=()
	while IFS= read -r line; do
		IFS=$'\t' read -ra parts <<<"$line"
		case $line in
		$'\tcommand') mapfile -t COMPREPLY < <(compgen -c -- "${words[-1]#"$before"}") ;;
		$'\t'*) _lh_files "${words[-1]#"$before"}" "${parts[@]}" ;;
		*) COMPREPLY+=("${parts[0]}") ;;
		esac
	done < <(lh complete -- "${words[@]}" 2>/dev/null)
	((${#COMPREPLY[@]})) || return
	COMPREPLY=("${COMPREPLY[@]/#/$before}")
	line=${words[-1]%"$piece"}
	COMPREPLY=("${COMPREPLY[@]#"$line"}")
}
complete -F _lh @NAMES@
