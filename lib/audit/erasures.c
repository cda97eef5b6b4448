/* erasures.c - read the receipts of erasures.  See erasures.h. */
#include "erasures.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "json/bind.h"

#define SCHEMA "subject_erasure.v1"
#define RECEIPT_MAX ((size_t)64 << 20)

struct members {
	struct lh_str schema, id, finished;
	struct lh_erased_place *place;
	size_t n;
	struct lh_value earlier;
};
static const struct lh_bind place_members[] = {
	{ LH_BIND_STRING("path", struct lh_erased_place, path), .required = true },
	{ LH_BIND_U64("rows_before", struct lh_erased_place, before, 0, INT64_MAX) },
	{ LH_BIND_U64("rows_after", struct lh_erased_place, after, 0, INT64_MAX) },
	{ LH_BIND_U64("rows_erased", struct lh_erased_place, rows, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct lh_erased_place, has_rows) },
	LH_BIND_END
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("schema", struct members, schema), .required = true },
	{ LH_BIND_STRING("receipt", struct members, id), .required = true },
	{ LH_BIND_STRING("finished_at", struct members, finished), .required = true },
	{ LH_BIND_TABLES("places", struct members, place, n, place_members), .required = true },
	{ LH_BIND_VALUE("earlier", struct members, earlier, LH_BIND_IS(LH_OBJECT)) },
	LH_BIND_END
};

/* Add the erasure that a value says, and set *earlier to that before it, p NULL for none. */
static int add_erasure(struct lh_erasures *e, const struct lh_value *v, struct lh_value *earlier,
		       struct lh_err *err)
{
	struct members m = { .n = 0 };
	struct lh_erasure *x;

	lh_grow(&e->v, &e->cap, e->n + 1, sizeof *e->v);
	x = &e->v[e->n++];
	*x = (struct lh_erasure){ .n = 0 };
	if (lh_bind_value(members, v, &m, &x->text, err) < 0)
		return -1;
	if (!lh_str_is(m.schema, SCHEMA, strlen(SCHEMA)) || !lh_erasure_id(m.id.p, m.id.n) ||
	    lh_time_read(m.finished.p, m.finished.n, &x->finished) < 0)
		return lh_err_set(err, LH_EDATA, "is not a " SCHEMA);
	x->id = m.id;
	x->place = m.place;
	x->n = m.n;
	*earlier = m.earlier;
	return 0;
}

/* Read a file, whose text stays in e->file. */
static int read_receipt(struct lh_erasures *e, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_value v, earlier;
	struct lh_buf *file;
	int rc;

	lh_grow(&e->file, &e->cap_files, e->n_files + 1, sizeof *e->file);
	file = &e->file[e->n_files++];
	lh_buf_init(file, RECEIPT_MAX);
	rc = lh_file_read(path, file, err);
	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_set(err, LH_EIO, "%s: has gone meanwhile", path);
	rc = lh_json_parse(&rec, file->p, file->len, &v, err);
	for (; !rc && v.p; v = earlier)
		rc = add_erasure(e, &v, &earlier, err);
	if (rc < 0 && err->code == LH_EDATA) {
		err->code = LH_ECORRUPT;
		lh_err_prefix(err, "%s", path);
	}
	return rc;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return *name != '.' && n > k && !strcmp(name + n - k, end);
}

static int is_report(const struct dirent *e)
{
	return ends_in(e->d_name, ".json") || ends_in(e->d_name, ".plan");
}

static int add(struct lh_erasures *e, const char *folder, const char *name, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	if (!ends_in(name, ".json")) {
		e->unfinished = true;
		return 0;
	}
	lh_buf_printf(&path, "%s/%s%c", folder, name, '\0');
	return read_receipt(e, path.p, err);
}

int lh_erasures_read(struct lh_erasures *e, const char *subjects, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	struct dirent **name;
	int i, n, rc = 0;

	lh_buf_printf(&folder, "%s/" LH_ERASURES_FOLDER "%c", subjects, '\0');
	n = scandir(folder.p, &name, is_report, alphasort);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : lh_err_sys(err, "%s", folder.p);
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = add(e, folder.p, name[i]->d_name, err);
		free(name[i]);
	}
	free(name);
	return rc;
}

void lh_erasures_free(struct lh_erasures *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		lh_buf_free(&e->v[i].text);
	for (i = 0; i < e->n_files; i++)
		lh_buf_free(&e->file[i]);
	free(e->file);
	free(e->v);
	*e = (struct lh_erasures){ .n = 0 };
}

const struct lh_erasure *lh_erasures_find(const struct lh_erasures *e, struct lh_str id)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (lh_str_is(e->v[i].id, id.p, id.n))
			return &e->v[i];
	return NULL;
}

/* Return whether the first n bytes of a path, with their slash, may be the root's folder. */
static bool is_root(const char *root, const char *path, size_t n)
{
	LH_SCOPED(lh_free_local) char *folder = lh_strndup(path, n);
	struct stat a, b;

	return !n || stat(folder, &a) < 0 || stat(root, &b) < 0 ||
	       (a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* Return whether a path is that of a file or folder of the root, or of a file below it. */
static bool is_below(const char *root, struct lh_str path, struct lh_str relpath)
{
	const char *p = path.p, *end = p + path.n;

	for (; (p = memmem(p, (size_t)(end - p), relpath.p, relpath.n)); p++)
		if ((p == path.p || p[-1] == '/') &&
		    (p + relpath.n == end || p[relpath.n] == '/') &&
		    is_root(root, path.p, (size_t)(p - path.p)))
			return true;
	return false;
}

uint64_t lh_erasure_rows(const struct lh_erasure *x, const char *root, struct lh_str relpath)
{
	uint64_t rows = 0;
	size_t i;

	for (i = 0; i < x->n; i++) {
		const struct lh_erased_place *p = &x->place[i];
		uint64_t gone = p->has_rows ? p->rows
			: p->before > p->after ? p->before - p->after : 0;

		if (gone && is_below(root, p->path, relpath))
			rows += gone;
	}
	return rows;
}
