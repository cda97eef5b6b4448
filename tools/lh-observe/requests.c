/* requests.c - lh-observe requests: each record names its operation. */
#include "json/bind.h"
#include "json/write.h"
#include "run.h"

static const char *const ops[] = { "event", "inbox", "stats", "health", NULL };
enum op { EVENT, INBOX, STATS, HEALTH };

struct request {
	enum op op;
};
static const struct lh_bind request_members[] = {
	{ LH_BIND_INDEX("op", struct request, op, ops), .required = true },
	LH_BIND_END
};

static const char *const groupings[] = { "endpoint", NULL };
struct query {
	struct lh_str window;
	int by;
};
static const struct lh_bind stats_members[] = {
	{ LH_BIND_ID("window", struct query, window) },
	{ LH_BIND_INDEX("by", struct query, by, groupings) },
	LH_BIND_END
};

static int answer_stats(struct run *r, const struct lh_record *rec, struct lh_buf *out,
			struct lh_err *err)
{
	struct query q = { .by = -1 };
	uint64_t window = WINDOW;

	if (lh_bind(stats_members, rec, &q, &r->strings, err) < 0)
		return -1;
	if (q.window.p)
		window = stats_window(q.window);
	if (!window)
		return lh_err_set(err, LH_EDATA, "\"window\" must be a number from 1 or \"all\"");
	return stats_write(r, window, q.by == 0, out, err);
}

/* The service is well if rows can be written. */
static int answer_health(struct run *r, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);

	if (run_open(r, err) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_text(&w, "status", "ok");
	lh_write_end(&w);
	return 0;
}

static int answer(struct run *r, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	struct request q;

	if (lh_bind(request_members, rec, &q, &r->strings, err) < 0)
		return -1;
	switch (q.op) {
	case EVENT: return record_event(rec, out, r, err);
	case INBOX: return record_message(rec, out, r, err);
	case STATS: return answer_stats(r, rec, out, err);
	default: return answer_health(r, out, err);
	}
}

/* A log that is locked, or on a full disk, costs its request, not the process; its name is
 * not for the client. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;

	if (answer(r, rec, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	return lh_records_unavailable(r->tool, &r->failing, "the log cannot be used at present",
				      err);
}

int observe_requests(struct lh_tool *tool, void *settings)
{
	struct run r;
	int rc;

	run_init(&r, tool, settings);
	rc = run_records(&r, on_request);
	return run_close(&r, rc);
}
