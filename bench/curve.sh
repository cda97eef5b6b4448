# What recall costs: recall@10 and recall@100 against queries/s over many values of ef, for
# each precision that an index can have, next to hnswlib, FAISS, usearch and zvec, all called
# as libraries on one thread; and the aims of ours.
#
# Rates are per second of processor time, so that other work on the machine weighs
# less; medians of interleaved rounds of 1,000 queries.  A rate at a given recall
# is interpolated between the two efs around it; if the least ef finds more than that, the
# rate is that of the least ef.  The efs of a side end with the first that finds 0.99.
# Ratios to hnswlib are taken round by round.  Each side builds one graph a set, which is kept:
# remove FOLDER/build.SIDE to build it again.  Ours are built by lh-index from JSON, the peers from arrays in memory.
#
# The environment says how much (a quick run, without Debian's packages or npm: ANN_ROWS=10000
# ANN_QUERIES=2000 CURVE_SETS="workers demand words" CURVE_PEERS=hnswlib PRECISIONS=i8
# CURVE_ROUNDS=1):
#
#   CURVE_SETS    sets of bench/ann.bash, each of ANN_ROWS rows
#   CURVE_MODELS  hash-v1 hash-v2 (with ANN_MODEL, that one); generated sets have none, and
#                 are measured once
#   CURVE_KS      10 100
#   PRECISIONS    f32 f16 i8 i8+rescore
#   CURVE_PEERS   hnswlib faiss-flat faiss-sq8 usearch-f32 usearch-i8 zvec-f32 zvec-i8 zvec-rabitq
#   CURVE_EFS, CURVE_ROUNDS
#   CURVE_EQUAL   the sides whose builds are compared at equal recall: efConstruction of
#                 hnswlib goes by fifths down or up, at most to CURVE_EFC, until it finds at
#                 ef 64 what the side finds
#   CURVE_COLD    queries of a file of which nothing is in memory
source "$ROOT/bench/lib.bash"
source "$ROOT/bench/ann.bash"
rounds=${CURVE_ROUNDS:-5}
efs=${CURVE_EFS:-10 16 24 32 48 64 96 128 192 256 384 512 768 1024 1536 2048 3072}
peers=${CURVE_PEERS:-hnswlib faiss-flat faiss-sq8 usearch-f32 usearch-i8 zvec-f32 zvec-i8 zvec-rabitq}
ours=$(printf 'qg-%s ' ${PRECISIONS:-f32 f16 i8 i8+rescore})

# need PEER FOLDER PACKAGE - from npm, or leave the peer out.
npm=$DATA/npm
need() {
	[[ $peers != *$1* || -d $npm/node_modules/$2 ]] && return
	npm install --silent --ignore-scripts --prefix "$npm" "$3" >"$DATA/npm.log" 2>&1 && return
	echo "$1 is left out: npm does not install it, see $DATA/npm.log"
	peers=$(tr ' ' '\n' <<<"$peers" | grep -v "^$1" | paste -sd' ')
}
need usearch usearch usearch@2.26.2
need zvec @zvec/zvec @zvec/zvec@0.7.0
if [[ $peers == *faiss* ]] && ! command -v ann_faiss >/dev/null; then
	echo "faiss is left out: build/bench/ann_faiss was not built"
	peers=$(tr ' ' '\n' <<<"$peers" | grep -v ^faiss | paste -sd' ')
fi

sides="$ours$peers"
equal=${CURVE_EQUAL-$ours}

# curve SIDE - the median rate at each ef.
curve() {
	local ef recall
	while read -r ef recall _; do
		printf '%s, k %d, ef %d: recall\t%s\t%.0f /s\n' "$1" "$k" "$ef" "$recall" \
			"$(awk -v ef="$ef" '$1 == ef { print $3 }' "rounds.$1.$k".* | median)"
	done <"rounds.$1.$k.1"
}

# first_round SIDE - ef by ef, up to the first that finds 0.99.  The peers take no ef below k.
first_round() {
	local ef line recall least=$k
	[[ $1 != qg-* ]] || least=10
	for ef in $least $(tr ' ' '\n' <<<"$efs" | awk -v least="$least" '$1 > least'); do
		line=$(query "$1" "$ef")
		echo "$line"
		read -r _ recall _ <<<"$line"
		! at_least "$recall" 0.99 || break
	done
}

# rate_at RECALL FILE - and 1 if the least ef finds more; 0 where no ef gets there.
rate_at() {
	[ -f "$2" ] || { echo 0 0 && return; }
	awk -v want="$1" '
		$2 >= want { rate = r ? exp(log(q) + (log($3) - log(q)) * (want - r) / ($2 - r)) : $3; least = !r; exit }
		{ r = $2; q = $3 }
		END { print rate + 0, least + 0 }' "$2"
}

# at_recall RECALL - for each side: its rate, hnswlib's, their ratio, 0 where there is none, and
# 1 if its least ef finds more; kept in at.K.RECALL.
at_recall() {
	local side i
	for side in $sides; do
		for ((i = 1; i <= rounds; i++)); do
			echo "$(rate_at "$1" "rounds.$side.$k.$i") $(rate_at "$1" "rounds.hnswlib.$k.$i")"
		done | awk '{ print $1, $3, $3 ? $1 / $3 : 0, $2 }' >at.rounds
		echo "$side $(for i in 1 2 3 4; do cut -d' ' -f$i at.rounds | median; done | paste -sd' ')"
	done >"at.$k.$1"
	awk -v k="$k" -v recall="$1" '$2 > 0 {
		printf "%s, k %d at recall %s%s\t%.0f /s\t%.0f /s\t%.2f\n", $1, k, recall, $5 ? " (least ef)" : "", $2, $3, $4
	}' "at.$k.$1"
}

# aim_of SET K RECALL - the ratio to hnswlib that ours is to have, and that which is
# enough where its least ef finds more.
aim_of() {
	case $1/$model/$2/$3 in
	clusters/*/10/*) echo 1.5 1.5 ;;
	words/*/10/0.95) echo 2.2 2.2 ;;
	words/* | pictures-*) echo 1 1 ;;
	demand/hash-v1/100/*) echo 2.5 2.5 ;;
	workers/hash-v1/100/*) echo 1.5 1.5 ;;
	*/hash-v1/10/*) echo 5 5 ;;
	*/hash-v2/10/*) echo 4 3 ;;
	*) echo 1 1 ;;
	esac
}

# aim SET RECALL - the best side of ours against its aim.
aim() {
	awk -v what="$1, $model, k $k at recall $2" -v aim="$(aim_of "$1" "$k" "$2")" '
		/^qg-/ && $2 && (!side || $4 > best) { side = $1; best = $4; least = $5; peer = $3 }
		/^qg-/ { any = 1 }
		END {
			split(aim, wanted, " ")
			want = wanted[least ? 2 : 1]
			if (any && !side)
				print what "\tnot reached\t\tmissed"
			else if (any && !peer)
				print what "\treached (" side ")\tnot reached\t"
			else if (any)
				printf "%s\t%.2f (%s)\t%s\t%s\n", what, best, side, want, best < want ? "missed" : ""
		}' "at.$k.$2" >>"$DATA/curve.aims"
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

# bytes SIDE - of an index: without header, padding between sections, and metadata.
bytes() {
	case $1 in
	qg-*) od -An -v -td8 -w32 -j128 -N2048 "$home/$1.index" | awk '{ n += $3 } END { printf "%d\n", n }' ;;
	*) du -sb "$home/$1.index" | cut -f1 ;;
	esac
}

measure() {
	local side i recall
	for side in $sides; do
		[ -f "$home/build.$side" ] || build "$side"
		printf '%s: bytes a row, built\t%d\t%.0f rows/s\t%s\n' "$side" $(($(bytes "$side") / rows)) "$(built "$side")" \
			"$(awk -v a="$(built "$side")" -v b="$(built hnswlib 2>/dev/null || echo 0)" 'BEGIN { printf b ? "%.2f" : "", a / (b ? b : 1) }')"
	done
	rm -f rounds.* at.*
	for k in $ks; do
		[ -s "truth.$k" ] || ann_hnswlib truth "$home/rows.f32" first.f32 "$dim" "$k" "truth.$k"
		for ((i = 1; i <= rounds; i++)); do
			for side in $sides; do
				if [ $i = 1 ]; then
					first_round "$side"
				else
					query "$side" $(cut -d' ' -f1 "rounds.$side.$k.1")
				fi >"rounds.$side.$k.$i"
			done
		done
		for side in $sides; do
			curve "$side"
		done
		for recall in 0.95 0.976 0.99; do
			at_recall $recall
			aim "$set" $recall
		done
		for side in $ours; do
			printf '%s, k %s at its default ef: recall\t%s\n' "$side" "$k" "$(query "$side" 0 | cut -d' ' -f2)"
		done
	done
	k=${ks%% *}
	for side in $equal; do
		build_at_equal_recall "$side"
	done
	for side in $ours; do
		cold "$side"
	done
}

ks=${CURVE_KS:-10 100} models=${CURVE_MODELS:-${ANN_MODEL:-hash-v1 hash-v2}}
: >"$DATA/curve.aims"
for set in ${CURVE_SETS:-workers demand packages words clusters pictures-200 pictures-768}; do
	for model in $models; do
		enter "$set"
		dim=$(dimension_of "$set")
		rows=$(($(stat -Lc %s "$home/rows.f32") / 4 / dim))
		echo "-- $set, $model: $rows rows × $dim"
		measure
		case $set in words | clusters | pictures-*) break ;; esac
	done
done
echo "-- aims: our best ratio to hnswlib, the aim"
cat "$DATA/curve.aims"
