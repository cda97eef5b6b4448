#compdef @NAMES@
# Completion in zsh for lh and the lh-* tools, made by "lh completion zsh".  It runs none of
# them.

# _lh_table TOOL - set what a tool has:
#   commands  name:description
#   operands  a line for each command, NAME|SPEC (. for none), as _arguments has it without
#             its number; * before a spec that may be repeated
#   options   COMMANDS|SPEC, where COMMANDS is empty for all
#   takes     the options that take a value
_lh_table() {
	case $1 in
@TABLES@
	*) return 1 ;;
	esac
}

# _lh_files PATTERN... - the files that a pattern fits, after NAME= if that is before them
_lh_files() {
	[[ $PREFIX != -* ]] && compset -P '[^/]#='
	_files -g "(${(j:|:)@})"
}

# _lh_either WORDS COMMAND... - words with blanks between them, and what the command adds
_lh_either() {
	local none=1
	compadd -- ${=1} && none=0
	shift
	"$@" && none=0
	return none
}

_lh_pages() {
	local -a pages=("${_lh_tools[@]}" @PAGES@)
	_describe -t pages page pages
}

# the first operand: a command, or what the tool takes without one
_lh_first() {
	local spec=${${(M)operands:#.|*}#.|}
	(( $#commands )) && _describe -t commands command commands
	if [[ -n $spec ]]; then
		spec=${${spec#\*}#*:}
		eval ${spec#*:}
	fi
}

_lh() {
	local tool=${words[1]:t} word command= state= i n=0 ended= curcontext=$curcontext
	local -a commands operands options takes specs
	if [[ $tool == lh ]] && (( CURRENT > 2 )) && [[ -n ${(M)_lh_tools:#${words[2]}:*} ]]; then
		tool=lh-$words[2]
		words=($tool "${(@)words[3,-1]}")
		(( CURRENT-- ))
		curcontext="${curcontext%:*}:$tool"
	fi
	_lh_table $tool || return 1
	[[ $tool != lh ]] || commands+=("${_lh_tools[@]}")
	for (( i = 2; i < CURRENT; i++ )); do
		word=${(Q)words[i]}
		if [[ -z $ended && $word == -- ]]; then
			ended=1
		elif [[ -z $ended && $word == -?* ]]; then
			(( $takes[(Ie)$word] )) && (( i++ ))
		else
			(( n++ ))
			(( n > 1 )) || [[ -z ${(M)commands:#${word}:*} ]] || command=$word
		fi
	done
	for word in "${options[@]}"; do
		[[ $word == \|* || $n == 0 || ,${word%%\|*}, == *,${command:-.},* ]] && specs+=("${word#*|}")
	done
	if (( $#commands && ! n )); then
		specs+=('1: :_lh_first')
	else
		i=1
		[[ -z $command ]] || specs+=("$((i++)): : ")
		for word in "${operands[@]}"; do
			[[ $word == "${command:-.}|"* ]] || continue
			word=${word#*|}
			[[ -n $word ]] || continue
			[[ $word == \** ]] && specs+=("$word") || specs+=("$((i++))$word")
		done
	fi
	_arguments -s -S : "${specs[@]}"
}

typeset -ga _lh_tools=(
@TOOLS@
)
if [[ $funcstack[1] == _lh ]]; then
	_lh "$@"
else
	compdef _lh @NAMES@
fi
