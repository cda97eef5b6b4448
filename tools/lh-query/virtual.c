/*
 * virtual.c - the files as virtual tables of SQLite.  See virtual.h.
 *
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
#include "virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "value.h"

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
	if (table_look(u->engine->q, u->table, &err) < 0) {
		u->engine->failed = err;
		*message = sqlite3_mprintf("%s", err.msg);
		return SQLITE_ERROR;
	}
	u->table->in_use = true;
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
