/* virtual - the files as virtual tables of SQLite. */
#ifndef LH_QUERY_VIRTUAL_H
#define LH_QUERY_VIRTUAL_H

#include <sqlite3.h>

#include "query.h"

/* What the tables of a connection share. */
struct engine {
	struct query *q;
	sqlite3 *db;
	bool persons, mixes;	/* see attribute.h: columns that are read, functions called */
	struct lh_err failed;	/* the reason of an SQLITE_ERROR, if .code is set */
	struct used {
		struct engine *engine;
		struct table *table;
	} *used;		/* one per table */
};

/* Make the tables known to the connection by their names.  A file is opened when a statement
 * first uses its table. */
int virtual_tables(struct engine *e, struct lh_err *err);

/* Return the column of a table by names as SQLite has them, or NULL. */
const struct column *virtual_column(const struct engine *e, const char *table, const char *column);

#endif
