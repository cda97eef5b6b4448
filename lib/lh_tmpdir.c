/* lh_tmpdir.c - a folder of our own for a while.  See lh_tmpdir.h. */
#include "lh_tmpdir.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lh_mem.h"

#define FILES_OPEN 16	/* of nftw */

char *lh_tmpdir_make(const char *name, struct lh_err *err)
{
	const char *base = getenv("TMPDIR");
	size_t n;
	char *path;

	if (!base || !*base)
		base = "/tmp";
	n = strlen(base) + strlen(name) + sizeof "/-XXXXXX";
	path = lh_calloc(n, 1, err);
	if (!path)
		return NULL;
	snprintf(path, n, "%s/%s-XXXXXX", base, name);
	if (mkdtemp(path))
		return path;
	lh_err_sys(err, "%s: cannot make the folder", path);
	free(path);
	return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int lh_tmpdir_remove(const char *path, struct lh_err *err)
{
	if (path && nftw(path, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS) < 0)
		return lh_err_sys(err, "%s: cannot remove", path);
	return 0;
}
