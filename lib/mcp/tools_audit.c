/* tools_audit.c - tools over the audit, and where samples came from. */
#include "tool_parts.h"

#define ROWS 20			/* of a report, unless the call says how many */

/* ---- audit_verify ---- */

struct nothing {
	bool none;
};
const struct lh_bind lh_mcp_verify_in[] = { LH_BIND_CLOSED };

int lh_mcp_ask_verify(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct nothing n = { false };

	return lh_mcp_pass(lh_mcp_verify_in, &n, q, args, err);
}

int lh_mcp_answer_verify(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	static const char *const from[] = { "logs", "count", "broken" };
	static const char *const to[] = { "logs", "rows", "broken" };
	struct lh_value error = lh_mcp_get(rec, "error", LH_STRING);
	const struct lh_value *v = lh_record_get(rec, "verified");
	struct lh_writer w = lh_write_to(r->structured);
	size_t i;
	int rc = 0;

	(void)args;
	if (!v)
		return lh_mcp_refused(rec, r->status, err);
	lh_write_object(&w, NULL);
	lh_write_value(&w, "verified", v);
	for (i = 0; i < 3; i++)
		if ((v = lh_record_get(rec, from[i])) && v->type == LH_NUMBER)
			lh_write_value(&w, to[i], v);
	if (error.n > 2)
		rc = lh_mcp_write_cut(&w, "error", &error, LH_MCP_TEXT(LH_MCP_FULL), err);
	lh_write_end(&w);
	return rc;
}

/* ---- audit_report ---- */

struct report {
	struct lh_str id;
	struct lh_mcp_part part;
};
const struct lh_bind lh_mcp_report_in[] = {
	{ LH_BIND_STRING("id", struct report, id), .required = true, .filled = true,
	  .about = "Id of the person, such as a candidate_id." },
	LH_MCP_PART(struct report, part),
	LH_BIND_CLOSED
};

int lh_mcp_ask_report(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct report p = { .part.limit = ROWS };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_report_in, args, &p, &text, err);

	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "id", p.id);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

/* Write who looked: brief without what is only for a check of the chain, but never without the
 * accessor or the fields, which are what a report is for. */
static int write_access(void *ctx, struct lh_writer *w, const struct lh_value *v,
			struct lh_err *err)
{
	static const char *const drop[] = { "schema", "candidate_id", "prev_chain_hash",
					    "row_hmac", NULL };
	static const char *const none[] = { NULL };
	const struct report *p = ctx;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a row is not an object");
	return lh_mcp_write_members(w, NULL, v, p->part.detail == LH_MCP_FULL ? none : drop,
				    LH_MCP_MEMBER(LH_MCP_FULL), err);
}

static void write_chain(struct lh_writer *w, const struct lh_value *log)
{
	lh_mcp_copy(w, log, "rows_in_window", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(w, log, "chain_verified", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
	lh_mcp_copy(w, log, "chain_rows_total", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(w, log, "chain_root", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(w, log, "chain_error", LH_BIND_IS(LH_STRING));
}

int lh_mcp_answer_report(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct report p = { .part.limit = ROWS };
	struct lh_value log = lh_mcp_get(rec, "audit_log", LH_OBJECT);
	struct lh_value rows = lh_mcp_get_in(&log, "rows", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_report_in, args, &p, &text, err);

	lh_mcp_part_begin(&p.part);
	lh_write_object(&w, NULL);
	lh_mcp_copy(&w, &whole, "candidate_id", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "generated_at", LH_BIND_IS(LH_STRING));
	write_chain(&w, &log);
	if (!rc)
		rc = lh_mcp_write_part(&w, "rows", &rows, &p.part, write_access, &p, err);
	lh_mcp_copy(&w, &whole, "datasets_referenced", LH_BIND_IS(LH_ARRAY));
	lh_mcp_copy(&w, &whole, "completeness_attestation", LH_BIND_IS(LH_STRING));
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}

/* ---- trace_record ---- */

struct trace {
	struct lh_str id;
	int detail;
};
const struct lh_bind lh_mcp_trace_in[] = {
	{ LH_BIND_STRING("id", struct trace, id), .required = true, .filled = true,
	  .longest = 1024, .about = "Id of the sample, such as rag-1b09f9563820b405." },
	LH_MCP_DETAIL(struct trace, detail, "brief"),
	LH_BIND_CLOSED
};

int lh_mcp_ask_trace(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct trace t = { .detail = 0 };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_trace_in, args, &t, &text, err);

	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "id", t.id);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

/* Write where a row is, and its record, of which a brief answer has the short members. */
static int write_place(struct lh_writer *w, const char *name, const struct lh_value *of,
		       int detail, struct lh_err *err)
{
	static const char *const none[] = { "provenance", NULL };
	struct lh_value v, record;
	int rc = 0;

	if (!lh_mcp_has(of, name, &v) || v.type != LH_OBJECT) {
		lh_write_null(w, name);
		return 0;
	}
	lh_write_object(w, name);
	lh_mcp_copy(w, &v, "file", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(w, &v, "line", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(w, &v, "intact", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
	if (lh_mcp_has(&v, "record", &record) && record.type == LH_OBJECT)
		rc = lh_mcp_write_members(w, "record", &record, none + (detail == LH_MCP_FULL),
					  LH_MCP_MEMBER(detail), err);
	lh_write_end(w);
	return rc;
}

static int write_sides(struct lh_writer *w, const struct lh_value *sides, int detail,
		       struct lh_err *err)
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
			if (write_place(w, places[i], &it.val, detail, err) < 0)
				return -1;
		lh_write_end(w);
	}
	lh_write_end(w);
	return 0;
}

int lh_mcp_answer_trace(struct lh_mcp_reply *r, const struct lh_value *args,
			const struct lh_record *rec, struct lh_err *err)
{
	struct trace t = { .detail = 0 };
	struct lh_value sides = lh_mcp_get(rec, "from", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_trace_in, args, &t, &text, err);

	lh_write_object(&w, NULL);
	lh_mcp_copy(&w, &whole, "id", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "exporter", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "run", LH_BIND_IS(LH_STRING));
	if (!rc)
		rc = write_place(&w, "sample", &whole, t.detail, err);
	if (!rc)
		rc = write_sides(&w, &sides, t.detail, err);
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}
