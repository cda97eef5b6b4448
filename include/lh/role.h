/*
 * role - the role that a sentence of demand asks for, and whether two roles
 * are one.
 *
 * Coordinators write demand in four ways.  Three say where the role ends:
 *
 *     need          Need 3 Forklift Operators in Aurora IL starting at ...
 *     client_first  Beacon Freight needs 3 Forklift Operators in Aurora ...
 *     looking       Looking for 3 Forklift Operators at Beacon Freight in ...
 *
 * The fourth, shorthand ("1 CNC Operator Detroit MI 17:30 Beacon Freight"), does
 * not: where the role ends and the city begins cannot be told, so it gives no
 * role, as any other text does.  The fixed words are known in any ASCII case, and
 * the count is digits.
 */
#ifndef LH_ROLE_H
#define LH_ROLE_H

#include <lh/buf.h>

LH_C_BEGIN

/* Append the role in the singular, spelled as it stands; nothing if there is
 * none. */
LH_API void lh_role_extract(const char *text, size_t n, struct lh_buf *out);

/* One role, but for ASCII case, blanks around it and the plural of its last
 * word ("Welders", "Secretaries", "Coaches")? */
LH_API bool lh_role_same(const char *a, size_t an, const char *b, size_t bn);

LH_C_END

#endif
