/* folder.c - objects as files below a folder.  See store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "store_parts.h"

/* ---- a store in a folder ---- */

struct folder {
	struct lh_store store;
	char *path;
	int fd;			/* O_PATH; -1: not opened yet */
	bool swept;		/* of what killed writers left */
};

/* ---- one object ---- */

#define PROC_PATH 512		/* "/proc/self/fd/7/NAME" */
#define AGAIN 100		/* tries while another process removes empty folders */

/* ---- descriptors below the folder ---- */

/* Open the folder of the store; make: create it. */
static int lh_folder_root(struct folder *f, bool make, struct lh_err *err)
{
	if (f->fd >= 0)
		return f->fd;
	if (make && mkdir(f->path, 0777) < 0 && errno != EEXIST)
		return lh_err_sys(err, "cannot create the folder");
	f->fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->fd < 0 ? lh_err_sys(err, "cannot open the folder") : f->fd;
}

/* Open for reading what an O_PATH descriptor stands for. */
static int lh_folder_reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static void sync_by_path(int fd)
{
	int dir = lh_folder_reopen(fd, O_RDONLY | O_DIRECTORY);

	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
}

/* The part of a key before its last "/": "." if there is none; *name: what follows. */
static void split_key(const char *key, char dir[LH_KEY_MAX + 1], const char **name)
{
	const char *slash = strrchr(key, '/');

	snprintf(dir, LH_KEY_MAX + 1, "%.*s", slash ? (int)(slash - key) : 1, slash ? key : ".");
	*name = slash ? slash + 1 : key;
}

/* Make the folder dir, "a/b", whose parent exists. */
static int make_one(int root, const char *dir)
{
	char parent[LH_KEY_MAX + 1];
	const char *name;
	int at, rc;

	split_key(dir, parent, &name);
	at = lh_path_beneath(root, parent);
	if (at < 0)
		return -1;
	rc = mkdirat(at, name, 0777);
	if (!rc)
		sync_by_path(at);
	else if (errno == EEXIST)
		rc = 0;
	close(at);
	return rc;
}

static int make_all(int root, const char *dir)
{
	char some[LH_KEY_MAX + 1];
	const char *slash = dir;

	do {
		slash = strchr(slash, '/');
		snprintf(some, sizeof some, "%.*s", slash ? (int)(slash++ - dir) : LH_KEY_MAX, dir);
		if (make_one(root, some) < 0 && errno != ENOENT)
			return -1;
	} while (slash);
	return 0;
}

static int report_long(const char *key, struct lh_err *err)
{
	return lh_err_data(err, 400, "\"%s\": a part of the key is longer than 255 bytes", key);
}

static int report_conflict(const char *key, struct lh_err *err)
{
	return lh_err_data(err, 409, "\"%s\": a part of this key is an object, or a link", key);
}

/* Open the folder of a key, creating it and those above it: an O_PATH descriptor. */
static int make_parent(struct folder *f, const char *key, const char *dir, struct lh_err *err)
{
	int root = lh_folder_root(f, true, err), fd, i;

	if (root < 0)
		return -1;
	for (i = 0; i < AGAIN; i++) {
		fd = lh_path_beneath(root, dir);
		if (fd >= 0 || errno != ENOENT || make_all(root, dir) < 0)
			break;
	}
	if (fd >= 0)
		return fd;
	return errno == ENOTDIR || errno == ELOOP || errno == EXDEV || errno == EEXIST
		? report_conflict(key, err)
		: errno == ENAMETOOLONG
		? report_long(key, err)
		: lh_err_sys(err, "\"%s\": cannot create its folder", key);
}

/* ---- put ---- */

/* Replace the path of this machine in a message with the key. */
static int hide_path(const char *key, struct lh_err *err)
{
	char msg[sizeof err->msg];
	const char *at = strstr(err->msg, "/proc/self/fd/"), *end;

	if (!at)
		return -1;
	end = strstr(at, ": ");
	snprintf(msg, sizeof msg, "%.*s\"%s\"%s", (int)(at - err->msg), err->msg, key,
		 end ? end : "");
	snprintf(err->msg, sizeof err->msg, "%s", msg);
	return hide_path(key, err);
}

static void lh_folder_etag(const struct stat *st, char etag[LH_ETAG_MAX])
{
	snprintf(etag, LH_ETAG_MAX, "%llx-%llx-%llx%08lx", (unsigned long long)st->st_ino,
		 (unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
		 st->st_mtim.tv_nsec);
}

/* Copy what is put to the new file. */
static int copy_in(struct lh_atomic *a, const struct lh_put *put, struct lh_transfer *done,
		   struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *chunk = lh_calloc(1, STORE_CHUNK);
	uint64_t left = put->bytes ? *put->bytes : UINT64_MAX;
	struct lh_sha256 sha;
	ssize_t n;

	done->size = 0;
	lh_sha256_start(&sha);
	while ((n = lh_read_some(put->fd, chunk, left < STORE_CHUNK ? left : STORE_CHUNK,
				 err)) > 0) {
		left -= (size_t)n;
		done->size += (size_t)n;
		if (put->max && done->size > put->max)
			n = lh_store_too_large(put->max, err);
		else if (lh_atomic_write(a, chunk, (size_t)n, err) < 0)
			n = -1;
		if (n < 0)
			break;
		lh_sha256_more(&sha, chunk, (size_t)n);
	}
	lh_sha256_end(&sha, done->sha256);
	return n < 0 ? -1 : lh_store_check_sha256(put->sha256, done->sha256, err);
}

/* Check the conditions of a change of the object that st describes (NULL: there is none). */
static int check_conditions(const struct lh_conditions *when, const struct stat *st,
			    const char *key, struct lh_err *err)
{
	char etag[LH_ETAG_MAX];

	if (st)
		lh_folder_etag(st, etag);
	return lh_store_may_change(when, st ? etag : NULL, key, err);
}

/* Lock the folder of an object, of which dir is an O_PATH descriptor, against other changes of
 * its objects: the descriptor that holds the lock. */
static int lock_folder(int dir, const char *key, struct lh_err *err)
{
	int fd = lh_folder_reopen(dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return lh_err_sys(err, "\"%s\": cannot lock its folder", key);
	if (lh_flock(fd, LOCK_EX, key, LH_LOCK_TIMEOUT, err) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Set the time of the new file: later than that of the object which it replaces, or NULL, also
 * where the clock of the file system is too coarse, so that no two contents have one ETag. */
static int set_time(int fd, const struct stat *old)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT } }, *at = &t[1];

	clock_gettime(CLOCK_REALTIME, at);
	if (old && (old->st_mtim.tv_sec > at->tv_sec ||
		    (old->st_mtim.tv_sec == at->tv_sec && old->st_mtim.tv_nsec >= at->tv_nsec))) {
		*at = old->st_mtim;
		at->tv_sec += at->tv_nsec == 999999999;
		at->tv_nsec = at->tv_nsec == 999999999 ? 0 : at->tv_nsec + 1;
	}
	return futimens(fd, t);
}

/* Give the object its name, under the lock of its folder, if the conditions hold there. */
static int commit_object(struct lh_atomic *a, int dir, const char *key, const struct lh_put *put,
			 struct lh_transfer *done, struct lh_err *err)
{
	const char *name = strrchr(a->path, '/') + 1;
	struct stat old, st;
	bool is_there;
	int lock = lock_folder(dir, key, err), rc = lock < 0 ? -1 : 0;

	is_there = fstatat(dir, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
	if (!rc && (set_time(a->fd, is_there ? &old : NULL) < 0 || fstat(a->fd, &st) < 0))
		rc = lh_err_sys(err, "\"%s\"", key);
	if (!rc)
		rc = check_conditions(&put->when, is_there ? &old : NULL, key, err);
	if (!rc) {
		lh_folder_etag(&st, done->etag);
		rc = put->when.none_match && !is_there ? lh_atomic_commit_new(a, err)
						       : lh_atomic_commit(a, err);
	}
	if (rc > 0)
		rc = lh_store_exists(key, err);
	if (lock >= 0)
		close(lock);
	return rc;
}

/* Write the object to its new file. */
static int put_in(struct lh_atomic *a, int dir, const char *key, const struct lh_put *put,
		  struct lh_transfer *done, struct lh_err *err)
{
	int rc = copy_in(a, put, done, err);

	/* before the lock is taken, which others wait for */
	if (!rc && fdatasync(a->fd) < 0)
		rc = lh_err_sys(err, "\"%s\": cannot sync", key);
	if (!rc)
		rc = commit_object(a, dir, key, put, done, err);
	return rc < 0 ? hide_path(key, err) : 0;
}

/* Check what has the name already: 0 if it may be replaced. */
static int check_taken(int dir, const char *name, const char *key,
		       const struct lh_conditions *when, struct lh_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? check_conditions(when, NULL, key, err)
			: errno == ENAMETOOLONG ? report_long(key, err)
			: errno == ENOTDIR ? report_conflict(key, err)
			: lh_err_sys(err, "\"%s\"", key);
	if (S_ISDIR(st.st_mode))
		return lh_err_data(err, 409, "\"%s\": there are objects whose keys begin with it "
				   "and \"/\"", key);
	if (!S_ISREG(st.st_mode))
		return report_conflict(key, err);
	return check_conditions(when, &st, key, err);
}

/* Open the new file of an object in its folder: the folder's descriptor; -1; or -2 if
 * the folder was removed meanwhile, as who deletes its last object does. */
static int open_once(struct folder *f, const char *key, const struct lh_conditions *when,
		     struct lh_atomic *a, struct lh_err *err)
{
	char dir[LH_KEY_MAX + 1], path[PROC_PATH];
	const char *name;
	bool gone = false;
	int parent;

	split_key(key, dir, &name);
	parent = make_parent(f, key, dir, err);
	if (parent < 0)
		return -1;
	if (check_taken(parent, name, key, when, err) == 0) {
		snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
		if (lh_atomic_open(a, path, 0666, err) == 0)
			return parent;
		gone = errno == ENOENT;
		hide_path(key, err);
	}
	close(parent);
	return gone ? -2 : -1;
}

static int folder_put(struct lh_store *s, const char *key, const struct lh_put *put,
		      struct lh_transfer *done, struct lh_err *err)
{
	struct folder *f = (struct folder *)s;
	struct lh_atomic a;
	int parent, rc, i = 0;

	if (strstr(key, ".lh-tmp-"))
		return lh_err_data(err, 400, "\"%s\": \".lh-tmp-\" is for temporary files", key);
	/* What killed writers left anywhere below, once for each store that is opened. */
	if (!f->swept)
		lh_sweep_below(f->path);
	f->swept = true;
	do
		parent = open_once(f, key, &put->when, &a, err);
	while (parent == -2 && ++i < AGAIN);
	if (parent < 0)
		return -1;
	rc = put_in(&a, parent, key, put, done, err);	/* its temporary file keeps the folder */
	lh_atomic_close(&a);
	close(parent);
	return rc;
}

/* ---- get, head, remove ---- */

/* Open an object as O_PATH, and describe it. */
static int find_object(struct folder *f, const char *key, struct stat *st, struct lh_err *err)
{
	int root = lh_folder_root(f, false, err), fd;

	if (root < 0)
		return -1;
	fd = lh_path_beneath(root, key);
	if (fd < 0)
		return lh_is_nowhere(errno) ? lh_store_no_object(key, err)
					    : lh_err_sys(err, "\"%s\"", key);
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return lh_store_no_object(key, err);
}

static int folder_open(struct lh_store *s, const char *key, struct lh_err *err)
{
	struct stat st;
	int at = find_object((struct folder *)s, key, &st, err), fd;

	if (at < 0)
		return -1;
	fd = lh_folder_reopen(at, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		lh_err_sys(err, "\"%s\": cannot open", key);
	close(at);
	return fd;
}

static int folder_get(struct lh_store *s, const char *key, struct store_sink *to,
		      struct lh_transfer *done, struct lh_err *err)
{
	int fd = folder_open(s, key, err);
	LH_SCOPED(lh_free_local) char *chunk = fd < 0 ? NULL : lh_calloc(1, STORE_CHUNK);
	struct stat st;
	ssize_t n = -1;

	if (chunk && fstat(fd, &st) == 0) {
		lh_folder_etag(&st, done->etag);
		while ((n = lh_read_some(fd, chunk, STORE_CHUNK, err)) > 0)
			if (lh_store_sink_more(to, chunk, (size_t)n, err) < 0) {
				n = -1;
				break;
			}
	}
	if (fd >= 0)
		close(fd);
	return (int)n;
}

static int64_t lh_folder_modified(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static int folder_head(struct lh_store *s, const char *key, struct lh_object *o,
		       struct lh_err *err)
{
	struct stat st;
	int fd = find_object((struct folder *)s, key, &st, err);

	if (fd < 0)
		return -1;
	close(fd);
	lh_folder_etag(&st, s->etag);
	*o = (struct lh_object){ key, (uint64_t)st.st_size, s->etag, lh_folder_modified(&st) };
	return 0;
}

/* Remove an object from its folder, under its lock. */
static int remove_in(int dir, const char *name, const char *key, const struct lh_conditions *when,
		     struct lh_err *err)
{
	struct stat st;
	int lock = lock_folder(dir, key, err), rc;

	if (lock < 0)
		return -1;
	rc = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
	if (!rc && check_conditions(when, &st, key, err) < 0) {
		close(lock);
		return -1;
	}
	rc = rc ? rc : unlinkat(dir, name, 0);
	if (rc < 0)
		rc = errno == ENOENT ? lh_store_no_object(key, err)
				     : lh_err_sys(err, "\"%s\": cannot delete", key);
	else
		sync_by_path(dir);
	close(lock);
	return rc;
}

static int folder_remove(struct lh_store *s, const char *key, const struct lh_conditions *when,
			 struct lh_err *err)
{
	struct folder *f = (struct folder *)s;
	char dir[LH_KEY_MAX + 1], parent[LH_KEY_MAX + 1];
	const char *name;
	struct stat st;
	int at = find_object(f, key, &st, err), rc, full;

	if (at < 0) {
		if (err->status == 404)		/* 412, if the conditions want an object */
			lh_store_may_change(when, NULL, key, err);
		return -1;
	}
	close(at);
	split_key(key, dir, &name);
	at = lh_path_beneath(f->fd, dir);
	rc = at >= 0 ? remove_in(at, name, key, when, err)
	     : lh_is_nowhere(errno) ? lh_store_no_object(key, err)
				    : lh_err_sys(err, "\"%s\": cannot delete", key);
	if (at >= 0)
		close(at);
	/* Remove the folders of the key that are empty now. */
	for (full = rc; !full && strcmp(dir, ".") != 0; memcpy(dir, parent, sizeof parent)) {
		split_key(dir, parent, &name);
		at = lh_path_beneath(f->fd, parent);
		full = at < 0 ? -1 : unlinkat(at, name, AT_REMOVEDIR);
		if (at >= 0)
			close(at);
	}
	return rc;
}

static void folder_close(struct lh_store *s)
{
	struct folder *f = (struct folder *)s;

	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
}

static int lh_folder_list(struct lh_store *s, const char *prefix, store_each each, void *context,
			  struct lh_err *err);

struct lh_store *lh_store_folder_open(const char *path)
{
	static const struct store_kind kind = {
		.put = folder_put, .get = folder_get, .head = folder_head, .list = lh_folder_list,
		.remove = folder_remove, .open = folder_open, .close = folder_close,
	};
	struct folder *f = lh_calloc(1, sizeof *f);

	f->store.kind = &kind;
	f->fd = -1;
	f->path = lh_strndup(path, strlen(path));
	return &f->store;
}

/* ---- the objects, in the order of their keys ---- */

struct walk {
	int root;
	const char *prefix;
	size_t n_prefix;
	store_each each;
	void *context;
	const struct lh_store_opts *opts;
	char key[LH_KEY_MAX + 1];
};

struct entry {
	char *name;		/* ends with "/" for a folder, so that names compare as keys */
	bool folder, link;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

static void add_entry(struct entries *all, const char *name, unsigned char type)
{
	const bool folder = type == DT_DIR;
	size_t n = strlen(name);
	char *copy;

	lh_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v);
	copy = lh_calloc(n + 2, 1);
	memcpy(copy, name, n);
	copy[n] = folder ? '/' : '\0';
	all->v[all->n++] = (struct entry){ copy, folder, type == DT_LNK };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Return the type of an entry, DT_*. */
static unsigned char type_of(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

/* Return whether the key with n bytes, a folder's with its "/", may have the prefix. */
static bool may_have_prefix(const struct walk *w, size_t n, bool folder)
{
	size_t both = n < w->n_prefix ? n : w->n_prefix;

	return memcmp(w->key, w->prefix, both) == 0 && (folder || n >= w->n_prefix);
}

/* Append a name to the key of at bytes: its length, 0 if it makes no key of it. */
static size_t append_name(struct walk *w, size_t at, const struct entry *e)
{
	size_t n = strlen(e->name);
	struct lh_err why;

	if (at + n > LH_KEY_MAX) {
		lh_err_data(&why, 400, "\"%.100s...%.100s\" is not a key: it is longer than %d "
			    "bytes", w->key, e->name, LH_KEY_MAX);
		if (w->opts->refused)
			w->opts->refused(w->opts->context, &why);
		return 0;
	}
	memcpy(w->key + at, e->name, n + 1);
	if (!may_have_prefix(w, at + n, e->folder) || strstr(e->name, ".lh-tmp-"))
		return 0;
	if (lh_store_check_key(w->key, at + n - e->folder, &why) == 0)
		return at + n;
	if (w->opts->refused)
		w->opts->refused(w->opts->context, &why);
	return 0;
}

/* Read and sort the entries of the folder; links: symbolic ones too. */
static int read_entries(int dir, bool links, struct entries *all, struct lh_err *err)
{
	int fd = lh_folder_reopen(dir, O_RDONLY | O_DIRECTORY), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	unsigned char type;

	if (!d) {
		lh_err_sys(err, "cannot read a folder");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (!rc && (errno = 0, e = readdir(d))) {
		type = type_of(dir, e);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    (type == DT_REG || type == DT_DIR || (type == DT_LNK && links)))
			add_entry(all, e->d_name, type);
	}
	if (!rc && errno)
		rc = lh_err_sys(err, "cannot read a folder");
	closedir(d);
	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, by_name);
	return rc;
}

static int show(struct walk *w, int dir, const struct entry *e, struct lh_err *err)
{
	char etag[LH_ETAG_MAX];
	struct stat st;

	if (fstatat(dir, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;	/* it has just been removed */
	lh_folder_etag(&st, etag);
	return w->each(w->context, &(struct lh_object){ w->key, (uint64_t)st.st_size, etag,
							lh_folder_modified(&st) }, err);
}

/* List the folder whose name, with its "/", is the first n bytes of the key. */
static int list_below(struct walk *w, size_t n, struct lh_err *err)
{
	struct entries all = { NULL, 0, 0 };
	size_t i, len;
	int dir, rc;

	w->key[n ? n - 1 : 0] = '\0';
	dir = lh_path_beneath(w->root, n ? w->key : ".");
	if (dir < 0)
		return lh_is_nowhere(errno) ? 0 : lh_err_sys(err, "cannot open a folder");
	if (n)
		w->key[n - 1] = '/';
	rc = read_entries(dir, w->opts->linked != NULL, &all, err);
	for (i = 0; !rc && i < all.n; i++) {
		len = append_name(w, n, &all.v[i]);
		if (len && all.v[i].link)
			w->opts->linked(w->opts->context, w->key);
		else if (len)
			rc = all.v[i].folder ? list_below(w, len, err)
					     : show(w, dir, &all.v[i], err);
	}
	while (all.n)
		free(all.v[--all.n].name);
	free(all.v);
	close(dir);
	return rc;
}

static int lh_folder_list(struct lh_store *s, const char *prefix, store_each each, void *context,
			  struct lh_err *err)
{
	struct walk w = { .prefix = prefix, .n_prefix = strlen(prefix), .each = each,
			  .context = context, .opts = &s->opts };

	w.root = lh_folder_root((struct folder *)s, false, err);
	if (w.root < 0)
		return -1;
	return list_below(&w, 0, err) < 0 ? -1 : 0;
}
