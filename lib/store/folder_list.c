/* lh_folder_list.c - the objects of a folder, in the order of their keys.  See store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "folder.h"

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
	bool folder;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

static void add_entry(struct entries *all, const char *name, bool folder)
{
	size_t n = strlen(name);
	char *copy;

	lh_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v);
	copy = lh_calloc(n + 2, 1);
	memcpy(copy, name, n);
	copy[n] = folder ? '/' : '\0';
	all->v[all->n++] = (struct entry){ copy, folder };
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
	return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_UNKNOWN;
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

/* Read and sort the entries of the folder. */
static int read_entries(int dir, struct entries *all, struct lh_err *err)
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
		    (type == DT_REG || type == DT_DIR))
			add_entry(all, e->d_name, type == DT_DIR);
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
	rc = read_entries(dir, &all, err);
	for (i = 0; !rc && i < all.n; i++) {
		len = append_name(w, n, &all.v[i]);
		if (len)
			rc = all.v[i].folder ? list_below(w, len, err)
					     : show(w, dir, &all.v[i], err);
	}
	while (all.n)
		free(all.v[--all.n].name);
	free(all.v);
	close(dir);
	return rc;
}

int lh_folder_list(struct lh_store *s, const char *prefix, store_each each, void *context,
		   struct lh_err *err)
{
	struct walk w = { .prefix = prefix, .n_prefix = strlen(prefix), .each = each,
			  .context = context, .opts = &s->opts };

	w.root = lh_folder_root((struct folder *)s, false, err);
	if (w.root < 0)
		return -1;
	return list_below(&w, 0, err) < 0 ? -1 : 0;
}
