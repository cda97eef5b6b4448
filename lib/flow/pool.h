/*
 * pool - threads for mapping blocks, and a ring of blocks that keeps their order.
 *
 * The calling thread submits blocks and gets them back in the same order.  Threads are
 * started one by one as blocks are submitted, up to flow->jobs.  A block is in flight from
 * its submission until it is given back.  While none is in flight, the calling thread may
 * map a block itself with the first mapper, so that short inputs and co-processes start no
 * thread.
 *
 * Private to lib.
 */
#ifndef LH_FLOW_POOL_H
#define LH_FLOW_POOL_H

#include <pthread.h>

#include "flow_parts.h"

struct lh_flow_pool {
	const struct lh_flow *flow;
	struct lh_flow_mapper *mappers;
	pthread_t *threads;
	size_t jobs, n_mappers, n_threads;
	struct lh_flow_block *ring;
	/* Block numbers, never reset; block n is ring[n % slots].  In flight: head to tail;
	 * taken by a thread: head to taken. */
	size_t slots, head, taken, tail;
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	bool quit;		/* under the mutex, and atomically: threads look without it */
};

int lh_flow_pool_init(struct lh_flow_pool *p, const struct lh_flow *flow, struct lh_err *err);
void lh_flow_pool_free(struct lh_flow_pool *p);

/* Return the free block to fill next, or NULL when all are in flight. */
struct lh_flow_block *lh_flow_pool_block(struct lh_flow_pool *p);

/* Submit that block to the threads.  0, 1 when no thread could be started, or -1. */
int lh_flow_pool_submit(struct lh_flow_pool *p, struct lh_err *err);

/* Return the oldest block in flight once it is mapped, or NULL when none is in flight; if it
 * is not mapped yet, wait for it or return NULL.  Give it back after use. */
struct lh_flow_block *lh_flow_pool_oldest(struct lh_flow_pool *p, bool wait);
void lh_flow_pool_give_back(struct lh_flow_pool *p);

/* Release all states but the newest.  No block may be in flight. */
void lh_flow_pool_rest(struct lh_flow_pool *p);

static inline size_t lh_flow_pool_in_flight(const struct lh_flow_pool *p)
{
	return p->tail - p->head;
}

#endif
