/* doctor.c - lh version and lh doctor: versions, libraries, permissions, limits.  See lh.h. */
#include <archive.h>
#include <curl/curlver.h>
#include <dlfcn.h>
#include <errno.h>
#include <expat.h>
#include <fnmatch.h>
#include <fts.h>
#include <jansson.h>
#include <openssl/opensslv.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include "audit/subject.h"
#include "vector/distance.h"
#include "base/cpu.h"
#include "json/write.h"
#include "lh.h"
#include "base/mem.h"
#include "persons/persons.h"
#include "proc/run.h"
#include "text/escape.h"
#include "transformer/encoder.h"

/* ---- libraries ---- */

#define TEXT(x) #x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const struct library libraries[] = {
	{ "libarchive", "libarchive.so.13", "archive_version_string", ARCHIVE_VERSION_ONLY_STRING,
	  "lh-cat" },
	{ "libcurl", "libcurl.so.4", "curl_version", LIBCURL_VERSION, "http and https" },
	{ "libexpat", "libexpat.so.1", "XML_ExpatVersion",
	  DOTTED(XML_MAJOR_VERSION, XML_MINOR_VERSION, XML_MICRO_VERSION),
	  "lh-ingest and lh-query" },
	{ "libjansson", "libjansson.so.4", "jansson_version_str", JANSSON_VERSION,
	  "lh-serve, lh-mcp and lh-chat" },
	{ "libsqlite3", "libsqlite3.so.0", "sqlite3_libversion", SQLITE_VERSION, "lh-query" },
	{ "zlib", "libz.so.1", "zlibVersion", ZLIB_VERSION, "lh-cat" },
	{ NULL, NULL, NULL, NULL, NULL },
};

/* The file of DuckDB's library: that which LH_DUCKDB names, else libduckdb.so. */
static const char *library_duckdb(void)
{
	const char *named = getenv("LH_DUCKDB");

	return named && *named ? named : "libduckdb.so";
}

/* Write the version that the library in a file says it has to to: "7.88.1", "" if it does not
 * say.  Returns 0, or -1 if the file cannot be loaded. */
static int library_loaded(const char *file, const char *function, char to[LIBRARY_VERSION])
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

/* ---- lh version ---- */

static void put_library(struct lh_writer *w, const char *name, const char *compiled,
			const char *loaded)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "name", name);
	lh_write_text(w, "compiled", compiled);
	lh_write_text(w, "loaded", loaded);
	lh_write_end(w);
}

int version_command(struct lh_tool *t, void *settings)
{
	static const char *const distances[] = {
		[LH_PORTABLE] = "portable", [LH_AVX2] = "avx2", [LH_AVX512] = "avx512",
	};
	const struct lh_kernel_names names = lh_kernel_names();
	const struct settings *s = settings;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	char loaded[LIBRARY_VERSION];
	const struct library *l;

	if (!s->json) {
		lh_buf_puts(&line, "lakehouse-tools " LH_VERSION);
		return lh_tool_out_line(t, &line);
	}
	lh_write_object(&w, NULL);
	lh_write_text(&w, "version", LH_VERSION);
	lh_write_text(&w, "compiler", __VERSION__);
	lh_write_text(&w, "flags", LH_FLAGS);
	/* Write the instructions that this processor makes the tools use. */
	lh_write_object(&w, "kernels");
	lh_write_text(&w, "text", lh_cpu() == LH_CPU_AVX2 ? "avx2" : "portable");
	lh_write_text(&w, "distances", distances[lh_vec_isa()]);
	lh_write_text(&w, "models", names.models);
	lh_write_text(&w, "products", names.exact);
	lh_write_text(&w, "fast_products", names.fast);
	lh_write_end(&w);
	/* Write each library with the version of its headers and that which is loaded: null
	 * where one is not known, or the library not there. */
	lh_write_array(&w, "libraries");
	for (l = libraries; l->name; l++) {
		library_loaded(l->file, l->function, loaded);
		put_library(&w, l->name, l->compiled, *loaded ? loaded : NULL);
	}
	put_library(&w, "libcrypto", OPENSSL_VERSION_STR, OPENSSL_VERSION_STR);
	library_loaded(library_duckdb(), "duckdb_library_version", loaded);
	put_library(&w, "duckdb", NULL, *loaded ? loaded : NULL);
	lh_write_end(&w);
	lh_write_end(&w);
	return lh_tool_out_line(t, &line);
}

/* ---- lh doctor ---- */

#define OK LH_STYLE_GOOD
#define PROBLEM LH_STYLE_BAD

struct doctor {
	struct lh_tool *tool;
	bool json, colored;
	int rc;
	struct lh_buf first;	/* the first problem; of people who asked, the last line */
};

/* Print what kind of check it is, of which thing, and what is so. */
static void LH_PRINTF(5, 6) found(struct doctor *d, enum lh_style state, const char *check,
				  const char *subject, const char *detail, ...)
{
	static const char *const names[] = { [OK] = "ok", [LH_STYLE_WARN] = "warning",
					     [PROBLEM] = "problem", [LH_STYLE_DIM] = "absent" };
	const char *name = names[state];
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	char text[2048];
	va_list ap;

	va_start(ap, detail);
	vsnprintf(text, sizeof text, detail, ap);
	va_end(ap);
	if (state == PROBLEM)
		lh_tool_verdict_bad(d->tool);
	if (state == PROBLEM && !d->first.len)
		lh_escape_printf(&d->first, lh_escape_column, "not ready; first: %s %s: %s", check,
				 subject, text);
	if (d->json) {
		lh_write_object(&w, NULL);
		lh_write_text(&w, "check", check);
		lh_write_bytes(&w, "subject", subject);
		lh_write_text(&w, "state", name);
		lh_write_bytes(&w, "detail", text);
		lh_write_end(&w);
	} else {
		lh_term_put(&line, d->colored, state, name, strlen(name));
		lh_buf_printf(&line, "%*s%-9s", 9 - (int)strlen(name), "", check);
		lh_escape_printf(&line, lh_escape_column, "%s  %s", subject, text);
	}
	d->rc |= lh_tool_out_line(d->tool, &line);
}

/* Check that a command succeeds, and with "--version" that it prints the one of lh. */
static bool check_runs(struct doctor *d, const char *check, char *const *argv)
{
	const struct lh_child_how how = { .argv = argv, .seconds = 60, .max = 1 << 16 };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	struct lh_err err;
	char version[128];
	int rc = lh_child_run(&how, NULL, 0, &out, &err);

	snprintf(version, sizeof version, "%s " LH_VERSION "\n", *argv);
	lh_buf_putc(&out.out, '\0');
	rc |= out.status || (!argv[2] && strcmp(out.out.p, version));
	if (rc < 0 && !argv[2])
		found(d, PROBLEM, check, *argv, "%.200s (./bootstrap builds all)", err.msg);
	else if (rc)
		found(d, PROBLEM, check, argv[2] ? argv[2] : *argv, "%s%.200s",
		      argv[2] ? "" : "is not of version " LH_VERSION ": ",
		      rc < 0 ? err.msg : *out.last_line ? out.last_line : out.out.p);
	return !rc;
}

static void check_library(struct doctor *d, const struct library *l)
{
	char version[LIBRARY_VERSION];

	if (library_loaded(l->file, l->function, version) == 0)
		found(d, OK, "library", l->name, "%s", version);
	else
		found(d, l->without ? PROBLEM : LH_STYLE_DIM, "library", l->name, "no %s, for %s",
		      l->file, l->without ? l->without : "Parquet (./bootstrap duckdb)");
}

/* Check that no other than its owner can use a file of keys, nor all users an audit log. */
static void check_mode(struct doctor *d, const char *path, bool key, const struct stat *st)
{
	if (key && (!S_ISREG(st->st_mode) || (st->st_uid != geteuid() && geteuid() != 0)))
		found(d, PROBLEM, "key", path, "not a regular file of yours");
	else if (st->st_mode & (key ? S_IRWXG | S_IRWXO : S_IRWXO))
		found(d, PROBLEM, key ? "key" : "log", path, "mode %04o gives others access; "
		      "make it 0600", st->st_mode & 07777);
}

/* Check that looks at the persons of a state would be recorded, by the key of its logs. */
static void check_looks(struct doctor *d, const char *folder)
{
	LH_SCOPED(lh_free_local) char *persons = lh_persons_in(folder, NULL);
	LH_SCOPED(lh_free_local) char *logs = lh_format("%s/" LH_SUBJECT_DIR, folder);
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");
	struct lh_err err;

	if (persons && (!key || !*key))
		found(d, LH_STYLE_WARN, "looks", folder, "are not recorded: it holds persons (%s), "
		      "and LH_SUBJECT_AUDIT_KEY names no key", persons);
	else if (key && *key && lh_persons_try_keys(logs, &key, 1, &err) < 0)
		found(d, PROBLEM, "looks", folder, "%s", err.msg);
}

static void check_folder(struct doctor *d, char *folder)
{
	char *const roots[] = { folder, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	const FTSENT *e;

	while (walk && (e = fts_read(walk))) {
		bool key = !fnmatch("*[._-]key", e->fts_name, 0) ||
			   !fnmatch("*.token", e->fts_name, 0);

		if (e->fts_errno)
			found(d, PROBLEM, "folder", e->fts_path, "%s", strerror(e->fts_errno));
		else if (e->fts_info == FTS_F && !fnmatch("*.lhv", e->fts_name, 0))
			check_runs(d, "index", (char *[]){ "lh-index", "info", e->fts_path, NULL });
		else if (key || (e->fts_info == FTS_F && !fnmatch("*.audit.jsonl", e->fts_name, 0)))
			check_mode(d, e->fts_path, key, e->fts_statp);
	}
	if (!walk || fts_close(walk) < 0)
		found(d, PROBLEM, "folder", folder, "%s", strerror(errno));
	check_looks(d, folder);
}

int doctor_command(struct lh_tool *t, void *settings)
{
	const char *const keys[] = { "LH_KEYS_FILE", "LH_S3_KEY_FILE", "LH_SUBJECT_AUDIT_KEY" };
	struct doctor d = { t, ((const struct settings *)settings)->json,
			    lh_term_colored(STDOUT_FILENO, t->color), 0, { 0 } };
	size_t i, good = 0;
	struct rlimit files;
	const char *name;
	struct stat st;

	for (i = 0; (name = list_name(i)); i++)
		good += check_runs(&d, "tool", (char *[]){ (char *)name, "--version", NULL });
	found(&d, OK, "tools", "lh", "%zu of %zu of version %s", good, i, LH_VERSION);
	for (const struct library *l = libraries; l->name; l++)
		check_library(&d, l);
	check_library(&d, &(struct library){ "duckdb", library_duckdb(),
					     "duckdb_library_version", NULL, NULL });
	for (i = 0; i < sizeof keys / sizeof *keys; i++) {
		name = getenv(keys[i]);
		if (name && *name && lstat(name, &st) < 0)
			found(&d, PROBLEM, "key", name, "%s", strerror(errno));
		else if (name && *name)
			check_mode(&d, name, true, &st);
	}
	getrlimit(RLIMIT_NOFILE, &files);
	found(&d, files.rlim_cur < 1024 ? LH_STYLE_WARN : OK, "limit", "open files",
	      "%llu (ulimit -n)", (unsigned long long)files.rlim_cur);
	for (i = 0; i < t->n_operands; i++)
		check_folder(&d, t->operands[i]);
	if (!d.first.len)
		lh_buf_printf(&d.first, "ready: %zu tools and %zu folders were looked at, and no "
			      "log or index was verified", good, (size_t)t->n_operands);
	if (!d.json)
		d.rc |= lh_tool_out_line(t, &d.first);
	lh_buf_free(&d.first);
	return d.rc;
}
