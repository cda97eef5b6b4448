/* bind_read.c - a table made of a JSON Schema: the reverse of bind_schema.c.  See bind.h. */
#include "bind_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "value.h"

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
