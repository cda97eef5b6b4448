/*
 * cosine.c - compare the vectors that two sides made of a text by their angle.  See
 * parity.h.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include <lh/num.h>
#include <lh/distance.h>
#include "parity.h"

/* One vector as doubles. */
struct vector {
	double *x;
	size_t n;
};

static const char *const names[] = { "vector", "vectors", "embeddings" };

static void read_array(const struct lh_value *v, struct vector *to, const char **bad)
{
	size_t cap = 0;
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (to->n == LH_DIM_MAX)
			*bad = "a vector is longer than 65536";
		else if (it.val.type != LH_NUMBER)
			*bad = "a vector contains something other than a number";
		if (*bad)
			return;
		lh_grow(&to->x, &cap, to->n + 1, sizeof *to->x);
		to->x[to->n] = lh_value_f64(&it.val);
		if (!isfinite(to->x[to->n++]))
			*bad = "a vector holds a number beyond double";
	}
}

/* Read little-endian f32. */
static void read_base64(const struct lh_value *v, struct vector *to, const char **bad)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str text;
	LH_SCOPED(lh_free_local) float *f = NULL;
	long n, i;

	lh_value_str(v, &scratch, &text);
	if (text.n > LH_DIM_MAX * sizeof *f / 3 * 4 + 8) {
		*bad = "a vector is longer than 65536";
		return;
	}
	f = lh_calloc(text.n / 4 * 3 / sizeof *f + 1, sizeof *f);
	to->x = lh_calloc(text.n / 4 * 3 / sizeof *f + 1, sizeof *to->x);
	n = lh_base64_read(text.p, text.n, f);
	if (n < 0 || n % (long)sizeof *f)
		*bad = "a vector is not base64 of floats";
	for (i = 0; !*bad && i < n / (long)sizeof *f; i++) {
		to->x[to->n++] = (double)f[i];
		if (!isfinite(f[i]))
			*bad = "a vector holds a number that is not finite";
	}
}

/* Scale to length 1, first by the greatest element, so that no square is beyond
 * double.  False for a vector of zeros. */
static bool unit(struct vector *v)
{
	double most = 0, sum = 0;
	size_t i;

	for (i = 0; i < v->n; i++)
		most = fmax(most, fabs(v->x[i]));
	if (most == 0)
		return false;
	for (i = 0; i < v->n; i++) {
		v->x[i] /= most;
		sum += v->x[i] * v->x[i];
	}
	sum = sqrt(sum);
	for (i = 0; i < v->n; i++)
		v->x[i] /= sum;
	return true;
}

/* Return 1 - cos of two unit vectors, as half the square of their difference:
 * exactly 0 if they are equal. */
static double distance(const struct vector *a, const struct vector *b)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < a->n; i++)
		sum += (a->x[i] - b->x[i]) * (a->x[i] - b->x[i]);
	return sum / 2;
}

static void judge_vectors(double tolerance, size_t i, struct vector v[2], struct lh_buf *why)
{
	double far;

	if (v[0].n != v[1].n) {
		lh_buf_printf(why, "vector %zu: %s against %zu", i + 1, LH_N(v[0].n, "dimension"),
			      v[1].n);
	} else if (!unit(&v[0]) || !unit(&v[1])) {
		lh_buf_printf(why, "vector %zu: a zero vector", i + 1);
	} else {
		char text[2][LH_F64_MAX];
		int n[2];

		far = distance(&v[0], &v[1]);
		if (far <= tolerance)
			return;
		n[0] = (int)lh_f64_print(text[0], far);
		n[1] = (int)lh_f64_print(text[1], tolerance);
		lh_buf_printf(why, "vector %zu: 1 - cosine is %.*s, more than %.*s", i + 1, n[0],
			      text[0], n[1], text[1]);
	}
}

/* Compare the n-th pair of vectors. */
static void pair(double tolerance, size_t i, const struct lh_value *a, const struct lh_value *b,
		 struct lh_buf *why)
{
	const struct lh_value *from[2] = { a, b };
	struct vector v[2] = { { NULL, 0 }, { NULL, 0 } };
	const char *bad = NULL;
	int side;

	for (side = 0; side < 2 && !bad; side++) {
		switch (from[side]->type) {
		case LH_ARRAY: read_array(from[side], &v[side], &bad); break;
		case LH_STRING: read_base64(from[side], &v[side], &bad); break;
		default: bad = "a vector is neither array nor base64";
		}
		if (bad)
			lh_buf_printf(why, "%s: %s", side_name[side], bad);
	}
	if (!bad)
		judge_vectors(tolerance, i, v, why);
	free(v[0].x);
	free(v[1].x);
}

/* Find the vectors of an answer: "vector" is a list of one. */
static bool find_vectors(const struct lh_value *v, struct lh_value *list, bool *one)
{
	size_t i;

	for (i = 0; v->type == LH_OBJECT && i < sizeof names / sizeof *names; i++)
		if (lh_value_get(v, names[i], list)) {
			*one = i == 0;
			return *one || list->type == LH_ARRAY;
		}
	return false;
}

/* Return the next vector of a list; of a list of one, the list itself, once. */
static bool next(struct lh_iter *it, const struct lh_value *list, bool one, bool *done,
		 struct lh_value *out)
{
	if (one) {
		*out = *list;
		return !*done && (*done = true);
	}
	if (!lh_iter_next(it))
		return false;
	*out = it->val;
	return true;
}

void cosine(double tolerance, const struct lh_value v[2], struct lh_buf *why)
{
	struct lh_value list[2], each[2];
	bool one[2] = { false, false }, done[2] = { false, false }, more[2];
	struct lh_iter it[2];
	size_t i;
	int side;

	for (side = 0; side < 2; side++) {
		if (!find_vectors(&v[side], &list[side], &one[side])) {
			lh_buf_printf(why, "%s: no vector, vectors or embeddings", side_name[side]);
			return;
		}
		if (!one[side])
			lh_iter_init(&it[side], &list[side]);
	}
	for (i = 0; ; i++) {
		for (side = 0; side < 2; side++)
			more[side] =
				next(&it[side], &list[side], one[side], &done[side], &each[side]);
		if (!more[0] || !more[1])
			break;
		pair(tolerance, i, &each[0], &each[1], why);
		if (why->len)
			return;
	}
	if (more[0] != more[1])
		lh_buf_printf(why, "%s: no more than %s", side_name[more[0]],
			      LH_N(i, "vector"));
	else if (!i)
		lh_buf_puts(why, "both: no vectors");
}
