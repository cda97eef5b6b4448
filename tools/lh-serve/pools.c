/* pools.c - pools of filters, shared by routes and by sites.  See site.h. */
#include <stdlib.h>
#include <string.h>

#include <lh/time.h>
#include "base/mem.h"
#include "site.h"

#define END_SECONDS 5.0			/* for filters to end by themselves */
#define END_TURN 50			/* milliseconds */

static void warn(void *tool, const char *text)
{
	lh_tool_warn(tool, "%s", text);
}

static struct shared_pool *start_pool(struct pools *all, const struct lh_pool_how *how,
				      struct lh_err *err)
{
	struct shared_pool *p = lh_calloc(1, sizeof *p, err);

	if (p && lh_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v, err) == 0)
		p->pool = lh_pool_new(how, err);
	if (p && p->pool)
		return all->v[all->n++] = p;
	free(p);
	return NULL;
}

/* Return at how many lines a command works at one time, 0 if that is not known: what -jN says; a
 * tool of ours at one after the other if it is asked so, or answers requests. */
static unsigned jobs_of(char *const *argv, unsigned depth)
{
	const bool ours = !strncmp(*argv, "lh-", 3);

	for (argv++; *argv; argv++)
		if (!strncmp(*argv, "-j", 2))
			return (unsigned)strtoul(*argv + 2, NULL, 10);
		else if (ours && (!strcmp(*argv, "requests") || !strcmp(*argv, "--requests")))
			return 1;
	return ours && depth == 1;
}

struct shared_pool *pools_take(struct pools *all, struct lh_pool_how how,
			       const struct lh_serve_config *c, struct lh_err *err)
{
	struct shared_pool *p = NULL;
	size_t i;

	how.keys = lh_route_keys(how.argv[0]);
	if (!how.queue)
		how.queue = (unsigned)c->limits.queue;
	how.lazy = !c->warm;
	how.jobs = jobs_of(how.argv, how.depth);
	how.loop = all->loop;
	how.ended = warn;
	how.owner = all->tool;
	for (i = 0; i < all->n && !p; i++)
		if (!all->v[i]->retired && lh_pool_is(all->v[i]->pool, &how))
			p = all->v[i];
	if (!p)
		p = start_pool(all, &how, err);
	if (p && c->warm)
		lh_pool_warm(p->pool);
	if (p)
		p->sites++;
	return p;
}

void pools_drop(struct shared_pool *p)
{
	if (!p || --p->sites)
		return;
	p->retired = true;
	if (p->pool)
		lh_pool_retire(p->pool);
}

void pools_tick(struct pools *all)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		lh_pool_tick(all->v[i]->pool);
	for (i = 0; i < all->n; i++) {
		struct shared_pool *p = all->v[i];

		if (!p->retired || !lh_pool_over(p->pool)) {
			all->v[n++] = p;
			continue;
		}
		lh_pool_free(p->pool);
		free(p);
	}
	all->n = n;
}

void pools_kill(struct pools *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		lh_pool_kill(all->v[i]->pool);
}

void pools_end(struct pools *all)
{
	const double until = lh_time_monotonic() + END_SECONDS;
	struct lh_err err;
	size_t i, open = 1;

	for (i = 0; i < all->n; i++)
		lh_pool_retire(all->v[i]->pool);
	while (open && lh_time_monotonic() < until) {
		for (open = i = 0; i < all->n; i++) {
			lh_pool_tick(all->v[i]->pool);
			open += !lh_pool_over(all->v[i]->pool);
		}
		if (open)
			lh_loop_wait(all->loop, END_TURN, &err);
	}
	for (i = 0; i < all->n; i++) {
		lh_pool_free(all->v[i]->pool);
		all->v[i]->pool = NULL;
	}
}

void pools_free(struct pools *all)
{
	while (all->n)
		free(all->v[--all->n]);
	free(all->v);
}
