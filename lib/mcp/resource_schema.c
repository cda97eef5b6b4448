/* resource_schema.c - the schemas of records as JSON Schema.  See tool_parts.h. */
#include "tool_parts.h"

#include "schema/schema_table.h"

static void write_fields(struct lh_writer *w, const struct lh_field *field);

static void write_choice(struct lh_writer *w, const struct lh_field *f)
{
	const char *const *c;

	lh_write_array(w, "enum");
	for (c = f->choice; *c; c++)
		lh_write_text(w, NULL, *c);
	if (f->or_null)
		lh_write_null(w, NULL);
	lh_write_end(w);
}

static const char *type_of(enum lh_schema_type type)
{
	switch (type) {
	case LH_S_BOOL: return "boolean";
	case LH_S_NUMBER: return "number";
	case LH_S_INTEGER:
	case LH_S_VERSION: return "integer";
	case LH_S_TEXTS:
	case LH_S_OBJECTS: return "array";
	case LH_S_OBJECT: return "object";
	default: return "string";
	}
}

static void write_type(struct lh_writer *w, const struct lh_field *f)
{
	if (!f->or_null) {
		lh_write_text(w, "type", type_of(f->type));
		return;
	}
	lh_write_array(w, "type");
	lh_write_text(w, NULL, type_of(f->type));
	lh_write_text(w, NULL, "null");
	lh_write_end(w);
}

/* Write the conditions on a string. */
static void write_string(struct lh_writer *w, const struct lh_field *f)
{
	if (f->type == LH_S_TIME)
		lh_write_text(w, "format", "date-time");
	else if (f->type == LH_S_SHA256)
		lh_write_text(w, "pattern", "^[0-9a-f]{64}$");
	else if (f->type == LH_S_COMMIT)
		lh_write_text(w, "pattern", "^[0-9a-f]{40}$");
	else if (f->type == LH_S_TEXT && ((f->must && !f->may_be_empty) || f->some))
		lh_write_u64(w, "minLength", 1);
}

static void write_field(struct lh_writer *w, const struct lh_field *f)
{
	lh_write_object(w, f->name);
	write_type(w, f);
	write_string(w, f);
	if (f->type == LH_S_VERSION)
		lh_write_i64(w, "const", f->version);
	if (f->ranged)
		lh_write_i64(w, "minimum", f->least);
	if (f->ranged && f->most)
		lh_write_i64(w, "maximum", f->most);
	if (f->choice && f->type != LH_S_TEXTS)
		write_choice(w, f);
	if (f->some && type_of(f->type)[0] == 'a')
		lh_write_u64(w, "minItems", 1);
	if (f->type == LH_S_TEXTS || f->type == LH_S_OBJECTS) {
		lh_write_object(w, "items");
		lh_write_text(w, "type", f->type == LH_S_TEXTS ? "string" : "object");
		if (f->in)
			write_fields(w, f->in);
		lh_write_end(w);
	} else if (f->in) {
		write_fields(w, f->in);
	}
	lh_write_end(w);
}

/* Write what the fields of an object must be.  The recursion is as deep as the tables. */
static void write_fields(struct lh_writer *w, const struct lh_field *field)
{
	const struct lh_field *f;

	lh_write_object(w, "properties");
	for (f = field; f->name; f++)
		write_field(w, f);
	lh_write_end(w);
	lh_write_array(w, "required");
	for (f = field; f->name; f++)
		if (f->must)
			lh_write_text(w, NULL, f->name);
	lh_write_end(w);
}

void lh_mcp_write_schema(struct lh_buf *out, const struct lh_schema *s)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	lh_write_text(&w, "title", s->name);
	lh_write_text(&w, "type", "object");
	write_fields(&w, s->field);
	lh_write_end(&w);
}
