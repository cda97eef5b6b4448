# What recall costs: recall@10 against queries/s over a sweep of ef, for each
# precision that an index can have, beside hnswlib and FAISS (HNSW over f32 and
# over 8 bits a value), all driven as libraries on one thread.
#
# Rates are per second of processor time, so that other work on the machine weighs
# less; medians of interleaved rounds of 1,000 queries.  A rate at a given recall
# is interpolated between the two efs around it; ratios are to hnswlib, taken
# round by round.  Each side builds one graph a set (CURVE_SETS names the sets, see
# bench/ann.bash), which is kept: remove FOLDER/SIDE.index to build it again.
#
# At the end one query, asked of each of our files when none of it is in memory: what
# it reads (CURVE_COLD queries, medians).
source "$ROOT/bench/lib.bash"
source "$ROOT/bench/ann.bash"
rounds=${CURVE_ROUNDS:-5}
ours='f32 f16 i8 i8+rescore'
sides=${CURVE_SIDES:-$ours hnswlib faiss-flat faiss-sq8}
efs=${CURVE_EFS:-10 16 24 32 48 64 96 128 192 256 384}

build() {
	case $1 in
	hnswlib) ann_hnswlib build rows.f32 "$dim" $hnsw "$1.index" ;;
	faiss-*) ann_faiss build rows.f32 "$dim" $hnsw "$1.index" "${1#faiss-}" ;;
	*) ann_liblh build rows.f32 "$dim" $hnsw "$1.index" "$1" ;;
	esac
}

query() {
	case $1 in
	hnswlib) ann_hnswlib query "$1.index" first.f32 "$dim" 10 truth.u32 $efs ;;
	faiss-*) ann_faiss query "$1.index" first.f32 "$dim" 10 truth.u32 $efs ;;
	*) ann_liblh query "$1.index" first.f32 10 truth.u32 $efs ;;
	esac | sed 's/.*queries\/s, \([0-9.]*\) .*ef \([0-9]*\), recall \(.*\)/\2 \3 \1/'
}

# curve SIDE - the median rate at each ef.
curve() {
	local ef
	for ef in $efs; do
		awk -v ef="$ef" '$1 == ef { print $3 }' rounds."$1".* | median |
			awk -v side="$1" -v ef="$ef" -v recall="$(awk -v ef="$ef" '$1 == ef { print $2 }' rounds."$1".1)" \
				'{ printf "%s at ef %d: recall\t%s\t%.0f /s\n", side, ef, recall, $1 }'
	done
}

# rate_at RECALL FILE - nothing where the sweep does not get there.
rate_at() {
	awk -v want="$1" '
		$2 >= want { print r ? exp(log(q) + (log($3) - log(q)) * (want - r) / ($2 - r)) : $3; exit }
		{ r = $2; q = $3 }' "$2"
}

at_recall() {
	local side i ours peer
	for side in $sides; do
		for ((i = 1; i <= rounds; i++)); do
			ours=$(rate_at "$1" "rounds.$side.$i") peer=$(rate_at "$1" "rounds.hnswlib.$i")
			[ -z "$ours" ] || [ -z "$peer" ] || echo "$ours $peer"
		done >at.recall
		[ ! -s at.recall ] || printf '%s at recall %s\t%.0f /s\t%.0f /s\t%.2f\n' "$side" "$1" "$(cut -d' ' -f1 at.recall | median)" \
			"$(cut -d' ' -f2 at.recall | median)" "$(awk '{ print $1 / $2 }' at.recall | median)"
	done
}

# cold SIDE - one query as the tool asks it, of a file of which nothing is in memory.
cold() {
	local n=0 query
	while read -r query && [ $((n++)) -lt "${CURVE_COLD:-21}" ]; do
		dd of="$1.index" oflag=nocache conv=notrunc,fdatasync count=0 status=none
		/usr/bin/time -f '%I %F %e' lh-search -q -k 10 "$1.index" <<<"$query" 2>&1 >/dev/null
	done <queries.jsonl >cold."$1"
	printf '%s, a query of a cold file reads\t%.0f KiB\t%.0f faults\t%.3f s\n' "$1" "$(awk '{ print $1 / 2 }' cold."$1" | median)" \
		"$(cut -d' ' -f2 cold."$1" | median)" "$(cut -d' ' -f3 cold."$1" | median)"
}

for set in ${CURVE_SETS:-workers short million}; do
	enter "$set"
	dim=$(dimension_of "$set")
	rows=$(($(stat -c %s rows.f32) / 4 / dim))
	echo "-- $set: $rows rows × $dim"
	for side in $sides; do
		[ -f "$side.index" ] || build "$side" >build."$side"
		printf '%s: bytes a row, built\t%d\t%s\n' "$side" $(($(stat -c %s "$side.index") / rows)) "$(sed 's/.*rows.s, \([0-9]*\).*peak \(.*\)/\1 rows\/s\t\2/' build."$side")"
	done
	[ -f truth.u32 ] || ann_liblh truth f32.index first.f32 10 truth.u32
	rm -f rounds.*
	for ((i = 1; i <= rounds; i++)); do
		for side in $sides; do
			query "$side" >rounds."$side"."$i"
		done
	done
	for side in $sides; do
		curve "$side"
	done
	for recall in 0.95 0.976 0.99; do
		at_recall $recall
	done
	for side in $ours; do
		[[ " $sides " != *" $side "* ]] || cold "$side"
	done
done
