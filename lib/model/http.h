/*
 * http - GET, or POST a JSON body or a text, with libcurl.
 *
 *     h = lh_http_new(&(struct lh_http_opts){ .timeout = 60, .retries = 2 }, err);
 *     if (lh_http_call(h, &(struct lh_http_call){ .url = url, .body = body, .n = n },
 *                      &reply, err) < 0) ...                    (no answer)
 *     if (reply.status != 200)
 *             return lh_http_refuse(err, url, &reply, NULL);    (a wrong one)
 *
 * Only http and https.  TLS certificates are verified, and there is no option
 * against it; SSL_CERT_FILE and SSL_CERT_DIR name other authorities than the
 * system's.  A redirect is followed within the same scheme, host and port, at most
 * five times, and as the same method; one to another place is the answer, and so is
 * any redirect of a call with credentials (a bearer token, or user-info in the
 * URL).  User-info is masked in every message, also in a quoted answer, plain or as
 * Basic encodes it; a message never contains a token.  Proxies are taken from the
 * environment as curl does, but loopback is always contacted directly.
 *
 * A failed connection (refused, reset, closed without an answer), a timeout, and
 * the statuses 408, 409, 429 and 500 to 599 are retried, at most opts.retries
 * times, after a doubling wait with jitter, or the Retry-After of the answer, but
 * never longer than opts.timeout.  Every other status is the answer.
 *
 * The body is limited while it arrives, after decompression, so that neither an
 * endless answer nor a gzip bomb costs more than opts.max_body.
 *
 * Owner:   reply.body, why and moved are the handle's, until its next call; LH_PAD bytes
 *          follow the body.
 * Errors:  LH_ENET with one line that names the URL, the same for the same fault;
 *          LH_EINTR.
 * Threads: one handle per thread; it keeps its connection open.
 */
#ifndef LH_HTTP_H
#define LH_HTTP_H

#include "base/buf.h"
#include "json/json.h"

#include "json/bind.h"
#include "json/write.h"
#include "net/curl.h"

#define LH_HTTP_MAX_BODY ((size_t)16 << 20)

struct lh_http_opts {
	double timeout;		/* seconds for one attempt, connecting included */
	unsigned retries;
	size_t max_body;	/* 0: LH_HTTP_MAX_BODY */
	bool text;		/* bodies are texts, not JSON, and a 409 is an answer */
	bool (*stopping)(void);	/* called while waiting: true gives LH_EINTR; or NULL */
};

struct lh_http_call {
	const char *url;
	const char *bearer;	/* token for an Authorization header, or NULL */
	const char *basic;	/* the same as "USER:PASSWORD" of basic authentication, or NULL */
	const void *body;	/* of a POST; NULL: a GET */
	size_t n;
	/* for X-Lakehouse-Trace-Id; n = 0: none.  Bytes other than visible ASCII
	 * are sent as %XX */
	struct lh_str trace;
};

struct lh_http_reply {
	long status;		/* 0: none was received */
	const char *body;
	size_t len;
	const char *why;	/* why the answer is incomplete; NULL: it is complete */
	bool timed_out;		/* the reason is a timeout */
	const char *moved;	/* the target of a redirect that was not followed; or NULL */
};

struct lh_http;

struct lh_http *lh_http_new(const struct lh_http_opts *opts, struct lh_err *err);
void lh_http_free(struct lh_http *h);

/* Make a call.  0: there is an answer, whatever its status. */
int lh_http_call(struct lh_http *h, const struct lh_http_call *call, struct lh_http_reply *reply,
		 struct lh_err *err);

/* Report "URL: HTTP 200: what: first 200 bytes of the body" (what may be NULL) as
 * LH_ENET; returns -1. */
int lh_http_refuse(struct lh_err *err, const char *url, const struct lh_http_reply *reply,
		   const char *what);

/* The same, with the key, if it is not NULL, replaced by "***" where the body quotes it. */
struct lh_secret;
int lh_http_refuse_keyed(struct lh_err *err, const char *url, const struct lh_http_reply *reply,
			 const char *what, const struct lh_secret *key);

/* Check that a header can contain this token: LH_EUSAGE if not; the message does
 * not show it. */
int lh_http_check_bearer(const char *token, struct lh_err *err);

/*
 * trace - the request id, which accompanies a request through every service.
 *
 * The trace_id of a record, else the one given to the process (--trace-id, else
 * LH_TRACE_ID), is sent with each upstream call as the header X-Lakehouse-Trace-Id
 * (http.h) and returned in the answer as trace_id.
 */

#define LH_TRACE_MAX 1024	/* bytes */
/* For a table of options (tool/tool.h). */
#define LH_TRACE_OPTION(s, f) \
	{ 0, "trace-id", "ID", "request id of records without one", \
	  LH_TEXT(s, f, .env = "LH_TRACE_ID") }

/* A line of a table (json/bind.h): the id that a record names.  null, "" and values
 * that are not a string count as absent. */
#define LH_TRACE_MEMBER(s, f) \
	{ LH_BIND_STRING("trace_id", s, f), .lax = true, .filled = true, .longest = LH_TRACE_MAX }

/* Check a given id.  NULL and "" mean none and are valid.  LH_EUSAGE. */
int lh_trace_check(const char *given, struct lh_err *err);

/* Return the id of a record: its trace_id, unescaped in scratch if necessary, else
 * the given one.  null, "" and values that are not a string count as absent.  *own:
 * it is the record's; n = 0: there is none.  LH_EDATA if it is too long. */
int lh_trace_of(const struct lh_record *rec, const char *given, struct lh_buf *scratch,
		struct lh_str *out, bool *own, struct lh_err *err);

/* Append ,"trace_id":"..." if there is an id. */
void lh_trace_put(struct lh_buf *out, struct lh_str trace);
/* Write the same as a member of the object that is being written. */
void lh_trace_write(struct lh_writer *w, struct lh_str trace);

#endif
