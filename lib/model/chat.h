/*
 * chat - ask a language model one question: choose the provider, make the call,
 * read the answer; and the addresses and keys of providers.
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
 * With how->bridge the model is sent as it is to BRIDGE/v1/chat.
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
 * 0    LH_EINTR
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

#include <stdbool.h>

#include "base/buf.h"
#include "json/json.h"

/*
 * credentials - the providers of language models: their names, addresses and keys.
 *
 *     k = lh_keys_load(err);
 *     if (lh_keys_has(k, LH_KIMI))
 *             ... lh_keys_url(k, LH_KIMI), lh_keys_token(k, LH_KIMI) ...
 *     lh_keys_free(k);
 *
 * provider      name          address and key in the environment, or default
 * LH_OLLAMA        ollama        LH_OLLAMA_URL        http://127.0.0.1:11434
 * LH_OLLAMA_CLOUD  ollama_cloud  LH_OLLAMA_CLOUD_URL  https://ollama.com
 *                                OLLAMA_CLOUD_KEY
 * LH_OPENROUTER    openrouter    LH_OPENROUTER_URL    https://openrouter.ai/api/v1
 *                                OPENROUTER_API_KEY
 * LH_OPENCODE      opencode      LH_OPENCODE_URL      https://opencode.ai/zen/v1
 *                                OPENCODE_API_KEY
 * LH_KIMI          kimi          LH_KIMI_URL          https://api.kimi.com/coding/v1
 *                                KIMI_API_KEY
 *
 * An empty variable counts as unset.  A key that is not in the environment is taken
 * from the file that LH_KEYS_FILE names (crypto/secret.h has the requirements; 64
 * KiB at most).  It has lines NAME=value as a shell reads them, with comments,
 * "export", quotes, CRLF and a BOM; nothing is expanded, the last line of a name
 * counts, and other lines are ignored.  A line that names a provider's key and is
 * not NAME=value leaves that provider without a key, and lh_keys_why_not has the
 * reason.  A provider without a key does not exist; LH_OLLAMA needs none.
 *
 * Owner:   everything returned is k's, and ends with a NUL.
 * Errors:  LH_EUSAGE (an invalid address, a key that cannot be in a header), LH_EIO (the
 *          file);
 *          no message contains a key.
 * Threads: once loaded it is only read, by any number of them.
 */

enum lh_provider { LH_OLLAMA, LH_OLLAMA_CLOUD, LH_OPENROUTER, LH_OPENCODE, LH_KIMI, LH_PROVIDERS };

struct lh_keys;

struct lh_keys *lh_keys_load(struct lh_err *err);
void lh_keys_free(struct lh_keys *k);
/* Return whether the file that LH_KEYS_FILE names has changed or is gone. */
bool lh_keys_stale(const struct lh_keys *k);
/* Load the keys again if the file changed; NULL with *err.  Without a change it
 * returns k itself, which must then be freed once more.  k stays valid. */
struct lh_keys *lh_keys_renew(struct lh_keys *k, struct lh_err *err);

bool lh_keys_has(const struct lh_keys *k, enum lh_provider p);
const char *lh_keys_url(const struct lh_keys *k, enum lh_provider p);	/* no slash at its end */

const char *lh_provider_name(enum lh_provider p);
const char *lh_provider_url_name(enum lh_provider p);	/* the variable */

/* Append the first bytes of text, at most n, with every key in it masked as
 * lh_secret_scrub does. */
void lh_keys_scrub(const struct lh_keys *k, const char *text, size_t len, size_t n,
		   struct lh_buf *out);

struct lh_chat_how {
	double timeout;		/* seconds for one attempt */
	unsigned retries;
	bool (*stopping)(void);	/* called while waiting: true gives LH_EINTR; or NULL */
	bool no_files;		/* no message names the file of the keys */
	/* Ask the /v1/chat of an lh-serve at this address for every model, with this token or
	 * NULL, and no provider; NULL: ask the providers. */
	const char *bridge, *token;
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

struct lh_chat *lh_chat_new(const struct lh_chat_how *how, const struct lh_keys *keys);
void lh_chat_free(struct lh_chat *c);
int lh_chat_ask(struct lh_chat *c, const struct lh_chat_request *q, struct lh_chat_reply *reply,
		struct lh_err *err);

/* Determine whether the provider is available.  Ollama: GET /api/tags returns 2xx
 * within 2 s.  The others: there is a key; no request is made.  -1 only with
 * LH_EINTR. */
int lh_chat_available(struct lh_chat *c, enum lh_provider p, bool *available, struct lh_err *err);

#endif
