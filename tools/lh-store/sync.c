/* sync.c - lh-store sync: make one store hold the objects of another. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store.h"

/* An object of TO; FROM's are looked up in it. */
struct held {
	struct lh_object o;	/* its strings follow key */
	char *key;
	bool wanted;		/* FROM has it too */
};

struct sync {
	struct lh_tool *tool;
	const struct settings *settings;
	struct lh_store *from, *to;
	struct held *v;		/* sorted by key */
	size_t n, cap, next;	/* next: the first that FROM's list has not passed */
	uint64_t copied, same, deleted;
};

static int hold(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct sync *y = context;
	size_t n = strlen(o->key) + 1, more = strlen(o->etag) + 1;
	char *key;

	(void)err;
	lh_grow(&y->v, &y->cap, y->n + 1, sizeof *y->v);
	key = lh_calloc(n + more, 1);
	memcpy(key, o->key, n);
	memcpy(key + n, o->etag, more);
	y->v[y->n++] = (struct held){ .o = { key, o->size, key + n, o->modified }, .key = key };
	return 0;
}

/* Find the object of that key in TO.  Both lists have the same order. */
static struct held *find_held(struct sync *y, const char *key)
{
	int c = -1;

	while (y->next < y->n && (c = strcmp(y->v[y->next].key, key)) < 0)
		y->next++;
	return y->next < y->n && c == 0 ? &y->v[y->next] : NULL;
}

/* Report an object that TO cannot have under its key, or that is gone meanwhile: the others are
 * copied all the same. */
static int skip_one(struct sync *y, const struct lh_err *err)
{
	unsigned status = lh_err_status(err);

	if (err->code != LH_EDATA || (status != 400 && status != 404 && status != 409))
		return -1;
	lh_tool_warn(y->tool, "%u: %s", status, err->msg);
	lh_tool_verdict_bad(y->tool);
	return 0;
}

static int copy_one(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct sync *y = context;
	struct held *held = find_held(y, o->key);
	int rc = 0;

	if (held) {
		held->wanted = true;
		rc = lh_store_same(y->from, o, y->to, &held->o, err);
	}
	if (rc) {
		y->same += rc > 0;
		return rc < 0 ? -1 : 0;
	}
	if (!y->settings->dry_run && lh_store_copy(y->from, y->to, o->key, err) < 0)
		return skip_one(y, err);
	y->copied++;
	rc = store_print_done(y->tool, "copied", o->key);
	if (rc < 0)
		*err = y->tool->err;
	return rc;
}

static int delete_others(struct sync *y, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < y->n; i++) {
		if (y->v[i].wanted)
			continue;
		if (!y->settings->dry_run && lh_store_delete(y->to, y->v[i].key, NULL, err) < 0 &&
		    err->status != 404)
			return -1;
		y->deleted++;
		if (store_print_done(y->tool, "deleted", y->v[i].key) < 0)
			return -1;
	}
	return 0;
}

/* Read the list of TO, which may be a folder that is not there yet. */
static int hold_all(struct sync *y, const char *to, struct lh_err *err)
{
	if (!lh_store_is_s3(to) && access(to, F_OK) < 0)
		return 0;
	return lh_store_list(y->to, "", hold, y, err);
}

int store_sync(struct lh_tool *tool, void *settings)
{
	struct sync y = { .tool = tool, .settings = settings };
	struct lh_err *err = &tool->err;
	int rc = -1;

	y.from = store_operand(tool, settings, 0);
	y.to = y.from ? store_operand(tool, settings, 1) : NULL;
	if (y.to)
		rc = hold_all(&y, tool->operands[1], err);
	if (!rc)
		rc = lh_store_list(y.from, "", copy_one, &y, err);
	if (!rc && y.settings->remove)
		rc = delete_others(&y, err);
	if (!rc)
		lh_tool_verbose(tool, "%llu copied, %llu the same, %llu deleted",
				(unsigned long long)y.copied, (unsigned long long)y.same,
				(unsigned long long)y.deleted);
	while (y.n)
		free(y.v[--y.n].key);
	free(y.v);
	lh_store_close(y.from);
	lh_store_close(y.to);
	return rc;
}
