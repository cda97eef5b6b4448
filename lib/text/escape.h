/*
 * escape - escape text from outside for people.
 *
 * Characters that could move, hide or reverse the text next to them (controls, and
 * invisible characters: direction marks, zero widths, fillers, tags; escape.c has the rule)
 * become \xNN, byte by byte; so do bytes that are not UTF-8.
 *
 * Appends to the buffer, which the caller checks.
 */
#ifndef LH_ESCAPE_H
#define LH_ESCAPE_H

#include <lh/buf.h>

/* Append a JSON string with its quotes; a byte that is not UTF-8 becomes U+FFFD. */
void lh_escape_json(struct lh_buf *out, const char *text);

/* Return the length of the character at p, which has at most n bytes; 0 if its
 * first byte is to be escaped. */
size_t lh_escape_char_len(const char *p, size_t n);

/* Append a field of a table whose columns are two spaces apart: blanks that could
 * be taken for a gap are escaped, too. */
void lh_escape_column(struct lh_buf *out, const char *p, size_t n);

/* Append a part of a line of Markdown, in a table or not. */
void lh_escape_markdown(struct lh_buf *out, const char *p, size_t n);

#endif
