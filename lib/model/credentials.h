/*
 * credentials - the services that answer questions: their names, addresses, keys.
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
 * An empty variable is as good as none.  A key that is not in the environment
 * is taken from the file that LH_KEYS_FILE names (crypto/secret.h says what it must
 * be; 64 KiB at most): lines NAME=value as a shell reads them, with comments,
 * "export", quotes, CRLF and a BOM; nothing is expanded, of a name that comes
 * twice the last counts, and other lines are passed over.  A line that names a
 * provider's key and is not NAME=value leaves that provider without a key, and
 * lh_keys_why_not says so.  A provider without a key does not exist; LH_OLLAMA
 * needs none.
 *
 * Owner:   everything that is handed out is k's, and ends with a NUL.
 * Errors:  LH_EUSAGE (an address that is none, a key that no header can carry),
 *          LH_EIO (the file), LH_ENOMEM; no message holds a key.
 * Threads: once loaded it is only read, by any number of them.
 */
#ifndef LH_CREDENTIALS_H
#define LH_CREDENTIALS_H

#include <stdbool.h>

#include <lh/buf.h>

enum lh_provider { LH_OLLAMA, LH_OLLAMA_CLOUD, LH_OPENROUTER, LH_OPENCODE, LH_KIMI, LH_PROVIDERS };

struct lh_keys;

struct lh_keys *lh_keys_load(struct lh_err *err);
void lh_keys_free(struct lh_keys *k);
/* Did the file that LH_KEYS_FILE names change since, or go? */
bool lh_keys_stale(const struct lh_keys *k);
/* What it says by now, or NULL with *err: k itself, to be freed once more, if
 * nothing changed.  k stays. */
struct lh_keys *lh_keys_renew(struct lh_keys *k, struct lh_err *err);

bool lh_keys_has(const struct lh_keys *k, enum lh_provider p);
/* Why the file gives no key: names file and line, without the key; "" if no line is wrong. */
const char *lh_keys_why_not(const struct lh_keys *k, enum lh_provider p);
const char *lh_keys_url(const struct lh_keys *k, enum lh_provider p);	/* no slash at its end */
const char *lh_keys_token(const struct lh_keys *k, enum lh_provider p);	/* NULL: none */

const char *lh_provider_name(enum lh_provider p);
const char *lh_provider_url_name(enum lh_provider p);	/* the variable */
const char *lh_provider_key_name(enum lh_provider p);	/* the variable; NULL: needs none */

/* Append the beginning of text, n bytes of it at most, with every key that
 * stands in it as lh_secret_scrub shows it. */
void lh_keys_scrub(const struct lh_keys *k, const char *text, size_t len, size_t n, struct lh_buf *out);

#endif
