/*
 * metadata_filter - does a record's metadata match a metadata_filter?
 *
 * A filter is a JSON object; all of its keys must match:
 *
 *     {"state":"IL","role":["Welder","CNC Operator"],"years":3}
 *
 * A scalar is equality after canonicalisation (1 = 1.0; whole numbers exactly,
 * at any size), a list is OR among its elements and matches nothing when
 * empty, an object is JSON equality, null equals null.  Keys are those at the
 * top of the metadata, and a key that is not there does not match.  Metadata
 * that is an array matches when any of its elements does, or when the array as
 * a whole equals a list inside the filter's list.
 *
 *     f = lh_filter_new(err);
 *     lh_filter_compile(f, &object, err);
 *     yes = lh_filter_match(f, meta, meta_len, err);
 *     lh_filter_free(f);
 *
 * How:     the metadata is walked as it lies in the file, which may be damaged:
 *          every step is checked against its end, and it needs no padding.
 *          What is compared beyond plain strings is checked as JSON first.
 * Owner:   a filter copies the text it is compiled from.
 * Errors:  LH_EDATA for a filter that is none, LH_ECORRUPT for metadata that
 *          is not JSON, LH_ENOMEM.
 * Threads: one thread per filter (it holds scratch memory).
 */
#ifndef LH_METADATA_FILTER_H
#define LH_METADATA_FILTER_H

#include <lh/json.h>

LH_C_BEGIN

struct lh_filter;
LH_API struct lh_filter *lh_filter_new(struct lh_err *err);
LH_API void lh_filter_free(struct lh_filter *f);

/* Take the checked value v as the filter, in place of the one before. */
LH_API int lh_filter_compile(struct lh_filter *f, const struct lh_value *v, struct lh_err *err);

/* Is v the very text that f was compiled from? */
LH_API bool lh_filter_is(const struct lh_filter *f, const struct lh_value *v);

/* 1 when the metadata text of n bytes matches (n = 0: there is none), 0 when
 * not, -1 with *err. */
LH_API int lh_filter_match(struct lh_filter *f, const char *meta, size_t n, struct lh_err *err);

/* Append the filter that KEY=VALUE pairs stand for: VALUE is the string and,
 * where it spells one, the JSON scalar; a repeated key is OR.  LH_EUSAGE for a
 * pair that is none. */
LH_API int lh_filter_where(struct lh_buf *json, const char *const *pairs, size_t n,
			   struct lh_err *err);

LH_C_END

#endif
