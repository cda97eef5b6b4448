/* owner.c - the owner of the files that these tools create.  See file.h. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "file.h"

static void (*report_fn)(void *ctx, const char *text);
static void *report_ctx;

void lh_own_set_report(void (*fn)(void *ctx, const char *text), void *ctx)
{
	report_fn = fn;
	report_ctx = ctx;
}

/* Set the owner and group of `like`; false if the group is another one now. */
static bool set_owner(int fd, const char *path, const struct stat *like)
{
	struct stat is;

	if (fstat(fd, &is) < 0)
		return false;
	if ((is.st_uid == like->st_uid && is.st_gid == like->st_gid) ||
	    fchown(fd, like->st_uid, like->st_gid) == 0)
		return true;
	if (path) {
		struct lh_err err;

		lh_err_sys(&err, "%s: cannot be given to user %u, group %u", path,
			   (unsigned)like->st_uid, (unsigned)like->st_gid);
		if (report_fn)
			report_fn(report_ctx, err.msg);
	}
	return is.st_gid == like->st_gid || fchown(fd, (uid_t)-1, like->st_gid) == 0;
}

int lh_own_like(int fd, const char *path, const struct stat *like, mode_t mode, struct lh_err *err)
{
	mode &= 0777;
	if (!set_owner(fd, path, like))
		mode &= ~070u | (mode & 07) << 3;
	return fchmod(fd, mode) < 0
		? lh_err_sys(err, "%s: cannot set its mode", path ? path : "a lock") : 0;
}

bool lh_own_folder_stat(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash)
		return stat(".", st) == 0;
	if (slash - path >= (ptrdiff_t)sizeof folder)
		return false;
	snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return stat(folder, st) == 0;
}

void lh_own_new(int fd, const char *path)
{
	struct stat folder;

	if (geteuid() == 0 && lh_own_folder_stat(path, &folder) && folder.st_uid != 0)
		set_owner(fd, path, &folder);
}

int lh_own_open(const char *path, int flags, mode_t mode)
{
	int fd;

	if (!(flags & O_CREAT))
		return open(path, flags);
	fd = open(path, flags | O_EXCL, mode);
	if (fd >= 0)
		lh_own_new(fd, path);
	else if (errno == EEXIST)
		fd = open(path, flags, mode);
	return fd;
}

int lh_own_mkdir(const char *path, mode_t mode, struct lh_err *err)
{
	size_t n = strlen(path);
	char own[PATH_MAX];
	int fd;

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= sizeof own)
		errno = ENAMETOOLONG;
	else
		snprintf(own, sizeof own, "%.*s", (int)n, path);
	if (n >= sizeof own || mkdir(own, mode) < 0)
		return errno == EEXIST ? 0 : lh_err_sys(err, "%s: cannot make the folder", path);
	fd = open(own, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		lh_own_new(fd, own);
		close(fd);
	}
	return lh_sync_folder(own, err) < 0 ? -1 : 1;
}

int lh_own_mkdirs(const char *path, mode_t mode, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *some = lh_strndup(path, strlen(path));
	char *at;
	int rc = 0;

	for (at = some + (*some == '/'); !rc && *at;) {
		char *end = at + strcspn(at, "/"), was = *end;

		*end = '\0';
		rc = lh_own_mkdir(some, mode, err) < 0 ? -1 : 0;
		*end = was;
		at = end + (was != '\0');
	}
	return rc;
}
