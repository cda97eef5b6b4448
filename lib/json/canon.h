/*
 * canon - the two canonical forms of a JSON value, made from its text.
 *
 * JCS (RFC 8785): keys sorted by UTF-16 code units, numbers as ECMAScript prints
 * the double, strings with as few escapes as possible.  A sig_hash is the SHA-256
 * of it.  It differs from RFC 8785 in a number that no double prints, such as
 * 12345678901234567890 or 0.10000000000000000001: it has all of its digits.  Audit
 * canonical: keys sorted by bytes, numbers exactly as written, strings with only ", \ and
 * controls escaped.
 */
#ifndef LH_CANON_H
#define LH_CANON_H

#include "json/json.h"

/* Append the form of the checked value v.  A number beyond the range of double, or with 4,096
 * zeros after its point, is LH_EDATA in JCS.  Members named in skip[0..n) are left out at the
 * top level. */
int lh_canon_jcs(struct lh_buf *out, const struct lh_value *v, struct lh_err *err);
/* Append the JCS form of a parsed record, which saves finding its members again. */
int lh_canon_jcs_record(struct lh_buf *out, const struct lh_record *r, struct lh_err *err);
int lh_canon_audit(struct lh_buf *out, const struct lh_value *v, const char *const *skip,
		   size_t n, struct lh_err *err);

#endif
