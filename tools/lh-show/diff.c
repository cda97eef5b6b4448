/* diff.c - --diff: two records next to each other, a row for each value of either. */
#include "base/table.h"
#include "show.h"

enum { MARK, MEMBER, LEFT, RIGHT };

struct diff {
	struct grid grid;
	struct leaves side[2];
	struct lh_table by_path;	/* leaves of the right side */
	struct lh_buf texts;
	uint64_t line;			/* of the left side */
	unsigned n;
	bool measuring, differ;
};

static struct lh_str path_of(const void *side, uint32_t i)
{
	return ((const struct leaves *)side)->leaf[i].path;
}

/* Measure or append a row; one of the leaves may be NULL. */
static int put_row(struct show *w, const struct leaf *a, const struct leaf *b, struct lh_err *err)
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
	if (d->measuring) {
		grid_measure(g);
		return 0;
	}
	grid_row(w, g);
	return show_flush(w, err);
}

static int put_rows(struct show *w, struct lh_err *err)
{
	struct diff *d = w->view;
	struct leaves *a = &d->side[0], *b = &d->side[1];
	int64_t at;
	size_t i;

	for (i = 0; i < a->n; i++) {
		at = lh_table_find(&d->by_path, a->leaf[i].path, path_of, b);
		if (at >= 0)
			b->leaf[at].taken = true;
		if (put_row(w, &a->leaf[i], at < 0 ? NULL : &b->leaf[at], err) < 0)
			return -1;
	}
	for (i = 0; i < b->n; i++)
		if (!b->leaf[i].taken && put_row(w, NULL, &b->leaf[i], err) < 0)
			return -1;
	return 0;
}

static int take(struct show *w, const struct lh_output *o, struct lh_err *err)
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
	if (leaves_read(&d->side[d->n], o->text, o->n, false, err) < 0)
		return -1;
	return ++d->n == 2;
}

static int diff_end(struct show *w, struct lh_err *err)
{
	struct diff *d = w->view;
	struct leaves *b = &d->side[1];
	uint32_t i;

	if (d->n < 2)
		return lh_err_set(err, LH_EUSAGE, "--diff needs two records, and there %s",
				  d->n ? "is one" : "are none");
	for (i = 0; i < b->n; i++)
		lh_table_set(&d->by_path, b->leaf[i].path, i, path_of, b);
	d->measuring = true;
	if (put_rows(w, err) < 0)
		return -1;
	d->measuring = false;
	grid_open(w, &d->grid);
	if (put_rows(w, err) < 0)
		return -1;
	if (d->differ)
		lh_tool_verdict_bad(w->tool);
	return 0;
}

static void diff_free(struct show *w)
{
	struct diff *d = w->view;

	leaves_free(&d->side[0]);
	leaves_free(&d->side[1]);
	lh_table_free(&d->by_path);
	lh_buf_free(&d->texts);
	grid_free(&d->grid);
}

const struct view diff_view = { sizeof(struct diff), take, diff_end, diff_free };
