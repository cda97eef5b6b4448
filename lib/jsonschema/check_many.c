/* check_many.c - schemas applied to the same value.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

/* Check by one that may fail: what it evaluated counts only if it does not. */
static bool try(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		struct lh_js_seen *seen)
{
	size_t mark = w->run->bits.len, i;
	struct lh_js_seen own;
	char *bits;
	bool ok;

	if (!seen)
		return lh_js_check_quietly(w, n, v, NULL);
	if (!lh_js_bits(w, seen->n, &own))
		return false;
	ok = lh_js_check_quietly(w, n, v, &own);
	bits = w->run->bits.p;
	for (i = 0; ok && i <= seen->n / 8; i++)
		bits[seen->from + i] |= bits[own.from + i];
	w->run->bits.len = mark;
	return ok;
}

/* The schema that a $dynamicRef has: that of the outermost resource on the way here. */
static const struct lh_js_node *dynamic_target(const struct lh_js_walk *w,
					       const struct lh_js_node *n)
{
	const struct lh_js_node *to = n->dynamic_ref;
	const struct lh_js_scope *s;
	const struct lh_js_node *own;

	if (!n->dynamic_name.p)
		return to;
	for (s = w->scope; s; s = s->up) {
		own = lh_js_dynamic_anchor(w->s, s->resource, n->dynamic_name);
		if (own)
			to = own;
	}
	return to;
}

#define REASONS 5	/* of branches that are named, ... */
#define SHOWN 400	/* ... and their bytes */

struct reasons {
	struct lh_buf *text;
	bool first;		/* of this branch none yet */
};

static void add_reason(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct reasons *to = ctx;

	if (!to->first)
		return;
	to->first = false;
	lh_buf_puts(to->text, to->text->len ? "; " : "");
	lh_buf_add(to->text, field->p, field->n);
	lh_buf_puts(to->text, ": ");
	lh_buf_add(to->text, problem->p, problem->n);
}

/* Report that none matches, with the first violation of each, but not inside another. */
static bool report_none(struct lh_js_walk *w, const struct lh_js_list *list, const char *keyword,
			const struct lh_value *v, const struct lh_js_place *at)
{
	struct lh_buf *text = &w->run->problem;
	struct reasons reasons = { .text = text };
	struct lh_js_walk in = *w;
	size_t i;

	if (w->quiet || w->failed)
		return false;
	if (w->inside)
		return lh_js_report(w, at, "matches none of the %zu schemas of %s", list->n,
				    keyword);
	lh_buf_reset(text);
	in.found = add_reason;
	in.ctx = &reasons;
	in.inside = true;
	for (i = 0; i < list->n && i < REASONS && !in.failed; i++) {
		reasons.first = true;
		in.n = 0;
		lh_js_check(&in, list->node[i], v, at, NULL);
	}
	w->steps = in.steps;
	w->failed |= in.failed;
	return lh_js_report(w, at, "matches none of the %zu schemas of %s (%.*s%s)", list->n,
			    keyword, (int)lh_js_whole(text->p, text->len, SHOWN), text->p,
			    text->len > SHOWN || list->n > REASONS ? " ..." : "");
}

static bool check_any(struct lh_js_walk *w, const struct lh_js_list *any, const struct lh_value *v,
		      const struct lh_js_place *at, struct lh_js_seen *seen)
{
	bool ok = !any->n;
	size_t i;

	for (i = 0; i < any->n && (!ok || seen); i++)
		ok |= try(w, any->node[i], v, seen);
	return ok || report_none(w, any, "anyOf", v, at);
}

static bool check_one(struct lh_js_walk *w, const struct lh_js_list *one, const struct lh_value *v,
		      const struct lh_js_place *at, struct lh_js_seen *seen)
{
	size_t i, first = 0, hits = 0;

	for (i = 0; i < one->n; i++) {
		if (!try(w, one->node[i], v, seen))
			continue;
		if (++hits == 2)
			return lh_js_report(w, at, "matches schemas %zu and %zu of oneOf, not one "
					    "alone", first, i);
		first = i;
	}
	return !one->n || hits || report_none(w, one, "oneOf", v, at);
}

static bool check_if(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		     const struct lh_js_place *at, struct lh_js_seen *seen)
{
	const struct lh_js_node *next;

	if (!n->if_ || (!n->then && !n->else_ && !seen))
		return true;
	next = try(w, n->if_, v, seen) ? n->then : n->else_;
	return !next || lh_js_check(w, next, v, at, seen);
}

bool lh_js_check_in_place(struct lh_js_walk *w, const struct lh_js_node *n,
			  const struct lh_value *v, const struct lh_js_place *at,
			  struct lh_js_seen *seen)
{
	bool ok = true;
	size_t i;

	if (n->ref)
		ok = lh_js_check(w, n->ref, v, at, seen);
	if (n->dynamic_ref && (ok || !w->quiet))
		ok &= lh_js_check(w, dynamic_target(w, n), v, at, seen);
	for (i = 0; i < n->all.n && (ok || !w->quiet); i++)
		ok &= lh_js_check(w, n->all.node[i], v, at, seen);
	if (ok || !w->quiet)
		ok &= check_any(w, &n->any, v, at, seen);
	if (ok || !w->quiet)
		ok &= check_one(w, &n->one, v, at, seen);
	if (n->not && (ok || !w->quiet) && lh_js_check_quietly(w, n->not, v, NULL))
		ok = lh_js_report(w, at, "matches the schema of not");
	if (ok || !w->quiet)
		ok &= check_if(w, n, v, at, seen);
	return ok;
}
