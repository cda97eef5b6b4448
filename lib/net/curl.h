/*
 * curl - libcurl, loaded at first use, and the habits that its users share.
 *
 * libcurl is loaded with the first handle, not at program start: it brings about
 * thirty libraries and 3.5 ms, which a run without network access should not pay.
 *
 *     if (lh_curl_load(err) < 0) ...
 *     c = lh_curl.init();
 *     if (lh_curl_set_safe(c) < 0) ...
 *     rc = lh_curl_perform(c);
 *
 * Errors:  LH_ENET: there is no libcurl.
 * Threads: any; each handle is used by one.
 */
#ifndef LH_CURL_H
#define LH_CURL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* The functions of libcurl that are used. */
struct lh_curl {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_reset) *reset;
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*getinfo)(CURL *, CURLINFO, ...);
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
};
extern struct lh_curl lh_curl;

/* Load libcurl, unless that is done. */
int lh_curl_load(struct lh_err *err);

/* Set what every handle has: http and https alone, verified certificates
 * (SSL_CERT_FILE and SSL_CERT_DIR name other authorities than the system's), no
 * signals, the name of the agent.  -1 if out of memory. */
int lh_curl_set_safe(CURL *c);

/* Set what receives the body of an answer, with its argument; what ends a call by returning
 * true (or NULL); and where the reason of a failure is written, CURL_ERROR_SIZE bytes. */
int lh_curl_set_callbacks(CURL *c, curl_write_callback receive, void *arg,
			  bool (*stopping)(void), char *why);

/* Set the proxy of a call to this address: that of the environment; none for loopback. */
int lh_curl_set_proxy(CURL *c, const char *url);

/* Perform without SIGPIPE: OpenSSL uses write(2), so that a closed connection would
 * kill the process, because a filter keeps the signal's default. */
CURLcode lh_curl_perform(CURL *c);

/* Return whether a failure may be gone at the next try: no connection, a timeout, an
 * answer that broke off. */
bool lh_curl_is_transient(CURLcode rc);

/* Sleep before try n+1 (n from 0), at most so many seconds: as long as the Retry-After of
 * the last answer says, else 0.25 s, doubling, with jitter.  -1 as soon as stopping (or
 * NULL) returns true. */
int lh_curl_wait(CURL *c, unsigned n, double most, unsigned *seed, bool (*stopping)(void));

/* Remove how long curl tried, " after 3 ms", so that the same fault has the same
 * message. */
void lh_curl_remove_duration(char *why);

/* url - addresses: their parts, and what messages show of them. */

#define LH_URL_SHOWN 400	/* bytes of an address in a message */

/* Divide "HOST[:PORT]".  Returns the host, an IPv6 address with its brackets; port->p is NULL
 * if there is no colon after it. */
struct lh_str lh_url_divide(struct lh_str authority, struct lh_str *port);

/* Return the number of a port from 1 to 65535; 0 if the text is none. */
unsigned lh_url_port(struct lh_str port);

/* Return whether the URL has user-info. */
bool lh_url_has_user(const char *url);

/* Return whether both have the same scheme, host and port; false if one has user-info. */
bool lh_url_same_place(const char *url, const char *other);

/* Append "scheme://host:port" of url, then what follows that in other, and a NUL. */
void lh_url_move(struct lh_buf *out, const char *url, const char *other);

/* Append the first bytes of text, at most n, without the URL's user-info: as given,
 * decoded, and as Basic encodes it. */
void lh_url_scrub(const char *url, const char *text, size_t len, size_t n, struct lh_buf *out);

/* Check that this is an http or https address: LH_EUSAGE if not. */
int lh_http_check_url(const char *url, struct lh_err *err);

/* Check that it is also an address that a file may contain, which must not have
 * user-info. */
int lh_http_check_kept_url(const char *url, struct lh_err *err);

/* Copy the URL with its user-info, if any, as "***"; truncated to n bytes. */
void lh_http_mask(const char *url, char *out, size_t n);

#endif
