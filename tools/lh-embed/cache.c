/* cache.c - a cache of vectors in an SQLite file.  See cache.h. */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include <lh/distance.h>
#include "base/xxh3.h"

#define APPLICATION 0x6c686563	/* "lhec" */
#define VERSION 1
#define PATIENCE 10000		/* ms, for a lock of another process */
#define LOCK "-lock"		/* after the name of the file, as in c.db-wal */
#define TOUCHED 4096		/* rows found, to be marked as used together */
#define EVICTED 64		/* rows evicted at a time */
#define LOG_PAGES 256		/* of the write-ahead log, before it restarts: 4 MiB */
#define LOG_FULL 1024		/* pages: no more is stored until it restarts */
#define LOG_PATIENCE 1000	/* ms, for readers still in it */

/* Rows have some kilobytes: a page holds several, so that little is wasted. */
#define SETUP "PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL"
#define TABLE \
	"CREATE TABLE vectors(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used INTEGER NOT " \
	"NULL, sum INTEGER NOT NULL, vector BLOB NOT NULL)"
#define INDEX "CREATE INDEX by_use ON vectors(used)"
#define STR_(x) #x
#define STR(x) STR_(x)
#define MARKS "PRAGMA application_id=" STR(APPLICATION) "; PRAGMA user_version=" STR(VERSION)

enum {
	BEGIN_READ,
	BEGIN_WRITE,
	COMMIT,
	ROLLBACK,
	GET,
	PUT,
	TOUCH,
	NEWEST,
	EVICT,
	PAGES,
	FREE,
	VACUUM,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[BEGIN_READ] = "BEGIN",
	[BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET] = "SELECT id, used, sum, vector FROM vectors WHERE key=?1",
	[PUT] = "INSERT INTO vectors(key, used, sum, vector) VALUES(?1, ?2, ?3, ?4) ON "
		"CONFLICT(key) DO UPDATE SET used=?2, sum=?3, vector=?4",
	[TOUCH] = "UPDATE vectors SET used=?2 WHERE id=?1",
	[NEWEST] = "SELECT max(used) FROM vectors",
	[EVICT] =
		"DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY used LIMIT " STR(
			EVICTED) ")",
	[PAGES] = "PRAGMA page_count",
	[FREE] = "PRAGMA freelist_count",
	[VACUUM] = "PRAGMA incremental_vacuum",
};

struct cache {
	struct lh_tool *tool;
	char *path, *lock_path;
	uint64_t max, page;
	sqlite3 *db;
	sqlite3_stmt *stmt[STATEMENTS];
	pthread_mutex_t lock;
	struct lh_buf touched;		/* int64_t id */
	int64_t start;			/* the clock when this run began */
	/* The failure may pass: a full disk, a lock. */
	bool passing;
	bool broken;			/* reported; nothing more is stored or found */
	int log_pages;			/* after the last commit */
	bool log_held, log_told;	/* readers were waited for once; a full log was reported */
	unsigned long long hits, kept, dropped;
};

static bool is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB ||
		(rc & 0xff) == SQLITE_TOOBIG;
}

/* Convert an error of SQLite to *err. */
static int fail(struct cache *c, int rc, struct lh_err *err)
{
	if ((rc & 0xff) == SQLITE_NOMEM)
		return lh_err_nomem(err);
	if ((rc & 0xff) == SQLITE_NOTADB)
		return lh_err_set(err, LH_ECORRUPT, "%s: not a cache of lh-embed", c->path);
	if (is_damage(rc))
		return lh_err_set(err, LH_ECORRUPT, "%s: damaged; remove it, and it is made anew",
				  c->path);
	c->passing = (rc & 0xff) == SQLITE_FULL || (rc & 0xff) == SQLITE_IOERR ||
		(rc & 0xff) == SQLITE_BUSY;
	return lh_err_set(err, LH_EIO, "%s: %s", c->path, sqlite3_errmsg(c->db));
}

/* Go on without the file. */
static void give_up(struct cache *c)
{
	if (!c->broken)
		lh_tool_warn(c->tool, "%s: %s; going on without what it keeps", c->path,
			     sqlite3_errmsg(c->db));
	c->broken = true;
}

/*
 * Take the lock without which nothing is written to the log and the log is not restarted.
 * Up to version 3.51.2 SQLite may lose pages when two connections do both at once; its own
 * locks do not prevent that.
 */
static bool hold(struct cache *c, struct lh_lock *lock)
{
	struct lh_err err;

	if (lh_lock_take(lock, c->lock_path, c->path, PATIENCE / 1000.0, &err) == 0)
		return true;
	lh_tool_warn(c->tool, "%s: %s; going on without what it keeps", c->path, err.msg);
	c->broken = true;
	return false;
}

/* Run a statement that returns one number, or none; SQLITE_OK when that works. */
static int number(struct cache *c, int which, int64_t *v)
{
	sqlite3_stmt *s = c->stmt[which];
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW && v)
		*v = sqlite3_column_int64(s, 0);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		rc = SQLITE_OK;
	sqlite3_reset(s);
	return rc;
}

static int run(struct cache *c, int which)
{
	sqlite3_stmt *s = c->stmt[which];
	int rc;

	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		;
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void roll_back(struct cache *c)
{
	if (!sqlite3_get_autocommit(c->db))
		run(c, ROLLBACK);
}

/* ---- opening ---- */

/* Create the file if absent, and check it: SQLite would follow a link, and hang on a
 * FIFO. */
static int make_file(struct cache *c, struct lh_err *err)
{
	struct stat st;
	int fd;

	if (stat(c->path, &st) == 0)
		return S_ISREG(st.st_mode)
			? 0
			: lh_err_set(err, LH_EIO, "%s: not a regular file", c->path);
	fd = lh_own_open(c->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot create", c->path);
	close(fd);
	return 0;
}

/* Run a query that returns one number, once. */
static int ask(struct cache *c, const char *query, int64_t *v)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(c->db, query, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int exec(struct cache *c, const char *text)
{
	return sqlite3_exec(c->db, text, NULL, NULL, NULL);
}

/* Fill an empty file; another process may be doing the same. */
static int create(struct cache *c)
{
	int64_t objects = 0;
	int rc = exec(c, SETUP "; PRAGMA journal_mode=WAL; BEGIN IMMEDIATE");

	if (rc == SQLITE_OK)
		rc = ask(c, "SELECT count(*) FROM sqlite_schema", &objects);
	if (rc == SQLITE_OK && !objects)
		rc = exec(c, TABLE ";" INDEX ";" MARKS);
	if (rc == SQLITE_OK)
		rc = exec(c, "COMMIT");
	if (rc != SQLITE_OK && !sqlite3_get_autocommit(c->db))
		exec(c, "ROLLBACK");
	return rc;
}

/* Check that the file is a cache, by the exact text of its schema: the file of another
 * program may hold triggers, which would run. */
static int check(struct cache *c, int64_t application, int64_t version, struct lh_err *err)
{
	int64_t alien = 0, ours = 0;
	int rc =
		ask(c, "SELECT count(*) FROM sqlite_schema WHERE sql IN ('" TABLE "', '" INDEX "')",
		    &ours);

	if (rc == SQLITE_OK)
		rc = ask(c,
			 "SELECT count(*) FROM sqlite_schema WHERE sql NOT IN ('" TABLE "', '" INDEX
			 "')",
			 &alien);
	if (rc != SQLITE_OK)
		return fail(c, rc, err);
	if (application == APPLICATION && version != VERSION)
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: a cache of version %lld; this lh-embed knows version %d",
				  c->path, (long long)version, VERSION);
	if (application != APPLICATION || ours != 2 || alien)
		return lh_err_set(err, LH_ECORRUPT, "%s: not a cache of lh-embed", c->path);
	return 0;
}

/* Look at the file in one transaction, since another process may be creating it: 1 for
 * a cache, 0 for an empty file, -1 and *rc. */
static int look_once(struct cache *c, int *rc, struct lh_err *err)
{
	int64_t application = 0, version = 0, objects = 0;
	int is = -1;

	*rc = exec(c, "BEGIN");
	if (*rc == SQLITE_OK)
		*rc = ask(c, "PRAGMA application_id", &application);
	if (*rc == SQLITE_OK)
		*rc = ask(c, "PRAGMA user_version", &version);
	if (*rc == SQLITE_OK)
		*rc = ask(c, "SELECT count(*) FROM sqlite_schema", &objects);
	if (*rc == SQLITE_OK && !application && !version && !objects)
		is = 0;
	else if (*rc == SQLITE_OK)
		is = check(c, application, version, err) < 0 ? -1 : 1;
	if (!sqlite3_get_autocommit(c->db))
		exec(c, "ROLLBACK");
	return is;
}

/* Open the content of the file, created first if it is empty. */
static int look(struct cache *c, struct lh_err *err)
{
	int64_t deadline = time(NULL) + PATIENCE / 1000;
	int rc, is;

	for (;;) {
		is = look_once(c, &rc, err);
		if (is > 0 || (is < 0 && rc == SQLITE_OK))
			return is > 0 ? 0 : -1;
		if (is == 0)
			rc = create(c);
		/* SQLite does not wait where a lock would have to be upgraded. */
		if (rc != SQLITE_OK && ((rc & 0xff) != SQLITE_BUSY || time(NULL) >= deadline))
			return fail(c, rc, err);
		if (rc != SQLITE_OK)
			nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
}

static int prepare(struct cache *c, struct lh_err *err)
{
	int64_t page = 0;
	int i, rc = ask(c, "PRAGMA page_size", &page);

	for (i = 0; rc == SQLITE_OK && i < STATEMENTS; i++)
		rc = sqlite3_prepare_v3(c->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &c->stmt[i],
					NULL);
	if (rc == SQLITE_OK)
		rc = number(c, NEWEST, &c->start);
	c->page = (uint64_t)page;
	return rc == SQLITE_OK ? 0 : fail(c, rc, err);
}

static int on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct cache *c = ctx;

	(void)db;
	(void)name;
	c->log_pages = pages;
	return SQLITE_OK;
}

/* All links to the file have one lock. */
static void name_lock(struct cache *c, const char *file)
{
	size_t n = strlen(file) + sizeof LOCK;

	c->lock_path = lh_calloc(n, 1);
	snprintf(c->lock_path, n, "%s" LOCK, file);
}

static int connect(struct cache *c, struct lh_err *err)
{
	/* So that SQLite does not interpret :memory: or file:... */
	LH_SCOPED(lh_free_local) char *name = realpath(c->path, NULL);
	int rc;

	if (!name)
		return lh_err_sys(err, "%s: cannot open", c->path);
	name_lock(c, name);
	rc = sqlite3_open_v2(name, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			     SQLITE_OPEN_EXRESCODE, NULL);
	if (!c->db)
		return lh_err_nomem(err);
	if (rc == SQLITE_OK && sqlite3_db_readonly(c->db, "main") == 1)
		return lh_err_set(err, LH_EIO, "%s: may not be written", c->path);
	sqlite3_busy_timeout(c->db, PATIENCE);
	sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = exec(c, "PRAGMA cell_size_check=ON; PRAGMA secure_delete=FAST");
	if (rc != SQLITE_OK)
		return fail(c, rc, err);
	if (look(c, err) < 0)
		return -1;
	/* After a power cut the last rows may be missing, but not damaged. */
	rc = exec(c,
		  "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA "
		  "journal_size_limit=4194304");
	sqlite3_wal_hook(c->db, on_commit, c);
	return rc == SQLITE_OK ? prepare(c, err) : fail(c, rc, err);
}

/* ---- writing ---- */

/* Count the bytes of pages in use; *all: of the file. */
static int in_use(struct cache *c, uint64_t *used, uint64_t *all)
{
	int64_t pages = 0, unused = 0;
	int rc = number(c, PAGES, &pages);

	if (rc == SQLITE_OK)
		rc = number(c, FREE, &unused);
	*all = (uint64_t)pages * c->page;
	*used = (uint64_t)(pages - unused) * c->page;
	return rc;
}

/* Within a transaction: evict the rows used longest ago, if with those to come there
 * are too many. */
static int evict(struct cache *c, uint64_t coming)
{
	uint64_t used, all;
	int rc = in_use(c, &used, &all), gone = 1;

	if (rc != SQLITE_OK || used + coming <= c->max)
		return rc;
	while (rc == SQLITE_OK && used + coming > c->max - c->max / 16 && gone > 0) {
		rc = run(c, EVICT);
		gone = rc == SQLITE_OK ? sqlite3_changes(c->db) : 0;
		c->dropped += (unsigned)gone;
		if (rc == SQLITE_OK)
			rc = in_use(c, &used, &all);
	}
	return rc;
}

/* Shrink the file.  Free pages are reused; a lower limit than before makes a smaller
 * file, and so do rows that took more pages than estimated. */
static int shrink(struct cache *c)
{
	uint64_t used, all;
	int rc = evict(c, 0);

	if (rc == SQLITE_OK)
		rc = in_use(c, &used, &all);
	return rc == SQLITE_OK && all > c->max ? run(c, VACUUM) : rc;
}

/* Estimate the bytes that a row takes: its share of a page, or pages of its own, and
 * its share of two indexes. */
static uint64_t row_bytes(const struct cache *c, size_t n)
{
	uint64_t row = n + 64, a_page = c->page / row;

	return 128 + (a_page ? c->page / a_page : (row / c->page + 2) * c->page);
}

/* Return how many of the first entries fit half the file; *bytes: their size. */
static size_t fitting(const struct cache *c, const struct cache_entry *entry, size_t n,
		      uint64_t *bytes)
{
	uint64_t row;
	size_t i;

	*bytes = 0;
	for (i = 0; i < n; i++, *bytes += row) {
		row = row_bytes(c, entry[i].n);
		if (*bytes + row > c->max / 2)
			break;
	}
	return i;
}

/*
 * Restart the write-ahead log.  Readers use it, and while there always is one it never
 * restarts by itself.  Once it is long, new readers are sent to the file until those
 * in the log have ended, which for readers of this program is soon.  Another process that
 * is restarting it holds it no longer than that: SQLite is busy at once, without a length.
 */
static void restart_log(struct cache *c)
{
	int pages = -1, rc;

	sqlite3_busy_timeout(c->db, c->log_held ? 0 : LOG_PATIENCE);
	rc = sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_RESTART, &pages, NULL);
	sqlite3_busy_timeout(c->db, PATIENCE);
	c->log_held = rc != SQLITE_OK && pages >= 0;
	if (rc == SQLITE_OK || pages >= 0)
		c->log_pages = rc == SQLITE_OK ? 0 : pages;
}

/* Return whether the log may grow. */
static bool log_has_room(struct cache *c)
{
	if (c->log_pages > LOG_PAGES)
		restart_log(c);
	if (c->log_pages <= LOG_FULL)
		return true;
	if (!c->log_told)
		lh_tool_warn(c->tool,
			     "%s-wal: another program reads on in it; nothing more is kept until "
			     "it ends",
			     c->path);
	c->log_told = true;
	return false;
}

static int touch(struct cache *c, int64_t clock)
{
	const int64_t *id = (const int64_t *)c->touched.p;
	size_t i, n = c->touched.len / sizeof *id;
	int rc = SQLITE_OK;

	for (i = 0; rc == SQLITE_OK && i < n; i++) {
		sqlite3_bind_int64(c->stmt[TOUCH], 1, id[i]);
		sqlite3_bind_int64(c->stmt[TOUCH], 2, clock);
		rc = run(c, TOUCH);
	}
	return rc;
}

/* Compute the checksum of a row; SQLite detects damage elsewhere itself. */
static int64_t sum(const unsigned char key[32], const void *p, size_t n)
{
	int64_t k, h = (int64_t)lh_xxh3(p, n);

	memcpy(&k, key, sizeof k);
	return h ^ k;
}

static int insert(struct cache *c, const struct cache_entry *e, int64_t clock)
{
	sqlite3_stmt *s = c->stmt[PUT];
	int rc;

	sqlite3_bind_blob(s, 1, e->key, 32, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, clock);
	sqlite3_bind_int64(s, 3, sum(e->key, e->p, e->n));
	sqlite3_bind_blob(s, 4, e->p, (int)e->n, SQLITE_STATIC);
	rc = run(c, PUT);
	sqlite3_clear_bindings(s);
	return rc;
}

/* Write rows in one transaction. */
static int write_rows(struct cache *c, const struct cache_entry *entry, size_t n, uint64_t bytes)
{
	int64_t clock = 0;
	int rc = run(c, BEGIN_WRITE);
	size_t i;

	if (rc == SQLITE_OK)
		rc = number(c, NEWEST, &clock);
	if (rc == SQLITE_OK && (clock < 0 || clock == INT64_MAX))
		clock = 0;	/* not a valid clock: the order of use is lost, nothing else */
	if (rc == SQLITE_OK)
		rc = touch(c, clock + 1);
	if (rc == SQLITE_OK)
		rc = evict(c, bytes);
	for (i = 0; rc == SQLITE_OK && i < n; i++)
		rc = insert(c, &entry[i], clock + 1);
	if (rc == SQLITE_OK)
		rc = shrink(c);
	return rc == SQLITE_OK ? run(c, COMMIT) : rc;
}

static void write_all(struct cache *c, const struct cache_entry *entry, size_t n)
{
	struct lh_lock lock;
	uint64_t bytes;

	if (!hold(c, &lock))
		return;
	n = fitting(c, entry, n, &bytes);
	if (log_has_room(c)) {
		if (write_rows(c, entry, n, bytes) == SQLITE_OK) {
			c->kept += n;
			if (c->log_pages > LOG_PAGES)
				restart_log(c);
		} else {
			give_up(c);
			roll_back(c);
		}
	}
	lh_lock_drop(&lock);
	lh_buf_reset(&c->touched);
}

void cache_put(struct cache *c, const struct cache_entry *entry, size_t n)
{
	pthread_mutex_lock(&c->lock);
	if (!c->broken && n)
		write_all(c, entry, n);
	pthread_mutex_unlock(&c->lock);
}

/* ---- reading ---- */

void cache_lock(struct cache *c)
{
	pthread_mutex_lock(&c->lock);
	if (!c->broken && run(c, BEGIN_READ) != SQLITE_OK)
		give_up(c);
}

void cache_unlock(struct cache *c)
{
	roll_back(c);
	if (!c->broken && c->touched.len >= TOUCHED * sizeof(int64_t))
		write_all(c, NULL, 0);
	pthread_mutex_unlock(&c->lock);
}

/* Check a row that was found, and append its vector. */
static int take_vector(struct cache *c, const unsigned char key[32], struct lh_buf *out,
		       struct lh_err *err)
{
	sqlite3_stmt *s = c->stmt[GET];
	const void *p = sqlite3_column_blob(s, 3);
	size_t n = (size_t)sqlite3_column_bytes(s, 3), at = out->len;
	int64_t id = sqlite3_column_int64(s, 0);

	if (!p && sqlite3_errcode(c->db) == SQLITE_NOMEM)
		return lh_err_nomem(err);
	if (!n || n % sizeof(float) || n > LH_DIM_MAX * sizeof(float) ||
	    sqlite3_column_int64(s, 2) != sum(key, p, n))
		return fail(c, SQLITE_CORRUPT, err);
	lh_buf_add(out, p, n);
	if (!lh_vec_finite((const float *)(out->p + at), n / sizeof(float))) {
		out->len = at;
		return fail(c, SQLITE_CORRUPT, err);
	}
	if (sqlite3_column_int64(s, 1) <= c->start)
		lh_buf_add(&c->touched, &id, sizeof id);
	c->hits++;
	return 1;
}

int cache_get(struct cache *c, const unsigned char key[32], struct lh_buf *out, struct lh_err *err)
{
	sqlite3_stmt *s = c->stmt[GET];
	int rc, found = 0;

	if (c->broken)
		return 0;
	sqlite3_bind_blob(s, 1, key, 32, SQLITE_STATIC);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		found = take_vector(c, key, out, err);
	else if (is_damage(rc) || (rc & 0xff) == SQLITE_NOMEM)
		found = fail(c, rc, err);
	else if (rc != SQLITE_DONE)
		give_up(c);
	sqlite3_reset(s);
	return found;
}

/* ---- open and close ---- */

static void cache_free(struct cache *c)
{
	int i;
	struct lh_lock lock;
	bool held;

	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(c->stmt[i]);
	/* The last to close the file merges the log into it. */
	held = !c->broken && c->db && hold(c, &lock);
	if (held)
		sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_close(c->db);
	if (held)
		lh_lock_drop(&lock);
	lh_buf_free(&c->touched);
	pthread_mutex_destroy(&c->lock);
	free(c->lock_path);
	free(c->path);
	free(c);
}

struct cache *cache_open(struct lh_tool *tool, const char *path, uint64_t max, struct lh_err *err)
{
	struct cache *c = lh_calloc(1, sizeof *c);

	c->tool = tool;
	c->max = max;
	pthread_mutex_init(&c->lock, NULL);
	c->path = lh_strndup(path, strlen(path));
	if (make_file(c, err) == 0 && connect(c, err) == 0)
		return c;
	if (c->passing) {
		give_up(c);
		return c;
	}
	cache_free(c);
	lh_err_prefix(err, "--cache");
	return NULL;
}

void cache_close(struct cache *c)
{
	uint64_t used = 0, all = 0;

	if (!c)
		return;
	if (!c->broken && c->touched.len)
		write_all(c, NULL, 0);
	if (!c->broken && in_use(c, &used, &all) == SQLITE_OK)
		lh_tool_verbose(c->tool,
				"%s: %llu hits, %llu kept, %llu dropped, %.1f of %.1f MiB in use",
				c->path, c->hits, c->kept, c->dropped, (double)used / 1048576,
				(double)c->max / 1048576);
	cache_free(c);
}
