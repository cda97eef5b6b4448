/* http.c - GET, or POST a body; the id that accompanies a request.  See http.h. */
#include "http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "crypto/secret.h"
#include "net/curl.h"

/* ---- calls ---- */

#define BODY_SHOWN 200
#define QUOTED 256		/* bytes of a body in which a key is replaced */
#define REDIRECTS 5
#define CONNECT_WAIT 10.0	/* seconds; a longer --timeout is for the answer */

struct lh_http {
	CURL *curl;
	struct curl_slist *headers;	/* of every call, ... */
	struct curl_slist *traced;	/* ... and with the request id of this one */
	struct lh_buf trace;
	struct lh_http_opts opts;
	struct lh_buf body, url;	/* url: the target of a redirect */
	unsigned seed;
	char moved[LH_URL_SHOWN];		/* the target of a redirect that was not followed */
	char curl_why[CURL_ERROR_SIZE], why[CURL_ERROR_SIZE + 64];
};

int lh_http_check_bearer(const char *token, struct lh_err *err)
{
	const char *p;

	for (p = token; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return lh_err_set(err, LH_EUSAGE,
					  "holds white space, control or non-ASCII characters");
	return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct lh_http *h = arg;

	lh_buf_add(&h->body, p, size * n);
	return h->body.failed ? 0 : size * n;
}

static int set_headers(struct curl_slist **list, const char *first, bool text)
{
	/* An empty Expect: no pause before the body for a "100 Continue". */
	const char *const fields[] = {
		text ? "Content-Type: text/plain; charset=utf-8" : "Content-Type: application/json",
		text ? "Accept: */*" : "Accept: application/json", "Expect:"
	};
	struct curl_slist *more = first ? lh_curl.slist_append(*list, first) : *list;
	size_t i;

	if (first && !more)
		return -1;
	*list = more;
	for (i = 0; i < sizeof fields / sizeof *fields; i++) {
		more = lh_curl.slist_append(*list, fields[i]);
		if (!more)
			return -1;
		*list = more;
	}
	return 0;
}

/* Make the headers of a call with that request id, which cannot end its line. */
static int set_trace(struct lh_http *h, struct lh_str id)
{
	struct lh_buf *b = &h->trace;
	size_t i;

	lh_curl.slist_free_all(h->traced);
	h->traced = NULL;
	if (!id.n)
		return lh_curl.setopt(h->curl, CURLOPT_HTTPHEADER, h->headers) ? -1 : 0;
	lh_buf_reset(b);
	lh_buf_puts(b, "X-Lakehouse-Trace-Id: ");
	for (i = 0; i < id.n; i++)
		if (id.p[i] > ' ' && id.p[i] < 0x7f)
			lh_buf_putc(b, id.p[i]);
		else
			lh_buf_printf(b, "%%%02X", (unsigned char)id.p[i]);
	lh_buf_putc(b, '\0');
	if (set_headers(&h->traced, b->p, h->opts.text) < 0)
		return -1;
	return lh_curl.setopt(h->curl, CURLOPT_HTTPHEADER, h->traced) ? -1 : 0;
}

static double connect_wait(const struct lh_http *h)
{
	return h->opts.timeout < CONNECT_WAIT ? h->opts.timeout : CONNECT_WAIT;
}

/* Set the options that are the same for every call of this handle. */
static int set_options(struct lh_http *h)
{
	CURL *c = h->curl;
	int bad = lh_curl_set_safe(c) |
		  lh_curl_set_callbacks(c, on_body, h, h->opts.stopping, h->curl_why);

	bad |= lh_curl.setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	bad |= lh_curl.setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_wait(h) * 1000));
	bad |= lh_curl.setopt(c, CURLOPT_TIMEOUT_MS, (long)(h->opts.timeout * 1000));
	return bad ? -1 : 0;
}

struct lh_http *lh_http_new(const struct lh_http_opts *opts, struct lh_err *err)
{
	struct lh_http *h;

	if (lh_curl_load(err) < 0)
		return NULL;
	h = lh_calloc(1, sizeof *h);
	h->opts = *opts;
	h->seed = (unsigned)((uintptr_t)h >> 4) ^ (unsigned)time(NULL);
	lh_buf_init(&h->body, opts->max_body ? opts->max_body : LH_HTTP_MAX_BODY);
	h->curl = lh_curl.init();
	if (!h->curl || set_headers(&h->headers, NULL, opts->text) < 0 || set_options(h) < 0) {
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
		lh_curl.cleanup(h->curl);
	lh_curl.slist_free_all(h->headers);
	lh_curl.slist_free_all(h->traced);
	lh_buf_free(&h->body);
	lh_buf_free(&h->url);
	lh_buf_free(&h->trace);
	free(h);
}

static int set_target(struct lh_http *h, const struct lh_http_call *call)
{
	CURL *c = h->curl;
	int bad = 0;

	bad |= lh_curl.setopt(c, CURLOPT_URL, call->url);
	bad |= lh_curl.setopt(c, CURLOPT_XOAUTH2_BEARER, call->bearer);
	bad |= lh_curl.setopt(c, CURLOPT_USERPWD, call->basic);
	bad |= lh_curl.setopt(c, CURLOPT_HTTPAUTH, call->bearer ? CURLAUTH_BEARER : CURLAUTH_BASIC);
	bad |= lh_curl_set_proxy(c, call->url);
	if (!call->body)
		return bad | lh_curl.setopt(c, CURLOPT_HTTPGET, 1L) ? -1 : 0;
	bad |= lh_curl.setopt(c, CURLOPT_POST, 1L);
	bad |= lh_curl.setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->n);
	bad |= lh_curl.setopt(c, CURLOPT_POSTFIELDS, call->body);
	return bad ? -1 : 0;
}

static bool is_retry_status(const struct lh_http *h, long status)
{
	return status == 408 || (status == 409 && !h->opts.text) || status == 429 ||
	       status / 100 == 5;
}

/* Return how many bytes of the body to quote: not cut within a character, without
 * trailing blanks. */
static size_t shown_len(const struct lh_buf *b)
{
	size_t n = b->len;

	if (n > BODY_SHOWN)
		for (n = BODY_SHOWN;
		     n > BODY_SHOWN - 4 && ((unsigned char)b->p[n] & 0xc0) == 0x80; )
			n--;
	while (n && isspace((unsigned char)b->p[n - 1]))
		n--;
	return n;
}

int lh_http_refuse(struct lh_err *err, const char *url, const struct lh_http_reply *reply,
		   const char *what)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, quote = { 0 };
	size_t n;
	char shown[LH_URL_SHOWN];

	/* Append "URL: HTTP 200: ", then the fault and its likely cause. */
	lh_http_mask(url, shown, sizeof shown);
	lh_buf_printf(&text, "%s: HTTP %ld", shown, reply->status);
	if (reply->moved)
		lh_buf_printf(&text, ": a redirect to %s, which is not followed", reply->moved);
	if (what) {
		lh_buf_puts(&text, ": ");
		lh_url_scrub(url, what, strlen(what), strlen(what), &text);
	}
	lh_url_scrub(url, reply->body, reply->len, BODY_SHOWN + 4, &quote);
	n = shown_len(&quote);
	if (n)
		lh_buf_puts(&text, ": ");
	lh_buf_add(&text, quote.p, n);
	return lh_err_set(err, LH_ENET, "%.*s", (int)text.len, text.p);
}

int lh_http_refuse_keyed(struct lh_err *err, const char *url, const struct lh_http_reply *reply,
			 const char *what, const struct lh_secret *key)
{
	struct lh_http_reply shown = *reply;
	LH_SCOPED(lh_buf_free) struct lh_buf quote = { 0 };

	if (key) {
		lh_secret_scrub(key, 1, reply->body, reply->len, QUOTED, &quote);
		shown.body = quote.p;
		shown.len = quote.len;
	}
	return lh_http_refuse(err, url, &shown, what);
}

#define OLLAMA_PORT ":11434"	/* the usual one */

/* Report why there is no complete answer. */
static int report_incomplete(struct lh_http *h, CURLcode rc, const char *url,
			     struct lh_http_reply *reply, struct lh_err *err)
{
	char shown[LH_URL_SHOWN];
	curl_off_t connected = 0;

	lh_curl.getinfo(h->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (rc == CURLE_OUT_OF_MEMORY)
		return lh_err_nomem(err);
	if (h->body.failed)
		snprintf(h->why, sizeof h->why, "answer longer than %zu bytes", h->body.max);
	else if (rc == CURLE_OPERATION_TIMEDOUT && !connected)
		snprintf(h->why, sizeof h->why, "no connection within %g s", connect_wait(h));
	else if (rc == CURLE_OPERATION_TIMEDOUT)
		snprintf(h->why, sizeof h->why, "no whole answer within %g s", h->opts.timeout);
	else if (rc == CURLE_TOO_MANY_REDIRECTS)
		snprintf(h->why, sizeof h->why, "more than %d redirects", REDIRECTS);
	else
		snprintf(h->why, sizeof h->why, "%s",
			 h->curl_why[0] ? h->curl_why : lh_curl.strerror(rc));
	lh_curl_remove_duration(h->why);
	if (rc == CURLE_COULDNT_CONNECT && strstr(url, OLLAMA_PORT))
		snprintf(h->why + strlen(h->why), sizeof h->why - strlen(h->why),
			 " (is Ollama running? ollama serve)");
	reply->why = h->why;
	reply->timed_out = rc == CURLE_OPERATION_TIMEDOUT;
	if (reply->status)
		return lh_http_refuse(err, url, reply, h->why);
	lh_http_mask(url, shown, sizeof shown);
	return lh_err_set(err, LH_ENET, "%s: %s", shown, h->why);
}

/* Handle an answer that is a redirect: 1 if it is to be followed, with curl set to
 * its target, 0 if it is the answer, -1 if out of memory.  A request is never sent
 * to another place than its own. */
static int handle_redirect(struct lh_http *h, const struct lh_http_call *call,
			   struct lh_http_reply *reply)
{
	bool secret = call->bearer || call->basic || lh_url_has_user(call->url);
	const char *to = NULL;

	lh_curl.getinfo(h->curl, CURLINFO_REDIRECT_URL, &to);
	if (reply->status / 100 != 3 || !to)
		return 0;
	if (secret || !lh_url_same_place(call->url, to)) {
		lh_buf_reset(&h->url);
		lh_url_move(&h->url, to, "");
		lh_http_mask(h->url.p, h->moved, sizeof h->moved);
		reply->moved = h->moved;
		return 0;
	}
	lh_buf_reset(&h->url);
	lh_url_move(&h->url, call->url, to);
	return lh_curl.setopt(h->curl, CURLOPT_URL, h->url.p) ? -1 : 1;
}

/* Make one attempt, with the redirects that are followed.  Sets all of *reply
 * except why. */
static int make_attempt(struct lh_http *h, const struct lh_http_call *call, CURLcode *rc,
			struct lh_http_reply *reply, struct lh_err *err)
{
	unsigned moves = 0;
	int more;

	if (set_target(h, call) < 0)
		return lh_err_nomem(err);
	do {
		memset(reply, 0, sizeof *reply);
		lh_buf_reset(&h->body);
		h->curl_why[0] = '\0';
		*rc = lh_curl_perform(h->curl);
		lh_curl.getinfo(h->curl, CURLINFO_RESPONSE_CODE, &reply->status);
		reply->body = h->body.p;
		reply->len = h->body.len;
		more = *rc == CURLE_OK ? handle_redirect(h, call, reply) : 0;
	} while (more > 0 && moves++ < REDIRECTS);
	if (more > 0)
		*rc = CURLE_TOO_MANY_REDIRECTS;
	return more < 0 ? lh_err_nomem(err) : 0;
}

int lh_http_call(struct lh_http *h, const struct lh_http_call *call, struct lh_http_reply *reply,
		 struct lh_err *err)
{
	CURLcode rc = CURLE_OK;
	unsigned tries;
	bool again;

	memset(reply, 0, sizeof *reply);
	if (call->bearer && lh_http_check_bearer(call->bearer, err) < 0)
		return lh_err_prefix(err, "bearer");
	if (set_trace(h, call->trace) < 0)
		return lh_err_nomem(err);
	for (tries = 0;; tries++) {
		if (make_attempt(h, call, &rc, reply, err) < 0)
			return -1;
		again = rc == CURLE_OK ? is_retry_status(h, reply->status)
			: lh_curl_is_transient(rc) && !h->body.failed;
		if (!again || tries >= h->opts.retries)
			break;
		if (lh_curl_wait(h->curl, tries, h->opts.timeout, &h->seed, h->opts.stopping) < 0)
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	return rc == CURLE_OK ? 0 : report_incomplete(h, rc, call->url, reply, err);
}

/* ---- the id that accompanies a request ---- */

int lh_trace_check(const char *given, struct lh_err *err)
{
	size_t n = given ? strlen(given) : 0;

	if (n > LH_TRACE_MAX)
		return lh_err_set(err, LH_EUSAGE, "--trace-id of %zu bytes: at most %d", n,
				  LH_TRACE_MAX);
	if (n && !lh_utf8_valid(given, n))
		return lh_err_set(err, LH_EUSAGE, "--trace-id is not UTF-8");
	return 0;
}

int lh_trace_of(const struct lh_record *rec, const char *given, struct lh_buf *scratch,
		struct lh_str *out, bool *own, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "trace_id");

	*own = v && v->type == LH_STRING && v->n > 2;
	*out = (struct lh_str){ given, given ? strlen(given) : 0 };
	if (!*own)
		return 0;
	lh_value_str(v, scratch, out);
	return out->n <= LH_TRACE_MAX ? 0
		: lh_err_data(err, 413, "\"trace_id\" is longer than %d bytes", LH_TRACE_MAX);
}

void lh_trace_put(struct lh_buf *out, struct lh_str trace)
{
	if (!trace.n)
		return;
	lh_buf_puts(out, ",\"trace_id\":");
	lh_buf_json(out, trace.p, trace.n);
}

void lh_trace_write(struct lh_writer *w, struct lh_str trace)
{
	if (trace.n)
		lh_write_str(w, "trace_id", trace);
}
