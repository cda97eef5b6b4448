/*
 * erase_index.c - records of indexes, playbooks and sharded indexes.  See erase.h.
 *
 * A delete alone leaves vector, words and metadata in the file, so the index is compacted after it.
 * A shard is part of a plan that names its length and checksum: it is written anew under the next
 * letter, then the plan, and the old file is removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "bytes.h"
#include "erase.h"
#include "index/index_tools.h"

static bool has_log(const char *path)
{
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct stat st;

	return stat(log, &st) == 0;
}

/* ---- an index ---- */

static int delete_records(struct erasure *e, const struct target *t, const char *path)
{
	struct lh_err *err = &e->tool->err;
	struct lh_index_change *c;
	bool due;
	size_t i;
	int rc = 0;

	if (!t->mine)
		return 0;
	c = lh_index_change_open(path, e->tool->lock_timeout, err);
	if (!c)
		return -1;
	for (i = 0; !rc && i < t->n; i++)
		if (is_mine(e, &t->hit[i]))
			rc = lh_index_change_delete(c, t->hit[i].id, strlen(t->hit[i].id), err);
	if (!rc)
		rc = lh_index_change_commit(c, &due, err);
	lh_index_change_close(c);
	return rc;
}

static int erase_plain(struct erasure *e, const struct target *t, const char *path)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);

	if (delete_records(e, t, path) < 0)
		return -1;
	if (has_log(path) && lh_index_compact(path, (unsigned)e->tool->jobs,
					      e->tool->lock_timeout, err) < 0)
		return -1;
	lh_atomic_sweep_locked(path);
	lh_atomic_sweep_locked(log);
	return 0;
}

static int on_bytes(void *ctx, const struct byte_hit *hit, struct lh_err *err)
{
	(void)ctx, (void)hit, (void)err;
	return 1;
}

/* Search a file: 1, 0, -1. */
static int search_file(struct byte_search *b, const char *path, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	rc = byte_search_fd(b, fd, err);
	close(fd);
	return rc;
}

int index_has_leftovers(struct erasure *e, size_t place)
{
	const char *path = e->s->places.v[place].path;
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct byte_search *b;
	int rc;

	if (!has_log(path))
		return 0;
	b = byte_search_new(e->who.texts, on_bytes, NULL);
	rc = search_file(b, path, err);
	if (!rc)
		rc = search_file(b, log, err);
	byte_search_free(b);
	return rc;
}

/* ---- a shard ---- */

/* Return the end of the name of the plan in NAME.I-of-N.L.lhv; NULL: it is not of that form. */
static const char *shard_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *p;
	unsigned i, n;
	int used = 0;
	char letter;

	for (p = strchr(name, '.'); p; p = strchr(p + 1, '.'))
		if (sscanf(p, ".%u-of-%u.%c.lhv%n", &i, &n, &letter, &used) == 3 && used &&
		    !p[used] && letter >= 'a' && letter <= 'z')
			return p;
	return NULL;
}

/* Give the file at path owner, group and mode of another. */
static int keep_owner(const char *path, const char *like, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDWR, 0, err), rc = 0;
	struct stat st;

	if (fd < 0)
		return -1;
	if (stat(like, &st) == 0)
		rc = lh_own_like(fd, path, &st, st.st_mode, err);
	close(fd);
	return rc;
}

static bool is_target(const struct erasure *e, const struct target *t, struct lh_str id)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (is_mine(e, &t->hit[i]) && lh_str_is(id, t->hit[i].id, strlen(t->hit[i].id)))
			return true;
	return false;
}

/* Write the records that stay to the file to, and set its length and checksum. */
static int write_shard(struct erasure *e, const struct target *t, const char *to,
		       struct lh_plan_shard *shard)
{
	struct lh_err *err = &e->tool->err;
	struct lh_index *ix = lh_index_open(place_of(e, t)->path, err);
	struct lh_index_params params = ix ? *lh_index_get_params(ix)
					   : (struct lh_index_params){ .m = 0 };
	struct lh_index_writer *w = ix ? lh_index_writer_new(to, &params, e->tool->lock_timeout,
							     err) : NULL;
	struct lh_index_stats st;
	struct lh_row row;
	uint64_t i, at;
	int rc = w ? lh_index_check_sums(ix, err) : -1;

	for (i = 0; rc >= 0 && i < lh_index_rows(ix); i++) {
		rc = lh_index_nth_row(ix, i, &at, &row, err);
		if (rc > 0 && !is_target(e, t, row.id))
			rc = lh_index_writer_take(w, ix, at, &row, err);
	}
	if (rc >= 0)
		rc = lh_index_commit(w, (unsigned)e->tool->jobs, err);
	lh_index_writer_free(w);
	lh_index_close(ix);
	if (rc < 0 || keep_owner(to, place_of(e, t)->path, err) < 0)
		return -1;
	ix = lh_index_open(to, err);
	if (!ix)
		return -1;
	lh_index_get_stats(ix, &st);
	shard->length = st.file_bytes;
	shard->checksum = lh_index_checksum(ix);
	lh_index_close(ix);
	return 0;
}

/* Replace the shard i of a plan, which is locked. */
static int replace_shard(struct erasure *e, const struct target *t, const char *plan_path,
			 struct lh_shard_plan *plan, size_t i)
{
	const char *path = place_of(e, t)->path;
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *to = lh_strndup(path, strlen(path));
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	char *letter, *name = plan->shard[i].file;

	letter = to + strlen(to) - sizeof ".lhv";
	*letter = *letter == 'z' ? 'a' : (char)(*letter + 1);
	if (write_shard(e, t, to, &plan->shard[i]) < 0)
		return -1;
	name[strlen(name) - sizeof ".lhv"] = *letter;
	lh_shard_plan_write(&text, plan);
	if (lh_atomic_put(plan_path, 0666, &text, err) < 0)
		return -1;
	return lh_index_remove(path, e->tool->lock_timeout, err) < 0 ? -1 : 0;
}

/* Handle a file that has the name of a shard of a plan: 1, 0 if the plan does not exist, -1. */
static int erase_shard(struct erasure *e, const struct target *t, const char *plan_path)
{
	const char *path = place_of(e, t)->path;
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *lock_path = lh_index_sibling_path(plan_path, LH_INDEX_LOCK);
	struct lh_shard_plan plan;
	struct lh_lock lock = { .fd = -1 };
	size_t i;
	int rc;

	if (access(plan_path, F_OK) < 0)
		return 0;
	if (lh_lock_take(&lock, lock_path, plan_path, e->tool->lock_timeout, err) < 0)
		return -1;
	rc = lh_shard_plan_read(&plan, plan_path, err);
	for (i = 0; !rc && i < plan.n; i++) {
		LH_SCOPED(lh_free_local) char *file = lh_shard_plan_path(plan_path, &plan, i);

		if (!file)
			rc = -1;
		else if (!strcmp(file, path))
			break;
	}
	if (!rc && i < plan.n)
		rc = replace_shard(e, t, plan_path, &plan, i);
	else if (!rc)		/* a killed run left it, which no plan names */
		rc = lh_index_remove(path, e->tool->lock_timeout, err) < 0 ? -1 : 0;
	lh_shard_plan_free(&plan);
	lh_lock_drop(&lock);
	return rc ? rc : 1;
}

int erase_index(struct erasure *e, const struct target *t)
{
	const char *path = place_of(e, t)->path, *end = shard_name(path);
	LH_SCOPED(lh_buf_free) struct lh_buf plan = { 0 };
	int rc = 0;

	if (end) {
		lh_buf_printf(&plan, "%.*s.json%c", (int)(end - path), path, '\0');
		rc = erase_shard(e, t, plan.p);
	}
	return rc ? rc < 0 ? -1 : 0 : erase_plain(e, t, path);
}
