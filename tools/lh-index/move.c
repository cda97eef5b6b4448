/* move.c - lh-index move: move all rows of one index to another. */
#include "index/index_tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "index.h"
#include "base/mem.h"

#define BATCH (8u << 20)	/* bytes; other writers of SRC wait for one batch */

/*
 * A row is deleted from SRC once it is on disk in DEST, and SRC's lock is held from
 * the reading of the row until then.  So a row is in one of the two or in both,
 * whenever the run ends; a row that others delete from SRC meanwhile is either gone
 * before it is read, or unknown to SRC when they delete it.
 */
struct move {
	const char *from_path;
	struct changes to, from;
	float *vector;
};

static int refuse_itself(const struct lh_tool *tool, struct lh_err *err)
{
	struct stat a, b;

	if (stat(tool->operands[0], &a) == 0 && stat(tool->operands[1], &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return lh_err_set(err, LH_EUSAGE, "%s: is DEST itself", tool->operands[1]);
	return 0;
}

static int open_both(struct move *m, struct lh_tool *tool, const struct settings *s)
{
	struct lh_err *err = &tool->err;

	m->from_path = tool->operands[1];
	if (refuse_itself(tool, err) < 0)
		return -1;
	m->to.c = lh_index_change_open(tool->operands[0], s->lock_timeout, err);
	m->from.c = m->to.c ? lh_index_change_open(m->from_path, s->lock_timeout, err) : NULL;
	if (!m->from.c)
		return -1;
	m->vector = lh_calloc(lh_index_change_params(m->to.c)->dimension, sizeof *m->vector, err);
	return m->vector ? 0 : -1;
}

static int take_row(struct move *m, const struct lh_index *src, uint64_t at,
		    const struct lh_row *row, struct lh_err *err)
{
	uint32_t dimension = lh_index_change_params(m->to.c)->dimension;

	lh_index_vector(src, at, m->vector);
	if (lh_index_change_put(m->to.c, row->id.p, row->id.n, m->vector, dimension,
				row->meta.n ? row->meta.p : "{}", row->meta.n ? row->meta.n : 2,
				err) < 0 ||
	    lh_index_change_delete(m->from.c, row->id.p, row->id.n, err) < 0)
		return lh_err_prefix(err, "%s: row %llu", m->from_path, (unsigned long long)at);
	return 0;
}

/* Gather rows, up to a batch: 1 when there are more, 0, -1. */
static int gather(struct move *m, const struct lh_index *src, struct lh_err *err)
{
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc;

	if (index_same_kind(m->from_path, lh_index_change_params(m->to.c), lh_index_get_params(src),
			    err) < 0)
		return -1;
	if (lh_index_check_order(src, err) < 0)
		return lh_err_prefix(err, "%s", m->from_path);
	for (i = 0; i < n; i++) {
		if (lh_index_change_bytes(m->to.c) >= BATCH)
			return 1;
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc < 0)
			return lh_err_prefix(err, "%s", m->from_path);
		if (rc > 0 && take_row(m, src, at, &row, err) < 0)
			return -1;
	}
	return 0;
}

/* Move a batch: 1 when there are more, 0, -1. */
static int move_some(struct move *m, struct lh_err *err)
{
	struct lh_index *src;
	int rc;

	if (lh_index_change_hold(m->from.c, err) < 0)
		return -1;
	src = lh_index_open(m->from_path, err);
	rc = src ? gather(m, src, err) : -1;
	lh_index_close(src);
	if (rc >= 0 && (changes_store(&m->to, err) < 0 || changes_store(&m->from, err) < 0))
		rc = -1;
	lh_index_change_release(m->from.c);
	return rc;
}

static int move_all(struct move *m, struct lh_tool *tool, const struct settings *s)
{
	int more;

	do {
		more = move_some(m, &tool->err);
		if (more < 0 || not_stopped(tool) < 0)
			return -1;
		lh_tool_progress(tool, lh_index_change_tally(m->from.c)->deleted);
	} while (more);
	if (changes_fold(&m->to, tool->operands[0], tool, s) < 0 ||
	    changes_fold(&m->from, m->from_path, tool, s) < 0)
		return -1;
	return lh_tool_out_counts(tool, (const char *const[]){ "moved" },
			   &lh_index_change_tally(m->from.c)->deleted, 1);
}

int index_move(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct move m = { .vector = NULL };
	int rc;

	rc = open_both(&m, tool, s);
	if (rc == 0)
		rc = move_all(&m, tool, s);
	lh_index_change_close(m.to.c);
	lh_index_change_close(m.from.c);
	free(m.vector);
	return rc;
}
