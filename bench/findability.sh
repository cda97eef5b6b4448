# Whether all that is stored is found: searches with filters, records after many changes, and
# records among copies.
#
# Filters: recall@10, and the time next to that of a scan that knows the matching rows, of
# searches whose matches depend on the query, for each share of matches (bench/findability.c).
#
# Conditions: the same by filters on metadata (a range, "not", "any", "within" a distance of the
# place that is asked for, or of another), and whether an answer has fewer results than there are.
#
# Churn: rounds that each delete half of the workers, add as many, and replace three tenths of
# them; compact only at the end (lh-index add compacts too when the log is long).  A record is
# lost if it is not the first hit of its own text at the default ef, unless --exact puts an
# equal one before it.  Recall@10 by other workers and by sentences of demand is next to that
# of an index built anew, and so is the size of the file.
#
# Copies: records of five texts, equal or each with a word of its own, before or after others.
# How many of the others are lost, how many of the copies with a word of their own, and how many
# of a hundred copies a filter on a key of their own does not find.
#
# Vectors are of hash-v2.  The environment says how much (a quick run: FIND_SETS="workers words"
# ANN_ROWS=5000 ANN_QUERIES=500 FIND_QUERIES=20 CHURN_ROWS=2000 CHURN_ROUNDS=3 COPIES=2000
# CHURN_PRECISIONS=i8):
#
#   FIND_SETS         workers demand words: sets of bench/ann.bash, each of ANN_ROWS rows
#   FIND_PRECISIONS   f32
#   FIND_QUERIES      50, of each set
#   CHURN_ROWS, CHURN_ROUNDS
#                     50000 and 10
#   CHURN_PRECISIONS  f32 f16 i8 i8+rescore
#   COPIES            7500, among half as many others
#   CONDITION_ROWS    50000, asked 50 times in each cell
#   FIND_PARTS        filters conditions churn copies
export ANN_MODEL=hash-v2
source "$ROOT/bench/lib.bash"
source "$ROOT/bench/ann.bash"

# filters SET - a line for each share of matches, and each way in which they depend on the query.
filters() {
	local precision side
	enter "$1"
	dim=$(dimension_of "$1")
	rows=$(($(stat -Lc %s "$home/rows.f32") / 4 / dim))
	for precision in ${FIND_PRECISIONS:-f32}; do
		side=qg-$precision
		[ -f "$home/build.$side" ] || build "$side"
		echo "-- $1: $rows rows × $dim, $side: recall, ms, to the scan"
		findability "$1" "$home/$side.index" "$home/rows.f32" queries.f32 "${FIND_QUERIES:-50}"
	done | awk -F'\t' 'NF == 1 { print; next }
		{ miss = $4 < 0.95 ? " recall" : ""; miss = miss ($5 > 1.2 ? " time" : ""); cells++; bad += miss != "" }
		{ printf "%s of rows match, %s\t%s\t%.3f ms\t%s\t%s\n", $2, $3, $4, $6 / 1e3, $5, miss ? "missed:" miss : "" }
		END { printf "%d of %d cells missed\n", bad, cells }'
}

# index_options PRECISION[+rescore]
index_options() {
	echo "-q -j 2 --model $model --precision ${1%+*}" "$([ "${1%+*}" = "$1" ] || echo --rescore)"
}

# firsts INDEX RECORDS [OPTION]... - those that are not the first hit of their own text.
firsts() {
	lh-search -q -k 1 --no-metadata "${@:3}" "$1" <"$2" | jq -c 'select(.results[0].id != .id) | { id, text }'
}

# lost INDEX RECORDS - how many are not found, though no equal one comes before them.
lost() {
	firsts "$1" "$2" >suspects
	echo $(($(wc -l <suspects) - $(firsts "$1" suspects --exact | wc -l)))
}

# unreached INDEX - rows that no link leads to.
unreached() {
	lh-index verify -q --reach "$1" 2>&1 >/dev/null | grep -c . || true
}

# churn PRECISION
churn() {
	local i options
	options=$(index_options "$1")
	rm -f old.lhv* new.lhv*
	lh-index build $options old.lhv start.jsonl
	for ((i = 1; i <= rounds; i++)); do
		lh-index delete -q --ids $i-delete old.lhv >/dev/null
		lh-index add -q -j 2 old.lhv $i-add.jsonl >/dev/null
	done
	printf '%s, %d rounds: lost before and after compact\t%d' "$1" "$rounds" "$(lost old.lhv live.jsonl)"
	lh-index compact -q -j 2 old.lhv
	printf '\t%d\n' "$(lost old.lhv live.jsonl)"
	lh-index build $options new.lhv live.jsonl
	printf '  rows that no link leads to; in one built anew\t%d\t%d\n' "$(unreached old.lhv)" "$(unreached new.lhv)"
	for i in workers demand; do
		printf '  recall@10 of %s; in one built anew\t%.4f\t%.4f\n' $i "$(recall old.lhv $i.jsonl)" "$(recall new.lhv $i.jsonl)"
	done
	printf '  bytes; of one built anew\t%d\t%d\t%.2f\n' "$(stat -c %s old.lhv)" "$(stat -c %s new.lhv)" \
		"$(awk -v a="$(stat -c %s old.lhv)" -v b="$(stat -c %s new.lhv)" 'BEGIN { print a / b }')"
}

# copies equal|near first|last
copies() {
	lh-gen workers -n "$((n / 2 + 5))" --seed 3 | jq -r .text | python3 "$ROOT/bench/findability.py" copies "$n" $((n / 2)) "$1" "$2"
	rm -f copies.lhv*
	lh-index build $(index_options i8) --exact-below 10 copies.lhv records.jsonl
	printf '%d copies (%s, %s) and %d others: others lost\t%d' "$n" "$1" "$2" $((n / 2)) "$(lost copies.lhv others.jsonl)"
	[ "$1" = equal ] || printf '\tcopies lost: %d' "$(lost copies.lhv copies.jsonl)"
	echo
	shuf -n 100 --random-source=records.jsonl copies.jsonl | jq -c '. + { metadata_filter: { key } }' |
		lh-search -q --no-metadata copies.lhv | jq 'select(.results[0].id != .id)' -c | wc -l |
		sed 's/^/  of 100 copies, not found by their keys\t/'
}

home_of_churn=$DATA/churn-${CHURN_ROWS:-50000} rounds=${CHURN_ROUNDS:-10} n=${COPIES:-7500}
for part in ${FIND_PARTS:-filters conditions churn copies}; do
	case $part in
	filters)
		for set in ${FIND_SETS:-workers demand words}; do
			filters "$set"
		done
		;;
	conditions)
		mkdir -p "$DATA/conditions"
		cd "$DATA/conditions"
		lh-gen workers -n $((${CONDITION_ROWS:-50000} + 50)) | python3 "$ROOT/bench/findability.py" conditions 50 .9 .5 .25 .1 .05 .01 .001
		for i in f32 i8; do
			lh-index build --force $(index_options $i) conditions.lhv records.jsonl
			lh-search -q --no-metadata conditions.lhv <asked.jsonl >found
			lh-search -q --no-metadata --exact conditions.lhv <asked.jsonl >exact
			echo "-- $i: share of rows that match, recall, answers that are short"
			python3 "$ROOT/bench/findability.py" recall found exact
		done
		;;
	churn)
		mkdir -p "$home_of_churn"
		cd "$home_of_churn"
		lh-gen workers -n $((${CHURN_ROWS:-50000} * (10 + 8 * rounds) / 10)) | jq -r .text |
			python3 "$ROOT/bench/findability.py" churn "${CHURN_ROWS:-50000}" "$rounds"
		lh-gen workers -n 1000 --seed 2 | jq -c '{ text }' >workers.jsonl
		lh-gen queries -n 250 --styles all --seed 5 | jq -c '{ text: .query_text }' >demand.jsonl
		for precision in ${CHURN_PRECISIONS:-f32 f16 i8 i8+rescore}; do
			churn "$precision"
		done
		;;
	copies)
		mkdir -p "$DATA/copies"
		cd "$DATA/copies"
		for how in equal near; do
			for where in first last; do
				copies $how $where
			done
		done
		;;
	esac
done
