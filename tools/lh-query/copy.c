/* copy.c - temporary tables.  See copy.h. */
#include "copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "spill.h"
#include "value.h"

struct copy {
	struct table *t;
	uint64_t used;
	unsigned number;
};

/* What is being copied.  A function of SQL, value(COLUMN), gives the values of the current
 * record, so that they are made as those of the table itself are. */
struct source {
	struct reader *reader;
	const struct columns *columns;
	struct lh_buf text;
	struct lh_err err;
};

struct copies {
	struct query *q;
	sqlite3 *db;
	struct source source;
	struct copy *v;
	size_t n, cap;
};

static bool uses(uint64_t used, size_t column)
{
	return used >> (column < 63 ? column : 63) & 1;
}

static int failed(struct copies *c, struct lh_err *err)
{
	switch (sqlite3_errcode(c->db) & 0xff) {
	case SQLITE_NOMEM:
		return lh_err_data(err, 413, "out of memory (--memory)");
	case SQLITE_FULL:
		return lh_err_data(err, 413, "the query needs more temporary files than --spill");
	default:
		return lh_err_set(err, LH_EIO, "%s", sqlite3_errmsg(c->db));
	}
}

static void on_value(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct source *s = sqlite3_user_data(ctx);
	size_t column = (size_t)sqlite3_value_int(*v);

	(void)n;
	if (column_result(ctx, s->reader, s->columns, column, &s->text, &s->err) < 0)
		sqlite3_result_error_nomem(ctx);
}

struct copies *copies_new(struct query *q, struct lh_err *err)
{
	struct copies *c = lh_calloc(1, sizeof *c, err);
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	char setup[200];

	if (!c)
		return NULL;
	c->q = q;
	snprintf(setup, sizeof setup,
		 "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; "
		 "PRAGMA cache_size=-%llu; BEGIN",
		 (unsigned long long)(q->s->memory >> 12));
	if (sqlite3_open_v2("", &c->db, flags, SPILL_VFS) == SQLITE_OK &&
	    sqlite3_exec(c->db, setup, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_create_function(c->db, "value", 1, SQLITE_UTF8, &c->source, on_value, NULL,
				    NULL) == SQLITE_OK)
		return c;
	failed(c, err);
	copies_free(c);
	return NULL;
}

void copies_free(struct copies *c)
{
	if (!c)
		return;
	sqlite3_close_v2(c->db);
	lh_buf_free(&c->source.text);
	free(c->v);
	free(c);
}

/* ---- the copying ---- */

/* Append "INSERT INTO tN VALUES(?1, value(0), ...)", or its CREATE TABLE. */
static void put_columns(struct lh_buf *sql, const struct copy *copy, bool create)
{
	size_t i;

	lh_buf_printf(sql, create ? "CREATE TABLE t%u(r INTEGER PRIMARY KEY" :
				    "INSERT INTO t%u VALUES(?1", copy->number);
	for (i = 0; i < copy->t->columns.n; i++)
		if (uses(copy->used, i))
			lh_buf_printf(sql, create ? ",c%zu" : ",value(%zu)", i);
	lh_buf_puts(sql, ")");
}

static sqlite3_stmt *prepare(struct copies *c, struct lh_buf *sql, struct lh_err *err)
{
	sqlite3_stmt *stmt = NULL;

	if (lh_buf_check(sql, err) == 0 &&
	    sqlite3_prepare_v2(c->db, sql->p, (int)sql->len, &stmt, NULL) != SQLITE_OK)
		failed(c, err);
	lh_buf_free(sql);
	return stmt;
}

static int run(struct copies *c, struct lh_buf *sql, struct lh_err *err)
{
	sqlite3_stmt *stmt = prepare(c, sql, err);
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;

	if (stmt && rc != SQLITE_DONE)
		failed(c, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int insert_all(struct copies *c, sqlite3_stmt *insert, struct lh_err *err)
{
	sqlite3_int64 row = 0;
	int rc;

	while ((rc = reader_next(c->source.reader, err)) > 0) {
		sqlite3_bind_int64(insert, 1, ++row);
		if (sqlite3_step(insert) != SQLITE_DONE) {
			if (c->source.err.code)
				*err = c->source.err;
			else
				failed(c, err);
			return -1;
		}
		sqlite3_reset(insert);
	}
	return rc;
}

static int fill(struct copies *c, const struct copy *copy, struct lh_err *err)
{
	struct lh_buf sql = { 0 };
	sqlite3_stmt *insert;
	int rc = -1;

	c->source.columns = &copy->t->columns;
	c->source.reader = reader_open(c->q, copy->t, err);
	if (!c->source.reader)
		return -1;
	put_columns(&sql, copy, false);
	insert = prepare(c, &sql, err);
	if (insert)
		rc = insert_all(c, insert, err);
	sqlite3_finalize(insert);
	reader_close(c->source.reader);
	return rc;
}

/* Return the copy of a table that has these columns. */
static const struct copy *copy_of(struct copies *c, struct table *t, uint64_t used,
				  struct lh_err *err)
{
	struct lh_buf sql = { 0 };
	struct copy *copy;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->v[i].t == t && !(used & ~c->v[i].used))
			return &c->v[i];
	if (lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v, err) < 0)
		return NULL;
	copy = &c->v[c->n];
	*copy = (struct copy){ t, used, (unsigned)c->n };
	put_columns(&sql, copy, true);
	if (run(c, &sql, err) < 0 || fill(c, copy, err) < 0)
		return NULL;
	c->n++;
	return copy;
}

/* ---- reading ---- */

static int index_on(struct copies *c, const struct copy *copy, const struct plan *plan,
		    struct lh_err *err)
{
	struct lh_buf sql = { 0 };
	size_t i;

	lh_buf_printf(&sql, "CREATE INDEX IF NOT EXISTS i%u", copy->number);
	for (i = 0; i < plan->n; i++)
		lh_buf_printf(&sql, "_%d", plan->column[i]);
	lh_buf_printf(&sql, " ON t%u", copy->number);
	for (i = 0; i < plan->n; i++)
		lh_buf_printf(&sql, "%cc%d", i ? ',' : '(', plan->column[i]);
	lh_buf_puts(&sql, ")");
	return run(c, &sql, err);
}

sqlite3_stmt *copies_prepare(struct copies *c, struct table *t, const struct plan *plan,
			     struct lh_err *err)
{
	const struct copy *copy;
	struct lh_buf sql = { 0 };
	uint64_t used = plan->used;
	size_t i;

	for (i = 0; i < plan->n; i++)
		used |= UINT64_C(1) << (plan->column[i] < 63 ? plan->column[i] : 63);
	copy = copy_of(c, t, used, err);
	if (!copy || (plan->n && index_on(c, copy, plan, err) < 0))
		return NULL;
	lh_buf_puts(&sql, "SELECT r");
	for (i = 0; i < t->columns.n; i++)
		lh_buf_printf(&sql, uses(copy->used, i) ? ",c%zu" : ",NULL", i);
	lh_buf_printf(&sql, " FROM t%u", copy->number);
	for (i = 0; i < plan->n; i++)
		lh_buf_printf(&sql, " %s c%d=?", i ? "AND" : "WHERE", plan->column[i]);
	return prepare(c, &sql, err);
}
