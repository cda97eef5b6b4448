/* tree.c - an answer as a tree, for a terminal. */
#include "text/escape.h"
#include "trace.h"

struct tree {
	struct lh_buf *out;
	bool colored;
	size_t width;		/* of the terminal; 0: do not wrap */
	struct lh_buf prefix;	/* before the lines of the present step's children */
	struct lh_buf text, shown;
	size_t cells;		/* of the present line */
	size_t indent;		/* of its continuations, after the prefix */
};

/* Escape what could move or hide text. */
static void make_shown(struct tree *t)
{
	size_t i, n;

	lh_buf_reset(&t->shown);
	for (i = 0; i < t->text.len; i += n ? n : 1) {
		n = lh_escape_char_len(t->text.p + i, t->text.len - i);
		if (n)
			lh_buf_add(&t->shown, t->text.p + i, n);
		else
			lh_buf_printf(&t->shown, "\\x%02x", (unsigned char)t->text.p[i]);
	}
}

/* Begin a continuation line. */
static void wrap(struct tree *t)
{
	size_t i;

	lh_buf_putc(t->out, '\n');
	lh_buf_add(t->out, t->prefix.p, t->prefix.len);
	for (i = 0; i < t->indent; i++)
		lh_buf_putc(t->out, ' ');
	t->cells = lh_term_cells(t->prefix.p, t->prefix.len) + t->indent;
}

/* Put text, cut where the line ends. */
static void put(struct tree *t, enum lh_style style, const char *p, size_t n)
{
	size_t room, piece;

	while (n) {
		room = t->width > t->cells ? t->width - t->cells : 0;
		piece = t->width ? lh_term_fit(p, n, room) : n;
		if (!piece && t->cells > lh_term_cells(t->prefix.p, t->prefix.len) + t->indent) {
			wrap(t);
			continue;
		}
		piece = piece ? piece : n;	/* no room for one character: let it overflow */
		lh_term_put(t->out, t->colored, style, p, piece);
		t->cells += lh_term_cells(p, piece);
		p += piece;
		n -= piece;
	}
}

/* Put two spaces, or begin a new line if what follows does not fit. */
static void part(struct tree *t, size_t cells)
{
	if (t->width && t->cells + 2 + cells > t->width) {
		wrap(t);
		return;
	}
	lh_buf_puts(t->out, "  ");
	t->cells += 2;
}

static void put_field(struct tree *t, const struct lh_value *name, const struct lh_value *v)
{
	enum lh_style style = value_style(name, v);
	size_t n = name->n - 2;

	lh_buf_reset(&t->text);
	value_text(&t->text, name, v, true);
	if (!t->text.len)
		return;
	make_shown(t);
	part(t, n + 1 + lh_term_cells(t->shown.p, t->shown.len));
	put(t, LH_STYLE_DIM, name->p + 1, n);
	put(t, LH_STYLE_PLAIN, " ", 1);
	put(t, style, t->shown.p, t->shown.len);
}

/* Put the line of a step: its name, its place, its fields. */
static void put_step(struct tree *t, const struct lh_value *step)
{
	struct lh_iter it;

	t->indent = 4;
	lh_buf_reset(&t->text);
	text_of(&t->text, step, "step");
	make_shown(t);
	put(t, LH_STYLE_KEY, t->shown.p, t->shown.len);
	lh_buf_reset(&t->text);
	place_of(&t->text, step);
	make_shown(t);
	if (t->shown.len) {
		part(t, lh_term_cells(t->shown.p, t->shown.len));
		put(t, LH_STYLE_HEADING, t->shown.p, t->shown.len);
	}
	for (lh_iter_init(&it, step); lh_iter_next(&it); )
		if (is_field(step, &it.key, true))
			put_field(t, &it.key, &it.val);
	lh_buf_putc(t->out, '\n');
}

static void put_steps(struct tree *t, const struct lh_value *of);

/* Put a step and what is below it. */
static void put_branch(struct tree *t, const struct lh_value *step, bool last)
{
	size_t n = t->prefix.len;

	lh_buf_add(t->out, t->prefix.p, n);
	lh_buf_puts(t->out, last ? "└─ " : "├─ ");
	lh_buf_puts(&t->prefix, last ? "   " : "│  ");
	t->cells = lh_term_cells(t->prefix.p, t->prefix.len);
	put_step(t, step);
	put_steps(t, step);
	t->prefix.len = n;
}

static void put_steps(struct tree *t, const struct lh_value *of)
{
	struct lh_value steps, step;
	struct lh_iter it;
	bool more;

	if (!lh_value_get(of, "steps", &steps) || steps.type != LH_ARRAY)
		return;
	lh_iter_init(&it, &steps);
	more = lh_iter_next(&it);
	while (more) {
		step = it.val;
		more = lh_iter_next(&it);
		put_branch(t, &step, !more);
	}
}

/* Put the elements of a list, one a line, without a tree. */
static void put_list(struct tree *t, const struct lh_value *answer, const char *name)
{
	struct lh_value list;
	struct lh_iter of, it;

	if (!lh_value_get(answer, name, &list) || list.type != LH_ARRAY)
		return;
	for (lh_iter_init(&of, &list); lh_iter_next(&of); ) {
		t->indent = 4;
		t->cells = strlen(name) + 2;
		lh_buf_puts(t->out, "  ");
		lh_term_put(t->out, t->colored, LH_STYLE_DIM, name, strlen(name));
		for (lh_iter_init(&it, &of.val); lh_iter_next(&it); )
			put_field(t, &it.key, &it.val);
		lh_buf_putc(t->out, '\n');
	}
}

/* Put the operand, and what it is. */
static void put_head(struct tree *t, const struct lh_value *answer)
{
	struct lh_value v;
	const char *what = "nowhere";

	lh_buf_reset(&t->text);
	text_of(&t->text, answer, "operand");
	make_shown(t);
	put(t, LH_STYLE_HEADING, t->shown.p, t->shown.len);
	lh_buf_reset(&t->text);
	text_of(&t->text, answer, "as");
	if (t->text.len)
		what = NULL;
	else if (lh_value_get(answer, "candidates", &v))
		what = "ambiguous";
	lh_buf_puts(&t->text, what ? what : "");
	make_shown(t);
	part(t, t->shown.len);
	put(t, what ? LH_STYLE_BAD : LH_STYLE_DIM, t->shown.p, t->shown.len);
	if (lh_value_get(answer, "more", &v)) {
		lh_buf_puts(t->out, "  more ");
		lh_buf_add(t->out, v.p, v.n);
	}
	lh_buf_putc(t->out, '\n');
}

void tree_print(struct lh_buf *out, const struct lh_value *answer, bool colored, size_t width)
{
	struct tree t = { .out = out, .colored = colored, .width = width };

	put_head(&t, answer);
	put_steps(&t, answer);
	put_list(&t, answer, "candidates");
	put_list(&t, answer, "searched");
	lh_buf_free(&t.prefix);
	lh_buf_free(&t.text);
	lh_buf_free(&t.shown);
}
