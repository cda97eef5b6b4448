/*
 * iterate.h - the parts of lh-iterate.
 *
 *     session.c   the turns of one session: prompt, answer, artifact, verdict; the session log
 *     answers.c   a record's members, checked, with their defaults; answers from a file
 *                 instead of a provider
 */
#ifndef ITERATE_H
#define ITERATE_H

#include <stdatomic.h>

#include "model/chat.h"
#include "store/store.h"
#include "observe/observe.h"
#include "validate/validate_parts.h"
#include "tool/op.h"
#include "validate/validate.h"

#define TURNS_MAX 10

struct iterate {
	struct lh_tool *tool;
	/* options */
	const char *answers_path, *rules_path, *log_path, *daemon, *model, *trace_id;
	struct lh_list roster_paths;
	struct lh_roster_choice rosters;
	struct lh_object_copies copies;	/* of rosters and rules in S3 */
	int kind;
	double timeout;
	uint64_t retries;
	bool emit_session, wire;
	struct lh_decisions_how decide;
	unsigned threads;		/* -j, also if sessions run one by one */

	struct answers *answers;	/* or NULL */
	struct session_log *log;	/* or NULL */
	struct lh_decisions *decisions;	/* or NULL */
	struct lh_str trace;		/* --trace-id; n = 0: not given */

	_Atomic uint64_t records;	/* read */
	_Atomic uint64_t sessions, refused;	/* sessions, and those not accepted */
	_Atomic uint64_t broken;	/* ended by a failed chat */
	_Atomic uint64_t unanswered;	/* ended for lack of answers */
};

/* The state that lh_held reopens. */
struct held {
	struct iterate *it;
	struct lh_keys *keys;		/* NULL with --answers */
	struct lh_chosen_roster roster;
	struct lh_rules *rules;		/* or NULL */
	struct lh_judged_by by;		/* with --decisions */
};

/* The request of a record; strings are in its line or in the session's text.
 * preface is its "system" (a name that base/banned.h reserves). */
extern const struct lh_bind request_members[];
/* The same where --kind, --model or both are not given, and the members have to be; and where no
 * others may be (--wire). */
extern const struct lh_bind kind_too_members[], model_too_members[], both_members[],
	wire_members[];
struct request {
	struct lh_str kind, prompt, preface, model, provider, temperature, trace;
	struct lh_value context;	/* p NULL: none */
	uint64_t max_iterations;
	int64_t max_tokens;
};
int request_read(struct request *q, const struct iterate *it, const struct lh_record *rec,
		 struct lh_buf *text, struct lh_err *err);

/* Run the sessions that the tool's operands ask for. */
int sessions_run(struct iterate *it, struct lh_held *held);

/* Open the answers at start, so that a wrong name is reported before any work. */
struct answers *answers_open(struct lh_tool *tool, const char *path, struct lh_err *err);
void answers_close(struct answers *a);
/* Return the next answer, valid until the next call: 1; 0 if there is none left; -1. */
int answers_next(struct answers *a, struct lh_str *content, struct lh_err *err);

/* Open the session log.  A log that cannot be written costs a warning, and no
 * session: NULL is no log. */
struct session_log *log_open(struct lh_tool *tool, const char *path);
void log_close(struct session_log *l);
void log_append(struct session_log *l, const struct lh_buf *row);

/* Write rows of the session log from their members. */
lh_op_command emit_run;

#endif
