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
 *          file), LH_ENOMEM; no message contains a key.
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
/* Return whether the file that LH_KEYS_FILE names has changed or is gone. */
bool lh_keys_stale(const struct lh_keys *k);
/* Load the keys again if the file changed; NULL with *err.  Without a change it
 * returns k itself, which must then be freed once more.  k stays valid. */
struct lh_keys *lh_keys_renew(struct lh_keys *k, struct lh_err *err);

bool lh_keys_has(const struct lh_keys *k, enum lh_provider p);
/* Return why the file has no key for p: file, line and fault, without the key; ""
 * if no line is faulty. */
const char *lh_keys_why_not(const struct lh_keys *k, enum lh_provider p);
const char *lh_keys_url(const struct lh_keys *k, enum lh_provider p);	/* no slash at its end */
const char *lh_keys_token(const struct lh_keys *k, enum lh_provider p);	/* NULL: none */

const char *lh_provider_name(enum lh_provider p);
const char *lh_provider_url_name(enum lh_provider p);	/* the variable */
const char *lh_provider_key_name(enum lh_provider p);	/* the variable; NULL: needs none */

/* Append the first bytes of text, at most n, with every key in it masked as
 * lh_secret_scrub does. */
void lh_keys_scrub(const struct lh_keys *k, const char *text, size_t len, size_t n,
		   struct lh_buf *out);

#endif
