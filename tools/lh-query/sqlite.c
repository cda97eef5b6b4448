/* sqlite.c - the engine: a connection per query, its bounds, its rows.  See query.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "query.h"

#define OPS 4096		/* of SQLite's machine between two checks */
#define CACHE_MAX ((uint64_t)8 << 20)	/* of what is sorted, before it goes to a file */

/* ---- what a statement may do ---- */

/* Return whether a function looks into texts: these do not. */
static bool looks_into(const char *name)
{
	static const char *const blind[] = {
		"count", "sum", "total", "avg", "min", "max", "coalesce", "ifnull", "nullif", "iif",
		"typeof", "abs", "round", "row_number", "rank", "dense_rank", "ntile", "lag",
		"lead", "first_value", "last_value", "nth_value", "is_boolean", NULL
	};
	size_t i;

	for (i = 0; blind[i]; i++)
		if (!strcasecmp(name, blind[i]))
			return false;
	return true;
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *db,
		     const char *inner)
{
	struct engine *e = arg;

	(void)db;
	(void)inner;
	switch (action) {
	case SQLITE_READ:
		attribute_read(arg, a, b);
		e->q->looks |= !strcasecmp(a, "json_each") || !strcasecmp(a, "json_tree");
		return SQLITE_OK;
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		attribute_call(arg, b);
		e->q->looks |= looks_into(b);
		return may_call(b) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_UPDATE:	/* as each virtual table is declared; no statement may do it */
		return !strcmp(a, "sqlite_master") ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_PRAGMA:	/* as the table-valued functions pragma_table_info(...) */
		return !strcasecmp(a, "table_info") || !strcasecmp(a, "table_xinfo") ?
			SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

/* Skip one of these words, and what is white before it; NULL if none is there. */
static const char *after_word(const char *p, const char *const *words)
{
	size_t n;

	p = skip_blank(p);
	n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_");
	for (; *words; words++)
		if (n == strlen(*words) && !strncasecmp(p, *words, n))
			return p + n;
	return NULL;
}
#define AFTER(p, ...) after_word(p, (const char *const[]){ __VA_ARGS__, NULL })

int check_verb(const char *sql, struct lh_err *err)
{
	const char *inner = AFTER(sql, "EXPLAIN"), *plan;

	if (AFTER(sql, "SELECT", "WITH", "VALUES"))
		return 0;
	if (!inner)
		return lh_err_data(err, 400,
				   "only one SELECT, WITH, VALUES or EXPLAIN is answered%s",
				   *skip_blank(sql) != '.' ? "" : ", and no command of a shell; a "
				   "table has the name of its FILE, or is named by NAME=FILE");
	plan = AFTER(inner, "QUERY");
	plan = plan ? AFTER(plan, "PLAN") : NULL;
	if (AFTER(plan ? plan : inner, "SELECT", "WITH", "VALUES"))
		return 0;
	return lh_err_data(err, 400, "EXPLAIN takes a SELECT, and nothing before it");
}

/* ---- the connection ---- */

static int on_progress(void *arg)
{
	struct engine *e = arg;

	return query_check(e->q, &e->failed) < 0;
}

/* Set the reason of a result code of SQLite. */
static int failed(struct engine *e, int rc, struct lh_err *err)
{
	if (e->failed.code) {
		*err = e->failed;
		return -1;
	}
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return lh_err_data(err, 413, "out of memory (--memory)");
	case SQLITE_FULL:
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return lh_err_data(err, 413,
				   "the query needs more temporary files than there is room for "
				   "(TMPDIR)");
	case SQLITE_TOOBIG:
		return lh_err_data(err, 413, "%s (--memory)", sqlite3_errmsg(e->db));
	default:
		lh_err_data(err, 400, "%s", sqlite3_errmsg(e->db));
		names_suggest(e->q, err);
		return -1;
	}
}

/* What is sorted goes to files; of a request, whose statement may be a stranger's, it stays in
 * the memory, which is bounded. */
static int engine_open(struct engine *e, struct lh_err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	uint64_t memory = e->q->s->memory, cache = memory / 8 < CACHE_MAX ? memory / 8 : CACHE_MAX;
	char setup[100];

	snprintf(setup, sizeof setup, "PRAGMA temp_store=%s; PRAGMA cache_size=-%llu",
		 e->q->alone ? "FILE" : "MEMORY", (unsigned long long)(cache >> 10));
	sqlite3_hard_heap_limit64((sqlite3_int64)memory);
	if (sqlite3_open_v2(":memory:", &e->db, flags, NULL) != SQLITE_OK ||
	    sqlite3_exec(e->db, setup, NULL, NULL, NULL) != SQLITE_OK)
		return failed(e, sqlite3_errcode(e->db), err);
	sqlite3_limit(e->db, SQLITE_LIMIT_LENGTH, memory < 1000000000 ? (int)memory : 1000000000);
	sqlite3_limit(e->db, SQLITE_LIMIT_SQL_LENGTH, SQL_LONGEST + 1);
	sqlite3_limit(e->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(e->db, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_db_config(e->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(e->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(e->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(e->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_progress_handler(e->db, OPS, on_progress, e);
	sqlite3_set_authorizer(e->db, authorize, e);
	return functions_add(e, err) < 0 ? -1 : virtual_tables(e, err);
}

/* ---- the statement ---- */

static bool is_wide(const char *digits, size_t n, bool minus)
{
	static const char most[] = "9223372036854775808";
	const int cmp = strncmp(digits, most, sizeof most - 1);

	return n > 19 || (n == 19 && (cmp > 0 || (!cmp && !minus)));
}

/* Return the first number of a statement that is a whole one beyond 64 bits, of which SQLite makes
 * another one, and its length; NULL if there is none. */
static const char *wide_number(const char *p, size_t *n)
{
	bool minus = false;

	for (p = skip_blank(p); *p; p = skip_blank(p)) {
		const char close = *p == '[' ? ']' : *p;
		const char *from = p;

		if (strchr("'\"`[", *p)) {
			p = strchr(p + 1, close);
			if (!p++)
				return NULL;
		} else if (is_word(*p) && !isdigit((unsigned char)*p)) {
			while (is_word(*p))
				p++;
		} else if (isdigit((unsigned char)*p) ||
			   (*p == '.' && isdigit((unsigned char)p[1]))) {
			p += strspn(p, "0");
			*n = strspn(p, "0123456789");
			if ((!strchr(".eExX_", p[*n]) || !p[*n]) && is_wide(p, *n, minus)) {
				*n += (size_t)(p - from);
				return from;
			}
			while (is_word(*p) || *p == '.')
				p++;
		} else {
			p++;
		}
		minus = *from == '-';
	}
	return NULL;
}

static sqlite3_stmt *prepare(struct engine *e, const char *sql, struct lh_err *err)
{
	sqlite3_stmt *stmt = NULL, *second = NULL;
	const char *rest = NULL, *wide;
	int rc = sqlite3_prepare_v2(e->db, sql, -1, &stmt, &rest);
	size_t n;

	if (rc == SQLITE_OK && (wide = wide_number(sql, &n))) {
		lh_err_data(err, 400, "the number %.*s is beyond 64 bits, and has no exact value "
			    "here: write it as a text or with an exponent", n < 99 ? (int)n : 99,
			    wide);
	} else if (rc == SQLITE_OK && *skip_blank(rest)) {
		sqlite3_prepare_v2(e->db, rest, -1, &second, NULL);
		sqlite3_finalize(second);
		lh_err_data(err, 400, "only one statement is answered");
	} else if (rc != SQLITE_OK) {
		failed(e, rc, err);
	} else if (!stmt || !sqlite3_stmt_readonly(stmt)) {
		lh_err_data(err, 400, "only a statement that reads is answered");
	} else {
		return stmt;
	}
	sqlite3_finalize(stmt);
	return NULL;
}

struct result {
	struct engine *e;
	sqlite3_stmt *stmt;
	struct writer *w;
	size_t n;
	const struct column **source;	/* the column that each is, or NULL */
	struct column *column;
	struct cell *cell;
	struct lh_buf *text;		/* of each cell */
	struct lh_record scan;
};

static void result_init(struct result *r)
{
	int i;

	lh_record_init(&r->scan);
	r->n = (size_t)sqlite3_column_count(r->stmt);
	r->source = lh_calloc(r->n + 1, sizeof *r->source);
	r->column = lh_calloc(r->n + 1, sizeof *r->column);
	r->cell = lh_calloc(r->n + 1, sizeof *r->cell);
	r->text = lh_calloc(r->n + 1, sizeof *r->text);
	for (i = 0; i < (int)r->n; i++) {
		r->source[i] = virtual_column(r->e, sqlite3_column_table_name(r->stmt, i),
					      sqlite3_column_origin_name(r->stmt, i));
		r->column[i].name = (char *)sqlite3_column_name(r->stmt, i);
		r->column[i].kind = r->source[i] ? r->source[i]->kind : KIND_NONE;
	}
	writer_columns(r->w, r->column, r->n);
}

static int one_row(struct result *r, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		value_cell(sqlite3_column_value(r->stmt, (int)i), r->source[i], &r->cell[i],
			   &r->text[i], &r->scan);
	return writer_row(r->w, r->cell, err);
}

static int all_rows(struct result *r, struct lh_err *err)
{
	const struct settings *s = r->e->q->s;
	uint64_t n = 0;
	int rc;

	while ((rc = sqlite3_step(r->stmt)) == SQLITE_ROW) {
		if (s->max_rows && n++ == s->max_rows) {
			r->e->q->bounded = true;
			return 0;
		}
		if (one_row(r, err) < 0)
			return -1;
	}
	if (rc == SQLITE_DONE)
		return 0;
	failed(r->e, rc, err);
	attribute_hide(r->e->q, r->e->persons, err);
	return -1;
}

static int answer(struct engine *e, const char *sql, struct writer *w, struct lh_err *err)
{
	struct result r = { .e = e, .w = w };
	int rc;
	size_t i;

	r.stmt = prepare(e, sql, err);
	if (!r.stmt)
		return -1;
	e->q->unnamed = attribute_unnamed(e, r.stmt, sql);
	result_init(&r);
	rc = all_rows(&r, err);
	if (!rc)
		rc = writer_end(w, err);
	for (i = 0; r.text && i < r.n; i++)
		lh_buf_free(&r.text[i]);
	lh_record_free(&r.scan);
	free(r.source);
	free(r.column);
	free(r.cell);
	free(r.text);
	sqlite3_finalize(r.stmt);
	return rc;
}

int sqlite_run(struct query *q, const char *sql, struct writer *w, struct lh_err *err)
{
	struct engine e = { .q = q };
	int rc = engine_open(&e, err);

	q->looks = false;
	if (!rc)
		rc = answer(&e, sql, w, err);
	sqlite3_close_v2(e.db);
	free(e.used);
	return rc;
}
