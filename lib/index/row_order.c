/*
 * row_order.c - decide the order in which the rows of an index are stored.
 *
 * A search reads rows that link to each other.  If these are next to each other,
 * it touches fewer pages, which matters most for a file that is not cached, and
 * fewer cache lines.  The order is greedy, as in Gorder (Wei et al., 2016), but
 * by direct links only: the next row is the one to which most of the last WINDOW
 * rows link.
 */
#include "writer.h"

#include <stdlib.h>

#include "base/mem.h"

#define WINDOW 64
#define NONE UINT32_MAX		/* end of a list */

/* Rows not yet placed, one list per number of links from the window; rows without such
 * links are in no list. */
struct queue {
	uint32_t *next, *prev;
	uint32_t head[WINDOW + 1], top;
	uint8_t *links;
	bool *placed;
};

static int queue_init(struct queue *q, uint64_t rows)
{
	uint32_t i;

	*q = (struct queue){
		.next = lh_calloc(rows, sizeof *q->next),
		.prev = lh_calloc(rows, sizeof *q->prev),
		.links = lh_calloc(rows, sizeof *q->links),
		.placed = lh_calloc(rows, sizeof *q->placed),
	};
	for (i = 0; i <= WINDOW; i++)
		q->head[i] = NONE;
	return q->next && q->prev && q->links && q->placed ? 0 : -1;
}

static void queue_remove(struct queue *q, uint32_t row)
{
	if (!q->links[row])
		return;
	if (q->prev[row] == NONE)
		q->head[q->links[row]] = q->next[row];
	else
		q->next[q->prev[row]] = q->next[row];
	if (q->next[row] != NONE)
		q->prev[q->next[row]] = q->prev[row];
}

/* Count the links of a row that enters the window, or leaves it. */
static void count_links(struct queue *q, const struct lh_index_writer *w, uint32_t row, bool enters)
{
	uint32_t i, n = 2 * w->p.m, to, count;
	const uint32_t *links = lh_index_links_of(w, row);

	for (i = 0; i < n; i++) {
		to = links[i];
		if (q->placed[to])
			continue;
		queue_remove(q, to);
		count = q->links[to] += enters ? 1 : -1;
		if (!count)
			continue;
		q->prev[to] = NONE;
		q->next[to] = q->head[count];
		if (q->head[count] != NONE)
			q->prev[q->head[count]] = to;
		q->head[count] = to;
		if (count > q->top)
			q->top = count;
	}
}

static uint32_t queue_top(struct queue *q)
{
	while (q->top && q->head[q->top] == NONE)
		q->top--;
	return q->top ? q->head[q->top] : NONE;
}

uint32_t lh_index_nth_added(const struct lh_index_writer *w, uint64_t i)
{
	return w->old_order && i < w->old->rows ? w->old_order[i] : (uint32_t)i;
}

/* Place the rows that are outside the graph at the end; returns how many others there are. */
static uint64_t place_outside(struct lh_index_writer *w, struct queue *q)
{
	uint64_t linked = w->rows - w->p.outside, to = linked, next = 0;
	uint32_t row;

	for (row = 0; w->in_graph && row < w->rows; row++) {
		if (next < linked && w->in_graph[next] == row) {
			next++;
			continue;
		}
		q->placed[row] = true;
		w->order[to] = row;
		w->stored_at[row] = (uint32_t)to++;
	}
	return linked;
}

/* Begin at the entry of the graph; when no row is linked, go on with the first one in
 * the order of the puts. */
static void order_rows(struct lh_index_writer *w, struct queue *q)
{
	uint64_t i, first = 0, linked = place_outside(w, q);
	uint32_t row = w->entry;

	for (i = 0; i < linked; i++) {
		if (i)
			row = queue_top(q);
		while (row == NONE || q->placed[row])
			row = lh_index_nth_added(w, first++);
		queue_remove(q, row);
		q->placed[row] = true;
		w->order[i] = row;
		w->stored_at[row] = (uint32_t)i;
		count_links(q, w, row, true);
		if (i >= WINDOW - 1)
			count_links(q, w, w->order[i - (WINDOW - 1)], false);
	}
}

int lh_index_order_rows(struct lh_index_writer *w, struct lh_err *err)
{
	struct queue q;
	int rc;

	if (!w->linked)
		return 0;
	if (w->old && w->old->order && lh_index_copy_order(w, err) < 0)
		return -1;
	w->order = lh_calloc(w->rows, sizeof *w->order);
	w->stored_at = lh_calloc(w->rows, sizeof *w->stored_at);
	rc = queue_init(&q, w->rows);
	if (rc == 0)
		order_rows(w, &q);
	free(q.next);
	free(q.prev);
	free(q.links);
	free(q.placed);
	return rc;
}
