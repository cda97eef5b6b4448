/* canon_num - a number as RFC 8785 wants it; not installed. */
#ifndef LH_CANON_NUM_H
#define LH_CANON_NUM_H

#include <lh/buf.h>

/* Append the checked number p..end as ECMAScript prints the double it means;
 * LH_EDATA when it means none. */
int lh_canon_number(struct lh_buf *out, const char *p, const char *end, struct lh_err *err);

#endif
