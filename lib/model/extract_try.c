/* extract_try.c - read one object from its brace on.  See extract_parts.h. */
#include "extract_parts.h"
#include "base/mem.h"

#include "json/json_leaf.h"

/* Enter the container at p, a brace or bracket. */
static void enter_container(struct lh_tries *x, struct lh_try *t, size_t depth, const char *p)
{
	uint64_t bit = 1ull << depth % 64;

	if (depth / 64 == x->kinds)
		lh_grow(&x->kind, &x->kinds, depth / 64 + 1, sizeof *x->kind);
	if (depth == t->deepest)
		t->deepest++;
	if (*p == '[')
		x->kind[depth / 64] &= ~bit;
	else
		x->kind[depth / 64] |= bit;
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

static void end_failed(struct lh_try *t, const char *at)
{
	t->end = at;
}

int lh_try_object(struct lh_tries *x, const char *p, const char *end, struct lh_try *t)
{
	struct lh_scan *s = &x->fail;
	bool object = true, escaped;
	size_t depth = 0;

	t->deepest = 0;
value:
	if (p >= end) {
		end_failed(t, p);
		return 0;
	}
	if (*p != '{' && *p != '[') {
		p = scan_leaf(s, p, end, &escaped);
		if (!p) {
			end_failed(t, s->at);
			return 0;
		}
		goto after;
	}
	enter_container(x, t, depth, p);
	object = *p == '{';
	depth++;
	p = skip_space(p + 1, end);
	if (p < end && *p == (object ? '}' : ']'))
		goto close;
	if (!object)
		goto value;
key:
	p = read_key(s, p, end);
	if (!p) {
		end_failed(t, s->at);
		return 0;
	}
	goto value;
after:
	p = skip_space(p, end);
	if (p < end && *p == ',') {
		p = skip_space(p + 1, end);
		if (object)
			goto key;
		goto value;
	}
	if (p >= end || *p != (object ? '}' : ']')) {
		end_failed(t, p);
		return 0;
	}
close:
	p++;
	if (--depth) {
		object = is_object(x, depth);
		goto after;
	}
	t->end = p;
	return 1;
}

/* The brace that ends what a place is in, by whether the place is in a string, or after a
 * backslash in one. */
struct enders {
	uint32_t outside, inside, escaped;
};

/* Count the braces of the text from its end on, so that what follows each place is known. */
static void count_braces(struct lh_tries *x, const char *end)
{
	struct enders e = { 0, 0, 0 }, was;
	const char *p;

	x->n = 0;
	x->counted = true;
	for (p = end; p-- > x->base; ) {
		was = e;
		e = (struct enders){ was.outside, was.inside, was.inside };
		if (*p == '"') {
			e.outside = was.inside;
			e.inside = was.outside;
		} else if (*p == '\\') {
			e.inside = was.escaped;
		} else if (*p == '{' || *p == '}') {
			lh_grow(&x->brace, &x->cap, x->n + 1, sizeof *x->brace);
			x->brace[x->n++] = (struct lh_brace){ (uint32_t)(p - x->base),
							      was.outside };
			if (*p == '}')
				e.outside = (uint32_t)x->n;
			else if (was.outside)
				e.outside = x->brace[was.outside - 1].close;
		}
	}
}

void lh_try_end(struct lh_tries *x, const char *p, const char *end, const char **close)
{
	size_t lo = 0, hi, mid, at = (size_t)(p - x->base);

	if (!x->counted)
		count_braces(x, end);
	for (hi = x->n; lo < hi; ) {
		mid = (lo + hi) / 2;
		if (x->brace[mid].at > at)
			lo = mid + 1;
		else
			hi = mid;
	}
	lo = x->brace[lo].close;
	*close = lo ? x->base + x->brace[lo - 1].at + 1 : NULL;
}
