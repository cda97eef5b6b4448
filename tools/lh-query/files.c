/* files.c - where the bytes of a table are: files, objects of a store, copies of what can be
 * read only once.  See query.h. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "base/mem.h"
#include "base/signal.h"
#include "base/time.h"
#include "file/file.h"
#include "json/write.h"
#include "query.h"
#include "store/store.h"

#define FD_PATH 40	/* bytes of such a path */

int query_late(const struct query *q, struct lh_err *err)
{
	return lh_err_data(err, 504, "the query takes longer than %g seconds (--timeout)",
			   q->s->timeout);
}

int query_check(struct query *q, struct lh_err *err)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLHUP))
		lh_signal_die(SIGPIPE);
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (!q->deadline || lh_time_monotonic() < q->deadline)
		return 0;
	return query_late(q, err);
}

void files_close(struct files *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->fd[i] >= 0)
			close(f->fd[i]);
		free(f->path[i]);
	}
	free(f->fd);
	free(f->path);
	*f = (struct files){ .path = NULL };
}

static void reserve(struct files *f, size_t n)
{
	f->path = lh_calloc(n + 1, sizeof *f->path);
	f->fd = lh_calloc(n + 1, sizeof *f->fd);
}

/* Add a file by its path, or by a descriptor, which is taken over. */
static void add(struct files *f, const char *path, int fd)
{
	char by_fd[FD_PATH];

	snprintf(by_fd, sizeof by_fd, "/proc/%d/fd/%d", (int)getpid(), fd);
	path = path ? path : by_fd;
	f->fd[f->n] = fd;
	f->path[f->n++] = lh_strndup(path, strlen(path));
}

/* ---- objects of S3 ---- */

/* Copy an object. */
static int fetch(struct lh_store *s, const struct lh_object_said *said, struct files *f,
		 struct lh_err *err)
{
	int fd = lh_object_copy(s, said, err);

	if (fd >= 0)
		add(f, NULL, fd);
	return fd < 0 ? -1 : 0;
}

static int fetch_operand(const char *path, struct files *f, struct lh_err *err)
{
	const char *key;
	struct lh_store *s = lh_store_of(path, NULL, &key, err);
	int rc = s ? fetch(s, &(struct lh_object_said){ .key = key, .size = -1 }, f, err) : -1;

	lh_store_close(s);
	return rc;
}

/* ---- an operand ---- */

static int is_shown(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Add a file of a folder; what is not a regular file is left out. */
static int add_file_of(int folder, const char *path, const char *name, struct files *f,
		       struct lh_err *err)
{
	int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc = 0;
	char full[PATH_MAX];
	struct stat st = { .st_mode = 0 };

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = lh_err_sys(err, "cannot open \"%s\"", name);
	else if ((size_t)snprintf(full, sizeof full, "%s/%s", path, name) >= sizeof full)
		rc = lh_err_set(err, LH_EIO, "the name of \"%.100s\" is too long", name);
	if (fd >= 0)
		close(fd);
	if (!rc && S_ISREG(st.st_mode))
		add(f, full, -1);
	return rc;
}

/* Add the files of a folder, in the order of their names. */
static int open_folder(int fd, const char *path, struct files *f, struct lh_err *err)
{
	struct dirent **entry = NULL;
	int n = scandirat(fd, ".", &entry, is_shown, alphasort), i, rc = n < 0 ? -1 : 0;

	if (n < 0)
		return lh_err_sys(err, "cannot read");
	files_close(f);
	reserve(f, (size_t)n);
	f->folder = true;
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = add_file_of(fd, path, entry[i]->d_name, f, err);
		free(entry[i]);
	}
	free(entry);
	return rc || f->n ? rc : lh_err_set(err, LH_EIO, "is a folder without files");
}

/* Copy what can be read only once; return the descriptor of the copy, or -1. */
static int copy(int fd, struct lh_err *err)
{
	const size_t room = (size_t)256 << 10;
	LH_SCOPED(lh_free_local) char *p = lh_calloc(room, 1);
	int to = lh_store_spool(err);
	ssize_t n = 1;

	while (to >= 0 && (n = lh_read_some(fd, p, room, err)) > 0)
		if (lh_write_all(to, p, (size_t)n, err) < 0)
			break;
	if (to < 0 || n)
		return to < 0 ? -1 : (close(to), -1);
	return to;
}

/* What is not a regular file is copied, since it is read again for every use of the table. */
static int open_operand(const char *path, struct files *f, struct lh_err *err)
{
	bool own = strcmp(path, "-") != 0;
	struct stat st;
	int fd, rc = 0;

	fd = own ? open(path, O_RDONLY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot open");
	if (S_ISDIR(st.st_mode))
		rc = open_folder(fd, path, f, err);
	else if (S_ISREG(st.st_mode) && own)
		add(f, path, -1);
	else
		rc = copy(fd, err);
	close(fd);
	if (rc < 0 || f->n)
		return rc;
	add(f, NULL, rc);
	return 0;
}

/* ---- a dataset ---- */

/* A dataset may be kept twice, also as Parquet. */
static bool is_wanted(const struct table *t, size_t i)
{
	bool parquet = false, other = false;
	size_t k;

	for (k = 0; k < t->n_objects; k++) {
		bool is = lh_ends_with(t->object[k].key, ".parquet");

		parquet |= is;
		other |= !is;
	}
	if (!parquet || !other)
		return true;
	return !lh_ends_with(t->object[i].key, ".parquet");
}

static struct lh_object_said said_of(const struct object *o)
{
	return (struct lh_object_said){ o->key, o->size, o->has_sha256 ? o->sha256 : NULL };
}

static int unnamed_store(const struct table *t, struct lh_err *err)
{
	return lh_err_set(err, LH_EUSAGE, "its manifest names the store %.200s, which is not next "
			  "to the catalog: name it with --store", t->store);
}

/* Check that the folder that a manifest names is below the one that the catalog is in. */
static int check_place(const struct query *q, const struct table *t, int folder,
		       struct lh_err *err)
{
	char by_fd[FD_PATH];
	LH_SCOPED(lh_free_local) char *catalog = realpath(q->s->catalog, NULL);
	LH_SCOPED(lh_free_local) char *store = NULL;
	char *slash;
	bool below = false;

	snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", folder);
	store = realpath(by_fd, NULL);
	slash = catalog ? strrchr(catalog, '/') : NULL;
	if (slash && store)
		below = slash > catalog &&
			!strncmp(store, catalog, (size_t)(slash + 1 - catalog));
	return below ? 0 : unnamed_store(t, err);
}

static int open_folder_objects(struct query *q, const struct table *t, struct files *f,
			       struct lh_err *err)
{
	int folder = lh_open_beneath(t->store, err), fd, rc = 0;
	struct lh_object_said said;
	size_t i;

	if (folder < 0)
		return -1;
	if (!q->s->store)
		rc = check_place(q, t, folder, err);
	for (i = 0; !rc && i < t->n_objects; i++) {
		if (!is_wanted(t, i))
			continue;
		said = said_of(&t->object[i]);
		rc = lh_store_check_key(said.key, strlen(said.key), err);
		fd = rc ? -1 : lh_object_open(folder, said.key, err);
		if (fd >= 0 && lh_object_check(&said, fd, q->s->verify, err) < 0) {
			close(fd);
			fd = -1;
		}
		if (fd < 0)
			rc = -1;
		else
			add(f, NULL, fd);
	}
	close(folder);
	return rc;
}

static int open_dataset(struct query *q, const struct table *t, struct files *f,
			struct lh_err *err)
{
	struct lh_object_said said;
	struct lh_store *s;
	int rc = 0;
	size_t i;

	if (!t->store)
		return lh_err_data(err, 404, "its manifest has no store (--store)");
	if (!lh_store_is_s3(t->store))
		return open_folder_objects(q, t, f, err);
	if (!q->s->store)
		return unnamed_store(t, err);
	s = lh_store_open(t->store, NULL, err);
	for (i = 0; s && !rc && i < t->n_objects; i++) {
		said = said_of(&t->object[i]);
		if (is_wanted(t, i))
			rc = fetch(s, &said, f, err);
	}
	lh_store_close(s);
	return s ? rc : -1;
}

int files_open(struct query *q, const struct table *t, struct files *f, struct lh_err *err)
{
	int rc;

	reserve(f, t->n_objects + 1);
	if (t->dataset)
		rc = open_dataset(q, t, f, err);
	else if (lh_store_is_s3(t->path))
		rc = fetch_operand(t->path, f, err);
	else
		rc = open_operand(t->path, f, err);
	if (!rc && !f->n)
		rc = lh_err_data(err, 404, "it has no objects");
	if (rc < 0)
		files_close(f);
	return rc;
}

/* ---- a file of SQLite as a table ---- */

/*
 * The file may be a stranger's.  It has a connection of its own, which reads one ordinary table:
 * no view, trigger, virtual table or extension is run, and what its columns compute may call the
 * functions alone that SQLite calls innocuous.
 */

/* Functions that reach outside of the query. */
static const char *const refused[] = { "load_extension", "readfile", "writefile", "edit",
				       "fts3_tokenizer", NULL };

bool may_call(const char *name)
{
	size_t i;

	for (i = 0; refused[i]; i++)
		if (!strcasecmp(name, refused[i]))
			return false;
	return true;
}

static int authorize_file(void *arg, int action, const char *a, const char *b, const char *db,
			  const char *inner)
{
	(void)arg;
	(void)a;
	(void)db;
	(void)inner;
	return action == SQLITE_READ || action == SQLITE_SELECT ||
	       (action == SQLITE_FUNCTION && may_call(b)) ? SQLITE_OK : SQLITE_DENY;
}

static int on_file_progress(void *query)
{
	return query_check(query, &(struct lh_err){ 0 }) < 0;
}

/* Set the reason why a file cannot be read. */
int database_failed(struct query *q, const struct table *t, sqlite3 *db, struct lh_err *err)
{
	const int rc = sqlite3_errcode(db) & 0xff;

	if (rc == SQLITE_INTERRUPT && query_check(q, err) < 0)
		return -1;
	if (rc == SQLITE_NOMEM)
		return lh_err_data(err, 413, "out of memory (--memory)");
	return lh_err_set(err, LH_EIO, "%s: %s%s", t->path, rc == SQLITE_CORRUPT ||
			  rc == SQLITE_NOTADB ? "is damaged: " : rc == SQLITE_CANTOPEN ?
			  "its log (-wal, -journal) has to be applied, which needs "
			  "permission to write there: " : "", sqlite3_errmsg(db));
}

/* Return whether all of a file is in itself: it has no log that belongs to it, and none is made
 * by reading it. */
static bool is_still(const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf log = { 0 };
	struct stat st;
	char head[20] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool wal = fd >= 0 && pread(fd, head, sizeof head, 0) == sizeof head && head[18] == 2;

	if (fd >= 0)
		close(fd);
	lh_buf_printf(&log, "%s-wal%c", path, '\0');
	return wal && (stat(log.p, &st) < 0 || !st.st_size);
}

static int open_file(struct query *q, const struct table *t, sqlite3 **db, struct lh_err *err)
{
	static const int settings[] = {
		SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
		SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
	};
	const uint64_t memory = q->s->memory;
	LH_SCOPED(lh_buf_free) struct lh_buf uri = { 0 };
	const char *p;
	size_t i;

	lh_buf_puts(&uri, "file:");
	for (p = t->files.path[0]; *p; p++)
		lh_buf_printf(&uri, isalnum((unsigned char)*p) ? "%c" : "%%%02x",
			      (unsigned char)*p);
	lh_buf_printf(&uri, "?mode=ro%s%c", is_still(t->files.path[0]) ? "&immutable=1" : "",
		      '\0');
	sqlite3_hard_heap_limit64((sqlite3_int64)memory);
	if (sqlite3_open_v2(uri.p, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
			    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return database_failed(q, t, *db, err);
	for (i = 0; i < sizeof settings / sizeof *settings; i++)
		sqlite3_db_config(*db, settings[i], 0, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_drop_modules(*db, NULL);
	sqlite3_limit(*db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(*db, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_limit(*db, SQLITE_LIMIT_TRIGGER_DEPTH, 0);
	sqlite3_limit(*db, SQLITE_LIMIT_EXPR_DEPTH, 100);
	sqlite3_limit(*db, SQLITE_LIMIT_SQL_LENGTH, SQL_LONGEST);
	sqlite3_limit(*db, SQLITE_LIMIT_LENGTH, memory < 1000000000 ? (int)memory : 1000000000);
	sqlite3_busy_timeout(*db, 5000);
	sqlite3_progress_handler(*db, 4096, on_file_progress, q);
	if (sqlite3_exec(*db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", NULL, NULL, NULL))
		return database_failed(q, t, *db, err);
	sqlite3_set_authorizer(*db, authorize_file, NULL);
	return 0;
}

/* Find the table of a file: the one that the operand names, else that of its own name, else the
 * only one. */
static char *find_table(struct query *q, const struct table *t, sqlite3 *db, struct lh_err *err)
{
	const char *want = t->inner ? t->inner : t->name, *name;
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };
	char *found = NULL, *only = NULL;
	sqlite3_stmt *s = NULL;
	size_t n = 0;
	int rc = sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
				    "name NOT LIKE 'sqlite!_%' ESCAPE '!'", -1, &s, NULL);

	while (!rc && sqlite3_step(s) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(s, 0);
		if (!name)
			continue;
		if (!found && !strcasecmp(name, want))
			found = lh_strndup(name, strlen(name));
		if (!n)
			only = lh_strndup(name, strlen(name));
		if (names.len < 100)
			lh_buf_printf(&names, "%s%.50s", n ? ", " : "", name);
		n++;
	}
	if (sqlite3_finalize(s) || rc) {
		database_failed(q, t, db, err);
		free(found);
		found = NULL;
	} else if (!found && n == 1 && !t->inner) {
		found = only;
		only = NULL;
	} else if (!found) {
		lh_buf_putc(&names, '\0');
		lh_err_set(err, LH_EIO, "%s: has no table \"%.100s\"; there is %s: name one by "
			   "%.100s=FILE:TABLE", t->path, want, n ? names.p : "none", t->name);
	}
	free(only);
	return found;
}

void database_close(sqlite3_stmt *s)
{
	sqlite3 *db = s ? sqlite3_db_handle(s) : NULL;

	sqlite3_finalize(s);
	sqlite3_close_v2(db);
}

sqlite3_stmt *database_open(struct query *q, const struct table *t, struct lh_err *err)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	char *name = open_file(q, t, &db, err) < 0 ? NULL : find_table(q, t, db, err), *sql;
	int i;

	if (name) {
		sql = sqlite3_mprintf("SELECT * FROM main.\"%w\"", name);
		if (!sql || sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
			database_failed(q, t, db, err);
		sqlite3_free(sql);
	}
	free(name);
	if (!s)
		sqlite3_close_v2(db);
	for (i = 0; s && i < sqlite3_column_count(s); i++) {
		const char *column = sqlite3_column_name(s, i);

		if (column && lh_utf8_valid(column, strlen(column)))
			continue;
		lh_err_set(err, LH_EIO, "%s: the name of column %d is not UTF-8", t->path, i + 1);
		database_close(s);
		return NULL;
	}
	return s;
}
