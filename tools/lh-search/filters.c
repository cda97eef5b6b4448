/* filters.c - a cache of an index's recent filters with their results per row, shared by
 * all workers.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "search.h"

/* Filters that are kept, more only while more are in use: a service sees some for each role
 * and city.  The results of one take two bits a row. */
#define KEPT_LEAST 32
#define KEPT_MOST 512
#define KEPT_BYTES ((uint64_t)32 << 20)

void filters_init(struct filters *f)
{
	pthread_mutex_init(&f->lock, NULL);
}

static void forget(struct cached_filter *k)
{
	if (!k)
		return;
	lh_filter_cache_free(k->verdicts);
	lh_buf_free(&k->text);
	free(k);
}

void filters_free(struct filters *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		forget(f->v[i]);
	free(f->v);
	pthread_mutex_destroy(&f->lock);
}

static struct cached_filter *make(const struct lh_index *ix, const struct lh_value *v)
{
	struct cached_filter *k = lh_calloc(1, sizeof *k);

	lh_buf_add(&k->text, v->p, v->n);
	k->verdicts = lh_filter_cache_new(ix);
	return k;
}

static struct cached_filter *find(const struct filters *f, const struct lh_value *v)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i]->text.len == v->n && !memcmp(f->v[i]->text.p, v->p, v->n))
			return f->v[i];
	return NULL;
}

static size_t kept(const struct lh_index *ix)
{
	const uint64_t n = KEPT_BYTES / (lh_index_rows(ix) / 4 + 1);

	return n < KEPT_LEAST ? KEPT_LEAST : n > KEPT_MOST ? KEPT_MOST : (size_t)n;
}

/* Return the place for another filter: that of the one unused for longest. */
static struct cached_filter **place(struct filters *f, size_t most)
{
	struct cached_filter **oldest = NULL;
	size_t i;

	for (i = 0; f->n >= most && i < f->n; i++)
		if (!f->v[i]->users && (!oldest || f->v[i]->taken < (*oldest)->taken))
			oldest = &f->v[i];
	if (oldest)
		return oldest;
	lh_grow(&f->v, &f->cap, f->n + 1, sizeof(*f->v));
	f->v[f->n] = NULL;
	return &f->v[f->n++];
}

struct cached_filter *filters_take(struct filters *f, const struct lh_index *ix,
				   const struct lh_value *v)
{
	struct cached_filter *k, **at;

	pthread_mutex_lock(&f->lock);
	k = find(f, v);
	if (!k) {
		k = make(ix, v);
		at = place(f, kept(ix));
		forget(*at);
		*at = k;
	}
	k->users++;
	k->taken = ++f->clock;
	pthread_mutex_unlock(&f->lock);
	return k;
}

void filters_give(struct filters *f, struct cached_filter *k)
{
	pthread_mutex_lock(&f->lock);
	k->users--;
	pthread_mutex_unlock(&f->lock);
}
