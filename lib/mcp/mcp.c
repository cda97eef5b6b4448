/* mcp.c - a message: its form, its era, its method; lists.  See mcp.h. */
#include "mcp_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define META "io.modelcontextprotocol/"
#define ID_MAX 1024		/* bytes */
#define PAGE 100		/* tools */
#define HOUR 3600000		/* ms */
#define INSTRUCTIONS \
	"Tools over a folder of indexes, datasets and audit logs; list_corpora says what can be " \
	"searched. " \
	"Answers are short: use detail \"full\", lookup or a resource_link for a whole record."

/* The older revisions, newest first. */
static const char *const older[] = { "2025-11-25", "2025-06-18", NULL };

bool lh_mcp_is_older(const char *version)
{
	size_t i;

	for (i = 0; older[i]; i++)
		if (!strcmp(version, older[i]))
			return true;
	return false;
}

/* ---- errors ---- */

static void refuse(const struct lh_mcp_request *r, enum lh_mcp_code code, const char *why)
{
	lh_mcp_error(r->m, r->peer, &r->id, code, why, (struct lh_str){ NULL, 0 });
}

void lh_mcp_refuse(struct lh_mcp *m, struct lh_mcp_peer *p, enum lh_mcp_code code, const char *why)
{
	lh_mcp_error(m, p, NULL, code, why, (struct lh_str){ NULL, 0 });
}

/* Refuse a revision that is not served in the modern way, and name those that are served. */
static void refuse_version(const struct lh_mcp_request *r, const struct lh_value *version)
{
	struct lh_buf *data = &r->m->text;
	struct lh_writer w = lh_write_to(data);
	size_t i;

	lh_buf_reset(data);
	lh_write_object(&w, NULL);
	lh_write_array(&w, "supported");
	lh_write_text(&w, NULL, LH_MCP_MODERN);
	for (i = 0; older[i]; i++)
		lh_write_text(&w, NULL, older[i]);
	lh_write_end(&w);
	if (version->p)
		lh_write_value(&w, "requested", version);
	else
		lh_write_bytes(&w, "requested", r->peer->headers->version);
	lh_write_end(&w);
	lh_mcp_error(r->m, r->peer, &r->id, LH_MCP_VERSION, "unsupported protocol version",
		     (struct lh_str){ data->p, data->len });
}

/* ---- methods ---- */

static void initialize(const struct lh_mcp_request *r)
{
	struct lh_mcp *m = r->m;
	struct lh_value version;
	struct lh_writer w;
	size_t i;

	if (!lh_mcp_read_string(r, "protocolVersion", &version))
		return;
	for (i = 0; older[i] && !lh_value_is(&version, older[i], strlen(older[i])); i++)
		;
	r->peer->version = older[i] ? older[i] : older[0];
	w = lh_mcp_result(m, &r->id, false);
	lh_write_text(&w, "protocolVersion", r->peer->version);
	lh_write_raw(&w, "capabilities", lh_str_of("{\"tools\":{},\"resources\":{}}"));
	lh_mcp_info(m, &w, "serverInfo");
	lh_write_text(&w, "instructions", INSTRUCTIONS);
	lh_mcp_result_end(m, r->peer, &w);
}

static void discover(const struct lh_mcp_request *r)
{
	struct lh_writer w = lh_mcp_result(r->m, &r->id, true);
	size_t i;

	lh_write_array(&w, "supportedVersions");
	lh_write_text(&w, NULL, LH_MCP_MODERN);
	for (i = 0; older[i]; i++)
		lh_write_text(&w, NULL, older[i]);
	lh_write_end(&w);
	lh_write_raw(&w, "capabilities", lh_str_of("{\"tools\":{},\"resources\":{}}"));
	lh_write_text(&w, "instructions", INSTRUCTIONS);
	lh_mcp_write_fresh(&w, HOUR, true);
	lh_mcp_result_end(r->m, r->peer, &w);
}

static void ping(const struct lh_mcp_request *r)
{
	struct lh_writer w = lh_mcp_result(r->m, &r->id, false);

	lh_mcp_result_end(r->m, r->peer, &w);
}

/* ---- lists ---- */

/* Read the cursor of a list, in m->strings; p is NULL if there is none, or an empty one. */
static int read_cursor(const struct lh_mcp_request *r, struct lh_str *cursor)
{
	struct lh_value v;

	*cursor = (struct lh_str){ NULL, 0 };
	lh_buf_reset(&r->m->strings);
	if (!r->params.p || !lh_value_get(&r->params, "cursor", &v) || v.type == LH_NULL)
		return 0;
	if (v.type == LH_STRING) {
		lh_value_str(&v, &r->m->strings, cursor);
		cursor->p = cursor->n ? cursor->p : NULL;
		return 0;
	}
	refuse(r, LH_MCP_PARAMS, "cursor must be a string");
	return -1;
}

/* The cursor of tools/list is the number of the first tool of the page. */
static bool read_place(struct lh_str cursor, size_t *at)
{
	size_t i;

	*at = 0;
	if (!cursor.p)
		return true;
	for (i = 0; i < cursor.n && i < 9 && cursor.p[i] >= '0' && cursor.p[i] <= '9'; i++)
		*at = *at * 10 + (size_t)(cursor.p[i] - '0');
	return cursor.n && i == cursor.n && *at % PAGE == 0;
}

static void tools_list(const struct lh_mcp_request *r)
{
	struct lh_mcp *m = r->m;
	const struct lh_mcp_tool *t;
	struct lh_writer w;
	struct lh_str cursor;
	char next[24];
	size_t at, i;

	if (read_cursor(r, &cursor) < 0)
		return;
	if (!read_place(cursor, &at) || (at && !lh_mcp_tool_at(m, r->peer, at))) {
		refuse(r, LH_MCP_PARAMS, "unknown cursor");
		return;
	}
	w = lh_mcp_result(m, &r->id, r->modern);
	lh_write_array(&w, "tools");
	for (i = at; i < at + PAGE && (t = lh_mcp_tool_at(m, r->peer, i)); i++)
		lh_mcp_write_tool(&w, t);
	lh_write_end(&w);
	snprintf(next, sizeof next, "%zu", at + PAGE);
	if (lh_mcp_tool_at(m, r->peer, at + PAGE))
		lh_write_text(&w, "nextCursor", next);
	if (r->modern)		/* the same for all who may all */
		lh_mcp_write_fresh(&w, HOUR, lh_mcp_may(r->peer, m->how.routes, NULL));
	lh_mcp_result_end(m, r->peer, &w);
}

/* Answer with a page of resources or templates. */
static void list(const struct lh_mcp_request *r, const char *name,
		 int (*write)(struct lh_mcp_page *p, struct lh_err *err))
{
	struct lh_mcp *m = r->m;
	struct lh_writer w;
	struct lh_mcp_page page = { .state = m->how.state, .peer = r->peer,
				     .routes = m->how.routes, .w = &w, .next = &m->next };
	struct lh_err err;

	if (read_cursor(r, &page.cursor) < 0)
		return;
	lh_buf_reset(&m->next);
	w = lh_mcp_result(m, &r->id, r->modern);
	lh_write_array(&w, name);
	if (write(&page, &err) < 0) {
		refuse(r, err.code == LH_EDATA ? LH_MCP_PARAMS : LH_MCP_INTERNAL, err.msg);
		return;
	}
	lh_write_end(&w);
	if (m->next.len)
		lh_write_str(&w, "nextCursor", (struct lh_str){ m->next.p, m->next.len });
	if (r->modern)
		lh_mcp_write_fresh(&w, 0, false);
	lh_mcp_result_end(m, r->peer, &w);
}

static void resources_list(const struct lh_mcp_request *r)
{
	list(r, "resources", lh_mcp_resources_list);
}

static void templates_list(const struct lh_mcp_request *r)
{
	list(r, "resourceTemplates", lh_mcp_templates_list);
}

/* ---- eras ---- */

enum { FIRST = 1, OLDER = 2, MODERN = 4 };	/* FIRST: of the older, also before initialize */

static const struct method {
	const char *name;
	unsigned eras;
	void (*run)(const struct lh_mcp_request *r);
	const char *named;		/* the parameter that the header Mcp-Name repeats */
} methods[] = {
	{ "initialize", FIRST | OLDER, initialize, NULL },
	{ "ping", FIRST | OLDER, ping, NULL },
	{ "server/discover", MODERN, discover, NULL },
	{ "tools/list", OLDER | MODERN, tools_list, NULL },
	{ "tools/call", OLDER | MODERN, lh_mcp_tools_call, "name" },
	{ "resources/list", OLDER | MODERN, resources_list, NULL },
	{ "resources/templates/list", OLDER | MODERN, templates_list, NULL },
	{ "resources/read", OLDER | MODERN, lh_mcp_resources_read, "uri" },
	{ .name = NULL }
};

static const struct method *find_method(const struct lh_value *name)
{
	const struct method *m;

	for (m = methods; m->name; m++)
		if (lh_value_is(name, m->name, strlen(m->name)))
			return m;
	return NULL;
}

/* Return whether a header names a version that is not served at all. */
static bool names_other(const struct lh_mcp_peer *p)
{
	return p->headers && p->headers->version && strcmp(p->headers->version, LH_MCP_MODERN) != 0;
}

/* Check a request that names a protocol version: true if it can be served. */
static bool check_modern(const struct lh_mcp_request *r, const struct lh_value *method)
{
	struct lh_value version = { .type = LH_NULL }, can = { .type = LH_NULL };
	const struct method *m = find_method(method);
	const char *why;

	if (r->meta.p) {
		lh_value_get(&r->meta, META "protocolVersion", &version);
		lh_value_get(&r->meta, META "clientCapabilities", &can);
	}
	r->peer->unread = true;
	why = lh_mcp_mismatch(r, method, m ? m->named : NULL);
	if (!version.p && names_other(r->peer))
		refuse_version(r, &version);
	else if (why)
		refuse(r, LH_MCP_HEADER, why);
	else if (version.type != LH_STRING)
		refuse(r, LH_MCP_PARAMS, version.type == LH_NULL
		       ? "missing _meta[\"" META "protocolVersion\"] (string)"
		       : "_meta[\"" META "protocolVersion\"] must be a string");
	else if (!lh_value_is(&version, LH_MCP_MODERN, strlen(LH_MCP_MODERN)))
		refuse_version(r, &version);
	else if (can.type != LH_OBJECT)
		refuse(r, LH_MCP_PARAMS, can.type == LH_NULL
		       ? "missing _meta[\"" META "clientCapabilities\"] (object)"
		       : "_meta[\"" META "clientCapabilities\"] must be an object");
	else
		return !(r->peer->unread = false);
	return false;
}

/* Return whether a request is of the modern era: its _meta says so, or its header, which then
 * names no older version. */
static bool is_modern(const struct lh_mcp_request *r)
{
	const struct lh_value *meta = &r->meta;
	struct lh_value v;

	if (r->peer->headers && !r->peer->version)
		return true;
	return meta->p && (lh_value_get(meta, META "protocolVersion", &v) ||
			   lh_value_get(meta, META "clientCapabilities", &v));
}

static void serve(struct lh_mcp_request *r, const struct lh_value *name)
{
	const struct method *method = find_method(name);
	unsigned era;

	r->modern = is_modern(r);
	if (r->modern && !check_modern(r, name))
		return;
	era = r->modern ? MODERN : r->peer->version ? OLDER : FIRST;
	if (method && method->eras & era)
		method->run(r);
	else if (!method || era != FIRST)
		refuse(r, LH_MCP_METHOD, "unknown method");
	else
		refuse(r, LH_MCP_PARAMS,
		       "missing _meta[\"" META "protocolVersion\"]; or begin with initialize");
}

/* ---- messages ---- */

/* Return whether the value is an id: a string, or a number without a fraction. */
static bool is_id(const struct lh_value *v)
{
	size_t i;

	if (v->n > ID_MAX || (v->type != LH_STRING && v->type != LH_NUMBER))
		return false;
	for (i = *v->p == '-'; v->type == LH_NUMBER && i < v->n; i++)
		if (v->p[i] < '0' || v->p[i] > '9')
			return false;
	return true;
}

static void notified(struct lh_mcp *m, struct lh_mcp_peer *p, const struct lh_value *method)
{
	const struct lh_value *params = lh_record_get(&m->message, "params");
	struct lh_mcp_call *c;
	struct lh_value id;

	if (!lh_value_is(method, "notifications/cancelled", 23) || !params ||
	    params->type != LH_OBJECT || !lh_value_get(params, "requestId", &id) || !is_id(&id))
		return;
	c = lh_mcp_find(m, p, &id);
	if (c)
		lh_mcp_cancel(m, c);
}

/* Read params and _meta. */
static bool read_params(struct lh_mcp_request *r)
{
	const struct lh_value *params = lh_record_get(&r->m->message, "params");

	if (!params || params->type == LH_NULL)
		return true;
	r->peer->unread = true;
	if (params->type != LH_OBJECT) {
		refuse(r, LH_MCP_PARAMS, "params must be an object");
		return false;
	}
	r->params = *params;
	if (lh_value_get(params, "_meta", &r->meta) && r->meta.type == LH_NULL)
		r->meta.p = NULL;
	if (r->meta.p && r->meta.type != LH_OBJECT) {
		refuse(r, LH_MCP_PARAMS, "_meta must be an object");
		return false;
	}
	return !(r->peer->unread = false);
}

/* Take a parsed object. */
static bool take(struct lh_mcp *m, struct lh_mcp_peer *p)
{
	struct lh_mcp_request r = { .m = m, .peer = p };
	const struct lh_value *id = lh_record_get(&m->message, "id");
	const struct lh_value *method = lh_record_get(&m->message, "method");
	const struct lh_value *version = lh_record_get(&m->message, "jsonrpc");

	if (!method && id && (lh_record_get(&m->message, "result") ||
			      lh_record_get(&m->message, "error")))
		return false;		/* an answer: nothing was asked */
	if (id && is_id(id))
		r.id = *id;
	if (!version || version->type != LH_STRING || !lh_value_is(version, "2.0", 3))
		refuse(&r, LH_MCP_REQUEST, "jsonrpc must be \"2.0\"");
	else if (!method || method->type != LH_STRING)
		refuse(&r, LH_MCP_REQUEST, method && method->type != LH_NULL
		       ? "method must be a string" : "missing method (string)");
	else if (id && !r.id.p)
		refuse(&r, LH_MCP_REQUEST, "id must be a string or a whole number");
	else if (!id)
		return notified(m, p, method), false;
	else if (lh_mcp_find(m, p, id))
		refuse(&r, LH_MCP_REQUEST, "a request with this id is in flight");
	else if (read_params(&r))
		serve(&r, method);
	return true;
}

/* ---- messages that are not records ---- */

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p) && *p)
		p++;
	return p;
}

/* Return what is after a string, of which p is the opening quote; the end, if it has none. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		p += *p == '\\';
	return p < end ? p + 1 : end;
}

/* Read the id of a request from the value at p. */
static void read_id(struct lh_mcp *m, const char *p, const char *end, struct lh_value *id)
{
	const char *after = p;
	struct lh_err err;

	if (p < end && *p == '"')
		after = skip_string(p, end);
	while (after < end && *p != '"' && !strchr(",} \t\r\n", *after))
		after++;
	if (lh_json_parse(&m->message, p, (size_t)(after - p), id, &err) < 0 || !is_id(id))
		*id = (struct lh_value){ .p = NULL };
}

/* Find the id in a line that is JSON by its grammar and yet no record, such as one that repeats a
 * key, or has half of a surrogate pair: the client waits for that id.  Brackets and strings
 * alone are followed, so that any depth is read.  An id that is there twice is none. */
static void find_id(struct lh_mcp *m, struct lh_str text, struct lh_value *id)
{
	const char *p = text.p, *const end = text.p + text.n, *value;
	size_t depth = 0, found = 0;

	*id = (struct lh_value){ .p = NULL };
	p = skip_blanks(p, end);
	if (p == end || *p != '{')
		return;
	do {
		const char *from = p;

		if (*p != '"') {
			depth += *p == '{' || *p == '[';
			depth -= *p == '}' || *p == ']';
			p++;
			continue;
		}
		p = skip_string(p, end);
		value = skip_blanks(p, end);
		if (depth != 1 || p - from != 4 || memcmp(from, "\"id\"", 4) || value == end ||
		    *value != ':')
			continue;
		read_id(m, skip_blanks(value + 1, end), end, id);
		found++;
	} while (depth && p < end);
	if (depth || skip_blanks(p, end) < end || found != 1)
		*id = (struct lh_value){ .p = NULL };
}

bool lh_mcp_take(struct lh_mcp *m, struct lh_mcp_peer *p, struct lh_str text)
{
	struct lh_value v, id;
	struct lh_err err, other;

	if (lh_record_parse(&m->message, text.p, text.n, &err) == 0)
		return take(m, p);
	if (err.code != LH_EDATA) {
		lh_mcp_refuse(m, p, LH_MCP_INTERNAL, err.msg);
	} else if (lh_json_parse(&m->message, text.p, text.n, &v, &other) == 0) {
		lh_mcp_refuse(m, p, LH_MCP_REQUEST, v.type == LH_ARRAY
			      ? "batches are not accepted" : "a message is a JSON object");
	} else {
		find_id(m, text, &id);
		lh_mcp_error(m, p, &id, LH_MCP_PARSE, err.msg, (struct lh_str){ NULL, 0 });
	}
	return true;
}

/* ---- the server ---- */

static void warn_nobody(void *owner, const char *text)
{
	(void)owner;
	(void)text;
}

struct lh_mcp *lh_mcp_new(const struct lh_mcp_how *how, struct lh_err *err)
{
	struct lh_mcp *m = lh_calloc(1, sizeof *m);

	m->how = *how;
	if (!m->how.warn)
		m->how.warn = warn_nobody;
	if (!m->how.answer_max)
		m->how.answer_max = LH_MCP_ANSWER;
	if (!how->tools) {
		m->how.tools = &m->own;
		if (lh_mcp_tools_read(&m->own, NULL, err) < 0) {
			lh_mcp_free(m);
			return NULL;
		}
	}
	return m;
}

void lh_mcp_tick(struct lh_mcp *m)
{
	size_t i;

	for (i = 0; i < m->pools; i++)
		lh_pool_tick(m->pool[i]);
}

void lh_mcp_retire(struct lh_mcp *m)
{
	size_t i;

	for (i = 0; i < m->pools; i++)
		lh_pool_retire(m->pool[i]);
}

bool lh_mcp_over(const struct lh_mcp *m)
{
	size_t i;

	for (i = 0; i < m->pools && lh_pool_over(m->pool[i]); i++)
		;
	return i == m->pools;
}

void lh_mcp_free(struct lh_mcp *m)
{
	size_t i;

	if (!m)
		return;
	for (i = 0; i < m->pools; i++)
		lh_pool_kill(m->pool[i]);
	for (i = 0; i < m->pools; i++)
		lh_pool_free(m->pool[i]);
	lh_record_free(&m->message);
	lh_record_free(&m->line);
	lh_buf_free(&m->out);
	lh_buf_free(&m->text);
	lh_buf_free(&m->links);
	lh_buf_free(&m->next);
	lh_buf_free(&m->strings);
	lh_mcp_tools_free(&m->own);
	free(m->pool);
	free(m);
}
