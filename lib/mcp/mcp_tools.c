/*
 * mcp_tools.c - read tools of a file, or those that are built in; answers by outputSchema.  See
 * mcp_tool.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include "index/index_tools.h"
#include "json/value.h"
#include "json/write.h"
#include "mcp_parts.h"
#include "mcp_tool.h"
#include "persons/persons.h"
#include "serve/routes.h"

/* ---- the structured content of a tool ---- */

/* How a member is written: as it is; the number of elements; those of this part; the first of
 * them; each element, the members, or all of it cut. */
enum lh_mcp_how_written { AS_IS, COUNT, PART, FIRST, CELLS, MEMBERS, TEXT, WHOLE };
/* "how", of a row of "members" */
static const char *const lh_mcp_hows[] = { "is", "count", "part", "first", "cells", "members",
					   "text", "whole", NULL };

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

/* Compose the reply of a tool without a function of its own. */
static int lh_mcp_answer_rows(struct lh_mcp_reply *r, const struct lh_value *args,
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

/* ---- tools ---- */

#define FILE_MAX ((size_t)16 << 20)
#define NAME_MAX_BYTES 128
#define SHARED 8		/* names of "shared" inside each other */

const char lh_mcp_built_in[] =
#include "share/mcp/tools.json.inc"
	;

static const char *const answers[] = { "members", "search", "lookup", "validate", "relevance",
				       "report", "trace", NULL };
static lh_mcp_answer_fn *const answer[] = {
	lh_mcp_answer_rows, lh_mcp_answer_search, lh_mcp_answer_lookup, lh_mcp_answer_validate,
	lh_mcp_answer_relevance, lh_mcp_answer_report, lh_mcp_answer_trace,
};
static const char *const shown[] = { "answer", "record", NULL };

struct members {
	struct lh_str name, title, description;
	struct lh_value input, output, annotations, meant, at;
	const struct lh_str *run;
	size_t n_run;
	struct lh_str route;
	int answer, persons;
	struct lh_mcp_tool t;		/* what is taken as it is */
};

static const struct lh_bind row_table[] = {
	{ LH_BIND_STRING("to", struct lh_mcp_row, to), .required = true },
	{ LH_BIND_STRING("from", struct lh_mcp_row, from) },
	{ LH_BIND_INDEX("how", struct lh_mcp_row, how, lh_mcp_hows) },
	{ LH_BIND_STRINGS("without", struct lh_mcp_row, without, n_without) },
	{ LH_BIND_STRING("link", struct lh_mcp_row, link) },
	LH_BIND_CLOSED
};

static const struct lh_bind table[] = {
	{ LH_BIND_STRING("name", struct members, name), .required = true, .filled = true,
	  .longest = NAME_MAX_BYTES, .as_written = LH_BIND_FIELD(struct members, at) },
	{ LH_BIND_STRING("title", struct members, title), .no_nul = true },
	{ LH_BIND_STRING("description", struct members, description), .required = true,
	  .filled = true, .no_nul = true },
	{ LH_BIND_STRINGS("run", struct members, run, n_run), .filled = true },
	{ LH_BIND_STRING("route", struct members, route), .filled = true, .no_nul = true },
	{ LH_BIND_OBJECT("inputSchema", struct members, input), .required = true },
	{ LH_BIND_OBJECT("outputSchema", struct members, output) },
	{ LH_BIND_VALUE("annotations", struct members, annotations,
			LH_BIND_IS(LH_OBJECT) | LH_BIND_IS(LH_STRING)) },
	{ LH_BIND_U64("pool", struct members, t.pool, 1, 256) },
	{ LH_BIND_OBJECT("as", struct members, t.as) },
	{ LH_BIND_ARRAY("cut", struct members, t.cut), .each = LH_BIND_IS(LH_STRING) },
	{ LH_BIND_OBJECT("adds", struct members, t.adds) },
	{ LH_BIND_OBJECT("routes", struct members, t.routes) },
	{ LH_BIND_OBJECT("meant", struct members, meant) },
	{ LH_BIND_STRING("more", struct members, t.more) },
	{ LH_BIND_STRING("indexes", struct members, t.indexes) },
	{ LH_BIND_TABLES("members", struct members, t.row, t.n_rows, row_table) },
	{ LH_BIND_INDEX("answer", struct members, answer, answers) },
	{ LH_BIND_INDEX("persons", struct members, persons, shown) },
	{ LH_BIND_BOOL("unnamed", struct members, t.tells) },
	{ LH_BIND_BOOL("verdicts", struct members, t.verdicts) },
	{ LH_BIND_BOOL("compat", struct members, t.compat) },
	LH_BIND_CLOSED
};

struct file_members {
	struct lh_value shared;
	struct members *tool;
	size_t n_tools;
};

static const struct lh_bind file_table[] = {
	{ LH_BIND_OBJECT("shared", struct file_members, shared) },
	{ LH_BIND_TABLES("tools", struct file_members, tool, n_tools, table), .required = true },
	LH_BIND_END
};

struct reading {
	struct lh_mcp_tools *to;
	const char *path;
	json_t *shared;
	struct lh_err *err;
};

/* ---- texts ---- */

static int copy_text(const char **to, struct lh_str s)
{
	*to = s.p ? lh_strndup(s.p, s.n) : NULL;
	return s.p && !*to ? -1 : 0;
}

static bool is_schema(const json_t *v)
{
	return json_is_object(v) || json_is_array(v) || lh_document_text(v);
}

/* Return a schema, or another object, with what its names of "shared" stand for, or NULL; all: of
 * an object whose members are schemas. */
static json_t *expand(const struct reading *r, json_t *of, bool all, unsigned depth)
{
	const json_t *called = json_is_array(of) ? json_array_get(of, 0) : of;
	const char *name = lh_document_text(called), *key;
	json_t *about = json_array_get(of, 1), *to, *v;
	size_t n = json_string_length(called);
	int rc = 0;

	if (name && json_is_array(of) == !!lh_document_text(about)) {
		v = depth < SHARED ? json_object_getn(r->shared, name, n) : NULL;
		to = v ? expand(r, v, false, depth + 1) : NULL;
		if (!v)
			lh_err_set(r->err, LH_EDATA, "\"shared\" has no \"%s\"", name);
		json_object_set(to, "description", about);
		return to;
	}
	if (!json_is_object(of))
		rc = lh_err_set(r->err, LH_EDATA, "a schema is an object, [NAME, TEXT] or NAME");
	to = json_object();
	json_object_keylen_foreach(of, key, n, v) {
		const bool each = !all && !strcmp(key, "properties") && json_is_object(v);
		const bool one = (all || !strcmp(key, "items")) && is_schema(v);

		if (!rc && (each || one))
			rc = json_object_setn_new(to, key, n, expand(r, v, each, depth));
		else
			json_object_setn(to, key, n, v);
	}
	if (rc)
		json_decref(to);
	return rc ? NULL : to;
}

/* Copy a schema or hints on one line, which the protocol needs, and as *tree; v is absent if p is
 * NULL. */
static int copy_object(const struct reading *r, const char **to, json_t **tree,
		       const struct lh_value *v)
{
	LH_SCOPED(lh_document_free) json_t *of = v->p ? lh_document_of(v) : NULL;
	struct lh_buf text = { 0 };

	*tree = of ? expand(r, of, false, 0) : NULL;
	if (*tree) {
		lh_document_write(&text, *tree);
		lh_buf_putc(&text, '\0');
	}
	*to = text.p;
	return of && !*tree ? -1 : 0;
}

/* ---- a tool ---- */

static struct lh_value value_of(const char *json)
{
	return (struct lh_value){ .p = json, .n = json ? strlen(json) : 0, .type = LH_OBJECT };
}

/* Check that a schema describes an object, as the protocol demands. */
static int check_schema(const struct lh_mcp_tool *t, const char *text, const char *name,
			struct lh_err *err)
{
	const struct lh_value schema = value_of(text);

	if (!text || lh_bind_schema_types(&schema) == LH_BIND_IS(LH_OBJECT))
		return 0;
	return lh_err_set(err, LH_EDATA, "tool \"%s\": \"%s\": \"type\" must be \"object\"",
			  t->name, name);
}

static int check_name(const struct lh_mcp_tools *t, struct lh_str name, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			    name.p[i], 65))
			return lh_err_set(err, LH_EDATA, "\"name\" must be letters, digits, "
					  "\"_\", \"-\" and \".\"");
	for (i = 0; i < t->n; i++)
		if (lh_str_is(name, t->v[i].name, strlen(t->v[i].name)))
			return lh_err_set(err, LH_EDATA, "tool \"%s\" is there twice",
					  t->v[i].name);
	return 0;
}

static int copy_argv(struct lh_mcp_tool *t, const struct members *m, struct lh_err *err)
{
	size_t i;

	t->run = lh_calloc(m->n_run + 1, sizeof *t->run);
	for (i = 0; i < m->n_run; i++) {
		if (memchr(m->run[i].p, '\0', m->run[i].n))
			return lh_err_set(err, LH_EDATA, "a text holds NUL");
		t->run[i] = lh_strndup(m->run[i].p, m->run[i].n);
	}
	if (!lh_is_command(t->run[0]))
		return lh_err_set(err, LH_EDATA, "tool \"%s\": \"run\": there is no command %s",
				  t->name, t->run[0]);
	return 0;
}

/* Make the table of the arguments of a route, with what the members may be called. */
static int make_table(struct lh_mcp_tool *t, const struct members *m, struct lh_err *err)
{
	static const struct lh_bind_known known[] = {
		{ LH_INDEX_NAME }, { .pattern = LH_MCP_CURSOR, .is = lh_mcp_is_cursor,
				     .what = "cursor of an answer" }, { .pattern = NULL },
	};
	const struct lh_value schema = value_of(t->input);
	struct lh_bind *line;
	struct lh_value v;

	line = t->table = lh_bind_read(&schema, known, err);
	for (; line && line->name; line++)
		if (!line->meant && m->meant.p && lh_value_get(&m->meant, line->name, &v) &&
		    v.type == LH_STRING)
			line->meant = lh_strndup(v.p + 1, v.n - 2);
	return t->table ? 0 : -1;
}

static int make_check(struct lh_mcp_tool *t, const struct members *m, struct lh_err *err)
{
	if (!m->n_run == !m->route.p)
		return lh_err_set(err, LH_EDATA, "tool \"%s\": needs \"run\" or \"route\"%s",
				  t->name, m->route.p ? ", and has both" : "");
	if (m->route.p)
		return copy_text(&t->route, m->route) < 0 ? -1 : make_table(t, m, err);
	t->schema = lh_jsonschema_new(lh_str_of(t->input), NULL, NULL, err);
	if (t->schema)
		return copy_argv(t, m, err);
	return lh_err_prefix(err, "tool \"%s\": inputSchema", t->name);
}

/* Add a tool.  Without hints it is offered, but no call of it is repeated. */
static int add_tool(const struct reading *r, const struct members *m)
{
	LH_SCOPED(lh_document_free) json_t *output = NULL, *hints = NULL;
	struct lh_mcp_tools *to = r->to;
	struct lh_err *err = r->err;
	struct lh_mcp_tool *t;

	if (check_name(to, m->name, err) < 0)
		return -1;
	lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
	t = &to->v[to->n++];
	*t = m->t;
	t->pool = t->pool ? t->pool : 1;
	t->cuts = m->persons > 0;
	t->answer = m->route.p && (m->output.p || m->answer) ? answer[m->answer] : NULL;
	if (copy_text(&t->name, m->name) < 0 || copy_text(&t->title, m->title) < 0 ||
	    copy_text(&t->description, m->description) < 0 ||
	    copy_object(r, &t->input, &t->tree, &m->input) < 0 ||
	    copy_object(r, &t->output, &output, &m->output) < 0 ||
	    copy_object(r, &t->annotations, &hints, &m->annotations) < 0 ||
	    check_schema(t, t->input, "inputSchema", err) < 0 ||
	    check_schema(t, t->output, "outputSchema", err) < 0)
		return -1;
	t->repeat = json_is_true(json_object_get(hints, "readOnlyHint"));
	t->write = json_is_false(json_object_get(hints, "readOnlyHint")) ||
		   json_is_true(json_object_get(hints, "destructiveHint"));
	return make_check(t, m, err);
}

/* ---- the file ---- */

static int read_tools(struct reading *r, struct lh_record *rec)
{
	struct file_members m = { .tool = NULL };
	const struct lh_buf *text = &r->to->text;
	struct lh_value v;
	size_t i;
	int rc = lh_json_parse(rec, text->p, text->len, &v, r->err);

	if (!rc)
		rc = lh_bind_file(file_table, &v, text->p, &m, &r->to->strings, r->err);
	if (rc)
		rc = lh_bind_file_error(r->path, text->p, NULL, r->err);
	r->shared = m.shared.p ? lh_document_of(&m.shared) : NULL;
	for (i = 0; !rc && i < m.n_tools; i++)
		if (add_tool(r, &m.tool[i]) < 0)
			rc = lh_bind_file_error(r->path, text->p, m.tool[i].at.p, r->err);
	json_decref(r->shared);
	return rc;
}

int lh_mcp_tools_read(struct lh_mcp_tools *t, const char *path, struct lh_err *err)
{
	struct reading r = { .to = t, .path = path ? path : "tools.json", .err = err };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc = 1;

	lh_buf_init(&t->text, FILE_MAX);
	if (path)
		rc = lh_file_read_commands(path, &t->text, err);
	else
		lh_buf_puts(&t->text, lh_mcp_built_in);
	if (rc == 0)
		rc = lh_err_set(err, LH_EIO, "%s: no such file", path);
	else if (rc > 0)
		rc = lh_buf_check(&t->text, err) < 0 ? -1 : read_tools(&r, &rec);
	return rc;
}

const struct lh_mcp_tool *lh_mcp_tools_find(const struct lh_mcp_tools *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].name, name))
			return &t->v[i];
	return NULL;
}

static int audit_one(struct lh_mcp_tool *t, const struct lh_persons_how *how, struct lh_err *err)
{
	struct lh_persons_how lenient = *how;
	struct lh_routes one = { .n = 1 };
	struct lh_buf name = { 0 };
	int rc;

	t->own = lh_calloc(1, sizeof *t->own);
	lh_buf_printf(&name, "tool %s", t->name);
	lh_buf_putc(&name, '\0');
	t->own->route = name.p;
	t->own->run = t->run;
	one.v = t->own;
	/* each call of one that does not say what it does has a row: that is no error */
	lenient.required = false;
	rc = lh_persons_filters(&one, &lenient, err);
	t->run = t->own->run;
	return rc;
}

int lh_mcp_tools_audit(struct lh_mcp_tools *t, const struct lh_persons_how *how,
		       struct lh_err *err)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].run && audit_one(&t->v[i], how, err) < 0)
			return -1;
	return 0;
}

void lh_mcp_tools_free(struct lh_mcp_tools *t)
{
	struct lh_mcp_tool *each;

	for (each = t->v; each < t->v + t->n; each++) {
		free((char *)each->name);
		free((char *)each->title);
		free((char *)each->description);
		free((char *)each->input);
		free((char *)each->output);
		free((char *)each->annotations);
		json_decref(each->tree);
		free((char *)each->route);
		if (each->own)
			lh_route_free(each->own);	/* with run */
		else
			lh_argv_free(each->run);
		free(each->own);
		lh_bind_free(each->table);
		lh_jsonschema_free(each->schema);
	}
	free(t->v);
	lh_buf_free(&t->text);
	lh_buf_free(&t->strings);
	*t = (struct lh_mcp_tools){ .n = 0 };
}
