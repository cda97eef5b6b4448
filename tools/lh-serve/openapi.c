/* openapi.c - /openapi.json, made from the routes.  See serve.h. */
#include <stdio.h>

#include "json/write.h"
#include "serve.h"

static const char octets[] = "application/octet-stream";

/* Write a parameter, whose schema is that of the filter's member. */
static void write_parameter(struct lh_writer *w, struct lh_str name, const char *in,
			    bool required, const struct lh_value *schema)
{
	lh_write_object(w, NULL);
	lh_write_str(w, "name", name);
	lh_write_text(w, "in", in);
	lh_write_bool(w, "required", required);
	lh_write_raw(w, "schema", schema ? (struct lh_str){ schema->p, schema->n }
					 : lh_str_of(LH_JSON({"type":"string"})));
	lh_write_end(w);
}

static bool lists(const struct lh_value *names, const struct lh_value *name)
{
	struct lh_iter it;

	for (lh_iter_init(&it, names); lh_iter_next(&it); )
		if (lh_value_equal(&it.val, name))
			return true;
	return false;
}

/* Write the names in the path, the fields of the header that are members, and without a JSON body
 * the members that a query can give. */
static void write_parameters(struct lh_writer *w, const struct lh_route *r)
{
	struct lh_value properties, required, of;
	bool known = schema_members(r, &properties, &required);
	const struct lh_route_field *f;
	struct lh_iter it;
	char name[256];
	size_t i;

	lh_write_array(w, "parameters");
	for (i = 0; i < r->pieces.n; i++) {
		const struct lh_str text = r->pieces.v[i].text;

		snprintf(name, sizeof name, "%.*s", (int)text.n, text.p);
		if (r->pieces.v[i].name)
			write_parameter(w, text, "path", true,
					known && lh_value_get(&properties, name, &of) ? &of : NULL);
	}
	for (f = lh_route_fields; f->name; f++)
		if (known && lh_value_get(&properties, f->member, &of))
			write_parameter(w, lh_str_of(f->name), "header", false, &of);
	if (known && !has_json_body(r))
		for (lh_iter_init(&it, &properties); lh_iter_next(&it); ) {
			const struct lh_str text = { it.key.p + 1, it.key.n - 2 };

			if (!lh_route_gives(r, text))
				write_parameter(w, text, "query",
						lists(&required, &it.key), &it.val);
		}
	lh_write_end(w);
}

static void write_body(struct lh_writer *w, const struct lh_route *r)
{
	lh_write_object(w, "requestBody");
	lh_write_bool(w, "required", true);
	lh_write_object(w, "content");
	if (r->kind == LH_ROUTE_INGEST)
		lh_write_raw(w, "multipart/form-data",
			     lh_str_of(LH_JSON({"schema":{"type":"object","properties":{"file":{}},
							  "required":["file"]}})));
	if (has_json_body(r)) {
		lh_write_object(w, "application/json");
		schema_write(w, "schema", r, false);
		lh_write_end(w);
	} else {
		lh_write_raw(w, octets, lh_str_of("{}"));
	}
	lh_write_end(w);
	lh_write_end(w);
}

/* Return the media type of the answer of a route, or NULL: JSON. */
static const char *type_of(const struct lh_route *r)
{
	return r->kind == LH_ROUTE_GET || r->kind == LH_ROUTE_TILE ? octets
	       : r->kind == LH_ROUTE_CHECKPOINT ? "text/plain" : NULL;
}

/* Write the answer: of a filter, as it says; 204 of what it deletes. */
static void write_answer(struct lh_writer *w, const struct lh_route *r)
{
	struct lh_value output;
	const bool deleted = !strcmp(r->method, "DELETE") && r->operation.p &&
			     lh_value_get(&r->operation, "output", &output) &&
			     output.type == LH_NULL;
	const bool json = r->kind != LH_ROUTE_METRICS && r->kind != LH_ROUTE_FILE && !deleted;

	lh_write_object(w, deleted ? "204" : "200");
	lh_write_text(w, "description", deleted ? "it is deleted" : "the answer");
	if (json)
		lh_write_object(w, "content");
	if (json && type_of(r)) {
		lh_write_raw(w, type_of(r), lh_str_of("{}"));
	} else if (json) {
		lh_write_object(w, "application/json");
		schema_write(w, "schema", r, true);
		lh_write_end(w);
	}
	if (json)
		lh_write_end(w);
	lh_write_end(w);
}

/* Return whether a route is of logs of which some need no token. */
static bool has_public(const struct site *site, const struct lh_route *r)
{
	size_t i;

	for (i = 0; i < site->config.logs; i++)
		if (site->config.log[i].is_public)
			return r->built_in && (r->kind == LH_ROUTE_CHECKPOINT ||
					       r->kind == LH_ROUTE_TILE);
	return false;
}

static void write_operation(struct lh_writer *w, const struct site *site,
			    const struct lh_route *r)
{
	char method[sizeof r->method];
	size_t i;

	for (i = 0; r->method[i]; i++)
		method[i] = (char)(r->method[i] | 0x20);
	method[i] = '\0';
	lh_write_object(w, method);
	lh_write_text(w, "summary", r->title ? r->title : r->route);
	if (r->off)
		lh_write_text(w, "x-off", r->off);
	write_parameters(w, r);
	if (!strcmp(r->method, "POST") || !strcmp(r->method, "PUT"))
		write_body(w, r);
	lh_write_object(w, "responses");
	write_answer(w, r);
	lh_write_raw(w, "4XX", lh_str_of(LH_JSON({"$ref":"#/components/responses/Error"})));
	lh_write_raw(w, "5XX", lh_str_of(LH_JSON({"$ref":"#/components/responses/Error"})));
	lh_write_end(w);
	if (site->token.n && !r->open)
		lh_write_raw(w, "security", has_public(site, r)
			     ? lh_str_of(LH_JSON([{},{"bearer":[]}]))
			     : lh_str_of(LH_JSON([{"bearer":[]}])));
	lh_write_end(w);
}

static bool same_path(const struct lh_route *a, const struct lh_route *b)
{
	return !strcmp(a->path, b->path);
}

/* Write the paths, each once with all its methods. */
static void write_paths(struct lh_writer *w, const struct request *r)
{
	const struct site *site = r->site;
	const struct lh_routes *all = &site->routes;
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	size_t i, j;

	lh_write_object(w, "paths");
	for (i = 0; i < all->n; i++) {
		for (j = 0; j < i && !(same_path(&all->v[i], &all->v[j]) &&
				       may_ask(r, &all->v[j])); j++)
			;
		if (j < i || !may_ask(r, &all->v[i]))
			continue;
		lh_buf_reset(&name);	/* "{key...}" is "{key}" */
		lh_buf_printf(&name, "%.*s%s", (int)(strlen(all->v[i].path) -
			      (all->v[i].pieces.rest ? strlen("...}") : 0)), all->v[i].path,
			      all->v[i].pieces.rest ? "}" : "");
		lh_write_key_str(w, (struct lh_str){ name.p, name.len });
		lh_buf_putc(w->out, '{');
		w->objects = w->objects << 1 | 1;
		w->comma = false;
		for (j = i; j < all->n; j++)
			if (same_path(&all->v[i], &all->v[j]) && may_ask(r, &all->v[j]))
				write_operation(w, site, &all->v[j]);
		lh_write_end(w);
	}
	if (name.failed)
		w->out->failed = name.failed;
	lh_write_end(w);
}

static const char components[] = LH_JSON({
	"responses":{"Error":{"description":"an error, or what is wrong with a draft",
		"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}},
	"schemas":{"Error":{"type":"object",
		"properties":{"error":{"type":["string","object"]}}}},
	"securitySchemes":{"bearer":{"type":"http","scheme":"bearer"}}
});

void openapi_answer(struct request *r)
{
	struct lh_writer w = lh_write_to(&r->reply.body);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "openapi", "3.1.0");
	lh_write_object(&w, "info");
	lh_write_text(&w, "title", "lakehouse-tools");
	lh_write_text(&w, "version", LH_VERSION);
	lh_write_end(&w);
	write_paths(&w, r);
	lh_write_raw(&w, "components", lh_str_of(components));
	lh_write_end(&w);
	answer(r, 200);
}
