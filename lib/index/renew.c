/* renew.c - reopen an index that has changed.  See lh/index.h. */
#include <stdlib.h>

#include "index_parts.h"
#include "base/mem.h"

struct lh_index_common *lh_index_common_new(const char *path, const char *real,
					    struct lh_stamp *log)
{
	struct lh_index_common *c = lh_calloc(1, sizeof *c);

	c->path = lh_strndup(path, strlen(path));
	c->log = lh_index_sibling_path(real, LH_INDEX_LOG);
	lh_stamp_take(&c->file, c->path);
	lh_stamp_take(log, c->log);
	return c;
}

void lh_index_common_drop(struct lh_index_common *c)
{
	if (!c || atomic_fetch_sub(&c->others, 1) > 0)
		return;
	lh_mapped_close(&c->map);
	free(c->path);
	free(c->log);
	free(c);
}

bool lh_index_stale(const struct lh_index *ix)
{
	return !lh_stamp_fits(&ix->common->file, ix->common->path) ||
	       !lh_stamp_fits(&ix->log_stamp, ix->common->log);
}

/* Extend a snapshot by what was appended to its log.  NULL with LH_OK when file or log
 * was replaced. */
static struct lh_index *extend_snapshot(const struct lh_index *ix, struct lh_err *err)
{
	struct lh_index *to = lh_calloc(1, sizeof *to);
	int rc;

	*to = *ix;
	atomic_init(&to->others, 0);
	atomic_fetch_add(&to->common->others, 1);
	to->pending = NULL;
	to->hidden = NULL;
	to->log = NULL;
	to->n_pending = 0;
	lh_stamp_take(&to->log_stamp, to->common->log);
	rc = lh_index_log_extend(to, ix, err);
	if (rc > 0 && lh_stamp_fits(&to->common->file, to->common->path))
		return to;
	lh_index_close(to);
	if (rc >= 0)
		err->code = LH_OK;
	return NULL;
}

struct lh_index *lh_index_renew(struct lh_index *ix, struct lh_err *err)
{
	struct lh_index *to = NULL;

	if (!lh_index_stale(ix)) {
		atomic_fetch_add(&ix->others, 1);
		return ix;
	}
	if (lh_stamp_fits(&ix->common->file, ix->common->path)) {
		to = extend_snapshot(ix, err);
		if (!to && err->code != LH_OK)
			return NULL;
	}
	return to ? to : lh_index_open(ix->common->path, err);
}
