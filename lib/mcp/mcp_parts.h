/*
 * mcp_parts - shared by the files of lib/mcp.
 *
 *     mcp.c           a message: its form, its era, its method; lists
 *     mcp_header.c    what the header of an HTTP request must say
 *     mcp_call.c      calls of tools and reads of resources, from the request to the answer
 *     mcp_filter.c    which pool answers a tool, and the line for it
 *     mcp_audit.c     rows on the chains of the persons that an answer shows
 *     mcp_write.c     the text of answers
 *     mcp_tools.c     the tools; tool_parts.h has their parts
 *     resources.c     the resources
 */
#ifndef LH_MCP_PARTS_H
#define LH_MCP_PARTS_H

#include "json/write.h"
#include "mcp.h"

#define LH_MCP_BUCKETS 1024

struct lh_mcp {
	struct lh_mcp_how how;
	struct lh_mcp_tools own;	/* those that are built in, unless how has them */
	struct lh_pool **pool;		/* those started here */
	size_t pools, cap_pools;
	struct lh_record message, line;	/* parsed last: a message, a line for a filter */
	struct lh_buf out, text, links, next, strings;	/* in use during one call */
	size_t head;			/* bytes of out up to its id */
	struct lh_mcp_call *bucket[LH_MCP_BUCKETS];	/* in flight, by id */
};

/* A request, and what is needed for its answer. */
struct lh_mcp_request {
	struct lh_mcp *m;
	struct lh_mcp_peer *peer;
	struct lh_value id;		/* p is NULL: it could not be read */
	bool modern;
	struct lh_value params, meta;	/* p is NULL if absent; objects */
};

/* A call of a tool, or a resource that is read by one. */
struct lh_mcp_call {
	struct lh_ask ask;
	struct lh_pool *pool;		/* that is asked; NULL: none */
	struct lh_mcp *m;
	struct lh_mcp_peer *peer;
	struct lh_mcp_call *next, *before, *chain;
	struct lh_buf text;		/* what key and values point to */
	struct lh_str key;		/* of the id */
	uint64_t hash;
	struct lh_value id, args;
	bool is_read;			/* a resource is read, ... */
	struct lh_buf uri;		/* ... of that URI */
	const char *type;		/* its mimeType */
	const struct lh_mcp_tool *tool;
	const struct lh_route *route;	/* whose filter is asked, or NULL */
	bool modern, own_status;
	char trace[33];
	struct lh_buf answer;		/* while rows are written */
	struct lh_persons_rows rows;	/* of the audit */
	bool waits;			/* for them */
	struct lh_err failed;		/* what is answered after them, if code is not LH_OK */
};

/* ---- mcp_header.c ---- */

/* Hold the header of an HTTP request against its message: NULL, or what does not match.  named
 * is the parameter that the header Mcp-Name repeats, or NULL. */
const char *lh_mcp_mismatch(const struct lh_mcp_request *r, const struct lh_value *method,
			    const char *named);
/* Hold the headers Mcp-Param-NAME against the arguments of a call, as the annotations
 * "x-mcp-header" of the tool's schema say. */
const char *lh_mcp_param_mismatch(const struct lh_mcp_request *r, const struct lh_mcp_tool *t,
				  const struct lh_value *args);

/* ---- mcp_write.c ---- */

/* Begin an answer with a result, an open object in m->out; end it and give it to the peer. */
struct lh_writer lh_mcp_result(struct lh_mcp *m, const struct lh_value *id, bool modern);
void lh_mcp_result_end(struct lh_mcp *m, struct lh_mcp_peer *p, struct lh_writer *w);
/* Give the peer what is in m->out. */
void lh_mcp_send(struct lh_mcp *m, struct lh_mcp_peer *p, int code);
/* Answer with an error; data: JSON text, or empty. */
void lh_mcp_error(struct lh_mcp *m, struct lh_mcp_peer *p, const struct lh_value *id, int code,
		  const char *message, struct lh_str data);
/* Write how long a result may be kept, and whether it is the same for everybody. */
void lh_mcp_write_fresh(struct lh_writer *w, uint64_t ms, bool common);
/* Write who serves. */
void lh_mcp_info(struct lh_mcp *m, struct lh_writer *w, const char *name);
/* Write an entry of tools/list. */
void lh_mcp_write_tool(struct lh_writer *w, const struct lh_mcp_tool *t);
/* Write the result of a call: the structured content, and as text; the links. */
void lh_mcp_write_reply(struct lh_writer *w, struct lh_str structured, struct lh_str links);
void lh_mcp_write_failure(struct lh_writer *w, const char *why);
/* Write the contents of a resource. */
void lh_mcp_write_contents(struct lh_writer *w, struct lh_str uri, const char *type,
			   struct lh_str text);

/* ---- mcp_call.c ---- */

/* Return the call of a peer that has that id in flight, or NULL. */
struct lh_mcp_call *lh_mcp_find(struct lh_mcp *m, const struct lh_mcp_peer *p,
				const struct lh_value *id);
/* Stop a call, without an answer. */
void lh_mcp_cancel(struct lh_mcp *m, struct lh_mcp_call *c);
/* Return tool number n of the list, or NULL after the last one. */
const struct lh_mcp_tool *lh_mcp_tool_at(const struct lh_mcp *m, size_t n);
/* Read a string of the params that is required.  false: the request is refused. */
bool lh_mcp_read_string(const struct lh_mcp_request *r, const char *name, struct lh_value *v);
void lh_mcp_tools_call(const struct lh_mcp_request *r);
void lh_mcp_resources_read(const struct lh_mcp_request *r);
/* Send the answer in c->answer, whose rows are written; missing: why it fails instead, or NULL. */
void lh_mcp_call_audited(struct lh_mcp_call *c, const char *missing);

/* ---- mcp_filter.c ---- */

/* Find the pool for a tool, and make the line in c->ask; an error is for the client. */
int lh_mcp_prepare(struct lh_mcp_call *c, struct lh_err *err);
/* Return a pool that is started here, or runs already. */
struct lh_pool *lh_mcp_pool(struct lh_mcp *m, const struct lh_pool_how *how, struct lh_err *err);

/* ---- mcp_audit.c ---- */

/* Append the rows for the persons whom the answer in m->out shows, made of a line of the filter,
 * and of what it was asked; rec NULL: it has answered nothing that is shown.  0 if nothing has to
 * be waited for; 1 if the call ends later, by lh_mcp_call_audited; -1 if
 * rows are missing that are required. */
int lh_mcp_audit(struct lh_mcp_call *c, const struct lh_record *rec, struct lh_err *err);

#endif
