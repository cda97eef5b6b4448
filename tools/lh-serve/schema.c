/* schema.c - JSON Schemas of bodies and answers, made of the operations of filters.  See site.h. */
#include "index/index_tools.h"
#include "json/write.h"
#include "site.h"

bool has_json_body(const struct lh_route *r)
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

void schema_write(struct lh_writer *w, const char *name, const struct lh_route *r, bool answer)
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

bool schema_members(const struct lh_route *r, struct lh_value *properties,
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
