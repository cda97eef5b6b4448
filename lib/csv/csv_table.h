/*
 * csv_table - files of CSV or TSV as one table: columns with types, rows of cells.
 *
 *     struct lh_csv_table_how how = { .files = files, .n_files = 1, .sample = 1000 };
 *     struct lh_csv_table *t = lh_csv_table_open(&how, err);
 *     size_t n;
 *     const struct lh_column *column = lh_csv_table_columns(t, &n);
 *
 *     while ((rc = lh_csv_table_next(t, err)) != 0) {
 *             if (rc < 0 && err->code != LH_EDATA)
 *                     break;
 *             if (rc < 0)
 *                     ... rejected: err, lh_csv_table_place(t), lh_csv_table_text(t) ...
 *             for (i = 0; rc > 0 && i < n; i++)
 *                     ... lh_csv_table_cell(t, i): its text, or p NULL for null ...
 *     }
 *     lh_csv_table_close(t);
 *
 * Opening reads the header and the sample, whose rows decide the types of the columns;
 * the sample is then read again as rows.  Every file has the same header.  Compressed
 * files are read through lh-cat; each member of an archive is a file.
 *
 * Cells:   null is an empty cell, one that is missing at the end of a short row, and
 *          null_text.  Their text is UTF-8, and not checked against the column's type:
 *          lh_column_put and lh_column_fits (below) do that.
 * Errors:  LH_EDATA is about the row: see csv.h; also a row with more cells than columns.
 *          Others end the table, with the file's name before the reason.
 * Memory:  the longest row twice; of a pipe at most 16 MiB of the sample (the rest of it
 *          is in an unnamed file below TMPDIR).
 * Threads: one thread per table.
 */
#ifndef LH_CSV_TABLE_H
#define LH_CSV_TABLE_H

#include "base/buf.h"
#include "base/str.h"
#include "archive/archive.h"
#include "csv.h"

/* ---- columns ---- */

/*
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

/* ---- the table ---- */

#define LH_CSV_TABLE_SAMPLE 1000		/* rows, by default */

struct lh_csv_table_how {
	char *const *files;	/* "-" is stdin; n_files 0: stdin alone.  The caller's */
	size_t n_files;
	/* The first file, opened already; or NULL.  The table takes it over and zeroes it, also
	 * when opening fails. */
	struct lh_byte_source *first;
	char delimiter;		/* 0: what the first row of each file tells, else a comma */
	bool tsv;		/* with 0: else a tab; so it is if the name of the first file ends
				   in .tsv or .tab (compressed or not), unless csv is set */
	bool csv;
	enum lh_csv_quotes quotes;
	bool no_header;		/* the columns are column1, column2, ... */
	const char *null_text;	/* or NULL */
	int output;		/* a descriptor, not of a file that is read; 0: none but stdout */
	uint64_t sample;	/* rows that decide the types; UINT64_MAX: all */
	uint64_t max_row;	/* bytes; 0: 256 MiB */
	size_t max_columns;	/* 0: 65536 */
	/* Take a piece of a row over max_row; or NULL.  Not called for the sample. */
	int (*long_row)(void *ctx, const char *p, size_t n, struct lh_err *err);
	/* Set given and type of columns before the sample is read; or NULL. */
	int (*types)(void *ctx, struct lh_column *column, size_t n, struct lh_err *err);
	/* Prepare for a wait for input; or NULL. */
	int (*waiting)(void *ctx, struct lh_err *err);
	void *ctx;
};

/* Return whether the name of a file, compressed or not, says that it is TSV. */
bool lh_csv_is_tsv(const char *name);

struct lh_csv_table;
struct lh_csv_table *lh_csv_table_open(const struct lh_csv_table_how *how, struct lh_err *err);
void lh_csv_table_close(struct lh_csv_table *t);

const struct lh_column *lh_csv_table_columns(const struct lh_csv_table *t, size_t *n);

/* Return what a person should hear of how the first file is read, such as that its cells are
 * separated by semicolons; or NULL. */
const char *lh_csv_table_note(const struct lh_csv_table *t);

/* Read the next row: 1, 0 at the end, -1 with *err. */
int lh_csv_table_next(struct lh_csv_table *t, struct lh_err *err);

/* Return the text of cell i of the row, until the next call; p NULL for null. */
struct lh_str lh_csv_table_cell(struct lh_csv_table *t, size_t i);

/* Return the row as in the file, without the LF; n 0 if it was over max_row. */
struct lh_str lh_csv_table_text(const struct lh_csv_table *t);

/* Return the header of the first file in the same way; n 0 with no_header. */
struct lh_str lh_csv_table_header(const struct lh_csv_table *t);

/* The place of the row, for messages. */
struct lh_csv_table_place {
	const char *file;	/* "workers.csv", "-", "a.zip/workers.csv" */
	size_t operand;		/* among the files, from 1 */
	uint64_t line;		/* on which it begins, from 1 */
};
struct lh_csv_table_place lh_csv_table_place(const struct lh_csv_table *t);

#endif
