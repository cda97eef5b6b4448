/*
 * extract - the JSON object in a model's answer.
 *
 *     x = lh_extract_new(err);
 *     rc = lh_extract(x, text, n, &v, err);
 *     if (rc == 1)
 *             lh_extract_put(&out, &v);
 *     lh_extract_free(x);
 *
 * What is found, in this order; lh-extract-json(1) has the rules in full:
 *
 *   1. An object that is alone in a fence: ```, a tag of [A-Za-z0-9_+-], the text up to the
 *      next ```, trimmed of space, tab, CR and LF.  A fence that is never closed is none.
 *   2. The first object in a fence.
 *   3. The first object elsewhere.
 *
 * What a model thought, between tags such as <think> and </think> or in a channel of the
 * harmony format, is searched only if nothing outside of it begins an object.
 *
 * A { that a quote or a } follows, after white space, begins an object.  Tags and fences in it
 * are text.  If it cannot be read, the search goes on after the } that ends it; if nothing ends
 * it, at the next fence that begins a line.  So no piece of a broken answer is the answer.
 *
 * JSON is RFC 8259 and valid UTF-8, without lone surrogates; numbers may have any
 * size.  An object whose only fault is nesting deeper than LH_JSON_DEPTH is skipped
 * as a whole: nothing inside it is the answer.  A key may occur twice; the last one
 * wins.  The text around the object may contain anything, NULs and invalid UTF-8
 * included.
 *
 * Time:    linear in the text, for any text.
 * Memory:  a bit for each container open at the same time, and a byte for each thought; with a
 *          broken object, 8 bytes for each brace of the text;
 *          with a duplicate key, a copy of the object and 32 bytes for each member of
 *          the objects open at the same time.
 * Padding: LH_PAD readable bytes after the text.
 * Owner:   *v points into the text; with a duplicate key into a copy in x without the
 *          earlier ones, valid until the next call.  So *v is always a checked value
 *          (json/json.h).
 * Threads: one thread per struct.
 */
#ifndef LH_EXTRACT_H
#define LH_EXTRACT_H

#include "json/json.h"

struct lh_extract;		/* scratch memory; use one for many texts */

struct lh_extract *lh_extract_new(void);
void lh_extract_free(struct lh_extract *x);

/* Search p[0..n): 1 and *v; 0 if there is no object; -1 (LH_EDATA for
 * a text longer than 4 GiB, or an object of more members than json/json.h accepts,
 * duplicates counted). */
int lh_extract(struct lh_extract *x, const char *p, size_t n, struct lh_value *v,
	       struct lh_err *err);

/* Append the object on one line: its own bytes if they are one line, else without
 * the white space between its tokens.  v may be in the memory of out, after its
 * last byte. */
void lh_extract_put(struct lh_buf *out, const struct lh_value *v);

/* Append the object with keys sorted at every depth by UTF-8 bytes, no white space,
 * numbers as written, strings with the fewest escapes. */
int lh_extract_wire(struct lh_buf *out, const struct lh_value *v, struct lh_err *err);

#endif
