/* observed.c - read a row of any kind as an operation.  See observe.h. */
#include "observe.h"

#include <math.h>

#include "json/bind.h"

static const char session_schema[] = "session.iterate.v1";

enum lh_observe_kind lh_observe_kind(const struct lh_record *rec)
{
	const struct lh_value *schema = lh_record_get(rec, "schema");

	if (schema && schema->type == LH_STRING &&
	    lh_value_is(schema, session_schema, sizeof session_schema - 1))
		return LH_OBSERVE_SESSION;
	if (!lh_record_get(rec, "endpoint") && lh_record_get(rec, "time") &&
	    lh_record_get(rec, "route") && lh_record_get(rec, "status"))
		return LH_OBSERVE_ACCESS;
	return LH_OBSERVE_OPERATION;
}

/* The members of all kinds. */
struct row {
	struct lh_str timestamp, source, endpoint, error, verdict;
	int success;
	double duration, queue, filter;
	int64_t status;
};

static const struct lh_bind operation_members[] = {
	{ LH_BIND_STRING("timestamp", struct row, timestamp) },
	{ LH_BIND_STRING("source", struct row, source) },
	{ LH_BIND_STRING("endpoint", struct row, endpoint), .required = true, .filled = true },
	{ LH_BIND_TRUTH("success", struct row, success) },
	{ LH_BIND_F64("duration_ms", struct row, duration, 0, LH_OBSERVE_MS) },
	{ LH_BIND_STRING("error", struct row, error) },
	LH_BIND_END
};
static const struct lh_bind access_members[] = {
	{ LH_BIND_STRING("timestamp|time", struct row, timestamp) },
	{ LH_BIND_STRING("source", struct row, source) },
	{ LH_BIND_STRING("route", struct row, endpoint) },
	{ LH_BIND_I64("status", struct row, status, 0, 999), .required = true },
	{ LH_BIND_F64("queue_ms", struct row, queue, 0, LH_OBSERVE_MS) },
	{ LH_BIND_F64("filter_ms", struct row, filter, 0, LH_OBSERVE_MS) },
	LH_BIND_END
};
static const struct lh_bind session_members[] = {
	{ LH_BIND_STRING("timestamp", struct row, timestamp), .required = true },
	{ LH_BIND_STRING("final_verdict", struct row, verdict), .required = true },
	{ LH_BIND_F64("duration_ms", struct row, duration, 0, LH_OBSERVE_MS) },
	LH_BIND_END
};
static const struct lh_bind *const members_of[] = {
	[LH_OBSERVE_OPERATION] = operation_members,
	[LH_OBSERVE_ACCESS] = access_members,
	[LH_OBSERVE_SESSION] = session_members,
};

#define IS(s, text) lh_str_is(s, text, sizeof(text) - 1)

int lh_observe_read(const struct lh_record *rec, struct lh_observed *o, struct lh_buf *text,
		    struct lh_err *err)
{
	struct row r = { .success = -1, .duration = -1, .queue = -1, .filter = -1,
			 .timestamp = { "", 0 } };

	o->kind = lh_observe_kind(rec);
	if (lh_bind(members_of[o->kind], rec, &r, text, err) < 0)
		return -1;
	o->timestamp = r.timestamp;
	o->source = r.source.n ? r.source : lh_str_of(LH_OBSERVE_SOURCE);
	o->endpoint = r.endpoint;
	o->duration_ms = r.duration;
	o->success = r.success < 0 ? !r.error.n : r.success;
	if (o->kind == LH_OBSERVE_ACCESS) {
		if (!r.endpoint.n)
			o->endpoint = lh_str_of(LH_OBSERVE_NO_ROUTE);
		if (r.queue >= 0 || r.filter >= 0)
			o->duration_ms = fmin(round((fmax(r.queue, 0) + fmax(r.filter, 0)) * 1e3) /
					      1e3, LH_OBSERVE_MS);
		o->success = r.status < 400;
	} else if (o->kind == LH_OBSERVE_SESSION) {
		o->source = lh_str_of(LH_OBSERVE_ITERATE);
		o->endpoint = lh_str_of(LH_OBSERVE_SESSION_NAME);
		o->success = IS(r.verdict, "accepted");
	}
	return 0;
}
