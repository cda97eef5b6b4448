/*
 * pool.c - threads that ask, and the order of their answers.  See review.h.
 *
 * A ring of bundles, each with one question for each model.  The main thread fills a bundle,
 * submits its questions, and merges the answers of the oldest bundle once all are there.  The
 * questions are numbered through all bundles, and the threads take them in this order.
 */
#include "review.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"

struct slot {
	struct bundle bundle;
	size_t left;		/* questions without an answer */
};

struct worker {
	struct pool *pool;
	struct asker *asker;
	pthread_t thread;
};

struct pool {
	struct review *r;
	struct slot *slot;
	size_t slots;
	uint64_t head, tail;	/* bundles in flight; never reset */
	uint64_t taken;		/* questions */
	struct worker *worker;
	size_t workers, most;
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	bool quit;
};

struct pool *pool_new(struct review *r, struct lh_err *err)
{
	struct pool *p = lh_calloc(1, sizeof *p, err);

	if (!p)
		return NULL;
	p->r = r;
	p->most = r->tool->jobs;
	p->slots = p->most / r->n_models + 2;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	p->slot = lh_calloc(p->slots, sizeof *p->slot, err);
	p->worker = p->slot ? lh_calloc(p->most, sizeof *p->worker, err) : NULL;
	if (p->worker)
		return p;
	pool_free(p);
	return NULL;
}

void pool_free(struct pool *p)
{
	size_t i;

	if (!p)
		return;
	pthread_mutex_lock(&p->mutex);
	p->quit = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
	for (i = 0; i < p->workers; i++) {
		pthread_join(p->worker[i].thread, NULL);
		asker_free(p->worker[i].asker);
	}
	for (i = 0; p->slot && i < p->slots; i++)
		bundle_free(&p->slot[i].bundle);
	free(p->slot);
	free(p->worker);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	size_t models = p->r->n_models, m;
	struct slot *s;

	pthread_mutex_lock(&p->mutex);
	for (;;) {
		while (!p->quit && p->taken == p->tail * models)
			pthread_cond_wait(&p->work, &p->mutex);
		if (p->quit)
			break;
		s = &p->slot[p->taken / models % p->slots];
		m = p->taken++ % models;
		pthread_mutex_unlock(&p->mutex);
		asker_ask(w->asker, &p->r->model[m], &s->bundle, &s->bundle.answer[m]);
		pthread_mutex_lock(&p->mutex);
		if (!--s->left)
			pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Start one more thread; if none can be started, go on with those that run. */
static int start(struct pool *p, struct lh_err *err)
{
	struct worker *w = &p->worker[p->workers];
	sigset_t old;
	int rc;

	w->pool = p;
	w->asker = asker_new(p->r, err);
	if (!w->asker)
		return -1;
	lh_signal_block(&old);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0) {
		p->workers++;
		return 0;
	}
	asker_free(w->asker);
	p->most = p->workers;
	return p->workers ? 0 : lh_err_set(err, LH_EIO, "cannot start a thread");
}

struct bundle *pool_next(struct pool *p)
{
	return &p->slot[p->tail % p->slots].bundle;
}

/* Return whether the oldest bundle in flight is finished, or wait until it is. */
static bool is_done(struct pool *p, bool wait)
{
	struct slot *s = &p->slot[p->head % p->slots];
	bool done;

	pthread_mutex_lock(&p->mutex);
	while (wait && s->left)
		pthread_cond_wait(&p->done, &p->mutex);
	done = !s->left;
	pthread_mutex_unlock(&p->mutex);
	return done;
}

static int pass_oldest(struct pool *p, struct lh_err *err)
{
	struct bundle *b = &p->slot[p->head % p->slots].bundle;
	int rc = merge_bundle(p->r, b, err);

	bundle_reset(b);
	p->head++;
	lh_tool_progress(p->r->tool, p->head);
	return rc;
}

int pool_pass(struct pool *p, bool wait, struct lh_err *err)
{
	while (p->head < p->tail && is_done(p, wait))
		if (pass_oldest(p, err) < 0)
			return -1;
	return 0;
}

int pool_submit(struct pool *p, struct lh_err *err)
{
	uint64_t wanted = (p->tail - p->head + 1) * p->r->n_models;

	while (p->workers < p->most && p->workers < wanted)
		if (start(p, err) < 0)
			return -1;
	p->r->bundles++;
	pthread_mutex_lock(&p->mutex);
	p->slot[p->tail % p->slots].left = p->r->n_models;
	p->tail++;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
	if (p->tail - p->head < p->slots)
		return 0;
	is_done(p, true);
	return pass_oldest(p, err);
}
