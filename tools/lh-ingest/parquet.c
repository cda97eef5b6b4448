/*
 * parquet.c - Parquet, by DuckDB's library.
 *
 * DuckDB gets descriptors in place of names: its messages then have no paths, and a name
 * with a * is no pattern.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "duckdb/duckdb.h"
#include "rows.h"
#include "store/store.h"

#define NUMBER_MAX 24		/* characters of an int64 */

struct parquet {
	struct ingest *in;
	struct lh_duckdb *db;
	struct lh_duckdb_rows *from;
	const char *file;
	size_t operand;
	uint64_t row;			/* in the file, from 1 */
	struct rows rows;
	bool refused;			/* the dataset cannot be kept */
	struct lh_column *column;
	size_t n;
	struct lh_str *cell;		/* of the row */
	char (*number)[NUMBER_MAX];	/* the texts of its whole numbers */
};

static struct lh_str cell(void *table, size_t i)
{
	return ((struct parquet *)table)->cell[i];
}

static enum lh_column_type type_of(enum lh_duckdb_kind kind)
{
	return kind == LH_DUCKDB_INT ? LH_COLUMN_INT64 :
	       kind == LH_DUCKDB_NUMBER ? LH_COLUMN_FLOAT64 :
	       kind == LH_DUCKDB_BOOL ? LH_COLUMN_BOOL : LH_COLUMN_STRING;
}

/* Take the columns of the first file. */
static int set_columns(struct parquet *p)
{
	struct lh_err *err = &p->in->tool->err;
	const char *name;
	size_t i;

	p->n = lh_duckdb_columns(p->from);
	if (p->n > p->in->tool->max_members)
		return lh_err_set(err, LH_EIO, "%zu columns, more than %llu", p->n,
				  (unsigned long long)p->in->tool->max_members);
	p->column = lh_calloc(p->n, sizeof *p->column, err);
	p->cell = lh_calloc(p->n, sizeof *p->cell, err);
	p->number = lh_calloc(p->n, sizeof *p->number, err);
	if (!p->column || !p->cell || !p->number)
		return -1;
	for (i = 0; i < p->n; i++) {
		name = lh_duckdb_name(p->from, i);
		p->column[i].type = type_of(lh_duckdb_kind(p->from, i));
		p->column[i].name.n = strlen(name);
		p->column[i].name.p = lh_strndup(name, strlen(name), err);
		if (!p->column[i].name.p)
			return -1;
	}
	p->rows.file = p->file;
	if (rows_begin(&p->rows, p->column, p->n) < 0) {
		p->refused = err->code == LH_EDATA;
		return -1;
	}
	for (i = 0; i < p->n; i++)
		p->rows.member[i].json = lh_duckdb_kind(p->from, i) == LH_DUCKDB_JSON;
	return 0;
}

static int compare_columns(struct parquet *p)
{
	struct lh_err *err = &p->in->tool->err;
	size_t i, n = lh_duckdb_columns(p->from);

	if (n != p->n)
		return lh_err_set(err, LH_EIO, "%zu columns, but the first file has %zu", n, p->n);
	for (i = 0; i < n; i++)
		if (!lh_str_is(lh_str_of(lh_duckdb_name(p->from, i)), p->column[i].name.p,
			       p->column[i].name.n) ||
		    type_of(lh_duckdb_kind(p->from, i)) != p->column[i].type)
			return lh_err_set(err, LH_EIO, "column %zu has another name or type than "
					  "in the first file", i + 1);
	return 0;
}

/* Set the texts of the cells of the row. */
static int set_cells(struct parquet *p)
{
	struct lh_duckdb_value v;
	size_t i;
	int n;

	for (i = 0; i < p->n; i++) {
		if (lh_duckdb_get(p->from, i, &v, &p->in->tool->err) < 0)
			return -1;
		if (v.kind == LH_DUCKDB_NULL) {
			v.s = (struct lh_str){ NULL, 0 };
		} else if (v.kind == LH_DUCKDB_BOOL) {
			v.s = lh_str_of(v.i ? "true" : "false");
		} else if (v.kind == LH_DUCKDB_INT) {
			n = snprintf(p->number[i], NUMBER_MAX, "%lld", (long long)v.i);
			v.s = (struct lh_str){ p->number[i], (size_t)n };
		}
		p->cell[i] = v.s;
	}
	return 0;
}

/* Reject the row; in --rejects it is JSON. */
static int reject(struct parquet *p, struct lh_err why)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = ingest_flush(p->in);

	if (!rc)
		rc = lh_duckdb_row_json(p->from, &text, &p->in->tool->err);
	if (!rc)
		rc = lh_records_reject(p->in->records, &(struct lh_rejection){
			.file = p->file, .line = p->row, .operand = p->operand, .record = text.p,
			.n = text.len, .code = why.code, .status = lh_err_status(&why),
			.coded = why.coded, .why = why.msg });
	return rc;
}

/* Read the rows of the file that was opened. */
static int read_rows(struct parquet *p)
{
	struct lh_err *err = &p->in->tool->err;
	int rc;

	if ((p->column ? compare_columns(p) : set_columns(p)) < 0)
		return -1;
	for (p->row = 1; (rc = lh_duckdb_next(p->from, err)) > 0; p->row++) {
		rc = set_cells(p);
		if (!rc && rows_put(&p->rows, err) < 0)
			rc = err->code == LH_EDATA ? reject(p, *err) : -1;
		if (rc < 0 || rows_done(&p->rows) < 0)
			return -1;
	}
	return rc;
}

/* Open a file for DuckDB, which needs to go to any place in it. */
static int open_file(const char *file, struct lh_err *err)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	struct stat st;

	if (fd < 0)
		return lh_err_sys(err, "cannot open");
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return lh_err_set(err, LH_EIO, "Parquet is read from regular files only");
}

static int read_file(struct parquet *p)
{
	struct lh_err *err = &p->in->tool->err;
	struct lh_object_copies copies = { .n = 0 };
	const char *file = p->file;
	char sql[100];
	int rc = lh_object_copies_take(&copies, &file, err), fd = rc ? -1 : open_file(file, err);

	rc = -1;
	if (fd >= 0) {
		snprintf(sql, sizeof sql, "SELECT * FROM read_parquet('/proc/self/fd/%d')", fd);
		p->from = lh_duckdb_query(p->db, sql, LH_DUCKDB_READ, err);
		rc = p->from ? read_rows(p) : -1;
		lh_duckdb_rows_free(p->from);
		p->from = NULL;
		close(fd);
	}
	lh_object_copies_free(&copies);
	if (rc < 0 && err->code == LH_EDATA && !p->refused)
		err->code = LH_EIO;
	return rc < 0 && err->code == LH_EIO ? lh_err_prefix(err, "%s", p->file) : rc;
}

static struct lh_duckdb *parquet_engine(struct lh_err *err)
{
	static const char *const config[] = {
		"threads", "1", "memory_limit", "1GB", "autoinstall_known_extensions", "false",
		"autoload_known_extensions", "false", "allow_community_extensions", "false", NULL
	};

	return lh_duckdb_open(config, err);
}

int parquet_write(int fd, const struct lh_column *column, size_t n, const char *path,
		  struct lh_err *err)
{
	static const char *const types[] = {
		[LH_COLUMN_STRING] = "VARCHAR", [LH_COLUMN_INT64] = "BIGINT",
		[LH_COLUMN_FLOAT64] = "DOUBLE", [LH_COLUMN_BOOL] = "BOOLEAN",
	};
	struct lh_duckdb *db;
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { 0 };
	size_t i;
	int rc;

	if (!n)
		return lh_err_set(err, LH_EIO, "Parquet needs a column");
	db = parquet_engine(err);
	rc = db ? 0 : -1;
	lh_buf_printf(&sql, "COPY (SELECT * FROM read_json('/proc/self/fd/%d', "
		      "format = 'newline_delimited', compression = 'zstd', "
		      "maximum_object_size = 67108864, columns = ", fd);
	for (i = 0; i < n; i++) {
		lh_buf_putc(&sql, i ? ',' : '{');
		lh_duckdb_put_string(&sql, column[i].name);
		lh_buf_printf(&sql, ": '%s'", types[column[i].type]);
	}
	lh_buf_putc(&sql, '}');
	lh_buf_puts(&sql, ")) TO ");
	lh_duckdb_put_string(&sql, lh_str_of(path));
	lh_buf_puts(&sql, " (FORMAT parquet, COMPRESSION zstd)");
	lh_buf_putc(&sql, '\0');
	if (!rc)
		rc = lh_buf_check(&sql, err);
	if (!rc && lh_duckdb_run(db, sql.p, err) < 0) {
		err->code = err->code == LH_EDATA ? LH_EIO : err->code;
		rc = -1;
	}
	lh_duckdb_close(db);
	return rc;
}

int ingest_parquet(struct ingest *in)
{
	static char *just_stdin[] = { "-" };
	char **file = in->tool->n_operands ? in->tool->operands : just_stdin;
	size_t n = in->tool->n_operands ? in->tool->n_operands : 1, i;
	struct parquet p = { .in = in, .rows = { .in = in, .cell = cell } };
	int rc;

	p.rows.table = &p;
	p.db = parquet_engine(&in->tool->err);
	rc = p.db ? 0 : -1;
	for (i = 0; i < n && !rc; i++) {
		p.file = file[i];
		p.operand = i + 1;
		rc = read_file(&p);
	}
	if (!rc)
		rc = rows_finish(&p.rows);
	rows_free(&p.rows);
	for (i = 0; p.column && i < p.n; i++)
		free((void *)(uintptr_t)p.column[i].name.p);
	free(p.column);
	free(p.cell);
	free(p.number);
	lh_duckdb_close(p.db);
	return rc;
}
