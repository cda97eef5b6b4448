/*
 * path - a place in JSON: results[*].id, results[0].metadata.email, [0].
 *
 * [*] stands for all elements of an array; the elements of a path without it are one
 * value at most.  A name cannot contain "." or "[".
 *
 * Errors: LH_EDATA for a text that is not a path.
 */
#ifndef PATH_H
#define PATH_H

#include <lh/json.h>

#define PATH_PARTS 16

struct path_part {
	const char *name;	/* of a member; NULL: an element */
	size_t index;
	bool all;		/* all elements */
};

struct path {
	struct path_part part[PATH_PARTS];
	size_t n;		/* 0: the value itself */
	bool many;		/* has [*] */
	char *text;		/* what the names point into */
};

int path_parse(struct path *p, struct lh_str text, struct lh_err *err);
void path_free(struct path *p);

/* Call found for each value that the path leads to, until it returns other than 0.
 * Returns that; 0 if all were found, of an empty array too; 1 if one is not there.  found
 * returns 0, or below 0, or above 1. */
int path_walk(const struct path *p, const struct lh_value *from,
	      int (*found)(void *ctx, const struct lh_value *v), void *ctx);

/* Set *out to the value of a path without [*]; false: it is not there. */
bool path_value(const struct path *p, const struct lh_value *from, struct lh_value *out);

#endif
