/*
 * models - the models that were asked for, each with what is known of it.
 *
 * Owner:   models live until models_free.
 * Threads: any number may ask.
 */
#ifndef MODELS_H
#define MODELS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <lh/err.h>

/* A model and the dimension its vectors turned out to have. */
struct model {
	char *name;
	char *space;			/* of its keys in the caches: engine and name */
	atomic_size_t dimension;	/* 0 until the first answer */
	atomic_bool from_file;		/* that was a vector of --cache */
	struct model *next;
};

struct models {
	const char *engine;
	pthread_mutex_t lock;
	struct model *first;		/* grows under lock */
};

void models_init(struct models *ms, const char *engine);
void models_free(struct models *ms);

/* The model of that name, known from now on; NULL: no memory. */
struct model *models_find(struct models *ms, const char *name, size_t n, struct lh_err *err);

#endif
