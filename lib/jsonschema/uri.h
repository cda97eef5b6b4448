/* uri - references to documents and to places in them (RFC 3986). */
#ifndef LH_JSONSCHEMA_URI_H
#define LH_JSONSCHEMA_URI_H

#include <lh/buf.h>
#include <lh/str.h>

/* Append the absolute form of a reference, relative to base, without its fragment; return the
 * fragment, which points into ref (p NULL: none). */
struct lh_str lh_uri_resolve(struct lh_buf *out, struct lh_str base, struct lh_str ref);

/* Append a text with its %XX as bytes: 0, or -1 if that is not UTF-8. */
int lh_uri_unescape(struct lh_buf *out, struct lh_str text);

#endif
