/* compare.c - compare two answers, and find where they differ.  See parity.h. */
#include <math.h>
#include <stdlib.h>

#include "vector/distance.h"
#include "base/num.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "parity.h"

/* ---- ignored members ---- */

static bool listed(const struct lh_list *paths, const struct lh_buf *at)
{
	size_t i;

	for (i = 0; i < paths->n; i++)
		if (strlen(paths->v[i]) == at->len && memcmp(paths->v[i], at->p, at->len) == 0)
			return true;
	return false;
}

/* A removed member is removed with what is before it, including its comma. */
static void strip(struct lh_buf *b, const struct lh_value *v, const struct lh_list *paths,
		  struct lh_buf *at)
{
	const char *end = v->p, *from;
	size_t depth = at->len;
	struct lh_iter it;
	bool nested = v->type == LH_OBJECT || v->type == LH_ARRAY;
	bool first = true, any = false;

	if (!nested || !paths->n) {
		lh_buf_add(b, v->p, v->n);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); first = false) {
		from = it.object ? it.key.p : it.val.p;
		if (first) {
			lh_buf_add(b, end, (size_t)(from - end));
			end = from;
		}
		if (it.object) {
			if (at->len)
				lh_buf_putc(at, '.');
			lh_value_add(&it.key, at);
		}
		if (!it.object || !listed(paths, at)) {
			if (any || first)
				lh_buf_add(b, end, (size_t)(from - end));
			lh_buf_add(b, from, (size_t)(it.val.p - from));
			strip(b, &it.val, paths, at);
			any = true;
		}
		at->len = depth;
		end = it.val.p + it.val.n;
	}
	lh_buf_add(b, end, (size_t)(v->p + v->n - end));
}

/* ---- answers ---- */

#define SHORT 80	/* bytes of a value that a message shows */
#define MANY 1000	/* members beyond which the place of a difference is not searched */

/* Return the length of the character at p: 0 for a control, and for bytes that are
 * not UTF-8. */
static size_t printable(const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	if (c == 0xc2 && n > 1 && (unsigned char)p[1] < 0xa0)
		return 0;
	return lh_utf8_len((const unsigned char *)p, n);
}

void put_clean(struct lh_buf *b, const char *p, size_t n, bool multi)
{
	size_t len;

	for (; n; p += len, n -= len) {
		len = printable(p, n);
		if (len || (multi && (*p == '\n' || *p == '\t'))) {
			len += !len;
			lh_buf_add(b, p, len);
		} else {
			len = 1;
			lh_buf_printf(b, "\\x%02x", (unsigned char)*p);
		}
	}
}

/* Append at most about 80 bytes of an answer, printable, on one line. */
static void put_short(struct lh_buf *b, const char *p, size_t n)
{
	size_t end = n > SHORT ? SHORT : n;

	while (end < n && end > 1 && ((unsigned char)p[end] & 0xc0) == 0x80)
		end--;
	put_clean(b, p, end, false);
	if (end < n)
		lh_buf_puts(b, "...");
}

static bool blank(struct lh_str s)
{
	for (; s.n && strchr(" \t\r\n", *s.p) && *s.p; s.p++, s.n--)
		;
	return !s.n;
}

/* ---- the guard: faults that no answer may have ---- */
static int sound(struct lh_record *scratch, struct lh_str s, struct lh_value *v, const char **why,
		 struct lh_err *err)
{
	struct lh_iter it;

	*why = NULL;
	if (blank(s)) {
		*why = "an empty answer";
		return 0;
	}
	if (lh_json_parse(scratch, s.p, s.n, v, err) < 0) {
		*why = err->msg;
		return err->code == LH_EDATA ? 0 : -1;
	}
	lh_iter_init(&it, v);
	if (v->type == LH_NULL)
		*why = "null";
	else if (v->type == LH_OBJECT && !lh_iter_next(&it))
		*why = "{}";
	return 0;
}

/* ---- where two values differ ---- */
static void put_values(struct lh_buf *why, const struct lh_buf *at, const struct lh_value *a,
		       const struct lh_value *b)
{
	if (at->len) {
		put_short(why, at->p, at->len);
		lh_buf_puts(why, ": ");
	}
	if (a)
		put_short(why, a->p, a->n);
	else
		lh_buf_puts(why, "nothing");
	lh_buf_puts(why, " against ");
	if (b)
		put_short(why, b->p, b->n);
	else
		lh_buf_puts(why, "nothing");
}

static bool member(const struct lh_value *v, const struct lh_value *key, struct lh_value *out)
{
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (lh_value_equal(&it.key, key)) {
			*out = it.val;
			return true;
		}
	return false;
}

static void step(struct lh_buf *at, const struct lh_iter *it, size_t i)
{
	if (!it->object)
		lh_buf_printf(at, "[%zu]", i);
	else
		lh_buf_printf(at, "%s%.*s", at->len ? "." : "",
			      (int)(it->key.n > SHORT ? SHORT : it->key.n - 2), it->key.p + 1);
}

static void where(struct lh_buf *why, struct lh_buf *at, const struct lh_value *a,
		  const struct lh_value *b);

static void where_in_arrays(struct lh_buf *why, struct lh_buf *at, const struct lh_value *a,
			    const struct lh_value *b)
{
	struct lh_iter x, y;
	size_t i;

	lh_iter_init(&x, a);
	lh_iter_init(&y, b);
	for (i = 0; ; i++) {
		bool left = lh_iter_next(&x), right = lh_iter_next(&y);

		if (left && right && lh_value_equal(&x.val, &y.val))
			continue;
		step(at, &x, i);
		if (left && right)
			where(why, at, &x.val, &y.val);
		else
			put_values(why, at, left ? &x.val : NULL, right ? &y.val : NULL);
		return;
	}
}

static void where_in_objects(struct lh_buf *why, struct lh_buf *at, const struct lh_value *a,
			     const struct lh_value *b)
{
	struct lh_value other;
	struct lh_iter it;
	size_t i = 0;

	for (lh_iter_init(&it, a); lh_iter_next(&it) && i < MANY; i++) {
		bool found = member(b, &it.key, &other);

		if (found && lh_value_equal(&it.val, &other))
			continue;
		step(at, &it, 0);
		if (found)
			where(why, at, &it.val, &other);
		else
			put_values(why, at, &it.val, NULL);
		return;
	}
	for (lh_iter_init(&it, b); lh_iter_next(&it) && i < MANY; i++) {
		if (member(a, &it.key, &other))
			continue;
		step(at, &it, 0);
		put_values(why, at, NULL, &it.val);
		return;
	}
	put_values(why, at, a, b);
}

static void where(struct lh_buf *why, struct lh_buf *at, const struct lh_value *a,
		  const struct lh_value *b)
{
	if (a->type == LH_ARRAY && b->type == LH_ARRAY)
		where_in_arrays(why, at, a, b);
	else if (a->type == LH_OBJECT && b->type == LH_OBJECT)
		where_in_objects(why, at, a, b);
	else
		put_values(why, at, a, b);
}

static void by_value(const struct lh_value v[2], struct lh_buf *why)
{
	LH_SCOPED(lh_buf_free) struct lh_buf at = { 0 };

	if (lh_value_equal(&v[0], &v[1]))
		return;
	where(why, &at, &v[0], &v[1]);
}

static void by_bytes(struct lh_str a, struct lh_str b, struct lh_buf *why)
{
	size_t i = 0, from;

	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	if (i == a.n && i == b.n)
		return;
	for (from = i > 20 ? i - 20 : 0; from < i && ((unsigned char)a.p[from] & 0xc0) == 0x80;
	     from++)
		;
	lh_buf_printf(why, "byte %zu: ", i + 1);
	put_short(why, a.p + from, a.n - from);
	lh_buf_puts(why, " against ");
	put_short(why, b.p + from, b.n - from);
}

/* Append the whole answer without the ignored members; around the value nothing is
 * ignored. */
static void stripped(const struct probe *p, struct lh_buf *b, struct lh_str *s,
		     const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf at = { 0 };

	lh_buf_add(b, s->p, (size_t)(v->p - s->p));
	strip(b, v, &p->ignore, &at);
	lh_buf_add(b, v->p + v->n, (size_t)(s->p + s->n - v->p - v->n));
	*s = (struct lh_str){ b->p, b->len };
}

static int sound_both(struct lh_record *scratch, const struct lh_str s[2], struct lh_value v[2],
		      const char *after, struct lh_buf *why, struct lh_err *err)
{
	const char *what;
	int i;

	for (i = 0; i < 2; i++) {
		if (sound(scratch, s[i], &v[i], &what, err) < 0)
			return -1;
		if (what) {
			lh_buf_printf(why, "%s%s: ", why->len ? "; " : "", side_name[i]);
			put_clean(why, what, strlen(what), false);
			lh_buf_puts(why, after);
		}
	}
	return 0;
}

int compare(const struct probe *p, struct lh_str left, struct lh_str right, struct lh_buf *why,
	    struct lh_err *err)
{
	struct lh_str s[2] = { left, right };
	struct lh_value v[2];
	LH_SCOPED(lh_record_free) struct lh_record scratch = { 0 };
	struct lh_buf clean[2];
	int i, rc;

	clean[0] = (struct lh_buf){ 0 };
	clean[1] = (struct lh_buf){ 0 };
	rc = sound_both(&scratch, s, v, "", why, err);
	if (!rc && !why->len && p->ignore.n) {
		for (i = 0; i < 2; i++)
			stripped(p, &clean[i], &s[i], &v[i]);
		rc = sound_both(&scratch, s, v, " once ignored members are left out", why, err);
	}
	if (!rc && !why->len) {
		if (p->compare == COMPARE_COSINE)
			cosine(p->tolerance, v, why);
		else if (p->compare == COMPARE_JSON)
			by_value(v, why);
		else
			by_bytes(s[0], s[1], why);
	}
	lh_buf_free(&clean[0]);
	lh_buf_free(&clean[1]);
	return rc;
}

/* ---- vectors ---- */

/*
 * See
 * parity.h.
 */

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
