/* request.c - records to questions, replies to records; also as OpenAI's service has them.  See
 * request.h. */
#include "request.h"

#include <stdio.h>

#include "json/document.h"
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

/* ---- as OpenAI's service has them ---- */

struct message {
	const char *role;
	struct lh_value content;	/* a string, or parts */
};
static const char *const openai_roles[] = { "system", "developer", "user", "assistant", NULL };
static const struct lh_bind completion_message[] = {
	{ LH_BIND_CHOICE("role", struct message, role, openai_roles), .required = true,
	  .about = "whose message it is" },
	{ LH_BIND_VALUE("content", struct message, content,
			LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_ARRAY)), .required = true,
	  .what = "string or array of parts", .about = "its text, or parts of it" },
	LH_BIND_END
};

struct completion {
	struct lh_str model, trace, temperature;
	struct message *message;
	size_t n;
	int64_t max_tokens;
	uint64_t choices;
	struct lh_value format, options, tools;
	bool stream;
};
const struct lh_bind completion_members[] = {
	{ LH_BIND_STRING("model", struct completion, model), .required = true, .filled = true,
	  .about = "the model, which selects its provider" },
	{ LH_BIND_TABLES("messages", struct completion, message, n, completion_message),
	  .required = true, .filled = true, .about = "the conversation so far" },
	{ LH_BIND_NUMBER("temperature", struct completion, temperature),
	  .about = "how freely the model answers" },
	{ LH_BIND_I64("max_completion_tokens|max_tokens", struct completion, max_tokens, INT64_MIN,
		      INT64_MAX), .about = "most tokens of the answer" },
	{ LH_BIND_OBJECT("response_format", struct completion, format),
	  .about = "{\"type\":\"json_object\"}: the answer is to be JSON" },
	{ LH_BIND_BOOL("stream", struct completion, stream),
	  .about = "whether the answer is a stream of events" },
	{ LH_BIND_OBJECT("stream_options", struct completion, options),
	  .about = "{\"include_usage\":true}: its last event has the usage" },
	{ LH_BIND_U64("n", struct completion, choices, 1, 1), .about = "answers: 1" },
	{ LH_BIND_ARRAY("tools|functions", struct completion, tools),
	  .about = "not taken, unless it is empty" },
	LH_TRACE_MEMBER(struct completion, trace),
	LH_BIND_END
};

static const struct lh_bind choice_members[] = {
	LH_OP_COUNT("index"), LH_OP_OBJECT("message"), LH_OP_TEXT("finish_reason"), LH_BIND_END
};
const struct lh_bind completion_out[] = {
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING) }, { LH_BIND_ONLY("object", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("model", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("choices", LH_BIND_TO_TABLES), .table = choice_members },
	LH_OP_OBJECT("usage"),
	{ LH_BIND_ONLY("events", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "in place of these: those of a stream" },
	LH_BIND_END
};

/* ---- the question ---- */

/* Append the text of parts. */
static int add_parts(struct lh_buf *to, const struct lh_value *parts, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	struct lh_value type, text;
	struct lh_iter it;
	struct lh_str s;

	for (lh_iter_init(&it, parts); lh_iter_next(&it); ) {
		if (it.val.type != LH_OBJECT || !lh_value_get(&it.val, "type", &type) ||
		    !lh_value_is(&type, "text", 4) || !lh_value_get(&it.val, "text", &text) ||
		    text.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "a part of a content must be {\"type\":"
					  "\"text\",\"text\":...}");
		lh_buf_reset(&copy);
		lh_value_str(&text, &copy, &s);
		lh_buf_add(to, s.p, s.n);
	}
	return 0;
}

/* Copy the messages, whose texts are in rq->texts, which does not move. */
static int take_messages(struct request *rq, const struct completion *c, size_t bytes,
			 struct lh_err *err)
{
	struct lh_chat_message *to;
	size_t i, from;

	lh_buf_reset(&rq->texts);
	lh_buf_reset(&rq->own);
	lh_buf_room(&rq->texts, bytes);
	to = (struct lh_chat_message *)(void *)lh_buf_room(&rq->own, c->n * sizeof *to);
	for (i = 0; i < c->n; i++) {
		const struct message *m = &c->message[i];
		struct lh_str text;

		from = rq->texts.len;
		to[i].role = lh_str_of(m->role == openai_roles[1] ? openai_roles[0] : m->role);
		if (m->content.type == LH_STRING) {
			lh_value_str(&m->content, &rq->texts, &text);
		} else {
			if (add_parts(&rq->texts, &m->content, err) < 0)
				return -1;
			text = (struct lh_str){ rq->texts.p + from, rq->texts.len - from };
		}
		to[i].content = text;
	}
	rq->ask.message = to;
	rq->ask.n = c->n;
	return 0;
}

/* Read {"type":"json_object"}.  A schema is not passed on, so it is refused. */
static int read_format(struct request *rq, const struct completion *c, struct lh_err *err)
{
	struct lh_value type = { .type = LH_NULL };

	if (!c->format.p)
		return 0;
	lh_value_get(&c->format, "type", &type);
	rq->ask.json = lh_value_is(&type, "json_object", 11);
	return rq->ask.json || lh_value_is(&type, "text", 4) ? 0
		: lh_err_set(err, LH_EDATA, "response_format.type must be \"json_object\" or "
			     "\"text\"");
}

static int read_completion(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	struct completion c = { .model = { NULL, 0 } };
	struct lh_value v;

	if (lh_bind(completion_members, rec, &c, &rq->scratch, err) < 0)
		return -1;
	if (c.tools.p && lh_value_count(&c.tools))
		return lh_err_set(err, LH_EDATA, "\"tools\" are not passed on to a model here");
	rq->ask.model = c.model;
	rq->ask.trace = c.trace;
	rq->ask.temperature = c.temperature;
	rq->ask.max_tokens = c.max_tokens;
	rq->stream = c.stream;
	rq->usage = c.options.p && lh_value_get(&c.options, "include_usage", &v) &&
		    v.type == LH_TRUE;
	return read_format(rq, &c, err) < 0 ? -1 : take_messages(rq, &c, rec->len, err);
}

int completion_read(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	rq->ask = (struct lh_chat_request){ .think = -1 };
	return read_completion(rq, rec, err) < 0 ? request_coded(err) : 0;
}

/* ---- the reply ---- */

static json_t *count_of(uint64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	return lh_document_kept(lh_str_of(text));
}

/* Return a choice as a list: what it says, under that name, and why it ended, or null. */
static json_t *choice_of(const char *name, json_t *message, json_t *why)
{
	return json_pack("[{s:i,s:o,s:n,s:o}]", "index", 0, name, message, "logprobs",
			 "finish_reason", why);
}

/* Return an answer, or a chunk of it; usage: or NULL. */
static json_t *answer_of(const struct request *rq, int64_t now, json_t *choices, json_t *usage)
{
	const struct lh_chat_request *q = &rq->ask;

	return json_pack("{s:s+%,s:s,s:I,s:s%,s:o,s:o*}", "id", "chatcmpl-",
			 q->trace.n ? q->trace.p : "", q->trace.n, "object",
			 rq->stream ? "chat.completion.chunk" : "chat.completion", "created",
			 (json_int_t)now / 1000, "model", q->model.p, q->model.n, "choices",
			 choices, "usage", usage);
}

void completion_answer(struct lh_buf *out, const struct request *rq,
		       const struct lh_chat_reply *reply, int64_t now)
{
	const struct lh_str text = reply->content, end = reply->finish_reason;
	json_t *message = json_pack("{s:s,s:s%}", "role", "assistant", "content", text.p, text.n);
	json_t *why = json_stringn(end.p, end.n);
	json_t *usage = json_pack("{s:o,s:o,s:o}",
				  "prompt_tokens", count_of(reply->input_tokens),
				  "completion_tokens", count_of(reply->output_tokens),
				  "total_tokens",
				  count_of(reply->input_tokens + reply->output_tokens));
	LH_SCOPED(lh_document_free) json_t *all = NULL;

	if (!rq->stream)
		all = answer_of(rq, now, choice_of("message", message, why), usage);
	else
		all = json_pack("{s:[o,o,o*]}", "events",
				answer_of(rq, now, choice_of("delta", message, json_null()), NULL),
				answer_of(rq, now, choice_of("delta", json_object(), why), NULL),
				rq->usage ? answer_of(rq, now, json_array(), usage) : NULL);
	if (rq->stream && !rq->usage)
		json_decref(usage);
	lh_document_write(out, all);
}
