/*
 * session - the session log: one row per session of generate, validate and retry.
 *
 * Other programs append rows of the same form (schema session.iterate.v1) to the
 * same file, and rows are compared byte for byte.  So members are in a fixed order,
 * without white space; strings escape only what JSON requires; and optional members
 * are left out in the same cases.
 *
 *     lh_session_print(&line, &(struct lh_session_row){ ... });
 *     lh_applog_append(&log, line.p, line.len, LH_SYNC_NONE, err);
 *
 * A row can also be read from a record that has the members of a row other than
 * schema, timestamp and daemon:
 *
 *     lh_session_reader_init(&r);
 *     if (lh_session_read(&r, rec, &row, err) < 0) ...
 *     row.timestamp = ...; row.daemon = ...;
 *     lh_session_print(out, &row);
 *     lh_session_reader_free(&r);
 *
 * Owner:   a row borrows its strings; those of a row that was read are valid as
 *          long as the record's line and until the reader's next call.
 * Errors:  LH_EDATA that names the member.
 * Threads: one thread per reader; ids may be minted by all threads.
 */
#ifndef LH_SESSION_H
#define LH_SESSION_H

#include "json/json.h"

#define LH_SESSION_PROMPT 4000	/* code points of a prompt in its row */
#define LH_SESSION_ID 26	/* bytes of a minted id and its NUL */

/* Verdicts of attempts and sessions; the first two are of both. */
#define LH_SESSION_ACCEPTED "accepted"
#define LH_SESSION_INFRA "infra_error"
#define LH_SESSION_NO_JSON "no_json"			/* of an attempt */
#define LH_SESSION_FAILED "validation_failed"		/* of an attempt */
#define LH_SESSION_EXHAUSTED "max_iter_exhausted"	/* of a session */

struct lh_session_attempt {
	uint64_t iteration;		/* counted from 0 */
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

/* Append the row, without LF.  The prompt is written in full; white space between the
 * members of the artifact is removed. */
void lh_session_print(struct lh_buf *out, const struct lh_session_row *row);

/* Return the first LH_SESSION_PROMPT code points of a prompt. */
struct lh_str lh_session_prompt(const char *p, size_t n);

/* Mint a session id: the nanoseconds since 1970 and the low half of a second reading of
 * the clock, in hex.  Ids of one process ascend and are never equal. */
void lh_session_mint(char out[LH_SESSION_ID]);

/* Mint an id by a clock fixed at ms, for the run's number-th record. */
void lh_session_mint_at(char out[LH_SESSION_ID], int64_t ms, uint64_t number);

struct lh_session_reader {
	struct lh_buf text;	/* its strings and attempts */
};
void lh_session_reader_init(struct lh_session_reader *r);
void lh_session_reader_free(struct lh_session_reader *r);

/* Read a row, strictly: all members are required except artifact,
 * grounded_in_roster and the optional ones of an attempt, and no others are
 * allowed.  timestamp and daemon stay empty. */
int lh_session_read(struct lh_session_reader *r, const struct lh_record *rec,
		    struct lh_session_row *row, struct lh_err *err);

#endif
