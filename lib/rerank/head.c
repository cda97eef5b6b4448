/* head.c - from the vector of a pair to its score.  See reranker.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "reranker_parts.h"

#define KEY_STRING 8

/* Read a tensor of so many rows of n values. */
static int read_tensor(const struct lh_gguf *g, const char *name, uint64_t n, uint64_t rows,
		       float **to, struct lh_err *err)
{
	const struct lh_gguf_tensor *t =
		lh_gguf_find(g, name, (const uint64_t[3]){ n, rows, 1 }, false, err);

	if (!t)
		return -1;
	if (!lh_gguf_finite(t))
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: tensor \"%s\" has a value that is not finite",
				  lh_gguf_path(g), name);
	*to = lh_calloc(n * rows, sizeof **to, err);
	for (uint64_t i = 0; *to && i < rows; i++)
		lh_gguf_row(t, i, *to + i * n);
	return *to ? 0 : -1;
}

/* Read a bias; zeros if there is none. */
static int read_bias(const struct lh_gguf *g, const char *name, uint64_t n, float **to,
		     struct lh_err *err)
{
	if (lh_gguf_tensor(g, name))
		return read_tensor(g, name, n, 1, to, err);
	*to = lh_calloc(n, sizeof **to, err);
	return *to ? 0 : -1;
}

static int read_labels(struct lh_rerank_head *h, const struct lh_gguf *g, const char *architecture,
		       struct lh_err *err)
{
	struct lh_gguf_array labels;
	char key[96];

	h->labels = 1;
	snprintf(key, sizeof key, "%s.classifier.output_labels", architecture);
	if (!lh_gguf_has(g, key))
		return 0;
	if (lh_gguf_array(g, key, KEY_STRING, &labels, err) < 0)
		return -1;
	h->labels = labels.n;
	if (labels.n == 1 || labels.n == 2)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: %llu labels: a cross-encoder has one or two",
			  lh_gguf_path(g), (unsigned long long)labels.n);
}

int lh_rerank_head_read(struct lh_rerank_head *h, const struct lh_gguf *g,
			const struct lh_encoder_info *info, struct lh_err *err)
{
	uint64_t width = info->width;

	h->width = width;
	if (!lh_gguf_tensor(g, "cls.output.weight"))
		return lh_err_set(err, LH_ECORRUPT, "%s: not a cross-encoder: it has no tensor "
				  "\"cls.output.weight\"", lh_gguf_path(g));
	if (read_labels(h, g, info->architecture, err) < 0 ||
	    read_tensor(g, "cls.output.weight", width, h->labels, &h->out, err) < 0 ||
	    read_bias(g, "cls.output.bias", h->labels, &h->out_bias, err) < 0)
		return -1;
	if (!lh_gguf_tensor(g, "cls.weight"))
		return 0;
	if (read_tensor(g, "cls.weight", width, width, &h->dense, err) < 0)
		return -1;
	return read_bias(g, "cls.bias", width, &h->dense_bias, err);
}

void lh_rerank_head_free(struct lh_rerank_head *h)
{
	free(h->dense);
	free(h->dense_bias);
	free(h->out);
	free(h->out_bias);
}

static double output(const float *w, const double *x, uint64_t n, float bias)
{
	double sum = (double)bias;

	for (uint64_t i = 0; i < n; i++)
		sum += (double)w[i] * x[i];
	return sum;
}

double lh_rerank_head_score(const struct lh_rerank_head *h, const float *v, double *scratch)
{
	uint64_t n = h->width;
	double *x = scratch, *y = scratch + n, last;

	for (uint64_t i = 0; i < n; i++)
		x[i] = (double)v[i];
	for (uint64_t i = 0; h->dense && i < n; i++)
		y[i] = tanh(output(h->dense + i * n, x, n, h->dense_bias[i]));
	x = h->dense ? y : x;
	last = output(h->out + (h->labels - 1) * n, x, n, h->out_bias[h->labels - 1]);
	return h->labels == 1 ? last : last - output(h->out, x, n, h->out_bias[0]);
}
