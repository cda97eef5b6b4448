/*
 * vector_record - what a record says about its vector: id, text, vector, model,
 * metadata, read in the one way that lh-index and lh-search share.
 *
 * Owner: what is handed out points into the record or into the caller's
 *        scratch, which the caller resets between records.
 * Errors: LH_EDATA with a message fit for the user, LH_ENOMEM.
 */
#ifndef LH_VECTOR_RECORD_H
#define LH_VECTOR_RECORD_H

#include <lh/json.h>
#include "json/template.h"

/* The record's id: a string, or a number taken as its text. */
int lh_vector_record_id(const struct lh_record *rec, struct lh_buf *scratch, struct lh_str *id,
			struct lh_err *err);

/* A vector, as a JSON array or as base64 of little-endian f32, appended to out
 * as floats; *n is how many (at least one, at most LH_DIM_MAX). */
int lh_vector_record_vector(const struct lh_value *v, struct lh_buf *out, size_t *n,
			    struct lh_err *err);

/* The text to embed: the template's when tpl is given, else the string in
 * field.  An empty text is refused. */
int lh_vector_record_text(const struct lh_record *rec, const char *field,
			  const struct lh_template *tpl, struct lh_buf *scratch,
			  struct lh_str *text, struct lh_err *err);

/* The record's model; n = 0 when it names none. */
int lh_vector_record_model(const struct lh_record *rec, struct lh_buf *scratch,
			   struct lh_str *model, struct lh_err *err);

/* Metadata, appended to out as JSON text: the bytes of the "metadata" object
 * if there is one, else an object of every field but id, vector, dimension and
 * model (and a "metadata" that is null).  Nothing is appended when that leaves
 * no field.  An empty "metadata" object is appended: it clears. */
void lh_vector_record_meta(const struct lh_record *rec, struct lh_buf *out);

#endif
