/*
 * role - extract the role from a sentence of demand, and compare two roles.
 *
 * Coordinators write demand in four forms.  Three mark where the role ends:
 *
 *     need          Need 3 Forklift Operators in Aurora IL starting at ...
 *     client_first  Beacon Freight needs 3 Forklift Operators in Aurora ...
 *     looking       Looking for 3 Forklift Operators at Beacon Freight in ...
 *
 * The fourth, shorthand ("1 CNC Operator Detroit MI 17:30 Beacon Freight", "2x forklift
 * aurora"), does not mark where the role ends and the city begins, so only roles that are
 * known here (those of lh-gen) are found, by all their words or by the words that one of them
 * alone begins or ends with.  Other texts have no role.  The fixed words are recognized in any
 * ASCII case, and the count is digits.
 */
#ifndef LH_ROLE_H
#define LH_ROLE_H

#include <lh/buf.h>

/* Append the role in the singular, spelled as in the text, of shorthand as it is known; nothing
 * if there is none.  If a text begins as shorthand does and has none, append to why the reason. */
void lh_role_extract(const char *text, size_t n, struct lh_buf *out, struct lh_buf *why);

/* Return whether two roles are equal without ASCII case, surrounding blanks and the
 * plural of the last word ("Welders", "Secretaries", "Coaches"). */
bool lh_role_same(const char *a, size_t an, const char *b, size_t bn);

#endif
