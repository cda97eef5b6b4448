# --shard I/N: a job in parts.  What each part takes, that the parts together are the whole,
# and what is left when one is killed or run twice at once.
load ../helper
load ../index
load ../audit
load ../servers/server

teardown() {
	stop_upstreams
	faults_happened
}

# picked I N [FIELD] - the lines of that part, by another hand.
picked() {
	python3 "$ROOT/tests/oracle/shard.py" "$@"
}

# slurm ID MIN MAX COUNT COMMAND... - a command as a task of a job array of Slurm.
slurm() {
	env SLURM_ARRAY_TASK_ID="$1" SLURM_ARRAY_TASK_MIN="$2" SLURM_ARRAY_TASK_MAX="$3" \
		SLURM_ARRAY_TASK_COUNT="$4" "${@:5}"
}

# mixed N - lines of every kind: ids as text, numbers, escaped, twice, none; bad lines.
mixed() {
	python3 - "$1" <<-'END'
		import json, sys
		out = sys.stdout.buffer
		out.write(b'\xef\xbb\xbf{"id":"first","text":"a","other":"o0"}\n')
		for i in range(int(sys.argv[1])):
		    text = f'"text":"worker {i}","other":"o{i}"'
		    line = [f'{{"id":"w{i}",{text}}}', f'{{{text},"id":"w{i}"}}', f'{{"id":{i}.0e1,{text}}}',
		            f'{{"id":{i},{text}}}', f'{{{text}}}', f'{{"id":"caf\\u00e9 \\"{i}\\"",{text}}}',
		            f'\t{{ "id" : "é{i}" ,{text}}}', f'{{"id":"w{i % 7}",{text}}}\r', f'{{"id":"w{i}" {text}}}',
		            f'{{"id":"w{i}","id":"v{i}",{text}}}', f'{{"id":"w{i}"}}', f'["w{i}"]', f'{{"id":null,{text}}}',
		            f'{{"id":["w{i}"],{text}}}', f'{{"id":"w{i}\\ud800",{text}}}', '', f'{{"i\\u0064":"w{i}",{text}}}',
		            f'{{"idx":"w{i}",{text}}}', f'{{"id ":"w{i}","id":"v{i}",{text}}}', f'{{"i\\b":"w{i}","i\\\\b":"v{i}",{text}}}', f'{{"id":"{i}' + "x" * (i % 300) + f'",{text}}}'][i % 21]
		    out.write(line.encode() + (b"\xff\n" if i % 41 == 40 else b"\n"))
	END
}

# rejecting COMMAND... - a run that rejects some of its records, as most here do.
rejecting() {
	local rc=0
	"$@" || rc=$?
	[ $rc = 1 ]
}

# ---- which lines ----

@test "a part is a run over the lines that another implementation picks; each line is in one part" {
	mixed 700 >in
	for field in id other 'id ' 'i\b'; do
		embed=(lh-embed --dimension 64 --id-field "$field")
		for part in 0 1 2; do
			rejecting "${embed[@]}" --shard $part/3 --rejects rejects.$part in >out.$part
			picked $part 3 "$field" <in >in.$part
			rejecting "${embed[@]}" --rejects rejects in.$part | alike - out.$part
			alike rejects rejects.$part
			for jobs in 1 3; do
				rejecting "${embed[@]}" -j$jobs --shard $part/3 in | cmp - out.$part
			done
			rm rejects
		done
		rejecting "${embed[@]}" --rejects rejects in >out
		alike <(sort out) <(sort out.?)
		alike <(sort rejects) <(sort rejects.?)
		rm rejects rejects.?
	done
}

@test "a line over the limit is in part 0, whether or not it was read whole" {
	{ echo '{"id":"a","text":"x"}'; stretch 3000 '{"id":"long"'; echo; stretch 900000 y; echo; echo '{"id":"b","text":"x"}'; } >in
	for i in 0 1 2; do
		lh-embed --max-line 1000 --shard $i/3 --rejects rejects.$i in >out.$i 2>err.$i || [ $? = 1 ]
	done
	[ "$(grep -c 'longer than 1000 bytes' err.0)" = 2 ]
	not has 'longer' <err.1
	not has 'longer' <err.2
	cmp rejects.0 <(sed -n 2,3p in)
	[ ! -s rejects.1 ] && [ ! -s rejects.2 ]
	[ "$(cat out.? | jq -r .id | sort | paste -sd,)" = a,b ]
}

@test "answers to a co-process come at once, also after lines of other parts" {
	coproc lh-embed --shard 1/2 --dimension 64
	for id in a b c d e f g h; do
		[ "$(picked 1 2 <<<'{"id":"'$id'","text":"x"}')" ] && mine=1 || mine=
		echo '{"id":"'$id'","text":"x"}' >&"${COPROC[1]}"
		[ "$mine" ] || continue
		read -r -t "$LH_PATIENCE" line <&"${COPROC[0]}"
		[ "$(jq -r .id <<<"$line")" = $id ]
		answered=1
	done
	[ "$answered" ]
}

@test "a service is asked for the texts of the part alone, and --tokens divides too" {
	start_upstream --log log
	mixed 100 | grep -a '"text":"worker' >in
	for i in 0 1; do
		lh-embed --engine ollama --url "$URL" --shard $i/2 in >out.$i 2>/dev/null || [ $? = 1 ]
		jq -r '.texts[]' log | sort >asked
		picked $i 2 <in >own
		{ lh-embed --dimension 64 own 2>/dev/null || [ $? = 1 ]; } | jq -r .text | sort -u >want
		alike want <(sort -u asked)
		: >log
	done
	lh-embed --engine ollama --url "$URL" in 2>/dev/null >out || [ $? = 1 ]
	sort out >all
	alike all <(sort out.?)
	python3 "$ROOT/tests/model/make.py" -o tiny.gguf
	for i in 0 1; do
		lh-embed --engine gguf --model ./tiny.gguf --tokens --shard $i/2 in 2>/dev/null || [ $? = 1 ]
	done | sort >parts
	{ lh-embed --engine gguf --model ./tiny.gguf --tokens in 2>/dev/null || [ $? = 1 ]; } | sort | alike - parts
}

# ---- indexes ----

# in_parts N DEST OPTION... - build the parts of in, and merge them.
in_parts() {
	local i n=$1 dest=$2
	for ((i = n - 1; i >= 0; i--)); do
		lh-index build "${@:3}" --shard $i/$n "$dest.$i.lhv" in 2>/dev/null || [ $? = 1 ]
	done
	lh-index merge "$dest" "$dest".*.lhv
}

# settled INDEX - what info says, but for what depends on place and time.
settled() {
	lh-index info "$1" | jq -c 'del(.name, .created_at, .file_bytes)'
}

@test "a part without a record is an empty index that fits any other; an input without any is an error" {
	rows 1 1 >in
	in_parts 4 merged.lhv
	[ "$(ls merged.lhv.?.lhv | wc -l)" = 4 ]
	alike <(content merged.lhv) <(lh-index build whole.lhv in && content whole.lhv)
	[ "$(info merged.lhv dimension)" = 8 ]
	: >in
	rm -f ./*.lhv*
	run -2 lh-index build --shard 0/4 a.lhv in
	[ "$output" = "lh-index: a.lhv: no good record came in, so it is not made (--allow-empty makes an empty index)" ]
	# also into an index that is there
	rows 1 3 | lh-index build dest.lhv
	lh-index build --allow-empty empty.lhv </dev/null
	[ "$(lh-index merge dest.lhv empty.lhv)" = '{"merged":0,"skipped":0}' ]
}

# ---- merge ----

@test "merge makes DEST of the first SRC with a record; the first row of an id stays" {
	rows 1 3 a | lh-index build --ef-search 70 a.lhv
	rows 2 5 b | lh-index build b.lhv
	lh-index build --allow-empty --dimension 3 none.lhv </dev/null
	[ "$(lh-index merge new.lhv none.lhv a.lhv b.lhv a.lhv)" = '{"merged":5,"skipped":5}' ]
	[ "$(info new.lhv ef_search)" = 70 ]
	[ "$(lh-index dump new.lhv | jq -r '.id + .metadata.tag' | paste -sd' ')" = "r1a r2a r3a r4b r5b" ]
	# rows in a log, replaced, deleted and with other metadata
	rows 2 2 c | lh-index add a.lhv
	lh-index delete --id r1 a.lhv >/dev/null
	echo '{"id":"r3","metadata":{"n":33}}' | lh-index replace-metadata a.lhv
	lh-index merge new2.lhv a.lhv b.lhv
	[ "$(lh-index dump new2.lhv | jq -r '"\(.id)\(.metadata.tag)\(.metadata.n)"' | sort | paste -sd' ')" = "r2c2 r3null33 r4b4 r5b5" ]
	lh-index verify new2.lhv
	# none with a record
	lh-index merge new3.lhv none.lhv none.lhv
	[ "$(info new3.lhv dimension) $(info new3.lhv length)" = "3 0" ]
}

@test "a part of another kind, missing or damaged ends a merge, and DEST is not made" {
	rows 1 20 | lh-index build a.lhv
	rows 21 30 | lh-index build --distance l2 l2.lhv
	rows 21 30 | jq -c '.vector |= .[:3]' | lh-index build short.lhv
	rows 21 30 | jq -c '.model = "m2"' | lh-index build model.lhv
	rows 21 30 | lh-index build torn.lhv
	truncate -s -100 torn.lhv
	while IFS='|' read -r src message; do
		run -2 --separate-stderr lh-index merge new.lhv a.lhv "$src"
		[[ $stderr == "lh-index: $src: "$message* ]] || { echo "$src: $stderr"; return 1; }
		[ "${#stderr_lines[@]}" = 1 ] && [ -z "$output" ]
		[ -z "$(ls -A | grep new)" ]
	done <<-'END'
	l2.lhv|distance l2, expected cosine
	short.lhv|dimension 3, expected 8
	model.lhv|model m2, expected none
	none.lhv|
	torn.lhv|
	END
	mkdir dir
	run -2 lh-index merge dir/no/new.lhv a.lhv
}

@test "killed at any call, a merge leaves no DEST or all of it, and the next one completes it" {
	needs_strace
	rows 1 60 >in
	in_parts 3 whole.lhv >/dev/null
	before_fault() { rm -f new.lhv*; }
	after_fault() {
		[ ! -e new.lhv ] || alike <(content new.lhv) <(content whole.lhv)
		lh-index merge new.lhv whole.lhv.?.lhv >/dev/null
		alike <(content new.lhv) <(content whole.lhv)
		[ "$(ls -A | grep new | grep -v 'new.lhv-lock$' | paste -sd,)" = new.lhv ] || { ls -A; return 1; }
	}
	INJECT=signal=KILL at_each lh-index merge -j1 new.lhv whole.lhv.{0,1,2}.lhv
}

# ---- a task killed and sent again, or run twice ----

# ---- the subject audit ----

@test "verify --shard goes by the file name of a log; the parts together are one run" {
	for i in $(seq 1 25); do log W-$i 2; done
	sed -i 1s/success/denied/ d/W-7.audit.jsonl
	lh-subject-audit anchor --dir d >anchor 2>/dev/null || true
	rm -f d/W-9.audit.jsonl
	manifest W-30 '.audit_log_chain_root = ("a" * 64)' | lh-subject-audit manifest put --dir d >/dev/null
	echo '{' >d/broken.manifest.json
	cp -r d e
	verify() { lh-subject-audit verify "$@"; }
	for how in '--dir d' '--dir e --all' '--dir d --wire' 'd/W-1.audit.jsonl d/no.audit.jsonl e/W-1.audit.jsonl'; do
		greatest=0
		# shellcheck disable=SC2086
		for i in 0 1 2 3; do
			rc=0
			verify --shard $i/4 $how >out.$i 2>err.$i || rc=$?
			[ $rc -le $greatest ] || greatest=$rc
		done
		rc=0
		# shellcheck disable=SC2086
		verify $how >out 2>err || rc=$?
		[ $rc = $greatest ]
		alike <(sort out) <(sort out.?)
		# the last line of each has its own sums
		cmp <(grep -vE ': [0-9]+ logs?, ' err | sort) <(grep -hvE ': [0-9]+ logs?, ' err.? | sort)
	done
	verify --dir d 2>/dev/null >out || [ $? = 1 ]
	jq -r .file out | sed 's,.*/,,' >names
	paste -d' ' names <(picked --of 4 <names) >want
	for i in 0 1 2 3; do
		verify --dir d --shard $i/4 2>/dev/null >out || [ $? = 1 ]
		jq -r .file out | sed "s,.*/\\(.*\\),\\1 $i,"
	done | sort | alike - <(sort want)
	# a row of a manifest may have another log's part
	has W-30 <names
}

# ---- every tool that has the option ----

# The commands with --shard: the tool, and a command line that reads nothing it needs.
sharded() {
	cat <<-'END'
	lh-embed|none.jsonl
	lh-index|build none.lhv none.jsonl
	lh-subject-audit|verify --dir none
	END
}

# The lines of those that have the option.
having() {
	local tool line
	while IFS='|' read -r tool line; do
		! "$tool" --describe-options | has '"long":"shard"' || echo "$tool|$line"
	done < <(sharded)
}

@test "each tool that has --shard is known here, and refuses what is not I/N before it reads anything" {
	for tool in "$LH_BIN"/lh-*; do
		! "$tool" --describe-options | has '"long":"shard"' || basename "$tool"
	done | alike - <(having | cut -d'|' -f1)
	export LH_SUBJECT_AUDIT_KEY=$PWD/key
	mkdir nothing
	cd nothing
	while IFS='|' read -r tool line; do
		for bad in '' 1 1/ /1 0/0 3/3 4/3 -1/3 1/-3 1/65537 ' 1/3' 1/3x 1//3 0x1/3 1/99999999999999999999; do
			# shellcheck disable=SC2086
			run -2 --separate-stderr $tool $line --shard "$bad"
			[ "$stderr" = "$tool: --shard $bad: it is I/N, with I from 0 to N-1 and N up to 65536" ] ||
				{ echo "$tool --shard '$bad': $stderr"; return 1; }
			[ -z "$output" ] || { echo "$tool --shard '$bad': $output"; return 1; }
		done
	done < <(having)
	[ -z "$(ls -A)" ]
}

@test "in a job array of Slurm a task takes its part and says so, or asks for --shard" {
	while IFS='|' read -r tool line; do
		# shellcheck disable=SC2086
		run --separate-stderr slurm 2 0 7 8 $tool $line
		[ "${stderr_lines[0]}" = "$tool: shard 2/8, as SLURM_ARRAY_TASK_ID says" ] || { echo "$tool: $stderr"; return 1; }
		# shellcheck disable=SC2086
		for task in '1 1 8 8' '3 0 7 1' '3 0 14 8' '9 0 7 8' '0 0 0 0' '8 0 7 8'; do
			run -2 --separate-stderr slurm $task $tool $line
			[[ $stderr == "$tool: SLURM_ARRAY_TASK_ID is "*"so that the shard is not known: give --shard I/N" ]] ||
				{ echo "$tool, $task: $stderr"; return 1; }
		done
		# shellcheck disable=SC2086
		for task in 'x 0 7 8' '2 -1 7 8' '2 0 7.5 8' '2 0 7 99999999' '2 0 7 18446744073709551624'; do
			run -2 --separate-stderr slurm $task $tool $line
			[[ $stderr == "$tool: SLURM_ARRAY_TASK_"*" is "*"so that the shard is not known: give --shard I/N" ]] ||
				{ echo "$tool, $task: $stderr"; return 1; }
		done
		# shellcheck disable=SC2086
		run -2 --separate-stderr env SLURM_ARRAY_TASK_ID=1 $tool $line
		[ "$stderr" = "$tool: SLURM_ARRAY_TASK_MIN is not set, so that the shard is not known: give --shard I/N" ]
		# the option wins, also 0/1
		for shard in 0/1 1/2; do
			# shellcheck disable=SC2086
			run --separate-stderr slurm x 9 -1 '' $tool $line --shard $shard
			[[ $stderr != *SLURM* ]]
		done
	done < <(having)
}

@test "the parts of a job array are those of --shard; 0/1 takes all; requests are not divided" {
	mixed 100 >in
	for i in 0 1 2; do
		lh-embed --shard $i/3 in >want 2>/dev/null || [ $? = 1 ]
		slurm $i 0 2 3 lh-embed in 2>err >out || [ $? = 1 ]
		cmp want out
		[ "$(head -n 1 err)" = "lh-embed: shard $i/3, as SLURM_ARRAY_TASK_ID says" ]
		slurm $i 0 2 3 lh-embed -q in 2>err >out || [ $? = 1 ]
		not has shard <err
	done
	alike <(lh-embed in 2>/dev/null) <(slurm 1 0 2 3 lh-embed --shard 0/1 in 2>/dev/null)
	for id in 1 2 3 4 5; do
		slurm 1 0 2 3 lh-embed --wire go <<<'{"id":"'$id'","texts":["a"]}' | has vectors
	done
	run -2 --separate-stderr lh-embed --wire go --shard 0/2 </dev/null
	[ "$stderr" = "lh-embed: --shard and --wire exclude each other" ]
	run -2 --separate-stderr lh-embed --compile x -o y --shard 0/2
	[ "$stderr" = "lh-embed: --shard and --compile exclude each other" ]
	run -2 --separate-stderr lh-index add --shard 0/2 x.lhv
}
