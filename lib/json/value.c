/*
 * value.c - numbers and strings of checked values, paths and templates.  See json.h and value.h.
 */
#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "base/num.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json_scanner.h"

/* ---- numbers ---- */

double lh_value_f64(const struct lh_value *v)
{
	const char *next;

	return lh_f64_read(v->p, v->p + v->n, &next);
}

static bool digit(const char *p, const char *end)
{
	return p < end && (unsigned char)(*p - '0') < 10;
}

#define EXP_MAX (INT64_MAX / 1000)

static int64_t exponent(const char *p, const char *end)
{
	bool neg = *p == '-';
	int64_t v = 0;

	for (p += *p == '-' || *p == '+'; digit(p, end); p++)
		v = v < EXP_MAX ? v * 10 + (*p - '0') : v;
	return neg ? -v : v;
}

struct lh_exact lh_exact_of(const struct lh_value *v)
{
	const char *p = v->p, *end = v->p + v->n, *q, *point = NULL;
	struct lh_exact x = { .neg = *p == '-' };

	p += x.neg;
	for (q = p; digit(q, end) || (q < end && *q == '.'); q++)
		if (*q == '.')
			point = q;
	if (q < end)
		x.e = (struct lh_str){ q + 1, (size_t)(end - q - 1) };
	x.shift = (point ? point : q) - p;
	while (p < q && (*p == '0' || *p == '.')) {
		x.shift -= *p == '0';
		p++;
	}
	x.exp = x.shift + (q < end ? exponent(x.e.p, end) : 0);
	while (q > p && (q[-1] == '0' || q[-1] == '.'))
		q--;
	x.p = p;
	x.end = q;
	x.n = q - p - (point >= p && point < q);
	if (!x.n)
		x.exp = 0, x.neg = false;
	return x;
}

/* ---- order ---- */

/* Compare the digits of two numbers with the same exp. */
static int compare_digits(const struct lh_exact *a, const struct lh_exact *b)
{
	const char *p = a->p, *q = b->p;
	int64_t i, n = a->n < b->n ? a->n : b->n;

	for (i = 0; i < n; i++, p++, q++) {
		p += *p == '.';
		q += *q == '.';
		if (*p != *q)
			return *p < *q ? -1 : 1;
	}
	return (a->n > b->n) - (a->n < b->n);
}

/* Skip the sign and the zeros before a written exponent; return its sign. */
static int strip_exponent(struct lh_str *e)
{
	int sign = e->n && *e->p == '-' ? -1 : 1;

	while (e->n && (*e->p < '1' || *e->p > '9')) {
		e->p++;
		e->n--;
	}
	return sign;
}

#define FAR ((int64_t)1 << 48)	/* more than the shifts of two texts can differ by */

/* Return a - b of two written exponents of any length, or one of FAR and more if it is far
 * from 0: the digits that follow could not bring it back. */
static int64_t exponent_difference(struct lh_str a, struct lh_str b)
{
	int sign_a = strip_exponent(&a), sign_b = strip_exponent(&b);
	size_t n = a.n > b.n ? a.n : b.n;
	int64_t d = 0;

	for (; n && d < FAR && d > -FAR; n--) {
		d *= 10;
		if (n <= a.n)
			d += sign_a * (a.p[a.n - n] - '0');
		if (n <= b.n)
			d -= sign_b * (b.p[b.n - n] - '0');
	}
	return d;
}

/* Compare the magnitudes of two numbers, neither of which is 0. */
static int compare_magnitudes(const struct lh_exact *a, const struct lh_exact *b)
{
	int64_t d = exponent_difference(a->e, b->e) + a->shift - b->shift;

	return d ? (d < 0 ? -1 : 1) : compare_digits(a, b);
}

int lh_exact_cmp(const struct lh_exact *x, const struct lh_exact *y)
{
	int sign_x = !x->n ? 0 : x->neg ? -1 : 1, sign_y = !y->n ? 0 : y->neg ? -1 : 1;

	if (sign_x != sign_y || !sign_x)
		return (sign_x > sign_y) - (sign_x < sign_y);
	return sign_x * compare_magnitudes(x, y);
}

int lh_number_cmp(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_exact x = lh_exact_of(a), y = lh_exact_of(b);

	return lh_exact_cmp(&x, &y);
}

bool lh_number_equal(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_exact x = lh_exact_of(a), y = lh_exact_of(b);

	if (lh_exact_cmp(&x, &y) == 0)
		return true;
	if (lh_exact_whole(&x) && lh_exact_whole(&y))
		return false;
	return lh_value_f64(a) == lh_value_f64(b);
}

bool lh_value_i64(const struct lh_value *v, int64_t *out)
{
	struct lh_exact x;
	uint64_t u = 0;
	const char *p;
	int64_t i;

	if (v->type != LH_NUMBER)
		return false;
	x = lh_exact_of(v);
	if (!lh_exact_whole(&x) || x.exp > 19)
		return false;
	for (p = x.p, i = 0; i < x.exp; i++) {
		p += p < x.end && *p == '.';
		u = u * 10 + (p < x.end ? (uint64_t)(*p++ - '0') : 0);
	}
	if (u > (uint64_t)INT64_MAX + x.neg)
		return false;
	*out = x.neg ? (int64_t)-u : (int64_t)u;
	return true;
}

/* ---- strings ---- */

const char lh_short_escape[256] = {
	['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n',
	['r'] = '\r', ['t'] = '\t',
};

static char unescaped(char c)
{
	return lh_short_escape[(unsigned char)c];
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Return the value of the four hex digits at p, or -1. */
static long hex4(const char *p)
{
	int a = hex_digit(p[0]), b = hex_digit(p[1]), c = hex_digit(p[2]), d = hex_digit(p[3]);

	return (a | b | c | d) < 0 ? -1 : (long)a << 12 | b << 8 | c << 4 | d;
}

const char *lh_scan_escape(struct lh_scan *s, const char *p, const char *end)
{
	long u;

	if (end - p >= 2 && unescaped(p[1]))
		return p + 2;
	if (end - p < 2)
		return lh_scan_fail(s, end, "unexpected end of line");
	if (p[1] != 'u' || (end - p >= 6 && hex4(p + 2) < 0))
		return lh_scan_fail(s, p, "invalid escape in string");
	if (end - p < 6)
		return lh_scan_fail(s, end, "unexpected end of line");
	u = hex4(p + 2);
	if (u < 0xd800 || u > 0xdfff)
		return p + 6;
	if (u > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return lh_scan_fail(s, p, "lone surrogate in string");
	u = hex4(p + 8);
	if (u < 0)
		return lh_scan_fail(s, p + 6, "invalid escape in string");
	if (u < 0xdc00 || u > 0xdfff)
		return lh_scan_fail(s, p, "lone surrogate in string");
	return p + 12;
}

/* Decode the checked escape at p into to (4 bytes), *n bytes; return the byte after
 * it. */
static const char *decode_escape(const char *p, char *to, size_t *n)
{
	unsigned long u;

	*n = 1;
	if (p[1] != 'u') {
		*to = unescaped(p[1]);
		return p + 2;
	}
	u = (unsigned long)hex4(p + 2);
	p += 6;
	if (u >= 0xd800 && u < 0xdc00) {
		u = 0x10000 + ((u - 0xd800) << 10) + ((unsigned long)hex4(p + 2) - 0xdc00);
		p += 6;
	}
	*n = lh_utf8_put((uint32_t)u, (unsigned char *)to);
	return p;
}

void lh_value_str(const struct lh_value *v, struct lh_buf *scratch, struct lh_str *out)
{
	const char *p = v->p + 1, *end = v->p + v->n - 1, *q;
	size_t from = scratch->len, n;
	char *to;

	if (!v->escaped) {
		*out = (struct lh_str){ p, v->n - 2 };
		return;
	}
	to = lh_buf_room(scratch, v->n);
	if (!to)
		return;
	while (p < end) {
		q = memchr(p, '\\', (size_t)(end - p));
		if (!q)
			q = end;
		memcpy(to, p, (size_t)(q - p));
		to += q - p;
		if (q == end)
			break;
		p = decode_escape(q, to, &n);
		to += n;
	}
	scratch->len = (size_t)(to - scratch->p);
	*out = (struct lh_str){ scratch->p + from, scratch->len - from };
}

/* A string read byte by byte, unescaped. */
struct bytes {
	const char *p, *end;
	char held[4];
	size_t at, n;
};

static int next_byte(struct bytes *b)
{
	if (b->at < b->n)
		return (unsigned char)b->held[b->at++];
	if (b->p == b->end)
		return -1;
	if (*b->p != '\\')
		return (unsigned char)*b->p++;
	b->p = decode_escape(b->p, b->held, &b->n);
	b->at = 1;
	return (unsigned char)b->held[0];
}

/* Set *c and *d to the first bytes that differ, -1 at the end of a string. */
static void first_difference(const struct lh_value *a, const struct lh_value *b, int *c, int *d)
{
	struct bytes x = { .p = a->p + 1, .end = a->p + a->n - 1 };
	struct bytes y = { .p = b->p + 1, .end = b->p + b->n - 1 };

	if (!a->escaped && !b->escaped)
		while (x.end - x.p >= 8 && y.end - y.p >= 8 && lh_load64(x.p) == lh_load64(y.p))
			x.p += 8, y.p += 8;
	do {
		*c = next_byte(&x);
		*d = next_byte(&y);
	} while (*c == *d && *c >= 0);
}

int lh_string_cmp(const struct lh_value *a, const struct lh_value *b)
{
	int c, d;

	first_difference(a, b, &c, &d);
	return c - d;
}

/* UTF-8 bytes sort like code points.  UTF-16 sorts code points beyond the BMP (lead
 * bytes f0 to f4) before U+E000 (lead bytes ee and ef). */
static int utf16_weight(int c)
{
	return c < 0xee ? c : c < 0xf0 ? c + 5 : c - 2;
}

int lh_string_cmp16(const struct lh_value *a, const struct lh_value *b)
{
	int c, d;

	first_difference(a, b, &c, &d);
	return utf16_weight(c) - utf16_weight(d);
}

uint64_t lh_string_prefix(const struct lh_value *v, bool utf16)
{
	struct bytes b = { .p = v->p + 1, .end = v->p + v->n - 1 };
	uint64_t word;
	int i, c;

	if (!v->escaped) {
		word = lh_load64(b.p) & lh_low_bytes(v->n - 2);
		if (!utf16 || !(word & 0x8080808080808080ull))
			return __builtin_bswap64(word);
	}
	for (i = 0, word = 0; i < 8; i++) {
		c = next_byte(&b);
		c = c < 0 ? 0 : utf16 ? utf16_weight(c) : c;
		word = word << 8 | (uint64_t)c;
	}
	return word;
}

bool lh_value_is(const struct lh_value *v, const char *s, size_t n)
{
	struct bytes b = { .p = v->p + 1, .end = v->p + v->n - 1 };
	size_t i;

	if (v->type != LH_STRING)
		return false;
	if (!v->escaped)
		return v->n == n + 2 && !memcmp(v->p + 1, s, n);
	for (i = 0; i < n; i++)
		if (next_byte(&b) != (unsigned char)s[i])
			return false;
	return next_byte(&b) < 0;
}

/* ---- a value by its path ---- */

static bool member(const struct lh_value *v, const char *name, size_t n, struct lh_value *out)
{
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it);)
		if (lh_value_is(&it.key, name, n)) {
			*out = it.val;
			return true;
		}
	return false;
}

bool lh_path_number(const char *digits, size_t n, uint64_t *i)
{
	bool any = n;

	for (*i = 0; n; n--, digits++) {
		if (*digits < '0' || *digits > '9' || *i > UINT32_MAX)
			return false;
		*i = *i * 10 + (uint64_t)(*digits - '0');
	}
	return any;
}

static bool element(const struct lh_value *v, const char *digits, size_t n, struct lh_value *out)
{
	struct lh_iter it;
	uint64_t i;

	if (!lh_path_number(digits, n, &i))
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); i--)
		if (!i) {
			*out = it.val;
			return true;
		}
	return false;
}

bool lh_value_at(const struct lh_value *v, const char *path, size_t n, struct lh_value *out)
{
	const char *dot = memchr(path, '.', n);
	size_t head = dot ? (size_t)(dot - path) : n;
	struct lh_value inner;

	if (v->type == LH_OBJECT && member(v, path, n, out))
		return true;
	if (v->type == LH_ARRAY ? !element(v, path, head, &inner) :
				  v->type != LH_OBJECT || !dot || !member(v, path, head, &inner))
		return false;
	if (dot)
		return lh_value_at(&inner, dot + 1, n - head - 1, out);
	*out = inner;
	return true;
}

static void note(atomic_bool *flag)
{
	if (!atomic_load_explicit(flag, memory_order_relaxed))
		atomic_store_explicit(flag, true, memory_order_relaxed);
}

const struct lh_value *lh_path_find(struct lh_path *p, const struct lh_record *rec,
				    struct lh_value *inner)
{
	const struct lh_value *v = lh_record_get(rec, p->text);
	const struct lh_value all = { rec->line, rec->len, LH_OBJECT, false };

	if (!v && strchr(p->text, '.') && lh_value_at(&all, p->text, strlen(p->text), inner))
		v = inner;
	note(&p->asked);
	if (v)
		note(&p->found);
	if (v && rec->number <= LH_PATH_EARLY)
		note(&p->early);
	return v;
}

int lh_path_string(struct lh_path *p, const struct lh_record *rec, struct lh_value *out,
		   struct lh_err *err)
{
	const struct lh_value *v = lh_path_find(p, rec, out);

	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing \"%s\" (string)", p->text);
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string", p->text);
	*out = *v;
	return 0;
}

/* ---- a text made of several fields ---- */

struct part {
	const char *p;		/* a field's path ends in NUL */
	size_t n;
	bool field;
	struct lh_path path;
};

struct lh_template {
	char *text;
	struct part *part;
	size_t n;
};

static void add_part(struct lh_template *t, const char *p, size_t n, bool field)
{
	if (n)
		t->part[t->n++] = (struct part){ p, n, field, LH_PATH(p) };
}

/* Parse the brace at c: a doubled one is literal, else "{name}".  Returns the byte
 * after it, or NULL. */
static char *parse_brace(struct lh_template *t, char *c, struct lh_err *err)
{
	size_t at = (size_t)(c - t->text) + 1;
	char *end;

	if (c[1] == c[0]) {
		add_part(t, c, 1, false);
		return c + 2;
	}
	if (*c == '}') {
		lh_err_set(err, LH_EUSAGE,
			   "unmatched \"}\" at byte %zu (a literal one is written \"}}\")", at);
		return NULL;
	}
	end = strpbrk(c + 1, "{}");
	if (!end || *end == '{') {
		lh_err_set(err, LH_EUSAGE,
			   "\"{\" at byte %zu is not closed (a literal one is written \"{{\")", at);
		return NULL;
	}
	if (end == c + 1) {
		lh_err_set(err, LH_EUSAGE, "no field name at byte %zu", at);
		return NULL;
	}
	*end = '\0';
	add_part(t, c + 1, (size_t)(end - c - 1), true);
	return end + 1;
}

static int parse(struct lh_template *t, struct lh_err *err)
{
	char *c = t->text;

	while (*c) {
		size_t n = strcspn(c, "{}");

		add_part(t, c, n, false);
		c += n;
		if (*c && !(c = parse_brace(t, c, err)))
			return -1;
	}
	return 0;
}

struct lh_template *lh_template_new(const char *text, struct lh_err *err)
{
	struct lh_template *t = lh_calloc(1, sizeof *t);
	size_t braces = 0;
	const char *c;

	for (c = text; *c; c++)
		braces += *c == '{' || *c == '}';
	t->text = lh_strndup(text, strlen(text));
	t->part = lh_calloc(2 * braces + 1, sizeof *t->part);
	if (parse(t, err) < 0) {
		lh_template_free(t);
		return NULL;
	}
	return t;
}

void lh_template_free(struct lh_template *t)
{
	if (!t)
		return;
	free(t->text);
	free(t->part);
	free(t);
}

void lh_value_add(const struct lh_value *v, struct lh_buf *out)
{
	struct lh_str s;

	if (v->escaped)		/* unescaped directly at the end of out */
		lh_value_str(v, out, &s);
	else
		lh_buf_add(out, v->p + 1, v->n - 2);
}

static int append_value(const struct lh_value *v, struct lh_buf *out, struct lh_err *err);

static int array_value(const struct lh_value *v, struct lh_buf *out, struct lh_err *err)
{
	const char *comma = "";
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); comma = ", ") {
		lh_buf_puts(out, comma);
		if (it.val.type == LH_ARRAY)
			lh_buf_add(out, it.val.p, it.val.n);
		else if (append_value(&it.val, out, err) < 0)
			return -1;
	}
	return 0;
}

static int append_value(const struct lh_value *v, struct lh_buf *out, struct lh_err *err)
{
	switch (v->type) {
	case LH_NULL:
		return 0;
	case LH_STRING:
		lh_value_add(v, out);
		return 0;
	case LH_ARRAY:
		return array_value(v, out, err);
	default:
		lh_buf_add(out, v->p, v->n);
		return 0;
	}
}

/* Return the field of a record, or of its metadata, from which the words of a row are taken. */
static const struct lh_value *find_field(struct lh_path *path, const struct lh_record *rec,
					 struct lh_value *inner)
{
	const struct lh_value *v = lh_path_find(path, rec, inner), *in;

	if (v || !(in = lh_record_get(rec, "metadata")) || in->type != LH_OBJECT ||
	    !lh_value_at(in, path->text, strlen(path->text), inner))
		return v;
	atomic_store_explicit(&path->found, true, memory_order_relaxed);
	if (rec->number <= LH_PATH_EARLY)
		atomic_store_explicit(&path->early, true, memory_order_relaxed);
	return inner;
}

int lh_template_render(const struct lh_template *t, const struct lh_record *rec, struct lh_buf *out,
		       struct lh_err *err)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct part *part = &t->part[i];
		const struct lh_value *v;
		struct lh_value inner;

		if (!part->field) {
			lh_buf_add(out, part->p, part->n);
			continue;
		}
		v = find_field(&part->path, rec, &inner);
		if (v && append_value(v, out, err) < 0)
			return -1;
	}
	return 0;
}

struct lh_path *lh_template_path(const struct lh_template *t, size_t i)
{
	size_t at;

	for (at = 0; at < t->n; at++)
		if (t->part[at].field && !i--)
			return &t->part[at].path;
	return NULL;
}
