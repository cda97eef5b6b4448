/* index_files.c - open the files of an index as they belong together.  See index_tools.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file/file.h"
#include "index_parts.h"
#include "index_tools.h"

bool lh_index_is(int fd)
{
	char head[sizeof LH_INDEX_MAGIC - 1];
	ssize_t n;

	do
		n = pread(fd, head, sizeof head, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof head && memcmp(head, LH_INDEX_MAGIC, sizeof head) == 0;
}

struct lh_index_identity lh_index_identity(const struct lh_index *ix)
{
	return (struct lh_index_identity){ ix->dev, ix->ino, ix->checksum };
}

static int open_both(const char *path, const char *log, int fd[2], struct lh_err *err)
{
	fd[0] = open(path, O_RDONLY | O_CLOEXEC);
	if (fd[0] < 0)
		return lh_err_sys(err, "%s: cannot open", path);
	fd[1] = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd[1] >= 0 || errno == ENOENT)
		return 0;
	lh_err_sys(err, "%s: cannot open", log);
	close(fd[0]);
	return -1;
}

int lh_index_open_files(const char *path, double lock_timeout, int fd[2], struct lh_err *err)
{
	char *name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct lh_lock lock = { .fd = -1 };
	int rc = -1;

	/* who may not lock it is not in the way of those who do */
	if (lh_lock_take(&lock, name, path, lock_timeout, err) == 0 || err->code == LH_EIO)
		rc = open_both(path, log, fd, err);
	lh_lock_drop(&lock);
	free(log);
	free(name);
	return rc;
}
