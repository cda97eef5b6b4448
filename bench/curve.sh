# What recall costs: recall@10 against queries/s over many values of ef, for each layout and
# precision that an index can have, next to hnswlib, FAISS and usearch, all called as
# libraries on one thread; and the aims of the layouts.
#
# Rates are per second of processor time, so that other work on the machine weighs
# less; medians of interleaved rounds of 1,000 queries.  A rate at a given recall
# is interpolated between the two efs around it.  Ratios are taken round by round: to
# hnswlib, and to the better of hnsw-i8 and hnsw-i8+rescore.  Each side builds one graph a
# set, which is kept: remove FOLDER/SIDE.index to build it again.  Ours are built by
# lh-index from JSON, the peers from arrays in memory.
#
# The environment says how much (a quick run, without Debian's packages or npm: ANN_ROWS=10000
# ANN_QUERIES=2000 CURVE_SETS="workers demand words" CURVE_PEERS=hnswlib PRECISIONS=i8
# CURVE_ROUNDS=1):
#
#   CURVE_SETS    sets of bench/ann.bash, each of ANN_ROWS rows
#   LAYOUTS       hnsw qg; one that lh-index does not know is left out
#   PRECISIONS    f32 f16 i8 i8+rescore
#   CURVE_PEERS   hnswlib faiss-flat faiss-sq8 usearch-f32 usearch-i8
#   CURVE_EFS, CURVE_ROUNDS
#   CURVE_EQUAL   the sides whose builds are compared at equal recall: efConstruction of
#                 hnswlib goes by fifths down or up, at most to CURVE_EFC, until it finds at
#                 ef 64 what the side finds
#   CURVE_COLD    queries of a file of which nothing is in memory
source "$ROOT/bench/lib.bash"
source "$ROOT/bench/ann.bash"
rounds=${CURVE_ROUNDS:-5}
efs=${CURVE_EFS:-10 16 24 32 48 64 96 128 192 256 384 512 768 1024}
peers=${CURVE_PEERS:-hnswlib faiss-flat faiss-sq8 usearch-f32 usearch-i8}
ours=
for layout in ${LAYOUTS:-hnsw qg}; do
	[ "$layout" = hnsw ] || lh-index build --help | grep -q -e "--layout.*$layout" || continue
	for precision in ${PRECISIONS:-f32 f16 i8 i8+rescore}; do
		ours+="$layout-$precision "
	done
done
npm=$DATA/npm
if [[ $peers == *usearch* && ! -d $npm/node_modules/usearch ]] &&
	! npm install --silent --ignore-scripts --prefix "$npm" usearch@2.26.2 >"$DATA/npm.log" 2>&1; then
	echo "usearch is left out: npm does not install it, see $DATA/npm.log"
	peers=$(tr ' ' '\n' <<<"$peers" | grep -v usearch | paste -sd' ')
fi

sides="$ours$peers"
equal=${CURVE_EQUAL-$ours}

# build_ours LAYOUT PRECISION[+rescore] INDEX - by lh-index, from JSON.
build_ours() {
	local options=(-q -j 2 --layout "$1" --m 16 --ef-construction 200 --precision "${2%+*}")
	[ "${2%+*}" = "$2" ] || options+=(--rescore)
	ann_vectors jsonl "$dim" <"$home/rows.f32" | /usr/bin/time -o used -f '%e %U %S %M' lh-index build "${options[@]}" "$3" >&2
	awk -v n="$rows" '{ printf "%.1f rows/s, %.1f a second of processor time, peak %d MiB\n", n / $1, n / ($2 + $3), $4 / 1024 }' used
}

# build SIDE - hnswlib-EFC is hnswlib with another efConstruction.
build() {
	local index=$home/$1.index data=$home/rows.f32
	case $1 in
	hnswlib) ann_hnswlib build "$data" "$dim" $hnsw "$index" ;;
	hnswlib-*) ann_hnswlib build "$data" "$dim" 16 "${1#*-}" 2 "$index" ;;
	faiss-*) ann_faiss build "$data" "$dim" $hnsw "$index" "${1#*-}" ;;
	usearch-*) node "$ROOT/bench/ann_usearch.mjs" "$npm" build "$data" "$dim" $hnsw "$index" "${1#*-}" ;;
	*) build_ours "${1%%-*}" "${1#*-}" "$index" ;;
	esac >"$home/build.new"
	mv "$home/build.new" "$home/build.$1"
}

# query SIDE EF... - lines of ef, recall and queries per second of processor time.
query() {
	local index=$home/$1.index
	case $1 in
	hnswlib*) ann_hnswlib query "$index" first.f32 "$dim" 10 truth.u32 "${@:2}" ;;
	faiss-*) ann_faiss query "$index" first.f32 "$dim" 10 truth.u32 "${@:2}" ;;
	usearch-*) node "$ROOT/bench/ann_usearch.mjs" "$npm" query "$index" first.f32 "$dim" 10 truth.u32 "${1#*-}" "${@:2}" ;;
	*) ann_liblh query "$index" first.f32 10 truth.u32 "${@:2}" ;;
	esac | sed 's/.*queries\/s, \([0-9.]*\) .*ef \([0-9]*\), recall \(.*\)/\2 \3 \1/'
}

# built SIDE - rows per second of processor time.
built() {
	sed 's/.*rows.s, \([0-9.]*\).*/\1/' "$home/build.$1"
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

# rate_at RECALL FILE - 0 where no ef gets there.
rate_at() {
	[ -f "$2" ] || { echo 0 && return; }
	awk -v want="$1" '
		$2 >= want { rate = r ? exp(log(q) + (log($3) - log(q)) * (want - r) / ($2 - r)) : $3; exit }
		{ r = $2; q = $3 }
		END { print rate + 0 }' "$2"
}

# at_recall RECALL - for each side: its rate, hnswlib's, and the ratios to hnswlib and to
# the better of hnsw-i8 and hnsw-i8+rescore, 0 where there is none; kept in at.RECALL.
at_recall() {
	local side i
	for side in $sides; do
		for ((i = 1; i <= rounds; i++)); do
			echo "$(rate_at "$1" "rounds.$side.$i") $(rate_at "$1" "rounds.hnswlib.$i")" \
				"$(rate_at "$1" "rounds.hnsw-i8.$i") $(rate_at "$1" "rounds.hnsw-i8+rescore.$i")"
		done | awk '{ best = $4 > $3 ? $4 : $3; print $1, $2, $2 ? $1 / $2 : 0, best ? $1 / best : 0 }' >at.rounds
		echo "$side $(for i in 1 2 3 4; do cut -d' ' -f$i at.rounds | median; done | paste -sd' ')"
	done >"at.$1"
	awk -v recall="$1" '$2 > 0 {
		printf "%s at recall %s\t%.0f /s\t%.0f /s\t%.2f%s\n", $1, recall, $2, $3, $4,
			$5 ? sprintf("\t%.2f of hnsw-i8", $5) : "" }' "at.$1"
}

# at_64 SIDE - its recall at ef 64; builds the graph if there is none.
at_64() {
	[ -f "$home/build.$1" ] || build "$1"
	query "$1" 64 | cut -d' ' -f2
}

at_least() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'
}

# build_at_equal_recall SIDE
build_at_equal_recall() {
	local want efc=200 peer=hnswlib
	want=$(at_64 "$1")
	if at_least "$(at_64 hnswlib)" "$want"; then
		while efc=$((efc * 4 / 5)) && [ $efc -gt 16 ] && at_least "$(at_64 hnswlib-$efc)" "$want"; do peer=hnswlib-$efc; done
	else
		while efc=$((efc * 5 / 4)) && [ $efc -le "${CURVE_EFC:-1000}" ] && peer=hnswlib-$efc && ! at_least "$(at_64 $peer)" "$want"; do :; done
	fi
	printf '%s built, recall %s; %s: %s\t%.0f /s\t%.0f /s\t%s\n' "$1" "$want" "$peer" "$(at_64 $peer)" "$(built "$1")" "$(built $peer)" \
		"$(awk -v a="$(built "$1")" -v b="$(built $peer)" 'BEGIN { printf "%.2f", a / b }')"
}

# cold SIDE - one query as the tool asks it, of a file of which nothing is in memory.
cold() {
	local n=0 query index=$home/$1.index
	while read -r query && [ $((n++)) -lt "${CURVE_COLD:-15}" ]; do
		dd of="$index" oflag=nocache conv=notrunc,fdatasync count=0 status=none
		/usr/bin/time -f '%I %F %e' lh-search -q -k 10 --no-metadata "$index" <<<"$query" 2>&1 >/dev/null
	done <queries.jsonl >cold."$1"
	printf '%s, a query of a cold file reads\t%.0f KiB\t%.0f faults\t%.3f s\n' "$1" "$(awk '{ print $1 / 2 }' cold."$1" | median)" \
		"$(cut -d' ' -f2 cold."$1" | median)" "$(cut -d' ' -f3 cold."$1" | median)"
}

measure() {
	local side i recall
	for side in $sides; do
		[ -f "$home/build.$side" ] || build "$side"
		printf '%s: bytes a row, built\t%d\t%.0f rows/s\t%s\n' "$side" $(($(stat -c %s "$home/$side.index") / rows)) "$(built "$side")" \
			"$(awk -v a="$(built "$side")" -v b="$(built hnswlib 2>/dev/null || echo 0)" 'BEGIN { printf b ? "%.2f" : "", a / (b ? b : 1) }')"
	done
	[ -f truth.u32 ] || ann_hnswlib truth "$home/rows.f32" first.f32 "$dim" 10 truth.u32
	rm -f rounds.*
	for ((i = 1; i <= rounds; i++)); do
		for side in $sides; do
			query "$side" $efs >rounds."$side"."$i"
		done
	done
	for side in $sides; do
		curve "$side"
	done
	for recall in 0.95 0.976 0.99; do
		at_recall $recall
	done
	for side in $equal; do
		build_at_equal_recall "$side"
	done
	for side in $ours; do
		printf '%s at its default ef: recall\t%s\n' "$side" "$(query "$side" 0 | cut -d' ' -f2)"
		cold "$side"
	done
}

# aim SET RECALL HNSWLIB BEST - the highest ratios of the newest layout's sides.
aim() {
	[[ " $sets " == *" $1 "* ]] || return 0
	awk -v what="$1 at recall $2, $newest" -v hnswlib="$3" -v best="$4" -v layout="$newest-" '
		index($1, layout) == 1 && $4 > h { h = $4 }
		index($1, layout) == 1 && $5 > b { b = $5 }
		END { printf "aim: %s\t%.2f (%s)\t%.2f (%s)\n", what, h, hnswlib, b, best }' "$(folder_of "$1")/at.$2"
}

sets=${CURVE_SETS:-workers demand packages words}
for set in $sets; do
	enter "$set"
	dim=$(dimension_of "$set")
	rows=$(($(stat -c %s "$home/rows.f32") / 4 / dim))
	echo "-- $set: $rows rows × $dim"
	measure
done

echo "-- aims: ratio to hnswlib (aim), to the best hnsw-i8 (aim)"
newest=hnsw
[[ $ours != *qg-* ]] || newest=qg
while read -r line; do
	aim $line
done <<'END'
workers 0.95 5 2
workers 0.976 5 2
workers 0.99 5 2
demand 0.95 8 3.5
packages 0.95 5 -
words 0.95 2.2 -
END
