/* show.c - what all views write with.  See show.h. */
#include "show.h"

#include "text/escape.h"

#define MARKED_MAX 1000		/* bytes shown of a marked line */

int show_parse(struct show *w, const struct item *item, struct lh_value *v, struct lh_err *err)
{
	return lh_json_parse(&w->json, item->text.p, item->text.n, v, err);
}

int show_flush(struct show *w, size_t least, struct lh_err *err)
{
	int rc = 0;
	size_t i;

	if (w->out.len && w->out.len >= least)
		rc = screen_start(w, err);
	if (w->to_file) {
		if (!rc && w->out.len >= least)
			rc = lh_atomic_write(&w->page, w->out.p, w->out.len, err);
	} else if (!rc && w->out.len >= least && lh_tool_out(w->tool, w->out.p, w->out.len) < 0) {
		*err = w->tool->err;
		rc = -1;
	}
	for (i = 0; !rc && w->rows && w->out.len >= least && i < w->out.len; i++)
		w->lines += w->out.p[i] == '\n';
	if (rc < 0 || w->out.len >= least)
		lh_buf_reset(&w->out);
	return rc;
}

enum lh_style show_style(const struct lh_value *v)
{
	switch (v->type) {
	case LH_NULL:
		return LH_STYLE_DIM;
	case LH_TRUE:
	case LH_FALSE:
		return LH_STYLE_LITERAL;
	case LH_NUMBER:
		return LH_STYLE_NUMBER;
	default:
		return LH_STYLE_PLAIN;
	}
}

void show_spaces(struct lh_buf *out, size_t n)
{
	char *to = lh_buf_room(out, n);

	if (to) {
		memset(to, ' ', n);
		lh_buf_took(out, n);
	}
}

void show_text(struct show *w, enum lh_style style, const char *p, size_t n)
{
	static const char *const class[] = {
		[LH_STYLE_DIM] = "null", [LH_STYLE_GOOD] = "good", [LH_STYLE_WARN] = "warn",
		[LH_STYLE_BAD] = "bad",
	};

	if (!w->s->html) {
		lh_term_put(&w->out, w->colored, style, p, n);
		return;
	}
	if (class[style])
		lh_buf_printf(&w->out, "<span class=\"%s\">", class[style]);
	lh_html_data(&w->out, p, n);
	if (class[style])
		lh_buf_puts(&w->out, "</span>");
}

void show_marked(struct show *w, const struct item *item)
{
	struct lh_str text = item->text.n || !item->why ? item->text : lh_str_of(item->why);
	size_t n = text.n < MARKED_MAX ? text.n : MARKED_MAX;
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };

	while (n < text.n && n > MARKED_MAX - 4 && (text.p[n] & 0xc0) == 0x80)
		n--;
	cell_clean(&clean, text.p, n);
	if (n < text.n)
		lh_buf_printf(&clean, CELL_MORE "+%zu bytes", text.n - n);
	if (!w->s->html) {
		size_t at, len, next;

		for (at = 0; at < clean.len; at += next) {
			show_text(w, item->why ? LH_STYLE_BAD : LH_STYLE_DIM,
				  at ? "  " : item->why ? "! " : "? ", 2);
			len = cell_line(clean.p + at, clean.len - at,
					w->width > 4 ? w->width - 2 : 0, &next);
			show_text(w, LH_STYLE_PLAIN, clean.p + at, len);
			lh_buf_putc(&w->out, '\n');
		}
	} else {
		if (w->span)
			lh_buf_printf(&w->out, "<tr><td colspan=\"%zu\">", w->span);
		else
			lh_buf_puts(&w->out, "<p>");
		show_text(w, item->why ? LH_STYLE_BAD : LH_STYLE_DIM, clean.p, clean.len);
		lh_buf_putc(&w->out, '\n');
	}
	w->out.failed = w->out.failed ? w->out.failed : clean.failed;
}

void show_page_open(struct show *w, const char *style)
{
	if (w->s->html)
		lh_html_open(&w->out, "Records", style);
}

void show_page_close(struct show *w)
{
	if (w->s->html)
		lh_html_close(&w->out);
}
