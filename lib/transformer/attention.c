/*
 * attention.c - which tokens of a text matter to each other.  See encoder.h.
 *
 * For a head, the keys of a text are put into panels as if they were weights, and so are the
 * values; scores and their products with the values are then products of matrices.
 */
#include <math.h>

#include "encoder_parts.h"

void lh_encoder_rotations(struct lh_encoder_work *w, size_t from, size_t to)
{
	size_t half = w->e->width / w->e->heads / 2;

	for (size_t p = from; p < to; p++)
		for (size_t i = 0; i < half; i++) {
			double angle = (double)p * pow(w->e->base, -(double)i / (double)half);

			w->rotation[2 * p * half + i] = (float)cos(angle);
			w->rotation[(2 * p + 1) * half + i] = (float)sin(angle);
		}
}

/* A head writes whole panels into attended; what is beyond its columns, the next one
 * overwrites. */
static void attend_head(struct lh_encoder_work *w, size_t first, size_t n, size_t head)
{
	const struct lh_kernels *kernels = w->e->kernels;
	size_t width = w->e->width, d = width / w->e->heads, scores = lh_stride(n);
	size_t from = lh_stride(3 * width), to = lh_stride(width);
	const float *q = w->qkv + first * from + head * d;
	const struct lh_product *floats = w->e->floats;
	struct lh_panels keys = { floats, w->keys, NULL, d, n };
	struct lh_panels values = { floats, w->values, NULL, n, d };
	float scale = 1 / sqrtf((float)d);

	for (size_t j = 0; j < n; j++)
		floats->put(w->keys, j, q + width + j * from, d);
	/* An output of the second product is a column of the values. */
	for (size_t c = 0; c < d; c += LH_PANEL) {
		size_t columns = d - c < LH_PANEL ? d - c : LH_PANEL;

		floats->put_columns((char *)w->values + lh_panels_bytes(floats, n, c),
				    q + 2 * width + c, from, n, columns);
	}
	for (size_t at = 0; at < n; at += LH_ROWS) {
		size_t rows = n - at < LH_ROWS ? n - at : LH_ROWS;

		lh_matmul_pack(&keys, q + at * from, from, rows, w->packed);
		lh_matmul(&keys, w->packed, rows, w->scores, scores);
		for (size_t r = 0; r < rows; r++)
			kernels->softmax(w->scores + r * scores, n, scale);
		lh_matmul_pack(&values, w->scores, scores, rows, w->packed);
		lh_matmul(&values, w->packed, rows, w->attended + (first + at) * to + head * d,
			  to);
	}
}

void lh_encoder_attend(struct lh_encoder_work *w, size_t first, size_t n)
{
	const struct lh_encoder *e = w->e;
	size_t stride = lh_stride(3 * e->width), half = e->width / e->heads / 2;

	for (size_t p = 0; e->rotary && p < n; p++) {
		const float *cosine = w->rotation + 2 * p * half, *sine = cosine + half;
		float *v = w->qkv + (first + p) * stride;

		/* Rotate the pairs i, i + half of each head; those of q are followed by those
		 * of k. */
		for (size_t h = 0; h < 2 * e->heads; h++, v += 2 * half)
			for (size_t i = 0; i < half; i++) {
				float a = v[i], b = v[half + i];

				v[i] = a * cosine[i] - b * sine[i];
				v[half + i] = b * cosine[i] + a * sine[i];
			}
	}
	for (size_t h = 0; h < e->heads; h++)
		attend_head(w, first, n, h);
}
