/* spill.c - temporary files, bounded.  See spill.h. */
#include "spill.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"

/* A file of the system's VFS, which comes after it. */
struct spill {
	sqlite3_file base;
	sqlite3_int64 size;
	sqlite3_file real[];
};

static sqlite3_vfs vfs;
static sqlite3_vfs *under;
static sqlite3_int64 used, most;

static struct spill *spill_of(sqlite3_file *f)
{
	return (struct spill *)f;
}

#define REAL(f) (spill_of(f)->real)

static void account(struct spill *s, sqlite3_int64 size)
{
	used += size - s->size;
	s->size = size;
}

static int on_close(sqlite3_file *f)
{
	account(spill_of(f), 0);
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int on_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int on_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct spill *s = spill_of(f);

	if (at + n > s->size) {
		if (used + (at + n - s->size) > most)
			return SQLITE_FULL;
		account(s, at + n);
	}
	return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (size < spill_of(f)->size)
		account(spill_of(f), size);
	return REAL(f)->pMethods->xTruncate(REAL(f), size);
}

static int on_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), size);
}

static int on_lock(sqlite3_file *f, int how)
{
	(void)f;
	(void)how;
	return SQLITE_OK;
}

static int on_reserved(sqlite3_file *f, int *is)
{
	(void)f;
	*is = 0;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int on_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int on_character(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static const sqlite3_io_methods methods = {
	.iVersion = 1, .xClose = on_close, .xRead = on_read, .xWrite = on_write,
	.xTruncate = on_truncate, .xSync = on_sync, .xFileSize = on_size, .xLock = on_lock,
	.xUnlock = on_lock, .xCheckReservedLock = on_reserved, .xFileControl = on_control,
	.xSectorSize = on_sector, .xDeviceCharacteristics = on_character,
};

/* Open a temporary file; a file with a name is refused. */
static int on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	int rc;

	(void)v;
	f->pMethods = NULL;
	if (name)
		return SQLITE_CANTOPEN;
	spill_of(f)->size = 0;
	rc = under->xOpen(under, NULL, REAL(f), flags, out);
	if (rc == SQLITE_OK)
		f->pMethods = &methods;
	return rc;
}

static int on_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v;
	(void)name;
	(void)sync;
	return SQLITE_IOERR_DELETE;
}

static int on_access(sqlite3_vfs *v, const char *name, int flags, int *is)
{
	(void)v;
	(void)name;
	(void)flags;
	*is = 0;
	return SQLITE_OK;
}

int spill_init(uint64_t max, struct lh_err *err)
{
	most = (sqlite3_int64)max;
	if (under)
		return 0;
	under = sqlite3_vfs_find(NULL);
	if (!under)
		return lh_err_nomem(err);
	vfs = *under;
	vfs.zName = SPILL_VFS;
	vfs.szOsFile = (int)sizeof(struct spill) + under->szOsFile;
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	vfs.xAccess = on_access;
	vfs.xDlOpen = NULL;
	return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? 0 : lh_err_nomem(err);
}

int spill_start(struct spill_file *f, uint64_t max, struct lh_err *err)
{
	const char *dir = getenv("TMPDIR");

	*f = (struct spill_file){ .max = max };
	f->fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return f->fd < 0 ? lh_err_sys(err, "cannot make a temporary file") : 0;
}

int spill_write(struct spill_file *f, const void *p, size_t n, struct lh_err *err)
{
	f->size += n;
	if (f->size > f->max)
		return lh_err_data(err, 413, "a copy would be larger than --spill");
	return lh_write_all(f->fd, p, n, err);
}

int spill_end(struct spill_file *f, int rc, struct lh_err *err)
{
	if (!rc && lseek(f->fd, 0, SEEK_SET) < 0)
		rc = lh_err_sys(err, "cannot seek");
	if (!rc)
		return f->fd;
	close(f->fd);
	return -1;
}

int spill_copy(int fd, uint64_t max, struct lh_err *err)
{
	const size_t room = (size_t)256 << 10;
	LH_SCOPED(lh_free_local) char *p = lh_calloc(room, 1, err);
	struct spill_file f;
	ssize_t n;

	if (!p || spill_start(&f, max, err) < 0)
		return -1;
	while ((n = lh_read_some(fd, p, room, err)) > 0) {
		if (spill_write(&f, p, (size_t)n, err) < 0) {
			n = -1;
			break;
		}
	}
	return spill_end(&f, n < 0 ? -1 : 0, err);
}
