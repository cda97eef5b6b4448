/*
 * duckdb - SQL by DuckDB, whose library is opened at run time.
 *
 *     static const char *const config[] = { "threads", "1", "memory_limit", "1GB", NULL };
 *     struct lh_duckdb *db = lh_duckdb_open(config, err);
 *     struct lh_duckdb_rows *rows;
 *     struct lh_buf line = { 0 };
 *
 *     lh_duckdb_run(db, "CREATE VIEW t AS FROM read_parquet('t.parquet')", err);
 *     rows = lh_duckdb_query(db, "SELECT * FROM t", LH_DUCKDB_READ, err);
 *     while ((rc = lh_duckdb_next(rows, err)) > 0)
 *             lh_duckdb_row_json(rows, &line, err);      {"id":1,"name":"a"}
 *     lh_duckdb_rows_free(rows);
 *     lh_duckdb_close(db);
 *
 * The database is in memory and has one connection.  The library is the one that LH_DUCKDB
 * names, else libduckdb.so where the linker finds it; 1.2 or newer.
 *
 * Values of a row, by the type of their column:
 *
 *     BOOLEAN                         true or false
 *     integers, HUGEINT               an integer; a text of digits outside int64
 *     DOUBLE, FLOAT, DECIMAL          a number as JSON text, FLOAT in its shortest form, DECIMAL
 *                                     with all its digits; NULL if it is not finite
 *     VARCHAR, ENUM, UUID             a text
 *     JSON, LIST, ARRAY, STRUCT, MAP  JSON text; a MAP is an array of {"key":...,"value":...}
 *     DATE, TIME, TIMESTAMP           a text: "2026-05-03", "12:00:00", "2026-05-03 12:00:00.5"
 *     BLOB                            a text of hex digits
 *
 * Any other type is an error, which says to cast the column to VARCHAR.
 *
 * Stopping: with a deadline, or when a signal asks to stop, a query ends with an error.  A
 *          thread of its own watches for this.
 * Owner:   texts of a row are valid until the next call of lh_duckdb_next.
 * Errors:  LH_EIO if the library cannot be opened; LH_EDATA with DuckDB's message for SQL,
 *          status 413 where memory_limit is the reason, 504 at the deadline.
 * Threads: one thread per struct lh_duckdb; DuckDB has threads of its own, in which signals are
 *          blocked.
 */
#ifndef LH_DUCKDB_H
#define LH_DUCKDB_H

#include <lh/json.h>

struct lh_duckdb;
struct lh_duckdb_rows;

/* Open the library and a database.  config has names and values in turn, then NULL. */
struct lh_duckdb *lh_duckdb_open(const char *const *config, struct lh_err *err);
void lh_duckdb_close(struct lh_duckdb *db);	/* NULL is allowed */

/* Set the time (lh_time_monotonic) at which what runs is interrupted; 0: none. */
void lh_duckdb_deadline(struct lh_duckdb *db, double at);

/* Run statements and discard their rows. */
int lh_duckdb_run(struct lh_duckdb *db, const char *sql, struct lh_err *err);

/* Append a text as a string of SQL, or as a quoted name. */
void lh_duckdb_put_string(struct lh_buf *sql, struct lh_str text);
void lh_duckdb_put_name(struct lh_buf *sql, struct lh_str name);

/*
 * Start one statement, of any kind or only a SELECT.  Its rows are made as they are asked for.
 * LH_DUCKDB_EXPLAIN: explain the SELECT sql, which runs nothing.  That sql is a SELECT is
 * DuckDB's word, not ours, since EXPLAIN ANALYZE runs a statement of any kind.
 */
enum lh_duckdb_may { LH_DUCKDB_ANY, LH_DUCKDB_READ, LH_DUCKDB_EXPLAIN };
struct lh_duckdb_rows *lh_duckdb_query(struct lh_duckdb *db, const char *sql,
				       enum lh_duckdb_may may, struct lh_err *err);
void lh_duckdb_rows_free(struct lh_duckdb_rows *r);	/* NULL is allowed */

enum lh_duckdb_kind {
	LH_DUCKDB_NULL, LH_DUCKDB_BOOL, LH_DUCKDB_INT, LH_DUCKDB_NUMBER, LH_DUCKDB_TEXT,
	LH_DUCKDB_JSON
};

size_t lh_duckdb_columns(const struct lh_duckdb_rows *r);
const char *lh_duckdb_name(const struct lh_duckdb_rows *r, size_t column);
/* Return what the values of a column are, if they are not NULL. */
enum lh_duckdb_kind lh_duckdb_kind(const struct lh_duckdb_rows *r, size_t column);

/* Go to the next row: 1, 0 at the end, -1. */
int lh_duckdb_next(struct lh_duckdb_rows *r, struct lh_err *err);

struct lh_duckdb_value {
	enum lh_duckdb_kind kind;
	int64_t i;		/* BOOL, INT */
	struct lh_str s;	/* NUMBER, JSON: JSON text; TEXT */
};
/* Get a value of the current row. */
int lh_duckdb_get(struct lh_duckdb_rows *r, size_t column, struct lh_duckdb_value *v,
		  struct lh_err *err);
/* Append the current row as a JSON object, without a newline. */
int lh_duckdb_row_json(struct lh_duckdb_rows *r, struct lh_buf *out, struct lh_err *err);

#endif
