/* chat.c - ask a language model one question.  See chat.h. */
#include "chat.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "file/held.h"
#include "http.h"
#include "json/document.h"
#include "json/write.h"

/* ---- names, addresses and keys of the providers ---- */

#define FILE_MAX ((size_t)64 << 10)

static const struct {
	const char *name, *url, *url_name, *key_name;
} providers[LH_PROVIDERS] = {
	[LH_OLLAMA] = { "ollama", "http://127.0.0.1:11434", "LH_OLLAMA_URL", NULL },
	[LH_OLLAMA_CLOUD] = { "ollama_cloud", "https://ollama.com", "LH_OLLAMA_CLOUD_URL",
			      "OLLAMA_CLOUD_KEY" },
	[LH_OPENROUTER] = { "openrouter", "https://openrouter.ai/api/v1", "LH_OPENROUTER_URL",
			    "OPENROUTER_API_KEY" },
	[LH_OPENCODE] = { "opencode", "https://opencode.ai/zen/v1", "LH_OPENCODE_URL",
			  "OPENCODE_API_KEY" },
	[LH_KIMI] = { "kimi", "https://api.kimi.com/coding/v1", "LH_KIMI_URL", "KIMI_API_KEY" },
};

struct lh_keys {
	atomic_uint extra_refs;		/* references, but one */
	struct lh_stamp file;		/* of LH_KEYS_FILE */
	char *url[LH_PROVIDERS];
	struct lh_secret key[LH_PROVIDERS];	/* p NULL: none */
	/* why a line has no key for it; msg "": no such line */
	struct lh_err key_fault[LH_PROVIDERS];
};

/* A line of a file of keys, without its end. */
struct line {
	const char *p, *end;
};

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static void skip_blanks(struct line *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
}

/* Return whether the rest of the line is empty or a comment. */
static bool is_line_end(struct line *l)
{
	skip_blanks(l);
	return l->p == l->end || *l->p == '#';
}

static bool is_name_byte(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		(c >= 'a' && c <= 'z');
}

/* Return the provider whose key this line names, with l->p after the name;
 * LH_PROVIDERS if it names none. */
static int provider_of(struct line *l)
{
	const char *name;
	size_t n;
	int p;

	if (is_line_end(l))
		return LH_PROVIDERS;
	if (l->end - l->p > 7 && !memcmp(l->p, "export", 6) &&
	    (l->p[6] == ' ' || l->p[6] == '\t')) {
		l->p += 7;
		skip_blanks(l);
	}
	for (name = l->p; l->p < l->end && is_name_byte(*l->p); )
		l->p++;
	n = (size_t)(l->p - name);
	for (p = 0; p < LH_PROVIDERS; p++)
		if (providers[p].key_name && strlen(providers[p].key_name) == n &&
		    !memcmp(providers[p].key_name, name, n))
			break;
	return p;
}

/* Read a shell word at l->p to `to`, which has room: its length, -1 if it does not
 * end. */
static long read_word(struct line *l, unsigned char *to)
{
	char quote = 0, c;
	long n = 0;

	for (; l->p < l->end; l->p++) {
		c = *l->p;
		if (quote && c == quote) {
			quote = 0;
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
		} else if (!quote && (c == ' ' || c == '\t')) {
			break;
		} else {
			if (c == '\\' && quote != '\'' && l->p + 1 < l->end &&
			    (!quote || strchr("\"\\$`", l->p[1])))
				c = *++l->p;
			to[n++] = (unsigned char)c;
		}
	}
	return quote ? -1 : n;
}

/* Read the value of NAME=value; l.p is at "=value".  Returns the fault of the line, or NULL. */
static const char *read_value(struct line l, struct lh_secret *value)
{
	long n;

	if (l.p == l.end || *l.p++ != '=')
		return "not NAME=value";
	lh_secret_alloc(value, (size_t)(l.end - l.p) + 1);
	n = read_word(&l, value->p);
	value->n = n < 0 ? 0 : (size_t)n;
	return n < 0 ? "the quote is not closed"
	       : !is_line_end(&l) || memchr(value->p, '\0', value->n) ? "more than one word" : NULL;
}

/* Read a line.  A faulty one only leaves the provider that it names without a key. */
static void read_line(struct lh_keys *k, struct line l, const char *path, size_t number)
{
	struct lh_secret value = { .p = NULL };
	const char *why;
	int p = provider_of(&l);

	if (p == LH_PROVIDERS)
		return;
	why = read_value(l, &value);
	lh_secret_wipe(&k->key[p]);
	k->key_fault[p].msg[0] = '\0';
	if (why)
		lh_err_set(&k->key_fault[p], LH_EIO, "LH_KEYS_FILE: %s: line %zu: %s: %s", path,
			   number, providers[p].key_name, why);
	if (why || !value.n)
		lh_secret_wipe(&value);
	k->key[p] = value;
}

static int read_key_file(struct lh_keys *k, const char *path, struct lh_err *err)
{
	struct lh_secret file;
	struct lh_str rest, s;
	size_t number = 0, mark;

	if (lh_secret_read(&file, path, FILE_MAX, false, err) < 0)
		return lh_err_prefix(err, "LH_KEYS_FILE");
	mark = lh_mark_len((const char *)file.p, file.n);
	rest = (struct lh_str){ (const char *)file.p + mark, file.n - mark };
	while (lh_next_line(&rest, &s)) {
		s.n -= s.n && s.p[s.n - 1] == '\r';
		read_line(k, (struct line){ s.p, s.p + s.n }, path, ++number);
	}
	lh_secret_wipe(&file);
	return 0;
}

static int read_variable(struct lh_keys *k, int p, struct lh_err *err)
{
	const char *name = providers[p].key_name, *v = name ? variable(name) : NULL;

	if (v) {
		k->key_fault[p].msg[0] = '\0';
		lh_secret_wipe(&k->key[p]);
		lh_secret_alloc(&k->key[p], strlen(v));
		memcpy(k->key[p].p, v, strlen(v));
	}
	if (k->key[p].p && lh_http_check_bearer((const char *)k->key[p].p, err) < 0)
		return lh_err_prefix(err, "%s", name);
	return 0;
}

static int read_url(struct lh_keys *k, int p, struct lh_err *err)
{
	const char *v = variable(providers[p].url_name), *url = v ? v : providers[p].url;
	size_t n = strlen(url);

	if (lh_http_check_url(url, err) < 0)
		return lh_err_prefix(err, "%s", providers[p].url_name);
	if (strpbrk(url, "?#"))
		return lh_err_set(err, LH_EUSAGE,
				  "%s: paths are added to it, so it may hold no ? and no #",
				  providers[p].url_name);
	while (n && url[n - 1] == '/')
		n--;
	k->url[p] = lh_strndup(url, n);
	return 0;
}

struct lh_keys *lh_keys_load(struct lh_err *err)
{
	struct lh_keys *k = lh_calloc(1, sizeof *k);
	const char *file = variable("LH_KEYS_FILE");
	int p, rc;

	if (file)
		lh_stamp_take(&k->file, file);
	rc = file ? read_key_file(k, file, err) : 0;
	for (p = 0; !rc && p < LH_PROVIDERS; p++) {
		rc = read_variable(k, p, err);
		if (!rc)
			rc = read_url(k, p, err);
	}
	if (!rc)
		return k;
	lh_keys_free(k);
	return NULL;
}

void lh_keys_free(struct lh_keys *k)
{
	int p;

	if (!k || atomic_fetch_sub(&k->extra_refs, 1) > 0)
		return;
	for (p = 0; p < LH_PROVIDERS; p++) {
		free(k->url[p]);
		lh_secret_wipe(&k->key[p]);
	}
	free(k);
}

bool lh_keys_stale(const struct lh_keys *k)
{
	const char *file = variable("LH_KEYS_FILE");

	return file && !lh_stamp_fits(&k->file, file);
}

struct lh_keys *lh_keys_renew(struct lh_keys *k, struct lh_err *err)
{
	if (lh_keys_stale(k))
		return lh_keys_load(err);
	atomic_fetch_add(&k->extra_refs, 1);
	return k;
}

bool lh_keys_has(const struct lh_keys *k, enum lh_provider p)
{
	return !providers[p].key_name || k->key[p].p;
}

/* Return why the file has no key for p: file, line and fault, without the key; ""
 * if no line is faulty. */
static const char *lh_keys_why_not(const struct lh_keys *k, enum lh_provider p)
{
	return k->key_fault[p].msg;
}

const char *lh_keys_url(const struct lh_keys *k, enum lh_provider p)
{
	return k->url[p];
}

/* NULL: none */
static const char *lh_keys_token(const struct lh_keys *k, enum lh_provider p)
{
	return (const char *)k->key[p].p;
}

const char *lh_provider_name(enum lh_provider p)
{
	return providers[p].name;
}

const char *lh_provider_url_name(enum lh_provider p)
{
	return providers[p].url_name;
}

/* the variable; NULL: needs none */
static const char *lh_provider_key_name(enum lh_provider p)
{
	return providers[p].key_name;
}

void lh_keys_scrub(const struct lh_keys *k, const char *text, size_t len, size_t n,
		   struct lh_buf *out)
{
	lh_secret_scrub(k->key, LH_PROVIDERS, text, len, n, out);
}

/* ---- the API of a provider ---- */

struct lh_chat_api {
	const char *path;	/* after the provider's address */
	void (*write)(struct lh_buf *body, const struct lh_chat_request *q, struct lh_str model);
	/* Read the parts of a reply, whose texts are in it; -1 with the reason, LH_EDATA. */
	int (*read)(const json_t *root, struct lh_chat_reply *reply, struct lh_err *why);
};

/* ---- three APIs ---- */

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
static int get_content(const json_t *v, const char *name, struct lh_chat_reply *reply,
		       struct lh_err *why)
{
	const json_t *s = json_object_get(v, name);
	const char *text = json_is_null(s) ? "" : lh_document_text(s);

	if (!text)
		return lh_err_set(why, LH_EDATA, s ? "\"%s\" in the answer is not a string"
						   : "no \"%s\" in the answer", name);
	reply->content = (struct lh_str){ text, json_string_length(s) };
	return 0;
}

static uint64_t get_count(const json_t *v, const char *name)
{
	const json_t *count = json_object_get(v, name);
	const char *text = json_string_value(count);
	struct lh_value number = { .type = LH_NUMBER };
	int64_t n;

	if (!text || *text != LH_DOCUMENT_KEPT)
		return 0;
	number.p = text + 1;
	number.n = json_string_length(count) - 1;
	return lh_value_i64(&number, &n) && n > 0 ? (uint64_t)n : 0;
}

/* Return a reason that is a non-empty string, else the given one. */
static struct lh_str get_reason(const json_t *v, const char *name, const char *otherwise)
{
	const json_t *s = json_object_get(v, name);
	const char *text = json_string_length(s) ? lh_document_text(s) : NULL;

	return text ? (struct lh_str){ text, json_string_length(s) } : lh_str_of(otherwise);
}

static void read_ollama(const json_t *root, struct lh_chat_reply *reply)
{
	const bool done = json_is_true(json_object_get(root, "done"));

	reply->input_tokens = get_count(root, "prompt_eval_count");
	reply->output_tokens = get_count(root, "eval_count");
	reply->finish_reason = get_reason(root, "done_reason", done ? "stop" : "length");
}

static int read_chat(const json_t *root, struct lh_chat_reply *reply, struct lh_err *why)
{
	const json_t *message = json_object_get(root, "message");

	if (!json_is_object(message))
		return lh_err_set(why, LH_EDATA, "no \"message\" in the answer");
	read_ollama(root, reply);
	return get_content(message, "content", reply, why);
}

static int read_generate(const json_t *root, struct lh_chat_reply *reply, struct lh_err *why)
{
	read_ollama(root, reply);
	return get_content(root, "response", reply, why);
}

static int read_openai(const json_t *root, struct lh_chat_reply *reply, struct lh_err *why)
{
	const json_t *choices = json_object_get(root, "choices");
	const json_t *first = json_array_get(choices, 0);
	const json_t *message = json_object_get(first, "message");
	const json_t *usage = json_object_get(root, "usage");

	if (!json_is_object(message))
		return lh_err_set(why, LH_EDATA, "no %s in the answer",
				  !json_is_array(choices) ? "\"choices\""
				  : !first ? "choices" : "\"message\"");
	reply->input_tokens = get_count(usage, "prompt_tokens");
	reply->output_tokens = get_count(usage, "completion_tokens");
	reply->finish_reason = get_reason(first, "finish_reason", "stop");
	return get_content(message, "content", reply, why);
}

static void write_bridge(struct lh_buf *b, const struct lh_chat_request *q, struct lh_str model)
{
	struct lh_writer json = lh_write_to(b);

	lh_write_object(&json, NULL);
	lh_write_str(&json, "model", model);
	append_messages(&json, q);
	if (q->temperature.n)
		lh_write_raw(&json, "temperature", q->temperature);
	if (q->max_tokens > 0)
		lh_write_u64(&json, "max_tokens", (uint64_t)q->max_tokens);
	if (q->json)
		lh_write_text(&json, "format", "json");
	if (q->think >= 0)
		lh_write_bool(&json, "think", q->think);
	lh_write_end(&json);
}

static int read_bridge(const json_t *root, struct lh_chat_reply *reply, struct lh_err *why)
{
	reply->input_tokens = get_count(root, "input_tokens");
	reply->output_tokens = get_count(root, "output_tokens");
	reply->provider = get_reason(root, "provider", "");
	reply->finish_reason = get_reason(root, "finish_reason", "stop");
	return get_content(root, "content", reply, why);
}

static const struct lh_chat_api
	chat = { "/api/chat", write_chat, read_chat },
	generate = { "/api/generate", write_generate, read_generate },
	openai = { "/chat/completions", write_openai, read_openai },
	bridge = { "/v1/chat", write_bridge, read_bridge };

static const struct lh_chat_api *lh_chat_api(const struct lh_chat_how *how, enum lh_provider p)
{
	return how->bridge ? &bridge : p == LH_OLLAMA ? &chat
	       : p == LH_OLLAMA_CLOUD ? &generate : &openai;
}

/* ---- a question ---- */

#define PROBE_WAIT 2.0			/* seconds for GET /api/tags */
/* bytes of an answer: what lh_http_refuse quotes, and a character */
#define QUOTED ((size_t)204)
#define KEEP ((size_t)1 << 20)		/* larger buffers are freed after use */
#define SUFFIX ":cloud"

struct lh_chat {
	struct lh_chat_how how;
	const struct lh_keys *keys;
	struct lh_http *http;		/* made at first use */
	struct lh_record json;
	json_t *answer;			/* what a reply points to */
	struct lh_buf url, body, quote;
};

struct lh_chat *lh_chat_new(const struct lh_chat_how *how, const struct lh_keys *keys)
{
	struct lh_chat *c = lh_calloc(1, sizeof *c);

	c->how = *how;
	c->keys = keys;
	return c;
}

void lh_chat_free(struct lh_chat *c)
{
	if (!c)
		return;
	lh_http_free(c->http);
	lh_record_free(&c->json);
	lh_buf_free(&c->url);
	lh_buf_free(&c->body);
	json_decref(c->answer);
	lh_buf_free(&c->quote);
	free(c);
}

/* Return the provider for that model; *upstream is the name sent to it. */
static enum lh_provider lh_chat_route(struct lh_str model, struct lh_str *upstream)
{
	const char *slash = memchr(model.p, '/', model.n);
	size_t prefix = slash ? (size_t)(slash - model.p) : 0, suffix = strlen(SUFFIX);
	enum lh_provider p;
	bool cloud;

	for (p = 0; slash && p < LH_PROVIDERS; p++)
		if (strlen(lh_provider_name(p)) == prefix &&
		    !memcmp(lh_provider_name(p), model.p, prefix))
			break;
	*upstream = model;
	if (slash && p < LH_PROVIDERS)
		*upstream = (struct lh_str){ slash + 1, model.n - prefix - 1 };
	else
		p = LH_PROVIDERS;
	cloud = upstream->n >= suffix && !memcmp(upstream->p + upstream->n - suffix, SUFFIX,
						 suffix);
	if (p == LH_PROVIDERS)
		p = cloud ? LH_OLLAMA_CLOUD : LH_OLLAMA;
	if (p == LH_OLLAMA_CLOUD && cloud)
		upstream->n -= suffix;
	return p;
}

static int report_failure(struct lh_err *err, unsigned status)
{
	if (err->code == LH_EINTR)
		return -1;
	if (status >= 500)
		err->code = LH_ENET;	/* no descriptor left is no reason to end a run */
	err->status = status;
	err->coded = true;
	return -1;
}

/* Check that the provider can be asked this question. */
static int check_request(const struct lh_chat *c, const struct lh_chat_request *q,
			 enum lh_provider p, struct lh_str upstream, struct lh_err *err)
{
	size_t i;

	if (!upstream.n) {
		lh_err_set(err, LH_EDATA, "\"model\" names no model");
		return report_failure(err, 400);
	}
	for (i = 0; i < q->n; i++)
		if (q->message[i].role.n != 6 || memcmp(q->message[i].role.p, "system", 6))
			break;
	if (i == q->n) {
		lh_err_set(err, LH_EDATA, "no message of a user");
		return report_failure(err, 400);
	}
	if (!c->how.bridge && !lh_keys_has(c->keys, p)) {
		const char *why = lh_keys_why_not(c->keys, p);

		if (*why && !c->how.no_files)
			lh_err_set(err, LH_EDATA, "unknown provider %s: %s", lh_provider_name(p),
				   why);
		else
			lh_err_set(err, LH_EDATA, "unknown provider %s: it has no key (%s)",
				   lh_provider_name(p), lh_provider_key_name(p));
		return report_failure(err, 404);
	}
	return 0;
}

static void set_url(struct lh_chat *c, enum lh_provider p, const char *path)
{
	lh_buf_reset(&c->url);
	lh_buf_puts(&c->url, c->how.bridge ? c->how.bridge : lh_keys_url(c->keys, p));
	lh_buf_puts(&c->url, path);
	lh_buf_putc(&c->url, '\0');
}

/* Report an answer that is not what was asked for, with a quote of it, without keys. */
static int refuse_answer(struct lh_chat *c, const struct lh_http_reply *answer, const char *what,
			 struct lh_err *err)
{
	struct lh_http_reply shown = *answer;

	lh_buf_reset(&c->quote);
	lh_keys_scrub(c->keys, answer->body, answer->len, QUOTED, &c->quote);
	shown.body = c->quote.p;
	shown.len = c->quote.len;
	lh_http_refuse(err, c->url.p, &shown, what);
	return report_failure(err, 502);
}

static int post_body(struct lh_chat *c, enum lh_provider p, struct lh_str trace,
		     struct lh_http_reply *answer, struct lh_err *err)
{
	struct lh_http_call call = { .url = c->url.p, .bearer = c->how.bridge ? c->how.token
							       : lh_keys_token(c->keys, p),
				     .body = c->body.p, .n = c->body.len, .trace = trace };

	if (!c->http)
		c->http = lh_http_new(&(struct lh_http_opts){
			.timeout = c->how.timeout, .retries = c->how.retries,
			.stopping = c->how.stopping }, err);
	if (!c->http)
		return report_failure(err, 502);
	if (lh_http_call(c->http, &call, answer, err) < 0) {
		if (answer->why && answer->status)
			refuse_answer(c, answer, answer->why, err);
		return report_failure(err, answer->timed_out ? 504 : 502);
	}
	return answer->status / 100 == 2 ? 0 : refuse_answer(c, answer, NULL, err);
}

static int read_answer(struct lh_chat *c, enum lh_provider p, const struct lh_http_reply *answer,
		       struct lh_chat_reply *reply, struct lh_err *err)
{
	struct lh_value root;
	struct lh_err why;
	char what[sizeof why.msg];

	if (!answer->len)
		return refuse_answer(c, answer, "empty answer", err);
	if (lh_json_parse(&c->json, answer->body, answer->len, &root, &why) < 0) {
		/* the message may quote the answer: the place suffices */
		snprintf(what, sizeof what, "not JSON at byte %zu", why.column ? why.column : 1);
		return refuse_answer(c, answer, what, err);
	}
	if (root.type != LH_OBJECT)
		return refuse_answer(c, answer, "not a JSON object", err);
	c->answer = lh_document_of(&root);
	if (lh_chat_api(&c->how, p)->read(c->answer, reply, &why) == 0)
		return 0;
	return refuse_answer(c, answer, why.msg, err);
}

/* Make the call.  A long text is copied once, and the copy is freed after the call. */
static int make_call(struct lh_chat *c, enum lh_provider p, const struct lh_chat_request *q,
		     struct lh_str upstream, struct lh_http_reply *answer, struct lh_err *err)
{
	size_t bytes = 0, i;
	int rc;

	for (i = 0; i < q->n; i++)
		bytes += q->message[i].content.n;
	lh_buf_reset(&c->body);
	lh_buf_room(&c->body, bytes + bytes / 16 + 64 * q->n + 512);
	lh_chat_api(&c->how, p)->write(&c->body, q, c->how.bridge ? q->model : upstream);
	rc = post_body(c, p, q->trace, answer, err);
	if (c->body.cap > KEEP)
		lh_buf_free(&c->body);
	return rc;
}

int lh_chat_ask(struct lh_chat *c, const struct lh_chat_request *q, struct lh_chat_reply *reply,
		struct lh_err *err)
{
	double start = lh_time_monotonic();
	struct lh_http_reply answer;
	struct lh_str upstream;
	enum lh_provider p = lh_chat_route(q->model, &upstream);
	const char *name = lh_provider_name(p);

	memset(reply, 0, sizeof *reply);
	reply->provider = (struct lh_str){ name, strlen(name) };
	if (check_request(c, q, p, upstream, err) < 0)
		return -1;
	set_url(c, p, lh_chat_api(&c->how, p)->path);
	json_decref(c->answer);
	c->answer = NULL;
	if (make_call(c, p, q, upstream, &answer, err) < 0 ||
	    read_answer(c, p, &answer, reply, err) < 0)
		return -1;
	reply->latency_ms = (uint64_t)((lh_time_monotonic() - start) * 1000);
	return 0;
}

int lh_chat_available(struct lh_chat *c, enum lh_provider p, bool *available, struct lh_err *err)
{
	struct lh_http_reply answer;
	struct lh_http *http;
	int rc;

	*available = lh_keys_has(c->keys, p);
	if (p != LH_OLLAMA)
		return 0;
	set_url(c, p, "/api/tags");
	http = lh_http_new(&(struct lh_http_opts){ .timeout = PROBE_WAIT,
						   .stopping = c->how.stopping }, err);
	rc = http ? lh_http_call(http, &(struct lh_http_call){ .url = c->url.p }, &answer, err)
		: -1;
	*available = rc == 0 && answer.status / 100 == 2;
	lh_http_free(http);
	return rc < 0 && err->code == LH_EINTR ? -1 : 0;
}
