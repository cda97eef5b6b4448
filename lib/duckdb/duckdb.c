/* duckdb.c - the library, a database, statements and their rows.  See duckdb.h. */
#include "duckdb.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/signal.h"
#include "duckdb_value.h"
#include <lh/time.h>

#define LIBRARY "libduckdb.so"
#define OLDEST "v1.2"		/* has allowed_paths, and all functions that are used here */
#define LOOK_NS 50000000	/* between two looks of the watch */

struct lh_duckdb {
	const struct duckdb_api *api;
	duckdb_handle database, connection;
	double deadline;

	/* the watch, a thread */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool watching, busy, ending, late, stopped;
};

struct lh_duckdb_rows {
	struct lh_duckdb *db;
	duckdb_handle statement;
	struct duckdb_result result;
	bool has_result;
	size_t n;
	struct lh_duckdb_shape *shape;
	duckdb_handle chunk;
	uint64_t row, rows;
	struct lh_buf *text;		/* of each column */
};

/* ---- the library ---- */

static struct duckdb_api library;

/* Find the functions of the library that is open. */
static int find_functions(void *so, const char *path, struct lh_err *err)
{
	static const char *const names[] = {
#define F(result, name, arguments) "duckdb_" #name,
		DUCKDB_FUNCTIONS(F)
#undef F
	};
	void **to = (void **)(void *)&library;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		to[i] = dlsym(so, names[i]);
		if (!to[i])
			return lh_err_set(err, LH_EIO, "%s has no %s: DuckDB 1.2 or newer is "
					  "needed", path, names[i]);
	}
	if (strverscmp(library.library_version(), OLDEST) < 0)
		return lh_err_set(err, LH_EIO, "%s is %s: DuckDB 1.2 or newer is needed", path,
				  library.library_version());
	return 0;
}

static int load(struct lh_err *err)
{
	const char *path = getenv("LH_DUCKDB");
	void *so;

	if (library.library_version)
		return 0;
	path = path && *path ? path : LIBRARY;
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return lh_err_set(err, LH_EIO,
				  "cannot open %s: install DuckDB's library (libduckdb, "
				  "duckdb.org), or name it in LH_DUCKDB", path);
	if (find_functions(so, path, err) == 0)
		return 0;
	memset(&library, 0, sizeof library);
	dlclose(so);
	return -1;
}

/* ---- the watch ---- */

static void *watch(void *arg)
{
	struct lh_duckdb *db = arg;
	struct timespec at;

	pthread_mutex_lock(&db->lock);
	while (!db->ending) {
		if (!db->busy) {
			pthread_cond_wait(&db->wake, &db->lock);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_nsec += LOOK_NS;
		at.tv_sec += at.tv_nsec / 1000000000;
		at.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&db->wake, &db->lock, &at);
		if (db->busy) {
			db->late |= db->deadline && lh_time_monotonic() >= db->deadline;
			db->stopped |= lh_stopping();
			if (db->late || db->stopped)
				db->api->interrupt(db->connection);
		}
	}
	pthread_mutex_unlock(&db->lock);
	return NULL;
}

/* Say that a call of DuckDB begins or ends. */
static void set_busy(struct lh_duckdb *db, bool busy)
{
	pthread_mutex_lock(&db->lock);
	db->busy = busy;
	pthread_cond_signal(&db->wake);
	pthread_mutex_unlock(&db->lock);
}

void lh_duckdb_deadline(struct lh_duckdb *db, double at)
{
	pthread_mutex_lock(&db->lock);
	db->deadline = at;
	db->late = false;
	pthread_mutex_unlock(&db->lock);
}

/* Set *err from the first line of DuckDB's words; others have suggestions. */
static int failed(struct lh_duckdb *db, const char *why, struct lh_err *err)
{
	static const char lack[] = "Out of Memory Error";

	if (db->stopped)
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (db->late)
		return lh_err_data(err, 504, "the query takes too long");
	why = why ? why : "DuckDB failed";
	return lh_err_data(err, strncmp(why, lack, strlen(lack)) ? 400 : 413, "%.*s",
			   (int)strcspn(why, "\n"), why);
}

/* ---- the database ---- */

static int open_database(struct lh_duckdb *db, const char *const *config, struct lh_err *err)
{
	duckdb_handle settings = NULL;
	char *why = NULL;
	int rc = db->api->create_config(&settings);

	for (; !rc && *config; config += 2) {
		if (!db->api->set_config(settings, config[0], config[1]))
			continue;
		db->api->destroy_config(&settings);
		return lh_err_set(err, LH_EIO, "DuckDB does not take the setting %s = %s",
				  config[0], config[1]);
	}
	if (!rc)
		rc = db->api->open_ext(NULL, &db->database, settings, &why);
	if (!rc)
		rc = db->api->connect(db->database, &db->connection);
	if (rc)
		lh_err_set(err, LH_EIO, "DuckDB does not start: %.500s", why ? why : "no reason");
	db->api->free(why);
	db->api->destroy_config(&settings);
	return rc ? -1 : 0;
}

struct lh_duckdb *lh_duckdb_open(const char *const *config, struct lh_err *err)
{
	struct lh_duckdb *db;
	sigset_t old;
	int rc;

	if (load(err) < 0)
		return NULL;
	db = lh_calloc(1, sizeof *db, err);
	if (!db)
		return NULL;
	db->api = &library;
	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->wake, NULL);
	lh_signal_block(&old);
	rc = open_database(db, config, err);
	if (!rc && pthread_create(&db->thread, NULL, watch, db) != 0)
		rc = lh_err_set(err, LH_ENOMEM, "cannot start a thread");
	else if (!rc)
		db->watching = true;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		return db;
	lh_duckdb_close(db);
	return NULL;
}

void lh_duckdb_close(struct lh_duckdb *db)
{
	if (!db)
		return;
	if (db->watching) {
		pthread_mutex_lock(&db->lock);
		db->ending = true;
		pthread_cond_signal(&db->wake);
		pthread_mutex_unlock(&db->lock);
		pthread_join(db->thread, NULL);
	}
	if (db->connection)
		db->api->disconnect(&db->connection);
	if (db->database)
		db->api->close(&db->database);
	pthread_cond_destroy(&db->wake);
	pthread_mutex_destroy(&db->lock);
	free(db);
}

int lh_duckdb_run(struct lh_duckdb *db, const char *sql, struct lh_err *err)
{
	struct duckdb_result result;
	int rc;

	set_busy(db, true);
	rc = db->api->query(db->connection, sql, &result);
	set_busy(db, false);
	if (rc)
		failed(db, db->api->result_error(&result), err);
	db->api->destroy_result(&result);
	return rc ? -1 : 0;
}

static void put_quoted(struct lh_buf *sql, struct lh_str s, char quote)
{
	size_t i;

	lh_buf_putc(sql, quote);
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == quote)
			lh_buf_putc(sql, quote);
		lh_buf_putc(sql, s.p[i]);
	}
	lh_buf_putc(sql, quote);
}

void lh_duckdb_put_string(struct lh_buf *sql, struct lh_str text)
{
	put_quoted(sql, text, '\'');
}

void lh_duckdb_put_name(struct lh_buf *sql, struct lh_str name)
{
	put_quoted(sql, name, '"');
}

/* ---- rows ---- */

static int prepare(struct lh_duckdb_rows *r, const char *sql, int type, struct lh_err *err)
{
	const struct duckdb_api *api = r->db->api;

	if (r->statement)
		api->destroy_prepare(&r->statement);
	if (api->prepare(r->db->connection, sql, &r->statement))
		return failed(r->db, api->prepare_error(r->statement), err);
	if (type && api->prepared_statement_type(r->statement) != type)
		return lh_err_data(err, 400, "only a statement that reads is answered");
	return 0;
}

/* Prepare a statement that may be run. */
static int prepare_one(struct lh_duckdb_rows *r, const char *sql, enum lh_duckdb_may may,
		       struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf explain = { 0 };
	int rc = prepare(r, sql, may == LH_DUCKDB_ANY ? 0 : DUCKDB_STATEMENT_SELECT, err);

	if (rc || may != LH_DUCKDB_EXPLAIN)
		return rc;
	lh_buf_puts(&explain, "EXPLAIN ");
	lh_buf_puts(&explain, sql);
	lh_buf_putc(&explain, '\0');
	rc = lh_buf_check(&explain, err);
	return rc ? rc : prepare(r, explain.p, DUCKDB_STATEMENT_EXPLAIN, err);
}

static int start(struct lh_duckdb_rows *r, struct lh_err *err)
{
	const struct duckdb_api *api = r->db->api;
	duckdb_handle pending = NULL;
	int rc;

	if (api->pending_prepared_streaming(r->statement, &pending)) {
		failed(r->db, api->pending_error(pending), err);
		api->destroy_pending(&pending);
		return -1;
	}
	rc = api->execute_pending(pending, &r->result);
	r->has_result = true;
	api->destroy_pending(&pending);
	return rc ? failed(r->db, api->result_error(&r->result), err) : 0;
}

static int read_columns(struct lh_duckdb_rows *r, struct lh_err *err)
{
	const struct duckdb_api *api = r->db->api;
	size_t n = api->column_count(&r->result), i;

	r->shape = lh_calloc(n + 1, sizeof *r->shape, err);
	r->text = lh_calloc(n + 1, sizeof *r->text, err);
	if (!r->shape || !r->text)
		return -1;
	r->n = n;
	for (i = 0; i < n; i++) {
		if (lh_duckdb_shape_read(api, api->column_logical_type(&r->result, i), 0,
					 &r->shape[i], err) < 0)
			return lh_err_prefix(err, "column \"%.100s\"",
					     api->column_name(&r->result, i));
	}
	return 0;
}

struct lh_duckdb_rows *lh_duckdb_query(struct lh_duckdb *db, const char *sql,
				       enum lh_duckdb_may may, struct lh_err *err)
{
	struct lh_duckdb_rows *r = lh_calloc(1, sizeof *r, err);
	int rc;

	if (!r)
		return NULL;
	r->db = db;
	set_busy(db, true);
	rc = prepare_one(r, sql, may, err);
	if (!rc)
		rc = start(r, err);
	set_busy(db, false);
	if (!rc)
		rc = read_columns(r, err);
	if (!rc)
		return r;
	lh_duckdb_rows_free(r);
	return NULL;
}

void lh_duckdb_rows_free(struct lh_duckdb_rows *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++) {
		lh_duckdb_shape_free(r->db->api, &r->shape[i]);
		lh_buf_free(&r->text[i]);
	}
	free(r->shape);
	free(r->text);
	if (r->chunk)
		r->db->api->destroy_data_chunk(&r->chunk);
	if (r->has_result)
		r->db->api->destroy_result(&r->result);
	if (r->statement)
		r->db->api->destroy_prepare(&r->statement);
	free(r);
}

size_t lh_duckdb_columns(const struct lh_duckdb_rows *r)
{
	return r->n;
}

const char *lh_duckdb_name(const struct lh_duckdb_rows *r, size_t column)
{
	return r->db->api->column_name((struct duckdb_result *)&r->result, column);
}

enum lh_duckdb_kind lh_duckdb_kind(const struct lh_duckdb_rows *r, size_t column)
{
	return lh_duckdb_shape_kind(&r->shape[column]);
}

/* Fetch the next chunk that is not empty: 1, 0 at the end, -1. */
static int next_chunk(struct lh_duckdb_rows *r, struct lh_err *err)
{
	const struct duckdb_api *api = r->db->api;
	const char *why;

	do {
		if (r->chunk)
			api->destroy_data_chunk(&r->chunk);
		set_busy(r->db, true);
		r->chunk = api->fetch_chunk(r->result);
		set_busy(r->db, false);
		r->row = 0;
		r->rows = r->chunk ? api->data_chunk_get_size(r->chunk) : 0;
	} while (r->chunk && !r->rows);
	if (r->chunk)
		return 1;
	why = api->result_error(&r->result);
	return why && *why ? failed(r->db, why, err) : 0;
}

int lh_duckdb_next(struct lh_duckdb_rows *r, struct lh_err *err)
{
	if (r->chunk && ++r->row < r->rows)
		return 1;
	return next_chunk(r, err);
}

int lh_duckdb_get(struct lh_duckdb_rows *r, size_t column, struct lh_duckdb_value *v,
		  struct lh_err *err)
{
	const struct duckdb_api *api = r->db->api;

	lh_duckdb_value_read(api, &r->shape[column], api->data_chunk_get_vector(r->chunk, column),
			     r->row, v, &r->text[column]);
	return lh_buf_check(&r->text[column], err);
}

int lh_duckdb_row_json(struct lh_duckdb_rows *r, struct lh_buf *out, struct lh_err *err)
{
	struct lh_duckdb_value v;
	const char *name;
	size_t i;

	lh_buf_putc(out, '{');
	for (i = 0; i < r->n; i++) {
		if (lh_duckdb_get(r, i, &v, err) < 0)
			return -1;
		if (i)
			lh_buf_putc(out, ',');
		name = lh_duckdb_name(r, i);
		lh_buf_json(out, name, strlen(name));
		lh_buf_putc(out, ':');
		lh_duckdb_value_json(&v, out);
	}
	lh_buf_putc(out, '}');
	return lh_buf_check(out, err);
}
