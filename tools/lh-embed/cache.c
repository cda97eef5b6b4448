/* cache.c - a cache of vectors in an SQLite file.  See cache.h. */
#include "cache.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "vector/distance.h"
#include "base/xxh3.h"

/* Version 1 had a time of last use too, and a write-ahead log. */
#define TABLE "CREATE TABLE vectors(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, "
#define TABLE_1 TABLE "used INTEGER NOT NULL, sum INTEGER NOT NULL, vector BLOB NOT NULL)"
#define TABLE_2 TABLE "sum INTEGER NOT NULL, vector BLOB NOT NULL)"
#define INDEX_1 "CREATE INDEX by_use ON vectors(used)"
#define LHEC 1818781027		/* "lhec" */
#define GET "SELECT sum, vector FROM vectors WHERE key=?1"
#define PUT "REPLACE INTO vectors(key, sum, vector) VALUES(?1, ?2, ?3)"
#define IN_USE \
	"SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, " \
	"pragma_freelist_count, pragma_page_size"

struct cache {
	struct lh_tool *tool;
	const char *path;
	uint64_t max;
	sqlite3 *db;
	sqlite3_stmt *get, *put;
	pthread_mutex_t lock;
	bool broken;		/* reported; nothing more is stored or found */
	unsigned long long hits, kept, dropped;
};

/* Go on without the file. */
static void give_up(struct cache *c)
{
	if (!c->broken)
		lh_tool_warn(c->tool, "%s: %s; going on without what it keeps", c->path,
			     sqlite3_errmsg(c->db));
	c->broken = true;
}

/* Convert an error of SQLite to *err; 0 for one that costs no answer. */
static int fail(struct cache *c, int rc, struct lh_err *err)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return lh_err_nomem(err);
	case SQLITE_NOTADB:
		return lh_err_set(err, LH_ECORRUPT, "%s: not a cache of lh-embed", c->path);
	case SQLITE_CORRUPT:
		return lh_err_set(err, LH_ECORRUPT, "%s: damaged; remove it, and it is made anew",
				  c->path);
	}
	give_up(c);
	return 0;
}

static int get_number(void *v, int n, char **column, char **name)
{
	(void)name;
	*(uint64_t *)v = n == 1 && column[0] ? strtoull(column[0], NULL, 10) : 0;
	return 0;
}

/* Run SQL; *v: the number that it returns. */
static int exec(struct cache *c, const char *text, uint64_t *v)
{
	return sqlite3_exec(c->db, text, v ? get_number : NULL, v, NULL);
}

/*
 * Within a transaction: check that the file is a cache, by the exact text of its schema, since
 * that of another program may have triggers, which would run.  Fill an empty file.
 */
static int look(struct cache *c, struct lh_err *err)
{
	uint64_t mark = 0, schema = 0;
	int rc = exec(c, "PRAGMA application_id", &mark);

	if (!rc)
		rc = exec(c, "SELECT total(CASE sql WHEN '" TABLE_2 "' THEN 2 WHEN '" TABLE_1
			 "' THEN 10 WHEN '" INDEX_1 "' THEN 100 ELSE 1000 END) FROM sqlite_schema "
			 "WHERE sql IS NOT NULL", &schema);
	if (!rc && !mark && !schema)
		rc = exec(c, TABLE_2 "; PRAGMA application_id=1818781027", NULL);
	else if (!rc && mark == LHEC && schema == 110)
		rc = exec(c, "DROP INDEX by_use; ALTER TABLE vectors DROP COLUMN used", NULL);
	else if (!rc && (mark != LHEC || schema != 2))
		rc = SQLITE_NOTADB;
	if (!rc)
		rc = exec(c, "COMMIT; PRAGMA journal_mode=DELETE; PRAGMA synchronous=NORMAL", NULL);
	if (!rc && !(rc = sqlite3_prepare_v2(c->db, GET, -1, &c->get, NULL)))
		rc = sqlite3_prepare_v2(c->db, PUT, -1, &c->put, NULL);
	return rc ? fail(c, rc, err) : 0;
}

static int connect(struct cache *c, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = NULL;
	struct stat st;
	int rc, fd;

	/* SQLite would follow a link where there is no file, and hang on a FIFO. */
	if (stat(c->path, &st) < 0) {
		fd = lh_own_open(c->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return lh_err_sys(err, "%s: cannot create", c->path);
		close(fd);
	} else if (!S_ISREG(st.st_mode)) {
		return lh_err_set(err, LH_EIO, "%s: not a regular file", c->path);
	}
	name = realpath(c->path, NULL);	/* SQLite would interpret :memory: or file:... */
	if (!name)
		return lh_err_sys(err, "%s: cannot open", c->path);
	rc = sqlite3_open_v2(name, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc)
		return fail(c, rc, err);
	if (sqlite3_db_readonly(c->db, "main") == 1)
		return lh_err_set(err, LH_EIO, "%s: may not be written", c->path);
	sqlite3_busy_timeout(c->db, 10000);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* Rows have some kilobytes: a page holds several, so that little is wasted. */
	rc = exec(c, "PRAGMA cell_size_check=ON; PRAGMA secure_delete=FAST; PRAGMA "
		  "page_size=16384; BEGIN IMMEDIATE", NULL);
	return rc ? fail(c, rc, err) : look(c, err);
}

struct cache *cache_open(struct lh_tool *tool, const char *path, uint64_t max, struct lh_err *err)
{
	struct cache *c = lh_calloc(1, sizeof *c);

	c->tool = tool;
	c->path = path;
	c->max = max;
	pthread_mutex_init(&c->lock, NULL);
	if (connect(c, err) == 0)
		return c;
	c->broken = true;
	cache_close(c);
	lh_err_prefix(err, "--cache");
	return NULL;
}

void cache_close(struct cache *c)
{
	uint64_t used = 0;

	if (!c)
		return;
	if (!c->broken && !exec(c, IN_USE, &used))
		lh_tool_verbose(c->tool,
				"%s: %llu hits, %llu kept, %llu dropped, %.1f of %.1f MiB in use",
				c->path, c->hits, c->kept, c->dropped, (double)used / 1048576,
				(double)c->max / 1048576);
	sqlite3_finalize(c->get);
	sqlite3_finalize(c->put);
	sqlite3_close(c->db);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Compute the checksum of a row; SQLite detects damage elsewhere itself. */
static int64_t sum(const unsigned char key[32], const void *p, size_t n)
{
	int64_t k, h = (int64_t)lh_xxh3(p, n);

	memcpy(&k, key, sizeof k);
	return h ^ k;
}

static int insert(struct cache *c, const struct cache_entry *e)
{
	int rc;

	sqlite3_bind_blob(c->put, 1, e->key, 32, SQLITE_STATIC);
	sqlite3_bind_int64(c->put, 2, sum(e->key, e->p, e->n));
	sqlite3_bind_blob(c->put, 3, e->p, (int)e->n, SQLITE_STATIC);
	rc = sqlite3_step(c->put);
	sqlite3_reset(c->put);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Write rows, in one transaction; the oldest go if there are too many. */
static int write_rows(struct cache *c, const struct cache_entry *entry, size_t n)
{
	uint64_t used = 0;
	int rc = exec(c, "BEGIN IMMEDIATE", NULL), gone = 1;
	size_t i;

	for (i = 0; !rc && i < n; i++)
		rc = insert(c, &entry[i]);
	while (!rc && !(rc = exec(c, IN_USE, &used)) && gone && used > c->max) {
		rc = exec(c, "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY id "
			  "LIMIT 64)", NULL);
		gone = sqlite3_changes(c->db);
		c->dropped += (unsigned)gone;
	}
	c->kept += rc ? 0 : n;
	return rc ? rc : exec(c, "COMMIT", NULL);
}

void cache_put(struct cache *c, const struct cache_entry *entry, size_t n)
{
	pthread_mutex_lock(&c->lock);
	if (!c->broken && n && write_rows(c, entry, n)) {
		give_up(c);
		if (!sqlite3_get_autocommit(c->db))
			exec(c, "ROLLBACK", NULL);
	}
	pthread_mutex_unlock(&c->lock);
}

int cache_get(struct cache *c, const unsigned char key[32], struct lh_buf *out, struct lh_err *err)
{
	size_t at = out->len, n;
	int rc = SQLITE_DONE, found = 0;

	pthread_mutex_lock(&c->lock);
	sqlite3_bind_blob(c->get, 1, key, 32, SQLITE_STATIC);
	if (!c->broken)
		rc = sqlite3_step(c->get);
	if (rc == SQLITE_ROW) {
		lh_buf_add(out, sqlite3_column_blob(c->get, 1),
			   (size_t)sqlite3_column_bytes(c->get, 1));
		n = out->len - at;
		if (sqlite3_errcode(c->db) == SQLITE_NOMEM)
			found = lh_err_nomem(err);
		else if (!n || n % sizeof(float) || n > LH_DIM_MAX * sizeof(float) ||
			 sqlite3_column_int64(c->get, 0) != sum(key, out->p + at, n))
			found = fail(c, SQLITE_CORRUPT, err);
		else
			found = 1;
	} else if (rc != SQLITE_DONE) {
		found = fail(c, rc, err);
	}
	sqlite3_reset(c->get);
	out->len = found > 0 ? out->len : at;
	c->hits += found > 0;
	pthread_mutex_unlock(&c->lock);
	return found;
}
