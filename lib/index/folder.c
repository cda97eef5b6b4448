/* folder.c - the indexes in a folder, and the names that they may have.  See index_tools.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "index_tools.h"

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
