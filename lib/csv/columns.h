/*
 * columns - the columns of a table of text: their types, and cells as JSON.
 *
 * The type of a column follows from the cells seen in it: int64 if all of them are whole
 * numbers in range, else float64 if all are finite numbers, else bool if all are true or
 * false in any case, else string.  Numbers are as in JSON, and int64 ones without point
 * and exponent: 007, +5, .5, " 5" and 1_0 are strings, and so are whole numbers that do
 * not fit.  Digits, E, digits without a point or sign (12E4) are a code and no number, unless
 * the type is given.  A column without cells is of strings.
 *
 * LH_PAD readable bytes follow each cell, as in a struct lh_buf.
 *
 *     lh_column_see(&column[i], cell);                  for each cell of the sample
 *     lh_column_decide(&column[i]);
 *     if (!lh_column_put(out, column[i].type, cell)) ...does not fit
 */
#ifndef LH_COLUMNS_H
#define LH_COLUMNS_H

#include <lh/buf.h>
#include <lh/str.h>

enum lh_column_type { LH_COLUMN_STRING, LH_COLUMN_INT64, LH_COLUMN_FLOAT64, LH_COLUMN_BOOL };

struct lh_column {
	struct lh_str name;
	enum lh_column_type type;
	bool given;		/* the type is not to be decided by cells */
	bool nullable;		/* a cell was empty */
	bool seen;		/* a cell was not */
	bool has_text;		/* a cell was no number */
	bool beyond;		/* all are numbers, one without an exact order in 64 bits */
	unsigned never;		/* a bit per type that a cell has excluded */
};

/* Return "string", "int64", "float64" or "bool". */
const char *lh_column_type_name(enum lh_column_type type);
/* Return the type with that name, or -1. */
int lh_column_type_named(struct lh_str name);

/* Take a cell of the sample into account; p NULL is an empty one. */
void lh_column_see(struct lh_column *c, struct lh_str cell);
/* Set the type by the cells seen. */
void lh_column_decide(struct lh_column *c);

/* Return whether a cell (of UTF-8, not NULL) fits the type. */
bool lh_column_fits(enum lh_column_type type, struct lh_str cell);
/* Return whether the cell of a decided column of numbers is one beyond 64 bits. */
bool lh_column_is_beyond(const struct lh_column *c, struct lh_str cell);
/* Append the cell as JSON, numbers as they are; false, and nothing, if it does not fit. */
bool lh_column_put(struct lh_buf *out, enum lh_column_type type, struct lh_str cell);

/* Compute the SHA-256, in hex, over name, 0x1f, type, 0x1e of each column. */
void lh_columns_fingerprint(const struct lh_column *c, size_t n, char hex[65]);

#endif
