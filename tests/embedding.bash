# What the tests of lh-embed's engines across a network share; each has an embed of its own.

texts() {
	local t
	for t; do printf '{"text":"%s"}\n' "$t"; done
}

# fails_saying PATTERN [OPTION]... : two texts; exit 2, one line that matches, no output
fails_saying() {
	local pattern=$1
	shift
	texts a b > in
	run -2 --separate-stderr embed "$@" in
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == lh-embed:*$pattern* ]] || { echo "$stderr"; return 1; }
	[[ $stderr != *$'\e'* ]]
}

# ---- engine gguf ----

# model FILE [OPTION]... : a tiny model, of other weights with another --seed.
model() {
	local to=$1
	shift
	python3 "$ROOT/tests/model/make.py" "$@" -o "$to"
}

# in_store FILE NAME [TAG] : as Ollama keeps it, in the folder $OLLAMA_MODELS.
in_store() {
	local hex folder=$OLLAMA_MODELS/manifests/registry.ollama.ai/library/$2
	hex=$(sha256sum <"$1" | cut -d' ' -f1)
	mkdir -p "$folder" "$OLLAMA_MODELS/blobs"
	cp "$1" "$OLLAMA_MODELS/blobs/sha256-$hex"
	jq -nc --arg d "sha256:$hex" '{schemaVersion: 2, layers: [
		{mediaType: "application/vnd.ollama.image.license", digest: ("sha256:" + "0" * 64), size: 1},
		{mediaType: "application/vnd.ollama.image.model", digest: $d, size: 1}]}' >"$folder/${3:-latest}"
}

# forge PYTHON OPTION... - wrong models: keys is a dictionary name -> [type, value], tensors
# one name -> [dims, type, bytes]; write(keys, tensors[, name]) writes m.gguf, or another.
forge() {
	python3 - "$ROOT/tests/model" "$@" <<-'END'
	import struct, sys
	sys.path.insert(0, sys.argv[1])
	sys.dont_write_bytecode = True
	import make
	keys, tensors = make.model(make.options(*sys.argv[3:]))
	keys = {k[0]: list(k[1:]) for k in keys}
	tensors = {t[0]: list(t[1:]) for t in tensors}
	def write(keys, tensors, name="m"):
	    with open(name + ".gguf", "wb") as f:
	        f.write(make.file_bytes([(k, *v) for k, v in keys.items()],
	                                [(t, *v) for t, v in tensors.items()]))
	exec(sys.argv[2])
	END
}
