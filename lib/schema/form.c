/* form.c - lines in the order of their schema.  See form.h. */
#include "form.h"

#include "json/json_scanner.h"
#include "base/mem.h"
#include <lh/time.h>

#ifdef __SSE2__
#include <emmintrin.h>

#define LH_TARGET
#define LH_BLOCK 16

static inline struct lh_look block_look(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	__m128i stop = _mm_or_si128(low, _mm_or_si128(quote, slash));

	return (struct lh_look){ (unsigned)_mm_movemask_epi8(stop), (unsigned)_mm_movemask_epi8(v) };
}
#else
#include "json/json_word.h"
#endif
#include "json/json_leaf.h"

#define EXTRA 8		/* members of an object that its table does not know, at most */
#define DIGITS 15	/* of a number that is looked at */

/* A line on its way; at a deviation, functions that take something return NULL. */
struct walk {
	struct lh_form *form;
	struct lh_scan *scan;
	const char *end;
	unsigned depth;		/* 0: in the record, 1: in an object of it */
};

static inline const char *take_string(struct walk *w, const char *p, struct lh_value *v)
{
	const char *q = *p == '"' ? scan_string(w->scan, p + 1, w->end, &v->escaped) : NULL;

	v->p = p;
	v->type = LH_STRING;
	v->n = q ? (size_t)(q - p) : 0;
	return q;
}

static const char *take_text(struct walk *w, const struct lh_field *f, const char *p, struct lh_value *v)
{
	const char *q = take_string(w, p, v);
	const char *const *c = f->choice;

	if (!q || (v->n == 2 && f->must && !f->may_be_empty))
		return NULL;
	if (c) {
		while (*c && !lh_value_is(v, *c, strlen(*c)))
			c++;
		return *c ? q : NULL;
	}
	return f->some && ((unsigned char)p[1] <= ' ' || p[1] == '\\') ? NULL : q;
}

static const char *take_time(struct walk *w, const char *p, struct lh_value *v)
{
	const char *q = take_string(w, p, v);
	int64_t ms;

	if (!q || v->escaped || v->n > LH_FORM_TIME)
		return NULL;
	if (v->n == w->form->time[w->depth].n && !memcmp(p, w->form->time[w->depth].p, v->n))
		return q;
	if (lh_time_read(p + 1, v->n - 2, &ms) < 0)
		return NULL;
	w->form->time[w->depth].n = v->n;
	memcpy(w->form->time[w->depth].p, p, v->n);
	return q;
}

static const char *take_hex(struct walk *w, size_t digits, const char *p, struct lh_value *v)
{
	unsigned char bad = 0, c;
	size_t i;

	if (*p != '"' || (size_t)(w->end - p) < digits + 2)
		return NULL;
	for (i = 1; i <= digits; i++) {
		c = (unsigned char)p[i];
		bad |= ((unsigned char)(c - '0') > 9) & ((unsigned char)(c - 'a') > 5);
	}
	if (bad || p[i] != '"')
		return NULL;
	*v = (struct lh_value){ p, digits + 2, LH_STRING, false };
	return p + v->n;
}

/* A number whose whole part tells that it is in range. */
static const char *take_number(struct walk *w, const struct lh_field *f, const char *p, struct lh_value *v)
{
	const char *q = p;
	int64_t whole = 0;

	while (is_digit(*q) && q - p < DIGITS)
		whole = whole * 10 + (*q++ - '0');
	if (q == p || (*p == '0' && q - p > 1))
		return NULL;
	if (*q == '.' && f->type == LH_S_NUMBER) {
		if (!is_digit(*++q))
			return NULL;
		q = skip_digits(q, w->end);
	}
	if ((*q != ',' && *q != '}') || (f->ranged && (whole < f->least || (f->most && whole >= f->most))))
		return NULL;
	*v = (struct lh_value){ p, (size_t)(q - p), LH_NUMBER, false };
	return q;
}

static const char *take_version(const struct lh_field *f, const char *p, struct lh_value *v)
{
	*v = (struct lh_value){ p, 1, LH_NUMBER, false };
	return *p == '0' + f->version && (p[1] == ',' || p[1] == '}') ? p + 1 : NULL;
}

static const char *take_texts(struct walk *w, const struct lh_field *f, const char *p, struct lh_value *v)
{
	const char *q = p + 1;
	struct lh_value each;

	if (*p != '[' || (*q == ']' && f->some))
		return NULL;
	if (*q != ']')
		while ((q = take_string(w, q, &each)) && *q == ',')
			q++;
	if (!q || *q != ']')
		return NULL;
	*v = (struct lh_value){ p, (size_t)(q + 1 - p), LH_ARRAY, false };
	return q + 1;
}

static const char *take_object(struct walk *w, const struct lh_field *f, const char *p, struct lh_value *v);

static const char *take_value(struct walk *w, const struct lh_field *f, const char *p, struct lh_value *v)
{
	switch (f->type) {
	case LH_S_TEXT:
		return take_text(w, f, p, v);
	case LH_S_TIME:
		return take_time(w, p, v);
	case LH_S_SHA256:
		return take_hex(w, 64, p, v);
	case LH_S_COMMIT:
		return take_hex(w, 40, p, v);
	case LH_S_NUMBER:
	case LH_S_INTEGER:
		return take_number(w, f, p, v);
	case LH_S_VERSION:
		return take_version(f, p, v);
	case LH_S_TEXTS:
		return take_texts(w, f, p, v);
	case LH_S_OBJECT:
		return take_object(w, f->in, p, v);
	default:
		return NULL;
	}
}

/* Does the key of f stand at p, behind lead? */
static inline bool is_next(const char *p, char lead, const struct lh_field *f)
{
	size_t i = 1;

	if (p[0] != lead || p[1] != '"' || p[2] != f->name[0] || p[f->len + 2] != '"' || p[f->len + 3] != ':')
		return false;
	for (; i + 8 <= f->len; i += 8)
		if (lh_load64(p + 2 + i) != lh_load64(f->name + i))
			return false;
	while (i < f->len && p[2 + i] == f->name[i])
		i++;
	return i == f->len;
}

/* The members at p that f knows, to rec if given; then p is what follows them. */
static inline const char *take_known(struct walk *w, const struct lh_field *f, const char *p, struct lh_record *rec)
{
	struct lh_value v;
	char lead = '{';

	for (; p && p < w->end && f->name; f++) {
		if (w->end - p <= f->len + 4 || !is_next(p, lead, f)) {
			if (f->must)
				return NULL;
			continue;
		}
		if (rec)
			rec->member[rec->n].key = (struct lh_value){ p + 1, (size_t)f->len + 2, LH_STRING, false };
		p = take_value(w, f, p + f->len + 4, rec ? &rec->member[rec->n++].val : &v);
		lead = ',';
	}
	return p && p < w->end ? p : NULL;
}

static bool is_known(const struct lh_field *f, const struct lh_value *key)
{
	for (; f && f->name; f++)
		if (key->n == (size_t)f->len + 2 && !memcmp(key->p + 1, f->name, f->len))
			return true;
	return false;
}

/* Members at p that f does not know, none of them twice, none a container. */
static const char *take_extra(struct walk *w, const struct lh_field *f, const char *p, char lead)
{
	struct lh_value key[EXTRA];
	bool escaped;
	size_t n, i;

	for (n = 0; n < EXTRA && *p == lead; n++, lead = ',') {
		p = take_string(w, p + 1, &key[n]);
		if (!p || *p != ':' || key[n].escaped || is_known(f, &key[n]))
			return NULL;
		for (i = 0; i < n; i++)
			if (key[i].n == key[n].n && !memcmp(key[i].p, key[n].p, key[n].n))
				return NULL;
		p = scan_leaf(w->scan, p + 1, w->end, &escaped);
		if (!p)
			return NULL;
	}
	return p;
}

static const char *take_object(struct walk *w, const struct lh_field *f, const char *p, struct lh_value *v)
{
	const char *q = p;

	if (w->depth || *p != '{')
		return NULL;
	w->depth++;
	if (f)
		q = take_known(w, f, p, NULL);
	if (q == p && p[1] == '}')
		q++;
	else if (q)
		q = take_extra(w, f, q, q == p ? '{' : ',');
	w->depth--;
	if (!q || *q != '}')
		return NULL;
	*v = (struct lh_value){ p, (size_t)(q + 1 - p), LH_OBJECT, false };
	return q + 1;
}

static bool differ(const struct lh_schema *s, const struct lh_record *rec)
{
	const struct lh_value *a, *b;
	const struct lh_differ *d;

	for (d = s->differ; d < s->differ + 2 && d->field; d++) {
		a = lh_record_get(rec, d->field);
		b = lh_record_get(rec, d->from);
		if (a && b && lh_value_equal(a, b))
			return false;
	}
	return true;
}

int lh_form_read(struct lh_form *f, struct lh_record *rec, const char *p, size_t n, struct lh_err *err)
{
	struct lh_scan faults;	/* which nobody wants to know */
	struct walk w = { .form = f, .scan = &faults, .end = p + n };

	rec->line = p;
	rec->len = rec->n = 0;
	if (lh_grow(&rec->member, &rec->cap, LH_SCHEMA_FIELDS, sizeof *rec->member, err) < 0)
		return -1;
	p = take_known(&w, f->schema->field, p, rec);
	if (!p || n > UINT32_MAX || p + 1 != w.end || *p != '}' || !differ(f->schema, rec)) {
		rec->n = 0;
		return 0;
	}
	rec->len = n;
	return 1;
}

int lh_form_parse(struct lh_form *f, struct lh_record *rec, const char *p, size_t n, struct lh_err *err)
{
	int rc = lh_form_read(f, rec, p, n, err);

	return !rc ? lh_record_parse(rec, p, n, err) : rc < 0 ? -1 : 0;
}
