/* bind_schema.c - a table as JSON Schema, and one made of it.  See bind.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bind.h"
#include "value.h"
#include "write.h"

/* ---- a table as a schema ---- */

#define NULL_TYPE LH_BIND_IS(LH_NULL)

static void write_types(struct lh_writer *w, unsigned set, const char *number)
{
	const struct {
		unsigned set;
		const char *name;
	} types[] = {
		{ LH_BIND_IS(LH_STRING), "string" }, { LH_BIND_IS(LH_NUMBER), number },
		{ LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE), "boolean" },
		{ LH_BIND_IS(LH_ARRAY), "array" },   { LH_BIND_IS(LH_OBJECT), "object" },
		{ NULL_TYPE, "null" },
	};
	bool many = false;
	size_t i;

	if (set == LH_BIND_ANY)
		return;
	for (i = 0; i < sizeof types / sizeof *types; i++)
		many |= set & types[i].set && set & ~types[i].set;
	if (many)
		lh_write_array(w, "type");
	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (set & types[i].set)
			lh_write_text(w, many ? NULL : "type", types[i].name);
	if (many)
		lh_write_end(w);
}

static void write_range(struct lh_writer *w, const struct lh_bind *line)
{
	const char *from = line->above ? "exclusiveMinimum" : "minimum";

	if (line->to == LH_BIND_TO_WHOLE && line->least == line->most) {
		lh_write_i64(w, "const", line->least);
		return;
	}
	if (line->to == LH_BIND_TO_WHOLE && line->least > INT64_MIN)
		lh_write_i64(w, from, line->least);
	if (line->to == LH_BIND_TO_WHOLE && line->most < INT64_MAX)
		lh_write_i64(w, "maximum", line->most);
	if (line->to == LH_BIND_TO_F64 && isfinite(line->min))
		lh_write_f64(w, from, line->min);
	if (line->to == LH_BIND_TO_F64 && isfinite(line->max))
		lh_write_f64(w, "maximum", line->max);
}

static void write_members(struct lh_writer *w, const struct lh_bind *table, unsigned how);
static void write_value(struct lh_writer *w, const struct lh_bind *line, unsigned how);

static bool is_any(const struct lh_bind *line)
{
	return line->name && !strcmp(line->name, "*");
}

/* Write what the elements of an array are, which a lax line does not check. */
static void write_items(struct lh_writer *w, const struct lh_bind *line, unsigned how)
{
	static const unsigned types[] = {
		[LH_BIND_TO_STRINGS] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_IDS] = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_TABLES] = LH_BIND_IS(LH_OBJECT),
	};
	bool value = line->to == LH_BIND_TO_VALUE || line->to == LH_BIND_TO_JSON;

	if (line->filled)
		lh_write_u64(w, "minItems", 1);
	if (line->lax || (value && !line->each && !line->table))
		return;
	lh_write_object(w, "items");
	if (value && line->table && is_any(line->table))
		write_value(w, line->table, how);
	else
		write_types(w, value ? line->each : types[line->to], "number");
	if (line->each_filled)
		lh_write_u64(w, "minLength", 1);
	if (line->table && !is_any(line->table))
		write_members(w, line->table, how);
	lh_write_end(w);
}

static void write_value(struct lh_writer *w, const struct lh_bind *line, unsigned how)
{
	bool required = line->required && line->n != LH_BIND_ALIASES;
	bool null = line->null || (!required && !line->not_null &&
				   (how & LH_BIND_NULLS || line->types == LH_BIND_ANY));
	unsigned set = (lh_bind_types(line) & ~NULL_TYPE) | (null ? NULL_TYPE : 0);
	bool lax = line->lax && !line->required;

	if (!lax)
		write_types(w, set, line->to == LH_BIND_TO_WHOLE ? "integer" : "number");
	if (line->choice && !lax) {
		const char *const *choice;

		lh_write_array(w, "enum");
		for (choice = line->choice; *choice; choice++)
			lh_write_text(w, NULL, *choice);
		if (null)
			lh_write_null(w, NULL);
		lh_write_end(w);
	} else if (line->to == LH_BIND_TO_STRING || line->to == LH_BIND_TO_ID) {
		if (line->filled && !line->lax)
			lh_write_u64(w, "minLength", 1);
		if (line->longest)
			lh_write_u64(w, "maxLength", line->longest);
		if (line->pattern)
			lh_write_text(w, "pattern", line->pattern);
		if (line->format)
			lh_write_text(w, "format", line->format);
	}
	write_range(w, line);
	if (set & LH_BIND_IS(LH_ARRAY))
		write_items(w, line, how);
	if (!line->table || !(set & LH_BIND_IS(LH_OBJECT)))
		return;
	if (!is_any(line->table)) {
		write_members(w, line->table, how);
	} else {
		lh_write_object(w, "additionalProperties");
		write_value(w, line->table, how);
		lh_write_end(w);
	}
}

/* Set *name, which is empty at first, to the next name of a line; false after the last. */
static bool next_name(const struct lh_bind *line, struct lh_str *name)
{
	const char *p = name->p ? name->p + name->n : line->name;

	if (name->p && (line->n != LH_BIND_ALIASES || !*p++))
		return false;
	*name = (struct lh_str){ p, line->n == LH_BIND_ALIASES ? strcspn(p, "|") : line->n };
	return true;
}

/* Write a property for each name of a line. */
static void write_line(struct lh_writer *w, const struct lh_bind *line, unsigned how)
{
	struct lh_str name = { NULL, 0 }, first = { NULL, 0 };

	for (next_name(line, &first); next_name(line, &name); ) {
		lh_write_key_str(w, name);
		lh_write_object(w, NULL);
		write_value(w, line, how);
		if (line->usual)
			lh_write_raw(w, "default", lh_str_of(line->usual));
		if (how & LH_BIND_WORDS && line->what)
			lh_write_text(w, "x-must-be", line->what);
		if (how & LH_BIND_WORDS && line->meant)
			lh_write_text(w, "x-meant", line->meant);
		if (name.p != first.p) {
			lh_write_key(w, "description");
			lh_buf_printf(w->out, "\"Another name of %.*s.\"", (int)first.n, first.p);
		} else if (line->about) {
			lh_write_text(w, "description", line->about);
		}
		lh_write_end(w);
	}
}

/* Write that a member is there; with LH_BIND_NULLS, and that it is not null. */
static void write_there(struct lh_writer *w, struct lh_str name, bool nulls)
{
	lh_write_object(w, NULL);
	lh_write_array(w, "required");
	lh_write_str(w, NULL, name);
	lh_write_end(w);
	if (nulls) {
		lh_write_object(w, "properties");
		lh_write_key_str(w, name);
		lh_write_raw(w, NULL, lh_str_of("{\"not\":{\"type\":\"null\"}}"));
		lh_write_end(w);
	}
	lh_write_end(w);
}

/* Return whether the line is the first of several with its .either. */
static bool begins_group(const struct lh_bind *table, const struct lh_bind *line)
{
	for (; line->either && table < line; table++)
		if (table->either == line->either)
			return false;
	while (line->either && (++table)->name)
		if (table->either == line->either)
			return true;
	return false;
}

/* Write that one of the names of a line, or of all lines of its group, has to be present. */
static void write_either(struct lh_writer *w, const struct lh_bind *line, unsigned how)
{
	const struct lh_bind *of = line;

	lh_write_object(w, NULL);
	lh_write_array(w, "anyOf");
	for (; of->name; of++) {
		struct lh_str name = { NULL, 0 };

		if (of == line || (line->either && of->either == line->either))
			while (next_name(of, &name))
				write_there(w, name, how & LH_BIND_NULLS && !of->null);
	}
	lh_write_end(w);
	lh_write_end(w);
}

static bool has_either(const struct lh_bind *table, const struct lh_bind *line)
{
	return (line->required && line->n == LH_BIND_ALIASES) || begins_group(table, line);
}

/* Write the conditions on an object.  The recursion is as deep as the tables are nested. */
static void write_members(struct lh_writer *w, const struct lh_bind *table, unsigned how)
{
	const struct lh_bind *line;
	bool either = false;

	lh_write_object(w, "properties");
	for (line = table; line->name; line++)
		write_line(w, line, how);
	lh_write_end(w);
	lh_write_array(w, "required");
	for (line = table; line->name; line++) {
		if (line->required && line->n != LH_BIND_ALIASES)
			lh_write_str(w, NULL, (struct lh_str){ line->name, line->n });
		either |= has_either(table, line);
	}
	lh_write_end(w);
	if (line->closed)
		lh_write_bool(w, "additionalProperties", false);
	if (!either)
		return;
	lh_write_array(w, "allOf");
	for (line = table; line->name; line++)
		if (has_either(table, line))
			write_either(w, line, how);
	lh_write_end(w);
}

/* Write the names of the lines that are marked, each below `above`, unless w has them. */
static void write_marks(struct lh_writer *w, const struct lh_bind *line, bool paths, size_t from,
			const char *above)
{
	struct lh_str name = { NULL, 0 };
	char at[256];

	for (; line->name; line++) {
		const bool many = line->to == LH_BIND_TO_STRINGS || line->to == LH_BIND_TO_IDS ||
				  line->to == LH_BIND_TO_TABLES;

		for (name.p = NULL; next_name(line, &name); ) {
			int n = snprintf(at, sizeof at, "\"%s%s%.*s%s\"", above, *above ? "." : "",
					 (int)name.n, name.p, many ? "[]" : "");
			bool there = memmem(w->out->p + from, w->out->len - from, at, (size_t)n);

			at[n - 1] = '\0';
			if (paths && line->path && !there) {
				lh_write_object(w, NULL);
				lh_write_text(w, "member", at + 1);
				lh_write_bool(w, "safe", line->safe);
				lh_write_end(w);
			} else if (!paths && line->person && !there) {
				lh_write_text(w, NULL, at + 1);
			}
			if (line->table && !is_any(line->table))
				write_marks(w, line->table, paths, from, at + 1);
		}
	}
}

void lh_bind_marked(struct lh_writer *w, const struct lh_bind *table, bool paths, size_t from)
{
	write_marks(w, table, paths, from, "");
}

void lh_bind_schema(struct lh_writer *w, const struct lh_bind *table, unsigned how)
{
	lh_write_text(w, "type", "object");
	write_members(w, table, how);
}

/* ---- a schema as a table ---- */

#define NUMBER LH_BIND_IS(LH_NUMBER)
#define BOOLEAN (LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE))
#define CELL 64			/* bytes into which any one field fits */

/* The keywords that a table can say. */
struct node {
	struct lh_value type, choice, is, items, properties, closed;
	const struct lh_str *required;
	size_t n_required;
	struct lh_str pattern, what, meant;
	uint64_t shortest, longest, fewest;
	double least, most, above;
};

static const struct lh_bind node_members[] = {
	{ LH_BIND_SOME("type", struct node, type) },
	{ LH_BIND_ARRAY("enum", struct node, choice) },
	{ LH_BIND_VALUE("const", struct node, is, LH_BIND_ANY), .lax = true },
	{ LH_BIND_OBJECT("items", struct node, items), .lax = true },
	{ LH_BIND_OBJECT("properties", struct node, properties) },
	{ LH_BIND_SOME("additionalProperties", struct node, closed) },
	{ LH_BIND_STRINGS("required", struct node, required, n_required) },
	{ LH_BIND_STRING("pattern", struct node, pattern) },
	{ LH_BIND_STRING("x-must-be", struct node, what) },
	{ LH_BIND_STRING("x-meant", struct node, meant) },
	{ LH_BIND_U64("minLength", struct node, shortest, 0, INT64_MAX) },
	{ LH_BIND_U64("maxLength", struct node, longest, 0, INT64_MAX) },
	{ LH_BIND_U64("minItems", struct node, fewest, 0, INT64_MAX) },
	{ LH_BIND_F64("minimum", struct node, least, -INFINITY, INFINITY) },
	{ LH_BIND_F64("maximum", struct node, most, -INFINITY, INFINITY) },
	{ LH_BIND_F64("exclusiveMinimum", struct node, above, -INFINITY, INFINITY) },
	LH_BIND_END
};

/* ---- types ---- */

static unsigned type_of(const struct lh_value *name)
{
	static const struct {
		const char *name;
		unsigned set;
	} types[] = {
		{ "string", LH_BIND_IS(LH_STRING) }, { "number", NUMBER }, { "integer", NUMBER },
		{ "boolean", BOOLEAN }, { "array", LH_BIND_IS(LH_ARRAY) },
		{ "object", LH_BIND_IS(LH_OBJECT) }, { "null", LH_BIND_IS(LH_NULL) },
	};
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (name->type == LH_STRING &&
		    lh_value_is(name, types[i].name, strlen(types[i].name)))
			return types[i].set;
	return 0;
}

static unsigned types_of(const struct lh_value *type)
{
	struct lh_iter it;
	unsigned set = 0;

	if (!type->p)
		return LH_BIND_ANY;
	if (type->type != LH_ARRAY)
		return type_of(type);
	for (lh_iter_init(&it, type); lh_iter_next(&it); )
		set |= type_of(&it.val);
	return set;
}

static bool is_integer(const struct lh_value *type)
{
	return memmem(type->p, type->n, "\"integer\"", 9) &&
	       !memmem(type->p, type->n, "\"number\"", 8);
}

unsigned lh_bind_schema_types(const struct lh_value *schema)
{
	struct lh_value type = { .p = NULL };

	lh_value_get(schema, "type", &type);
	return types_of(&type);
}

/* ---- lines ---- */

static struct lh_bind *read_table(const struct node *n, const struct lh_bind_known *known,
				  struct lh_err *err);

static int read_node(const struct lh_value *schema, struct node *n, struct lh_buf *text,
		     struct lh_err *err)
{
	*n = (struct node){ .least = -INFINITY, .most = INFINITY, .above = -INFINITY };
	return lh_bind_value(node_members, schema, n, text, err);
}

static void read_choice(struct lh_bind *line, const struct lh_value *list)
{
	const char **to = lh_calloc(lh_value_count(list) + 1, sizeof *to);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;
	struct lh_str s;

	line->to = LH_BIND_TO_CHOICE;
	line->choice = to;
	for (lh_iter_init(&it, list); lh_iter_next(&it); lh_buf_reset(&text)) {
		if (it.val.type != LH_STRING)
			continue;
		lh_value_str(&it.val, &text, &s);
		*to++ = lh_strndup(s.p, s.n);
	}
}

static void read_number(struct lh_bind *line, const struct node *n)
{
	line->above = isfinite(n->above);
	line->min = line->above ? n->above : n->least;
	line->max = n->most;
	line->to = LH_BIND_TO_F64;
	if (!is_integer(&n->type))
		return;
	line->to = LH_BIND_TO_WHOLE;
	line->least = INT64_MIN;
	line->most = INT64_MAX;
	if (n->is.p && n->is.type == LH_NUMBER) {
		lh_value_i64(&n->is, &line->least);
		line->most = line->least;
	}
	if (line->min > -0x1p63)
		line->least = (int64_t)line->min + line->above;
	if (line->max < 0x1p63)
		line->most = (int64_t)line->max;
}

static int read_array(struct lh_bind *line, const struct node *n,
		      const struct lh_bind_known *known, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct node of;
	unsigned each;
	int rc = 0;

	line->filled = n->fewest > 0;
	if (!n->items.p)
		return 0;
	rc = read_node(&n->items, &of, &text, err);
	each = types_of(&of.type);
	line->each_filled = of.shortest > 0;
	line->count = 2 * sizeof(void *);
	line->size = CELL;
	if (each == LH_BIND_IS(LH_STRING))
		line->to = LH_BIND_TO_STRINGS;
	else if (each == (LH_BIND_IS(LH_STRING) | NUMBER))
		line->to = LH_BIND_TO_IDS;
	else if (each == LH_BIND_IS(LH_OBJECT) && of.properties.p)
		line->to = LH_BIND_TO_TABLES;
	else
		line->each = each == LH_BIND_ANY ? 0 : each;
	if (!rc && line->to == LH_BIND_TO_TABLES && !(line->table = read_table(&of, known, err)))
		rc = -1;
	return rc;
}

/* Fill a line whose name is set. */
static int read_line(struct lh_bind *line, const struct node *n,
		     const struct lh_bind_known *known, struct lh_err *err)
{
	const unsigned all = types_of(&n->type), null = LH_BIND_IS(LH_NULL);
	const unsigned set = all == LH_BIND_ANY ? all : all & ~null;

	line->to = LH_BIND_TO_VALUE;
	line->types = set;
	line->null = line->required && all & null && all != LH_BIND_ANY;
	if (line->null)
		return 0;
	if (n->choice.p && set == LH_BIND_IS(LH_STRING)) {
		read_choice(line, &n->choice);
		return 0;
	}
	if (set == LH_BIND_IS(LH_STRING) || set == (LH_BIND_IS(LH_STRING) | NUMBER)) {
		line->to = types_of(&n->type) & NUMBER ? LH_BIND_TO_ID : LH_BIND_TO_STRING;
		line->filled = n->shortest > 0;
		line->longest = n->longest < UINT32_MAX ? (unsigned)n->longest : 0;
		for (; n->pattern.p && known && known->pattern; known++)
			if (lh_str_is(n->pattern, known->pattern, strlen(known->pattern))) {
				line->is = known->is;
				if (!line->what)
					line->what = lh_strndup(known->what, strlen(known->what));
			}
	} else if (set == NUMBER) {
		read_number(line, n);
	} else if (set == BOOLEAN) {
		line->to = LH_BIND_TO_BOOL;
	} else if (set & LH_BIND_IS(LH_ARRAY)) {
		return read_array(line, n, known, err);
	} else if (set == LH_BIND_IS(LH_OBJECT) && n->properties.p) {
		line->to = LH_BIND_TO_TABLE;
		line->table = read_table(n, known, err);
		return line->table ? 0 : -1;
	}
	return 0;
}

/* Copy the words that the schema has for messages. */
static void copy_words(struct lh_bind *line, const struct node *n)
{
	if (n->what.p)
		line->what = lh_strndup(n->what.p, n->what.n);
	if (n->meant.p)
		line->meant = lh_strndup(n->meant.p, n->meant.n);
}

static bool is_required(const struct node *n, const char *name)
{
	size_t i;

	for (i = 0; i < n->n_required; i++)
		if (lh_str_is(n->required[i], name, strlen(name)))
			return true;
	return false;
}

/* Add a line for a property; its name is owned. */
static int add_line(struct lh_bind *line, const struct node *n, const struct lh_iter *it,
		    const struct lh_bind_known *known, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s;
	struct node of;
	char *name;

	lh_value_str(&it->key, &text, &s);
	name = lh_strndup(s.p, s.n);
	lh_bind_rename(line, name);
	line->field = 1;
	line->required = is_required(n, name);
	if (it->val.type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a property must be an object");
	if (read_node(&it->val, &of, &text, err) < 0)
		return -1;
	copy_words(line, &of);
	return read_line(line, &of, known, err);
}

/* Make a table of the properties.  The recursion is as deep as the schema. */
static struct lh_bind *read_table(const struct node *n, const struct lh_bind_known *known,
				  struct lh_err *err)
{
	size_t lines = n->properties.p ? lh_value_count(&n->properties) : 0;
	struct lh_bind *table = lh_calloc(lines + 1, sizeof *table), *line = table;
	struct lh_iter it;

	lh_iter_init(&it, &n->properties);
	for (; lines && lh_iter_next(&it); line++)
		if (add_line(line, n, &it, known, err) < 0) {
			lh_bind_free(table);
			return NULL;
		}
	line->closed = n->closed.p && n->closed.type == LH_FALSE;
	return table;
}

struct lh_bind *lh_bind_read(const struct lh_value *schema, const struct lh_bind_known *known,
			     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_bind *table = NULL;
	struct node n;

	if (read_node(schema, &n, &text, err) == 0)
		table = read_table(&n, known, err);
	return table;
}

void lh_bind_free(struct lh_bind *table)
{
	struct lh_bind *line;
	size_t i;

	for (line = table; line && line->name; line++) {
		for (i = 0; line->choice && line->choice[i]; i++)
			free((char *)line->choice[i]);
		free((void *)line->choice);
		free((char *)line->meant);
		free((char *)line->what);
		free((char *)line->name);
		lh_bind_free((struct lh_bind *)line->table);
	}
	free(table);
}

int lh_bind_check(const struct lh_bind *table, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	_Alignas(16) char cell[CELL];

	return lh_bind_value(table, v, cell, &text, err);
}

int lh_bind_check_record(const struct lh_bind *table, const struct lh_record *rec,
			 struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	_Alignas(16) char cell[CELL];

	return lh_bind(table, rec, cell, &text, err);
}
