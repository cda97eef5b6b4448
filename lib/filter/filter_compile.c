/* filter_compile.c - compile a metadata filter.  See filter_parts.h. */
#include "filter_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/value.h"

#define BLOCK 4096

struct filter_block {
	struct filter_block *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

struct compiler {
	struct lh_filter *f;
	struct filter_key **key;	/* all of them */
	size_t n, cap;
	size_t groups;
	struct lh_err *err;
};

int lh_filter_cmp(const void *a, const void *b)
{
	const struct lh_str *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
}

/* ---- memory ---- */

/* Take zeroed memory that lives as long as the compiled filter. */
static void *take(struct compiler *c, size_t n, size_t size)
{
	size_t need = (n * size + 15) & ~(size_t)15;
	struct filter_block *b = c->f->block;

	if (!b || b->size - b->used < need) {
		size_t bytes = need > BLOCK ? need : BLOCK;

		b = lh_calloc(1, sizeof *b + bytes);
		b->size = bytes;
		b->next = c->f->block;
		c->f->block = b;
	}
	b->used += need;
	return b->bytes + b->used - need;
}

static void clear(struct lh_filter *f)
{
	struct filter_block *b;

	while ((b = f->block)) {
		f->block = b->next;
		free(b);
	}
	f->top = (struct filter_group){ .n = 0 };
	f->n = f->n_asked = 0;
}

/* ---- values ---- */

static void string_of(struct compiler *c, const struct lh_value *v, struct lh_str *out)
{
	lh_value_str(v, &c->f->unescaped, out);
}

static void add_value(struct compiler *c, struct filter_set *s, const struct lh_value *v)
{
	switch (v->type) {
	case LH_STRING:
		string_of(c, v, &s->str[s->n_str++]);
		return;
	case LH_NULL:
	case LH_FALSE:
	case LH_TRUE:
		s->literals |= 1u << v->type;
		return;
	default:
		s->other[s->n_other++] = *v;
		return;
	}
}

static int make_room(struct compiler *c, struct filter_set *s, size_t n)
{
	s->str = take(c, n, sizeof *s->str);
	s->other = s->str ? take(c, n, sizeof *s->other) : NULL;
	return s->other ? 0 : -1;
}

static int set_one(struct compiler *c, struct filter_set *s, const struct lh_value *v)
{
	if (make_room(c, s, 1) < 0)
		return -1;
	add_value(c, s, v);
	return 0;
}

static int set_any(struct compiler *c, struct filter_set *s, const struct lh_value *list)
{
	struct lh_iter it;

	if (make_room(c, s, lh_value_count(list)) < 0)
		return -1;
	for (lh_iter_init(&it, list); lh_iter_next(&it); )
		add_value(c, s, &it.val);
	if (s->n_str)
		qsort(s->str, s->n_str, sizeof *s->str, lh_filter_cmp);
	return 0;
}

/* ---- operators ---- */

/* In messages: a key or an operator, cut if long. */
static int shown(struct lh_str s)
{
	return s.n < 200 ? (int)s.n : 200;
}

static int too_deep(struct compiler *c)
{
	return lh_err_set(c->err, LH_EDATA, "filter: nested more than %d deep", LH_FILTER_DEPTH);
}

#define OPERATORS "lt, lte, gt, gte, eq, in, not, exists, within"

static int bad(struct compiler *c, const char *operator, struct lh_str key, const char *what)
{
	return lh_err_set(c->err, LH_EDATA, "filter: \"%s\" under \"%.*s\" must be %s", operator,
			  shown(key), key.p, what);
}

static int set_cond(struct compiler *c, struct filter_cond *cond, struct lh_str key,
		    const struct lh_value *v, unsigned depth);

static int set_bound(struct compiler *c, struct filter_cond *cond, enum filter_order order,
		     struct lh_str key, const struct lh_value *v)
{
	static const char *const name[] = { "lt", "lte", "gt", "gte" };
	struct filter_bound *b = &cond->bound[cond->n_bounds++];

	b->order = order;
	if (v->type == LH_STRING) {
		string_of(c, v, &b->str);
		return 0;
	}
	b->number = *v;
	return v->type == LH_NUMBER ? 0 : bad(c, name[order], key, "a number or a string");
}

static int set_not(struct compiler *c, struct filter_cond *cond, struct lh_str key,
		   const struct lh_value *v, unsigned depth)
{
	if (depth == LH_FILTER_DEPTH)
		return too_deep(c);
	cond->not = take(c, 1, sizeof *cond->not);
	return cond->not ? set_cond(c, cond->not, key, v, depth + 1) : -1;
}

static int set_exists(struct compiler *c, struct filter_cond *cond, struct lh_str key,
		      const struct lh_value *v)
{
	if (v->type != LH_TRUE && v->type != LH_FALSE)
		return bad(c, "exists", key, "true or false");
	cond->exists = v->type == LH_TRUE;
	return 0;
}

static int set_circle(struct compiler *c, struct filter_circle **to, const struct lh_value *v)
{
	*to = take(c, 1, sizeof **to);
	return lh_circle_set(*to, v, c->err);
}

static int set_operator(struct compiler *c, struct filter_cond *cond, struct lh_str key,
			const struct lh_iter *it, unsigned depth)
{
	static const char *const order[] = { "lt", "lte", "gt", "gte" };
	struct lh_str op;
	unsigned i;

	string_of(c, &it->key, &op);
	for (i = 0; i < 4; i++)
		if (lh_str_is(op, order[i], strlen(order[i])))
			return set_bound(c, cond, i, key, &it->val);
	if (lh_str_is(op, "eq", 2))
		return set_one(c, &cond->set[cond->n_sets++], &it->val);
	if (lh_str_is(op, "in", 2))
		return it->val.type == LH_ARRAY ?
			       set_any(c, &cond->set[cond->n_sets++], &it->val) :
			       bad(c, "in", key, "an array");
	if (lh_str_is(op, "not", 3))
		return set_not(c, cond, key, &it->val, depth);
	if (lh_str_is(op, "exists", 6))
		return set_exists(c, cond, key, &it->val);
	if (lh_str_is(op, "within", 6))
		return set_circle(c, &cond->circle, &it->val);
	return lh_err_set(c->err, LH_EDATA,
			  "filter: unknown operator \"%.*s\" under \"%.*s\" (" OPERATORS
			  "; an object equal to it: {\"eq\":{...}})",
			  shown(op), op.p, shown(key), key.p);
}

static int set_operators(struct compiler *c, struct filter_cond *cond, struct lh_str key,
			 const struct lh_value *v, unsigned depth)
{
	struct lh_iter it;

	cond->set = take(c, 2, sizeof *cond->set);
	cond->bound = cond->set ? take(c, 4, sizeof *cond->bound) : NULL;
	if (!cond->bound)
		return -1;
	lh_iter_init(&it, v);
	if (!lh_iter_next(&it))
		return lh_err_set(c->err, LH_EDATA,
				  "filter: no operator under \"%.*s\" (" OPERATORS ")", shown(key),
				  key.p);
	do {
		if (set_operator(c, cond, key, &it, depth) < 0)
			return -1;
	} while (lh_iter_next(&it));
	return 0;
}

/* Return whether metadata without the key matches. */
static bool match_absent(const struct filter_cond *cond)
{
	return !cond->n_sets && !cond->n_bounds && !cond->circle && cond->exists != 1 &&
		!(cond->not && cond->not->absent);
}

static int set_cond(struct compiler *c, struct filter_cond *cond, struct lh_str key,
		    const struct lh_value *v, unsigned depth)
{
	int rc;

	cond->exists = -1;
	if (v->type == LH_OBJECT) {
		rc = set_operators(c, cond, key, v, depth);
	} else {
		cond->n_sets = 1;
		cond->set = take(c, 1, sizeof *cond->set);
		rc = !cond->set		   ? -1 :
		     v->type == LH_ARRAY ? set_any(c, cond->set, v) :
					   set_one(c, cond->set, v);
	}
	cond->absent = match_absent(cond);
	return rc;
}

/* ---- groups ---- */

static int set_group(struct compiler *c, struct filter_group *g, const struct lh_value *v,
		     unsigned depth);

/* Add the group of a filter that is in another one. */
static int add_group(struct compiler *c, struct filter_list *l, const struct lh_value *v,
		     unsigned depth)
{
	if (++c->groups > LH_FILTER_GROUPS)
		return lh_err_set(c->err, LH_EDATA, "filter: more than %d filters in others",
				  LH_FILTER_GROUPS);
	return set_group(c, &l->group[l->n++], v, depth + 1);
}

static int set_list(struct compiler *c, struct filter_group *g, const char *name,
		    const struct lh_value *v, unsigned depth)
{
	struct filter_list *l = &g->list[g->n_lists++];
	struct lh_iter it;

	if (v->type != LH_ARRAY)
		return lh_err_set(c->err, LH_EDATA, "filter: \"%s\" must be an array of filters",
				  name);
	if (depth == LH_FILTER_DEPTH)
		return too_deep(c);
	l->any = *name == 'o';
	l->group = take(c, lh_value_count(v), sizeof *l->group);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (add_group(c, l, &it.val, depth) < 0)
			return -1;
	return 0;
}

static int set_complement(struct compiler *c, struct filter_group *g, const struct lh_value *v,
			  unsigned depth)
{
	struct filter_list *l = &g->list[g->n_lists++];

	if (depth == LH_FILTER_DEPTH)
		return too_deep(c);
	l->not = true;
	l->group = take(c, 1, sizeof *l->group);
	return add_group(c, l, v, depth);
}

static void add_key(struct compiler *c, struct filter_key *k)
{
	lh_grow(&c->key, &c->cap, c->n + 1, sizeof(*c->key));
	c->key[c->n++] = k;
}

/* "exists":"x" */
static int set_named(struct compiler *c, struct filter_group *g, const struct lh_value *v)
{
	struct filter_key *k = &g->key[g->n++];

	if (v->type != LH_STRING)
		return lh_err_set(c->err, LH_EDATA,
				  "filter: \"exists\" must be a string, the name of a key");
	k->cond.exists = 1;
	c->f->plain = false;	/* the key may be there again */
	string_of(c, v, &k->name);
	add_key(c, k);
	return 0;
}

/* "within":{...}: the numbers of a record's place have either of two pairs of names. */
static int set_place(struct compiler *c, struct filter_group *g, const struct lh_value *v)
{
	static const char *const name[] = { "lat", "lon", "latitude", "longitude" };
	int i;

	g->place = take(c, 4, sizeof *g->place);
	for (i = 0; i < 4; i++) {
		g->place[i] = (struct filter_key){ .name = lh_str_of(name[i]), .place = true };
		add_key(c, &g->place[i]);
	}
	c->f->plain = false;
	return set_circle(c, &g->circle, v);
}

/* Return whether a value is a list of objects. */
static bool is_filters(const struct lh_value *v)
{
	struct lh_iter it;

	if (v->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (it.val.type != LH_OBJECT)
			return false;
	return true;
}

/* A key whose name is that of an operator has a value that the operator does not take: an object
 * of operators for "or", "and" and "exists", any other value for "not". */
static int set_member(struct compiler *c, struct filter_group *g, const struct lh_iter *it,
		      unsigned depth)
{
	bool reserved = it->val.type != LH_OBJECT;
	struct filter_key *k;

	if (reserved && lh_value_is(&it->key, "or", 2))
		return set_list(c, g, "or", &it->val, depth);
	if (reserved && lh_value_is(&it->key, "and", 3))
		return set_list(c, g, "and", &it->val, depth);
	if (reserved && lh_value_is(&it->key, "exists", 6))
		return set_named(c, g, &it->val);
	if (lh_value_is(&it->key, "any", 3) && is_filters(&it->val))
		return set_list(c, g, "or", &it->val, depth);
	if (!reserved && lh_value_is(&it->key, "not", 3))
		return set_complement(c, g, &it->val, depth);
	if (lh_value_is(&it->key, "within", 6) && lh_circle_is(&it->val))
		return set_place(c, g, &it->val);
	k = &g->key[g->n++];
	string_of(c, &it->key, &k->name);
	add_key(c, k);
	return set_cond(c, &k->cond, k->name, &it->val, depth);
}

static int set_group(struct compiler *c, struct filter_group *g, const struct lh_value *v,
		     unsigned depth)
{
	struct lh_iter it;

	if (v->type != LH_OBJECT)
		return lh_err_set(c->err, LH_EDATA, depth ?
			"filter: \"or\" and \"and\" must hold objects" :
			"a filter must be a JSON object");
	g->key = take(c, lh_value_count(v), sizeof *g->key);
	if (!g->key)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (set_member(c, g, &it, depth) < 0)
			return -1;
	/* Keys begin with their names. */
	if (!depth && g->n)
		qsort(g->key, g->n, sizeof *g->key, lh_filter_cmp);
	return 0;
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	return lh_filter_cmp(*(void *const *)a, *(void *const *)b);
}

/* Note the keys that some record must have: those of places by both of their names. */
static void set_asked(struct compiler *c)
{
	static const struct lh_filter_key places[] = {
		{ { "lat or latitude", 15 },
		  "{\"or\":[{\"exists\":\"lat\"},{\"exists\":\"latitude\"}]}" },
		{ { "lon or longitude", 16 },
		  "{\"or\":[{\"exists\":\"lon\"},{\"exists\":\"longitude\"}]}" },
	};
	struct lh_filter *f = c->f;
	const struct lh_str *last = NULL;
	bool place = false;
	size_t i;

	f->asked = take(c, f->n + 2, sizeof *f->asked);
	f->n_asked = 0;
	for (i = 0; i < c->n; i++) {
		place |= c->key[i]->place;
		if (c->key[i]->place || last == &f->name[c->key[i]->slot])
			continue;
		last = &f->name[c->key[i]->slot];
		f->asked[f->n_asked++] = (struct lh_filter_key){ *last, NULL };
	}
	for (i = 0; place && i < 2; i++)
		f->asked[f->n_asked++] = places[i];
}

/* Give equal names of keys one slot. */
static int set_slots(struct compiler *c)
{
	struct lh_filter *f = c->f;
	size_t i;

	f->name = take(c, c->n, sizeof *f->name);
	f->found = f->name ? take(c, c->n, sizeof *f->found) : NULL;
	if (!f->found)
		return -1;
	if (c->n)
		qsort(c->key, c->n, sizeof(*c->key), by_name);
	for (i = 0; i < c->n; i++) {
		if (!i || by_name(&c->key[i - 1], &c->key[i]))
			f->name[f->n++] = c->key[i]->name;
		c->key[i]->slot = f->n - 1;
	}
	set_asked(c);
	for (f->paths = false, i = 0; i < f->n; i++)
		f->paths |= memchr(f->name[i].p, '.', f->name[i].n) != NULL;
	for (f->n_required = i = 0; i < f->top.n; i++)
		f->n_required += !f->top.key[i].cond.absent;
	return 0;
}

/* Copy the text of the filter; all that is compiled points into it. */
static void copy_text(struct lh_filter *f, const struct lh_value *v, struct lh_value *own)
{
	lh_buf_reset(&f->text);
	lh_buf_reset(&f->unescaped);
	lh_buf_add(&f->text, v->p, v->n);
	lh_buf_room(&f->unescaped, v->n + LH_PAD);
	*own = *v;
	own->p = f->text.p;
}

int lh_filter_compile(struct lh_filter *f, const struct lh_value *v, struct lh_err *err)
{
	struct compiler c = { .f = f, .err = err };
	struct lh_value own;
	int rc;

	clear(f);
	f->plain = true;
	copy_text(f, v, &own);
	rc = set_group(&c, &f->top, &own, 0);
	if (!rc)
		rc = set_slots(&c);
	f->plain = f->plain && !f->top.n_lists && !f->paths;
	free(c.key);
	if (rc < 0) {
		clear(f);
		lh_buf_reset(&f->text);	/* lh_filter_is is false of one that is wrong */
	}
	return rc;
}

struct lh_filter *lh_filter_new(void)
{
	return lh_calloc(1, sizeof(struct lh_filter));
}

void lh_filter_free(struct lh_filter *f)
{
	if (!f)
		return;
	clear(f);
	lh_buf_free(&f->text);
	lh_buf_free(&f->unescaped);
	lh_buf_free(&f->scratch);
	lh_buf_free(&f->copy);
	lh_record_free(&f->scan);
	free(f);
}

bool lh_filter_is(const struct lh_filter *f, const struct lh_value *v)
{
	return f->text.len == v->n && v->n && memcmp(f->text.p, v->p, v->n) == 0;
}

const struct lh_filter_key *lh_filter_keys(const struct lh_filter *f, size_t *n)
{
	*n = f->n_asked;
	return f->asked;
}
