/*
 * diff.c - --diff: two records next to each other, a row for each member of either, marked
 * where they differ.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "columns.h"
#include "show.h"

enum { MARK, MEMBER, LEFT, RIGHT, N_COLUMNS };

struct diff {
	struct columns columns;
	struct lh_buf text[2], title;	/* of the two records; they stay */
	unsigned n;
	struct lh_record json[2];
	struct lh_buf path;
	bool measuring, differ;
};

static int compare(struct show *w, const struct lh_value *a, const struct lh_value *b,
		   struct lh_err *err);

/* Return the mark of a pair, one of which may be NULL. */
static const char *mark_of(const struct lh_value *a, const struct lh_value *b)
{
	if (!b)
		return "<";
	if (!a)
		return ">";
	if (!lh_value_equal(a, b))
		return "|";
	return a->n == b->n && !memcmp(a->p, b->p, a->n) ? " " : "~";
}

/* Set the text of a side. */
static void put_side(struct columns *c, size_t i, const struct lh_value *v)
{
	size_t start = c->texts.len;

	c->cell[i] = v ? *v : (struct lh_value){ .p = NULL };
	c->text[i].n = 0;
	if (!v)
		return;
	cell_value(&c->texts, v, &c->scratch);
	c->text[i].n = c->texts.len - start;
}

/* Measure or append the row of the path. */
static int put_row(struct show *w, const struct lh_value *a, const struct lh_value *b,
		   struct lh_err *err)
{
	static const struct lh_value text = { "\"\"", 2, LH_STRING, false };
	struct diff *d = w->view;
	struct columns *c = &d->columns;
	const char *mark = mark_of(a, b);
	bool differ = *mark != ' ' && *mark != '~';
	size_t i;

	d->differ |= differ;
	lh_buf_reset(&c->texts);
	put_side(c, LEFT, a);
	put_side(c, RIGHT, b);
	c->cell[MARK] = c->cell[MEMBER] = text;
	c->text[MARK] = lh_str_of(mark);
	c->text[MEMBER] = (struct lh_str){ d->path.p, d->path.len };
	c->text[LEFT].p = c->texts.p;
	c->text[RIGHT].p = c->texts.p + c->text[LEFT].n;
	if (d->measuring) {
		columns_measure(c);
		return 0;
	}
	for (i = 0; i < N_COLUMNS; i++)
		c->style[i] = !differ	  ? LH_STYLE_PLAIN :
			      i == MEMBER ? LH_STYLE_HEADING :
			      i == MARK	  ? LH_STYLE_WARN :
			      i == LEFT	  ? LH_STYLE_BAD :
					    LH_STYLE_GOOD;
	table_put_row(w, c);
	return show_flush(w, SHOW_BLOCK, err);
}

/* Append a name to the path. */
static void put_name(struct diff *d, const struct lh_value *key)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str name;

	lh_value_str(key, &text, &name);
	if (d->path.len)
		lh_buf_putc(&d->path, '.');
	cell_clean(&d->path, name.p, name.n);
}

/* Find the member with the name of key, first where the last search ended. */
static const struct lh_value *find_member(const struct lh_value *in, struct lh_iter *next,
					  const struct lh_value *key, struct lh_buf *scratch)
{
	struct lh_str name;
	size_t round;

	lh_buf_reset(scratch);
	lh_value_str(key, scratch, &name);
	for (round = 0; round < 2; round++, lh_iter_init(next, in))
		while (lh_iter_next(next))
			if (lh_value_is(&next->key, name.p, name.n))
				return &next->val;
	return NULL;
}

/* Compare the members of a with those of b; with only, take those that b does not have. */
static int compare_members(struct show *w, const struct lh_value *a, const struct lh_value *b,
			   bool only, struct lh_err *err)
{
	struct diff *d = w->view;
	const struct lh_value *other;
	struct lh_iter it, next;
	size_t path = d->path.len;
	int rc = 0;

	lh_iter_init(&next, b);
	for (lh_iter_init(&it, a); !rc && lh_iter_next(&it); d->path.len = path) {
		other = find_member(b, &next, &it.key, &w->scratch);
		if (only && other)
			continue;
		put_name(d, &it.key);
		if (only)
			rc = put_row(w, NULL, &it.val, err);
		else
			rc = other ? compare(w, &it.val, other, err) :
				     put_row(w, &it.val, NULL, err);
	}
	return rc;
}

static int compare_elements(struct show *w, const struct lh_value *a, const struct lh_value *b,
			    struct lh_err *err)
{
	struct diff *d = w->view;
	size_t path = d->path.len, i;
	struct lh_iter left, right;
	bool in_a = true, in_b = true;
	int rc = 0;

	lh_iter_init(&left, a);
	lh_iter_init(&right, b);
	for (i = 0; !rc; i++) {
		in_a = in_a && lh_iter_next(&left);
		in_b = in_b && lh_iter_next(&right);
		if (!in_a && !in_b)
			break;
		lh_buf_printf(&d->path, "[%zu]", i);
		rc = in_a && in_b ? compare(w, &left.val, &right.val, err) :
				    put_row(w, in_a ? &left.val : NULL, in_b ? &right.val : NULL,
					    err);
		d->path.len = path;
	}
	return rc;
}

/* Return whether the value is an array or object with children. */
static bool has_children(const struct lh_value *v)
{
	struct lh_iter it;

	if (v->type < LH_ARRAY)
		return false;
	lh_iter_init(&it, v);
	return lh_iter_next(&it);
}

static int compare(struct show *w, const struct lh_value *a, const struct lh_value *b,
		   struct lh_err *err)
{
	if (a->type != b->type || !has_children(a) || !has_children(b))
		return put_row(w, a, b, err);
	if (a->type == LH_ARRAY)
		return compare_elements(w, a, b, err);
	if (compare_members(w, a, b, false, err) < 0)
		return -1;
	return compare_members(w, b, a, true, err);
}

/* ---- the view ---- */

static int begin(struct show *w, struct lh_err *err)
{
	struct diff *d = lh_calloc(1, sizeof *d);

	(void)err;
	w->view = d;
	columns_add_list(&d->columns, "mark,member,left,right", ",", "");
	columns_label(&d->columns.col[MARK], " ", 1);
	d->columns.needed = true;
	show_page_open(w, table_style);
	return 0;
}

static int take(struct show *w, const struct item *item, struct lh_err *err)
{
	struct diff *d = w->view;

	(void)err;
	if (item->why) {
		show_marked(w, item);
		return 0;
	}
	lh_buf_reset(&d->title);
	lh_buf_printf(&d->title, "%s:%llu", item->file, (unsigned long long)item->line);
	lh_buf_add(&d->text[d->n], item->text.p, item->text.n);
	columns_label(&d->columns.col[LEFT + d->n], d->title.p, d->title.len);
	d->n++;
	return d->n == 2 || w->tool->n_operands == 2;
}

static int diff_end(struct show *w, struct lh_err *err)
{
	struct diff *d = w->view;
	struct lh_value v[2];
	size_t i;

	if (d->n < 2)
		return lh_err_set(err, LH_EUSAGE, "--diff needs two records, and there %s",
				  d->n ? "is one" : "are none");
	for (i = 0; i < 2; i++)
		if (lh_json_parse(&d->json[i], d->text[i].p, d->text[i].len, &v[i], err) < 0)
			return -1;
	d->measuring = true;
	if (compare(w, &v[0], &v[1], err) < 0)
		return -1;
	d->measuring = false;
	columns_lay_out(&d->columns, w->s->html ? 0 : w->width);
	table_put_header(w, &d->columns);
	if (compare(w, &v[0], &v[1], err) < 0)
		return -1;
	if (d->differ)
		lh_tool_verdict_bad(w->tool);
	table_put_end(w);
	show_page_close(w);
	return show_flush(w, 0, err);
}

static void diff_free(struct show *w)
{
	struct diff *d = w->view;
	size_t i;

	for (i = 0; i < 2; i++) {
		lh_buf_free(&d->text[i]);
		lh_record_free(&d->json[i]);
	}
	lh_buf_free(&d->title);
	lh_buf_free(&d->path);
	columns_free(&d->columns);
	free(d);
}

const struct view diff_view = { begin, take, diff_end, diff_free };
