/*
 * canon - the two canonical forms of a JSON value, made from its text.
 *
 * JCS (RFC 8785): keys sorted by UTF-16 code units, numbers as ECMAScript
 * prints the double, strings minimally escaped.  sig_hash is SHA-256 over it.
 * Audit canonical: keys sorted by bytes, numbers exactly as written, strings
 * with only ", \ and controls escaped.
 */
#ifndef LH_CANON_H
#define LH_CANON_H

#include <lh/json.h>

LH_C_BEGIN

/* Append the form of the checked value v.  JCS of a number beyond double is
 * LH_EDATA.  Members named in skip[0..n) are left out at the top level. */
LH_API int lh_canon_jcs(struct lh_buf *out, const struct lh_value *v, struct lh_err *err);
/* The JCS of a record, whose members need not be found once more. */
LH_API int lh_canon_jcs_record(struct lh_buf *out, const struct lh_record *r, struct lh_err *err);
LH_API int lh_canon_audit(struct lh_buf *out, const struct lh_value *v, const char *const *skip, size_t n, struct lh_err *err);

LH_C_END

#endif
