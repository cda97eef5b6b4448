/*
 * path - a value by its path, and whether any record had it.
 *
 *     struct lh_path p = LH_PATH("title.en");
 *     const struct lh_value *v = lh_path_find(&p, rec, &inner);
 *
 * A path is the name of a member, or names and numbers of array elements separated by dots.
 * A member whose whole name is the path, or the rest of it, comes before one inside another.
 *
 * Threads: any number may use one path.
 */
#ifndef LH_PATH_H
#define LH_PATH_H

#include <stdatomic.h>

#include <lh/json.h>

struct lh_path {
	const char *text;
	const char *option;		/* that names it; set by lh_records_want, ... */
	struct lh_path *next;		/* ... and this too */
	atomic_bool asked, found;	/* in a record */
};

#define LH_PATH(path) { .text = (path) }

/* Read the number of an array element in a path; false if it is none. */
bool lh_path_number(const char *digits, size_t n, uint64_t *i);

/* Set *out to the value at a path of n bytes in the checked value v; return false if it has
 * none. */
bool lh_value_at(const struct lh_value *v, const char *path, size_t n, struct lh_value *out);

/* Return the value at the path in the record, in *inner or in the record; NULL if there is
 * none.  p notes whether it was found. */
const struct lh_value *lh_path_find(struct lh_path *p, const struct lh_record *rec,
				    struct lh_value *inner);

/* Set *out to the value at the path, which must be a string.  LH_EDATA. */
int lh_path_string(struct lh_path *p, const struct lh_record *rec, struct lh_value *out,
		   struct lh_err *err);

#endif
