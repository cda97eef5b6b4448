/* push_rows.c - rows as lh-observe push exports them. */
#include <stdio.h>

#include <lh/digest.h>
#include <lh/time.h>
#include "json/bind.h"
#include "push.h"

#define YEAR_0 (-62167219200000)	/* milliseconds */

static const struct lh_bind attempt_members[] = {
	{ LH_BIND_U64("iteration", struct attempt, iteration, 0, INT64_MAX) },
	{ LH_BIND_STRING("verdict_kind", struct attempt, verdict) },
	{ LH_BIND_STRING("error", struct attempt, error) },
	{ LH_BIND_STRING("span_id", struct attempt, span_id) },
	{ LH_BIND_SOME("raw", struct attempt, raw) },
	LH_BIND_END
};
static const struct lh_bind session_members[] = {
	{ LH_BIND_STRING("session_id", struct exported, session), .required = true,
	  .filled = true },
	{ LH_BIND_STRING("kind", struct exported, session_kind) },
	{ LH_BIND_STRING("model", struct exported, model) },
	{ LH_BIND_STRING("provider", struct exported, provider) },
	{ LH_BIND_STRING("prompt", struct exported, prompt) },
	{ LH_BIND_STRING("final_verdict", struct exported, verdict) },
	{ LH_BIND_TABLES("attempts", struct exported, attempt, n_attempts, attempt_members) },
	LH_BIND_END
};
static const struct lh_bind operation_members[] = {
	{ LH_BIND_STRING("input_summary", struct exported, input), .lax = true },
	{ LH_BIND_STRING("output_summary", struct exported, output), .lax = true },
	{ LH_BIND_STRING("error", struct exported, error), .lax = true },
	{ LH_BIND_STRING("trace_id", struct exported, trace), .lax = true },
	LH_BIND_END
};

static int set_times(struct exported *e, const struct lh_observed *o, struct lh_err *err)
{
	if (lh_time_read(o->timestamp.p, o->timestamp.n, &e->end) < 0)
		return lh_err_set(err, LH_EDATA, "the timestamp is not an RFC 3339 time");
	e->start = e->end;
	if (o->duration_ms > 0)
		e->start -= (int64_t)o->duration_ms;
	if (e->start < YEAR_0)
		e->start = e->end;
	return 0;
}

int exported_read(const struct lh_record *rec, const struct lh_observed *o,
		  const struct lh_log_line *line, struct exported *e, struct lh_buf *text,
		  struct lh_err *err)
{
	bool session = o->kind == LH_OBSERVE_SESSION;
	unsigned char sum[32];
	struct lh_sha256 sha;
	char at[32];
	int n;

	*e = (struct exported){
		.kind = o->kind, .source = o->source, .endpoint = o->endpoint,
		.success = o->success
	};
	/* Hash the row with its offset: two equal rows of a log differ. */
	n = snprintf(at, sizeof at, "%llu:", (unsigned long long)line->at);
	lh_sha256_start(&sha);
	lh_sha256_more(&sha, at, (size_t)n);
	lh_sha256_more(&sha, line->p, line->n);
	lh_sha256_end(&sha, sum);
	lh_hex(sum, HASH_HEX / 2, e->hash);
	return set_times(e, o, err) < 0 ||
	       lh_bind(session ? session_members : operation_members, rec, e, text, err) < 0
		? -1 : 0;
}

void exported_span(const struct exported *e, size_t i, char out[SPAN_HEX])
{
	unsigned char sum[32];
	char text[HASH_HEX + 32];
	int n = snprintf(text, sizeof text, "%.*s:%zu", HASH_HEX, e->hash, i);

	lh_sha256(text, (size_t)n, sum);
	lh_hex(sum, SPAN_HEX / 2, out);
}

static bool is_trace_hex(struct lh_str s)
{
	size_t i, zeros = 0;

	for (i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
		zeros += s.p[i] == '0';
	}
	return s.n == HASH_HEX && zeros < HASH_HEX;
}

void exported_trace(const struct exported *e, char out[HASH_HEX])
{
	struct lh_str id = e->session.n ? e->session : e->trace;
	unsigned char sum[32];

	if (!id.n) {
		memcpy(out, e->hash, HASH_HEX);
	} else if (is_trace_hex(id)) {
		memcpy(out, id.p, HASH_HEX);
	} else {
		lh_sha256(id.p, id.n, sum);
		lh_hex(sum, HASH_HEX / 2, out);
	}
}

int64_t exported_time(const struct exported *e, size_t i)
{
	int64_t n = e->n_attempts ? (int64_t)e->n_attempts : 1, all = e->end - e->start;

	return e->start + all / n * (int64_t)i + all % n * (int64_t)i / n;
}
