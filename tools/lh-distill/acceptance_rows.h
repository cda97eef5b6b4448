/*
 * acceptance_rows.h - the files of a run, in memory.
 *
 * A table has the records of one file or of all files below a folder, in the order
 * of their paths; a line that is not a record is an error.  Free it in any case.
 */
#ifndef ACCEPTANCE_ROWS_H
#define ACCEPTANCE_ROWS_H

#include "distill.h"

struct table {			/* zeroed: empty */
	struct lh_buf text;
	struct lh_record *row;
	size_t n, cap;
};

void table_free(struct table *t);

/* A file that does not exist has no rows. */
int table_file(struct table *t, const struct lh_root *root, const char *relpath,
	       struct lh_err *err);
int table_below(struct table *t, const struct lh_root *root, const char *folder,
		struct lh_err *err);

/* Return the first record whose field is a string equal to the value v; NULL. */
const struct lh_record *table_find(const struct table *t, const char *field,
				   const struct lh_value *v);

/* Return whether the record's field is the string s. */
bool row_is(const struct lh_record *r, const char *field, const char *s);

/* Count the rows whose field is the string s. */
size_t table_count(const struct table *t, const char *field, const char *s);

#endif
