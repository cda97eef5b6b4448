/*
 * mcp_parts - shared by the files of lib/mcp.
 *
 *     mcp.c           a message: its form, its era, its method; lists
 *     mcp_call.c      calls of tools and reads of resources, from the request to the answer: the
 *                     pool that answers a tool, and rows on the chains of persons that it shows
 *     mcp_write.c     the text of answers, lines of a stream, what the header of a request must say
 *     mcp_tools.c     tools of a file, and what they answer by outputSchema and "members"
 *     answers.c       their arguments and the records of them; composed answers of search, lookup,
 *                     validate, relevance, audit_report, trace_record; what is cut, pages of a list
 *     resources.c     the resources
 */
#ifndef LH_MCP_PARTS_H
#define LH_MCP_PARTS_H

#include "json/write.h"
#include "mcp.h"
#include "mcp_tool.h"

/* ---- messages ---- */

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

/* ---- mcp_write.c ---- */

/* Hold the header of an HTTP request against its message: NULL, or what does not match.  named
 * is the parameter that the header Mcp-Name repeats, or NULL. */
const char *lh_mcp_mismatch(const struct lh_mcp_request *r, const struct lh_value *method,
			    const char *named);
/* Hold the headers Mcp-Param-NAME against the arguments of a call, as the annotations
 * "x-mcp-header" of the tool's schema say. */
const char *lh_mcp_param_mismatch(const struct lh_mcp_request *r, const struct lh_mcp_tool *t,
				  const struct lh_value *args);

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
/* Return tool number n of the list for a peer, or NULL after the last one. */
const struct lh_mcp_tool *lh_mcp_tool_at(const struct lh_mcp *m, const struct lh_mcp_peer *p,
					 size_t n);
/* Read a string of the params that is required.  false: the request is refused. */
bool lh_mcp_read_string(const struct lh_mcp_request *r, const char *name, struct lh_value *v);
void lh_mcp_tools_call(const struct lh_mcp_request *r);
void lh_mcp_resources_read(const struct lh_mcp_request *r);

/* ---- tools ---- */

enum lh_mcp_detail { LH_MCP_BRIEF, LH_MCP_FULL };

/* Bytes of a text, and of another member, after which it is cut. */
#define LH_MCP_TEXT(detail) ((detail) == LH_MCP_FULL ? (size_t)4000 : 400)
#define LH_MCP_MEMBER(detail) ((detail) == LH_MCP_FULL ? (size_t)4000 : 160)

#define LH_MCP_NAME 128			/* bytes of a name that a schema may have, and NUL */
#define LH_MCP_CURSOR "^[0-9]{1,9}$"	/* a pattern */

/* The arguments of a tool that lists: which part of the list, and how much of each. */
struct lh_mcp_part {
	uint64_t limit, offset;
	int detail;
};
/* Return the name that a key or a string has in the file, or "" if it is too long. */
static inline const char *lh_mcp_name(char to[LH_MCP_NAME], const struct lh_value *name)
{
	const size_t n = name->type == LH_STRING && name->n < LH_MCP_NAME ? name->n - 2 : 0;

	memcpy(to, name->p + 1, n);
	to[n] = '\0';
	return to;
}
struct lh_mcp_part lh_mcp_part_of(const struct lh_mcp_tool *t, const struct lh_value *args);
bool lh_mcp_is_cursor(const struct lh_value *v, struct lh_str text);
uint64_t lh_mcp_offset(struct lh_str cursor);
/* Write the cursor of the next part, if there is one. */
void lh_mcp_part_end(struct lh_writer *w, const struct lh_mcp_part *p, bool more);

/* Write a value of at most that many bytes; of a longer string the beginning, with a note, in
 * place of another value a note. */
void lh_mcp_write_cut(struct lh_writer *w, const char *name, const struct lh_value *v, size_t most);
/* Write the members of an object, each cut, without those named in drop and without vectors. */
void lh_mcp_write_members(struct lh_writer *w, const char *name, const struct lh_value *object,
			  const struct lh_str *drop, size_t n_drop, size_t most);
/* Set *out to the member of an object; false if there is none, or v is not an object. */
bool lh_mcp_has(const struct lh_value *v, const char *name, struct lh_value *out);
struct lh_value lh_mcp_get_in(const struct lh_value *object, const char *name, enum lh_type type);
/* Return the record as a value. */
struct lh_value lh_mcp_whole(const struct lh_record *rec);

/* Append a text, percent-encoded. */
void lh_mcp_percent(struct lh_buf *out, struct lh_str text);

/* Set the error that a filter has answered. */
int lh_mcp_refused(const struct lh_record *rec, unsigned status, struct lh_err *err);

/* ---- resources ---- */

/* ---- answers of their own ---- */

lh_mcp_answer_fn lh_mcp_answer_search, lh_mcp_answer_lookup, lh_mcp_answer_record,
	lh_mcp_answer_validate, lh_mcp_answer_relevance, lh_mcp_answer_report, lh_mcp_answer_trace;

#endif
