/* gate.c - lh-relevance gate: decide which models review without the lakehouse's
 * context. */
#include <stdlib.h>

#include "json/bind.h"
#include "json/write.h"
#include "relevance.h"

#define FULL "codereview_lakehouse"
#define DOWNGRADED "codereview_isolation"

static bool is(struct lh_str s, const char *what)
{
	return s.n == strlen(what) && memcmp(s.p, what, s.n) == 0;
}

/* Weak models get all the context available. */
static bool is_weak(struct lh_str model)
{
	static const char suffix[] = ":free";
	size_t n = sizeof suffix - 1;

	if (model.n >= n && memcmp(model.p + model.n - n, suffix, n) == 0)
		return true;
	return memmem(model.p, model.n, ":free/", 6) || is(model, "qwen3.5:latest") ||
		is(model, "qwen3:latest");
}

struct request {
	struct lh_str mode, model;
	struct lh_value mode_json;	/* mode as it is written */
	bool forced;
};

const struct lh_bind gate_members[] = {
	{ LH_BIND_STRING("mode", struct request, mode), .required = true, .filled = true,
	  .as_written = LH_BIND_FIELD(struct request, mode_json),
	  .about = "the mode that was asked for" },
	{ LH_BIND_STRING("model", struct request, model), .required = true,
	  .about = "the model that reviews" },
	{ LH_BIND_BOOL("forced", struct request, forced), .about = "whether the mode stays" },
	LH_BIND_END
};
const struct lh_bind gate_answer[] = {
	LH_OP_TEXT("mode"),
	{ LH_BIND_ONLY("downgraded_from", LH_BIND_TO_STRING), .about = "mode, if it is another" },
	LH_BIND_END
};

static int on_request(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct request q = { .forced = false };
	const bool *enrich = worker;
	struct lh_writer json;
	struct lh_buf text = { 0 };
	bool down;

	if (lh_bind(gate_members, rec, &q, &text, err) < 0) {
		lh_buf_free(&text);
		return -1;
	}
	down = is(q.mode, FULL) && !q.forced && !*enrich && !is_weak(q.model);
	lh_buf_free(&text);
	json = lh_write_record(out, rec, (const char *const[]){ "mode", "downgraded_from" }, 2);
	if (down)
		lh_write_text(&json, "mode", DOWNGRADED);
	lh_write_value(&json, down ? "downgraded_from" : "mode", &q.mode_json);
	lh_write_end(&json);
	return 0;
}

int gate_run(struct lh_tool *tool, void *settings)
{
	const char *set = getenv("LH_FORCE_FULL_ENRICHMENT");
	bool enrich = set && *set;

	(void)settings;
	return lh_records_run(tool, &(struct lh_flow){ .map = on_request, .shared = &enrich });
}
