/* url - addresses: their parts, and what messages show of them. */
#ifndef LH_URL_H
#define LH_URL_H

#include <lh/buf.h>
#include <lh/str.h>

#define LH_URL_SHOWN 400	/* bytes of an address in a message */

/* Divide "HOST[:PORT]".  Returns the host, an IPv6 address with its brackets; port->p is NULL
 * if there is no colon after it. */
struct lh_str lh_url_divide(struct lh_str authority, struct lh_str *port);

/* Return the number of a port from 1 to 65535; 0 if the text is none. */
unsigned lh_url_port(struct lh_str port);

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

/* Check that this is an http or https address: LH_EUSAGE if not. */
int lh_http_check_url(const char *url, struct lh_err *err);

/* Check that it is also an address that a file may contain, which must not have
 * user-info. */
int lh_http_check_kept_url(const char *url, struct lh_err *err);

/* Copy the URL with its user-info, if any, as "***"; truncated to n bytes. */
void lh_http_mask(const char *url, char *out, size_t n);

#endif
