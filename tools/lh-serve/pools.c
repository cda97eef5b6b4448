/* pools.c - pools of filters, shared by routes and by sites.  See site.h. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/mem.h"
#include "file/confine.h"
#include "json/write.h"
#include "site.h"

#define END_SECONDS 5.0			/* for filters to end by themselves */
#define END_TURN 50			/* milliseconds */

static struct shared_pool *start_pool(struct pools *all, const struct lh_pool_how *how,
				      struct lh_err *err)
{
	struct shared_pool *p = lh_calloc(1, sizeof *p);
	const bool open = !lh_filter_has_row(how->argv);

	if (open)
		p->open = lh_strndup(*how->argv, strlen(*how->argv));
	lh_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v);
	p->pool = lh_pool_new(how, err);
	if (p->pool)
		return all->v[all->n++] = p;
	free(p->open);
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
			       const struct lh_serve_config *c, const struct lh_route *route,
			       struct lh_err *err)
{
	struct shared_pool *p = NULL;
	struct lh_confine may = { .n = 0 };
	size_t i;

	if (!c->no_confine) {
		how.may = &may;
		how.tmp = lh_filter_has_row(how.argv) ? all->tmp.path : NULL;
		if (lh_filter_confine(&may, how.argv, &(struct lh_filter_place){
					c->state, all->tmp.path, &c->may_read, route }, err) < 0)
			return NULL;
	}
	how.keys = lh_route_keys(route ? lh_route_program(route) : how.argv[0]);
	if (!how.queue)
		how.queue = (unsigned)c->limits.queue;
	how.lazy = !c->warm;
	how.jobs = jobs_of(how.argv, how.depth);
	how.loop = all->loop;
	how.ended = lh_tool_told;
	how.owner = all->tool;
	for (i = 0; i < all->n && !p; i++)
		if (!all->v[i]->retired && lh_pool_is(all->v[i]->pool, &how))
			p = all->v[i];
	if (!p)
		p = start_pool(all, &how, err);
	lh_confine_free(&may);
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
		free(p->open);
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

/* ---- what is not confined ---- */

/* Return whether a pool is the first one of its program that is not confined. */
static bool is_first_open(const struct pools *all, size_t n)
{
	size_t i;

	for (i = 0; all->v[n]->open && i < n; i++)
		if (all->v[i]->open && !strcmp(all->v[i]->open, all->v[n]->open))
			return false;
	return all->v[n]->open;
}

void pools_write_open(struct lh_writer *w, const struct pools *all,
		      const struct lh_serve_config *c)
{
	const unsigned missing = c->no_confine ? 0 : lh_confine_missing();
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		n += is_first_open(all, i);
	if (!missing && !n && !c->no_confine)
		return;
	lh_write_object(w, "confinement");
	lh_write_bool(w, "off", c->no_confine);
	lh_write_array(w, "missing");
	for (i = 0; lh_confine_parts[i]; i++)
		if (missing & 1U << i)
			lh_write_text(w, NULL, lh_confine_parts[i]);
	lh_write_end(w);
	lh_write_array(w, "unconfined");
	for (i = 0; i < all->n; i++)
		if (is_first_open(all, i))
			lh_write_bytes(w, NULL, all->v[i]->open);
	lh_write_end(w);
	lh_write_end(w);
}

void pools_say_open(const struct pools *all, const struct lh_serve_config *c)
{
	const unsigned missing = lh_confine_missing();
	size_t i;

	if (c->no_confine) {
		lh_tool_warn(all->tool, "filters are not confined (--no-confine)");
		return;
	}
	for (i = 0; lh_confine_parts[i]; i++)
		if (missing & 1U << i)
			lh_tool_warn(all->tool, "the kernel does not confine filters: %s",
				     lh_confine_parts[i]);
	for (i = 0; i < all->n; i++)
		if (is_first_open(all, i))
			lh_tool_message(all->tool, "%s is not confined, but to its privileges: "
					"it does not say what it needs", all->v[i]->open);
}

void pools_free(struct pools *all)
{
	while (all->n) {
		free(all->v[--all->n]->open);
		free(all->v[all->n]);
	}
	free(all->v);
}
