/* roster_choice.c - the first of several rosters that is there.  See roster_choice.h. */
#include "roster_choice.h"

#include <string.h>
#include <sys/stat.h>

const char *lh_roster_first(const struct lh_roster_choice *c)
{
	struct stat st;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->path[i], "-") || stat(c->path[i], &st) == 0)
			return c->path[i];
	return c->n && !c->later ? c->path[0] : NULL;
}

int lh_roster_choose(const struct lh_roster_choice *c, const struct lh_chosen_roster *was,
		     struct lh_chosen_roster *now, unsigned jobs, struct lh_err *err)
{
	now->path = lh_roster_first(c);
	if (!now->path)
		return 0;
	if (was && was->roster && was->path == now->path)
		now->roster = lh_roster_renew(was->roster, jobs, err);
	else
		now->roster = lh_roster_open(now->path, jobs, err);
	return now->roster ? 0 : -1;
}

bool lh_roster_choice_stale(const struct lh_roster_choice *c, const struct lh_chosen_roster *is)
{
	return lh_roster_first(c) != is->path || (is->roster && lh_roster_stale(is->roster));
}
