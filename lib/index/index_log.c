/*
 * index_log.c - the log of an index: its frames, replayed, replaced and checked.  See index_log.h.
 */
#include "index_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/xxh3.h"

/* ---- read and write the frames of INDEX-log ---- */

char *lh_index_sibling_path(const char *path, const char *suffix)
{
	size_t n = strlen(path), more = strlen(suffix) + 1;
	char *name = lh_calloc(n + more, 1);

	memcpy(name, path, n);
	memcpy(name + n, suffix, more);
	return name;
}

/* Step to the frame or group at f->next. */
static enum lh_log_step next_frame(const char *p, size_t n, bool deep, struct lh_log_frame *f)
{
	struct lh_log_head head;
	size_t left;

	f->at = f->next;
	left = n - f->at;
	if (left == 0)
		return LH_LOG_END;
	if (left < sizeof head)
		return LH_LOG_TORN;
	memcpy(&head, p + f->at, sizeof head);
	if (lh_xxh3(&head, 8) != head.head_xxh3)
		/* The size of a file may reach the disk before its bytes. */
		return lh_index_all_zero(p + f->at, left) ? LH_LOG_TORN : LH_LOG_DAMAGED;
	if (head.kind < LH_LOG_MARK || head.kind > LH_LOG_GROUP || head.bytes % 8 ||
	    head.bytes > LH_LOG_PAYLOAD_MAX)
		return LH_LOG_DAMAGED;
	left -= sizeof head;
	if (head.bytes > left)
		return LH_LOG_TORN;
	f->kind = head.kind;
	f->p = p + f->at + sizeof head;
	f->n = head.bytes;
	f->next = f->at + sizeof head + head.bytes;
	if ((deep || f->kind == LH_LOG_MARK || f->next == n) && lh_xxh3(f->p, f->n) != head.xxh3) {
		f->next = f->at;
		return left == head.bytes ? LH_LOG_TORN : LH_LOG_DAMAGED;
	}
	return LH_LOG_FRAME;
}

enum lh_log_step lh_log_next(const char *p, size_t n, bool deep, struct lh_log_frame *f)
{
	enum lh_log_step step;

	while (f->next >= f->group_end) {
		step = next_frame(p, n, deep, f);
		if (step != LH_LOG_FRAME || f->kind != LH_LOG_GROUP)
			return step;
		if (f->at == 0)
			return LH_LOG_DAMAGED;	/* a log begins with a mark */
		f->group_end = f->next;
		f->next = f->at + sizeof(struct lh_log_head);
	}
	step = next_frame(p, f->group_end, deep, f);
	return step == LH_LOG_FRAME && (f->kind == LH_LOG_PUT || f->kind == LH_LOG_DELETE) ?
		       LH_LOG_FRAME :
		       LH_LOG_DAMAGED;
}

int lh_log_get_mark(const struct lh_log_frame *f, struct lh_log_mark *mark, struct lh_err *err)
{
	if (f->kind != LH_LOG_MARK || f->n < sizeof *mark || memcmp(f->p, LH_LOG_MAGIC, 8) != 0)
		return lh_err_set(err, LH_ECORRUPT, "log: no mark at byte %llu",
				  (unsigned long long)f->at);
	memcpy(mark, f->p, sizeof *mark);
	if (mark->version > LH_LOG_VERSION)
		return lh_err_set(err, LH_ECORRUPT,
				  "log: format version %u is newer than %d, the newest that this "
				  "program reads", mark->version, LH_LOG_VERSION);
	if (mark->version < 1 || f->n != sizeof *mark)
		return lh_err_set(err, LH_ECORRUPT, "log: the mark at byte %llu is damaged",
				  (unsigned long long)f->at);
	return 0;
}

int lh_log_get_change(const struct lh_log_frame *f, uint32_t dimension, struct lh_pending *row,
		      bool *with_meta)
{
	size_t vector = f->kind == LH_LOG_PUT ? (size_t)dimension * sizeof(float) : 0, used;
	struct lh_log_change c;

	if (f->n < sizeof c)
		return -1;
	memcpy(&c, f->p, sizeof c);
	used = sizeof c + vector + c.id_n + c.meta_n;
	if (lh_index_round(used, 8) != f->n || !lh_index_all_zero(f->p + used, f->n - used) ||
	    c.with_meta > 1 || (c.meta_n && !c.with_meta) ||
	    (c.with_meta && f->kind == LH_LOG_DELETE))
		return -1;
	row->vector = (const void *)(f->p + sizeof c);
	row->id = (struct lh_str){ f->p + sizeof c + vector, c.id_n };
	row->meta = (struct lh_str){ row->id.p + c.id_n, c.meta_n };
	row->dead = false;
	*with_meta = c.with_meta;
	return 0;
}

/* Reserve room for a frame of that payload, zeroed; completed by end_frame. */
static char *begin_frame(struct lh_buf *b, size_t bytes)
{
	char *p = lh_buf_room(b, sizeof(struct lh_log_head) + bytes);

	if (!p)
		return NULL;
	memset(p, 0, sizeof(struct lh_log_head) + bytes);
	return p + sizeof(struct lh_log_head);
}

static void end_frame(struct lh_buf *b, char *payload, enum lh_log_kind kind, size_t bytes)
{
	struct lh_log_head head = { .bytes = (uint32_t)bytes, .kind = kind };

	head.head_xxh3 = lh_xxh3(&head, 8);
	head.xxh3 = lh_xxh3(payload, bytes);
	memcpy(payload - sizeof head, &head, sizeof head);
	lh_buf_took(b, sizeof head + bytes);
}

void lh_log_add_mark(struct lh_buf *b, uint64_t checksum, uint32_t dimension)
{
	struct lh_log_mark mark = { LH_LOG_MAGIC, LH_LOG_VERSION, dimension, checksum };
	char *p = begin_frame(b, sizeof mark);

	if (!p)
		return;
	memcpy(p, &mark, sizeof mark);
	end_frame(b, p, LH_LOG_MARK, sizeof mark);
}

static void add_change(struct lh_buf *b, enum lh_log_kind kind, struct lh_str id,
		       const float *vector, size_t vector_n, const struct lh_str *meta)
{
	struct lh_log_change c = { .id_n = (uint16_t)id.n,
				   .with_meta = meta != NULL,
				   .meta_n = meta ? (uint32_t)meta->n : 0 };
	size_t bytes = lh_index_round(sizeof c + vector_n + id.n + c.meta_n, 8);
	char *p = begin_frame(b, bytes), *to = p;

	if (!p)
		return;
	memcpy(to, &c, sizeof c);
	to += sizeof c;
	if (vector_n)
		memcpy(to, vector, vector_n);
	to += vector_n;
	memcpy(to, id.p, id.n);
	if (c.meta_n)
		memcpy(to + id.n, meta->p, meta->n);
	end_frame(b, p, kind, bytes);
}

void lh_log_add_put(struct lh_buf *b, struct lh_str id, const float *vector, uint32_t dimension,
		    const struct lh_str *meta)
{
	add_change(b, LH_LOG_PUT, id, vector, (size_t)dimension * sizeof *vector, meta);
}

void lh_log_add_delete(struct lh_buf *b, struct lh_str id)
{
	add_change(b, LH_LOG_DELETE, id, NULL, 0, NULL);
}

void lh_log_add_group(struct lh_buf *b, const struct lh_buf *frames)
{
	struct lh_log_head head = { .bytes = (uint32_t)frames->len, .kind = LH_LOG_GROUP };

	head.head_xxh3 = lh_xxh3(&head, 8);
	head.xxh3 = lh_xxh3(frames->p, frames->len);
	lh_buf_add(b, &head, sizeof head);
}

static int read_fd(int fd, struct lh_buf *b, struct lh_err *err)
{
	struct stat st;
	ssize_t got;
	char *to;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot look at the log");
	lh_buf_room(b, (size_t)st.st_size + 1);
	do {
		to = lh_buf_room(b, 65536);
		got = to ? lh_read_some(fd, to, b->cap - b->len, err) : 0;
		if (got > 0)
			lh_buf_took(b, (size_t)got);
	} while (got > 0);
	return got < 0 ? -1 : 0;
}

int lh_log_read(const char *path, struct lh_buf *b, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, LH_INDEX_LOG);
	int fd, rc = 0;

	lh_buf_reset(b);
	fd = lh_open_regular(name, O_RDONLY, 0, err);
	if (fd >= 0) {
		if (read_fd(fd, b, err) < 0)
			rc = lh_err_prefix(err, "%s", name);
		close(fd);
	} else if (errno != ENOENT) {
		rc = -1;
	}
	return rc;
}

int lh_log_measure(const char *p, size_t n, uint64_t checksum, struct lh_log_extent *x,
		   struct lh_err *err)
{
	struct lh_log_frame f = { .next = x->end };
	struct lh_log_mark mark;
	enum lh_log_step step;

	while ((step = lh_log_next(p, n, false, &f)) == LH_LOG_FRAME) {
		if (f.kind == LH_LOG_MARK || f.at == 0) {
			if (lh_log_get_mark(&f, &mark, err) < 0)
				return -1;
			x->open = mark.checksum == checksum;
			x->old = mark.version < LH_LOG_VERSION;
		} else if (x->open) {
			x->n++;
		}
		if (x->open)
			x->end = f.next;
	}
	if (step == LH_LOG_DAMAGED)
		return lh_err_set(err, LH_ECORRUPT, "log: damaged at byte %llu",
				  (unsigned long long)f.at);
	return 0;
}

/* ---- replay INDEX-log into the pending rows of a snapshot ---- */

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

/* ---- replace, reduce and remove INDEX-log ---- */

int lh_index_log_remove(const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, LH_INDEX_LOG);
	int rc = 0;

	if (unlink(name) == 0)	/* a power loss must not bring it back */
		rc = lh_sync_folder(name, err);
	else if (errno != ENOENT)
		rc = lh_err_sys(err, "%s: cannot remove", name);
	return rc;
}

static int write_log(const char *path, const char *name, const struct lh_buf *a,
		     const struct lh_buf *b, struct lh_err *err)
{
	LH_SCOPED(lh_atomic_close) struct lh_atomic out;
	int rc;

	/* The log gets the permissions of the index. */
	rc = lh_atomic_open_beside(&out, name, path, 0600, err);
	if (rc == 0)
		rc = lh_write_all(out.fd, a->p, a->len, err);
	if (rc == 0)
		rc = lh_write_all(out.fd, b->p, b->len, err);
	return rc ? rc : lh_atomic_commit(&out, err);
}

int lh_log_replace(const char *path, const struct lh_buf *a, const struct lh_buf *b,
		   struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = NULL;

	if (a->len + b->len == 0)
		return lh_index_log_remove(path, err);
	name = lh_index_sibling_path(path, LH_INDEX_LOG);
	return write_log(path, name, a, b, err);
}

int lh_log_collect(const struct lh_buf *log, uint64_t checksum, bool others, uint64_t from,
		   struct lh_buf *out, struct lh_err *err)
{
	struct lh_log_frame f = { .next = 0 };
	struct lh_log_mark mark;
	enum lh_log_step step;
	bool ours = false, is_mark;

	while ((step = lh_log_next(log->p, log->len, true, &f)) == LH_LOG_FRAME) {
		is_mark = f.kind == LH_LOG_MARK || f.at == 0;
		if (is_mark && lh_log_get_mark(&f, &mark, err) < 0)
			return -1;
		if (is_mark)
			ours = mark.checksum == checksum;
		if (others ? !ours : ours && !is_mark && f.at >= from)
			lh_buf_add(out, log->p + f.at, f.next - f.at);
	}
	if (step == LH_LOG_DAMAGED)
		return lh_err_set(err, LH_ECORRUPT, "log: damaged at byte %llu",
				  (unsigned long long)f.at);
	return 0;
}

int lh_index_log_discard(const char *path, uint64_t checksum, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf log = { 0 }, others = { 0 };
	struct lh_buf nothing;
	int rc;

	lh_buf_init(&nothing, 1);
	rc = lh_log_read(path, &log, err);
	if (rc == 0 && lh_log_collect(&log, checksum, true, 0, &others, err) < 0) {
		/* It is unreadable, and a build is the way to recover from that. */
		rc = err->code == LH_ECORRUPT ? lh_index_log_remove(path, err) : -1;
	} else if (rc == 0 && others.len < log.len) {
		rc = lh_log_replace(path, &others, &nothing, err);
	}
	return rc;
}

/* ---- report damage of INDEX-log ---- */

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
