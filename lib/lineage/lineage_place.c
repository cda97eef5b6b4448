/* lineage_place.c - which file an operand FILE:LINE names. */
#include <stdlib.h>

#include <lh/subject.h>

#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "file/rows.h"
#include "lineage_parts.h"

/* ---- paths ---- */

/* Return a path without empty and "." parts, and without ".." where the part before it is
 * known. */
static char *plain(const char *path)
{
	char *to = lh_calloc(strlen(path) + 2, 1);
	size_t n = 0, least, part, cut;

	if (*path == '/')
		to[n++] = '/';
	for (least = n; *path; path += part) {
		path += strspn(path, "/");
		part = strcspn(path, "/");
		if (!part || (part == 1 && *path == '.'))
			continue;
		for (cut = n; cut > least && to[cut - 1] != '/'; cut--)
			;
		if (part == 2 && !memcmp(path, "..", 2) && n > least &&
		    strcmp(to + cut, "..") != 0) {
			n = cut > least ? cut - 1 : least;
			to[n] = '\0';
			continue;
		}
		if (n > least)
			to[n++] = '/';
		memcpy(to + n, path, part);
		n += part;
		to[n] = '\0';
	}
	return to;
}

/* Return the absolute path, without links, of a file that may have been removed: what exists
 * of the path is resolved, and the rest is appended. */
static char *absolute(const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf whole = { 0 };
	LH_SCOPED(lh_free_local) char *head = lh_strndup(path, strlen(path)), *full = NULL;
	size_t n = strlen(head);

	while (!(full = realpath(n ? head : ".", NULL)) && n) {
		while (n && head[n - 1] == '/')
			n--;
		while (n && head[n - 1] != '/')
			n--;
		head[n] = '\0';
	}
	if (full)	/* else the working directory has been removed */
		lh_buf_printf(&whole, "%s/", full);
	lh_buf_puts(&whole, path + n);
	lh_buf_putc(&whole, '\0');
	return plain(whole.p);
}

/* Return what follows the folder in the path of a file below it, or NULL. */
static const char *below(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	n -= n && folder[n - 1] == '/';
	return !strncmp(path, folder, n) && path[n] == '/' ? path + n + 1 : NULL;
}

/* The paths that FILE can stand for: it is relative to the root or to the working
 * directory. */
struct paths {
	char *root;		/* absolute, as these: */
	char *full[2];		/* relative to the root (NULL: it is absolute), and not */
	char *plain;
};

static void paths_of(struct paths *p, const struct lh_lineage *l, const char *path)
{
	LH_SCOPED(lh_free_local) char *joined = NULL;

	p->root = absolute(lh_root_path(l->root));
	p->full[1] = absolute(path);
	p->plain = plain(path);
	if (*path == '/')
		return;
	joined = lh_root_join(l->root, path);
	p->full[0] = absolute(joined);
}

/* Return the i-th path that FILE can have in a row or below the root, or NULL. */
static const char *path_in_root(const struct paths *p, size_t i)
{
	if (!i)
		return p->plain;
	return p->full[i - 1] ? below(p->root, p->full[i - 1]) : NULL;
}

/* ---- files that have no keys ---- */

/* Report a file that cannot be read, unless that ends the search. */
static int left_out(struct lh_lineage *l, const struct lh_err *why)
{
	if (why->code != LH_EIO && why->code != LH_ECORRUPT && why->code != LH_EDATA)
		return -1;
	l->how.warn(l->how.ctx, true, why->msg);
	return 0;
}

/* Return whether a file has a line that is not blank: 1, 0, -1. */
static int has_line(struct lh_lineage *l, const char *path, uint64_t line, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	struct lh_file_row row = { .line = 0 };
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && row.line < line)
		rc = lh_rows_next(rows, &row, err);
	lh_rows_free(rows);
	if (rc < 0)
		return left_out(l, err);
	return rc > 0 && line && row.line == line;
}

/* Set *run to the id of a run if the path, relative to the root, is that of a receipt. */
static bool is_receipt(const char *path, struct lh_buf *run)
{
	const char *id = below(LH_ROOT_REPORTS, path), *name = id ? strchr(id, '/') : NULL;
	size_t stage, n;

	if (!name)
		return false;
	for (stage = 0; stage < LH_STAGES; stage++) {
		n = strlen(lh_stage_name((enum lh_stage)stage));
		if (!strncmp(name + 1, lh_stage_name((enum lh_stage)stage), n) &&
		    !strcmp(name + 1 + n, ".json")) {
			lh_buf_add(run, id, (size_t)(name - id));
			return true;
		}
	}
	return false;
}

/* ---- subjects ---- */

struct row_of {
	struct lh_str id;
};
static const struct lh_bind row_of_members[] = {
	{ LH_BIND_STRING("candidate_id", struct row_of, id), .lax = true, .filled = true },
	LH_BIND_END
};

/* Set *id to that of the first row whose log can have the name: rows may be damaged. */
static int id_of_log(struct lh_lineage *l, const char *path, const char *name,
		     struct lh_buf *id, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	struct row_of of;
	struct lh_file_row row;
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && !id->len && (rc = lh_rows_next(rows, &row, err)) > 0) {
		of = (struct row_of){ .id = { NULL, 0 } };
		if (lh_record_parse(&l->rec, row.p, row.n, err) < 0)
			rc = err->code == LH_EDATA ? 1 : -1;
		else if (lh_bind(row_of_members, &l->rec, &of, &l->ids.text, err) < 0)
			rc = -1;
		else if (of.id.p && lh_subject_named(name, of.id.p, of.id.n))
			lh_buf_add(id, of.id.p, of.id.n);
	}
	lh_rows_free(rows);
	return rc < 0 ? left_out(l, err) : 0;
}

static int id_of_manifest(const char *path, const char *name, struct lh_buf *id,
			  struct lh_err *err)
{
	LH_SCOPED(lh_manifest_free) struct lh_manifest m = { .n_datasets = 0 };
	int rc = lh_manifest_read(&m, path, err);

	if (!rc && lh_subject_named(name, m.candidate_id.p, m.candidate_id.n))
		lh_buf_add(id, m.candidate_id.p, m.candidate_id.n);
	/* a damaged one is reported where the subject's steps are written */
	return rc < 0 && err->code == LH_ENOMEM ? -1 : 0;
}

/* Set *id to that of the subject whose files have the name, according to its log or its
 * manifest, first to the one that was asked for. */
static int id_of_name(struct lh_lineage *l, const char *dir, const char *name, bool log,
		      struct lh_buf *id, struct lh_err *err)
{
	char *path;
	int i, rc = 0;

	for (i = 0; i < 2 && !rc && !id->len; i++, log = !log) {
		path = lh_subject_path(dir, name, log ? LH_SUBJECT_LOG : LH_SUBJECT_MANIFEST);
		rc = !path ? -1 : log ? id_of_log(l, path, name, id, err)
				      : id_of_manifest(path, name, id, err);
		free(path);
	}
	if (!rc && !id->len)
		lh_buf_puts(id, name);
	return rc;
}

/* Set *id to that of a subject if the path is one of its files and has that line: 1, 0, -1. */
static int subject_line(struct lh_lineage *l, const char *dir, const char *path, uint64_t line,
			struct lh_buf *id, struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];
	const char *file = path ? below(dir, path) : NULL;
	bool log;
	int rc;

	if (!file || strchr(file, '/'))
		return 0;
	log = lh_subject_of_path(name, path, LH_SUBJECT_LOG);
	if (!log && !lh_subject_of_path(name, path, LH_SUBJECT_MANIFEST))
		return 0;
	rc = has_line(l, path, line, err);
	if (rc > 0 && id_of_name(l, dir, name, log, id, err) < 0)
		rc = -1;
	return rc;
}

static int find_subject(struct lh_lineage *l, const struct paths *p, struct lh_meant *m,
			struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *dir = lh_lineage_subjects(l);
	LH_SCOPED(lh_free_local) char *full = absolute(dir);
	int i, rc = 0;

	for (i = 0; i < 2 && !rc; i++)
		rc = subject_line(l, full, p->full[i], m->line, &m->subject, err);
	return rc;
}

/* ---- FILE:LINE ---- */

/* Find the file: 1, 0 if it is none that lines are asked for by, -1. */
static int find_file(struct lh_lineage *l, const struct paths *p, struct lh_meant *m,
		     lh_line_fn *fn, struct lh_err *err)
{
	const char *path;
	size_t i, f;
	int rc;

	for (i = 0; i < 3; i++) {
		path = path_in_root(p, i);
		if (!path)
			continue;
		for (f = 0; f < l->n_files && strcmp(l->file[f].path, path) != 0; f++)
			;
		rc = fn(l, m, &(struct lh_lineage_hit){ f, m->line }, path, err);
		if (rc || f < l->n_files)
			return rc < 0 ? -1 : 1;
		if (is_receipt(path, &m->run)) {
			char *full = lh_root_join(l->root, path);

			rc = has_line(l, full, m->line, err);
			free(full);
			m->as = rc > 0 ? "line" : NULL;
			return rc < 0 ? -1 : 1;
		}
	}
	rc = find_subject(l, p, m, err);
	m->as = rc > 0 ? "line" : NULL;
	return rc;
}

int lh_lineage_place(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
		     lh_line_fn *fn, struct lh_err *err)
{
	const char *colon = operand.n ? memrchr(operand.p, ':', operand.n) : NULL, *p;
	struct paths paths = { .root = NULL };
	uint64_t line = 0;
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc;

	if (!colon || colon == operand.p || colon + 1 == operand.p + operand.n)
		return 0;
	for (p = colon + 1; p < operand.p + operand.n; p++) {
		if (*p < '0' || *p > '9' || line > UINT32_MAX)
			return 0;
		line = line * 10 + (uint64_t)(*p - '0');
	}
	path = lh_strndup(operand.p, (size_t)(colon - operand.p));
	m->line = line;
	paths_of(&paths, l, path);
	rc = find_file(l, &paths, m, fn, err);
	free(paths.root);
	free(paths.full[0]);
	free(paths.full[1]);
	free(paths.plain);
	return rc;
}
