/* table.c - CSV and TSV. */
#include "rows.h"

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
