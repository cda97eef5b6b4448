/*
 * centroids.c - k-means over the rows of a writer.  See centroids.h.
 *
 * The first centroids are rows of the sample, each chosen with a probability that grows with
 * its distance from those before it (k-means++: D. Arthur and S. Vassilvitskii, 2007).  Sums
 * are in double and in the order of the rows, so that every machine finds the same.
 */
#include "centroids.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal.h"
#include "index/index_tools.h"

#define SAMPLE_MIN 16384
#define SAMPLE_EACH 64		/* rows of the sample for each centroid, at least */
#define ROUNDS 20

struct clusters {
	const struct lh_index_writer *w;
	const struct lh_index_params *p;
	uint64_t rows, sample;
	uint64_t random;
	float *centroid;
	size_t n;
	double *near;		/* of each row of the sample: squared distance from a centroid */
	uint32_t *in;		/* its centroid */
	double *sum;		/* of the vectors of each centroid */
	uint64_t *count;
};

/* SplitMix64 (G. Steele and others, 2014). */
static uint64_t next_random(struct clusters *c)
{
	uint64_t z = c->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Return the vector of the i-th row of the sample, which is spread evenly over the rows. */
static const float *sampled(const struct clusters *c, uint64_t i)
{
	struct lh_row unused;

	return lh_index_writer_row(c->w, (uint64_t)((__uint128_t)i * c->rows / c->sample), &unused);
}

static float *centroid_at(const struct clusters *c, size_t i)
{
	return c->centroid + i * c->p->dimension;
}

size_t centroids_nearest(const float *centroid, size_t n, const struct lh_index_params *p,
			 const float *vector)
{
	size_t i, best = 0;
	double d, least = 0;

	for (i = 0; i < n; i++) {
		d = lh_shard_plan_distance(p->distance, centroid + i * p->dimension, vector,
					   p->dimension);
		if (!i || d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

/* ---- the first centroids ---- */

/* Choose a row by its squared distance; sample if every row is a centroid. */
static uint64_t choose_row(struct clusters *c)
{
	double all = 0, at;
	uint64_t i, last = c->sample;

	for (i = 0; i < c->sample; i++)
		all += c->near[i];
	at = (double)(next_random(c) >> 11) * 0x1p-53 * all;
	for (i = 0; i < c->sample; i++) {
		if (!(c->near[i] > 0))
			continue;
		last = i;
		at -= c->near[i];
		if (at < 0)
			break;
	}
	return last;
}

static void choose_first(struct clusters *c, size_t n)
{
	uint64_t row = c->sample ? next_random(c) % c->sample : 0;

	while (row < c->sample && c->n < n && !lh_stopping()) {
		const float *added = centroid_at(c, c->n);
		uint64_t i;

		memcpy(centroid_at(c, c->n), sampled(c, row),
		       c->p->dimension * sizeof *c->centroid);
		for (i = 0; i < c->sample; i++) {
			double d = lh_vec_l2sq_f64(sampled(c, i), added, c->p->dimension);

			if (!c->n || d < c->near[i])
				c->near[i] = d;
		}
		c->n++;
		row = choose_row(c);
	}
}

/* ---- the rounds ---- */

/* Assign each row of the sample to its nearest centroid; false if none has moved. */
static bool assign_rows(struct clusters *c)
{
	size_t dimension = c->p->dimension, k;
	bool moved = false;
	uint64_t i;

	memset(c->sum, 0, c->n * dimension * sizeof *c->sum);
	memset(c->count, 0, c->n * sizeof *c->count);
	for (i = 0; i < c->sample && !lh_stopping(); i++) {
		const float *v = sampled(c, i);
		uint32_t to = (uint32_t)centroids_nearest(c->centroid, c->n, c->p, v);

		moved |= to != c->in[i];
		c->in[i] = to;
		c->count[to]++;
		for (k = 0; k < dimension; k++)
			c->sum[to * dimension + k] += v[k];
	}
	return moved;
}

static int clusters_init(struct clusters *c, size_t n, struct lh_err *err)
{
	(void)err;
	c->rows = lh_index_writer_count(c->w);
	c->sample = n * SAMPLE_EACH > SAMPLE_MIN ? n * SAMPLE_EACH : SAMPLE_MIN;
	if (c->sample > c->rows)
		c->sample = c->rows;
	c->centroid = lh_calloc(n * c->p->dimension, sizeof *c->centroid);
	c->near = lh_calloc(c->sample + 1, sizeof *c->near);
	c->in = lh_calloc(c->sample + 1, sizeof *c->in);
	c->sum = lh_calloc(n * c->p->dimension, sizeof *c->sum);
	c->count = lh_calloc(n, sizeof *c->count);
	return c->count ? 0 : -1;
}

float *centroids_make(const struct lh_index_writer *w, const struct lh_index_params *p, size_t n,
		      uint64_t seed, size_t *found, struct lh_err *err)
{
	struct clusters c = { .w = w, .p = p, .random = seed };
	int round, rc = clusters_init(&c, n, err);

	if (rc == 0)
		choose_first(&c, n);
	for (round = 0; rc == 0 && round < ROUNDS; round++) {
		size_t dimension, i, k;

		if (!assign_rows(&c) && round)
			break;
		/* Move each centroid to the middle of its rows; without any it stays. */
		dimension = c.p->dimension;
		for (i = 0; i < c.n; i++) {
			float *to = centroid_at(&c, i);

			for (k = 0; c.count[i] && k < dimension; k++)
				to[k] = (float)(c.sum[i * dimension + k] / (double)c.count[i]);
			if (c.p->distance == LH_COSINE)
				lh_vec_unit(to, dimension);
		}
	}
	free(c.near);
	free(c.in);
	free(c.sum);
	free(c.count);
	*found = c.n;
	if (rc == 0)
		return c.centroid;
	free(c.centroid);
	return NULL;
}
