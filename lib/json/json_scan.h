/*
 * json_scan - one strict pass over a JSON text, compiled once per instruction set.
 *
 * The including file defines LH_SCAN (the name of the function), what json_leaf.h
 * needs, and hash_among(); also LH_NUMBERS if it has block_kinds().
 */
#include "json_leaf.h"

/* The result of scanning one value that is not a container, or many numbers. */
struct leaf {
	bool escaped;		/* a string with a backslash */
	bool more;		/* many numbers were skipped; the next value follows, ... */
	bool closed;		/* ... or the bracket that closes the array */
};

#ifdef LH_NUMBERS
/* Return the bits at which the runs of digits that begin at the bits of start have
 * ended: a carry runs through each run and stops after it. */
static LH_TARGET inline uint64_t run_ends(uint64_t start, uint64_t digit)
{
	return (start + digit) & ~digit;
}

/*
 * Check the grammar of all numbers of one block together.  in has the bytes up to
 * the last comma or bracket; its first byte begins a number.  Every rule concerns
 * neighbouring bytes or the end of a run of digits, so that each is a few
 * operations for the whole block.
 */
static LH_TARGET inline bool numbers_good(const struct lh_kinds *k, uint64_t stop, uint64_t in)
{
	uint64_t digit = k->digit & in, space = k->space & in, exp = k->exp & in;
	uint64_t point = k->point & in, minus = k->minus & in, plus = k->plus & in;
	uint64_t start = (stop << 1 | 1) & in, whole, end, ends, sign, bad;

	bad = space & ~(stop << 1);
	start = (start & ~space) | (start & space) << 1;
	start &= in;
	whole = (start & ~minus) | (start & minus) << 1;
	bad |= whole & ~digit;
	bad |= (whole & k->zero) << 1 & digit;
	ends = run_ends(whole, digit);
	bad |= point & ~ends;
	bad |= point << 1 & ~digit;
	ends |= run_ends(point << 1 & digit, digit);
	bad |= exp & ~ends;
	sign = exp << 1 & (minus | plus);
	bad |= plus & ~sign;
	bad |= minus & ~(sign | start);
	end = (exp << 1 & ~sign) | sign << 1;
	bad |= end & ~digit;
	ends |= run_ends(end & digit, digit);
	bad |= stop & ~ends;
	return !bad;
}

/* p begins a number in an array: skip correct numbers a block at a time, and return
 * the byte after a comma; or the closing bracket, with *closed set. */
static LH_TARGET inline const char *skip_numbers(const char *p, const char *end, bool *closed)
{
	while (end - p >= 64) {
		struct lh_kinds k = block_kinds(p);
		uint64_t known = k.digit | k.minus | k.plus | k.point | k.exp | k.space | k.comma;
		uint64_t till = ~known ^ (~known - 1), stop = (k.comma | k.bracket) & till, in;
		unsigned last;

		if (!stop)
			return p;
		last = 63 - (unsigned)__builtin_clzll(stop);
		in = ~0ull >> (63 - last);
		if (!numbers_good(&k, stop, in))
			return p;
		p += last;
		*closed = *p == ']';
		if (*closed)
			return p;
		p++;
		p += *p == ' ';
	}
	return p;
}
#else
static inline const char *skip_numbers(const char *p, const char *end, bool *closed)
{
	(void)end;
	*closed = false;
	return p;
}
#endif

static LH_TARGET inline int add_key(struct lh_scan *s, struct lh_level *lv, const char *p, size_t n,
				    bool escaped)
{
	uint32_t h;

	if (unlikely(escaped || s->n == s->cap || s->n - lv->keys >= LH_KEYS_LINEAR))
		return lh_json_keys_add(s, lv, p, n, escaped);
	h = lh_key_hash(p, n, s->seed);
	if (unlikely(hash_among(s->hash + lv->keys, s->n - lv->keys, h)) &&
	    lh_json_keys_has(s, lv, p, n, false, h))
		return lh_json_keys_dup(s, p);
	s->key[s->n] = (struct lh_scan_key){ p, (uint32_t)n, 0 };
	s->hash[s->n++] = h;
	return 0;
}

/* Scan a key, its colon and the white space around them; return the start of the
 * value. */
static LH_TARGET inline const char *scan_key(struct lh_scan *s, const char *p, const char *end,
					     struct lh_level *lv, struct lh_value *key)
{
	const char *q;

	if (unlikely(p >= end))
		return lh_scan_fail(s, end, "unexpected end of line");
	if (unlikely(*p != '"'))
		return lh_scan_fail(s, p, "expected a key");
	q = scan_string(s, p + 1, end, &key->escaped);
	if (!q)
		return NULL;
	key->p = p;
	key->type = LH_STRING;
	key->n = (size_t)(q - p);
	if (add_key(s, lv, p + 1, key->n - 2, key->escaped) < 0)
		return NULL;
	q = skip_space(q, end);
	if (unlikely(q >= end))
		return lh_scan_fail(s, end, "unexpected end of line");
	if (unlikely(*q != ':'))
		return lh_scan_fail(s, q, "expected ':'");
	return skip_space(q + 1, end);
}

/* Report what was expected at p, after a value. */
static __attribute__((noinline)) int bad_follow(struct lh_scan *s, const char *p, const char *end,
						const struct lh_level *lv)
{
	lh_scan_fail(s, p, lv->object ? "expected ',' or '}'" : "expected ',' or ']'");
	if (p >= end)
		lh_scan_fail(s, end, "unexpected end of line");
	return -1;
}

/* Return where to store the value that begins at level lv: top, a new member of r,
 * or spare if it is not wanted. */
static LH_TARGET inline struct lh_value *value_slot(struct lh_scan *s, const struct lh_level *lv,
						    struct lh_record *r, const struct lh_value *key,
						    struct lh_value *top, struct lh_value *spare)
{
	if (lv == s->level)
		return top;
	if (!r || !lv->object)
		return spare;
	if (unlikely(r->n == r->cap))
		lh_record_grow(r);
	r->member[r->n].key = *key;
	return &r->member[r->n++].val;
}

static LH_TARGET inline void end_value(struct lh_value *v, const char *end, bool escaped)
{
	v->n = (size_t)(end - v->p);
	v->type = lh_type_of(*v->p);
	v->escaped = v->type == LH_STRING && escaped;
}

/* p is at a bracket or brace: enter the container and return the first byte in it
 * that is not white space. */
static LH_TARGET inline const char *enter_container(struct lh_scan *s, struct lh_level **lv,
						    const char *p, const char *end)
{
	if (unlikely(*lv == s->level + LH_JSON_DEPTH))
		return lh_scan_fail(s, p, "nested deeper than 512");
	*++*lv = (struct lh_level){ (uint32_t)s->n, *p == '{', false };
	return skip_space(p + 1, end);
}

static LH_TARGET inline struct lh_level *leave_container(struct lh_scan *s, struct lh_level *lv)
{
	if (unlikely(lv->hashed))
		lh_json_keys_drop(s, lv);
	s->n = lv->keys;
	return lv - 1;
}

/* p is at a number, word or string: return the byte after it, or NULL.  In an array
 * most numbers are skipped together; then the result is at any value (leaf->more)
 * or at the bracket (leaf->closed). */
static LH_TARGET inline const char *scan_leaves(struct lh_scan *s, const struct lh_level *lv,
						const char *p, const char *end, struct leaf *leaf)
{
	const char *q = p;

	leaf->more = leaf->closed = false;
	if (!lv->object && lv != s->level && (is_digit(*p) || *p == '-')) {
		q = skip_numbers(p, end, &leaf->closed);
		leaf->more = q != p;
	}
	return leaf->more ? skip_space(q, end) : scan_leaf(s, p, end, &leaf->escaped);
}

/* Scan one text.  If the value is an object, its members go to r (unless NULL). */
LH_TARGET int LH_SCAN(struct lh_scan *s, const char *p, const char *end, struct lh_record *r,
		      struct lh_value *top)
{
	struct lh_level *lv = s->level, *const first = s->level + 1;
	struct lh_value key, spare, *own = top;
	struct leaf leaf = { 0 };

	p = skip_space(p, end);
value:
	if (unlikely(p >= end))
		return bad_follow(s, p, end, lv);
	if (lv <= first) {
		own = value_slot(s, lv, r, &key, top, &spare);
		if (unlikely(!own))
			return -1;
		own->p = p;
	}
	if (*p == '{' || *p == '[') {
		p = enter_container(s, &lv, p, end);
		if (unlikely(!p))
			return -1;
		if (p < end && *p == (lv->object ? '}' : ']'))
			goto close;
		if (lv->object)
			goto name;
		goto value;
	}
	p = scan_leaves(s, lv, p, end, &leaf);
	if (unlikely(!p))
		return -1;
	if (leaf.closed)
		goto close;
	if (leaf.more)
		goto value;
after:
	if (lv <= first)
		end_value(lv == first ? own : top, p, leaf.escaped);
	p = skip_space(p, end);
	if (unlikely(lv == s->level))
		return p < end ? (lh_scan_fail(s, p, "expected the end of the line"), -1) : 0;
	if (likely(p < end && *p == ',')) {
		p = skip_space(p + 1, end);
		if (!lv->object)
			goto value;
name:
		p = scan_key(s, p, end, lv, &key);
		if (unlikely(!p))
			return -1;
		goto value;
	}
	if (unlikely(p >= end || *p != (lv->object ? '}' : ']')))
		return bad_follow(s, p, end, lv);
close:
	lv = leave_container(s, lv);
	p++;
	goto after;
}
