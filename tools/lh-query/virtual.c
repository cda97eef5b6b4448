/* virtual.c - the files as virtual tables of SQLite.  See query.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "query.h"

/*
 * A table is an "eponymous" one: a module of its name, which SQLite connects when a statement
 * names it.  The first scan reads the file.  From the second look-up on, rows are those of a
 * lookup: SQLite has no automatic index for such a table.
 *
 * Ways to read a table, in sqlite3_index_info.idxNum:
 *
 *     SCAN    all records
 *     ID      of an index: one id
 *     RANGE   of an index: ids from, to, or both
 *     EQUAL   records whose columns, which idxStr names, equal values
 */

enum { SCAN, ID, RANGE_FROM, RANGE_TO, RANGE_BOTH, EQUAL };

#define KEYS_MAX 8
#define SCANS_MAX 8	/* of a file, by cursors that may each read it once */

/* The columns by which a table is looked up; without any, its scans. */
struct way {
	size_t key[KEYS_MAX], n_keys;
	unsigned times;
	bool too_large;
	struct lookup *lookup;	/* from the second time on */
};

struct vtab {
	sqlite3_vtab base;
	struct engine *e;
	struct table *t;
	uint64_t columns;	/* that the statement uses, as colUsed */
	struct way *way;	/* the first one is of scans */
	size_t n_ways, cap_ways;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct reader *reader;	/* or NULL */
	struct lh_buf text;
	sqlite3_int64 row;
	bool ended;
	unsigned scans;
	const struct lookup *lookup;	/* or NULL; its current row: */
	const struct kept *kept;
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

/* Return the number of the way by these columns. */
static size_t add_way(struct vtab *v, const size_t *key, size_t n)
{
	size_t i;

	for (i = 0; i < v->n_ways; i++)
		if (v->way[i].n_keys == n && !memcmp(v->way[i].key, key, n * sizeof *key))
			return i;
	lh_grow(&v->way, &v->cap_ways, v->n_ways + 1, sizeof *v->way);
	v->way[v->n_ways] = (struct way){ .n_keys = n };
	if (n)
		memcpy(v->way[v->n_ways].key, key, n * sizeof *key);
	return v->n_ways++;
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
	add_way(v, NULL, 0);
	*vtab = &v->base;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *vtab)
{
	struct vtab *v = (struct vtab *)vtab;

	while (v->n_ways)
		lookup_free(v->way[--v->n_ways].lookup);
	free(v->way);
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

/* Columns that equal something that is not constant: what a join asks for each row of its
 * other side.  A list after IN is left to SQLite, which looks records up in the list. */
static void by_columns(struct choice *c)
{
	size_t key[KEYS_MAX], n = 0, k;
	sqlite3_value *constant;
	double log = 1;
	int i;

	for (i = 0; i < c->info->nConstraint && n < KEYS_MAX; i++) {
		const int column = c->info->aConstraint[i].iColumn;

		if (!c->info->aConstraint[i].usable || column < 0 ||
		    c->info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ ||
		    !is_binary(c->info, i) || sqlite3_vtab_in(c->info, i, -1) ||
		    sqlite3_vtab_rhs_value(c->info, i, &constant) == SQLITE_OK)
			continue;
		for (k = 0; k < n && key[k] != (size_t)column; k++)
			;
		if (k < n)
			continue;
		key[n++] = (size_t)column;
		pass(c, i);
	}
	if (!n)
		return;
	c->info->idxStr = sqlite3_mprintf("%d", (int)add_way(c->v, key, n));
	c->info->needToFreeIdxStr = true;
	c->way = EQUAL;
	/* More than in proportion to the rows, so that the larger table is read and the smaller
	 * one looked up. */
	while (log < 48 && c->rows > (double)(1ull << (int)log))
		log++;
	c->cost = c->rows * log / 64 + 1;
	c->rows = c->rows < 10 ? 1 : 10;
}

static int on_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	struct vtab *v = (struct vtab *)vtab;
	struct choice c = { .v = v, .info = info, .way = SCAN };

	c.rows = v->t->rows;
	c.cost = c.rows * 2 + 10;
	if (v->t->is == TABLE_INDEX)
		by_id(&c);
	if (c.way == SCAN)
		by_columns(&c);
	v->columns |= info->colUsed;
	info->idxNum = c.way;
	info->estimatedCost = c.cost;
	info->estimatedRows = c.rows < 1 ? 1 : (sqlite3_int64)c.rows;
	return SQLITE_OK;
}

/* ---- reading ---- */

/* Return a value as the result of a column; kept: its text stays as long as the connection. */
static void value_result(sqlite3_context *ctx, const struct sql_value *v, bool kept)
{
	switch (v->type) {
	case SQLITE_INTEGER:
		sqlite3_result_int64(ctx, v->i);
		break;
	case SQLITE_FLOAT:
		sqlite3_result_double(ctx, v->f);
		break;
	case SQLITE_TEXT:
		sqlite3_result_text64(ctx, v->s.p, v->s.n, kept ? SQLITE_STATIC : SQLITE_TRANSIENT,
				      SQLITE_UTF8);
	}
	if (v->subtype)
		sqlite3_result_subtype(ctx, v->subtype);
}

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

	if (c->lookup) {
		c->kept = lookup_next(c->kept);
		return SQLITE_OK;
	}
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

/* Set a value to look up. */
static void to_look_up(sqlite3_value *from, struct sql_value *v)
{
	v->type = sqlite3_value_type(from);
	if (v->type == SQLITE_INTEGER)
		v->i = sqlite3_value_int64(from);
	else if (v->type == SQLITE_FLOAT)
		v->f = sqlite3_value_double(from);
	else
		v->s = text_of(from);
}

/* Take the rows of a lookup, if this is not the first time that they are asked for: 1, 0 if the
 * file has to be read, -1. */
static int look_up(struct cursor *c, struct way *w, sqlite3_value **v, struct lh_err *err)
{
	struct vtab *t = vtab_of(&c->base);
	struct sql_value to[KEYS_MAX];
	size_t i;
	bool again;
	int rc;

	w->times++;
	again = w->n_keys ? w->times > 1 : c->scans > 1 || w->times > SCANS_MAX;
	if (!again || w->too_large)
		return 0;
	if (!w->lookup) {
		rc = lookup_make(&w->lookup, t->e->q, t->t, w->key, w->n_keys, t->columns, err);
		w->too_large = rc == 0;
		if (rc <= 0)
			return rc;
	}
	for (i = 0; i < w->n_keys; i++)
		to_look_up(v[i], &to[i]);
	c->lookup = w->lookup;
	c->kept = lookup_first(w->lookup, to);
	return 1;
}

static int on_filter(sqlite3_vtab_cursor *cursor, int way, const char *which, int n,
		     sqlite3_value **v)
{
	struct cursor *c = (struct cursor *)cursor;
	struct vtab *t = vtab_of(cursor);
	struct lh_err err;
	int rc;

	(void)n;
	c->row = 0;
	c->lookup = NULL;
	c->scans++;
	if (way == SCAN || way == EQUAL) {
		rc = look_up(c, &t->way[which ? strtoul(which, NULL, 10) : 0], v, &err);
		if (rc)
			return rc < 0 ? fail(t, &err) : SQLITE_OK;
	}
	if (way == SCAN || way == EQUAL || !c->reader) {
		reader_close(c->reader);
		c->reader = reader_open(t->e->q, t->t, &err);
	}
	if (!c->reader)
		return fail(t, &err);
	if (way >= ID && way < EQUAL && restrict_ids(c->reader, way, v, &err) < 0)
		return fail(t, &err);
	return on_next(cursor);
}

static int on_eof(sqlite3_vtab_cursor *cursor)
{
	const struct cursor *c = (struct cursor *)cursor;

	return c->lookup ? !c->kept : c->ended;
}

static int on_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column)
{
	struct cursor *c = (struct cursor *)cursor;
	struct vtab *t = vtab_of(cursor);
	const struct sql_value *kept;
	struct sql_value v;
	struct lh_err err;

	if (!c->lookup) {
		if (column_value(c->reader, &t->t->columns, (size_t)column, &c->text, &v, &err) < 0)
			return fail(t, &err);
		value_result(ctx, &v, false);
		return SQLITE_OK;
	}
	kept = lookup_value(c->lookup, c->kept, (size_t)column);
	if (kept && kept->type == SQL_REFUSED) {
		lh_err_data(&err, 400, "%s", kept->s.p);
		return fail(t, &err);
	}
	if (kept)
		value_result(ctx, kept, true);
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
	const struct cursor *c = (struct cursor *)cursor;

	*row = c->lookup ? lookup_row(c->kept) : c->row;
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
