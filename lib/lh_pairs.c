/* lh_pairs.c - records paired by task.  See lh_pairs.h. */
#include "lh_pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lh_form_int.h"
#include "lh_mem.h"

struct side {
	struct lh_place at;
	uint64_t task, order;	/* where its task id starts, when it came */
	uint32_t task_n;
	uint8_t category;
};

struct lh_pairs {
	struct side *side;
	size_t n, cap;
	struct lh_buf tasks;
};

struct lh_pairs *lh_pairs_new(struct lh_err *err)
{
	struct lh_pairs *p = lh_calloc(1, sizeof *p, err);

	if (p)
		lh_buf_init(&p->tasks, LH_BUF_NOMAX);
	return p;
}

void lh_pairs_free(struct lh_pairs *p)
{
	if (!p)
		return;
	lh_buf_free(&p->tasks);
	free(p->side);
	free(p);
}

int lh_pairs_add(struct lh_pairs *p, const struct lh_str *task_id, enum lh_category c, const struct lh_place *at, struct lh_err *err)
{
	if (c == LH_NEEDS_HUMAN_REVIEW || c == LH_CATEGORY_NONE)
		return 0;
	if (lh_grow(&p->side, &p->cap, p->n + 1, sizeof *p->side, err) < 0)
		return -1;
	p->side[p->n] = (struct side){
		.at = *at, .task = p->tasks.len, .order = p->n, .task_n = (uint32_t)task_id->n, .category = (uint8_t)c
	};
	lh_buf_add(&p->tasks, task_id->p, task_id->n);
	if (lh_buf_check(&p->tasks, err) < 0)
		return -1;
	p->n++;
	return 0;
}

static int by_task(const struct side *a, const struct side *b, const char *tasks)
{
	size_t n = a->task_n < b->task_n ? a->task_n : b->task_n;
	int rc = memcmp(tasks + a->task, tasks + b->task, n);

	return rc ? rc : (a->task_n > b->task_n) - (a->task_n < b->task_n);
}

static int by_task_and_order(const void *x, const void *y, void *tasks)
{
	const struct side *a = x, *b = y;
	int rc = by_task(a, b, tasks);

	return rc ? rc : (a->order > b->order) - (a->order < b->order);
}

/* The next of that category from i on, or end. */
static size_t next(const struct lh_pairs *p, size_t i, size_t end, enum lh_category c)
{
	while (i < end && p->side[i].category != c)
		i++;
	return i;
}

static int zip(const struct lh_pairs *p, size_t start, size_t end, lh_pairs_fn *fn, void *ctx, struct lh_err *err)
{
	enum lh_category against = next(p, start, end, LH_REJECTED) < end ? LH_REJECTED : LH_PARTIALLY_ACCEPTED;
	size_t good = start, bad = start;
	int rc = 0;

	for (; !rc; good++, bad++) {
		good = next(p, good, end, LH_ACCEPTED);
		bad = next(p, bad, end, against);
		if (good == end || bad == end)
			break;
		rc = fn(ctx, &p->side[good].at, &p->side[bad].at, err);
	}
	return rc;
}

int lh_pairs_each(struct lh_pairs *p, lh_pairs_fn *fn, void *ctx, struct lh_err *err)
{
	size_t start, end;
	int rc = 0;

	if (p->n)
		qsort_r(p->side, p->n, sizeof *p->side, by_task_and_order, p->tasks.p);
	for (start = 0; start < p->n && !rc; start = end) {
		for (end = start + 1; end < p->n && !by_task(&p->side[start], &p->side[end], p->tasks.p); end++)
			;
		rc = zip(p, start, end, fn, ctx, err);
	}
	return rc;
}

/* ---- the lines of a pair ---- */

void lh_pair_init(struct lh_pair *p)
{
	int i;

	for (i = 0; i < 4; i++) {
		lh_buf_init(&p->text[i], LH_BUF_NOMAX);
		lh_record_init(&p->rec[i]);
	}
	lh_buf_init(&p->source, LH_BUF_NOMAX);
}

void lh_pair_free(struct lh_pair *p)
{
	int i;

	for (i = 0; i < 4; i++) {
		lh_buf_free(&p->text[i]);
		lh_record_free(&p->rec[i]);
	}
	lh_buf_free(&p->source);
}

static int read_line(struct lh_pair *p, int i, int fd, uint64_t at, size_t n, struct lh_err *err)
{
	struct lh_form form = { .schema = i % 2 ? &lh_schema_scored_run : &lh_schema_evidence_record };
	struct lh_buf *to = &p->text[i];
	ssize_t got;
	char *room;

	lh_buf_reset(to);
	room = lh_buf_room(to, n);
	if (!room)
		return lh_buf_check(to, err);
	while (to->len < n) {
		got = pread(fd, room + to->len, n - to->len, (off_t)(at + to->len));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lh_err_sys(err, "cannot read a line back");
		if (!got)
			return lh_err_set(err, LH_ECORRUPT, "a line is gone that was there");
		lh_buf_took(to, (size_t)got);
	}
	return lh_form_parse(&form, &p->rec[i], to->p, to->len, err);
}

int lh_pair_read(struct lh_pair *p, int side, const struct lh_place *at, int evidence, int scored, struct lh_err *err)
{
	return read_line(p, 2 * side, evidence, at->evidence, at->evidence_n, err) < 0 ||
	       read_line(p, 2 * side + 1, scored, at->scored, at->scored_n, err) < 0 ? -1 : 0;
}

int lh_pair_source(struct lh_pair *p, struct lh_str *out, struct lh_err *err)
{
	lh_buf_reset(&p->source);
	lh_buf_puts(&p->source, "{\"chosen\":");
	lh_buf_add(&p->source, p->rec[1].line, p->rec[1].len);
	lh_buf_puts(&p->source, ",\"rejected\":");
	lh_buf_add(&p->source, p->rec[3].line, p->rec[3].len);
	lh_buf_putc(&p->source, '}');
	*out = (struct lh_str){ p->source.p, p->source.len };
	return lh_buf_check(&p->source, err);
}
