/* canon.c - write canonical JSON in one pass over the text.  See canon.h. */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "json/canon.h"
#include "base/num.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "json_scanner.h"
#include "value.h"

/* ---- numbers ---- */

/* A whole number of at most this many digits is its own canonical text. */
#define PLAIN_DIGITS 15
/* Most zeros between the point and the first digit: an exponent from outside makes no text of
 * gigabytes.  1e-400 is written out, as a sensor or a bug may have it. */
#define MOST_ZEROS 4096

static bool is_plain(const char *p, const char *end)
{
	p += *p == '-';
	if (end - p > PLAIN_DIGITS || *p == '0')
		return false;
	for (; p < end; p++)
		if ((unsigned char)(*p - '0') > 9)
			return false;
	return true;
}

/* Return whether a positive double is the magnitude of the number. */
static bool is_exact(const struct lh_decimal *d, const struct lh_exact *x)
{
	const char *p = x->p;
	int i;

	if (x->n != d->n || x->exp != d->e + 1)
		return false;
	for (i = 0; i < d->n; i++, p++) {
		p += *p == '.';
		if (*p != d->digit[i])
			return false;
	}
	return true;
}

static void add_zeros(struct lh_buf *out, int64_t n)
{
	for (; n > 0; n--)
		lh_buf_putc(out, '0');
}

/* Append the digits of a number, which is not 0, without an exponent. */
static int add_digits(struct lh_buf *out, const struct lh_exact *x, struct lh_err *err)
{
	const char *p;
	int64_t i = 0;

	if (x->exp < -MOST_ZEROS)
		return lh_err_set(err, LH_EDATA, "number beyond double precision");
	if (x->neg)
		lh_buf_putc(out, '-');
	if (x->exp <= 0) {
		lh_buf_puts(out, "0.");
		add_zeros(out, -x->exp);
	}
	for (p = x->p; p < x->end; p++) {
		if (*p == '.')
			continue;
		if (i++ == x->exp && x->exp > 0)
			lh_buf_putc(out, '.');
		lh_buf_putc(out, *p);
	}
	add_zeros(out, x->exp - x->n);
	return 0;
}

/* Append the double nearest to the checked number p..end as ECMAScript prints it, or, if that
 * is another number, all of its digits: no exponent, no zeros at either end.  LH_EDATA if it
 * is beyond the range of double, or has 4,096 zeros after the point. */
static int lh_canon_number(struct lh_buf *out, const char *p, const char *end, struct lh_err *err)
{
	struct lh_exact x;
	struct lh_decimal d;
	const char *next;
	size_t n, whole;
	double v;

	if (is_plain(p, end)) {
		lh_buf_add(out, p, (size_t)(end - p));
		return 0;
	}
	v = lh_f64_read(p, end, &next);
	if (!isfinite(v))
		return lh_err_set(err, LH_EDATA, "number beyond double precision");
	x = lh_exact_of(&(struct lh_value){ p, (size_t)(end - p), LH_NUMBER, false });
	if (!x.n) {
		lh_buf_putc(out, '0');
		return 0;
	}
	if (v == 0)
		return add_digits(out, &x, err);
	lh_f64_decimal(&d, fabs(v));
	if (!is_exact(&d, &x))
		return add_digits(out, &x, err);
	if (v < 0)
		lh_buf_putc(out, '-');
	n = (size_t)d.n;
	if (d.e >= 21 || d.e < -6) {
		lh_buf_putc(out, d.digit[0]);
		if (d.n > 1) {
			lh_buf_putc(out, '.');
			lh_buf_add(out, d.digit + 1, (size_t)d.n - 1);
		}
		lh_buf_puts(out, d.e < 0 ? "e-" : "e+");
		lh_buf_u64(out, (uint64_t)(d.e < 0 ? -d.e : d.e));
	} else if (d.e < 0) {
		lh_buf_add(out, "0.00000", (size_t)(1 - d.e));
		lh_buf_add(out, d.digit, n);
	} else {
		whole = (size_t)d.e + 1;
		lh_buf_add(out, d.digit, whole);
		if (n > whole) {
			lh_buf_putc(out, '.');
			lh_buf_add(out, d.digit + whole, n - whole);
		}
	}
	return 0;
}

/* ---- values ---- */

#define FEW 32		/* members sorted without an allocation */
#define SLACK 64	/* bytes that may be written past what was counted */

/* A member whose canonical bytes, key included, are in out. */
struct entry {
	struct lh_value key;
	uint64_t prefix;	/* of the key: decides most comparisons */
	size_t at, n;
};

/* Except for JCS numbers, the canonical form of a value is never longer than its
 * text: room for all that is left of the text is made once, and writes to it are
 * not checked. */
struct canon {
	struct lh_buf *out;
	char *to;
	const char *end;	/* end of the text being read */
	size_t after;		/* bytes to be read after it */
	bool jcs;
	const char *const *skip;	/* names left out at the top level */
	size_t skips;
	struct entry *entry;		/* of all open objects, the innermost object's last */
	size_t n, cap;
	struct entry *heap;		/* NULL while `few` suffices */
	struct lh_buf spare;		/* unescaped strings; bytes being sorted */
	struct lh_err *err;
};

static int by_bytes(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return lh_string_cmp(&x->key, &y->key);
}

static int by_utf16(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return lh_string_cmp16(&x->key, &y->key);
}

static struct entry *add_entry(struct canon *c)
{
	struct entry *e;

	if (c->n == c->cap) {
		e = lh_realloc(c->heap, c->cap * 2, sizeof *e);
		if (!c->heap)
			memcpy(e, c->entry, c->n * sizeof *e);
		c->heap = c->entry = e;
		c->cap *= 2;
	}
	return &c->entry[c->n++];
}

static size_t written(const struct canon *c)
{
	return (size_t)(c->to - c->out->p);
}

/* Let lh_buf_* append to out, then make room again for the text from p. */
static void reserve_rest(struct canon *c, const char *p)
{
	if (!lh_buf_room(c->out, (size_t)(c->end - p) + c->after + SLACK))
		return;
	c->to = c->out->p + c->out->len;
}

/* Copy eight bytes of a string; return a bit for each byte that ends a run (and for
 * some after it), lowest byte first. */
static inline uint64_t copy_word(char *to, const char *p)
{
	const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
	uint64_t v = lh_load64(p), quote = v ^ ones * '"', slash = v ^ ones * '\\';

	memcpy(to, p, 8);
	return (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops;
}

/* Copy from the opening quote to the next quote or backslash; advance *to. */
static inline const char *copy_plain(const char *p, char **to)
{
	char *at = *to;
	uint64_t hit;

	*at++ = *p++;
	while (!(hit = copy_word(at, p))) {
		p += 8;
		at += 8;
	}
	*to = at + (__builtin_ctzll(hit) >> 3);
	return p + (__builtin_ctzll(hit) >> 3);
}

static const char *append_string(struct canon *c, const char *p, struct lh_value *v)
{
	char *to = c->to;
	const char *q = copy_plain(p, &to);
	struct lh_str s;

	v->p = p;
	v->type = LH_STRING;
	v->escaped = *q == '\\';
	if (!v->escaped) {
		*to++ = '"';
		c->to = to;
		v->n = (size_t)(q + 1 - p);
		return q + 1;
	}
	q = lh_skip_string(p, c->end, &v->escaped);
	v->n = (size_t)(q - p);
	lh_buf_reset(&c->spare);
	lh_value_str(v, &c->spare, &s);
	c->out->len = written(c);
	lh_buf_json(c->out, s.p, s.n);
	reserve_rest(c, q);
	return q;
}

static const char *append_word(struct canon *c, const char *p)
{
	const char *q = p;
	char *to = c->to;

	while (q < c->end && *q != ',' && *q != ']' && *q != '}' && (unsigned char)*q > ' ')
		*to++ = *q++;
	if (!c->jcs || *p >= 'a') {
		c->to = to;
		return q;
	}
	c->out->len = written(c);
	if (lh_canon_number(c->out, p, q, c->err) < 0)
		return NULL;
	reserve_rest(c, q);
	return q;
}

static inline const char *skip_space(const char *p)
{
	while (__builtin_expect((unsigned char)*p <= ' ', 0))
		p++;
	return p;
}

static const char *append_value(struct canon *c, const char *p, bool top);

static const char *append_array(struct canon *c, const char *p)
{
	*c->to++ = '[';
	for (p = skip_space(p + 1); *p != ']'; p = skip_space(p)) {
		if (*p == ',') {
			*c->to++ = ',';
			p = skip_space(p + 1);
		}
		p = append_value(c, p, false);
		if (!p)
			return NULL;
	}
	*c->to++ = ']';
	return p + 1;
}

static bool is_skipped(const struct canon *c, const struct lh_value *key)
{
	size_t i;

	for (i = 0; i < c->skips; i++)
		if (lh_value_is(key, c->skip[i], strlen(c->skip[i])))
			return true;
	return false;
}

/* Sort the members e[0..n) by key; they are adjacent in out, and the last ends at
 * its end. */
static void sort_members(struct canon *c, struct entry *e, size_t n)
{
	int (*cmp)(const void *, const void *) = c->jcs ? by_utf16 : by_bytes;
	size_t at = e[0].at, bytes = written(c) - at, i, k;
	char *to = c->out->p + at;
	struct entry x;

	lh_buf_reset(&c->spare);
	lh_buf_add(&c->spare, to, bytes);
	if (n > FEW)
		qsort(e, n, sizeof *e, cmp);
	for (i = 1; n <= FEW && i < n; i++) {
		x = e[i];
		for (k = i; k > 0 && cmp(&x, &e[k - 1]) < 0; k--)
			e[k] = e[k - 1];
		e[k] = x;
	}
	for (i = 0; i < n; i++) {
		if (i)
			*to++ = ',';
		memcpy(to, c->spare.p + (e[i].at - at), e[i].n);
		to += e[i].n;
	}
}

/* Append one member to out and to the entries; return the end of its value, or NULL. */
static const char *append_member(struct canon *c, const char *p)
{
	struct entry *e = add_entry(c);
	size_t i = c->n - 1;

	e->at = written(c);
	p = append_string(c, p, &e->key);
	if (!p)
		return NULL;
	e->prefix = lh_string_prefix(&e->key, c->jcs);
	*c->to++ = ':';
	p = append_value(c, skip_space(skip_space(p) + 1), false);
	c->entry[i].n = written(c) - c->entry[i].at;
	return p;
}

/* Write the members in text order, and move them only if that order is not canonical. */
static const char *append_object(struct canon *c, const char *p, bool top)
{
	size_t first = c->n, before;
	bool sorted = true;
	struct entry *e;

	*c->to++ = '{';
	for (p = skip_space(p + 1); *p != '}'; p = skip_space(p)) {
		before = written(c);
		if (*p == ',')
			p = skip_space(p + 1);
		if (c->n > first)
			*c->to++ = ',';
		p = append_member(c, p);
		if (!p)
			return NULL;
		e = &c->entry[c->n - 1];
		if (top && is_skipped(c, &e->key)) {
			c->to = c->out->p + before;
			c->n--;
		} else if (sorted && c->n - first > 1) {
			sorted = (c->jcs ? by_utf16 : by_bytes)(e - 1, e) < 0;
		}
	}
	if (!sorted)
		sort_members(c, c->entry + first, c->n - first);
	c->n = first;
	*c->to++ = '}';
	return p + 1;
}

static const char *append_value(struct canon *c, const char *p, bool top)
{
	struct lh_value v;

	switch (*p) {
	case '{':
		return append_object(c, p, top);
	case '[':
		return append_array(c, p);
	case '"':
		return append_string(c, p, &v);
	default:
		return append_word(c, p);
	}
}

/* ---- a record ---- */

struct ranked {
	const struct lh_member *m;
	uint64_t prefix;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return lh_string_cmp16(&x->m->key, &y->m->key);
}

static int append_checked(struct canon *c, const struct lh_value *v)
{
	if (v->type == LH_STRING && !v->escaped) {
		/* Copy a value whose canonical form is its text; up to 15 bytes after it are copied
		 * too. */
		size_t i;

		for (i = 0; i < v->n; i += 16)
			memcpy(c->to + i, v->p + i, 16);
		c->to += v->n;
		return 0;
	}
	c->end = v->p + v->n;
	return append_value(c, v->p, false) ? 0 : -1;
}

static int append_ranked(struct canon *c, const struct ranked *v, size_t n)
{
	size_t i;

	*c->to++ = '{';
	for (i = 0; i < n; i++) {
		if (i)
			*c->to++ = ',';
		c->after -= v[i].m->key.n;
		if (append_checked(c, &v[i].m->key) < 0)
			return -1;
		*c->to++ = ':';
		c->after -= v[i].m->val.n;
		if (append_checked(c, &v[i].m->val) < 0)
			return -1;
	}
	*c->to++ = '}';
	return 0;
}

static int append_record(struct canon *c, const struct lh_record *r)
{
	struct ranked few[FEW], *v = few;
	int rc;
	struct ranked x;
	size_t i, k;

	if (r->n > FEW)
		v = lh_calloc(r->n, sizeof *v);
	for (i = 0; i < r->n; i++) {
		x = (struct ranked){ &r->member[i], lh_string_prefix(&r->member[i].key, true) };
		for (k = i; r->n <= FEW && k > 0 && by_rank(&x, &v[k - 1]) < 0; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
	if (r->n > FEW)
		qsort(v, r->n, sizeof *v, by_rank);
	rc = append_ranked(c, v, r->n);
	if (v != few)
		free(v);
	return rc;
}

/* ---- entry points ---- */

/* Append the form of the value v, or of the record r if that is given. */
static int canon(struct canon *c, const struct lh_value *v, const struct lh_record *r,
		 struct lh_err *err)
{
	struct entry few[FEW];
	int rc = 0;

	c->end = v->p + v->n;
	c->err = err;
	c->entry = few;
	c->cap = FEW;
	c->spare = (struct lh_buf){ 0 };
	reserve_rest(c, v->p);
	if (!rc && r) {
		c->after = v->n;
		rc = append_record(c, r);
	} else if (!rc) {
		rc = append_value(c, v->p, true) ? 0 : -1;
	}
	if (!rc)
		c->out->len = written(c);
	lh_buf_free(&c->spare);
	free(c->heap);
	return rc;
}

int lh_canon_jcs(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	struct canon c = { .out = out, .jcs = true };

	return canon(&c, v, NULL, err);
}

int lh_canon_jcs_record(struct lh_buf *out, const struct lh_record *r, struct lh_err *err)
{
	struct canon c = { .out = out, .jcs = true };

	return canon(&c, &(struct lh_value){ r->line, r->len, LH_OBJECT, false }, r, err);
}

int lh_canon_audit(struct lh_buf *out, const struct lh_value *v, const char *const *skip, size_t n,
		   struct lh_err *err)
{
	struct canon c = { .out = out, .skip = skip, .skips = n };

	return canon(&c, v, NULL, err);
}
