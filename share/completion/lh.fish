# Completion in fish for lh and the lh-* tools, made by "lh completion fish".  It runs none of
# them.

# the file is read once for each command that it completes, when it is installed
set -q __lh_tools; and exit

# Read the words before the cursor once for each line: set __lh_n (operands), __lh_command,
# __lh_seen (options).
function __lh_read
	set -l words (commandline -opc)
	test "$__lh_line" = "$words"; and return
	set -g __lh_line "$words"
	set -g __lh_n 0
	set -g __lh_command .
	set -g __lh_seen
	set -l tool (string replace -r '.*/' '' -- $words[1])
	set -l takes __lh_takes_(string replace -a - _ -- $tool)
	set -l commands __lh_commands_(string replace -a - _ -- $tool)
	set -l ended
	set -l skip
	for word in $words[2..-1]
		if test -n "$skip"
			# an option counts as given once it has its value
			set -a __lh_seen $skip
			set skip
		else if test -z "$ended" -a "$word" = --
			set ended 1
		else if test -z "$ended"; and string match -qr '^--' -- $word
			set -l names (string replace -r '=.*' '' -- $word)
			contains -- $word $$takes; and set skip $names; or set -a __lh_seen $names
		else if test -z "$ended"; and string match -qr '^-.' -- $word
			set -l names -(string split '' -- (string sub -s 2 -- $word))
			contains -- $word $$takes; and set skip $names; or set -a __lh_seen $names
		else
			if test $__lh_n = 0; and contains -- $word $$commands
				set -g __lh_command $word
			else if test $__lh_command = .
				set -g __lh_n (math $__lh_n + 1)
				continue
			end
			set -g __lh_n (math $__lh_n + 1)
		end
	end
end

# __lh_can COMMANDS NAME... - whether an option may follow: of these commands (separated by
# commas; - for all), and not given by one of its names
function __lh_can
	__lh_read
	for name in $argv[2..-1]
		contains -- $name $__lh_seen; and return 1
	end
	test $argv[1] = - -o $__lh_n = 0; and return 0
	contains -- $__lh_command (string split , -- $argv[1])
end

# __lh_at COMMAND FIRST [LAST] - whether the operand here is one of these of a command
function __lh_at
	__lh_read
	test $__lh_command = $argv[1]; or return 1
	set -l at $__lh_n
	test $__lh_command = .; and set at (math $at + 1)
	test $at -ge $argv[2]; or return 1
	set -q argv[3]; or return 0
	test $at -le $argv[3]
end

# __lh_begin - whether no operand was given
function __lh_begin
	__lh_read
	test $__lh_n = 0
end

# __lh_files PATTERN... - the folders, and the files that a pattern fits; if none does, all files
function __lh_files
	set -l token (commandline -ct | string replace -r '^(--?[a-z0-9-]+|[A-Za-z0-9_]+)=' '')
	set -l before "$(string match -r '^[A-Za-z0-9_]+=' -- (commandline -ct))"
	set -l text (string unescape -- $token; or string unescape -- $token\"; or string unescape -- $token\'; or echo $token)
	set -l shown $text
	set text (string replace -r '^~/' $HOME/ -- $text)
	set -l folders
	set -l files
	set -l fits
	for path in $text*
		set -l name $before(string replace -- $text $shown $path)
		if test -d $path
			set -a folders $name/
		else
			set -a files $name
			for pattern in $argv
				string match -q -- $pattern $path; and set -a fits $name; and break
			end
		end
	end
	set -q fits[1]; or set fits $files
	string join -- \n $fits $folders
end

# __lh_folders - the folders that the word, without --option=, may begin
function __lh_folders
	__fish_complete_directories (commandline -ct | string replace -r '^--?[a-z0-9-]+=' '')
end

# Complete "lh search ..." as lh-search
function __lh_tool
	set -l words (commandline -opc)
	test (count $words) -gt 1; and contains -- $words[2] $__lh_tools
end
function __lh_complete_tool
	set -l words (commandline -opc)
	complete -C (string join ' ' -- lh-$words[2] (string escape -- $words[3..-1]) (commandline -ct))
end

@TABLES@
