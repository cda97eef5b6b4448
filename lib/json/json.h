/*
 * json - check a JSON text once, then read it in place.
 *
 *     struct lh_record r;
 *     const struct lh_value *city;
 *
 *     lh_record_init(&r);
 *     if (lh_record_parse(&r, line, len, err) == 0 && (city = lh_record_get(&r, "city")))
 *             fwrite(city->p, 1, city->n, stdout);       (as written, quotes included)
 *     lh_record_free(&r);
 *
 * No tree is built.  Parsing is one strict pass over the text; after it a value is a pointer
 * to its first byte, a length and a type (struct lh_value), and the functions below read
 * strings, numbers and children directly from those bytes.
 *
 * A record (struct lh_record) is one JSON object, usually a line of JSON Lines, with the
 * position of each of its top-level members.  A filter changes a record by copying its bytes
 * without some members (lh_record_open) and appending others: what it does not name keeps
 * every byte, white space included.
 *
 * The pass accepts RFC 8259 and nothing else.  It refuses
 *   - text that is not UTF-8, and lone surrogates in \u escapes,
 *   - a key that occurs twice in one object, at any depth, compared after unescaping,
 *   - containers nested deeper than LH_JSON_DEPTH,
 *   - an object of more than LH_JSON_MEMBERS members, or nested objects that together have
 *     more than four times as many (--max-members changes the number),
 *   - texts longer than 4 GiB.
 * Numbers of any size are accepted: parsing checks their grammar and does not convert them.
 *
 * "Checked" below: from a text that passed.  The functions for checked values do not validate
 * them again.
 *
 * Members are searched one by one (lh_record_get, lh_value_get): for more than a few, walk the
 * object once with struct lh_iter.  Records are usually read by a table of their members (bind.h)
 * and written by write.h.
 *
 * Owner:   values point into the caller's text, which must stay unchanged while they are used.
 * Padding: LH_PAD readable bytes, whatever they are, must follow a parsed text that is not empty;
 *          struct lh_buf and the line readers provide them.
 * Errors:  LH_EDATA, with err->column the byte of the error, from 1 (0 for "not a JSON
 *          object").
 * Memory:  48 bytes for each top-level member, about 30 for each key of the objects open at
 *          the same time, nothing for arrays and numbers.
 * Threads: one thread per struct.
 */
#ifndef LH_JSON_H
#define LH_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define LH_JSON_DEPTH 512
#define LH_JSON_MEMBERS 65536	/* the default of --max-members */

enum lh_type { LH_NULL, LH_FALSE, LH_TRUE, LH_NUMBER, LH_STRING, LH_ARRAY, LH_OBJECT };

struct lh_value {
	const char *p;		/* its first byte; of a string the opening quote */
	size_t n;		/* its length in bytes; of a string both quotes included */
	uint8_t type;		/* enum lh_type */
	bool escaped;		/* a string with at least one backslash */
};

struct lh_member {
	struct lh_value key, val;
};

/* A parser and the record that it parsed last.  Parse many records with one struct: it keeps
 * its memory. */
struct lh_record {
	const char *line;	/* the object: its '{' ... */
	size_t len;		/* ... and its length, '}' included */
	struct lh_member *member;
	size_t n;		/* top-level members, in their order in the text */
	size_t cap;
	struct lh_scan *scan;	/* memory of the parser */
	uint64_t number;	/* line number in the input, from 1; set by the line readers */
};

void lh_record_init(struct lh_record *r);
void lh_record_free(struct lh_record *r);

/* Parse one line: white space, one object, white space.  Valid JSON of another type is the
 * error "not a JSON object". */
int lh_record_parse(struct lh_record *r, const char *p, size_t n, struct lh_err *err);

/* Parse a text that is one JSON value of any type into *v.  Uses the memory of r; r has no
 * members afterwards. */
int lh_json_parse(struct lh_record *r, const char *p, size_t n, struct lh_value *v,
		  struct lh_err *err);

/* Return the value of the top-level member whose name, unescaped, is name; NULL if absent. */
const struct lh_value *lh_record_get(const struct lh_record *r, const char *name);

/*
 * Set *out to the text of the checked string v, as UTF-8.  A string without escapes is not
 * copied: *out points into the record.  One with escapes is unescaped and appended to
 * *scratch, which the caller resets.
 */
void lh_value_str(const struct lh_value *v, struct lh_buf *scratch, struct lh_str *out);

/* Return whether the text of the checked string v, unescaped, is s[0..n). */
bool lh_value_is(const struct lh_value *v, const char *s, size_t n);

/*
 * Walk the children of a checked array or object, in their order in the text.
 *
 *     for (lh_iter_init(&it, v); lh_iter_next(&it); )
 *             ... it.key (objects only), it.val ...
 */
struct lh_iter {
	struct lh_value key, val;
	const char *at, *end;
	bool object;
};
void lh_iter_init(struct lh_iter *it, const struct lh_value *v);
bool lh_iter_next(struct lh_iter *it);

/* Set *out to the member name of the checked object v; return false if it has none. */
bool lh_value_get(const struct lh_value *v, const char *name, struct lh_value *out);

/* Set *out to the checked number v and return true if it is a whole number within int64: 3,
 * 3.0 and 3e0 are. */
bool lh_value_i64(const struct lh_value *v, int64_t *out);

/* Return the double nearest to the checked number v; infinity beyond the range of double. */
double lh_value_f64(const struct lh_value *v);

/* Return whether two checked values mean the same: numbers by value (1 = 1.0 = 1e0; whole
 * numbers exactly, of any size), strings by code points, objects in any order of members,
 * arrays in order. */
bool lh_value_equal(const struct lh_value *a, const struct lh_value *b);

/*
 * Append r without the members named in drop[0..n) and without its closing brace; a comma
 * follows if a member is left.  The caller then appends at least one "name":value (several
 * are joined by commas), and the brace.
 *
 *     lh_record_open(out, r, (const char *[]){ "vector" }, 1);
 *     lh_buf_puts(out, "\"vector\":[1]}");
 */
void lh_record_open(struct lh_buf *out, const struct lh_record *r, const char *const *drop,
		    size_t n);

#endif
