/* rows.c - rows of tables as records.  See rows.h. */
#include "rows.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"

#define BLOCK ((size_t)64 << 10)	/* bytes of records passed on at a time */

/* Find the column of --id. */
static int find_id(struct rows *r)
{
	const char *id = r->in->s->id;
	size_t i;

	for (i = 0; id && i < r->n; i++)
		if (lh_str_is(r->column[i].name, id, strlen(id)))
			break;
	r->id = i;
	if (!id || i < r->n || !r->n)
		return 0;
	return lh_err_set(&r->in->tool->err, LH_EIO, "%s: there is no column \"%s\" (--id)",
			  r->file, id);
}

static bool is_line(const struct settings *s, struct lh_str name)
{
	return s->line && lh_str_is(name, s->line, strlen(s->line));
}

/* Write the keys of the members once, for all rows. */
int rows_begin(struct rows *r, const struct lh_column *column, size_t n)
{
	size_t i, at = 0;

	r->column = column;
	r->n = n;
	lh_columns_fingerprint(column, n, r->fingerprint);
	r->member = lh_calloc(r->n, sizeof *r->member);
	r->null = lh_calloc(r->n, 1);
	if (find_id(r) < 0)
		return -1;
	for (i = 0; i < r->n; i++) {
		at = r->keys.len;
		lh_buf_putc(&r->keys, ',');
		lh_buf_json(&r->keys, r->column[i].name.p, r->column[i].name.n);
		lh_buf_putc(&r->keys, ':');
		r->member[i] = (struct member){
			.n = r->keys.len - at, .type = r->column[i].type,
			.dropped = (r->in->s->id && lh_str_is(r->column[i].name, "id", 2)) ||
				   is_line(r->in->s, r->column[i].name) };
	}
	for (i = 0, at = 0; i < r->n; at += r->member[i++].n)
		r->member[i].key = r->keys.p + at;
	return r->in->keep ? keep_check(r->in, r->fingerprint) : 0;
}

static int put_id(struct rows *r, struct lh_buf *out, struct lh_err *err)
{
	const char *prefix = r->in->s->id_prefix;
	struct lh_str cell = r->cell(r->table, r->id);
	size_t at;

	if (!cell.p)
		return lh_err_set(err, LH_EDATA, "the id is empty (column \"%s\")", r->in->s->id);
	lh_buf_puts(out, ",\"id\":");
	if (!prefix) {
		lh_buf_json(out, cell.p, cell.n);
		return 0;
	}
	lh_buf_json(out, prefix, strlen(prefix));
	at = out->len - 1;		/* where the quotes of both texts meet */
	lh_buf_json(out, cell.p, cell.n);
	if (!out->failed) {
		memmove(out->p + at, out->p + at + 2, out->len - at - 2);
		out->len -= 2;
	}
	return 0;
}

/* Append the record of the row, without braces; every member after a comma. */
static int put_members(struct rows *r, struct lh_buf *out, struct lh_err *err)
{
	bool nulls = r->in->s->null_members;
	struct lh_str cell;
	size_t i;

	if (r->in->s->line) {
		lh_buf_putc(out, ',');
		ingest_line(r->in, r->line);
	}
	if (r->in->s->id && put_id(r, out, err) < 0)
		return -1;
	for (i = 0; i < r->n; i++) {
		const struct member *m = &r->member[i];

		cell = r->cell(r->table, i);
		if ((!cell.p && !nulls) || m->dropped)
			continue;
		lh_buf_add(out, m->key, m->n);
		if (!cell.p)
			lh_buf_puts(out, "null");
		else if (m->json)
			lh_buf_add(out, cell.p, cell.n);
		else if (!lh_column_put(out, m->type, cell))
			return lh_err_set(err, LH_EDATA, "column \"%.*s\" is not %s",
					  (int)(m->n < 100 ? m->n - 4 : 96), m->key + 2,
					  lh_column_type_name(m->type));
	}
	return 0;
}

int rows_put(struct rows *r, struct lh_err *err)
{
	struct lh_buf *out = &r->in->out;
	size_t at = out->len;

	if (put_members(r, out, err) < 0) {
		out->len = at;
		return -1;
	}
	if (r->in->s->id && ingest_id(r->in, r->cell(r->table, r->id), err) < 0)
		return -1;
	r->in->rows++;
	if (r->in->s->columns) {
		/* Count the row of --columns, and its null cells. */
		size_t i;

		for (i = 0; i < r->n; i++)
			r->null[i] |= !r->cell(r->table, i).p;
		out->len = at;
		return 0;
	}
	if (out->len == at)
		lh_buf_putc(out, '{');
	else if (!out->failed)
		out->p[at] = '{';
	lh_buf_add(out, "}\n", 2);
	return 0;
}

int rows_done(struct rows *r)
{
	struct ingest *in = r->in;

	in->pending++;
	if (in->out.len >= BLOCK && ingest_flush(in) < 0)
		return -1;
	if (in->pending % 1024 == 0 && lh_stopping())
		return lh_err_set(&in->tool->err, LH_EINTR, "interrupted");
	return 0;
}

int rows_finish(struct rows *r)
{
	if (r->in->s->columns)
		return describe(r->in, r->column, r->null, r->n);
	if (!r->in->keep)
		return 0;
	return ingest_flush(r->in) < 0 ? -1 : keep_finish(r->in, r->fingerprint,
							  r->column, r->n);
}

void rows_free(struct rows *r)
{
	lh_buf_free(&r->keys);
	free(r->member);
	free(r->null);
}
