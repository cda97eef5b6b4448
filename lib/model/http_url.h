/*
 * http_url - addresses: their parts, and what messages show of them.
 * Private to liblh.
 */
#ifndef LH_HTTP_URL_H
#define LH_HTTP_URL_H

#include "http.h"

#define LH_URL_SHOWN 400	/* bytes of an address in a message */

/* Does the URL hold user-info? */
bool lh_url_has_user(const char *url);

bool lh_url_is_loopback(const char *url);

/* Have both the same scheme, host and port?  One with user-info has not. */
bool lh_url_same_place(const char *url, const char *other);

/* "scheme://host:port" of url, then what follows that in other; appended with
 * its NUL. */
void lh_url_move(struct lh_buf *out, const char *url, const char *other);

/* Append the beginning of text, n bytes of it at most, without the URL's
 * user-info: neither as it stands there, nor decoded, nor as Basic has it. */
void lh_url_scrub(const char *url, const char *text, size_t len, size_t n, struct lh_buf *out);

#endif
