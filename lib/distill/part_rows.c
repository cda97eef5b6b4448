/* part_rows.c - the rows of all parts, merged by their lines.  See part_parts.h. */
#include "part_parts.h"

#include <stdlib.h>

#include "file/rows.h"
#include "base/mem.h"

/* One file, and its row that comes next. */
struct cursor {
	struct lh_rows *rows;
	struct lh_record rec;
	struct lh_file_row row;
	const struct lh_part *part;
	char *path;
	enum lh_stream stream;
	uint64_t line_offset;
	struct lh_str sig;
};

struct lh_part_rows {
	enum lh_part_rows_of of;
	struct cursor *cursor;
	size_t n;
	struct cursor **heap;	/* those that have a row, the first row on top */
	size_t size;
	bool taken;		/* the row on top was returned */
};

static bool is_before(const struct cursor *a, const struct cursor *b)
{
	return a->stream != b->stream ? a->stream < b->stream : a->line_offset < b->line_offset;
}

/* ---- a row ---- */

/* Find where the row is from. */
static int read_place(struct cursor *c, enum lh_part_rows_of of, struct lh_err *err)
{
	const struct lh_value *from = lh_record_get(&c->rec, "provenance"), *v;
	struct lh_value source, sig, offset;
	int64_t at;

	if (of == LH_PART_PROVENANCE) {
		if (!from || from->type != LH_OBJECT ||
		    !lh_value_get(from, "source_file", &source) ||
		    !lh_value_get(from, "sig_hash", &sig) ||
		    !lh_value_get(from, "line_offset", &offset))
			return lh_err_set(err, LH_ECORRUPT, "has no provenance");
	} else {
		const struct lh_value *s = lh_record_get(&c->rec, "source_file");
		const struct lh_value *h = lh_record_get(&c->rec, "sig_hash");

		v = lh_record_get(&c->rec, "line_offset");
		if (!s || !h || !v)
			return lh_err_set(err, LH_ECORRUPT, "is not a skip");
		source = *s;
		sig = *h;
		offset = *v;
	}
	if (source.type != LH_STRING || sig.type != LH_STRING || offset.type != LH_NUMBER ||
	    !lh_value_i64(&offset, &at) || at < 0)
		return lh_err_set(err, LH_ECORRUPT, "has no place in a source");
	c->stream = lh_stream_of(source.p + 1, source.n - 2);
	c->line_offset = (uint64_t)at;
	c->sig = (struct lh_str){ sig.p + 1, sig.n - 2 };
	return c->stream == LH_STREAM_NONE ? lh_err_set(err, LH_ECORRUPT, "is of no stream") : 0;
}

/* Go to the next row of a file: 1, 0 at its end, -1. */
static int advance(struct lh_part_rows *r, struct cursor *c, struct lh_err *err)
{
	const struct cursor before = { .stream = c->stream, .line_offset = c->line_offset };
	bool first = !c->row.p;
	int rc = lh_rows_next(c->rows, &c->row, err);

	if (rc <= 0)
		return rc;
	if (lh_record_parse(&c->rec, c->row.p, c->row.n, err) < 0) {
		if (err->code == LH_EDATA)
			err->code = LH_ECORRUPT;
		rc = -1;
	} else if (read_place(c, r->of, err) < 0) {
		rc = -1;
	} else if (!first && !is_before(&before, c)) {
		rc = lh_err_set(err, LH_ECORRUPT, "is out of order");
	} else if (c->sig.n && !lh_shard_has(&c->part->shard, c->sig.p, c->sig.n)) {
		rc = lh_err_set(err, LH_ECORRUPT, "is of another shard");
	}
	return rc < 0 ? lh_err_prefix(err, "%s:%llu", c->path, (unsigned long long)c->row.line)
		      : 1;
}

/* ---- the heap ---- */

static void sift_down(struct lh_part_rows *r, size_t i)
{
	struct cursor *moved = r->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < r->size) {
		if (child + 1 < r->size && is_before(r->heap[child + 1], r->heap[child]))
			child++;
		if (!is_before(r->heap[child], moved))
			break;
		r->heap[i] = r->heap[child];
		i = child;
	}
	r->heap[i] = moved;
}

int lh_part_rows_next(struct lh_part_rows *r, struct lh_part_row *row, struct lh_err *err)
{
	struct cursor *c;
	int rc;

	if (r->taken) {
		rc = advance(r, r->heap[0], err);
		if (rc < 0)
			return -1;
		if (!rc)
			r->heap[0] = r->heap[--r->size];
		r->taken = false;
		if (r->size)
			sift_down(r, 0);
	}
	if (!r->size)
		return 0;
	c = r->heap[0];
	*row = (struct lh_part_row){ c->row.p, c->row.n, &c->rec, c->part, c->stream,
				     c->line_offset, c->sig };
	r->taken = true;
	return 1;
}

/* ---- open ---- */

/* Open the file of one part: 1 with a row, 0 without one, -1. */
static int open_cursor(struct lh_part_rows *r, struct cursor *c, const char *relpath,
		       struct lh_err *err)
{
	int rc;

	c->path = lh_root_join(c->part->root, relpath, err);
	c->rows = c->path ? lh_rows_new(err) : NULL;
	rc = c->rows ? lh_rows_open(c->rows, c->path, err) : -1;
	if (rc > 0)
		rc = advance(r, c, err);
	if (!rc) {	/* its descriptor is not needed */
		lh_rows_free(c->rows);
		c->rows = NULL;
	}
	return rc;
}

static int open_all(struct lh_part_rows *r, const struct lh_parts *parts, const char *relpath,
		    struct lh_err *err)
{
	size_t i;
	int rc;

	r->cursor = lh_calloc(parts->n, sizeof *r->cursor, err);
	r->heap = r->cursor ? lh_calloc(parts->n, sizeof *r->heap, err) : NULL;
	if (!r->heap)
		return -1;
	for (i = 0; i < parts->n; i++, r->n++)
		r->cursor[i].part = &parts->part[i];
	for (i = 0; i < r->n; i++) {
		rc = open_cursor(r, &r->cursor[i], relpath, err);
		if (rc < 0)
			return -1;
		if (rc)
			r->heap[r->size++] = &r->cursor[i];
	}
	for (i = r->size / 2; i-- > 0; )
		sift_down(r, i);
	return 0;
}

struct lh_part_rows *lh_part_rows_open(const struct lh_parts *parts, const char *relpath,
				       enum lh_part_rows_of of, struct lh_err *err)
{
	struct lh_part_rows *r = lh_calloc(1, sizeof *r, err);

	if (!r)
		return NULL;
	r->of = of;
	if (open_all(r, parts, relpath, err) == 0)
		return r;
	lh_part_rows_close(r);
	return NULL;
}

void lh_part_rows_close(struct lh_part_rows *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++) {
		lh_rows_free(r->cursor[i].rows);
		lh_record_free(&r->cursor[i].rec);
		free(r->cursor[i].path);
	}
	free(r->cursor);
	free(r->heap);
	free(r);
}
