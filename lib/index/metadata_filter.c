/* metadata_filter.c - match metadata against a filter.  See lh/metadata_filter.h. */
#include <lh/metadata_filter.h>

#include <stdlib.h>

#include "base/mem.h"

struct key {
	struct lh_str name;
	struct lh_str *str;		/* strings allowed, sorted */
	struct lh_value *other;		/* numbers, arrays and objects allowed */
	size_t n_str, n_other;
	unsigned literals;		/* null, false, true: a bit per enum lh_type */
};

struct lh_filter {
	struct lh_buf text, unescaped;	/* of the filter */
	struct lh_buf scratch, plain;	/* scratch: of the current value */
	struct key *key;
	struct lh_str *str;
	struct lh_value *other;
	size_t n, cap, cap_str, cap_other;
	struct lh_record scan;		/* scratch of lh_json_parse */
};

struct lh_filter *lh_filter_new(struct lh_err *err)
{
	struct lh_filter *f = lh_calloc(1, sizeof *f, err);

	if (!f)
		return NULL;
	lh_record_init(&f->scan);
	return f;
}

void lh_filter_free(struct lh_filter *f)
{
	if (!f)
		return;
	lh_buf_free(&f->text);
	lh_buf_free(&f->unescaped);
	lh_buf_free(&f->scratch);
	lh_buf_free(&f->plain);
	lh_record_free(&f->scan);
	free(f->key);
	free(f->str);
	free(f->other);
	free(f);
}

/* Compare by length first: most comparisons end there. */
static int cmp_str(const void *a, const void *b)
{
	const struct lh_str *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
}

/* ---- compiling ---- */

static bool add_alternative(struct lh_filter *f, struct key *k, const struct lh_value *v,
			    struct lh_err *err)
{
	switch (v->type) {
	case LH_STRING:
		return lh_value_str(v, &f->unescaped, &k->str[k->n_str++], err) == 0;
	case LH_NULL:
	case LH_FALSE:
	case LH_TRUE:
		k->literals |= 1u << v->type;
		return true;
	default:
		k->other[k->n_other++] = *v;
		return true;
	}
}

static int add_key(struct lh_filter *f, struct key *k, const struct lh_iter *it, struct lh_err *err)
{
	struct lh_iter alt;

	if (lh_value_str(&it->key, &f->unescaped, &k->name, err) < 0)
		return -1;
	if (it->val.type != LH_ARRAY)
		return add_alternative(f, k, &it->val, err) ? 0 : -1;
	lh_iter_init(&alt, &it->val);
	while (lh_iter_next(&alt))
		if (!add_alternative(f, k, &alt.val, err))
			return -1;
	if (k->n_str)
		qsort(k->str, k->n_str, sizeof *k->str, cmp_str);
	return 0;
}

/* Reserve memory for all keys, alternatives and unescaped strings, so that pointers
 * into it stay valid. */
static int make_room(struct lh_filter *f, const struct lh_value *v, struct lh_err *err)
{
	struct lh_iter it, alt;
	size_t keys = 0, alts = 0;

	lh_iter_init(&it, v);
	while (lh_iter_next(&it)) {
		keys++;
		if (it.val.type != LH_ARRAY) {
			alts++;
			continue;
		}
		lh_iter_init(&alt, &it.val);
		while (lh_iter_next(&alt))
			alts++;
	}
	if (lh_grow(&f->key, &f->cap, keys, sizeof *f->key, err) < 0 ||
	    lh_grow(&f->str, &f->cap_str, alts, sizeof *f->str, err) < 0 ||
	    lh_grow(&f->other, &f->cap_other, alts, sizeof *f->other, err) < 0)
		return -1;
	lh_buf_reset(&f->unescaped);
	lh_buf_room(&f->unescaped, v->n + LH_PAD);
	return lh_buf_check(&f->unescaped, err);
}

int lh_filter_compile(struct lh_filter *f, const struct lh_value *v, struct lh_err *err)
{
	struct lh_value own = *v;
	struct lh_str *str;
	struct lh_value *other;
	struct lh_iter it;

	f->n = 0;
	lh_buf_reset(&f->text);
	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a filter must be a JSON object");
	lh_buf_add(&f->text, v->p, v->n);
	if (lh_buf_check(&f->text, err) < 0)
		return -1;
	own.p = f->text.p;
	if (make_room(f, &own, err) < 0)
		return -1;
	str = f->str;
	other = f->other;
	lh_iter_init(&it, &own);
	while (lh_iter_next(&it)) {
		struct key *k = &f->key[f->n++];

		*k = (struct key){ .str = str, .other = other };
		if (add_key(f, k, &it, err) < 0)
			return -1;
		str += k->n_str;
		other += k->n_other;
	}
	/* Keys begin with their names, so cmp_str sorts them too. */
	if (f->n)
		qsort(f->key, f->n, sizeof *f->key, cmp_str);
	return 0;
}

bool lh_filter_is(const struct lh_filter *f, const struct lh_value *v)
{
	return f->text.len == v->n && v->n && memcmp(f->text.p, v->p, v->n) == 0;
}

/* ---- scanning unchecked metadata ---- */

struct span {
	const char *p, *end;
	bool escaped;		/* a string with a backslash */
};

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Return the end of the string that begins at p, or NULL. */
static const char *skip_string(const char *p, const char *end, bool *escaped)
{
	const char *from = p + 1, *quote, *slash;

	*escaped = false;
	while (from < end && (quote = memchr(from, '"', (size_t)(end - from)))) {
		slash = memchr(from, '\\', (size_t)(quote - from));
		if (!slash)
			return quote + 1;
		*escaped = true;
		from = slash + 2;
	}
	return NULL;
}

static const char *skip_container(const char *p, const char *end)
{
	size_t depth = 0;
	bool escaped;

	while (p && p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end, &escaped);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (!--depth)
				return p + 1;
			break;
		}
		p++;
	}
	return NULL;
}

static const char *skip_value(const char *p, const char *end, struct span *out)
{
	out->p = p;
	out->escaped = false;
	if (p == end)
		return NULL;
	if (*p == '"') {
		p = skip_string(p, end, &out->escaped);
	} else if (*p == '{' || *p == '[') {
		p = skip_container(p, end);
	} else {
		while (p < end && !memchr(",]} \t\n\r", *p, 8))
			p++;
		if (p == out->p)
			return NULL;
	}
	out->end = p;
	return p;
}

struct walk {
	const char *at, *end;	/* at: after the last child or the opening bracket */
	bool object, first;
};

static int broken(struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "metadata is not JSON");
}

/* Step to the next child: 1, 0 at the closing bracket, -1 for text that is not JSON. */
static int walk_next(struct walk *w, struct span *key, struct span *val, struct lh_err *err)
{
	const char *p = skip_space(w->at, w->end);

	if (p < w->end && *p == (w->object ? '}' : ']'))
		return 0;
	if (!w->first) {
		if (p == w->end || *p != ',')
			return broken(err);
		p = skip_space(p + 1, w->end);
	}
	w->first = false;
	if (w->object) {
		if (p == w->end || *p != '"' || !(p = skip_value(p, w->end, key)))
			return broken(err);
		p = skip_space(p, w->end);
		if (p == w->end || *p != ':')
			return broken(err);
		p = skip_space(p + 1, w->end);
	}
	w->at = skip_value(p, w->end, val);
	return w->at ? 1 : broken(err);
}

/* ---- matching ---- */

/* Copy a value to where the scanner may read past its end, and parse it. */
static int check(struct lh_filter *f, const struct span *s, struct lh_value *v, struct lh_err *err)
{
	lh_buf_reset(&f->scratch);
	lh_buf_add(&f->scratch, s->p, (size_t)(s->end - s->p));
	if (lh_buf_check(&f->scratch, err) < 0)
		return -1;
	if (lh_json_parse(&f->scan, f->scratch.p, f->scratch.len, v, err) == 0)
		return 0;
	return err->code == LH_ENOMEM ? -1 : broken(err);
}

static int string_of(struct lh_filter *f, const struct span *s, struct lh_str *out,
		     struct lh_err *err)
{
	struct lh_value v;

	if (!s->escaped) {
		*out = (struct lh_str){ s->p + 1, (size_t)(s->end - s->p) - 2 };
		return 0;
	}
	if (check(f, s, &v, err) < 0)
		return -1;
	lh_buf_reset(&f->plain);
	return lh_value_str(&v, &f->plain, out, err);
}

static int match_one(struct lh_filter *f, const struct key *k, const struct span *s,
		     struct lh_err *err)
{
	struct lh_value v;
	struct lh_str str;
	size_t i;

	if (*s->p == '"') {
		if (!k->n_str)
			return 0;
		if (string_of(f, s, &str, err) < 0)
			return -1;
		return bsearch(&str, k->str, k->n_str, sizeof str, cmp_str) != NULL;
	}
	if (!k->n_other && !k->literals)
		return 0;
	if (check(f, s, &v, err) < 0)
		return -1;
	if (v.type <= LH_TRUE)
		return k->literals >> v.type & 1;
	for (i = 0; i < k->n_other; i++)
		if (lh_value_equal(&k->other[i], &v))
			return 1;
	return 0;
}

static int match_value(struct lh_filter *f, const struct key *k, const struct span *s,
		       struct lh_err *err)
{
	struct walk w = { s->p + 1, s->end, false, true };
	struct span element;
	int got = match_one(f, k, s, err);

	if (got || *s->p != '[')
		return got;
	while ((got = walk_next(&w, NULL, &element, err)) > 0) {
		got = match_one(f, k, &element, err);
		if (got)
			return got;
	}
	return got;
}

int lh_filter_match(struct lh_filter *f, const char *meta, size_t n, struct lh_err *err)
{
	struct walk w = { .object = true, .first = true };
	struct span key, val;
	size_t left = f->n;
	int got;

	if (!left)
		return 1;
	if (!n)
		return 0;
	if (*meta != '{')
		return broken(err);
	w.at = meta + 1;
	w.end = meta + n;
	while ((got = walk_next(&w, &key, &val, err)) > 0) {
		const struct key *k;
		struct lh_str name;

		if (string_of(f, &key, &name, err) < 0)
			return -1;
		k = bsearch(&name, f->key, f->n, sizeof *f->key, cmp_str);
		if (!k)
			continue;
		got = match_value(f, k, &val, err);
		if (got <= 0 || !--left)
			return got;
	}
	return got;
}

/* ---- KEY=VALUE ---- */

/* Return whether s is exactly one JSON number, string, true, false or null; -1 without
 * memory. */
static int is_scalar(struct lh_record *scan, struct lh_buf *scratch, const char *s,
		     struct lh_err *err)
{
	struct lh_value v;

	lh_buf_reset(scratch);
	lh_buf_puts(scratch, s);
	if (lh_buf_check(scratch, err) < 0)
		return -1;
	if (lh_json_parse(scan, scratch->p, scratch->len, &v, err) < 0)
		return err->code == LH_ENOMEM ? -1 : 0;
	return v.type < LH_ARRAY && v.n == scratch->len;
}

static size_t key_len(const char *pair)
{
	return strcspn(pair, "=");
}

static bool same_key(const char *a, const char *b)
{
	return key_len(a) == key_len(b) && memcmp(a, b, key_len(a)) == 0;
}

/* Append the member for the key of pairs[first], with the values of all its pairs. */
static int where_member(struct lh_buf *json, const char *const *pairs, size_t first, size_t n,
			struct lh_record *scan, struct lh_buf *scratch, struct lh_err *err)
{
	size_t i;

	lh_buf_json(json, pairs[first], key_len(pairs[first]));
	lh_buf_puts(json, ":[");
	for (i = first; i < n; i++) {
		const char *value = pairs[i] + key_len(pairs[i]) + 1;
		int scalar;

		if (!same_key(pairs[i], pairs[first]))
			continue;
		scalar = is_scalar(scan, scratch, value, err);
		if (scalar < 0)
			return -1;
		if (i != first)
			lh_buf_putc(json, ',');
		lh_buf_json(json, value, strlen(value));
		if (scalar) {
			lh_buf_putc(json, ',');
			lh_buf_puts(json, value);
		}
	}
	lh_buf_putc(json, ']');
	return 0;
}

static int check_pairs(const char *const *pairs, size_t n, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (*pairs[i] == '=' || !strchr(pairs[i], '='))
			return lh_err_set(err, LH_EUSAGE, "\"%s\" is not KEY=VALUE", pairs[i]);
		if (!lh_utf8_valid(pairs[i], strlen(pairs[i])))
			return lh_err_set(err, LH_EUSAGE, "\"%s\" is not UTF-8", pairs[i]);
	}
	return 0;
}

int lh_filter_where(struct lh_buf *json, const char *const *pairs, size_t n, struct lh_err *err)
{
	struct lh_record scan;
	struct lh_buf scratch = { 0 };
	size_t i, before;
	int rc = check_pairs(pairs, n, err);

	if (rc < 0)
		return -1;
	lh_record_init(&scan);
	lh_buf_putc(json, '{');
	for (i = 0; rc == 0 && i < n; i++) {
		for (before = 0; before < i && !same_key(pairs[before], pairs[i]); before++)
			;
		if (before < i)
			continue;
		if (i)
			lh_buf_putc(json, ',');
		rc = where_member(json, pairs, i, n, &scan, &scratch, err);
	}
	lh_buf_putc(json, '}');
	lh_record_free(&scan);
	lh_buf_free(&scratch);
	return rc < 0 ? -1 : lh_buf_check(json, err);
}
