/* index_log.c - replay INDEX-log into the pending rows of a snapshot.  See index_log.h. */
#include "index_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/table.h"
#include "base/mem.h"

/* The bytes of a log, shared by snapshots made from each other.  Each uses its own
 * length; only the newest, whose length is that of the buffer, may append. */
struct log_text {
	atomic_uint others;	/* references, less one */
	struct lh_buf bytes;
};

/* The state of a replay (member log of struct lh_index). */
struct replay {
	struct log_text *shared;
	struct lh_buf text;	/* the log, in shared; pending rows point into it */
	size_t applied_bytes;		/* valid frames, before a tail that may be torn */
	bool in_our_part;		/* the next frame belongs to this index */
	size_t marks;
	struct lh_table by_id;	/* the last pending row of an id, live or dead */
	size_t cap;		/* of ix->pending */
};

static struct lh_str pending_id(const void *ctx, uint32_t i)
{
	return ((const struct lh_index *)ctx)->pending[i].id;
}

/* Return the row of the file with that id, -1 when there is none or it is hidden, -2 on
 * error. */
static int64_t shown_row(const struct lh_index *ix, struct lh_str id, struct lh_err *err)
{
	int64_t row = lh_index_base_find(ix, id.p, id.n, err);

	return row >= 0 && lh_index_hidden(ix, (uint64_t)row) ? -1 : row;
}

static void hide_row(struct lh_index *ix, uint64_t row)
{
	if (!ix->hidden)
		ix->hidden = lh_calloc(ix->rows / 64 + 1, sizeof *ix->hidden);
	ix->hidden[row / 64] |= UINT64_C(1) << (row % 64);
	ix->n_hidden++;
}

/* Remove the live row of that id, if any; *meta is its metadata. */
static int remove_id(struct lh_index *ix, struct lh_str id, struct lh_str *meta, struct lh_err *err)
{
	struct replay *r = ix->log;
	int64_t at = lh_table_find(&r->by_id, id, pending_id, ix);
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
	if (lh_index_base_row(ix, (uint64_t)at, &row, err) < 0)
		return -1;
	*meta = row.meta;
	hide_row(ix, (uint64_t)at);
	return 0;
}

static int push_pending(struct lh_index *ix, const struct lh_pending *row, struct lh_err *err)
{
	struct replay *r = ix->log;

	if (ix->n_pending >= LH_INDEX_ROWS_MAX - ix->rows)
		return lh_err_set(err, LH_ECORRUPT, "log: more than %u rows", LH_INDEX_ROWS_MAX);
	lh_grow(&ix->pending, &r->cap, ix->n_pending + 1, sizeof *ix->pending);
	ix->pending[ix->n_pending] = *row;
	lh_table_set(&r->by_id, row->id, (uint32_t)ix->n_pending, pending_id, ix);
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

static int apply_frame(struct lh_index *ix, const struct lh_log_frame *f, struct lh_err *err)
{
	struct lh_pending row;
	struct lh_str before;
	bool with_meta;

	if (lh_log_get_change(f, ix->params.dimension, &row, &with_meta) < 0 ||
	    lh_index_check_id(row.id.p, row.id.n, err) < 0)
		return lh_err_set(err, LH_ECORRUPT, "log: the record at byte %llu is damaged",
				  (unsigned long long)f->at);
	if (remove_id(ix, row.id, &before, err) < 0)
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
	return push_pending(ix, &row, err);
}

static enum lh_log_step apply_frames(struct lh_index *ix, struct lh_err *err)
{
	struct replay *r = ix->log;
	struct lh_log_frame f = { .next = r->applied_bytes };
	struct lh_log_mark mark;
	enum lh_log_step step;

	err->code = LH_OK;
	while ((step = lh_log_next(r->text.p, r->text.len, true, &f)) == LH_LOG_FRAME) {
		if (f.kind != LH_LOG_MARK && f.at > 0) {
			if (r->in_our_part && apply_frame(ix, &f, err) < 0)
				return LH_LOG_DAMAGED;
			continue;
		}
		if (lh_log_get_mark(&f, &mark, err) < 0)
			return LH_LOG_DAMAGED;
		r->in_our_part = mark.checksum == ix->checksum;
		r->marks++;
		if (r->in_our_part && mark.dimension != ix->params.dimension) {
			lh_err_set(err, LH_ECORRUPT, "log: dimension %u, the index has %u",
				   mark.dimension, ix->params.dimension);
			return LH_LOG_DAMAGED;
		}
	}
	if (step == LH_LOG_DAMAGED)
		lh_err_set(err, LH_ECORRUPT, "log: damaged at byte %llu", (unsigned long long)f.at);
	if (step == LH_LOG_TORN)
		ix->torn_at = (int64_t)f.at;
	r->applied_bytes = f.at;
	return step;
}

static void reset_replay(struct lh_index *ix)
{
	struct replay *r = ix->log;

	free(ix->pending);
	free(ix->hidden);
	ix->pending = NULL;
	ix->hidden = NULL;
	ix->n_pending = 0;
	ix->n_hidden = ix->n_dead = ix->logged_puts = ix->logged_deletes = 0;
	ix->torn_at = -1;
	r->cap = r->applied_bytes = r->marks = 0;
	r->in_our_part = false;
	lh_table_free(&r->by_id);
}

static struct replay *replay_new(struct lh_index *ix)
{
	return ix->log = lh_calloc(1, sizeof(struct replay));
}

static struct log_text *text_new(void)
{
	return lh_calloc(1, sizeof(struct log_text));
}

static void text_drop(struct log_text *t)
{
	if (!t || atomic_fetch_sub(&t->others, 1) > 0)
		return;
	lh_buf_free(&t->bytes);
	free(t);
}

static bool is_locked(const char *path)
{
	LH_SCOPED(lh_free_local) char *lock = lh_index_sibling_path(path, LH_INDEX_LOCK);

	return access(lock, F_OK) == 0;
}

/*
 * Logs are read without a lock.  While a writer overwrites a torn tail, a reader may
 * see a mixture of both, which looks like damage but is gone a moment later.  So
 * only damage that persists is reported.
 */
int lh_index_log_replay(struct lh_index *ix, const char *path, struct lh_err *err)
{
	struct replay *r = replay_new(ix);
	int tries;

	r->shared = text_new();
	for (tries = 0; tries < 3; tries++) {
		if (tries && is_locked(path))
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		reset_replay(ix);
		if (lh_log_read(path, &r->shared->bytes, err) < 0)
			return -1;
		r->text = r->shared->bytes;
		if (apply_frames(ix, err) != LH_LOG_DAMAGED)
			return 0;
		if (err->code != LH_ECORRUPT)
			return -1;
	}
	return -1;
}

int64_t lh_index_log_find(const struct lh_index *ix, const char *id, size_t n)
{
	const struct replay *r = ix->log;
	struct lh_str key = { id, n };
	int64_t i = r ? lh_table_find(&r->by_id, key, pending_id, ix) : -1;

	return i >= 0 && ix->pending[i].dead ? -1 : i;
}

const struct lh_buf *lh_index_log_text(const struct lh_index *ix)
{
	return &((const struct replay *)ix->log)->text;
}

void lh_index_log_free(struct lh_index *ix)
{
	struct replay *r = ix->log;

	if (!r)
		return;
	reset_replay(ix);
	text_drop(r->shared);
	free(r);
	ix->log = NULL;
}

/* ---- a log that grew ---- */

/* Return a buffer of from's valid frames with room for more bytes: the shared one if
 * from is the newest user and it has room, else a copy. */
static struct log_text *text_with_room(const struct replay *from, size_t more)
{
	struct log_text *t = from->shared;

	if (t->bytes.len == from->text.len && t->bytes.cap - from->applied_bytes >= more) {
		atomic_fetch_add(&t->others, 1);
		return t;
	}
	t = text_new();
	lh_buf_room(&t->bytes, 2 * (from->applied_bytes + more));
	lh_buf_add(&t->bytes, from->text.p, from->applied_bytes);
	return t;
}

/* Read bytes from..size of the log.  Returns 1, 0 when the file is shorter, -1. */
static int read_tail(struct replay *r, int fd, size_t from, size_t size, struct lh_err *err)
{
	struct lh_buf *b = &r->shared->bytes;
	ssize_t got;

	if (lseek(fd, (off_t)from, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek in the log");
	for (b->len = from; b->len < size; b->len += (size_t)got) {
		got = lh_read_some(fd, b->p + b->len, size - b->len, err);
		if (got <= 0)
			return (int)got;
	}
	r->text = *b;
	return 1;
}

/* Translate a pointer into the n bytes at from to the same place in the copy at to. */
static const void *rebase_pointer(const void *p, const char *from, size_t n, const char *to)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)from;

	return at < n ? to + at : p;
}

/* Copy the state that from has replayed. */
static void copy_replayed(struct lh_index *ix, const struct lh_index *from)
{
	const struct replay *was = from->log;
	struct replay *r = ix->log;
	size_t i, words = ix->rows / 64 + 1;

	lh_table_copy(&r->by_id, &was->by_id);
	lh_grow(&ix->pending, &r->cap, from->n_pending + 1, sizeof *ix->pending);
	for (i = 0; i < from->n_pending; i++) {
		struct lh_pending *p = &ix->pending[i];

		*p = from->pending[i];
		p->id.p = rebase_pointer(p->id.p, was->text.p, was->applied_bytes, r->text.p);
		p->meta.p = rebase_pointer(p->meta.p, was->text.p, was->applied_bytes, r->text.p);
		p->vector = rebase_pointer(p->vector, was->text.p, was->applied_bytes, r->text.p);
	}
	ix->n_pending = from->n_pending;
	r->applied_bytes = was->applied_bytes;
	r->in_our_part = was->in_our_part;
	r->marks = was->marks;
	ix->torn_at = -1;
	if (!from->hidden)
		return;
	ix->hidden = lh_calloc(words, sizeof *ix->hidden);
	memcpy(ix->hidden, from->hidden, words * sizeof *ix->hidden);
}

/* Open the log if it is the one that from has read, grown: its descriptor, or -1.  A log that
 * has, or had, a part of another index may be cut and written on, or replaced by one that has got
 * its inode; what is one part of this index stays the beginning of any log of it. */
static int open_grown(const struct lh_index *ix, const struct lh_index *from, struct lh_err *err)
{
	const struct lh_stamp *now = &ix->log_stamp, *was = &from->log_stamp;
	const struct replay *read = from->log;
	struct stat st;
	int fd;

	if (!now->there || (was->there && (now->dev != was->dev || now->ino != was->ino)) ||
	    (uint64_t)now->size < read->applied_bytes ||
	    (read->marks && (read->marks > 1 || !read->in_our_part)))
		return -1;
	fd = lh_open_regular(ix->common->log, O_RDONLY, 0, err);
	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_dev != now->dev || st.st_ino != now->ino)) {
		close(fd);
		return -1;
	}
	return fd;
}

int lh_index_log_extend(struct lh_index *ix, const struct lh_index *from, struct lh_err *err)
{
	const struct replay *was = from->log;
	struct replay *r = replay_new(ix);
	int fd = open_grown(ix, from, err), rc;

	if (fd < 0)
		return 0;
	r->shared = text_with_room(was, (size_t)ix->log_stamp.size - was->applied_bytes);
	rc = read_tail(r, fd, was->applied_bytes, (size_t)ix->log_stamp.size, err);
	close(fd);
	if (rc <= 0)
		return 0;
	copy_replayed(ix, from);
	if (apply_frames(ix, err) != LH_LOG_DAMAGED)
		return 1;
	return err->code == LH_ENOMEM ? -1 : 0;
}
