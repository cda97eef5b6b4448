/* lh_lhv_log.c - a snapshot's pending rows, read from INDEX-log.  See lh_lhv_log.h. */
#include "lh_lhv_log.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lh_idmap.h"
#include "lh_mem.h"

/* Behind struct lh_lhv's log pointer. */
struct replayed {
	struct lh_buf text;	/* the log; pending rows point into it */
	struct lh_idmap by_id;	/* live or dead: the id's last pending row */
	size_t cap;		/* of ix->pending */
};

static struct lh_str pending_id(const void *ctx, uint32_t i)
{
	return ((const struct lh_lhv *)ctx)->pending[i].id;
}

/* The id's row in the file, unless it is hidden already: -1, -2 on error. */
static int64_t shown_row(const struct lh_lhv *ix, struct lh_str id, struct lh_err *err)
{
	int64_t row = lh_lhv_base_find(ix, id.p, id.n, err);

	return row >= 0 && lh_lhv_hidden(ix, (uint64_t)row) ? -1 : row;
}

static int hide_row(struct lh_lhv *ix, uint64_t row, struct lh_err *err)
{
	if (!ix->hidden)
		ix->hidden = lh_calloc(ix->rows / 64 + 1, sizeof *ix->hidden, err);
	if (!ix->hidden)
		return -1;
	ix->hidden[row / 64] |= UINT64_C(1) << (row % 64);
	ix->n_hidden++;
	return 0;
}

/* Take out what is there of the id; *meta is what it had. */
static int take_out(struct lh_lhv *ix, struct lh_str id, struct lh_str *meta, struct lh_err *err)
{
	struct replayed *r = ix->log;
	int64_t at = lh_idmap_find(&r->by_id, id.p, id.n);
	struct lh_row row;

	*meta = (struct lh_str){ "", 0 };
	if (at >= 0) {
		struct lh_pending *p = &ix->pending[at];

		if (!p->dead)
			*meta = p->meta;
		ix->n_dead += !p->dead;
		p->dead = true;
		return 0;
	}
	at = shown_row(ix, id, err);
	if (at < 0)
		return at == -2 ? -1 : 0;
	if (lh_lhv_base_row(ix, (uint64_t)at, &row, err) < 0)
		return -1;
	*meta = row.meta;
	return hide_row(ix, (uint64_t)at, err);
}

static int push(struct lh_lhv *ix, const struct lh_pending *row, struct lh_err *err)
{
	struct replayed *r = ix->log;

	if (ix->n_pending >= LH_LHV_ROWS_MAX - ix->rows)
		return lh_err_set(err, LH_ECORRUPT, "log: more than %u rows", LH_LHV_ROWS_MAX);
	if (lh_grow(&ix->pending, &r->cap, ix->n_pending + 1, sizeof *ix->pending, err) < 0)
		return -1;
	ix->pending[ix->n_pending] = *row;
	if (lh_idmap_set(&r->by_id, row->id.p, row->id.n, (uint32_t)ix->n_pending, err) < 0)
		return -1;
	ix->n_pending++;
	return 0;
}

static bool is_empty_object(struct lh_str meta)
{
	size_t i;

	for (i = 0; i < meta.n && meta.p[i] != '{'; i++)
		;
	for (i++; i < meta.n && strchr(" \t\r\n", meta.p[i]); i++)
		;
	return i < meta.n && meta.p[i] == '}';
}

static int apply(struct lh_lhv *ix, const struct lh_log_frame *f, struct lh_err *err)
{
	struct lh_pending row;
	struct lh_str before;
	bool with_meta;

	if (lh_log_get_change(f, ix->params.dimension, &row, &with_meta) < 0 ||
	    lh_lhv_check_id(row.id.p, row.id.n, err) < 0)
		return lh_err_set(err, LH_ECORRUPT, "log: the record at byte %llu is damaged", (unsigned long long)f->at);
	if (take_out(ix, row.id, &before, err) < 0)
		return -1;
	if (f->kind == LH_LOG_DELETE) {
		ix->logged_deletes++;
		return 0;
	}
	ix->logged_puts++;
	if (!with_meta)
		row.meta = before;
	else if (is_empty_object(row.meta))
		row.meta.n = 0;
	return push(ix, &row, err);
}

static enum lh_log_step apply_all(struct lh_lhv *ix, struct lh_err *err)
{
	struct replayed *r = ix->log;
	struct lh_log_frame f = { .next = 0 };
	struct lh_log_mark mark;
	enum lh_log_step step;
	bool ours = false;

	err->code = LH_OK;
	while ((step = lh_log_next(r->text.p, r->text.len, true, &f)) == LH_LOG_FRAME) {
		if (f.kind != LH_LOG_MARK && f.at > 0) {
			if (ours && apply(ix, &f, err) < 0)
				return LH_LOG_DAMAGED;
			continue;
		}
		if (lh_log_get_mark(&f, &mark, err) < 0)
			return LH_LOG_DAMAGED;
		ours = mark.checksum == ix->checksum;
		if (ours && mark.dimension != ix->params.dimension) {
			lh_err_set(err, LH_ECORRUPT, "log: dimension %u, the index has %u", mark.dimension, ix->params.dimension);
			return LH_LOG_DAMAGED;
		}
	}
	if (step == LH_LOG_DAMAGED)
		lh_err_set(err, LH_ECORRUPT, "log: damaged at byte %llu", (unsigned long long)f.at);
	if (step == LH_LOG_TORN)
		ix->torn_at = (int64_t)f.at;
	return step;
}

static void forget(struct lh_lhv *ix)
{
	struct replayed *r = ix->log;

	free(ix->pending);
	free(ix->hidden);
	ix->pending = NULL;
	ix->hidden = NULL;
	ix->n_pending = 0;
	ix->n_hidden = ix->n_dead = ix->logged_puts = ix->logged_deletes = 0;
	ix->torn_at = -1;
	r->cap = 0;
	lh_idmap_free(&r->by_id);
}

static bool being_written(const char *path)
{
	struct lh_err unused;
	char *lock = lh_lhv_beside(path, LH_LHV_LOCK, &unused);
	bool is = lock && access(lock, F_OK) == 0;

	free(lock);
	return is;
}

/*
 * Logs are read without a lock.  A writer that overwrites a torn tail while
 * it is being read may show us half of both, which looks like damage but is
 * gone a moment later: only what stays damaged is.
 */
int lh_lhv_log_replay(struct lh_lhv *ix, const char *path, struct lh_err *err)
{
	struct replayed *r = lh_calloc(1, sizeof *r, err);
	int tries;

	if (!r)
		return -1;
	lh_buf_init(&r->text, LH_BUF_NOMAX);
	r->by_id = (struct lh_idmap){ .key = pending_id, .ctx = ix };
	ix->log = r;
	for (tries = 0; tries < 3; tries++) {
		if (tries && being_written(path))
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		forget(ix);
		if (lh_log_read(path, &r->text, err) < 0)
			return -1;
		if (apply_all(ix, err) != LH_LOG_DAMAGED)
			return 0;
		if (err->code != LH_ECORRUPT)
			return -1;
	}
	return -1;
}

int64_t lh_lhv_log_find(const struct lh_lhv *ix, const char *id, size_t n)
{
	const struct replayed *r = ix->log;
	int64_t i = r ? lh_idmap_find(&r->by_id, id, n) : -1;

	return i >= 0 && ix->pending[i].dead ? -1 : i;
}

const struct lh_buf *lh_lhv_log_text(const struct lh_lhv *ix)
{
	return &((const struct replayed *)ix->log)->text;
}

void lh_lhv_log_free(struct lh_lhv *ix)
{
	struct replayed *r = ix->log;

	if (!r)
		return;
	forget(ix);
	lh_buf_free(&r->text);
	free(r);
	ix->log = NULL;
}
