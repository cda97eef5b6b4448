# Adding one record to a small index and to one a hundred times as large; no
# graphs, which adding does not touch.
index() {
	[ -s "$DATA/add-$1.lhv" ] || lh-gen workers -n "$1" | lh-index build -q --exact-below 1000000 "$DATA/add-$1.lhv"
	rm -f "$DATA/add-$1.lhv-log"
}
index 1000
index 100000
lh-gen workers -n 1 --seed 99 | lh-embed >"$DATA/one.jsonl"
printf 'lh-index add, 1 record to 100,000 (peer: to 1,000)\t%s\n' \
	"$(spawn 15 "lh-index add $DATA/add-100000.lhv $DATA/one.jsonl" "lh-index add $DATA/add-1000.lhv $DATA/one.jsonl")"
