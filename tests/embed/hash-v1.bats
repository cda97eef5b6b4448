# The recipes as lh-hash-v1(7) to lh-hash-v4(7) state them, written again in Python.
# Plain only: known answers, and programs in Python; parity-differ.bats and
# distill-oracle.bats, whose inputs are random, are run there.
# bats file_tags=quick,oracle,plain-only
load ../helper

same_bits() {
	local model
	for model in hash-v1 hash-v2 hash-v3 hash-v4; do
		[ "$1" = 768 ] || [ $model != hash-v4 ] || continue
		lh-embed --model $model --dimension "$1" --encoding base64 texts.jsonl | jq -r .vector >vectors
		[ "$(wc -l <vectors)" = "$(wc -l <texts.jsonl)" ]
		diff vectors <(python3 "$ROOT/tests/oracle/embed.py" bits "$1" $model <texts.jsonl)
	done
}

@test "each model written from its page gives the same bits for workers and demand" {
	cd "$BATS_TEST_TMPDIR"
	lh-gen workers -n 40 | jq -c '{text}' >texts.jsonl
	lh-gen queries -n 10 --styles all | jq -c '{text: .query_text}' >>texts.jsonl
	same_bits 768
	sed -i 8q texts.jsonl
	same_bits 4096
}

# known_answers PAGE - the hashes that it lists, each with its text as JSON.
known_answers() {
	python3 - "$1" <<-'END'
		import json, re, sys
		page = open(sys.argv[1], encoding="utf-8").read().replace("\\('e", "\u00e9")
		page = re.sub(r"\\\[u(\w+)\]", lambda m: chr(int(m[1], 16)), page)
		for found, *text in re.findall(r"^\.It Li (0x\w{16}) Ta (.*)\n(?:\.It Ta (.*)\n)?", page, re.M):
		    print(found, json.dumps({"text": " ".join(t.strip('"') for t in text if t)}))
	END
}

@test "each page lists the hashes of the vectors that its model makes" {
	cd "$BATS_TEST_TMPDIR"
	local model
	for model in hash-v1 hash-v2 hash-v3 hash-v4; do
		known_answers "$ROOT/man/lh-$model.7" >list
		cut -d' ' -f2- list | lh-embed --model $model --encoding base64 | jq -r .vector | python3 -c 'import base64, functools, sys
for line in sys.stdin:
    print("0x%016x" % functools.reduce(lambda h, c: (h ^ c) * 0x100000001b3 % 2**64, base64.b64decode(line), 0xcbf29ce484222325))' >hashes
		[ "$(wc -l <list)" -ge 3 ] && diff hashes <(cut -d' ' -f1 list)
	done
}

# bats test_tags=full
@test "hash-v3 written from its page tells the same texts about staffing" {
	cd "$BATS_TEST_TMPDIR"
	python3 - >texts.jsonl <<-'END'
		import json, random
		random.seed(8)
		words = ["need", "Needs", "looking", "for", "3", "12", "1000", "06:00", "6:00,", "7:5", "Welders", "welder",
		    "(driver)", "nurses.", "Gary", "Gary,", "gary", "IN", "OH.", "(MI)", "in", "é", "Role:", "City:", "role::",
		    "\"skills\":", "Skills:", "the", "ABC", "IN5", "-", "\u00a0", "\x01", "x" * 20]
		for i in range(3000):
		    n = random.choice((2, 4, 7, 12, 20, 39, 40, 41))
		    print(json.dumps({"text": random.choice(" \t\n\x1f").join(random.choice(words) for _ in range(n)) + random.choice(("", " ", ":"))}))
	END
	same_bits 64
	for model in hash-v1 hash-v2 hash-v3; do
		lh-embed --model $model --dimension 64 --encoding base64 texts.jsonl | jq -r .vector >$model
	done
	[ "$(paste hash-v2 hash-v3 | awk '$1 == $2' | wc -l)" -gt 500 ]
	[ "$(paste hash-v1 hash-v3 | awk '$1 == $2' | wc -l)" -gt 500 ]
}

@test "each model written from its page gives the same bits for any text" {
	cd "$BATS_TEST_TMPDIR"
	python3 - >texts.jsonl <<-'END'
		import json, random
		random.seed(7)
		blocks = [(9, 127)] * 6 + [(65, 91)] * 4 + [(97, 123)] * 8 + [(0, 256), (0x100, 0x700),
		    (0x300, 0x370), (0x900, 0x2100), (0x1e00, 0x2000), (0x2000, 0x2c00), (0x3000, 0x3100),
		    (0x4e00, 0x4f00), (0xac00, 0xad00), (0xf900, 0x10000), (0x10000, 0x32000)]
		for i in range(400):
		    s = ""
		    while len(s) < random.choice((1, 5, 40, 200)):
		        lo, hi = random.choice(blocks)
		        s += "".join(chr(random.randrange(lo, hi)) for _ in range(random.choice((1, 1, 2, 6, 90 if i % 9 == 0 else 6))))
		        s += random.choice(("", " ", " ", ". ", ": ", ", ", " in ", "++", "ing ", "ies ", "es ", "tion ",
		            " 5 ", " 12 Oil Rig ", " 3 wells in Gary ", "Role: ", ". ", "\n", "\u00a0"))
		    print(json.dumps({"text": s}))
		print(json.dumps({"text": " ".join("w%d" % random.randrange(900) for _ in range(2500))}))
		for s in ("⭐ -- \t … a the 0 \0 \u0301 🚀".split(" ") + ["   "]	# none of which has a feature
		          + "STRASSE straße Ærø Łódź ΑΘΗΝΑ МОСКВА ＣＮＣ ﬁnish FORKLIFTS Welder'S 叉车司机招聘".split()):
		    print(json.dumps({"text": s}))
	END
	same_bits 64
	same_bits 768
}

@test "a code point before every range of the table, and assigned to nothing, is a gap" {
	printf '{"text":"ab%scd"}\n' '\u0590' '\u0378' ' ' | lh-embed --encoding base64 | jq -r .vector >vectors
	[ "$(sort -u vectors | wc -l)" = 1 ]
}

@test "lh-hash-v3(7) lists the words that the recipe reads" {
	local list
	for list in 'own_labels|labels of workers' 'labels|other labels' 'verbs|verbs' 'occupations|occupations' 'states|states'; do
		sed -n "/ ${list%|*}\[\] =/,/;/p" "$ROOT/lib/embed/hashv3_words.inc" | grep -o '"[^"]*"' | grep -oE '[A-Za-z]+' >have
		sed -n "/^\.It ${list#*|}\$/,/^\.[IE]/p" "$ROOT/man/lh-hash-v3.7" | grep -v '^\.' | grep -oE '[A-Za-z]+' >want
		[ -s have ] && diff have want
	done
}
