# lh-search and lh-index in a terminal: filters, advice about input, an id that is absent.
# bats file_tags=plain-only,full
load screen

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	printf '%s\n' '{"id":"w-1","text":"pipe welder","metadata":{"role":"Welder","rate":22.50}}' \
		'{"id":"w-2","text":"night nurse","metadata":{"role":"Nurse","rate":41}}' \
		'{"id":"w-3","text":"crane operator","metadata":{"role":"Operator","rate":30}}' |
		lh-embed --dimension 64 | lh-index build w.lhv
	echo '{"query_text":"welder"}' >queries.jsonl
	printf '%s\n' '[' ' {"query_text":"welder"}' ']' >queries.json
	printf '%s\n' id,query_text 1,welder >queries.csv
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# each_way NAME BODY - on each screen, then with NO_COLOR, whose text is the same.
each_way() {
	local name=$1 body=$2
	colored() { screen_run clear; "$body"; screen_is -e "search-$name"; }
	plain() { screen_run clear; "$body"; screen_is -n "search-$name"; }
	on_each_screen colored
	on_each_screen plain NO_COLOR=1
}

@test "--where has operators, and its faults say what is accepted" {
	filters() {
		for where in 'role!=Welder' 'rate<=30' 'rate>30' 'role=welder' 'yers>5' 'role~Nurse' 'rate==30'; do
			screen_run "lh-search w.lhv --flat -Q 'a welder' --where '$where' | cut -c-48"
		done
	}
	each_way where filters
}

@test "an operator that no filter has is named, with those there are" {
	operator() {
		screen_run "echo '{\"query_text\":\"x\",\"metadata_filter\":{\"rate\":{\"less\":5}}}' | lh-search w.lhv"
	}
	each_way operator operator
}

@test "a mistyped option, command, page or schema has its nearest ones" {
	typos() {
		screen_run "lh-search w.lhv --wher role=Nurse"
		screen_run "lh-index biuld w.lhv"
		screen_run "lh serch"
		screen_run "lh help tutoral"
		screen_run "lh-validate --schema reciept queries.jsonl"
	}
	each_way typos typos
}

@test "input that is not JSON Lines is met with what to do" {
	inputs() {
		screen_run "lh-search w.lhv <queries.json"
		screen_run "lh-search w.lhv <queries.csv"
		screen_run "lh-search w.lhv queries.jsonl"
	}
	each_way inputs inputs
}

@test "lh-index get prints a record, and names an id that is absent" {
	get() {
		screen_run "lh-index get w.lhv w-2; lh-index get w.lhv w-9; echo \$?"
	}
	each_way get get
}
