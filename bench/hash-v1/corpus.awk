# Debian Translation-en -> package TAB synopsis TAB long description, one line each.
function emit() {
	if (pkg != "" && syn != "" && body != "" && !(pkg in seenp) && !(md5 in seenm)) {
		gsub(/[\t ]+/, " ", syn); gsub(/[\t ]+/, " ", body)
		sub(/^ /, "", body)
		print md5 "\t" pkg "\t" syn "\t" body
		seenp[pkg]; seenm[md5]
	}
	pkg = syn = body = md5 = ""
}
/^Package: /		{ emit(); pkg = $2; next }
/^Description-md5: /	{ md5 = $2; next }
/^Description-en: /	{ syn = substr($0, 17); next }
/^ \.$/			{ next }
/^ /			{ body = body " " substr($0, 2); next }
END			{ emit() }
