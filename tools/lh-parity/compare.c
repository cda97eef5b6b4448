/* compare.c - compare two answers, and find where they differ.  See parity.h. */
#include "base/utf8.h"
#include "parity.h"

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
