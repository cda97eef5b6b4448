/*
 * held_parts - the generations of a held state, for the flow.
 *
 *     if (lh_held_look(h, err) == 0)
 *             g = lh_held_take(h);            (the newest, counted for a block)
 *     lh_holding_share(g);                    (and for the thread that maps it)
 *     lh_holding_give(g);                     (the last one closes the state)
 */
#ifndef LH_HELD_PARTS_H
#define LH_HELD_PARTS_H

#include "held.h"

struct lh_holding;

/* Open a new state if the files changed: 0, or -1 if that failed, with status 503
 * and LH_EDATA; or with LH_ENOMEM or LH_EINTR, which end the run. */
int lh_held_look(struct lh_held *h, struct lh_err *err);

struct lh_holding *lh_held_take(struct lh_held *h);
void lh_holding_share(struct lh_holding *g);
void lh_holding_give(struct lh_holding *g);	/* NULL: does nothing */
void *lh_holding_state(const struct lh_holding *g);
/* Return whether it is another state than the one that the first records were given. */
bool lh_holding_renewed(const struct lh_holding *g);
bool lh_held_newest(const struct lh_held *h, const struct lh_holding *g);

#endif
