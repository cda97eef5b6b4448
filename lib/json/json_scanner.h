/*
 * json_scanner - what the object files of the parser share.
 *
 * The scan itself (json_scan.h) is compiled once per instruction set; the rare
 * paths (escapes, duplicate keys, UTF-8 errors) are compiled once.
 */
#ifndef LH_JSON_SCANNER_H
#define LH_JSON_SCANNER_H

#include "json/json.h"

#include "base/bits.h"
#include "base/utf8.h"

/* Up to this many keys, an object's hashes are compared one by one; beyond it they
 * are also in a hash table. */
#define LH_KEYS_LINEAR 64
/* times --max-members: the most members of nested objects together */
#define LH_MEMBERS_OPEN 4
#define LH_KEYS_STEP 16		/* hashes compared at a time; so many unused ones follow the last */

struct lh_scan_key {
	const char *p;		/* without the quotes */
	uint32_t n;
	uint32_t escaped;
};

struct lh_level {
	uint32_t keys;		/* index of this object's first key in scan->key */
	bool object;
	bool hashed;		/* its keys are in the hash table */
};

/* The keys of all open objects, the innermost object's last.  All objects share one
 * hash table: keys are removed in the reverse of the order in which they were
 * inserted, so that removing one means emptying its slot. */
struct lh_scan {
	struct lh_scan_key *key;
	uint32_t *hash;
	size_t n, cap;
	uint32_t *slot;		/* index in key + 1; 0: empty */
	size_t slots, used;
	uint64_t seed;
	struct lh_buf text;	/* unescaped keys */
	/* the innermost object, if a key is added outside the fast path */
	const struct lh_level *top;
	const char *at;		/* where the error is, ... */
	const char *why;	/* ... and its text; NULL: a duplicate key */
	bool full;		/* too many keys: see lh_json_room */
	struct lh_level level[LH_JSON_DEPTH + 1];	/* level[0]: outside of the value */
};

/* The bytes of one block of a string, a bit for each, the first byte lowest. */
struct lh_look {
	uint64_t stop;		/* quotes, backslashes and control bytes */
	uint64_t high;		/* bytes above 0x7f */
};

/* The same for a block of an array of numbers. */
struct lh_kinds {
	uint64_t digit, zero, minus, plus, point, exp, space, comma, bracket;
};

typedef int lh_scan_fn(struct lh_scan *s, const char *p, const char *end, struct lh_record *r,
		       struct lh_value *top);
lh_scan_fn lh_scan_avx2, lh_scan_portable;

/* Do what lh_record_parse (with members) and lh_json_parse do, with a given scan
 * function. */
int lh_scan_by(lh_scan_fn *fn, struct lh_record *r, bool members, const char *p, size_t n,
	       struct lh_value *v, struct lh_err *err);

/* The most members of an object, at least 64: set before threads are started. */
extern size_t lh_json_members;

/* Check that an object of n members may have one more, if all open objects have
 * `open` members together; LH_EDATA if not. */
int lh_json_room(size_t n, size_t open, struct lh_err *err);

/* Record an error and its place; return NULL, so that a scan function can return it. */
static inline const char *lh_scan_fail(struct lh_scan *s, const char *at, const char *why)
{
	s->at = at;
	s->why = why;
	return NULL;
}

/* The byte that a backslash and this byte mean; 0 for u and for bytes that may not
 * follow one. */
extern const char lh_short_escape[256];

/* Check the escape at p (a backslash); return the byte after it, or NULL. */
const char *lh_scan_escape(struct lh_scan *s, const char *p, const char *end);

/* Compare two strings by UTF-8 bytes or by UTF-16 code units: <0, 0, >0. */
int lh_string_cmp(const struct lh_value *a, const struct lh_value *b);
int lh_string_cmp16(const struct lh_value *a, const struct lh_value *b);

/* Return the first eight bytes as a number that compares as these functions do;
 * equal numbers decide nothing. */
uint64_t lh_string_prefix(const struct lh_value *v, bool utf16);

/* p is at the opening quote of a string: return the byte after it; NULL if it does not end
 * before end, which a checked string does. */
const char *lh_skip_string(const char *p, const char *end, bool *escaped);

/* Return whether two checked numbers are equal; see lh_value_equal. */
bool lh_number_equal(const struct lh_value *a, const struct lh_value *b);

/* Compare two checked numbers exactly, however many digits they and their exponents have:
 * <0, 0, >0. */
int lh_number_cmp(const struct lh_value *a, const struct lh_value *b);

/* Add a key to the innermost object in the general case: 0, or -1. */
int lh_json_keys_add(struct lh_scan *s, struct lh_level *lv, const char *p, size_t n, bool escaped);
/* Its hash is in the object already: return whether the key is, too. */
bool lh_json_keys_has(struct lh_scan *s, const struct lh_level *lv, const char *p, size_t n,
		      bool escaped, uint32_t h);
/* Remove the keys of a hashed object that ends from the table. */
void lh_json_keys_drop(struct lh_scan *s, const struct lh_level *lv);
int lh_json_keys_dup(struct lh_scan *s, const char *p);

/* Make room for one more member: 0, or -1. */
void lh_record_grow(struct lh_record *r);

/* Return the type of a checked value by its first byte. */
static inline uint8_t lh_type_of(char c)
{
	switch (c) {
	case '{': return LH_OBJECT;
	case '[': return LH_ARRAY;
	case '"': return LH_STRING;
	case 't': return LH_TRUE;
	case 'f': return LH_FALSE;
	case 'n': return LH_NULL;
	default: return LH_NUMBER;
	}
}

/* Hash a key.  The seed prevents prepared collisions.  Reads up to 16 bytes past
 * the key, which the padding of a text provides. */
static inline uint32_t lh_key_hash(const char *p, size_t n, uint64_t seed)
{
	static const char mask[32] = {
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	};
	uint64_t h = seed ^ n;

	for (; n > 16; p += 16, n -= 16)
		h = lh_mix(lh_load64(p) ^ h, lh_load64(p + 8) ^ 0x9e3779b97f4a7c15ull);
	h = lh_mix((lh_load64(p) & lh_load64(mask + 16 - n)) ^ h,
		   (lh_load64(p + 8) & lh_load64(mask + 24 - n)) ^ 0xa0761d6478bd642full);
	return (uint32_t)lh_mix(h, seed | 1);
}

#endif
