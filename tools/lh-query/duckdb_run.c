/*
 * duckdb_run.c - the engine for what is larger than memory: DuckDB.  See query.h.
 *
 * Each table that the statement names becomes a view with the columns and kinds of our own
 * sample, so that both engines see the same types.  What DuckDB cannot read itself (indexes,
 * archives, logs with tombstones) is copied to a temporary file.  Then files other than those
 * are forbidden, by DuckDB for reading, and by the kernel for writing: from the first statement
 * on the process changes nothing outside of a temporary folder of its own.  Where the kernel
 * does not have Landlock, DuckDB sees copies of the files.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attribute.h"
#include "base/mem.h"
#include "base/signal.h"
#include "duckdb/duckdb.h"
#include "file/confine.h"
#include "file/file.h"
#include "file/rows.h"
#include "query.h"
#include "spill.h"

struct duck {
	struct query *q;
	struct lh_duckdb *db;
	struct lh_tmpdir dir;
	struct lh_buf allowed;	/* a list of SQL strings */
	int *fd;		/* of the files, or copies of them, by table; 0: none */
};

/* ---- views ---- */

static const char *const types[] = {
	[KIND_NONE] = "JSON", [KIND_BOOL] = "BOOLEAN", [KIND_INT] = "BIGINT",
	[KIND_REAL] = "DOUBLE", [KIND_TEXT] = "VARCHAR", [KIND_JSON] = "JSON",
};

/* Append {"a": 'BIGINT', ...}; a column that another one is called, but for case, is left
 * out. */
static void put_types(struct lh_buf *sql, const struct columns *c)
{
	const char *comma = "";
	size_t i;

	lh_buf_putc(sql, '{');
	for (i = 0; i + 1 < c->n; i++) {
		if (!lh_str_is(c->v[i].member, c->v[i].name, strlen(c->v[i].name)))
			continue;
		lh_buf_puts(sql, comma);
		lh_duckdb_put_name(sql, c->v[i].member);
		lh_buf_printf(sql, ": '%s'", types[c->v[i].kind]);
		comma = ", ";
	}
	if (!*comma)
		lh_buf_puts(sql, "\"json\": 'JSON'");
	lh_buf_putc(sql, '}');
}

static int copy_table(struct duck *d, struct table *t, struct lh_err *err)
{
	struct reader *r = reader_open(d->q, t, err);
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_str json;
	struct spill_file f;
	int rc = r ? spill_start(&f, d->q->s->spill, err) : -1;

	if (rc < 0) {
		reader_close(r);
		return -1;
	}
	while ((rc = reader_next(r, err)) > 0) {
		if (reader_json(r, &json, err) < 0)
			rc = -1;
		lh_buf_reset(&out);
		lh_buf_add(&out, json.p, json.n);
		lh_buf_putc(&out, '\n');
		if (rc < 0 || lh_buf_check(&out, err) < 0 ||
		    spill_write(&f, out.p, out.len, err) < 0) {
			rc = -1;
			break;
		}
	}
	reader_close(r);
	return spill_end(&f, rc, err);
}

/* Return whether a file of a table has a tombstone, which DuckDB would take for a record: 1, 0,
 * -1. */
static int has_tombstone(const struct table *t, struct lh_err *err)
{
	struct lh_str rest, id;
	struct lh_mapped m;
	bool found = false;
	size_t i;
	int fd, rc;

	for (i = 0; i < t->files.n && !found; i++) {
		fd = open(t->files.path[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return lh_err_sys(err, "cannot open");
		rc = lh_mapped_fd(&m, fd, err);
		close(fd);
		if (rc < 0)
			return -1;
		rest = (struct lh_str){ m.p, m.n };
		found = lh_tombstone_next(&rest, &id);
		lh_mapped_close(&m);
	}
	return found;
}

/* Append [PATH, ...], of the copy or of the files themselves. */
static void put_paths(struct lh_buf *sql, const struct table *t, int copy)
{
	char path[64];
	size_t i, n = copy ? 1 : t->files.n;

	lh_buf_putc(sql, '[');
	for (i = 0; i < n; i++) {
		/* By this name there is no wildcard in it, and no folder to look into. */
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(),
			 copy ? copy : t->files.fd[i]);
		lh_buf_puts(sql, i ? ", " : "");
		lh_duckdb_put_string(sql, lh_str_of(path));
	}
	lh_buf_putc(sql, ']');
}

/* Open the file of a table that has a path, or copy a table that DuckDB cannot read. */
static int open_table(struct duck *d, struct table *t, struct lh_err *err)
{
	int fd, rc = 0;

	if (t->is != TABLE_PARQUET)
		rc = t->is != TABLE_LINES || t->packed ? 1 : has_tombstone(t, err);
	if (rc)
		return rc < 0 ? -1 : copy_table(d, t, err);
	if (t->files.fd[0] >= 0)
		return 0;
	fd = open(t->files.path[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(err, "cannot open");
	return d->q->work.confined ? fd : files_copy(d->q, fd, err);
}

static int add_view(struct duck *d, size_t i, struct lh_err *err)
{
	struct table *t = &d->q->table[i];
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { 0 }, paths = { 0 };
	int rc, copy;

	if (table_look(d->q, t, err) < 0)
		return -1;
	d->fd[i] = open_table(d, t, err);
	if (d->fd[i] < 0)
		return lh_err_prefix(err, "%s", t->path);
	lh_buf_puts(&sql, "CREATE VIEW ");
	lh_duckdb_put_name(&sql, lh_str_of(t->name));
	lh_buf_puts(&sql, " AS FROM ");
	copy = d->fd[i];
	lh_buf_puts(&sql, t->is == TABLE_PARQUET ? "read_parquet(" : "read_json(");
	put_paths(&sql, t, copy);
	if (t->is != TABLE_PARQUET) {
		/* DuckDB reserves twice the size of the largest record. */
		lh_buf_printf(&sql, ", format = 'newline_delimited', compression = "
			      "'uncompressed', maximum_object_size = %llu, columns = ",
			      (unsigned long long)(d->q->s->memory / 16));
		put_types(&sql, &t->columns);
	}
	lh_buf_putc(&sql, ')');
	lh_buf_putc(&sql, '\0');
	put_paths(&paths, t, d->fd[i]);
	lh_buf_puts(&d->allowed, d->allowed.len ? " || " : "");
	lh_buf_add(&d->allowed, paths.p, paths.len);
	rc = lh_buf_check(&sql, err) < 0 ? -1 : lh_duckdb_run(d->db, sql.p, err);
	return rc < 0 ? lh_err_prefix(err, "%s", t->path) : 0;
}

/* Return whether a statement may name the table. */
static bool may_name(const char *sql, const char *name)
{
	return strcasestr(sql, name) || strchr(name, '"');
}

/* ---- the database ---- */

/* From here on there is nothing but the named files. */
static int lock_up(struct duck *d, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { 0 };

	lh_buf_puts(&sql, "SET allowed_paths = ");
	lh_buf_puts(&sql, d->allowed.len ? "" : "[]");
	lh_buf_add(&sql, d->allowed.p, d->allowed.len);
	lh_buf_puts(&sql, "; SET enable_external_access = false; SET lock_configuration = true");
	lh_buf_putc(&sql, '\0');
	return lh_buf_check(&sql, err) < 0 ? -1 : lh_duckdb_run(d->db, sql.p, err);
}

static int duck_open(struct duck *d, struct lh_err *err)
{
	char threads[32], memory[32], spill[32];
	const char *config[] = {
		"threads", threads, "memory_limit", memory, "temp_directory", NULL,
		"max_temp_directory_size", spill, "default_null_order", "sqlite",
		"autoinstall_known_extensions", "false", "autoload_known_extensions", "false",
		"allow_community_extensions", "false", NULL
	};

	if (lh_tmpdir_make(&d->dir, "lh-query", err) < 0)
		return -1;
	config[5] = d->dir.path;
	snprintf(threads, sizeof threads, "%llu", (unsigned long long)d->q->tool->jobs);
	snprintf(memory, sizeof memory, "%lluB", (unsigned long long)d->q->s->memory);
	snprintf(spill, sizeof spill, "%lluB", (unsigned long long)d->q->s->spill);
	d->db = lh_duckdb_open(config, err);
	return d->db ? 0 : -1;
}

static int duck_tables(struct duck *d, const char *sql, struct lh_err *err)
{
	size_t i;

	d->fd = lh_calloc(d->q->n_tables + 1, sizeof *d->fd, err);
	if (!d->fd)
		return -1;
	for (i = 0; i < d->q->n_tables; i++) {
		d->q->table[i].in_use = may_name(sql, d->q->table[i].name);
		if (d->q->table[i].in_use && add_view(d, i, err) < 0)
			return -1;
	}
	return lock_up(d, err);
}

static int duck_close(struct duck *d, int rc, struct lh_err *err)
{
	struct lh_err other;
	size_t i;

	lh_duckdb_close(d->db);
	for (i = 0; d->fd && i < d->q->n_tables; i++)
		if (d->fd[i] > 0)
			close(d->fd[i]);
	free(d->fd);
	lh_buf_free(&d->allowed);
	if (lh_tmpdir_remove(&d->dir, &other) < 0 && !rc) {
		*err = other;
		rc = -1;
	}
	return rc;
}

/* ---- rows ---- */

static enum kind kind_of(enum lh_duckdb_kind kind)
{
	switch (kind) {
	case LH_DUCKDB_BOOL: return KIND_BOOL;
	case LH_DUCKDB_INT: return KIND_INT;
	case LH_DUCKDB_NUMBER: return KIND_REAL;
	case LH_DUCKDB_TEXT: return KIND_TEXT;
	case LH_DUCKDB_JSON: return KIND_JSON;
	default: return KIND_NONE;
	}
}

static int read_cell(struct lh_duckdb_rows *r, size_t i, struct cell *c, struct lh_err *err)
{
	struct lh_duckdb_value v;

	if (lh_duckdb_get(r, i, &v, err) < 0)
		return -1;
	c->kind = kind_of(v.kind);
	c->i = v.i;
	c->s = v.s;
	c->as_text = v.kind == LH_DUCKDB_NUMBER;
	return 0;
}

static int write_rows(struct query *q, struct lh_duckdb_rows *r, struct cell *cell,
		      struct writer *w, struct lh_err *err)
{
	uint64_t n = 0;
	size_t i;
	int rc;

	while ((rc = lh_duckdb_next(r, err)) > 0) {
		if (q->s->max_rows && n++ == q->s->max_rows) {
			q->bounded = true;
			return 0;
		}
		for (i = 0; i < lh_duckdb_columns(r); i++)
			if (read_cell(r, i, &cell[i], err) < 0)
				return -1;
		if (writer_row(w, cell, err) < 0)
			return -1;
	}
	return rc;
}

static int answer(struct query *q, struct lh_duckdb_rows *r, struct writer *w, struct lh_err *err)
{
	size_t n = lh_duckdb_columns(r), i;
	LH_SCOPED(lh_free_local) struct column *column = lh_calloc(n + 1, sizeof *column, err);
	struct cell *cell = column ? lh_calloc(n + 1, sizeof *cell, err) : NULL;
	int rc = -1;

	for (i = 0; cell && i < n; i++) {
		column[i].name = (char *)lh_duckdb_name(r, i);
		column[i].kind = kind_of(lh_duckdb_kind(r, i));
	}
	if (cell)
		rc = writer_columns(w, column, n, err);
	if (!rc)
		rc = write_rows(q, r, cell, w, err);
	if (!rc)
		rc = writer_end(w, err);
	free(cell);
	return rc;
}

/* ---- where the process may write ---- */

static char in_use[PATH_MAX], new_lock[PATH_MAX], folder[PATH_MAX];

/* Remove the folder when a signal ends the process between two statements. */
static void remove_folder(void)
{
	unlink(in_use);
	unlink(new_lock);
	rmdir(folder);
}

/* Before the first statement: make the folder of all temporary files, and confine the process
 * to it. */
static int work_begin(struct work *work, struct lh_err *err)
{
	const char *name;
	int rc;

	if (work->dir.path)
		return 0;
	if (lh_tmpdir_make(&work->dir, "lh-query", err) < 0)
		return -1;
	name = work->dir.path;
	if ((size_t)snprintf(new_lock, sizeof new_lock, "%s/.new", name) < sizeof new_lock &&
	    (size_t)snprintf(in_use, sizeof in_use, "%s/.in-use", name) < sizeof in_use &&
	    (size_t)snprintf(folder, sizeof folder, "%s", name) < sizeof folder)
		lh_signal_before_death(remove_folder);
	rc = setenv("TMPDIR", name, 1) < 0 ? lh_err_nomem(err) : lh_confine(name, err);
	work->confined = rc > 0;
	return rc < 0 ? -1 : 0;
}

int duckdb_end(struct query *q, struct lh_err *err)
{
	return lh_tmpdir_remove(&q->work.dir, err);
}

int duckdb_run(struct query *q, const char *sql, const char *explained, struct writer *w,
	       struct lh_err *err)
{
	static const char *const before[] = { "Parser Error: ", "Binder Error: ",
					      "Catalog Error: ", NULL };
	struct duck d = { .q = q, .dir = { NULL, -1 } };
	bool was = lh_signal_deferred();
	struct lh_duckdb_rows *rows = NULL;
	size_t i;
	int rc;

	lh_signal_defer(true);
	rc = work_begin(&q->work, err);
	if (!rc)
		rc = duck_open(&d, err);
	if (!rc)
		rc = duck_tables(&d, sql, err);
	if (!rc) {
		lh_duckdb_deadline(d.db, q->deadline);
		rows = lh_duckdb_query(d.db, explained ? explained : sql,
				       explained ? LH_DUCKDB_EXPLAIN : LH_DUCKDB_READ, err);
		rc = rows ? answer(q, rows, w, err) : -1;
		if (rc < 0) {
			/* Hide why it failed, unless that is about the statement alone. */
			for (i = 0; before[i] &&
			     strncmp(err->msg, before[i], strlen(before[i])); i++)
				;
			if (!before[i])
				attribute_hide(q, attribute_persons(q), err);
		}
		if (!rows)
			names_suggest(q, err);
	}
	lh_duckdb_rows_free(rows);
	rc = duck_close(&d, rc, err);
	lh_signal_defer(was || q->alone);
	return rc;
}
