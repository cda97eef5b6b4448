/*
 * attention.c - which tokens of a text matter to each other.  See encoder.h.
 *
 * For a head, the keys of a text are put into panels as if they were weights, and so are the
 * values; scores and their products with the values are then products of matrices.  Where a token
 * does not attend to all, a block of rows is multiplied by those panels alone that one of its
 * rows attends to.
 */
#include <math.h>

#include "encoder_parts.h"

/* ---- rotation ---- */

static void set_angles(const struct lh_encoder *e, double base, float *to, size_t n)
{
	size_t half = e->s.rotated / 2;

	for (size_t i = 0; i < half; i++) {
		double step = pow(base, -(double)i / (double)half);

		if (e->factors)
			step /= (double)e->factors[i];
		for (size_t p = 0; p < n; p++) {
			to[2 * p * half + i] = (float)cos((double)p * step);
			to[(2 * p + 1) * half + i] = (float)sin((double)p * step);
		}
	}
}

static bool is_rotary(const struct lh_encoder *e)
{
	return e->design->position == LH_HALVES || e->design->position == LH_ADJACENT;
}

void lh_encoder_rotations(struct lh_encoder_work *w, size_t n)
{
	const struct lh_encoder *e = w->e;

	if (is_rotary(e))
		set_angles(e, e->s.base, w->rotation[0], n);
	if (is_rotary(e) && e->s.window)
		set_angles(e, e->s.local_base, w->rotation[1], n);
}

/* Rotate the pairs i, i + half of a head, or 2 i, 2 i + 1. */
static void rotate(const struct lh_encoder *e, const float *cosine, float *v)
{
	size_t half = e->s.rotated / 2;
	const float *sine = cosine + half;

	for (size_t i = 0; e->design->position == LH_HALVES && i < half; i++) {
		float a = v[i], b = v[half + i];

		v[i] = a * cosine[i] - b * sine[i];
		v[half + i] = b * cosine[i] + a * sine[i];
	}
	for (size_t i = 0; e->design->position == LH_ADJACENT && i < half; i++) {
		float a = v[2 * i], b = v[2 * i + 1];

		v[2 * i] = a * cosine[i] - b * sine[i];
		v[2 * i + 1] = b * cosine[i] + a * sine[i];
	}
}

/* Normalise some heads of a row: each for itself, or all together. */
static void norm_heads(const struct lh_encoder *e, const struct lh_norm *norm, float *v, size_t n)
{
	size_t d = e->s.head;

	if (!norm->weight)
		return;
	if (!e->design->rms)
		e->kernels->norm(v, NULL, norm->weight, norm->bias, n * d, (float)e->s.epsilon);
	for (size_t h = 0; e->design->rms && h < n; h++)
		e->kernels->rms(v + h * d, norm->weight, d, (float)e->s.epsilon);
}

/* ---- what a token attends to ---- */

struct reach {			/* of a token: those before it and after it */
	size_t back, ahead;
};

static struct reach reach_of(const struct lh_encoder *e, const struct lh_layer *l)
{
	size_t side = l->local ? e->s.window / 2 : SIZE_MAX;

	return (struct reach){ side, e->s.causal ? 0 : side };
}

static size_t first_of(struct reach r, size_t i)
{
	return i > r.back ? i - r.back : 0;
}

static size_t end_of(struct reach r, size_t i, size_t n)
{
	return r.ahead < n - i ? i + r.ahead + 1 : n;
}

/* The slope of a head, by which the distance counts; 0 without ALiBi.  The heads up to a power of
 * 2 have the powers of 2^(-8/that); others the odd powers of its root. */
static float slope_of(const struct lh_encoder *e, size_t head)
{
	size_t two = 1;

	if (e->design->position != LH_ALIBI)
		return 0;
	while (2 * two <= e->s.heads)
		two *= 2;
	return (float)(head < two ? exp2(-8 / (double)two * (double)(head + 1))
				  : exp2(-4 / (double)two * (double)(2 * (head - two) + 1)));
}

/* ---- a head ---- */

struct block {			/* rows of a list of n tokens, and the keys that they need */
	size_t first, at, rows, n, from, to;
	struct reach reach;
};

/* Make shares of the scores of a block, whose columns are its keys. */
static void share(struct lh_encoder_work *w, const struct block *b, float slope)
{
	float scale = 1 / sqrtf((float)w->e->s.head), *v = w->scores;

	for (size_t i = b->at; i < b->at + b->rows; i++, v += lh_stride(b->n)) {
		size_t from = first_of(b->reach, i) - b->from;
		size_t to = end_of(b->reach, i, b->n) - b->from;

		for (size_t j = from; slope > 0 && j < to; j++)
			v[j] -= slope / scale *
				(float)(b->from + j > i ? b->from + j - i : i - b->from - j);
		memset(v, 0, from * sizeof *v);
		memset(v + to, 0, (b->to - b->from - to) * sizeof *v);
		w->e->kernels->softmax(v + from, to - from, scale);
	}
}

/* A head writes whole panels into attended; what is beyond its columns, the next one
 * overwrites. */
static void attend_block(struct lh_encoder_work *w, const struct block *b, size_t head)
{
	const struct lh_encoder *e = w->e;
	const struct lh_product *floats = e->floats;
	size_t d = e->s.head, n = b->n, scores = lh_stride(n), keys = b->to - b->from;
	size_t from = lh_stride(lh_encoder_qkv(e)), to = lh_stride(lh_encoder_queries(e));
	const float *q = w->qkv + (b->first + b->at) * from + head * d;
	float *y = w->attended + (b->first + b->at) * to + head * d;
	struct lh_panels m = { floats, (char *)w->keys + lh_panels_bytes(floats, d, b->from), NULL,
			       d, keys };

	lh_matmul_pack(&m, q, from, b->rows, w->packed);
	lh_matmul(&m, w->packed, b->rows, w->scores, scores);
	share(w, b, slope_of(e, head));
	m.in = keys;
	lh_matmul_pack(&m, w->scores, scores, b->rows, w->packed);
	for (size_t c = 0; c < d; c += LH_PANEL) {
		m.w = (char *)w->values + lh_panels_bytes(floats, n, c) +
			b->from / floats->unit * floats->w_bytes;
		m.out = d - c < LH_PANEL ? d - c : LH_PANEL;
		lh_matmul(&m, w->packed, b->rows, y + c, to);
	}
}

/* Put the keys and values of a head into panels. */
static void put_head(struct lh_encoder_work *w, size_t first, size_t n, size_t head)
{
	const struct lh_encoder *e = w->e;
	const struct lh_product *floats = e->floats;
	size_t d = e->s.head, from = lh_stride(lh_encoder_qkv(e));
	const float *k = w->qkv + first * from + (e->s.heads + head) * d;
	const float *v = k + e->s.kv_heads * d;

	for (size_t j = 0; j < n; j++)
		floats->put(w->keys, j, k + j * from, d);
	/* An output of the second product is a column of the values. */
	for (size_t c = 0; c < d; c += LH_PANEL)
		floats->put_columns((char *)w->values + lh_panels_bytes(floats, n, c), v + c, from,
				    n, d - c < LH_PANEL ? d - c : LH_PANEL);
}

/* Normalise and rotate the heads of q, which are followed by those of k. */
static void prepare(struct lh_encoder_work *w, const struct lh_layer *l, size_t first, size_t n)
{
	const struct lh_encoder *e = w->e;
	size_t d = e->s.head;
	const float *angles = w->rotation[l->local];
	float *v = w->qkv + first * lh_stride(lh_encoder_qkv(e));

	for (size_t p = 0; p < n; p++, v += lh_stride(lh_encoder_qkv(e))) {
		norm_heads(e, &l->norm[LH_QUERY], v, e->s.heads);
		norm_heads(e, &l->norm[LH_KEY], v + e->s.heads * d, e->s.kv_heads);
		for (size_t h = 0; is_rotary(e) && h < e->s.heads + e->s.kv_heads; h++)
			rotate(e, angles + p * e->s.rotated, v + h * d);
	}
}

void lh_encoder_attend(struct lh_encoder_work *w, const struct lh_layer *l, size_t first, size_t n)
{
	size_t group = w->e->s.heads / w->e->s.kv_heads, last;
	struct block b = { .first = first, .n = n, .reach = reach_of(w->e, l) };

	prepare(w, l, first, n);
	for (size_t head = 0; head < w->e->s.heads; head++) {
		if (head % group == 0)
			put_head(w, first, n, head / group);
		for (b.at = 0; b.at < n; b.at += b.rows) {
			b.rows = n - b.at < LH_ROWS ? n - b.at : LH_ROWS;
			/* Whole panels of keys: a part of one begins and ends with whole units. */
			b.from = first_of(b.reach, b.at) / LH_PANEL * LH_PANEL;
			last = end_of(b.reach, b.at + b.rows - 1, n);
			b.to = lh_panels_round(last) < n ? lh_panels_round(last) : n;
			attend_block(w, &b, head);
		}
	}
}
