/* credentials.c - names, addresses and keys of the providers.  See chat.h. */
#include "chat.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "file/held.h"
#include "http.h"
#include "base/mem.h"
#include "crypto/secret.h"

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

/* Read the value of NAME=value; l.p is at "=value".  *why: the fault of the line,
 * or NULL. */
static int read_value(struct line l, struct lh_secret *value, const char **why, struct lh_err *err)
{
	long n;

	if (l.p == l.end || *l.p++ != '=') {
		*why = "not NAME=value";
		return 0;
	}
	if (lh_secret_alloc(value, (size_t)(l.end - l.p) + 1, err) < 0)
		return -1;
	n = read_word(&l, value->p);
	if (n < 0)
		*why = "the quote is not closed";
	else if (!is_line_end(&l) || memchr(value->p, '\0', (size_t)n))
		*why = "more than one word";
	value->n = n < 0 ? 0 : (size_t)n;
	return 0;
}

/* Read a line.  A faulty one only leaves the provider that it names without a key. */
static int read_line(struct lh_keys *k, struct line l, const char *path, size_t number,
		     struct lh_err *err)
{
	struct lh_secret value = { .p = NULL };
	const char *why = NULL;
	int p = provider_of(&l);

	if (p == LH_PROVIDERS)
		return 0;
	if (read_value(l, &value, &why, err) < 0)
		return -1;
	lh_secret_wipe(&k->key[p]);
	k->key_fault[p].msg[0] = '\0';
	if (why)
		lh_err_set(&k->key_fault[p], LH_EIO, "LH_KEYS_FILE: %s: line %zu: %s: %s", path,
			   number,
			   providers[p].key_name, why);
	else if (value.n) {
		k->key[p] = value;
		return 0;
	}
	lh_secret_wipe(&value);
	return 0;
}

static int read_key_file(struct lh_keys *k, const char *path, struct lh_err *err)
{
	struct lh_secret file;
	struct lh_str rest, s;
	size_t number = 0, mark;
	int rc = 0;

	if (lh_secret_read(&file, path, FILE_MAX, false, err) < 0)
		return lh_err_prefix(err, "LH_KEYS_FILE");
	mark = lh_mark_len((const char *)file.p, file.n);
	rest = (struct lh_str){ (const char *)file.p + mark, file.n - mark };
	while (!rc && lh_next_line(&rest, &s)) {
		s.n -= s.n && s.p[s.n - 1] == '\r';
		rc = read_line(k, (struct line){ s.p, s.p + s.n }, path, ++number, err);
	}
	lh_secret_wipe(&file);
	return rc;
}

static int read_variable(struct lh_keys *k, int p, struct lh_err *err)
{
	const char *name = providers[p].key_name, *v = name ? variable(name) : NULL;

	if (v) {
		k->key_fault[p].msg[0] = '\0';
		lh_secret_wipe(&k->key[p]);
		if (lh_secret_alloc(&k->key[p], strlen(v), err) < 0)
			return -1;
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

const char *lh_keys_why_not(const struct lh_keys *k, enum lh_provider p)
{
	return k->key_fault[p].msg;
}

const char *lh_keys_url(const struct lh_keys *k, enum lh_provider p)
{
	return k->url[p];
}

const char *lh_keys_token(const struct lh_keys *k, enum lh_provider p)
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

const char *lh_provider_key_name(enum lh_provider p)
{
	return providers[p].key_name;
}

void lh_keys_scrub(const struct lh_keys *k, const char *text, size_t len, size_t n,
		   struct lh_buf *out)
{
	lh_secret_scrub(k->key, LH_PROVIDERS, text, len, n, out);
}
