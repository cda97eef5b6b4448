/* check.c - a node over a value.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "schema/schema_table.h"

/* Children of one value that were evaluated: bits from `from` on in run->bits. */
struct seen {
	size_t from, n;
};

/* A value of the record, and where it is. */
struct spot {
	const struct lh_value *v;
	const struct spot *up;		/* what it is in; NULL: it is the record */
	const struct lh_value *key;	/* NULL: an item */
	size_t i;
	struct seen *seen;		/* its children that were evaluated; NULL: unasked */
};

struct walk {
	struct lh_jsonschema_run *run;
	bool inside;			/* a schema of anyOf or oneOf: less is reported */
	unsigned quiet;			/* no reports: the result alone counts */
	unsigned depth;
	uint64_t steps;			/* left */
	long n;				/* violations */
	lh_schema_fn *found;
	void *ctx;
	struct lh_err *err;
	bool failed;			/* *err is set */
};

/* Return whether the value is valid by n; false also if w->failed. */
static bool check(struct walk *w, const struct lh_js_node *n, const struct spot *s);

static bool check_quietly(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	bool ok;

	w->quiet++;
	ok = check(w, n, s);
	w->quiet--;
	return ok;
}

/* Return whether it matters what else is wrong. */
static bool goes_on(const struct walk *w, bool ok)
{
	return ok || !w->quiet;
}

/* Spend steps; false with w->failed if there are not as many. */
static bool spend(struct walk *w, uint64_t steps)
{
	if (lh_js_spend(&w->steps, steps))
		return true;
	if (!w->failed)
		lh_err_data(w->err, 413, "the record needs too many steps");
	w->failed = true;
	return false;
}

/* ---- violations as text ---- */

#define FIELD 2000	/* bytes shown of a path */
#define KEY 200		/* and of a name in it */

static size_t whole(const char *p, size_t n, size_t most)
{
	return lh_utf8_head((struct lh_str){ p, n }, most).n;
}

/* Return whether a name is shown as it is, and not quoted in brackets. */
static bool is_plain(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)p[i] <= ' ' || memchr(".[]\"\\", p[i], 5))
			return false;
	return n;
}

static void put_path(struct lh_buf *out, const struct spot *s)
{
	const char *p;
	size_t n, shown;
	bool plain;

	if (!s->up)
		return;
	put_path(out, s->up);
	if (out->len > FIELD)
		return;
	if (!s->key) {
		lh_buf_printf(out, "[%zu]", s->i);
		return;
	}
	p = s->key->p + 1;
	n = s->key->n - 2;
	shown = whole(p, n, KEY);
	plain = is_plain(p, n < KEY ? n : KEY);
	lh_buf_puts(out, !plain ? "[\"" : out->len ? "." : "");
	lh_buf_add(out, p, shown);
	lh_buf_puts(out, shown < n ? "..." : "");
	lh_buf_puts(out, plain ? "" : "\"]");
}

/* Report a violation unless w is quiet; returns false. */
LH_PRINTF(3, 4) static bool report(struct walk *w, const struct spot *s, const char *fmt, ...)
{
	struct lh_buf *field = &w->run->field;
	char problem[600];
	va_list ap;
	int n;

	if (w->quiet || w->failed || w->n++ >= LH_SCHEMA_MAX)
		return false;
	lh_buf_reset(field);
	put_path(field, s);
	if (!field->len)
		lh_buf_puts(field, "record");
	va_start(ap, fmt);
	n = vsnprintf(problem, sizeof problem, fmt, ap);
	va_end(ap);
	w->found(w->ctx, &(struct lh_str){ field->p, field->len },
		 &(struct lh_str){ problem, whole(problem, (size_t)n, sizeof problem - 2) });
	return false;
}

static bool expected(struct walk *w, const struct spot *s, const char *what)
{
	char problem[512];

	if (w->quiet)
		return false;
	lh_schema_expected(problem, sizeof problem, what, s->v);
	return report(w, s, "%s", problem);
}

/* Check a number of things: those that a value must "have", or "contain" with how many it has. */
static bool check_count(struct walk *w, const struct lh_js_limits *l, uint64_t n,
			const char *verb, const char *what, const struct spot *s)
{
	unsigned long long limit = n < l->least ? l->least : l->most;
	char has[40] = "";

	if (n >= l->least && n <= l->most)
		return true;
	if (n < l->least && *verb == 'c')
		snprintf(has, sizeof has, ", has %llu", (unsigned long long)n);
	return report(w, s, "must %s at %s %llu %s%s%s", verb, n < l->least ? "least" : "most",
		      limit, what, limit == 1 ? "" : "s", has);
}

/* ---- types, numbers, strings ---- */

static bool check_type(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	static const char *const name[] = { "null", "boolean", "boolean", "number", "string",
					    "array", "object" };
	struct lh_exact x;
	char all[100];
	size_t len = 0;
	int i;

	if (!n->types)
		return true;
	if (n->types >> s->v->type & 1) {
		if (s->v->type != LH_NUMBER || !n->integer || n->number_too)
			return true;
		x = lh_exact_of(s->v);
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
	return expected(w, s, all);
}

static bool is_value(struct walk *w, const struct lh_js_value *want, struct lh_js_value *is)
{
	const struct lh_value *v = &is->v;

	if (want->v.type != v->type)
		return false;
	if (want->v.n == v->n && !memcmp(want->v.p, v->p, v->n))
		return true;
	if (v->type == LH_STRING && !v->escaped && !want->v.escaped)
		return false;
	if (!is->hash)
		is->hash = lh_js_hash(v, &w->run->scratch);
	return lh_js_equal(want, is);
}

/* Check by enum or, if is_only, const. */
static bool check_choice(struct walk *w, const struct lh_js_choice *of, bool is_only,
			 const struct spot *s)
{
	struct lh_js_value is = { .v = *s->v };
	char all[300];
	size_t i, len = 0;

	for (i = 0; i < of->n; i++)
		if (is_value(w, &of->value[i], &is))
			return true;
	if (!of->value)
		return true;
	spend(w, of->n);
	for (i = 0; !w->quiet && i < of->n && len < sizeof all; i++)
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%.*s",
					!i ? "" : i + 1 < of->n ? ", " : " or ",
					of->value[i].v.n > 300 ? 300 : (int)of->value[i].v.n,
					of->value[i].v.p);
	if (is_only && len >= sizeof all)
		snprintf(all, sizeof all, "the value of const");
	else if (len >= sizeof all || !of->n)
		snprintf(all, sizeof all, "one of the %zu values of enum", of->n);
	return expected(w, s, all);
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

static bool check_number(struct walk *w, const struct lh_js_number *x, const struct spot *s)
{
	static const char *const says[] = { "must be %.*s or more", "must be %.*s or less",
					    "must be more than %.*s", "must be less than %.*s" };
	const struct lh_js_limit *l = x->limit;
	struct lh_exact e = lh_exact_of(s->v);
	bool ok = true, good;
	int i, c;

	for (i = 0; i < 4; i++) {
		if (!l[i].text.p)
			continue;
		c = lh_exact_cmp(&e, &l[i].value);
		good = i == LH_JS_MINIMUM ? c >= 0 : i == LH_JS_MAXIMUM ? c <= 0
			: i == LH_JS_ABOVE ? c > 0 : c < 0;
		if (!good)
			ok = report(w, s, says[i], (int)l[i].text.n, l[i].text.p);
	}
	if (x->multiple.p && !is_multiple(x, &e))
		ok = report(w, s, "must be a multiple of %.*s", (int)x->multiple.n, x->multiple.p);
	return ok;
}

/* Return whether the text of the string v matches. */
static bool matches(struct walk *w, const struct lh_js_pattern *p, const struct lh_value *v)
{
	size_t mark = w->run->scratch.len;
	struct lh_str text;
	int rc;

	lh_value_str(v, &w->run->scratch, &text);
	rc = lh_regex_search(p->regex, w->run, text, &w->steps, w->err);
	w->run->scratch.len = mark;
	w->failed |= rc < 0;
	return rc > 0;
}

static uint64_t code_points(struct walk *w, const struct lh_value *v)
{
	size_t mark = w->run->scratch.len, i;
	struct lh_str text;
	uint64_t n = 0;

	lh_value_str(v, &w->run->scratch, &text);
	for (i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80;
	w->run->scratch.len = mark;
	return n;
}

static bool check_string(struct walk *w, const struct lh_js_string *x, const struct spot *s)
{
	const struct lh_js_pattern *p = x->pattern;
	bool ok = (!x->length.least && x->length.most == UINT64_MAX) ||
		check_count(w, &x->length, code_points(w, s->v), "have", "character", s);

	if (!goes_on(w, ok) || !p || matches(w, p, s->v) || w->failed)
		return ok && !w->failed;
	return report(w, s, "does not match %.*s", lh_js_head(&p->text),
		      p->text.p);
}

/* ---- uniqueItems, by hashes ---- */

struct item {
	struct lh_js_value x;
	size_t i;
};

static int by_hash(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->x.hash != y->x.hash ? (x->x.hash > y->x.hash) - (x->x.hash < y->x.hash)
		: (x->i > y->i) - (x->i < y->i);
}

static bool check_unique(struct walk *w, const struct spot *s)
{
	size_t n = lh_value_count(s->v), k = 0;
	LH_SCOPED(lh_free_local) struct item *item = lh_calloc(n + 1, sizeof *item);
	const struct item *first = NULL, *second = NULL, *i, *j;
	struct lh_iter it;

	for (lh_iter_init(&it, s->v); lh_iter_next(&it); k++)
		item[k] = (struct item){ { it.val, lh_js_hash(&it.val, &w->run->scratch) }, k };
	qsort(item, n, sizeof *item, by_hash);
	/* Report the first item that is equal to one before it.  Different items of one hash do
	 * not happen, but cost no more than a look at the next. */
	for (i = item; i < item + n; i++) {
		for (j = i + 1; j < item + n && !lh_js_equal(&i->x, &j->x) &&
		     j->x.hash == i->x.hash; j++)
			continue;
		if (j < item + n && j->x.hash == i->x.hash && (!second || j->i < second->i)) {
			first = i;
			second = j;
		}
	}
	return !second || report(w, s, "items %zu and %zu are equal", first->i, second->i);
}

/* ---- which children were evaluated ---- */

/* Take n zeroed bits from the end of run->bits.  The caller gives them back by setting
 * run->bits.len. */
static struct seen bits_of(struct walk *w, size_t n)
{
	struct lh_buf *b = &w->run->bits;
	struct seen out = { b->len, n };
	size_t bytes = n / 8 + 1;

	memset(lh_buf_room(b, bytes), 0, bytes);
	b->len += bytes;
	return out;
}

/* Mark a child; seen may be NULL. */
static void mark_child(struct walk *w, const struct seen *seen, size_t i)
{
	if (seen)
		w->run->bits.p[seen->from + (i >> 3)] |= (char)(1 << (i & 7));
}

static bool is_marked(const struct walk *w, const struct seen *seen, size_t i)
{
	return w->run->bits.p[seen->from + (i >> 3)] >> (i & 7) & 1;
}

/* ---- members and items ---- */

static struct lh_str text_of_name(const void *ctx, uint32_t number)
{
	const struct lh_js_object *o = ctx;

	return o->name[number].text;
}

/* Return the number of a name, or -1.  Members are usually in the order of the schema: *next
 * is tried first. */
static int64_t find_name(struct walk *w, const struct lh_js_object *o, const struct lh_value *key,
			 size_t *next)
{
	size_t mark = w->run->scratch.len;
	struct lh_str text;
	int64_t i;

	if (*next < o->n && !key->escaped &&
	    lh_str_is(o->name[*next].text, key->p + 1, key->n - 2))
		return (int64_t)(*next)++;
	if (!o->n)
		return -1;
	lh_value_str(key, &w->run->scratch, &text);
	i = lh_table_find(&o->by_name, text, text_of_name, o);
	w->run->scratch.len = mark;
	if (i >= 0)
		*next = (size_t)i + 1;
	return i;
}

/* Check one member; name: its number, or -1.  Sets *evaluated. */
static bool check_member(struct walk *w, const struct lh_js_object *o, int64_t name,
			 const struct spot *s, bool *evaluated)
{
	const struct lh_js_node *own = name < 0 ? NULL : o->name[name].property;
	const struct lh_js_pattern *p;
	bool ok = true;

	*evaluated = own;
	if (own)
		ok = check(w, own, s);
	for (p = o->patterns; p && goes_on(w, ok); p = p->next) {
		if (!matches(w, p, s->key))
			continue;
		*evaluated = true;
		ok &= check(w, p->node, s);
	}
	if (!*evaluated && o->additional) {
		*evaluated = true;
		ok &= check(w, o->additional, s);
	}
	if (o->names && !check_quietly(w, o->names, &(struct spot){ .v = s->key, .up = s->up }))
		ok = report(w, s, "the name is not valid by propertyNames");
	return ok && !w->failed;
}

static bool check_members(struct walk *w, const struct lh_js_object *o, const struct spot *s,
			  const struct seen *present)
{
	struct lh_iter it;
	const struct spot in = { .v = &it.val, .up = s, .key = &it.key };
	size_t n = 0, next = 0;
	bool ok = true, evaluated;
	int64_t name;

	for (lh_iter_init(&it, s->v); lh_iter_next(&it); n++) {
		name = find_name(w, o, &it.key, &next);
		if (name >= 0)
			mark_child(w, present, (size_t)name);
		ok &= check_member(w, o, name, &in, &evaluated);
		if (w->failed || !goes_on(w, ok))
			return false;
		if (evaluated)
			mark_child(w, s->seen, n);
	}
	return check_count(w, &o->count, n, "have", "member", s) && ok;
}

static bool check_needs(struct walk *w, const struct lh_js_object *o, const struct lh_js_name *of,
			const struct spot *s, const struct seen *present)
{
	const struct lh_value *name = &of->as_written;
	struct spot in = { .up = s };
	const struct lh_js_need *need;
	bool ok = true;

	for (need = of->needs; need; need = need->next) {
		in.key = &o->name[need->name].as_written;
		if (!is_marked(w, present, need->name))
			ok = report(w, &in, "missing, needed with %.*s", lh_js_head(name), name->p);
	}
	return ok;
}

/* required, dependentRequired and dependentSchemas. */
static bool check_presence(struct walk *w, const struct lh_js_object *o, const struct spot *s,
			   const struct seen *present)
{
	const struct lh_js_name *name;
	bool ok = true;
	size_t i;

	for (i = 0; i < o->n && goes_on(w, ok); i++) {
		name = &o->name[i];
		if (!is_marked(w, present, i)) {
			if (name->required)
				ok = report(w, &(struct spot){ .up = s, .key = &name->as_written },
					    "missing");
			continue;
		}
		ok &= check_needs(w, o, name, s, present);
		if (name->dependent)
			ok &= check(w, name->dependent, s);
	}
	return ok;
}

static bool check_object(struct walk *w, const struct lh_js_object *o, const struct spot *s)
{
	size_t mark = w->run->bits.len;
	struct seen present = bits_of(w, o->n);
	bool ok = check_members(w, o, s, &present);

	if (!w->failed && goes_on(w, ok))
		ok &= check_presence(w, o, s, &present);
	w->run->bits.len = mark;
	return ok;
}

/* Check one item; sets *hit if it is one that contains asks for, and *evaluated. */
static bool check_item(struct walk *w, const struct lh_js_array *a, const struct spot *s, bool *hit,
		       bool *evaluated)
{
	const struct lh_js_node *own = s->i < a->prefix.n ? a->prefix.node[s->i] : a->items;
	bool ok = !own || check(w, own, s);

	*hit = a->contains && check_quietly(w, a->contains, s);
	*evaluated = own || *hit;
	return ok && !w->failed;
}

static bool check_array(struct walk *w, const struct lh_js_array *a, const struct spot *s)
{
	struct lh_iter it;
	struct spot in = { .v = &it.val, .up = s };
	bool ok = true, hit, evaluated;
	uint64_t matching = 0;

	for (lh_iter_init(&it, s->v); lh_iter_next(&it); in.i++) {
		ok &= check_item(w, a, &in, &hit, &evaluated);
		if (w->failed || !goes_on(w, ok))
			return false;
		matching += hit;
		if (evaluated)
			mark_child(w, s->seen, in.i);
	}
	ok &= check_count(w, &a->count, in.i, "have", "item", s);
	if (a->contains && goes_on(w, ok))
		ok &= check_count(w, &a->matching, matching, "contain", "matching item", s);
	if (a->unique && goes_on(w, ok))
		ok &= check_unique(w, s);
	return ok;
}

/* ---- schemas applied to the same value ---- */

/* Check by one that may fail: what it evaluated counts only if it does not. */
static bool try(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	size_t mark = w->run->bits.len, i;
	struct spot own_spot = *s;
	struct seen own;
	char *bits;
	bool ok;

	if (!s->seen)
		return check_quietly(w, n, s);
	own = bits_of(w, s->seen->n);
	own_spot.seen = &own;
	ok = check_quietly(w, n, &own_spot);
	bits = w->run->bits.p;
	for (i = 0; ok && i <= own.n / 8; i++)
		bits[s->seen->from + i] |= bits[own.from + i];
	w->run->bits.len = mark;
	return ok;
}

#define REASONS 5	/* of branches that are named, ... */
#define SHOWN 400	/* ... and their bytes */

/* Add the first violation of a branch. */
static void add_reason(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct walk *in = ctx;
	struct lh_buf *text = &in->run->problem;

	if (in->n == 1)
		lh_buf_printf(text, "%s%.*s: %.*s", text->len ? "; " : "", (int)field->n, field->p,
			      (int)problem->n, problem->p);
}

/* Report that none matches, with the first violation of each, but not inside another. */
static bool report_none(struct walk *w, const struct lh_js_list *list, const char *keyword,
			const struct spot *s)
{
	struct lh_buf *text = &w->run->problem;
	struct walk in = *w;
	struct spot spot = *s;
	size_t i;

	if (w->quiet || w->failed)
		return false;
	if (w->inside)
		return report(w, s, "matches none of the %zu schemas of %s", list->n, keyword);
	lh_buf_reset(text);
	in.found = add_reason;
	in.ctx = &in;
	in.inside = true;
	spot.seen = NULL;
	for (i = 0; i < list->n && i < REASONS && !in.failed; i++) {
		in.n = 0;
		check(&in, list->node[i], &spot);
	}
	w->steps = in.steps;
	w->failed |= in.failed;
	return report(w, s, "matches none of the %zu schemas of %s (%.*s%s)", list->n, keyword,
		      (int)whole(text->p, text->len, SHOWN), text->p,
		      text->len > SHOWN || list->n > REASONS ? " ..." : "");
}

static bool check_any(struct walk *w, const struct lh_js_list *any, const struct spot *s)
{
	bool ok = !any->n;
	size_t i;

	for (i = 0; i < any->n && (!ok || s->seen); i++)
		ok |= try(w, any->node[i], s);
	return ok || report_none(w, any, "anyOf", s);
}

static bool check_one(struct walk *w, const struct lh_js_list *one, const struct spot *s)
{
	size_t i, first = 0, hits = 0;

	for (i = 0; i < one->n; i++) {
		if (!try(w, one->node[i], s))
			continue;
		if (++hits == 2)
			return report(w, s, "matches schemas %zu and %zu of oneOf, not one alone",
				      first, i);
		first = i;
	}
	return !one->n || hits || report_none(w, one, "oneOf", s);
}

static bool check_if(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	const struct lh_js_node *next;

	if (!n->if_ || (!n->then && !n->else_ && !s->seen))
		return true;
	next = try(w, n->if_, s) ? n->then : n->else_;
	return !next || check(w, next, s);
}

static bool check_in_place(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	bool ok = !n->ref || check(w, n->ref, s);
	size_t i;

	for (i = 0; i < n->all.n && goes_on(w, ok); i++)
		ok &= check(w, n->all.node[i], s);
	if (goes_on(w, ok))
		ok &= check_any(w, &n->any, s);
	if (goes_on(w, ok))
		ok &= check_one(w, &n->one, s);
	if (n->not && goes_on(w, ok) && try(w, n->not, s))
		ok = report(w, s, "matches the schema of not");
	if (goes_on(w, ok))
		ok &= check_if(w, n, s);
	return ok;
}

/* ---- a node ---- */

static bool check_by_type(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	switch (s->v->type) {
	case LH_NUMBER:
		return !n->number || check_number(w, n->number, s);
	case LH_STRING:
		return !n->string || check_string(w, n->string, s);
	case LH_ARRAY:
		return !n->array || check_array(w, n->array, s);
	case LH_OBJECT:
		return !n->object || check_object(w, n->object, s);
	default:
		return true;
	}
}

static bool check_own(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	bool ok = check_type(w, n, s);

	ok = ok && check_choice(w, &n->only, true, s) && check_choice(w, &n->choice, false, s);
	if (!goes_on(w, ok))
		return false;
	ok = check_by_type(w, n, s) && ok;
	return goes_on(w, ok) && n->in_place ? check_in_place(w, n, s) && ok : ok;
}

/* unevaluated...: check by `rest` what no other keyword has evaluated. */
static bool check_with_rest(struct walk *w, const struct lh_js_node *n,
			    const struct lh_js_node *rest, const struct spot *s)
{
	size_t mark = w->run->bits.len, children = lh_value_count(s->v);
	struct seen own = bits_of(w, children);
	struct spot own_spot = *s;
	struct lh_iter it;
	struct spot in = { .v = &it.val, .up = s,
			   .key = s->v->type == LH_OBJECT ? &it.key : NULL };
	bool ok;

	own_spot.seen = &own;
	ok = check_own(w, n, &own_spot);
	for (lh_iter_init(&it, s->v); goes_on(w, ok) && lh_iter_next(&it); in.i++)
		if (!is_marked(w, &own, in.i))
			ok &= check(w, rest, &in);
	w->run->bits.len = mark;
	for (in.i = 0; ok && in.i < children; in.i++)
		mark_child(w, s->seen, in.i);
	return ok;
}

static bool check(struct walk *w, const struct lh_js_node *n, const struct spot *s)
{
	const struct lh_js_node *rest = s->v->type == LH_OBJECT ? n->rest_members
		: s->v->type == LH_ARRAY ? n->rest_items : NULL;
	bool ok;

	if (w->failed || !spend(w, 1))
		return false;
	if (n->constant)
		return n->accepts || report(w, s, "not allowed");
	if (w->depth == LH_JSONSCHEMA_DEPTH) {
		lh_err_data(w->err, 413, "more than %d schemas applied inside each other",
			    LH_JSONSCHEMA_DEPTH);
		w->failed = true;
		return false;
	}
	w->depth++;
	ok = rest ? check_with_rest(w, n, rest, s) : check_own(w, n, s);
	w->depth--;
	return ok && !w->failed;
}

long lh_jsonschema_check(const struct lh_jsonschema *s, struct lh_jsonschema_run *run,
			 const struct lh_value *v, lh_schema_fn *found, void *ctx,
			 struct lh_err *err)
{
	const struct spot spot = { .v = v };
	struct walk w = {
		.run = run, .quiet = !found, .found = found, .ctx = ctx, .err = err,
		.steps = 10000000 + 1000 * (uint64_t)v->n,
	};
	bool ok;
	long more;

	run->scratch.len = run->bits.len = 0;
	ok = check(&w, s->root, &spot);
	if (w.failed)
		return -1;
	if (!found)
		return !ok;
	if (w.n > LH_SCHEMA_MAX) {
		more = w.n - LH_SCHEMA_MAX;
		w.n = 0;
		report(&w, &spot, "%ld more violations", more);
		w.n = LH_SCHEMA_MAX + more;
	}
	return w.n;
}
