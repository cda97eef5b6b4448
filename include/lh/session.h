/*
 * session - the session log: one row per session of generate, validate and
 * retry.
 *
 * Other programs append rows of the same shape (schema session.iterate.v1) to
 * the same file and compare theirs with ours byte for byte.  So members stand
 * in one fixed order, without white space, strings escape only what JSON
 * requires, and what may be left out is left out in the same cases.
 *
 *     lh_session_print(&line, &(struct lh_session_row){ ... });
 *     lh_applog_append(&log, line.p, line.len, LH_SYNC_NONE, err);
 *
 * A row can also be made of its text: of a record that holds what a row holds
 * but for schema, timestamp and daemon.
 *
 *     lh_session_reader_init(&r);
 *     if (lh_session_read(&r, rec, &row, err) < 0) ...
 *     row.timestamp = ...; row.daemon = ...;
 *     lh_session_print(out, &row);
 *     lh_session_reader_free(&r);
 *
 * Owner:   a row borrows all that it names; one that was read lives as long as
 *          the record's line and until the reader's next call.
 * Errors:  LH_EDATA that names the member, or LH_ENOMEM.
 * Threads: one thread per reader; minting is for all of them.
 */
#ifndef LH_SESSION_H
#define LH_SESSION_H

#include <lh/json.h>

LH_C_BEGIN

#define LH_SESSION_PROMPT 4000	/* code points of a prompt that its row holds */
#define LH_SESSION_ID 26	/* bytes of a minted id and its NUL */

/* Verdicts of attempts and of sessions; the first two end both. */
#define LH_SESSION_ACCEPTED "accepted"
#define LH_SESSION_INFRA "infra_error"
#define LH_SESSION_NO_JSON "no_json"			/* of an attempt */
#define LH_SESSION_FAILED "validation_failed"		/* of an attempt */
#define LH_SESSION_EXHAUSTED "max_iter_exhausted"	/* of a session */

struct lh_session_attempt {
	uint64_t iteration;		/* from 0 */
	const char *verdict_kind;
	struct lh_str error, span_id;	/* n = 0: left out */
};

struct lh_session_row {
	struct lh_str session_id, timestamp, daemon, kind, model, provider, prompt;
	uint64_t iterations, max_iterations;
	const char *final_verdict;
	const struct lh_session_attempt *attempt;
	size_t n_attempts;
	struct lh_str artifact;		/* checked JSON; n = 0: left out */
	int grounded;			/* 1, 0, or -1 for null */
	uint64_t duration_ms;
};

/* Append the row, without a LF.  The prompt is written as long as it is; white
 * space between the artifact's members is not. */
LH_API void lh_session_print(struct lh_buf *out, const struct lh_session_row *row);

/* The first LH_SESSION_PROMPT code points of a prompt. */
LH_API struct lh_str lh_session_prompt(const char *p, size_t n);

/* An id for a session that was given none: the nanoseconds since 1970 and the
 * low half of a second reading, in hex.  Ids of one process come out in
 * ascending order and are never equal. */
LH_API void lh_session_mint(char out[LH_SESSION_ID]);

/* The same by a clock that stands at ms, for the run's number-th record. */
LH_API void lh_session_mint_at(char out[LH_SESSION_ID], int64_t ms, uint64_t number);

struct lh_session_reader {
	struct lh_buf text;	/* its strings and attempts */
};
LH_API void lh_session_reader_init(struct lh_session_reader *r);
LH_API void lh_session_reader_free(struct lh_session_reader *r);

/* Strict: every member of a row but artifact, grounded_in_roster and those of
 * an attempt that may be left out must be there, and no other may be; timestamp
 * and daemon are empty then. */
LH_API int lh_session_read(struct lh_session_reader *r, const struct lh_record *rec,
			   struct lh_session_row *row, struct lh_err *err);

LH_C_END

#endif
