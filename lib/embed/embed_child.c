/* embed_child.c - the children lh-embed of this process.  See embed_child.h. */
#include "embed_child.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lh_embed_child *shared;	/* under lock, as are their users */

static struct lh_embed_child *child_new(const char *key)
{
	struct lh_embed_child *c = lh_calloc(1, sizeof *c);

	c->key = key ? lh_strndup(key, strlen(key)) : NULL;
	if (key && !c->key) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

struct lh_embed_child *lh_embed_child_get(const char *key)
{
	struct lh_embed_child *c;

	if (!key)
		return child_new(NULL);
	pthread_mutex_lock(&lock);
	for (c = shared; c && strcmp(c->key, key) != 0; c = c->next)
		;
	if (!c && (c = child_new(key))) {
		c->next = shared;
		shared = c;
	}
	if (c)
		c->users++;
	pthread_mutex_unlock(&lock);
	return c;
}

/* Return whether the child has no user left; it is then no longer shared. */
static bool leave(struct lh_embed_child *c)
{
	struct lh_embed_child **at = &shared;
	bool last;

	pthread_mutex_lock(&lock);
	last = --c->users == 0;
	while (last && *at != c)
		at = &(*at)->next;
	if (last)
		*at = c->next;
	pthread_mutex_unlock(&lock);
	return last;
}

void lh_embed_child_give(struct lh_embed_child *c)
{
	struct lh_err unused;

	if (!c || (c->key && !leave(c)))
		return;
	lh_coproc_stop(&c->run, &unused);
	pthread_mutex_destroy(&c->lock);
	free(c->key);
	free(c);
}
