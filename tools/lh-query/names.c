/* names.c - unknown columns and tables: the names that are close to them.  See query.h. */
#include <stdio.h>
#include <string.h>

#include "query.h"
#include "base/suggest.h"

/* How SQLite says that a name is not known. */
static const struct {
	const char *before;
	const char *end;	/* characters after the name */
	bool table;
} unknown[] = {
	{ "no such column: ", "", false },
	{ "no such table: ", "", true },
};

/* Add which column has the whole record to the message about one that has not. */
static void suggest_json(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg];
	const struct table *t;

	for (t = q->table; t < q->table + q->n_tables; t++) {
		const char *last = t->in_use && t->columns.n ?
				   t->columns.v[t->columns.n - 1].name : "json";

		if (!strcmp(last, "json"))
			continue;
		snprintf(why, sizeof why, "%s", err->msg);
		lh_err_data(err, 400, "%s (the table %.100s has a member called json: the whole "
			    "record is in %.100s)", why, t->name, last);
		return;
	}
}

/* Add the tables there are to the message about one that is not. */
static void list_tables(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg], names[LH_SUGGEST_ROOM] = "";
	size_t i, at = 0;

	for (i = 0; i < q->n_tables && at < sizeof names / 2; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%.60s",
				       i ? ", " : "; there is ", q->table[i].name);
	snprintf(why, sizeof why, "%s", err->msg);
	lh_err_data(err, 400, "%s (a table is named by NAME=FILE%s%s)", why, names,
		    i < q->n_tables ? ", ..." : "");
}

/* Say that a name with a hyphen needs quotes. */
static void suggest_quotes(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg];
	const struct table *t;

	for (t = q->table; t < q->table + q->n_tables && !strchr(t->name, '-'); t++)
		;
	if (t == q->table + q->n_tables)
		return;
	snprintf(why, sizeof why, "%s", err->msg);
	lh_err_data(err, 400, "%s (write \"%.100s\" in double quotes)", why, t->name);
}

void names_suggest(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg], names[LH_SUGGEST_ROOM];
	const char *p = NULL, *dot;
	struct lh_suggest s;
	size_t i, n, k;
	bool tables;
	const struct table *t;

	if (strstr(err->msg, "malformed JSON"))
		suggest_json(q, err);
	if (strstr(err->msg, "near \"-\": syntax error"))
		suggest_quotes(q, err);
	for (i = 0; i < sizeof unknown / sizeof *unknown; i++)
		if ((p = strstr(err->msg, unknown[i].before)))
			break;
	if (!p)
		return;
	p += strlen(unknown[i].before);
	n = strcspn(p, unknown[i].end);
	dot = unknown[i].table || *unknown[i].end ? NULL : strrchr(p, '.');	/* "t.column" */
	n -= dot ? (size_t)(dot + 1 - p) : 0;
	s = lh_suggest_for(dot ? dot + 1 : p, n);
	/* Offer the tables, or the columns of those that the statement uses. */
	tables = unknown[i].table;
	for (t = q->table; t < q->table + q->n_tables; t++) {
		if (tables)
			lh_suggest_offer(&s, t->name, strlen(t->name));
		for (k = 0; !tables && t->in_use && k < t->columns.n; k++)
			lh_suggest_offer(&s, t->columns.v[k].name, strlen(t->columns.v[k].name));
	}
	if (!*lh_suggest_text(&s, "", names)) {
		if (tables)
			list_tables(q, err);
		return;
	}
	snprintf(why, sizeof why, "%s", err->msg);
	lh_err_data(err, 400, "%s (%s)", why, names);
}
