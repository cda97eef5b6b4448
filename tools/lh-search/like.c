/* like.c - search by records of the corpora in place of a text or a vector.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "search.h"

/* Find the record of that id in a corpus: 1, 0, -1.  One beyond the scope is not there. */
static int look_up(struct worker *w, struct corpus_search *s, struct lh_str id,
		   struct liked *to, struct lh_err *err)
{
	int64_t at = lh_index_find(s->open->ix, id.p, id.n, err);
	struct lh_row row;

	if (at == -2 || (at >= 0 && lh_index_row(s->open->ix, (uint64_t)at, &row, err) < 0))
		return at_corpus(s, err);
	if (at < 0 || !is_in_scope(w, &row))
		return 0;
	*to = (struct liked){ s, (uint64_t)at };
	return 1;
}

static struct corpus_search *chosen_named(const struct worker *w, struct lh_str name)
{
	size_t i;

	for (i = 0; i < w->n_chosen; i++)
		if (lh_str_is(name, w->chosen[i]->name->text, strlen(w->chosen[i]->name->text)))
			return w->chosen[i];
	return NULL;
}

/* Find the record that CORPUS/ID or ID names in the corpora that are asked. */
static int find_liked(struct worker *w, struct lh_str id, struct liked *to,
		      struct lh_err *err)
{
	const char *slash = memchr(id.p, '/', id.n);
	size_t n = slash ? (size_t)(slash - id.p) : 0, i;
	struct corpus_search *s = slash ? chosen_named(w, (struct lh_str){ id.p, n }) : NULL;
	struct liked is = { NULL, 0 };
	int shown = id.n < 200 ? (int)id.n : 200, got = 0;

	to->seat = NULL;
	if (s)
		got = look_up(w, s, (struct lh_str){ slash + 1, id.n - n - 1 }, to, err);
	for (i = 0; !got && i < w->n_chosen; i++) {
		got = look_up(w, w->chosen[i], id, &is, err);
		if (got <= 0)
			continue;
		if (to->seat)
			return lh_err_set(err, LH_EDATA, "\"like\": \"%.*s\" is in \"%s\" and "
					  "\"%s\": name one by CORPUS/ID", shown, id.p,
					  to->seat->name->text, is.seat->name->text);
		*to = is;
		got = 0;
	}
	if (got < 0)
		return -1;
	return to->seat ? 0 : lh_err_data(err, 404, "\"like\": there is no record \"%.*s\"", shown,
					  id.p);
}

/* Add the vector of a record to the sum: of unit length where lengths do not count. */
static int add(const struct liked *l, float *scratch, double *sum, struct lh_err *err)
{
	const struct lh_index_params *p = l->seat->open->params;
	size_t i;

	lh_index_vector(l->seat->open->ix, l->row, scratch);
	if (!lh_vec_finite(scratch, p->dimension))
		return damaged_row(l->seat, l->row, "its vector is not finite", err);
	if (p->distance == LH_COSINE)
		lh_vec_unit(scratch, p->dimension);
	for (i = 0; i < p->dimension; i++)
		sum[i] += scratch[i];
	return 0;
}

bool is_alike(const struct worker *w, const struct corpus_search *s)
{
	const struct lh_index_params *p = s->open->params, *of = w->liked->seat->open->params;

	return p->dimension == of->dimension &&
		(!*p->model || !*of->model || !strcmp(p->model, of->model));
}

/* Set the vector to the mean of those that are liked, and its model to theirs. */
static int set_mean(struct worker *w, struct lh_err *err)
{
	const struct lh_index_params *p = w->liked->seat->open->params;
	LH_SCOPED(lh_free_local) double *sum = lh_calloc(p->dimension, sizeof *sum);
	struct query_reader *r = &w->reader;
	float *vector;
	size_t i;

	lh_buf_reset(&r->vector);
	lh_buf_room(&r->vector, p->dimension * sizeof *vector);
	vector = (float *)(void *)r->vector.p;
	for (i = 0; i < w->n_liked; i++) {
		if (!is_alike(w, w->liked[i].seat))
			return lh_err_data(err, 409, "\"like\": corpora \"%s\" and \"%s\" "
					   "are of two models", w->liked->seat->name->text,
					   w->liked[i].seat->name->text);
		if (add(&w->liked[i], vector, sum, err) < 0)
			return -1;
	}
	for (i = 0; i < p->dimension; i++)
		vector[i] = (float)(sum[i] / (double)w->n_liked);
	r->q.vector = vector;
	r->q.dimension = p->dimension;
	return 0;
}

int use_liked(struct worker *w, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	size_t i;

	w->n_liked = 0;
	if (!q->n_like)
		return 0;
	lh_grow(&w->liked, &w->cap_liked, q->n_like, sizeof *w->liked);
	for (i = 0; i < q->n_like; i++)
		if (find_liked(w, q->like[i], &w->liked[w->n_liked++], err) < 0)
			return -1;
	return set_mean(w, err);
}
