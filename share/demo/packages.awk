# Debian's Translation-en -> one JSON record a package: id, synopsis, text.
function text(s) {
	gsub(/[ \t]+/, " ", s)
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}
function emit() {
	if (name != "" && body != "" && !(name in seen)) {
		print "{\"id\":" text(name) ",\"synopsis\":" text(synopsis) ",\"text\":" text(synopsis "." body) "}"
		seen[name] = 1
	}
	name = synopsis = body = ""
}
/^Package: /		{ emit(); name = $2; next }
/^Description-en: /	{ synopsis = substr($0, 17); next }
/^ \.$/			{ next }
/^ /			{ body = body " " substr($0, 2) }
END			{ emit() }
