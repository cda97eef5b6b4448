# Building and growing: what graphs take to build and to keep, next to hnswlib, to the tree
# before (BEFORE=REVISION) and to the aims, which are those of 100,000 rows, and looser below.
#
# Rates are rows per second of processor time, of lh-index from JSON in to a synced file and of
# hnswlib on arrays in memory with the efConstruction at which it finds at ef 64 what ours
# finds; if none up to CURVE_EFC (400) does, the greatest.  Both have the rows as the index stores
# them (ROWS_AS of bench/ann.bash), and are to find what is nearest of these; what is found of the
# rows before they were rounded is said too.  Growing is adding a tenth, or
# replacing or deleting a hundredth, and compacting: processor time, to that of a build of all.
# After BUILD_ROUNDS (10) such rounds recall@10 is next to that of an index built anew.
#
#   BUILD_SETS    workers words: sets of bench/ann.bash, each of ANN_ROWS (12,000) rows
#   BUILD_JOBS    1 2
#   PRECISIONS    f32 i8
export ANN_ROWS=${ANN_ROWS:-12000} ANN_QUERIES=${ANN_QUERIES:-2000} ANN_MODEL=${ANN_MODEL:-hash-v2}
export DATA=$DATA/build CURVE_EFC=${CURVE_EFC:-400}
mkdir -p "$DATA"
source "$ROOT/bench/lib.bash"
source "$ROOT/bench/ann.bash"
tree_before bin/lh-index || true
k=10 rounds=${BUILD_ROUNDS:-10} faster=2 grown="<0.15"
[ "$ANN_ROWS" -ge 100000 ] || { faster=1.6; grown="<0.2"; }

# took COMMAND... - its processor time.
took() {
	/usr/bin/time -o took -f '%U %S' "$@" >/dev/null
	awk '{ print $1 + $2 }' took
}

# say WHAT OURS PEER AIM - with their ratio, which is to be at least or, as in <0.2, at most that.
say() {
	awk -v what="$1" -v a="$2" -v b="$3" -v aim="$4" 'BEGIN {
		missed = aim ~ /</ ? a / b > substr(aim, 2) : a / b < aim + 0
		printf "%s\t%s\t%s\t%.2f, aim %s%s\n", what, a, b, a / b, aim, missed ? ": missed" : "" }'
}

# build_in_turn SIDE - both sides again, with the tree before, two rounds more: medians.
build_in_turn() {
	local peer i side what
	what=$(build_at_equal_recall "$1" | cut -f1)
	[ ! -s ../truth.10 ] || printf '  %s, recall of the rows before rounding\t%s\n' "$1" \
		"$(ann_liblh query "$home/$1.index" first.f32 "$k" ../truth.10 64 | sed 's/.* //')"
	peer=${what#*; } peer=${peer%%:*}
	rm -f rates.*
	for i in 1 2 3; do
		for side in "$1" "$peer" ${before:+before}; do
			[ $i = 1 ] && [ "$side" != before ] || build_of "$side" "$1"
			built "$side" >>"rates.$side"
		done
	done
	say "$set -j$threads, $what" "$(median <"rates.$1")" "$(median <"rates.$peer")" $faster
	[ -z "$before" ] || say "  the tree before" "$(median <"rates.$1")" "$(median <rates.before)" 1
	say "  peak memory, MiB; the file" "$(sed 's/.*peak \([0-9]*\).*/\1/' "$home/build.$1")" \
		"$(($(stat -c %s "$home/$1.index") >> 20))" "<1.1"
}

# build_of SIDE LIKE - the side before builds the same as LIKE.
build_of() {
	if [ "$1" = before ]; then
		PATH=$before:$PATH build "before-${2#*-}"
		mv "$home/build.before-${2#*-}" "$home/build.before"
	else
		build "$1"
	fi
}

# lines FROM - a hundredth of the records.
lines() {
	sed -n "$1,$(($1 + part - 1))p" all.jsonl
}

# grow PRECISION - the index of nine tenths of the rows, and changes of it.
grow() {
	local all tenth=$((rows / 10)) part=$((rows / 100)) i at=0 options=(-q -j 1 --precision "$1")
	ann_vectors jsonl "$dim" <"$home/rows.f32" >all.jsonl
	head -n $((rows - tenth)) all.jsonl >most.jsonl
	tail -n $tenth all.jsonl >more.jsonl
	rm -f ./*.lhv*
	all=$(took lh-index build "${options[@]}" all.lhv all.jsonl)
	lh-index build "${options[@]}" grown.lhv most.jsonl
	say "$set, $1: a tenth added, s; a build" "$(took "$DATA/change" add -q grown.lhv more.jsonl)" "$all" "$grown"
	for ((i = 0; i < rounds; i++, at += part)); do
		lines $((at + 1)) | jq -r .id >ids
		# the vectors of other records, so that nothing is as it was
		lines $((rows - at - part)) | cut -d, -f2 | paste -d, <(sed 's/.*/{"id":"&"/' ids) - >upserts.jsonl
		took "$DATA/change" add -q grown.lhv upserts.jsonl >>upserted
		lines $((rows / 2 + at)) | jq -r .id >ids
		took "$DATA/change" delete -q --ids ids grown.lhv >>deleted
	done
	say "  a hundredth replaced, s; a build" "$(median <upserted)" "$all" "$grown"
	say "  a hundredth deleted, s; a build" "$(median <deleted)" "$all" "$grown"
	lh-index dump grown.lhv >live.jsonl
	lh-index build "${options[@]}" anew.lhv live.jsonl
	printf '  recall@10 after %d rounds; built anew\t%.4f\t%.4f\n' "$rounds" \
		"$(recall grown.lhv some.jsonl --ef 64)" "$(recall anew.lhv some.jsonl --ef 64)"
	rm -f upserted deleted
}

# A change is followed by a compaction.
cat >"$DATA/change" <<'END'
#!/bin/sh
index=$(for word; do case $word in *.lhv) echo "$word" ;; esac done)
lh-index "$@" && lh-index compact -q -j 1 "$index"
END
chmod +x "$DATA/change"

# with_truth SET - enter it, with its rows as they are, or with ROWS_AS.
with_truth() {
	enter "$1"
	[ -s truth.10 ] || ann_hnswlib truth "$home/rows.f32" first.f32 "$dim" 10 truth.10
}

for set in ${BUILD_SETS:-workers words}; do
	dim=$(dimension_of "$set")
	for precision in ${PRECISIONS:-f32 i8}; do
		with_truth "$set"
		ROWS_AS=$precision with_truth "$set"
		rows=$(($(stat -Lc %s "$home/rows.f32") / 4 / dim))
		head -n 500 queries.jsonl >some.jsonl
		for threads in ${BUILD_JOBS:-1 2}; do
			hnsw="16 200 $threads"
			rm -f "$home"/build.*
			build_in_turn "qg-$precision"
		done
		grow "$precision"
	done
done
