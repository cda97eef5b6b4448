/* files.c - where the bytes of a table are: files, objects of a store, copies of what can be
 * read only once.  See query.h. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "file/file.h"
#include "query.h"
#include "store/store.h"

#define FD_PATH 40	/* bytes of such a path */

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

/* ---- objects and what their manifest says ---- */

static int check_size(const struct object *o, uint64_t size, struct lh_err *err)
{
	if (o->size < 0 || size == (uint64_t)o->size)
		return 0;
	return lh_err_data(err, 503, "the object \"%.200s\" has %llu bytes, but its manifest says "
			   "%lld", o->key, (unsigned long long)size, (long long)o->size);
}

static int check_sha256(const struct object *o, const unsigned char *sha256, struct lh_err *err)
{
	return !o->has_sha256 || !memcmp(o->sha256, sha256, sizeof o->sha256) ? 0 :
	       lh_err_data(err, 503, "the object \"%.200s\" does not have the SHA-256 that its "
			   "manifest says", o->key);
}

/* Check an object that is open as a file, its hash with --verify. */
static int check_file(const struct query *q, const struct object *o, int fd, struct lh_err *err)
{
	const size_t room = (size_t)256 << 10;
	unsigned char sum[32];
	struct lh_sha256 sha;
	struct stat st;
	ssize_t n = 0;
	char *p;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot read \"%.200s\"", o->key);
	if (check_size(o, (uint64_t)st.st_size, err) < 0)
		return -1;
	if (!q->s->verify || !o->has_sha256)
		return 0;
	p = lh_calloc(room, 1);
	lh_sha256_start(&sha);
	while ((n = lh_read_some(fd, p, room, err)) > 0)
		lh_sha256_more(&sha, p, (size_t)n);
	lh_sha256_end(&sha, sum);
	free(p);
	if (n < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	return check_sha256(o, sum, err);
}

/* ---- objects of S3 ---- */

/* Open a temporary file that has no name. */
static int temporary(struct lh_err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? lh_err_sys(err, "cannot make a temporary file") : fd;
}

/* Copy an object; o: what its manifest says. */
static int fetch(struct lh_store *s, const struct object *o, struct files *f, struct lh_err *err)
{
	struct lh_transfer done;
	struct lh_object object;
	int fd;

	if (lh_store_head(s, o->key, &object, err) < 0 || check_size(o, object.size, err) < 0)
		return -1;
	fd = temporary(err);
	if (fd < 0)
		return -1;
	if (lh_store_get(s, o->key, fd, &done, err) == 0 &&
	    check_sha256(o, done.sha256, err) == 0) {
		add(f, NULL, fd);
		return 0;
	}
	close(fd);
	return -1;
}

static int fetch_operand(const char *path, struct files *f, struct lh_err *err)
{
	const char *key;
	struct lh_store *s = lh_store_of(path, NULL, &key, err);
	int rc = s ? fetch(s, &(struct object){ .key = (char *)key, .size = -1 }, f, err) : -1;

	lh_store_close(s);
	return rc;
}

/* ---- an operand ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

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
	int n = scandirat(fd, ".", &entry, is_shown, by_name), i, rc = n < 0 ? -1 : 0;

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
	int to = temporary(err);
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

/* Open an object of a folder; nothing leads out of it. */
static int open_object(int folder, const char *key, struct lh_err *err)
{
	char by_fd[FD_PATH];
	int at = lh_path_beneath(folder, key), fd;
	struct stat st;

	if (at < 0)
		return lh_err_data(err, 404, "there is no object \"%.200s\"", key);
	if (fstat(at, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(at);
		return lh_err_data(err, 404, "\"%.200s\" is not an object", key);
	}
	snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", at);
	fd = open(by_fd, O_RDONLY | O_CLOEXEC);
	close(at);
	return fd < 0 ? lh_err_sys(err, "cannot open \"%.200s\"", key) : fd;
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
	size_t i;

	if (folder < 0)
		return -1;
	if (!q->s->store)
		rc = check_place(q, t, folder, err);
	for (i = 0; !rc && i < t->n_objects; i++) {
		if (!is_wanted(t, i))
			continue;
		rc = lh_store_check_key(t->object[i].key, strlen(t->object[i].key), err);
		fd = rc ? -1 : open_object(folder, t->object[i].key, err);
		if (fd >= 0 && check_file(q, &t->object[i], fd, err) < 0) {
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
	for (i = 0; s && !rc && i < t->n_objects; i++)
		if (is_wanted(t, i))
			rc = fetch(s, &t->object[i], f, err);
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
