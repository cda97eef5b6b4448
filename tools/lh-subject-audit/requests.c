/* requests.c - what requests of lh-subject-audit answer. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "report.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of a report */
#define TIME_MAX 63

/* ---- report ---- */

#define TIME(name) \
	{ LH_BIND_STRING(#name, struct wanted, name), .longest = TIME_MAX, .is = is_end, \
	  .what = TIME_WHAT }

/* A check of a member: a time, a day or a month. */
static bool is_end(const struct lh_value *v, struct lh_str text)
{
	char to[WINDOW_TIME];

	(void)v;
	return window_read(text.p, text.n, false, to);
}
const struct lh_bind report_members[] = {
	{ LH_BIND_STRING("id", struct wanted, id), .required = true, .filled = true,
	  .no_nul = true, .path = true, .safe = true },
	TIME(from),
	TIME(to),
	LH_BIND_END
};

const struct lh_bind report_out[] = {
	LH_OP_TEXT("schema"),
	{ LH_BIND_ONLY("candidate_id", LH_BIND_TO_STRING), .required = true, .person = true },
	LH_OP_TEXT("generated_at"),
	{ LH_BIND_ONLY("manifest", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true },
	{ LH_BIND_ONLY("audit_log", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .required = true, .person = true, .about = "the accesses, and whether they are whole" },
	LH_OP_TEXT("completeness_attestation"),
	LH_BIND_END
};

/* Return the time of an end of the window, NULL for an absent one. */
static const char *as_time(struct lh_str s, bool end, char to[WINDOW_TIME])
{
	return s.p && window_read(s.p, s.n, end, to) ? to : NULL;
}

static int check_size(struct report *r, struct lh_buf *out)
{
	if (out->len > ANSWER_MAX)
		return lh_err_data(&r->tool->err, 413,
				   "the report is larger than %zuM; set \"from\" and \"to\"",
				   ANSWER_MAX >> 20);
	return 0;
}

static int write_report(struct report *r, struct lh_buf *out, struct lh_err *err)
{
	int rc = report_find(r);

	if (rc > 0 && r->v.fault == LH_CHAIN_ANCHOR)
		return lh_err_data(err, 503, "the log contradicts its anchor: %s", r->error);
	if (rc > 0)
		rc = report_json(r, out, check_size);
	else if (rc == 0)
		return lh_err_data(err, 404, "unknown id \"%s\"", r->id);
	if (rc < 0)
		*err = r->tool->err;
	r->tool->err.msg[0] = '\0';
	if (rc < 0 && r->wrong_key)
		return lh_err_data(err, 503, WRONG_KEY);
	if (rc < 0 && err->code == LH_EDATA && !err->status)
		err->code = LH_ECORRUPT;	/* a manifest is wrong, not the request */
	return rc;
}

int answer_report(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	const struct wanted *w = in;
	struct settings s = *(const struct settings *)call->settings;
	LH_SCOPED(lh_free_local) char *id = NULL;
	char from[WINDOW_TIME], to[WINDOW_TIME], now[32], name[LH_SUBJECT_MAX + 1];
	struct report r = { .tool = call->tool, .s = &s, .generated_at = now };
	int rc;

	if (lh_subject_name(name, w->id.p, w->id.n, err) < 0)
		return -1;
	s.from = as_time(w->from, false, from);
	s.to = as_time(w->to, true, to);
	if (window_is_backwards(s.from, s.to))
		return lh_err_data(err, 400, "\"from\" is after \"to\"");
	lh_tool_time(call->tool, now);
	r.id = id = lh_strndup(w->id.p, w->id.n);
	rc = write_report(&r, out, err);
	report_free(&r);
	return rc;
}

/* ---- health ---- */

struct health {
	uint64_t logs, rows, broken;
	struct lh_buf error;	/* of the first broken log */
	struct key_check key;
};

static int check_log(struct lh_tool *tool, const struct settings *s, const char *path,
		     const struct log *log, void *ctx)
{
	struct lh_chain_check c = { .keys = &s->keys, .name = log->name, .jobs = 1,
				    .max_row = tool->max_line, .anchor = log->anchor,
				    .lock_timeout = tool->lock_timeout };
	struct lh_chain_verdict v;
	struct health *h = ctx;
	char error[LH_CHAIN_ERROR];

	h->logs++;
	if (lh_chain_verify(path, &c, &v, &tool->err) < 0)
		return -1;
	h->rows += v.count;
	key_look(&h->key, &c, path, &v);
	log_error(log, &v, error);
	if (*error && !h->broken++)
		lh_buf_printf(&h->error, "%s: %s", log->name, error);
	return 0;
}

/* Verify the logs of the folder.  One that does not exist yet has none. */
static void check_folder(struct lh_tool *tool, struct settings *s, struct health *h)
{
	struct lh_err *err = &tool->err;
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	uint64_t failures = 0;
	int rc;

	if (access(s->dir, F_OK) < 0 && errno == ENOENT && !s->seen)
		return;
	s->seen = true;
	err->msg[0] = '\0';
	rc = anchor_for(&a, tool, s);
	if (!rc)
		rc = each_log(tool, s, &a, check_log, h, &failures);
	if (key_is_wrong(&h->key)) {
		lh_buf_reset(&h->error);
		lh_buf_puts(&h->error, WRONG_KEY);
	}
	if (rc == 0 && !failures)
		return;
	if (err->msg[0])
		lh_tool_warn(tool, "%s", err->msg);
	if (!h->broken)
		lh_buf_puts(&h->error, "some logs cannot be read");
	h->broken += failures ? failures : 1;
}

const struct lh_bind health_members[] = {
	LH_OP_COUNT("logs"), LH_OP_COUNT("count"), LH_OP_COUNT("broken"),
	{ LH_BIND_ONLY("verified", LH_BIND_TO_BOOL), .required = true },
	LH_OP_TEXT("error"),
	LH_BIND_END
};

int answer_health(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	struct health h = { .logs = 0 };
	struct lh_writer w;

	(void)in;
	(void)err;
	check_folder(call->tool, call->settings, &h);
	w = lh_write_to(out);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "mode", "verify");
	lh_write_u64(&w, "logs", h.logs);
	lh_write_u64(&w, "count", h.rows);
	lh_write_bool(&w, "verified", !h.broken);
	lh_write_u64(&w, "broken", h.broken);
	lh_write_str(&w, "error", (struct lh_str){ h.error.p, h.error.len });
	lh_write_u64(&w, "status", h.broken ? 503 : 200);
	lh_write_end(&w);
	lh_buf_free(&h.error);
	return 0;
}

int refuse_request(const struct lh_call *call, struct lh_err *err)
{
	if (err->code == LH_EDATA || err->code == LH_ENOMEM || err->code == LH_EINTR)
		return -1;
	lh_tool_warn(call->tool, "%s", err->msg);
	return lh_err_data(err, 503, "the log cannot be read at present");
}

int audit_requests(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	s->seen = access(s->dir, F_OK) == 0;
	return run_with_keys(tool, s, &(struct lh_flow){ .map = NULL });
}
