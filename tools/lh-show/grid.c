/* grid.c - columns of text that fit a line.  See show.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "show.h"

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
