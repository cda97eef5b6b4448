/* view.c - records as the rows of a table, as cards, or two next to each other.  See show.h. */
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "show.h"
#include "text/escape.h"
#include "text/tokens.h"
#include "validate/validation_error.h"

/* ---- members of a kind ---- */

#define WORKER_ID "candidate_id "	/* the first column of workers */

/* The last one has all members as columns. */
static const struct kind {
	const char *tells;	/* paths of the members that it has, separated by blanks */
	const char *columns;	/* paths; one that ends with * has the columns of the kind of that
				 * member */
} kinds[] = {
	{ "results.0.distance", "rank distance score corpus id metadata.*" },
	{ "query results", "rank distance score corpus id metadata.*" },
	{ "query_text results", "rank distance score corpus id metadata.*" },
	{ "query_text rank distance id",
	  "query_text rank distance score corpus id metadata.*" },
	{ "rank distance id", "query rank distance score corpus id metadata.*" },
	{ "verdict.status", "id kind to verdict.status verdict.error verdict.report.findings" },
	{ "status findings", "status error findings" },
	{ "status Schema.reason", "status error findings" },
	{ "status Completeness.reason", "status error findings" },
	{ "status Consistency.reason", "status error findings" },
	{ "status Policy.reason", "status error findings" },
	{ "evidence_run_id category",
	  "evidence_run_id evidence_task_id category reasons scored_at" },
	{ "run_id task_id provenance",
	  "timestamp run_id task_id model_name observer_verdict text" },
	{ "source_run_id quality_score", "id quality_score instruction response" },
	{ "source_run_id success_score", "id success_score title tags content" },
	{ "chosen rejected prompt", "id prompt chosen rejected reason" },
	{ "prev_chain_hash row_hmac",
	  "ts candidate_id accessor.daemon accessor.kind accessor.purpose fields_accessed result" },
	{ "session_id final_verdict",
	  "timestamp session_id kind model iterations final_verdict grounded_in_roster "
	  "duration_ms prompt" },
	{ "source endpoint success",
	  "timestamp source endpoint success duration_ms input_summary output_summary error" },
	{ "name role", WORKER_ID "name role city state status skills certifications" },
	{ "error.message", "id error.file error.line error.code error.message" },
	{ "", "*" },
};

static bool has_all(const struct lh_value *v, const char *tells)
{
	struct lh_value found;
	size_t n;

	for (; *tells; tells += n + strspn(tells + n, " ")) {
		n = strcspn(tells, " ");
		if (!lh_value_at(v, tells, n, &found))
			return false;
	}
	return true;
}

/* Return the first kind whose members the value has. */
static const struct kind *kind_of(const struct lh_value *v)
{
	const struct kind *k = kinds;

	while (*k->tells && (v->type != LH_OBJECT || !has_all(v, k->tells)))
		k++;
	return k;
}

/* ---- values ---- */

#define CELL_MAX 65536		/* bytes of a value that a cell shows */
#define CELL_MORE "\xe2\x80\xa6"	/* the ellipsis that follows what is cut */

static void put_limited(struct lh_buf *out, const char *p, size_t n)
{
	const struct lh_str head = lh_utf8_head((struct lh_str){ p, n }, CELL_MAX);

	lh_escape_line(out, head.p, head.n);
	if (head.n < n)
		lh_buf_puts(out, CELL_MORE);
}

static void put_scalar(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_str s = { v->p, v->n };

	lh_buf_reset(scratch);
	if (v->type == LH_STRING && v->n > 2)
		lh_value_str(v, scratch, &s);
	put_limited(out, s.p, s.n);
}

/* Append the error of a verdict in words: true, or false if the value is none. */
static bool cell_error(struct lh_buf *out, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 }, text = { 0 };
	struct lh_validation_error e;
	struct lh_err not_one;

	if (v->type != LH_OBJECT || lh_validation_error_read(v, &strings, &e, &not_one) < 0)
		return false;
	lh_validation_error_text(&text, &e);
	put_limited(out, text.p, text.len);
	return true;
}

#define NUMBERS_SHOWN 32	/* of one array, which is a vector if it has more */

/* Return of how many numbers an array is, if it is a vector, else 0. */
static size_t vector_of(const struct lh_value *v)
{
	struct lh_iter it;
	size_t n = 0;

	if (v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++)
		if (it.val.type != LH_NUMBER)
			return 0;
	return n > NUMBERS_SHOWN ? n : 0;
}

/* Return whether the value is an array of scalars. */
static bool cell_is_list(const struct lh_value *v)
{
	struct lh_iter it;
	bool any = false;

	if (vector_of(v))
		return true;
	if (v->type != LH_ARRAY || v->n > CELL_MAX)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); any = true)
		if (it.val.type >= LH_ARRAY)
			return false;
	return any;
}

/* Append a checked value as the clean text of a cell: a string without its quotes, an array
 * of scalars as a list, the error of a verdict in words, anything else as it is written. */
static void cell_value(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	size_t start = out->len, n = vector_of(v);
	struct lh_iter it;

	if (n)
		lh_buf_printf(out, "%zu numbers", n);
	if (n || cell_error(out, v))
		return;
	if (!cell_is_list(v)) {
		put_scalar(out, v, scratch);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		if (out->len > start)
			lh_buf_puts(out, ", ");
		put_scalar(out, &it.val, scratch);
	}
}

static enum lh_style cell_style(const struct lh_value *v)
{
	return v->type == LH_NULL ? LH_STYLE_DIM : v->type == LH_NUMBER ? LH_STYLE_NUMBER :
	       v->type == LH_TRUE || v->type == LH_FALSE ? LH_STYLE_LITERAL : LH_STYLE_PLAIN;
}

/* ---- columns that fit a line ---- */

#define COLUMNS_MAX 64

struct column {
	char *label;		/* owned; clean text */
	size_t width;		/* cells; of the widest text until the widths are set */
	bool numbers, others;	/* what is in it: numbers alone are to the right */
};

struct grid {
	struct column col[COLUMNS_MAX];
	size_t n, shown;	/* shown: those that fit, the first ones */
	bool more;		/* there were more than COLUMNS_MAX */
	bool open;		/* the widths are set: rows are written */
	struct lh_str text[COLUMNS_MAX];	/* of a row */
	enum lh_type type[COLUMNS_MAX];
	enum lh_style style[COLUMNS_MAX];
};

#define WIDEST 1000		/* cells */
#define NARROWEST 12		/* columns are left out rather than made narrower */

static void widen(struct column *col, const char *p, size_t n)
{
	size_t cells = lh_term_cells(p, n);

	if (cells > col->width)
		col->width = cells < WIDEST ? cells : WIDEST;
}

/* Add a column, with a label made clean. */
static void grid_add(struct grid *g, const char *label, size_t n)
{
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };
	struct column *col = &g->col[g->n];

	lh_escape_line(&clean, label, n < CELL_MAX ? n : CELL_MAX);
	if (!n)
		lh_buf_puts(&clean, "\"\"");
	*col = (struct column){ .label = lh_strndup(clean.p, clean.len), .width = 2 };
	widen(col, clean.p, clean.len);
	g->n++;
}

/* A number is not cut. */
static size_t width_of(const struct column *col, size_t most)
{
	return col->numbers || col->width < most ? col->width : most;
}

/* Return the cells of a line of the columns shown, none of them wider than most. */
static size_t line_of(const struct grid *g, size_t most)
{
	size_t i, cells = g->shown < g->n || g->more ? sizeof "+more" : 0;

	for (i = 0; i < g->shown; i++)
		cells += 2 * !!i + width_of(&g->col[i], most);
	return cells;
}

/* Append clean text in a style, with the words of --mark in another. */
static void put_marked(struct show *w, enum lh_style style, const char *p, size_t n)
{
	size_t at, len;

	for (; (at = lh_marked_word(&w->marked, p, n, &len)) < n; p += at + len, n -= at + len) {
		if (at)
			lh_term_put(&w->out, w->colored, style, p, at);
		lh_term_put(&w->out, w->colored, LH_STYLE_WARN, p + at, len);
	}
	if (n)
		lh_term_put(&w->out, w->colored, style, p, n);
}

/* Append a text to a column; where the line has a limit, what is wider is cut.  *end: the byte
 * after the last text of the line, behind which are the blanks of columns without one. */
static void put(struct show *w, const struct grid *g, size_t i, struct lh_str text,
		enum lh_style style, size_t *end)
{
	const struct column *col = &g->col[i];
	size_t cells = lh_term_cells(text.p, text.n), n = text.n;
	const bool cut = w->width && cells > col->width && !col->numbers;
	int blank;

	if (cut) {
		n = lh_term_fit(text.p, text.n, col->width - 1);
		cells = lh_term_cells(text.p, n) + 1;
	}
	blank = col->width > cells ? (int)(col->width - cells) : 0;
	lh_buf_printf(&w->out, "%*s", 2 * !!i + (col->numbers ? blank : 0), "");
	if (text.n) {
		put_marked(w, style, text.p, n);
		lh_buf_puts(&w->out, cut ? CELL_MORE : "");
		*end = w->out.len;
	}
	lh_buf_printf(&w->out, "%*s", col->numbers ? 0 : blank, "");
}

/* Give widths to as many columns as fit in the line, and append the header. */
static void grid_open(struct show *w, struct grid *g)
{
	size_t i, j, most = WIDEST, end = w->out.len;

	g->open = true;
	for (i = 0; i < g->n; i++)
		g->col[i].numbers &= !g->col[i].others;
	g->shown = g->n;
	while (w->width && g->shown > 1 && line_of(g, NARROWEST) > w->width)
		g->shown--;
	while (w->width && most > 2 && line_of(g, most) > w->width)
		most--;
	for (i = 0; i < g->shown; i++) {
		g->col[i].width = width_of(&g->col[i], most);
		put(w, g, i, lh_str_of(g->col[i].label), LH_STYLE_HEADING, &end);
	}
	if (g->shown < g->n || g->more)
		lh_buf_printf(&w->out, g->more ? "  +more" : "  +%zu", g->n - g->shown);
	else
		w->out.len = end;
	for (i = 0; i < g->shown; i++) {
		lh_buf_puts(&w->out, i ? "  " : "\n");
		for (j = 0; j < g->col[i].width; j++)
			lh_buf_putc(&w->out, '-');
	}
	if (g->n)
		lh_buf_putc(&w->out, '\n');
}

/* Write the row, or widen the columns for it. */
static void grid_row(struct show *w, struct grid *g)
{
	size_t i, end = w->out.len;

	for (i = 0; !g->open && i < g->n; i++) {
		widen(&g->col[i], g->text[i].p, g->text[i].n);
		g->col[i].numbers |= g->type[i] == LH_NUMBER;
		g->col[i].others |= g->type[i] != LH_NUMBER && g->type[i] != LH_NULL;
	}
	if (!g->open)
		return;
	for (i = 0; i < g->shown; i++)
		put(w, g, i, g->text[i], g->style[i], &end);
	w->out.len = end;
	lh_buf_putc(&w->out, '\n');
	show_flush(w);
}

/* ---- a table ---- */

/* The first ones, the sample, are kept; they give the columns and their widths, and all later
 * rows are written as they come. */
struct table {
	struct grid grid;
	struct lh_str path[COLUMNS_MAX];	/* owned */
	bool found[COLUMNS_MAX];	/* a record has it */
	size_t kind, count[sizeof kinds / sizeof *kinds];	/* of most records in it; of each */
	struct lh_buf lines, texts;	/* the sample, each with its LF; the row */
	uint64_t n;			/* records in it */
	char rank[24];
};

/* Add the column of a path, unless there is one.  Its label is what follows the prefix of so
 * many bytes, unless another column has that. */
static void add(struct table *t, const char *path, size_t n, size_t prefix)
{
	struct grid *g = &t->grid;
	size_t i;

	for (i = 0; i < g->n; i++) {
		if (t->path[i].n == n && !memcmp(t->path[i].p, path, n))
			return;
		if (!strcmp(g->col[i].label, path + prefix))
			prefix = 0;
	}
	g->more |= i == COLUMNS_MAX;
	if (g->more)
		return;
	grid_add(g, path + prefix, n - prefix);
	t->found[i] = false;
	t->path[i] = (struct lh_str){ lh_strndup(path, n), n };
}

/* Set the cell of a path; rank: what "rank" is if it is no member, or 0. */
static void find_cell(struct table *t, struct lh_str path, const struct lh_value *v, uint64_t rank,
		      struct lh_value *cell)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value message;
	const char *dot = memrchr(path.p, '.', path.n);

	if (v->type != LH_OBJECT && !strcmp(path.p, "value")) {
		*cell = *v;
	} else if (!lh_value_at(v, path.p, path.n, cell)) {
		cell->p = NULL;
		if (rank && !strcmp(path.p, "rank")) {
			snprintf(t->rank, sizeof t->rank, "%llu", (unsigned long long)rank);
			*cell = (struct lh_value){ t->rank, strlen(t->rank), LH_NUMBER, false };
		} else if (!strcmp(path.p, "error") && cell_error(&text, v)) {
			*cell = *v;	/* the record is itself the error */
		}
	} else if (!strcmp(dot ? dot + 1 : path.p, "error") && cell->type == LH_OBJECT &&
		   lh_value_at(cell, "message", 7, &message) && message.type == LH_STRING) {
		*cell = message;
	}
}

/* Add the members of an object, or "value" for another value. */
static void add_members(struct show *w, const struct lh_value *v, const char *prefix)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	struct lh_str name;
	struct lh_iter it;

	if (v->type != LH_OBJECT) {
		add(w->view, "value", 5, 0);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		lh_buf_reset(&w->scratch);
		lh_buf_reset(&path);
		lh_value_str(&it.key, &w->scratch, &name);
		lh_buf_puts(&path, prefix);
		lh_buf_add(&path, name.p, name.n);
		lh_buf_putc(&path, '\0');
		add(w->view, path.p, path.len - 1, strlen(prefix));
	}
}

/* Add the columns of a list of paths: --columns, or those of a kind that the row has.  Of the
 * hits' metadata.* they are those of its kind, or all members. */
static void add_list(struct show *w, const char *list, const char *prefix,
		     const struct lh_value *v)
{
	const char *by = w->s->columns ? "," : " ", *dot;
	struct lh_value cell;
	char path[1024];
	struct lh_str name;
	size_t n, label;

	for (; *list; list += n + !!list[n]) {
		n = strcspn(list, by);
		name = lh_trim(list, n);
		if (!name.n)
			continue;
		snprintf(path, sizeof path, "%s%.*s", prefix, (int)name.n, name.p);
		dot = w->s->columns ? NULL : strrchr(path, '.');
		label = dot ? (size_t)(dot + 1 - path) : 0;
		if (label && !strcmp(dot, ".*")) {
			if (!lh_value_get(v, "metadata", &cell) || cell.type != LH_OBJECT)
				continue;
			list = kind_of(&cell)->columns;
			if (!strncmp(list, WORKER_ID, strlen(WORKER_ID)))
				list += strlen(WORKER_ID);	/* it is the id of the hit again */
			if (*list == '*')
				add_members(w, &cell, "metadata.");
			else
				add_list(w, list, "metadata.", v);
			return;
		}
		find_cell(w->view, lh_str_of(path), v, 1, &cell);
		if (cell.p || w->s->columns)
			add(w->view, path, strlen(path), label);
	}
}

/* Add the columns that a row has, and measure it; or append it. */
static void put_row(struct show *w, const struct lh_value *v, uint64_t rank)
{
	struct table *t = w->view;
	struct grid *g = &t->grid;
	const char *kind = kinds[t->kind].columns;
	size_t i, at[COLUMNS_MAX];
	struct lh_value cell;
	bool any = false;

	if (!g->open && !w->s->columns && *kind == '*')
		add_members(w, v, "");
	else if (!g->open)
		add_list(w, w->s->columns ? w->s->columns : kind, "", v);
	lh_buf_reset(&t->texts);
	for (i = 0; i < g->n; i++) {
		find_cell(t, t->path[i], v, rank, &cell);
		at[i] = t->texts.len;
		if (cell.p)
			cell_value(&t->texts, &cell, &w->scratch);
		g->text[i].n = t->texts.len - at[i];
		g->type[i] = cell.p ? cell.type : LH_NULL;
		g->style[i] = cell.p ? cell_style(&cell) : LH_STYLE_PLAIN;
		t->found[i] |= cell.p != NULL;
		any |= cell.p && cell.p != t->rank;
	}
	for (i = 0; i < g->n; i++)
		g->text[i].p = t->texts.p ? t->texts.p + at[i] : "";
	if (any || !g->open) {
		grid_row(w, g);
		return;
	}
	lh_buf_puts(&w->out, "? ");
	lh_escape_line(&w->out, v->p, v->n);
	lh_buf_putc(&w->out, '\n');
	show_flush(w);
}

/* Append the query that rows belong to, and what its search did. */
static void put_query(struct show *w, const struct lh_value *v)
{
	struct lh_value part;

	lh_buf_puts(&w->out, "> ");
	if (lh_value_get(v, "query_text", &part) || lh_value_get(v, "query", &part) ||
	    lh_value_get(v, "text", &part))
		cell_value(&w->out, &part, &w->scratch);
	if (lh_value_get(v, "truncated", &part) && part.type == LH_TRUE)
		lh_buf_puts(&w->out, "\n= truncated: a limit ended the search, more may match");
	if (lh_value_get(v, "explain", &part)) {
		lh_buf_puts(&w->out, "\n= explain: ");
		cell_value(&w->out, &part, &w->scratch);
	}
	lh_buf_putc(&w->out, '\n');
}

/* The same for the rows of an item. */
static void put_item(struct show *w, const struct lh_value *v)
{
	struct table *t = w->view;
	struct lh_value list;
	struct lh_iter it;
	uint64_t rank;

	if (!strstr(kinds[t->kind].columns, ".*") || !lh_value_get(v, "results", &list) ||
	    list.type != LH_ARRAY) {
		put_row(w, v, 0);
		return;
	}
	if (t->grid.open)
		put_query(w, v);
	for (rank = 1, lh_iter_init(&it, &list); lh_iter_next(&it); rank++)
		put_row(w, &it.val, rank);
}

/* Measure or write all of the sample, whose lines have been parsed once. */
static void put_sample(struct show *w)
{
	const struct lh_buf *lines = &((struct table *)w->view)->lines;
	size_t at, n;
	struct lh_value v;
	struct lh_err none;

	for (at = 0; at < lines->len; at += n + 1) {
		const char *p = lines->p + at;

		n = (size_t)((const char *)memchr(p, '\n', lines->len - at) - p);
		lh_json_parse(&w->json, p, n, &v, &none);
		put_item(w, &v);
	}
}

static void open_table(struct show *w)
{
	put_sample(w);
	grid_open(w, &((struct table *)w->view)->grid);
	put_sample(w);
}

static int take(struct show *w, const struct lh_output *o)
{
	struct table *t = w->view;
	struct lh_value v;
	size_t k;

	if (lh_json_parse(&w->json, o->text, o->n, &v, &w->tool->err) < 0)
		return -1;
	if (t->grid.open) {
		put_item(w, &v);
		return 0;
	}
	k = (size_t)(kind_of(&v) - kinds);
	if (++t->count[k] > t->count[t->kind])
		t->kind = k;
	lh_buf_add(&t->lines, o->text, o->n);
	lh_buf_putc(&t->lines, '\n');
	if (++t->n >= w->s->sample || t->lines.len >= (1 << 20))
		open_table(w);
	return 0;
}

static int table_end(struct show *w)
{
	struct table *t = w->view;
	size_t i;

	if (!t->grid.open)
		open_table(w);
	for (i = 0; w->s->columns && w->shown && i < t->grid.n; i++)
		if (!t->found[i]) {
			lh_tool_warn(w->tool, "--columns: no record has \"%s\"", t->path[i].p);
			lh_tool_verdict_bad(w->tool);
		}
	return 0;
}

const struct view table_view = { sizeof(struct table), take, table_end };

/* ---- values with their paths ---- */

/* The values of a record that have no members or elements themselves, with their clean paths. */
struct leaf {
	struct lh_str path;
	size_t at;		/* of the path, in paths */
	struct lh_value v;
	bool taken;		/* the other record has it, too */
};
struct leaves {
	struct leaf *leaf;
	size_t n, cap;
	struct lh_record json;
	struct lh_buf text, paths, scratch;
};

#define PATH_WIDEST 32		/* cells; below a longer one its value is on the next line */

static void add_leaf(struct leaves *l, const struct lh_value *v, struct lh_buf *path, bool lists)
{
	size_t n = path->len, i = 0;
	struct lh_str name;
	struct lh_iter it;

	lh_iter_init(&it, v);
	if (v->type < LH_ARRAY || (lists && cell_is_list(v)) || !lh_iter_next(&it)) {
		lh_grow(&l->leaf, &l->cap, l->n + 1, sizeof *l->leaf);
		l->leaf[l->n++] = (struct leaf){ { NULL, path->len }, l->paths.len, *v, false };
		lh_buf_add(&l->paths, path->p, path->len);
		return;
	}
	do {
		lh_buf_reset(&l->scratch);
		if (!it.object) {
			lh_buf_printf(path, "[%zu]", i++);
		} else {
			lh_value_str(&it.key, &l->scratch, &name);
			lh_buf_puts(path, n ? "." : "");
			lh_escape_line(path, name.p, name.n);
		}
		add_leaf(l, &it.val, path, lists);
		path->len = n;
	} while (lh_iter_next(&it));
}

/* Fill with a text of JSON, which is copied; lists: an array of scalars is one value. */
static int leaves_read(struct leaves *l, const char *text, size_t n, bool lists, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	struct lh_value v;
	size_t i;

	l->n = 0;
	lh_buf_reset(&l->text);
	lh_buf_reset(&l->paths);
	lh_buf_add(&l->text, text, n);
	if (lh_json_parse(&l->json, l->text.p, n, &v, err) < 0)
		return -1;
	add_leaf(l, &v, &path, lists);
	for (i = 0; i < l->n; i++)
		l->leaf[i].path.p = l->paths.p ? l->paths.p + l->leaf[i].at : "";
	return 0;
}

/* ---- cards ---- */

/* Append a value; a string with its own lines, all but the first after so many cells. */
static void put_value(struct show *w, const struct lh_value *v, size_t margin)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s;
	const char *lf;

	if (v->type == LH_STRING && v->n > 2) {
		lh_value_str(v, &text, &s);
		for (; (lf = memchr(s.p, '\n', s.n)); s.p = lf + 1) {
			lh_escape_line(&w->out, s.p, (size_t)(lf - s.p));
			lh_buf_printf(&w->out, "\n%*s", lf[1] == '\n' ? 0 : (int)margin, "");
			s.n -= (size_t)(lf + 1 - s.p);
		}
		lh_escape_line(&w->out, s.p, s.n);
	} else {
		cell_value(&text, v, &w->scratch);
		lh_term_put(&w->out, w->colored, cell_style(v), text.p, text.len);
	}
	lh_buf_putc(&w->out, '\n');
	show_flush(w);
}

static int take_card(struct show *w, const struct lh_output *o)
{
	struct leaves *l = w->view;
	size_t i, cells, widest = 0;

	lh_buf_puts(&w->out, w->shown ? "\n--- " : "--- ");
	lh_escape_line(&w->out, o->file, strlen(o->file));
	lh_buf_printf(&w->out, ":%llu\n", (unsigned long long)o->line);
	if (leaves_read(l, o->text, o->n, true, &w->tool->err) < 0)
		return -1;
	for (i = 0; i < l->n; i++) {
		cells = lh_term_cells(l->leaf[i].path.p, l->leaf[i].path.n) + 2;
		widest = cells > widest && cells <= PATH_WIDEST ? cells : widest;
	}
	for (i = 0; i < l->n; i++) {
		const struct lh_str path = l->leaf[i].path;

		cells = path.n ? lh_term_cells(path.p, path.n) + 2 : widest;
		lh_term_put(&w->out, w->colored, LH_STYLE_KEY, path.p, path.n);
		lh_buf_printf(&w->out, cells > widest ? "\n%*s" : "%*s",
			      (int)(cells > widest ? widest : widest - cells + 2 * !!path.n), "");
		put_value(w, &l->leaf[i].v, widest);
	}
	return 0;
}

const struct view card_view = { sizeof(struct leaves), take_card, NULL };

/* ---- two records ---- */

enum { MARK, MEMBER, LEFT, RIGHT };

struct diff {
	struct grid grid;
	struct leaves side[2];
	struct lh_table by_path;	/* leaves of the right side */
	struct lh_buf texts;
	uint64_t line;			/* of the left side */
	unsigned n;
	bool differ;
};

static struct lh_str path_of(const void *side, uint32_t i)
{
	return ((const struct leaves *)side)->leaf[i].path;
}

/* Measure or write a row; one of the leaves may be NULL. */
static void put_pair(struct show *w, const struct leaf *a, const struct leaf *b)
{
	static const enum lh_style styles[] = { LH_STYLE_WARN, LH_STYLE_HEADING, LH_STYLE_BAD,
						LH_STYLE_GOOD };
	struct diff *d = w->view;
	struct grid *g = &d->grid;
	const char *mark = !b ? "<" : !a ? ">" : !lh_value_equal(&a->v, &b->v) ? "|" :
			   a->v.n == b->v.n && !memcmp(a->v.p, b->v.p, a->v.n) ? " " : "~";
	bool differ = *mark != ' ' && *mark != '~';
	size_t i, left;

	d->differ |= differ;
	lh_buf_reset(&d->texts);
	if (a)
		cell_value(&d->texts, &a->v, &w->scratch);
	left = d->texts.len;
	if (b)
		cell_value(&d->texts, &b->v, &w->scratch);
	g->text[MARK] = lh_str_of(mark);
	g->text[MEMBER] = (a ? a : b)->path;
	g->text[LEFT] = (struct lh_str){ d->texts.p, left };
	g->text[RIGHT] = (struct lh_str){ d->texts.p + left, d->texts.len - left };
	g->type[MARK] = g->type[MEMBER] = LH_STRING;
	g->type[LEFT] = a ? a->v.type : LH_NULL;
	g->type[RIGHT] = b ? b->v.type : LH_NULL;
	for (i = MARK; i <= RIGHT; i++)
		g->style[i] = differ ? styles[i] : LH_STYLE_PLAIN;
	grid_row(w, g);
}

static void put_rows(struct show *w)
{
	struct diff *d = w->view;
	struct leaves *a = &d->side[0], *b = &d->side[1];
	int64_t at;
	size_t i;

	for (i = 0; i < a->n; i++) {
		at = lh_table_find(&d->by_path, a->leaf[i].path, path_of, b);
		if (at >= 0)
			b->leaf[at].taken = true;
		put_pair(w, &a->leaf[i], at < 0 ? NULL : &b->leaf[at]);
	}
	for (i = 0; i < b->n; i++)
		if (!b->leaf[i].taken)
			put_pair(w, NULL, &b->leaf[i]);
}

static int take_pair(struct show *w, const struct lh_output *o)
{
	LH_SCOPED(lh_buf_free) struct lh_buf title = { 0 };
	struct diff *d = w->view;

	/* of two files, only the first records are taken */
	if (d->n && w->tool->n_operands == 2 && o->line > d->line &&
	    !strcmp(o->file, w->tool->operands[0]))
		return 0;
	d->line = o->line;
	if (!d->n) {
		grid_add(&d->grid, " ", 1);
		grid_add(&d->grid, "member", 6);
	}
	lh_buf_printf(&title, "%s:%llu", o->file, (unsigned long long)o->line);
	grid_add(&d->grid, title.p, title.len);
	if (leaves_read(&d->side[d->n], o->text, o->n, false, &w->tool->err) < 0)
		return -1;
	return ++d->n == 2;
}

static int diff_end(struct show *w)
{
	struct diff *d = w->view;
	struct leaves *b = &d->side[1];
	uint32_t i;

	if (d->n < 2)
		return lh_err_set(&w->tool->err, LH_EUSAGE, "--diff needs two records, and "
				  "there %s", d->n ? "is one" : "are none");
	for (i = 0; i < b->n; i++)
		lh_table_set(&d->by_path, b->leaf[i].path, i, path_of, b);
	put_rows(w);
	grid_open(w, &d->grid);
	put_rows(w);
	if (d->differ)
		lh_tool_verdict_bad(w->tool);
	return 0;
}

const struct view diff_view = { sizeof(struct diff), take_pair, diff_end };
