/*
 * aid_serve ROUTE MEMBERS... <REQUESTS - what lh-serve makes of requests, without HTTP.
 *
 * A request is a line {"method":M,"target":T,"body":B}; B is text, or null for none.  Its answer
 * is {"route":R,"line":L}, L being the line for the filter, or {"status":N}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/bind.h"
#include "json/write.h"
#include "serve/body.h"
#include "serve/routes.h"

struct request {
	struct lh_str method, target, body;
};

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("method", struct request, method), .required = true },
	{ LH_BIND_STRING("target", struct request, target), .required = true },
	{ LH_BIND_STRING("body", struct request, body) },
	LH_BIND_CLOSED
};

static struct lh_err err;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "aid_serve: %s: %s\n", what, err.msg);
	exit(2);
}

static void add(struct lh_routes *all, const char *route, const char *constants)
{
	static struct lh_record rec;
	struct lh_buf text = { 0 };
	struct lh_value v;

	must(lh_route_parse(&all->v[all->n], route, &err) == 0, route);
	lh_buf_puts(&text, constants);
	must(lh_json_parse(&rec, text.p, text.len, &v, &err) == 0, constants);
	must(lh_route_set_members(&all->v[all->n], &v, &err) == 0, constants);
	all->n++;
	lh_buf_free(&text);
}

static unsigned other_method(const struct lh_routes *all, const struct lh_route_path *path)
{
	size_t i;

	for (i = 0; lh_route_methods[i]; i++)
		if (lh_routes_find(all, lh_route_methods[i], path, 0))
			return 405;
	return 404;
}

/* Write the line for the filter, or return the status of a refusal. */
static unsigned line_of(const struct lh_routes *all, const struct request *q, const char **route,
			struct lh_buf *line)
{
	static struct lh_route_path path;
	static struct lh_record rec;
	static struct lh_buf given, body;
	char method[32];
	const struct lh_route *r;

	snprintf(method, sizeof method, "%.*s", (int)q->method.n, q->method.p);
	if (lh_route_path_read(&path, q->target, &err) < 0)
		return 400;
	r = lh_routes_find(all, method, &path, 0);
	if (!r)
		return other_method(all, &path);
	lh_buf_reset(&given);
	lh_buf_reset(&body);
	lh_buf_add(&body, q->body.p, q->body.n);
	if (lh_route_members(r, &path, 0, &given, &err) < 0 ||
	    (q->body.p && lh_record_parse(&rec, body.p ? body.p : "", body.len, &err) < 0) ||
	    lh_repack(q->body.p ? &rec : NULL, (struct lh_str){ given.p, given.len }, line, &err))
		return 400;
	*route = r->route;
	return 0;
}

int main(int argc, char **argv)
{
	static struct lh_buf line, out, strings, in;
	static struct lh_routes all;
	static struct lh_record rec;
	static char *text;
	size_t room = 0;
	ssize_t n;
	int i;

	all.v = calloc((size_t)argc, sizeof *all.v);
	for (i = 1; i + 1 < argc; i += 2)
		add(&all, argv[i], argv[i + 1]);
	while ((n = getline(&text, &room, stdin)) > 0) {
		struct request q = { .body = { NULL, 0 } };
		struct lh_writer w;
		const char *route;
		unsigned status;

		lh_buf_reset(&in);
		lh_buf_add(&in, text, (size_t)n);
		must(lh_record_parse(&rec, in.p, in.len, &err) == 0, text);
		must(lh_bind(members, &rec, &q, &strings, &err) == 0, text);
		lh_buf_reset(&line);
		lh_buf_reset(&out);
		status = line_of(&all, &q, &route, &line);
		w = lh_write_to(&out);
		lh_write_object(&w, NULL);
		if (status)
			lh_write_u64(&w, "status", status);
		else
			lh_write_text(&w, "route", route);
		if (!status)
			lh_write_str(&w, "line", (struct lh_str){ line.p, line.len });
		lh_write_end(&w);
		printf("%.*s\n", (int)out.len, out.p);
	}
	return 0;
}
