/* object_copies.c - local copies of objects.  See store.h. */
#include "store.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"

#define PATH_ROOM 8192
#define TRIES 3		/* while another process removes copies */

/* Return where the object's name begins in "s3://..." or "NAME=s3://...", or NULL. */
static const char *object_in(const char *operand)
{
	const char *equals;

	if (lh_store_is_s3(operand))
		return operand;
	equals = strchr(operand, '=');
	return equals && lh_store_is_s3(equals + 1) ? equals + 1 : NULL;
}

static int child_failed(const struct lh_child_out *out, const char *name, struct lh_err *err)
{
	return out->last_line[0] ? lh_err_set(err, LH_EIO, "%s", out->last_line) :
		lh_err_set(err, LH_EIO, "%s ended without an answer", name);
}

/* Run lh-index fetch: the path that it prints, to be freed. */
static char *copy_of(const char *object, struct lh_err *err)
{
	char *argv[] = { "lh-index", "fetch", "--", (char *)object, NULL };
	struct lh_child_how how = { .argv = argv, .keys = LH_KEYS_STORE, .max = PATH_ROOM };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	char *path = NULL;

	if (lh_child_run(&how, NULL, 0, &out, err) == 0) {
		if (out.status || !out.out.len || out.out.p[out.out.len - 1] != '\n')
			child_failed(&out, "lh-index fetch", err);
		else
			path = lh_strndup(out.out.p, out.out.len - 1, err);
	}
	return path;
}

/* Take over a path and the descriptor that holds it. */
static int keep(struct lh_object_copies *c, struct lh_buf *path, int held, struct lh_err *err)
{
	lh_buf_putc(path, '\0');
	if (lh_buf_check(path, err) < 0 ||
	    lh_grow(&c->path, &c->cap_path, c->n + 1, sizeof *c->path, err) < 0 ||
	    lh_grow(&c->held, &c->cap_held, c->n + 1, sizeof *c->held, err) < 0) {
		lh_buf_free(path);
		if (held >= 0)
			close(held);
		return -1;
	}
	c->path[c->n] = path->p;
	c->held[c->n++] = held;
	return 0;
}

int lh_object_copies_take(struct lh_object_copies *c, const char **operand, struct lh_err *err)
{
	const char *object = object_in(*operand);
	struct lh_buf b = { 0 };
	char *path = NULL;
	int held = -1, i;

	for (i = 0; object && i < TRIES && held < 0; i++) {
		free(path);
		path = copy_of(object, err);
		if (!path)
			return -1;
		held = lh_cache_hold(path);
	}
	if (!object)
		return 0;
	if (held < 0) {
		free(path);
		return lh_err_set(err, LH_EIO, "%s: its copy does not stay in the cache", object);
	}
	lh_buf_add(&b, *operand, (size_t)(object - *operand));
	lh_buf_puts(&b, path);
	free(path);
	if (keep(c, &b, held, err) < 0)
		return -1;
	*operand = c->path[c->n - 1];
	return 0;
}

/* Append the folder of the cache that is for this address. */
static int folder_of(const char *url, struct lh_buf *path, struct lh_err *err)
{
	const char *own = getenv("LH_CACHE");
	unsigned char sum[32];
	size_t i;

	if (own && *own)
		lh_buf_puts(path, own);
	else if (!lh_user_cache(path))
		return lh_err_set(err, LH_EIO, "neither LH_CACHE nor XDG_CACHE_HOME nor HOME says "
				  "where the cache is");
	lh_sha256(url, strlen(url), sum);
	lh_buf_puts(path, own && *own ? "-folders/" : "/folders/");
	for (i = 0; i < 16; i++)
		lh_buf_printf(path, "%02x", sum[i]);
	return lh_buf_check(path, err);
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
	char *argv[] = { "lh-store", "sync", "-q", "--delete", "--", (char *)*operand, NULL, NULL };
	struct lh_child_how how = { .argv = argv, .keys = LH_KEYS_STORE };
	struct lh_child_out out;
	struct lh_buf path = { 0 };
	int rc;

	if (!lh_store_is_s3(*operand))
		return 0;
	if (folder_of(*operand, &path, err) < 0 || keep(c, &path, -1, err) < 0)
		return -1;
	argv[6] = c->path[c->n - 1];
	if (lh_own_mkdirs(argv[6], 0700, err) < 0)
		return -1;
	rc = lh_child_run(&how, NULL, 0, &out, err);
	if (!rc && out.status)
		rc = child_failed(&out, "lh-store sync", err);
	lh_child_free(&out);
	if (!rc && is_empty(argv[6]))
		rc = lh_err_set(err, LH_EIO, "there is no object below it");
	if (rc)
		return lh_err_prefix(err, "%s", *operand);
	*operand = c->path[c->n - 1];
	return 0;
}

void lh_object_copies_free(struct lh_object_copies *c)
{
	while (c->n) {
		if (c->held[--c->n] >= 0)
			close(c->held[c->n]);
		free(c->path[c->n]);
	}
	free(c->path);
	free(c->held);
	*c = (struct lh_object_copies){ .n = 0 };
}
