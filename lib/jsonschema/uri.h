/*
 * uri - references to documents and to places in them (RFC 3986).
 *
 * A base may be relative, such as "parts/a.json", whose folder is then one below that of the
 * schema: "../b.json" is "b.json", and one more ".." is kept, "../b.json".
 *
 * Of the spellings of a path one is used: "a%20b", "a b" and "%61%20b" are all "a b".  Only
 * a slash, ?, # and % in a name, controls and what is not UTF-8 are escaped.
 */
#ifndef LH_JSONSCHEMA_URI_H
#define LH_JSONSCHEMA_URI_H

#include <lh/buf.h>
#include <lh/str.h>

/* Append what a reference is, relative to base, without its fragment; return the fragment,
 * which points into ref (p NULL: none).  base: "", or what an earlier call appended. */
struct lh_str lh_uri_resolve(struct lh_buf *out, struct lh_str base, struct lh_str ref);

/* Append the path of the file that a URI names, relative to the folder that root is in; false
 * if it is not below that folder, has a query, or cannot be a path.  Both as resolved. */
bool lh_uri_file(struct lh_buf *out, struct lh_str root, struct lh_str uri);

/* Return whether a URI, as resolved, is above the folder of the schema. */
bool lh_uri_climbs(struct lh_str uri);

/* Append a text with its %XX as bytes: 0, or -1 if that is not UTF-8. */
int lh_uri_unescape(struct lh_buf *out, struct lh_str text);

#endif
