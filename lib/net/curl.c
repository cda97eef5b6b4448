/* curl.c - load libcurl; addresses, and what messages show of them.  See curl.h. */
#include "curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/num.h"
#include "crypto/secret.h"

/* ---- libcurl ---- */

#define FIRST_PAUSE 0.25	/* seconds before the first retry, doubling */

struct lh_curl lh_curl;

static struct {
	char failed[256];
	bool nomem;	/* it failed for lack of memory */
} loader;

/* Report why libcurl was not loaded.  The loader gives its reasons as text only. */
static void report_not_loaded(void)
{
	const char *why = dlerror();

	why = why ? why : "no reason given";
	snprintf(loader.failed, sizeof loader.failed, "%s", why);
	loader.nomem = strstr(why, strerror(ENOMEM)) != NULL;
}

static void *find_function(void *so, const char *name)
{
	void *p = dlsym(so, name);

	if (!p && !loader.failed[0])
		report_not_loaded();
	return p;
}

static void load(void)
{
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!so) {
		report_not_loaded();
		return;
	}
	lh_curl.global_init = find_function(so, "curl_global_init");
	lh_curl.init = find_function(so, "curl_easy_init");
	lh_curl.cleanup = find_function(so, "curl_easy_cleanup");
	lh_curl.reset = find_function(so, "curl_easy_reset");
	lh_curl.setopt = find_function(so, "curl_easy_setopt");
	lh_curl.getinfo = find_function(so, "curl_easy_getinfo");
	lh_curl.perform = find_function(so, "curl_easy_perform");
	lh_curl.strerror = find_function(so, "curl_easy_strerror");
	lh_curl.slist_append = find_function(so, "curl_slist_append");
	lh_curl.slist_free_all = find_function(so, "curl_slist_free_all");
	if (!loader.failed[0] && lh_curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		snprintf(loader.failed, sizeof loader.failed, "libcurl does not start");
}

int lh_curl_load(struct lh_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (loader.failed[0] && loader.nomem)
		return lh_err_nomem(err);
	return loader.failed[0] ? lh_err_set(err, LH_ENET, "no libcurl: %s", loader.failed) : 0;
}

int lh_curl_set_safe(CURL *c)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	int bad = 0;

	bad |= lh_curl.setopt(c, CURLOPT_USERAGENT, "lakehouse-tools");
	bad |= lh_curl.setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= lh_curl.setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= lh_curl.setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= lh_curl.setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (file && *file)
		bad |= lh_curl.setopt(c, CURLOPT_CAINFO, file);
	if (dir && *dir)
		bad |= lh_curl.setopt(c, CURLOPT_CAPATH, dir);
	return bad ? -1 : 0;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	bool (*stopping)(void) = arg;

	(void)a, (void)b, (void)c, (void)d;
	return stopping && stopping();
}

int lh_curl_set_callbacks(CURL *c, curl_write_callback receive, void *arg,
			  bool (*stopping)(void), char *why)
{
	int bad = 0;

	bad |= lh_curl.setopt(c, CURLOPT_WRITEFUNCTION, receive);
	bad |= lh_curl.setopt(c, CURLOPT_WRITEDATA, arg);
	bad |= lh_curl.setopt(c, CURLOPT_NOPROGRESS, 0L);
	bad |= lh_curl.setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= lh_curl.setopt(c, CURLOPT_XFERINFODATA, stopping);
	bad |= lh_curl.setopt(c, CURLOPT_ERRORBUFFER, why);
	return bad ? -1 : 0;
}

static bool lh_url_is_loopback(const char *url);

int lh_curl_set_proxy(CURL *c, const char *url)
{
	return lh_curl.setopt(c, CURLOPT_PROXY, lh_url_is_loopback(url) ? "" : NULL) ? -1 : 0;
}

CURLcode lh_curl_perform(CURL *c)
{
	sigset_t pipe_set, old, pending;
	CURLcode rc;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	rc = lh_curl.perform(c);
	if (!sigismember(&old, SIGPIPE)) {
		if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
			sigtimedwait(&pipe_set, NULL, &(struct timespec){ 0, 0 });
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	return rc;
}

bool lh_curl_is_transient(CURLcode rc)
{
	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return true;
	default:
		return false;
	}
}

static double pause_before(unsigned n, unsigned *seed)
{
	double s = FIRST_PAUSE * (double)(1u << (n < 16 ? n : 16));

	return s * (0.5 + 0.5 * (double)rand_r(seed) / (double)RAND_MAX);
}

int lh_curl_wait(CURL *c, unsigned n, double most, unsigned *seed, bool (*stopping)(void))
{
	curl_off_t after = 0;
	double seconds;

	lh_curl.getinfo(c, CURLINFO_RETRY_AFTER, &after);
	seconds = after > 0 ? (double)after : pause_before(n, seed);
	if (seconds > most)
		seconds = most;
	while (seconds > 0) {
		double slice = seconds < 0.05 ? seconds : 0.05;

		if (stopping && stopping())
			return -1;
		nanosleep(&(struct timespec){ 0, (long)(slice * 1e9) }, NULL);
		seconds -= slice;
	}
	return 0;
}

void lh_curl_remove_duration(char *why)
{
	char *after = strstr(why, " after "), *digits = after ? after + strlen(" after ") : NULL;
	size_t n = digits ? strspn(digits, "0123456789") : 0;

	if (n && strncmp(digits + n, " ms", 3) == 0)
		memmove(after, digits + n + 3, strlen(digits + n + 3) + 1);
}

/* ---- addresses ---- */

/* Return where the user-info (or else the host) begins; *end is where the authority
 * ends. */
static const char *authority(const char *url, const char **end)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	*end = p + strcspn(p, "/?#");
	return p;
}

/* Return the @ after the user-info, or NULL. */
static const char *user_info_end(const char *p, const char *end)
{
	return memrchr(p, '@', (size_t)(end - p));
}

bool lh_url_has_user(const char *url)
{
	const char *end, *p = authority(url, &end);

	return user_info_end(p, end) != NULL;
}

struct lh_str lh_url_divide(struct lh_str authority, struct lh_str *port)
{
	const char *p = authority.p, *end = p + authority.n;
	const char *bracket = authority.n && *p == '[' ? memchr(p, ']', authority.n) : NULL;
	const char *from = bracket ? bracket : p, *colon = memchr(from, ':', (size_t)(end - from));

	*port = (struct lh_str){ NULL, 0 };
	if (!colon)
		return authority;
	*port = (struct lh_str){ colon + 1, (size_t)(end - colon) - 1 };
	return (struct lh_str){ p, (size_t)(colon - p) };
}

unsigned lh_url_port(struct lh_str port)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < port.n && i < 5 && port.p[i] >= '0' && port.p[i] <= '9'; i++)
		n = n * 10 + (unsigned)(port.p[i] - '0');
	return i == port.n && n <= 65535 ? n : 0;
}

/* A host, and its port as a number: 0 if it is not one. */
struct place {
	struct lh_str host;
	unsigned port;
};

static struct place read_place(const char *url)
{
	const char *end, *p = authority(url, &end), *at = user_info_end(p, end);
	struct lh_str port;
	struct place to;

	p = at ? at + 1 : p;
	to.host = lh_url_divide((struct lh_str){ p, (size_t)(end - p) }, &port);
	to.port = port.n ? lh_url_port(port) : strncasecmp(url, "https:", 6) ? 80 : 443;
	return to;
}

bool lh_url_same_place(const char *url, const char *other)
{
	const char *a = strstr(url, "://"), *b = strstr(other, "://");
	struct place x = read_place(url), y = read_place(other);

	if (!a || !b || a - url != b - other || strncasecmp(url, other, (size_t)(a - url)) != 0)
		return false;
	return !lh_url_has_user(url) && !lh_url_has_user(other) && x.port && x.port == y.port &&
	       x.host.n == y.host.n && strncasecmp(x.host.p, y.host.p, x.host.n) == 0;
}

void lh_url_move(struct lh_buf *out, const char *url, const char *other)
{
	const char *end, *rest;

	authority(url, &end);
	authority(other, &rest);
	lh_buf_add(out, url, (size_t)(end - url));
	lh_buf_puts(out, rest);
	lh_buf_putc(out, '\0');
}

static bool lh_url_is_loopback(const char *url)
{
	struct lh_str to = read_place(url).host;

	return lh_str_is(to, "[::1]", 5) || (to.n == 9 && !strncasecmp(to.p, "localhost", 9)) ||
	       (!strncmp(to.p, "127.", 4) && strspn(to.p, "0123456789.") == to.n);
}

void lh_http_mask(const char *url, char *out, size_t n)
{
	const char *end, *p = authority(url, &end), *at = user_info_end(p, end);

	if (!at && (!read_place(url).port || !strstr(url, "://"))) {
		/* not an address: everything before the last @ is masked */
		p = strstr(url, "://");
		at = strrchr(url, '@');
		p = p && (!at || p < at) ? p + 3 : url;
	}
	if (at)
		snprintf(out, n, "%.*s***%s", (int)(p - url), url, at);
	else
		snprintf(out, n, "%s", url);
}

int lh_http_check_url(const char *url, struct lh_err *err)
{
	struct place to = read_place(url);
	char shown[LH_URL_SHOWN];
	const char *p;

	lh_http_mask(url, shown, sizeof shown);
	if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8))
		return lh_err_set(err, LH_EUSAGE, "\"%s\" is not an http:// or https:// address",
				  shown);
	if (!to.host.n)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" names no host", shown);
	for (p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return lh_err_set(err, LH_EUSAGE,
					  "\"%s\" holds white space or control bytes", shown);
	if (!to.port)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" has a port that is not from 1 to 65535",
				  shown);
	return 0;
}

int lh_http_check_kept_url(const char *url, struct lh_err *err)
{
	char shown[LH_URL_SHOWN];

	if (lh_http_check_url(url, err) < 0)
		return -1;
	lh_http_mask(url, shown, sizeof shown);
	if (lh_url_has_user(url))
		return lh_err_set(err, LH_EUSAGE,
				  "\"%s\" holds user-info, which an index does not keep", shown);
	return 0;
}

/* ---- user-info in the texts of others ---- */

/* The forms to search for: as given, decoded, as Basic; the same for its parts. */
enum { RAW, PLAIN, BASIC, RAW_NAME, RAW_WORD, NAME, WORD, FORMS };

static void append_decoded(struct lh_buf *b, const char *p, size_t n)
{
	unsigned byte;
	char hex[3];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(hex, sizeof hex, "%.*s", n - i > 2 ? 2 : 0, p + i + 1);
		if (p[i] == '%' && strspn(hex, "0123456789abcdefABCDEF") == 2 &&
		    sscanf(hex, "%x", &byte) == 1) {
			lh_buf_putc(b, (char)byte);
			i += 2;
		} else {
			lh_buf_putc(b, p[i]);
		}
	}
}

/* Append one form of name and password, in a buffer of its own. */
static void append_form(struct lh_buf *b, int form, struct lh_str name, struct lh_str word,
			bool colon)
{
	LH_SCOPED(lh_buf_free) struct lh_buf pair = { 0 };

	if (form == RAW || form == RAW_NAME)
		lh_buf_add(b, name.p, name.n);
	if (form == RAW && colon)
		lh_buf_putc(b, ':');
	if (form == RAW || form == RAW_WORD)
		lh_buf_add(b, word.p, word.n);
	if (form == PLAIN || form == NAME)
		append_decoded(b, name.p, name.n);
	if (form == PLAIN && colon)
		lh_buf_putc(b, ':');
	if (form == PLAIN || form == WORD)
		append_decoded(b, word.p, word.n);
	if (form != BASIC)
		return;
	append_form(&pair, PLAIN, name, word, true);
	lh_buf_base64(b, pair.p, pair.len);
	while (b->len && b->p[b->len - 1] == '=')
		b->len--;	/* an echoed form may have been cut to the letters */
}

void lh_url_scrub(const char *url, const char *text, size_t len, size_t n, struct lh_buf *out)
{
	const char *end, *p = authority(url, &end), *at = user_info_end(p, end), *colon;
	struct lh_secret form[FORMS] = { { NULL, 0, 0 } };
	struct lh_buf made[FORMS];
	struct lh_str name, word;
	int i;

	if (!at) {
		lh_buf_add(out, text, len < n ? len : n);
		return;
	}
	colon = memchr(p, ':', (size_t)(at - p));
	name = (struct lh_str){ p, (size_t)((colon ? colon : at) - p) };
	word = (struct lh_str){ colon ? colon + 1 : at, colon ? (size_t)(at - colon - 1) : 0 };
	for (i = 0; i < FORMS; i++) {
		made[i] = (struct lh_buf){ 0 };
		append_form(&made[i], i, name, word, colon);
		form[i] = (struct lh_secret){ (unsigned char *)made[i].p, made[i].len, 0 };
	}
	lh_secret_scrub(form, FORMS, text, len, n, out);
	for (i = 0; i < FORMS; i++)
		lh_buf_free(&made[i]);
}
