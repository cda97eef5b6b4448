/* absent.c - report the keys of filters that no record of a corpus has.  See search.h. */
#include <stdlib.h>

#include "search.h"

/* Pairs of corpus and key that are looked up in a run: a client may send any number. */
#define LOOKED_UP_MOST 1000

void looked_up_init(struct looked_up *l)
{
	pthread_mutex_init(&l->lock, NULL);
}

void looked_up_free(struct looked_up *l)
{
	lh_intern_free(&l->pairs);
	lh_intern_free(&l->lacked);
	lh_intern_free(&l->had);
	pthread_mutex_destroy(&l->lock);
}

/* Return whether the pair is to be looked up, which is then remembered.  Those of --where are
 * apart, since they decide on the exit status. */
static bool is_new(struct looked_up *l, const char *corpus, struct lh_str key, bool where)
{
	LH_SCOPED(lh_buf_free) struct lh_buf pair = { 0 };
	uint32_t number;
	struct lh_err unused;
	size_t before;
	bool added;

	lh_buf_putc(&pair, where ? 'w' : 'q');
	lh_buf_add(&pair, corpus, strlen(corpus) + 1);
	lh_buf_add(&pair, key.p, key.n);
	pthread_mutex_lock(&l->lock);
	before = l->pairs.n;
	added = before < LOOKED_UP_MOST && lh_buf_check(&pair, &unused) == 0 &&
		lh_intern_add(&l->pairs, pair.p, pair.len, &number, &unused) == 0 &&
		l->pairs.n > before;
	pthread_mutex_unlock(&l->lock);
	return added;
}

/* Return whether no record has the key; a damaged one is the search's to report.  The records
 * are added to *live. */
static bool is_absent(const struct lh_index *ix, struct lh_str key, uint64_t *live)
{
	struct lh_err unused;
	struct lh_filter *f = lh_filter_exists(key, &unused);
	uint64_t i, n = lh_index_rows(ix);
	struct lh_row row;
	int got = f ? 0 : -1;

	for (i = 0; !got && i < n; i++) {
		got = lh_index_row(ix, i, &row, &unused);
		*live += got > 0;
		if (got > 0)
			got = lh_filter_match(f, row.meta.p, row.meta.n, &unused);
	}
	lh_filter_free(f);
	return !got;
}

/* Return 1 if there are records in the corpus of s and none has the key, -1 if one has it. */
static int corpus_lacks(const struct worker *w, const struct corpus_search *s, struct lh_str key)
{
	size_t first = (size_t)(s - w->seat) - s->name->shard, i;
	size_t n = s->name->plan ? s->name->plan->shards.n : 1;
	uint64_t live = 0;

	for (i = first; i < first + n; i++) {
		const struct opened *o = atomic_load(&w->run->corpora.v[i]);

		if (!o || !is_absent(o->ix, key, &live))
			return -1;
	}
	return live > 0;
}

void report_absent(struct worker *w, const struct corpus_search *s)
{
	const struct search *run = w->run;
	size_t i, n;
	const struct lh_str *key = lh_filter_keys(w->filter, &n);
	bool where = w->reader.q.filter.p == w->where.p;
	int lacks;

	for (i = 0; (where || !run->tool->quiet) && i < n; i++) {
		if (!is_new(run->looked_up, s->name->text, key[i], where))
			continue;
		lacks = corpus_lacks(w, s, key[i]);
		if (lacks > 0)
			lh_tool_message(run->tool, "corpus \"%s\": no record has the key \"%.*s\"",
					s->name->text, key[i].n < 200 ? (int)key[i].n : 200,
					key[i].p);
		if (where && lacks) {
			/* Note it for the exit status. */
			struct looked_up *l = run->looked_up;
			struct lh_err unused;
			uint32_t number;

			pthread_mutex_lock(&l->lock);
			lh_intern_add(lacks > 0 ? &l->lacked : &l->had, key[i].p, key[i].n, &number,
				      &unused);
			pthread_mutex_unlock(&l->lock);
		}
	}
}

bool where_lacked(const struct looked_up *l)
{
	struct lh_str key;
	uint32_t i;

	for (i = 0; i < l->lacked.n; i++) {
		key = lh_intern_text(&l->lacked, i);
		if (lh_intern_find(&l->had, key.p, key.n) < 0)
			return true;
	}
	return false;
}
