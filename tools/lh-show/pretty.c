/*
 * pretty.c - --json: values over several lines, in colour.  Numbers and strings are as they
 * were written, except that a character that could harm a terminal is \uXXXX.
 */
#include "show.h"

#define INDENT 2

static int put_value(struct show *w, const struct lh_value *v, size_t depth, struct lh_err *err);

static void put_token(struct show *w, enum lh_style style, const struct lh_value *v)
{
	lh_buf_reset(&w->scratch);
	cell_clean(&w->scratch, v->p, v->n);
	show_text(w, style, w->scratch.p, w->scratch.len);
	w->out.failed = w->out.failed ? w->out.failed : w->scratch.failed;
}

static void new_line(struct show *w, size_t depth)
{
	lh_buf_putc(&w->out, '\n');
	show_spaces(&w->out, depth * INDENT);
}

static int put_children(struct show *w, const struct lh_value *v, size_t depth,
			struct lh_err *err)
{
	struct lh_iter it;
	bool any = false;

	lh_buf_putc(&w->out, v->type == LH_OBJECT ? '{' : '[');
	for (lh_iter_init(&it, v); lh_iter_next(&it); any = true) {
		if (any)
			lh_buf_putc(&w->out, ',');
		new_line(w, depth + 1);
		if (it.object) {
			put_token(w, LH_STYLE_KEY, &it.key);
			lh_buf_puts(&w->out, ": ");
		}
		if (put_value(w, &it.val, depth + 1, err) < 0 ||
		    show_flush(w, SHOW_BLOCK, err) < 0)
			return -1;
	}
	if (any)
		new_line(w, depth);
	lh_buf_putc(&w->out, v->type == LH_OBJECT ? '}' : ']');
	return 0;
}

static int put_value(struct show *w, const struct lh_value *v, size_t depth, struct lh_err *err)
{
	if (v->type >= LH_ARRAY)
		return put_children(w, v, depth, err);
	put_token(w, v->type == LH_STRING ? LH_STYLE_STRING : show_style(v), v);
	return 0;
}

static int begin(struct show *w, struct lh_err *err)
{
	(void)err;
	show_page_open(w, "body{max-width:none}pre{white-space:pre-wrap;overflow-wrap:break-word}\n"
			  ".null{color:var(--dim)}.bad{background:none;color:var(--bad)}\n");
	return 0;
}

static int take(struct show *w, const struct item *item, struct lh_err *err)
{
	struct lh_value v;

	if (item->why) {
		show_marked(w, item);
		return show_flush(w, SHOW_BLOCK, err);
	}
	if (w->s->html)
		lh_buf_puts(&w->out, "<pre>");
	if (show_parse(w, item, &v, err) < 0 || put_value(w, &v, 0, err) < 0)
		return -1;
	lh_buf_puts(&w->out, w->s->html ? "</pre>\n" : "\n");
	return show_flush(w, SHOW_BLOCK, err);
}

static int end(struct show *w, struct lh_err *err)
{
	show_page_close(w);
	return show_flush(w, 0, err);
}

const struct view pretty_view = { begin, take, end, NULL };
