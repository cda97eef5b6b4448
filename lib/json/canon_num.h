/* canon_num - a number in the form that RFC 8785 requires. */
#ifndef LH_CANON_NUM_H
#define LH_CANON_NUM_H

#include <lh/buf.h>

/* Append the double nearest to the checked number p..end as ECMAScript prints it;
 * LH_EDATA if it is beyond the range of double. */
int lh_canon_number(struct lh_buf *out, const char *p, const char *end, struct lh_err *err);

#endif
