/* value - a member of a record as a value of SQLite, and back. */
#ifndef LH_QUERY_VALUE_H
#define LH_QUERY_VALUE_H

#include <sqlite3.h>

#include "query.h"

/* Return the kind of a value; a number outside of int64 and of the finite doubles is
 * KIND_TEXT, since it has its digits as a text. */
enum kind value_kind(const struct lh_value *v);

/* Return the value of a column of the reader's record as that; the last column is the whole
 * record. */
int column_result(sqlite3_context *ctx, struct reader *r, const struct columns *c, size_t column,
		  struct lh_buf *text, struct lh_err *err);

/* Set *cell to a value of a row; c: the column that it is of, or NULL for an expression.
 * Strings are valid as long as v; blobs are written to text as hex digits. */
void value_cell(sqlite3_value *v, const struct column *c, struct cell *cell, struct lh_buf *text,
		struct lh_record *scan);

#endif
