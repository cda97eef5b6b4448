/*
 * template - a text made of several fields of a record.
 *
 *     t = lh_template_new("{role} in {city}. Skills: {skills}", err);
 *     lh_template_render(t, rec, &text, err);
 *     lh_template_free(t);
 *
 * {PATH} stands for the field of that name or path (path.h): a string as its text, a
 * number or boolean as written, an array as its elements joined by ", ", an object
 * (or an array in an array) as its JSON text; null and an absent field as nothing.
 * {{ and }} are literal braces.
 *
 * Errors:  LH_EUSAGE for a template that does not parse; the message has the byte.
 * Threads: one template may be rendered by many threads.
 */
#ifndef LH_TEMPLATE_H
#define LH_TEMPLATE_H

#include "path.h"

struct lh_template;

struct lh_template *lh_template_new(const char *text, struct lh_err *err);
void lh_template_free(struct lh_template *t);

/* Append the text.  Fails only with LH_ENOMEM. */
int lh_template_render(const struct lh_template *t, const struct lh_record *rec, struct lh_buf *out,
		       struct lh_err *err);

/* Return the path of the field number i, NULL after the last.  It notes whether a record that
 * was rendered had it. */
struct lh_path *lh_template_path(const struct lh_template *t, size_t i);

#endif
