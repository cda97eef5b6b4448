/*
 * pool - threads that map blocks, and a ring that keeps their order.
 *
 * The main thread submits blocks and takes them back in the same order; the
 * threads are started one by one as blocks come, up to flow->jobs.  When none
 * is in flight the main thread may map with the first mapper itself, so that
 * short inputs and co-processes never start a thread.
 *
 * Private to liblh.
 */
#ifndef LH_POOL_H
#define LH_POOL_H

#include <pthread.h>

#include "flow_parts.h"

struct lh_flow_pool {
	const struct lh_flow *flow;
	struct lh_flow_mapper *mappers;
	pthread_t *threads;
	size_t jobs, n_mappers, n_threads;
	struct lh_flow_block *ring;
	size_t slots, head, taken, tail;	/* counted without end: slot is n % slots */
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	bool quit;
};

int lh_flow_pool_init(struct lh_flow_pool *p, const struct lh_flow *flow, struct lh_err *err);
void lh_flow_pool_free(struct lh_flow_pool *p);

/* The free block to fill next; NULL when all are in flight. */
struct lh_flow_block *lh_flow_pool_block(struct lh_flow_pool *p);

/* Hand that block to the threads; 1 when there are none to be had. */
int lh_flow_pool_submit(struct lh_flow_pool *p, struct lh_err *err);

/* The oldest block in flight, NULL when there is none; wait: until it is
 * mapped, else NULL also when it is not.  Then give it back. */
struct lh_flow_block *lh_flow_pool_oldest(struct lh_flow_pool *p, bool wait);
void lh_flow_pool_give_back(struct lh_flow_pool *p);

/* Nothing is in flight: threads let go of states that are not the newest. */
void lh_flow_pool_rest(struct lh_flow_pool *p);

static inline size_t lh_flow_pool_in_flight(const struct lh_flow_pool *p)
{
	return p->tail - p->head;
}

#endif
