/* openapi.c - what bodies and answers are, as JSON Schemas of what filters say of themselves, and
 * /openapi.json, made of these and of the routes.  See site.h and serve.h. */
#include <stdio.h>

#include "index/index_tools.h"
#include "json/write.h"
#include "serve.h"
#include "site.h"

/* What the filters of share/serve/routes.json print with --describe, as the Makefile has asked
 * them. */
const struct lh_described described[] = {
#include "share/serve/described.inc"
	{ NULL, NULL }
};

/* ---- schemas ---- */

/* Return whether requests of a route have a JSON object as their body. */
static bool has_json_body(const struct lh_route *r)
{
	return (!strcmp(r->method, "POST") || !strcmp(r->method, "PUT")) &&
	       r->kind != LH_ROUTE_PUT && r->kind != LH_ROUTE_INGEST;
}

static struct lh_str text_of(const struct lh_value *name)
{
	return (struct lh_str){ name->p + 1, name->n - 2 };
}

static bool is_number(const struct lh_value *properties, const char *name)
{
	struct lh_value of;

	return lh_value_get(properties, name, &of) &&
	       lh_bind_schema_types(&of) == LH_BIND_IS(LH_NUMBER);
}

/* Return whether a member of the operation is not one of the body, since the route gives it, or
 * of the answer, whose status it is. */
static bool is_left_out(const struct lh_route *r, bool answer, const struct lh_value *properties,
			const struct lh_value *name)
{
	if (!answer)
		return lh_route_gives(r, text_of(name));
	return (lh_value_is(name, "status", 6) && is_number(properties, "status")) ||
	       (lh_value_is(name, "code", 4) && is_number(properties, "code"));
}

/* Return whether a condition is that one of several members is there, and the route gives one. */
static bool is_given(const struct lh_route *r, const struct lh_value *condition)
{
	struct lh_value any, names;
	struct lh_iter it, name;

	if (!lh_value_get(condition, "anyOf", &any))
		return false;
	for (lh_iter_init(&it, &any); lh_iter_next(&it); ) {
		if (!lh_value_get(&it.val, "required", &names))
			continue;
		for (lh_iter_init(&name, &names); lh_iter_next(&name); )
			if (lh_route_gives(r, text_of(&name.val)))
				return true;
	}
	return false;
}

/* Write the conditions of a schema but for those that the route fulfills. */
static void write_conditions(struct lh_writer *w, const struct lh_route *r,
			     const struct lh_value *all)
{
	struct lh_iter it;
	size_t n = 0;

	for (lh_iter_init(&it, all); lh_iter_next(&it); ) {
		if (is_given(r, &it.val))
			continue;
		if (!n++)
			lh_write_array(w, "allOf");
		lh_write_value(w, NULL, &it.val);
	}
	if (n)
		lh_write_end(w);
}

/* Write a schema of an operation, without those members, to an open object. */
static void write_without(struct lh_writer *w, const struct lh_route *r, bool answer,
			  const struct lh_value *schema)
{
	struct lh_value properties = { .p = "{}", .n = 2, .type = LH_OBJECT };
	struct lh_iter it, of;

	lh_value_get(schema, "properties", &properties);
	for (lh_iter_init(&it, schema); lh_iter_next(&it); ) {
		bool object = lh_value_is(&it.key, "properties", 10);

		if (!answer && lh_value_is(&it.key, "allOf", 5)) {
			write_conditions(w, r, &it.val);
			continue;
		}
		lh_write_key_str(w, text_of(&it.key));
		if (!object && !lh_value_is(&it.key, "required", 8)) {
			lh_write_value(w, NULL, &it.val);
			continue;
		}
		(object ? lh_write_object : lh_write_array)(w, NULL);
		for (lh_iter_init(&of, &it.val); lh_iter_next(&of); ) {
			if (is_left_out(r, answer, &properties, object ? &of.key : &of.val))
				continue;
			if (object)
				lh_write_key_str(w, text_of(&of.key));
			lh_write_value(w, NULL, &of.val);
		}
		lh_write_end(w);
	}
}

static bool find_schema(const struct lh_route *r, const char *name, struct lh_value *to)
{
	return r->operation.p && lh_value_get(&r->operation, name, to) && to->type == LH_OBJECT;
}

static const struct lh_bind health[] = {
	{ LH_BIND_ONLY("status", LH_BIND_TO_STRING), .required = true, .about = "ok, ready, down" },
	{ LH_BIND_ONLY("service", LH_BIND_TO_STRING), .required = true },
	{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .about = "what is down" },
	{ LH_BIND_ONLY("down", LH_BIND_TO_STRINGS), .about = "of ?deep=1" },
	LH_BIND_END
};

/* Write the schema of the body, without the members that the route gives, or of the answer; any
 * object if nothing is known of the filter. */
static void schema_write(struct lh_writer *w, const char *name, const struct lh_route *r,
			 bool answer)
{
	struct lh_value schema;

	lh_write_object(w, name);
	if (find_schema(r, answer ? "output" : "input", &schema)) {
		write_without(w, r, answer, &schema);
	} else if (answer && (r->kind == LH_ROUTE_HEALTH || r->kind == LH_ROUTE_READY)) {
		lh_bind_schema(w, health, 0);
	} else {
		lh_write_text(w, "type", "object");
	}
	lh_write_end(w);
}

/* Find the members that the filter of a route reads; false if nothing is known. */
static bool schema_members(const struct lh_route *r, struct lh_value *properties,
		    struct lh_value *required)
{
	struct lh_value schema;

	required->p = NULL;
	if (!find_schema(r, "input", &schema))
		return false;
	lh_value_get(&schema, "required", required);
	return lh_value_get(&schema, "properties", properties);
}

/* Let null be an error where the schema does not have it: elsewhere it counts as absent. */
static void refuse_nulls(struct lh_bind *line, const struct lh_value *schema)
{
	struct lh_value properties, v;

	if (lh_value_get(schema, "properties", &properties))
		for (; line->name; line++)
			line->not_null = !line->required && !line->null &&
					 lh_value_get(&properties, line->name, &v) &&
					 !(lh_bind_schema_types(&v) & LH_BIND_IS(LH_NULL));
}

int schema_table(const struct lh_route *r, struct lh_bind **to, struct lh_err *err)
{
	static const struct lh_bind_known known[] = {
		{ LH_INDEX_NAME },
		{ .pattern = "^[0-9a-f]{64}$", .is = lh_bind_is_sha256, .what = "hash" },
		{ .pattern = NULL }
	};
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	struct lh_value schema;

	if (!has_json_body(r) || !find_schema(r, "input", &schema))
		return 0;
	schema_write(&w, NULL, r, false);
	schema = (struct lh_value){ .p = text.p, .n = text.len, .type = LH_OBJECT };
	*to = lh_bind_read(&schema, known, err);
	if (*to)
		refuse_nulls(*to, &schema);
	return *to ? 0 : -1;
}

/* ---- openapi ---- */

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
