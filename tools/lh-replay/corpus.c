/*
 * corpus.c - find samples of the export for several tasks, in one pass.  See
 * replay.h.
 *
 * A sample's words are only searched among those of the tasks.  The number of its
 * different words, which needs a set, is counted only if it may be among a task's
 * best: the number of words shared with a task of n words, divided by n, is an
 * upper bound of its score.
 */
#include "replay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/rows.h"

struct corpus {
	const char *path;
	struct lh_rows *rows;
	struct lh_record rec;
	struct lh_buf text, id;		/* of a sample: title, content and tags; its id unescaped */
	/* of all tasks; seen: the line in which a word was seen last */
	struct words asked;
	struct words own;		/* of a sample */
	size_t n;			/* tasks */
	size_t total[BATCH];		/* words of a task, ... */
	size_t shared[BATCH];		/* ... and how many of them the sample has */
	struct hits *const *hits;
};

struct corpus *corpus_new(const char *path)
{
	struct corpus *c = lh_calloc(1, sizeof *c);

	c->path = path;
	c->rows = lh_rows_new();
	return c;
}

void corpus_free(struct corpus *c)
{
	if (!c)
		return;
	lh_rows_free(c->rows);
	lh_record_free(&c->rec);
	lh_buf_free(&c->text);
	lh_buf_free(&c->id);
	words_free(&c->asked);
	words_free(&c->own);
	free(c);
}

static void put_text(struct corpus *c, const struct lh_value *v)
{
	struct lh_str s;

	lh_value_str(v, &c->text, &s);
	if (!v->escaped)
		lh_buf_add(&c->text, s.p, s.n);
	lh_buf_putc(&c->text, '\n');
}

/* Read the sample: all parts with words as one text, and its id. */
static int read_sample(struct corpus *c, const struct lh_file_row *row, struct lh_str *id,
		       struct lh_err *err)
{
	size_t mark = row->line == 1 ? lh_mark_len(row->p, row->n) : 0;
	struct sample s;
	struct lh_iter it;

	lh_buf_reset(&c->text);
	lh_buf_reset(&c->id);
	if (lh_record_parse(&c->rec, row->p + mark, row->n - mark, err) < 0 ||
	    sample_read(&s, &c->rec, true, err) < 0)
		return -1;
	lh_value_str(&s.id, &c->id, id);
	put_text(c, &s.title);
	put_text(c, &s.content);
	for (lh_iter_init(&it, &s.tags); lh_iter_next(&it); )
		put_text(c, &it.val);
	return 0;
}

/* Count what the sample shares with each task; return the mask of those with at
 * least one word. */
static uint64_t count_shared(struct corpus *c, uint64_t line)
{
	struct word_iter it;
	uint64_t all = 0, mask;
	struct word *w;

	for (word_iter_init(&it, c->text.p, c->text.len); word_next(&it); ) {
		w = words_find(&c->asked, &it);
		if (!w || w->seen == line)
			continue;
		w->seen = line;
		for (mask = w->mask; mask; mask &= mask - 1) {
			int t = __builtin_ctzll(mask);

			c->shared[t] = all >> t & 1 ? c->shared[t] + 1 : 1;
			all |= UINT64_C(1) << t;
		}
	}
	return all;
}

/* Offer the sample to the task. */
static int offer(struct corpus *c, int t, const struct lh_str *id, struct kept **kept,
		 struct lh_err *err)
{
	struct hits *h = c->hits[t];
	double score;

	if (!hits_want(h, (double)c->shared[t] / (double)c->total[t], id))
		return 0;
	if (!c->own.n && words_add(&c->own, c->text.p, c->text.len, 0, err) < 0)
		return -1;
	score = (double)c->shared[t] / (double)(c->total[t] + c->own.n - c->shared[t]);
	if (!hits_want(h, score, id))
		return 0;
	if (!*kept)
		*kept = kept_new(id, c->rec.line, c->rec.len);
	hits_put(h, score, *kept);
	return 0;
}

static int damaged(const struct corpus *c, uint64_t line, struct lh_err *err)
{
	unsigned long long at = line;

	err->code = LH_ECORRUPT;
	if (err->column)
		return lh_err_prefix(err, "%s:%llu:%zu", c->path, at, err->column);
	return lh_err_prefix(err, "%s:%llu", c->path, at);
}

static int on_sample(struct corpus *c, const struct lh_file_row *row, struct lh_err *err)
{
	struct kept *kept = NULL;
	struct lh_str id;
	uint64_t mask;
	int rc = read_sample(c, row, &id, err);

	if (rc < 0)
		return err->code == LH_EDATA ? damaged(c, row->line, err) : -1;
	mask = count_shared(c, row->line);
	if (mask)
		words_reset(&c->own);
	for (; !rc && mask; mask &= mask - 1)
		rc = offer(c, __builtin_ctzll(mask), &id, &kept, err);
	kept_drop(kept);
	return rc;
}

static int ask(struct corpus *c, const struct lh_str *const *task, size_t n, struct lh_err *err)
{
	size_t i, k;

	words_reset(&c->asked);
	for (i = 0; i < n; i++) {
		c->total[i] = 0;
		if (words_add(&c->asked, task[i]->p, task[i]->n, UINT64_C(1) << i, err) < 0)
			return -1;
	}
	for (k = 0; k < c->asked.n; k++)
		for (i = 0; i < n; i++)
			c->total[i] += c->asked.word[k].mask >> i & 1;
	return 0;
}

int corpus_find(struct corpus *c, const struct lh_str *const *task, struct hits *const *hits,
		size_t n, struct lh_err *err)
{
	struct lh_file_row row;
	size_t i;
	int rc;

	c->hits = hits;
	for (i = 0; i < n; i++)
		hits_reset(hits[i]);
	if (ask(c, task, n, err) < 0)
		return -1;
	rc = lh_rows_open(c->rows, c->path, err);
	while (rc > 0 && (rc = lh_rows_next(c->rows, &row, err)) > 0) {
		if (row.line % 1024 == 0 && lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (on_sample(c, &row, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}
