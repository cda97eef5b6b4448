/* head.c - from the vector of a pair to its score.  See encoder.h. */
#include <math.h>

#include "encoder_parts.h"

static double output(const float *w, const double *x, uint64_t n, float bias)
{
	double sum = (double)bias;

	for (uint64_t i = 0; i < n; i++)
		sum += (double)w[i] * x[i];
	return sum;
}

/* Compute GELU by tanh, as ggml has it. */
static double gelu(double x)
{
	return 0.5 * x * (1 + tanh(0.79788456080286535588 * x * (1 + 0.044715 * x * x)));
}

static void normalise(double *x, uint64_t n, const float *weight, double epsilon)
{
	double mean = 0, square = 0;

	for (uint64_t i = 0; i < n; i++)
		mean += x[i] / (double)n;
	for (uint64_t i = 0; i < n; i++)
		square += (x[i] - mean) * (x[i] - mean) / (double)n;
	for (uint64_t i = 0; i < n; i++)
		x[i] = (x[i] - mean) / sqrt(square + epsilon) * (double)weight[i];
}

double lh_encoder_score(const struct lh_encoder *e, const float *v, double *scratch)
{
	const struct lh_head *h = &e->head;
	uint64_t n = e->s.width, labels = e->s.labels;
	double *x = scratch, *y = scratch + n, last;

	for (uint64_t i = 0; i < n; i++)
		x[i] = (double)v[i];
	for (uint64_t i = 0; h->dense && i < n; i++) {
		y[i] = output(h->dense + i * n, x, n, h->dense_bias[i]);
		y[i] = e->design->pairs == LH_POOL_MEAN ? gelu(y[i]) : tanh(y[i]);
	}
	if (h->norm)
		normalise(y, n, h->norm, e->s.epsilon);
	x = h->dense ? y : x;
	last = output(h->out + (labels - 1) * n, x, n, h->out_bias[labels - 1]);
	return labels == 1 ? last : last - output(h->out, x, n, h->out_bias[0]);
}
