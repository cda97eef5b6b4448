# What the tests of lh-index share: small indexes.

# rows FROM TO [TAG] - records with vectors of dimension 8, one a line.
rows() {
	awk -v from="$1" -v to="$2" -v tag="${3:-x}" 'BEGIN {
		for (i = from; i <= to; i++) {
			printf "{\"id\":\"r%d\",\"vector\":[", i
			for (j = 0; j < 8; j++)
				printf "%s%.5f", j ? "," : "", sin(i * (j + 1) * 1.7 + j)
			printf "],\"metadata\":{\"n\":%d,\"tag\":\"%s\"}}\n", i, tag
		}
	}'
}

same_build() {
	lh-index build -j1 --now 2026-05-03T12:00:00Z "$@"
}

# What an index holds, in an order of its own.
content() {
	lh-index dump "$1" | sort
}

info() {
	lh-index info "$1" | jq -r ".$2"
}
