/* acceptance_rows.c - the files of a run.  See acceptance_rows.h. */
#include "acceptance_rows.h"

#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		lh_record_free(&t->row[i]);
	free(t->row);
	lh_buf_free(&t->text);
}

struct reading {
	struct table *t;
	const struct lh_root *root;
	struct lh_buf file;
};

static int add_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct reading *r = ctx;
	LH_SCOPED(lh_free_local) char *path = lh_root_join(r->root, relpath);
	int rc = lh_file_read(path, &r->file, err);

	if (rc <= 0)
		return rc;
	lh_buf_add(&r->t->text, r->file.p, r->file.len);
	lh_buf_putc(&r->t->text, '\n');
	return 0;
}

/* Records point into the text, which must not move from here on. */
static int parse(struct table *t, const char *what, struct lh_err *err)
{
	struct lh_str rest = { t->text.p, t->text.len }, line;

	while (lh_next_line(&rest, &line)) {
		if (!line.n)
			continue;
		lh_grow(&t->row, &t->cap, t->n + 1, sizeof *t->row);
		lh_record_init(&t->row[t->n++]);
		if (lh_record_parse(&t->row[t->n - 1], line.p, line.n, err) < 0) {
			if (err->code == LH_EDATA)
				err->code = LH_ECORRUPT;
			return lh_err_prefix(err, "%s", what);
		}
	}
	return 0;
}

static int fill(struct table *t, const struct lh_root *root, const char *what, bool folder,
		struct lh_err *err)
{
	struct reading r = { .t = t, .root = root };
	int rc = folder ? lh_root_each(root, what, add_file, &r, err) : add_file(&r, what, err);

	lh_buf_free(&r.file);
	return rc || !t->text.len ? rc : parse(t, what, err);
}

int table_file(struct table *t, const struct lh_root *root, const char *relpath, struct lh_err *err)
{
	return fill(t, root, relpath, false, err);
}

int table_below(struct table *t, const struct lh_root *root, const char *folder, struct lh_err *err)
{
	return fill(t, root, folder, true, err);
}

const struct lh_record *table_find(const struct table *t, const char *field,
				   const struct lh_value *v)
{
	const struct lh_value *of;
	size_t i;

	for (i = 0; v && i < t->n; i++) {
		of = lh_record_get(&t->row[i], field);
		if (of && lh_value_equal(of, v))
			return &t->row[i];
	}
	return NULL;
}

bool row_is(const struct lh_record *r, const char *field, const char *s)
{
	const struct lh_value *v = r ? lh_record_get(r, field) : NULL;

	return v && lh_value_is(v, s, strlen(s));
}

size_t table_count(const struct table *t, const char *field, const char *s)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += row_is(&t->row[i], field, s);
	return n;
}
