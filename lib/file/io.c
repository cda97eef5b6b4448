/* io.c - complete read(2) and write(2).  See file.h. */
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "base/signal.h"

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
