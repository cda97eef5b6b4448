/*
 * trace.h - the parts of lh-trace.
 *
 *     main.c    options, operands
 *     tree.c    answers for a terminal
 *     page.c    answers as a page
 *     value.c   what both show of a member
 */
#ifndef TRACE_H
#define TRACE_H

#include <lh/json.h>
#include "term/term.h"

/* Append an answer, which is JSON, as a tree.  Lines are wrapped at width, 0: not. */
void tree_print(struct lh_buf *out, const struct lh_value *answer, bool colored, size_t width);

/* Append an answer as a part of a page. */
void page_print(struct lh_buf *out, const struct lh_value *answer);
void page_open(struct lh_buf *out);
void page_close(struct lh_buf *out);

/* ---- value.c ---- */

/* Return whether a member of a step is shown as one of its fields; if brief, without those
 * that its file or its record has, too. */
bool is_field(const struct lh_value *step, const struct lh_value *name, bool brief);

/* Append the text of a value: strings unescaped, arrays with ", " between the elements,
 * hashes shortened to 12 digits if brief. */
void value_text(struct lh_buf *out, const struct lh_value *name, const struct lh_value *v,
		bool brief);

/* Return what a field says: good, a warning, bad. */
enum lh_style value_style(const struct lh_value *name, const struct lh_value *v);

/* Append a string member of an object, and FILE:LINE of a step; nothing if it has none. */
void text_of(struct lh_buf *out, const struct lh_value *object, const char *name);
void place_of(struct lh_buf *out, const struct lh_value *step);

#endif
