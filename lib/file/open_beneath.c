/*
 * open_beneath.c - find files below a folder, and nowhere else.  See
 * file.h.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
