/*
 * chat_api.c - three APIs: /api/chat and /api/generate of Ollama, chat completions
 * of OpenAI.  See chat_api.h.
 */
#include "chat_api.h"

#include <string.h>

#include "json/write.h"

static bool is(struct lh_str s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

/* ---- requests ---- */

static void append_messages(struct lh_writer *json, const struct lh_chat_request *q)
{
	size_t i;

	lh_write_array(json, "messages");
	for (i = 0; i < q->n; i++) {
		lh_write_object(json, NULL);
		lh_write_str(json, "role", q->message[i].role);
		lh_write_str(json, "content", q->message[i].content);
		lh_write_end(json);
	}
	lh_write_end(json);
}

/* Append what /api/chat and /api/generate have in common. */
static void append_ollama_options(struct lh_writer *json, const struct lh_chat_request *q)
{
	lh_write_bool(json, "stream", false);
	lh_write_bool(json, "think", q->think > 0);
	if (q->temperature.n || q->max_tokens > 0) {
		lh_write_object(json, "options");
		if (q->temperature.n)
			lh_write_raw(json, "temperature", q->temperature);
		if (q->max_tokens > 0)
			lh_write_u64(json, "num_predict", (uint64_t)q->max_tokens);
		lh_write_end(json);
	}
	if (q->json)
		lh_write_text(json, "format", "json");
}

static void write_chat(struct lh_buf *b, const struct lh_chat_request *q, struct lh_str model)
{
	struct lh_writer json = lh_write_to(b);

	lh_write_object(&json, NULL);
	lh_write_str(&json, "model", model);
	append_messages(&json, q);
	append_ollama_options(&json, q);
	lh_write_end(&json);
}

/* Append to an open JSON string. */
static void append_to_string(struct lh_buf *b, const char *p, size_t n)
{
	size_t at = b->len;

	lh_buf_json(b, p, n);
	if (b->failed)
		return;
	memmove(b->p + at, b->p + at + 1, b->len - at - 2);
	b->len -= 2;
}

static void append_prompt(struct lh_writer *json, const struct lh_chat_request *q)
{
	struct lh_buf *b = json->out;
	size_t i, turns = 0;
	bool bare, first = true;

	for (i = 0; i < q->n; i++)
		turns += !is(q->message[i].role, "system");
	lh_write_key(json, "prompt");
	lh_buf_putc(b, '"');
	for (i = 0; i < q->n; i++) {
		const struct lh_chat_message *m = &q->message[i];

		if (is(m->role, "system"))
			continue;
		bare = turns == 1 && is(m->role, "user");
		if (!first)
			lh_buf_puts(b, "\\n");
		if (!bare)
			lh_buf_puts(b, is(m->role, "user") ? "User: " : "Assistant: ");
		append_to_string(b, m->content.p, m->content.n);
		first = false;
	}
	lh_buf_putc(b, '"');
}

static void write_generate(struct lh_buf *b, const struct lh_chat_request *q, struct lh_str model)
{
	struct lh_writer json = lh_write_to(b);
	bool any = false;
	size_t i;

	lh_write_object(&json, NULL);
	lh_write_str(&json, "model", model);
	append_prompt(&json, q);
	for (i = 0; i < q->n; i++) {
		if (!is(q->message[i].role, "system"))
			continue;
		if (!any)
			lh_write_key(&json, "system");
		lh_buf_puts(json.out, any ? "\\n" : "\"");
		append_to_string(json.out, q->message[i].content.p, q->message[i].content.n);
		any = true;
	}
	if (any)
		lh_buf_putc(json.out, '"');
	append_ollama_options(&json, q);
	lh_write_end(&json);
}

static void write_openai(struct lh_buf *b, const struct lh_chat_request *q, struct lh_str model)
{
	struct lh_writer json = lh_write_to(b);

	lh_write_object(&json, NULL);
	lh_write_str(&json, "model", model);
	append_messages(&json, q);
	lh_write_bool(&json, "stream", false);
	if (q->temperature.n)
		lh_write_raw(&json, "temperature", q->temperature);
	if (q->max_tokens > 0)
		lh_write_u64(&json, "max_tokens", (uint64_t)q->max_tokens);
	if (q->json) {
		lh_write_object(&json, "response_format");
		lh_write_text(&json, "type", "json_object");
		lh_write_end(&json);
	}
	lh_write_end(&json);
}

/* ---- replies ---- */

/* Read the string (or null, as "") of that name. */
static int get_content(const struct lh_value *v, const char *name, struct lh_buf *scratch,
		       struct lh_str *out, struct lh_err *why)
{
	struct lh_value s;

	if (!lh_value_get(v, name, &s))
		return lh_err_set(why, LH_EDATA, "no \"%s\" in the answer", name);
	if (s.type == LH_NULL) {
		*out = (struct lh_str){ "", 0 };
		return 0;
	}
	if (s.type != LH_STRING)
		return lh_err_set(why, LH_EDATA, "\"%s\" in the answer is not a string", name);
	lh_value_str(&s, scratch, out);
	return 0;
}

static uint64_t get_count(const struct lh_value *v, const char *name)
{
	struct lh_value count;
	int64_t n;

	if (!lh_value_get(v, name, &count) || count.type != LH_NUMBER ||
	    !lh_value_i64(&count, &n) || n < 0)
		return 0;
	return (uint64_t)n;
}

/* Read a reason that is a non-empty string, else use the given one. */
static void get_reason(const struct lh_value *v, const char *name, const char *otherwise,
		       struct lh_buf *scratch, struct lh_str *out)
{
	struct lh_value s;

	*out = (struct lh_str){ otherwise, strlen(otherwise) };
	if (!lh_value_get(v, name, &s) || s.type != LH_STRING || s.n == 2)
		return;
	lh_value_str(&s, scratch, out);
}

static void read_ollama(const struct lh_value *root, struct lh_buf *scratch,
			struct lh_chat_reply *reply)
{
	struct lh_value done;
	bool is_done = lh_value_get(root, "done", &done) && done.type == LH_TRUE;

	reply->input_tokens = get_count(root, "prompt_eval_count");
	reply->output_tokens = get_count(root, "eval_count");
	get_reason(root, "done_reason", is_done ? "stop" : "length", scratch,
		   &reply->finish_reason);
}

static int read_chat(const struct lh_value *root, struct lh_buf *scratch,
		     struct lh_chat_reply *reply, struct lh_err *why)
{
	struct lh_value message;

	if (!lh_value_get(root, "message", &message) || message.type != LH_OBJECT)
		return lh_err_set(why, LH_EDATA, "no \"message\" in the answer");
	if (get_content(&message, "content", scratch, &reply->content, why) < 0)
		return -1;
	read_ollama(root, scratch, reply);
	return 0;
}

static int read_generate(const struct lh_value *root, struct lh_buf *scratch,
			 struct lh_chat_reply *reply, struct lh_err *why)
{
	if (get_content(root, "response", scratch, &reply->content, why) < 0)
		return -1;
	read_ollama(root, scratch, reply);
	return 0;
}

static int read_openai(const struct lh_value *root, struct lh_buf *scratch,
		       struct lh_chat_reply *reply, struct lh_err *why)
{
	struct lh_value choices, message, usage;
	struct lh_iter it;

	if (!lh_value_get(root, "choices", &choices) || choices.type != LH_ARRAY)
		return lh_err_set(why, LH_EDATA, "no \"choices\" in the answer");
	lh_iter_init(&it, &choices);
	if (!lh_iter_next(&it))
		return lh_err_set(why, LH_EDATA, "no choices in the answer");
	if (it.val.type != LH_OBJECT || !lh_value_get(&it.val, "message", &message) ||
	    message.type != LH_OBJECT)
		return lh_err_set(why, LH_EDATA, "no \"message\" in the answer");
	if (lh_value_get(root, "usage", &usage) && usage.type == LH_OBJECT) {
		reply->input_tokens = get_count(&usage, "prompt_tokens");
		reply->output_tokens = get_count(&usage, "completion_tokens");
	}
	if (get_content(&message, "content", scratch, &reply->content, why) < 0)
		return -1;
	get_reason(&it.val, "finish_reason", "stop", scratch, &reply->finish_reason);
	return 0;
}

static const struct lh_chat_api
	chat = { "/api/chat", write_chat, read_chat },
	generate = { "/api/generate", write_generate, read_generate },
	openai = { "/chat/completions", write_openai, read_openai };

const struct lh_chat_api *lh_chat_api(enum lh_provider p)
{
	return p == LH_OLLAMA ? &chat : p == LH_OLLAMA_CLOUD ? &generate : &openai;
}
