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
 * Errors:  LH_ENET: there is no libcurl; LH_ENOMEM.
 * Threads: any; each handle is used by one.
 */
#ifndef LH_CURL_H
#define LH_CURL_H

#include <curl/curl.h>
#include <lh/err.h>

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

#endif
