/* openapi.c - /openapi.json, made from the routes.  See serve.h. */
#include "json/write.h"
#include "serve.h"

static void write_schema(struct lh_writer *w, const char *type)
{
	lh_write_object(w, "schema");
	lh_write_text(w, "type", type);
	lh_write_end(w);
}

static void write_parameters(struct lh_writer *w, const struct lh_route *r)
{
	size_t i;

	if (!r->pieces.names)
		return;
	lh_write_array(w, "parameters");
	for (i = 0; i < r->pieces.n; i++) {
		if (!r->pieces.v[i].name)
			continue;
		lh_write_object(w, NULL);
		lh_write_str(w, "name", r->pieces.v[i].text);
		lh_write_text(w, "in", "path");
		lh_write_bool(w, "required", true);
		write_schema(w, "string");
		lh_write_end(w);
	}
	lh_write_end(w);
}

static void write_content(struct lh_writer *w, const char *type)
{
	lh_write_object(w, "content");
	lh_write_object(w, type);
	write_schema(w, "object");
	lh_write_end(w);
	lh_write_end(w);
}

static void write_response(struct lh_writer *w, const char *status, const char *what,
			   const char *type)
{
	lh_write_object(w, status);
	lh_write_text(w, "description", what);
	if (type)
		write_content(w, type);
	lh_write_end(w);
}

static void write_operation(struct lh_writer *w, const struct lh_route *r, bool tokens)
{
	char method[sizeof r->method];
	size_t i;

	for (i = 0; r->method[i]; i++)
		method[i] = (char)(r->method[i] | 0x20);
	method[i] = '\0';
	lh_write_object(w, method);
	lh_write_text(w, "summary", r->title ? r->title : r->route);
	write_parameters(w, r);
	if (!strcmp(r->method, "POST") || !strcmp(r->method, "PUT")) {
		lh_write_object(w, "requestBody");
		lh_write_bool(w, "required", true);
		write_content(w, r->kind == LH_ROUTE_PUT ? "application/octet-stream"
						: r->kind == LH_ROUTE_INGEST ? "multipart/form-data"
									     : "application/json");
		lh_write_end(w);
	}
	lh_write_object(w, "responses");
	write_response(w, "200", "the answer",
		       r->kind == LH_ROUTE_METRICS || r->kind == LH_ROUTE_FILE ? NULL
			       : r->kind == LH_ROUTE_GET ? "application/octet-stream"
							 : "application/json");
	write_response(w, "default", "an error: {\"error\":\"...\"}", "application/json");
	lh_write_end(w);
	if (tokens && !r->open) {
		lh_write_array(w, "security");
		lh_write_object(w, NULL);
		lh_write_array(w, "bearer");
		lh_write_end(w);
		lh_write_end(w);
		lh_write_end(w);
	}
	lh_write_end(w);
}

/* Write the name of a path: "{key...}" is "{key}". */
static void write_path(struct lh_writer *w, const struct lh_route *r)
{
	struct lh_buf text = { 0 };
	size_t n = strlen(r->path);

	lh_buf_add(&text, r->path, r->pieces.rest ? n - 4 : n);
	if (r->pieces.rest)
		lh_buf_putc(&text, '}');
	lh_write_key_str(w, (struct lh_str){ text.p, text.len });
	lh_buf_free(&text);
}

static bool same_path(const struct lh_route *a, const struct lh_route *b)
{
	return !strcmp(a->path, b->path);
}

/* Write the paths, each once with all its methods. */
static void write_paths(struct lh_writer *w, const struct site *site)
{
	const struct lh_routes *all = &site->routes;
	size_t i, j;

	lh_write_object(w, "paths");
	for (i = 0; i < all->n; i++) {
		for (j = 0; j < i && !same_path(&all->v[i], &all->v[j]); j++)
			;
		if (j < i)
			continue;
		write_path(w, &all->v[i]);
		lh_buf_putc(w->out, '{');
		w->objects = w->objects << 1 | 1;
		w->comma = false;
		for (j = i; j < all->n; j++)
			if (same_path(&all->v[i], &all->v[j]))
				write_operation(w, &all->v[j], site->token.n);
		lh_write_end(w);
	}
	lh_write_end(w);
}

void openapi_answer(struct request *r)
{
	struct lh_writer w = lh_write_to(&r->reply.body);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "openapi", "3.1.0");
	lh_write_object(&w, "info");
	lh_write_text(&w, "title", "lakehouse-tools");
	lh_write_text(&w, "version", LH_VERSION);
	lh_write_end(&w);
	write_paths(&w, r->site);
	lh_write_object(&w, "components");
	lh_write_object(&w, "securitySchemes");
	lh_write_object(&w, "bearer");
	lh_write_text(&w, "type", "http");
	lh_write_text(&w, "scheme", "bearer");
	lh_write_end(&w);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_write_end(&w);
	answer(r, 200);
}
