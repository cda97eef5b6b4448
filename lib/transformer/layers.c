/* layers.c - from lists of tokens to vectors and scores.  See encoder.h. */
#include <math.h>
#include <stdlib.h>

#include "vector/distance.h"
#include "base/mem.h"
#include "encoder_parts.h"

/* ---- attention ---- */

/*
 * For a head, the keys of a text are put into panels as if they were weights, and so are the
 * values; scores and their products with the values are then products of matrices.  Where a token
 * does not attend to all, a block of rows is multiplied by those panels alone that one of its
 * rows attends to.
 */

/* ---- rotation ---- */

static bool is_rotary(const struct lh_encoder *e)
{
	return e->design->position == LH_HALVES || e->design->position == LH_ADJACENT;
}

/* Fill in the angles of n positions. */
static void set_angles(const struct lh_encoder *e, double base, float *to, size_t n)
{
	size_t half = e->s.rotated / 2;

	for (size_t i = 0; is_rotary(e) && i < half; i++) {
		double step = pow(base, -(double)i / (double)half);

		if (e->factors)
			step /= (double)e->factors[i];
		for (size_t p = 0; p < n; p++) {
			to[2 * p * half + i] = (float)cos((double)p * step);
			to[(2 * p + 1) * half + i] = (float)sin((double)p * step);
		}
	}
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
	struct lh_panels m = { .product = floats, .in = d, .out = keys,
			       .w = (char *)w->keys + lh_panels_bytes(floats, d, b->from) };

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

/* Attention of a layer, of the n tokens whose first is row first: from qkv to attended. */
static void lh_encoder_attend(struct lh_encoder_work *w, const struct lh_layer *l, size_t first,
			      size_t n)
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

/* ---- layers ---- */

/*
 * Lists are taken together until they are LH_ROWS rows; a longer one is alone.  A layer's
 * matrices are multiplied by LH_ROWS rows at a time.
 */

/* ---- room ---- */

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Make *p, a pointer, memory of n bytes; what was in it is lost. */
static void again_bytes(void *p, size_t n)
{
	void **to = p;

	free(*to);
	*to = lh_calloc_lines(n);
}

/* Make *p an array of n floats. */
static void again(float **p, size_t n)
{
	again_bytes(p, n * sizeof **p);
}

static void room_for_rows(struct lh_encoder_work *w, size_t rows)
{
	const struct lh_encoder *e = w->e;

	if (rows <= w->rows)
		return;
	again(&w->x, rows * lh_stride(e->s.width));
	again(&w->qkv, rows * lh_stride(lh_encoder_qkv(e)));
	again(&w->attended, rows * lh_stride(lh_encoder_queries(e)));
	w->rows = rows;
}

/* Make room for what attention needs for a list of n tokens. */
static void room_for_list(struct lh_encoder_work *w, size_t n)
{
	const struct lh_encoder *e = w->e;
	size_t d = e->s.head, widest = larger(larger(e->s.width, e->s.dense),
					      larger(lh_encoder_queries(e), n));

	if (n <= w->longest)
		return;
	again_bytes(&w->packed, lh_packed_bytes(e->floats, lh_panels_round(widest), LH_ROWS));
	for (size_t local = 0; local <= (e->s.window > 0); local++) {
		again(&w->rotation[local], n * d);
		set_angles(e, local ? e->s.local_base : e->s.base, w->rotation[local], n);
	}
	again_bytes(&w->keys, lh_panels_bytes(e->floats, d, n));
	again_bytes(&w->values, lh_panels_bytes(e->floats, n, d));
	again(&w->scores, LH_ROWS * lh_stride(n));
	w->longest = n;
}

static void room_for_layer(struct lh_encoder_work *w)
{
	const struct lh_encoder *e = w->e;
	size_t of_width = LH_ROWS * lh_stride(e->s.width);

	again_bytes(&w->packed_next, lh_packed_bytes(
		e->floats, lh_panels_round(e->s.feed_forward), LH_ROWS));
	again(&w->hidden, larger(lh_stride(e->s.dense), LH_ROWS * 2 * LH_PANEL));
	again(&w->y, of_width);
	again(&w->h, of_width);
	if (!e->s.moe_every)
		return;
	again(&w->share, LH_ROWS * lh_stride(e->s.experts));
	again(&w->gathered, of_width);
	again(&w->part, of_width);
}

struct lh_encoder_work *lh_encoder_work_new(const struct lh_encoder *e)
{
	struct lh_encoder_work *w = lh_calloc(1, sizeof *w);

	w->e = e;
	room_for_layer(w);
	room_for_rows(w, LH_ROWS);
	room_for_list(w, LH_ROWS);
	return w;
}

void lh_encoder_work_free(struct lh_encoder_work *w)
{
	if (!w)
		return;
	void *all[] = { w->x, w->qkv, w->attended, w->packed, w->packed_next, w->hidden, w->y,
			w->h, w->share, w->gathered, w->part, w->rotation[0], w->rotation[1],
			w->keys, w->values, w->scores };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	free(w);
}

/* ---- feed-forward: rows of x, to y ---- */

static void forward(struct lh_encoder_work *w, const struct lh_panels *up,
		    const struct lh_panels *down, const float *x, size_t rows, float *y)
{
	const struct lh_encoder *e = w->e;
	size_t stride = lh_stride(e->s.width);

	lh_matmul_pack(up, x, stride, rows, w->packed);
	lh_matmul_next(up, w->packed, rows, w->hidden, lh_encoder_has(e, LH_SILU)
		       ? e->kernels->silu : lh_encoder_has(e, LH_ERF)
		       ? e->kernels->gelu_erf : e->kernels->gelu, down, w->packed_next);
	lh_matmul(down, w->packed_next, rows, y, stride);
}

/* Keep the largest shares of a row, of those alike the first; the others become 0. */
static void choose_experts(float *share, size_t n, size_t used)
{
	size_t best;

	while (used--) {
		best = n;
		for (size_t i = 0; i < n; i++)
			if (share[i] >= 0 && (best == n || share[i] > share[best]))
				best = i;
		if (best < n)
			share[best] = -share[best];	/* chosen */
	}
	for (size_t i = 0; i < n; i++)
		share[i] = share[i] < 0 ? -share[i] : 0;
}

/* Add what expert i makes of the rows that chose it. */
static void one_expert(struct lh_encoder_work *w, const struct lh_layer *l, size_t i,
		       const float *x, size_t rows)
{
	size_t width = w->e->s.width, stride = lh_stride(width), n = 0, from[LH_ROWS];
	size_t shares = lh_stride(w->e->s.experts);

	for (size_t r = 0; r < rows; r++)
		if (w->share[r * shares + i] > 0) {
			memcpy(w->gathered + n * stride, x + r * stride, width * sizeof *x);
			from[n++] = r;
		}
	if (!n)
		return;
	forward(w, &l->up_of[i], &l->down_of[i], w->gathered, n, w->part);
	for (size_t g = 0; g < n; g++) {
		float share = w->share[from[g] * shares + i], *y = w->y + from[g] * stride;

		for (size_t c = 0; c < width; c++)
			y[c] += share * w->part[g * stride + c];
	}
}

static void experts(struct lh_encoder_work *w, const struct lh_layer *l, const float *x,
		    size_t rows)
{
	const struct lh_encoder *e = w->e;
	size_t stride = lh_stride(e->s.width), shares = lh_stride(e->s.experts);

	lh_matmul_pack(&l->router, x, stride, rows, w->packed);
	lh_matmul(&l->router, w->packed, rows, w->share, shares);
	for (size_t r = 0; r < rows; r++) {
		e->kernels->softmax(w->share + r * shares, e->s.experts, 1);
		choose_experts(w->share + r * shares, e->s.experts, e->s.experts_used);
	}
	memset(w->y, 0, rows * stride * sizeof *w->y);
	for (size_t i = 0; i < e->s.experts; i++)
		one_expert(w, l, i, x, rows);
}

/* ---- layers ---- */

/* Normalise rows of width values, with what is added to them (NULL: nothing). */
static void lh_encoder_norm(const struct lh_encoder *e, const struct lh_norm *norm, float *x,
			    const float *more, size_t rows)
{
	size_t stride = lh_stride(e->s.width), width = e->s.width;

	for (; rows; rows--, x += stride, more = more ? more + stride : NULL) {
		if (!e->design->rms && norm->weight) {
			e->kernels->norm(x, more, norm->weight, norm->bias, width,
					 (float)e->s.epsilon);
			continue;
		}
		for (size_t c = 0; more && c < width; c++)
			x[c] += more[c];
		if (norm->weight)
			e->kernels->rms(x, norm->weight, width, (float)e->s.epsilon);
	}
}

/* Return rows as a projection takes them: normalised in w->h, or as they are. */
static const float *before(struct lh_encoder_work *w, const struct lh_norm *norm, const float *x,
			   size_t rows)
{
	if (!norm->weight)
		return x;
	memcpy(w->h, x, rows * lh_stride(w->e->s.width) * sizeof *x);
	lh_encoder_norm(w->e, norm, w->h, NULL, rows);
	return w->h;
}

static void add_attention(struct lh_encoder_work *w, const struct lh_layer *l, float *x,
			  size_t rows)
{
	const struct lh_encoder *e = w->e;
	const struct lh_norm *second = &l->norm[LH_ATTENTION_SECOND];

	if (l->norm[LH_ATTENTION_POST].weight)
		lh_encoder_norm(e, &l->norm[LH_ATTENTION_POST], w->y, NULL, rows);
	if (second->weight)
		memcpy(w->h, x, rows * lh_stride(e->s.width) * sizeof *x);
	lh_encoder_norm(e, &l->norm[LH_ATTENTION_OUT], x, w->y, rows);
	if (second->weight)
		lh_encoder_norm(e, second, x, w->h, rows);
}

static void add_forward(struct lh_encoder_work *w, const struct lh_layer *l, float *x,
			size_t rows)
{
	const float *from = before(w, &l->norm[LH_FORWARD_IN], x, rows);

	if (l->up_of)
		experts(w, l, from, rows);
	else
		forward(w, &l->up, &l->down, from, rows, w->y);
	if (l->norm[LH_FORWARD_POST].weight)
		lh_encoder_norm(w->e, &l->norm[LH_FORWARD_POST], w->y, NULL, rows);
	lh_encoder_norm(w->e, &l->norm[LH_LAYER_OUT], x, w->y, rows);
}

static void one_layer(struct lh_encoder_work *w, const struct lh_layer *l,
		      const struct lh_token_list *list, size_t n, size_t rows)
{
	const struct lh_encoder *e = w->e;
	size_t stride = lh_stride(e->s.width), queries = lh_stride(lh_encoder_queries(e));
	size_t wide = lh_stride(lh_encoder_qkv(e)), at, some;

	for (at = 0; at < rows; at += some) {
		some = rows - at < LH_ROWS ? rows - at : LH_ROWS;
		lh_matmul_pack(&l->qkv, before(w, &l->norm[LH_ATTENTION_IN], w->x + at * stride,
					       some), stride, some, w->packed);
		lh_matmul(&l->qkv, w->packed, some, w->qkv + at * wide, wide);
	}
	for (at = 0; n; at += list->n, list++, n--)
		lh_encoder_attend(w, l, at, list->n);
	for (at = 0; at < rows; at += some) {
		some = rows - at < LH_ROWS ? rows - at : LH_ROWS;
		lh_matmul_pack(&l->out, w->attended + at * queries, queries, some, w->packed);
		lh_matmul(&l->out, w->packed, some, w->y, stride);
		add_attention(w, l, w->x + at * stride, some);
		add_forward(w, l, w->x + at * stride, some);
	}
}

/* ---- beginning and end ---- */

/* Set the rows of x of a list: the sum of its embeddings, normalised. */
static void start(struct lh_encoder_work *w, const struct lh_token_list *list, float *x)
{
	const struct lh_encoder *e = w->e;
	const float scale = e->design->scaled ? sqrtf((float)e->s.width) : 1;

	for (size_t i = 0; i < list->n; i++, x += lh_stride(e->s.width)) {
		lh_gguf_row(e->token, list->id[i], x);
		for (size_t c = 0; e->design->scaled && c < e->s.width; c++)
			x[c] *= scale;
		if (e->position) {
			lh_gguf_row(e->position, i, w->y);
			for (size_t c = 0; c < e->s.width; c++)
				x[c] += w->y[c];
		}
		lh_encoder_norm(e, &e->norm, x, list->second && i >= list->second
				? e->second_type : e->type, 1);
	}
}

/* Multiply a vector by dense_2 and dense_3, as far as they are there. */
static void apply_dense(struct lh_encoder_work *w, float *v)
{
	const struct lh_panels *m = w->e->dense;
	const float *from = memcpy(w->y, v, w->e->s.width * sizeof *v);

	for (size_t i = 0; i < 2; i++, m++) {
		if (!m->in)
			continue;
		lh_matmul_pack(m, from, lh_stride(m->in), 1, w->packed);
		lh_matmul(m, w->packed, 1, w->hidden, lh_stride(m->out));
		from = w->hidden;
	}
	memcpy(v, from, w->e->s.width * sizeof *v);
}

/* Make a vector of n rows that are done. */
static int pool_rows(struct lh_encoder_work *w, const float *x, size_t n, float *v,
		     struct lh_err *err)
{
	const struct lh_encoder *e = w->e;
	size_t stride = lh_stride(e->s.width);

	memcpy(v, x, e->s.width * sizeof *v);
	for (size_t r = 1; r < n; r++)
		for (size_t c = 0; c < e->s.width; c++)
			v[c] += x[r * stride + c];
	for (size_t c = 0; n > 1 && c < e->s.width; c++)
		v[c] /= (float)n;
	apply_dense(w, v);
	if (!lh_vec_finite(v, e->s.width) || (!e->how.raw && !lh_vec_unit(v, e->s.width)))
		return lh_err_set(err, LH_EDATA, "the model's vector is zero or not finite");
	return 0;
}

/* Make the vector of a list of n tokens, or its vectors. */
static int pool(struct lh_encoder_work *w, float *x, size_t n, float *v, struct lh_err *err)
{
	const struct lh_encoder *e = w->e;
	size_t stride = lh_stride(e->s.width);

	if (e->s.pooling == LH_POOL_LAST)
		x += (n - 1) * stride;
	if (e->s.pooling == LH_POOL_LAST || e->s.pooling == LH_POOL_CLS)
		n = 1;
	if (e->output_norm.weight)
		lh_encoder_norm(e, &e->output_norm, x, NULL, n);
	if (e->s.pooling != LH_POOL_NONE)
		return pool_rows(w, x, n, v, err);
	for (size_t r = 0; r < n; r++)
		if (pool_rows(w, x + r * stride, 1, v + r * e->s.width, err) < 0)
			return -1;
	return 0;
}

/* Return how many vectors a list has. */
static size_t vectors_of(const struct lh_encoder *e, const struct lh_token_list *list)
{
	return e->s.pooling == LH_POOL_NONE ? list->n : 1;
}

/* Encode lists that are together at most LH_ROWS rows, or one; to where the next vectors go. */
static int together(struct lh_encoder_work *w, const struct lh_token_list *list, size_t n,
		    size_t rows, float **to, struct lh_err *err)
{
	const struct lh_encoder *e = w->e;
	float *x;

	room_for_rows(w, rows);
	x = w->x;
	for (size_t i = 0; i < n; x += list[i++].n * lh_stride(e->s.width))
		start(w, &list[i], x);
	for (size_t i = 0; i < e->s.layers; i++)
		one_layer(w, &e->layer[i], list, n, rows);
	x = w->x;
	for (size_t i = 0; i < n; x += list[i++].n * lh_stride(e->s.width)) {
		if (pool(w, x, list[i].n, *to, err) < 0)
			return -1;
		*to += vectors_of(e, &list[i]) * e->s.width;
	}
	return 0;
}

static int check_list(const struct lh_encoder *e, const struct lh_token_list *list,
		      struct lh_err *err)
{
	if (!list->n || list->n > e->s.context)
		return lh_err_set(err, LH_EDATA, "%zu tokens: the model takes 1 to %llu", list->n,
				  (unsigned long long)e->s.context);
	for (size_t i = 0; i < list->n; i++)
		if (list->id[i] >= e->token->dim[1])
			return lh_err_set(err, LH_EDATA, "token %u: the model has %llu",
					  list->id[i], (unsigned long long)e->token->dim[1]);
	return 0;
}

int lh_encoder_run(struct lh_encoder_work *w, const struct lh_token_list *list, size_t n,
		   float *vectors, struct lh_err *err)
{
	size_t rows, some;

	for (; n; list += some, n -= some) {
		for (rows = 0, some = 0; some < n; rows += list[some++].n) {
			if (check_list(w->e, &list[some], err) < 0)
				return -1;
			room_for_list(w, list[some].n);
			if (some && rows + list[some].n > LH_ROWS)
				break;
		}
		if (together(w, list, some, rows, &vectors, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- scores of pairs ---- */

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
