# The protocols of writers, readers and kills as models in Promela (*.pml), which spin searches,
# in up to 4 GB of memory.
# A model says "Models: path.c: function, ..." and "Faults: FAULT_X, ...";
# bats file_tags=plain-only,full
load ../helper

setup_file() {
	command -v spin >/dev/null || skip "there is no spin"
	MODELS=$BATS_TEST_DIRNAME
	export MODELS
}

# section MODEL NAME - what its first comment says after each "NAME:", up to the next one.
section() {
	sed '/\*\//q' "$MODELS/$1.pml" | awk -v name="$2:" '{ sub(/^[\/ \t]*\*+[ \t]*/, "") }
		/^[A-Z][a-z]*: / || /^$/ { on = index($0, name) == 1; if (on) print ""; sub(/^[A-Za-z]*: */, "") }
		on { printf "%s ", $0 } END { print "" }'
}

models() { (cd "$MODELS" && printf '%s\n' *.pml | sed 's/\.pml$//'); }
faults() { section "$1" Faults | grep -o 'FAULT_[A-Z_0-9]*'; }

# search MODEL - what spin finds.
search() {
	(
		mkdir -p "$1" && cd "$1"
		spin -a "$MODELS/$1.pml" </dev/null
		gcc -O1 -w -DSAFETY -DMEMLIM=4000 -o pan pan.c
		./pan -m1000000
	)
}

# broken MODEL FAULT - what spin finds with a fault.  Most are found at once in one of two orders of
# search; each has six seconds of a processor, and then the second order is searched whole.
broken() {
	local order
	mkdir -p "$1-$2" && cd "$1-$2"
	spin -a "-D$2" "$MODELS/$1.pml" </dev/null >/dev/null
	for order in -DREVERSE -DT_REVERSE; do
		gcc -O0 -w -DSAFETY $order -o pan pan.c
		prlimit --cpu=6 ./pan -m1000000 >found || true
		if grep 'assertion violated' found | grep -qv 'invalid array index'; then
			cat found
			return
		fi
	done
	gcc -O1 -w -DSAFETY -DMEMLIM=4000 $order -o pan pan.c
	./pan -m1000000
}

@test "each model is searched whole, or over 10,000,000 states, and no property is broken" {
	for model in $(models); do
		search "$model" >out
		grep -E 'errors:|states, stored|pan:' out | sed "s/^/$model: /"
		not grep -E 'max search depth too small|out of memory' out
		grep -qE 'errors: 0$' out
		if grep -q 'reached -DMEMLIM\|Search not completed' out; then
			[ "$(awk '/states, stored/ { print int($1) }' out)" -ge 10000000 ]
		fi
	done
}

@test "each fault that is planted breaks a property" {
	for model in $(models); do
		faults "$model" >faults
		[ "$(wc -l <faults)" -ge 3 ]
		alike <(sort -u faults) <(grep -o '^[ \t]*#.*FAULT_[A-Z_0-9]*' "$MODELS/$model.pml" | grep -o 'FAULT_.*' | sort -u)
		while read -r fault; do
			(broken "$model" "$fault") >out
			echo "$model: $fault: $(grep pan: out)"
			grep -q 'assertion violated' out
			not grep -q 'invalid array index' out
		done <faults
	done
}

@test "each function that a model names is in its file" {
	for model in $(models); do
		section "$model" Models | sed 's/ *$//; /^$/d' >named
		has . <named
		while IFS=: read -r file functions; do
			for function in ${functions//,/ }; do
				grep -qE "^[a-z].*[ *]$function\(" "$ROOT/$file" || { echo "$model: $file has no $function"; false; }
			done
		done <named
	done
}
