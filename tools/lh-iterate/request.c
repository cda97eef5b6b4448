/* request.c - a record as a request: checked, with its defaults. */
#include "iterate.h"
#include "model/http.h"

#define MEMBERS(kind_too, model_too) \
	{ LH_BIND_ONLY("id", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_STRING) | \
	  LH_BIND_IS(LH_NUMBER), .about = "the caller's, which --on-error emit repeats" }, \
	{ LH_BIND_STRING("kind", struct request, kind), .required = kind_too, \
	  .about = "what the artifact is" }, \
	{ LH_BIND_SOME("context", struct request, context), .person = true, \
	  .about = "what the validator compares it with" }, \
	{ LH_BIND_STRING("prompt", struct request, prompt), .required = true, .filled = true, \
	  .about = "what the model is asked" }, \
	{ LH_BIND_STRING("model", struct request, model), .required = model_too, .filled = true, \
	  .about = "the model" }, \
	{ LH_BIND_STRING("system", struct request, preface), \
	  .about = "instructions for the model, before the prompt" }, \
	{ LH_BIND_STRING("provider", struct request, provider), .usual = "\"ollama\"", \
	  .about = "the service of the model" }, \
	{ LH_BIND_STRING("trace_id", struct request, trace), .longest = LH_TRACE_MAX, \
	  .about = "the session, in logs and in calls" }, \
	{ LH_BIND_U64("max_iterations", struct request, max_iterations, 1, TURNS_MAX), \
	  .usual = "3", .about = "most attempts" }, \
	{ LH_BIND_NUMBER("temperature", struct request, temperature), .usual = "0.2", \
	  .about = "how freely the model answers" }, \
	{ LH_BIND_I64("max_tokens", struct request, max_tokens, INT64_MIN, INT64_MAX), \
	  .usual = "4096", \
	  .about = "most tokens of an answer" }
const struct lh_bind request_members[] = { MEMBERS(false, false), LH_BIND_CLOSED };
const struct lh_bind kind_too_members[] = { MEMBERS(true, false), LH_BIND_CLOSED };
const struct lh_bind model_too_members[] = { MEMBERS(false, true), LH_BIND_CLOSED };
const struct lh_bind both_members[] = { MEMBERS(true, true), LH_BIND_CLOSED };

int request_read(struct request *q, const struct iterate *it, const struct lh_record *rec,
		 struct lh_buf *text, struct lh_err *err)
{
	const char *name;

	*q = (struct request){ .temperature = { "0.2", 3 },
			       .max_iterations = 3,
			       .max_tokens = 4096 };
	if (lh_bind(request_members, rec, q, text, err) < 0)
		return -1;
	if (!q->kind.p) {
		if (it->kind == LH_KIND_NONE)
			return lh_err_set(err, LH_EDATA, "missing \"kind\" (string)");
		name = lh_kind_name(it->kind);
		q->kind = (struct lh_str){ name, strlen(name) };
	}
	if (!q->model.p && !it->model)
		return lh_err_set(err, LH_EDATA, "missing \"model\" (string)");
	if (!q->model.p)
		q->model = (struct lh_str){ it->model, strlen(it->model) };
	if (!q->provider.n)
		q->provider = (struct lh_str){ "ollama", 6 };
	return 0;
}
