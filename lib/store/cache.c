/* cache.c - copies of objects in a folder.  See store.h. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "file/file.h"

#define ID 32			/* hex digits */
#define WAIT 86400.0		/* seconds that another process may take for its copy */
#define TRIES 5			/* while the object changes */

/* ---- removing ---- */

struct copy {
	char id[ID + 1];
	uint64_t size;
	struct timespec used;
};

struct copies {
	struct copy *v;
	size_t n, cap;
	uint64_t size;
};

static bool is_id(const char *name)
{
	return strspn(name, "0123456789abcdef") == ID && !name[ID];
}

/* Add up the files of a copy's folder; *name: that of the first that is not beside one. */
static uint64_t folder_size(int top, const char *id, char name[NAME_MAX + 1])
{
	int fd = openat(top, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint64_t size = 0;
	struct dirent *e;
	struct stat st;

	*name = '\0';
	while (d && (e = readdir(d))) {
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		size += (uint64_t)st.st_size;
		if (!*name || strlen(e->d_name) < strlen(name))
			snprintf(name, NAME_MAX + 1, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return size;
}

static int find_copies(const char *folder, struct copies *all, struct lh_err *err)
{
	DIR *d = opendir(folder);
	char name[NAME_MAX + 1];
	struct dirent *e;
	struct stat st;
	int rc = 0;

	if (!d)
		return lh_err_sys(err, "%s", folder);
	while (!rc && (e = readdir(d))) {
		if (!is_id(e->d_name) || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		rc = lh_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v, err);
		if (rc < 0)
			break;
		all->v[all->n] = (struct copy){
			.size = folder_size(dirfd(d), e->d_name, name), .used = st.st_mtim };
		memcpy(all->v[all->n].id, e->d_name, ID + 1);
		all->size += all->v[all->n++].size;
	}
	closedir(d);
	return rc;
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct copy *)a)->used;
	const struct timespec *y = &((const struct copy *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Remove a copy that is neither held nor being made; return whether it is gone. */
static bool remove_copy(const char *folder, const char *id)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct lh_err ignored;
	struct lh_lock lock;
	int top, dir, fd;
	bool gone = false;

	snprintf(path, sizeof path, "%s/%s.lock", folder, id);
	if (lh_lock_take(&lock, path, folder, 0, &ignored) < 0)
		return false;
	top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = openat(top, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	folder_size(top, id, name);
	fd = *name ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (dir >= 0 && (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)) {
		/* Remove all files, the copy first: without it nothing is one. */
		int list = dup(dir);
		DIR *d = list < 0 ? NULL : fdopendir(list);
		struct dirent *e;

		unlinkat(dir, name, 0);
		while (d && (e = readdir(d)))
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				unlinkat(dir, e->d_name, 0);
		if (d)
			closedir(d);
		gone = unlinkat(top, id, AT_REMOVEDIR) == 0;
	}
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	if (top >= 0)
		close(top);
	lh_lock_drop(&lock);
	return gone;
}

/* Make room for so many bytes; the copy called own stays. */
static int make_room(const struct lh_cache *c, uint64_t need, const char *own, struct lh_err *err)
{
	struct copies all = { NULL, 0, 0, 0 };
	size_t i;
	int rc;

	if (need > c->max)
		return lh_err_set(err, LH_EIO, "%llu bytes, but the cache may have only %llu "
				  "(LH_CACHE_SIZE)", (unsigned long long)need,
				  (unsigned long long)c->max);
	rc = find_copies(c->folder, &all, err);
	if (!rc && all.n)
		qsort(all.v, all.n, sizeof *all.v, by_use);
	for (i = 0; !rc && i < all.n && all.size + need > c->max; i++)
		if (strcmp(all.v[i].id, own) != 0 && remove_copy(c->folder, all.v[i].id))
			all.size -= all.v[i].size;
	free(all.v);
	return rc;
}

/* ---- fetching ---- */

struct fetch {
	const struct lh_cache *cache;
	struct lh_store *store;
	const char *object, *key, *beside;
	char etag[LH_ETAG_MAX], beside_etag[LH_ETAG_MAX];	/* beside_etag "": there is none */
	uint64_t size;		/* of both */
	char id[ID + 1];
	struct lh_buf beside_key;
};

/* Find the present ETag in the store, and so the id of the copy. */
static int look(struct fetch *f, struct lh_err *err)
{
	const char *endpoint = getenv("LH_S3_ENDPOINT");
	unsigned char sum[32];
	struct lh_object o;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int rc = lh_store_head(f->store, f->key, &o, err);

	if (rc < 0)
		return -1;
	f->size = o.size;
	snprintf(f->etag, sizeof f->etag, "%s", o.etag);
	f->beside_etag[0] = '\0';
	if (f->beside && lh_store_head(f->store, f->beside_key.p, &o, err) == 0) {
		f->size += o.size;
		snprintf(f->beside_etag, sizeof f->beside_etag, "%s", o.etag);
	} else if (f->beside && err->status != 404) {
		return -1;
	}
	if (!f->etag[0])
		return lh_err_set(err, LH_ENET, "%s: has no ETag", f->object);
	lh_buf_printf(&b, "%s\n%s\n%s\n%s", endpoint ? endpoint : "", f->object, f->etag,
		      f->beside_etag);
	rc = lh_buf_check(&b, err);
	if (!rc) {
		lh_sha256(b.p, b.len, sum);
		lh_hex(sum, ID / 2, f->id);
	}
	return rc;
}

/* Set the path to the copy's, or to that beside it. */
static int set_path(const struct fetch *f, struct lh_buf *path, const char *beside,
		    struct lh_err *err)
{
	const char *slash = strrchr(f->key, '/');

	lh_buf_reset(path);
	lh_buf_printf(path, "%s/%s/%s%s", f->cache->folder, f->id, slash ? slash + 1 : f->key,
		      beside);
	lh_buf_putc(path, '\0');
	return lh_buf_check(path, err);
}

/* Return whether the copy is there, and note that it is used. */
static bool is_there(const struct fetch *f, const struct lh_buf *path)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof dir, "%s/%s", f->cache->folder, f->id);
	if (access(path->p, F_OK) < 0)
		return false;
	utimensat(AT_FDCWD, dir, NULL, 0);
	return true;
}

/* Copy one object to the path: 1 if it is not the one looked at any more. */
static int get_one(struct fetch *f, const char *key, const char *etag, const char *path,
		   struct lh_err *err)
{
	struct lh_transfer done;

	if (lh_store_get_file(f->store, key, path, &done, err) < 0)
		return err->status == 404 ? 1 : -1;
	return strcmp(done.etag, etag) != 0;
}

/* Make the copy, the object last, which makes it complete: 0; 1 if the object has changed
 * meanwhile. */
static int get_both(struct fetch *f, struct lh_buf *path, struct lh_err *err)
{
	char dir[PATH_MAX];
	int rc = 0;

	snprintf(dir, sizeof dir, "%s/%s", f->cache->folder, f->id);
	if (make_room(f->cache, f->size, f->id, err) < 0)
		return -1;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return lh_err_sys(err, "%s: cannot create", dir);
	if (f->beside_etag[0]) {
		rc = set_path(f, path, f->beside, err);
		if (!rc)
			rc = get_one(f, f->beside_key.p, f->beside_etag, path->p, err);
	}
	if (!rc)
		rc = set_path(f, path, "", err);
	if (!rc) {
		rc = get_one(f, f->key, f->etag, path->p, err);
		if (rc > 0)
			unlink(path->p);
	}
	return rc;
}

/* Make the copy unless it is there; one process at a time: as get_both. */
static int get_locked(struct fetch *f, struct lh_buf *path, struct lh_err *err)
{
	char name[PATH_MAX];
	struct lh_lock lock;
	int rc = set_path(f, path, "", err);

	if (rc < 0 || is_there(f, path))
		return rc;
	snprintf(name, sizeof name, "%s/%s.lock", f->cache->folder, f->id);
	if (lh_lock_take(&lock, name, f->cache->folder, WAIT, err) < 0)
		return -1;
	rc = is_there(f, path) ? 0 : get_both(f, path, err);
	lh_lock_drop(&lock);
	return rc;
}

int lh_cache_fetch(const struct lh_cache *c, const char *object, const char *beside,
		   const struct lh_store_opts *opts, struct lh_buf *path, struct lh_err *err)
{
	struct fetch f = { .cache = c, .object = object, .beside = beside };
	int rc = lh_own_mkdirs(c->folder, 0700, err), i;

	if (rc < 0)
		return -1;
	f.store = lh_store_of(object, opts, &f.key, err);
	if (!f.store)
		return -1;
	if (beside)
		lh_buf_printf(&f.beside_key, "%s%s", f.key, beside);
	lh_buf_putc(&f.beside_key, '\0');
	rc = lh_buf_check(&f.beside_key, err) < 0 ? -1 : 1;
	for (i = 0; rc > 0 && i < TRIES; i++) {
		rc = look(&f, err);
		if (!rc)
			rc = get_locked(&f, path, err);
	}
	if (rc > 0)
		rc = lh_err_set(err, LH_ENET, "%s: changes all the time", object);
	lh_buf_free(&f.beside_key);
	lh_store_close(f.store);
	return rc;
}
