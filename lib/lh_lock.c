/* lh_lock.c - one writer at a time.  See lh_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lh_file.h"
#include "lh_mem.h"
#include "lh_signal_int.h"
#include "lh_time.h"

#define TRY_EVERY 0.02		/* seconds between two tries */

static int held(int fd, const char *path, double seconds, struct lh_err *err)
{
	char pid[32] = "process ", *digits = pid + 8;
	ssize_t n = pread(fd, digits, 20, 0);	/* up to the LF, that is */
	int i;

	for (i = 0; i < n && digits[i] >= '0' && digits[i] <= '9'; i++)
		;
	digits[i] = '\0';
	return lh_err_set(err, LH_ELOCKED, "%s: locked by %s; gave up after %g seconds", path, i ? pid : "another process", seconds);
}

int lh_flock(int fd, const char *path, double seconds, struct lh_err *err)
{
	double until = lh_time_monotonic() + seconds;
	const struct timespec pause = { 0, (long)(TRY_EVERY * 1e9) };

	for (;;) {
		if (flock(fd, seconds < 0 ? LOCK_EX : LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno == EINTR)
			return lh_err_set(err, LH_EINTR, "%s: interrupted while waiting for the lock", path);
		if (errno != EWOULDBLOCK)
			return lh_err_sys(err, "%s: cannot lock", path);
		if (lh_time_monotonic() >= until)
			return held(fd, path, seconds, err);
		if (nanosleep(&pause, NULL) < 0)
			return lh_err_set(err, LH_EINTR, "%s: interrupted while waiting for the lock", path);
	}
}

/* Is what we locked still what the path names?  The last holder unlinked it
 * when it was done. */
static bool current(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int lh_lock_take(struct lh_lock *l, const char *path, double seconds, struct lh_err *err)
{
	char pid[24];
	int n;

	*l = (struct lh_lock){ .fd = -1 };
	l->path = lh_strndup(path, strlen(path), err);
	if (!l->path)
		return -1;
	for (;;) {
		l->fd = lh_open_regular(path, O_RDWR | O_CREAT, 0666, err);
		if (l->fd < 0)
			break;
		if (lh_flock(l->fd, path, seconds, err) < 0)
			break;
		if (current(l->fd, path)) {
			n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
			if (lh_pwrite_all(l->fd, pid, (size_t)n, 0, err) == 0) {
				l->slot = lh_signal_tmp_add(l->path);
				return 0;
			}
			lh_err_prefix(err, "%s", path);
			unlink(path);
			break;
		}
		close(l->fd);
	}
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	*l = (struct lh_lock){ .fd = -1 };
	return -1;
}

void lh_lock_drop(struct lh_lock *l)
{
	if (!l->path)
		return;
	lh_signal_tmp_drop(l->slot);
	unlink(l->path);
	flock(l->fd, LOCK_UN);	/* closing does not do it while a forked child has it too */
	close(l->fd);
	free(l->path);
	*l = (struct lh_lock){ .fd = -1 };
}
