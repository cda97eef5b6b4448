/* find_table.c - the rows of a Parquet file that are a person's, by DuckDB.  See find.h. */
#include <fcntl.h>
#include <unistd.h>

#include "base/signal.h"
#include "duckdb/duckdb.h"
#include "file/file.h"
#include "find.h"
#include "store/store.h"

static const char magic[] = "PAR1";

int table_is(const struct place *p, struct lh_err *err)
{
	const size_t n = strlen(p->path), end = sizeof ".parquet" - 1;
	char head[4] = "";
	int fd;
	ssize_t got;

	if (p->kind != PLACE_OBJECT && p->kind != PLACE_OTHER)
		return 0;
	if (lh_store_is_s3(p->path))
		return n > end && !strcmp(p->path + n - end, ".parquet");
	fd = lh_open_regular(p->path, O_RDONLY, 0, err);
	if (fd < 0)
		return -1;
	got = pread(fd, head, sizeof head, 0);
	close(fd);
	return got == 4 && !memcmp(head, magic, 4);
}

/* The rows of a table. */
struct table {
	table_row_fn *fn;
	void *ctx;
	struct lh_buf *text;	/* the row at hand */
	struct lh_err *err;
};

static int visit_rows(struct table *t, struct lh_duckdb_rows *rows)
{
	uint64_t row = 0;
	int rc;

	while ((rc = lh_duckdb_next(rows, t->err)) > 0) {
		lh_buf_reset(t->text);
		if (lh_stopping())
			return lh_err_set(t->err, LH_EINTR, "interrupted");
		if (lh_duckdb_row_json(rows, t->text, t->err) < 0 ||
		    t->fn(t->ctx, ++row, t->err) < 0)
			return -1;
	}
	return rc;
}

static int query(struct table *t, struct lh_duckdb *db, const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { 0 };
	struct lh_duckdb_rows *rows;
	int rc;

	lh_buf_puts(&sql, "SELECT * FROM read_parquet(");
	lh_duckdb_put_string(&sql, lh_str_of(path));
	lh_buf_printf(&sql, ")%c", '\0');
	if (lh_buf_check(&sql, t->err) < 0)
		return -1;
	rows = lh_duckdb_query(db, sql.p, LH_DUCKDB_READ, t->err);
	rc = rows ? visit_rows(t, rows) : -1;
	lh_duckdb_rows_free(rows);
	return rc;
}

int table_each(const struct place *p, table_row_fn *fn, void *ctx, struct lh_buf *text,
	       struct lh_err *err)
{
	static const char *const config[] = {
		"threads", "1", "memory_limit", "1GB", "autoinstall_known_extensions", "false",
		"autoload_known_extensions", "false", "allow_community_extensions", "false", NULL
	};
	struct table t = { fn, ctx, text, err };
	struct lh_object_copies copies = { .n = 0 };
	const char *path = p->path;
	struct lh_duckdb *db;
	int rc = table_is(p, err);

	if (rc <= 0)
		return rc;
	db = lh_duckdb_open(config, err);
	if (!db)
		return err->code == LH_ENOMEM ? -1 : 2;
	rc = lh_object_copies_take(&copies, &path, err);
	if (!rc)
		rc = query(&t, db, path);
	lh_duckdb_close(db);
	lh_object_copies_free(&copies);
	return rc < 0 ? lh_err_prefix(err, "%s", p->path) : 1;
}

struct searching {
	struct find *f;
	size_t place;
};

static int search_row(void *ctx, uint64_t row, struct lh_err *err)
{
	const struct searching *s = ctx;

	(void)err;
	return find_row_json(s->f, s->place, row);
}

int find_table(struct find *f, size_t i)
{
	struct searching s = { f, i };
	const struct place *p = &f->s->places.v[i];
	const int rc = table_each(p, search_row, &s, &f->text, f->err);

	if (rc < 2)
		return rc;
	lh_tool_warn(f->tool, "%s: is Parquet, which is not searched without DuckDB: %s", p->path,
		     f->err->msg);
	f->hits->incomplete = true;
	return 1;
}
