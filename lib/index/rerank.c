/* rerank.c - measure the best candidates again, and sort them.  See searcher.h. */
#include "searcher.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lh/str.h>

/* candidates beyond k: f32 and double differ in the last bits, codes in more */
#define SLACK 16
#define PREFETCH_AHEAD 3 /* candidates whose vectors are prefetched */
#define SAMPLE 8	/* candidates that show how inexact distances of codes are */

const float *lh_walk_vector(const struct lh_searcher *s, uint32_t row)
{
	const struct lh_index *ix = s->ix;

	if (row >= ix->rows)
		return ix->pending[row - ix->rows].vector;
	if (ix->exact)
		return lh_index_exact(ix, row);
	if (ix->params.precision == LH_F32)
		return (const void *)lh_walk_row(s, row, lh_index_code_bytes(&ix->params));
	lh_index_vector(ix, row, s->vector);
	return s->vector;
}

static struct lh_str id_of(const struct lh_index *ix, uint32_t row)
{
	struct lh_err unused;
	struct lh_str id;

	if (row >= ix->rows)
		return ix->pending[row - ix->rows].id;
	if (lh_index_row_text(ix, LH_INDEX_IDS, row, &id, &unused) < 0)
		return (struct lh_str){ "", 0 };
	return id;
}

int lh_walk_id_cmp(const struct lh_index *ix, uint32_t a, uint32_t b)
{
	return lh_str_cmp(id_of(ix, a), id_of(ix, b));
}

static int by_distance(const void *a, const void *b, void *ctx)
{
	const struct cand *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->row == y->row ? 0 : lh_walk_id_cmp(ctx, x->row, y->row);
}

/* Compute the distance that is returned; not finite if the row's vector is not. */
static double final_distance(const struct lh_searcher *s, const float *v)
{
	const struct lh_index_params *p = &s->ix->params;
	double d;

	if (p->distance == LH_L2)
		return sqrt(lh_vec_l2sq_f64(s->exact.v, v, p->dimension));
	d = 1 - lh_vec_dot_f64(s->exact.v, v, p->dimension);
	return p->distance == LH_COSINE && d < 0 ? 0 : d;
}

int lh_rerank_row(const struct lh_searcher *s, uint32_t row, float *out, struct lh_err *err)
{
	const struct lh_index *ix = s->ix;
	double d = final_distance(s, lh_walk_vector(s, row));

	if (!isfinite(d))
		return lh_err_set(err, LH_ECORRUPT, "%s: the vector of row %u is damaged",
				  lh_index_kind_name(ix->exact ? LH_INDEX_EXACT : LH_INDEX_ROWS),
				  row);
	*out = d > FLT_MAX ? FLT_MAX : d < -FLT_MAX ? -FLT_MAX : (float)d;
	return 0;
}

/*
 * n products or squares that are summed up in f32, in any order, are off by less than
 * (n + 8) / 2^23 of the sum of their absolute values, which of products is at most the product
 * of the lengths.  Vectors under cosine have about length 1, decoded ones too.  The last term is
 * for values under the least f32, and for the rounding of the result.  A sum may overflow.
 */
bool lh_rerank_beyond(const struct lh_searcher *s, float d, uint32_t row)
{
	const struct lh_index_params *p = &s->ix->params;
	double worst = s->best.v[0].d, error = (p->dimension + 8.0) * FLT_EPSILON;
	double least = p->dimension * (double)FLT_MIN + fabs(worst) * FLT_EPSILON;
	const float *v;

	d = fminf(d, FLT_MAX);
	if (p->distance == LH_L2)
		return d > worst * worst * (1 + error) + least * (1 + worst);
	if (p->distance == LH_IP) {
		v = lh_walk_vector(s, row);
		error *= s->length * sqrt((double)lh_vec_dot()(v, v, p->dimension));
	}
	return d > worst - 1 + error + least;
}

size_t lh_rerank_candidates(const struct lh_searcher *s)
{
	size_t k = s->q->k;

	if (s->ix->params.precision == LH_F32)
		return k + SLACK;
	/* with a filter all of the nearest may be about as far as each other */
	return s->q->allow ? 2 * (k + SLACK) : k + SLACK + k / 8;
}

/* Return the distance that a candidate's stands for. */
static float estimated_distance(const struct lh_searcher *s, float d)
{
	return s->ix->params.distance == LH_L2 ? sqrtf(d) : 1 + d;
}

/*
 * Measure up to n candidates again, nearest first.  The rest is left out when the next is
 * farther than all k nearest by more than twice the greatest error so far.  Returns how many
 * were measured, or -1.
 */
static long rerank(const struct lh_searcher *s, struct cand *v, size_t n)
{
	size_t least = s->q->k > SAMPLE ? s->q->k : SAMPLE, i;
	float worst = -FLT_MAX, error = 0, estimate;
	uint32_t ahead;

	for (i = 0; i < n; i++) {
		estimate = estimated_distance(s, v[i].d);
		if (i >= least && estimate - 2 * error > worst)
			break;
		ahead = i + PREFETCH_AHEAD < n ? v[i + PREFETCH_AHEAD].row : UINT32_MAX;
		if (s->ix->exact && ahead < s->ix->rows)
			lh_prefetch(lh_index_exact(s->ix, ahead),
				    s->ix->params.dimension * sizeof(float));
		if (lh_rerank_row(s, v[i].row, &v[i].d, s->err) < 0)
			return -1;
		error = fmaxf(error, fabsf(estimate - v[i].d));
		if (i < s->q->k)
			worst = fmaxf(worst, v[i].d);
	}
	s->q->work.bytes_read += i * lh_index_exact_bytes(&s->ix->params);
	return (long)i;
}

long lh_rerank_results(struct lh_searcher *s, struct lh_hit *out)
{
	struct heap *h = &s->best;
	const struct lh_index *ix = s->ix;
	size_t i, n;
	long measured;

	qsort_r(h->v, h->n, sizeof *h->v, by_distance, (void *)(uintptr_t)ix);
	n = h->n;
	if (!s->by_vector) {
		n = n < lh_rerank_candidates(s) ? n : lh_rerank_candidates(s);
		measured = rerank(s, h->v, n);
		if (measured < 0)
			return -1;
		n = (size_t)measured;
		qsort_r(h->v, n, sizeof *h->v, by_distance, (void *)(uintptr_t)ix);
	}
	if (n > s->q->k)
		n = s->q->k;
	for (i = 0; i < n; i++)
		out[i] = (struct lh_hit){ h->v[i].d, h->v[i].row };
	return (long)n;
}

int lh_index_distance(struct lh_searcher *s, const float *vector, uint64_t row, float *out,
		      struct lh_err *err)
{
	lh_quantized_query_set(&s->exact, vector);
	return lh_rerank_row(s, (uint32_t)row, out, err);
}
