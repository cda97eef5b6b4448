/*
 * cell - text for people: values as text that cannot harm a terminal, cut into lines.
 *
 * Clean text has no control, no invisible character and no byte that is not UTF-8: they are
 * escapes of JSON, or \xNN.
 */
#ifndef CELL_H
#define CELL_H

#include "json/value.h"

#define CELL_MAX 65536		/* bytes of a value that a cell shows */
#define CELL_MORE "\xe2\x80\xa6"	/* the ellipsis that follows what is cut */

/* Append text as clean text. */
void cell_clean(struct lh_buf *out, const char *p, size_t n);

/* Append a checked value as the clean text of a cell: a string without its quotes, an array
 * of scalars as a list, the error and the findings of a verdict in words, anything else as it is
 * written. */
void cell_value(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch);

/* Return whether the value is the error of a verdict. */
bool cell_is_error(const struct lh_value *v);

/* Return the cells of clean text. */
size_t cell_width(const char *p, size_t n);

/* Return the bytes of the prefix that fits in cells. */
size_t cell_fit(const char *p, size_t n, size_t cells);

/* Return the bytes of the first line of clean text wrapped at width (0: never), and in *next
 * where the following line begins. */
size_t cell_line(const char *p, size_t n, size_t width, size_t *next);

#endif
