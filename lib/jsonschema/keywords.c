/* keywords.c - what each keyword puts into a node.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include "base/bits.h"
#include "base/mem.h"
#include "base/xxh3.h"

/* ---- equal values have equal hashes ---- */

#define ODD 0x9e3779b97f4a7c15ull
#define FAR ((int64_t)1 << 50)	/* exponents beyond it are not exact */

static uint64_t hash_number(const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_exact x = lh_exact_of(v);
	size_t mark = scratch->len;
	const char *p;
	uint64_t h;

	for (p = x.p; x.n && p < x.end; p++)
		if (*p != '.')
			lh_buf_putc(scratch, *p);
	h = lh_xxh3_seeded(scratch->p + mark, scratch->len - mark, lh_seed() + LH_NUMBER);
	scratch->len = mark;
	if (x.exp > FAR || x.exp < -FAR)
		x.exp = x.exp > 0 ? FAR : -FAR;
	return lh_mix(h ^ (uint64_t)x.exp, ODD + x.neg);
}

static uint64_t hash_string(const struct lh_value *v, struct lh_buf *scratch)
{
	size_t mark = scratch->len;
	struct lh_str text;
	uint64_t h;

	lh_value_str(v, scratch, &text);
	h = lh_xxh3_seeded(text.p, text.n, lh_seed() + LH_STRING);
	scratch->len = mark;
	return h;
}

static uint64_t hash_children(const struct lh_value *v, struct lh_buf *scratch)
{
	uint64_t h = ODD + v->type, one;
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		one = lh_js_hash(&it.val, scratch);
		if (v->type == LH_ARRAY)
			h = lh_mix(h + 1, one ^ ODD) + one;
		else
			h += lh_mix(hash_string(&it.key, scratch) ^ ODD, one | 1);
	}
	return lh_mix(h, ODD);
}

uint64_t lh_js_hash(const struct lh_value *v, struct lh_buf *scratch)
{
	lh_buf_room(scratch, 1);
	switch (v->type) {
	case LH_NUMBER:
		return hash_number(v, scratch);
	case LH_STRING:
		return hash_string(v, scratch);
	case LH_ARRAY:
	case LH_OBJECT:
		return hash_children(v, scratch);
	default:
		return lh_mix(ODD, v->type + 1u);
	}
}

/* ---- what a keyword is about ---- */

/* A keyword's value, and where in which part of a node it belongs, or what kind it is. */
struct word {
	struct lh_value v;
	enum part { NODE, NUMBER, STRING, ARRAY, OBJECT } part;
	size_t at;
};
typedef int read_fn(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w);

#define AT(type, member) offsetof(struct lh_js_##type, member)

static struct lh_js_object *object_of(struct lh_js_reader *r, struct lh_js_node *n)
{
	struct lh_jsonschema *s = r->s;

	if (!n->object) {
		n->object = lh_js_new(r, 1, sizeof *n->object);
		n->object->count.most = UINT64_MAX;
		lh_grow(&s->object, &s->cap_objects, s->objects + 1, sizeof *s->object);
		s->object[s->objects++] = n->object;
	}
	return n->object;
}

/* Return what the keyword sets. */
static void *target(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	if (w->part == OBJECT)
		return (char *)object_of(r, n) + w->at;
	if (w->part == ARRAY && !n->array) {
		n->array = lh_js_new(r, 1, sizeof *n->array);
		n->array->count.most = n->array->matching.most = UINT64_MAX;
		n->array->matching.least = 1;
	}
	if (w->part == STRING && !n->string) {
		n->string = lh_js_new(r, 1, sizeof *n->string);
		n->string->length.most = UINT64_MAX;
	}
	if (w->part == NUMBER && !n->number)
		n->number = lh_js_new(r, 1, sizeof *n->number);
	return (w->part == ARRAY ? (char *)n->array : w->part == STRING ? (char *)n->string
		: w->part == NUMBER ? (char *)n->number : (char *)n) + w->at;
}

static int want_type(struct lh_js_reader *r, const struct lh_value *v, enum lh_type type)
{
	static const char *const name[] = { [LH_STRING] = "a string", [LH_ARRAY] = "an array",
					    [LH_OBJECT] = "an object" };

	return v->type == type ? 0 : lh_js_fault(r, v->p, "must be %s", name[type]);
}

/* ---- type, enum, const ---- */

static int twice(struct lh_js_reader *r, const struct lh_value *v)
{
	return lh_js_fault(r, v->p, "%.*s is there twice", lh_js_head(v), v->p);
}

/* named: a bit for each type that was named. */
static int add_type(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		    unsigned *named)
{
	static const struct {
		const char *name;
		uint8_t bits;
	} types[] = {
		{ "null", 1 << LH_NULL }, { "boolean", 1 << LH_TRUE | 1 << LH_FALSE },
		{ "object", 1 << LH_OBJECT }, { "array", 1 << LH_ARRAY },
		{ "string", 1 << LH_STRING }, { "number", 1 << LH_NUMBER },
		{ "integer", 1 << LH_NUMBER },
	};
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types && v->type == LH_STRING; i++) {
		if (!lh_value_is(v, types[i].name, strlen(types[i].name)))
			continue;
		if (*named >> i & 1)
			return twice(r, v);
		*named |= 1u << i;
		n->types |= types[i].bits;
		n->integer |= i == 6;
		n->number_too |= i == 5;
		return 0;
	}
	return lh_js_fault(r, v->p,
			   "must be null, boolean, object, array, string, number or integer");
}

static int read_type(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	unsigned named = 0;
	struct lh_iter it;

	if (w->v.type != LH_ARRAY)
		return add_type(r, n, &w->v, &named);
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); )
		if (add_type(r, n, &it.val, &named) < 0)
			return -1;
	return n->types ? 0 : lh_js_fault(r, w->v.p, "must name a type");
}

static int read_enum(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_iter it;

	if (want_type(r, &w->v, LH_ARRAY) < 0)
		return -1;
	n->choice.value = lh_js_new(r, lh_value_count(&w->v) + 1, sizeof *n->choice.value);
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); )
		n->choice.value[n->choice.n++] = (struct lh_js_value){
			it.val, lh_js_hash(&it.val, &r->scratch) };
	return 0;
}

static int read_const(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	n->only = (struct lh_js_choice){ lh_js_new(r, 1, sizeof *n->only.value), 1 };
	*n->only.value = (struct lh_js_value){ w->v, lh_js_hash(&w->v, &r->scratch) };
	return 0;
}

/* ---- numbers ---- */

static int read_limit(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_limit *to = target(r, n, w);

	if (w->v.type != LH_NUMBER)
		return lh_js_fault(r, w->v.p, "must be a number");
	*to = (struct lh_js_limit){ lh_exact_of(&w->v), w->v };
	return 0;
}

static int read_multiple(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_number *x = target(r, n, w);
	struct lh_exact e;
	const char *p;

	if (w->v.type != LH_NUMBER)
		return lh_js_fault(r, w->v.p, "must be a number");
	e = lh_exact_of(&w->v);
	if (e.neg || !e.n)
		return lh_js_fault(r, w->v.p, "must be more than 0");
	if (e.n > 18)
		return lh_js_fault(r, w->v.p, "must have 18 significant digits at most");
	for (p = e.p; p < e.end; p++)
		if (*p != '.')
			x->divisor = x->divisor * 10 + (uint64_t)(*p - '0');
	x->exponent = e.exp - e.n;
	x->multiple = w->v;
	return 0;
}

static int read_count(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	uint64_t *to = target(r, n, w);
	struct lh_exact e;
	int64_t i;

	if (w->v.type != LH_NUMBER || (e = lh_exact_of(&w->v), e.neg || !lh_exact_whole(&e)))
		return lh_js_fault(r, w->v.p, "must be a whole number, 0 or more");
	*to = lh_value_i64(&w->v, &i) ? (uint64_t)i : INT64_MAX;
	return 0;
}

/* ---- patterns ---- */

static struct lh_js_pattern *new_pattern(struct lh_js_reader *r, const struct lh_value *v)
{
	struct lh_js_pattern *p = lh_js_new(r, 1, sizeof *p);
	struct lh_jsonschema *s = r->s;
	struct lh_err why = { 0 };

	p->text = *v;
	p->regex = lh_regex_new(lh_js_text(r, v), &why);
	if (!p->regex) {
		if (why.column)
			lh_js_fault(r, v->p, "byte %zu of the pattern: %s", why.column, why.msg);
		else
			lh_js_fault(r, v->p, "%s", why.msg);
		return NULL;
	}
	lh_grow(&s->regex, &s->cap_regexes, s->regexes + 1, sizeof *s->regex);
	s->regex[s->regexes++] = p->regex;
	return p;
}

static int read_pattern(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_pattern **to = target(r, n, w);

	if (want_type(r, &w->v, LH_STRING) < 0)
		return -1;
	*to = new_pattern(r, &w->v);
	return *to ? 0 : -1;
}

static int read_pattern_members(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_object *o = object_of(r, n);
	struct lh_js_pattern *p;
	struct lh_iter it;

	if (want_type(r, &w->v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); ) {
		p = new_pattern(r, &it.key);
		if (!p)
			return -1;
		*(o->last_pattern ? &o->last_pattern->next : &o->patterns) = p;
		o->last_pattern = p;
		p->node = lh_js_read(r, &it.val);
		if (!p->node)
			return -1;
	}
	return 0;
}

/* ---- names ---- */

static struct lh_str text_of_name(const void *ctx, uint32_t number)
{
	const struct lh_js_object *o = ctx;

	return o->name[number].text;
}

/* Return the number of a name of the object, added if it is new; or -1. */
static int64_t name_of(struct lh_js_reader *r, struct lh_js_object *o, const struct lh_value *v)
{
	struct lh_str text;
	int64_t i;

	if (want_type(r, v, LH_STRING) < 0)
		return -1;
	text = lh_js_text(r, v);
	i = lh_table_find(&o->by_name, text, text_of_name, o);
	if (i >= 0)
		return i;
	lh_grow(&o->name, &o->cap, o->n + 1, sizeof *o->name);
	o->name[o->n] = (struct lh_js_name){ .text = text, .as_written = *v };
	lh_table_set(&o->by_name, text, (uint32_t)o->n, text_of_name, o);
	return (int64_t)o->n++;
}

/* Return the number of a name in a list of names, the newest, which has each name once; or -1. */
static int64_t listed_name(struct lh_js_reader *r, struct lh_js_object *o,
			   const struct lh_value *v)
{
	int64_t i = name_of(r, o, v);

	if (i < 0)
		return -1;
	if (o->name[i].list == o->lists)
		return twice(r, v);
	o->name[i].list = o->lists;
	return i;
}

static int read_properties(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_object *o = object_of(r, n);
	const struct lh_js_node *to;
	struct lh_iter it;
	int64_t i;

	if (want_type(r, &w->v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); ) {
		i = name_of(r, o, &it.key);
		to = i < 0 ? NULL : lh_js_read(r, &it.val);
		if (!to)
			return -1;
		o->name[i].property = to;
	}
	return 0;
}

static int read_required(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_object *o = object_of(r, n);
	struct lh_iter it;
	int64_t i;

	if (want_type(r, &w->v, LH_ARRAY) < 0)
		return -1;
	o->lists++;
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); ) {
		i = listed_name(r, o, &it.val);
		if (i < 0)
			return -1;
		o->name[i].required = true;
	}
	return 0;
}

static int add_needs(struct lh_js_reader *r, struct lh_js_object *o, size_t name,
		     const struct lh_value *v)
{
	struct lh_js_need *first = NULL, *need, **last = &first;
	struct lh_iter it;
	int64_t i;

	if (want_type(r, v, LH_ARRAY) < 0)
		return -1;
	o->lists++;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		i = listed_name(r, o, &it.val);
		if (i < 0)
			return -1;
		need = lh_js_new(r, 1, sizeof *need);
		need->name = (uint32_t)i;
		*last = need;
		last = &need->next;
	}
	*last = o->name[name].needs;	/* of dependencies, too */
	o->name[name].needs = first;
	return 0;
}

enum { NAMES = 1, SCHEMAS = 2 };	/* what dependent... may have */

static int read_dependent(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_object *o = object_of(r, n);
	const struct lh_js_node *to;
	struct lh_iter it;
	int64_t i;

	if (want_type(r, &w->v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); ) {
		i = name_of(r, o, &it.key);
		if (i < 0)
			return -1;
		if (w->at & NAMES && (it.val.type == LH_ARRAY || !(w->at & SCHEMAS))) {
			if (add_needs(r, o, (size_t)i, &it.val) < 0)
				return -1;
			continue;
		}
		to = lh_js_read_in_place(r, n, &it.val);
		if (!to)
			return -1;
		o->name[i].dependent = to;
	}
	return 0;
}

/* ---- schemas inside ---- */

/* One schema; those of a node itself are applied to the same value, but for the unevaluated. */
static int read_inner(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	const struct lh_js_node **to = target(r, n, w);
	bool in_place = w->part == NODE && w->at < AT(node, rest_members);

	if (w->part == ARRAY && w->v.type == LH_ARRAY)
		return lh_js_fault(r, w->v.p, "must be one schema (a list is prefixItems since "
				   "2020-12)");
	*to = in_place ? lh_js_read_in_place(r, n, &w->v) : lh_js_read(r, &w->v);
	return *to ? 0 : -1;
}

/* A list of schemas. */
static int read_list(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_list *list = target(r, n, w);
	struct lh_iter it;

	if (want_type(r, &w->v, LH_ARRAY) < 0)
		return -1;
	list->node = lh_js_new(r, lh_value_count(&w->v) + 1, sizeof *list->node);
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); list->n++) {
		list->node[list->n] = w->part == NODE ? lh_js_read_in_place(r, n, &it.val)
						      : lh_js_read(r, &it.val);
		if (!list->node[list->n])
			return -1;
	}
	return list->n ? 0 : lh_js_fault(r, w->v.p, "must have a schema");
}

static int read_unique(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	bool *to = target(r, n, w);

	*to = w->v.type == LH_TRUE;
	return *to || w->v.type == LH_FALSE ? 0
		: lh_js_fault(r, w->v.p, "must be true or false");
}

/* Name a schema of $defs of the whole, so that references find it without a search. */
static int name_member(struct lh_js_reader *r, const char *keyword, const struct lh_value *key,
		       struct lh_js_node *node)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_str name = lh_js_text(r, key);

	if (memchr(name.p, '~', name.n) || memchr(name.p, '/', name.n))
		return 0;	/* needs escapes: found by a search */
	lh_buf_printf(&b, "/%s/", keyword);
	lh_buf_add(&b, name.p, name.n);
	return lh_js_add_id(r, key->p, lh_js_keep(r, (struct lh_str){ b.p, b.len }), node);
}

static int read_defs(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	bool of_whole = n->at.p == r->s->top.p;
	struct lh_js_node *to;
	struct lh_iter it;

	if (want_type(r, &w->v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, &w->v); lh_iter_next(&it); ) {
		to = lh_js_read(r, &it.val);
		if (!to || (of_whole && name_member(r, w->at ? "definitions" : "$defs", &it.key,
						    to) < 0))
			return -1;
	}
	return 0;
}

static int read_ref(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_js_pending *p;

	if (want_type(r, &w->v, LH_STRING) < 0)
		return -1;
	p = lh_js_new(r, 1, sizeof *p);
	*p = (struct lh_js_pending){ n, w->v, NULL };
	*r->last = p;
	r->last = &p->next;
	return 0;
}

static bool is_anchor(struct lh_str s)
{
	static const char chars[] = "-.0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

	return s.n && strspn(s.p, chars + 12) && strspn(s.p, chars) == s.n;
}

static int read_anchor(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_str name;

	if (want_type(r, &w->v, LH_STRING) < 0)
		return -1;
	name = lh_js_text(r, &w->v);
	return is_anchor(name) ? lh_js_add_id(r, w->v.p, name, n)
		: lh_js_fault(r, w->v.p, "must be a letter or _, then letters, digits, - _ .");
}

static int read_id(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	struct lh_str uri;

	if (want_type(r, &w->v, LH_STRING) < 0)
		return -1;
	if (n->at.p != r->s->top.p)
		return lh_js_fault(r, w->v.p, "a schema inside another has no URI of its own: use "
				   "$anchor");
	uri = lh_js_text(r, &w->v);
	if (uri.n && uri.p[uri.n - 1] == '#')
		uri.n--;
	r->s->uri = uri;
	return memchr(uri.p, '#', uri.n)
		? lh_js_fault(r, w->v.p, "must not have a fragment (use $anchor)") : 0;
}

static int read_dialect(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	static const char uri[] = "https://json-schema.org/draft/2020-12/schema";

	(void)n;
	return lh_value_is(&w->v, uri, sizeof uri - 1) ? 0
		: lh_js_fault(r, w->v.p, "only %s is supported", uri);
}

static int refuse(struct lh_js_reader *r, struct lh_js_node *n, const struct word *w)
{
	static const char *const why[] = {
		"is of an older draft: use items after prefixItems",
		"is of an older draft: use $ref", "is not supported: use $ref and $anchor" };

	(void)n;
	return lh_js_fault(r, w->v.p, "%s", why[w->at]);
}

#define NOTE(name) { name, NULL, NODE, 0 }
#define IS(name, read, which) { name, read, NODE, which }

static const struct {
	const char *name;
	read_fn *read;
	enum part part;
	size_t at;
} keywords[] = {
	IS("type", read_type, 0), IS("enum", read_enum, 0), IS("const", read_const, 0),
	{ "minimum", read_limit, NUMBER, AT(number, limit[LH_JS_MINIMUM]) },
	{ "maximum", read_limit, NUMBER, AT(number, limit[LH_JS_MAXIMUM]) },
	{ "exclusiveMinimum", read_limit, NUMBER, AT(number, limit[LH_JS_ABOVE]) },
	{ "exclusiveMaximum", read_limit, NUMBER, AT(number, limit[LH_JS_BELOW]) },
	{ "multipleOf", read_multiple, NUMBER, 0 },
	{ "minLength", read_count, STRING, AT(string, length.least) },
	{ "maxLength", read_count, STRING, AT(string, length.most) },
	{ "minItems", read_count, ARRAY, AT(array, count.least) },
	{ "maxItems", read_count, ARRAY, AT(array, count.most) },
	{ "minContains", read_count, ARRAY, AT(array, matching.least) },
	{ "maxContains", read_count, ARRAY, AT(array, matching.most) },
	{ "minProperties", read_count, OBJECT, AT(object, count.least) },
	{ "maxProperties", read_count, OBJECT, AT(object, count.most) },
	{ "pattern", read_pattern, STRING, AT(string, pattern) },
	IS("patternProperties", read_pattern_members, 0),
	IS("properties", read_properties, 0), IS("required", read_required, 0),
	IS("dependentRequired", read_dependent, NAMES),
	IS("dependentSchemas", read_dependent, SCHEMAS),
	IS("dependencies", read_dependent, NAMES | SCHEMAS),
	{ "uniqueItems", read_unique, ARRAY, AT(array, unique) },
	{ "additionalProperties", read_inner, OBJECT, AT(object, additional) },
	{ "propertyNames", read_inner, OBJECT, AT(object, names) },
	{ "items", read_inner, ARRAY, AT(array, items) },
	{ "contains", read_inner, ARRAY, AT(array, contains) },
	{ "unevaluatedProperties", read_inner, NODE, AT(node, rest_members) },
	{ "unevaluatedItems", read_inner, NODE, AT(node, rest_items) },
	{ "not", read_inner, NODE, AT(node, not) }, { "if", read_inner, NODE, AT(node, if_) },
	{ "then", read_inner, NODE, AT(node, then) }, { "else", read_inner, NODE, AT(node, else_) },
	{ "prefixItems", read_list, ARRAY, AT(array, prefix) },
	{ "allOf", read_list, NODE, AT(node, all) }, { "anyOf", read_list, NODE, AT(node, any) },
	{ "oneOf", read_list, NODE, AT(node, one) },
	IS("$ref", read_ref, 0), IS("$anchor", read_anchor, 0), IS("$id", read_id, 0),
	IS("$schema", read_dialect, 0), IS("$defs", read_defs, 0), IS("definitions", read_defs, 1),
	NOTE("$comment"), NOTE("$vocabulary"), NOTE("title"), NOTE("description"),
	NOTE("default"), NOTE("examples"), NOTE("deprecated"), NOTE("readOnly"),
	NOTE("writeOnly"), NOTE("format"), NOTE("contentEncoding"), NOTE("contentMediaType"),
	NOTE("contentSchema"),
	IS("additionalItems", refuse, 0), IS("$recursiveRef", refuse, 1),
	IS("$recursiveAnchor", refuse, 1), IS("$dynamicRef", refuse, 2),
	IS("$dynamicAnchor", refuse, 2),
};

int lh_js_keyword(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *key,
		  const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf place = { 0 };
	size_t i;

	for (i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (lh_value_is(key, keywords[i].name, strlen(keywords[i].name)))
			return !keywords[i].read ? 0 : keywords[i].read(r, n, &(struct word){
				*v, keywords[i].part, keywords[i].at });
	if (!r->note)
		return 0;
	lh_js_put_pointer(&place, &r->s->top, v->p);
	lh_buf_putc(&place, '\0');
	r->note(r->ctx, place.p);
	return 0;
}
