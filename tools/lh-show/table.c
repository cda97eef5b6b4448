/* table.c - records as the rows of a table.  See show.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "show.h"

/* ---- columns that fit a line ---- */

#define WIDEST 1000		/* cells */
#define NARROWEST 12		/* columns are left out rather than made narrower */

void grid_add(struct grid *g, const char *label, size_t n)
{
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };
	struct column *col = &g->col[g->n];

	cell_clean(&clean, label, n < CELL_MAX ? n : CELL_MAX);
	if (!n)
		lh_buf_puts(&clean, "\"\"");
	*col = (struct column){ .width = 2 };
	col->label = lh_strndup(clean.p, clean.len);
	g->n++;
}

static void widen(struct column *col, const char *p, size_t n)
{
	size_t cells = lh_term_cells(p, n);

	if (cells > col->width)
		col->width = cells < WIDEST ? cells : WIDEST;
}

void grid_measure(struct grid *g)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		widen(&g->col[i], g->text[i].p, g->text[i].n);
		g->col[i].numbers |= g->type[i] == LH_NUMBER;
		g->col[i].others |= g->type[i] != LH_NUMBER && g->type[i] != LH_NULL;
	}
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

/* Append a text to a column; where the line has a limit, what is wider is cut. */
static void put(struct show *w, const struct grid *g, size_t i, struct lh_str text,
		enum lh_style style, size_t *gap)
{
	const struct column *col = &g->col[i];
	size_t cells = lh_term_cells(text.p, text.n), n = text.n;
	bool cut = w->width && cells > col->width && !col->numbers;

	if (cut) {
		n = lh_term_fit(text.p, text.n, col->width - 1);
		cells = lh_term_cells(text.p, n) + 1;
	}
	if (col->numbers && cells < col->width)
		*gap += col->width - cells;
	if (text.n) {
		lh_buf_printf(&w->out, "%*s", (int)*gap, "");
		marks_put(w, style, text.p, n);
		if (cut)
			lh_buf_puts(&w->out, CELL_MORE);
		*gap = 0;
	}
	if (!col->numbers || !text.n)
		*gap += col->width > cells ? col->width - cells : 0;
	*gap += 2;
}

void grid_open(struct show *w, struct grid *g)
{
	size_t i, j, most = WIDEST, gap = 0;

	for (i = 0; i < g->n; i++) {
		widen(&g->col[i], g->col[i].label, strlen(g->col[i].label));
		g->col[i].numbers &= !g->col[i].others;
	}
	g->shown = g->n;
	while (w->width && g->shown > 1 && line_of(g, NARROWEST) > w->width)
		g->shown--;
	while (w->width && most > 2 && line_of(g, most) > w->width)
		most--;
	for (i = 0; i < g->shown; i++) {
		g->col[i].width = width_of(&g->col[i], most);
		put(w, g, i, lh_str_of(g->col[i].label), LH_STYLE_HEADING, &gap);
	}
	if (g->n && (g->shown < g->n || g->more)) {
		lh_buf_printf(&w->out, "%*s", (int)gap, "");
		lh_buf_printf(&w->out, g->more ? "+more" : "+%zu", g->n - g->shown);
	}
	for (i = 0; i < g->shown; i++) {
		lh_buf_puts(&w->out, i ? "  " : "\n");
		for (j = 0; j < g->col[i].width; j++)
			lh_buf_putc(&w->out, '-');
	}
	if (g->n)
		lh_buf_putc(&w->out, '\n');
}

void grid_row(struct show *w, const struct grid *g)
{
	size_t i, gap = 0;

	for (i = 0; i < g->shown; i++)
		put(w, g, i, g->text[i], g->style[i], &gap);
	lh_buf_putc(&w->out, '\n');
}

void grid_free(struct grid *g)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		free(g->col[i].label);
}

/* ---- a table ---- */

/*
 * The first ones, the sample, are kept; they give the
 * columns and their widths, and all later rows are written as they come.
 */

struct table {
	struct grid grid;
	struct lh_str path[COLUMNS_MAX];	/* owned */
	bool found[COLUMNS_MAX];	/* a record has it */
	const struct kind *kind;
	struct lh_buf lines, texts;	/* the sample, each with its LF; the row */
	uint64_t n;			/* records in it */
	enum { KIND, CHOOSE, MEASURE, WRITE } step;
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
	const struct kind *k;
	struct lh_value cell;
	char path[1024];
	size_t n, len, label;

	for (; *list; list += n + !!list[n]) {
		list += strspn(list, " ");
		len = n = strcspn(list, by);
		while (len && list[len - 1] == ' ')
			len--;
		if (!len)
			continue;
		snprintf(path, sizeof path, "%s%.*s", prefix, (int)len, list);
		dot = w->s->columns ? NULL : strrchr(path, '.');
		label = dot ? (size_t)(dot + 1 - path) : 0;
		if (label && !strcmp(dot, ".*")) {
			if (!lh_value_get(v, "metadata", &cell) || cell.type != LH_OBJECT)
				continue;
			k = kind_of(&cell, KIND_ANY);
			/* the first column of workers is the id of the hit again */
			if (*k->columns == '*')
				add_members(w, &cell, "metadata.");
			else
				add_list(w, k->columns + (k->name == KIND_WORKERS ? 13 : 0),
					 "metadata.", v);
			return;
		}
		find_cell(w->view, lh_str_of(path), v, 1, &cell);
		if (cell.p || w->s->columns)
			add(w->view, path, strlen(path), label);
	}
}

/* Choose columns for a row, or measure or append it. */
static int put_row(struct show *w, const struct lh_value *v, uint64_t rank, struct lh_err *err)
{
	struct table *t = w->view;
	struct grid *g = &t->grid;
	size_t i, at[COLUMNS_MAX];
	struct lh_value cell;
	bool any = false;

	if (t->step == CHOOSE) {
		if (w->s->columns)
			add_list(w, w->s->columns, "", v);
		else if (*t->kind->columns == '*')
			add_members(w, v, "");
		else
			add_list(w, t->kind->columns, "", v);
		return 0;
	}
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
	if (t->step == MEASURE)
		grid_measure(g);
	else if (any)
		grid_row(w, g);
	if (t->step == MEASURE || any)
		return t->step == MEASURE ? 0 : show_flush(w, err);
	lh_buf_puts(&w->out, "? ");
	cell_clean(&w->out, v->p, v->n);
	lh_buf_putc(&w->out, '\n');
	return show_flush(w, err);
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
static int put_item(struct show *w, const struct lh_value *v, struct lh_err *err)
{
	struct table *t = w->view;
	struct lh_value list;
	struct lh_iter it;
	uint64_t rank;

	if (t->kind->name != KIND_HITS || !lh_value_get(v, "results", &list) ||
	    list.type != LH_ARRAY)
		return put_row(w, v, 0, err);
	if (t->step == WRITE)
		put_query(w, v);
	for (rank = 1, lh_iter_init(&it, &list); lh_iter_next(&it); rank++)
		if (put_row(w, &it.val, rank, err) < 0)
			return -1;
	return 0;
}

/* Do a step for all of the sample. */
static int step(struct show *w, int which, struct lh_err *err)
{
	struct table *t = w->view;
	size_t at, n, k, count[KIND_COUNT] = { 0 };
	struct lh_value v;

	t->step = which;
	for (at = 0; at < t->lines.len; at += n + 1) {
		const char *p = t->lines.p + at;

		n = (size_t)((const char *)memchr(p, '\n', t->lines.len - at) - p);
		if (lh_json_parse(&w->json, p, n, &v, err) < 0)
			return -1;
		if (which != KIND && put_item(w, &v, err) < 0)
			return -1;
		k = (size_t)(kind_of(&v, w->s->kind) - kinds);
		if (which == KIND && ++count[k] > count[t->kind - kinds])
			t->kind = &kinds[k];
	}
	return 0;
}

/* Set kind, columns and widths, and write the sample. */
static int open_table(struct show *w, struct lh_err *err)
{
	struct table *t = w->view;

	t->kind = &kinds[KIND_COUNT - 1];
	if (step(w, KIND, err) < 0 || step(w, CHOOSE, err) < 0 || step(w, MEASURE, err) < 0)
		return -1;
	grid_open(w, &t->grid);
	return step(w, WRITE, err);
}

static int take(struct show *w, const struct lh_output *o, struct lh_err *err)
{
	struct table *t = w->view;
	struct lh_value v;

	if (t->step == WRITE)
		return lh_json_parse(&w->json, o->text, o->n, &v, err) < 0 ? -1 :
									     put_item(w, &v, err);
	lh_buf_add(&t->lines, o->text, o->n);
	lh_buf_putc(&t->lines, '\n');
	return ++t->n < w->s->sample && t->lines.len < (1 << 20) ? 0 : open_table(w, err);
}

static int table_end(struct show *w, struct lh_err *err)
{
	struct table *t = w->view;
	size_t i;

	if (t->step != WRITE && open_table(w, err) < 0)
		return -1;
	for (i = 0; w->s->columns && w->shown && i < t->grid.n; i++)
		if (!t->found[i]) {
			lh_tool_warn(w->tool, "--columns: no record has \"%s\"", t->path[i].p);
			lh_tool_verdict_bad(w->tool);
		}
	return 0;
}

static void table_free(struct show *w)
{
	struct table *t = w->view;
	size_t i;

	for (i = 0; i < t->grid.n; i++)
		free((char *)t->path[i].p);
	grid_free(&t->grid);
	lh_buf_free(&t->lines);
	lh_buf_free(&t->texts);
}

const struct view table_view = { sizeof(struct table), take, table_end, table_free };
