/* aid_duckdb SQL... - run statements by lib/duckdb, without bounds, and print their rows. */
#include <stdio.h>

#include "duckdb/duckdb.h"

static struct lh_err err;

static int answer(struct lh_duckdb *db, const char *sql)
{
	struct lh_duckdb_rows *rows = lh_duckdb_query(db, sql, LH_DUCKDB_ANY, &err);
	struct lh_buf line = { 0 };
	int rc = rows ? 1 : -1;

	while (rc > 0 && (rc = lh_duckdb_next(rows, &err)) > 0) {
		lh_buf_reset(&line);
		rc = lh_duckdb_row_json(rows, &line, &err) < 0 ? -1 : 1;
		if (rc > 0)
			printf("%.*s\n", (int)line.len, line.p);
	}
	lh_buf_free(&line);
	lh_duckdb_rows_free(rows);
	return rc;
}

int main(int argc, char **argv)
{
	static const char *const config[] = { "threads", "1", NULL };
	struct lh_duckdb *db = lh_duckdb_open(config, &err);
	int rc = db ? 0 : -1, i;

	for (i = 1; rc >= 0 && i < argc; i++)
		rc = answer(db, argv[i]);
	lh_duckdb_close(db);
	if (rc < 0)
		fprintf(stderr, "aid_duckdb: %s\n", err.msg);
	return rc < 0 ? 2 : 0;
}
