/* doctor.c - lh doctor: versions, libraries, permissions, indexes, limits. */
#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "json/write.h"
#include "lh.h"
#include "libraries.h"
#include "list.h"
#include "proc/run.h"
#include "text/escape.h"

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
		lh_buf_puts(&d.first, "ready");
	if (!d.json)
		d.rc |= lh_tool_out_line(t, &d.first);
	lh_buf_free(&d.first);
	return d.rc;
}
