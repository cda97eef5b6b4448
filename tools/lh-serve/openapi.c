/* openapi.c - what bodies and answers are, as JSON Schemas of what filters say of themselves, and
 * /openapi.json, made of these and of the routes.  See site.h and serve.h. */
#include "base/mem.h"
#include "index/index_tools.h"
#include "json/document.h"
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

static bool is_number(const json_t *properties, const char *name)
{
	const char *type = json_string_value(json_object_get(json_object_get(properties, name),
							     "type"));

	return type && (!strcmp(type, "number") || !strcmp(type, "integer"));
}

/* Return whether a member of the operation is not one of the body, since the route gives it, or
 * of the answer, whose status it is. */
static bool is_left_out(const struct lh_route *r, bool answer, const json_t *properties,
			const char *name)
{
	if (!answer)
		return name && lh_route_gives(r, lh_str_of(name));
	return name && (!strcmp(name, "status") || !strcmp(name, "code")) &&
	       is_number(properties, name);
}

/* Return whether a condition is that one of several members is there, and the route gives one. */
static bool is_given(const struct lh_route *r, const json_t *condition)
{
	const json_t *any = json_object_get(condition, "anyOf"), *of, *name;
	size_t i, k;

	json_array_foreach(any, i, of)
		json_array_foreach(json_object_get(of, "required"), k, name)
			if (is_left_out(r, false, NULL, lh_document_text(name)))
				return true;
	return false;
}

/* Take those members, and the conditions that the route fulfills, from a schema. */
static void leave_out(const struct lh_route *r, bool answer, json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *v;
	json_t *required = json_object_get(schema, "required");
	json_t *all = json_object_get(schema, "allOf");
	const char *name;
	void *next;
	size_t i;

	for (i = json_array_size(required); i--; )
		if (is_left_out(r, answer, properties,
				lh_document_text(json_array_get(required, i))))
			json_array_remove(required, i);
	json_object_keylen_foreach_safe(properties, next, name, i, v)
		if (strlen(name) == i && is_left_out(r, answer, properties, name))
			json_object_del(properties, name);
	for (i = answer ? 0 : json_array_size(all); i--; )
		if (is_given(r, json_array_get(all, i)))
			json_array_remove(all, i);
	if (!answer && !json_array_size(all))
		json_object_del(schema, "allOf");
}

/* Return what the filter of a route says of its "input" or "output"; NULL if nothing is known. */
static json_t *find_schema(const struct lh_route *r, const char *name)
{
	struct lh_value v;

	return r->operation.p && lh_value_get(&r->operation, name, &v) && v.type == LH_OBJECT
		? lh_document_of(&v) : NULL;
}

static const struct lh_bind health[] = {
	{ LH_BIND_ONLY("status", LH_BIND_TO_STRING), .required = true, .about = "ok, ready, down" },
	{ LH_BIND_ONLY("service", LH_BIND_TO_STRING), .required = true },
	{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .about = "what is down" },
	{ LH_BIND_ONLY("down", LH_BIND_TO_STRINGS), .about = "of ?deep=1" },
	LH_BIND_END
};

/* Return the schema of the body, without the members that the route gives, or of the answer; any
 * object if nothing is known of the filter. */
static json_t *schema_of(const struct lh_route *r, bool answer)
{
	json_t *schema = find_schema(r, answer ? "output" : "input");
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);

	leave_out(r, answer, schema);
	if (schema || !answer || (r->kind != LH_ROUTE_HEALTH && r->kind != LH_ROUTE_READY))
		return schema ? schema : json_pack("{s:s}", "type", "object");
	lh_write_object(&w, NULL);
	lh_bind_schema(&w, health, 0);
	lh_write_end(&w);
	return lh_document_kept((struct lh_str){ text.p, text.len });
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
	LH_SCOPED(lh_document_free) json_t *input = has_json_body(r) ? find_schema(r, "input")
								     : NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value schema;

	if (!input)
		return 0;
	leave_out(r, false, input);
	lh_document_write(&text, input);
	schema = (struct lh_value){ .p = text.p, .n = text.len, .type = LH_OBJECT };
	*to = lh_bind_read(&schema, known, err);
	if (*to)
		refuse_nulls(*to, &schema);
	return *to ? 0 : -1;
}

/* ---- openapi ---- */

static const char octets[] = "application/octet-stream";

/* Add a parameter, whose schema is that of the filter's member, or a string. */
static void add_parameter(json_t *to, struct lh_str name, const char *in, bool required,
			  json_t *schema)
{
	json_array_append_new(to, json_pack("{s:s%,s:s,s:b,s:o}", "name", name.p, name.n,
					    "in", in, "required", required, "schema",
					    schema ? json_incref(schema)
						   : json_pack("{s:s}", "type", "string")));
}

static bool lists(const json_t *names, struct lh_str name)
{
	const json_t *of;
	size_t i;

	json_array_foreach(names, i, of)
		if (lh_str_is(name, json_string_value(of), json_string_length(of)))
			return true;
	return false;
}

/* Return the names in the path, the fields of the header that are members, and without a JSON body
 * the members that a query can give. */
static json_t *parameters_of(const struct lh_route *r)
{
	LH_SCOPED(lh_document_free) json_t *input = find_schema(r, "input");
	json_t *properties = json_object_get(input, "properties"), *all = json_array(), *of;
	const struct lh_route_field *f;
	const char *name;
	size_t i;

	for (i = 0; i < r->pieces.n; i++) {
		const struct lh_str text = r->pieces.v[i].text;

		if (r->pieces.v[i].name)
			add_parameter(all, text, "path", true,
				      json_object_getn(properties, text.p, text.n));
	}
	for (f = lh_route_fields; f->name; f++)
		if ((of = json_object_get(properties, f->member)))
			add_parameter(all, lh_str_of(f->name), "header", false, of);
	if (has_json_body(r))
		return all;
	json_object_keylen_foreach(properties, name, i, of) {
		const struct lh_str text = { name, i };

		if (!lh_route_gives(r, text))
			add_parameter(all, text, "query",
				      lists(json_object_get(input, "required"), text), of);
	}
	return all;
}

static json_t *body_of(const struct lh_route *r)
{
	json_t *content = json_object();

	if (r->kind == LH_ROUTE_INGEST)
		json_object_set_new(content, "multipart/form-data", lh_document_kept(
			lh_str_of(LH_JSON({"schema":{"type":"object","properties":{"file":{}},
						     "required":["file"]}}))));
	if (has_json_body(r))
		json_object_set_new(content, "application/json",
				    json_pack("{s:o}", "schema", schema_of(r, false)));
	else
		json_object_set_new(content, octets, json_object());
	return json_pack("{s:b,s:o}", "required", true, "content", content);
}

/* Return the media type of the answer of a route, or NULL: JSON. */
static const char *type_of(const struct lh_route *r)
{
	return r->kind == LH_ROUTE_GET || r->kind == LH_ROUTE_TILE ? octets
	       : r->kind == LH_ROUTE_CHECKPOINT ? "text/plain" : NULL;
}

/* Return the answer: of a filter, as it says; 204 of what it deletes. */
static json_t *answer_of(const struct lh_route *r)
{
	struct lh_value output;
	const bool deleted = !strcmp(r->method, "DELETE") && r->operation.p &&
			     lh_value_get(&r->operation, "output", &output) &&
			     output.type == LH_NULL;
	json_t *content = NULL;

	if (type_of(r))
		content = json_pack("{s:{}}", type_of(r));
	else if (r->kind != LH_ROUTE_METRICS && r->kind != LH_ROUTE_FILE && !deleted)
		content = json_pack("{s:{s:o}}", "application/json", "schema", schema_of(r, true));
	return json_pack("{s:{s:s,s:o*}}", deleted ? "204" : "200", "description",
			 deleted ? "it is deleted" : "the answer", "content", content);
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

static json_t *operation_of(const struct site *site, const struct lh_route *r)
{
	json_t *of = json_pack("{s:s,s:s*,s:o}", "summary", r->title ? r->title : r->route,
			       "x-off", r->off, "parameters", parameters_of(r));
	json_t *answers = answer_of(r), *error = json_pack("{s:s}", "$ref",
							    "#/components/responses/Error");

	if (!strcmp(r->method, "POST") || !strcmp(r->method, "PUT"))
		json_object_set_new(of, "requestBody", body_of(r));
	json_object_set(answers, "4XX", error);
	json_object_set_new(answers, "5XX", error);
	json_object_set_new(of, "responses", answers);
	if (site->token.n && !r->open)
		json_object_set_new(of, "security",
				    json_pack(has_public(site, r) ? "[{},{s:[]}]" : "[{s:[]}]",
					      "bearer"));
	return of;
}

/* Return the paths, each once with all its methods. */
static json_t *paths_of(const struct request *r)
{
	const struct lh_routes *all = &r->site->routes;
	json_t *paths = json_object(), *path;
	const struct lh_route *of;

	for (of = all->v; of < all->v + all->n; of++) {
		/* "{key...}" is "{key}" */
		const size_t cut = of->pieces.rest ? strlen("...}") : 0, n = strlen(of->path) - cut;
		LH_SCOPED(lh_free_local) char *name = lh_format("%.*s%s", (int)n, of->path,
								cut ? "}" : "");
		LH_SCOPED(lh_free_local) char *method = lh_strndup(of->method, strlen(of->method));
		char *c;

		if (!may_ask(r, of))
			continue;
		for (c = method; *c; c++)
			*c |= 0x20;
		path = json_object_get(paths, name);
		if (!path) {
			path = json_object();
			json_object_set_new(paths, name, path);
		}
		json_object_set_new(path, method, operation_of(r->site, of));
	}
	return paths;
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
	LH_SCOPED(lh_document_free) json_t *document = json_pack(
		"{s:s,s:{s:s,s:s},s:o,s:o}", "openapi", "3.1.0", "info", "title",
		"lakehouse-tools", "version", LH_VERSION, "paths", paths_of(r), "components",
		lh_document_kept(lh_str_of(components)));

	lh_document_write(&r->reply.body, document);
	answer(r, 200);
}
