/*
 * text.h - text from outside, made fit for what people read.
 *
 * Whatever could move, hide or turn round what stands beside it (controls, and
 * the characters that steer the direction of writing) is spelt out as \xNN.
 */
#ifndef TEXT_H
#define TEXT_H

#include "lh_buf.h"

/* As a field of a table whose columns are two spaces apart: blanks that could
 * be taken for a gap are spelt out, too. */
void text_column(struct lh_buf *out, const char *p, size_t n);

/* As a part of a line of Markdown, in a table or not. */
void text_markdown(struct lh_buf *out, const char *p, size_t n);

#endif
