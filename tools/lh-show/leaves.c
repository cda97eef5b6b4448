/* leaves.c - the values of a record with their paths, and --card, which lists them. */
#include <stdlib.h>

#include "base/mem.h"
#include "show.h"

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

int leaves_read(struct leaves *l, const char *text, size_t n, bool lists, struct lh_err *err)
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

void leaves_free(struct leaves *l)
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

static int take(struct show *w, const struct lh_output *o, struct lh_err *err)
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

const struct view card_view = { sizeof(struct leaves), take, NULL, card_free };
