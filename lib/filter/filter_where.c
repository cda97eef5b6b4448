/* filter_where.c - the filter that KEY=VALUE, KEY<VALUE and the like, and JSON, stand for.  See
 * metadata_filter.h. */
#include <stdio.h>
#include <stdlib.h>

#include "filter/metadata_filter.h"

#include "base/mem.h"
#include "json/write.h"

enum sign { LTE, GTE, NOT, EQUAL, LT, GT, SIGNS };	/* "<=" is looked for before "<" */

static const struct {
	const char *text, *operator;
} signs[SIGNS] = {
	{ "<=", "lte" }, { ">=", "gte" }, { "!=", "not" },
	{ "=", "in" }, { "<", "lt" }, { ">", "gt" },
};

struct pair {
	struct lh_str key;
	enum sign sign;
	const char *value;
};

struct where {
	struct pair *pair;
	size_t n;
	struct lh_buf *json, scratch;
	struct lh_buf filters;		/* those that are JSON, after a comma each */
	struct lh_record scan;
	struct lh_err *err;
};

/* ---- reading ---- */

/* Split a pair at its first sign: 0, or -1 if there is none or no key before it. */
static int split(const char *text, struct pair *p)
{
	const char *at;
	enum sign s;

	for (at = text; *at; at++)
		for (s = 0; s < SIGNS; s++)
			if (strncmp(at, signs[s].text, strlen(signs[s].text)) == 0) {
				p->key = (struct lh_str){ text, (size_t)(at - text) };
				p->sign = s;
				p->value = at + strlen(signs[s].text);
				return at > text ? 0 : -1;
			}
	return -1;
}

static bool same_key(const struct pair *a, const struct pair *b)
{
	return lh_str_is(a->key, b->key.p, b->key.n);
}

/* Report a value that is a string only in quotes, and how to write that string.  Returns -1. */
static int needs_quotes(struct where *w, const struct pair *p, const char *why)
{
	lh_buf_reset(&w->scratch);
	lh_buf_json(&w->scratch, p->value, strlen(p->value));
	return lh_err_set(w->err, LH_EUSAGE, "\"%s\": %s; a string needs quotes: %.*s%s%.*s",
			  p->key.p, why, (int)p->key.n, p->key.p, signs[p->sign].text,
			  (int)w->scratch.len, w->scratch.p);
}

/* Refuse a value that begins as an operator does, as in ==, =< and <>: as a value it would
 * match nothing, without a message. */
static int check_operator(struct where *w, const struct pair *p)
{
	char why[96];

	if (*p->value != '=' && *p->value != '<' && *p->value != '>' &&
	    strncmp(p->value, "!=", 2) != 0)
		return 0;
	snprintf(why, sizeof why, "\"%s%.*s\" is not one of =, !=, <, <=, >, >=",
		 signs[p->sign].text, (int)strspn(p->value, "=<>!"), p->value);
	return needs_quotes(w, p, why);
}

/* A bound is given once for a key; values that are equal or not may be several. */
static int check_bound(const struct where *w, size_t i)
{
	const struct pair *p = &w->pair[i];
	size_t k;

	for (k = 0; k < i && p->sign != EQUAL && p->sign != NOT; k++)
		if (w->pair[k].sign == p->sign && same_key(&w->pair[k], p))
			return lh_err_set(w->err, LH_EUSAGE, "\"%s\": \"%.*s%s\" is given twice",
					  p->key.p, (int)p->key.n, p->key.p, signs[p->sign].text);
	return 0;
}

/* Add a filter that is JSON to the list of those that must match. */
static int add_filter(struct where *w, const char *text)
{
	struct lh_value v;

	lh_buf_reset(&w->scratch);
	lh_buf_puts(&w->scratch, text);
	if (lh_json_parse(&w->scan, w->scratch.p, w->scratch.len, &v, w->err) < 0) {
		w->err->code = LH_EUSAGE;
		return lh_err_prefix(w->err, "\"%.200s\"", text);
	}
	lh_buf_putc(&w->filters, ',');
	lh_buf_add(&w->filters, v.p, v.n);
	return 0;
}

static int read_pair(struct where *w, const char *text)
{
	struct pair *p = &w->pair[w->n];

	if (split(text, p) < 0)
		return lh_err_set(w->err, LH_EUSAGE,
				  "\"%s\" is not KEY=VALUE (nor !=, <, <=, >, >=)", text);
	if (lh_str_is(p->key, "not", 3) && p->sign != EQUAL)
		return lh_err_set(w->err, LH_EUSAGE, "\"%s\": a key called \"not\" takes = alone",
				  text);
	w->n++;
	return check_operator(w, p) < 0 || check_bound(w, w->n - 1) < 0 ? -1 : 0;
}

static int read_texts(struct where *w, const char *const *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!lh_utf8_valid(text[i], strlen(text[i])))
			return lh_err_set(w->err, LH_EUSAGE, "\"%s\" is not UTF-8", text[i]);
		if ((*text[i] == '{' ? add_filter(w, text[i]) : read_pair(w, text[i])) < 0)
			return -1;
	}
	return 0;
}

/* ---- writing ---- */

/* Return the type of s if it is exactly one JSON number, string, true, false or null, otherwise
 * LH_OBJECT. */
static enum lh_type scalar_type(struct where *w, const char *s)
{
	struct lh_value v;

	lh_buf_reset(&w->scratch);
	lh_buf_puts(&w->scratch, s);
	if (lh_json_parse(&w->scan, w->scratch.p, w->scratch.len, &v, w->err) < 0)
		return LH_OBJECT;
	return v.type < LH_ARRAY && v.n == w->scratch.len ? v.type : LH_OBJECT;
}

static void put_text(const struct where *w, const char *text)
{
	lh_buf_json(w->json, text, strlen(text));
}

/* Write the values that a pair stands for: its text, and the scalar that this spells. */
static void put_values(struct where *w, const struct pair *p)
{
	enum lh_type type = scalar_type(w, p->value);

	put_text(w, p->value);
	if (type < LH_ARRAY) {
		lh_buf_putc(w->json, ',');
		lh_buf_puts(w->json, p->value);
	}
}

/* Return whether people read a text as a number: blanks around it, a sign, digits with a point
 * anywhere, an exponent.  A date and a time are none. */
static bool looks_like_number(const char *s)
{
	static const char blanks[] = " \t\r\n", digits[] = "0123456789";
	size_t whole, part = 0;

	s += strspn(s, blanks);
	s += *s == '+' || *s == '-';
	s += whole = strspn(s, digits);
	if (*s == '.') {
		part = strspn(s + 1, digits);
		s += 1 + part;
	}
	if (!whole && !part)
		return false;
	if (*s == 'e' || *s == 'E') {
		s += 1 + (s[1] == '+' || s[1] == '-');
		part = strspn(s, digits);
		if (!part)
			return false;
		s += part;
	}
	return !s[strspn(s, blanks)];
}

/* Write a bound: a number or a quoted string as it is, anything else as a string.  What was
 * meant as a number must not become a string, which no number is compared with. */
static int put_bound(struct where *w, const struct pair *p)
{
	enum lh_type type;

	if (!*p->value)
		return needs_quotes(w, p, "no bound");
	type = scalar_type(w, p->value);
	if (type == LH_NUMBER || type == LH_STRING)
		lh_buf_puts(w->json, p->value);
	else if (looks_like_number(p->value))
		return needs_quotes(w, p, "the bound is not a number as JSON writes it");
	else
		put_text(w, p->value);
	return 0;
}

/* Write the value of the operator for all pairs of that key and sign; the first is at i. */
static int put_operand(struct where *w, size_t i)
{
	const struct pair *first = &w->pair[i];
	bool more = false;

	if (first->sign != EQUAL && first->sign != NOT)
		return put_bound(w, first);
	lh_buf_putc(w->json, '[');
	for (; i < w->n; i++) {
		if (w->pair[i].sign != first->sign || !same_key(&w->pair[i], first))
			continue;
		if (more)
			lh_buf_putc(w->json, ',');
		more = true;
		put_values(w, &w->pair[i]);
	}
	lh_buf_putc(w->json, ']');
	return 0;
}

/* Return the first pair from i on with the key of pair `of`, and that sign unless it is
 * SIGNS; n: there is none. */
static size_t find_pair(const struct where *w, size_t i, size_t of, enum sign sign)
{
	while (i < w->n && !(same_key(&w->pair[i], &w->pair[of]) &&
			     (sign == SIGNS || w->pair[i].sign == sign)))
		i++;
	return i;
}

/* Return whether a list of values under the key of pair i says it all. */
static bool is_list(const struct where *w, size_t i)
{
	const struct lh_str key = w->pair[i].key;
	size_t k;

	if (lh_str_is(key, "or", 2) || lh_str_is(key, "and", 3) || lh_str_is(key, "exists", 6))
		return false;
	for (k = find_pair(w, 0, i, SIGNS); k < w->n; k = find_pair(w, k + 1, i, SIGNS))
		if (w->pair[k].sign != EQUAL)
			return false;
	return true;
}

/* Write the member for the key of pair i, which is the first of it. */
static int put_member(struct where *w, size_t i)
{
	char before = '{';
	enum sign s;
	size_t at;

	lh_buf_json(w->json, w->pair[i].key.p, w->pair[i].key.n);
	lh_buf_putc(w->json, ':');
	if (is_list(w, i))
		return put_operand(w, i);
	for (s = 0; s < SIGNS; s++) {
		at = find_pair(w, 0, i, s);
		if (at == w->n)
			continue;
		lh_buf_putc(w->json, before);
		put_text(w, signs[s].operator);
		lh_buf_putc(w->json, ':');
		if (put_operand(w, at) < 0)
			return -1;
		before = ',';
	}
	lh_buf_putc(w->json, '}');
	return 0;
}

static int put_filter(struct where *w)
{
	bool more = false;
	size_t i;

	lh_buf_puts(w->json, w->filters.len ? "{\"and\":[{" : "{");
	for (i = 0; i < w->n; i++) {
		if (find_pair(w, 0, i, SIGNS) < i)
			continue;
		if (more)
			lh_buf_putc(w->json, ',');
		more = true;
		if (put_member(w, i) < 0)
			return -1;
	}
	lh_buf_putc(w->json, '}');
	lh_buf_add(w->json, w->filters.p, w->filters.len);
	if (w->filters.len)
		lh_buf_puts(w->json, "]}");
	return 0;
}

int lh_filter_where(struct lh_buf *json, const char *const *texts, size_t n, struct lh_err *err)
{
	struct where w = { .pair = lh_calloc(n + 1, sizeof(struct pair)), .json = json,
			   .err = err };
	int rc = read_texts(&w, texts, n);

	if (!rc)
		rc = put_filter(&w);
	lh_buf_free(&w.filters);
	lh_record_free(&w.scan);
	lh_buf_free(&w.scratch);
	free(w.pair);
	return rc;
}

struct lh_filter *lh_filter_exists(const struct lh_filter_key *key, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf json = { 0 };
	struct lh_writer to = lh_write_to(&json);
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	struct lh_filter *f = lh_filter_new();

	if (key->filter) {
		lh_buf_puts(&json, key->filter);
	} else {
		lh_write_object(&to, NULL);
		lh_write_str(&to, "exists", key->name);
		lh_write_end(&to);
	}
	if (lh_json_parse(&scan, json.p, json.len, &v, err) < 0 ||
	    lh_filter_compile(f, &v, err) < 0) {
		lh_filter_free(f);
		f = NULL;
	}
	return f;
}
