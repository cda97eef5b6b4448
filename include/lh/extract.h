/*
 * extract - the JSON object inside a model's answer.
 *
 *     x = lh_extract_new(err);
 *     rc = lh_extract(x, text, n, &v, err);
 *     if (rc == 1)
 *             lh_extract_put(&out, &v);
 *     lh_extract_free(x);
 *
 * What is found:
 *
 *   1. Fences, from left to right: ```, a tag of [A-Za-z0-9_+-], the text up to
 *      the next ```.  Trimmed of space, tab, CR and LF it is the answer when it
 *      is an object; else the search goes on behind the closing ```.  A fence
 *      that is never closed is none; one inside a JSON string counts.
 *   2. Otherwise each { from left to right, also inside what was tried before:
 *      the answer is the first from which an object runs to its balancing }.
 *
 * JSON is RFC 8259 and valid UTF-8, without lone surrogates; numbers may have
 * any size.  What only nests deeper than LH_JSON_DEPTH is passed over whole:
 * nothing inside it is the answer.  A key may repeat, and the last wins.
 * Around the object the text may hold anything, NULs and broken UTF-8 too.
 *
 * Time:    linear in the text, whatever it holds.
 * Memory:  4 bytes for each object and a bit for each array that is open at once;
 *          where a key is repeated, a copy of the object and 32 bytes for each
 *          member of the objects that are open at once.
 * Padding: LH_PAD readable bytes behind the text.
 * Owner:   *v lies in the text; where a key was repeated it is a copy in x, good
 *          until the next call, in which only the last one is left.  So *v is
 *          always a checked value as the rest of liblh knows it.
 * Threads: one thread per struct.
 */
#ifndef LH_EXTRACT_H
#define LH_EXTRACT_H

#include <lh/json.h>

LH_C_BEGIN

struct lh_extract;		/* scratch; reuse it */

LH_API struct lh_extract *lh_extract_new(struct lh_err *err);
LH_API void lh_extract_free(struct lh_extract *x);

/* Look through p[0..n): 1 and *v, 0 when there is no object, -1 (LH_ENOMEM, or
 * LH_EDATA for a text beyond 4 GiB, or an object of more members than
 * lh/json.h takes, repeated ones counted). */
LH_API int lh_extract(struct lh_extract *x, const char *p, size_t n, struct lh_value *v, struct lh_err *err);

/* Append what was found on one line: its own bytes when they are one line, else
 * without the white space between its tokens.  v may lie in memory of out that
 * is behind its last byte. */
LH_API void lh_extract_put(struct lh_buf *out, const struct lh_value *v);

/* Append it with keys sorted at every depth by UTF-8 bytes, no white space,
 * numbers as written, strings with the fewest escapes. */
LH_API int lh_extract_wire(struct lh_buf *out, const struct lh_value *v, struct lh_err *err);

LH_C_END

#endif
