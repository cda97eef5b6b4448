/*
 * roster_choice - the first of several rosters that is there.
 *
 *     struct lh_chosen_roster now = { NULL, NULL };
 *     if (lh_roster_choose(&choice, before, &now, jobs, err) == 0)
 *             ... now.roster, or NULL while there is none ...
 *     lh_roster_close(now.roster);
 *
 * A filter asks lh_roster_choice_stale before each block of records: another one may have come.
 */
#ifndef LH_ROSTER_CHOICE_H
#define LH_ROSTER_CHOICE_H

#include <lh/roster.h>

struct lh_roster_choice {
	const char *const *path;
	size_t n;
	bool later;		/* wait for one that does not exist; else the first must */
};

struct lh_chosen_roster {
	const char *path;	/* of the choice; NULL: none is there */
	struct lh_roster *roster;
};

/* Return the path of the first that is there; NULL if there is none and that is accepted. */
const char *lh_roster_first(const struct lh_roster_choice *c);
/* Open it, or renew the one before; was: that before, or NULL. */
int lh_roster_choose(const struct lh_roster_choice *c, const struct lh_chosen_roster *was,
		     struct lh_chosen_roster *now, unsigned jobs, struct lh_err *err);
bool lh_roster_choice_stale(const struct lh_roster_choice *c, const struct lh_chosen_roster *is);

#endif
