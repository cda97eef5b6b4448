/*
 * chat - ask a language model one question: choose the provider, make the call,
 * read the answer.
 *
 *     keys = lh_keys_load(err);
 *     c = lh_chat_new(&(struct lh_chat_how){ .timeout = 180, .retries = 2 }, keys, err);
 *     if (lh_chat_ask(c, &request, &reply, err) < 0)
 *             ... err->status: 400, 404, 502, 504, or 0 ...
 *
 * The model's name determines the provider.  A prefix up to the first slash that is
 * a provider's name has precedence; then the suffix ":cloud"; all other names go to
 * Ollama.
 *
 * ollama/M, M       ollama        M       POST URL/api/chat
 * ollama_cloud/M,   ollama_cloud  M, less ":cloud" at its end
 * M:cloud                                 POST URL/api/generate
 * openrouter/M      openrouter    M       POST URL/chat/completions
 * opencode/M        opencode      M       the same
 * kimi/M            kimi          M       the same
 *
 * A request to Ollama has stream and think (false unless requested), options for
 * the temperature and num_predict that were given, and format.  Its /api/generate
 * takes no messages: the system texts are joined by LF, and the turns become the
 * prompt: a single one by the user as it is, else with "User: " or "Assistant: "
 * before each, joined by LF.  A request to the others has temperature, max_tokens
 * and response_format; think is not sent.  A provider's key is sent to its own
 * address and nowhere else.
 *
 * In the reply finish_reason is Ollama's done_reason, else "stop" if it is done,
 * else "length"; or the choice's finish_reason, "stop" if it has none.  Tokens that
 * were not counted are 0.  A content of null is "": a model may use up its limit
 * before it writes an answer.
 *
 * Errors have err->status and a text for a person:
 *
 * 400  the request: an empty name, no turns         (err->code LH_EDATA)
 * 404  the provider has no key                      (LH_EDATA)
 * 502  no connection, a status other than 2xx, or an answer without the
 *      message, after the retries of http.h         (LH_ENET)
 * 504  no complete answer in time                   (LH_ENET)
 * 0    LH_ENOMEM, LH_EINTR
 *
 * 502 and 504 name the address and quote at most 200 bytes of the answer; a key in
 * it is shown as "***".
 *
 * Owner:   keys and how->stopping outlive the handle; a reply is the handle's, until
 *          its next call.
 * Threads: one handle per thread; it keeps its connections.
 */
#ifndef LH_CHAT_H
#define LH_CHAT_H

#include <lh/json.h>
#include "credentials.h"

struct lh_chat_how {
	double timeout;		/* seconds for one attempt */
	unsigned retries;
	bool (*stopping)(void);	/* called while waiting: true gives LH_EINTR; or NULL */
	bool no_files;		/* no message names the file of the keys */
};

struct lh_chat_message {
	struct lh_str role;	/* system, user or assistant */
	struct lh_str content;
};

struct lh_chat_request {
	struct lh_str model;	/* as written */
	const struct lh_chat_message *message;
	size_t n;
	struct lh_str temperature;	/* the text of the number; n = 0: unset */
	int64_t max_tokens;	/* <= 0: unset */
	bool json;		/* request an answer in JSON */
	int think;		/* 0, 1; -1: unset */
	struct lh_str trace;	/* as in lh_http_call; n = 0: none */
};

struct lh_chat_reply {
	struct lh_str content, provider, finish_reason;
	uint64_t input_tokens, output_tokens;
	uint64_t latency_ms;	/* retries and waiting included */
};

struct lh_chat;

struct lh_chat *lh_chat_new(const struct lh_chat_how *how, const struct lh_keys *keys,
			    struct lh_err *err);
void lh_chat_free(struct lh_chat *c);
int lh_chat_ask(struct lh_chat *c, const struct lh_chat_request *q, struct lh_chat_reply *reply,
		struct lh_err *err);

/* Return the provider for that model; *upstream is the name sent to it. */
enum lh_provider lh_chat_route(struct lh_str model, struct lh_str *upstream);

/* Determine whether the provider is available.  Ollama: GET /api/tags returns 2xx
 * within 2 s.  The others: there is a key; no request is made.  -1 only with
 * LH_ENOMEM or LH_EINTR. */
int lh_chat_available(struct lh_chat *c, enum lh_provider p, bool *available, struct lh_err *err);

#endif
