/*
 * kind - the kinds of records that a table has columns for, recognized by their members.
 */
#ifndef KIND_H
#define KIND_H

#include <lh/json.h>

struct kind {
	const char *name;	/* as --kind has it; several kinds may share one */
	const char *tells;	/* paths of the members that it has, separated by blanks */
	const char *columns;	/* paths; a path that ends with * has the columns of the
				   kind of that member */
	const char *rows;	/* the member whose elements are the rows, or NULL */
};

/* The kinds; the last one, "plain", has all members as columns. */
#define KIND_COUNT 15
extern const struct kind kinds[KIND_COUNT];

/* Return whether there is a kind of that name. */
bool kind_exists(const char *name);

/* Return the first kind that the value has, among those of that name (NULL: all); with a name,
 * the first of that name if it has none. */
const struct kind *kind_of(const struct lh_value *v, const char *name);

#endif
