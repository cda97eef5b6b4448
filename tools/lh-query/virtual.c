/* virtual.c - the files as virtual tables of SQLite, and their values.  See query.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "query.h"

/* ---- values ---- */

/*
 * SQLite has neither booleans nor JSON values.  true is 1 and an array is its JSON text
 * inside a query.  A column of the result that is a plain column of a table gets them back,
 * if the sample of its table has any: then the integers 1 and 0 are true and false (the
 * numbers 1 and 0 of such a column are passed as 1.0 and 0.0), and a text that is a JSON
 * array or object is one.
 *
 * What SQLite would take for another value is refused: a number outside of 64 bits, which has
 * no order among the others; and where functions look into texts, one with NUL, which they
 * see up to there, and JSON with either.
 */

#define SUBTYPE_JSON 74		/* by which SQLite's JSON functions know JSON text */

/* Read a number that is written as a whole one and is within int64. */
static bool is_int(const struct lh_value *v, int64_t *out)
{
	const char *p = v->p, *end = v->p + v->n;
	bool negative = *p == '-';
	uint64_t u = 0;

	for (p += negative; p < end; p++) {
		unsigned digit = (unsigned char)*p - '0';

		if (digit > 9 || u > (UINT64_MAX - digit) / 10)
			return false;
		u = u * 10 + digit;
	}
	if (u > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)-u : (int64_t)u;
	return true;
}

static bool is_real(const struct lh_value *v, double *out)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->p[i] == '.' || (v->p[i] | 0x20) == 'e')
			break;
	if (i == v->n)
		return false;
	*out = lh_value_f64(v);
	return isfinite(*out);
}

enum kind value_kind(const struct lh_value *v)
{
	int64_t i;
	double f;

	switch (v->type) {
	case LH_NULL:
		return KIND_NONE;
	case LH_FALSE:
	case LH_TRUE:
		return KIND_BOOL;
	case LH_STRING:
		return KIND_TEXT;
	case LH_NUMBER:
		return is_int(v, &i) ? KIND_INT : is_real(v, &f) ? KIND_REAL : KIND_TEXT;
	default:
		return KIND_JSON;
	}
}

static const char beyond[] = "has a number beyond 64 bits, which has no exact order here; a "
			     "string of its digits has";
static const char nul[] = "has a text with NUL, which SQL's functions see up to there";

static bool is_number_part(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || (c | 0x20) == 'e';
}

/* Return why functions would see JSON text as something else, or NULL. */
static const char *json_misread(struct lh_str s)
{
	const char *p = s.p, *end = s.p + s.n, *from;
	bool quoted = false;
	int64_t i;
	double f;

	while (p < end) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (quoted && *p == '\\') {
			if (end - p > 5 && !memcmp(p + 1, "u0000", 5))
				return nul;
			p++;
		} else if (!quoted && ((*p >= '0' && *p <= '9') || *p == '-')) {
			struct lh_value v = { .type = LH_NUMBER };

			for (from = p; p < end && is_number_part(*p); p++)
				;
			v.p = from;
			v.n = (size_t)(p - from);
			if (!is_int(&v, &i) && !is_real(&v, &f))
				return beyond;
			continue;
		}
		p++;
	}
	return NULL;
}

static int number_result(sqlite3_context *ctx, struct reader *r, const struct column *c,
			 const struct lh_value *v, struct lh_err *err)
{
	int64_t i;
	double f;

	if (is_int(v, &i) && !(c->has_bool && (i == 0 || i == 1)))
		sqlite3_result_int64(ctx, i);
	else if (is_int(v, &i))
		sqlite3_result_double(ctx, (double)i);
	else if (is_real(v, &f))
		sqlite3_result_double(ctx, f);
	else
		return reader_refuse(r, c, beyond, err);
	return 0;
}

static int json_result(sqlite3_context *ctx, struct reader *r, const struct column *c,
		       struct lh_str json, struct lh_err *err)
{
	const char *why = reader_looks(r) ? json_misread(json) : NULL;

	if (why)
		return reader_refuse(r, c, why, err);
	sqlite3_result_text64(ctx, json.p, json.n, SQLITE_TRANSIENT, SQLITE_UTF8);
	sqlite3_result_subtype(ctx, SUBTYPE_JSON);
	return 0;
}

/* Return a value of a column as the result of an SQL function; text is scratch. */
static int value_result(sqlite3_context *ctx, struct reader *r, const struct column *c,
			const struct lh_value *v, struct lh_buf *text, struct lh_err *err)
{
	struct lh_str s;

	switch (v->type) {
	case LH_NULL:
		return 0;
	case LH_FALSE:
	case LH_TRUE:
		sqlite3_result_int(ctx, v->type == LH_TRUE);
		return 0;
	case LH_NUMBER:
		return number_result(ctx, r, c, v, err);
	case LH_STRING:
		lh_buf_reset(text);
		lh_value_str(v, text, &s);
		if (reader_looks(r) && memchr(s.p, 0, s.n))
			return reader_refuse(r, c, nul, err);
		sqlite3_result_text64(ctx, s.p, s.n, SQLITE_TRANSIENT, SQLITE_UTF8);
		return 0;
	default:
		return json_result(ctx, r, c, (struct lh_str){ v->p, v->n }, err);
	}
}

/* Return the value of a column of the reader's record as that; the last column is the whole
 * record. */
static int column_result(sqlite3_context *ctx, struct reader *r, const struct columns *c,
			 size_t column, struct lh_buf *text, struct lh_err *err)
{
	struct lh_value v;
	struct lh_str json;

	if (column + 1 < c->n) {
		return !reader_value(r, column, &v) ? 0 :
		       value_result(ctx, r, &c->v[column], &v, text, err);
	}
	reader_json(r, &json);
	return json_result(ctx, r, &c->v[column], json, err);
}

/* Return whether a text is a JSON array or object; scan parses a copy, which is padded. */
static bool is_container(struct lh_str s, struct lh_buf *text, struct lh_record *scan)
{
	struct lh_value v;
	struct lh_err err;

	if (!s.n || (*s.p != '{' && *s.p != '['))
		return false;
	lh_buf_reset(text);
	lh_buf_add(text, s.p, s.n);
	return lh_buf_room(text, LH_PAD) &&
	       lh_json_parse(scan, text->p, text->len, &v, &err) == 0 && v.n == s.n;
}

static void text_cell(sqlite3_value *v, const struct column *c, struct cell *cell,
		      struct lh_buf *text, struct lh_record *scan)
{
	cell->s.p = (const char *)sqlite3_value_text(v);
	cell->s.n = (size_t)sqlite3_value_bytes(v);
	cell->kind = KIND_TEXT;
	if (!cell->s.p)
		cell->s = lh_str_of("");
	if (c && c->has_json && is_container(cell->s, text, scan)) {
		cell->kind = KIND_JSON;
	} else if (!lh_utf8_valid(cell->s.p, cell->s.n)) {
		/* Copy a text that is not UTF-8: each byte that is not ASCII becomes U+FFFD. */
		size_t i;

		lh_buf_reset(text);
		for (i = 0; i < cell->s.n; i++) {
			if ((unsigned char)cell->s.p[i] < 0x80)
				lh_buf_putc(text, cell->s.p[i]);
			else
				lh_buf_puts(text, "\xef\xbf\xbd");
		}
		cell->s = (struct lh_str){ text->p, text->len };
	}
}

void value_cell(sqlite3_value *v, const struct column *c, struct cell *cell, struct lh_buf *text,
		struct lh_record *scan)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p;
	size_t n, i;

	cell->kind = KIND_NONE;
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		cell->i = sqlite3_value_int64(v);
		cell->kind = c && c->has_bool && (cell->i == 0 || cell->i == 1) ? KIND_BOOL :
										   KIND_INT;
		return;
	case SQLITE_FLOAT:
		cell->f = sqlite3_value_double(v);
		cell->i = cell->f == 1;
		if (c && c->has_bool && (cell->f == 0 || cell->f == 1))
			cell->kind = KIND_INT;
		else if (isfinite(cell->f))
			cell->kind = KIND_REAL;
		return;
	case SQLITE_TEXT:
		text_cell(v, c, cell, text, scan);
		return;
	case SQLITE_BLOB:
		p = sqlite3_value_blob(v);
		n = (size_t)sqlite3_value_bytes(v);
		lh_buf_reset(text);
		for (i = 0; i < n; i++) {
			lh_buf_putc(text, digits[p[i] >> 4]);
			lh_buf_putc(text, digits[p[i] & 15]);
		}
		cell->kind = KIND_TEXT;
		cell->s = (struct lh_str){ text->len ? text->p : "", text->len };
	}
}

/* ---- virtual tables ---- */

/*
 * A table is an "eponymous" one: a module of its name, which SQLite connects when a statement
 * names it.  Each scan reads the file.  SQLite has no automatic index for such a table: where
 * one is the inner side of a join, a WITH ... AS MATERIALIZED gets one.
 *
 * Ways to read a table, in sqlite3_index_info.idxNum:
 *
 *     SCAN    all records
 *     ID      of an index: one id
 *     RANGE   of an index: ids from, to, or both
 */

enum { SCAN, ID, RANGE_FROM, RANGE_TO, RANGE_BOTH };

struct vtab {
	sqlite3_vtab base;
	struct engine *e;
	struct table *t;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct reader *reader;	/* or NULL */
	struct lh_buf text;
	sqlite3_int64 row;
	bool ended;
};

static struct vtab *vtab_of(sqlite3_vtab_cursor *c)
{
	return (struct vtab *)c->pVtab;
}

static int fail(struct vtab *v, const struct lh_err *err)
{
	v->e->failed = *err;
	if (err->code == LH_ENOMEM)
		return SQLITE_NOMEM;
	sqlite3_free(v->base.zErrMsg);
	v->base.zErrMsg = sqlite3_mprintf("%s", err->msg);
	return SQLITE_ERROR;
}

/* ---- connecting ---- */

static int declare(sqlite3 *db, const struct columns *c)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { 0 };
	const char *name;
	size_t i;

	lh_buf_puts(&sql, "CREATE TABLE t(");
	for (i = 0; i < c->n; i++) {
		if (i)
			lh_buf_putc(&sql, ',');
		lh_buf_putc(&sql, '"');
		for (name = c->v[i].name; *name; name++) {
			if (*name == '"')
				lh_buf_putc(&sql, '"');
			lh_buf_putc(&sql, *name);
		}
		lh_buf_putc(&sql, '"');
	}
	lh_buf_puts(&sql, " HIDDEN)");
	lh_buf_putc(&sql, '\0');
	return sqlite3_declare_vtab(db, sql.p);
}

static int on_connect(sqlite3 *db, void *arg, int argc, const char *const *argv,
		      sqlite3_vtab **vtab, char **message)
{
	const struct used *u = arg;
	struct lh_err err;
	struct vtab *v;
	int rc;

	(void)argc;
	(void)argv;
	u->table->in_use = true;
	if (table_look(u->engine->q, u->table, &err) < 0) {
		u->engine->failed = err;
		*message = sqlite3_mprintf("%s", err.msg);
		return SQLITE_ERROR;
	}
	rc = declare(db, &u->table->columns);
	if (rc != SQLITE_OK)
		return rc;
	v = sqlite3_malloc(sizeof *v);
	if (!v)
		return SQLITE_NOMEM;
	*v = (struct vtab){ .e = u->engine, .t = u->table };
	*vtab = &v->base;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *vtab)
{
	sqlite3_free(vtab);
	return SQLITE_OK;
}

/* ---- planning ---- */

struct choice {
	struct vtab *v;
	sqlite3_index_info *info;
	int way;
	double rows, cost;
	int argument;		/* number of the last one */
};

static bool is_binary(sqlite3_index_info *info, int i)
{
	const char *name = sqlite3_vtab_collation(info, i);

	return !name || !strcasecmp(name, "BINARY");
}

static void pass(struct choice *c, int i)
{
	c->info->aConstraintUsage[i].argvIndex = ++c->argument;
}

/* Find `column op VALUE` among the constraints: its number, or -1. */
static int constraint(struct choice *c, int column, int op)
{
	int i;

	for (i = 0; i < c->info->nConstraint; i++)
		if (c->info->aConstraint[i].usable && c->info->aConstraint[i].op == op &&
		    c->info->aConstraint[i].iColumn == column && is_binary(c->info, i))
			return i;
	return -1;
}

static int either(struct choice *c, int column, int a, int b)
{
	int i = constraint(c, column, a);

	return i >= 0 ? i : constraint(c, column, b);
}

/* An index: one id by its map, a range without reading the metadata of the others. */
static void by_id(struct choice *c)
{
	int equal = constraint(c, 0, SQLITE_INDEX_CONSTRAINT_EQ);
	int from = either(c, 0, SQLITE_INDEX_CONSTRAINT_GE, SQLITE_INDEX_CONSTRAINT_GT);
	int to = either(c, 0, SQLITE_INDEX_CONSTRAINT_LE, SQLITE_INDEX_CONSTRAINT_LT);

	if (equal >= 0) {
		c->way = ID;
		c->rows = c->cost = 1;
		c->info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
		pass(c, equal);
		return;
	}
	if (from < 0 && to < 0)
		return;
	c->way = from < 0 ? RANGE_TO : to < 0 ? RANGE_FROM : RANGE_BOTH;
	if (from >= 0)
		pass(c, from);
	if (to >= 0)
		pass(c, to);
	c->rows /= 4;
	c->cost /= 2;
}

static int on_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	struct vtab *v = (struct vtab *)vtab;
	struct choice c = { .v = v, .info = info, .way = SCAN };

	c.rows = v->t->rows;
	c.cost = c.rows * 2 + 10;
	if (v->t->is == TABLE_INDEX)
		by_id(&c);
	info->idxNum = c.way;
	info->estimatedCost = c.cost;
	info->estimatedRows = c.rows < 1 ? 1 : (sqlite3_int64)c.rows;
	return SQLITE_OK;
}

/* ---- reading ---- */

static int on_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
	struct cursor *c = sqlite3_malloc(sizeof *c);

	(void)vtab;
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof *c);
	*cursor = &c->base;
	return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;

	reader_close(c->reader);
	lh_buf_free(&c->text);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;
	struct lh_err err;
	int rc;

	rc = reader_next(c->reader, &err);
	c->ended = rc <= 0;
	c->row++;
	return rc < 0 ? fail(vtab_of(cursor), &err) : SQLITE_OK;
}

static struct lh_str text_of(sqlite3_value *v)
{
	const char *p = (const char *)sqlite3_value_text(v);

	return (struct lh_str){ p ? p : "", (size_t)sqlite3_value_bytes(v) };
}

/* Restrict the reader of an index.  A bound that is not a string is left to SQLite, which
 * checks again. */
static int restrict_ids(struct reader *r, int way, sqlite3_value **v, struct lh_err *err)
{
	const struct lh_str none = { NULL, 0 };
	sqlite3_value *last = v[way == RANGE_BOTH];

	if (way == ID)
		return reader_only(r, text_of(v[0]), err);
	reader_range(r, way == RANGE_TO || sqlite3_value_type(v[0]) != SQLITE_TEXT ?
			none : text_of(v[0]),
		     way == RANGE_FROM || sqlite3_value_type(last) != SQLITE_TEXT ?
			none : text_of(last));
	return 0;
}

static int on_filter(sqlite3_vtab_cursor *cursor, int way, const char *unused, int n,
		     sqlite3_value **v)
{
	struct cursor *c = (struct cursor *)cursor;
	struct vtab *t = vtab_of(cursor);
	struct lh_err err;

	(void)unused;
	(void)n;
	c->row = 0;
	if (way == SCAN || !c->reader) {
		reader_close(c->reader);
		c->reader = reader_open(t->e->q, t->t, &err);
	}
	if (!c->reader)
		return fail(t, &err);
	if (way >= ID && restrict_ids(c->reader, way, v, &err) < 0)
		return fail(t, &err);
	return on_next(cursor);
}

static int on_eof(sqlite3_vtab_cursor *cursor)
{
	return ((struct cursor *)cursor)->ended;
}

static int on_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column)
{
	struct cursor *c = (struct cursor *)cursor;
	struct vtab *t = vtab_of(cursor);
	struct lh_err err;

	if (column_result(ctx, c->reader, &t->t->columns, (size_t)column, &c->text, &err) < 0)
		return fail(t, &err);
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
	*row = ((struct cursor *)cursor)->row;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xConnect = on_connect, .xBestIndex = on_best_index, .xDisconnect = on_disconnect,
	.xOpen = on_open, .xClose = on_close, .xFilter = on_filter, .xNext = on_next,
	.xEof = on_eof, .xColumn = on_column, .xRowid = on_rowid,
};

int virtual_tables(struct engine *e, struct lh_err *err)
{
	size_t i;

	e->used = lh_calloc(e->q->n_tables + 1, sizeof *e->used);
	for (i = 0; i < e->q->n_tables; i++) {
		e->used[i] = (struct used){ e, &e->q->table[i] };
		e->q->table[i].in_use = false;
		if (sqlite3_create_module(e->db, e->q->table[i].name, &module, &e->used[i]))
			return lh_err_nomem(err);
	}
	return 0;
}

const struct column *virtual_column(const struct engine *e, const char *table, const char *column)
{
	size_t i, k;

	for (i = 0; table && column && i < e->q->n_tables; i++) {
		const struct columns *c = &e->q->table[i].columns;

		if (strcasecmp(e->q->table[i].name, table))
			continue;
		for (k = 0; k < c->n; k++)
			if (!strcasecmp(c->v[k].name, column))
				return &c->v[k];
	}
	return NULL;
}
