/*
 * mcp_tool - tools for models, read from a file: share/mcp/tools.json has those that are built in.
 *
 *     { "name": "relevance", "title": "Score chunks for a file", "description": "...",
 *       "route": "POST /v1/matrix/relevance", "inputSchema": {...}, "outputSchema": {...} }
 *
 * A tool is a view of a route (serve/routes.h): its filter, its constant members, its pool, and
 * the reason why it is off; or it has a command of its own ("run").  Arguments are held against
 * inputSchema.  A route then gets each property of it that is there, or has a default:
 *
 *     "as"       {"query": "query_text"}: under another name; "corpora[]": in an array
 *     "cut"      ["detail"]: not at all
 *     "adds"     {"role": {"use_playbook": true}}: with these members
 *     "routes"   {"hybrid": "POST ..."}: an argument that is true chooses another route
 *     "meant"    {"query": "q|text"}: it is suggested for unknown arguments of these names
 *     "more"     "limit": the member for the number of elements up to the end of a part, and one
 *     "indexes"  "corpora": the member for the names of all indexes, unless the argument has some
 *
 * The structured content has the properties of outputSchema, as the filter names them unless
 * "members" has a row for a path in it: {"to": "datasets[].objects", "from": "objects", "how":
 * "count"}.  "answer" names a function that composes it instead.  "persons": "record": ids of
 * persons are looked for in what the filter wrote, since the answer is cut.  "unnamed": the
 * filter says so of persons without an id.  "verdicts": a status of 400 and above is an answer.
 *
 * Where a schema is expected, "NAME" stands for that of "shared", and ["NAME", "TEXT"] for that
 * with a description.
 *
 * An error of a call is the text of a result with isError; so is an answer of the filter whose
 * status is 400 or above.
 *
 * Owner:   tools are of lh_mcp_tools, which is used as long as the server.
 * Threads: one thread per server.
 */
#ifndef LH_MCP_TOOL_H
#define LH_MCP_TOOL_H

#include "json/bind.h"
#include "json/document.h"
#include "json/write.h"
#include "jsonschema/jsonschema.h"

struct lh_mcp_tool;
struct lh_mcp_peer;
struct lh_route;
struct lh_routes;

/* Return whether there is a route, by its name, or a corpus for a peer. */
bool lh_mcp_may(const struct lh_mcp_peer *p, const struct lh_routes *routes, const char *route);
bool lh_mcp_sees(const struct lh_mcp_peer *p, const char *corpus);

/* What a tool asks a filter. */
struct lh_mcp_question {
	struct lh_str route;		/* that of the tool, or another */
	struct lh_buf *line;		/* empty: the record, without LF and constant members */
	const char *state;		/* the folder of the bridge */
	const struct lh_mcp_peer *peer;	/* who asks */
};

/* What a tool answers. */
struct lh_mcp_reply {
	const struct lh_mcp_tool *tool;
	struct lh_buf *structured;	/* empty: structuredContent, a JSON object */
	struct lh_buf *links;		/* resource_link blocks, joined by commas */
	unsigned status;		/* of the filter's answer */
};

/* Add a resource_link to the content; title.p may be NULL. */
void lh_mcp_link(struct lh_mcp_reply *r, struct lh_str uri, struct lh_str name,
		 struct lh_str title);

/* Compose a reply.  rec: the line of the filter, its status included. */
typedef int lh_mcp_answer_fn(struct lh_mcp_reply *r, const struct lh_value *args,
			     const struct lh_record *rec, struct lh_err *err);

/* A row of "members". */
struct lh_mcp_row {
	struct lh_str to, from;		/* paths: "datasets[].objects"; "." is the record */
	int how;			/* enum lh_mcp_how_written, of mcp_tools.c */
	const struct lh_str *without;
	size_t n_without;
	struct lh_str link;		/* a kind of resource, "manifest", by the member name */
};

struct lh_mcp_tool {
	const char *name, *title, *description;	/* title: or NULL */
	const char *input, *output;	/* JSON Schemas (2020-12); output: or NULL */
	const char *annotations;	/* JSON object */
	json_t *tree;			/* of input */
	bool write;			/* not listed and not called unless it is allowed */
	bool compat;			/* only with --compat */
	bool cuts;			/* the answer is cut: the filter's record has the persons */
	bool tells, verdicts;		/* "unnamed", "verdicts" */
	const char *route;		/* "POST /v1/matrix/search"; or NULL */
	struct lh_value as, cut, adds, routes;	/* p is NULL if absent */
	struct lh_str more, indexes;
	const struct lh_mcp_row *row;
	size_t n_rows;
	lh_mcp_answer_fn *answer;	/* NULL: by the rows; without output: as it is */
	char **run;			/* argv of its own; or NULL */
	struct lh_route *own;		/* it as a route, which owns run; NULL: no audit */
	uint64_t pool;			/* processes of run */
	bool repeat;			/* run may be asked once more, in another process */
	struct lh_bind *table;		/* of input, for a route; or NULL */
	struct lh_jsonschema *schema;	/* of input, for a command; or NULL */
};

/* Hold the arguments against the schema, and compose the record; an error is for the client. */
int lh_mcp_ask(struct lh_mcp_question *q, const struct lh_mcp_tool *t, const struct lh_value *args,
	       struct lh_err *err);

/* Tools of a file, whose texts they point to. */
struct lh_mcp_tools {
	struct lh_mcp_tool *v;
	size_t n, cap;
	struct lh_buf text, strings;
};

/* The file of the tools that are built in. */
extern const char lh_mcp_built_in[];

/* Read the member "tools" of a file, or of the one that is built in (path NULL).  Other members
 * than "shared" are those of a configuration of lh-serve, and ignored.  LH_EUSAGE with
 * "file:line: ". */
int lh_mcp_tools_read(struct lh_mcp_tools *t, const char *path, struct lh_err *err);
void lh_mcp_tools_free(struct lh_mcp_tools *t);
/* Let the commands of tools leave rows of persons, as lh_persons_filters does those of routes. */
struct lh_persons_how;
int lh_mcp_tools_audit(struct lh_mcp_tools *t, const struct lh_persons_how *how,
		       struct lh_err *err);
/* Return the tool of that name, or NULL. */
const struct lh_mcp_tool *lh_mcp_tools_find(const struct lh_mcp_tools *t, const char *name);

/* ---- resources.c ---- */

/* A page of a list: elements are written to w, an open array. */
struct lh_mcp_page {
	const char *state;
	const struct lh_mcp_peer *peer;	/* whose list it is, ... */
	const struct lh_routes *routes;	/* ... of these */
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

/* Open a resource of the state, by the tools that are built in.  LH_EDATA with status 404 if there
 * is none of that URI. */
int lh_mcp_resource_open(struct lh_mcp_resource *r, const struct lh_mcp_tools *tools,
			 const struct lh_mcp_page *of, struct lh_str uri, struct lh_err *err);

#endif
