/*
 * escape - text from outside, made fit for what people read.
 *
 * Whatever could move, hide or turn round the text next to it (controls, and the
 * characters without a shape: of direction, of zero width, tags) is spelt out as
 * \xNN, byte by byte; so is what is not UTF-8.
 *
 * Appends to the buffer, which the caller checks.  Private to liblh and the tools.
 */
#ifndef LH_ESCAPE_H
#define LH_ESCAPE_H

#include <lh/buf.h>

/* The length of the character at p, which has n bytes at most; 0 when its first
 * byte is to be spelt out. */
size_t lh_escape_char_len(const char *p, size_t n);

/* As a field of a table whose columns are two spaces apart: blanks that could
 * be taken for a gap are spelt out, too. */
void lh_escape_column(struct lh_buf *out, const char *p, size_t n);

/* As a part of a line of Markdown, in a table or not. */
void lh_escape_markdown(struct lh_buf *out, const char *p, size_t n);

#endif
