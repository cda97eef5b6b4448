/*
 * mcp_write.c - the text of messages: lines of a stream, headers of requests, answers.  See mcp.h.
 */
#include <stdlib.h>

#include "base/num.h"
#include "mcp.h"
#include "mcp_parts.h"

/* ---- messages of a stream ---- */

char *lh_mcp_lines_room(struct lh_mcp_lines *l, size_t n)
{
	if (l->done) {
		l->text.len -= l->done;
		memmove(l->text.p, l->text.p + l->done, l->text.len);
		l->done = 0;
	}
	return lh_buf_room(&l->text, n);
}

void lh_mcp_lines_took(struct lh_mcp_lines *l, size_t n)
{
	l->ended = !n;
	lh_buf_took(&l->text, n);
}

static bool is_blank(struct lh_str line)
{
	size_t i;

	for (i = 0; i < line.n && strchr(" \t\r", line.p[i]) && line.p[i]; i++)
		;
	return i == line.n;
}

/* Give out n bytes, and what ends them. */
static struct lh_str give(struct lh_mcp_lines *l, size_t n, size_t end)
{
	struct lh_str line = { l->text.p + l->done, n };

	l->done += n + end;
	l->seen = 0;
	return line;
}

/* Find the end of the next line: false if it is not there. */
static bool find_end(struct lh_mcp_lines *l, size_t *n, size_t *end)
{
	const char *from = l->text.p + l->done;
	const size_t left = l->text.len - l->done;
	const char *lf = left > l->seen ? memchr(from + l->seen, '\n', left - l->seen) : NULL;

	*n = lf ? (size_t)(lf - from) : left;
	*end = lf != NULL;
	l->seen = *n;
	return lf || (l->ended && left);
}

int lh_mcp_lines_next(struct lh_mcp_lines *l, struct lh_str *line)
{
	size_t n, end;
	bool was;

	while (find_end(l, &n, &end)) {
		*line = give(l, n, end);
		was = l->skipping;
		l->skipping = false;
		if (was || is_blank(*line))
			continue;
		return line->n > l->max ? -1 : 1;
	}
	if (l->skipping || n > l->max) {
		was = l->skipping;
		l->skipping = true;
		give(l, n, 0);
		return was ? 0 : -1;
	}
	return 0;
}

void lh_mcp_lines_free(struct lh_mcp_lines *l)
{
	lh_buf_free(&l->text);
}

/* ---- what the header of an HTTP request must say ---- */

#define SENTINEL "=?base64?"
#define SENTINEL_END "?="

/* Return whether all bytes are those of a header: visible ASCII, space and tab. */
static bool is_plain(const char *header)
{
	for (; *header; header++)
		if ((*header < ' ' && *header != '\t') || *header > '~')
			return false;
	return true;
}

/* Decode a header: text that a header cannot hold is base64 in a sentinel.  False if that is
 * wrong, or does not fit, or other bytes are there. */
static bool decode(struct lh_buf *to, const char *header)
{
	const size_t n = strlen(header), begin = strlen(SENTINEL), end = strlen(SENTINEL_END);
	char *room;
	long got;

	lh_buf_reset(to);
	if (n < begin + end || strncmp(header, SENTINEL, begin) != 0 ||
	    strcmp(header + n - end, SENTINEL_END) != 0) {
		lh_buf_add(to, header, n);
		return is_plain(header);
	}
	room = lh_buf_room(to, n);
	got = room ? lh_base64_read(header + begin, n - begin - end, room) : -1;
	if (got < 0)
		return false;
	lh_buf_took(to, (size_t)got);
	return true;
}

/* Compare a header with a string of the message. */
static bool header_is(const char *header, const struct lh_value *v)
{
	return header && v->type == LH_STRING && lh_value_is(v, header, strlen(header));
}

static bool name_is(const struct lh_mcp_request *r, const struct lh_value *name)
{
	struct lh_buf *text = &r->m->text;

	return r->peer->headers->name && decode(text, r->peer->headers->name) &&
	       lh_value_is(name, text->p, text->len);
}

const char *lh_mcp_mismatch(const struct lh_mcp_request *r, const struct lh_value *method,
			    const char *named)
{
	const struct lh_mcp_headers *h = r->peer->headers;
	struct lh_value v;

	if (!h)
		return NULL;
	if (r->meta.p && lh_value_get(&r->meta, "io.modelcontextprotocol/protocolVersion", &v) &&
	    v.type == LH_STRING && !header_is(h->version, &v))
		return "the header MCP-Protocol-Version must be the version in _meta";
	if (!header_is(h->method, method))
		return "the header Mcp-Method must be the method";
	if (named && r->params.p && lh_value_get(&r->params, named, &v) && v.type == LH_STRING &&
	    !name_is(r, &v))
		return "the header Mcp-Name must be the name or uri in params";
	return NULL;
}

/* ---- Mcp-Param-NAME ---- */

#define ANNOTATION "x-mcp-header"
#define NESTED 8		/* objects inside each other */

static bool is_number(struct lh_str text, const struct lh_value *v)
{
	char digits[32];
	char *end;
	double n;

	if (!text.n || text.n >= sizeof digits)
		return false;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	if (strspn(digits, "-.0123456789") != text.n)
		return false;
	n = strtod(digits, &end);
	return !*end && n == lh_value_f64(v);
}

static bool param_is(const struct lh_mcp_request *r, const char *name, const struct lh_value *v)
{
	const struct lh_mcp_headers *h = r->peer->headers;
	const char *header = h->param ? h->param(h, name) : NULL;
	struct lh_buf *text = &r->m->text;

	if (!header || !decode(text, header))
		return false;
	switch (v->type) {
	case LH_STRING:
		return lh_value_is(v, text->p, text->len);
	case LH_NUMBER:
		return is_number((struct lh_str){ text->p, text->len }, v);
	default:
		return lh_str_is((struct lh_str){ text->p, text->len }, v->p, v->n);
	}
}

static bool params_match(const struct lh_mcp_request *r, const json_t *schema,
			 const struct lh_value *args, unsigned depth)
{
	json_t *all = json_object_get(schema, "properties"), *of;
	const char *name, *header;
	struct lh_value arg;

	json_object_foreach(depth < NESTED ? all : NULL, name, of) {
		if (!lh_value_get(args, name, &arg) || arg.type == LH_NULL)
			continue;
		if (arg.type == LH_OBJECT && !params_match(r, of, &arg, depth + 1))
			return false;
		header = lh_document_text(json_object_get(of, ANNOTATION));
		if (arg.type < LH_ARRAY && header && !param_is(r, header, &arg))
			return false;
	}
	return true;
}

const char *lh_mcp_param_mismatch(const struct lh_mcp_request *r, const struct lh_mcp_tool *t,
				  const struct lh_value *args)
{
	if (!r->modern || !r->peer->headers || args->type != LH_OBJECT ||
	    params_match(r, t->tree, args, 0))
		return NULL;
	return "a header Mcp-Param-NAME must be the argument that it repeats";
}

/* ---- answers ---- */

#define META "io.modelcontextprotocol/"

static void begin(struct lh_mcp *m, const struct lh_value *id)
{
	lh_buf_reset(&m->out);
	lh_buf_puts(&m->out, "{\"jsonrpc\":\"2.0\"");
	if (id && id->p) {
		lh_buf_puts(&m->out, ",\"id\":");
		lh_buf_add(&m->out, id->p, id->n);
	}
	m->head = m->out.len;
}

void lh_mcp_info(struct lh_mcp *m, struct lh_writer *w, const char *name)
{
	lh_write_object(w, name);
	lh_write_text(w, "name", "lakehouse-tools");
	lh_write_text(w, "version", m->how.version);
	lh_write_end(w);
}

struct lh_writer lh_mcp_result(struct lh_mcp *m, const struct lh_value *id, bool modern)
{
	struct lh_writer w;

	begin(m, id);
	w = lh_write_in_object(&m->out);
	lh_write_object(&w, "result");
	if (!modern)
		return w;
	lh_write_text(&w, "resultType", "complete");
	lh_write_object(&w, "_meta");
	lh_mcp_info(m, &w, META "serverInfo");
	lh_write_end(&w);
	return w;
}

void lh_mcp_result_end(struct lh_mcp *m, struct lh_mcp_peer *p, struct lh_writer *w)
{
	lh_write_end(w);
	lh_write_end(w);
	lh_mcp_send(m, p, 0);
}

void lh_mcp_send(struct lh_mcp *m, struct lh_mcp_peer *p, int code)
{
	static const char text[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,"
				   "\"message\":\"out of memory\"}}";
	struct lh_err err;

	if (m->out.len > m->how.answer_max) {	/* repeats something long of the request */
		m->out.len = m->head;
		lh_buf_puts(&m->out, ",\"error\":{\"code\":-32603,"
				     "\"message\":\"the answer is too long\"}}");
		code = LH_MCP_INTERNAL;
	}
	if (lh_buf_check(&m->out, &err) < 0)
		p->answer(p, lh_str_of(text), LH_MCP_INTERNAL);
	else
		p->answer(p, (struct lh_str){ m->out.p, m->out.len }, code);
}

void lh_mcp_error(struct lh_mcp *m, struct lh_mcp_peer *p, const struct lh_value *id, int code,
		  const char *message, struct lh_str data)
{
	struct lh_writer w;

	begin(m, id);
	w = lh_write_in_object(&m->out);
	lh_write_object(&w, "error");
	lh_write_i64(&w, "code", code);
	lh_write_bytes(&w, "message", message);
	if (data.n)
		lh_write_raw(&w, "data", data);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_mcp_send(m, p, code);
}

void lh_mcp_write_fresh(struct lh_writer *w, uint64_t ms, bool common)
{
	lh_write_u64(w, "ttlMs", ms);
	lh_write_text(w, "cacheScope", common ? "public" : "private");
}

/* ---- tools ---- */

void lh_mcp_write_tool(struct lh_writer *w, const struct lh_mcp_tool *t)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "name", t->name);
	if (t->title)
		lh_write_text(w, "title", t->title);
	lh_write_text(w, "description", t->description);
	lh_write_raw(w, "inputSchema", lh_str_of(t->input));
	if (t->output)
		lh_write_raw(w, "outputSchema", lh_str_of(t->output));
	lh_write_raw(w, "annotations", lh_str_of(t->annotations ? t->annotations : "{}"));
	lh_write_end(w);
}

void lh_mcp_write_reply(struct lh_writer *w, struct lh_str structured, struct lh_str links)
{
	lh_write_array(w, "content");
	lh_write_object(w, NULL);
	lh_write_text(w, "type", "text");
	lh_write_str(w, "text", structured);
	lh_write_end(w);
	if (links.n)
		lh_write_raw(w, NULL, links);
	lh_write_end(w);
	lh_write_raw(w, "structuredContent", structured);
	lh_write_bool(w, "isError", false);
}

void lh_mcp_write_failure(struct lh_writer *w, const char *why)
{
	lh_write_array(w, "content");
	lh_write_object(w, NULL);
	lh_write_text(w, "type", "text");
	lh_write_bytes(w, "text", why);
	lh_write_end(w);
	lh_write_end(w);
	lh_write_bool(w, "isError", true);
}

void lh_mcp_write_contents(struct lh_writer *w, struct lh_str uri, const char *type,
			   struct lh_str text)
{
	lh_write_array(w, "contents");
	lh_write_object(w, NULL);
	lh_write_str(w, "uri", uri);
	lh_write_text(w, "mimeType", type ? type : "application/json");
	lh_write_str(w, "text", text);
	lh_write_end(w);
	lh_write_end(w);
}

/* ---- replies ---- */

void lh_mcp_link(struct lh_mcp_reply *r, struct lh_str uri, struct lh_str name,
		 struct lh_str title)
{
	struct lh_writer w = { .out = r->links, .comma = r->links->len > 0 };

	lh_write_object(&w, NULL);
	lh_write_text(&w, "type", "resource_link");
	lh_write_str(&w, "uri", uri);
	lh_write_str(&w, "name", name);
	if (title.p)
		lh_write_str(&w, "title", title);
	lh_write_text(&w, "mimeType", "application/json");
	lh_write_end(&w);
}
