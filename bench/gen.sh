# How fast workers stream out.
source "$ROOT/bench/lib.bash"
for i in 1 2 3 4 5; do seconds lh-gen workers -n 1000000; done | median |
	awk '{ printf "lh-gen, 1,000,000 workers\t%.3f s\t\t%.0f workers/s\n", $1, 1e6 / $1 }'
