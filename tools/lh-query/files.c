/* files.c - where the bytes of a table are: files, objects of a store, copies of what can be
 * read only once.  See query.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/open_beneath.h"
#include "query.h"
#include "spill.h"
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
	*f = (struct files){ NULL, NULL, 0 };
}

static int reserve(struct files *f, size_t n, struct lh_err *err)
{
	f->path = lh_calloc(n + 1, sizeof *f->path, err);
	f->fd = lh_calloc(n + 1, sizeof *f->fd, err);
	return f->path && f->fd ? 0 : -1;
}

/* Add a file by its path, or by a descriptor, which is taken over. */
static int add(struct files *f, const char *path, int fd, struct lh_err *err)
{
	char by_fd[FD_PATH];

	snprintf(by_fd, sizeof by_fd, "/proc/%d/fd/%d", (int)getpid(), fd);
	path = path ? path : by_fd;
	f->fd[f->n] = fd;
	f->path[f->n++] = lh_strndup(path, strlen(path), err);
	return f->path[f->n - 1] ? 0 : -1;
}

/* ---- objects of S3 ---- */

static int fetch(struct query *q, struct lh_store *s, const char *key, struct files *f,
		 struct lh_err *err)
{
	struct lh_transfer done;
	struct lh_object object;
	struct spill_file spill;
	int rc;

	if (lh_store_head(s, key, &object, err) < 0)
		return -1;
	if (object.size > q->s->spill)
		return lh_err_data(err, 413, "the object is larger than --spill");
	if (spill_start(&spill, q->s->spill, err) < 0)
		return -1;
	rc = lh_store_get(s, key, spill.fd, &done, err);
	rc = spill_end(&spill, rc, err);
	return rc < 0 ? -1 : add(f, NULL, rc, err);
}

static int fetch_operand(struct query *q, const char *path, struct files *f, struct lh_err *err)
{
	const char *key;
	struct lh_store *s = lh_store_of(path, NULL, &key, err);
	int rc = s ? fetch(q, s, key, f, err) : -1;

	lh_store_close(s);
	return rc;
}

/* ---- an operand ---- */

/* What is not a regular file is copied, since it is read again for every use of the table. */
static int open_operand(struct query *q, const char *path, struct files *f, struct lh_err *err)
{
	bool own = strcmp(path, "-") != 0;
	struct stat st;
	int fd, rc;

	fd = own ? open(path, O_RDONLY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot open");
	if (S_ISDIR(st.st_mode))
		rc = lh_err_set(err, LH_EIO, "is a directory");
	else if (S_ISREG(st.st_mode) && own)
		rc = add(f, path, -1, err);
	else
		rc = spill_copy(fd, q->s->spill, err);
	close(fd);
	return rc < 0 || f->n ? rc : add(f, NULL, rc, err);
}

/* ---- a dataset ---- */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && memcmp(s + n - k, end, k) == 0;
}

/* A dataset may be kept twice, also as Parquet, which is for DuckDB. */
static bool is_wanted(const struct query *q, const struct table *t, size_t i)
{
	bool parquet = false, other = false;
	size_t k;

	for (k = 0; k < t->n_keys; k++) {
		bool is = ends_with(t->key[k], ".parquet");

		parquet |= is;
		other |= !is;
	}
	if (!parquet || !other)
		return true;
	return ends_with(t->key[i], ".parquet") == (q->s->engine == ENGINE_DUCKDB);
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

static int open_folder_objects(const struct query *q, const struct table *t, struct files *f,
			       struct lh_err *err)
{
	int folder = lh_open_beneath(t->store, err), fd, rc = 0;
	size_t i;

	if (folder < 0)
		return -1;
	for (i = 0; !rc && i < t->n_keys; i++) {
		if (!is_wanted(q, t, i))
			continue;
		rc = lh_store_check_key(t->key[i], strlen(t->key[i]), err);
		fd = rc ? -1 : open_object(folder, t->key[i], err);
		rc = fd < 0 ? -1 : add(f, NULL, fd, err);
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
	s = lh_store_open(t->store, NULL, err);
	for (i = 0; s && !rc && i < t->n_keys; i++)
		if (is_wanted(q, t, i))
			rc = fetch(q, s, t->key[i], f, err);
	lh_store_close(s);
	return s ? rc : -1;
}

int files_open(struct query *q, const struct table *t, struct files *f, struct lh_err *err)
{
	int rc = reserve(f, t->n_keys + 1, err);

	if (!rc && t->dataset)
		rc = open_dataset(q, t, f, err);
	else if (!rc && lh_store_is_s3(t->path))
		rc = fetch_operand(q, t->path, f, err);
	else if (!rc)
		rc = open_operand(q, t->path, f, err);
	if (!rc && !f->n)
		rc = lh_err_data(err, 404, "it has no objects");
	if (rc < 0)
		files_close(f);
	return rc;
}
