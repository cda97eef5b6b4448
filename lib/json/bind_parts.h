/*
 * bind_parts - where lh_bind is, and the words for what is wrong there.
 */
#ifndef LH_BIND_PARTS_H
#define LH_BIND_PARTS_H

#include "bind.h"

/* A member on the way from the record to the value at hand. */
struct lh_bind_place {
	const struct lh_bind_place *up;	/* the member that it is in; NULL: the record's own */
	const struct lh_bind *line;
	unsigned rank;			/* which of its names the record has */
	size_t index;			/* of the element at hand; SIZE_MAX: the member itself */
};

/* All return -1.  up: the member that is an object without such a member. */
int lh_bind_missing(const struct lh_bind_place *up, const struct lh_bind *line, struct lh_err *err);
int lh_bind_unknown(const struct lh_bind_place *up, const struct lh_value *key, struct lh_err *err);

/* The value must be what its line says; what comes after "must". */
int lh_bind_wrong(const struct lh_bind_place *at, const struct lh_value *v, struct lh_err *err);
int lh_bind_must(const struct lh_bind_place *at, struct lh_err *err, const char *fmt, ...)
	LH_PRINTF(3, 4);

#endif
