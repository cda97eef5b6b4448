/*
 * tool_parts - shared by the tools that are built in.
 *
 *     tools.c          the table, and what the tools answer
 *     tools_search.c   search, lookup, search_vectors, embed_text
 *     tools_data.c     datasets, SQL, playbooks, pathways
 *     tools_judge.c    validate, relevance
 *     tools_audit.c    the audit, traces of samples
 *     resources.c      resources, with resource_audit.c
 *     tool_brief.c     small answers: what is cut, what is cited, pages of a list
 */
#ifndef LH_MCP_TOOL_PARTS_H
#define LH_MCP_TOOL_PARTS_H

#include "mcp_tool.h"

enum lh_mcp_detail { LH_MCP_BRIEF, LH_MCP_FULL };
extern const char *const lh_mcp_details[];

/* Bytes of a text, and of another member, after which it is cut. */
#define LH_MCP_TEXT(detail) ((detail) == LH_MCP_FULL ? (size_t)4000 : 400)
#define LH_MCP_MEMBER(detail) ((detail) == LH_MCP_FULL ? (size_t)4000 : 160)

/* The arguments of a tool that lists: which part of the list, and how much of each. */
struct lh_mcp_part {
	uint64_t limit, offset;
	struct lh_str cursor;
	int detail;
};
#define LH_MCP_PART(s, f) \
	{ LH_BIND_U64("limit", s, f.limit, 1, 100), .usual = "20", \
	  .about = "How many of the list to give." }, \
	{ LH_BIND_STRING("cursor", s, f.cursor), .filled = true, \
	  .is = lh_mcp_is_cursor, .what = "cursor of an answer", .pattern = "^[0-9]{1,9}$", \
	  .about = "next_cursor of the answer before: continue after it." }, \
	LH_MCP_DETAIL(s, f.detail, "brief")
#define LH_MCP_DETAIL(s, f, by_default) \
	{ LH_BIND_INDEX("detail", s, f, lh_mcp_details), .usual = "\"" by_default "\"", \
	  .about = "brief cuts each text after 400 bytes and other members after 160, full " \
		   "all after 4000. What is cut says so at its end." }
bool lh_mcp_is_cursor(const struct lh_value *v, struct lh_str text);
/* Set the offset from the cursor. */
void lh_mcp_part_begin(struct lh_mcp_part *p);
/* Write the cursor of the next part, if there is one. */
void lh_mcp_part_end(struct lh_writer *w, const struct lh_mcp_part *p, bool more);
/* Write the elements of this part of an array, each by fn, and the cursor of the next part. */
typedef int lh_mcp_element_fn(void *ctx, struct lh_writer *w, const struct lh_value *v,
			      struct lh_err *err);
int lh_mcp_write_part(struct lh_writer *w, const char *name, const struct lh_value *array,
		      const struct lh_mcp_part *p, lh_mcp_element_fn *fn, void *ctx,
		      struct lh_err *err);

/* Write a value of at most that many bytes; of a longer string the beginning, with a note, in
 * place of another value a note. */
int lh_mcp_write_cut(struct lh_writer *w, const char *name, const struct lh_value *v, size_t most,
		     struct lh_err *err);
/* Write the members of an object, each cut, without those named in drop and without vectors. */
int lh_mcp_write_members(struct lh_writer *w, const char *name, const struct lh_value *object,
			 const char *const *drop, size_t most, struct lh_err *err);
/* Set *out to the member of an object; false if there is none, or v is not an object. */
bool lh_mcp_has(const struct lh_value *v, const char *name, struct lh_value *out);
/* Write the member of an object as it is, if it is there and of that type. */
void lh_mcp_copy(struct lh_writer *w, const struct lh_value *object, const char *name,
		 unsigned types);
/* Return the member of a record as an object or array; an empty one if it is not there. */
struct lh_value lh_mcp_get(const struct lh_record *rec, const char *name, enum lh_type type);
struct lh_value lh_mcp_get_in(const struct lh_value *object, const char *name, enum lh_type type);
/* Return the record as a value. */
struct lh_value lh_mcp_whole(const struct lh_record *rec);

/* Append a text, percent-encoded. */
void lh_mcp_percent(struct lh_buf *out, struct lh_str text);
/* Append "lh://corpus/ID". */
void lh_mcp_uri(struct lh_buf *out, struct lh_str corpus, struct lh_str id);

/* Set the error that a filter has answered. */
int lh_mcp_refused(const struct lh_record *rec, unsigned status, struct lh_err *err);

/* Pass the arguments on, once they fit the table. */
int lh_mcp_pass(const struct lh_bind *table, void *to, struct lh_mcp_question *q,
		const struct lh_value *args, struct lh_err *err);

/* ---- resources ---- */

/* Append {"baseline":{...},"report":"..."} of the last audit in the state.  LH_EDATA with 404 if
 * there is none. */
int lh_mcp_write_audit(struct lh_buf *out, const char *state, struct lh_err *err);

/* ---- of each tool: the record for its filter, its reply ---- */

typedef int lh_mcp_ask_fn(struct lh_mcp_question *q, const struct lh_value *args,
			  struct lh_err *err);
typedef int lh_mcp_answer_fn(struct lh_mcp_reply *r, const struct lh_value *args,
			     const struct lh_record *rec, struct lh_err *err);

/* The arguments of each. */
extern const struct lh_bind lh_mcp_search_in[], lh_mcp_lookup_in[], lh_mcp_vectors_in[],
	lh_mcp_embed_in[], lh_mcp_datasets_in[], lh_mcp_manifest_in[], lh_mcp_sql_in[],
	lh_mcp_playbook_in[], lh_mcp_pathway_in[], lh_mcp_validate_in[], lh_mcp_relevance_in[],
	lh_mcp_verify_in[], lh_mcp_report_in[], lh_mcp_trace_in[];

lh_mcp_ask_fn lh_mcp_ask_search, lh_mcp_ask_lookup, lh_mcp_ask_vectors, lh_mcp_ask_embed;
lh_mcp_ask_fn lh_mcp_ask_datasets, lh_mcp_ask_manifest, lh_mcp_ask_sql, lh_mcp_ask_playbook,
	lh_mcp_ask_pathway, lh_mcp_ask_validate, lh_mcp_ask_relevance, lh_mcp_ask_verify,
	lh_mcp_ask_report, lh_mcp_ask_trace;
lh_mcp_answer_fn lh_mcp_answer_search, lh_mcp_answer_lookup, lh_mcp_answer_record,
	lh_mcp_answer_vectors, lh_mcp_answer_datasets, lh_mcp_answer_manifest, lh_mcp_answer_sql,
	lh_mcp_answer_playbook, lh_mcp_answer_pathway, lh_mcp_answer_validate,
	lh_mcp_answer_relevance, lh_mcp_answer_verify, lh_mcp_answer_report, lh_mcp_answer_trace;

#endif
