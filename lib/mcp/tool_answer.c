/* tool_answer.c - the structured content of a tool, by its outputSchema and the rows of
 * "members".  See mcp_tool.h. */
#include "tool_parts.h"

#include <stdio.h>

#include "json/value.h"

/* How a member is written: as it is; the number of elements; those of this part; the first of
 * them; each element, the members, or all of it cut. */
enum lh_mcp_how_written { AS_IS, COUNT, PART, FIRST, CELLS, MEMBERS, TEXT, WHOLE };
const char *const lh_mcp_hows[] = { "is", "count", "part", "first", "cells", "members", "text",
				    "whole", NULL };

#define FIRST_OF(detail) ((detail) == LH_MCP_FULL ? 1000u : 20u)

struct answer {
	struct lh_mcp_reply *reply;
	struct lh_mcp_part part;
	struct lh_buf path;		/* "datasets[].objects" */
	struct lh_err *err;
};

static int write_value(struct answer *a, struct lh_writer *w, const char *name,
		       const struct lh_value *schema, const struct lh_value *v);

static const struct lh_mcp_row *find_row(const struct answer *a)
{
	const struct lh_mcp_row *row = a->reply->tool->row, *end = row + a->reply->tool->n_rows;

	for (; row < end; row++)
		if (lh_str_is(row->to, a->path.p, a->path.len))
			return row;
	return NULL;
}

/* Add a link to the resource "lh:KIND/NAME" of an object with a name. */
static void add_link(struct lh_mcp_reply *r, struct lh_str kind, const struct lh_value *object)
{
	struct lh_value name = lh_mcp_get_in(object, "name", LH_STRING);
	LH_SCOPED(lh_buf_free) struct lh_buf uri = { 0 }, text = { 0 };
	struct lh_str s;

	lh_value_str(&name, &text, &s);
	lh_buf_printf(&uri, "lh:%.*s/", (int)kind.n, kind.p);
	lh_mcp_percent(&uri, s);
	lh_mcp_link(r, (struct lh_str){ uri.p, uri.len }, s, kind);
}

/* Write the elements of an array, or some of them. */
static int write_elements(struct answer *a, struct lh_writer *w, const char *name,
			  const struct lh_mcp_row *row, const struct lh_value *schema,
			  const struct lh_value *array)
{
	const int how = row ? row->how : AS_IS, detail = a->part.detail;
	const uint64_t from = how == PART ? a->part.offset : 0;
	const uint64_t n = how == PART ? a->part.limit : how == FIRST ? FIRST_OF(detail)
							: UINT64_MAX;
	const size_t most = LH_MCP_TEXT(how == FIRST ? LH_MCP_FULL : detail);
	const size_t length = a->path.len;
	struct lh_value items = { .p = "{}", .n = 2, .type = LH_OBJECT };
	struct lh_iter it;
	uint64_t i = 0;
	int rc = 0;

	lh_value_get(schema, "items", &items);
	lh_buf_puts(&a->path, "[]");
	lh_write_array(w, name);
	for (lh_iter_init(&it, array); !rc && lh_iter_next(&it); i++) {
		if (i < from || i - from >= n)
			continue;
		if (how == FIRST || how == CELLS)
			lh_mcp_write_cut(w, NULL, &it.val, most);
		else
			rc = write_value(a, w, NULL, &items, &it.val);
		if (row && row->link.n)
			add_link(a->reply, row->link, &it.val);
	}
	lh_write_end(w);
	a->path.len = length;
	if (how == PART)
		lh_mcp_part_end(w, &a->part, i > from + n);
	return rc;
}

static bool is_required(const struct lh_value *schema, const char *name)
{
	struct lh_value all = lh_mcp_get_in(schema, "required", LH_ARRAY);
	struct lh_iter it;

	for (lh_iter_init(&it, &all); lh_iter_next(&it); )
		if (it.val.type == LH_STRING && lh_value_is(&it.val, name, strlen(name)))
			return true;
	return false;
}

/* Find the value of a property in the object, or, if it is required, an empty one. */
static bool find_value(const struct answer *a, const char *name, const struct lh_value *schema,
		       bool required, const struct lh_value *object, struct lh_value *v)
{
	const struct lh_mcp_row *row = find_row(a);
	const unsigned types = lh_bind_schema_types(schema);
	char from[LH_MCP_NAME];

	snprintf(from, sizeof from, "%s", name);
	if (row && row->from.n)
		snprintf(from, sizeof from, "%.*s", (int)row->from.n, row->from.p);
	if (row && row->how == COUNT) {
		*v = lh_mcp_get_in(object, from, LH_ARRAY);
		return true;
	}
	*v = *object;
	if ((!strcmp(from, ".") || lh_mcp_has(object, from, v)) && types & LH_BIND_IS(v->type))
		return required || !row || row->how != WHOLE || v->n > 2;	/* not "" */
	*v = lh_mcp_get_in(object, "", types & LH_BIND_IS(LH_ARRAY) ? LH_ARRAY : LH_STRING);
	return required && !a->reply->tool->verdicts &&
	       types & (LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING));
}

/* Write the properties that a schema names, of an object. */
static int write_properties(struct answer *a, struct lh_writer *w, const char *name,
			    const struct lh_value *schema, const struct lh_value *object)
{
	const size_t length = a->path.len;
	struct lh_value all = lh_mcp_get_in(schema, "properties", LH_OBJECT), v;
	char member[LH_MCP_NAME];
	struct lh_iter it;
	int rc = 0;

	lh_write_object(w, name);
	for (lh_iter_init(&it, &all); !rc && lh_iter_next(&it); a->path.len = length) {
		lh_buf_printf(&a->path, "%s%s", length ? "." : "", lh_mcp_name(member, &it.key));
		if (find_value(a, member, &it.val, is_required(schema, member), object, &v))
			rc = write_value(a, w, member, &it.val, &v);
	}
	lh_write_end(w);
	return rc;
}

static void write_members(struct answer *a, struct lh_writer *w, const char *name,
			  const struct lh_mcp_row *row, const struct lh_value *v)
{
	if (row->link.n)
		add_link(a->reply, row->link, v);
	lh_mcp_write_members(w, name, v, row->without, row->n_without,
			     LH_MCP_MEMBER(a->part.detail));
}

static int write_value(struct answer *a, struct lh_writer *w, const char *name,
		       const struct lh_value *schema, const struct lh_value *v)
{
	const struct lh_mcp_row *row = find_row(a);
	const int how = row ? row->how : AS_IS;
	struct lh_value closed;

	if (how == COUNT)
		lh_write_u64(w, name, lh_value_count(v));
	else if (how == MEMBERS)
		write_members(a, w, name, row, v);
	else if (how == TEXT || how == WHOLE)
		lh_mcp_write_cut(w, name, v,
				 LH_MCP_TEXT(how == WHOLE ? LH_MCP_FULL : a->part.detail));
	else if (v->type == LH_ARRAY)
		return write_elements(a, w, name, row, schema, v);
	else if (v->type == LH_OBJECT && lh_value_get(schema, "additionalProperties", &closed) &&
		 closed.type == LH_FALSE)
		return write_properties(a, w, name, schema, v);
	else
		lh_write_value(w, name, v);
	return 0;
}

int lh_mcp_answer_rows(struct lh_mcp_reply *r, const struct lh_value *args,
		       const struct lh_record *rec, struct lh_err *err)
{
	const char *text = r->tool->output;
	const struct lh_value schema = { text, strlen(text), LH_OBJECT, false };
	const struct lh_value whole = lh_mcp_whole(rec);
	struct answer a = { .reply = r, .part = lh_mcp_part_of(r->tool, args), .err = err };
	struct lh_value required = lh_mcp_get_in(&schema, "required", LH_ARRAY);
	struct lh_writer w = lh_write_to(r->structured);
	char name[LH_MCP_NAME];
	struct lh_iter it;
	int rc;

	lh_iter_init(&it, &required);
	if (r->tool->verdicts && lh_iter_next(&it) &&
	    !lh_record_get(rec, lh_mcp_name(name, &it.val)))
		return lh_mcp_refused(rec, r->status, err);
	rc = write_properties(&a, &w, NULL, &schema, &whole);
	lh_buf_free(&a.path);
	return rc;
}
