/*
 * json_scanner - what the scanner's object files share; not installed.
 *
 * The scan itself (json_scan.h) is compiled once per instruction set; what
 * runs seldom (escapes, duplicate keys, UTF-8 errors) is compiled once.
 */
#ifndef LH_JSON_SCANNER_H
#define LH_JSON_SCANNER_H

#include <lh/json.h>

#include "base/bits.h"
#include "base/utf8.h"

/* Up to this many keys an object's hashes are compared one by one; from then
 * on they also stand in a hash table. */
#define LH_KEYS_LINEAR 64
#define LH_MEMBERS_OPEN 4	/* objects of the most members inside each other, by their sum */
#define LH_KEYS_STEP 16		/* hashes compared at a time; the slack behind them */

struct lh_key {
	const char *p;		/* without the quotes */
	uint32_t n;
	uint32_t escaped;
};

struct lh_level {
	uint32_t keys;		/* where this object's keys begin in scan->key */
	bool object;
	bool hashed;		/* they stand in the table */
};

/*
 * The keys of all objects that are open, the innermost object's last.  The
 * table is shared: keys leave it in the reverse of the order they came in, so
 * that taking one out is emptying its slot.
 */
struct lh_scan {
	struct lh_key *key;
	uint32_t *hash;
	size_t n, cap;
	uint32_t *slot;		/* index in key + 1; 0 is empty */
	size_t slots, used;
	uint64_t seed;
	struct lh_buf text;	/* unescaped keys */
	const struct lh_level *top;	/* the innermost object, when a key is added slowly */
	const char *at;		/* where an error is, ... */
	const char *why;	/* ... and what it is; NULL: a key repeated */
	enum lh_code code;
	bool full;		/* too many keys: see lh_json_room */
	struct lh_level level[LH_JSON_DEPTH + 1];	/* level[0]: outside */
};

/* What a block of a string holds, a bit per byte, the first byte lowest. */
struct lh_look {
	uint64_t stop;		/* a quote, a backslash or a control byte */
	uint64_t high;		/* a byte above 0x7f */
};

/* The same for a block of an array of numbers. */
struct lh_kinds {
	uint64_t digit, zero, minus, plus, point, exp, space, comma, bracket;
};

typedef int lh_scan_fn(struct lh_scan *s, const char *p, const char *end, struct lh_record *r, struct lh_value *top);
lh_scan_fn lh_scan_avx2, lh_scan_portable;

/* lh_record_parse (with members) and lh_json_parse by a scan of one's choice. */
int lh_scan_by(lh_scan_fn *fn, struct lh_record *r, bool members, const char *p, size_t n, struct lh_value *v, struct lh_err *err);

/* The most members of an object, 64 at least: set before there are threads. */
extern size_t lh_json_members;

/* Is there room for one more key in an object of n, when all that are open have
 * open?  LH_EDATA. */
int lh_json_room(size_t n, size_t open, struct lh_err *err);

/* Remember what is wrong where; NULL, so that a scan can return it. */
static inline const char *lh_scan_fail(struct lh_scan *s, const char *at, const char *why)
{
	s->at = at;
	s->why = why;
	s->code = LH_EDATA;
	return NULL;
}

/* What the byte after a backslash stands for; 0 for u and for what may not be. */
extern const char lh_short_escape[256];

/* Check the escape at p (a backslash): the byte after it, or NULL. */
const char *lh_scan_escape(struct lh_scan *s, const char *p, const char *end);

/* Decode the checked escape at p into to (4 bytes): the byte after it. */
const char *lh_unescape(const char *p, char *to, size_t *n);

/* Order of two strings, by UTF-8 bytes or by UTF-16 code units: <0, 0, >0. */
int lh_string_cmp(const struct lh_value *a, const struct lh_value *b);
int lh_string_cmp16(const struct lh_value *a, const struct lh_value *b);

/* The first eight bytes as a number that orders as these functions do, as far
 * as it goes. */
uint64_t lh_string_prefix(const struct lh_value *v, bool utf16);

/* p at the quote of a checked string: the byte after it. */
const char *lh_skip_string(const char *p, const char *end, bool *escaped);

/* Equality of two checked numbers; see lh_value_equal. */
bool lh_number_equal(const struct lh_value *a, const struct lh_value *b);

/* Add a key to the innermost object, in full generality: 0, or -1. */
int lh_json_keys_add(struct lh_scan *s, struct lh_level *lv, const char *p, size_t n, bool escaped);
/* A hash is there already: is the key? */
bool lh_json_keys_has(struct lh_scan *s, const struct lh_level *lv, const char *p, size_t n, bool escaped, uint32_t h);
/* An object that was hashed ends: take its keys out of the table. */
void lh_json_keys_drop(struct lh_scan *s, const struct lh_level *lv);
int lh_json_keys_dup(struct lh_scan *s, const char *p);

/* Room for one more member: 0, or -1. */
int lh_record_grow(struct lh_record *r, struct lh_scan *s);

/* Of a checked value, by its first byte. */
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

/* Seeded, so that nobody can prepare keys that collide.  16 readable bytes
 * stand behind p in any padded text. */
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
