/* append_log.c - a log of lines that many processes append to.  See file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "base/mem.h"

#define SMALL 4096

/* Return the offset of the last line if it has no LF; -1 if every line is complete,
 * -2 on error.  *size is the length of the file. */
static int64_t find_torn_line(int fd, int64_t *size, const char *path, struct lh_err *err)
{
	char chunk[SMALL];
	struct stat st;
	int64_t at;

	if (fstat(fd, &st) < 0) {
		lh_err_sys(err, "%s", path);
		return -2;
	}
	*size = st.st_size;
	for (at = st.st_size; at > 0; ) {
		int64_t from = at > SMALL ? at - SMALL : 0;
		ssize_t n = pread(fd, chunk, (size_t)(at - from), from);
		const char *lf;

		if (n != at - from) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n >= 0)
				errno = EIO;
			lh_err_sys(err, "%s: read failed", path);
			return -2;
		}
		if (at == st.st_size && chunk[n - 1] == '\n')
			return -1;
		lf = memrchr(chunk, '\n', (size_t)n);
		if (lf)
			return from + (lf - chunk) + 1;
		at = from;
	}
	return st.st_size ? 0 : -1;
}

int lh_applog_open(struct lh_applog *l, const char *path, mode_t mode, double lock_timeout,
		   struct lh_err *err)
{
	int64_t size;

	*l = (struct lh_applog){
		.fd = -1, .torn_at = -1, .lock_timeout = lock_timeout, .mode = mode
	};
	l->path = lh_strndup(path, strlen(path));
	l->fd = lh_open_regular(path, O_RDWR | O_APPEND | O_CREAT, mode, err);
	if (l->fd >= 0 && lh_flock(l->fd, LOCK_SH, path, lock_timeout, err) == 0) {
		l->torn_at = find_torn_line(l->fd, &size, path, err);
		flock(l->fd, LOCK_UN);
		/* A log without rows may be new, and its name not yet on disk. */
		if (l->torn_at >= -1 && (size || lh_sync_folder(path, err) == 0))
			return 0;
	}
	lh_applog_close(l, &(struct lh_err){ 0 });
	return -1;
}

/* Append everything with one write(2).  A write cut short by a full disk is undone,
 * which the lock permits. */
static int write_once(struct lh_applog *l, const char *p, size_t n, int64_t size,
		      struct lh_err *err)
{
	ssize_t got;

	do
		got = write(l->fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got >= 0 && (size_t)got < n) {
		ssize_t rest = write(l->fd, p + got, n - (size_t)got);

		if (rest > 0)
			got += rest;
		else if (rest == 0)
			errno = EIO;
	}
	if (got == (ssize_t)n)
		return 0;
	lh_err_sys(err, "%s: write failed", l->path);
	if (got > 0 && ftruncate(l->fd, size) < 0)
		return lh_err_prefix(err, "%s: a torn line is left at byte %lld", l->path,
				     (long long)size);
	return -1;
}

/* Open the log at its path, in place of the one that was renamed or removed. */
static int open_again(struct lh_applog *l, struct lh_err *err)
{
	struct lh_applog other;

	if (fdatasync(l->fd) < 0)	/* its rows may be waiting for a sync */
		return lh_err_sys(err, "%s: cannot sync", l->path);
	if (lh_applog_open(&other, l->path, l->mode, l->lock_timeout, err) < 0)
		return -1;
	lh_applog_close(l, &(struct lh_err){ 0 });
	*l = other;
	return 0;
}

/* Lock the log.  Under the lock of a file that still has the name, a rotation that holds
 * this lock while it renames has not begun. */
static int lock_log(struct lh_applog *l, struct lh_err *err)
{
	for (;;) {
		if (lh_flock(l->fd, LOCK_EX, l->path, l->lock_timeout, err) < 0)
			return -1;
		if (lh_is_still_named(l->fd, l->path))
			return 0;
		flock(l->fd, LOCK_UN);
		if (open_again(l, err) < 0)
			return -1;
	}
}

int lh_applog_append(struct lh_applog *l, const char *line, size_t n, int sync, struct lh_err *err)
{
	char small[SMALL], *p = small;
	int64_t size = 0, at;
	size_t lead;
	int rc;

	if (n + 2 > sizeof small)
		p = lh_calloc(n + 2, 1);
	rc = lock_log(l, err);
	if (!rc) {
		at = find_torn_line(l->fd, &size, l->path, err);
		rc = at == -2 ? -1 : 0;
		lead = at >= 0;
		p[0] = '\n';
		memcpy(p + lead, line, n);
		p[lead + n] = '\n';
		if (!rc)
			rc = write_once(l, p, lead + n + 1, size, err);
		if (!rc && sync == LH_SYNC_EACH && fdatasync(l->fd) < 0)
			rc = lh_err_sys(err, "%s: cannot sync", l->path);
		flock(l->fd, LOCK_UN);
	}
	if (p != small)
		free(p);
	return rc;
}

int lh_applog_close(struct lh_applog *l, struct lh_err *err)
{
	int rc = 0;

	if (!l->path)
		return 0;
	if (l->fd >= 0 && close(l->fd) < 0 && errno != EINTR)
		rc = lh_err_sys(err, "%s: close failed", l->path);
	free(l->path);
	*l = (struct lh_applog){ .fd = -1, .torn_at = -1 };
	return rc;
}
