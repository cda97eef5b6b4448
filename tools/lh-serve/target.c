/* target.c - the route of a request, and what that does.  See serve.h. */
#include "serve.h"

#define VECTORS "_vectors/"	/* keys of indexes, which are large */
#define VECTORS_MAX ((uint64_t)4 << 30)

bool is_method(const struct request *r, const char *method)
{
	return !strcmp(r->http.method, method);
}

/* Return how many pieces of the path are the mount's. */
static size_t mounted(const struct request *r)
{
	const struct lh_route_path *mount = &r->site->mount;
	size_t i;

	if (!mount->n || r->path.n <= mount->n)
		return 0;
	for (i = 0; i < mount->n && !lh_str_cmp(mount->piece[i], r->path.piece[i]); i++)
		;
	return i == mount->n ? i : 0;
}

bool find_route(struct request *r)
{
	const char *method = is_method(r, "HEAD") ? "GET" : r->http.method;
	const struct lh_route *route;

	r->skip = 0;
	route = lh_routes_find(&r->site->routes, method, &r->path, 0);
	if (!route) {
		r->skip = mounted(r);
		route = lh_routes_find(&r->site->routes, method, &r->path, r->skip);
	}
	r->route = route ? &r->site->route[route - r->site->routes.v] : NULL;
	return r->route;
}

bool is_star(const struct request *r)
{
	return is_method(r, "OPTIONS") && !strcmp(r->http.target, "*");
}

bool asks_deep(const struct request *r, const struct lh_route *route)
{
	struct lh_str deep = lh_route_arg(&r->path, "deep");

	return route->kind == LH_ROUTE_HEALTH && deep.p && !lh_str_is(deep, "0", 1);
}

bool is_deep(const struct request *r)
{
	return r->route && asks_deep(r, r->route->route);
}

bool is_open_health(const struct request *r)
{
	const enum lh_route_kind kind = r->route ? r->route->route->kind : LH_ROUTE_FILTER;

	return kind == LH_ROUTE_READY || (kind == LH_ROUTE_HEALTH && !is_deep(r));
}

bool is_upload(const struct request *r)
{
	return r->route && (r->route->route->kind == LH_ROUTE_PUT ||
			    r->route->route->kind == LH_ROUTE_INGEST);
}

uint64_t body_max(const struct request *r)
{
	const struct lh_route *route = r->route->route;
	uint64_t max = route->limits.body ? route->limits.body : 1;
	LH_SCOPED(lh_buf_free) struct lh_buf key = { 0 };
	struct lh_err err;

	if (route->kind == LH_ROUTE_PUT && route->pieces.rest && max < VECTORS_MAX &&
	    lh_route_rest(route, &r->path, r->skip, &key, &err) == 0 &&
	    key.len > strlen(VECTORS) && !memcmp(key.p, VECTORS, strlen(VECTORS)))
		max = VECTORS_MAX;
	return max;
}

bool writes_state(const struct request *r)
{
	const struct lh_route *route = r->route->route;

	return (is_upload(r) || (route->kind == LH_ROUTE_FILTER && !route->read)) &&
	       !is_method(r, "DELETE");
}

const struct lh_serve_log *log_of(const struct request *r)
{
	/* a name has no byte that would have to be encoded, and so has one spelling */
	return memchr(r->path.raw.p, '%', r->path.raw.n)
		? NULL : lh_serve_log_named(&r->site->config, r->path.piece[r->skip + 1]);
}

bool is_public(const struct request *r)
{
	const struct lh_route *route = r->route ? r->route->route : NULL;
	const struct lh_serve_log *log;

	if (!route || route->off || !lh_route_is_switched(route))
		return false;
	log = log_of(r);
	return log && log->is_public;
}
