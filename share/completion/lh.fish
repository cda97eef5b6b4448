# Completion in fish for lh and the lh-* tools: "lh complete" prints what may follow.

# the file is read once for each command that it completes, when it is installed
functions -q __lh; and exit

# __lh_files TEXT KIND [PATTERN]... - folders, and the files that fit; if none does, all files
function __lh_files
	set -l all (complete -C "__lh_none $argv[1]" | string replace -r '\t.*' '')
	set -l found (for pattern in $argv[3..-1]; string match -- $pattern $all; end)
	test $argv[2] = folder; or set -q found[1]; or set found (string match -rv '/$' -- $all)
	string join -- \n $found (string match -- '*/' $all)
end

function __lh
	set -l text (commandline -ct)
	set -l before "$(string match -r '^-[a-z-]+=|^[A-Za-z0-9_]+=' -- $text)"
	for line in (lh complete -- (commandline -opc) "$text" 2>/dev/null)
		switch $line
			case \tcommand
				__fish_complete_command
			case \t'*'
				__lh_files (string replace -- "$before" '' $text) (string split -n \t -- $line)
			case '*'
				echo $line
		end
	end | string replace -r '^' -- $before
end

for tool in @NAMES@
	complete -c $tool -f -a '(__lh)'
end
