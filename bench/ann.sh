# Vector search: lh-index and lh-search as tools, JSON in and out, against
# hnswlib and FAISS driven directly on arrays in memory, and against the tree before
# (BEFORE=REVISION), with an index that it built, at the same ef and with none named.
#
# ANN_SETS names the data sets (bench/ann.bash).  Recall@10 is from the first 1,000
# queries against the exact scan.  Each side builds one graph a set and gets the
# smallest ef, up to 1,024, with which its recall is at least 0.976.
source "$ROOT/bench/lib.bash"
source "$ROOT/bench/ann.bash"
rounds=${ANN_ROUNDS:-5}
tree_before bin/lh-index bin/lh-search || true

# number WORD FILE - the number before WORD.
number() {
	sed -n "s,^\([0-9.]*\) $1.*,\1,p" "$2" | median
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

# query WHO QUERIES EF - recall and rate of one side.
query() {
	case $1 in
	liblh) ann_liblh query ours.lhv "$2" 10 ours.u32 "$3" ;;
	hnswlib) ann_hnswlib query peer.hnsw "$2" 768 10 ours.u32 "$3" ;;
	faiss) ann_faiss query peer.faiss "$2" 768 10 ours.u32 "$3" ;;
	esac
}

recall_at() {
	query "$1" first.f32 "$2" >query."$1"
	sed 's/.*recall //' query."$1"
}

# least_ef WHO - by halving; recall grows with ef.
least_ef() {
	local low=9 high=1024 e
	while [ $((high - low)) -gt 1 ]; do
		e=$(((low + high) / 2))
		if awk -v r="$(recall_at "$1" $e)" 'BEGIN { exit !(r >= 0.976) }'; then high=$e; else low=$e; fi
	done
	echo $high
}

measure_build() {
	local took rate peer r
	ann_hnswlib build rows.f32 768 $hnsw peer.hnsw >build.hnswlib
	ann_faiss build rows.f32 768 $hnsw peer.faiss flat >build.faiss
	took=$( { /usr/bin/time -f '%e %M' lh-index build -q -j 2 ours.lhv rows.jsonl; } 2>&1 | tail -n 1)
	rate=$(awk -v n="$(wc -l <rows.jsonl)" -v t="${took% *}" 'BEGIN { printf "%.1f", n / t }')
	for peer in hnswlib faiss; do
		r=$(number rows/s build.$peer)
		printf 'lh-index build -j2, base64 in, to %s\t%s rows/s\t%s rows/s\t%s\n' "$peer" "$rate" "$r" "$(ratio "$rate" "$r")"
	done
	printf 'peak memory of lh-index build, to the file\t%d MiB\t%d MiB\t%s\n' "$((${took#* } / 1024))" \
		"$(($(stat -c %s ours.lhv) >> 20))" "$(ratio "$((${took#* } * 1024))" "$(stat -c %s ours.lhv)")"
}

measure_queries() {
	local who i t peer
	declare -A ef
	for who in liblh hnswlib faiss; do
		ef[$who]=$(least_ef $who)
		printf 'recall@10 of %s at ef %s\t%s\n' $who "${ef[$who]}" "$(recall_at $who "${ef[$who]}")"
	done
	rm -f rate.*
	for ((i = 0; i < rounds; i++)); do
		t=$(seconds lh-search -j 1 -k 10 --no-metadata --ef "${ef[liblh]}" ours.lhv <queries.jsonl)
		awk -v n="$(wc -l <queries.jsonl)" -v t="$t" 'BEGIN { print n / t }' >>rate.ours
		for peer in hnswlib faiss; do
			query $peer queries.f32 "${ef[$peer]}" | sed 's, queries/s.*,,' >>rate.$peer
		done
	done
	for peer in hnswlib faiss; do
		printf 'lh-search -j1, base64 in, JSON out, to %s\t%.0f /s\t%.0f /s\t%s\n' $peer "$(median <rate.ours)" "$(median <rate.$peer)" \
			"$(paste rate.ours rate.$peer | awk '{ printf "%.2f\n", $1 / $2 }' | median)"
	done
}

# measure_before [OPTION]... - both trees in turn: queries per second of processor time, recall.
measure_before() {
	local i side
	[ -f before.lhv ] || PATH=$before:$PATH lh-index build -q -j 2 before.lhv rows.jsonl
	rm -f rate.*
	for ((i = 0; i < rounds; i++)); do
		for side in ours before; do
			PATH=$([ $side = ours ] || echo "$before:")$PATH \
				/usr/bin/time -f '%U %S' lh-search -j 1 -k 10 --no-metadata "$@" $side.lhv <queries.jsonl 2>&1 >/dev/null |
				awk -v n="$(wc -l <queries.jsonl)" '{ print n / ($1 + $2) }' >>rate.$side
		done
	done
	printf 'lh-search -j1 %s; the tree before\t%.0f /s\t%.0f /s\t%s\n' "$*" "$(median <rate.ours)" "$(median <rate.before)" \
		"$(paste rate.ours rate.before | awk '{ printf "%.2f\n", $1 / $2 }' | median)"
	printf '  recall@10\t%.4f\t%.4f\n' "$(recall ours.lhv some.jsonl "$@")" "$(PATH=$before:$PATH recall before.lhv some.jsonl "$@")"
}

measure_once() {
	local i
	rm -f once.*
	for ((i = 0; i < rounds; i++)); do
		seconds lh-search -k 10 --no-metadata ours.lhv <one.jsonl >>once.ours
		ann_hnswlib once peer.hnsw one.f32 768 10 64 | sed 's/ ms.*//' >>once.peer
	done
	printf 'one query: start, open, search, exit\t%.2f ms\t%.2f ms\t%s\n' "$(median <once.ours | awk '{ print 1e3 * $1 }')" "$(median <once.peer)" \
		"$(paste once.ours once.peer | awk '{ printf "%.1f\n", $2 / (1e3 * $1) }' | median)"
	printf 'its resident memory\t%.0f MiB\n' "$(/usr/bin/time -f %M lh-search -k 10 ours.lhv <one.jsonl 2>&1 >/dev/null | awk '{ print $1 / 1024 }')"
}

for set in ${ANN_SETS:-workers packages}; do
	enter "$set"
	[ -f rows.jsonl ] || rows_of "$set" >rows.jsonl
	echo "-- $set: $(wc -l <rows.jsonl) rows, $(wc -l <queries.jsonl) queries"
	measure_build
	ann_hnswlib truth rows.f32 first.f32 768 10 ours.u32
	measure_queries
	if [ -n "$before" ]; then
		head -n 1000 queries.jsonl >some.jsonl
		measure_before --ef 64
		measure_before
	fi
	measure_once
done
