/* canon_num - a number in the form that RFC 8785 requires, if that form is the number; else its
 * own digits, so that two numbers that differ have two forms. */
#ifndef LH_CANON_NUM_H
#define LH_CANON_NUM_H

#include <lh/buf.h>

/* Append the double nearest to the checked number p..end as ECMAScript prints it, or, if that
 * is another number, all of its digits: no exponent, no zeros at either end.  LH_EDATA if it
 * is beyond the range of double, or has 4,096 zeros after the point. */
int lh_canon_number(struct lh_buf *out, const char *p, const char *end, struct lh_err *err);

#endif
