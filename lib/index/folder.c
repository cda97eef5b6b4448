/* folder.c - the indexes in a folder, by their names and engines.  See index_tools.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "file/held.h"
#include "index_tools.h"

/* ---- the indexes in a folder, and the names that they may have ---- */

#define SUFFIX ".lhv"

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

bool lh_index_name_valid(struct lh_str name)
{
	size_t i;

	if (!name.n || name.n > LH_INDEX_NAME_MAX || name.p[0] == '.')
		return false;
	for (i = 0; i < name.n && is_name_byte(name.p[i]); i++)
		;
	return i == name.n;
}

/* A link may lead to an index; what it leads to is checked when that is opened. */
static bool may_be_file(const struct dirent *e)
{
	return e->d_type == DT_REG || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN;
}

static void add_name(struct lh_index_folder *f, const struct dirent *e)
{
	size_t n = strlen(e->d_name), suffix = strlen(SUFFIX);

	if (n <= suffix || strcmp(e->d_name + n - suffix, SUFFIX) != 0 || !may_be_file(e) ||
	    !lh_index_name_valid((struct lh_str){ e->d_name, n - suffix }))
		return;
	lh_grow(&f->name, &f->cap, f->n + 1, sizeof *f->name);
	f->name[f->n++] = lh_strndup(e->d_name, n - suffix);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int lh_index_folder_read(struct lh_index_folder *f, const char *path, struct lh_err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int rc = 0;

	*f = (struct lh_index_folder){ NULL, 0, 0 };
	if (!d)
		return lh_err_sys(err, "cannot read the folder");
	while (errno = 0, (e = readdir(d)))
		add_name(f, e);
	if (errno)
		rc = lh_err_sys(err, "cannot read the folder");
	closedir(d);
	if (rc < 0)
		lh_index_folder_free(f);
	else if (f->n)
		qsort(f->name, f->n, sizeof *f->name, by_bytes);
	return rc;
}

void lh_index_folder_free(struct lh_index_folder *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		free(f->name[i]);
	free(f->name);
	*f = (struct lh_index_folder){ NULL, 0, 0 };
}

char *lh_index_folder_path(const char *folder, struct lh_str name)
{
	size_t n = strlen(folder), suffix = strlen(SUFFIX);
	char *path = lh_calloc(n + name.n + suffix + 2, 1);

	memcpy(path, folder, n);
	if (n && folder[n - 1] != '/')
		path[n++] = '/';
	memcpy(path + n, name.p, name.n);
	memcpy(path + n + name.n, SUFFIX, suffix);
	return path;
}

/* ---- which there are ---- */

#define MORE_ROOM 40		/* bytes for " and 1234567890 more" */

void lh_index_names_add(struct lh_index_names *l, const char *name)
{
	const size_t n = strlen(name);

	if (l->more || l->len + n + sizeof "known: \"\", " + MORE_ROOM > LH_INDEX_NAMES) {
		l->more++;
		return;
	}
	l->len += (size_t)snprintf(l->to + l->len, LH_INDEX_NAMES - l->len, "%s\"%s\"",
				   l->n++ ? ", " : "known: ", name);
}

void lh_index_names_end(struct lh_index_names *l)
{
	if (!l->n && !l->more)
		snprintf(l->to, LH_INDEX_NAMES, "known: none");
	else if (l->more)
		snprintf(l->to + l->len, LH_INDEX_NAMES - l->len, "%s%zu more",
			 l->n ? " and " : "known: ", l->more);
}

/* ---- an index by its name from outside, and its errors for a client ---- */

bool lh_index_is_name(const struct lh_value *v, struct lh_str name)
{
	(void)v;
	return lh_index_name_valid(name);
}

bool lh_index_is_file(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *lh_index_link(const char *path)
{
	LH_SCOPED(lh_free_local) struct lh_index_params *p = NULL;
	struct lh_err unused;
	struct stat st;
	char *to = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;

	p = to ? lh_index_read_params(to, &unused) : NULL;
	if (p)
		return to;
	free(to);
	return NULL;
}

static bool folder_is_there(const struct lh_index_named *in)
{
	struct stat st;

	return stat(in->folder, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Report why there is no index at path: that of the folder or that of the name. */
static int missing(const struct lh_index_named *in, const char *path, struct lh_err *err)
{
	struct lh_str name = lh_index_name(path);
	char text[LH_INDEX_NAMES];
	struct lh_index_names list = { .to = text };
	struct lh_index_folder all;
	size_t i;

	if (!folder_is_there(in) || lh_index_folder_read(&all, in->folder, err) < 0)
		return lh_err_data(err, 503, "the folder cannot be read");
	for (i = 0; i < all.n; i++)
		if (lh_scope_has(in->scope, lh_str_of(all.name[i])))
			lh_index_names_add(&list, all.name[i]);
	lh_index_names_end(&list);
	lh_index_folder_free(&all);
	return lh_err_data(err, 404, "there is no %s \"%.*s\"; %s", in->what, (int)name.n, name.p,
			   text);
}

int lh_index_named_check(const struct lh_index_named *in, struct lh_err *err)
{
	struct stat st;

	if (stat(in->folder, &st) < 0)
		return lh_err_sys(err, "%s", in->folder);
	return S_ISDIR(st.st_mode) ? 0 : lh_err_set(err, LH_EIO, "%s: not a folder", in->folder);
}

char *lh_index_named_find(const struct lh_index_named *in, struct lh_str name, struct lh_err *err)
{
	char *path = lh_index_folder_path(in->folder, name);

	if (lh_scope_has(in->scope, name) && lh_index_is_file(path))
		return path;
	missing(in, path, err);
	free(path);
	return NULL;
}

int lh_index_named_error(const struct lh_index_named *in, const char *path, bool must_exist,
			 struct lh_err *err)
{
	struct lh_str name = lh_index_name(path);
	const char *why;

	switch (err->code) {
	case LH_ELOCKED: why = "is locked by another writer"; break;
	case LH_ECORRUPT:
		why = err->status == LH_INDEX_OLD ?
			      "is of an earlier format: `lh-index upgrade FILE` makes it qg" :
			      "is damaged";
		break;
	case LH_EIO: why = "cannot be used at present"; break;
	default: return -1;
	}
	if (err->code != LH_ELOCKED && !lh_index_is_file(path) &&
	    (must_exist || !folder_is_there(in)))
		return missing(in, path, err);
	return lh_err_data(err, 503, "%s \"%.*s\" %s", in->what, (int)name.n, name.p, why);
}

/* ---- which engine and model embed the texts of the indexes in a folder ---- */

struct space {
	char *path;
	struct lh_stamp file;
	struct lh_index_params *is;	/* NULL: it has no engine, or cannot be read */
};

struct lh_index_spaces {
	char *folder;
	struct lh_stamp stamp;
	struct space *v;
	size_t n;
};

struct lh_index_params *lh_index_read_params(const char *path, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_params *p = ix ? lh_calloc(1, sizeof *p) : NULL;

	if (p)
		*p = *lh_index_get_params(ix);
	lh_index_close(ix);
	return p;
}

/* Copy what is known of the same file from an earlier reading. */
static void take_known(struct space *s, const struct lh_index_spaces *before, bool *known)
{
	size_t i;

	*known = false;
	for (i = 0; before && i < before->n; i++)
		if (!strcmp(before->v[i].path, s->path))
			break;
	if (!before || i == before->n || before->v[i].file.recent ||
	    !lh_stamp_same(&before->v[i].file, &s->file))
		return;
	*known = true;
	if (!before->v[i].is)
		return;
	s->is = lh_calloc(1, sizeof *s->is);
	*s->is = *before->v[i].is;
}

/* Read what an index says of its engine.  One that cannot be read counts as one without. */
static int read_space(struct space *s, const struct lh_index_spaces *before, struct lh_err *err)
{
	struct lh_err why;
	bool known;

	lh_stamp_take(&s->file, s->path);
	take_known(s, before, &known);
	if (known)
		return 0;
	s->is = lh_index_read_params(s->path, &why);
	if (!s->is && why.code == LH_ENOMEM) {
		*err = why;
		return -1;
	}
	if (s->is && !*s->is->engine) {
		free(s->is);
		s->is = NULL;
	}
	return 0;
}

static int read_all(struct lh_index_spaces *l, const struct lh_index_folder *found,
		    const struct lh_index_spaces *before, struct lh_err *err)
{
	l->v = lh_calloc(found->n + 1, sizeof *l->v);
	for (; l->n < found->n; l->n++) {
		struct space *s = &l->v[l->n];

		s->path = lh_index_folder_path(l->folder, lh_str_of(found->name[l->n]));
		if (read_space(s, before, err) < 0) {
			l->n++;
			return -1;
		}
	}
	return 0;
}

struct lh_index_spaces *lh_index_spaces_read(const char *folder,
					     const struct lh_index_spaces *before,
					     struct lh_err *err)
{
	struct lh_index_spaces *l = lh_calloc(1, sizeof *l);
	LH_SCOPED(lh_index_folder_free) struct lh_index_folder found = { NULL, 0, 0 };
	int rc;

	l->folder = lh_strndup(folder, strlen(folder));
	lh_stamp_take(&l->stamp, folder);
	rc = l->stamp.there ? lh_index_folder_read(&found, folder, err) : 0;
	if (rc == 0)
		rc = read_all(l, &found, before, err);
	if (rc == 0)
		return l;
	lh_index_spaces_free(l);
	return NULL;
}

void lh_index_spaces_free(struct lh_index_spaces *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].is);
	}
	free(l->v);
	free(l->folder);
	free(l);
}

const struct lh_index_params *lh_index_spaces_at(const struct lh_index_spaces *l, size_t i)
{
	size_t k;

	for (k = 0; k < l->n; k++)
		if (l->v[k].is && !i--)
			return l->v[k].is;
	return NULL;
}

bool lh_index_spaces_stale(const struct lh_index_spaces *l)
{
	return !lh_stamp_fits(&l->stamp, l->folder);
}

/* Return the place of the model among the defaults; that of others is after them. */
static size_t rank(const struct lh_index_params *p, const char *const *defaults)
{
	size_t i;

	for (i = 0; defaults[i] && strcmp(defaults[i], p->model) != 0; i++)
		;
	return i;
}

const struct lh_index_params *lh_index_spaces_best(const struct lh_index_spaces *l,
						   const char *const *defaults)
{
	const struct lh_index_params *best = NULL;
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct lh_index_params *p = l->v[i].is;

		if (p && (!best || rank(p, defaults) < rank(best, defaults) ||
			  (rank(p, defaults) == rank(best, defaults) &&
			   strcmp(p->created_at, best->created_at) > 0)))
			best = p;
	}
	return best;
}
