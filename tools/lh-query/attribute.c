/* attribute.c - whether the rows of an answer show persons without their candidate_id.  See
 * attribute.h. */
#include "attribute.h"

#include <string.h>
#include <strings.h>

#include "json/write.h"
#include "lineage/person_ids.h"

#define ITEMS 256		/* of a list that is looked at */

/* ---- tables ---- */

static bool has_column(const struct table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->columns.n; i++)
		if (!strcasecmp(t->columns.v[i].name, name))
			return true;
	return false;
}

/* Return whether a column has ids of persons; the subject of messages is none. */
static bool is_id(const struct table *t, const char *name)
{
	return lh_person_column(name, strlen(name)) &&
	       (strcasecmp(name, "subject") != 0 ||
		!(has_column(t, "sender") || has_column(t, "to") || has_column(t, "body")));
}

/* Return whether a table is one of persons: it says so, has ids of them, or is named. */
static bool is_of_persons(const struct query *q, const struct table *t)
{
	size_t i;

	if (t->of_persons)
		return true;
	for (i = 0; i < q->s->persons.n; i++)
		if (!strcasecmp(q->s->persons.v[i], t->name))
			return true;
	for (i = 0; i < t->columns.n; i++)
		if (is_id(t, t->columns.v[i].name))
			return true;
	return false;
}

static const struct table *find_persons(const struct query *q, const char *name)
{
	size_t i;

	for (i = 0; name && i < q->n_tables; i++)
		if (!strcasecmp(q->table[i].name, name) && is_of_persons(q, &q->table[i]))
			return &q->table[i];
	return NULL;
}

/* Return whether a table is a file's, and not a function's as json_each(). */
static bool is_file(const struct query *q, const char *name)
{
	size_t i;

	for (i = 0; name && i < q->n_tables; i++)
		if (!strcasecmp(q->table[i].name, name))
			return true;
	return false;
}

void attribute_read(struct engine *e, const char *table, const char *column)
{
	e->persons |= e->q->s->attribute && column && *column && find_persons(e->q, table);
}

void attribute_call(struct engine *e, const char *function)
{
	/* their value is of another row than the one that is shown */
	static const char *const mixing[] = {
		"min", "max", "group_concat", "string_agg", "json_group_array",
		"json_group_object", "jsonb_group_array", "jsonb_group_object", "median",
		"percentile", "percentile_cont", "percentile_disc", NULL
	};
	size_t i;

	for (i = 0; mixing[i]; i++)
		e->mixes |= !strcasecmp(function, mixing[i]);
}

/* ---- tokens ---- */

struct token {
	const char *p, *end;
	int depth;			/* of parentheses around it */
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (c & 0x80);
}

static const char *skip_blank(const char *p)
{
	const char *end;

	for (;;) {
		p += strspn(p, " \t\r\n\f");
		if (!strncmp(p, "\xef\xbb\xbf", 3)) {	/* blank for SQLite, too */
			p += 3;
		} else if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			end = strstr(p + 2, "*/");
			p = end ? end + 2 : p + strlen(p);
		} else {
			return p;
		}
	}
}

/* Go to the next token: a word, a quoted text, one other character; false at the end. */
static bool next_token(struct token *t)
{
	const char *p = skip_blank(t->end);
	char close;

	t->depth += t->p && t->p < t->end && *t->p == '(';
	t->depth -= *p == ')';
	t->p = t->end = p;
	if (!*p)
		return false;
	close = *p == '[' ? ']' : *p;
	if (strchr("'\"`[", *p)) {
		for (p++; *p && (*p != close || (p[1] == close && close != ']')); p++)
			p += *p == close;
		t->end = *p ? p + 1 : p;
		return true;
	}
	while (is_word(*p))
		p++;
	t->end = p > t->p ? p : p + 1;
	return true;
}

static bool is(const struct token *t, const char *word)
{
	const size_t n = strlen(word);

	return (size_t)(t->end - t->p) == n && !strncasecmp(t->p, word, n);
}

/* Return whether a token is the name of a table, also in quotes. */
static bool is_name(const struct token *t, const char *name)
{
	struct token inside = *t;

	if (strchr("\"`['", *t->p) && t->end > t->p + 1) {
		inside.p++;
		inside.end--;
	}
	return is(&inside, name);
}

/* Return how often a table is used: its name, but for those before the name of a column. */
static unsigned count_uses(const char *sql, const char *table)
{
	struct token t = { .end = sql };
	unsigned n = 0;

	while (next_token(&t))
		n += is_name(&t, table) && *skip_blank(t.end) != '.';
	return n;
}

/* Return whether a statement has one of these words, but for those in quotes. */
static bool has_word(const char *sql, const char *const *words)
{
	struct token t = { .end = sql };
	size_t i;

	while (next_token(&t))
		for (i = 0; words[i]; i++)
			if (is(&t, words[i]))
				return true;
	return false;
}

/* ---- what a statement selects ---- */

/* Read what an aggregate counts or adds up, "(*)", "(1)" or "(COLUMN)", and go to its last
 * parenthesis; *column: it is one.  A sum of any other expression can spell out a text. */
static bool read_argument(struct token *t, bool *column)
{
	bool plain;

	if (!next_token(t) || *t->p != '(' || !next_token(t))
		return false;
	*column = (is_word(*t->p) || *t->p == '"') && !(*t->p >= '0' && *t->p <= '9');
	plain = *column || *t->p == '*' || (*t->p >= '0' && *t->p <= '9');
	return next_token(t) && *t->p == ')' && plain;
}

/* Return whether a statement ends with FROM and one name: its rows are all those of the table. */
static bool takes_all(const char *sql)
{
	struct token t = { .end = sql };

	while (next_token(&t) && !is(&t, "from"))
		;
	if (!*t.p || !next_token(&t) || !(is_word(*t.p) || strchr("\"`[", *t.p)))
		return false;
	return !next_token(&t) || (*t.p == ';' && !next_token(&t));
}

/* Return whether a part of the list shows no value of a row: a number, a count, or an aggregate
 * that adds up all rows; a name may follow. */
static bool shows_none(const char *p, const char *end, bool all)
{
	static const char *const adding[] = { "count", "sum", "avg", "total", NULL };
	struct token t = { .end = p };
	bool column;
	size_t i;

	if (!next_token(&t))
		return false;
	for (i = 0; adding[i] && !is(&t, adding[i]); i++)
		;
	if (adding[i]) {
		if (!read_argument(&t, &column) || (i && column && !all))
			return false;
	} else if (*t.p < '0' || *t.p > '9') {
		return false;
	}
	if (!next_token(&t) || t.p >= end)
		return true;
	if (is(&t, "as") && !next_token(&t))
		return false;
	if (is(&t, "over") || is(&t, "filter") || !(is_word(*t.p) || strchr("\"`['", *t.p)))
		return false;
	return !next_token(&t) || t.p >= end;
}

/* Find the parts of the list after the first SELECT that is in no parentheses: their number, 0
 * if there are too many. */
static size_t list_items(const char *sql, struct token item[ITEMS])
{
	struct token t = { .end = sql };
	size_t n = 0;

	while (next_token(&t) && (t.depth || !is(&t, "select")))
		;
	if (!*t.p)
		return 0;
	item[0].p = t.end;
	while (next_token(&t)) {
		if (t.depth || (*t.p != ',' && !is(&t, "from")))
			continue;
		item[n++].end = t.p;
		if (*t.p != ',')
			return n;
		if (n == ITEMS)
			return 0;
		item[n].p = t.end;
	}
	item[n++].end = t.p;
	return n;
}

/* Return whether the answer has the ids of a table whose columns it shows. */
static bool has_ids_of(sqlite3_stmt *stmt, const struct table *t)
{
	int i;

	for (i = 0; i < sqlite3_column_count(stmt); i++) {
		const char *of = sqlite3_column_table_name(stmt, i);
		const char *origin = sqlite3_column_origin_name(stmt, i);

		if (of && origin && !strcasecmp(of, t->name) && is_id(t, origin) &&
		    !strcasecmp(sqlite3_column_name(stmt, i), origin))
			return true;
	}
	return false;
}

bool attribute_unnamed(const struct engine *e, sqlite3_stmt *stmt, const char *sql)
{
	static const char *const compound[] = { "union", "except", "intersect", NULL };
	/* rows under a name that can be used twice, a window of other rows */
	static const char *const others[] = { "with", "over", NULL };
	const int columns = sqlite3_column_count(stmt);
	struct token item[ITEMS];
	size_t items;
	bool named = false, made = false, again, all;
	int i;

	if (!e->q->s->attribute || !e->persons || sqlite3_stmt_isexplain(stmt))
		return false;
	if (has_word(sql, compound))
		return true;
	again = has_word(sql, others);
	all = takes_all(sql);
	items = list_items(sql, item);
	for (i = 0; i < columns; i++) {
		const char *table = sqlite3_column_table_name(stmt, i);
		const struct table *of = find_persons(e->q, table);

		if (of && (again || !has_ids_of(stmt, of) || count_uses(sql, of->name) != 1))
			return true;
		named |= of != NULL;
		made |= !is_file(e->q, table) &&
			(items != (size_t)columns || !shows_none(item[i].p, item[i].end, all));
	}
	return made && (!named || e->mixes || again);
}

void attribute_hide(const struct query *q, bool persons, struct lh_err *err)
{
	if (q->s->attribute && persons && err->code == LH_EDATA && lh_err_status(err) == 400)
		lh_err_data(err, 400, "the statement failed on a table of persons; the reason is "
			    "left out, since it may show them");
}

bool attribute_persons(const struct query *q)
{
	size_t i;

	for (i = 0; i < q->n_tables; i++)
		if (q->table[i].in_use && is_of_persons(q, &q->table[i]))
			return true;
	return false;
}

void attribute_write(const struct query *q, struct lh_writer *w)
{
	size_t i;

	if (!q->s->attribute)
		return;
	lh_write_array(w, "tables");
	for (i = 0; i < q->n_tables; i++)
		if (q->table[i].in_use && is_of_persons(q, &q->table[i]))
			lh_write_text(w, NULL, q->table[i].name);
	lh_write_end(w);
}
