/* mapped.c - map a file read-only.  See file.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

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
