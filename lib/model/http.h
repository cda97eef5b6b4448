/*
 * http - GET, or POST a JSON body, and get the answer; over libcurl.
 *
 *     h = lh_http_new(&(struct lh_http_opts){ .timeout = 60, .retries = 2 }, err);
 *     if (lh_http_post(h, url, body, n, &reply, err) < 0) ...   (no answer)
 *     if (reply.status != 200)
 *             return lh_http_refuse(err, url, &reply, NULL);    (a wrong one)
 *
 * Only http and https.  TLS is verified and nothing turns that off;
 * SSL_CERT_FILE and SSL_CERT_DIR name other authorities than the system's.  A
 * redirect is followed within the same scheme, host and port, at most five times
 * in a row and as the POST that it was; one to any other place is the answer, and
 * so is any redirect of a call with credentials (a bearer's token, or user-info in
 * the URL).  User-info is masked in every message, also where the answer that is
 * quoted holds it, plainly or as Basic sends it; a token stands in none.  Proxies
 * are taken from the environment as curl does, but loopback is always spoken to
 * directly.
 *
 * A connection that fails (refused, reset, closed without an answer), a time-out,
 * and the statuses 408, 409, 429 and 500 to 599 are tried again, at most
 * opts.retries times, after a doubling wait with jitter, or what Retry-After asks
 * for, but never longer than opts.timeout.  Every other status is the answer.
 *
 * The body is capped as it arrives, after decompression, so that neither an
 * endless answer nor a gzip bomb costs more than opts.max_body.
 *
 * libcurl is loaded when the first handle is made, not when the program starts:
 * it brings some thirty libraries and 3.5 ms, which a run that never meets the
 * network should not pay.
 *
 * Owner:   reply.body, why and moved are the handle's, until its next call; LH_PAD
 *          bytes follow the body.
 * Errors:  LH_ENET with one line that names the URL, and says the same each time
 *          the same goes wrong; LH_EINTR; LH_ENOMEM.
 * Threads: one handle per thread; it keeps its connection open.
 */
#ifndef LH_HTTP_H
#define LH_HTTP_H

#include <lh/buf.h>
#include <lh/json.h>

#define LH_HTTP_MAX_BODY ((size_t)16 << 20)

struct lh_http_opts {
	double timeout;		/* seconds for one attempt, connecting included */
	unsigned retries;
	size_t max_body;	/* 0: LH_HTTP_MAX_BODY */
	bool (*stopping)(void);	/* asked while waiting: true gives LH_EINTR; or NULL */
};

struct lh_http_call {
	const char *url;
	const char *bearer;	/* token for an Authorization header, or NULL */
	const void *body;	/* of a POST; NULL: a GET */
	size_t n;
	struct lh_str trace;	/* for X-Lakehouse-Trace-Id; n = 0: none.  What is not
				   visible ASCII goes as %XX */
};

struct lh_http_reply {
	long status;		/* 0: none came */
	const char *body;
	size_t len;
	const char *why;	/* what there is is not whole, because of this; NULL: it is */
	bool timed_out;		/* this is why */
	const char *moved;	/* a redirect to this place was not followed; or NULL */
};

struct lh_http;

struct lh_http *lh_http_new(const struct lh_http_opts *opts, struct lh_err *err);
void lh_http_free(struct lh_http *h);

/* 0: there is an answer, whatever its status. */
int lh_http_call(struct lh_http *h, const struct lh_http_call *call, struct lh_http_reply *reply, struct lh_err *err);
int lh_http_post(struct lh_http *h, const char *url, const void *body, size_t n, struct lh_http_reply *reply, struct lh_err *err);

/* "URL: HTTP 200: what: first 200 bytes of the body" (what may be NULL) as
 * LH_ENET; returns -1. */
int lh_http_refuse(struct lh_err *err, const char *url, const struct lh_http_reply *reply, const char *what);

/* Is this an address lh_http_post can be given?  LH_EUSAGE when not. */
int lh_http_check_url(const char *url, struct lh_err *err);

/* Is it one that a file of ours may keep?  That is no place for user-info. */
int lh_http_check_kept_url(const char *url, struct lh_err *err);

/* Is this a token that a header can carry?  LH_EUSAGE when not, and the message
 * does not show it. */
int lh_http_check_bearer(const char *token, struct lh_err *err);

/* The URL with its user-info, if any, as "***"; cut to fit n bytes. */
void lh_http_mask(const char *url, char *out, size_t n);

#endif
