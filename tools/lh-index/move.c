/* move.c - lh-index move: move all rows of one index to another. */
#include "base/mem.h"
#include "index/index_tools.h"
#include <stdlib.h>
#include <string.h>

#include "index.h"

#define BATCH (8u << 20)	/* bytes; other writers of SRC wait for one batch */

/*
 * A row is deleted from SRC once it is on disk in DEST, and SRC's lock is held from
 * the reading of the row until then.  So a row is in one of the two or in both,
 * whenever the run ends; a row that others delete from SRC meanwhile is either gone
 * before it is read, or unknown to SRC when they delete it.  Both locks are taken
 * before, so that a move the other way does not hold the one that this waits for.
 */

static int take_row(struct transfer *t, const struct lh_index *src, uint64_t at,
		    const struct lh_row *row, struct lh_err *err)
{
	transfer_fn *put = t->keep ? lh_index_change_put_new : lh_index_change_put;
	int rc = transfer_row(t, put, src, at, row, err);

	if (rc <= 0)
		return rc;
	return lh_index_change_delete(t->from.c, row->id.p, row->id.n, err);
}

/* Gather rows, up to a batch: 1 when there are more, 0, -1. */
static int gather(struct transfer *t, const struct lh_index *src, struct lh_err *err)
{
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc;

	t->failed = 0;		/* rows that are refused stay, and are met again */
	for (i = 0; i < n; i++) {
		if (lh_index_change_bytes(t->to.c) + lh_index_change_bytes(t->from.c) >= BATCH)
			return 1;
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc > 0)
			rc = take_row(t, src, at, &row, err);
		if (rc < 0)
			return lh_err_prefix(err, "%s", t->from.path);
	}
	return 0;
}

/* Lock both indexes, in the order of their paths. */
static int hold_both(struct transfer *t, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *from = realpath(t->from.path, NULL);
	LH_SCOPED(lh_free_local) char *to = realpath(t->to.path, NULL);
	bool from_first = !from || !to || strcmp(from, to) < 0;
	struct lh_index_change *first = from_first ? t->from.c : t->to.c,
			       *second = from_first ? t->to.c : t->from.c;

	if (lh_index_change_hold(first, err) < 0)
		return -1;
	if (lh_index_change_hold(second, err) == 0)
		return 0;
	lh_index_change_release(first);
	return -1;
}

int move_rows(struct transfer *t, struct lh_err *err)
{
	struct lh_index *src;
	int rc;

	if (hold_both(t, err) < 0)
		return -1;
	src = transfer_source(t, t->from.path, err);
	rc = src ? gather(t, src, err) : -1;
	lh_index_close(src);
	if (rc >= 0 && (changes_store(&t->to, err) < 0 || changes_store(&t->from, err) < 0))
		rc = -1;
	lh_index_change_release(t->from.c);
	lh_index_change_release(t->to.c);
	return rc;
}

static int move_all(struct transfer *t, struct lh_tool *tool, const struct settings *s)
{
	int more;

	do {
		more = move_rows(t, &tool->err);
		if (more < 0 || not_stopped(tool) < 0)
			return -1;
		lh_tool_progress(tool, lh_index_change_tally(t->from.c)->deleted);
	} while (more);
	if (changes_fold(&t->to, tool->jobs, s->lock_timeout, &tool->err) < 0 ||
	    changes_fold(&t->from, tool->jobs, s->lock_timeout, &tool->err) < 0)
		return -1;
	return lh_tool_out_counts(tool, (const char *const[]){ "moved" },
			   &lh_index_change_tally(t->from.c)->deleted, 1);
}

int index_move(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(transfer_close) struct transfer t = { .vector = NULL };
	int rc = carry_persons(tool->operands[0], tool->operands[1], s, (unsigned)tool->jobs,
			       &tool->err);

	if (!rc)
		rc = transfer_open(&t, tool->operands[0], tool->operands[1], s->lock_timeout,
				   &tool->err);
	return rc ? rc : move_all(&t, tool, s);
}
