/* table.c - rows of tables as records: CSV and TSV, names, columns and types.  See ingest.h. */
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "ingest.h"
#include "json/write.h"

/* ---- what a table is ---- */

#define TYPES_MAX (16u << 20)	/* bytes of the file of --types */

struct lh_str dataset_name(const struct ingest *in)
{
	const char *s = in->s->name, *slash, *dot;
	size_t n;

	if (s)
		return lh_str_of(s);
	if (!in->tool->n_operands || strcmp(in->tool->operands[0], "-") == 0)
		return (struct lh_str){ NULL, 0 };
	s = in->tool->operands[0];
	slash = strrchr(s, '/');
	s = slash ? slash + 1 : s;
	n = lh_archive_stem(s);
	dot = memrchr(s, '.', n);
	return (struct lh_str){ s, dot && dot > s ? (size_t)(dot - s) : n };
}

int describe(struct ingest *in, const struct lh_column *column, const bool *null, size_t n)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct lh_str name = dataset_name(in);
	char hex[65];
	size_t i;

	lh_columns_fingerprint(column, n, hex);
	lh_write_object(&w, NULL);
	if (name.p && lh_utf8_valid(name.p, name.n))
		lh_write_str(&w, "name", name);
	else
		lh_write_null(&w, "name");
	lh_write_array(&w, "columns");
	for (i = 0; i < n; i++) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "name", column[i].name);
		lh_write_text(&w, "type", lh_column_type_name(column[i].type));
		lh_write_bool(&w, "nullable", null[i]);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_text(&w, "schema_fingerprint", hex);
	lh_write_u64(&w, "row_count", in->rows);
	lh_write_end(&w);
	return lh_tool_out_line(in->tool, &line);
}

/* Set the type of one column. */
static int set_type(const struct lh_iter *it, struct lh_column *column, size_t n,
		    struct lh_buf *scratch, struct lh_err *err)
{
	struct lh_str name, type = { NULL, 0 };
	size_t i = 0;
	int is;

	lh_value_str(&it->key, scratch, &name);
	while (i < n && !lh_str_is(column[i].name, name.p, name.n))
		i++;
	if (i == n)
		return lh_err_set(err, LH_EIO, "there is no column \"%.*s\" (--types)",
				  (int)(name.n < 100 ? name.n : 100), name.p);
	if (it->val.type == LH_STRING)
		lh_value_str(&it->val, scratch, &type);
	is = type.p ? lh_column_type_named(type) : -1;
	if (is < 0)
		return lh_err_set(err, LH_EIO, "--types: the type of column \"%.*s\" must be "
				  "string, int64, float64 or bool",
				  (int)(name.n < 100 ? name.n : 100), name.p);
	column[i].given = true;
	column[i].type = (enum lh_column_type)is;
	return 0;
}

static int set_types(const struct lh_buf *text, struct lh_column *column, size_t n,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	struct lh_iter it;
	int rc = lh_json_parse(&scan, text->p, text->len, &v, err);

	if (!rc && v.type != LH_OBJECT)
		rc = lh_err_set(err, LH_EIO, "is not a JSON object");
	if (rc < 0)
		lh_err_prefix(err, "--types");
	if (!rc)
		lh_iter_init(&it, &v);
	while (!rc && lh_iter_next(&it)) {
		lh_buf_reset(&scratch);
		rc = set_type(&it, column, n, &scratch, err);
	}
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_EIO;
	return rc;
}

/* Read the file of --types and set the types of the columns. */
static int types_read(const char *path, struct lh_column *column, size_t n, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	lh_buf_init(&text, TYPES_MAX);
	rc = lh_file_read(path, &text, err);
	if (!rc)
		rc = lh_err_set(err, LH_EIO, "%s: does not exist", path);
	if (rc > 0)
		rc = set_types(&text, column, n, err);
	return rc;
}

/* ---- rows ---- */

#define BLOCK ((size_t)64 << 10)	/* bytes of records passed on at a time */

/* Find the column of --id. */
static int find_id(struct rows *r)
{
	const char *id = r->in->id;
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
static int rows_begin(struct rows *r, const struct lh_column *column, size_t n)
{
	char fingerprint[FINGERPRINT];
	size_t i, at = 0;

	r->column = lh_calloc(n + 1, sizeof *column);
	memcpy(r->column, column, n * sizeof *column);
	r->n = n;
	if (r->in->keep && keep_check(r->in, r->column, n, false, fingerprint) < 0)
		return -1;
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
			.dropped = (r->in->id && lh_str_is(r->column[i].name, "id", 2)) ||
				   is_line(r->in->s, r->column[i].name) };
	}
	for (i = 0, at = 0; i < r->n; at += r->member[i++].n)
		r->member[i].key = r->keys.p + at;
	return 0;
}

static int put_id(struct rows *r, struct lh_buf *out, struct lh_err *err)
{
	const char *prefix = r->in->id_prefix;
	struct lh_str cell = r->cell(r->table, r->id);
	size_t at;

	if (!cell.p)
		return lh_err_set(err, LH_EDATA, "the id is empty (column \"%s\")", r->in->id);
	lh_buf_puts(out, ",\"id\":");
	if (!prefix) {
		lh_buf_json(out, cell.p, cell.n);
		return 0;
	}
	lh_buf_json(out, prefix, strlen(prefix));
	at = out->len - 1;		/* where the quotes of both texts meet */
	lh_buf_json(out, cell.p, cell.n);
	memmove(out->p + at, out->p + at + 2, out->len - at - 2);
	out->len -= 2;
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
	if (r->in->id && put_id(r, out, err) < 0)
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

/* Append the record of the row to r->in->out.  -1 with LH_EDATA: a cell does not fit. */
static int rows_put(struct rows *r, struct lh_err *err)
{
	struct lh_buf *out = &r->in->out;
	size_t at = out->len;

	if (put_members(r, out, err) < 0) {
		out->len = at;
		return -1;
	}
	if (r->in->id && ingest_id(r->in, r->cell(r->table, r->id), err) < 0)
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
	else
		out->p[at] = '{';
	lh_buf_add(out, "}\n", 2);
	return 0;
}

/* Count the row as done, and pass records on when there are enough. */
static int rows_done(struct rows *r)
{
	struct ingest *in = r->in;

	in->pending++;
	if (in->out.len >= BLOCK && ingest_flush(in) < 0)
		return -1;
	if (in->pending % 1024 == 0 && lh_stopping())
		return lh_err_set(&in->tool->err, LH_EINTR, "interrupted");
	return 0;
}

/* Describe or keep what was written, if that is asked for. */
static int rows_finish(struct rows *r)
{
	if (r->in->s->columns)
		return describe(r->in, r->column, r->null, r->n);
	if (!r->in->keep)
		return 0;
	return ingest_flush(r->in) < 0 ? -1 : keep_finish(r->in, r->column, r->n);
}

static void rows_free(struct rows *r)
{
	lh_buf_free(&r->keys);
	free(r->column);
	free(r->member);
	free(r->null);
}

/* ---- CSV and TSV ---- */

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

static struct lh_str cell(void *table, size_t i)
{
	return lh_csv_table_cell(table, i);
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
	struct lh_err *err = &r->in->tool->err;
	int rc;

	while ((rc = lh_csv_table_next(r->table, err)) != 0) {
		r->line = lh_csv_table_place(r->table).line;
		if (rc > 0)
			rc = rows_put(r, err);
		if (rc < 0 && err->code == LH_EDATA)
			rc = reject(r, *err);
		if (rc < 0 || rows_done(r) < 0)
			return -1;
	}
	return 0;
}

int ingest_table(struct ingest *in, struct lh_byte_source *first)
{
	struct lh_err *err = &in->tool->err;
	struct rows r = { .in = in, .cell = cell };
	const struct lh_column *column;
	int rc = -1;
	size_t n;

	r.table = lh_csv_table_open(&(struct lh_csv_table_how){
		.files = in->tool->operands, .n_files = in->tool->n_operands, .first = first,
		.delimiter = in->delimiter, .tsv = in->s->tsv, .csv = in->s->csv,
		.quotes = in->quotes,
		.no_header = in->s->no_header,
		.null_text = in->s->null_text, .output = lh_records_output(in->records),
		.sample = in->sample, .max_row = in->tool->max_line,
		.max_columns = in->tool->max_members, .long_row = on_long_row,
		.types = on_types, .waiting = ingest_waiting, .ctx = in }, err);
	if (r.table) {
		if (lh_csv_table_note(r.table))
			lh_tool_message(in->tool, "%s", lh_csv_table_note(r.table));
		column = lh_csv_table_columns(r.table, &n);
		r.file = lh_csv_table_place(r.table).file;
		lh_records_header(in->records, lh_csv_table_header(r.table));
		rc = rows_begin(&r, column, n) < 0 ? -1 : loop(&r);
	}
	if (!rc)
		rc = rows_finish(&r);
	lh_csv_table_close(r.table);
	rows_free(&r);
	return rc;
}
