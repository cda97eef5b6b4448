/* table.c - rows of CSV and TSV as records. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "ingest.h"

#define BLOCK ((size_t)64 << 10)	/* bytes of records passed on at a time */

/* A column with what is written before its values. */
struct member {
	const char *key;	/* ,"name": */
	size_t n;
	enum lh_column_type type;
	bool dropped;		/* --id gives it another value */
};

struct rows {
	struct ingest *in;
	struct lh_csv_table *table;
	struct member *member;
	const struct lh_column *column;
	size_t n, id;		/* id: the column of --id */
	bool *null;		/* by column: a cell was */
	struct lh_buf keys;
};

static int on_types(void *ctx, struct lh_column *column, size_t n, struct lh_err *err)
{
	const struct ingest *in = ctx;

	return in->s->types ? types_read(in->s->types, column, n, err) : 0;
}

static int on_long_row(void *ctx, const char *p, size_t n, struct lh_err *err)
{
	struct ingest *in = ctx;

	(void)err;
	return ingest_flush(in) < 0 ? -1 : lh_records_long_line(in->records, p, n);
}

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
			  lh_csv_table_place(r->table).file, id);
}

/* Write the keys of the members once, for all rows. */
static int make_members(struct rows *r)
{
	struct lh_err *err = &r->in->tool->err;
	size_t i, at = 0;

	r->column = lh_csv_table_columns(r->table, &r->n);
	r->member = lh_calloc(r->n, sizeof *r->member, err);
	r->null = lh_calloc(r->n, 1, err);
	if (!r->member || !r->null || find_id(r) < 0)
		return -1;
	for (i = 0; i < r->n; i++) {
		at = r->keys.len;
		lh_buf_putc(&r->keys, ',');
		lh_buf_json(&r->keys, r->column[i].name.p, r->column[i].name.n);
		lh_buf_putc(&r->keys, ':');
		r->member[i] = (struct member){
			.n = r->keys.len - at, .type = r->column[i].type,
			.dropped = r->in->s->id && lh_str_is(r->column[i].name, "id", 2) };
	}
	if (lh_buf_check(&r->keys, err) < 0)
		return -1;
	for (i = 0, at = 0; i < r->n; at += r->member[i++].n)
		r->member[i].key = r->keys.p + at;
	return 0;
}

static int put_id(struct rows *r, struct lh_buf *out, struct lh_err *err)
{
	const char *prefix = r->in->s->id_prefix;
	struct lh_str cell = lh_csv_table_cell(r->table, r->id);
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

	if (r->in->s->id && put_id(r, out, err) < 0)
		return -1;
	for (i = 0; i < r->n; i++) {
		const struct member *m = &r->member[i];

		cell = lh_csv_table_cell(r->table, i);
		if ((!cell.p && !nulls) || m->dropped)
			continue;
		lh_buf_add(out, m->key, m->n);
		if (!cell.p)
			lh_buf_puts(out, "null");
		else if (!lh_column_put(out, m->type, cell))
			return lh_err_set(err, LH_EDATA, "column \"%.*s\" is not %s",
					  (int)(m->n < 100 ? m->n - 4 : 96), m->key + 2,
					  lh_column_type_name(m->type));
	}
	return 0;
}

/* Count the row of --describe, and its null cells. */
static void count(struct rows *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		r->null[i] |= !lh_csv_table_cell(r->table, i).p;
}

/* Append the record of the row.  -1 with LH_EDATA: a cell does not fit. */
static int put_record(struct rows *r, struct lh_err *err)
{
	struct lh_buf *out = &r->in->out;
	size_t at = out->len;

	if (put_members(r, out, err) < 0) {
		out->len = at;
		return -1;
	}
	r->in->rows++;
	if (r->in->s->describe) {
		count(r);
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

static int reject(struct rows *r, struct lh_err why)
{
	struct lh_csv_table_place place = lh_csv_table_place(r->table);
	struct lh_str text = lh_csv_table_text(r->table);

	if (ingest_flush(r->in) < 0)
		return -1;
	return lh_records_reject(r->in->records, &(struct lh_rejection){
		.file = place.file, .line = place.line, .operand = place.operand,
		.record = text.p, .n = text.n, .code = why.code, .status = lh_err_status(&why),
		.coded = why.coded, .why = why.msg });
}

static int loop(struct rows *r)
{
	struct ingest *in = r->in;
	struct lh_err *err = &in->tool->err;
	int rc;

	while ((rc = lh_csv_table_next(r->table, err)) != 0) {
		if (rc > 0)
			rc = put_record(r, err);
		if (rc < 0 && err->code == LH_EDATA)
			rc = reject(r, *err);
		if (rc < 0)
			return -1;
		in->pending++;
		if (in->out.len >= BLOCK && ingest_flush(in) < 0)
			return -1;
		if (in->pending % 1024 == 0 && lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	return 0;
}

int ingest_table(struct ingest *in, struct lh_byte_source *first)
{
	struct lh_err *err = &in->tool->err;
	struct rows r = { .in = in };
	char hex[65];
	int rc = -1;

	r.table = lh_csv_table_open(&(struct lh_csv_table_how){
		.files = in->tool->operands, .n_files = in->tool->n_operands, .first = first,
		.delimiter = in->delimiter, .no_header = in->s->no_header,
		.null_text = in->s->null_text, .output = lh_records_output(in->records),
		.sample = in->sample, .max_row = in->tool->max_line,
		.max_columns = in->tool->max_members, .long_row = on_long_row,
		.types = on_types, .waiting = ingest_waiting, .ctx = in }, err);
	if (r.table && make_members(&r) == 0) {
		lh_records_header(in->records, lh_csv_table_header(r.table));
		lh_columns_fingerprint(r.column, r.n, hex);
		rc = in->keep && keep_check(in, hex) < 0 ? -1 : loop(&r);
	}
	if (!rc && in->s->describe)
		rc = describe(in, r.column, r.null, r.n);
	if (!rc && in->keep)
		rc = ingest_flush(in) < 0 ? -1 : keep_finish(in, hex);
	lh_csv_table_close(r.table);
	lh_buf_free(&r.keys);
	free(r.member);
	free(r.null);
	return rc;
}
