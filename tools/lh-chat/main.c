/* lh-chat: ask a language model one question per record.  See lh-chat(1). */
#include <stdlib.h>

#include "base/time.h"
#include "tool/records.h"
#include "model/http.h"
#include "base/mem.h"
#include "base/signal.h"
#include "request.h"

struct chat {
	bool providers, wire;
	double timeout;
	uint64_t retries;
	const char *model, *trace_id;
	struct lh_tool *tool;
	struct lh_keys *keys;	/* of --providers */
};

static const struct lh_option options[] = {
	{ 0, "model", "MODEL", "the model of records that name none",
	  LH_TEXT(struct chat, model) },
	{ 0, "providers", NULL, "list the available providers, and exit",
	  LH_FLAG(struct chat, providers) },
	{ 0, "wire", NULL, "print only the reply, without the record", LH_FLAG(struct chat, wire) },
	{ 0, "timeout", "S", "seconds for one call (default 180)",
	  LH_REAL(struct chat, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct chat, retries, 0, 100) },
	LH_TRACE_OPTION(struct chat, trace_id),
	{ 'j', "jobs", "N", "calls at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) },
	LH_ONCE_OPTION,
	{ 0, "now", "TIME", "a fixed clock: latency_ms is 0",
	  LH_TOOL_FIELD(TIME, now, .env = "LH_NOW") },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* The state that lh_held reopens. */
struct held {
	struct chat *c;
	struct lh_keys *keys;
};

struct worker {
	struct chat *c;
	const struct lh_keys *keys;
	struct lh_chat *chat;
	struct request rq;
};

static struct lh_chat_how how(const struct chat *c)
{
	return (struct lh_chat_how){ .timeout = c->timeout,
				     .retries = (unsigned)c->retries,
				     .stopping = lh_stopping,
				     .no_files = c->wire };
}

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_chat_free(w->chat);
	request_free(&w->rq);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;
	const struct held *held = ctx;
	struct lh_chat_how h = how(held->c);

	(void)err;
	w->c = held->c;
	w->keys = held->keys;
	w->rq.model = held->c->model;
	w->rq.trace_id = held->c->trace_id;
	w->chat = lh_chat_new(&h, held->keys);
	return 0;
}

static const enum lh_provider sorted[] = { LH_KIMI, LH_OLLAMA, LH_OLLAMA_CLOUD, LH_OPENCODE,
					   LH_OPENROUTER };

/* Answer {"op":"providers"}. */
static int answer_providers(struct worker *w, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer to = lh_write_to(out);
	bool available;
	size_t i;

	lh_write_object(&to, NULL);
	lh_write_array(&to, "providers");
	for (i = 0; i < LH_PROVIDERS; i++) {
		if (!lh_keys_has(w->keys, sorted[i]))
			continue;
		if (lh_chat_available(w->chat, sorted[i], &available, err) < 0)
			return -1;
		lh_write_object(&to, NULL);
		lh_write_text(&to, "name", lh_provider_name(sorted[i]));
		lh_write_bool(&to, "available", available);
		lh_write_end(&to);
	}
	lh_write_end(&to);
	lh_write_end(&to);
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;
	struct lh_chat_reply reply;
	int64_t now = lh_time_clock();
	bool completion;

	if (w->c->wire && request_op(&w->rq, rec, err) < 0)
		return -1;
	completion = w->c->wire && w->rq.op && !strcmp(w->rq.op, "completions");
	if (w->c->wire && w->rq.op && !completion)
		return answer_providers(w, out, err);
	if ((completion ? completion_read(&w->rq, rec, err)
			: request_read(&w->rq, rec, w->c->wire, err)) < 0 ||
	    lh_chat_ask(w->chat, &w->rq.ask, &reply, err) < 0)
		return -1;
	if (w->c->tool->now && lh_time_read(w->c->tool->now, strlen(w->c->tool->now), &now) == 0)
		reply.latency_ms = 0;
	if (completion)
		completion_answer(out, &w->rq, &reply, now);
	else
		request_answer(out, rec, &w->rq, &reply, w->c->wire);
	return 0;
}

static int put_provider(struct chat *c, struct lh_chat *chat, enum lh_provider p)
{
	char url[1024];
	struct lh_writer w;
	struct lh_buf b = { 0 };
	bool available;

	if (!lh_keys_has(c->keys, p))
		return 0;
	if (lh_chat_available(chat, p, &available, &c->tool->err) < 0)
		return -1;
	lh_http_mask(lh_keys_url(c->keys, p), url, sizeof url);
	w = lh_write_to(&b);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "name", lh_provider_name(p));
	lh_write_bool(&w, "available", available);
	lh_write_text(&w, "url", url);
	lh_write_end(&w);
	return lh_tool_out_line(c->tool, &b);
}

static int list(struct chat *c)
{
	struct lh_chat_how h = how(c);
	struct lh_chat *chat = lh_chat_new(&h, c->keys);
	int rc = 0;
	size_t i;

	for (i = 0; !rc && i < LH_PROVIDERS; i++)
		rc = put_provider(c, chat, sorted[i]);
	lh_chat_free(chat);
	return rc;
}

static void held_close(void *state)
{
	struct held *held = state;

	lh_keys_free(held->keys);
	free(held);
}

static void *held_open(void *chat, const void *before, struct lh_err *err)
{
	struct held *held = lh_calloc(1, sizeof *held);

	held->c = chat;
	held->keys = before ? lh_keys_renew(((const struct held *)before)->keys, err)
			    : lh_keys_load(err);
	if (held->keys)
		return held;
	free(held);
	return NULL;
}

static bool held_stale(void *chat, const void *held)
{
	(void)chat;
	return lh_keys_stale(((const struct held *)held)->keys);
}

static void held_failed(void *chat, const struct lh_err *why)
{
	lh_tool_warn(((struct chat *)chat)->tool, "%s", why->msg);
}

static int answer(struct chat *c)
{
	struct lh_held_how hold = {
		.open = held_open, .stale = held_stale, .close = held_close,
		.failed = c->wire ? held_failed : NULL, .ctx = c
	};
	struct lh_held *held = lh_held_open(&hold, &c->tool->err);
	int rc = held ? lh_records_run(c->tool, &(struct lh_flow){
		.map = on_record, .one_by_one = true, .reject_net = true, .held = held,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free }) : -1;

	lh_held_close(held);
	return rc;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct chat *c = settings;

	c->tool = tool;
	if (lh_trace_check(c->trace_id, &c->tool->err) < 0)
		return -1;
	if (c->model && (!*c->model || !lh_utf8_valid(c->model, strlen(c->model))))
		return lh_tool_usage(tool, "--model: expected a name in UTF-8");
	if (!c->providers)
		return answer(c);
	if (c->tool->n_operands)
		return lh_tool_usage(c->tool, "--providers takes no FILE");
	c->keys = lh_keys_load(&c->tool->err);
	return c->keys ? list(c) : -1;
}

static int close_chat(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_keys_free(((struct chat *)settings)->keys);
	return rc;
}

#define PROVIDERS \
	{ "providers", .about = "the providers and whether they answer", .in = op_members, \
	  .out = providers_members }

#define COMPLETIONS \
	{ "completions", .about = "ask as OpenAI's service is asked", .in = completion_members, \
	  .out = completion_out }

static const struct lh_op ops[] = {
	{ "", .in = request_members, .out = record_members, .command = run }, PROVIDERS,
	{ "", .in = wire_members, .out = reply_members, .command = run }, PROVIDERS, COMPLETIONS,
	{ "", .about = "list the available providers", .command = run },
	{ "", .in = modelless_members, .out = record_members, .command = run }, PROVIDERS,
	{ "", .in = wire_modelless_members, .out = reply_members, .command = run }, PROVIDERS,
	COMPLETIONS,
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct chat *c = settings;

	return &ops[c->providers ? 5 : (c->model ? 6 : 0) + (c->wire ? 2 : 0)];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-chat",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "ask a language model one question for each record",
		.example =
			"echo '{\"model\":\"qwen3:8b\","
			"\"prompt\":\"Why do welders wear masks?\"}' |\n"
			"      lh-chat --wire | jq -r .content",
		.options = options,
		.close = close_chat,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct chat){ .timeout = 180, .retries = 2 });
}
