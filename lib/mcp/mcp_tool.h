/*
 * mcp_tool - a tool for a model: its description, and how a filter of the bridge answers it.
 *
 *     static const struct lh_mcp_tool tool = {
 *             .name = "relevance", .title = "Score chunks for a file",
 *             .description = "...", .in = relevance_members,
 *             .route = "POST /v1/matrix/relevance", .idempotent = true,
 *     };
 *
 * A built-in tool is a view of a route (serve/routes.h): its filter, its constant members, its
 * pool, and the reason why it is off.  ask composes the record for the filter from the
 * arguments, answer the structured content from what the filter wrote; without them both are
 * passed on as they are.  A tool of a --tools file has an argv of its own instead.
 *
 * An error of ask or answer is the text of a result with isError; so is an answer of the filter
 * whose status is 400 or above, unless answer takes it (.verdicts).
 *
 * Owner:   a table is constant, or of lh_mcp_tools_read; it is used as long as the server.
 * Threads: one thread per server.
 */
#ifndef LH_MCP_TOOL_H
#define LH_MCP_TOOL_H

#include "json/bind.h"
#include "json/write.h"

/* What a tool asks a filter. */
struct lh_mcp_question {
	const char *route;		/* that of the tool; ask may choose another */
	struct lh_buf *line;		/* empty: the record, without LF and constant members */
	const char *state;		/* the folder of the bridge */
};

/* What a tool answers. */
struct lh_mcp_reply {
	struct lh_buf *structured;	/* empty: structuredContent, a JSON object */
	struct lh_buf *links;		/* resource_link blocks, joined by commas */
	unsigned status;		/* of the filter's answer */
};

/* Add a resource_link to the content; title may be NULL. */
void lh_mcp_link(struct lh_mcp_reply *r, struct lh_str uri, struct lh_str name, const char *title);

struct lh_mcp_tool {
	const char *name, *title, *description;	/* title: or NULL */
	const struct lh_bind *in, *out;	/* the arguments and the structured content, built in */
	const char *input, *output;	/* of a file: JSON Schemas (2020-12); output: or NULL */
	const char *annotations;	/* JSON object, of a file; NULL: of what follows */
	bool write;			/* not listed and not called unless it is allowed */
	bool idempotent, destructive, open_world;
	bool compat;			/* only with --compat */
	bool cuts;			/* answer cuts records, which may have an id there */
	bool tells;			/* the filter says "unnamed" of persons without an id */
	bool verdicts;			/* answer takes a status of 400 and above */
	const char *route;		/* "POST /v1/matrix/search"; or NULL */
	char **run;			/* argv of its own; or NULL */
	uint64_t pool;			/* processes of run */
	bool repeat;			/* run may be asked once more, in another process */
	/* Compose the record from the arguments, an object. */
	int (*ask)(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err);
	/* Compose the reply.  rec: the line of the filter, its status included. */
	int (*answer)(struct lh_mcp_reply *r, const struct lh_value *args,
		      const struct lh_record *rec, struct lh_err *err);
};

/* The tools that are built in. */
extern const struct lh_mcp_tool lh_mcp_tools[];
extern const size_t lh_mcp_tools_n;

/* Tools of a file. */
struct lh_mcp_tools {
	struct lh_mcp_tool *v;		/* its texts are owned */
	size_t n, cap;
};

/* Read the member "tools" of a file: {"tools":[{"name",...,"run":[...]}]}.  Other members are
 * those of a configuration of lh-serve, and ignored.  LH_EUSAGE with "file:line: ". */
int lh_mcp_tools_read(struct lh_mcp_tools *t, const char *path, struct lh_err *err);
void lh_mcp_tools_free(struct lh_mcp_tools *t);

/* ---- resources.c ---- */

/* A page of a list: elements are written to w, an open array. */
struct lh_mcp_page {
	const char *state;
	struct lh_str cursor;		/* of the request; p is NULL if there is none */
	struct lh_writer *w;
	struct lh_buf *next;		/* empty: the cursor of the next page, if there is one */
};

/* Write the resources; an unknown cursor is LH_EDATA. */
int lh_mcp_resources_list(struct lh_mcp_page *p, struct lh_err *err);
/* Write the templates of resources. */
int lh_mcp_templates_list(struct lh_mcp_page *p, struct lh_err *err);

/* A resource that is read: either its text is there, or a tool has to be called for it. */
struct lh_mcp_resource {
	const char *type;		/* mimeType; NULL: application/json */
	struct lh_buf text;
	const struct lh_mcp_tool *by;	/* its structured content is the text; or NULL ... */
	struct lh_buf args;		/* ... and the arguments, a JSON object */
};

/* Open a resource of the state.  LH_EDATA with status 404 if there is none of that URI. */
int lh_mcp_resource_open(struct lh_mcp_resource *r, const char *state, struct lh_str uri,
			 struct lh_err *err);

#endif
