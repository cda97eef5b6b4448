/*
 * request - a record as a question, and the record with its reply.
 *
 *     request_read(&rq, rec, err)        0, or -1 with err->status 400
 *     lh_chat_ask(chat, &rq.ask, &reply, err)
 *     request_answer(out, rec, &rq, &reply, wire);
 *
 * What is read points into the record or the memory of the request.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "model/chat.h"
#include "tool/op.h"

struct request {
	struct lh_chat_request ask;
	const char *op;		/* "providers", "completions", or NULL; by request_op */
	bool stream, usage;	/* of a completion: its answer is events, the last with usage */
	struct lh_str preface, prompt;	/* instead of messages; p NULL: not given */
	int format;
	struct lh_chat_message two[2];	/* the messages made of these */
	struct lh_buf scratch;
	struct lh_buf texts, own;	/* of a completion: its texts, its messages */
	const char *model, *trace_id;	/* of records without one, or NULL */
};

/* Of a record, also without a model, also of --wire, where no other members may be; of
 * {"op":"providers"}; of a reply, of a record with it, of the providers. */
extern const struct lh_bind request_members[], modelless_members[], wire_members[],
	wire_modelless_members[], op_members[], reply_members[],
	record_members[], providers_members[];

/* ---- as OpenAI's service has them ---- */

extern const struct lh_bind completion_members[], completion_out[];
int completion_read(struct request *rq, const struct lh_record *rec, struct lh_err *err);
/* Append the answer; now: milliseconds since 1970. */
void completion_answer(struct lh_buf *out, const struct request *rq,
		       const struct lh_chat_reply *reply, int64_t now);

/* ---- as ours ---- */

/* Set the status of an error of a record; -1. */
int request_coded(struct lh_err *err);
void request_free(struct request *rq);
/* Read the operation of a record of --wire. */
int request_op(struct request *rq, const struct lh_record *rec, struct lh_err *err);
/* wire: other members are an error. */
int request_read(struct request *rq, const struct lh_record *rec, bool wire, struct lh_err *err);

/* Append the record with "reply"; wire: the reply alone. */
void request_answer(struct lh_buf *out, const struct lh_record *rec, const struct request *rq,
		    const struct lh_chat_reply *reply, bool wire);

#endif
