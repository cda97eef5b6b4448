/* metrics.c - all counts as Prometheus reads them.  See serve.h. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "index/index_tools.h"
#include "serve.h"
#include "site.h"

static void heading(struct lh_buf *out, const char *name, const char *type, const char *help)
{
	lh_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Append a metric that has one value. */
static void single(struct lh_buf *out, const char *name, const char *type, const char *help,
		   uint64_t value)
{
	heading(out, name, type, help);
	lh_buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
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

static void seconds_of(struct lh_buf *out, const struct route_stats *st)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i <= BUCKETS; i++) {
		sum += st->bucket[i];
		lh_buf_puts(out, "lh_serve_request_seconds_bucket{route=\"");
		label(out, st->route);
		if (i < BUCKETS)
			lh_buf_printf(out, "\",le=\"%g\"} %llu\n", stats_bound[i],
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

/* Return whether no route and no tool before number n has its pool. */
static bool is_pool_of_tool(const struct site *site, size_t n)
{
	const struct shared_pool *p = site->tool_pool[n];
	size_t i;

	for (i = 0; i < site->routes.n; i++)
		if (site->route[i].pool == p)
			return false;
	for (i = 0; i < n && site->tool_pool[i] != p; i++)
		;
	return p && i == n;
}

/* Append a value of each pool, named by the first route that uses it, else the first tool. */
static void pools(struct lh_buf *out, const struct site *site, const char *before,
		  uint64_t (*value)(const struct lh_pool *))
{
	size_t i;

	for (i = 0; i < site->tools.n; i++)
		if (is_pool_of_tool(site, i))
			lh_buf_printf(out, "%stool %s\"} %llu\n", before, site->tools.v[i].name,
				      (unsigned long long)value(site->tool_pool[i]->pool));
	for (i = 0; i < site->routes.n; i++) {
		if (!site_first_of_pool(site, i))
			continue;
		lh_buf_puts(out, before);
		label(out, site->routes.v[i].route);
		lh_buf_printf(out, "\"} %llu\n",
			      (unsigned long long)value(site->route[i].pool->pool));
	}
}

static uint64_t restarts_of(const struct lh_pool *p)
{
	struct lh_pool_state st;

	lh_pool_state(p, &st);
	return st.restarts;
}

/* Append what was lost, and what cannot be used. */
static void losses(struct lh_buf *out, const struct server *s)
{
	size_t at = 0, n = 0;

	single(out, "lh_serve_log_lost_total", "counter", "Lines of the access log lost.",
	       s->log.lost);
	single(out, "lh_serve_audit_rows_missing_total", "counter",
	       "Rows of who looked at whose data that were not written.", s->pools.rows.rows);
	single(out, "lh_serve_looks_unrecorded", "gauge",
	       "1 if persons are served, and who looks is not recorded.",
	       s->site->unrecorded || s->audit_wrong || s->pools.rows.fails);
	while (indexes_damaged(s, &at, false))
		n++;
	single(out, "lh_serve_indexes_damaged", "gauge", "Indexes that cannot be opened.", n);
}

/* Append a value of each index, made of the status of its file and its log. */
static void indexes(struct lh_buf *out, const struct server *s, const char *name,
		    const char *help, uint64_t (*value)(const struct stat *, const struct stat *))
{
	struct stat base, log;
	const char *next;
	size_t at = 0;

	heading(out, name, "gauge", help);
	while ((next = indexes_next(s, &at))) {
		LH_SCOPED(lh_free_local) char *path = lh_format("%s" LH_INDEX_LOG, next);

		if (stat(next, &base) < 0)
			continue;
		if (stat(path, &log) < 0)
			log = (struct stat){ .st_size = 0 };
		lh_buf_printf(out, "%s{index=\"", name);
		label(out, next + strlen(s->site->config.state) + 1);
		lh_buf_printf(out, "\"} %llu\n", (unsigned long long)value(&base, &log));
	}
}

static uint64_t bytes_of(const struct stat *base, const struct stat *log)
{
	return (uint64_t)(base->st_size + log->st_size);
}

static uint64_t pending_of(const struct stat *base, const struct stat *log)
{
	(void)base;
	return (uint64_t)log->st_size;
}

static uint64_t changed_of(const struct stat *base, const struct stat *log)
{
	return (uint64_t)(base->st_mtime > log->st_mtime ? base->st_mtime : log->st_mtime);
}

/* Append what is served, since when, and the room that is left. */
static void state_of(struct lh_buf *out, const struct server *s)
{
	struct statvfs fs;

	heading(out, "lh_serve_build_info", "gauge", "The version.");
	lh_buf_puts(out, "lh_serve_build_info{version=\"" LH_VERSION "\"} 1\n");
	single(out, "lh_serve_start_time_seconds", "gauge", "When the server started.",
	       (uint64_t)s->began);
	indexes(out, s, "lh_serve_index_bytes", "Bytes of an index and its log.", bytes_of);
	indexes(out, s, "lh_serve_index_pending_bytes", "Bytes of its log.", pending_of);
	indexes(out, s, "lh_serve_index_changed_seconds", "When it changed.", changed_of);
	if (statvfs(s->site->config.state, &fs) == 0)
		single(out, "lh_serve_free_bytes", "gauge", "Bytes free for the state.",
		       (uint64_t)fs.f_bavail * fs.f_frsize);
}

void metrics_answer(struct request *r)
{
	const struct server *s = r->server;
	const struct route_stats *st;
	struct lh_buf *out = &r->reply.body;
	unsigned code;

	heading(out, "lh_serve_requests_total", "counter", "Requests answered.");
	for (st = s->stats.first; st; st = st->next)
		for (code = 0; code < STATUSES; code++) {
			if (!st->status[code])
				continue;
			lh_buf_puts(out, "lh_serve_requests_total{route=\"");
			label(out, st->route);
			lh_buf_printf(out, "\",code=\"%u\"} %llu\n", code,
				      (unsigned long long)st->status[code]);
		}
	single(out, "lh_serve_in_flight", "gauge", "Requests being answered.", s->in_flight);
	single(out, "lh_serve_connections", "gauge", "Open connections.", s->connections.clients);
	heading(out, "lh_serve_held_bytes", "gauge", "Bytes of bodies and answers in memory.");
	lh_buf_printf(out, "lh_serve_held_bytes{of=\"bodies\"} %llu\n",
		      (unsigned long long)s->bounds.held[HELD_BODIES]);
	lh_buf_printf(out, "lh_serve_held_bytes{of=\"answers\"} %llu\n",
		      (unsigned long long)s->bounds.held[HELD_ANSWERS]);
	heading(out, "lh_serve_request_seconds", "histogram",
		"Time from a complete request to its answer.");
	for (st = s->stats.first; st; st = st->next)
		if (st->requests)
			seconds_of(out, st);
	heading(out, "lh_serve_restarts_total", "counter", "Processes of filters started again.");
	pools(out, s->site, "lh_serve_restarts_total{route=\"", restarts_of);
	heading(out, "lh_serve_memory_bytes", "gauge", "Resident memory.");
	lh_buf_printf(out, "lh_serve_memory_bytes{process=\"lh-serve\"} %llu\n",
		      (unsigned long long)lh_resident(getpid()));
	pools(out, s->site, "lh_serve_memory_bytes{process=\"", lh_pool_resident);
	losses(out, s);
	state_of(out, s);
	r->reply.type = "text/plain; version=0.0.4; charset=utf-8";
	answer(r, 200);
}
