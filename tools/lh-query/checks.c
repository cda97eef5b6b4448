/*
 * checks.c - lh-query check: what must hold of tables.
 *
 * A check is a query for the rows that are wrong: a file of SQL, or a line that stands for one,
 * such as {"check":"unique","dataset":"w","column":"id"}.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/signal.h"
#include "catalog/catalog.h"
#include "file/rows.h"
#include "json/bind.h"
#include "json/write.h"
#include "query.h"

#define SHOWN 10	/* wrong rows of a check in its record */

/* ---- lines that stand for queries ---- */

enum { UNIQUE, NOT_NULL, ACCEPTED, BETWEEN, REFERENCES, FRESH };
static const char *const kinds[] = {
	"unique", "not_null", "accepted", "between", "references", "fresh", NULL
};

struct line {
	int kind;
	struct lh_str name, dataset, column, to, to_column, within;
	struct lh_value values, min, max;
};
static const struct lh_bind line_members[] = {
	{ LH_BIND_INDEX("check", struct line, kind, kinds), .required = true },
	{ LH_BIND_STRING("dataset", struct line, dataset), .required = true, .filled = true },
	{ LH_BIND_STRING("column", struct line, column), .required = true, .filled = true },
	{ LH_BIND_STRING("name", struct line, name), .filled = true },
	{ LH_BIND_VALUE("values", struct line, values, LH_BIND_IS(LH_ARRAY)) },
	{ LH_BIND_VALUE("min", struct line, min, LH_BIND_IS(LH_NUMBER) | LH_BIND_IS(LH_STRING)) },
	{ LH_BIND_VALUE("max", struct line, max, LH_BIND_IS(LH_NUMBER) | LH_BIND_IS(LH_STRING)) },
	{ LH_BIND_STRING("to", struct line, to), .filled = true },
	{ LH_BIND_STRING("to_column", struct line, to_column), .filled = true },
	{ LH_BIND_STRING("within", struct line, within), .filled = true },
	LH_BIND_CLOSED
};

/* Append a text between quotes of SQL, which are doubled in it. */
static void put_quoted(struct lh_buf *sql, char quote, struct lh_str text)
{
	size_t i;

	lh_buf_putc(sql, quote);
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == quote)
			lh_buf_putc(sql, quote);
		lh_buf_putc(sql, text.p[i]);
	}
	lh_buf_putc(sql, quote);
}

/* Append a value as SQL has it. */
static int put_literal(struct lh_buf *sql, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str text;

	if (v->type == LH_STRING) {
		lh_value_str(v, &scratch, &text);
		put_quoted(sql, '\'', text);
	} else if (v->type == LH_NUMBER) {
		lh_buf_add(sql, v->p, v->n);
	} else if (v->type == LH_TRUE || v->type == LH_FALSE) {
		lh_buf_putc(sql, v->type == LH_TRUE ? '1' : '0');
	} else {
		return lh_err_set(err, LH_EDATA, "a value is a text, a number, true or false");
	}
	return 0;
}

/* Append the values that are true or false, or the others. */
static int put_values(struct lh_buf *sql, const struct line *l, bool booleans, struct lh_err *err)
{
	struct lh_iter it;
	const char *between = "";

	for (lh_iter_init(&it, &l->values); lh_iter_next(&it); ) {
		if ((it.val.type == LH_TRUE || it.val.type == LH_FALSE) != booleans)
			continue;
		lh_buf_puts(sql, between);
		if (put_literal(sql, &it.val, err) < 0)
			return -1;
		between = ", ";
	}
	return 0;
}

/* Write a query with names and values in it: %t, %T the dataset and that of "to"; %c, %C their
 * columns; %b the values that are true or false, %v the others. */
static int put_query(struct lh_buf *sql, const char *query, const struct line *l,
		     struct lh_err *err)
{
	for (; *query; query++) {
		if (*query != '%') {
			lh_buf_putc(sql, *query);
			continue;
		}
		switch (*++query) {
		case 't': put_quoted(sql, '"', l->dataset); break;
		case 'T': put_quoted(sql, '"', l->to); break;
		case 'c': put_quoted(sql, '"', l->column); break;
		case 'C': put_quoted(sql, '"', l->to_column.p ? l->to_column : l->column); break;
		default:
			if (put_values(sql, l, *query == 'b', err) < 0)
				return -1;
		}
	}
	return 0;
}

static int put_between(struct lh_buf *sql, const struct line *l, struct lh_err *err)
{
	if (!l->min.p && !l->max.p)
		return lh_err_set(err, LH_EDATA, "missing \"min\" or \"max\"");
	if (put_query(sql, "SELECT * FROM %t WHERE %c IS NOT NULL AND "
		      "(is_boolean(%c) OR NOT (", l, err) < 0)
		return -1;
	if (l->min.p) {
		put_query(sql, "%c >= ", l, err);
		put_literal(sql, &l->min, err);
		lh_buf_puts(sql, l->max.p ? " AND " : "");
	}
	if (l->max.p) {
		put_query(sql, "%c <= ", l, err);
		put_literal(sql, &l->max, err);
	}
	lh_buf_puts(sql, "))");
	return 0;
}

/* The newest time of a column is not older than that; of no time at all nothing is known. */
static int put_fresh(struct query *q, struct lh_buf *sql, const struct line *l, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *text = lh_strndup(l->within.p ? l->within.p : "",
							 l->within.n);
	static const char *const units[] = { "m", " minutes", "h", " hours", "d", " days" };
	char *end, now[32];
	unsigned long n = strtoul(text, &end, 10);
	size_t i;

	for (i = 0; i < 6 && strcmp(end, units[i]) != 0; )
		i += 2;
	if (*text < '0' || *text > '9' || n > 1000000 || i == 6)
		return lh_err_set(err, LH_EDATA, "\"within\" must be a number with m, h or d, such "
				  "as \"24h\"");
	lh_tool_time(q->tool, now);
	if (put_query(sql, "SELECT max(%c) AS newest FROM %t HAVING max(julianday(%c)) IS NULL "
		      "OR max(julianday(%c)) < julianday('", l, err) < 0)
		return -1;
	lh_buf_printf(sql, "%s', '-%lu%s')", now, n, units[i + 1]);
	return 0;
}

/* Append the query that a line stands for.  To SQL true is 1; a check tells them apart. */
static int put_line(struct query *q, struct lh_buf *sql, const struct line *l, struct lh_err *err)
{
	switch (l->kind) {
	case UNIQUE:
		return put_query(sql, "SELECT %c, count(*) AS n FROM %t WHERE %c IS NOT NULL "
				 "GROUP BY %c, is_boolean(%c) HAVING count(*) > 1", l, err);
	case NOT_NULL:
		return put_query(sql, "SELECT * FROM %t WHERE %c IS NULL", l, err);
	case ACCEPTED:
		if (!l->values.p)
			return lh_err_set(err, LH_EDATA, "missing \"values\" (array)");
		return put_query(sql, "SELECT * FROM %t WHERE %c IS NOT NULL AND NOT CASE WHEN "
				 "is_boolean(%c) THEN %c IN (%b) ELSE %c IN (%v) END", l, err);
	case BETWEEN:
		return put_between(sql, l, err);
	case REFERENCES:
		if (!l->to.p)
			return lh_err_set(err, LH_EDATA, "missing \"to\" (string)");
		return put_query(sql, "SELECT * FROM %t WHERE %c IS NOT NULL AND "
				 "(%c, is_boolean(%c)) NOT IN "
				 "(SELECT %C, is_boolean(%C) FROM %T WHERE %C IS NOT NULL)",
				 l, err);
	default:
		return put_fresh(q, sql, l, err);
	}
}

/* ---- what is noted of datasets ---- */

#define FAILING 100	/* names of checks that have failed, in a manifest */

struct checked {
	char *name, *updated;
	uint64_t passed, failed;
	struct lh_buf failing;
};

/* Note a result of the datasets that the last check has used. */
static void note(struct query *q, struct lh_str name, bool passed)
{
	const struct table *t;
	struct checked *c;
	size_t i;

	for (t = q->table; t < q->table + q->n_tables; t++) {
		if (!t->in_use || !t->dataset || t->history)
			continue;
		for (i = 0; i < q->n_checked && strcmp(q->checked[i].name, t->path); )
			i++;
		if (i == q->n_checked) {
			lh_grow(&q->checked, &q->cap_checked, i + 1, sizeof *q->checked);
			q->checked[q->n_checked++] = (struct checked){
				.name = lh_strndup(t->path, strlen(t->path)),
				.updated = lh_strndup(t->updated, strlen(t->updated)) };
		}
		c = &q->checked[i];
		c->passed += passed;
		if (!passed && c->failed++ < FAILING) {
			lh_buf_puts(&c->failing, c->failed > 1 ? "," : "");
			lh_buf_json(&c->failing, name.p, name.n);
		}
	}
}

/* Write what was noted to the manifests; one that cannot be written is reported alone. */
static void write_notes(struct query *q, bool write)
{
	struct lh_err why;
	char now[32];
	size_t i;

	lh_tool_time(q->tool, now);
	for (i = 0; i < q->n_checked; i++) {
		LH_SCOPED(lh_buf_free) struct lh_buf json = { 0 };
		struct lh_writer w = lh_write_to(&json);
		struct checked *c = &q->checked[i];
		int rc = 1;

		lh_write_object(&w, NULL);
		lh_write_text(&w, "at", now);
		lh_write_text(&w, "of", c->updated);
		lh_write_u64(&w, "passed", c->passed);
		lh_write_u64(&w, "failed", c->failed);
		lh_write_array(&w, "failing");
		lh_buf_add(&json, c->failing.p, c->failing.len);
		lh_write_end(&w);
		lh_write_end(&w);
		if (write)
			rc = lh_catalog_note(q->s->catalog, lh_str_of(c->name),
					     lh_str_of(c->updated), "checks",
					     (struct lh_str){ json.p, json.len },
					     q->tool->lock_timeout, &why);
		if (rc <= 0)
			lh_tool_warn(q->tool, "%s: the result is not in the catalog: %s", c->name,
				     rc ? why.msg : "the dataset was changed meanwhile");
		free(c->name);
		free(c->updated);
		lh_buf_free(&c->failing);
	}
	free(q->checked);
}

/* ---- running ---- */

/* Run a check, and print what was found.  One whose query fails has not passed. */
static int check(struct query *q, struct lh_str name, struct lh_str sql)
{
	LH_SCOPED(lh_buf_free) struct lh_buf rows = { 0 };
	struct lh_buf line = { 0 };
	struct lh_writer json = lh_write_to(&line);
	struct lh_err err;
	struct writer w;
	size_t at;
	int rc;

	for (at = 0; at < q->n_tables; at++)
		q->table[at].in_use = false;
	writer_init(&w, q, FORM_JSONL, &rows);
	w.most = SHOWN;
	rc = query_run(q, sql, &w, &err);
	if (lh_signal_pending())
		return -1;
	lh_write_object(&json, NULL);
	lh_write_str(&json, "name", name);
	lh_write_bool(&json, "passed", !rc && !w.n_rows);
	if (rc < 0) {
		lh_write_text(&json, "error", err.msg);
		lh_tool_failed(q->tool);
	} else {
		lh_write_u64(&json, "rows", w.n_rows);
		for (at = 0; at + 1 < rows.len; at++)
			if (rows.p[at] == '\n')
				rows.p[at] = ',';
		lh_write_array(&json, "first");
		lh_buf_add(&line, rows.p, rows.len ? rows.len - 1 : 0);
		lh_write_end(&json);
	}
	lh_write_end(&json);
	if (!rc && w.n_rows)
		lh_tool_verdict_bad(q->tool);
	note(q, name, !rc && !w.n_rows);
	writer_free(&w);
	return lh_tool_out_line(q->tool, &line);
}

/* Run the check of a line. */
static int check_line(struct query *q, struct lh_record *rec, const struct lh_file_row *row)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, sql = { 0 }, name = { 0 };
	struct lh_err *err = &q->tool->err;
	struct line l = { .kind = -1 };

	if (lh_record_parse(rec, row->p, row->n, err) < 0 ||
	    lh_bind(line_members, rec, &l, &text, err) < 0 || put_line(q, &sql, &l, err) < 0)
		return -1;
	lh_buf_printf(&name, "%s %.*s.%.*s", kinds[l.kind], (int)l.dataset.n, l.dataset.p,
		      (int)l.column.n, l.column.p);
	return check(q, l.name.p ? l.name : (struct lh_str){ name.p, name.len },
		     (struct lh_str){ sql.p, sql.len });
}

/* Run the checks of a file of lines; *n: how many. */
static int check_lines(struct query *q, const char *path, uint64_t *n)
{
	struct lh_rows *rows = lh_rows_new();
	struct lh_err *err = &q->tool->err;
	struct lh_file_row row;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0) {
		if (row.n && check_line(q, &rec, &row) < 0) {
			lh_err_prefix(err, "%s:%llu", path, (unsigned long long)row.line);
			err->code = LH_EUSAGE;
			rc = -1;
		}
		*n += row.n > 0;
	}
	lh_rows_free(rows);
	return rc;
}

static int check_sql(struct query *q, const char *path, const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { .max = SQL_LONGEST + ((size_t)1 << 20) };

	if (lh_file_read(path, &sql, &q->tool->err) < 0)
		return -1;
	return check(q, (struct lh_str){ name, strlen(name) - 4 },
		     (struct lh_str){ sql.p, sql.len });
}

static int is_check(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	       (lh_ends_with(e->d_name, ".sql") || lh_ends_with(e->d_name, ".jsonl"));
}

int checks_run(struct query *q, const char *folder)
{
	struct dirent **entry = NULL;
	uint64_t checks = 0;
	int n = scandir(folder, &entry, is_check, alphasort), i, rc = 0;

	if (n < 0)
		return lh_err_sys(&q->tool->err, "%s", folder);
	q->alone = true;
	for (i = 0; i < n; i++) {
		LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
		const char *name = entry[i]->d_name;

		lh_buf_printf(&path, "%s/%s%c", folder, name, '\0');
		if (!rc && lh_ends_with(name, ".sql")) {
			checks++;
			rc = check_sql(q, path.p, name);
		} else if (!rc) {
			rc = check_lines(q, path.p, &checks);
		}
		free(entry[i]);
	}
	free(entry);
	write_notes(q, !rc);
	if (!rc)
		lh_tool_verdict_over(q->tool, checks, "checks", folder);
	return rc;
}
