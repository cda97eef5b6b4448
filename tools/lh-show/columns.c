/* columns.c - the columns of a table.  See columns.h. */
#include "columns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cell.h"

static struct column *find_column(struct columns *c, const char *path, size_t n)
{
	size_t i;

	for (i = 0; i < c->n + c->constant; i++)
		if (c->col[i].path_n == n && !memcmp(c->col[i].path, path, n))
			return &c->col[i];
	return NULL;
}

void columns_label(struct column *col, const char *p, size_t n)
{
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };

	cell_clean(&clean, p, n < CELL_MAX ? n : CELL_MAX);
	if (!n)
		lh_buf_puts(&clean, "\"\"");
	free(col->label);
	col->label = lh_strndup(clean.p, clean.len);
	col->label_n = clean.len;
}

/* Add the column of a whole path, whose last name begins at that byte. */
static void add(struct columns *c, const char *path, size_t n, size_t name)
{
	struct column *col = &c->col[c->n];

	if (find_column(c, path, n))
		return;
	if (c->n == COLUMNS_MAX) {
		c->left_out++;
		return;
	}
	*col = (struct column){ .path_n = n, .name = name };
	col->error = n - name == 5 && !memcmp(path + name, "error", 5);
	col->path = lh_strndup(path, n);
	c->n++;
	columns_label(col, path, n);
}

/* Add the column of a path below the prefix; its last name begins at that byte of it. */
static void add_below(struct columns *c, const char *path, size_t n, size_t name,
		     const char *prefix)
{
	LH_SCOPED(lh_buf_free) struct lh_buf whole = { 0 };

	lh_buf_puts(&whole, prefix);
	lh_buf_add(&whole, path, n);
	add(c, whole.p ? whole.p : "", whole.len, strlen(prefix) + name);
}

/* Add the column of the member of that name, in the member whose path is the prefix ("" or
 * "metadata."), unless there is one of that path, or too many. */
static void columns_add(struct columns *c, const char *name, size_t n, const char *prefix)
{
	add_below(c, name, n, 0, prefix);
}

void columns_add_list(struct columns *c, const char *list, const char *by, const char *prefix)
{
	const char *dot;
	size_t n, path;

	for (; *list; list += n + !!list[n]) {
		list += strspn(list, " ");
		path = n = strcspn(list, by);
		while (path && list[path - 1] == ' ')
			path--;
		dot = path ? memrchr(list, '.', path) : NULL;
		if (path)
			add_below(c, list, path, dot ? (size_t)(dot + 1 - list) : 0, prefix);
	}
}

void columns_add_members(struct columns *c, const struct lh_value *v, const char *prefix)
{
	struct lh_str name;
	struct lh_iter it;

	if (v->type != LH_OBJECT) {
		columns_add(c, "value", 5, prefix);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		lh_buf_reset(&c->scratch);
		lh_value_str(&it.key, &c->scratch, &name);
		columns_add(c, name.p, name.n, prefix);
	}
}

/* A label is its path made clean, and what is before the last name is so by itself: the name
 * begins at the same byte of both. */
void columns_shorten(struct columns *c)
{
	size_t i, j, n;

	for (i = 0; i < c->n; i++) {
		struct column *col = &c->col[i];
		const char *name = col->label + col->name;

		if (!col->name)
			continue;
		n = col->label_n - col->name;
		for (j = 0; j < c->n; j++)
			if (c->col[j].label_n == n && !memcmp(c->col[j].label, name, n))
				break;
		if (!n || j < c->n)
			continue;
		memmove(col->label, name, n + 1);
		col->label_n = n;
	}
}

/* ---- a row ---- */

static bool is_name(const struct column *col, const struct lh_value *key)
{
	if (!key->escaped)
		return key->n == col->path_n + 2 && !memcmp(key->p + 1, col->path, col->path_n);
	return lh_value_is(key, col->path, col->path_n);
}

/* Find the members of a record by their names; mostly they are in the order of the columns. */
static void find_members(struct columns *c, const struct lh_value *v)
{
	struct lh_iter it;
	size_t next = 0, i, n, all = c->n + c->constant;

	for (lh_iter_init(&it, v); lh_iter_next(&it);)
		for (n = 0; n < all; n++) {
			i = (next + n) % all;
			if (is_name(&c->col[i], &it.key)) {
				c->cell[i] = it.val;
				next = i + 1;
				break;
			}
		}
}

/* Set the cell of an error to its message, if it has one. */
static void find_message(const struct lh_value *error, struct lh_value *cell)
{
	struct lh_value message;

	if (lh_value_at(error, "message", 7, &message) && message.type == LH_STRING)
		*cell = message;
}

static void find_cell(struct columns *c, size_t i, const struct lh_value *v, uint64_t rank)
{
	const struct column *col = &c->col[i];
	struct lh_value *cell = &c->cell[i], status;

	if (lh_value_at(v, col->path, col->path_n, cell)) {
		if (col->error && cell->type == LH_OBJECT)
			find_message(cell, cell);
	} else if (!strcmp(col->path, "error")) {
		/* The record is itself the error: an answer of lh-validate --wire. */
		if (lh_value_at(v, "status", 6, &status)) {
			if (cell_is_error(v))
				*cell = *v;
			else
				find_message(v, cell);
		}
	} else if (rank && !strcmp(col->path, "rank")) {
		snprintf(c->rank, sizeof c->rank, "%llu", (unsigned long long)rank);
		*cell = (struct lh_value){ c->rank, strlen(c->rank), LH_NUMBER, false };
	}
}

static void find_cells(struct columns *c, const struct lh_value *v, uint64_t rank)
{
	size_t i, all = c->n + c->constant;
	struct column *col;

	memset(c->cell, 0, all * sizeof *c->cell);
	if (v->type != LH_OBJECT) {
		col = find_column(c, "value", 5);
		if (col)
			c->cell[col - c->col] = *v;
		return;
	}
	if (c->members) {
		find_members(c, v);
		return;
	}
	for (i = 0; i < all; i++)
		find_cell(c, i, v, rank);
}

int columns_row(struct columns *c, const struct lh_value *v, uint64_t rank)
{
	size_t i, start, at[COLUMNS_MAX], all = c->n + c->constant;
	int found = 0;

	find_cells(c, v, rank);
	lh_buf_reset(&c->texts);
	for (i = 0; i < all; i++) {
		at[i] = start = c->texts.len;
		if (c->cell[i].p)
			cell_value(&c->texts, &c->cell[i], &c->scratch);
		c->text[i].n = c->texts.len - start;
		found += i < c->n && c->cell[i].p && c->cell[i].p != c->rank;
		c->col[i].found |= c->cell[i].p != NULL;
	}
	for (i = 0; i < all; i++)
		c->text[i].p = c->texts.p ? c->texts.p + at[i] : "";
	return found;
}

/* ---- widths ---- */

/* Widen a column for a text, which wraps at its spaces. */
static void measure(struct column *col, const char *p, size_t n)
{
	const char *end = p + n, *space;
	size_t width = cell_width(p, n);

	if (width > col->natural)
		col->natural = width < COLUMN_WIDEST ? width : COLUMN_WIDEST;
	for (; p < end && col->least < COLUMN_WORD; p = space + 1) {
		space = memchr(p, ' ', (size_t)(end - p));
		space = space ? space : end;
		width = cell_width(p, (size_t)(space - p));
		if (width > col->least)
			col->least = width < COLUMN_WORD ? width : COLUMN_WORD;
	}
}

/* Widen a column for a cell; a number does not wrap. */
static void measure_cell(struct column *col, const struct columns *c, size_t i)
{
	size_t width = cell_width(c->text[i].p, c->text[i].n);

	measure(col, c->text[i].p, c->text[i].n);
	if (c->cell[i].type == LH_NUMBER && width > col->least)
		col->least = width < COLUMN_WIDEST ? width : COLUMN_WIDEST;
}

void columns_measure(struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		struct column *col = &c->col[i];

		if (!c->cell[i].p)
			continue;
		measure_cell(col, c, i);
		if (c->cell[i].type == LH_NUMBER)
			col->numbers = true;
		else if (c->cell[i].type != LH_NULL)
			col->others = true;
	}
}

static void column_free(struct column *col)
{
	free(col->path);
	free(col->label);
	free(col->same);
}

bool columns_same(struct columns *c, size_t i)
{
	struct column *col = &c->col[i];
	enum lh_type type = c->cell[i].p ? c->cell[i].type : LH_NULL;
	size_t n = c->text[i].n;
	char *text;

	if (col->same && type == col->same_type && n == col->same_n &&
	    !memcmp(col->same, c->text[i].p, n))
		return false;
	text = lh_strndup(c->text[i].p, n);
	free(col->same);
	col->same = text;
	col->same_n = n;
	col->same_type = type;
	return true;
}

void columns_compare(struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		struct column *col = &c->col[i];

		if (c->rows && !col->same)
			continue;
		if ((!c->cell[i].p || columns_same(c, i)) && (c->rows || !c->cell[i].p)) {
			free(col->same);
			col->same = NULL;
		}
	}
	c->rows++;
}

void columns_part_constant(struct columns *c)
{
	struct column constant[COLUMNS_MAX];
	size_t i, n = 0, same = 0;

	for (i = 0; i < c->n; i++)
		same += c->col[i].same != NULL;
	if (c->rows < 2 || same == c->n)
		return;
	for (i = same = 0; i < c->n; i++)
		if (c->col[i].same)
			constant[same++] = c->col[i];
		else
			c->col[n++] = c->col[i];
	memcpy(c->col + n, constant, same * sizeof *constant);
	c->n = n;
	c->constant = same;
}

void columns_drop_empty(struct columns *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		if (c->col[i].numbers || c->col[i].others)
			c->col[n++] = c->col[i];
		else
			column_free(&c->col[i]);
	c->n = n;
}

/* Return the width of a column of at most cap cells, or what its words take. */
static size_t width_at(const struct column *col, size_t cap)
{
	size_t width = cap > col->least ? cap : col->least;

	return col->natural < width ? col->natural : width;
}

/* Return the sum of the widths of the columns shown. */
static size_t sum(const struct columns *c, size_t cap)
{
	size_t i, cells = 0;

	for (i = 0; i < c->shown; i++)
		cells += width_at(&c->col[i], cap);
	return cells;
}

/* Return the cells that the columns shown may share; "+N" is after them unless they are
 * all. */
static size_t room(const struct columns *c, size_t line)
{
	size_t taken = COLUMN_GAP * (c->shown - 1);

	if (c->shown < c->n)
		taken += COLUMN_GAP + (size_t)snprintf(NULL, 0, "+%zu", c->n - c->shown);
	return line > taken + 2 ? line - taken : 2;
}

void columns_lay_out(struct columns *c, size_t line)
{
	size_t i, cap = COLUMN_WIDEST, left = 0;

	/* Take the labels into account, and the widest character. */
	for (i = 0; i < c->n; i++) {
		struct column *col = &c->col[i];

		measure(col, col->label, col->label_n);
		if (col->natural < 2)
			col->natural = 2;
		if (col->least < 2)
			col->least = 2;
	}
	c->shown = c->n;
	c->line = line;
	if (c->needed && line && sum(c, 0) > room(c, line))
		for (i = 0; i < c->n; i++)
			c->col[i].least = 2;
	if (line && c->n) {
		while (c->shown > 1 && sum(c, 0) > room(c, line))
			c->shown--;
		if (sum(c, 0) > room(c, line))
			c->col[0].natural = room(c, line);
		while (cap && sum(c, cap) > room(c, line))
			cap--;
		left = room(c, line) - sum(c, cap);
	}
	for (i = 0; i < c->shown; i++) {
		struct column *col = &c->col[i];

		col->width = width_at(col, cap);
		if (left && col->width < col->natural) {
			col->width++;
			left--;
		}
	}
}

/* Return the column that has most cells above its least. */
static struct column *widest(struct columns *c)
{
	struct column *col = c->col;
	size_t i;

	for (i = 1; i < c->shown; i++)
		if (c->col[i].width + col->least > col->width + c->col[i].least)
			col = &c->col[i];
	return col;
}

/* Give a column more cells: those that the line has left, else those of the widest others. */
static void widen(struct columns *c, struct column *col, size_t cells)
{
	struct column *from;
	size_t i, used = 0;

	for (i = 0; i < c->shown; i++)
		used += c->col[i].width;
	for (col->least = cells; col->width < cells; col->width++) {
		if (!c->line || used < room(c, c->line)) {
			used++;
			continue;
		}
		from = widest(c);
		if (from->width <= from->least)
			return;
		from->width--;
	}
}

void columns_fit(struct columns *c)
{
	struct column *col, cell;
	size_t i;

	for (i = 0; i < c->shown; i++) {
		col = &c->col[i];
		if (!c->cell[i].p || c->text[i].n <= col->width)
			continue;
		cell = (struct column){ .path = NULL };
		measure_cell(&cell, c, i);
		if (cell.least > col->width)
			widen(c, col, cell.least);
	}
}

void columns_free(struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n + c->constant; i++)
		column_free(&c->col[i]);
	lh_buf_free(&c->texts);
	lh_buf_free(&c->scratch);
}
