/* chain_file.c - the lines of a log on disk.  See chain_parts.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain_parts.h"
#include "file/file.h"
#include "base/mem.h"

#define CHUNK 4096

int lh_chain_pread(int fd, const char *path, void *p, size_t n, int64_t at, struct lh_err *err)
{
	char *to = p;

	while (n) {
		ssize_t got = pread(fd, to, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lh_err_sys(err, "%s: read failed", path);
		if (got == 0)
			return lh_err_set(err, LH_EIO,
					  "%s: it has become shorter while it was read", path);
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int lh_chain_too_long(const char *path, int64_t at, uint64_t max, struct lh_err *err)
{
	return lh_err_set(err, LH_EIO,
			  "%s: the row at byte %lld is longer than %llu bytes (--max-line)", path,
			  (long long)at,
			  (unsigned long long)max);
}

int lh_chain_read_line(int fd, const char *path, int64_t at, int64_t size, uint64_t max,
		       char **line, size_t *n, struct lh_err *err)
{
	size_t len = 0, more = CHUNK;
	char *p = NULL, *grown, *lf;

	for (;;) {
		if ((int64_t)more > size - at - (int64_t)len)
			more = (size_t)(size - at) - len;
		grown = lh_realloc(p, len + more + LH_PAD, 1);
		p = grown;
		if (lh_chain_pread(fd, path, p + len, more, at + (int64_t)len, err) < 0)
			break;
		lf = memchr(p + len, '\n', more);
		len += more;
		if (lf || at + (int64_t)len == size) {
			*line = p;
			*n = lf ? (size_t)(lf - p) : len;
			memset(p + len, 0, LH_PAD);
			return 0;
		}
		if (max && len > max) {
			lh_chain_too_long(path, at, max, err);
			break;
		}
		more = len;
	}
	free(p);
	return -1;
}

int lh_chain_end(int fd, const char *path, int64_t size, int64_t *end, struct lh_err *err)
{
	int64_t at = size, from;
	char chunk[CHUNK];
	size_t n;

	for (*end = size; at; at = from) {
		from = at > CHUNK ? at - CHUNK : 0;
		n = (size_t)(at - from);
		if (lh_chain_pread(fd, path, chunk, n, from, err) < 0)
			return -1;
		if (at == size && chunk[n - 1] != '\n')
			return 0;	/* the last line is torn */
		for (; n && strchr(" \t\r\n", chunk[n - 1]) && chunk[n - 1]; n--)
			if (chunk[n - 1] == '\n')
				*end = from + (int64_t)n;
		if (n)
			return 0;
	}
	*end = 0;
	return 0;
}

int lh_chain_last_line(int fd, const char *path, int64_t size, int64_t *at, bool *torn,
		       struct lh_err *err)
{
	int64_t end = size, from;
	char chunk[CHUNK];
	const char *lf;

	if (lh_chain_pread(fd, path, chunk, 1, size - 1, err) < 0)
		return -1;
	*torn = *chunk != '\n';
	for (end = size - !*torn; end > 0; end = from) {
		from = end > CHUNK ? end - CHUNK : 0;
		if (lh_chain_pread(fd, path, chunk, (size_t)(end - from), from, err) < 0)
			return -1;
		lf = memrchr(chunk, '\n', (size_t)(end - from));
		if (lf) {
			*at = from + (lf - chunk) + 1;
			return 0;
		}
	}
	*at = 0;
	return 0;
}

/* ---- repair ---- */

int lh_chain_cut(int fd, const char *path, int64_t at, struct lh_err *err)
{
	if (ftruncate(fd, at) < 0 || fsync(fd) < 0)
		return lh_err_sys(err, "%s: cannot cut", path);
	return 0;
}

/* Append bytes at..size of fd to PATH.torn, on a line of their own. */
static int keep_torn_tail(int fd, const char *path, const char *torn, int64_t at, int64_t size,
			  struct lh_err *err)
{
	int to = lh_open_regular(torn, O_RDWR | O_APPEND | O_CREAT, 0600, err), rc = 0;
	char chunk[CHUNK];
	struct stat st;
	size_t n;

	if (to < 0)
		return -1;
	if (fstat(to, &st) == 0 && st.st_size && pread(to, chunk, 1, st.st_size - 1) == 1 &&
	    *chunk != '\n')
		rc = lh_write_all(to, "\n", 1, err);
	for (; !rc && at < size; at += (int64_t)n) {
		n = size - at > CHUNK ? CHUNK : (size_t)(size - at);
		rc = lh_chain_pread(fd, path, chunk, n, at, err);
		if (!rc && lh_write_all(to, chunk, n, err) < 0)
			rc = lh_err_prefix(err, "%s", torn);
	}
	if (!rc && fsync(to) < 0)
		rc = lh_err_sys(err, "%s: cannot sync", torn);
	if (close(to) < 0 && errno != EINTR && !rc)
		rc = lh_err_sys(err, "%s: close failed", torn);
	return rc ? rc : lh_sync_folder(torn, err);
}

static int64_t cut_tail(int fd, const char *path, struct lh_err *err)
{
	struct stat st;
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	int64_t at;
	bool torn;
	int rc;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "%s", path);
	if (!st.st_size)
		return 0;
	if (lh_chain_end(fd, path, st.st_size, &at, err) < 0)
		return -1;
	if (at < st.st_size)
		return lh_chain_cut(fd, path, at, err) < 0 ? -1 : st.st_size - at;
	if (lh_chain_last_line(fd, path, st.st_size, &at, &torn, err) < 0)
		return -1;
	if (!torn)
		return 0;
	lh_buf_puts(&name, path);
	lh_buf_add(&name, ".torn", sizeof ".torn");
	rc = keep_torn_tail(fd, path, name.p, at, st.st_size, err);
	if (rc < 0)
		return -1;
	return lh_chain_cut(fd, path, at, err) < 0 ? -1 : st.st_size - at;
}

int64_t lh_chain_repair(const char *path, double lock_timeout, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDWR, 0, err);
	int64_t n;

	if (fd < 0)
		return -1;
	n = lh_flock(fd, LOCK_EX, path, lock_timeout, err) < 0 ? -1 : cut_tail(fd, path, err);
	if (close(fd) < 0 && errno != EINTR && n >= 0)
		n = lh_err_sys(err, "%s: close failed", path);
	return n;
}
