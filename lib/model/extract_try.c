/* extract_try.c - read one object from its brace on.  See extract_parts.h. */
#include "extract_parts.h"
#include "base/mem.h"

#include "json/json_leaf.h"

/* Enter the container at p, a brace or bracket. */
static int enter_container(struct lh_tries *x, struct lh_try *t, size_t depth, const char *p,
			   struct lh_err *err)
{
	uint64_t bit = 1ull << depth % 64;

	if (depth / 64 == x->kinds &&
	    lh_grow(&x->kind, &x->kinds, depth / 64 + 1, sizeof *x->kind, err) < 0)
		return -1;
	if (depth == t->deepest)
		t->deepest++;
	if (*p == '[') {
		x->kind[depth / 64] &= ~bit;
		return 0;
	}
	x->kind[depth / 64] |= bit;
	if (unlikely(t->n == t->cap) &&
	    lh_grow(&t->open, &t->cap, t->n + 1, sizeof *t->open, err) < 0)
		return -1;
	t->open[t->n++] = (uint32_t)(p - x->base);
	return 0;
}

static bool is_object(const struct lh_tries *x, size_t depth)
{
	return x->kind[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
}

/* Read a key, its colon and the white space around them: return the start of the
 * value, or NULL. */
static const char *read_key(struct lh_scan *s, const char *p, const char *end)
{
	bool escaped;

	if (p >= end || *p != '"')
		return lh_scan_fail(s, p, "expected a key");
	p = scan_string(s, p + 1, end, &escaped);
	if (!p)
		return NULL;
	p = skip_space(p, end);
	if (p >= end || *p != ':')
		return lh_scan_fail(s, p, "expected ':'");
	return skip_space(p + 1, end);
}

static int end_failed(const struct lh_tries *x, struct lh_try *t, const char *at)
{
	t->end = (size_t)(at - x->base);
	t->next = 0;
	return 0;
}

int lh_try_object(struct lh_tries *x, struct lh_try *t, const char *p, const char *end,
		  struct lh_err *err)
{
	struct lh_scan *s = &x->fail;
	bool object = true, escaped;
	size_t depth = 0;

	t->n = t->deepest = 0;
value:
	if (p >= end)
		return end_failed(x, t, p);
	if (*p != '{' && *p != '[') {
		p = scan_leaf(s, p, end, &escaped);
		if (!p)
			return end_failed(x, t, s->at);
		goto after;
	}
	if (enter_container(x, t, depth, p, err) < 0)
		return -1;
	object = *p == '{';
	depth++;
	p = skip_space(p + 1, end);
	if (p < end && *p == (object ? '}' : ']'))
		goto close;
	if (!object)
		goto value;
key:
	p = read_key(s, p, end);
	if (!p)
		return end_failed(x, t, s->at);
	goto value;
after:
	p = skip_space(p, end);
	if (p < end && *p == ',') {
		p = skip_space(p + 1, end);
		if (object)
			goto key;
		goto value;
	}
	if (p >= end || *p != (object ? '}' : ']'))
		return end_failed(x, t, p);
close:
	t->n -= object;
	p++;
	if (--depth) {
		object = is_object(x, depth);
		goto after;
	}
	t->end = (size_t)(p - x->base);
	return 1;
}
