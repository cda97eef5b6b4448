/*
 * versions - by which roster and rules a verdict was given.
 *
 * The version of an index is its generation (index/index_tools.h), that of a file of lines its
 * SHA-256 in hex, and that of rules the SHA-256 of their files, one after the other in the order
 * of their names.
 */
#ifndef LH_VERSIONS_H
#define LH_VERSIONS_H

#include "roster_choice.h"
#include <lh/rules.h>

#define LH_VERSION_MAX 72		/* bytes, with NUL */

/* Write the version; it is empty if the file was a pipe, or has changed since it was opened. */
int lh_roster_version(const struct lh_roster *r, char to[LH_VERSION_MAX], struct lh_err *err);
void lh_rules_version(const struct lh_rules *r, char to[LH_VERSION_MAX]);

/* By what verdicts are given, as it was read. */
struct lh_judged_by {
	struct lh_str roster;			/* its name; p NULL: none */
	char roster_version[LH_VERSION_MAX], rules_version[LH_VERSION_MAX];	/* or "" */
};
/* rules: or NULL. */
int lh_judged_by(struct lh_judged_by *by, const struct lh_chosen_roster *roster,
		 const struct lh_rules *rules, struct lh_err *err);

#endif
