/* io.c - read, write, map and find files.  See file.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/signal.h"
#include "file.h"

/* ---- complete read(2) and write(2) ---- */

/* Wait until fd is ready.  A descriptor that another program made non-blocking
 * (ssh, node and others do that to a shared stdout) must not lose data. */
static int wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

int lh_write_all(int fd, const void *p, size_t n, struct lh_err *err)
{
	const char *at = p;

	while (n) {
		ssize_t got = write(fd, at, n);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN && wait_for(fd, POLLOUT) == 0)
				continue;
			return lh_err_sys(err, "write failed");
		}
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int lh_pwrite_all(int fd, const void *p, size_t n, off_t at, struct lh_err *err)
{
	const char *from = p;

	while (n) {
		ssize_t got = pwrite(fd, from, n, at);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			return lh_err_sys(err, "write failed");
		}
		from += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

ssize_t lh_read_some(int fd, void *p, size_t n, struct lh_err *err)
{
	for (;;) {
		ssize_t got = read(fd, p, n);

		if (got >= 0)
			return got;
		/* A background job that tried again would be stopped again by its terminal,
		 * and never reach its end. */
		if (errno == EINTR && lh_signal_pending())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN && wait_for(fd, POLLIN) == 0)
			continue;
		return lh_err_sys(err, "read failed");
	}
}

bool lh_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && S_ISREG(x.st_mode) && fstat(b, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- read a small file into memory ---- */

#define BLOCK ((size_t)64 << 10)

int lh_read_rest(int fd, const char *name, struct lh_buf *out, struct lh_err *err)
{
	ssize_t n = 1;
	char *to;

	lh_buf_reset(out);
	while (n > 0 && (to = lh_buf_room(out, BLOCK))) {
		n = lh_read_some(fd, to, BLOCK, err);
		if (n > 0)
			lh_buf_took(out, (size_t)n);
	}
	close(fd);
	if (n < 0 || lh_buf_check(out, err) < 0)
		return lh_err_prefix(err, "%s", name);
	return 1;
}

/* Check the file that is read, not the one that the path leads to next. */
static int check_owner(int fd, const char *path, struct lh_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "%s", path);
	if (st.st_uid && st.st_uid != geteuid())
		return lh_err_set(err, LH_EUSAGE,
				  "%s: belongs to user %lu: it names commands, so it must belong "
				  "to %s", path, (unsigned long)st.st_uid,
				  geteuid() ? "the user or root" : "root");
	if (st.st_mode & 022)
		return lh_err_set(err, LH_EUSAGE,
				  "%s: mode %04o: it names commands, so only its owner may write "
				  "it", path, st.st_mode & 07777);
	return 0;
}

int lh_file_read_commands(const char *path, struct lh_buf *out, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (check_owner(fd, path, err) == 0)
		return lh_read_rest(fd, path, out, err);
	close(fd);
	return -1;
}

int lh_file_read(const char *path, struct lh_buf *out, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	return lh_read_rest(fd, path, out, err);
}

/* ---- map a file read-only ---- */

int lh_mapped_fd(struct lh_mapped *m, int fd, struct lh_err *err)
{
	struct stat st;
	void *p;

	*m = (struct lh_mapped){ "", 0 };
	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot read");
	if (S_ISDIR(st.st_mode))
		return lh_err_set(err, LH_EIO, "is a directory");
	if (!S_ISREG(st.st_mode))
		return lh_err_set(err, LH_EIO, "is not a regular file");
	if (!st.st_size)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return lh_err_sys(err, "cannot map");
	*m = (struct lh_mapped){ p, (size_t)st.st_size };
	return 0;
}

int lh_mapped_open(struct lh_mapped *m, const char *path, struct lh_err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int rc;

	*m = (struct lh_mapped){ "", 0 };
	if (fd < 0)
		return lh_err_sys(err, "%s", path);
	rc = lh_mapped_fd(m, fd, err);
	close(fd);
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

void lh_mapped_close(struct lh_mapped *m)
{
	if (m->n)
		munmap((void *)m->p, m->n);
	*m = (struct lh_mapped){ "", 0 };
}

/* ---- find files below a folder, and nowhere else ---- */

/*
 * See
 * file.h.
 */

#define AGAIN 100	/* tries while folders on the way are being renamed */

int lh_open_beneath(const char *folder, struct lh_err *err)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lh_err_sys(err, "%s: cannot open the folder", folder) : fd;
}

static int open_beneath(int folder, const char *path, unsigned long long more)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | more };
	int fd, i = 0;

	do
		fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR) && i++ < AGAIN);
	return fd;
}

/* For kernels before 5.6: open part by part, without following symbolic links. */
static int walk_beneath(int folder, char *path)
{
	int at = folder, next;
	char *slash;

	if (*path == '/') {
		errno = EXDEV;
		return -1;
	}
	do {
		slash = strchr(path, '/');
		if (slash)
			*slash++ = '\0';
		next = at;
		if (!strcmp(path, "..")) {
			errno = EXDEV;
			next = -1;
		} else if (*path || at == folder) {
			next = openat(at, *path ? path : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
		}
		if (at != folder && at != next) {
			int saved = errno;

			close(at);
			errno = saved;
		}
		at = next;
		path = slash;
	} while (at >= 0 && path);
	return at;
}

int lh_path_beneath(int folder, const char *path)
{
	int fd = open_beneath(folder, path, RESOLVE_NO_SYMLINKS);
	char name[PATH_MAX];

	if (fd >= 0 || errno != ENOSYS)
		return fd;
	if (strlen(path) >= sizeof name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path, strlen(path) + 1);
	return walk_beneath(folder, name);
}

bool lh_is_nowhere(int why)
{
	return why == ENOENT || why == ENOTDIR || why == EXDEV || why == ELOOP ||
		why == ENAMETOOLONG;
}

int lh_exists_beneath(int folder, const char *path, size_t n, struct lh_err *err)
{
	char name[PATH_MAX];
	struct stat st;
	int fd, rc;

	if (!n || n >= sizeof name || memchr(path, '\0', n))
		return 0;
	memcpy(name, path, n);
	name[n] = '\0';
	fd = open_beneath(folder, name, 0);
	if (fd < 0 && errno == ENOSYS)
		fd = walk_beneath(folder, name);
	if (fd < 0)
		return lh_is_nowhere(errno) ? 0 : lh_err_sys(err, "%.*s", (int)n, path);
	rc = fstat(fd, &st) < 0 ? lh_err_sys(err, "%.*s", (int)n, path) : S_ISREG(st.st_mode);
	close(fd);
	return rc;
}

/* ---- where the caches of this user are ---- */

bool lh_user_cache(struct lh_buf *path, const char *name)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	bool own = cache && *cache == '/';

	if (!own && (!home || *home != '/'))
		return false;
	lh_buf_puts(path, own ? cache : home);
	lh_buf_printf(path, own ? "/%s" : "/.cache/%s", name);
	return true;
}
