/*
 * held_parts - generations of what a tool holds, for the flow.
 *
 *     if (lh_held_look(h, err) == 0)
 *             g = lh_held_take(h);            (the newest, counted for a block)
 *     lh_holding_share(g);                    (and for the thread that maps it)
 *     lh_holding_give(g);                     (the last one closes the state)
 *
 * Private to liblh.
 */
#ifndef LH_HELD_PARTS_H
#define LH_HELD_PARTS_H

#include "held.h"

struct lh_holding;

/* Take up what changed: 0, or -1 when it could not be, with status 503 and
 * LH_EDATA, unless it is the run that cannot go on (LH_ENOMEM, LH_EINTR). */
int lh_held_look(struct lh_held *h, struct lh_err *err);

struct lh_holding *lh_held_take(struct lh_held *h);
void lh_holding_share(struct lh_holding *g);
void lh_holding_give(struct lh_holding *g);	/* NULL: nothing */
void *lh_holding_state(const struct lh_holding *g);
/* Is it another than the state that the first records were answered from? */
bool lh_holding_renewed(const struct lh_holding *g);
bool lh_held_newest(const struct lh_held *h, const struct lh_holding *g);

#endif
