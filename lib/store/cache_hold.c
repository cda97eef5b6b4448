/* cache_hold.c - keep a copy in the cache.  See store.h.  A file of its own, so that a tool
 * that only uses copies does not link what makes them. */
#include "store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int lh_cache_hold(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat a, b;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_SH) == 0 && fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_ino == b.st_ino)
		return fd;
	close(fd);
	return -1;
}
