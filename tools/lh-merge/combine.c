/* combine.c - several answers to one query as one.  See merge.h. */
#include "merge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

void combiner_init(struct combiner *c, const struct settings *s)
{
	memset(c, 0, sizeof *c);
	c->s = s;
}

void combiner_free(struct combiner *c)
{
	free(c->hit);
	free(c->taken);
	free(c->count);
	lh_intern_free(&c->corpora);
}

int combine_check(const struct answer *first, const struct answer *a, struct lh_err *err)
{
	if (first->query.len != a->query.len ||
	    memcmp(first->query.p, a->query.p, a->query.len) != 0)
		return lh_err_set(err, LH_EDATA, "answers another query");
	if (first->n && a->n && first->hit[0].has_score != a->hit[0].has_score)
		return lh_err_set(err, LH_EDATA, a->hit[0].has_score ?
				  "has scores, and the other answers have none" :
				  "has no scores, and the other answers have");
	return 0;
}

/* ---- hits ---- */

static int compare_names(const struct hit *a, const struct hit *b)
{
	int c;

	if (!a->corpus.p || !b->corpus.p)
		c = (a->corpus.p != NULL) - (b->corpus.p != NULL);
	else
		c = lh_str_cmp(a->corpus, b->corpus);
	return c ? c : lh_str_cmp(a->id, b->id);
}

/* The order of an answer, but for names: of lh-search --hybrid by score, else by distance. */
static int compare_rank(const struct hit *a, const struct hit *b)
{
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return (a->distance > b->distance) - (a->distance < b->distance);
}

static int by_rank(const void *one, const void *other)
{
	const struct hit *a = one, *b = other;
	int c = compare_rank(a, b);

	return c ? c : compare_names(a, b);
}

static int by_name(const void *one, const void *other)
{
	const struct hit *a = one, *b = other;
	int c = compare_names(a, b);

	if (!c)
		c = compare_rank(a, b);
	return c ? c : (a->turn > b->turn) - (a->turn < b->turn);
}

static void gather(struct combiner *c, const struct answer *a)
{
	struct hit *h;
	size_t i;

	lh_grow(&c->hit, &c->cap, c->n + a->n, sizeof *c->hit);
	for (i = 0; i < a->n; i++) {
		h = &c->hit[c->n];
		*h = a->hit[i];
		h->turn = c->n++;
		if (c->s->corpus && h->corpus.p)
			h->corpus = lh_str_of(c->s->corpus);
	}
}

static bool same_corpus(const struct hit *a, const struct hit *b)
{
	return !a->corpus.p || !b->corpus.p ? a->corpus.p == b->corpus.p :
					      lh_str_cmp(a->corpus, b->corpus) == 0;
}

/* Keep the best of the hits with one corpus and id, number the corpora, and put the hits in
 * their order.  Return how many corpora there are. */
static size_t order(struct combiner *c)
{
	size_t i, n = 0, group = 0;

	if (!c->n)
		return 0;
	qsort(c->hit, c->n, sizeof *c->hit, by_name);
	c->hit[0].group = 0;
	for (i = 1; i < c->n; i++) {
		if (compare_names(&c->hit[n], &c->hit[i]) == 0)
			continue;
		group += !same_corpus(&c->hit[n], &c->hit[i]);
		c->hit[++n] = c->hit[i];
		c->hit[n].group = group;
	}
	c->n = n + 1;
	qsort(c->hit, c->n, sizeof *c->hit, by_rank);
	return group + 1;
}

/*
 * Leave the best hits of each corpus, as a search takes no more of each.  What a playbook
 * injected comes on top of them there, and here as well.
 */
static void cut_corpora(struct combiner *c, size_t groups, uint64_t per_corpus_k)
{
	size_t i, n = 0;

	lh_grow(&c->taken, &c->cap_taken, groups, sizeof *c->taken);
	for (i = 0; i < groups; i++)
		c->taken[i] = 0;
	for (i = 0; i < c->n; i++)
		if (c->hit[i].playbook.injected || c->taken[c->hit[i].group]++ < per_corpus_k)
			c->hit[n++] = c->hit[i];
	c->n = n;
}

static void put_hits(struct combiner *c, const struct answer *query, struct lh_writer *to)
{
	uint64_t k = query->k == UINT64_MAX ? c->s->k : query->k;
	size_t i, groups = order(c);

	if (query->per_corpus_k < c->n)
		cut_corpora(c, groups, query->per_corpus_k);
	lh_write_array(to, "results");
	for (i = 0; i < c->n && i < k; i++) {
		const struct hit *h = &c->hit[i];
		const char *name = h->corpus_json.p, *after = name + h->corpus_json.n;

		lh_write_key(to, NULL);
		if (!c->s->corpus || !h->corpus.p) {
			lh_buf_add(to->out, h->raw.p, h->raw.n);
			continue;
		}
		lh_buf_add(to->out, h->raw.p, (size_t)(name - h->raw.p));
		lh_buf_json(to->out, h->corpus.p, h->corpus.n);
		lh_buf_add(to->out, after, (size_t)(h->raw.p + h->raw.n - after));
	}
	lh_write_end(to);
}

/* ---- counters ---- */

static int add(uint64_t *sum, const struct lh_value *v, struct lh_err *err)
{
	int64_t count = 0;

	lh_value_i64(v, &count);
	if ((uint64_t)count > SUMS_MAX - *sum)
		return lh_err_set(err, LH_EDATA, "the counters add up to more than %" PRId64,
				  (int64_t)SUMS_MAX);
	*sum += (uint64_t)count;
	return 0;
}

/* Add the counts of corpora, all under one name with --corpus. */
static int add_counts(struct combiner *c, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str name;
	struct lh_iter it;
	uint32_t i;
	int rc = 0;

	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); ) {
		size_t n = c->corpora.n;

		lh_buf_reset(&text);
		name = lh_str_of(c->s->corpus ? c->s->corpus : "");
		if (!c->s->corpus)
			lh_value_str(&it.key, &text, &name);
		rc = lh_intern_add(&c->corpora, name.p, name.n, &i, err);
		if (rc)
			break;
		lh_grow(&c->count, &c->cap_count, c->corpora.n, sizeof *c->count);
		if (c->corpora.n > n)
			c->count[i] = 0;
		rc = add(&c->count[i], &it.val, err);
	}
	return rc;
}

/* Write the sum of a counter, if an answer has it. */
static int put_sum(struct combiner *c, struct answer *const *a, size_t n, enum counter which,
		   struct lh_writer *to, struct lh_err *err)
{
	bool found = false;
	uint64_t sum = 0;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < n; i++) {
		const struct lh_value *v = a[i] ? &a[i]->counter[which] : NULL;

		if (!v || !v->p)
			continue;
		found = true;
		rc = which == PER_CORPUS_COUNTS ? add_counts(c, v, err) : add(&sum, v, err);
	}
	if (!rc && found && which == PER_CORPUS_COUNTS) {
		uint32_t corpus;

		lh_write_object(to, counter_names[PER_CORPUS_COUNTS]);
		for (corpus = 0; corpus < c->corpora.n; corpus++) {
			lh_write_key_str(to, lh_intern_text(&c->corpora, corpus));
			lh_write_u64(to, NULL, c->count[corpus]);
		}
		lh_write_end(to);
	} else if (!rc && found) {
		lh_write_u64(to, counter_names[which], sum);
	}
	return rc;
}

/* ---- the answer ---- */

/* Write what the searches did: of several, as a list. */
static void put_explain(struct answer *const *a, size_t n, struct lh_writer *to)
{
	struct lh_value one = { .p = NULL };
	struct lh_iter it;
	size_t i, found = 0;

	for (i = 0; i < n; i++)
		if (a[i] && a[i]->explain.p) {
			one = a[i]->explain;
			found++;
		}
	if (found == 1)
		lh_write_value(to, "explain", &one);
	if (found < 2)
		return;
	lh_write_array(to, "explain");
	for (i = 0; i < n; i++) {
		if (!a[i] || !a[i]->explain.p)
			continue;
		if (a[i]->explain.type != LH_ARRAY)
			lh_write_value(to, NULL, &a[i]->explain);
		else
			for (lh_iter_init(&it, &a[i]->explain); lh_iter_next(&it); )
				lh_write_value(to, NULL, &it.val);
	}
	lh_write_end(to);
}

int combine(struct combiner *c, struct answer *const *a, size_t n, bool partial,
	    struct lh_buf *out, struct lh_err *err)
{
	const struct answer *first = NULL;
	struct lh_writer to;
	bool truncated = false;
	size_t i;

	c->n = 0;
	lh_intern_free(&c->corpora);
	for (i = n; i-- > 0; )
		first = a[i] ? a[i] : first;
	for (i = 0; i < n; i++) {
		if (a[i])
			gather(c, a[i]);
		partial |= a[i] && a[i]->partial;
		truncated |= a[i] && a[i]->truncated;
	}
	c->partial = partial;
	c->truncated |= truncated;
	to = first->to_query;
	to.out = out;
	lh_buf_add(out, first->query.p, first->query.len);
	put_hits(c, first, &to);
	for (i = 0; i < N_COUNTERS; i++)
		if (put_sum(c, a, n, (enum counter)i, &to, err) < 0)
			return -1;
	if (partial)
		lh_write_bool(&to, "partial", true);
	if (truncated)
		lh_write_bool(&to, "truncated", true);
	put_explain(a, n, &to);
	lh_write_end(&to);
	return 0;
}
