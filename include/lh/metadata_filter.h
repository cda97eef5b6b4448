/*
 * metadata_filter - match a row's metadata against a filter.
 *
 * A filter is a JSON object.  Metadata matches when all keys of the filter do:
 *
 *     {"state":"IL","role":["Welder","CNC Operator"],"years":3}
 *
 * Keys are looked up at the top level of the metadata only; a missing key does
 * not match.  The value of a key in the filter is one of
 *   a scalar    equality after canonicalization: 1 = 1.0, whole numbers of any size
 *               compared exactly, null equal to null
 *   a list      any of its elements; an empty list matches nothing
 *   an object   JSON equality
 * Metadata that is an array matches when any of its elements does, or when the
 * whole array equals a list inside the filter's list.
 *
 *     f = lh_filter_new(err);
 *     lh_filter_compile(f, &object, err);
 *     yes = lh_filter_match(f, meta, meta_len, err);
 *     lh_filter_free(f);
 *
 * How:     the metadata is scanned in place, in a file that may be damaged: every
 *          step is checked against its end, and no LH_PAD is needed after it.
 *          Anything compared other than plain strings is parsed as JSON first.
 * Owner:   a filter copies the text it is compiled from.
 * Errors:  LH_EDATA for JSON that is not a filter, LH_ECORRUPT for metadata that
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

/* Compile the checked value v, replacing the previous filter. */
LH_API int lh_filter_compile(struct lh_filter *f, const struct lh_value *v, struct lh_err *err);

/* Return whether v has the same text as the value that f was compiled from. */
LH_API bool lh_filter_is(const struct lh_filter *f, const struct lh_value *v);

/* Return 1 when the metadata text of n bytes matches (n 0: no metadata), 0 when it does
 * not, -1 with *err. */
LH_API int lh_filter_match(struct lh_filter *f, const char *meta, size_t n, struct lh_err *err);

/* Append the filter that pairs of KEY=VALUE stand for.  A VALUE stands for the string
 * and, if it is the text of a JSON scalar, for that too; the values of a repeated key
 * are alternatives.  LH_EUSAGE for anything but KEY=VALUE. */
LH_API int lh_filter_where(struct lh_buf *json, const char *const *pairs, size_t n,
			   struct lh_err *err);

LH_C_END

#endif
