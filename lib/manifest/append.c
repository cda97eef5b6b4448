/* append.c - append all lines of a run to a file, or none.  See manifest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "file/file.h"
#include "crypto/digest.h"
#include "base/mem.h"
#include "manifest.h"

#define BLOCK ((size_t)256 << 10)	/* bytes written at a time */

struct lh_append {
	const char *folder;
	struct lh_digest_cache *cache;
	char *relpath, *path;
	bool open;		/* `out` is open, since the first line */
	struct lh_atomic out;
	struct lh_buf block;
	uint64_t lines, bytes;
	bool hashing;		/* the file is new, and its digest is requested */
	struct lh_sha256 hash;
};

int lh_files_folders(const char *folder, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(folder, relpath);
	char *slash = path + (strlen(path) - strlen(relpath));
	int rc = 0;

	while (!rc && (slash = strchr(slash, '/'))) {
		*slash = '\0';
		rc = lh_own_mkdir(path, 0777, err) < 0 ? -1 : 0;
		*slash++ = '/';
	}
	return rc;
}

struct lh_append *lh_append_open(const char *folder, const char *relpath,
				 struct lh_digest_cache *cache, struct lh_err *err)
{
	struct lh_append *a = lh_calloc(1, sizeof *a);
	struct stat st;

	a->folder = folder;
	a->cache = cache;
	a->relpath = lh_strndup(relpath, strlen(relpath));
	a->path = lh_files_path(folder, relpath);
	if (lstat(a->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		lh_not_regular(a->path, st.st_mode, err);
		lh_append_close(a);
		return NULL;
	}
	return a;
}

void lh_append_close(struct lh_append *a)
{
	if (!a)
		return;
	if (a->open)
		lh_atomic_close(&a->out);
	lh_buf_free(&a->block);
	free(a->relpath);
	free(a->path);
	free(a);
}

uint64_t lh_append_lines(const struct lh_append *a)
{
	return a->lines;
}

/* Write the contents of the block. */
static int flush(struct lh_append *a, struct lh_err *err)
{
	int rc = 0;

	if (a->block.len)
		rc = lh_atomic_write(&a->out, a->block.p, a->block.len, err);
	a->bytes += a->block.len;
	if (a->hashing)
		lh_sha256_more(&a->hash, a->block.p, a->block.len);
	lh_buf_reset(&a->block);
	return rc;
}

/* Copy the bytes of `from` through memory, for file systems without copy_file_range. */
static int copy_plain(struct lh_append *a, int from, struct lh_err *err)
{
	char *to;
	ssize_t n;

	do {
		to = lh_buf_room(&a->block, BLOCK);
		n = lh_read_some(from, to, BLOCK, err);
		if (n < 0)
			return lh_err_prefix(err, "%s", a->path);
		lh_buf_took(&a->block, (size_t)n);
		if (flush(a, err) < 0)
			return -1;
	} while (n);
	return 0;
}

/* Copy the present contents of the file. */
static int copy_old(struct lh_append *a, int from, struct lh_err *err)
{
	struct stat st;
	ssize_t n;
	char last;

	do
		n = copy_file_range(from, NULL, a->out.fd, NULL, (size_t)1 << 30, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (copy_plain(a, from, err) < 0)
		return -1;
	if (fstat(a->out.fd, &st) < 0)
		return lh_err_sys(err, "%s", a->path);
	if (st.st_size && pread(a->out.fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		lh_buf_putc(&a->block, '\n');
	return 0;
}

static int start(struct lh_append *a, struct lh_err *err)
{
	int from, rc;

	if (lh_files_folders(a->folder, a->relpath, err) < 0 ||
	    lh_atomic_open(&a->out, a->path, 0666, err) < 0)
		return -1;
	a->open = true;
	if (access(a->path, F_OK) < 0 && errno == ENOENT) {
		a->hashing = a->cache != NULL;
		lh_sha256_start(&a->hash);
		return 0;
	}
	from = lh_open_regular(a->path, O_RDONLY, 0, err);
	if (from < 0)
		return -1;
	rc = copy_old(a, from, err);
	close(from);
	return rc;
}

int lh_append_line(struct lh_append *a, const char *line, size_t n, struct lh_err *err)
{
	if (!a->open && start(a, err) < 0)
		return -1;
	lh_buf_add(&a->block, line, n);
	lh_buf_putc(&a->block, '\n');
	a->lines++;
	return a->block.len >= BLOCK ? flush(a, err) : 0;
}

static void report_written(struct lh_append *a, const struct stat *made)
{
	struct lh_file_digest fact = { .bytes = a->bytes, .records = a->lines };

	lh_sha256_end(&a->hash, fact.sha256);
	lh_digest_cache_written(a->cache, a->relpath, made, &fact);
}

int lh_append_commit(struct lh_append *a, struct lh_err *err)
{
	struct stat made;

	if (!a->open)
		return 0;
	if (flush(a, err) < 0)
		return -1;
	if (a->hashing && fstat(a->out.fd, &made) < 0)
		return lh_err_sys(err, "%s", a->path);
	a->open = false;
	if (lh_atomic_commit(&a->out, err) < 0) {
		lh_atomic_close(&a->out);
		return -1;
	}
	if (a->hashing)
		report_written(a, &made);
	return 0;
}
