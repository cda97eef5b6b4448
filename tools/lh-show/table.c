/*
 * table.c - records as the rows of a table.  The first ones, the sample, are kept; they give
 * the columns and their widths, and all later rows are written as they come.
 */
#include <stdlib.h>

#include "tool/records.h"
#include "base/mem.h"
#include "columns.h"
#include "show.h"
#include "text/escape.h"

#define SAMPLE_BYTES ((size_t)1 << 20)

struct entry {
	size_t at, n;
	bool bad;
};

struct table {
	struct columns columns;
	const struct kind *kind;
	struct lh_buf lines;		/* of the sample; then unused */
	struct entry *sample;
	size_t n, cap;
	bool laid_out;
	struct lh_path want[COLUMNS_MAX];	/* those of --columns */
};

/* ---- the rows of a value ---- */

struct rows {
	struct lh_value one;
	struct lh_iter it;
	bool nested, done;
	uint64_t rank;
};

static void rows_begin(struct rows *r, const struct table *t, const struct lh_value *v)
{
	const char *name = t->kind ? t->kind->rows : NULL;
	struct lh_value list;

	*r = (struct rows){ .one = *v };
	r->nested = name && lh_value_at(v, name, strlen(name), &list) && list.type == LH_ARRAY;
	if (r->nested)
		lh_iter_init(&r->it, &list);
}

static bool rows_next(struct rows *r, struct lh_value *row)
{
	if (r->nested) {
		if (!lh_iter_next(&r->it))
			return false;
		r->rank++;
		*row = r->it.val;
		return true;
	}
	*row = r->one;
	return !r->done && (r->done = true);
}

/* ---- writing ---- */

const char table_style[] =
	"body{max-width:none}td{white-space:pre-wrap}td.n,th.n{text-align:right}\n"
	"th,td{overflow-wrap:break-word}\n"
	".q{font-weight:600;background:var(--panel)}.null{color:var(--dim)}\n"
	".good,.bad,.warn{background:none}\n"
	".bad{color:var(--bad)}.good{color:var(--good)}.warn{color:var(--warn)}\n";

/* Return the style of a cell: verdicts are coloured by what they say. */
static enum lh_style cell_style(const struct column *col, const struct lh_value *v)
{
	static const char *const judged[] = { "category", "final_verdict", "success_score",
					      "quality_score", "observer_verdict", "result" };
	static const char *const good[] = { "accepted", "accept", "success" };
	static const char *const bad[] = { "rejected", "reject", "denied", "error", "infra_error",
					   "max_iter_exhausted", "validation_failed" };
	size_t i;

	if (v->type != LH_STRING)
		return show_style(v);
	for (i = 0; strcmp(col->label, judged[i]) != 0;)
		if (++i == sizeof judged / sizeof *judged)
			return LH_STYLE_PLAIN;
	for (i = 0; i < sizeof good / sizeof *good; i++)
		if (lh_value_is(v, good[i], strlen(good[i])))
			return LH_STYLE_GOOD;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		if (lh_value_is(v, bad[i], strlen(bad[i])))
			return LH_STYLE_BAD;
	return LH_STYLE_WARN;
}

static bool to_the_right(const struct column *col)
{
	return col->numbers && !col->others;
}

/* Return the bytes of text for one line of a column; in the last line, *more is set if that
 * is not all, and an ellipsis follows. */
static size_t next_line(const struct column *col, struct lh_str *rest, bool last, bool *more)
{
	size_t next, n = cell_line(rest->p, rest->n, col->width, &next);

	*more = last && next < rest->n;
	if (*more) {
		n = cell_fit(rest->p, rest->n, col->width - 1);
		next = rest->n;
	}
	rest->p += next;
	rest->n -= next;
	return n;
}

/* Append one line of the row; the rest of each cell remains.  Returns whether any does. */
static bool put_line(struct show *w, const struct columns *c, struct lh_str *rest, bool last)
{
	size_t i, gap = 0, n, cells, before;
	bool more, any = false;

	for (i = 0; i < c->shown; i++, gap += COLUMN_GAP) {
		const struct column *col = &c->col[i];
		const char *p = rest[i].p;

		n = next_line(col, &rest[i], last && c->cell[i].type != LH_NUMBER, &more);
		any |= rest[i].n > 0;
		cells = cell_width(p, n) + more;
		if (!n && !more) {
			gap += col->width;
			continue;
		}
		before = to_the_right(col) && cells < col->width ? col->width - cells : 0;
		show_spaces(&w->out, gap + before);
		show_text(w, (enum lh_style)c->style[i], p, n);
		if (more)
			show_text(w, LH_STYLE_DIM, CELL_MORE, strlen(CELL_MORE));
		gap = col->width > cells + before ? col->width - cells - before : 0;
	}
	lh_buf_putc(&w->out, '\n');
	return any;
}

void table_put_row(struct show *w, const struct columns *c)
{
	struct lh_str rest[COLUMNS_MAX];
	uint64_t line = 1;

	if (w->s->html) {
		size_t i;

		lh_buf_puts(&w->out, "<tr>");
		for (i = 0; i < c->shown; i++) {
			lh_buf_puts(&w->out,
				    to_the_right(&c->col[i]) ? "<td class=\"n\">" : "<td>");
			if (c->text[i].n)
				show_text(w, (enum lh_style)c->style[i], c->text[i].p,
					  c->text[i].n);
		}
		lh_buf_puts(&w->out, "\n");
		return;
	}
	memcpy(rest, c->text, c->shown * sizeof *rest);
	while (put_line(w, c, rest, line == w->most))
		line++;
}

/* Append the names of the columns, and how many there is no room for. */
static void put_names(struct show *w, const struct columns *c)
{
	size_t i, gap = 0, n, cells;
	struct lh_buf more = { 0 };

	for (i = 0; i < c->shown; i++) {
		const struct column *col = &c->col[i];

		cells = cell_width(col->label, col->label_n);
		n = cells > col->width ? cell_fit(col->label, col->label_n, col->width - 1) :
					 col->label_n;
		cells = cells > col->width ? cell_width(col->label, n) + 1 : cells;
		show_spaces(&w->out, gap + (to_the_right(col) ? col->width - cells : 0));
		show_text(w, LH_STYLE_HEADING, col->label, n);
		if (n < col->label_n)
			show_text(w, LH_STYLE_DIM, CELL_MORE, strlen(CELL_MORE));
		gap = COLUMN_GAP + (to_the_right(col) ? 0 : col->width - cells);
	}
	if (c->shown < c->n || c->left_out) {
		show_spaces(&w->out, gap);
		lh_buf_printf(&more, "+%zu", c->n - c->shown);
		show_text(w, LH_STYLE_DIM, c->left_out ? "+more" : more.p,
			  c->left_out ? 5 : more.len);
		lh_buf_free(&more);
	}
	lh_buf_putc(&w->out, '\n');
}

void table_put_header(struct show *w, struct columns *c)
{
	LH_SCOPED(lh_buf_free) struct lh_buf rule = { 0 };
	size_t i, j;

	if (!c->n)
		return;
	w->span = c->shown;
	if (w->s->html) {
		lh_buf_puts(&w->out, "<table>\n<thead><tr>");
		for (i = 0; i < c->shown; i++) {
			lh_buf_puts(&w->out,
				    to_the_right(&c->col[i]) ? "<th class=\"n\">" : "<th>");
			lh_html_data(&w->out, c->col[i].label, c->col[i].label_n);
		}
		lh_buf_puts(&w->out, "</thead>\n<tbody>\n");
		return;
	}
	put_names(w, c);
	for (i = 0; i < c->shown; i++) {
		if (i)
			show_spaces(&rule, COLUMN_GAP);
		for (j = 0; j < c->col[i].width; j++)
			lh_buf_putc(&rule, '-');
	}
	show_text(w, LH_STYLE_DIM, rule.p, rule.len);
	lh_buf_putc(&w->out, '\n');
	w->out.failed = w->out.failed ? w->out.failed : rule.failed;
}

void table_put_end(struct show *w)
{
	if (w->s->html && w->span)
		lh_buf_puts(&w->out, "</tbody>\n</table>\n");
	w->span = 0;
}

/* Append a line of its own above the table or rows, wrapped, with so many lines (0: any) at
 * most. */
static void put_heading(struct show *w, const char *mark, const struct lh_buf *text, uint64_t most)
{
	struct column line = { .width = w->width > 4 ? w->width - 2 : 0 };
	struct lh_str rest = { text->p, text->len };
	uint64_t n;
	bool more;

	w->out.failed = w->out.failed ? w->out.failed : text->failed;
	if (w->s->html) {
		if (w->span)
			lh_buf_printf(&w->out, "<tr class=\"q\"><td colspan=\"%zu\">", w->span);
		else
			lh_buf_puts(&w->out, "<p class=\"note\">");
		show_text(w, LH_STYLE_PLAIN, rest.p, rest.n);
		lh_buf_putc(&w->out, '\n');
		return;
	}
	for (n = 1; rest.n; n++) {
		const char *p = rest.p;
		size_t len = next_line(&line, &rest, n == most, &more);

		lh_buf_puts(&w->out, n == 1 ? mark : "  ");
		show_text(w, LH_STYLE_HEADING, p, len);
		if (more)
			show_text(w, LH_STYLE_DIM, CELL_MORE, strlen(CELL_MORE));
		lh_buf_putc(&w->out, '\n');
	}
}

/* Append the query that rows belong to. */
static void put_query(struct show *w, const struct lh_value *v)
{
	static const char *const names[] = { "query_text", "query", "text" };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value query;
	size_t i;

	for (i = 0; i < 3 && !lh_value_at(v, names[i], strlen(names[i]), &query);)
		i++;
	if (i == 3)
		lh_buf_puts(&text, "(a vector)");
	else
		cell_value(&text, &query, &w->scratch);
	put_heading(w, "> ", &text, 0);
}

/* Append the members of an object as "layout qg, ef 64". */
static void put_pairs(struct show *w, struct lh_buf *text, const struct lh_value *v)
{
	const char *between = "";
	struct lh_iter it;

	if (v->type != LH_OBJECT) {
		cell_value(text, v, &w->scratch);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); between = ", ") {
		lh_buf_puts(text, between);
		cell_value(text, &it.key, &w->scratch);
		lh_buf_putc(text, ' ');
		cell_value(text, &it.val, &w->scratch);
	}
}

/* Append what an answer says of its search: that a limit ended it, and what it did. */
static void put_search(struct show *w, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	const char *between = "explain: ";
	struct lh_value part;
	struct lh_iter it;

	if (lh_value_get(v, "truncated", &part) && part.type == LH_TRUE) {
		lh_buf_puts(&text, "truncated: a limit ended the search, more may match");
		put_heading(w, "= ", &text, 0);
		lh_buf_reset(&text);
	}
	if (!lh_value_get(v, "explain", &part) || part.type < LH_ARRAY)
		return;
	if (part.type == LH_OBJECT) {
		lh_buf_puts(&text, between);
		put_pairs(w, &text, &part);
	} else {
		for (lh_iter_init(&it, &part); lh_iter_next(&it); between = "; ") {
			lh_buf_puts(&text, between);
			put_pairs(w, &text, &it.val);
		}
	}
	put_heading(w, "= ", &text, 0);
}

/* Append what the rows have in a column that is left out. */
static void put_constant(struct show *w, const struct column *col)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	lh_buf_add(&text, col->label, col->label_n);
	lh_buf_puts(&text, col->same_n ? ": " : ":");
	lh_buf_add(&text, col->same, col->same_n);
	put_heading(w, "= ", &text, w->most);
}

/* Append the row, after what changes with it in the columns that are left out. */
static void put_cells(struct show *w, struct columns *c)
{
	size_t i;

	for (i = c->n; i < c->n + c->constant; i++)
		if (columns_same(c, i))
			put_constant(w, &c->col[i]);
	columns_fit(c);
	for (i = 0; i < c->shown; i++)
		c->style[i] = cell_style(&c->col[i], &c->cell[i]);
	table_put_row(w, c);
}

/* Append the rows of an item. */
static int put_item(struct show *w, struct table *t, const struct item *item, struct lh_err *err)
{
	struct lh_value v, row;
	struct rows rows;
	int found;

	if (item->why) {
		show_marked(w, item);
		return show_flush(w, SHOW_BLOCK, err);
	}
	if (show_parse(w, item, &v, err) < 0)
		return -1;
	rows_begin(&rows, t, &v);
	if (rows.nested) {
		put_query(w, &v);
		put_search(w, &v);
	}
	while (rows_next(&rows, &row)) {
		found = columns_row(&t->columns, &row, rows.rank);
		if (!found)
			show_marked(w, &(struct item){ .text = { row.p, row.n } });
		else
			put_cells(w, &t->columns);
		if (show_flush(w, SHOW_BLOCK, err) < 0)
			return -1;
	}
	return show_flush(w, SHOW_BLOCK, err);
}

/* ---- the sample ---- */

/* Set *item to one of the sample. */
static void sampled(const struct table *t, size_t i, struct item *item)
{
	const struct entry *e = &t->sample[i];

	*item = (struct item){ .text = { t->lines.p + e->at, e->n }, .why = e->bad ? "" : NULL };
}

/* Call fn for each row of the sample. */
static int each_row(struct show *w, struct table *t,
		    int (*fn)(struct table *, const struct lh_value *, uint64_t, struct lh_err *),
		    struct lh_err *err)
{
	struct lh_value v, row;
	struct item item;
	struct rows rows;
	size_t i;

	for (i = 0; i < t->n; i++) {
		sampled(t, i, &item);
		if (item.why)
			continue;
		if (show_parse(w, &item, &v, err) < 0)
			return -1;
		rows_begin(&rows, t, &v);
		while (rows_next(&rows, &row))
			if (fn(t, &row, rows.rank, err) < 0)
				return -1;
	}
	return 0;
}

/* Set the kind of the table: the one that most records of the sample have. */
static int choose_kind(struct show *w, struct table *t, struct lh_err *err)
{
	size_t i, k, count[KIND_COUNT] = { 0 }, best = 0;
	const struct kind *kind;
	struct item item;
	struct lh_value v;

	for (i = 0; i < t->n; i++) {
		sampled(t, i, &item);
		if (item.why)
			continue;
		if (show_parse(w, &item, &v, err) < 0)
			return -1;
		kind = kind_of(&v, w->s->kind);
		k = (size_t)(kind - kinds);
		if (++count[k] > best) {
			best = count[k];
			t->kind = kind;
		}
	}
	return 0;
}

static int add_members(struct table *t, const struct lh_value *row, uint64_t rank,
		       struct lh_err *err)
{
	(void)err;
	(void)rank;
	columns_add_members(&t->columns, row, "");
	return 0;
}

/* Add the columns of the member metadata: those of its kind, or all of its members. */
static int add_metadata(struct table *t, const struct lh_value *row, uint64_t rank,
			struct lh_err *err)
{
	const struct kind *k;
	struct lh_value inner;
	const char *list;

	(void)err;
	(void)rank;
	if (!lh_value_at(row, "metadata", 8, &inner) || inner.type != LH_OBJECT)
		return 0;
	k = kind_of(&inner, KIND_ANY);
	/* the first column of workers is the id of the hit again */
	list = k->columns + (strncmp(k->columns, "candidate_id ", 13) ? 0 : 13);
	if (!strchr(list, '*')) {
		columns_add_list(&t->columns, list, " ", "metadata.");
		return 0;
	}
	columns_add_members(&t->columns, &inner, "metadata.");
	return 0;
}

static int measure(struct table *t, const struct lh_value *row, uint64_t rank, struct lh_err *err)
{
	int found = columns_row(&t->columns, row, rank);

	(void)err;
	columns_measure(&t->columns);
	if (found)
		columns_compare(&t->columns);
	return 0;
}

/* Choose the columns. */
static int choose_columns(struct show *w, struct table *t, struct lh_err *err)
{
	struct columns *c = &t->columns;
	const char *list = t->kind ? t->kind->columns : "*", *star = strchr(list, '*');

	if (w->s->columns) {
		columns_add_list(c, w->s->columns, ",", "");
		return 0;
	}
	c->members = star == list;
	if (c->members)
		return each_row(w, t, add_members, err);
	columns_add_list(c, list, " ", "");
	if (!star)
		return 0;
	free(c->col[--c->n].path);	/* the star's own */
	free(c->col[c->n].label);
	return each_row(w, t, add_metadata, err);
}

/* Choose columns and widths, and write what is kept of the sample. */
static int lay_out(struct show *w, struct table *t, struct lh_err *err)
{
	struct columns *c = &t->columns;
	struct item item;
	size_t i;

	t->laid_out = true;
	if (choose_kind(w, t, err) < 0 || choose_columns(w, t, err) < 0 ||
	    each_row(w, t, measure, err) < 0)
		return -1;
	if (!w->s->columns && !c->members) {
		columns_drop_empty(c);
		columns_shorten(c);
	}
	if (!w->s->columns)
		columns_part_constant(c);
	for (i = c->n; i < c->n + c->constant; i++)
		put_constant(w, &c->col[i]);
	columns_lay_out(c, w->s->html ? 0 : w->width);
	table_put_header(w, c);
	for (i = 0; i < t->n; i++) {
		sampled(t, i, &item);
		if (put_item(w, t, &item, err) < 0)
			return -1;
	}
	t->n = 0;
	lh_buf_free(&t->lines);
	return 0;
}

static void keep(struct table *t, const struct item *item)
{
	struct lh_str text = item->text.n || !item->why ? item->text : lh_str_of(item->why);

	lh_grow(&t->sample, &t->cap, t->n + 1, sizeof *t->sample);
	t->sample[t->n++] = (struct entry){ t->lines.len, text.n, item->why != NULL };
	lh_buf_add(&t->lines, text.p, text.n);
}

/* ---- the view ---- */

static int begin(struct show *w, struct lh_err *err)
{
	(void)err;
	w->view = lh_calloc(1, sizeof(struct table));
	show_page_open(w, table_style);
	return 0;
}

/* Note which of --columns a record has had, for the report of those that none has. */
static void note_found(struct show *w, struct table *t)
{
	size_t i;

	for (i = 0; w->s->columns && i < t->columns.n; i++) {
		struct lh_path *want = &t->want[i];

		if (!want->text) {
			want->text = t->columns.col[i].path;
			lh_records_want(w->tool, "--columns", want);
		}
		want->asked = true;
		want->found = t->columns.col[i].found;
		want->early = want->early || (want->found && w->shown < LH_PATH_EARLY);
	}
}

static int take(struct show *w, const struct item *item, struct lh_err *err)
{
	struct table *t = w->view;

	if (t->laid_out) {
		if (put_item(w, t, item, err) < 0)
			return -1;
	} else {
		keep(t, item);
		if (t->n < w->s->sample && t->lines.len < SAMPLE_BYTES)
			return 0;
		if (lay_out(w, t, err) < 0)
			return -1;
	}
	if (w->shown < LH_PATH_EARLY)
		note_found(w, t);
	return 0;
}

static int table_end(struct show *w, struct lh_err *err)
{
	struct table *t = w->view;

	if (!t->laid_out && lay_out(w, t, err) < 0)
		return -1;
	table_put_end(w);
	show_page_close(w);
	if (show_flush(w, 0, err) < 0)
		return -1;
	note_found(w, t);
	if (w->shown)
		lh_records_absent(w->tool);
	return 0;
}

static void table_free(struct show *w)
{
	struct table *t = w->view;

	columns_free(&t->columns);
	lh_buf_free(&t->lines);
	free(t->sample);
	free(t);
}

const struct view table_view = { begin, take, table_end, table_free };
