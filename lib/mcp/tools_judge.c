/* tools_judge.c - what the tools answer that judge: drafts, and chunks of text for a file. */
#include "tool_parts.h"

/* Write the error of a draft that fails: {"Schema":{"field":...,"reason":...}}. */
static void write_error(struct lh_writer *w, const struct lh_record *rec)
{
	static const char *const names[] = { "Schema", "Completeness", "Consistency", "Policy" };
	const struct lh_value *error;
	size_t i;

	lh_write_object(w, "error");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		error = lh_record_get(rec, names[i]);
		if (!error || error->type != LH_OBJECT)
			continue;
		lh_write_text(w, "kind", names[i]);
		lh_mcp_copy(w, error, "field", LH_BIND_IS(LH_STRING));
		lh_mcp_copy(w, error, "reason", LH_BIND_IS(LH_STRING));
		break;
	}
	lh_write_end(w);
}

int lh_mcp_answer_validate(struct lh_mcp_reply *r, const struct lh_value *args,
			   const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value findings = lh_mcp_get(rec, "findings", LH_ARRAY);
	struct lh_writer w = lh_write_to(r->structured);

	(void)args;
	if (r->status >= 400 && r->status != 422)
		return lh_mcp_refused(rec, r->status, err);
	lh_write_object(&w, NULL);
	lh_write_bool(&w, "passed", r->status < 400);
	lh_write_value(&w, "findings", &findings);
	if (r->status == 422)
		write_error(&w, rec);
	lh_write_end(&w);
	return 0;
}

int lh_mcp_answer_relevance(struct lh_mcp_reply *r, const struct lh_value *args,
			    const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value all = lh_mcp_get(rec, "relevance", LH_ARRAY), v;
	struct lh_value chunks = lh_mcp_get_in(args, "chunks", LH_ARRAY);
	struct lh_writer w = lh_write_to(r->structured);
	struct lh_iter it, chunk;
	uint64_t i = 0, kept = 0;

	(void)err;
	lh_write_object(&w, NULL);
	lh_write_array(&w, "results");
	lh_iter_init(&it, &all);
	for (lh_iter_init(&chunk, &chunks); lh_iter_next(&chunk) && lh_iter_next(&it); i++) {
		lh_write_object(&w, NULL);
		lh_write_u64(&w, "chunk", i);
		if (lh_mcp_has(&chunk.val, "path", &v) && v.type == LH_STRING)
			lh_mcp_write_cut(&w, "source", &v, 4096);
		lh_mcp_copy(&w, &it.val, "score", LH_BIND_IS(LH_NUMBER));
		lh_mcp_copy(&w, &it.val, "kept", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
		kept += lh_mcp_has(&it.val, "kept", &v) && v.type == LH_TRUE;
		lh_mcp_copy(&w, &it.val, "signals", LH_BIND_IS(LH_ARRAY));
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_u64(&w, "kept", kept);
	lh_write_end(&w);
	return 0;
}
