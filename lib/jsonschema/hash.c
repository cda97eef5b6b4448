/* hash.c - equal values have equal hashes.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include "base/bits.h"
#include "base/xxh3.h"

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
