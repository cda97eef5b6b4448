# lh-validate --schema FILE in a terminal: a schema of one's own, its faults, its findings.
# bats file_tags=full,plain-only
load screen

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >worker.json <<-'END'
	{ "required": ["id", "role"],
	  "properties": {
	    "id": { "type": "string", "pattern": "^W-\\d{4}$" },
	    "rate": { "type": "number", "minimum": 15 } } }
	END
	sed 's/"^W-/"(^W-/' worker.json >wrong.json
	sed 's/15 }/15, }/' worker.json >comma.json
	printf '%s\n' '{"id":"W-0001","role":"Welder","rate":22.50}' '{"id":"w2","rate":9}' '{"id":' >workers.jsonl
}

walk() {
	screen_run "lh-validate --schema wrong.json workers.jsonl"
	screen_run "lh-validate --schema comma.json workers.jsonl"
	screen_run "lh-validate --schema workr.json workers.jsonl"
	screen_run "lh-validate --schema worker.json --wire --now 2026-05-03T12:00:00Z workers.jsonl; echo \$?"
}

@test "a schema's faults have their place, a record's violations their fields" {
	each() {
		walk
		screen_is -e validate
	}
	on_each_screen each
}

@test "with NO_COLOR the same text is without styles" {
	each() {
		walk
		screen_is -n validate
	}
	on_each_screen each NO_COLOR=1
}
