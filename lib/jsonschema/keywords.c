/* keywords.c - what each keyword puts into a node.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include "base/mem.h"
#include "json/value.h"

/* How a keyword is read; `which` is one of its kind. */
typedef int read_fn(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		    int which);

static void *part(struct lh_js_reader *r, void *at, size_t size)
{
	void **where = at;

	if (!*where)
		*where = lh_arena_new(&r->s->arena, 1, size, r->err);
	return *where;
}

static struct lh_js_string *string_of(struct lh_js_reader *r, struct lh_js_node *n)
{
	bool is_new = !n->string;
	struct lh_js_string *s = part(r, &n->string, sizeof *s);

	if (s && is_new)
		s->length.most = UINT64_MAX;
	return s;
}

static struct lh_js_array *array_of(struct lh_js_reader *r, struct lh_js_node *n)
{
	bool is_new = !n->array;
	struct lh_js_array *a = part(r, &n->array, sizeof *a);

	if (a && is_new) {
		a->count.most = a->matching.most = UINT64_MAX;
		a->matching.least = 1;
	}
	return a;
}

static struct lh_js_object *object_of(struct lh_js_reader *r, struct lh_js_node *n)
{
	struct lh_jsonschema *s = r->s;
	struct lh_js_object *o = n->object;

	if (o)
		return o;
	lh_grow(&s->object, &s->cap_objects, s->objects + 1, sizeof *s->object);
	o = part(r, &n->object, sizeof *o);
	if (o) {
		o->count.most = UINT64_MAX;
		s->object[s->objects++] = o;
	}
	return o;
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
	return lh_js_fault(r, v->p, "%.*s is there twice", (int)lh_js_whole(v->p, v->n, 200),
			   v->p);
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

static int read_type(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		     int which)
{
	unsigned named = 0;
	struct lh_iter it;

	(void)which;
	if (v->type != LH_ARRAY)
		return add_type(r, n, v, &named);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (add_type(r, n, &it.val, &named) < 0)
			return -1;
	return n->types ? 0 : lh_js_fault(r, v->p, "must name a type");
}

static int read_enum(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		     int which)
{
	struct lh_iter it;

	(void)which;
	if (want_type(r, v, LH_ARRAY) < 0)
		return -1;
	n->choice = lh_arena_new(&r->s->arena, lh_value_count(v) + 1, sizeof *n->choice, r->err);
	if (!n->choice)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n->choice[n->choices++] = (struct lh_js_value){
			it.val, lh_js_hash(&it.val, &r->scratch) };
	return 0;
}

static int read_const(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		      int which)
{
	(void)which;
	if (!part(r, &n->only, sizeof *n->only))
		return -1;
	*n->only = (struct lh_js_value){ *v, lh_js_hash(v, &r->scratch) };
	return 0;
}

/* ---- numbers ---- */

static int read_limit(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		      int which)
{
	struct lh_js_number *x = part(r, &n->number, sizeof *x);

	if (!x)
		return -1;
	if (v->type != LH_NUMBER)
		return lh_js_fault(r, v->p, "must be a number");
	x->limit[which] = lh_exact_of(v);
	x->text[which] = *v;
	x->has[which] = true;
	return 0;
}

static int read_multiple(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
			 int which)
{
	struct lh_js_number *x = part(r, &n->number, sizeof *x);
	struct lh_exact e;
	const char *p;

	(void)which;
	if (!x)
		return -1;
	if (v->type != LH_NUMBER)
		return lh_js_fault(r, v->p, "must be a number");
	e = lh_exact_of(v);
	if (e.neg || !e.n)
		return lh_js_fault(r, v->p, "must be more than 0");
	if (e.n > 18)
		return lh_js_fault(r, v->p, "must have 18 significant digits at most");
	for (p = e.p; p < e.end; p++)
		if (*p != '.')
			x->divisor = x->divisor * 10 + (uint64_t)(*p - '0');
	x->exponent = e.exp - e.n;
	x->multiple = *v;
	x->has_multiple = true;
	return 0;
}

/* ---- counts ---- */

enum { LENGTH, ITEMS, MATCHING, MEMBERS, MOST = 8 };

static int read_count(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		      int which)
{
	struct lh_js_limits *l = NULL;
	void *of = NULL;
	struct lh_exact e;
	int64_t i;

	if (v->type != LH_NUMBER || (e = lh_exact_of(v), e.neg || !lh_exact_whole(&e)))
		return lh_js_fault(r, v->p, "must be a whole number, 0 or more");
	switch (which & ~MOST) {
	case LENGTH:
		l = (of = string_of(r, n)) ? &n->string->length : NULL;
		break;
	case ITEMS:
		l = (of = array_of(r, n)) ? &n->array->count : NULL;
		break;
	case MATCHING:
		l = (of = array_of(r, n)) ? &n->array->matching : NULL;
		break;
	default:
		l = (of = object_of(r, n)) ? &n->object->count : NULL;
	}
	if (!l)
		return -1;
	if (!lh_value_i64(v, &i))
		i = INT64_MAX;
	*(which & MOST ? &l->most : &l->least) = (uint64_t)i;
	return 0;
}

/* ---- patterns ---- */

static struct lh_js_pattern *new_pattern(struct lh_js_reader *r, const struct lh_value *v)
{
	struct lh_jsonschema *s = r->s;
	struct lh_js_pattern *p = lh_arena_new(&s->arena, 1, sizeof *p, r->err);
	struct lh_str text;

	if (!p || lh_js_text(r, v, &text) < 0)
		return NULL;
	lh_grow(&s->regex, &s->cap_regexes, s->regexes + 1, sizeof *s->regex);
	p->text = *v;
	p->regex = lh_regex_new(text, r->err);
	if (!p->regex) {
		struct lh_err why = *r->err;

		if (why.code == LH_EDATA)
			lh_js_fault(r, v->p, "byte %zu of the pattern: %s", why.column, why.msg);
		r->err->column = 0;
		return NULL;
	}
	s->regex[s->regexes++] = p->regex;
	return p;
}

static int read_pattern(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
			int which)
{
	struct lh_js_string *s = string_of(r, n);

	(void)which;
	if (!s || want_type(r, v, LH_STRING) < 0)
		return -1;
	s->pattern = new_pattern(r, v);
	return s->pattern ? 0 : -1;
}

static int read_pattern_members(struct lh_js_reader *r, struct lh_js_node *n,
				const struct lh_value *v, int which)
{
	struct lh_js_object *o = object_of(r, n);
	struct lh_js_pattern *p;
	struct lh_iter it;

	(void)which;
	if (!o || want_type(r, v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		p = new_pattern(r, &it.key);
		if (!p)
			return -1;
		*(o->last_pattern ? &o->last_pattern->next : &o->patterns) = p;
		o->last_pattern = p;
		p->node = lh_js_read(r, &it.val, n->resource);
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

	if (want_type(r, v, LH_STRING) < 0 || lh_js_text(r, v, &text) < 0)
		return -1;
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

static int read_properties(struct lh_js_reader *r, struct lh_js_node *n,
			   const struct lh_value *v, int which)
{
	struct lh_js_object *o = object_of(r, n);
	const struct lh_js_node *to;
	struct lh_iter it;
	int64_t i;

	(void)which;
	if (!o || want_type(r, v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		i = name_of(r, o, &it.key);
		to = i < 0 ? NULL : lh_js_read(r, &it.val, n->resource);
		if (!to)
			return -1;
		o->name[i].property = to;
	}
	return 0;
}

static int read_required(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
			 int which)
{
	struct lh_js_object *o = object_of(r, n);
	struct lh_iter it;
	int64_t i;

	(void)which;
	if (!o || want_type(r, v, LH_ARRAY) < 0)
		return -1;
	o->lists++;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
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
		need = i < 0 ? NULL : lh_arena_new(&r->s->arena, 1, sizeof *need, r->err);
		if (!need)
			return -1;
		need->name = (uint32_t)i;
		*last = need;
		last = &need->next;
	}
	*last = o->name[name].needs;	/* of dependencies, too */
	o->name[name].needs = first;
	return 0;
}

enum { NAMES = 1, SCHEMAS = 2 };	/* what dependent... may have */

static int read_dependent(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
			  int which)
{
	struct lh_js_object *o = object_of(r, n);
	const struct lh_js_node *to;
	struct lh_iter it;
	int64_t i;

	if (!o || want_type(r, v, LH_OBJECT) < 0)
		return -1;
	o->has_dependent = true;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		i = name_of(r, o, &it.key);
		if (i < 0)
			return -1;
		if (which & NAMES && (it.val.type == LH_ARRAY || !(which & SCHEMAS))) {
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

enum { ADDITIONAL, NAMES_OF, ITEMS_OF, CONTAINS, REST_MEMBERS, REST_ITEMS };

static int read_inner(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		      int which)
{
	bool of_object = which <= NAMES_OF, of_array = which == ITEMS_OF || which == CONTAINS;
	const struct lh_js_node *to;

	if (which == ITEMS_OF && v->type == LH_ARRAY)
		return lh_js_fault(r, v->p, "must be one schema (a list is prefixItems since "
				   "2020-12)");
	if ((of_object && !object_of(r, n)) || (of_array && !array_of(r, n)))
		return -1;
	to = lh_js_read(r, v, n->resource);
	if (!to)
		return -1;
	switch (which) {
	case ADDITIONAL:
		n->object->additional = to;
		break;
	case NAMES_OF:
		n->object->names = to;
		break;
	case ITEMS_OF:
		n->array->items = to;
		break;
	case CONTAINS:
		n->array->contains = to;
		break;
	case REST_MEMBERS:
		n->rest_members = to;
		break;
	default:
		n->rest_items = to;
	}
	return 0;
}

static int read_list(struct lh_js_reader *r, const struct lh_value *v, struct lh_js_node *n,
		     bool in_place, struct lh_js_list *list)
{
	struct lh_iter it;

	if (want_type(r, v, LH_ARRAY) < 0)
		return -1;
	list->node = lh_arena_new(&r->s->arena, lh_value_count(v) + 1, sizeof *list->node, r->err);
	if (!list->node)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); list->n++) {
		list->node[list->n] = in_place ? lh_js_read_in_place(r, n, &it.val)
					       : lh_js_read(r, &it.val, n->resource);
		if (!list->node[list->n])
			return -1;
	}
	return list->n ? 0 : lh_js_fault(r, v->p, "must have a schema");
}

static int read_prefix(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		       int which)
{
	struct lh_js_array *a = array_of(r, n);

	(void)which;
	return a ? read_list(r, v, n, false, &a->prefix) : -1;
}

enum { ALL, ANY, ONE };

static int read_several(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
			int which)
{
	return read_list(r, v, n, true, which == ALL ? &n->all : which == ANY ? &n->any : &n->one);
}

enum { NOT, IF, THEN, ELSE };

static int read_condition(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
			  int which)
{
	const struct lh_js_node **to[] = { &n->not, &n->if_, &n->then, &n->else_ };

	*to[which] = lh_js_read_in_place(r, n, v);
	return *to[which] ? 0 : -1;
}

static int read_unique(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		       int which)
{
	struct lh_js_array *a = array_of(r, n);

	(void)which;
	if (!a)
		return -1;
	if (v->type != LH_TRUE && v->type != LH_FALSE)
		return lh_js_fault(r, v->p, "must be true or false");
	a->unique = v->type == LH_TRUE;
	return 0;
}

static int read_defs(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		     int which)
{
	const char *keyword = which ? "definitions" : "$defs";
	struct lh_js_node *to;
	struct lh_iter it;

	if (want_type(r, v, LH_OBJECT) < 0)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		to = lh_js_read(r, &it.val, n->resource);
		if (!to || lh_js_name_member(r, n, keyword, &it.key, to) < 0)
			return -1;
	}
	return 0;
}

static int read_ref(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		    int which)
{
	struct lh_js_pending *p;

	if (want_type(r, v, LH_STRING) < 0)
		return -1;
	p = lh_arena_new(&r->s->arena, 1, sizeof *p, r->err);
	if (!p)
		return -1;
	*p = (struct lh_js_pending){ n, *v, which, NULL };
	*r->last = p;
	r->last = &p->next;
	return 0;
}

static int ignore(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		  int which)
{
	(void)r, (void)n, (void)v, (void)which;
	return 0;
}

static int refuse(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		  int which)
{
	(void)n;
	return lh_js_fault(r, v->p, "is of an older draft: use %s",
			   which ? "$dynamicRef" : "items after prefixItems");
}

static const struct {
	const char *name;
	read_fn *read;
	int which;
} keywords[] = {
	{ "type", read_type, 0 }, { "enum", read_enum, 0 }, { "const", read_const, 0 },
	{ "minimum", read_limit, LH_JS_MINIMUM }, { "maximum", read_limit, LH_JS_MAXIMUM },
	{ "exclusiveMinimum", read_limit, LH_JS_ABOVE },
	{ "exclusiveMaximum", read_limit, LH_JS_BELOW },
	{ "multipleOf", read_multiple, 0 },
	{ "minLength", read_count, LENGTH }, { "maxLength", read_count, LENGTH | MOST },
	{ "minItems", read_count, ITEMS }, { "maxItems", read_count, ITEMS | MOST },
	{ "minContains", read_count, MATCHING }, { "maxContains", read_count, MATCHING | MOST },
	{ "minProperties", read_count, MEMBERS }, { "maxProperties", read_count, MEMBERS | MOST },
	{ "pattern", read_pattern, 0 }, { "patternProperties", read_pattern_members, 0 },
	{ "properties", read_properties, 0 }, { "required", read_required, 0 },
	{ "dependentRequired", read_dependent, NAMES },
	{ "dependentSchemas", read_dependent, SCHEMAS },
	{ "dependencies", read_dependent, NAMES | SCHEMAS },
	{ "additionalProperties", read_inner, ADDITIONAL },
	{ "propertyNames", read_inner, NAMES_OF }, { "items", read_inner, ITEMS_OF },
	{ "contains", read_inner, CONTAINS }, { "prefixItems", read_prefix, 0 },
	{ "unevaluatedProperties", read_inner, REST_MEMBERS },
	{ "unevaluatedItems", read_inner, REST_ITEMS },
	{ "uniqueItems", read_unique, 0 },
	{ "allOf", read_several, ALL }, { "anyOf", read_several, ANY },
	{ "oneOf", read_several, ONE }, { "not", read_condition, NOT },
	{ "if", read_condition, IF }, { "then", read_condition, THEN },
	{ "else", read_condition, ELSE },
	{ "$ref", read_ref, 0 }, { "$dynamicRef", read_ref, 1 },
	{ "$defs", read_defs, 0 }, { "definitions", read_defs, 1 },
	/* read before all others */
	{ "$schema", ignore, 0 }, { "$id", ignore, 0 }, { "$anchor", ignore, 0 },
	{ "$dynamicAnchor", ignore, 0 },
	/* annotations */
	{ "$comment", ignore, 0 }, { "$vocabulary", ignore, 0 }, { "title", ignore, 0 },
	{ "description", ignore, 0 }, { "default", ignore, 0 }, { "examples", ignore, 0 },
	{ "deprecated", ignore, 0 }, { "readOnly", ignore, 0 }, { "writeOnly", ignore, 0 },
	{ "format", ignore, 0 }, { "contentEncoding", ignore, 0 },
	{ "contentMediaType", ignore, 0 }, { "contentSchema", ignore, 0 },
	{ "additionalItems", refuse, 0 }, { "$recursiveRef", refuse, 1 },
	{ "$recursiveAnchor", refuse, 1 },
};

/* Return whether a keyword is of the vocabulary "validation". */
static bool validates(size_t i)
{
	static read_fn *const own[] = { read_type, read_enum, read_const, read_limit,
					read_multiple, read_count, read_pattern, read_required,
					read_unique };
	size_t j;

	for (j = 0; j < sizeof own / sizeof *own; j++)
		if (keywords[i].read == own[j])
			return true;
	return keywords[i].read == read_dependent && keywords[i].which == NAMES;
}

int lh_js_keyword(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *key,
		  const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf place = { 0 };
	size_t i;

	for (i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (lh_value_is(key, keywords[i].name, strlen(keywords[i].name)))
			return r->s->resource[n->resource].no_validation && validates(i) ? 0
				: keywords[i].read(r, n, v, keywords[i].which);
	if (!r->how.note)
		return 0;
	lh_js_put_place(r, &place, v->p);
	lh_buf_putc(&place, '\0');
	if (!place.failed)
		r->how.note(r->how.ctx, place.p);
	return 0;
}
