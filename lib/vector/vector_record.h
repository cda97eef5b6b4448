/*
 * vector_record - read the members of a record that describe a vector: id, text,
 * vector, model, metadata.
 *
 * Owner:  results point into the record or into the caller's scratch, which the
 *         caller resets between records.
 * Errors: LH_EDATA with a message for the user.
 */
#ifndef LH_VECTOR_RECORD_H
#define LH_VECTOR_RECORD_H

#include "json/json.h"
#include "json/value.h"

/* Read the id, a string or the text of a number, from field; NULL: from "id". */
int lh_vector_record_id(const struct lh_record *rec, const char *field, struct lh_buf *scratch,
			struct lh_str *id, struct lh_err *err);

/* Append a vector to out as floats.  v is a JSON array, or base64 of little-endian f32;
 * *n is set to the number of values, 1 to LH_DIM_MAX. */
int lh_vector_record_vector(const struct lh_value *v, struct lh_buf *out, size_t *n,
			    struct lh_err *err);

/* Read the text to embed: by the template tpl if given, else the string at field.
 * LH_EDATA for an empty text. */
int lh_vector_record_text(const struct lh_record *rec, struct lh_path *field,
			  const struct lh_template *tpl, struct lh_buf *scratch,
			  struct lh_str *text, struct lh_err *err);

/* The member, true, of a record of an index of persons. */
#define LH_OF_PERSONS "of_persons"

/* Read the model; n = 0 when the record has none. */
int lh_vector_record_model(const struct lh_record *rec, struct lh_buf *scratch,
			   struct lh_str *model, struct lh_err *err);

/* Append the metadata to out as JSON text: the "metadata" object if there is one, else
 * an object of all members but the id (in the field id; NULL: in "id"), vector, dimension,
 * model, of_persons if true, and a "metadata" that is null.  Without any such member nothing is
 * appended.  An empty "metadata" object is appended, since it clears what is stored. */
void lh_vector_record_meta(const struct lh_record *rec, const char *id, struct lh_buf *out);

#endif
