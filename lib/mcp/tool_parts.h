/*
 * tool_parts - shared by the tools.
 *
 *     mcp_tools.c      tools of a file
 *     tool_ask.c       their arguments, and the records of them
 *     tool_answer.c    what they answer by outputSchema and "members"
 *     tools_search.c   what search, lookup and search_vectors answer
 *     tools_judge.c    validate, relevance
 *     tools_audit.c    audit_report, trace_record
 *     resources.c      resources, with resource_audit.c
 *     tool_brief.c     small answers: what is cut, pages of a list
 */
#ifndef LH_MCP_TOOL_PARTS_H
#define LH_MCP_TOOL_PARTS_H

#include "mcp_tool.h"

enum lh_mcp_detail { LH_MCP_BRIEF, LH_MCP_FULL };

/* Bytes of a text, and of another member, after which it is cut. */
#define LH_MCP_TEXT(detail) ((detail) == LH_MCP_FULL ? (size_t)4000 : 400)
#define LH_MCP_MEMBER(detail) ((detail) == LH_MCP_FULL ? (size_t)4000 : 160)

#define LH_MCP_NAME 128			/* bytes of a name that a schema may have, and NUL */
#define LH_MCP_CURSOR "^[0-9]{1,9}$"	/* a pattern */

extern const char *const lh_mcp_hows[];	/* "how", of a row of "members" */

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
/* Set *v to an argument, or to the default that the schema gives; false if there is neither. */
bool lh_mcp_argument(const struct lh_mcp_tool *t, const struct lh_value *args, const char *name,
		     struct lh_value *v);
struct lh_mcp_part lh_mcp_part_of(const struct lh_mcp_tool *t, const struct lh_value *args);
bool lh_mcp_is_cursor(const struct lh_value *v, struct lh_str text);
uint64_t lh_mcp_offset(struct lh_str cursor);
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
void lh_mcp_write_cut(struct lh_writer *w, const char *name, const struct lh_value *v, size_t most);
/* Write the members of an object, each cut, without those named in drop and without vectors. */
void lh_mcp_write_members(struct lh_writer *w, const char *name, const struct lh_value *object,
			  const struct lh_str *drop, size_t n_drop, size_t most);
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

/* ---- resources ---- */

/* Append {"baseline":{...},"report":"..."} of the last audit in the state.  LH_EDATA with 404 if
 * there is none. */
int lh_mcp_write_audit(struct lh_buf *out, const char *state, struct lh_err *err);

/* ---- answers of their own ---- */

lh_mcp_answer_fn lh_mcp_answer_search, lh_mcp_answer_lookup, lh_mcp_answer_record,
	lh_mcp_answer_validate, lh_mcp_answer_relevance, lh_mcp_answer_report, lh_mcp_answer_trace;

#endif
