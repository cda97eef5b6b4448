/* libraries.c - versions of the libraries that the tools load.  See libraries.h. */
#include "libraries.h"

#include <archive.h>
#include <curl/curlver.h>
#include <dlfcn.h>
#include <expat.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define TEXT(x) #x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const struct library libraries[] = {
	{ "libarchive", "libarchive.so.13", "archive_version_string", ARCHIVE_VERSION_ONLY_STRING,
	  "lh-cat" },
	{ "libcurl", "libcurl.so.4", "curl_version", LIBCURL_VERSION, "http and https" },
	{ "libexpat", "libexpat.so.1", "XML_ExpatVersion",
	  DOTTED(XML_MAJOR_VERSION, XML_MINOR_VERSION, XML_MICRO_VERSION),
	  "lh-ingest and lh-query" },
	{ "libmicrohttpd", "libmicrohttpd.so.12", "MHD_get_version", NULL, "lh-serve" },
	{ "libsqlite3", "libsqlite3.so.0", "sqlite3_libversion", SQLITE_VERSION, "lh-query" },
	{ "zlib", "libz.so.1", "zlibVersion", ZLIB_VERSION, "lh-cat" },
	{ NULL, NULL, NULL, NULL, NULL },
};

const char *library_duckdb(void)
{
	const char *named = getenv("LH_DUCKDB");

	return named && *named ? named : "libduckdb.so";
}

int library_loaded(const char *file, const char *function, char to[LIBRARY_VERSION])
{
	void *so = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
	const char *(*version)(void);
	const char *text;

	*to = '\0';
	if (!so)
		return -1;
	*(void **)&version = dlsym(so, function);
	/* what comes before is the library's name */
	text = version ? strpbrk(version(), "0123456789") : NULL;
	if (text)
		snprintf(to, LIBRARY_VERSION, "%.*s", (int)strcspn(text, " "), text);
	return 0;
}
