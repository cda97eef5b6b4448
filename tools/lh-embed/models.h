/*
 * models - the models requested in a run, and what is known of each.
 *
 * Owner:   models live until models_free.
 * Threads: any number.
 */
#ifndef MODELS_H
#define MODELS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <lh/err.h>

/* A model and the dimension of its vectors. */
struct model {
	char *name;
	char *space;			/* prefix of its keys in the caches: engine and name */
	atomic_size_t dimension;	/* 0 until the first answer */
	atomic_bool from_file;		/* it was learned from a vector of --cache */
	struct model *next;
};

struct models {
	const char *engine;
	pthread_mutex_t lock;
	struct model *first;		/* grows under lock */
};

void models_init(struct models *ms, const char *engine);
void models_free(struct models *ms);

/* Find or add the model of that name; NULL without memory. */
struct model *models_find(struct models *ms, const char *name, size_t n, struct lh_err *err);

#endif
