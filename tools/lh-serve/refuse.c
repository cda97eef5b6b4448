/* refuse.c - what is refused before the body has come.  See serve.h. */
#include "serve.h"

static bool is_type(const char *type, size_t n, const char *name)
{
	return n == strlen(name) && !strncasecmp(type, name, n);
}

/* Return whether the media type is one of JSON; *lines: of JSON Lines. */
static bool is_json(const char *type, bool *lines)
{
	size_t n;

	*lines = false;
	if (!type || !*type)
		return true;
	n = strcspn(type, "; \t");
	*lines = is_type(type, n, "application/jsonl") || is_type(type, n, "application/x-ndjson");
	return *lines || is_type(type, n, "application/json") ||
	       (n > 5 && !strncasecmp(type + n - 5, "+json", 5));
}

/* Return whether the body is in a coding, such as gzip: none is decoded. */
static bool is_coded(const struct request *r)
{
	struct http_field f = { 0 };

	while (http_next(&r->http, &f))
		if (!strcasecmp(f.name, "Content-Encoding") && strcasecmp(f.value, "identity") != 0)
			return true;
	return false;
}

/* Refuse by the length, the coding and the type; 0 if all are right. */
static unsigned refuse_body(struct request *r, const char **why)
{
	const char *length = http_field(&r->http, "Content-Length");
	const char *type = http_field(&r->http, "Content-Type");

	if (!length && !r->http.chunked && *r->http.method == 'P') {	/* POST, PUT, PATCH */
		*why = "a body needs Content-Length or chunks";
		return 411;
	}
	if (r->http.length > body_max(r)) {
		*why = "the body is too large";
		return 413;
	}
	r->reply.coded = is_coded(r);
	if (r->reply.coded) {
		*why = "the body must have no Content-Encoding but identity";
		return 415;
	}
	if (has_body(&r->http) && !(type && *type) && !r->route->route->read &&
	    !is_method(r, "PUT")) {
		*why = "the body has no Content-Type, such as application/json";
		return 415;
	}
	if ((length || r->http.chunked) && !is_upload(r) &&
	    (!is_json(type, &r->body.lines) || (r->body.lines && r->route->route->errors))) {
		*why = "the body must be application/json, application/jsonl or "
		       "application/x-ndjson";
		return 415;
	}
	return 0;
}

/* Refuse a condition of a change that would not be compared: its client relies on it. */
static unsigned refuse_condition(const struct request *r, const char **why)
{
	const struct lh_route_field *f;

	if (r->route->route->read)
		return 0;
	for (f = lh_route_fields; f->name; f++)
		if (http_field(&r->http, f->name) && !lh_route_takes(r->route->route, f->member)) {
			*why = "If-Match and If-None-Match are for objects alone";
			return 501;
		}
	if (!http_field(&r->http, "If-Unmodified-Since"))
		return 0;
	*why = "If-Unmodified-Since is not compared: use If-Match";
	return 501;
}

static unsigned check_access(struct request *r, const char **why, struct lh_err *err)
{
	bool readable = lh_route_path_read(&r->path, lh_str_of(r->http.target), err) == 0;
	unsigned status;

	origin_take(r);
	if (readable)
		find_route(r);
	*why = "this address is not allowed";
	if (!is_open_health(r) && !may_connect(r))
		return 403;
	*why = "a token is required";
	if (!is_preflight(r) && !has_tokens(r))
		return 401;
	status = origin_refuse(r, why);
	if (!status)
		status = who_take(r, why);
	if (status)
		return status;
	*why = err->msg;
	return readable || is_star(r) ? 0 : 400;
}

unsigned refuse(struct request *r, const char **why, struct lh_err *err)
{
	unsigned status = check_access(r, why, err);
	enum lh_route_kind kind;

	if (status)
		return status;
	if (is_method(r, "OPTIONS")) {
		*why = "there is no such route";
		return list_methods(r, is_star(r)) ? 204 : 404;
	}
	if (r->skip && r->site->config.mount_off) {
		*why = r->site->config.mount_off;
		return 503;
	}
	if (!r->route) {
		bool known = list_methods(r, false);

		*why = known ? "the route has other methods" : "there is no such route";
		return known ? 405 : 404;
	}
	if (r->route->route->off) {
		*why = r->route->route->off;
		return 404;
	}
	status = refuse_condition(r, why);
	if (!status)
		status = refuse_body(r, why);
	if (!status && writes_state(r) && !state_has_room(r, r->http.length)) {
		*why = NO_ROOM;
		return 507;
	}
	/* answers of these kinds can be large, and are in memory */
	kind = r->route->route->kind;
	if (!status && !answers_fit(r, ANSWER_ROOM) &&
	    (kind == LH_ROUTE_FILTER || kind == LH_ROUTE_MCP || kind == LH_ROUTE_SESSIONS ||
	     kind == LH_ROUTE_AUDITS)) {
		*why = "too many answers wait to be read";
		return 503;
	}
	return status;
}
