/* session_read.c - read a row of the session log.  See session.h. */
#include "memory/session.h"
#include "json/bind.h"
#include "validate/validate_parts.h"

static const char *const finals[] = { LH_SESSION_ACCEPTED, LH_SESSION_EXHAUSTED, LH_SESSION_INFRA,
				      NULL };
static const char *const verdicts[] = { LH_SESSION_NO_JSON, LH_SESSION_FAILED, LH_SESSION_ACCEPTED,
					LH_SESSION_INFRA, NULL };

#define COUNT(name, s) { LH_BIND_U64(#name, s, name, 0, INT64_MAX), .required = true }
#define STRING(name) { LH_BIND_STRING(#name, struct lh_session_row, name), .required = true }

static const struct lh_bind attempt_members[] = {
	COUNT(iteration, struct lh_session_attempt),
	{ LH_BIND_CHOICE("verdict_kind", struct lh_session_attempt, verdict_kind, verdicts),
	  .required = true },
	{ LH_BIND_STRING("error", struct lh_session_attempt, error) },
	{ LH_BIND_STRING("span_id", struct lh_session_attempt, span_id) },
	LH_BIND_CLOSED
};

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("session_id", struct lh_session_row, session_id), .required = true,
	  .filled = true },
	{ LH_BIND_STRING("kind", struct lh_session_row, kind), .required = true,
	  .choice = lh_kind_names },
	STRING(model),
	STRING(provider),
	STRING(prompt),
	COUNT(iterations, struct lh_session_row),
	COUNT(max_iterations, struct lh_session_row),
	{ LH_BIND_CHOICE("final_verdict", struct lh_session_row, final_verdict, finals),
	  .required = true },
	{ LH_BIND_TABLES("attempts", struct lh_session_row, attempt, n_attempts, attempt_members),
	  .required = true },
	{ LH_BIND_JSON("artifact", struct lh_session_row, artifact, LH_BIND_IS(LH_OBJECT)) },
	{ LH_BIND_TRUTH("grounded_in_roster", struct lh_session_row, grounded) },
	COUNT(duration_ms, struct lh_session_row),
	LH_BIND_CLOSED
};

int lh_session_read(struct lh_session_reader *r, const struct lh_record *rec,
		    struct lh_session_row *row, struct lh_err *err)
{
	*row = (struct lh_session_row){ .grounded = -1 };
	return lh_bind(members, rec, row, &r->text, err);
}

void lh_session_reader_init(struct lh_session_reader *r)
{
	r->text = (struct lh_buf){ 0 };
}

void lh_session_reader_free(struct lh_session_reader *r)
{
	lh_buf_free(&r->text);
}
