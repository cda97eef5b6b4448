/*
 * card.c - --card: a record a screen, its names and values one below the other, what is
 * nested indented.
 */
#include "show.h"
#include "text/escape.h"

#define INDENT 2
#define NAME_WIDEST 24
#define VALUE_LEAST 16		/* cells of a value, however deep it is */

static const char page_style[] =
	"dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.1rem 1rem;"
	"margin:0}\n"
	"dl dl{border-left:1px solid var(--line);padding-left:.8rem}\n"
	"dd{margin:0;white-space:pre-wrap;overflow-wrap:break-word;min-width:0}\n"
	"dt{overflow-wrap:break-word}.null{color:var(--dim)}\n"
	".card{border:1px solid var(--line);border-radius:.3rem;padding:.8rem;margin:1rem 0}\n"
	".bad{background:none;color:var(--bad)}\n";

static int put_members(struct show *w, const struct lh_value *v, size_t indent,
		       struct lh_err *err);

/* Set *text to the clean name of a child, in *b: a member's name, or "[0]". */
static void name_of(const struct lh_iter *it, size_t i, struct lh_buf *b, struct lh_buf *scratch)
{
	struct lh_str name;

	lh_buf_reset(b);
	lh_buf_reset(scratch);
	if (!it->object) {
		lh_buf_printf(b, "[%zu]", i);
	} else {
		lh_value_str(&it->key, scratch, &name);
		cell_clean(b, name.p, name.n);
		if (!name.n)
			lh_buf_puts(b, "\"\"");
	}
}

/* Return whether the value is shown below its name, indented. */
static bool is_nested(const struct lh_value *v)
{
	struct lh_iter it;

	if (v->type < LH_ARRAY)
		return false;
	lh_iter_init(&it, v);
	if (v->type == LH_OBJECT || v->n > CELL_MAX)
		return lh_iter_next(&it);
	while (lh_iter_next(&it))
		if (it.val.type >= LH_ARRAY)
			return true;
	return false;
}

/* Return the cells that the names of the children are given. */
static void name_width(struct show *w, const struct lh_value *v, size_t *width)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	struct lh_iter it;
	size_t i = 0, cells;

	*width = 0;
	for (lh_iter_init(&it, v); *width < NAME_WIDEST && lh_iter_next(&it); i++) {
		if (is_nested(&it.val))
			continue;
		name_of(&it, i, &name, &w->scratch);
		cells = cell_width(name.p, name.len);
		if (cells > *width)
			*width = cells < NAME_WIDEST ? cells : NAME_WIDEST;
	}
}

/* Append one line of text wrapped; all lines but the first of the value begin at margin. */
static void put_wrapped(struct show *w, enum lh_style style, const char *p, size_t n,
			size_t margin, bool *first)
{
	size_t at = 0, len, next, room = 0;

	if (w->width)
		room = w->width > margin + VALUE_LEAST ? w->width - margin : VALUE_LEAST;
	do {
		len = cell_line(p + at, n - at, room, &next);
		if (!*first && len)
			show_spaces(&w->out, margin);
		show_text(w, style, p + at, len);
		lh_buf_putc(&w->out, '\n');
		*first = false;
		at += next;
	} while (at < n);
}

/* Append a string with its own lines. */
static int put_string(struct show *w, const struct lh_value *v, size_t margin, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, clean = { 0 };
	const char *p, *end, *lf;
	bool first = true;
	struct lh_str s;
	int rc = 0;

	lh_value_str(v, &text, &s);
	for (p = s.p, end = s.p + s.n; !rc && p <= end; p = lf + 1) {
		lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		lf = lf ? lf : end;
		lh_buf_reset(&clean);
		cell_clean(&clean, p, (size_t)(lf - p));
		put_wrapped(w, LH_STYLE_PLAIN, clean.p ? clean.p : "", clean.len, margin,
			    &first);
		rc = show_flush(w, SHOW_BLOCK, err);
	}
	return rc;
}

static int put_plain(struct show *w, const struct lh_value *v, size_t margin, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	bool first = true;

	if (v->type == LH_STRING && v->n > 2)
		return put_string(w, v, margin, err);
	cell_value(&text, v, &w->scratch);
	put_wrapped(w, show_style(v), text.p, text.len, margin, &first);
	return 0;
}

/* Append one child: its name, and its value next to it or below. */
static int put_child(struct show *w, const struct lh_iter *it, size_t i, size_t indent,
		     size_t names, struct lh_err *err)
{
	size_t margin = indent + names + 2, cells;
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };

	name_of(it, i, &name, &w->scratch);
	show_spaces(&w->out, indent);
	show_text(w, LH_STYLE_KEY, name.p, name.len);
	cells = cell_width(name.p ? name.p : "", name.len);
	if (is_nested(&it->val)) {
		lh_buf_putc(&w->out, '\n');
		return put_members(w, &it->val, indent + INDENT, err);
	}
	if (cells <= names) {
		show_spaces(&w->out, names - cells + 2);
	} else {
		lh_buf_putc(&w->out, '\n');
		show_spaces(&w->out, margin);
	}
	return put_plain(w, &it->val, margin, err);
}

static int put_members(struct show *w, const struct lh_value *v, size_t indent,
		       struct lh_err *err)
{
	struct lh_iter it;
	size_t i = 0, names;

	if (w->width && indent > w->width / 2)
		indent = w->width / 2;
	name_width(w, v, &names);
	for (lh_iter_init(&it, v); lh_iter_next(&it); i++)
		if (put_child(w, &it, i, indent, names, err) < 0 ||
		    show_flush(w, SHOW_BLOCK, err) < 0)
			return -1;
	return 0;
}

/* ---- the page ---- */

static int put_html(struct show *w, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	lh_buf_puts(&w->out, "<dl>\n");
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); i++) {
		name_of(&it, i, &text, &w->scratch);
		lh_buf_puts(&w->out, "<dt>");
		lh_html_data(&w->out, text.p, text.len);
		lh_buf_puts(&w->out, "</dt><dd>");
		lh_buf_reset(&text);
		if (is_nested(&it.val))
			rc = put_html(w, &it.val, err);
		else
			cell_value(&text, &it.val, &w->scratch);
		show_text(w, show_style(&it.val), text.p, text.len);
		lh_buf_puts(&w->out, "</dd>\n");
		if (!rc)
			rc = show_flush(w, SHOW_BLOCK, err);
	}
	lh_buf_puts(&w->out, "</dl>\n");
	return rc;
}

/* ---- the view ---- */

/* Append "--- a.jsonl:3 ---", to the width. */
static void put_title(struct show *w, const struct item *item)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	size_t cells, line = w->width ? w->width : 80;

	cell_clean(&name, item->file, strlen(item->file));
	lh_buf_printf(&name, ":%llu", (unsigned long long)item->line);
	if (w->s->html) {
		lh_buf_puts(&w->out, "<p class=\"note\">");
		lh_html_data(&w->out, name.p, name.len);
		lh_buf_puts(&w->out, "</p>\n");
	} else if (name.p) {
		cells = cell_width(name.p, name.len);
		show_text(w, LH_STYLE_DIM, "--- ", 4);
		show_text(w, LH_STYLE_HEADING, name.p, name.len);
		lh_buf_putc(&w->out, ' ');
		for (cells += 5; cells < line; cells++)
			lh_buf_putc(&w->out, '-');
		lh_buf_putc(&w->out, '\n');
	}
}

static int begin(struct show *w, struct lh_err *err)
{
	(void)err;
	show_page_open(w, page_style);
	return 0;
}

/* Append a value that is shown on its own. */
static int put_alone(struct show *w, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (!w->s->html)
		return put_plain(w, v, 0, err);
	cell_value(&text, v, &w->scratch);
	show_text(w, show_style(v), text.p, text.len);
	return 0;
}

static int put_card(struct show *w, const struct lh_value *v, struct lh_err *err)
{
	int rc;

	if (!w->s->html)
		return is_nested(v) ? put_members(w, v, 0, err) : put_alone(w, v, err);
	lh_buf_puts(&w->out, "<div class=\"card\">\n");
	rc = is_nested(v) ? put_html(w, v, err) : put_alone(w, v, err);
	lh_buf_puts(&w->out, "</div>\n");
	return rc;
}

/* End a card: with empty lines up to the next screen of the pager, or with one. */
static int next_card(struct show *w, struct lh_err *err)
{
	size_t page = w->rows > 1 ? w->rows - 1 : 0, n;

	if (!w->shown || w->s->html)
		return 0;
	lh_buf_putc(&w->out, '\n');
	if (show_flush(w, 0, err) < 0)
		return -1;
	for (n = w->lines; page && n % page; n++)
		lh_buf_putc(&w->out, '\n');
	if (show_flush(w, 0, err) < 0)
		return -1;
	w->lines = 0;
	return 0;
}

static int take(struct show *w, const struct item *item, struct lh_err *err)
{
	struct lh_value v;

	if (next_card(w, err) < 0)
		return -1;
	if (item->why) {
		show_marked(w, item);
		return show_flush(w, SHOW_BLOCK, err);
	}
	put_title(w, item);
	if (show_parse(w, item, &v, err) < 0 || put_card(w, &v, err) < 0)
		return -1;
	return show_flush(w, w->rows ? 0 : SHOW_BLOCK, err);
}

static int card_end(struct show *w, struct lh_err *err)
{
	show_page_close(w);
	return show_flush(w, 0, err);
}

const struct view card_view = { begin, take, card_end, NULL };
