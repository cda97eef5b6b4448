/* absent.c - report the keys of filters that no record of a corpus has.  See search.h. */
#include <stdlib.h>

#include "json/write.h"
#include "search.h"

/* Pairs of corpus and key that are looked up in a run: a client may send any number. */
#define LOOKED_UP_MOST 1000

void looked_up_init(struct looked_up *l)
{
	pthread_mutex_init(&l->lock, NULL);
	lh_intern_init(&l->pairs);
}

void looked_up_free(struct looked_up *l)
{
	lh_intern_free(&l->pairs);
	pthread_mutex_destroy(&l->lock);
}

/* Return whether the pair is to be looked up, which is then remembered. */
static bool is_new(struct looked_up *l, const char *corpus, struct lh_str key)
{
	struct lh_buf pair = { 0 };
	uint32_t number;
	struct lh_err unused;
	size_t before;
	bool added;

	lh_buf_add(&pair, corpus, strlen(corpus) + 1);
	lh_buf_add(&pair, key.p, key.n);
	pthread_mutex_lock(&l->lock);
	before = l->pairs.n;
	added = before < LOOKED_UP_MOST && lh_buf_check(&pair, &unused) == 0 &&
		lh_intern_add(&l->pairs, pair.p, pair.len, &number, &unused) == 0 &&
		l->pairs.n > before;
	pthread_mutex_unlock(&l->lock);
	lh_buf_free(&pair);
	return added;
}

/* Make the filter {"exists":key}. */
static struct lh_filter *filter_of(struct lh_str key)
{
	struct lh_buf json = { 0 };
	struct lh_writer to = lh_write_to(&json);
	struct lh_record scan;
	struct lh_value v;
	struct lh_err unused;
	struct lh_filter *f = lh_filter_new(&unused);

	lh_record_init(&scan);
	lh_write_object(&to, NULL);
	lh_write_str(&to, "exists", key);
	lh_write_end(&to);
	if (f && (lh_buf_check(&json, &unused) < 0 ||
		  lh_json_parse(&scan, json.p, json.len, &v, &unused) < 0 ||
		  lh_filter_compile(f, &v, &unused) < 0)) {
		lh_filter_free(f);
		f = NULL;
	}
	lh_record_free(&scan);
	lh_buf_free(&json);
	return f;
}

/* Return whether no record has the key; a damaged one is the search's to report.  The records
 * are added to *live. */
static bool is_absent(const struct lh_index *ix, struct lh_str key, uint64_t *live)
{
	struct lh_filter *f = filter_of(key);
	uint64_t i, n = lh_index_rows(ix);
	struct lh_err unused;
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

/* Return whether there are records in the corpus of s, and none has the key. */
static bool corpus_lacks(const struct worker *w, const struct corpus_search *s, struct lh_str key)
{
	size_t first = (size_t)(s - w->seat) - s->name->shard, i;
	size_t n = s->name->plan ? s->name->plan->shards.n : 1;
	uint64_t live = 0;

	for (i = first; i < first + n; i++) {
		const struct opened *o = atomic_load(&w->run->corpora.v[i]);

		if (!o || !is_absent(o->ix, key, &live))
			return false;
	}
	return live;
}

void report_absent(struct worker *w, const struct corpus_search *s)
{
	const struct search *run = w->run;
	size_t i, n;
	const struct lh_str *key = lh_filter_keys(w->filter, &n);

	for (i = 0; !run->tool->quiet && i < n; i++)
		if (is_new(run->looked_up, s->name->text, key[i]) &&
		    corpus_lacks(w, s, key[i]))
			lh_tool_message(run->tool, "corpus \"%s\": no record has the key \"%.*s\"",
					s->name->text, key[i].n < 200 ? (int)key[i].n : 200,
					key[i].p);
}
