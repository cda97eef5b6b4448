/*
 * role - extract the role from a sentence of demand, and compare two roles.
 *
 * Coordinators write demand in four forms.  Three mark where the role ends:
 *
 *     need          Need 3 Forklift Operators in Aurora IL starting at ...
 *     client_first  Beacon Freight needs 3 Forklift Operators in Aurora ...
 *     looking       Looking for 3 Forklift Operators at Beacon Freight in ...
 *
 * The fourth, shorthand ("1 CNC Operator Detroit MI 17:30 Beacon Freight"), does
 * not mark where the role ends and the city begins, so it gives no role, like any
 * other text.  The fixed words are recognized in any ASCII case, and the count is
 * digits.
 */
#ifndef LH_ROLE_H
#define LH_ROLE_H

#include <lh/buf.h>

/* Append the role in the singular, spelled as in the text; nothing if there is none. */
void lh_role_extract(const char *text, size_t n, struct lh_buf *out);

/* Return whether two roles are equal without ASCII case, surrounding blanks and the
 * plural of the last word ("Welders", "Secretaries", "Coaches"). */
bool lh_role_same(const char *a, size_t an, const char *b, size_t bn);

#endif
