/* mcp_write.c - the text of answers.  See mcp_parts.h. */
#include "mcp_parts.h"

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
