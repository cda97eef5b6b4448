/* check.c - a node over a value: its type, numbers, strings.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdio.h>

#include "base/utf8.h"

/* Spend steps; false with w->failed if none are left. */
static bool lh_js_spend(struct lh_js_walk *w, uint64_t steps)
{
	if (w->steps < steps) {
		if (!w->failed)
			lh_err_data(w->err, 413, "the record needs too many steps");
		w->failed = true;
		return false;
	}
	w->steps -= steps;
	return true;
}

bool lh_js_bits(struct lh_js_walk *w, size_t n, struct lh_js_seen *out)
{
	struct lh_buf *b = &w->run->bits;
	size_t bytes = n / 8 + 1;
	char *to = lh_buf_room(b, bytes);

	if (!to) {
		lh_err_nomem(w->err);
		w->failed = true;
		return false;
	}
	memset(to, 0, bytes);
	*out = (struct lh_js_seen){ b->len, n };
	b->len += bytes;
	return true;
}

void lh_js_text_of(struct lh_js_walk *w, const struct lh_value *v, struct lh_str *out)
{
	lh_value_str(v, &w->run->scratch, out);
}

bool lh_js_matches(struct lh_js_walk *w, const struct lh_js_pattern *p, const struct lh_value *v)
{
	size_t mark = w->run->scratch.len;
	struct lh_str text;
	int rc;

	lh_js_text_of(w, v, &text);
	rc = lh_regex_search(p->regex, &w->run->regex, text, &w->steps, w->err);
	w->run->scratch.len = mark;
	w->failed |= rc < 0;
	return rc > 0;
}

static bool check_type(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		       const struct lh_js_place *at)
{
	static const char *const name[] = { "null", "boolean", "boolean", "number", "string",
					    "array", "object" };
	struct lh_exact x;
	char all[100];
	size_t len = 0;
	int i;

	if (!n->types)
		return true;
	if (n->types >> v->type & 1) {
		if (v->type != LH_NUMBER || !n->integer || n->number_too)
			return true;
		x = lh_exact_of(v);
		if (lh_exact_whole(&x))
			return true;
	}
	if (w->quiet)
		return false;
	for (i = LH_NULL; i <= LH_OBJECT; i++)
		if (n->types >> i & 1 && i != LH_TRUE)
			len += (size_t)snprintf(all + len, sizeof all - len, "%s%s",
						len ? " or " : "",
						i == LH_NUMBER && !n->number_too ? "integer"
						: name[i]);
	return lh_js_expected(w, at, v, all);
}

static bool is_value(struct lh_js_walk *w, const struct lh_js_value *want,
		     const struct lh_value *v, uint64_t *hash)
{
	if (want->v.type != v->type)
		return false;
	if (want->v.n == v->n && !memcmp(want->v.p, v->p, v->n))
		return true;
	if (v->type == LH_STRING && !v->escaped && !want->v.escaped)
		return false;
	if (!*hash)
		*hash = lh_js_hash(v, &w->run->scratch);
	return lh_js_equal(&want->v, want->hash, v, *hash);
}

static bool report_choice(struct lh_js_walk *w, const struct lh_js_node *n,
			  const struct lh_value *v, const struct lh_js_place *at)
{
	char all[300];
	size_t i, len = 0;

	if (w->quiet)
		return false;
	for (i = 0; i < n->choices && len < sizeof all; i++)
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%.*s",
					!i ? "" : i + 1 < n->choices ? ", " : " or ",
					n->choice[i].v.n > 300 ? 300 : (int)n->choice[i].v.n,
					n->choice[i].v.p);
	if (len >= sizeof all || !n->choices)
		snprintf(all, sizeof all, "one of the %zu values of enum", n->choices);
	return lh_js_expected(w, at, v, all);
}

static bool check_choice(struct lh_js_walk *w, const struct lh_js_node *n,
			 const struct lh_value *v, const struct lh_js_place *at)
{
	uint64_t hash = 0;
	char what[300];
	size_t i;

	if (n->only && !is_value(w, n->only, v, &hash)) {
		snprintf(what, sizeof what, n->only->v.n < 200 ? "%.*s" : "the value of const",
			 (int)n->only->v.n, n->only->v.p);
		return lh_js_expected(w, at, v, what);
	}
	if (!n->choice)
		return true;
	for (i = 0; i < n->choices; i++)
		if (is_value(w, &n->choice[i], v, &hash))
			return true;
	lh_js_spend(w, n->choices);
	return report_choice(w, n, v, at);
}

/* Return whether the number is a whole multiple: both are digits * 10^e, and the digits do not
 * end with 0. */
static bool is_multiple(const struct lh_js_number *x, const struct lh_exact *e)
{
	unsigned __int128 rest = 0, power = 10 % x->divisor, m = x->divisor;
	int64_t more = e->exp - e->n - x->exponent;
	const char *p;

	if (!e->n)
		return true;
	if (more < 0)
		return false;
	for (p = e->p; p < e->end; p++)
		if (*p != '.')
			rest = (rest * 10 + (unsigned)(*p - '0')) % m;
	for (; more && rest; more >>= 1) {
		if (more & 1)
			rest = rest * power % m;
		power = power * power % m;
	}
	return !rest;
}

static bool check_number(struct lh_js_walk *w, const struct lh_js_number *x,
			 const struct lh_value *v, const struct lh_js_place *at)
{
	static const char *const says[] = { "must be %.*s or more", "must be %.*s or less",
					    "must be more than %.*s", "must be less than %.*s" };
	struct lh_exact e = lh_exact_of(v);
	bool ok = true, good;
	int i, c;

	for (i = 0; i < 4; i++) {
		if (!x->has[i])
			continue;
		c = lh_exact_cmp(&e, &x->limit[i]);
		good = i == LH_JS_MINIMUM ? c >= 0 : i == LH_JS_MAXIMUM ? c <= 0
			: i == LH_JS_ABOVE ? c > 0 : c < 0;
		if (!good)
			ok = lh_js_report(w, at, says[i], (int)x->text[i].n, x->text[i].p);
	}
	if (x->has_multiple && !is_multiple(x, &e))
		ok = lh_js_report(w, at, "must be a multiple of %.*s", (int)x->multiple.n,
				  x->multiple.p);
	return ok;
}

static uint64_t code_points(struct lh_str s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool check_length(struct lh_js_walk *w, const struct lh_js_limits *l,
			 const struct lh_value *v, const struct lh_js_place *at)
{
	size_t mark = w->run->scratch.len;
	struct lh_str text;
	uint64_t n;

	if (!l->least && l->most == UINT64_MAX)
		return true;
	lh_js_text_of(w, v, &text);
	n = code_points(text);
	w->run->scratch.len = mark;
	if (n < l->least)
		return lh_js_report(w, at, "must have at least %llu character%s",
				    (unsigned long long)l->least, l->least == 1 ? "" : "s");
	if (n > l->most)
		return lh_js_report(w, at, "must have at most %llu character%s",
				    (unsigned long long)l->most, l->most == 1 ? "" : "s");
	return true;
}

static bool check_string(struct lh_js_walk *w, const struct lh_js_string *s,
			 const struct lh_value *v, const struct lh_js_place *at)
{
	const struct lh_js_pattern *p = s->pattern;
	bool ok = check_length(w, &s->length, v, at);

	if ((!ok && w->quiet) || !p || lh_js_matches(w, p, v) || w->failed)
		return ok && !w->failed;
	return lh_js_report(w, at, "does not match %.*s",
			    (int)lh_js_whole(p->text.p, p->text.n, 200), p->text.p);
}

static bool check_by_type(struct lh_js_walk *w, const struct lh_js_node *n,
			  const struct lh_value *v, const struct lh_js_place *at,
			  struct lh_js_seen *seen)
{
	switch (v->type) {
	case LH_NUMBER:
		return !n->number || check_number(w, n->number, v, at);
	case LH_STRING:
		return !n->string || check_string(w, n->string, v, at);
	case LH_ARRAY:
		return !n->array || lh_js_check_array(w, n->array, v, at, seen);
	case LH_OBJECT:
		return !n->object || lh_js_check_object(w, n->object, v, at, seen);
	default:
		return true;
	}
}

static bool check_own(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		      const struct lh_js_place *at, struct lh_js_seen *seen)
{
	bool ok = check_type(w, n, v, at);

	if (ok && (n->choice || n->only))
		ok = check_choice(w, n, v, at);
	if (!ok && w->quiet)
		return false;
	ok = check_by_type(w, n, v, at, seen) && ok;
	if ((!ok && w->quiet) || !n->in_place)
		return ok;
	return lh_js_check_in_place(w, n, v, at, seen) && ok;
}

/* unevaluated...: what no other keyword has evaluated. */
static bool check_with_rest(struct lh_js_walk *w, const struct lh_js_node *n,
			    const struct lh_value *v, const struct lh_js_place *at,
			    struct lh_js_seen *seen)
{
	size_t mark = w->run->bits.len, children = 0, i;
	struct lh_js_seen own;
	struct lh_iter it;
	bool ok;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		children++;
	if (!lh_js_bits(w, children, &own))
		return false;
	ok = check_own(w, n, v, at, &own);
	if (ok || !w->quiet)
		ok = lh_js_check_rest(w, n, v, at, &own) && ok;
	w->run->bits.len = mark;
	for (i = 0; seen && ok && i < children; i++)
		lh_js_mark(w, seen, i);
	return ok;
}

bool lh_js_check(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		 const struct lh_js_place *at, struct lh_js_seen *seen)
{
	const struct lh_js_scope *up = w->scope;
	struct lh_js_scope scope = { up, n->resource };
	bool ok;

	if (w->failed || !lh_js_spend(w, 1))
		return false;
	if (n->constant)
		return n->accepts || lh_js_report(w, at, "not allowed");
	if (w->depth == LH_JSONSCHEMA_DEPTH) {
		lh_err_data(w->err, 413, "more than %d schemas applied inside each other",
			    LH_JSONSCHEMA_DEPTH);
		w->failed = true;
		return false;
	}
	w->depth++;
	if (w->s->dynamic && (!up || up->resource != n->resource))
		w->scope = &scope;
	if ((n->rest_members && v->type == LH_OBJECT) || (n->rest_items && v->type == LH_ARRAY))
		ok = check_with_rest(w, n, v, at, seen);
	else
		ok = check_own(w, n, v, at, seen);
	w->scope = up;
	w->depth--;
	return ok && !w->failed;
}

bool lh_js_check_quietly(struct lh_js_walk *w, const struct lh_js_node *n,
			 const struct lh_value *v, struct lh_js_seen *seen)
{
	bool ok;

	w->quiet++;
	ok = lh_js_check(w, n, v, NULL, seen);
	w->quiet--;
	return ok;
}

long lh_jsonschema_check(const struct lh_jsonschema *s, struct lh_jsonschema_run *run,
			 const struct lh_value *v, lh_schema_fn *found, void *ctx,
			 struct lh_err *err)
{
	struct lh_js_walk w = {
		.s = s, .run = run, .quiet = !found, .found = found, .ctx = ctx, .err = err,
		.steps = 10000000 + 1000 * (uint64_t)v->n,
	};
	bool ok;
	long more;

	run->scratch.len = run->bits.len = 0;
	ok = lh_js_check(&w, s->root, v, NULL, NULL);
	if (w.failed)
		return -1;
	if (!found)
		return !ok;
	if (w.n > LH_SCHEMA_MAX) {
		more = w.n - LH_SCHEMA_MAX;
		w.n = 0;
		lh_js_report(&w, NULL, "%ld more violations", more);
		w.n = LH_SCHEMA_MAX + more;
	}
	return w.failed ? -1 : w.n;
}

void lh_jsonschema_run_free(struct lh_jsonschema_run *run)
{
	lh_buf_free(&run->scratch);
	lh_buf_free(&run->bits);
	lh_buf_free(&run->field);
	lh_buf_free(&run->problem);
	lh_regex_run_free(&run->regex);
}
