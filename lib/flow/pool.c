/* pool.c - threads for mapping blocks, and their order.  See pool.h. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal.h"

int lh_flow_pool_init(struct lh_flow_pool *p, const struct lh_flow *flow, struct lh_err *err)
{
	size_t i;

	memset(p, 0, sizeof *p);
	p->flow = flow;
	p->jobs = (size_t)flow->jobs;
	p->slots = p->jobs > 1 ? p->jobs * 2 + 1 : 1;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	p->mappers = lh_calloc(p->jobs, sizeof *p->mappers);
	p->threads = lh_calloc(p->jobs, sizeof *p->threads);
	p->ring = lh_calloc(p->slots, sizeof *p->ring);
	for (i = 0; i < p->slots; i++) {
	}
	p->n_mappers = 1;
	return lh_flow_mapper_init(&p->mappers[0], flow, err);
}

void lh_flow_pool_free(struct lh_flow_pool *p)
{
	size_t i;

	pthread_mutex_lock(&p->mutex);
	/* Blocks still in flight are no longer needed: end their upstream calls too. */
	__atomic_store_n(&p->quit, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
	for (i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	for (i = 0; i < p->n_mappers; i++)
		lh_flow_mapper_free(&p->mappers[i]);
	for (i = 0; p->ring && i < p->slots; i++)
		lh_flow_block_free(&p->ring[i]);
	free(p->mappers);
	free(p->threads);
	free(p->ring);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->mutex);
}

static void *run(void *arg)
{
	struct lh_flow_mapper *m = arg;
	struct lh_flow_pool *p = m->pool;
	struct lh_flow_block *b;

	lh_stop_when(&p->quit);
	pthread_mutex_lock(&p->mutex);
	for (;;) {
		while (!p->quit && p->taken == p->tail)
			pthread_cond_wait(&p->work, &p->mutex);
		if (p->quit)
			break;
		b = &p->ring[p->taken++ % p->slots];
		pthread_mutex_unlock(&p->mutex);
		lh_flow_map_block(m, b);
		pthread_mutex_lock(&p->mutex);
		b->done = true;
		pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Start one more thread; if none can be started, continue with those that run. */
static int start(struct lh_flow_pool *p, struct lh_err *err)
{
	struct lh_flow_mapper *m = &p->mappers[p->n_threads];
	sigset_t old;
	int rc;

	if (p->n_threads == p->n_mappers) {
		p->n_mappers++;
		if (lh_flow_mapper_init(m, p->flow, err) < 0)
			return -1;
	}
	m->pool = p;
	lh_signal_block(&old);
	rc = pthread_create(&p->threads[p->n_threads], NULL, run, m);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		p->n_threads++;
	else
		p->jobs = p->n_threads;
	return 0;
}

struct lh_flow_block *lh_flow_pool_block(struct lh_flow_pool *p)
{
	return lh_flow_pool_in_flight(p) < p->slots ? &p->ring[p->tail % p->slots] : NULL;
}

int lh_flow_pool_submit(struct lh_flow_pool *p, struct lh_err *err)
{
	if (p->n_threads < p->jobs && p->n_threads <= lh_flow_pool_in_flight(p) &&
	    start(p, err) < 0)
		return -1;
	if (!p->n_threads)
		return 1;
	pthread_mutex_lock(&p->mutex);
	p->ring[p->tail % p->slots].done = false;
	p->tail++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->mutex);
	return 0;
}

struct lh_flow_block *lh_flow_pool_oldest(struct lh_flow_pool *p, bool wait)
{
	struct lh_flow_block *b = NULL;

	if (!lh_flow_pool_in_flight(p))
		return NULL;
	pthread_mutex_lock(&p->mutex);
	b = &p->ring[p->head % p->slots];
	while (wait && !b->done)
		pthread_cond_wait(&p->done, &p->mutex);
	if (!b->done)
		b = NULL;
	pthread_mutex_unlock(&p->mutex);
	return b;
}

void lh_flow_pool_give_back(struct lh_flow_pool *p)
{
	p->head++;
}

void lh_flow_pool_rest(struct lh_flow_pool *p)
{
	size_t i;

	for (i = 0; p->flow->held && i < p->n_mappers; i++)
		if (!lh_held_newest(p->flow->held, p->mappers[i].held))
			lh_flow_mapper_rest(&p->mappers[i]);
}
