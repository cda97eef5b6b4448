# Jobs for share/examples/lh-sharded: load sharded.

SHARDED=$ROOT/share/examples/lh-sharded

# a_job - the folder job, and in it what is to be done.
a_job() {
	mkdir job
	lh-gen workers -n 1200 >job/workers.jsonl
	lh-gen queries -n 20 | jq -c '{id: "q\(input_line_number)", query_text}' >job/queries.jsonl
	cat >job/settings <<-END
		records=$PWD/job/workers.jsonl
		queries=$PWD/job/queries.jsonl
	END
}

# whole INDEX - what lh-sharded makes of the records, by one command.
whole() {
	lh-embed job/workers.jsonl | lh-index build "$1"
}

# same_contents A B - two indexes have the same records, vectors and metadata.
same_contents() {
	alike <(lh-index dump "$1" | sort) <(lh-index dump "$2" | sort)
}

# instead COMMAND PATTERN SHELL - make job/bin/COMMAND, which is COMMAND; but if " ARGUMENTS "
# matches the pattern, SHELL is run first, which may end it.
instead() {
	mkdir -p job/bin
	cat >"job/bin/$1" <<-END
		#!/bin/sh
		case " \$* " in
		$2) $3 ;;
		esac
		exec '$LH_BIN/$1' "\$@"
	END
	chmod +x "job/bin/$1"
}

# held COMMAND INPUT - make job/bin/COMMAND: the first call of which INPUT is the last operand
# reads the pipe job/pipe in its place; all others are as usual.
held() {
	mkfifo job/pipe
	instead "$1" "*' $2 '" "! mkdir '$PWD/job/held' 2>/dev/null || exec '$LH_BIN/$1' '$PWD/job/pipe'"
}
