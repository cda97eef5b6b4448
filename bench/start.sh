# What it costs to start on empty input, against jq -n 1.
index=$DATA/empty.lhv
lh-index build -q --dimension 64 "$index" </dev/null
for command in "lh-search $index" lh-embed lh-cat "lh-index info $index" "lh-gen workers -n 0"; do
	printf '%s\t%s\n' "start: $(sed "s,$DATA/,," <<<"$command"), to jq -n 1" "$(spawn 101 "$command" "jq -n 1")"
done
