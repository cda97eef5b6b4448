/* extract_parts - what the parts of lh_extract share. */
#ifndef LH_EXTRACT_PARTS_H
#define LH_EXTRACT_PARTS_H

#include <lh/extract.h>
#include "json/json_scanner.h"

/* The result of reading one object. */
struct lh_try {
	size_t end;		/* after the object; or where it cannot be read further */
	uint32_t *open;		/* in the latter case, the objects not closed there */
	size_t n, cap;
	size_t next;		/* the first of these not yet passed */
	size_t deepest;		/* nesting of containers, the object included */
};

struct lh_tries {
	const char *base;	/* offsets are relative to it */
	struct lh_try t[3];
	uint64_t *kind;		/* a bit for each open container: set for an object */
	size_t kinds;
	struct lh_scan fail;	/* where and why a leaf is invalid */
};

/* Read one object at p ('{'), of any depth, with keys unchecked and anything after
 * it: 1, 0 if it is not one, -1 if out of memory. */
int lh_try_object(struct lh_tries *x, struct lh_try *t, const char *p, const char *end,
		  struct lh_err *err);

/* Append the checked object v without white space, and of duplicate keys in an
 * object only the last. */
int lh_extract_last(struct lh_buf *out, const struct lh_value *v, struct lh_err *err);

#endif
