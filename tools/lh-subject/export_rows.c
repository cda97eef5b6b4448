/* export_rows.c - the rows, records and files that find lists, as they are.  See export.h. */
#include <lh/index.h>
#include <lh/num.h>

#include "base/mem.h"
#include "export.h"
#include "file/file.h"
#include "file/rows.h"
#include "flow/flow.h"
#include "index/index_tools.h"

#define WHOLE_MAX ((size_t)256 << 20)	/* bytes of a file that is one JSON text, as in find */

/* The hits of a place. */
struct reading {
	struct export *x;
	size_t first, n;
};

static int add(struct export *x, size_t hit, struct lh_str text, bool whole)
{
	const enum place_kind kind = x->s->places.v[x->hits.v[hit].place].kind;
	struct export_row *row;

	lh_grow(&x->row, &x->cap, x->n + 1, sizeof *row);
	row = &x->row[x->n];
	*row = (struct export_row){ .hit = hit, .at = x->read.n, .n = text.n, .whole = whole };
	if (spool_add(&x->read, text.p, text.n, x->err) < 0)
		return -1;
	x->n++;
	return export_note_own(x, kind, text);
}

/* ---- lines ---- */

static size_t hit_from(const struct reading *r, uint64_t line)
{
	return hits_from(&r->x->hits, r->x->hits.v[r->first].place, line);
}

static bool is_wanted(const struct reading *r, uint64_t line)
{
	const size_t i = hit_from(r, line);

	return i < r->first + r->n && r->x->hits.v[i].line == line;
}

static int pick(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	(void)result;
	(void)err;
	if (!is_wanted(context, rec->number))
		return 0;
	lh_buf_add(out, rec->line, rec->len);
	return 1;
}

static void pick_bad(const struct lh_bad_line *bad, void *result, struct lh_buf *out, void *context)
{
	(void)result;
	if (bad->p && is_wanted(context, bad->line))
		lh_buf_add(out, bad->p, bad->n);
}

/* Take a line of the file or, if a hit has its name, of a member. */
static int take(const struct lh_output *o, void *shared, struct lh_err *err)
{
	const struct reading *r = shared;
	const struct export *x = r->x;
	size_t i;

	(void)err;
	for (i = hit_from(r, o->line); i < r->first + r->n && x->hits.v[i].line == o->line; i++) {
		const struct hit *h = &x->hits.v[i];

		if (o->n && !strcmp(o->file, h->id ? h->id : x->s->places.v[h->place].path))
			return add(r->x, i, (struct lh_str){ o->text, o->n }, false);
	}
	return 0;
}

/* Take lines without parsing those between them. */
static int read_plain(struct reading *r, const struct place *p)
{
	struct lh_err *err = r->x->err;
	const struct hit *const v = r->x->hits.v;
	struct lh_rows *rows = lh_rows_new();
	struct lh_file_row row;
	size_t i = r->first;
	int rc = lh_rows_open(rows, p->path, err);

	while (rc > 0 && i < r->first + r->n && (rc = lh_rows_next(rows, &row, err)) > 0) {
		while (i < r->first + r->n && v[i].line < row.line)
			i++;
		if (i < r->first + r->n && v[i].line == row.line &&
		    add(r->x, i++, (struct lh_str){ row.p, row.n }, false) < 0)
			rc = -1;
	}
	lh_rows_free(rows);
	return rc < 0 ? -1 : 0;
}

static int read_lines(struct reading *r, struct place *p)
{
	struct lh_flow flow = { .fill = pick, .result_size = 1, .bad = pick_bad, .sink = take,
				.shared = r, .lines = true };

	return p->plain ? read_plain(r, p) : place_flow(p, &flow, r->x->err);
}

/* ---- others ---- */

static int read_whole(struct reading *r, const struct place *p)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text;
	struct lh_err *err = r->x->err;
	int rc;

	lh_buf_init(&text, WHOLE_MAX);
	rc = lh_file_read(p->path, &text, err);
	if (rc <= 0)
		return rc ? -1 : lh_err_set(err, LH_EIO, "%s: has just been removed", p->path);
	return add(r->x, r->first, (struct lh_str){ text.p, text.len }, true);
}

/* Append a record as {"id","metadata","vector"}; the metadata are as they were stored. */
static int write_record(const struct lh_index *ix, uint64_t row, struct lh_buf *out,
			struct lh_err *err)
{
	const uint32_t n = lh_index_get_params(ix)->dimension;
	LH_SCOPED(lh_free_local) float *vector = lh_calloc(n + 1, sizeof *vector);
	struct lh_writer w = lh_write_to(out);
	struct lh_row is;

	if (lh_index_row(ix, row, &is, err) < 0)
		return -1;
	lh_index_vector(ix, row, vector);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", is.id);
	if (is.meta.n)
		lh_write_raw(&w, "metadata", is.meta);
	lh_write_key(&w, "vector");
	lh_buf_f32s(out, vector, n);
	lh_write_end(&w);
	return 0;
}

static int read_records(struct reading *r, const struct place *p)
{
	struct lh_err *err = r->x->err;
	struct lh_index *ix = lh_index_open(p->path, err);
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	size_t i;
	int64_t row;
	int rc = ix ? 0 : -1;

	for (i = r->first; !rc && i < r->first + r->n; i++) {
		const char *id = r->x->hits.v[i].id;

		lh_buf_reset(&out);
		row = lh_index_find(ix, id, strlen(id), err);
		if (row == -1)
			lh_err_set(err, LH_EIO, "%s: %s has just been removed", p->path, id);
		rc = row < 0 ? -1 : write_record(ix, (uint64_t)row, &out, err);
		if (!rc)
			rc = add(r->x, i, (struct lh_str){ out.p, out.len }, false);
	}
	lh_index_close(ix);
	return rc;
}

/* Return whether hits of a place are records of an index: they have ids and no lines. */
static bool has_records(const struct reading *r)
{
	return !r->x->hits.v[r->first].line && r->x->hits.v[r->first].id;
}

/* Return whether a place is one JSON text, as find reads it. */
static bool is_whole(const struct place *p)
{
	const size_t n = strlen(p->path);

	return (p->kind == PLACE_RECEIPT || p->kind == PLACE_DATASET ||
		p->kind == PLACE_MANIFEST) && n > 5 && !strcmp(p->path + n - 5, ".json");
}

int export_read(struct export *x)
{
	size_t i, n;
	int rc = 0;

	for (i = 0; !rc && i < x->hits.n; i += n) {
		struct reading r = { x, i, 0 };
		struct place *p = &x->s->places.v[x->hits.v[i].place];

		for (n = 1; i + n < x->hits.n && x->hits.v[i + n].place == x->hits.v[i].place; n++)
			;
		r.n = n;
		if (p->kind == PLACE_SECRET)
			continue;	/* it opens commitments, and says nothing */
		rc = has_records(&r) ? read_records(&r, p) : is_whole(p) ? read_whole(&r, p)
								   : read_lines(&r, p);
	}
	return rc;
}
