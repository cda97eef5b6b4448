/* seats.c - what a worker keeps for each corpus while its files are the same.  See
 * search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "search.h"

/* Release what depends on the open index. */
static void seat_reset(struct worker *w, struct corpus_search *s)
{
	if (s->kept)
		filters_give(&s->open->filters, s->kept);
	if (s->scoped)
		filters_give(&s->open->filters, s->scoped);
	lh_searcher_free(s->searcher);
	lh_index_words_free(s->words);
	engine_give(w, s->engine);
	free(s->vector);
	s->kept = s->scoped = NULL;
	s->searcher = NULL;
	s->words = NULL;
	s->engine = NULL;
	s->vector = NULL;
	s->open = NULL;
}

static void seat_free(struct worker *w, struct corpus_search *s)
{
	seat_reset(w, s);
	free(s->hit);
	free(s->said);
	free(s->fused);
	free(s->excluded);
}

void seats_init(struct worker *w)
{
	const struct names *l = w->run->corpora.names;
	size_t i;

	w->seat = lh_calloc(l->all + 1, sizeof *w->seat);
	w->n_seats = l->all;
	for (i = 0; i < l->all; i++)
		w->seat[i].name = &l->v[i];
}

void seats_free(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->n_seats; i++)
		seat_free(w, &w->seat[i]);
	free(w->seat);
	free(w->chosen);
	free(w->left_out);
}

/* Keep of a seat what depends on the same open index, and the engine of the same texts. */
static void seat_renew(struct worker *w, struct corpus_search *s, struct opened *is)
{
	struct opened *was = s->open;
	struct engine *engine = s->engine;
	float *vector = s->vector;
	bool alike = was && is && was->engine.len == is->engine.len &&
		!memcmp(was->engine.p, is->engine.p, is->engine.len);

	if (was == is)
		return;
	if (alike) {
		s->engine = NULL;
		s->vector = NULL;
	}
	seat_reset(w, s);
	if (alike) {
		s->engine = engine;
		s->vector = vector;
	}
	s->open = is;
}

/* Move the seats of names that are there still. */
static void seats_move(struct worker *w, const struct search *is)
{
	const struct names *were = w->run->corpora.names, *l = is->corpora.names;
	struct worker to = { .run = is };
	size_t i;
	long at;

	seats_init(&to);
	for (i = 0; i < w->n_seats; i++) {
		at = names_find_same(l, were, i);
		if (at < 0) {
			seat_free(w, &w->seat[i]);
			continue;
		}
		to.seat[at] = w->seat[i];
		to.seat[at].name = &l->v[at];
	}
	free(w->seat);
	w->seat = to.seat;
	w->n_seats = to.n_seats;
}

void seats_renew(struct worker *w, const struct search *is)
{
	size_t i;

	if (w->run->corpora.names != is->corpora.names)
		seats_move(w, is);
	for (i = 0; i < w->n_seats; i++)
		seat_renew(w, &w->seat[i], atomic_load(&is->corpora.v[i]));
	w->run = is;
}

int at_corpus(const struct corpus_search *s, struct lh_err *err)
{
	if (err->code != LH_ECORRUPT)
		return -1;
	return s->name->alone ? name_failed(s->name, err)
			      : lh_err_prefix(err, "%s", s->name->path);
}

int damaged_row(const struct corpus_search *s, uint64_t row, const char *what, struct lh_err *err)
{
	lh_err_set(err, LH_ECORRUPT, "row %llu: %s", (unsigned long long)row, what);
	return at_corpus(s, err);
}

/* ---- preparing one for a query ---- */

int seat_open(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	if (!s->open)
		s->open = corpora_get(&w->run->corpora, (size_t)(s - w->seat), err);
	return s->open ? 0 : -1;
}

int check_model(const struct worker *w, const struct corpus_search *s, struct lh_err *err)
{
	const struct lh_value *named = &w->reader.q.model;
	const char *model = s->open->params->model;

	if (!named->p || !*model || lh_value_is(named, model, strlen(model)))
		return 0;
	return lh_err_data(err, 409, "\"model\" is %.*s, but corpus \"%s\" is of \"%s\"",
			   (int)(named->n < 200 ? named->n : 200), named->p, s->name->text, model);
}

static int take_vector(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	size_t dimension = s->open->params->dimension;

	if (check_model(w, s, err) < 0)
		return -1;
	if (w->n_liked && !is_alike(w, s))
		return lh_err_data(err, 409, "\"like\": corpus \"%s\" has vectors of another "
				   "model", s->name->text);
	if (q->dimension != dimension)
		return lh_err_set(err, LH_EDATA,
				  "the query has dimension %zu, corpus \"%s\" has %zu",
				  q->dimension, s->name->text, dimension);
	memcpy(s->vector, q->vector, dimension * sizeof *s->vector);
	return 0;
}

int set_vector(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct lh_index_params *p = s->open->params;

	if (!s->vector) {
		s->vector = lh_calloc(p->dimension, sizeof *s->vector);
	}
	if ((w->reader.q.vector ? take_vector(w, s, err) : embed(w, s, err)) < 0)
		return -1;
	if (p->distance == LH_COSINE && !lh_vec_unit(s->vector, p->dimension))
		return lh_err_set(err, LH_EDATA, "a zero vector has no cosine distance");
	return 0;
}

int set_searcher(struct corpus_search *s, struct lh_err *err)
{
	if (!s->searcher)
		s->searcher = lh_searcher_new(s->open->ix, err);
	return s->searcher ? 0 : -1;
}
