/*
 * write.c - rows as JSON Lines, one JSON object, CSV or a table; the persons that they show.
 * See query.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/mem.h"
#include "json/write.h"
#include "lineage/person_ids.h"
#include "query.h"
#include "text/escape.h"

/* ---- whether rows show persons without their candidate_id ---- */

/*
 * See
 * query.h.
 */

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

bool table_of_persons(const struct query *q, const struct table *t)
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
		if (!strcasecmp(q->table[i].name, name) && table_of_persons(q, &q->table[i]))
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

bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (c & 0x80);
}

const char *skip_blank(const char *p)
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

/* Write "tables", with --attribute. */
static void attribute_write(const struct query *q, struct lh_writer *w)
{
	size_t i;

	if (!q->s->attribute)
		return;
	lh_write_array(w, "tables");
	for (i = 0; i < q->n_tables; i++)
		if (q->table[i].in_use && table_of_persons(q, &q->table[i]))
			lh_write_text(w, NULL, q->table[i].name);
	lh_write_end(w);
}

/* ---- rows ---- */

#define WIDEST 1000	/* characters of a cell in a table */

static const char *const types[] = {
	[KIND_NONE] = "VARCHAR", [KIND_BOOL] = "BOOLEAN", [KIND_INT] = "BIGINT",
	[KIND_REAL] = "DOUBLE", [KIND_TEXT] = "VARCHAR", [KIND_JSON] = "JSON",
};

void writer_init(struct writer *w, struct query *q, enum form form, struct lh_buf *out)
{
	memset(w, 0, sizeof *w);
	w->q = q;
	w->form = form;
	w->out = out;
	w->terminal = !out && form == FORM_CSV && isatty(STDOUT_FILENO);
}

void writer_free(struct writer *w)
{
	lh_buf_free(&w->names);
	lh_buf_free(&w->rows);
	lh_buf_free(&w->cells);
	free(w->field);
}

/* Pass on what is in rows. */
static int flush(struct writer *w, struct lh_err *err)
{
	int rc = 0;

	if (w->out) {
		lh_buf_add(w->out, w->rows.p, w->rows.len);
	} else if (lh_tool_out(w->q->tool, w->rows.p, w->rows.len) < 0) {
		*err = w->q->tool->err;
		rc = -1;
	}
	lh_buf_reset(&w->rows);
	return rc;
}

/* ---- values ---- */

static void put_int(struct lh_buf *b, int64_t v)
{
	if (v < 0)
		lh_buf_putc(b, '-');
	lh_buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* A double has a point or an exponent, so that it is one again where it is read. */
static void put_real(struct lh_buf *b, double v)
{
	char *to = lh_buf_room(b, LH_F64_MAX + 2);
	size_t n;

	if (!to)
		return;
	n = lh_f64_print(to, v);
	if (!memchr(to, '.', n) && !memchr(to, 'e', n)) {
		memcpy(to + n, ".0", 2);
		n += 2;
	}
	lh_buf_took(b, n);
}

/* Append what is written the same everywhere: all but strings. */
static void put_plain(struct lh_buf *b, const struct cell *c, const char *null)
{
	switch (c->kind) {
	case KIND_NONE: lh_buf_puts(b, null); return;
	case KIND_BOOL: lh_buf_puts(b, c->i ? "true" : "false"); return;
	case KIND_INT: put_int(b, c->i); return;
	case KIND_REAL:
		if (c->as_text)
			break;
		put_real(b, c->f);
		return;
	default: break;
	}
	lh_buf_add(b, c->s.p, c->s.n);
}

void cell_json(struct lh_buf *b, const struct cell *c)
{
	if (c->kind == KIND_TEXT)
		lh_buf_json(b, c->s.p, c->s.n);
	else
		put_plain(b, c, "null");
}

/* Append a cell of RFC 4180; "" is an empty string, and nothing is NULL. */
static void put_csv(struct lh_buf *b, const struct cell *c)
{
	const char *p = c->s.p, *end, *quote;

	if ((c->kind != KIND_TEXT && c->kind != KIND_JSON) ||
	    (c->s.n && !memchr(p, '"', c->s.n) && !memchr(p, ',', c->s.n) &&
	     !memchr(p, '\n', c->s.n) && !memchr(p, '\r', c->s.n))) {
		put_plain(b, c, "");
		return;
	}
	lh_buf_putc(b, '"');
	for (end = p + c->s.n; (quote = memchr(p, '"', (size_t)(end - p))); p = quote + 1) {
		lh_buf_add(b, p, (size_t)(quote + 1 - p));
		lh_buf_putc(b, '"');
	}
	lh_buf_add(b, p, (size_t)(end - p));
	lh_buf_putc(b, '"');
}

/* Append a cell; on a terminal its control characters are escaped, and with --csv-safe a text
 * that a spreadsheet would compute begins with an apostrophe. */
static void put_csv_cell(struct writer *w, const struct cell *c)
{
	bool text = c->kind == KIND_TEXT || c->kind == KIND_JSON;
	LH_SCOPED(lh_buf_free) struct lh_buf own = { 0 };
	struct cell shown = *c;

	if (text && c->s.n && w->q->s->csv_safe && memchr("=+-@\t\r", *c->s.p, 6))
		lh_buf_putc(&own, '\'');
	if (text && w->terminal)
		lh_escape_column(&own, c->s.p, c->s.n);
	else if (own.len)
		lh_buf_add(&own, c->s.p, c->s.n);
	if (own.len)
		shown.s = (struct lh_str){ own.p, own.len };
	put_csv(&w->rows, &shown);
}

/* ---- columns ---- */

static struct lh_str name_of(const struct writer *w, size_t i)
{
	return (struct lh_str){ w->names.p + w->field[i].name, w->field[i].n };
}

static bool is_named(const struct writer *w, size_t n, struct lh_str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (lh_str_is(name_of(w, i), name.p, name.n))
			return true;
	return false;
}

/* A table has them as well, as its first row. */
static void table_row(struct writer *w, const struct cell *cell);

static void header(struct writer *w)
{
	LH_SCOPED(lh_free_local) struct cell *cell = lh_calloc(w->n_fields + 1, sizeof *cell);
	size_t i;

	for (i = 0; i < w->n_fields; i++)
		cell[i] = (struct cell){ .kind = KIND_TEXT, .s = name_of(w, i) };
	if (w->form == FORM_TABLE)
		table_row(w, cell);
	for (i = 0; w->form == FORM_CSV && i < w->n_fields; i++) {
		put_csv_cell(w, &cell[i]);
		lh_buf_putc(&w->rows, i + 1 < w->n_fields ? ',' : '\n');
	}
}

void writer_columns(struct writer *w, const struct column *column, size_t n)
{
	size_t i;

	w->field = lh_calloc(n + 1, sizeof *w->field);
	w->n_fields = n;
	for (i = 0; i < n; i++) {
		struct field *f = &w->field[i];
		unsigned number = 0;

		f->name = w->names.len;
		f->kind = column[i].kind;
		do {	/* members of an object differ: the second "id" is called "id_1" */
			w->names.len = f->name;
			lh_buf_puts(&w->names, column[i].name);
			if (number)
				lh_buf_printf(&w->names, "_%u", number);
			f->n = w->names.len - f->name;
			number++;
		} while (w->form == FORM_JSONL && is_named(w, i, name_of(w, i)));
	}
	if (w->form == FORM_CSV || w->form == FORM_TABLE)
		header(w);
}

/* ---- rows ---- */

static void object_row(struct writer *w, const struct cell *cell)
{
	size_t i;

	for (i = 0; i < w->n_fields; i++) {
		struct lh_str name = name_of(w, i);

		lh_buf_putc(&w->rows, i ? ',' : '{');
		lh_buf_json(&w->rows, name.p, name.n);
		lh_buf_putc(&w->rows, ':');
		cell_json(&w->rows, &cell[i]);
	}
	lh_buf_puts(&w->rows, "}\n");
}

static void array_row(struct writer *w, const struct cell *cell)
{
	size_t i;

	if (w->n_rows)
		lh_buf_putc(&w->rows, ',');
	lh_buf_putc(&w->rows, '[');
	for (i = 0; i < w->n_fields; i++) {
		if (i)
			lh_buf_putc(&w->rows, ',');
		cell_json(&w->rows, &cell[i]);
		w->field[i].kind = kind_join(w->field[i].kind, cell[i].kind);
	}
	lh_buf_putc(&w->rows, ']');
}

static void csv_row(struct writer *w, const struct cell *cell)
{
	size_t i;

	for (i = 0; i < w->n_fields; i++) {
		put_csv_cell(w, &cell[i]);
		lh_buf_putc(&w->rows, i + 1 < w->n_fields ? ',' : '\n');
	}
}

/* A cell of a table, which is written when the widths of all are known. */
struct shown {
	size_t at, n, width;	/* in rows */
	bool right;
};

static size_t characters(const char *p, size_t n)
{
	size_t count = 0;

	for (; n; n--, p++)
		count += ((unsigned char)*p & 0xc0) != 0x80;
	return count;
}

static void table_row(struct writer *w, const struct cell *cell)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct shown s;
	size_t i;

	for (i = 0; i < w->n_fields; i++) {
		lh_buf_reset(&text);
		put_plain(&text, &cell[i], "");
		s.at = w->rows.len;
		lh_escape_column(&w->rows, text.p, text.len < WIDEST ? text.len : WIDEST);
		s.n = w->rows.len - s.at;
		s.right = cell[i].kind == KIND_INT || cell[i].kind == KIND_REAL;
		s.width = characters(w->rows.p + s.at, s.n);
		if (s.width > w->field[i].width)
			w->field[i].width = s.width;
		lh_buf_add(&w->cells, &s, sizeof s);
	}
}

static void pad(struct lh_buf *out, size_t n, char c)
{
	while (n--)
		lh_buf_putc(out, c);
}

static int table_end(struct writer *w, struct lh_err *err)
{
	const struct shown *s = (const struct shown *)(const void *)w->cells.p;
	size_t n = w->cells.len / sizeof *s, i, k;
	struct lh_buf out = { 0 };

	for (i = 0; i < n; i++) {
		size_t column = i % w->n_fields, left = w->field[column].width - s[i].width;
		bool last = column + 1 == w->n_fields;

		if (s[i].right)
			pad(&out, left, ' ');
		lh_buf_add(&out, w->rows.p + s[i].at, s[i].n);
		if (!s[i].right && !last)
			pad(&out, left, ' ');
		lh_buf_puts(&out, last ? "\n" : "  ");
		for (k = 0; i + 1 == w->n_fields && k < w->n_fields; k++) {
			pad(&out, w->field[k].width, '-');
			lh_buf_puts(&out, k + 1 == w->n_fields ? "\n" : "  ");
		}
	}
	lh_buf_free(&w->rows);
	w->rows = out;
	return flush(w, err);
}

int writer_row(struct writer *w, const struct cell *cell, struct lh_err *err)
{
	if (w->most && w->n_rows >= w->most) {
		w->n_rows++;
		return 0;
	}
	switch (w->form) {
	case FORM_JSONL: object_row(w, cell); break;
	case FORM_WIRE: array_row(w, cell); break;
	case FORM_CSV: csv_row(w, cell); break;
	case FORM_TABLE: table_row(w, cell);
	}
	w->n_rows++;
	if (w->form == FORM_JSONL || w->form == FORM_CSV)
		return flush(w, err);
	if (w->rows.len + w->cells.len > w->q->s->memory)
		return lh_err_data(err, 413, "the answer is larger than --memory");
	return 0;
}

static int wire_end(struct writer *w, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf rows = w->rows;
	struct lh_writer json;
	size_t i;

	w->rows = (struct lh_buf){ 0 };
	json = lh_write_to(&w->rows);
	lh_write_object(&json, NULL);
	lh_write_array(&json, "columns");
	for (i = 0; i < w->n_fields; i++) {
		lh_write_object(&json, NULL);
		lh_write_str(&json, "name", name_of(w, i));
		lh_write_text(&json, "type", types[w->field[i].kind]);
		lh_write_end(&json);
	}
	lh_write_end(&json);
	lh_write_array(&json, "rows");
	lh_buf_add(&w->rows, rows.p, rows.len);
	lh_write_end(&json);
	lh_write_u64(&json, "row_count", w->n_rows);
	if (w->q->bounded)
		lh_write_bool(&json, "truncated", true);
	attribute_write(w->q, &json);
	if (w->q->unnamed && w->n_rows)
		lh_write_bool(&json, "unnamed", true);
	lh_write_end(&json);
	if (!w->out)
		lh_buf_putc(&w->rows, '\n');
	return flush(w, err);
}

int writer_end(struct writer *w, struct lh_err *err)
{
	switch (w->form) {
	case FORM_WIRE: return wire_end(w, err);
	case FORM_TABLE: return table_end(w, err);
	default: return flush(w, err);
	}
}
