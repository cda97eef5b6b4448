/*
 * trace.h - the parts of lh-trace.
 *
 *     main.c    options, operands
 *     shown.c   answers for a terminal, and as a page
 */
#ifndef TRACE_H
#define TRACE_H

#include "json/json.h"
#include "term/term.h"

/* Append an answer, which is JSON, as a tree.  Lines are wrapped at width, 0: not. */
void tree_print(struct lh_buf *out, const struct lh_value *answer, bool colored, size_t width);

/* Append an answer as a part of a page. */
void page_print(struct lh_buf *out, const struct lh_value *answer);
void page_open(struct lh_buf *out);
void page_close(struct lh_buf *out);

/* ---- shown.c ---- */

/* Append a string member of an object, and FILE:LINE of a step; nothing if it has none. */
void text_of(struct lh_buf *out, const struct lh_value *object, const char *name);
void place_of(struct lh_buf *out, const struct lh_value *step);

#endif
