/* search.c - search the corpora of one query.  See search.h. */
#include "index/index_tools.h"
#include "search.h"

#include <stdlib.h>

#include "base/mem.h"

void worker_free(void *worker)
{
	struct worker *w = worker;
	size_t i;

	for (i = 0; w->seat && i < w->n_seats; i++) {
		struct corpus_search *s = &w->seat[i];

		lh_searcher_free(s->searcher);
		free(s->hit);
		lh_index_words_free(s->words);
		free(s->said);
		free(s->fused);
		free(s->excluded);
		free(s->vector);
		lh_embedder_free(s->texts);
		lh_buf_free(&s->made);
	}
	free(w->seat);
	free(w->found);
	free(w->remembered);
	lh_buf_free(&w->entry);
	lh_buf_free(&w->texts);
	if (w->kept)
		filters_give(w->run->filters, w->kept);
	lh_filter_free(w->filter);
	lh_record_free(&w->scan);
	query_reader_free(&w->reader);
}

int worker_init(void *context, void *run, struct lh_err *err)
{
	struct search *s = run;
	struct worker *w = context;
	size_t i;

	w->run = s;
	w->n_seats = s->corpora.n + 1;
	query_reader_init(&w->reader);
	lh_record_init(&w->scan);
	w->filter = lh_filter_new(err);
	w->seat = lh_calloc(w->n_seats, sizeof *w->seat, err);
	if (!w->filter || !w->seat ||
	    (s->where->len &&
	     lh_json_parse(&w->scan, s->where->p, s->where->len, &w->where, err) < 0))
		return -1;
	for (i = 0; i < w->n_seats; i++) {
		w->seat[i].corpus = &s->corpora.v[i];
	}
	return 0;
}

/* Keep of a corpus search what depends on unchanged files only. */
static void seat_renew(struct corpus_search *s, const struct corpus *was, const struct corpus *is)
{
	bool engine = was->ix && is->ix && corpora_same_engine(was, is) &&
		was->engine_owner == is->engine_owner && lh_stamp_same(&was->table, &is->table);

	if (was->ix != is->ix) {
		lh_searcher_free(s->searcher);
		lh_index_words_free(s->words);
		s->searcher = NULL;
		s->words = NULL;
	}
	if (!engine) {
		lh_embedder_free(s->texts);
		free(s->vector);
		s->texts = NULL;
		s->vector = NULL;
	}
	s->corpus = is;
}

int worker_renew(void *worker, void *search, struct lh_err *err)
{
	struct worker *w = worker;
	const struct search *was = w->run, *is = search;
	size_t i;

	(void)err;
	if (w->kept && was->filters != is->filters) {
		filters_give(was->filters, w->kept);
		w->kept = NULL;
	}
	for (i = 0; i < w->n_seats; i++)
		seat_renew(&w->seat[i], &was->corpora.v[i], &is->corpora.v[i]);
	w->run = is;
	return 0;
}

/* Damage is reported with the name of the file. */
int at_corpus(const struct corpus_search *s, struct lh_err *err)
{
	return err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", s->corpus->path) : -1;
}

/* ---- rows that may be results ---- */

static int by_row(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int exclude(struct corpus_search *s, const char *id, size_t n, struct lh_err *err)
{
	int64_t row = lh_index_find(s->corpus->ix, id, n, err);

	if (row == -2)
		return at_corpus(s, err);
	if (row < 0)
		return 0;
	if (lh_grow(&s->excluded, &s->cap_excluded, s->n_excluded + 1, sizeof *s->excluded, err) <
	    0)
		return -1;
	s->excluded[s->n_excluded++] = (uint64_t)row;
	return 0;
}

/* Collect the rows excluded by --exclude and by the query, sorted. */
static int exclude_all(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct lh_list *given = &w->run->set->exclude;
	const struct query *q = &w->reader.q;
	size_t i;

	s->n_excluded = 0;
	for (i = 0; i < given->n; i++)
		if (exclude(s, given->v[i], strlen(given->v[i]), err) < 0)
			return -1;
	for (i = 0; i < q->n_exclude; i++)
		if (exclude(s, q->exclude[i].p, q->exclude[i].n, err) < 0)
			return -1;
	if (s->n_excluded)
		qsort(s->excluded, s->n_excluded, sizeof *s->excluded, by_row);
	return 0;
}

int may_answer(struct worker *w, const struct corpus_search *s, uint64_t row,
	       const struct lh_row *r, struct lh_err *err)
{
	if (s->n_excluded && bsearch(&row, s->excluded, s->n_excluded, sizeof row, by_row))
		return 0;
	return w->reader.q.filter.p ? lh_filter_match(w->filter, r->meta.p, r->meta.n, err) : 1;
}

static int allow(void *filter, uint64_t row, const struct lh_row *r, struct lh_err *err)
{
	(void)row;
	return lh_filter_match(filter, r->meta.p, r->meta.n, err);
}

static int use_filter(struct worker *w, struct lh_err *err)
{
	struct lh_value *v = &w->reader.q.filter;

	if (!v->p && w->where.n)
		*v = w->where;
	if (!v->p || (w->kept && lh_filter_is(w->filter, v)))
		return 0;
	if (w->kept)
		filters_give(w->run->filters, w->kept);
	w->kept = NULL;
	if (lh_filter_compile(w->filter, v, err) < 0)
		return -1;
	w->kept = filters_take(w->run->filters, &w->run->corpora, v, err);
	return w->kept ? 0 : -1;
}

/* ---- corpora of the query ---- */

static int choose(struct worker *w, struct lh_err *err)
{
	const struct corpora *all = &w->run->corpora;
	const struct query *q = &w->reader.q;
	size_t i;

	for (i = 0; i < all->all; i++) {
		w->seat[i].chosen = !q->n_names && i < all->n;
		w->seat[i].embedded = false;
		w->seat[i].n = w->seat[i].at = 0;
	}
	for (i = 0; i < q->n_names; i++) {
		struct lh_str name = q->name[i];
		long at = corpora_find(all, name.p, name.n);

		if (at < 0)
			return lh_err_data(err, 404, "no corpus is named \"%.*s\"",
					   name.n < 200 ? (int)name.n : 200, name.p);
		w->seat[at].chosen = true;
	}
	return 0;
}

/* ---- the query's vector ---- */

static int start_engine(struct corpus_search *s, struct lh_err *err)
{
	const struct lh_index_params *p = s->corpus->params;
	struct lh_embedder_options how = {
		.engine = p->engine, .model = p->model, .url = p->url, .dimension = p->dimension
	};

	if (!p->engine[0])
		return lh_err_set(err, LH_EDATA,
				  "corpus \"%s\" has no engine to embed text with: give a "
				  "query_vector",
				  s->corpus->name);
	s->texts = lh_embedder_new(&how, err);
	if (s->texts)
		return 0;
	if (s->corpus->other_table && (err->code == LH_EIO || err->code == LH_ECORRUPT)) {
		err->code = LH_EDATA;	/* it may come back */
		err->status = 503;
	}
	if (err->code == LH_EUSAGE) {
		err->code = LH_EDATA;
		err->status = 500;	/* not the fault of the query */
	}
	return lh_err_prefix(err, "corpus \"%s\"", s->corpus->name);
}

/* Embed the text, once for all corpora of the same engine. */
static int embed(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	size_t dimension = s->corpus->params->dimension;
	struct corpus_search *engine_owner = &w->seat[s->corpus->engine_owner];
	struct lh_embedder_ask ask = { .text = &w->reader.q.text,
				       .n = 1,
				       .trace = w->reader.q.trace };
	uint32_t got;

	if (!engine_owner->texts && start_engine(engine_owner, err) < 0)
		return -1;
	if (!engine_owner->embedded) {
		lh_buf_reset(&engine_owner->made);
		if (lh_embedder_ask(engine_owner->texts, &ask, &engine_owner->made, &got, err) < 0)
			return -1;
		if (got != dimension)
			return lh_err_data(err, 502,
					   "engine %s made dimension %u, corpus \"%s\" has %zu",
					   engine_owner->corpus->params->engine, got,
					   s->corpus->name, dimension);
		engine_owner->embedded = true;
	}
	memcpy(s->vector, engine_owner->made.p, dimension * sizeof *s->vector);
	return 0;
}

static int take_vector(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	size_t dimension = s->corpus->params->dimension;

	if (q->dimension != dimension)
		return lh_err_set(err, LH_EDATA,
				  "the query has dimension %zu, corpus \"%s\" has %zu",
				  q->dimension, s->corpus->name, dimension);
	memcpy(s->vector, q->vector, dimension * sizeof *s->vector);
	return 0;
}

int set_vector(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct lh_index_params *p = s->corpus->params;

	if (!s->vector) {
		s->vector = lh_calloc(p->dimension, sizeof *s->vector, err);
		if (!s->vector)
			return -1;
	}
	if ((w->reader.q.vector ? take_vector(w, s, err) : embed(w, s, err)) < 0)
		return -1;
	if (p->distance == LH_COSINE && !lh_vec_unit(s->vector, p->dimension))
		return lh_err_set(err, LH_EDATA, "a zero vector has no cosine distance");
	return 0;
}

/* ---- searching ---- */

int set_searcher(struct corpus_search *s, struct lh_err *err)
{
	if (!s->searcher)
		s->searcher = lh_searcher_new(s->corpus->ix, err);
	return s->searcher ? 0 : -1;
}

static int search_one(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct settings *set = w->run->set;
	struct lh_query q = {
		.vector = s->vector,
		.k = w->reader.q.per_corpus_k,
		.ef = set->ef,
		.exact = set->exact,
	};
	size_t k = q.k;
	long n;

	if (set->hybrid)
		q.k = hybrid_depth(k);
	if (exclude_all(w, s, err) < 0)
		return -1;
	q.exclude = s->excluded;
	q.n_exclude = s->n_excluded;
	if (w->reader.q.filter.p) {
		q.allow = allow;
		q.ctx = w->filter;
		q.filter_cache = w->kept->verdicts[s - w->seat];
	} else if (set->hybrid && !q.ef) {
		/* a hit that one ranking misses loses much */
		q.ef = 2 * lh_index_ef(s->corpus->params, q.k);
	}
	if (set_searcher(s, err) < 0)
		return -1;
	if (lh_grow(&s->hit, &s->cap, q.k, sizeof *s->hit, err) < 0)
		return -1;
	n = lh_index_search(s->searcher, &q, s->hit, err);
	if (n < 0)
		return at_corpus(s, err);
	s->n = (size_t)n;
	w->dropped += q.dropped;
	if (!set->hybrid)
		return 0;
	if (hybrid_fuse(s, &q, w->reader.q.text, k, err) < 0)
		return at_corpus(s, err);
	w->dropped += q.dropped;
	return 0;
}

/* ---- merging ---- */

static bool before(const struct corpus_search *a, const struct corpus_search *b, bool hybrid)
{
	if (hybrid && hybrid_cmp(&a->fused[a->at], &b->fused[b->at]))
		return hybrid_cmp(&a->fused[a->at], &b->fused[b->at]) < 0;
	return a->hit[a->at].distance < b->hit[b->at].distance;
}

/* Return the corpus of the best hit not taken yet, or NULL.  Corpora are in the order
 * of their names, which decides between equal hits. */
static struct corpus_search *next_seat(const struct worker *w)
{
	struct corpus_search *best = NULL;
	size_t i;

	for (i = 0; i < w->run->corpora.n; i++) {
		struct corpus_search *s = &w->seat[i];

		if (s->at < s->n && (!best || before(s, best, w->run->set->hybrid)))
			best = s;
	}
	return best;
}

/* Merge the hits of all corpora, and cut them at k. */
static int merge(struct worker *w, struct lh_err *err)
{
	struct corpus_search *s;

	while (w->n_found < w->reader.q.k && (s = next_seat(w))) {
		const struct lh_hit *hit = &s->hit[s->at];
		struct result f = { .seat = s, .number = hit->row, .distance = hit->distance };
		int got = lh_index_row(s->corpus->ix, hit->row, &f.row, err);

		if (w->run->set->hybrid)
			f.score = s->fused[s->at].score;
		s->at++;
		if (got < 0)
			return at_corpus(s, err);
		if (!got)
			return lh_err_set(err, LH_ECORRUPT, "%s: row %llu: found, but not there",
					  s->corpus->path, (unsigned long long)hit->row);
		if (lh_grow(&w->found, &w->cap_found, w->n_found + 1, sizeof *w->found, err) < 0)
			return -1;
		w->found[w->n_found++] = f;
	}
	return 0;
}

int on_query(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	const struct query *q = &w->reader.q;
	size_t i, n = w->run->corpora.n;

	w->dropped = w->boosted = w->injected = 0;
	w->n_found = 0;
	if (query_read(&w->reader, rec, w->run->set, err) < 0 || choose(w, err) < 0 ||
	    use_filter(w, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (w->seat[i].chosen && set_vector(w, &w->seat[i], err) < 0)
			return -1;
	for (i = 0; i < n && q->k && q->per_corpus_k; i++)
		if (w->seat[i].chosen && search_one(w, &w->seat[i], err) < 0)
			return -1;
	if (merge(w, err) < 0 ||
	    (q->use_playbook && q->k && q->per_corpus_k && use_playbook(w, err) < 0))
		return -1;
	return w->run->set->flat ? print_flat(w, out, err) : print_record(w, rec, out, err);
}
