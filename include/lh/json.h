/*
 * json - JSON text in memory: checked once, then read in place.
 *
 * One strict pass (RFC 8259) over a text finds every error there is: grammar,
 * UTF-8, lone surrogates in \u escapes, a key repeated in the same object at
 * any depth (compared after unescaping), more than LH_JSON_DEPTH nested
 * containers, more than LH_JSON_MEMBERS members in an object or four times as
 * many in objects that are inside each other.  Numbers may have any size; they are never converted.  After
 * that pass a value is just its bytes (struct lh_value): children are walked,
 * strings unescaped and numbers read from there, without building a tree.
 *
 * A record (struct lh_record) is one JSON object with the spans of its
 * top-level members; what a filter does not touch is copied, byte for byte.
 *
 * Owner:   values point into the caller's text, which must outlive them.
 * Padding: LH_PAD readable bytes must follow every text that is scanned
 *          (lh_buf and the line reader see to that), unless it is empty.
 * Errors:  LH_EDATA with err->column set (bytes from 1; 0 for "not a JSON
 *          object"), or LH_ENOMEM.  Texts beyond 4 GiB are refused.
 * Memory:  48 bytes for each top-level member, some 30 for each key of the
 *          objects that are open at once, nothing for arrays and numbers.
 * Threads: one thread per struct.
 */
#ifndef LH_JSON_H
#define LH_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <lh/buf.h>
#include <lh/str.h>

LH_C_BEGIN

#define LH_JSON_DEPTH 512
#define LH_JSON_MEMBERS 65536	/* unless --max-members says another number */

enum lh_type { LH_NULL, LH_FALSE, LH_TRUE, LH_NUMBER, LH_STRING, LH_ARRAY, LH_OBJECT };

struct lh_value {
	const char *p;		/* the text; a string's first quote */
	size_t n;		/* its length; a string's quotes included */
	uint8_t type;		/* enum lh_type */
	bool escaped;		/* a string that holds at least one backslash */
};

struct lh_member {
	struct lh_value key, val;
};

/* A scanner and the record it found last; reuse it, it keeps its memory. */
struct lh_record {
	const char *line;	/* the text that was scanned: first byte is '{' */
	size_t len;		/* up to and with the closing '}' */
	struct lh_member *member;
	size_t n;		/* top-level members, in the order they stand */
	size_t cap;
	struct lh_scan *scan;	/* scratch of the scanner */
	uint64_t number;	/* the line it was read from, from 1; a flow's (flow/flow.h) */
};

LH_API void lh_record_init(struct lh_record *r);
LH_API void lh_record_free(struct lh_record *r);

/* Scan one line: white space, one object, white space.  Anything else that is
 * valid JSON is "not a JSON object". */
LH_API int lh_record_parse(struct lh_record *r, const char *p, size_t n, struct lh_err *err);

/* Scan a text that may be any JSON value (a reply, a file, an argument).  r
 * lends its scratch; its members are not kept. */
LH_API int lh_json_parse(struct lh_record *r, const char *p, size_t n, struct lh_value *v, struct lh_err *err);

/* The member of that name (raw bytes of UTF-8), or NULL. */
LH_API const struct lh_value *lh_record_get(const struct lh_record *r, const char *name);

/*
 * A string's code points as UTF-8.  Without escapes that is the text itself;
 * otherwise it is unescaped at the end of *scratch, which the caller resets.
 * -1 only when memory is out.
 */
LH_API int lh_value_str(const struct lh_value *v, struct lh_buf *scratch, struct lh_str *out, struct lh_err *err);

/* Does the string value v equal s?  Escapes are understood. */
LH_API bool lh_value_is(const struct lh_value *v, const char *s, size_t n);

/* Walk the children of a checked array or object.
 *
 *     for (lh_iter_init(&it, v); lh_iter_next(&it); )
 *             ... it.key (objects), it.val ...
 */
struct lh_iter {
	struct lh_value key, val;
	const char *at, *end;
	bool object;
};
LH_API void lh_iter_init(struct lh_iter *it, const struct lh_value *v);
LH_API bool lh_iter_next(struct lh_iter *it);

/* The member of that name of a checked object; false when there is none. */
LH_API bool lh_value_get(const struct lh_value *v, const char *name, struct lh_value *out);

/* A number that is a whole one within int64: true and *out. 3, 3.0, 3e0 are. */
LH_API bool lh_value_i64(const struct lh_value *v, int64_t *out);

/* A number as the nearest double (infinite when beyond). */
LH_API double lh_value_f64(const struct lh_value *v);

/* Equality of two checked values after canonicalisation: 1 = 1.0 = 1e0 (whole
 * numbers compare exactly at any size), strings by code points, objects in any
 * order, arrays in order. */
LH_API bool lh_value_equal(const struct lh_value *a, const struct lh_value *b);

/*
 * Write r to out without the members named in drop[0..n), then without its
 * closing brace, and with a comma where a member stands before: the caller
 * appends "name":value pairs joined by commas, and lh_record_close.
 *
 *     lh_record_open(out, r, (const char *[]){ "vector" }, 1);
 *     lh_buf_puts(out, "\"vector\":[1]");
 *     lh_record_close(out, r);
 */
LH_API void lh_record_open(struct lh_buf *out, const struct lh_record *r, const char *const *drop, size_t n);
LH_API void lh_record_close(struct lh_buf *out, const struct lh_record *r);

LH_C_END

#endif
