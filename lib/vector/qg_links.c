/* qg_links.c - find and choose the links of a row.  See qg_links.h. */
#include "qg_links.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/bits.h"

#define LINKS_MAX LH_QG_LINKS_MAX
#define PATH_MAX_ROWS 1024	/* of a path; the nearest half of more is kept */
#define CANDIDATES_MAX (PATH_MAX_ROWS + LINKS_MAX)

void lh_qg_worker_init(struct lh_qg_worker *w, struct lh_qg_build *g)
{
	*w = (struct lh_qg_worker){ .g = g, .ef = g->ef };
	lh_quantized_query_init(&w->query, g->precision, g->distance, g->dimension);
	lh_quantized_query_init(&w->other, g->precision, g->distance, g->dimension);
	w->seen = lh_calloc_table(g->rows, sizeof *w->seen);
	w->best = lh_calloc(g->ef, sizeof *w->best);
	w->path = lh_calloc(CANDIDATES_MAX, sizeof *w->path);
}

void lh_qg_worker_free(struct lh_qg_worker *w)
{
	lh_quantized_query_free(&w->query);
	lh_quantized_query_free(&w->other);
	free(w->seen);
	free(w->best);
	free(w->path);
}

static void measure_rows(const struct lh_quantized_query *q, const struct lh_qg_build *g,
			 const uint32_t *rows, size_t n, float *d)
{
	const void *codes[LINKS_MAX];
	size_t i;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		codes[i] = lh_qg_row_code(g, rows[i]);
	lh_quantize_rows(q, codes, n, d);
}

/* Merge two sorted runs, without branches, which could not be predicted. */
static void merge(const struct lh_qg_candidate *a, const struct lh_qg_candidate *middle,
		  const struct lh_qg_candidate *end, struct lh_qg_candidate *out)
{
	const struct lh_qg_candidate *b = middle;

	for (bool first; a < middle && b < end; b += !first) {
		first = (a->d < b->d) | ((a->d == b->d) & (a->row <= b->row));
		*out++ = first ? *a : *b;
		a += first;
	}
	memcpy(out, a, (size_t)(middle - a) * sizeof *a);
	memcpy(out + (middle - a), b, (size_t)(end - b) * sizeof *b);
}

/* Sort the candidates by distance, then by row. */
static void sort_path(struct lh_qg_worker *w)
{
	struct lh_qg_candidate other[CANDIDATES_MAX], *from = w->path, *to = other, *swap;
	size_t n = w->paths, width, i;

	for (width = 1; width < n; width *= 2, swap = from, from = to, to = swap)
		for (i = 0; i < n; i += 2 * width)
			merge(from + i, from + (n - i < width ? n : i + width),
			      from + (n - i < 2 * width ? n : i + 2 * width), to + i);
	if (from == other)
		memcpy(w->path, other, n * sizeof *other);
}

/* ---- searching ---- */

static void begin_search(struct lh_qg_worker *w)
{
	w->epoch += 2;
	if (w->epoch < 2) {
		memset(w->seen, 0, w->g->rows * sizeof *w->seen);
		w->epoch = 2;
	}
	w->n = w->paths = 0;
}

static inline bool is_met(const struct lh_qg_worker *w, uint32_t row)
{
	return (uint16_t)(w->seen[row] - w->epoch) < 2;
}

/* Collect the links of a row, itself met, that this search has not met: without branches, which
 * could not be predicted. */
static size_t fresh_links(struct lh_qg_worker *w, uint32_t row, uint32_t *out)
{
	const uint32_t *links = lh_qg_list(w->g, row);
	size_t i, found = 0;

	for (i = 0; i < w->g->degree; i++) {
		out[found] = links[i];
		found += !is_met(w, links[i]) & !lh_is_copy(w->copy_of, links[i]);
	}
	for (i = 0; i < found; i++)
		w->seen[out[i]] = w->epoch;
	return found;
}

/* Insert a row among the nearest, of which it may be the farthest if there are fewer than are
 * kept; returns its place there. */
static size_t insert_nearest(struct lh_qg_worker *w, float d, uint32_t row)
{
	size_t low = 0, n = w->n, half;

	for (; n > 0; n -= half) {
		half = (n + 1) / 2;
		low += half * (size_t)(w->best[low + half - 1].d <= d);
	}
	w->n += w->n < w->ef;
	memmove(w->best + low + 1, w->best + low, (w->n - 1 - low) * sizeof *w->best);
	w->best[low] = (struct lh_qg_candidate){ d, row };
	return low;
}

/* Follow the links of a row; returns the first place that is new among the nearest. */
static size_t follow(struct lh_qg_worker *w, uint32_t row)
{
	uint32_t rows[LINKS_MAX];
	float d[LINKS_MAX];
	size_t n = fresh_links(w, row, rows), first = w->ef, place, i;

	measure_rows(&w->query, w->g, rows, n, d);
	for (i = 0; i < n; i++) {
		if (w->n == w->ef && d[i] >= w->best[w->n - 1].d)
			continue;
		place = insert_nearest(w, d[i], rows[i]);
		first = place < first ? place : first;
		lh_prefetch(lh_qg_list(w->g, rows[i]), w->g->degree * sizeof(uint32_t));
	}
	return first;
}

/* A search for the entry itself starts at its links. */
void lh_qg_find_near(struct lh_qg_worker *w, uint32_t row)
{
	uint32_t entry = w->g->entry;
	size_t at = 0, first;

	lh_quantized_query_code(&w->query, lh_qg_row_code(w->g, row));
	begin_search(w);
	w->seen[row] = w->seen[entry] = w->epoch;
	if (row == entry)
		follow(w, entry);
	else
		insert_nearest(w, lh_quantize_row(&w->query, lh_qg_row_code(w->g, entry)), entry);
	while (at < w->n) {
		if (w->seen[w->best[at].row] != w->epoch) {
			at++;
			continue;
		}
		if (w->paths == PATH_MAX_ROWS) {
			sort_path(w);
			w->paths /= 2;
		}
		w->path[w->paths++] = w->best[at];
		w->seen[w->best[at].row] = w->epoch + 1;
		first = follow(w, w->best[at].row);
		at = first < at ? first : at;
	}
}

/* ---- linking ---- */

/* Keep those of n candidates that are no nearer to a chosen row than to the row that they are
 * candidates of; returns how many. */
static size_t leave_out(struct lh_qg_worker *w, uint32_t chosen, struct lh_qg_candidate **left,
			size_t n)
{
	const void *codes[CANDIDATES_MAX];
	float d[CANDIDATES_MAX];
	size_t i, kept = 0;

	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		codes[i] = lh_qg_row_code(w->g, left[i]->row);
	lh_quantized_query_code(&w->other, lh_qg_row_code(w->g, chosen));
	lh_quantize_rows(&w->other, codes, n, d);
	for (i = 0; i < n; i++) {
		left[kept] = left[i];
		kept += !(d[i] < left[i]->d);
	}
	return kept;
}

/* Choose links of a row, which is w->query, among the candidates w->path, in addition to n links of
 * which the first are chosen: see lh_qg_find_links. */
static uint32_t choose_links(struct lh_qg_worker *w, uint32_t row, bool fill, uint32_t *links,
			     uint32_t n, uint32_t chosen)
{
	float zero = lh_quantize_row(&w->query, lh_qg_row_code(w->g, row));
	uint32_t max = w->g->degree, equal = 0, i;
	struct lh_qg_candidate *left[CANDIDATES_MAX], *c;
	size_t at, lefts = w->paths;

	sort_path(w);
	for (at = 0; at < lefts; at++)
		left[at] = w->path + at;
	for (i = 0; i < chosen; i++)
		lefts = leave_out(w, links[i], left, lefts);
	for (at = 0; at < lefts && n < max; at++) {
		c = left[at];
		if (c->d <= zero && ++equal > max / 4)
			continue;
		links[n++] = links[chosen];
		links[chosen++] = c->row;
		lefts = at + 1 + leave_out(w, c->row, left + at + 1, lefts - at - 1);
		c->row = row;	/* so that it does not fill */
	}
	for (c = w->path; fill && c < w->path + w->paths && n < max; c++)
		if (c->row != row)
			links[n++] = c->row;
	while (n < max)
		links[n++] = row;
	return chosen;
}

/* Add rows that are no candidates yet. */
static void add_candidates(struct lh_qg_worker *w, const uint32_t *rows, size_t n)
{
	float d[LINKS_MAX];
	size_t i;

	measure_rows(&w->query, w->g, rows, n, d);
	for (i = 0; i < n; i++)
		w->path[w->paths++] = (struct lh_qg_candidate){ d[i], rows[i] };
}

/* Add the links of a row that are no candidates yet. */
static void add_links_of(struct lh_qg_worker *w, uint32_t row)
{
	const uint32_t *links = lh_qg_list(w->g, row);
	uint32_t rows[LINKS_MAX], count = lh_qg_list_length(w->g, row), i, n = 0;

	for (i = 0; i < count; i++) {
		if (w->seen[links[i]] == (uint16_t)(w->epoch + 1) ||
		    lh_is_copy(w->copy_of, links[i]))
			continue;
		w->seen[links[i]] = w->epoch + 1;
		rows[n++] = links[i];
	}
	add_candidates(w, rows, n);
}

uint32_t lh_qg_find_links(struct lh_qg_worker *w, uint32_t row, bool fill, uint32_t *links)
{
	lh_qg_find_near(w, row);
	w->seen[row] = w->epoch + 1;
	add_links_of(w, row);
	for (size_t i = 0; i < w->inherits && i < w->n && w->paths < PATH_MAX_ROWS; i++)
		add_links_of(w, w->best[i].row);
	return choose_links(w, row, fill, links, 0, 0);
}

/* Collect the links of a list that are not gone and that this search has not met. */
static uint32_t kept_links(struct lh_qg_worker *w, const uint32_t *links, uint32_t *rows)
{
	uint32_t i, n = 0, to;

	for (i = 0; i < w->g->degree; i++) {
		to = links[i];
		if (to >= w->g->rows || is_met(w, to))
			continue;
		w->seen[to] = w->epoch;
		rows[n++] = to;
	}
	return n;
}

/* Put rows of a list into the free places of links, and into those of links that are not in the
 * list; all others stay where they are. */
static void keep_places(struct lh_qg_worker *w, uint32_t row, const uint32_t *list)
{
	uint32_t *links = lh_qg_list(w->g, row), degree = w->g->degree, i, next = 0;
	uint32_t old[LINKS_MAX];
	uint16_t *seen = w->seen;

	begin_search(w);
	seen[row] = w->epoch + 1;
	kept_links(w, links, old);
	for (i = 0; i < degree; i++)
		seen[list[i]] += seen[list[i]] == w->epoch;
	for (i = 0; i < degree; i++) {
		if (links[i] != row && links[i] < w->g->rows &&
		    seen[links[i]] == w->epoch + 1)
			continue;
		while (next < degree && seen[list[next]] == w->epoch + 1)
			next++;
		if (next < degree)
			links[i] = list[next++];
	}
}

/* Add to the candidates the links of a row that is gone, or the rows that these are copies of. */
static void add_lost(struct lh_qg_worker *w, const uint32_t *links)
{
	uint32_t rows[LINKS_MAX], of[LINKS_MAX], i;

	for (i = 0; i < w->g->degree; i++)
		of[i] = w->copy_of && links[i] < w->g->rows ? w->copy_of[links[i]] : links[i];
	add_candidates(w, rows, kept_links(w, of, rows));
}

uint32_t lh_qg_close_gaps(struct lh_qg_worker *w, uint32_t row, const uint32_t *gone,
			  uint32_t *news)
{
	uint32_t *links = lh_qg_list(w->g, row), degree = w->g->degree, rows = w->g->rows;
	uint32_t list[LINKS_MAX], old[LINKS_MAX], i, n, to, chosen, before;

	begin_search(w);
	w->seen[row] = w->epoch;
	n = kept_links(w, links, old);
	if (n == lh_qg_list_length(w->g, row))
		return 0;
	lh_quantized_query_code(&w->query, lh_qg_row_code(w->g, row));
	add_candidates(w, old, n);
	before = choose_links(w, row, true, list, 0, 0);
	w->paths = 0;
	for (i = 0; i < degree && w->paths < PATH_MAX_ROWS; i++)
		if (links[i] >= rows)
			add_lost(w, gone + (size_t)(links[i] - rows) * degree);
	chosen = choose_links(w, row, true, list, n, before);
	memcpy(news, list + before, (chosen - before) * sizeof *news);
	keep_places(w, row, list);
	for (i = to = 0; i < degree; i++)
		if (links[i] < rows && links[i] != row)
			links[to++] = links[i];
	while (to < degree)
		links[to++] = row;
	return chosen - before;
}

/* Link to another row without choosing again, in the place of the last that fills;
 * returns whether there was one, or the link itself. */
static bool add_link(uint32_t *links, uint32_t max, uint32_t *chosen, uint32_t other)
{
	uint32_t i;

	for (i = 0; i < max && links[i] != other; i++)
		;
	if (i < *chosen)
		return true;
	if (*chosen == max)
		return false;
	i = i < max ? i : max - 1;
	memmove(links + *chosen + 1, links + *chosen, (i - *chosen) * sizeof *links);
	links[(*chosen)++] = other;
	return true;
}

/* If more rows link here than there is room for candidates, the first are considered. */
uint32_t lh_qg_link_back(struct lh_qg_worker *w, uint32_t row, uint32_t chosen,
			 const uint32_t *others, size_t n, bool fill)
{
	uint32_t *links = lh_qg_list(w->g, row), old[LINKS_MAX], more[PATH_MAX_ROWS], k = 0;
	size_t i;

	for (i = 0; i < n && k < PATH_MAX_ROWS; i++)
		if (!add_link(links, w->g->degree, &chosen, others[i]))
			more[k++] = others[i];
	if (!k)
		return chosen;
	memcpy(old, links, chosen * sizeof *old);
	lh_quantized_query_code(&w->query, lh_qg_row_code(w->g, row));
	w->paths = 0;
	add_candidates(w, old, chosen);
	for (i = 0; i < k; i += LINKS_MAX)
		add_candidates(w, more + i, k - i < LINKS_MAX ? k - i : LINKS_MAX);
	return choose_links(w, row, fill, links, 0, 0);
}

void lh_qg_replace_link(struct lh_qg_worker *w, uint32_t row, const uint32_t *others, size_t n)
{
	uint32_t list[LINKS_MAX], rows[LINKS_MAX];
	size_t i;

	lh_quantized_query_code(&w->query, lh_qg_row_code(w->g, row));
	begin_search(w);
	w->seen[row] = w->epoch;
	add_candidates(w, rows, kept_links(w, lh_qg_list(w->g, row), rows));
	for (i = 0; i < n && w->paths < PATH_MAX_ROWS; i++)
		if (!is_met(w, others[i]))
			add_candidates(w, others + i, 1);
	choose_links(w, row, true, list, 0, 0);
	keep_places(w, row, list);
}
