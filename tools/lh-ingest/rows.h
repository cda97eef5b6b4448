/* rows - rows of any table as records: members, ids, null cells, what is rejected. */
#ifndef ROWS_H
#define ROWS_H

#include "ingest.h"

/* A column with what is written before its values. */
struct member {
	const char *key;	/* ,"name": */
	size_t n;
	enum lh_column_type type;
	bool dropped;		/* --id or --line gives it another value */
	bool json;		/* its text is JSON already */
};

struct rows {
	struct ingest *in;
	const char *file;	/* the first one */
	/* Return the text of cell i of the row, valid until the next call; p NULL: null. */
	struct lh_str (*cell)(void *table, size_t i);
	void *table;
	struct member *member;
	const struct lh_column *column;
	size_t n, id;		/* id: the column of --id */
	bool *null;		/* by column: a cell was */
	struct lh_buf keys;
	uint64_t line;		/* of the row */
	char fingerprint[65];
};

/* Prepare for rows of these columns, which stay the caller's. */
int rows_begin(struct rows *r, const struct lh_column *column, size_t n);

/* Append the record of the row to r->in->out.  -1 with LH_EDATA: a cell does not fit. */
int rows_put(struct rows *r, struct lh_err *err);

/* Count the row as done, and pass records on when there are enough. */
int rows_done(struct rows *r);

/* Describe or keep what was written, if that is asked for. */
int rows_finish(struct rows *r);

void rows_free(struct rows *r);

#endif

