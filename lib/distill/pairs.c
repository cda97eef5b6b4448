/* pairs.c - pair records by task.  See sample.h. */
#include "sample.h"

#include <stdlib.h>

#include "base/table.h"
#include "base/mem.h"
#include "file/rows.h"
#include "schema/schema_table.h"
#include "base/str.h"

struct side {
	struct lh_row_at at;
	uint32_t task;
};

struct lh_pairs {
	struct side *side;	/* in the order in which they were added */
	size_t n, cap;
	struct lh_intern tasks;
};

/* The sides by task: those of task t are side[by[start[t]]] and following, in the
 * order of addition. */
struct order {
	uint32_t *tasks;	/* in byte order */
	uint32_t *start, *by;
};

struct lh_pairs *lh_pairs_new(void)
{
	return lh_calloc(1, sizeof(struct lh_pairs));
}

void lh_pairs_free(struct lh_pairs *p)
{
	if (!p)
		return;
	lh_intern_free(&p->tasks);
	free(p->side);
	free(p);
}

int lh_pairs_add(struct lh_pairs *p, const struct lh_str *task_id, enum lh_category c,
		 const struct lh_row_at *at, struct lh_err *err)
{
	struct side *s;

	if (c == LH_NEEDS_HUMAN_REVIEW || c == LH_CATEGORY_NONE)
		return 0;
	if (p->n >= UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "more than %u records to pair", UINT32_MAX);
	lh_grow(&p->side, &p->cap, p->n + 1, sizeof *p->side);
	s = &p->side[p->n];
	s->at = *at;
	s->at.category = (uint8_t)c;
	if (lh_intern_add(&p->tasks, task_id->p, task_id->n, &s->task, err) < 0)
		return -1;
	p->n++;
	return 0;
}

static int by_bytes(const void *x, const void *y, void *tasks)
{
	return lh_str_cmp(lh_intern_text(tasks, *(const uint32_t *)x),
			  lh_intern_text(tasks, *(const uint32_t *)y));
}

static void sort_sides(struct lh_pairs *p, struct order *o)
{
	size_t tasks = p->tasks.n, i;
	uint32_t at = 0, n;

	o->tasks = lh_calloc(tasks, sizeof *o->tasks);
	o->start = lh_calloc(tasks + 1, sizeof *o->start);
	o->by = lh_calloc(p->n, sizeof *o->by);
	for (i = 0; i < tasks; i++)
		o->tasks[i] = (uint32_t)i;
	qsort_r(o->tasks, tasks, sizeof *o->tasks, by_bytes, &p->tasks);
	for (i = 0; i < p->n; i++)
		o->start[p->side[i].task]++;
	for (i = 0; i <= tasks; i++) {
		n = o->start[i];
		o->start[i] = at += n;
	}
	for (i = p->n; i--; )
		o->by[--o->start[p->side[i].task]] = (uint32_t)i;
}

/* Return the index of the next side of that category from i on, or end. */
static size_t next_side(const struct lh_pairs *p, const uint32_t *by, size_t i, size_t end,
			enum lh_category c)
{
	while (i < end && p->side[by[i]].at.category != c)
		i++;
	return i;
}

/* Pair the n sides of a task. */
static int pair_sides(const struct lh_pairs *p, const uint32_t *by, size_t n,
		      lh_pairs_fn *fn, void *ctx, struct lh_err *err)
{
	enum lh_category against = next_side(p, by, 0, n, LH_REJECTED) < n ? LH_REJECTED
		: LH_PARTIALLY_ACCEPTED;
	size_t good = 0, bad = 0;
	int rc = 0;

	for (; !rc; good++, bad++) {
		good = next_side(p, by, good, n, LH_ACCEPTED);
		bad = next_side(p, by, bad, n, against);
		if (good == n || bad == n)
			break;
		rc = fn(ctx, &p->side[by[good]].at, &p->side[by[bad]].at, err);
	}
	return rc;
}

int lh_pairs_each(struct lh_pairs *p, lh_pairs_fn *fn, void *ctx, struct lh_err *err)
{
	struct order o = { .by = NULL };
	const uint32_t *start;
	size_t i;
	int rc = 0;

	if (p->n)
		sort_sides(p, &o);
	for (i = 0; i < p->tasks.n && !rc; i++) {
		start = &o.start[o.tasks[i]];
		rc = pair_sides(p, o.by + start[0], start[1] - start[0], fn, ctx, err);
	}
	free(o.tasks);
	free(o.start);
	free(o.by);
	return rc;
}

/* ---- the lines of a pair ---- */

void lh_pair_free(struct lh_pair *p)
{
	int i;

	for (i = 0; i < 4; i++) {
		lh_buf_free(&p->text[i]);
		lh_record_free(&p->rec[i]);
	}
	lh_buf_free(&p->source);
}

int lh_pair_read(struct lh_pair *p, int side, bool scored, const struct lh_row_at *at, int fd,
		 const char *path, struct lh_err *err)
{
	int i = 2 * side + scored;
	struct lh_buf *to = &p->text[i];

	if (lh_line_again(fd, path, scored ? at->scored : at->evidence,
			  scored ? at->scored_n : at->evidence_n, to, err) < 0)
		return -1;
	return lh_record_parse(&p->rec[i], to->p, to->len, err) < 0
		? lh_err_prefix(err, "%s", path) : 0;
}

void lh_pair_source(struct lh_pair *p, struct lh_str *out)
{
	lh_buf_reset(&p->source);
	lh_buf_puts(&p->source, "{\"chosen\":");
	lh_buf_add(&p->source, p->rec[1].line, p->rec[1].len);
	lh_buf_puts(&p->source, ",\"rejected\":");
	lh_buf_add(&p->source, p->rec[3].line, p->rec[3].len);
	lh_buf_putc(&p->source, '}');
	*out = (struct lh_str){ p->source.p, p->source.len };
}
