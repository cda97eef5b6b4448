/* versions.c - by which roster and rules verdicts are given.  See validate_parts.h. */
#include "validate_parts.h"

#include "index/index_tools.h"

int lh_judged_by(struct lh_judged_by *by, const struct lh_chosen_roster *roster,
		 const struct lh_rules *rules, struct lh_err *err)
{
	*by = (struct lh_judged_by){ .roster = { NULL, 0 } };
	if (rules)
		lh_rules_version(rules, by->rules_version);
	if (!roster->roster)
		return 0;
	by->roster = lh_index_name(roster->path);
	return lh_roster_version(roster->roster, by->roster_version, err);
}
