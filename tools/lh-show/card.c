/*
 * card.c - --card and --diff: the values of one record, or of two next to each other.  See show.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"
#include "show.h"

/* ---- values with their paths ---- */

#define PATH_WIDEST 32		/* cells; below a longer one its value is on the next line */

static int add(struct leaves *l, const struct lh_value *v, struct lh_buf *path, bool lists,
	       struct lh_err *err)
{
	size_t n = path->len, i = 0;
	struct lh_str name;
	struct lh_iter it;

	lh_iter_init(&it, v);
	if (v->type < LH_ARRAY || (lists && cell_is_list(v)) || !lh_iter_next(&it)) {
		lh_grow(&l->leaf, &l->cap, l->n + 1, sizeof *l->leaf);
		l->leaf[l->n++] = (struct leaf){ { NULL, path->len }, l->paths.len, *v, false };
		lh_buf_add(&l->paths, path->p, path->len);
		return 0;
	}
	do {
		lh_buf_reset(&l->scratch);
		if (!it.object) {
			lh_buf_printf(path, "[%zu]", i++);
		} else {
			lh_value_str(&it.key, &l->scratch, &name);
			lh_buf_puts(path, n ? "." : "");
			cell_clean(path, name.p, name.n);
		}
		if (add(l, &it.val, path, lists, err) < 0)
			return -1;
		path->len = n;
	} while (lh_iter_next(&it));
	return 0;
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
	if (lh_json_parse(&l->json, l->text.p, n, &v, err) < 0 ||
	    add(l, &v, &path, lists, err) < 0)
		return -1;
	for (i = 0; i < l->n; i++)
		l->leaf[i].path.p = l->paths.p ? l->paths.p + l->leaf[i].at : "";
	return 0;
}

static void leaves_free(struct leaves *l)
{
	free(l->leaf);
	lh_record_free(&l->json);
	lh_buf_free(&l->text);
	lh_buf_free(&l->paths);
	lh_buf_free(&l->scratch);
}

/* ---- cards ---- */

/* Append a value; a string with its own lines, all but the first after so many cells. */
static int put_value(struct show *w, const struct lh_value *v, size_t margin, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s;
	const char *lf;

	if (v->type == LH_STRING && v->n > 2) {
		lh_value_str(v, &text, &s);
		for (; (lf = memchr(s.p, '\n', s.n)); s.p = lf + 1) {
			cell_clean(&w->out, s.p, (size_t)(lf - s.p));
			lh_buf_printf(&w->out, "\n%*s", lf[1] == '\n' ? 0 : (int)margin, "");
			s.n -= (size_t)(lf + 1 - s.p);
		}
		cell_clean(&w->out, s.p, s.n);
	} else {
		cell_value(&text, v, &w->scratch);
		lh_term_put(&w->out, w->colored, cell_style(v), text.p, text.len);
	}
	lh_buf_putc(&w->out, '\n');
	return show_flush(w, err);
}

static int take_card(struct show *w, const struct lh_output *o, struct lh_err *err)
{
	struct leaves *l = w->view;
	size_t i, cells, widest = 0;

	lh_buf_puts(&w->out, w->shown ? "\n--- " : "--- ");
	cell_clean(&w->out, o->file, strlen(o->file));
	lh_buf_printf(&w->out, ":%llu\n", (unsigned long long)o->line);
	if (leaves_read(l, o->text, o->n, true, err) < 0)
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
		if (put_value(w, &l->leaf[i].v, widest, err) < 0)
			return -1;
	}
	return 0;
}

static void card_free(struct show *w)
{
	leaves_free(w->view);
}

const struct view card_view = { sizeof(struct leaves), take_card, NULL, card_free };

/* ---- two records ---- */

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

static int take_pair(struct show *w, const struct lh_output *o, struct lh_err *err)
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

const struct view diff_view = { sizeof(struct diff), take_pair, diff_end, diff_free };
