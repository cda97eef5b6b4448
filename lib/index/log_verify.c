/* log_verify.c - report damage of INDEX-log.  See index_log.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "index_log.h"

#define LOCK_WAIT 10.0		/* seconds, for a writer that is appending */

struct report {
	void (*damage)(void *ctx, const char *section, const char *text);
	void *ctx;
	struct lh_record scan;
	struct lh_buf meta;	/* a copy, since the scanner reads past the end */
};

static void report_fault(struct report *r, const char *what, uint64_t at)
{
	char text[160];

	snprintf(text, sizeof text, "%s at byte %llu", what, (unsigned long long)at);
	r->damage(r->ctx, "log", text);
}

static void check_change(struct report *r, const struct lh_index *ix, const struct lh_log_frame *f)
{
	struct lh_pending row;
	struct lh_err err;
	bool with_meta;

	if (lh_log_get_change(f, ix->params.dimension, &row, &with_meta) < 0)
		report_fault(r, "a record whose sizes do not add up", f->at);
	else if (lh_index_check_id(row.id.p, row.id.n, &err) < 0)
		report_fault(r, "a record with a bad id", f->at);
	else if (f->kind == LH_LOG_PUT &&
		 lh_index_check_vector(&ix->params, row.vector, ix->params.dimension, &err) < 0)
		report_fault(r, "a record with a bad vector", f->at);
	else if (lh_index_check_row_meta(&r->scan, &r->meta, row.meta, 0, &err) < 0)
		report_fault(r, "a record with bad metadata", f->at);
}

/* Check all frames.  r NULL: only find out how the log ends. */
static enum lh_log_step check_frames(struct report *r, const struct lh_index *ix,
				     const struct lh_buf *text)
{
	struct lh_log_frame f = { .next = 0 };
	struct lh_log_mark mark;
	enum lh_log_step step;
	struct lh_err err;
	bool ours = false;

	while ((step = lh_log_next(text->p, text->len, true, &f)) == LH_LOG_FRAME) {
		if (f.kind != LH_LOG_MARK && f.at > 0) {
			if (r && ours)
				check_change(r, ix, &f);
			continue;
		}
		if (lh_log_get_mark(&f, &mark, &err) < 0) {
			step = LH_LOG_DAMAGED;
			break;
		}
		ours = mark.checksum == ix->checksum;
		if (r && ours && mark.dimension != ix->params.dimension)
			report_fault(r, "a mark of another dimension", f.at);
	}
	if (r && step == LH_LOG_TORN)
		report_fault(r, "torn tail", f.at);
	if (r && step == LH_LOG_DAMAGED)
		report_fault(r, "damaged", f.at);
	return step;
}

/* Read the log again while nothing is appended, or as it is when the lock cannot be
 * taken, since verify must work on read-only media. */
static int read_log_locked(const char *path, struct lh_buf *text, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	struct lh_lock lock = { .fd = -1 };
	struct lh_err unused;
	bool locked;
	int rc;

	locked = lh_lock_take(&lock, name, path, LOCK_WAIT, &unused) == 0;
	rc = lh_log_read(path, text, err);
	if (locked)
		lh_lock_drop(&lock);
	return rc;
}

int lh_index_log_verify(const struct lh_index *ix, const char *path,
			void (*damage)(void *ctx, const char *section, const char *text), void *ctx,
			struct lh_err *err)
{
	struct report r = { .damage = damage, .ctx = ctx };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = lh_log_read(path, &text, err);

	if (rc == 0 && check_frames(NULL, ix, &text) != LH_LOG_END)
		rc = read_log_locked(path, &text, err);
	if (rc == 0)
		check_frames(&r, ix, &text);
	lh_record_free(&r.scan);
	lh_buf_free(&r.meta);
	return rc;
}
