#compdef @NAMES@
# Completion in zsh for lh and the lh-* tools: "lh complete" prints what may follow.
_lh() {
	local line none=1
	local -a lines found
	lines=("${(@f)$(lh complete -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
	[[ $PREFIX == --* ]] && compset -P 1 '*='
	for line in "${lines[@]}"; do
		[[ $line == [^$'\t']* ]] && found+=("${${line%%$'\t'*}//:/\\:}${${(M)line%%$'\t'*}/$'\t'/:}")
	done
	_describe -t values value found && none=0
	for line in "${(M)lines[@]:#$'\t'*}"; do
		found=("${(@ps:\t:)line}")
		[[ $PREFIX != -* && $found[2] == file ]] && compset -P '[^/]#='
		case $found[2] in
		command) _command_names -e ;;
		folder) _files -/ ;;
		file) _files ${found[3]:+-g} ${found[3]:+"$found[3,-1]"} ;;
		esac && none=0
	done
	return none
}
if [[ $funcstack[1] == _lh ]]; then
	_lh "$@"
else
	compdef _lh @NAMES@
fi
