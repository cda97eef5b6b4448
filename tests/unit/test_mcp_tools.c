/* The built-in tools of lib/mcp without a filter: replies to answers that no filter of this
 * family gives. */

#include "json_text.h"
#include "mcp/mcp_tool.h"

static struct lh_mcp_tools tools;

/* Answer from a line; the reply must be an object, unless there is an error. */
static void replies(const struct lh_mcp_tool *t, const char *args, const char *line)
{
	struct lh_buf out = { 0 }, links = { 0 };
	struct lh_err err = { .code = LH_OK };
	struct lh_mcp_reply r = { t, &out, &links, 200 };
	struct lh_value v = value_of(args);

	if (t->answer(&r, &v, record_of(line), &err) == 0) {
		lh_buf_putc(&out, '\0');
		record_of(out.p);
	} else {
		check_why(*err.msg, t->name);
	}
	lh_buf_free(&out);
	lh_buf_free(&links);
}

/* Return arguments that the tool takes. */
static const char *args_of(const struct lh_mcp_tool *t)
{
	static const char *const of[][2] = {
		{ "search", "{\"query\":\"a\"}" },
		{ "search_vectors", "{\"index\":\"a\",\"vector\":[1]}" },
		{ "query_sql", "{\"sql\":\"a\"}" },
		{ "get_manifest", "{\"name\":\"a\"}" },
		{ "relevance", "{\"focus\":{},\"chunks\":[{\"text\":\"a\"}]}" },
		{ "lookup", "{\"id\":\"a\"}" },
		{ "audit_report", "{\"id\":\"a\"}" },
		{ "trace_record", "{\"id\":\"a\"}" },
	};
	size_t i;

	for (i = 0; i < sizeof of / sizeof *of; i++)
		if (!strcmp(of[i][0], t->name))
			return of[i][1];
	return "{}";
}

/* Members as the filters name them, with values as they never are. */
static void any_answer_has_a_reply(void)
{
	static const char *const names[] = {
		"results", "manifests", "objects", "columns", "rows", "relevance", "audit_log",
		"from", "sample", "findings", "error", "verified", "metadata", "per_corpus_counts",
		"playbook_id", "name", "id", "Schema",
	};
	static const char *const values[] = {
		"null", "7", "\"x\"", "[]", "{}", "[1,\"a\",null,[],{}]", "[[[]]]",
		"[{\"id\":7}]", "{\"rows\":[7]}", "{\"record\":[]}", "[{\"source\":[]}]",
		"[{\"id\":\"x\",\"metadata\":[]}]", "[{\"id\":\"x\",\"metadata\":{\"provenance\":7,"
		"\"text\":{},\"candidate_id\":[]}}]", "[{\"id\":\"x\",\"metadata\":{\"provenance\":"
		"{\"source_file\":\"f\",\"line_offset\":9223372036854775807}}}]",
	};
	char line[400];
	size_t t, n, v;

	for (t = 0; t < tools.n; t++)
		for (n = 0; n < sizeof names / sizeof *names; n++)
			for (v = 0; v < sizeof values / sizeof *values; v++) {
				snprintf(line, sizeof line, "{\"%s\":%s}", names[n], values[v]);
				replies(&tools.v[t], args_of(&tools.v[t]), line);
			}
}

int main(void)
{
	struct lh_err err;

	check_why(lh_mcp_tools_read(&tools, NULL, &err) == 0, err.msg);
	test(any_answer_has_a_reply());
	lh_mcp_tools_free(&tools);
	return 0;
}
