/* object_copies.c - local copies of objects.  See store.h. */
#include "store.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"

/* Return where the object's name begins in "s3://..." or "NAME=s3://...", or NULL. */
static const char *object_in(const char *operand)
{
	const char *equals;

	if (lh_store_is_s3(operand))
		return operand;
	equals = strchr(operand, '=');
	return equals && lh_store_is_s3(equals + 1) ? equals + 1 : NULL;
}

/* Run a tool of ours that copies. */
static int copy(char **argv, struct lh_err *err)
{
	const struct lh_child_how how = { .argv = argv, .keys = LH_KEYS_STORE };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc = lh_child_run(&how, NULL, 0, &out, err);

	if (!rc && out.status)
		rc = *out.last_line ? lh_err_set(err, LH_EIO, "%s", out.last_line)
			: lh_err_set(err, LH_EIO, "%s ended without an answer", argv[0]);
	return rc;
}

/* Add the path PREFIX TEMPORARY/N/NAME, and make its folder: what is after the prefix, or NULL. */
static char *add_path(struct lh_object_copies *c, struct lh_str prefix, const char *name,
		      struct lh_err *err)
{
	struct lh_buf b = { 0 };
	char *path, *slash;

	if (!c->dir.path && lh_tmpdir_make(&c->dir, "lh-objects", err) < 0)
		return NULL;
	lh_grow(&c->path, &c->cap, c->n + 1, sizeof *c->path);
	lh_buf_add(&b, prefix.p, prefix.n);
	lh_buf_printf(&b, "%s/%zu/%s", c->dir.path, c->n, name);
	lh_buf_putc(&b, '\0');
	c->path[c->n++] = b.p;
	path = b.p + prefix.n;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (mkdir(path, 0700) < 0) {
		lh_err_sys(err, "%s", path);
		return NULL;
	}
	*slash = '/';
	return path;
}

int lh_object_copies_take(struct lh_object_copies *c, const char **operand, struct lh_err *err)
{
	const char *object = object_in(*operand), *slash = object ? strrchr(object, '/') : NULL;
	char *argv[] = { "lh-index", "fetch", "-q", "--", (char *)object, NULL, NULL };

	if (!object)
		return 0;
	argv[5] = add_path(c, (struct lh_str){ *operand, (size_t)(object - *operand) }, slash + 1,
			   err);
	if (!argv[5] || copy(argv, err) < 0)
		return -1;
	*operand = c->path[c->n - 1];
	return 0;
}

/* Return whether the folder has nothing but "." and "..": S3 knows no folder that is empty, so
 * that the prefix of one is a wrong one. */
static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	bool empty = true;

	while (d && (e = readdir(d)))
		empty &= e->d_name[0] == '.';
	if (d)
		closedir(d);
	return empty;
}

int lh_object_copies_folder(struct lh_object_copies *c, const char **operand,
			    struct lh_err *err)
{
	char *argv[] = { "lh-store", "sync", "-q", "--", (char *)*operand, NULL, NULL };

	if (!lh_store_is_s3(*operand))
		return 0;
	argv[5] = add_path(c, (struct lh_str){ "", 0 }, "", err);
	if (!argv[5])
		return -1;
	if (copy(argv, err) < 0)
		return lh_err_prefix(err, "%s", *operand);
	if (is_empty(argv[5]))
		return lh_err_set(err, LH_EIO, "%s: there is no object below it", *operand);
	*operand = argv[5];
	return 0;
}

void lh_object_copies_free(struct lh_object_copies *c)
{
	struct lh_err ignored;

	while (c->n)
		free(c->path[--c->n]);
	free(c->path);
	lh_tmpdir_remove(&c->dir, &ignored);
	*c = (struct lh_object_copies){ .n = 0 };
}
