/* metrics.c - counts, as Prometheus reads them.  See serve.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve.h"

/* Upper bounds of the histogram, in seconds. */
static const double bound[BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
				       0.25, 0.5, 1, 2.5, 5, 10, 30 };

struct route_stats *stats_of(struct server *s, const char *route, struct lh_err *err)
{
	struct route_stats *st;

	for (st = s->stats; st; st = st->next)
		if (!strcmp(st->route, route))
			return st;
	st = lh_calloc(1, sizeof *st, err);
	if (!st)
		return NULL;
	st->route = lh_strndup(route, strlen(route), err);
	if (!st->route) {
		free(st);
		return NULL;
	}
	st->next = s->stats;
	s->stats = st;
	return st;
}

void stats_free(struct server *s)
{
	struct route_stats *st;

	while ((st = s->stats)) {
		s->stats = st->next;
		free(st->route);
		free(st);
	}
}

void stats_count(struct route_stats *st, unsigned status, double seconds)
{
	unsigned i;

	for (i = 0; i < BUCKETS && seconds > bound[i]; i++)
		;
	st->bucket[i]++;
	st->requests++;
	st->seconds += seconds;
	st->status[status < STATUSES ? status : 0]++;
}

static void heading(struct lh_buf *out, const char *name, const char *type, const char *help)
{
	lh_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Append a label's value: a route has no control characters, but may have quotes. */
static void label(struct lh_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			lh_buf_putc(out, '\\');
		if (*text == '\n')
			lh_buf_puts(out, "\\n");
		else
			lh_buf_putc(out, *text);
	}
}

static void requests_total(struct lh_buf *out, const struct server *s)
{
	const struct route_stats *st;
	unsigned code;

	heading(out, "lh_serve_requests_total", "counter", "Requests answered.");
	for (st = s->stats; st; st = st->next)
		for (code = 0; code < STATUSES; code++) {
			if (!st->status[code])
				continue;
			lh_buf_puts(out, "lh_serve_requests_total{route=\"");
			label(out, st->route);
			lh_buf_printf(out, "\",code=\"%u\"} %llu\n", code,
				      (unsigned long long)st->status[code]);
		}
}

static void seconds_of(struct lh_buf *out, const struct route_stats *st)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i <= BUCKETS; i++) {
		sum += st->bucket[i];
		lh_buf_puts(out, "lh_serve_request_seconds_bucket{route=\"");
		label(out, st->route);
		if (i < BUCKETS)
			lh_buf_printf(out, "\",le=\"%g\"} %llu\n", bound[i],
				      (unsigned long long)sum);
		else
			lh_buf_printf(out, "\",le=\"+Inf\"} %llu\n", (unsigned long long)sum);
	}
	lh_buf_puts(out, "lh_serve_request_seconds_sum{route=\"");
	label(out, st->route);
	lh_buf_printf(out, "\"} %.9g\nlh_serve_request_seconds_count{route=\"", st->seconds);
	label(out, st->route);
	lh_buf_printf(out, "\"} %llu\n", (unsigned long long)st->requests);
}

static uint64_t own_memory(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Append what differs by pool, named by the first route that uses it. */
static void pools(struct lh_buf *out, const struct server *s)
{
	const struct site *site = s->site;
	struct lh_pool_state st;
	size_t i, j;
	int what;

	for (what = 0; what < 2; what++) {
		if (what)
			heading(out, "lh_serve_memory_bytes", "gauge", "Resident memory.");
		else
			heading(out, "lh_serve_restarts_total", "counter",
				"Processes of filters started again.");
		if (what)
			lh_buf_printf(out, "lh_serve_memory_bytes{process=\"lh-serve\"} %llu\n",
				      (unsigned long long)own_memory());
		for (i = 0; i < site->routes.n; i++) {
			for (j = 0; j < i && site->route[j].pool != site->route[i].pool; j++)
				;
			if (!site->route[i].pool || j < i)
				continue;
			lh_pool_state(site->route[i].pool->pool, &st);
			lh_buf_puts(out, what ? "lh_serve_memory_bytes{process=\""
					      : "lh_serve_restarts_total{route=\"");
			label(out, site->routes.v[i].route);
			lh_buf_printf(out, "\"} %llu\n",
				      (unsigned long long)(what ? st.resident : st.restarts));
		}
	}
}

void metrics_answer(struct request *r)
{
	const struct server *s = r->server;
	const struct route_stats *st;
	struct lh_buf *out = &r->out;

	requests_total(out, s);
	heading(out, "lh_serve_in_flight", "gauge", "Requests being answered.");
	lh_buf_printf(out, "lh_serve_in_flight %llu\n", (unsigned long long)s->in_flight);
	heading(out, "lh_serve_connections", "gauge", "Open connections.");
	lh_buf_printf(out, "lh_serve_connections %llu\n", (unsigned long long)s->clients);
	heading(out, "lh_serve_request_seconds", "histogram",
		"Time from a complete request to its answer.");
	for (st = s->stats; st; st = st->next)
		if (st->requests)
			seconds_of(out, st);
	pools(out, s);
	heading(out, "lh_serve_log_lost_total", "counter", "Lines of the access log lost.");
	lh_buf_printf(out, "lh_serve_log_lost_total %llu\n", (unsigned long long)s->log_lost);
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	answer(r, 200);
}
