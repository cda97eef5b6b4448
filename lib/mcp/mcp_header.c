/* mcp_header.c - what the header of an HTTP request must say.  See mcp_parts.h. */
#include "mcp_parts.h"

#include <lh/num.h>

#define SENTINEL "=?base64?"
#define SENTINEL_END "?="

/* Decode a header: text that a header cannot hold is base64 in a sentinel.  False if that is
 * wrong, or does not fit. */
static bool decode(struct lh_buf *to, const char *header)
{
	const size_t n = strlen(header), begin = strlen(SENTINEL), end = strlen(SENTINEL_END);
	char *room;
	long got;

	lh_buf_reset(to);
	if (n < begin + end || strncmp(header, SENTINEL, begin) != 0 ||
	    strcmp(header + n - end, SENTINEL_END) != 0) {
		lh_buf_add(to, header, n);
		return true;
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
