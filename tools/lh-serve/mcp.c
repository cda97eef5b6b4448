/* mcp.c - POST /mcp: the tools for models, by lib/mcp.  See serve.h.
 *
 * Each request is a peer of its own, so that ids of two clients never meet.  There are no
 * sessions: a request of an older revision says which one by its header, and one without it is
 * of the oldest revision that is served. */
#include <stdlib.h>

#include "base/mem.h"
#include "serve.h"

#define WITHOUT_HEADER "2025-06-18"	/* the oldest that is served */

struct mcp {
	struct lh_mcp_peer peer;
	struct lh_mcp_headers headers;
	struct request *request;
};

/* ---- a message ---- */

/* Return the HTTP status for the code of an error.  The older revisions know no status but 200
 * for what is a request. */
static unsigned status_of(const struct mcp *m, int code)
{
	switch (code) {
	case LH_MCP_PARSE:
	case LH_MCP_REQUEST:
	case LH_MCP_HEADER:
	case LH_MCP_VERSION:
		return 400;
	case LH_MCP_METHOD:
		return m->peer.version ? 200 : 404;
	case LH_MCP_PARAMS:
		return m->peer.unread ? 400 : 200;
	default:
		return 200;
	}
}

/* The tokens that a route wants of its own are those of the tools that ask it, too. */
static const char *refuse_route(struct lh_mcp_peer *p, const struct lh_route *route)
{
	const struct mcp *m = (struct mcp *)((char *)p - offsetof(struct mcp, peer));
	const struct site *site = m->request->site;

	return has_own_token(m->request, &site->route[route - site->routes.v])
		? NULL : "a token of its own is required, in the header X-Lakehouse-Legal-Token";
}

/* Return whether the token of the request may ask a route; what has none, such as a command of a
 * tool, can tell of anything. */
static bool peer_may(const struct lh_mcp_peer *p, const struct lh_route *route)
{
	const struct mcp *m = (const struct mcp *)((const char *)p - offsetof(struct mcp, peer));
	static const struct lh_route command = { .right = LH_RIGHT_ADMIN };

	return may_ask(m->request, route ? route : &command);
}

static bool peer_sees(const struct lh_mcp_peer *p, const char *corpus)
{
	const struct mcp *m = (const struct mcp *)((const char *)p - offsetof(struct mcp, peer));

	return lh_token_sees(m->request->as ? m->request->as->may : NULL, corpus);
}

static void on_answer(struct lh_mcp_peer *p, struct lh_str json, int code)
{
	struct mcp *m = (struct mcp *)((char *)p - offsetof(struct mcp, peer));
	struct request *r = m->request;

	lh_buf_add(&r->reply.body, json.p, json.n);
	take_times(r, p->asked, p->sent);
	answer(r, status_of(m, code));
}

static const char *param_field(const struct lh_mcp_headers *h, const char *name)
{
	struct mcp *m = (struct mcp *)((char *)h - offsetof(struct mcp, headers));
	LH_SCOPED(lh_free_local) char *field = lh_format("Mcp-Param-%s", name);

	return http_count(&m->request->http, field) == 1
		? http_field(&m->request->http, field) : NULL;
}

static void free_mcp(void *mcp)
{
	struct mcp *m = mcp;

	lh_mcp_leave(m->request->site->mcp, &m->peer);
	free(m);
}

static struct mcp *begin_call(struct request *r)
{
	struct mcp *m = lh_calloc(1, sizeof *m);

	m->request = r;
	m->peer = (struct lh_mcp_peer){ .answer = on_answer, .refuse = refuse_route,
					.trace = r->trace, .headers = &m->headers,
					.who = r->who, .purpose = r->purpose,
					.scope = r->as && r->as->may ? r->as->may->scope : NULL,
					.may = peer_may, .sees = peer_sees,
					.token = r->token, .client = r->peer };
	m->headers = (struct lh_mcp_headers){ http_field(&r->http, "MCP-Protocol-Version"),
					      http_field(&r->http, "Mcp-Method"),
					      http_field(&r->http, "Mcp-Name"), param_field };
	if (!m->headers.version)
		m->peer.version = WITHOUT_HEADER;
	else if (lh_mcp_is_older(m->headers.version))
		m->peer.version = m->headers.version;
	r->work.of = m;
	r->work.free = free_mcp;
	r->http.watched = true;
	return m;
}

/* ---- requests ---- */

void mcp_answer(struct request *r)
{
	const char *accept = http_field(&r->http, "Accept");
	struct mcp *m;

	if (r->body.lines) {
		answer_error(r, 415, "the body must be application/json");
		return;
	}
	if (accept && !strcasestr(accept, "application/json") && !strstr(accept, "*/*") &&
	    !strcasestr(accept, "application/*")) {
		answer_error(r, 406, "the answer is application/json, which is not accepted");
		return;
	}
	m = begin_call(r);
	/* two readers may take different ones of two headers with one name */
	if (http_count(&r->http, "MCP-Protocol-Version") > 1 ||
	    http_count(&r->http, "Mcp-Method") > 1 || http_count(&r->http, "Mcp-Name") > 1) {
		lh_mcp_refuse(r->site->mcp, &m->peer, LH_MCP_HEADER, "a header is there twice");
	} else if (!lh_mcp_take(r->site->mcp, &m->peer,
				(struct lh_str){ r->body.text.p, r->body.text.len })) {
		r->reply.type = "";
		answer(r, 202);
	}
}

/* The client has closed its connection, which cancels its call: without a session no message of
 * an older revision could. */
void mcp_left(struct message *message)
{
	struct request *r = (struct request *)message;
	struct mcp *m = r->work.of;

	if (r->http.ready)
		return;
	lh_mcp_leave(r->site->mcp, &m->peer);
	r->reply.type = "";
	answer(r, 499);
}
