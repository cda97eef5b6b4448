/* bind_meant.h - names by which other programs call members of requests.  See bind_meant.c. */
#ifndef LH_BIND_MEANT_H
#define LH_BIND_MEANT_H

#include "json/bind.h"

/* Return the names "a|b" of members, one of which a key of another program stands for; NULL: none.
 * *why: what to do, if there is no such member of ours, or NULL. */
const char *lh_bind_foreign(const struct lh_value *key, const char **why);

/* Return whether a key that a table does not have is meant for one of its members. */
bool lh_bind_is_meant(const struct lh_bind *table, const struct lh_value *key,
		      enum lh_bind_watch watch);

/* Return the line of a table that has one of these names, or NULL. */
const struct lh_bind *lh_bind_line_named(const struct lh_bind *table, const char *names);

#endif
