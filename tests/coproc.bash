# A tool as a co-process, which a test asks line by line, for tools that a server keeps running.
#
#     serve lh-index requests --on-error emit d
#     ask '{"op":"list"}'          the line that it answers is in $answer
#     finish 0                     its input ends; it must end with this status

# serve COMMAND... - its stderr goes to the file err; PID is its process.
serve() {
	# inject is a function
	if [ "$1" = inject ]; then
		coproc SERVED { "$@" 2>>err; }
	else
		coproc SERVED { exec "$@" 2>>err; }
	fi
	PID=$SERVED_PID
}

# ask LINE - its answer into $answer.
ask() {
	echo "$1" >&"${SERVED[1]}"
	IFS= read -r -t "$LH_PATIENCE" answer <&"${SERVED[0]}"
}

# finish STATUS - its input ends, and it ends with STATUS.
finish() {
	local status=0
	exec {SERVED[1]}>&-
	wait "$PID" || status=$?
	[ "$status" = "$1" ]
}
