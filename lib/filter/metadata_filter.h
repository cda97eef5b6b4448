/*
 * metadata_filter - match a row's metadata against a filter.
 *
 * A filter is a JSON object.  Metadata matches when all members of the filter do:
 *
 *     {"state":"IL","role":["Welder","CNC Operator"],"price":{"gte":10,"lt":50}}
 *
 * A key is the name of a member of the metadata or, if it has none of that name, a path: names
 * and numbers of array elements separated by dots, "title.en".  The value of a key is one of
 *   a scalar    equality after canonicalization: 1 = 1.0, whole numbers of any size
 *               compared exactly, null equal to null
 *   a list      any of its elements, by JSON equality; an empty list matches nothing
 *   an object   operators, all of which must match:
 *                 lt, lte, gt, gte   a number or a string.  Numbers are compared exactly
 *                                    with numbers, strings by bytes with strings; a value
 *                                    of another type does not match.
 *                 eq                 an equal value, of any type
 *                 in                 a list, as above
 *                 not                a scalar, a list or an object of operators, which
 *                                    must not match
 *                 exists             true or false: whether the key is there
 *                 within             a circle: a place under the key is in it, which is
 *                                    {"lat":41.9,"lon":-87.6} or "41.9,-87.6"
 * In addition to keys a filter may have
 *   "or", "any" a list of filters: one must match, so none does of an empty list
 *   "and"       a list of filters: all must match
 *   "not"       a filter, which must not match
 *   "exists"    a string: the name of a key that must be there
 *   "within"    a circle: the metadata's numbers lat and lon, or latitude and longitude,
 *               are in it
 * A metadata key of such a name is given a value that does not have this shape: an object for
 * "or", "and" and "exists", {"or":{"eq":1}}, another value for "not" and "any".
 *
 * A circle is {"lat":41.9,"lon":-87.6,"miles":25}, or km.  The distance is that of the great
 * circle on a sphere of 6,371.0088 km.
 *
 * Without the key nothing matches but "not" and "exists":false: a filter and its negation
 * divide the rows.  Metadata that is an array matches when any of its elements does, or when
 * the whole array is equal; bounds and values of one object must be met by one element.
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
 *          is not JSON.
 * Threads: one thread per filter (it holds scratch memory).
 */
#ifndef LH_METADATA_FILTER_H
#define LH_METADATA_FILTER_H

#include "json/json.h"

#define LH_FILTER_DEPTH 32	/* of "or", "and" and "not" in each other */
#define LH_FILTER_GROUPS 1000	/* filters in all "or", "any", "and" and "not" of a filter */

struct lh_filter;
struct lh_filter *lh_filter_new(void);
void lh_filter_free(struct lh_filter *f);

/* Compile the checked value v, replacing the previous filter.  LH_EDATA names an unknown
 * operator and its key. */
int lh_filter_compile(struct lh_filter *f, const struct lh_value *v, struct lh_err *err);

/* What a filter looks up. */
struct lh_filter_key {
	struct lh_str name;		/* of a key, or of both that will do */
	const char *filter;		/* of the metadata that has it; NULL: {"exists":name} */
};

/* Make the filter of the metadata that has a key. */
struct lh_filter *lh_filter_exists(const struct lh_filter_key *key, struct lh_err *err);

/* Return whether v has the same text as the value that f was compiled from. */
bool lh_filter_is(const struct lh_filter *f, const struct lh_value *v);

/* Return 1 when the metadata text of n bytes matches (n 0: no metadata), 0 when it does
 * not, -1 with *err. */
int lh_filter_match(struct lh_filter *f, const char *meta, size_t n, struct lh_err *err);

/* Return the keys that the compiled filter looks up, each once, and set *n to their number.
 * They are valid until the filter is compiled again or freed. */
const struct lh_filter_key *lh_filter_keys(const struct lh_filter *f, size_t *n);

/* Append the filter that texts stand for, all of which must match: JSON objects, which are filters,
 * and pairs of KEY=VALUE, KEY!=VALUE, KEY<VALUE, KEY<=VALUE, KEY>VALUE and KEY>=VALUE.  The first
 * sign ends the key.  After = and != a VALUE stands for the
 * string and, if it is the text of a JSON scalar, for that too; the values of a repeated
 * KEY= are alternatives.  As a bound, the text of a JSON number or string is that, any other
 * a string.  LH_EUSAGE for anything else: also for a VALUE that begins with =, <, > or !=, for an
 * empty bound, and for one that looks like a number and is none in JSON (" 5", 050, +5, .5, 5.);
 * in quotes, as a JSON string, each of these is a VALUE. */
int lh_filter_where(struct lh_buf *json, const char *const *texts, size_t n,
		    struct lh_err *err);

#endif
