/*
 * filter_parts - a compiled metadata filter, shared by filter_compile.c and
 * metadata_filter.c.
 *
 *     group     an object: all of its keys and lists must match
 *     list      "or", "any", "and" and "not": groups
 *     cond      what is under a key: values, bounds, a circle, a negation
 */
#ifndef LH_FILTER_PARTS_H
#define LH_FILTER_PARTS_H

#include "filter/metadata_filter.h"

/* Values, any of which may be met. */
struct filter_set {
	struct lh_str *str;		/* strings, sorted by lh_filter_cmp */
	struct lh_value *other;		/* numbers, arrays and objects */
	size_t n_str, n_other;
	unsigned literals;		/* null, false, true: a bit per enum lh_type */
};

enum filter_order { FILTER_LT, FILTER_LTE, FILTER_GT, FILTER_GTE };

struct filter_bound {
	enum filter_order order;
	struct lh_value number;		/* the bound is a number, or, with p NULL, ... */
	struct lh_str str;		/* ... a string */
};

struct filter_circle {
	double at[3];			/* its centre, on the unit sphere */
	double km;			/* great circle: the farthest place in it */
};

/* The sets, bounds and the circle must be met by one value together: by that of the key or, if
 * that is an array, by one of its elements. */
struct filter_cond {
	struct filter_set *set;
	struct filter_bound *bound;
	unsigned n_sets, n_bounds;
	struct filter_circle *circle;	/* a place is in it; or NULL */
	struct filter_cond *not;	/* must not match; or NULL */
	int exists;			/* 1, 0; -1: not asked for */
	bool absent;			/* metadata without the key matches */
};

struct filter_key {
	struct lh_str name;
	size_t slot;			/* of the name, in lh_filter.name */
	bool place;			/* one of the names of a place's numbers */
	struct filter_cond cond;
};

struct filter_list {
	bool any;			/* one must match, not all */
	bool not;			/* the other way round */
	struct filter_group *group;
	size_t n;
};

struct filter_group {
	struct filter_key *key;
	size_t n;
	struct filter_list list[4];
	unsigned n_lists;
	struct filter_circle *circle;	/* the numbers of these keys are in it, or NULL */
	struct filter_key *place;	/* lat, lon, latitude, longitude */
};

/* The value of a key in metadata, not checked. */
struct filter_span {
	const char *p, *end;
	bool escaped;			/* a string with a backslash */
};

struct lh_filter {
	struct lh_buf text, unescaped;	/* of the filter */
	struct filter_block *block;	/* memory of what it is compiled to */
	struct filter_group top;
	bool plain;			/* top has but keys, in the order of name; none is a path */
	bool paths;			/* a name may be a path */
	struct lh_str *name;		/* of all keys at any depth, sorted by lh_filter_cmp */
	size_t n;
	struct lh_filter_key *asked;	/* what must be a key of some record */
	size_t n_asked;
	size_t n_required;		/* keys of top that must be there */
	struct filter_span *found;	/* scratch: the value of each name */
	struct lh_buf scratch, copy;	/* scratch: of the current value */
	struct lh_record scan;		/* scratch of lh_json_parse */
};

/* Compare struct lh_str by length, then by bytes: most comparisons end there. */
int lh_filter_cmp(const void *a, const void *b);

/* ---- filter_within.c ---- */

/* Return whether the value of "within" is to be a circle, and not that of a key. */
bool lh_circle_is(const struct lh_value *v);
int lh_circle_set(struct filter_circle *c, const struct lh_value *v, struct lh_err *err);
/* Return whether a place is in the circle: two numbers, {"lat":...,"lon":...}, "lat,lon". */
bool lh_circle_has(const struct filter_circle *c, double lat, double lon);
bool lh_circle_has_object(const struct filter_circle *c, const struct lh_value *v);
bool lh_circle_has_text(const struct filter_circle *c, struct lh_str text);

#endif
