/* request.c - records to questions, replies to records.  See request.h. */
#include "request.h"

#include "model/http.h"

#define KEEP ((size_t)1 << 20)	/* bytes of scratch memory that are kept */

static const char *const roles[] = { "system", "user", "assistant", NULL };
static const char *const formats[] = { "json", NULL };

static const struct lh_bind message_members[] = {
	{ LH_BIND_STRING("role", struct lh_chat_message, role), .choice = roles, .required = true,
	  .about = "whose message it is" },
	{ LH_BIND_STRING("content", struct lh_chat_message, content), .required = true,
	  .about = "its text" },
	LH_BIND_END
};

#define MEMBERS(model_too) \
	{ LH_BIND_STRING("model", struct request, ask.model), .required = model_too, \
	  .filled = true, .about = "the model, which selects its provider" }, \
	{ LH_BIND_TABLES("messages", struct request, ask.message, ask.n, message_members), \
	  .filled = true, .either = 1, .about = "the conversation so far, in place of prompt" }, \
	{ LH_BIND_STRING("system", struct request, preface), \
	  .about = "instructions for the model, before the prompt" }, \
	{ LH_BIND_STRING("prompt", struct request, prompt), .filled = true, .either = 1, \
	  .about = "the question" }, \
	{ LH_BIND_NUMBER("temperature", struct request, ask.temperature), \
	  .about = "how freely the model answers" }, \
	{ LH_BIND_I64("max_tokens", struct request, ask.max_tokens, INT64_MIN, INT64_MAX), \
	  .about = "most tokens of the answer" }, \
	{ LH_BIND_INDEX("format", struct request, format, formats), \
	  .about = "whether the answer is to be JSON" }, \
	{ LH_BIND_TRUTH("think", struct request, ask.think), \
	  .about = "whether the model may think first" }, \
	LH_TRACE_MEMBER(struct request, ask.trace)
const struct lh_bind request_members[] = { MEMBERS(true), LH_BIND_END };
const struct lh_bind modelless_members[] = { MEMBERS(false), LH_BIND_END };
const struct lh_bind wire_members[] = { MEMBERS(true), LH_BIND_CLOSED };
const struct lh_bind wire_modelless_members[] = { MEMBERS(false), LH_BIND_CLOSED };

const struct lh_bind reply_members[] = {
	LH_OP_TEXT("model"),
	LH_OP_TEXT("content"),
	LH_OP_TEXT("provider"),
	LH_OP_COUNT("input_tokens"),
	LH_OP_COUNT("output_tokens"),
	LH_OP_TEXT("finish_reason"),
	LH_OP_COUNT("latency_ms"),
	{ LH_BIND_ONLY("trace_id", LH_BIND_TO_STRING) },
	LH_BIND_END
};
const struct lh_bind record_members[] = {
	{ LH_BIND_ONLY("reply", LH_BIND_TO_TABLE), .required = true, .table = reply_members },
	LH_BIND_END
};

static const struct lh_bind provider[] = {
	LH_OP_TEXT("name"), LH_OP_BOOL("available"), LH_BIND_END
};
const struct lh_bind providers_members[] = {
	{ LH_BIND_ONLY("providers", LH_BIND_TO_TABLES), .required = true, .table = provider },
	LH_BIND_END
};

void request_free(struct request *rq)
{
	lh_buf_free(&rq->scratch);
	lh_buf_free(&rq->texts);
	lh_buf_free(&rq->own);
}

/* Set the messages: "messages", or "prompt" with an optional "system". */
static int settle_messages(struct request *rq, struct lh_err *err)
{
	size_t n = 0;

	if (rq->ask.message && rq->prompt.p)
		return lh_err_set(err, LH_EDATA, "\"messages\" and \"prompt\" exclude each other");
	if (rq->ask.message && rq->preface.p)
		return lh_err_set(err, LH_EDATA,
				  "\"system\" goes with \"prompt\", not with \"messages\"");
	if (rq->ask.message)
		return 0;
	if (!rq->prompt.p)
		return lh_err_set(err, LH_EDATA,
				  "missing \"messages\" (array of objects) or \"prompt\" (string)");
	if (rq->preface.p)
		rq->two[n++] = (struct lh_chat_message){ { "system", 6 }, rq->preface };
	rq->two[n++] = (struct lh_chat_message){ { "user", 4 }, rq->prompt };
	rq->ask.message = rq->two;
	rq->ask.n = n;
	return 0;
}

int request_coded(struct lh_err *err)
{
	if (err->code == LH_EDATA) {
		err->status = lh_err_status(err);
		err->coded = true;
	}
	return -1;
}

static const char *const ops[] = { "providers", "completions", NULL };
const struct lh_bind op_members[] = {
	{ LH_BIND_CHOICE("op", struct request, op, ops) },
	LH_BIND_END
};

int request_op(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	rq->op = NULL;
	return lh_bind(op_members, rec, rq, &rq->scratch, err) < 0 ? request_coded(err) : 0;
}

int request_read(struct request *rq, const struct lh_record *rec, bool wire, struct lh_err *err)
{
	int rc;

	rq->ask = (struct lh_chat_request){ .think = -1 };
	rq->ask.trace = (struct lh_str){ rq->trace_id, rq->trace_id ? strlen(rq->trace_id) : 0 };
	rq->preface = rq->prompt = (struct lh_str){ NULL, 0 };
	rq->format = -1;
	if (rq->scratch.cap > KEEP)
		lh_buf_free(&rq->scratch);
	rc = lh_bind(wire ? (rq->model ? wire_modelless_members : wire_members)
			  : rq->model ? modelless_members : request_members,
		     rec, rq, &rq->scratch, err);
	if (!rc && !rq->ask.model.p)
		rq->ask.model = (struct lh_str){ rq->model, strlen(rq->model) };
	if (!rc)
		rc = settle_messages(rq, err);
	rq->ask.json = rq->format >= 0;
	return rc < 0 ? request_coded(err) : 0;
}

void request_answer(struct lh_buf *out, const struct lh_record *rec, const struct request *rq,
		    const struct lh_chat_reply *reply, bool wire)
{
	struct lh_writer w =
		wire ? lh_write_to(out) : lh_write_record(out, rec, (const char *[]){ "reply" }, 1);

	lh_write_object(&w, wire ? NULL : "reply");
	lh_write_str(&w, "model", rq->ask.model);
	lh_write_str(&w, "content", reply->content);
	lh_write_str(&w, "provider", reply->provider);
	lh_write_u64(&w, "input_tokens", reply->input_tokens);
	lh_write_u64(&w, "output_tokens", reply->output_tokens);
	lh_write_str(&w, "finish_reason", reply->finish_reason);
	lh_write_u64(&w, "latency_ms", reply->latency_ms);
	lh_trace_write(&w, rq->ask.trace);
	lh_write_end(&w);
	if (!wire)
		lh_write_end(&w);
}
