/* check_in.c - members and items.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

static bool check_count(struct lh_js_walk *w, const struct lh_js_limits *l, uint64_t n,
			const char *what, const struct lh_js_place *at)
{
	if (n < l->least)
		return lh_js_report(w, at, "must have at least %llu %s%s",
				    (unsigned long long)l->least, what, l->least == 1 ? "" : "s");
	if (n > l->most)
		return lh_js_report(w, at, "must have at most %llu %s%s",
				    (unsigned long long)l->most, what, l->most == 1 ? "" : "s");
	return true;
}

static struct lh_str text_of_name(const void *ctx, uint32_t number)
{
	const struct lh_js_object *o = ctx;

	return o->name[number].text;
}

/* Return the number of a name, or -1.  Members are usually in the order of the schema: *next
 * is tried first. */
static int64_t find_name(struct lh_js_walk *w, const struct lh_js_object *o,
			 const struct lh_value *key, size_t *next)
{
	size_t mark = w->run->scratch.len;
	struct lh_str text;
	int64_t i;

	if (*next < o->n && !key->escaped &&
	    lh_str_is(o->name[*next].text, key->p + 1, key->n - 2))
		return (int64_t)(*next)++;
	if (!o->n)
		return -1;
	lh_js_text_of(w, key, &text);
	i = lh_table_find(&o->by_name, text, text_of_name, o);
	w->run->scratch.len = mark;
	if (i >= 0)
		*next = (size_t)i + 1;
	return i;
}

/* Check one member; name: its number, or -1.  Sets *evaluated. */
static bool check_member(struct lh_js_walk *w, const struct lh_js_object *o, int64_t name,
			 const struct lh_iter *it, const struct lh_js_place *at, bool *evaluated)
{
	const struct lh_js_node *own = name < 0 ? NULL : o->name[name].property;
	const struct lh_js_pattern *p;
	bool ok = true;

	*evaluated = own;
	if (own)
		ok = lh_js_check(w, own, &it->val, at, NULL);
	for (p = o->patterns; p && (ok || !w->quiet); p = p->next) {
		if (!lh_js_matches(w, p, &it->key))
			continue;
		*evaluated = true;
		ok &= lh_js_check(w, p->node, &it->val, at, NULL);
	}
	if (!*evaluated && o->additional) {
		*evaluated = true;
		ok &= lh_js_check(w, o->additional, &it->val, at, NULL);
	}
	if (o->names && !lh_js_check_quietly(w, o->names, &it->key, NULL))
		ok = lh_js_report(w, at, "the name is not valid by propertyNames");
	return ok && !w->failed;
}

static bool check_members(struct lh_js_walk *w, const struct lh_js_object *o,
			  const struct lh_value *v, const struct lh_js_place *up,
			  struct lh_js_seen *present, struct lh_js_seen *seen)
{
	struct lh_js_place at = { .up = up };
	size_t n = 0, next = 0;
	bool ok = true, evaluated;
	struct lh_iter it;
	int64_t name;

	at.key = &it.key;
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++) {
		name = find_name(w, o, &it.key, &next);
		if (name >= 0)
			lh_js_mark(w, present, (size_t)name);
		ok &= check_member(w, o, name, &it, &at, &evaluated);
		if (w->failed || (!ok && w->quiet))
			return false;
		if (evaluated && seen)
			lh_js_mark(w, seen, n);
	}
	return check_count(w, &o->count, n, "member", up) && ok;
}

static bool check_needs(struct lh_js_walk *w, const struct lh_js_object *o,
			const struct lh_js_name *of, const struct lh_js_place *up,
			const struct lh_js_seen *present)
{
	struct lh_js_place at = { .up = up };
	const struct lh_js_need *need;
	bool ok = true;

	for (need = of->needs; need; need = need->next) {
		if (lh_js_marked(w, present, need->name))
			continue;
		at.key = &o->name[need->name].as_written;
		ok = lh_js_report(w, &at, "missing, needed with %.*s",
				  (int)lh_js_whole(of->as_written.p, of->as_written.n, 200),
				  of->as_written.p);
	}
	return ok;
}

/* What the presence of members asks for. */
static bool check_presence(struct lh_js_walk *w, const struct lh_js_object *o,
			   const struct lh_value *v, const struct lh_js_place *up,
			   const struct lh_js_seen *present, struct lh_js_seen *seen)
{
	struct lh_js_place at = { .up = up };
	const struct lh_js_name *name;
	bool ok = true;
	size_t i;

	for (i = 0; i < o->n && (ok || !w->quiet); i++) {
		name = &o->name[i];
		if (!lh_js_marked(w, present, i)) {
			at.key = &name->as_written;
			if (name->required)
				ok = lh_js_report(w, &at, "missing");
			continue;
		}
		if (!o->has_dependent)
			continue;
		ok &= check_needs(w, o, name, up, present);
		if (name->dependent)
			ok &= lh_js_check(w, name->dependent, v, up, seen);
	}
	return ok;
}

bool lh_js_check_object(struct lh_js_walk *w, const struct lh_js_object *o,
			const struct lh_value *v, const struct lh_js_place *at,
			struct lh_js_seen *seen)
{
	size_t mark = w->run->bits.len;
	struct lh_js_seen present;
	bool ok;

	if (!lh_js_bits(w, o->n, &present))
		return false;
	ok = check_members(w, o, v, at, &present, seen);
	if (!w->failed && (ok || !w->quiet))
		ok &= check_presence(w, o, v, at, &present, seen);
	w->run->bits.len = mark;
	return ok;
}

/* Check one item; sets *matches if it is one that contains asks for, and *evaluated. */
static bool check_item(struct lh_js_walk *w, const struct lh_js_array *a, size_t i, bool look,
		       const struct lh_value *v, const struct lh_js_place *at, bool *matches,
		       bool *evaluated)
{
	const struct lh_js_node *own = i < a->prefix.n ? a->prefix.node[i] : a->items;
	bool ok = !own || lh_js_check(w, own, v, at, NULL);

	*matches = look && lh_js_check_quietly(w, a->contains, v, NULL);
	*evaluated = own || *matches;
	return ok && !w->failed;
}

static bool check_matching(struct lh_js_walk *w, const struct lh_js_limits *l, uint64_t n,
			   const struct lh_js_place *at)
{
	if (n < l->least)
		return lh_js_report(w, at, "must contain at least %llu matching item%s, has %llu",
				    (unsigned long long)l->least, l->least == 1 ? "" : "s",
				    (unsigned long long)n);
	if (n > l->most)
		return lh_js_report(w, at, "must contain at most %llu matching item%s",
				    (unsigned long long)l->most, l->most == 1 ? "" : "s");
	return true;
}

/* Return whether it matters if one more item matches, after n. */
static bool is_wanted(const struct lh_js_array *a, uint64_t n, const struct lh_js_seen *seen)
{
	return a->contains && (seen || n < a->matching.least ||
			       (a->matching.most != UINT64_MAX && n <= a->matching.most));
}

bool lh_js_check_array(struct lh_js_walk *w, const struct lh_js_array *a,
		       const struct lh_value *v, const struct lh_js_place *up,
		       struct lh_js_seen *seen)
{
	struct lh_js_place at = { .up = up };
	bool ok = true, matches, evaluated;
	uint64_t matching = 0;
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); at.at++) {
		ok &= check_item(w, a, at.at, is_wanted(a, matching, seen), &it.val, &at, &matches,
				 &evaluated);
		if (w->failed || (!ok && w->quiet))
			return false;
		matching += matches;
		if (evaluated && seen)
			lh_js_mark(w, seen, at.at);
	}
	ok &= check_count(w, &a->count, at.at, "item", up);
	if (a->contains && (ok || !w->quiet))
		ok &= check_matching(w, &a->matching, matching, up);
	if (a->unique && (ok || !w->quiet))
		ok &= lh_js_check_unique(w, v, up);
	return ok;
}

bool lh_js_check_rest(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		      const struct lh_js_place *up, struct lh_js_seen *seen)
{
	const struct lh_js_node *rest = v->type == LH_OBJECT ? n->rest_members : n->rest_items;
	struct lh_js_place at = { .up = up };
	struct lh_iter it;
	bool ok = true;

	at.key = v->type == LH_OBJECT ? &it.key : NULL;
	for (lh_iter_init(&it, v); lh_iter_next(&it) && (ok || !w->quiet); at.at++)
		if (!lh_js_marked(w, seen, at.at))
			ok &= lh_js_check(w, rest, &it.val, &at, NULL);
	return ok;
}
