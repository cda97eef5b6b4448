/*
 * functions.c - functions of SQL that differ from SQLite's.  See query.h.
 *
 * sum(), avg() and total() of SQLite take the digits before the first other character of a text:
 * 12 of "12,5".  Here such a text is an error.  is_boolean() is for checks.
 */
#include <string.h>

#include "query.h"

struct sums {
	double real;
	int64_t whole, n;
	bool approximate, beyond;
};

/* Find a text among the values of the tables that the statement uses, and set *err to its place;
 * false if it is in none. */
static bool find_text(struct query *q, struct lh_str text, const char *why, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct table *t;
	struct sql_value v;
	struct lh_err unused;
	bool found = false;
	size_t i;

	for (t = q->table; !found && t < q->table + q->n_tables; t++) {
		struct reader *r = t->in_use && t->known ? reader_open(q, t, &unused) : NULL;

		while (r && !found && reader_next(r, &unused) > 0)
			for (i = 0; !found && i + 1 < t->columns.n; i++) {
				found = column_value(r, &t->columns, i, &scratch, &v, &unused) == 0
					&& v.type == SQLITE_TEXT && lh_str_is(v.s, text.p, text.n);
				if (found)
					reader_refuse(r, &t->columns.v[i], why, err);
			}
		reader_close(r);
	}
	return found;
}

static void refuse(sqlite3_context *ctx, sqlite3_value *v)
{
	static const char why[] = "has a text that is not a number, which sum(), avg() and total() "
				  "do not take; replace(COLUMN, ',', '.') makes numbers of decimal "
				  "commas";
	struct engine *e = sqlite3_user_data(ctx);
	const char *p = (const char *)sqlite3_value_text(v);
	const struct lh_str text = { p ? p : "", (size_t)sqlite3_value_bytes(v) };

	if (!find_text(e->q, text, why, &e->failed))
		lh_err_data(&e->failed, 400, "a sum %s", why);
	sqlite3_result_error(ctx, e->failed.msg, -1);
}

/* Add a value to a sum, or take it out where the window moves on. */
static void change(sqlite3_context *ctx, sqlite3_value *v, bool out)
{
	struct sums *s = sqlite3_aggregate_context(ctx, sizeof *s);
	const int is = sqlite3_value_numeric_type(v);
	int64_t i;
	double f;

	if (!s || is == SQLITE_NULL)
		return;
	if (is != SQLITE_INTEGER && is != SQLITE_FLOAT) {
		refuse(ctx, v);
		return;
	}
	s->n += out ? -1 : 1;
	f = sqlite3_value_double(v);
	s->real += out ? -f : f;
	if (is == SQLITE_FLOAT) {
		s->approximate = true;
		return;
	}
	i = sqlite3_value_int64(v);
	if (!s->approximate && !s->beyond && (out ? __builtin_sub_overflow(s->whole, i, &s->whole) :
					      __builtin_add_overflow(s->whole, i, &s->whole)))
		s->approximate = s->beyond = true;
}

static void add(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	change(ctx, v[0], false);
}

static void take_out(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	change(ctx, v[0], true);
}

static void sum(sqlite3_context *ctx)
{
	const struct sums *s = sqlite3_aggregate_context(ctx, 0);

	if (!s || !s->n)
		return;
	if (s->beyond)
		sqlite3_result_error(ctx, "integer overflow", -1);
	else if (s->approximate)
		sqlite3_result_double(ctx, s->real);
	else
		sqlite3_result_int64(ctx, s->whole);
}

static void avg(sqlite3_context *ctx)
{
	const struct sums *s = sqlite3_aggregate_context(ctx, 0);

	if (s && s->n)
		sqlite3_result_double(ctx, s->real / (double)s->n);
}

static void total(sqlite3_context *ctx)
{
	const struct sums *s = sqlite3_aggregate_context(ctx, 0);

	sqlite3_result_double(ctx, s ? s->real : 0);
}

/* Return whether a value is true or false, which are 1 and 0 to SQLite. */
static void is_boolean(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int(ctx, sqlite3_value_subtype(v[0]) == SUBTYPE_BOOL);
}

int functions_add(struct engine *e, struct lh_err *err)
{
	static const struct {
		const char *name;
		void (*value)(sqlite3_context *);
	} sums[] = { { "sum", sum }, { "avg", avg }, { "total", total } };
	size_t i;
	int rc = sqlite3_create_function(e->db, "is_boolean", 1, SQLITE_UTF8 | SQLITE_SUBTYPE, NULL,
					 is_boolean, NULL, NULL);

	for (i = 0; !rc && i < sizeof sums / sizeof *sums; i++)
		rc = sqlite3_create_window_function(e->db, sums[i].name, 1, SQLITE_UTF8, e, add,
						    sums[i].value, sums[i].value, take_out, NULL);
	return rc ? lh_err_nomem(err) : 0;
}
