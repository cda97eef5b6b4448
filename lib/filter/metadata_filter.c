/* metadata_filter.c - match metadata against a compiled filter.  See metadata_filter.h and
 * filter_parts.h. */
#include "filter_parts.h"

#include <stdlib.h>

#include "base/num.h"

#include "json/json_scanner.h"
#include "json/value.h"

/* ---- scanning unchecked metadata ---- */

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static const char *skip_container(const char *p, const char *end)
{
	size_t depth = 0;
	bool escaped;

	while (p && p < end) {
		switch (*p) {
		case '"':
			p = lh_skip_string(p, end, &escaped);
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

static const char *skip_value(const char *p, const char *end, struct filter_span *out)
{
	out->p = p;
	out->escaped = false;
	if (p == end)
		return NULL;
	if (*p == '"') {
		p = lh_skip_string(p, end, &out->escaped);
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
static int walk_next(struct walk *w, struct filter_span *key, struct filter_span *val,
		     struct lh_err *err)
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

/* ---- values ---- */

/* Copy a value to where the scanner may read past its end, and parse it. */
static int check(struct lh_filter *f, const struct filter_span *s, struct lh_value *v,
		 struct lh_err *err)
{
	lh_buf_reset(&f->scratch);
	lh_buf_add(&f->scratch, s->p, (size_t)(s->end - s->p));
	if (lh_json_parse(&f->scan, f->scratch.p, f->scratch.len, v, err) == 0)
		return 0;
	return broken(err);
}

static int string_of(struct lh_filter *f, const struct filter_span *s, struct lh_str *out,
		     struct lh_err *err)
{
	struct lh_value v;

	if (!s->escaped) {
		*out = (struct lh_str){ s->p + 1, (size_t)(s->end - s->p) - 2 };
		return 0;
	}
	if (check(f, s, &v, err) < 0)
		return -1;
	lh_buf_reset(&f->copy);
	lh_value_str(&v, &f->copy, out);
	return 0;
}

/* Return whether a value that compares as c with the bound is within it. */
static bool within(const struct filter_bound *b, int c)
{
	switch (b->order) {
	case FILTER_LT: return c < 0;
	case FILTER_LTE: return c <= 0;
	case FILTER_GT: return c > 0;
	default: return c >= 0;
	}
}

static bool match_string(const struct filter_cond *c, const struct lh_str *str)
{
	unsigned i;

	for (i = 0; i < c->n_sets; i++)
		if (!bsearch(str, c->set[i].str, c->set[i].n_str, sizeof *str, lh_filter_cmp))
			return false;
	for (i = 0; i < c->n_bounds; i++)
		if (c->bound[i].number.p ||
		    !within(&c->bound[i], lh_str_cmp(*str, c->bound[i].str)))
			return false;
	return !c->circle || lh_circle_has_text(c->circle, *str);
}

static bool holds(const struct filter_set *s, const struct lh_value *v)
{
	size_t i;

	if (v->type <= LH_TRUE)
		return s->literals >> v->type & 1;
	for (i = 0; i < s->n_other; i++)
		if (lh_value_equal(&s->other[i], v))
			return true;
	return false;
}

static bool match_other(const struct filter_cond *c, const struct lh_value *v)
{
	unsigned i;

	for (i = 0; i < c->n_sets; i++)
		if (!holds(&c->set[i], v))
			return false;
	for (i = 0; i < c->n_bounds; i++)
		if (v->type != LH_NUMBER ||
		    !within(&c->bound[i], lh_number_cmp(v, &c->bound[i].number)))
			return false;
	return !c->circle || lh_circle_has_object(c->circle, v);
}

/* Return whether only strings can match, so that no other value must be parsed. */
static bool wants_strings(const struct filter_cond *c)
{
	unsigned i;

	for (i = 0; i < c->n_sets; i++)
		if (!c->set[i].n_other && !c->set[i].literals)
			return true;
	for (i = 0; i < c->n_bounds; i++)
		if (!c->bound[i].number.p)
			return true;
	return false;
}

static int match_one(struct lh_filter *f, const struct filter_cond *c, const struct filter_span *s,
		     struct lh_err *err)
{
	struct lh_value v;
	struct lh_str str;

	if (*s->p == '"') {
		if (c->n_sets && !c->set->n_str)
			return 0;
		return string_of(f, s, &str, err) < 0 ? -1 : match_string(c, &str);
	}
	if (wants_strings(c))
		return 0;
	return check(f, s, &v, err) < 0 ? -1 : match_other(c, &v);
}

/* Match the sets, the bounds and the circle. */
static int match_value(struct lh_filter *f, const struct filter_cond *c,
		       const struct filter_span *s, struct lh_err *err)
{
	struct walk w = { s->p + 1, s->end, false, true };
	struct filter_span element;
	int got = match_one(f, c, s, err);

	if (got || *s->p != '[')
		return got;
	while ((got = walk_next(&w, NULL, &element, err)) > 0) {
		got = match_one(f, c, &element, err);
		if (got)
			return got;
	}
	return got;
}

static int match_cond(struct lh_filter *f, const struct filter_cond *c,
		      const struct filter_span *s, struct lh_err *err)
{
	int got = c->exists != 0;

	if (got > 0 && (c->n_sets || c->n_bounds || c->circle))
		got = match_value(f, c, s, err);
	if (got <= 0 || !c->not)
		return got;
	got = match_cond(f, c->not, s, err);
	return got < 0 ? -1 : !got;
}

/* ---- paths ---- */

/* Find a child: of an object the member of that name, of an array the element of that number.
 * 1, 0, -1. */
static int find_child(struct lh_filter *f, const struct filter_span *in, const char *name, size_t n,
		      struct filter_span *out, struct lh_err *err)
{
	struct walk w = { in->p + 1, in->end, *in->p == '{', true };
	struct filter_span key;
	struct lh_str is;
	uint64_t left;
	int got;

	if (*in->p != '{' && (*in->p != '[' || !lh_path_number(name, n, &left)))
		return 0;
	while ((got = walk_next(&w, &key, out, err)) > 0) {
		if (w.object && string_of(f, &key, &is, err) < 0)
			return -1;
		if (w.object ? lh_str_is(is, name, n) : !left--)
			return 1;
	}
	return got;
}

/* Find the value at a path, as lh_value_at does: 1, 0, -1. */
static int find_path(struct lh_filter *f, const struct filter_span *in, struct lh_str path,
		     struct filter_span *out, struct lh_err *err)
{
	struct filter_span at = *in;
	const char *dot;
	size_t head;
	int got;

	for (;; at = *out, path.p += head + 1, path.n -= head + 1) {
		dot = memchr(path.p, '.', path.n);
		head = dot ? (size_t)(dot - path.p) : path.n;
		got = *at.p == '{' || !dot ? find_child(f, &at, path.p, path.n, out, err) : 0;
		if (got || !dot)
			return got;
		got = find_child(f, &at, path.p, head, out, err);
		if (got <= 0)
			return got;
	}
}

/* Find what is named by paths and not by names of members. */
static int find_paths(struct lh_filter *f, const struct filter_span *all, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		struct filter_span *to = &f->found[i];

		if (to->p || !memchr(f->name[i].p, '.', f->name[i].n))
			continue;
		switch (find_path(f, all, f->name[i], to, err)) {
		case -1: return -1;
		case 0: to->p = NULL;
		}
	}
	return 0;
}

/* ---- metadata ---- */

/* Step to the next key that the filter names: 1 with *slot, 0 at the end, -1. */
static int next_named(struct lh_filter *f, struct walk *w, size_t *slot, struct filter_span *val,
		      struct lh_err *err)
{
	const struct lh_str *at;
	struct filter_span key;
	struct lh_str name;
	int got;

	while ((got = walk_next(w, &key, val, err)) > 0) {
		if (string_of(f, &key, &name, err) < 0)
			return -1;
		at = bsearch(&name, f->name, f->n, sizeof *f->name, lh_filter_cmp);
		if (at) {
			*slot = (size_t)(at - f->name);
			return 1;
		}
	}
	return got;
}

/* Match as the keys are met, and stop at the first that does not match. */
static int match_plain(struct lh_filter *f, struct walk *w, struct lh_err *err)
{
	size_t left = f->n, required = f->n_required, slot;
	struct filter_span val;
	int got;

	while (left && (got = next_named(f, w, &slot, &val, err)) != 0) {
		const struct filter_cond *c = &f->top.key[slot].cond;

		if (got > 0)
			got = match_cond(f, c, &val, err);
		if (got <= 0)
			return got;
		required -= !c->absent;
		left--;
	}
	return !required;
}

static int match_group(struct lh_filter *f, const struct filter_group *g, struct lh_err *err);

static int match_list(struct lh_filter *f, const struct filter_list *l, struct lh_err *err)
{
	size_t i;
	int got;

	for (i = 0; i < l->n; i++) {
		got = match_group(f, &l->group[i], err);
		if (got < 0)
			return -1;
		if ((bool)got == l->any)
			return l->any != l->not;
	}
	return l->any == l->not;
}

/* Match the circle by the pair of keys that the metadata has: 1, 0, -1. */
static int match_place(struct lh_filter *f, const struct filter_group *g, struct lh_err *err)
{
	double at[2];
	struct lh_value v;
	const char *end;
	int i;

	for (i = 0; i < 2; i++) {
		const struct filter_span *s = &f->found[g->place[i].slot];

		if (!s->p)
			s = &f->found[g->place[i + 2].slot];
		if (!s->p)
			return 0;
		if (check(f, s, &v, err) < 0)
			return -1;
		if (v.type != LH_NUMBER)
			return 0;
		at[i] = lh_f64_read(v.p, v.p + v.n, &end);
	}
	return lh_circle_has(g->circle, at[0], at[1]);
}

static int match_group(struct lh_filter *f, const struct filter_group *g, struct lh_err *err)
{
	size_t i;
	int got = 1;

	for (i = 0; i < g->n && got > 0; i++) {
		const struct filter_key *k = &g->key[i];
		const struct filter_span *s = &f->found[k->slot];

		got = s->p ? match_cond(f, &k->cond, s, err) : k->cond.absent;
	}
	if (got > 0 && g->circle)
		got = match_place(f, g, err);
	for (i = 0; i < g->n_lists && got > 0; i++)
		got = match_list(f, &g->list[i], err);
	return got;
}

/* Find the values of all names, then match. */
static int match_whole(struct lh_filter *f, struct walk *w, struct lh_err *err)
{
	const struct filter_span all = { w->at - 1, w->end, false };
	struct filter_span val;
	size_t left = f->n, slot;
	int got = 0;

	memset(f->found, 0, f->n * sizeof *f->found);
	while (left && (got = next_named(f, w, &slot, &val, err)) > 0) {
		left -= !f->found[slot].p;
		f->found[slot] = val;
	}
	if (got < 0 || (f->paths && left && find_paths(f, &all, err) < 0))
		return -1;
	return match_group(f, &f->top, err);
}

int lh_filter_match(struct lh_filter *f, const char *meta, size_t n, struct lh_err *err)
{
	static const char empty[] = "{}";
	struct walk w = { .object = true, .first = true };

	if (f->plain && !f->n)
		return 1;
	if (n && *meta != '{')
		return broken(err);
	w.at = n ? meta + 1 : empty + 1;
	w.end = n ? meta + n : empty + 2;
	return f->plain ? match_plain(f, &w, err) : match_whole(f, &w, err);
}
