/*
 * remote.h - what remote.c and fetch.c share: the texts of a batch of records, and the thread
 * that works on it.  remote.c has the records, fetch.c the vectors.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include "cache.h"
#include "lru.h"
#include "models.h"
#include "request.h"

#define NOWHERE SIZE_MAX

struct item {			/* a text */
	unsigned char key[32];
	struct model *model;
	const char *p;		/* NULL: at off in w->scratch */
	size_t off, n;
	size_t first;		/* the first item equal to this one */
	bool ours;		/* this thread fetches that one */
	bool promised;		/* others wait in the cache for it */
	size_t at, dimension;	/* its vector in w->vectors; NOWHERE: none yet */
	struct lh_str trace;	/* for the request; n = 0: none */
	size_t why;		/* number of its error, from 1 */
	bool cut;		/* its vector is that of its beginning, and is not cached */
};

struct task {			/* a record */
	struct request rq;
	struct lh_err *bad;	/* the error of its rejection, or NULL */
	struct model *model;
	size_t first, n;	/* its items */
};

struct remote {
	struct embed *e;
	struct lh_lru *cache;	/* NULL: none */
	struct cache *file;	/* NULL: none */
	struct models models;
	pthread_mutex_t lock;
	struct lh_err failure;	/* of the first failed call; under lock */
};

struct worker {
	struct remote *r;
	const struct embed *e;	/* with the present model */
	void *engine;
	struct task *task;
	size_t n_tasks;
	struct lh_buf items, table, texts, scratch, vectors, entries;
	struct lh_buf called;	/* the items of one call: size_t each */
	struct lh_buf traces;	/* ids that had escapes; does not move */
	struct lh_buf errors;	/* of texts: struct lh_err each */
	struct lh_buf said;	/* of one answer, as JSON */
};

static inline struct item *item(struct worker *w, size_t i)
{
	return (struct item *)w->items.p + i;
}

static inline size_t n_items(const struct worker *w)
{
	return w->items.len / sizeof(struct item);
}

/* Store an error; returns its number, from 1. */
size_t note(struct worker *w, const struct lh_err *why);

/* Get the vectors of all items: from the caches, from another thread, or by calls.  An item that
 * fails by itself gets its error in `why`; -1 with *err ends the run. */
int fetch(struct worker *w, struct lh_err *err);

#endif
