/*
 * attribute - whether the rows of an answer show persons without their candidate_id.
 *
 * With --attribute an answer has "tables" at its end, the tables of persons that the statement
 * uses, whatever it shows of them; and then "unnamed":true if its rows show columns of these and
 * not, in a column candidate_id, whose they are.  A table is of persons if it has a column with
 * ids of persons (lineage/person_ids.h), or if --persons names it.  Counts show no column, nor do
 * sums of one over all rows.  In doubt an answer is unnamed: of a UNION, of a table of persons
 * that is used twice, of an expression that is not understood.
 */
#ifndef LH_QUERY_ATTRIBUTE_H
#define LH_QUERY_ATTRIBUTE_H

#include "virtual.h"

/* Note a column that a statement reads, a function that it calls, while it is prepared. */
void attribute_read(struct engine *e, const char *table, const char *column);
void attribute_call(struct engine *e, const char *function);
/* Return whether the rows of a prepared statement are unnamed. */
bool attribute_unnamed(const struct engine *e, sqlite3_stmt *stmt, const char *sql);
/* Replace the reason why a statement failed while it ran, which may show a value of a record;
 * persons: it reads a table of persons. */
void attribute_hide(const struct query *q, bool persons, struct lh_err *err);
/* Write "tables", with --attribute. */
void attribute_write(const struct query *q, struct lh_writer *w);
/* Return whether a table that is in use is one of persons. */
bool attribute_persons(const struct query *q);

#endif
