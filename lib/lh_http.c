/* lh_http.c - GET, or POST a JSON body, and get the answer.  See lh_http.h. */
#include "lh_http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "lh_mem.h"

#define URL_SHOWN 400
#define BODY_SHOWN 200
#define FIRST_WAIT 0.25		/* seconds before the first retry, doubling */
#define CONNECT_WAIT 10.0	/* seconds; a longer --timeout is for the answer */

/* The calls of libcurl that are used here, found when first needed. */
static struct {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_cleanup) *cleanup;
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*getinfo)(CURL *, CURLINFO, ...);
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	char failed[256];
	bool nomem;	/* that is why */
} lib;

struct lh_http {
	CURL *curl;
	struct curl_slist *headers;
	struct lh_http_opts opts;
	struct lh_buf body;
	unsigned seed;
	char curl_why[CURL_ERROR_SIZE], why[CURL_ERROR_SIZE + 64];
};

/* The loader gives its reasons as text only. */
static void cannot_load(void)
{
	const char *why = dlerror();

	why = why ? why : "no reason given";
	snprintf(lib.failed, sizeof lib.failed, "%s", why);
	lib.nomem = strstr(why, strerror(ENOMEM)) != NULL;
}

static void *find(void *so, const char *name)
{
	void *p = dlsym(so, name);

	if (!p && !lib.failed[0])
		cannot_load();
	return p;
}

static void load(void)
{
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!so) {
		cannot_load();
		return;
	}
	lib.global_init = find(so, "curl_global_init");
	lib.init = find(so, "curl_easy_init");
	lib.cleanup = find(so, "curl_easy_cleanup");
	lib.setopt = find(so, "curl_easy_setopt");
	lib.getinfo = find(so, "curl_easy_getinfo");
	lib.perform = find(so, "curl_easy_perform");
	lib.strerror = find(so, "curl_easy_strerror");
	lib.slist_append = find(so, "curl_slist_append");
	lib.slist_free_all = find(so, "curl_slist_free_all");
	if (!lib.failed[0] && lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		snprintf(lib.failed, sizeof lib.failed, "libcurl does not start");
}

/* Where user-info (or else the host) begins, and the authority ends. */
static const char *authority(const char *url, const char **end)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	*end = p + strcspn(p, "/?#");
	return p;
}

/* The @ behind user-info, or NULL. */
static const char *user_info_end(const char *p, const char *end)
{
	return memrchr(p, '@', (size_t)(end - p));
}

void lh_http_mask(const char *url, char *out, size_t n)
{
	const char *end, *p = authority(url, &end), *at = user_info_end(p, end);

	if (at)
		snprintf(out, n, "%.*s***%s", (int)(p - url), url, at);
	else
		snprintf(out, n, "%s", url);
}

int lh_http_check_url(const char *url, struct lh_err *err)
{
	char shown[URL_SHOWN];
	const char *p, *end, *at;

	lh_http_mask(url, shown, sizeof shown);
	if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8))
		return lh_err_set(err, LH_EUSAGE, "\"%s\" is not an http:// or https:// address", shown);
	p = authority(url, &end);
	at = user_info_end(p, end);
	if ((at ? at + 1 : p) == end || *(at ? at + 1 : p) == ':')
		return lh_err_set(err, LH_EUSAGE, "\"%s\" names no host", shown);
	for (p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return lh_err_set(err, LH_EUSAGE, "\"%s\" holds white space or control bytes", shown);
	return 0;
}

int lh_http_check_kept_url(const char *url, struct lh_err *err)
{
	char shown[URL_SHOWN];

	if (lh_http_check_url(url, err) < 0)
		return -1;
	lh_http_mask(url, shown, sizeof shown);
	if (strncmp(url, shown, sizeof shown - 1) != 0)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" holds user-info, which an index does not keep", shown);
	return 0;
}

int lh_http_check_bearer(const char *token, struct lh_err *err)
{
	const char *p;

	for (p = token; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return lh_err_set(err, LH_EUSAGE, "holds white space, control or non-ASCII characters");
	return 0;
}

static bool is_loopback(const char *url)
{
	const char *end, *p = authority(url, &end), *at = user_info_end(p, end);
	size_t n;

	if (at)
		p = at + 1;
	if (!strncmp(p, "[::1]", 5))
		return true;
	n = strcspn(p, ":/?#");
	return (n == 9 && !strncasecmp(p, "localhost", 9)) ||
	       (!strncmp(p, "127.", 4) && strspn(p, "0123456789.") == n);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct lh_http *h = arg;

	lh_buf_add(&h->body, p, size * n);
	return h->body.failed ? 0 : size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct lh_http *h = arg;

	(void)a, (void)b, (void)c, (void)d;
	return h->opts.stopping && h->opts.stopping();
}

static int set_headers(struct lh_http *h)
{
	/* An empty Expect: no pause before the body for a "100 Continue". */
	static const char *const fields[] = {
		"Content-Type: application/json", "Accept: application/json", "Expect:"
	};
	struct curl_slist *more;
	size_t i;

	for (i = 0; i < sizeof fields / sizeof *fields; i++) {
		more = lib.slist_append(h->headers, fields[i]);
		if (!more)
			return -1;
		h->headers = more;
	}
	return 0;
}

static double connect_wait(const struct lh_http *h)
{
	return h->opts.timeout < CONNECT_WAIT ? h->opts.timeout : CONNECT_WAIT;
}

/* What is the same for every call of this handle. */
static int set_up(struct lh_http *h)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	CURL *c = h->curl;
	int bad = 0;

	bad |= lib.setopt(c, CURLOPT_HTTPHEADER, h->headers);
	bad |= lib.setopt(c, CURLOPT_USERAGENT, "lakehouse-tools");
	bad |= lib.setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	bad |= lib.setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= lib.setopt(c, CURLOPT_MAXREDIRS, 5L);
	bad |= lib.setopt(c, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
	bad |= lib.setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= lib.setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= lib.setopt(c, CURLOPT_NOSIGNAL, 1L);
	bad |= lib.setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_wait(h) * 1000));
	bad |= lib.setopt(c, CURLOPT_TIMEOUT_MS, (long)(h->opts.timeout * 1000));
	bad |= lib.setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	bad |= lib.setopt(c, CURLOPT_WRITEDATA, h);
	bad |= lib.setopt(c, CURLOPT_NOPROGRESS, 0L);
	bad |= lib.setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= lib.setopt(c, CURLOPT_XFERINFODATA, h);
	bad |= lib.setopt(c, CURLOPT_ERRORBUFFER, h->curl_why);
	if (file && *file)
		bad |= lib.setopt(c, CURLOPT_CAINFO, file);
	if (dir && *dir)
		bad |= lib.setopt(c, CURLOPT_CAPATH, dir);
	return bad ? -1 : 0;
}

struct lh_http *lh_http_new(const struct lh_http_opts *opts, struct lh_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct lh_http *h;

	pthread_once(&once, load);
	if (lib.failed[0] && lib.nomem) {
		lh_err_nomem(err);
		return NULL;
	}
	if (lib.failed[0]) {
		lh_err_set(err, LH_ENET, "no libcurl: %s", lib.failed);
		return NULL;
	}
	h = lh_calloc(1, sizeof *h, err);
	if (!h)
		return NULL;
	h->opts = *opts;
	h->seed = (unsigned)((uintptr_t)h >> 4) ^ (unsigned)time(NULL);
	lh_buf_init(&h->body, opts->max_body ? opts->max_body : LH_HTTP_MAX_BODY);
	h->curl = lib.init();
	if (!h->curl || set_headers(h) < 0 || set_up(h) < 0) {
		lh_http_free(h);
		lh_err_nomem(err);
		return NULL;
	}
	return h;
}

void lh_http_free(struct lh_http *h)
{
	if (!h)
		return;
	if (h->curl)
		lib.cleanup(h->curl);
	lib.slist_free_all(h->headers);
	lh_buf_free(&h->body);
	free(h);
}

static int aim(struct lh_http *h, const struct lh_http_call *call)
{
	const char *url = call->url, *end, *p = authority(url, &end);
	bool secret = call->bearer || user_info_end(p, end);
	CURL *c = h->curl;
	int bad = 0;

	bad |= lib.setopt(c, CURLOPT_URL, url);
	bad |= lib.setopt(c, CURLOPT_XOAUTH2_BEARER, call->bearer);
	bad |= lib.setopt(c, CURLOPT_HTTPAUTH, call->bearer ? CURLAUTH_BEARER : CURLAUTH_BASIC);
	bad |= lib.setopt(c, CURLOPT_FOLLOWLOCATION, secret ? 0L : 1L);
	bad |= lib.setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, strncasecmp(url, "https:", 6) ? "http,https" : "https");
	bad |= lib.setopt(c, CURLOPT_PROXY, is_loopback(url) ? "" : NULL);
	if (!call->body)
		return bad | lib.setopt(c, CURLOPT_HTTPGET, 1L) ? -1 : 0;
	bad |= lib.setopt(c, CURLOPT_POST, 1L);
	bad |= lib.setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->n);
	bad |= lib.setopt(c, CURLOPT_POSTFIELDS, call->body);
	return bad ? -1 : 0;
}

/* OpenSSL writes with write(2), so that a peer that went away would kill us
 * by SIGPIPE, which a filter keeps at its default: held off for the call. */
static CURLcode perform(struct lh_http *h)
{
	sigset_t pipe_set, old, pending;
	CURLcode rc;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	lh_buf_reset(&h->body);
	h->curl_why[0] = '\0';
	rc = lib.perform(h->curl);
	if (!sigismember(&old, SIGPIPE)) {
		if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
			sigtimedwait(&pipe_set, NULL, &(struct timespec){ 0, 0 });
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	return rc;
}

static bool is_connection_failure(CURLcode rc)
{
	switch (rc) {
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

static bool is_retry_status(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Sleep before try number n+1; -1 when asked to stop meanwhile. */
static int wait_turn(struct lh_http *h, unsigned n, curl_off_t retry_after)
{
	double s = FIRST_WAIT * (double)(1u << (n < 16 ? n : 16));

	s *= 0.5 + 0.5 * (double)rand_r(&h->seed) / (double)RAND_MAX;
	if (retry_after > 0)
		s = (double)retry_after;
	if (s > h->opts.timeout)
		s = h->opts.timeout;
	while (s > 0) {
		double slice = s < 0.05 ? s : 0.05;

		if (h->opts.stopping && h->opts.stopping())
			return -1;
		nanosleep(&(struct timespec){ 0, (long)(slice * 1e9) }, NULL);
		s -= slice;
	}
	return 0;
}

/* The first bytes of a body, not cut within a character. */
static int shown_len(const struct lh_http_reply *r)
{
	size_t n = r->len;

	if (n > BODY_SHOWN)
		for (n = BODY_SHOWN; n > BODY_SHOWN - 4 && ((unsigned char)r->body[n] & 0xc0) == 0x80; )
			n--;
	return (int)n;
}

int lh_http_refuse(struct lh_err *err, const char *url, const struct lh_http_reply *reply, const char *what)
{
	char shown[URL_SHOWN];
	int n = shown_len(reply);

	while (n > 0 && isspace((unsigned char)reply->body[n - 1]))
		n--;
	lh_http_mask(url, shown, sizeof shown);
	return lh_err_set(err, LH_ENET, "%s: HTTP %ld%s%s%s%.*s", shown, reply->status, what ? ": " : "", what ? what : "",
			  n ? ": " : "", n, n ? reply->body : "");
}

/* curl says how long it tried, " after 3 ms", and so of the same fault something
 * else each time; whoever logs it wants the same. */
static void drop_time(char *why)
{
	char *after = strstr(why, " after "), *digits = after ? after + strlen(" after ") : NULL;
	size_t n = digits ? strspn(digits, "0123456789") : 0;

	if (n && strncmp(digits + n, " ms", 3) == 0)
		memmove(after, digits + n + 3, strlen(digits + n + 3) + 1);
}

/* Say why there is no whole answer. */
static int explain(struct lh_http *h, CURLcode rc, const char *url, struct lh_http_reply *reply, struct lh_err *err)
{
	char shown[URL_SHOWN];
	curl_off_t connected = 0;

	lib.getinfo(h->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (rc == CURLE_OUT_OF_MEMORY || h->body.failed == LH_ENOMEM)
		return lh_err_nomem(err);
	if (h->body.failed)
		snprintf(h->why, sizeof h->why, "answer longer than %zu bytes", h->body.max);
	else if (rc == CURLE_OPERATION_TIMEDOUT && !connected)
		snprintf(h->why, sizeof h->why, "no connection within %g s", connect_wait(h));
	else if (rc == CURLE_OPERATION_TIMEDOUT)
		snprintf(h->why, sizeof h->why, "no whole answer within %g s", h->opts.timeout);
	else
		snprintf(h->why, sizeof h->why, "%s", h->curl_why[0] ? h->curl_why : lib.strerror(rc));
	drop_time(h->why);
	reply->why = h->why;
	reply->timed_out = rc == CURLE_OPERATION_TIMEDOUT;
	if (reply->status)
		return lh_http_refuse(err, url, reply, h->why);
	lh_http_mask(url, shown, sizeof shown);
	return lh_err_set(err, LH_ENET, "%s: %s", shown, h->why);
}

int lh_http_call(struct lh_http *h, const struct lh_http_call *call, struct lh_http_reply *reply, struct lh_err *err)
{
	curl_off_t after = 0;
	unsigned tries = 0;
	CURLcode rc;
	bool again;

	memset(reply, 0, sizeof *reply);
	if (call->bearer && lh_http_check_bearer(call->bearer, err) < 0)
		return lh_err_prefix(err, "bearer");
	if (aim(h, call) < 0)
		return lh_err_nomem(err);
	for (;; tries++) {
		memset(reply, 0, sizeof *reply);
		rc = perform(h);
		lib.getinfo(h->curl, CURLINFO_RESPONSE_CODE, &reply->status);
		lib.getinfo(h->curl, CURLINFO_RETRY_AFTER, &after);
		reply->body = h->body.p;
		reply->len = h->body.len;
		again = rc == CURLE_OK ? is_retry_status(reply->status) : is_connection_failure(rc) && !h->body.failed;
		if (!again || tries >= h->opts.retries)
			break;
		if (wait_turn(h, tries, after) < 0)
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	return rc == CURLE_OK ? 0 : explain(h, rc, call->url, reply, err);
}

int lh_http_post(struct lh_http *h, const char *url, const void *body, size_t n, struct lh_http_reply *reply, struct lh_err *err)
{
	return lh_http_call(h, &(struct lh_http_call){ .url = url, .body = body, .n = n }, reply, err);
}
