/*
 * copy - a table that is scanned again and again, as a temporary table.
 *
 * SQLite makes no automatic index for a virtual table: a join would read the file once per
 * row of the other side.  Instead the columns that a query uses are copied once to a
 * temporary table with an index on the columns that are compared.
 */
#ifndef LH_QUERY_COPY_H
#define LH_QUERY_COPY_H

#include <sqlite3.h>

#include "query.h"

struct copies;

struct copies *copies_new(struct query *q, struct lh_err *err);
void copies_free(struct copies *c);

/* The use of a table in a query: the columns it needs, and those that are compared with =. */
#define PLAN_COLUMNS 4
struct plan {
	uint64_t used;		/* a bit per column, the last one for all from 63 on */
	size_t n;
	int column[PLAN_COLUMNS];
};

/* Return a statement whose rows are the rowid and the columns of the table, NULL for those
 * that are not used, with a parameter per compared column; NULL with *err. */
sqlite3_stmt *copies_prepare(struct copies *c, struct table *t, const struct plan *plan,
			     struct lh_err *err);

#endif
