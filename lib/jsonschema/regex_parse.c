/* regex_parse.c - a pattern as a tree.  See regex_parts.h. */
#include "regex_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

struct parser {
	struct lh_regex *re;
	struct lh_arena *tree;
	const unsigned char *p, *end, *start;
	unsigned depth;
	struct lh_err *err;
};

static struct lh_re_node *parse_alternatives(struct parser *ps);

/* Report what is wrong at `at`; returns -1. */
static int fault(struct parser *ps, const unsigned char *at, const char *why)
{
	lh_err_set(ps->err, LH_EDATA, "%s", why);
	ps->err->column = (size_t)(at - ps->start) + 1;
	return -1;
}

static bool next_is(const struct parser *ps, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(ps->end - ps->p) >= n && !memcmp(ps->p, text, n);
}

static bool take(struct parser *ps, const char *text)
{
	if (!next_is(ps, text))
		return false;
	ps->p += strlen(text);
	return true;
}

static struct lh_re_node *node(struct parser *ps, enum lh_re_type type)
{
	struct lh_re_node *n = lh_arena_new(ps->tree, 1, sizeof *n, ps->err);

	if (n)
		n->type = type;
	return n;
}

static void add_child(struct lh_re_node *to, struct lh_re_node *child)
{
	if (to->last)
		to->last->next = child;
	else
		to->child = child;
	to->last = child;
}

static int hex(unsigned char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 'a' + 10 : -1;
}

/* Read exactly n hex digits: their value, or -1. */
static int64_t hex_digits(struct parser *ps, int n)
{
	int64_t v = 0;
	int i;

	if (ps->end - ps->p < n)
		return -1;
	for (i = 0; i < n; i++) {
		if (hex(ps->p[i]) < 0)
			return -1;
		v = v * 16 + hex(ps->p[i]);
	}
	ps->p += n;
	return v;
}

/* After \u: four digits, two such that are a pair of surrogates, or any in braces. */
static int64_t code_point(struct parser *ps)
{
	const unsigned char *mark;
	int64_t v, low;

	if (take(ps, "{")) {
		for (v = 0; ps->p < ps->end && hex(*ps->p) >= 0 && v <= LH_RE_MOST; ps->p++)
			v = v * 16 + hex(*ps->p);
		return v <= LH_RE_MOST && ps->p[-1] != '{' && take(ps, "}") ? v : -1;
	}
	v = hex_digits(ps, 4);
	mark = ps->p;
	if (v >= 0xd800 && v < 0xdc00 && take(ps, "\\u")) {
		low = hex_digits(ps, 4);
		if (low >= 0xdc00 && low < 0xe000)
			return 0x10000 + ((v & 0x3ff) << 10) + (low & 0x3ff);
		ps->p = mark;
	}
	return v;
}

static bool is_letter(unsigned char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_punctuation(unsigned char c)
{
	return c > ' ' && c < 127 && !is_letter(c) && !(c >= '0' && c <= '9');
}

/* After a backslash: return the character that is meant, or -1 with *err. */
static int64_t escaped(struct parser *ps, bool in_class)
{
	static const char from[] = "tnvfr", to[] = "\t\n\v\f\r";
	const unsigned char *at = ps->p - 1;
	const char *short_form;
	int64_t v = -1;
	unsigned char c;

	if (ps->p == ps->end)
		return fault(ps, at, "\\ at the end");
	c = *ps->p++;
	short_form = c ? strchr(from, c) : NULL;
	if (short_form)
		v = to[short_form - from];
	else if (c == 'b' && in_class)
		v = '\b';
	else if (c == 'c' && ps->p < ps->end && is_letter(*ps->p))
		v = *ps->p++ & 31;
	else if (c == '0' && !(ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9'))
		v = 0;
	else if (c == 'x')
		v = hex_digits(ps, 2);
	else if (c == 'u')
		v = code_point(ps);
	else if (is_punctuation(c))
		v = c;
	if (v < 0 && (c == 'k' || (c >= '1' && c <= '9')) && !in_class)
		return fault(ps, at, "back references are not supported");
	return v < 0 ? fault(ps, at, "not an escape of ECMA-262") : v;
}

/* After \p or \P: add what is in the braces. */
static int property(struct parser *ps, struct lh_re_set *s)
{
	const unsigned char *at = ps->p - 2, *name;
	int rc;

	if (!take(ps, "{"))
		return fault(ps, at, "\\p needs {...}");
	for (name = ps->p; ps->p < ps->end && *ps->p != '}'; ps->p++)
		continue;
	if (ps->p == ps->end)
		return fault(ps, at, "\\p{ without }");
	rc = lh_re_add_property(s, (struct lh_str){ (const char *)name, (size_t)(ps->p - name) },
				ps->err);
	ps->p++;
	return rc ? (rc < 0 ? -1 : 0) : fault(ps, at, "this property is not supported");
}

/* p is after a backslash: add a class (\d, \W, \p{...}) to s.  1, 0 if it is none, or -1. */
static int class_escape(struct parser *ps, struct lh_re_set *s)
{
	struct lh_re_set one = { 0 };
	char c = ps->p < ps->end ? (char)*ps->p : 0;
	int rc;

	if (!c || !strchr("dDwWsSpP", c))
		return 0;
	ps->p++;
	rc = (c | 32) == 'p' ? property(ps, &one) : lh_re_add_class(&one, (char)(c | 32), ps->err);
	if (!rc)
		rc = lh_re_set_end(&one, c < 'a', ps->err);
	if (!rc)
		rc = lh_re_add_set(s, &one, ps->err);
	free(one.range);
	return rc < 0 ? -1 : 1;
}

/* One side of a range in a class: 1 with *c, 0 after a class such as \d, or -1. */
static int class_atom(struct parser *ps, struct lh_re_set *s, uint32_t *c)
{
	int64_t v;
	int rc;

	if (!take(ps, "\\")) {
		*c = lh_utf8_get(&ps->p);
		return 1;
	}
	rc = class_escape(ps, s);
	if (rc)
		return rc < 0 ? -1 : 0;
	v = escaped(ps, true);
	*c = (uint32_t)v;
	return v < 0 ? -1 : 1;
}

/* After [ or [^ until ], which is taken. */
static int class_members(struct parser *ps, struct lh_re_set *s, const unsigned char *open)
{
	const unsigned char *at;
	uint32_t first, last;
	int one, two;

	while (ps->p < ps->end && *ps->p != ']') {
		at = ps->p;
		one = class_atom(ps, s, &first);
		if (one < 0)
			return -1;
		last = first;
		if (ps->end - ps->p > 1 && *ps->p == '-' && ps->p[1] != ']') {
			ps->p++;
			two = class_atom(ps, s, &last);
			if (two < 0)
				return -1;
			if (!one || !two || last < first)
				return fault(ps, at, "not a range of characters");
		}
		if (one && lh_re_add(s, first, last, ps->err) < 0)
			return -1;
	}
	return take(ps, "]") ? 0 : fault(ps, open, "[ without ]");
}

/* Make a node of a set, which is then that of the expression. */
static struct lh_re_node *set_node(struct parser *ps, struct lh_re_set *s, bool negated)
{
	struct lh_regex *re = ps->re;
	struct lh_re_node *n = NULL;

	if (lh_re_set_end(s, negated, ps->err) == 0 &&
	    lh_grow(&re->set, &re->cap_sets, re->sets + 1, sizeof *re->set, ps->err) == 0)
		n = node(ps, LH_RE_SET);
	if (!n) {
		free(s->range);
		return NULL;
	}
	n->number = (uint32_t)re->sets;
	re->set[re->sets++] = *s;
	return n;
}

static struct lh_re_node *one_char(struct parser *ps, uint32_t c)
{
	struct lh_re_set s = { 0 };

	return lh_re_add(&s, c, c, ps->err) < 0 ? NULL : set_node(ps, &s, false);
}

static struct lh_re_node *parse_class(struct parser *ps)
{
	const unsigned char *open = ps->p - 1;
	struct lh_re_set s = { 0 };
	bool negated = take(ps, "^");

	if (class_members(ps, &s, open) < 0) {
		free(s.range);
		return NULL;
	}
	return set_node(ps, &s, negated);
}

static struct lh_re_node *any_char(struct parser *ps)
{
	struct lh_re_set s = { 0 };

	if (lh_re_add(&s, '\n', '\n', ps->err) < 0 || lh_re_add(&s, '\r', '\r', ps->err) < 0 ||
	    lh_re_add(&s, 0x2028, 0x2029, ps->err) < 0) {
		free(s.range);
		return NULL;
	}
	return set_node(ps, &s, true);
}

static struct lh_re_node *assertion(struct parser *ps, enum lh_re_assert kind)
{
	struct lh_re_node *n = node(ps, LH_RE_ASSERT);

	if (n)
		n->assert = kind;
	return n;
}

static struct lh_re_node *parse_escape(struct parser *ps)
{
	struct lh_re_set s = { 0 };
	int64_t c;
	int rc;

	if (take(ps, "b"))
		return assertion(ps, LH_RE_WORD);
	if (take(ps, "B"))
		return assertion(ps, LH_RE_NO_WORD);
	rc = class_escape(ps, &s);
	if (rc > 0)
		return set_node(ps, &s, false);
	free(s.range);
	if (rc < 0)
		return NULL;
	c = escaped(ps, false);
	return c < 0 ? NULL : one_char(ps, (uint32_t)c);
}

static struct lh_re_node *look(struct parser *ps, struct lh_re_node *body, bool behind,
			       bool negated)
{
	struct lh_regex *re = ps->re;
	struct lh_re_node *n;

	if (!body ||
	    lh_grow(&re->look, &re->cap_looks, re->looks + 1, sizeof *re->look, ps->err) < 0)
		return NULL;
	n = node(ps, LH_RE_LOOK);
	if (!n)
		return NULL;
	n->behind = behind;
	n->negated = negated;
	n->number = (uint32_t)re->looks;
	re->look[re->looks++] = (struct lh_re_look){ .body = body, .behind = behind };
	return n;
}

/* Take a group's name and its >. */
static int group_name(struct parser *ps, const unsigned char *open)
{
	const unsigned char *name = ps->p;

	while (ps->p < ps->end && (is_letter(*ps->p) || *ps->p == '_' || *ps->p == '$' ||
				   *ps->p >= 0x80 ||
				   (ps->p > name && *ps->p >= '0' && *ps->p <= '9')))
		ps->p++;
	return ps->p > name && take(ps, ">") ? 0 : fault(ps, open, "not the name of a group");
}

static struct lh_re_node *parse_group(struct parser *ps)
{
	const unsigned char *open = ps->p - 1;
	bool is_look = false, behind = false, negated = false;
	struct lh_re_node *n;

	if (next_is(ps, "?=") || next_is(ps, "?!") || next_is(ps, "?<=") || next_is(ps, "?<!")) {
		is_look = true;
		behind = ps->p[1] == '<';
		negated = ps->p[1 + behind] == '!';
		ps->p += 2 + behind;
	} else if (take(ps, "?<")) {
		if (group_name(ps, open) < 0)
			return NULL;
	} else if (!take(ps, "?:") && next_is(ps, "?")) {
		fault(ps, open, "this kind of group is not supported");
		return NULL;
	}
	if (ps->depth == LH_RE_DEPTH) {
		fault(ps, open, "more than 200 groups inside each other");
		return NULL;
	}
	ps->depth++;
	n = parse_alternatives(ps);
	ps->depth--;
	if (n && !take(ps, ")")) {
		fault(ps, open, "( without )");
		return NULL;
	}
	return is_look ? look(ps, n, behind, negated) : n;
}

static struct lh_re_node *parse_atom(struct parser *ps)
{
	const unsigned char *at = ps->p;
	uint32_t c = lh_utf8_get(&ps->p);

	switch (c) {
	case '^':
		return assertion(ps, LH_RE_BEGIN);
	case '$':
		return assertion(ps, LH_RE_END);
	case '.':
		return any_char(ps);
	case '[':
		return parse_class(ps);
	case '(':
		return parse_group(ps);
	case '\\':
		return parse_escape(ps);
	case '*': case '+': case '?': case '{': case '}': case ']':
		fault(ps, at, c == '}' || c == ']' ? "needs a \\ before it" : "nothing to repeat");
		return NULL;
	default:
		return one_char(ps, c);
	}
}

/* Read a decimal number; one that is too large becomes LH_RE_NO_END - 1. */
static bool number(struct parser *ps, uint32_t *out)
{
	const unsigned char *from = ps->p;
	uint64_t v = 0;

	for (; ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9'; ps->p++)
		v = v * 10 + (uint64_t)(*ps->p - '0') < LH_RE_NO_END
			? v * 10 + (uint64_t)(*ps->p - '0') : LH_RE_NO_END - 1;
	*out = (uint32_t)v;
	return ps->p > from;
}

/* Read a quantifier: 1, 0 if there is none, or -1. */
static int quantifier(struct parser *ps, uint32_t *least, uint32_t *most)
{
	const unsigned char *at = ps->p;

	*least = 0;
	*most = LH_RE_NO_END;
	if (take(ps, "*")) {
		;
	} else if (take(ps, "+")) {
		*least = 1;
	} else if (take(ps, "?")) {
		*most = 1;
	} else if (take(ps, "{")) {
		if (!number(ps, least))
			return fault(ps, at, "{ needs a number, or a \\ before it");
		if (!take(ps, ","))
			*most = *least;
		else if (!next_is(ps, "}") && !number(ps, most))
			return fault(ps, at, "not a number of repetitions");
		if (!take(ps, "}") || *most < *least)
			return fault(ps, at, "not a number of repetitions");
	} else {
		return 0;
	}
	take(ps, "?");
	return 1;
}

static struct lh_re_node *parse_term(struct parser *ps)
{
	struct lh_re_node *atom = parse_atom(ps), *n;
	const unsigned char *at = ps->p;
	uint32_t least, most;
	int rc = atom ? quantifier(ps, &least, &most) : -1;

	if (rc <= 0)
		return rc < 0 ? NULL : atom;
	if (atom->type == LH_RE_ASSERT || atom->type == LH_RE_LOOK) {
		fault(ps, at, "nothing to repeat");
		return NULL;
	}
	n = node(ps, LH_RE_REPEAT);
	if (!n)
		return NULL;
	/* the atom may be a group's list: a parent of its own */
	n->child = n->last = atom;
	n->least = least;
	n->most = most;
	return n;
}

static struct lh_re_node *parse_terms(struct parser *ps)
{
	struct lh_re_node *n = node(ps, LH_RE_CAT), *term;

	while (n && ps->p < ps->end && *ps->p != '|' && *ps->p != ')') {
		term = parse_term(ps);
		if (!term)
			return NULL;
		add_child(n, term);
	}
	return n;
}

static struct lh_re_node *parse_alternatives(struct parser *ps)
{
	struct lh_re_node *n = node(ps, LH_RE_ALT), *terms;

	do {
		terms = n ? parse_terms(ps) : NULL;
		if (!terms)
			return NULL;
		add_child(n, terms);
	} while (take(ps, "|"));
	return n;
}

struct lh_re_node *lh_re_parse(struct lh_regex *re, struct lh_arena *tree, struct lh_str pattern,
			       struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)pattern.p;
	struct parser ps = { re, tree, p, p + pattern.n, p, 0, err };
	struct lh_re_node *n = parse_alternatives(&ps);

	if (n && ps.p < ps.end) {
		fault(&ps, ps.p, ") without (");
		return NULL;
	}
	return n;
}
