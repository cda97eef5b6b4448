/* read.c - the records of a table, one after the other.  See query.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "csv/csv_table.h"
#include "file/rows.h"
#include "flow/flow.h"
#include "json/write.h"
#include "query.h"
#include "index/index.h"

#define MESSAGES 20		/* about one table, unless -v */
#define CHECK_EVERY 1024	/* records */

struct reader {
	struct query *q;
	struct table *t;
	struct lh_record rec;
	size_t *at;		/* the place of each column's member in the last record */
	unsigned count;		/* of records, up to CHECK_EVERY */
	struct lh_buf text, id_text, json;

	/* lines */
	struct lh_input in;
	bool ready;		/* in is initialized */
	bool open, first, packed;
	bool began;		/* a line that is not blank was read */
	struct lh_bytes block;
	const char *p, *end;
	uint64_t records;
	uint64_t line, total;	/* in this member of an archive; in all */

	/* CSV */
	struct lh_csv_table *csv;
	const struct lh_column *column;
	size_t n_columns;
	struct lh_buf cell;	/* as JSON text */

	sqlite3_stmt *rows_of;	/* a file of SQLite */

	/* an index */
	struct lh_index *ix;
	uint64_t row, rows;
	struct lh_row now;
	struct lh_value id;
	struct lh_buf from, to;
	bool has_from, has_to;
};

/* ---- rejected lines ---- */

/* Return the name of the file being read; one without a path of its own is called as its table
 * is. */
static const char *file_name(const struct reader *r)
{
	if (r->ix || (r->t->files.fd[0] >= 0 && !r->t->files.folder))
		return r->t->path;
	return r->csv ? lh_csv_table_place(r->csv).file : lh_input_name(&r->in);
}

/* Report a line that is not a record; a file that is scanned again reports it once. */
static int rejected(struct reader *r, const struct lh_err *why, struct lh_err *err)
{
	struct lh_tool *tool = r->q->tool;
	const char *name = file_name(r);
	char place[32] = "";

	if (r->total <= r->t->line)
		return 0;
	r->t->line = r->total;
	r->t->rejected++;
	lh_tool_verdict_bad(tool);
	if (why->column)
		snprintf(place, sizeof place, ":%zu", why->column);
	r->q->stopped = tool->on_error == LH_ON_ERROR_STOP;
	if (r->q->stopped)
		return lh_err_set(err, LH_EIO, "%s:%llu%s: %s", name,
				  (unsigned long long)r->line, place, why->msg);
	if (++r->t->messages <= MESSAGES || tool->verbose)
		lh_tool_message(tool, "%s:%llu%s: %s", name, (unsigned long long)r->line,
				place, why->msg);
	else if (r->t->messages == MESSAGES + 1)
		lh_tool_message(tool, "%s: further messages suppressed (--verbose shows all)",
				r->t->path);
	return 0;
}

/* ---- lines ---- */

/* Report a line of n bytes that is not a record; after the first of a file of another kind, say
 * what to do with it. */
static int rejected_line(struct reader *r, const char *p, size_t n, const struct lh_err *why,
			 struct lh_err *err)
{
	const bool opening = !r->began && r->total > r->t->line;
	const char *hint = opening ? lh_hint_of((struct lh_str){ p, n }) : NULL;
	int rc = rejected(r, why, err);

	if (!rc && hint) {
		lh_tool_message(r->q->tool, "%s: %s", file_name(r), hint);
		r->t->messages = MESSAGES;
	}
	r->began = true;
	return rc;
}

static int too_long(struct reader *r, struct lh_err *err)
{
	struct lh_err why;

	lh_err_set(&why, LH_EDATA, "line longer than %llu bytes (--max-line)",
		   (unsigned long long)r->q->tool->max_line);
	return rejected(r, &why, err);
}

static int long_line(struct reader *r, struct lh_err *err)
{
	const char *p;
	ssize_t n;

	r->records++;
	r->line++;
	r->total++;
	while ((n = lh_lines_piece(&r->in.lines, &p, err)) > 0)
		if (query_check(r->q, err) < 0)
			return -1;
	if (n < 0)
		return -1;
	return too_long(r, err);
}

/* Begin the next file, or the next member of an archive: 1, 0 at the end, -1. */
static int next_file(struct reader *r, struct lh_err *err)
{
	int rc = lh_input_open(&r->in, err);

	r->open = rc > 0;
	r->first = true;
	r->began = false;
	r->line = 0;
	return rc;
}

/* Read the next block: 1, 0 at the end of the last file, -1. */
static int next_block(struct reader *r, struct lh_err *err)
{
	int rc = 1;

	while (rc >= 0) {
		if (!r->open && (rc = next_file(r, err)) <= 0)
			return rc;
		switch (lh_input_next(&r->in, &r->block, err)) {
		case LH_LINES_BLOCK:
			r->packed |= r->in.cat != NULL;
			r->p = r->block.p;
			r->end = r->block.p + r->block.n;
			return 1;
		case LH_LINES_WAIT:
			rc = lh_lines_wait(&r->in.lines, err);
			break;
		case LH_LINES_ROOM:
			lh_lines_allow(&r->in.lines);
			break;
		case LH_LINES_LONG:
			rc = long_line(r, err);
			break;
		case LH_LINES_END:
			r->open = false;
			break;
		default:
			rc = -1;
		}
	}
	return rc;
}

/* Take the next line of the block: 1 for a record, 0 for none, -1. */
static int take_line(struct reader *r, struct lh_err *err)
{
	const char *p = r->p, *lf = memchr(p, '\n', (size_t)(r->end - p));
	size_t n = (size_t)((lf ? lf : r->end) - p), mark;
	struct lh_err why;

	r->p = lf ? lf + 1 : r->end;
	r->line++;
	r->total++;
	mark = r->first ? lh_mark_len(p, n) : 0;
	p += mark;
	n -= mark;
	r->first = false;
	if (lh_line_empty(p, n))
		return 0;
	r->records++;
	if (n > r->q->tool->max_line + (p[n - 1] == '\r'))
		return too_long(r, err);
	if (lh_record_parse(&r->rec, p, n, &why) == 0) {
		r->began = true;
		return 1;
	}
	if (why.code != LH_EDATA) {
		*err = why;
		return -1;
	}
	return rejected_line(r, p, n, &why, err);
}

static int next_line(struct reader *r, struct lh_err *err)
{
	int rc;

	for (;;) {
		while (r->p < r->end) {
			rc = take_line(r, err);
			if (rc)
				return rc;
		}
		rc = next_block(r, err);
		if (rc <= 0)
			return rc;
	}
}

/* ---- CSV ---- */

static int csv_open(struct reader *r, struct lh_err *err)
{
	struct lh_csv_table_how how = {
		.files = r->t->files.path, .n_files = r->t->files.n,
		.sample = r->q->s->sample ? r->q->s->sample : UINT64_MAX,
		.max_row = r->q->tool->max_line, .max_columns = COLUMNS_MAX,
		.tsv = table_is_tsv(r->t),
	};

	r->csv = lh_csv_table_open(&how, err);
	if (!r->csv)
		return -1;
	r->column = lh_csv_table_columns(r->csv, &r->n_columns);
	return 0;
}

/* Check that each cell has the type of its column. */
static int check_cells(struct reader *r, struct lh_err *why)
{
	struct lh_str s;
	size_t i;

	for (i = 0; i < r->n_columns; i++) {
		if (r->column[i].type == LH_COLUMN_STRING)
			continue;
		s = lh_csv_table_cell(r->csv, i);
		if (s.p && !lh_column_fits(r->column[i].type, s))
			return lh_err_set(why, LH_EDATA, "column %zu is not %s", i + 1,
					  lh_column_type_name(r->column[i].type));
	}
	return 0;
}

static int next_csv(struct reader *r, struct lh_err *err)
{
	struct lh_err why = { .code = LH_OK };
	int rc;

	while ((rc = lh_csv_table_next(r->csv, &why)) != 0) {
		r->records++;
		r->total++;
		r->line = lh_csv_table_place(r->csv).line;
		if (rc > 0 && check_cells(r, &why) == 0)
			return 1;
		if (why.code != LH_EDATA) {
			*err = why;
			return -1;
		}
		if (rejected(r, &why, err) < 0)
			return -1;
	}
	return 0;
}

static bool csv_value(struct reader *r, size_t column, struct lh_value *v)
{
	const struct lh_column *c = &r->column[column];
	struct lh_str s = lh_csv_table_cell(r->csv, column);
	enum lh_column_type type = c->type;

	if (!s.p)
		return false;
	lh_buf_reset(&r->cell);
	if (c->beyond && lh_column_fits(LH_COLUMN_FLOAT64, s))
		type = LH_COLUMN_FLOAT64;
	if (lh_column_is_beyond(c, s))	/* values.c refuses it, as in JSON */
		lh_buf_add(&r->cell, s.p, s.n);
	else
		lh_column_put(&r->cell, type, s);
	lh_buf_room(&r->cell, LH_PAD);
	*v = (struct lh_value){ r->cell.p, r->cell.len, LH_STRING, false };
	if (*v->p != '"')
		v->type = *v->p == 't' ? LH_TRUE : *v->p == 'f' ? LH_FALSE : LH_NUMBER;
	else
		v->escaped = memchr(v->p, '\\', v->n) != NULL;
	return true;
}

void reader_columns(const struct reader *r, struct columns *c)
{
	static const enum kind kinds[] = {
		[LH_COLUMN_STRING] = KIND_TEXT, [LH_COLUMN_INT64] = KIND_INT,
		[LH_COLUMN_FLOAT64] = KIND_REAL, [LH_COLUMN_BOOL] = KIND_BOOL,
	};
	size_t i, at;

	for (i = 0; r->rows_of && i < (size_t)sqlite3_column_count(r->rows_of); i++)
		if (*sqlite3_column_name(r->rows_of, (int)i) && i < COLUMNS_MAX)
			columns_name(c, lh_str_of(sqlite3_column_name(r->rows_of, (int)i)));
	if (r->csv && lh_csv_table_note(r->csv))
		lh_tool_message(r->q->tool, "%s", lh_csv_table_note(r->csv));
	for (i = 0; i < r->n_columns; i++) {
		if (!column_may_be(r->column[i].name))
			continue;
		at = columns_add(c, r->column[i].name);
		c->v[at].cell = i;
		c->v[at].kind = r->column[i].beyond ? KIND_JSON : kinds[r->column[i].type];
		c->v[at].has_bool = r->column[i].type == LH_COLUMN_BOOL;
	}
}

/* ---- an index ---- */

static bool in_range(const struct reader *r, struct lh_str id)
{
	return (!r->has_from || lh_str_cmp(id, (struct lh_str){ r->from.p, r->from.len }) >= 0) &&
	       (!r->has_to || lh_str_cmp(id, (struct lh_str){ r->to.p, r->to.len }) <= 0);
}

int reader_only(struct reader *r, struct lh_str id, struct lh_err *err)
{
	int64_t row = lh_index_find(r->ix, id.p, id.n, err);

	if (row == -2)
		return -1;
	r->row = row < 0 ? 0 : (uint64_t)row;
	r->rows = row < 0 ? 0 : r->row + 1;
	return 0;
}

void reader_range(struct reader *r, struct lh_str from, struct lh_str to)
{
	r->row = 0;
	r->has_from = from.p != NULL;
	r->has_to = to.p != NULL;
	lh_buf_reset(&r->from);
	lh_buf_reset(&r->to);
	lh_buf_add(&r->from, from.p, from.n);
	lh_buf_add(&r->to, to.p, to.n);
}

/* Parse a row's metadata. */
static int take_row(struct reader *r, struct lh_err *err)
{
	struct lh_str meta = r->now.meta.n ? r->now.meta : lh_str_of("{}");
	struct lh_err why;

	lh_buf_reset(&r->text);
	lh_buf_add(&r->text, meta.p, meta.n);
	lh_buf_reset(&r->id_text);
	lh_buf_json(&r->id_text, r->now.id.p, r->now.id.n);
	r->id = (struct lh_value){ r->id_text.p, r->id_text.len, LH_STRING,
				   memchr(r->id_text.p, '\\', r->id_text.len) != NULL };
	r->records++;
	r->line = r->total = r->row;
	if (lh_record_parse(&r->rec, r->text.p, r->text.len, &why) == 0)
		return 1;
	if (why.code != LH_EDATA) {
		*err = why;
		return -1;
	}
	return rejected(r, &why, err);
}

static int next_row(struct reader *r, struct lh_err *err)
{
	int rc;

	while (r->row < r->rows) {
		rc = lh_index_row(r->ix, r->row++, &r->now, err);
		if (rc > 0 && in_range(r, r->now.id))
			rc = take_row(r, err);
		else if (rc > 0)
			rc = 0;
		if (rc)
			return rc;
		if (++r->count % CHECK_EVERY == 0 && query_check(r->q, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- a file of SQLite ---- */

/* Write the next row as a JSON object: 1, 0 at the end, -1. */
static int database_row(struct query *q, const struct table *t, sqlite3_stmt *s, struct lh_buf *out,
			struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(out);
	int rc = sqlite3_step(s), i;

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return database_failed(q, t, sqlite3_db_handle(s), err);
	lh_buf_reset(out);
	lh_write_object(&w, NULL);
	for (i = 0; i < sqlite3_column_count(s); i++) {
		struct cell cell = { .kind = KIND_NONE };

		value_cell(sqlite3_column_value(s, i), NULL, &cell, &text, NULL);
		lh_write_key_str(&w, lh_str_of(sqlite3_column_name(s, i)));
		cell_json(out, &cell);
		w.comma = true;
	}
	lh_write_end(&w);
	return 1;
}

static int next_of_database(struct reader *r, struct lh_err *err)
{
	int rc = database_row(r->q, r->t, r->rows_of, &r->text, err);

	r->records += rc > 0;
	r->line = r->total = r->records;
	if (rc > 0 && lh_record_parse(&r->rec, r->text.p, r->text.len, err) < 0)
		return lh_err_prefix(err, "%s: row %llu", r->t->path,
				     (unsigned long long)r->records);
	return rc;
}

/* ---- any ---- */

struct reader *reader_open(struct query *q, struct table *t, struct lh_err *err)
{
	struct reader *r = lh_calloc(1, sizeof *r);
	int rc;

	r->q = q;
	r->t = t;
	r->at = lh_calloc(t->columns.n + 1, sizeof *r->at);
	if (t->is == TABLE_INDEX) {
		r->ix = lh_index_open(t->files.path[0], err);
		r->rows = r->ix ? lh_index_rows(r->ix) : 0;
		rc = r->ix ? 0 : -1;
	} else if (t->is == TABLE_CSV) {
		rc = csv_open(r, err);
	} else if (t->is == TABLE_SQLITE) {
		r->rows_of = database_open(q, t, err);
		rc = r->rows_of ? 0 : -1;
	} else {
		lh_input_init(&r->in, t->files.path, t->files.n, q->tool->max_line);
		r->ready = true;
		rc = 0;
	}
	if (rc == 0)
		return r;
	reader_close(r);
	return NULL;
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	if (r->records > r->t->records)
		r->t->records = r->records;
	if (r->ready)
		lh_input_free(&r->in);
	free(r->block.p);
	lh_index_close(r->ix);
	lh_csv_table_close(r->csv);
	database_close(r->rows_of);
	lh_buf_free(&r->cell);
	lh_record_free(&r->rec);
	lh_buf_free(&r->text);
	lh_buf_free(&r->id_text);
	lh_buf_free(&r->json);
	lh_buf_free(&r->from);
	lh_buf_free(&r->to);
	free(r->at);
	free(r);
}

int reader_next(struct reader *r, struct lh_err *err)
{
	if (++r->count % CHECK_EVERY == 0) {
		if (query_check(r->q, err) < 0)
			return -1;
		r->q->read += CHECK_EVERY;
		if (r->q->alone)
			lh_tool_progress(r->q->tool, r->q->read);
	}
	if (r->csv)
		return next_csv(r, err);
	if (r->rows_of)
		return next_of_database(r, err);
	return r->ix ? next_row(r, err) : next_line(r, err);
}

const struct lh_record *reader_record(const struct reader *r)
{
	return &r->rec;
}

size_t reader_bytes(const struct reader *r)
{
	return r->csv ? lh_csv_table_text(r->csv).n : r->rec.len;
}

bool reader_looks(const struct reader *r)
{
	return r->q->looks;
}

int reader_refuse(const struct reader *r, const struct column *c, const char *why,
		  struct lh_err *err)
{
	return lh_err_data(err, 400, "%s:%llu: column \"%.100s\" %s", file_name(r),
			   (unsigned long long)r->line, c->name, why);
}

bool reader_packed(const struct reader *r)
{
	return r->packed;
}

static inline bool is_member(const struct lh_member *m, struct lh_str name)
{
	if (!m->key.escaped)
		return m->key.n == name.n + 2 && memcmp(m->key.p + 1, name.p, name.n) == 0;
	return lh_value_is(&m->key, name.p, name.n);
}

bool reader_value(struct reader *r, size_t column, struct lh_value *v)
{
	const struct lh_record *rec = &r->rec;
	struct lh_str name = r->t->columns.v[column].member;
	size_t i, at = r->at[column];

	if (r->csv)
		return csv_value(r, r->t->columns.v[column].cell, v);
	if (r->ix && column == 0) {
		*v = r->id;
		return true;
	}
	if (at < rec->n && is_member(&rec->member[at], name)) {
		*v = rec->member[at].val;
		return true;
	}
	for (i = 0; i < rec->n; i++) {
		if (is_member(&rec->member[i], name)) {
			r->at[column] = i;
			*v = rec->member[i].val;
			return true;
		}
	}
	return false;
}

void reader_json(struct reader *r, struct lh_str *json)
{
	struct lh_writer w;

	*json = (struct lh_str){ r->rec.line, r->rec.len };
	if (!r->ix && !r->csv)
		return;
	lh_buf_reset(&r->json);
	if (r->csv) {
		const char *before = "{";
		struct lh_value v;
		size_t i;

		for (i = 0; i < r->n_columns; i++) {
			if (!column_may_be(r->column[i].name) || !csv_value(r, i, &v))
				continue;
			lh_buf_puts(&r->json, before);
			lh_buf_json(&r->json, r->column[i].name.p, r->column[i].name.n);
			lh_buf_putc(&r->json, ':');
			lh_buf_add(&r->json, v.p, v.n);
			before = ",";
		}
		lh_buf_puts(&r->json, *before == '{' ? "{}" : "}");
		*json = (struct lh_str){ r->json.p, r->json.len };
		return;
	}
	w = lh_write_to(&r->json);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", r->now.id);
	if (r->rec.n) {
		lh_buf_putc(&r->json, ',');
		lh_buf_add(&r->json, r->rec.line + 1, r->rec.len - 1);
	} else {
		lh_write_end(&w);
	}
	*json = (struct lh_str){ r->json.p, r->json.len };
}
