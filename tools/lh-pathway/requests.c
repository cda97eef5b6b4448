/* requests.c - lh-pathway requests: each record names its operation. */
#include "base/signal.h"
#include "json/bind.h"
#include "json/write.h"
#include "pathway.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of a search's answer */

/* In the order of V_ADD to V_SEARCH. */
static const char *const ops[] = { "add",     "add_idempotent", "update", "revise", "retire", "get",
				   "history", "search",         "stats",  NULL };
enum op { ADD, ADD_IDEMPOTENT, UPDATE, REVISE, RETIRE, GET, HISTORY, SEARCH, STATS };

struct request {
	enum op op;
};
static const struct lh_bind request_members[] = {
	{ LH_BIND_INDEX("op", struct request, op, ops), .required = true },
	LH_BIND_END
};

/* ---- search ---- */

struct query {
	struct lh_str tag, contains;
	const struct lh_str *tags;
	size_t n_tags;
	int64_t after, before;
	bool retired;
	uint64_t limit;
};
static const struct lh_bind search_members[] = {
	{ LH_BIND_STRING("tag", struct query, tag) },
	{ LH_BIND_STRINGS("tags", struct query, tags, n_tags) },
	{ LH_BIND_STRING("content_contains", struct query, contains) },
	{ LH_BIND_I64("created_after_ns", struct query, after, INT64_MIN, INT64_MAX) },
	{ LH_BIND_I64("created_before_ns", struct query, before, INT64_MIN, INT64_MAX) },
	{ LH_BIND_BOOL("include_retired", struct query, retired) },
	{ LH_BIND_U64("limit", struct query, limit, 0, INT64_MAX) },
	LH_BIND_END
};

static int write_results(struct search *f, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	uint64_t count = 0;
	uint32_t i;
	int rc;

	lh_write_object(&w, NULL);
	lh_write_array(&w, "results");
	for (search_start(f); (rc = search_next(f, &i, err)) == 1; count++) {
		lh_write_key(&w, NULL);
		if (lh_pathway_put(f->run->p, i, out, err) < 0)
			return -1;
		if (out->len > ANSWER_MAX)
			return lh_err_data(err, 413, "the answer is larger than %zuM; set "
					   "\"limit\"", ANSWER_MAX >> 20);
	}
	if (rc < 0)
		return -1;
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	lh_write_end(&w);
	lh_write_u64(&w, "count", count);
	lh_write_end(&w);
	return 0;
}

static int answer_search(struct run *r, const struct lh_record *rec, struct lh_buf *out,
			 struct lh_err *err)
{
	struct search f = SEARCH_ALL(r);
	struct query q = { .after = INT64_MIN, .before = INT64_MAX, .limit = UINT64_MAX };
	int rc;

	if (lh_bind(search_members, rec, &q, &r->strings, err) < 0 ||
	    lh_pathway_refresh(r->p, err) < 0)
		return -1;
	f.tag = q.tag;
	f.tags = q.tags;
	f.n_tags = q.n_tags;
	if (q.contains.n)
		f.contains = q.contains;
	f.after = q.after;
	f.before = q.before;
	f.retired = q.retired;
	f.left = q.limit;
	rc = write_results(&f, out, err);
	lh_buf_free(&f.text);
	return rc;
}

/* ---- stats ---- */

static int answer_stats(struct run *r, struct lh_buf *out, struct lh_err *err)
{
	struct lh_pathway_stats st;
	struct lh_writer w = lh_write_to(out);

	if (lh_pathway_refresh(r->p, err) < 0)
		return -1;
	lh_pathway_get_stats(r->p, &st);
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "events", st.events);
	lh_write_u64(&w, "traces", st.traces);
	lh_write_u64(&w, "retired", st.retired);
	lh_write_u64(&w, "skipped", st.skipped);
	lh_write_end(&w);
	return 0;
}

/* ---- the command ---- */

static int answer(struct run *r, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	struct request q;

	if (lh_bind(request_members, rec, &q, &r->strings, err) < 0)
		return -1;
	r->op = 1u << q.op;
	switch (q.op) {
	case GET: return get_record(rec, out, r, err);
	case HISTORY: return history_record(rec, out, r, err);
	case SEARCH: return answer_search(r, rec, out, err);
	case STATS: return answer_stats(r, out, err);
	default: return change_record(rec, out, r, err);
	}
}

/* A log that is locked, full or damaged costs its request, not the process. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;

	if (answer(r, rec, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	r->broken |= err->code == LH_ECORRUPT;
	return lh_records_unavailable(r->tool, &r->failing, "the log cannot be used at present",
				      err);
}

int pathway_requests(struct lh_tool *tool, void *settings)
{
	struct run r;
	int rc;

	if (check_now(tool) < 0)
		return -1;
	rc = run_open(&r, tool, settings, tool->operands[0], LH_PATHWAY_LATE);
	if (!rc)
		rc = run_records(&r, on_request);
	return run_close(&r, rc);
}
