/*
 * bind_parts - the place of a member in a record, and the error messages of lh_bind.
 */
#ifndef LH_BIND_PARTS_H
#define LH_BIND_PARTS_H

#include "bind.h"

/* A member on the path from the record to the current value. */
struct lh_bind_place {
	const struct lh_bind_place *up;	/* the member that contains it; NULL: the record */
	const struct lh_bind *line;
	unsigned rank;			/* index of the name used in the record */
	size_t index;			/* of the array element; SIZE_MAX: the member itself */
};

/* Set the error of a member missing or unknown in the object up.  All functions here return
 * -1. */
int lh_bind_missing(const struct lh_bind_place *up, const struct lh_bind *line, struct lh_err *err);
/* The second suggests what may be meant, of the lines of the table. */
int lh_bind_unknown(const struct lh_bind_place *up, const struct lh_bind *table,
		    const struct lh_value *key, struct lh_err *err);

/* Set the error "must be" with the type of the line; "must" with the text given. */
int lh_bind_wrong(const struct lh_bind_place *at, const struct lh_value *v, struct lh_err *err);
int lh_bind_must(const struct lh_bind_place *at, struct lh_err *err, const char *fmt, ...)
	LH_PRINTF(3, 4);

#endif
