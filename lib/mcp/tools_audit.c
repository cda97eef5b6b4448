/* tools_audit.c - what audit_report and trace_record answer. */
#include "tool_parts.h"

/* ---- audit_report ---- */

/* Write who looked: brief without what is only for a check of the chain, but never without the
 * accessor or the fields, which are what a report is for. */
static int write_access(void *ctx, struct lh_writer *w, const struct lh_value *v,
			struct lh_err *err)
{
	static const struct lh_str drop[] = { { "schema", 6 }, { "candidate_id", 12 },
					      { "prev_chain_hash", 15 }, { "row_hmac", 8 } };
	const struct lh_mcp_part *p = ctx;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a row is not an object");
	lh_mcp_write_members(w, NULL, v, drop, p->detail == LH_MCP_FULL ? 0 : 4,
			     LH_MCP_MEMBER(LH_MCP_FULL));
	return 0;
}

int lh_mcp_answer_report(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct lh_mcp_part p = lh_mcp_part_of(r->tool, args);
	struct lh_value log = lh_mcp_get(rec, "audit_log", LH_OBJECT);
	struct lh_value rows = lh_mcp_get_in(&log, "rows", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_writer w = lh_write_to(r->structured);
	int rc;

	lh_write_object(&w, NULL);
	lh_mcp_copy(&w, &whole, "candidate_id", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "generated_at", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &log, "rows_in_window", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(&w, &log, "chain_verified", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
	lh_mcp_copy(&w, &log, "chain_rows_total", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(&w, &log, "chain_root", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &log, "chain_error", LH_BIND_IS(LH_STRING));
	rc = lh_mcp_write_part(&w, "rows", &rows, &p, write_access, &p, err);
	lh_mcp_copy(&w, &whole, "datasets_referenced", LH_BIND_IS(LH_ARRAY));
	lh_mcp_copy(&w, &whole, "completeness_attestation", LH_BIND_IS(LH_STRING));
	lh_write_end(&w);
	return rc;
}

/* ---- trace_record ---- */

/* Write where a row is, and its record, of which a brief answer has the short members. */
static void write_place(struct lh_writer *w, const char *name, const struct lh_value *of,
			int detail)
{
	static const struct lh_str provenance = { "provenance", 10 };
	struct lh_value v, record;

	if (!lh_mcp_has(of, name, &v) || v.type != LH_OBJECT) {
		lh_write_null(w, name);
		return;
	}
	lh_write_object(w, name);
	lh_mcp_copy(w, &v, "file", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(w, &v, "line", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(w, &v, "intact", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
	if (lh_mcp_has(&v, "record", &record) && record.type == LH_OBJECT)
		lh_mcp_write_members(w, "record", &record, &provenance, detail != LH_MCP_FULL,
				     LH_MCP_MEMBER(detail));
	lh_write_end(w);
}

static void write_sides(struct lh_writer *w, const struct lh_value *sides, int detail)
{
	static const char *const places[] = { "scored", "evidence", "source" };
	struct lh_iter it;
	size_t i;

	lh_write_array(w, "from");
	for (lh_iter_init(&it, sides); lh_iter_next(&it); ) {
		lh_write_object(w, NULL);
		lh_mcp_copy(w, &it.val, "side", LH_BIND_IS(LH_STRING));
		lh_mcp_copy(w, &it.val, "run_id", LH_BIND_IS(LH_STRING));
		for (i = 0; i < 3; i++)
			write_place(w, places[i], &it.val, detail);
		lh_write_end(w);
	}
	lh_write_end(w);
}

int lh_mcp_answer_trace(struct lh_mcp_reply *r, const struct lh_value *args,
			const struct lh_record *rec, struct lh_err *err)
{
	const int detail = lh_mcp_part_of(r->tool, args).detail;
	struct lh_value sides = lh_mcp_get(rec, "from", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_writer w = lh_write_to(r->structured);

	(void)err;
	lh_write_object(&w, NULL);
	lh_mcp_copy(&w, &whole, "id", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "exporter", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "run", LH_BIND_IS(LH_STRING));
	write_place(&w, "sample", &whole, detail);
	write_sides(&w, &sides, detail);
	lh_write_end(&w);
	return 0;
}
