/* stats.c - counts of each route.  See site.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "site.h"

/* Upper bounds of the histogram, in seconds. */
const double stats_bound[BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
				     0.25, 0.5, 1, 2.5, 5, 10, 30 };

struct route_stats *stats_of(struct stats *all, const char *route)
{
	struct route_stats *st;

	for (st = all->first; st; st = st->next)
		if (!strcmp(st->route, route))
			return st;
	st = lh_calloc(1, sizeof *st);
	st->route = lh_strndup(route, strlen(route));
	st->next = all->first;
	all->first = st;
	return st;
}

void stats_free(struct stats *all)
{
	struct route_stats *st;

	while ((st = all->first)) {
		all->first = st->next;
		free(st->route);
		free(st);
	}
}

void stats_count(struct route_stats *st, unsigned status, double seconds)
{
	unsigned i;

	for (i = 0; i < BUCKETS && seconds > stats_bound[i]; i++)
		;
	st->bucket[i]++;
	st->requests++;
	st->seconds += seconds;
	st->status[status < STATUSES ? status : 0]++;
}
