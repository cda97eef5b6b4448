/*
 * parquet.c - Parquet, by DuckDB's library, which is opened at run time.
 *
 * DuckDB itself writes the rows as JSON Lines into a pipe, in a thread of its own.  It gets no
 * names, but descriptors: its messages then have no paths, and a name with a * is no pattern.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "ingest.h"
#include "store/store.h"

/* A result; all its members are private to DuckDB. */
struct result {
	uint64_t n[3];
	void *p[3];
};

static struct {
	int (*open)(const char *path, void **database);
	int (*connect)(void *database, void **connection);
	int (*query)(void *connection, const char *sql, struct result *);
	const char *(*result_error)(struct result *);
	void (*destroy_result)(struct result *);
	void (*disconnect)(void **connection);
	void (*close)(void **database);
} duckdb;

struct parquet {
	void *database, *connection;
	pthread_t thread;
	bool writing;
	int to;				/* the end of the pipe that DuckDB writes to */
	char sql[1200];
	struct lh_err failed;		/* why it ended */
	struct lh_object_copies copies;
	int from;			/* the file, never 0; 0: none */
};

/* ---- the library ---- */

static int load(struct lh_err *err)
{
	static const char *const names[] = {
		"duckdb_open", "duckdb_connect", "duckdb_query", "duckdb_result_error",
		"duckdb_destroy_result", "duckdb_disconnect", "duckdb_close",
	};
	const char *named = getenv("LH_DUCKDB"), *path = named && *named ? named : "libduckdb.so";
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL), **to = (void **)(void *)&duckdb;
	size_t i;

	for (i = 0; so && i < sizeof names / sizeof *names; i++)
		if (!(to[i] = dlsym(so, names[i])))
			return lh_err_set(err, LH_EIO, "%s has no %s", path, names[i]);
	return so ? 0 : lh_err_set(err, LH_EIO, "cannot open %s, DuckDB's library: ./bootstrap "
				   "duckdb fetches it, and LH_DUCKDB names it", path);
}

/* Run statements.  The first line says what is wrong; others are suggestions. */
static int run(void *connection, const char *sql, struct lh_err *err)
{
	struct result r = { { 0 }, { NULL } };
	int rc = duckdb.query(connection, sql, &r);
	const char *why = rc ? duckdb.result_error(&r) : NULL;

	if (rc)
		lh_err_set(err, LH_EIO, "%.*s", why ? (int)strcspn(why, "\n") : 0, why ? why : "");
	duckdb.destroy_result(&r);
	return rc ? -1 : 0;
}

/* Open a database in memory, whose threads get no signal. */
static int db_open(struct parquet *p, struct lh_err *err)
{
	sigset_t all, old;
	int rc = load(err);

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!rc && (duckdb.open(NULL, &p->database) ||
		    duckdb.connect(p->database, &p->connection)))
		rc = lh_err_set(err, LH_EIO, "DuckDB does not start");
	if (!rc)
		rc = run(p->connection, "SET threads = 1; SET memory_limit = '1GB'; "
			 "SET autoinstall_known_extensions = false; SET autoload_known_extensions "
			 "= false; SET allow_community_extensions = false", err);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* ---- rows ---- */

/* A row as a line of JSON: numbers with all their digits, NULL for those that JSON has not. */
#define NUMBERS "U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN|DECIMAL.*|FLOAT|DOUBLE"
#define MEMBER "CAST(to_json(alias(COLUMNS(*))) AS VARCHAR) || ':' || coalesce(CASE " \
	"WHEN typeof(COLUMNS(*)) SIMILAR TO '" NUMBERS "' THEN nullif(nullif(nullif(" \
	"CAST(COLUMNS(*) AS VARCHAR), 'nan'), 'inf'), '-inf') " \
	"ELSE CAST(to_json(COLUMNS(*)) AS VARCHAR) END, 'null')"
/* As CSV of one column: no JSON text has the bytes that quote and delimit there. */
#define COPY_LINES "COPY (SELECT '{' || concat_ws(',', *COLUMNS(*)) || '}' FROM (SELECT " MEMBER \
	" FROM read_parquet('/proc/self/fd/%d'))) TO '/proc/self/fd/%d' (FORMAT csv, " \
	"HEADER false, DELIMITER e'\\x01', QUOTE e'\\x02', ESCAPE e'\\x02', USE_TMP_FILE false)"

struct parquet *parquet_new(struct lh_err *err)
{
	struct parquet *p = lh_calloc(1, sizeof *p);

	if (db_open(p, err) == 0)
		return p;
	parquet_free(p);
	return NULL;
}

void parquet_free(struct parquet *p)
{
	struct lh_err unused;

	if (!p)
		return;
	parquet_end(p, &unused);
	if (p->connection)
		duckdb.disconnect(&p->connection);
	if (p->database)
		duckdb.close(&p->database);
	free(p);
}

static void *write_lines(void *parquet)
{
	struct parquet *p = parquet;
	sigset_t all;

	sigfillset(&all);		/* SIGPIPE, too, if the reader has enough */
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	run(p->connection, p->sql, &p->failed);
	close(p->to);
	return NULL;
}

/* Open a file for DuckDB, which needs to go to any place in it. */
static int open_file(struct parquet *p, const char *file, struct lh_err *err)
{
	struct stat st;

	if (lh_object_copies_take(&p->copies, &file, err) < 0)
		return -1;
	p->from = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) :
				      fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (p->from < 0)
		return lh_err_sys(err, "cannot open");
	if (fstat(p->from, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	return lh_err_set(err, LH_EIO, "Parquet is read from regular files only");
}

int parquet_begin(struct parquet *p, const char *file, struct lh_byte_source *s,
		  struct lh_err *err)
{
	int end[2], rc;
	char path[40];

	if (open_file(p, file, err) < 0)
		return -1;
	if (pipe2(end, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	p->to = end[1];
	p->failed.code = LH_OK;
	snprintf(p->sql, sizeof p->sql, COPY_LINES, p->from, p->to);
	snprintf(path, sizeof path, "/proc/self/fd/%d", end[0]);
	rc = lh_byte_source_open(s, path, err);
	if (!rc && pthread_create(&p->thread, NULL, write_lines, p) != 0)
		rc = lh_err_set(err, LH_ENOMEM, "cannot start a thread");
	close(end[0]);
	if (rc)
		close(end[1]);
	p->writing = !rc;
	s->file = file;
	return rc;
}

int parquet_end(struct parquet *p, struct lh_err *err)
{
	const bool wrote = p->writing;

	if (wrote)
		pthread_join(p->thread, NULL);
	p->writing = false;
	if (p->from > 0)
		close(p->from);
	p->from = 0;
	lh_object_copies_free(&p->copies);
	if (!wrote || !p->failed.code)
		return 0;
	*err = p->failed;
	return -1;
}

/* ---- writing ---- */

static void put_string(struct lh_buf *sql, struct lh_str s)
{
	size_t i;

	lh_buf_putc(sql, '\'');
	for (i = 0; i < s.n; i++)
		lh_buf_printf(sql, s.p[i] == '\'' ? "''" : "%c", s.p[i]);
	lh_buf_putc(sql, '\'');
}

int parquet_write(int fd, const struct lh_column *column, size_t n, const char *path,
		  struct lh_err *err)
{
	static const char *const types[] = {
		[LH_COLUMN_STRING] = "VARCHAR", [LH_COLUMN_INT64] = "BIGINT",
		[LH_COLUMN_FLOAT64] = "DOUBLE", [LH_COLUMN_BOOL] = "BOOLEAN",
	};
	LH_SCOPED(lh_buf_free) struct lh_buf sql = { 0 };
	struct parquet *p;
	size_t i;
	int rc;

	if (!n)
		return lh_err_set(err, LH_EIO, "Parquet needs a column");
	lh_buf_printf(&sql, "COPY (SELECT * FROM read_json('/proc/self/fd/%d', "
		      "format = 'newline_delimited', compression = 'zstd', "
		      "maximum_object_size = 67108864, columns = ", fd);
	for (i = 0; i < n; i++) {
		lh_buf_putc(&sql, i ? ',' : '{');
		put_string(&sql, column[i].name);
		lh_buf_printf(&sql, ": '%s'", types[column[i].type]);
	}
	lh_buf_puts(&sql, "})) TO ");
	put_string(&sql, lh_str_of(path));
	lh_buf_printf(&sql, " (FORMAT parquet, COMPRESSION zstd)%c", '\0');
	p = parquet_new(err);
	rc = p ? run(p->connection, sql.p, err) : -1;
	parquet_free(p);
	return rc;
}
