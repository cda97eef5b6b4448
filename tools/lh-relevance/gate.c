/* gate.c - lh-relevance gate: decide which models review without the lakehouse's
 * context. */
#include <stdlib.h>

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
	return memmem(model.p, model.n, ":free/", 6) || is(model, "qwen3.5:latest") || is(model, "qwen3:latest");
}

static int take_string(const struct lh_record *rec, const char *name, struct lh_buf *text, struct lh_str *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v || v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, v ? "\"%s\" is not a string" : "missing string field \"%s\"", name);
	return lh_value_str(v, text, to, err);
}

static int decide(const struct lh_record *rec, struct lh_buf *text, bool enrich, bool *down, struct lh_err *err)
{
	const struct lh_value *forced = lh_record_get(rec, "forced");
	struct lh_str mode, model;

	if (!lh_buf_room(text, rec->len + LH_PAD))	/* so that strings do not move */
		return lh_buf_check(text, err);
	if (take_string(rec, "mode", text, &mode, err) < 0)
		return -1;
	if (!mode.n)
		return lh_err_set(err, LH_EDATA, "empty mode");
	if (take_string(rec, "model", text, &model, err) < 0)
		return -1;
	if (forced && forced->type != LH_TRUE && forced->type != LH_FALSE && forced->type != LH_NULL)
		return lh_err_set(err, LH_EDATA, "\"forced\" is neither true nor false");
	*down = is(mode, FULL) && !(forced && forced->type == LH_TRUE) && !enrich && !is_weak(model);
	return 0;
}

static int on_request(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	const bool *enrich = worker;
	const struct lh_value *mode = lh_record_get(rec, "mode");
	bool down = false;
	struct lh_buf text;
	int rc;

	lh_buf_init(&text, LH_BUF_NOMAX);
	rc = decide(rec, &text, *enrich, &down, err);
	lh_buf_free(&text);
	if (rc < 0)
		return -1;
	lh_record_open(out, rec, (const char *const[]){ "mode", "downgraded_from" }, 2);
	lh_buf_puts(out, "\"mode\":");
	if (down)
		lh_buf_puts(out, "\"" DOWNGRADED "\",\"downgraded_from\":");
	lh_buf_add(out, mode->p, mode->n);
	lh_record_close(out, rec);
	return 0;
}

int gate_run(struct lh_tool *tool, void *settings)
{
	const char *set = getenv("LH_FORCE_FULL_ENRICHMENT");
	bool enrich = set && *set;

	(void)settings;
	return lh_records_run(tool, &(struct lh_flow){ .map = on_request, .shared = &enrich });
}
