# corpus.awk - Debian's Translation-en files in; out, a line per description:
# its MD5, the package, the synopsis, the long description without the synopsis.
# Packages with the same description count once, and so do versions of one.

function put() {
	if (package != "" && synopsis != "" && body != "" && !(package in packages) && !(md5 in sums)) {
		gsub(/[\t ]+/, " ", synopsis)
		gsub(/[\t ]+/, " ", body)
		sub(/^ /, "", body)
		print md5 "\t" package "\t" synopsis "\t" body
		packages[package]
		sums[md5]
	}
	package = synopsis = body = md5 = ""
}

/^Package: /		{ put(); package = $2; next }
/^Description-md5: /	{ md5 = $2; next }
/^Description-en: /	{ synopsis = substr($0, 17); next }
/^ \.$/			{ next }
/^ /			{ body = body " " substr($0, 2) }
END			{ put() }
