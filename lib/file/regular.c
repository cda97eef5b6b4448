/* regular.c - refuse what is not a regular file.  See file.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

int lh_not_regular(const char *path, mode_t type, struct lh_err *err)
{
	const char *what = S_ISLNK(type) ? "a symbolic link" : S_ISFIFO(type) ? "a FIFO" :
			   S_ISDIR(type) ? "a directory" : S_ISSOCK(type) ? "a socket" : "a device";

	return lh_err_set(err, LH_EIO, "%s: is %s, not a regular file", path, what);
}

int lh_open_regular(const char *path, int flags, mode_t mode, struct lh_err *err)
{
	int fd = lh_own_open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return lh_not_regular(path, S_IFLNK, err);
	if (fd < 0 && errno == EISDIR)
		return lh_not_regular(path, S_IFDIR, err);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return lh_not_regular(path, st.st_mode, err);
}
