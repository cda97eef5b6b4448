/*
 * embed_child - the children lh-embed of this process.
 *
 *     c = lh_embed_child_get(key, err)
 *     pthread_mutex_lock(&c->lock);
 *     ... start c->run unless it runs, ask it, read its reply ...
 *     pthread_mutex_unlock(&c->lock);
 *     lh_embed_child_give(c);
 *
 * Embedders with the same key have one child: a model takes much memory, and its child uses
 * all cores by itself.  With the key NULL a child is not shared.
 *
 * Threads: any number.
 */
#ifndef LH_EMBED_CHILD_H
#define LH_EMBED_CHILD_H

#include <pthread.h>

#include "proc/coproc.h"

struct lh_embed_child {
	struct lh_coproc run;		/* under lock */
	pthread_mutex_t lock;
	struct lh_embed_child *next;
	char *key;			/* NULL: not shared */
	size_t users;
};

struct lh_embed_child *lh_embed_child_get(const char *key);
/* Stop the child after its last user. */
void lh_embed_child_give(struct lh_embed_child *c);

#endif
