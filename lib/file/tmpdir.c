/* tmpdir.c - a temporary folder.  See file.h. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define IN_USE "/.in-use"
#define NEW "/.new"
#define RANDOM "-XXXXXX"
#define FILES_OPEN 16	/* descriptors for nftw */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	int rc = type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);

	(void)st;
	(void)at;
	return rc < 0 && errno != ENOENT ? -1 : 0;
}

int lh_remove_all(const char *path)
{
	return nftw(path, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
}

static int open_in(const char *path, const char *name, int flags)
{
	char file[PATH_MAX];

	if ((size_t)snprintf(file, sizeof file, "%s%s", path, name) < sizeof file)
		return open(file, flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	errno = ENAMETOOLONG;
	return -1;
}

/* Create and lock the folder's lock file and return its descriptor.  It gets its
 * name after it is locked, so that no process finds it free. */
static int create_lock(const char *path)
{
	char from[PATH_MAX], to[PATH_MAX];
	int fd = open_in(path, NEW, O_CREAT | O_EXCL);

	if (fd < 0)
		return -1;
	snprintf(from, sizeof from, "%s" NEW, path);
	if ((size_t)snprintf(to, sizeof to, "%s" IN_USE, path) < sizeof to &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && link(from, to) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Return whether entry is "NAME-PID-" and six more characters. */
static bool is_ours(const char *entry, const char *name, pid_t *pid)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(entry, name, n) || entry[n] != '-' || entry[n + 1] < '1' || entry[n + 1] > '9')
		return false;
	*pid = (pid_t)strtol(entry + n + 1, &end, 10);
	return *end == '-' && strlen(end) == strlen(RANDOM) && *pid > 0;
}

/* Remove the folders that no process uses.  The lock decides, also for a process that is dead
 * and was never waited for; for a folder that never got one, the PID does. */
static void remove_stale_folders(const char *base, const char *name)
{
	char path[PATH_MAX];
	DIR *d = opendir(base);
	struct dirent *e;
	struct stat st;
	pid_t pid;
	int fd;

	while (d && (e = readdir(d))) {
		if (!is_ours(e->d_name, name, &pid) ||
		    (size_t)snprintf(path, sizeof path, "%s/%s", base, e->d_name) >= sizeof path ||
		    lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		fd = open_in(path, IN_USE, 0);
		if (fd >= 0 ? flock(fd, LOCK_EX | LOCK_NB) == 0
			    : errno == ENOENT && kill(pid, 0) < 0 && errno == ESRCH)
			lh_remove_all(path);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
}

int lh_tmpdir_make(struct lh_tmpdir *d, const char *name, struct lh_err *err)
{
	const char *base = getenv("TMPDIR");
	size_t n;

	if (!base || !*base)
		base = "/tmp";
	remove_stale_folders(base, name);
	n = strlen(base) + strlen(name) + sizeof "/-" RANDOM + 20;
	*d = (struct lh_tmpdir){ lh_calloc(n, 1), -1 };
	if (!d->path)
		return -1;
	snprintf(d->path, n, "%s/%s-%ld" RANDOM, base, name, (long)getpid());
	if (!mkdtemp(d->path)) {
		lh_err_sys(err, "%s: cannot make the folder", d->path);
		free(d->path);
		d->path = NULL;
		return -1;
	}
	d->in_use = create_lock(d->path);
	if (d->in_use >= 0)
		return 0;
	lh_err_sys(err, "%s" IN_USE, d->path);
	lh_tmpdir_remove(d, &(struct lh_err){ 0 });
	return -1;
}

int lh_tmpdir_remove(struct lh_tmpdir *d, struct lh_err *err)
{
	int rc = 0;

	if (!d->path)
		return 0;
	if (lh_remove_all(d->path) < 0)
		rc = lh_err_sys(err, "%s: cannot remove", d->path);
	if (d->in_use >= 0)
		close(d->in_use);
	free(d->path);
	*d = (struct lh_tmpdir){ NULL, -1 };
	return rc;
}
