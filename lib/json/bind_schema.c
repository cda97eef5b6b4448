/* bind_schema.c - a table as JSON Schema.  See bind.h. */
#include <stdio.h>

#include "bind_parts.h"
#include "write.h"

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
