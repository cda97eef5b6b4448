# The data that bench/ann.sh and bench/curve.sh ask about: source "$ROOT/bench/ann.bash".
#
#   workers   generated workers × 768; asked by workers of another seed
#   demand    the same, asked by sentences of demand in four styles, far from all workers
#   packages  Debian's package descriptions × 768 without their synopsis lines; asked
#             by a fifth as many of those synopses, which are far harder (needs apt)
#   words     vectors × 100 like those of words, from bench/ann_vectors.c, in 2,000 clusters
#   clusters  the same in 20,000
#   pictures-200, pictures-768
#             vectors like those of pictures, asked by those of texts, from the same
#   short     generated workers × 100
#   million   1,000,000 of them
#
# Texts are embedded by ANN_MODEL: hash-v1, with which sentences of demand are far from all
# workers, or hash-v2.  The queries are in no index.  ANN_ROWS is the number of rows (at most
# 61,722 packages), hnsw: M 16, efC 200, 2 threads (ANN_JOBS).  With ROWS_AS=i8 (or f16) the rows
# of all sides, and those that are to be found, are as an index of that precision stores them: so
# graphs are compared, and not the rounding of rows.
model=${ANN_MODEL:-hash-v1} queries=${ANN_QUERIES:-10000} threads=${ANN_JOBS:-2}
hnsw="16 200 $threads"

dimension_of() {
	case $1 in short | million | words | clusters) echo 100 ;; *-200) echo 200 ;; *) echo 768 ;; esac
}

# generate SET - rows.f32 and queries.f32; fails if the set is not a generated one.
generate() {
	local files=("${ANN_ROWS:-100000}" rows.f32 $((queries / 5)) queries.f32)
	case $1 in
	words) ann_vectors words 100 2000 1 "${files[@]}" ;;
	clusters) ann_vectors words 100 20000 1 "${files[@]}" ;;
	pictures-*) ann_vectors pictures "$(dimension_of "$1")" 2000 1 "${files[@]}" ;;
	*) return 1 ;;
	esac
}

# rows_of SET, queries_of SET - as lh-index and lh-search take them.
rows_of() {
	local n=${ANN_ROWS:-100000}
	case $1 in
	packages) jq -cR 'split("\t") | { id: .[1], text: .[3] }' corpus.tsv | sed "$n q" ;;
	million) lh-gen workers -n 1000000 ;;
	*) lh-gen workers -n "$n" ;;
	esac | lh-embed --model "$model" --dimension "$(dimension_of "$1")" --encoding base64
}

queries_of() {
	local field=text
	[ "$1" != demand ] || field=query_text
	case $1 in
	packages)
		awk -F'\t' '{ print $1 "\t" $3 }' corpus.tsv | sort -k1.20,1.32 | sed -n "1,$((queries / 5))p" |
			jq -cR 'split("\t") | { text: .[1] }'
		;;
	demand) lh-gen queries -n $((queries / 40)) --styles all --seed 5 ;;
	*) lh-gen workers -n "$queries" --seed 2 ;;
	esac | lh-embed --model "$model" --dimension "$(dimension_of "$1")" --field $field --encoding base64 | jq -c '{ vector }'
}

corpus() {
	mkdir -p lists/partial
	apt-get -qq update -o Acquire::Languages=en -o Dir::State::lists="$PWD/lists"
	for list in lists/*_Translation-en*; do
		/usr/lib/apt/apt-helper cat-file "$list"
	done | awk -f "$ROOT/bench/hash-v1/corpus.awk" | sort
}

# vectors - of JSON lines, as raw f32.
vectors() {
	jq -r .vector | base64 -d
}

folder_of() {
	echo "$DATA/ann-$1-${ANN_ROWS:-100000}-$model"
}

# enter SET - into its folder, with queries.jsonl, and queries.f32 of them all, first.f32
# of 1,000 and one.f32 of one; its rows are $home/rows.f32.  With ROWS_AS, into a folder in it.
enter() {
	home=$(folder_of "${1/demand/workers}")
	mkdir -p "$(folder_of "$1")" "$home"
	cd "$(folder_of "$1")"
	[ "$1" != packages ] || [ -f corpus.tsv ] || corpus >corpus.tsv
	[ -f "$home/rows.f32" ] || generate "$1" || rows_of "$1" | vectors >"$home/rows.f32"
	[ -f one.f32 ] || make_queries "$1"
	[ "${ROWS_AS:-f32}" = f32 ] || as_stored "$ROWS_AS" "$(dimension_of "$1")"
}

make_queries() {
	if [ -f queries.f32 ]; then
		ann_vectors jsonl "$(dimension_of "$1")" <queries.f32 | jq -c '{ vector }' >queries.jsonl
	fi
	[ -f queries.jsonl ] || queries_of "$1" >queries.jsonl
	vectors <queries.jsonl >queries.f32
	head -n 1000 queries.jsonl | vectors >first.f32
	head -n 1 queries.jsonl >one.jsonl
	vectors <one.jsonl >one.f32
}

# as_stored PRECISION DIM - rows that an index of that precision stores unchanged.
as_stored() {
	mkdir -p "$home/$1" "$1"
	if [ ! -f "$home/$1/rows.f32" ]; then
		ann_vectors jsonl "$2" <"$home/rows.f32" | lh-index build -q --precision "$1" --exact-below 4000000000 as-stored.lhv
		lh-index dump --encoding base64 as-stored.lhv | vectors >"$home/$1/rows.f32"
		rm as-stored.lhv
	fi
	home=$home/$1
	cd "$1"
	ln -sf ../{first.f32,one.f32,one.jsonl,queries.f32,queries.jsonl} .
}

# build_ours PRECISION[+rescore] INDEX - by lh-index, from JSON.
build_ours() {
	local options=(-q -j "$threads" --m 16 --ef-construction 200 --precision "${1%+*}")
	[ "${1%+*}" = "$1" ] || options+=(--rescore)
	ann_vectors jsonl "$dim" <"$home/rows.f32" | /usr/bin/time -o used -f '%e %U %S %M' lh-index build "${options[@]}" "$2" >&2
	awk -v n="$rows" '{ printf "%.1f rows/s, %.1f a second of processor time, peak %d MiB\n", n / $1, n / ($2 + $3), $4 / 1024 }' used
}

# build SIDE - what that says is kept in build.SIDE; hnswlib-EFC is hnswlib with another efConstruction.
build() {
	local index=$home/$1.index data=$home/rows.f32
	case $1 in
	hnswlib) ann_hnswlib build "$data" "$dim" $hnsw "$index" ;;
	hnswlib-*) ann_hnswlib build "$data" "$dim" 16 "${1#*-}" "$threads" "$index" ;;
	faiss-*) ann_faiss build "$data" "$dim" $hnsw "$index" "${1#*-}" ;;
	usearch-* | zvec-*) node "$ROOT/bench/ann_${1%-*}.mjs" "$npm" build "$data" "$dim" $hnsw "$index" "${1#*-}" 2>>"$DATA/npm.log" ;;
	*) build_ours "${1#*-}" "$index" ;;
	esac >"$home/build.new"
	mv "$home/build.new" "$home/build.$1"
}

# query SIDE EF... - lines of ef, recall and queries per second of processor time.
query() {
	local index=$home/$1.index
	case $1 in
	hnswlib*) ann_hnswlib query "$index" first.f32 "$dim" "$k" "truth.$k" "${@:2}" ;;
	faiss-*) ann_faiss query "$index" first.f32 "$dim" "$k" "truth.$k" "${@:2}" ;;
	usearch-* | zvec-*) node "$ROOT/bench/ann_${1%-*}.mjs" "$npm" query "$index" first.f32 "$dim" "$k" "truth.$k" "${1#*-}" "${@:2}" 2>>"$DATA/npm.log" ;;
	*) ann_liblh query "$index" first.f32 "$k" "truth.$k" "${@:2}" ;;
	esac | sed -n 's/.*queries\/s, \([0-9.]*\) .*ef \([0-9]*\), recall \(.*\)/\2 \3 \1/p'
}

# built SIDE - rows per second of processor time.
built() {
	sed 's/.*rows.s, \([0-9.]*\).*/\1/' "$home/build.$1"
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

# recall INDEX QUERIES [OPTION]... - recall@10 of lh-search.
recall() {
	paste <(lh-search -q --no-metadata "${@:3}" "$1" <"$2" | jq -c '[.results[].id]') \
		<(lh-search -q --no-metadata --exact "$1" <"$2" | jq -c '[.results[].id]') |
		jq -s '. as $a | [range(0; length; 2) | $a[.] as $got | $a[. + 1] | map(IN($got[]))] | add | map(if . then 1 else 0 end) | add / length'
}
