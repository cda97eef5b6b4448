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

#include "embed.h"

/* A model and the dimension of its vectors. */
struct model {
	char *name;
	char *space;			/* prefix of its keys in the caches: what makes its
					 * vectors, and its name */
	atomic_size_t dimension;	/* 0 until the first answer */
	atomic_bool from_file;		/* it was learned from a vector of --cache */
	struct model *next;
};

struct models {
	char *by;			/* what makes the vectors: engine and settings */
	pthread_mutex_t lock;
	struct model *first;		/* grows under lock */
};

/* Set what makes the vectors. */
void models_init(struct models *ms, const struct embed *e);
void models_free(struct models *ms);

/* Find or add the model of that name. */
struct model *models_find(struct models *ms, const char *name, size_t n);

#endif
