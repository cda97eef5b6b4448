/*
 * query - what the files of lh-query share.
 *
 *     tables.c        the tables: operands and datasets, what kind of files they are; columns, from
 *                     a sample of records; names that are close to unknown ones
 *     files.c         where their bytes are; rows of a file of SQLite
 *     read.c          their records, one after the other
 *     sqlite.c        the engine: a connection per query, its bounds, its rows
 *     virtual.c       the files as virtual tables of SQLite
 *     values.c        a member of a record as a value of SQLite, and back
 *     functions.c     sum(), avg() and total(), which take no text for a number
 *     lookup.c        rows of a table by the values of some columns, for joins
 *     checks.c        queries for rows that are wrong
 *     keep.c          rows as a dataset
 *     write.c         rows as JSON Lines, one JSON object, CSV or a table; whether an answer shows
 *                     persons without their ids
 */
#ifndef LH_QUERY_H
#define LH_QUERY_H

#include <sqlite3.h>

#include "base/table.h"
#include "file/file.h"
#include "file/held.h"
#include "tool/op.h"

struct sqlite3_context;

#define SQL_LONGEST (1 << 20)	/* bytes of a statement */

#define COLUMNS_MAX 1900	/* of a table; SQLite's own limit is 2000 */

enum form { FORM_JSONL, FORM_WIRE, FORM_CSV, FORM_TABLE };

struct settings {
	bool wire, csv, csv_safe, table, verify;
	uint64_t max_rows, memory, sample;
	double timeout;
	const char *catalog, *store, *keep;
	bool attribute, force;
	struct lh_list persons;	/* names of tables */
};

/* ---- tables ---- */

/* What a value is, and what the values of a column are. */
enum kind { KIND_NONE, KIND_BOOL, KIND_INT, KIND_REAL, KIND_TEXT, KIND_JSON };

struct column {
	char *name;		/* unique without regard to case */
	struct lh_str member;	/* the member's name, as it is */
	size_t cell;		/* of CSV: which one of the row */
	enum kind kind;		/* what holds for all values of the sample */
	bool has_bool, has_json;	/* true or false, an array or object is among them */
};

/* The columns of a table; the last one is hidden and has the whole record. */
struct columns {
	struct column *v;
	size_t n, cap;
	struct lh_table by_member;
};

/* Return whether a column can have this name: SQL has none that is empty or holds NUL. */
bool column_may_be(struct lh_str name);
/* Add a column of such a name: its number. */
size_t columns_add(struct columns *c, struct lh_str member);
/* The same, if there is none: it is known by the member before a record has it. */
void columns_name(struct columns *c, struct lh_str member);
/* Return the kind of values that are of either. */
enum kind kind_join(enum kind a, enum kind b);

enum table_is { TABLE_LINES, TABLE_INDEX, TABLE_CSV, TABLE_PARQUET, TABLE_SQLITE };

/* Where the bytes of a table are. */
struct files {
	char **path;
	int *fd;		/* of what has no path of its own, or -1 */
	size_t n;
	bool folder;		/* they are the files of a folder */
};

struct table {
	char *name;
	char *path;		/* as given, "-" is stdin; of a dataset its name */
	char *inner;		/* of a database, the table in it; or NULL */
	bool dataset;
	bool of_persons;	/* its manifest or index says so */
	char *store, *updated;	/* of a dataset, or NULL; the time in its manifest */
	struct object {
		char *key;
		int64_t size;		/* that its manifest says; -1: it does not */
		bool has_sha256;
		unsigned char sha256[32];
	} *object;
	size_t n_objects;
	bool history;		/* they are what the others have replaced */
	struct lh_str *named;	/* columns that its manifest names */
	size_t n_named;
	bool known;		/* what follows is of the file as it is now */
	struct lh_stamp stamp;
	struct files files;
	enum table_is is;
	struct columns columns;
	bool in_use;		/* by the statement */
	bool packed;		/* compressed, or an archive */
	double rows;		/* an estimate */
	uint64_t line;		/* rejected lines up to this one are reported */
	uint64_t records, rejected;
	unsigned messages;
};

struct query {
	struct lh_tool *tool;
	const struct settings *s;
	struct table *table;	/* operands first, then datasets */
	size_t n_tables, n_operands, cap;
	struct lh_stamp stamp;	/* of the catalog, ... */
	bool listed;		/* ... when its datasets were listed */
	bool histories;		/* one of them has a history */
	double deadline;	/* lh_time_monotonic; 0: none */
	bool stopped;		/* at a line that is not a record: --on-error stop */
	const struct lh_value *own;	/* the id of the request, or NULL; ... */
	uint64_t requests;		/* ... and how many there were */
	bool alone;		/* one query, of which progress is shown */
	uint64_t read;		/* records of all tables, about */
	bool bounded;		/* more than --max-rows rows */
	bool looks;		/* the statement calls functions that look into texts */
	struct checked *checked;	/* of checks.c: what checks say of datasets */
	size_t n_checked, cap_checked;
	bool unnamed;		/* --attribute: its rows show persons without their ids */
};

/* Make the tables of NAME=FILE operands, from number `first` on. */
int tables_of_operands(struct query *q, size_t first);
/* Return whether an operand is NAME=FILE. */
bool is_table(const char *operand);
/* Make those of the catalog's datasets, if it has changed. */
int tables_of_catalog(struct query *q, struct lh_err *err);
void tables_free(struct query *q);

/* Open the files of a table; what can be read only once is copied. */
int files_open(struct query *q, const struct table *t, struct files *f, struct lh_err *err);
void files_close(struct files *f);

/* Find out what kind of file it is and what its columns are, if that is not known or the file
 * has changed. */
int table_look(struct query *q, struct table *t, struct lh_err *err);

/* Add to the message of an engine about an unknown column or table the names close to it. */
void names_suggest(const struct query *q, struct lh_err *err);

/* Return whether a table of CSV has tabs, by the name of its file or of its first object. */
bool table_is_tsv(const struct table *t);

/* Set the error of a query that --timeout ends. */
int query_late(const struct query *q, struct lh_err *err);
/* Return -1 with *err when the query has to end: a signal, --timeout.  A process whose answer
 * nobody reads any more ends. */
int query_check(struct query *q, struct lh_err *err);

/* ---- records ---- */

struct reader;

/* Start reading a table's records. */
struct reader *reader_open(struct query *q, struct table *t, struct lh_err *err);
void reader_close(struct reader *r);
/* Restrict an index to one id, or to ids in a range; from.p or to.p NULL: no bound. */
int reader_only(struct reader *r, struct lh_str id, struct lh_err *err);
void reader_range(struct reader *r, struct lh_str from, struct lh_str to);
/* Go to the next record: 1, 0 at the end, -1. */
int reader_next(struct reader *r, struct lh_err *err);
/* Set *v to the value of a column of the current record; false if it has none.  The strings of
 * SQLite are made of it by values.c. */
bool reader_value(struct reader *r, size_t column, struct lh_value *v);
/* Return whether the statement looks into texts, such as by length() or json_extract(). */
bool reader_looks(const struct reader *r);
/* Refuse a value of the current record: set *err to its place and why; return -1. */
int reader_refuse(const struct reader *r, const struct column *c, const char *why,
		  struct lh_err *err);
/* Set *json to the whole record as JSON text. */
void reader_json(struct reader *r, struct lh_str *json);
/* Return the current record; of an index, its metadata. */
const struct lh_record *reader_record(const struct reader *r);
/* Add the columns of CSV, and of a file of SQLite. */
void reader_columns(const struct reader *r, struct columns *c);
/* Return the bytes of the current record. */
size_t reader_bytes(const struct reader *r);
/* Return whether the file is compressed. */
bool reader_packed(const struct reader *r);

/* ---- rows ---- */

struct cell {
	enum kind kind;
	int64_t i;		/* KIND_BOOL, KIND_INT */
	double f;
	bool as_text;		/* KIND_REAL: s has it, as JSON text */
	struct lh_str s;	/* KIND_TEXT; KIND_JSON: JSON text */
};

/* Where rows go. */
struct writer {
	struct query *q;
	enum form form;
	bool terminal;		/* rows of CSV go to one */
	struct lh_buf *out;	/* the answer; NULL: stdout */
	struct lh_buf names, rows;
	struct field {
		size_t name, n;	/* in names; a JSON string */
		enum kind kind;
		size_t width;
	} *field;
	size_t n_fields;
	uint64_t n_rows;
	uint64_t most;		/* rows after these are counted, not written; 0: none */
	struct lh_buf cells;	/* FORM_TABLE: struct shown */
};

/* Append a cell as JSON. */
void cell_json(struct lh_buf *b, const struct cell *c);
void writer_init(struct writer *w, struct query *q, enum form form, struct lh_buf *out);
void writer_columns(struct writer *w, const struct column *column, size_t n);
int writer_row(struct writer *w, const struct cell *cell, struct lh_err *err);
int writer_end(struct writer *w, struct lh_err *err);
void writer_free(struct writer *w);

/* Return whether a byte may be of a word of SQL; skip white space and comments. */
bool is_word(char c);
const char *skip_blank(const char *p);
/* Return -1 with *err unless a statement begins as one that reads. */
int check_verb(const char *sql, struct lh_err *err);

/* Run a statement as it came, within the bounds of the options. */
int query_run(struct query *q, struct lh_str sql, struct writer *w, struct lh_err *err);
/* Keep the rows that a function answers with as the dataset of --keep. */
int keep_rows(struct query *q, int (*answer)(struct query *q));
/* Run the checks of a folder, and print a record for each. */
int checks_run(struct query *q, const char *folder);

/* Run one statement and write its rows. */
int sqlite_run(struct query *q, const char *sql, struct writer *w, struct lh_err *err);

/* ---- a file of SQLite as a table ---- */

#define SQLITE_MAGIC "SQLite format 3"	/* and a NUL */

/* Open the table of such a file: a statement that reads it, or NULL. */
sqlite3_stmt *database_open(struct query *q, const struct table *t, struct lh_err *err);
void database_close(sqlite3_stmt *s);	/* NULL is allowed */
/* Set *err to why reading it failed; return -1. */
int database_failed(struct query *q, const struct table *t, sqlite3 *db, struct lh_err *err);

/* Return whether a query, or a column of a file, may call a function. */
bool may_call(const char *name);

/* ---- values of SQLite ---- */

/* Return the kind of a value; a number outside of int64 and of the finite doubles is
 * KIND_TEXT, since it has its digits as a text. */
enum kind value_kind(const struct lh_value *v);

/* Set *cell to a value of a row; c: the column that it is of, or NULL for an expression.
 * Strings are valid as long as v; blobs are written to text as hex digits. */
void value_cell(sqlite3_value *v, const struct column *c, struct cell *cell, struct lh_buf *text,
		struct lh_record *scan);

/* A value of a record as SQLite has it, or why it has none. */
#define SQL_REFUSED 6
#define SUBTYPE_JSON 74	/* by which SQLite's JSON functions know JSON text */
#define SUBTYPE_BOOL 66	/* true or false, which are 1 and 0 */
struct sql_value {
	int type;		/* SQLITE_INTEGER, ...; SQL_REFUSED: s is the message */
	unsigned subtype;	/* what SQLite does not see in it, or 0 */
	union {
		int64_t i;
		double f;
		struct lh_str s;
	};
};

/* Set *v to a column of the reader's record; text is scratch.  -1 with *err if it is refused. */
int column_value(struct reader *r, const struct columns *c, size_t column, struct lh_buf *text,
		 struct sql_value *v, struct lh_err *err);

/* ---- rows by the values of columns ---- */

struct lookup;
struct kept;

/* Read a table, and keep some of its columns (as sqlite3_index_info.colUsed has them) by the
 * values of others, of which there may be none: 1, 0 if there is no room, -1. */
int lookup_make(struct lookup **made, struct query *q, struct table *t, const size_t *key,
		size_t n_keys, uint64_t columns, struct lh_err *err);
void lookup_free(struct lookup *l);
/* Return the first row whose columns may equal these values, and the next one; NULL at the end. */
const struct kept *lookup_first(const struct lookup *l, const struct sql_value *v);
const struct kept *lookup_next(const struct kept *k);
/* Return a value of a row, or NULL if the column is not kept; and its number in the table. */
const struct sql_value *lookup_value(const struct lookup *l, const struct kept *k, size_t column);
int64_t lookup_row(const struct kept *k);

/* ---- virtual tables ---- */

/* What the tables of a connection share. */
struct engine {
	struct query *q;
	sqlite3 *db;
	bool persons, mixes;	/* as above: columns that are read, functions called */
	struct lh_err failed;	/* the reason of an SQLITE_ERROR, if .code is set */
	struct used {
		struct engine *engine;
		struct table *table;
	} *used;		/* one per table */
};

/* Make the tables known to the connection by their names.  A file is opened when a statement
 * first uses its table. */
int virtual_tables(struct engine *e, struct lh_err *err);

/* Give a connection the functions of functions.c. */
int functions_add(struct engine *e, struct lh_err *err);

/* Return the column of a table by names as SQLite has them, or NULL. */
const struct column *virtual_column(const struct engine *e, const char *table, const char *column);

/* ---- whether rows show persons without their candidate_id ---- */

/*
 * With --attribute an answer has "tables" at its end, the tables of persons that the statement
 * uses, whatever it shows of them; and then "unnamed":true if its rows show columns of these and
 * not, in a column candidate_id, whose they are.  A table is of persons if it has a column with
 * ids of persons (lineage/person_ids.h), or if --persons names it.  Counts show no column, nor do
 * sums of one over all rows.  In doubt an answer is unnamed: of a UNION, of a table of persons
 * that is used twice, of an expression that is not understood.
 */

/* Return whether a table is one of persons: it says so, has ids of them, or is named. */
bool table_of_persons(const struct query *q, const struct table *t);
/* Note a column that a statement reads, a function that it calls, while it is prepared. */
void attribute_read(struct engine *e, const char *table, const char *column);
void attribute_call(struct engine *e, const char *function);
/* Return whether the rows of a prepared statement are unnamed. */
bool attribute_unnamed(const struct engine *e, sqlite3_stmt *stmt, const char *sql);
/* Replace the reason why a statement failed while it ran, which may show a value of a record;
 * persons: it reads a table of persons. */
void attribute_hide(const struct query *q, bool persons, struct lh_err *err);

#endif
