/* http_url - addresses: their parts, and what messages show of them. */
#ifndef LH_HTTP_URL_H
#define LH_HTTP_URL_H

#include "http.h"

#define LH_URL_SHOWN 400	/* bytes of an address in a message */

/* Return whether the URL has user-info. */
bool lh_url_has_user(const char *url);

bool lh_url_is_loopback(const char *url);

/* Return whether both have the same scheme, host and port; false if one has user-info. */
bool lh_url_same_place(const char *url, const char *other);

/* Append "scheme://host:port" of url, then what follows that in other, and a NUL. */
void lh_url_move(struct lh_buf *out, const char *url, const char *other);

/* Append the first bytes of text, at most n, without the URL's user-info: as given,
 * decoded, and as Basic encodes it. */
void lh_url_scrub(const char *url, const char *text, size_t len, size_t n, struct lh_buf *out);

#endif
