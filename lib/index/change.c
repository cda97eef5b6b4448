/* change.c - changes of an index, appended to its log.  See index.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "index_log.h"
#include "index_tools.h"

/* ---- the set of live ids, by which a commit decides ---- */

static struct lh_str later_id(const void *ctx, uint32_t i)
{
	return ((const struct lh_index_known *)ctx)->later[i].id;
}

static void lh_index_known_close(struct lh_index_known *k);

/* Start from a new snapshot of the index at path. */
static int lh_index_known_open(struct lh_index_known *k, const char *path, struct lh_err *err)
{
	lh_index_known_close(k);
	k->ix = lh_index_open(path, err);
	return k->ix ? 0 : -1;
}

static void lh_index_known_close(struct lh_index_known *k)
{
	while (k->n)
		free((char *)(uintptr_t)k->later[--k->n].id.p);
	free(k->later);
	lh_table_free(&k->by_id);
	lh_index_close(k->ix);
	*k = (struct lh_index_known){ .ix = NULL };
}

/* Return 1 for a live id, 0 for another, -1 with *err for a damaged index. */
static int lh_index_known_live(const struct lh_index_known *k, struct lh_str id, struct lh_err *err)
{
	int64_t i = lh_table_find(&k->by_id, id, later_id, k);

	if (i >= 0)
		return k->later[i].live;
	i = lh_index_find(k->ix, id.p, id.n, err);
	return i == -2 ? -1 : i >= 0;
}

static int lh_index_known_set(struct lh_index_known *k, struct lh_str id, bool live,
			      struct lh_err *err)
{
	int64_t i = lh_table_find(&k->by_id, id, later_id, k);

	if (i >= 0) {
		k->later[i].live = live;
		return 0;
	}
	if (k->n >= LH_INDEX_ROWS_MAX)
		return lh_err_set(err, LH_EIO, "more than %u changes at once", LH_INDEX_ROWS_MAX);
	lh_grow(&k->later, &k->cap, k->n + 1, sizeof *k->later);
	id.p = lh_strndup(id.p, id.n);
	k->later[k->n++] = (struct lh_index_later){ id, live };
	lh_table_set(&k->by_id, id, (uint32_t)k->n - 1, later_id, k);
	return 0;
}

/* Apply the frames p[from..to) of the log; at from, a part of this index begins or goes
 * on. */
static int lh_index_known_replay(struct lh_index_known *k, const char *p, uint64_t from,
				 uint64_t to, struct lh_err *err)
{
	struct lh_log_frame f = { .next = from };
	struct lh_log_mark mark;
	struct lh_pending row;
	bool ours = true, with_meta;

	while (lh_log_next(p, to, false, &f) == LH_LOG_FRAME) {
		if (f.kind == LH_LOG_MARK) {
			if (lh_log_get_mark(&f, &mark, err) < 0)
				return -1;
			ours = mark.checksum == k->ix->checksum;
		} else if (ours) {
			if (lh_log_get_change(&f, k->ix->params.dimension, &row, &with_meta) < 0 ||
			    lh_index_check_id(row.id.p, row.id.n, err) < 0)
				return lh_err_set(err, LH_ECORRUPT,
						  "log: the record at byte %llu is damaged",
						  (unsigned long long)f.at);
			if (lh_index_known_set(k, row.id, f.kind == LH_LOG_PUT, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* ---- append puts and deletes to INDEX-log ---- */

struct lh_index_change {
	char *path, *log, *lock;
	double timeout;
	struct lh_lock held_lock;	/* of lh_index_change_hold; fd -1: not held */
	struct lh_index_params params;
	struct lh_buf frames;		/* gathered for the next commit */
	uint64_t n_frames, n_deletes;
	/* offsets in frames of the puts of lh_index_change_put_new */
	uint64_t *put_new_at;
	size_t n_put_new, cap;
	struct lh_buf unit;		/* scratch: a vector scaled to unit length */
	/* The log after the last commit: everything before appended.end has been read.
	 * The file is held open so that its inode is not reused. */
	int fd;				/* -1: none */
	uint64_t checksum;		/* of the index that the log is for */
	struct lh_log_extent appended;
	/* live ids, including at least the changes up to appended.end */
	struct lh_index_known known;
	struct lh_buf selected;		/* the frames to append, when some are left out */
	struct lh_index_tally tally;
};

/* The frames of one commit. */
struct batch {
	const struct lh_buf *frames;
	uint64_t n;
	struct lh_index_tally tally;
};

struct lh_index_change *lh_index_change_open(const char *path, double lock_timeout,
					     struct lh_err *err)
{
	struct lh_index_change *c = lh_calloc(1, sizeof *c);
	struct lh_index *base;

	c->timeout = lock_timeout;
	c->held_lock.fd = -1;
	c->fd = -1;
	c->path = lh_strndup(path, strlen(path));
	c->log = lh_index_sibling_path(path, LH_INDEX_LOG);
	c->lock = lh_index_sibling_path(path, LH_INDEX_LOCK);
	base = lh_index_refuse_link(path, err) == 0 ? lh_index_open_base(path, err) : NULL;
	if (!base) {
		lh_index_change_close(c);
		return NULL;
	}
	c->params = base->params;
	lh_index_close(base);
	return c;
}

const struct lh_index_params *lh_index_change_params(const struct lh_index_change *c)
{
	return &c->params;
}

int lh_index_check_meta(size_t n, struct lh_err *err)
{
	if (n <= LH_LOG_PAYLOAD_MAX / 2)
		return 0;
	return lh_err_data(err, 413, "metadata of %zu bytes: at most %u", n,
			   LH_LOG_PAYLOAD_MAX / 2);
}

int lh_index_change_put(struct lh_index_change *c, const char *id, size_t id_len,
			const float *vector, size_t n, const char *meta, size_t meta_len,
			struct lh_err *err)
{
	struct lh_str key = { id, id_len }, m = { meta, meta_len };

	if (lh_index_check_id(id, id_len, err) < 0 ||
	    lh_index_check_vector(&c->params, vector, n, err) < 0 ||
	    lh_index_check_meta(meta_len, err) < 0)
		return -1;
	if (c->params.distance == LH_COSINE) {
		lh_buf_reset(&c->unit);
		lh_buf_add(&c->unit, vector, n * sizeof *vector);
		if (!lh_vec_unit((float *)(void *)c->unit.p, n))
			return lh_err_set(err, LH_EDATA, "vector cannot be scaled to unit length");
		vector = (const float *)(const void *)c->unit.p;
	}
	lh_log_add_put(&c->frames, key, vector, c->params.dimension, meta ? &m : NULL);
	c->n_frames++;
	return 0;
}

int lh_index_change_put_meta(struct lh_index_change *c, const struct lh_index *ix, uint64_t row,
			     const char *meta, size_t meta_len, struct lh_err *err)
{
	struct lh_str m = { meta, meta_len };
	struct lh_row r;
	float *vector;
	int live = lh_index_row(ix, row, &r, err);

	if (live < 0)
		return -1;
	if (!live)
		return lh_err_set(err, LH_EDATA, "the record was deleted");
	if (lh_index_check_meta(meta_len, err) < 0)
		return -1;
	lh_buf_reset(&c->unit);
	vector = (float *)(void *)lh_buf_room(&c->unit, c->params.dimension * sizeof *vector);
	if (!vector)
		return 0;
	lh_index_vector(ix, row, vector);
	lh_log_add_put(&c->frames, r.id, vector, c->params.dimension, &m);
	c->n_frames++;
	return 0;
}

/* Drops a row whose id is live already; the commit checks the others again. */
int lh_index_change_put_new(struct lh_index_change *c, const char *id, size_t id_len,
			    const float *vector, size_t n, const char *meta, size_t meta_len,
			    struct lh_err *err)
{
	uint64_t at = c->frames.len;
	int live;

	if (lh_index_check_id(id, id_len, err) < 0 ||
	    (!c->known.ix && lh_index_known_open(&c->known, c->path, err) < 0))
		return -1;
	live = lh_index_known_live(&c->known, (struct lh_str){ id, id_len }, err);
	c->tally.existing += live > 0;
	if (live < 0)
		return lh_err_prefix(err, "%s", c->path);
	if (live > 0)
		return 0;
	lh_grow(&c->put_new_at, &c->cap, c->n_put_new + 1, sizeof *c->put_new_at);
	if (lh_index_change_put(c, id, id_len, vector, n, meta, meta_len, err) < 0)
		return -1;
	c->put_new_at[c->n_put_new++] = at;
	return 0;
}

int lh_index_change_delete(struct lh_index_change *c, const char *id, size_t id_len,
			   struct lh_err *err)
{
	if (lh_index_check_id(id, id_len, err) < 0)
		return -1;
	lh_log_add_delete(&c->frames, (struct lh_str){ id, id_len });
	c->n_frames++;
	c->n_deletes++;
	return 0;
}

const struct lh_index_tally *lh_index_change_tally(const struct lh_index_change *c)
{
	return &c->tally;
}

size_t lh_index_change_bytes(const struct lh_index_change *c)
{
	return c->frames.len;
}

/* ---- the frames of a commit ---- */

static bool is_conditional(const struct lh_index_change *c)
{
	return c->n_deletes || c->n_put_new;
}

/* Bring the live ids up to date before a conditional commit.  known includes the log up
 * to seen, or belongs to another log (0). */
static int refresh_known_ids(struct lh_index_change *c, const struct lh_index *base,
			     const char *log, uint64_t seen, uint64_t end, struct lh_err *err)
{
	if (!is_conditional(c)) {
		lh_index_known_close(&c->known);
		return 0;
	}
	if (seen && c->known.ix && c->known.ix->checksum == base->checksum)
		return lh_index_known_replay(&c->known, log, seen, end, err);
	return lh_index_known_open(&c->known, c->path, err);
}

/* Return 1 when a frame is to be appended, 0 when it has no effect, -1 on error. */
static int frame_applies(struct lh_index_change *c, const struct lh_log_frame *f, size_t *next_new,
			 struct lh_index_tally *tally, struct lh_err *err)
{
	bool with_meta, put = f->kind == LH_LOG_PUT;
	bool is_put_new = *next_new < c->n_put_new && c->put_new_at[*next_new] == f->at;
	struct lh_pending row;
	int live;

	if (lh_log_get_change(f, c->params.dimension, &row, &with_meta) < 0)
		return lh_err_set(err, LH_ECORRUPT, "a change was damaged in memory");
	live = lh_index_known_live(&c->known, row.id, err);
	if (live < 0)
		lh_err_prefix(err, "%s", c->path);
	if (live < 0 || lh_index_known_set(&c->known, row.id, put, err) < 0)
		return -1;
	*next_new += is_put_new;
	if (!put) {
		tally->deleted += live;
		tally->unknown += !live;
		return live;
	}
	tally->added += is_put_new && !live;
	tally->existing += is_put_new && live;
	return !is_put_new || !live;
}

/* Select the frames to append, in order; each is judged by the state after those before
 * it. */
static int select_frames(struct lh_index_change *c, struct batch *b, struct lh_err *err)
{
	struct lh_log_frame f = { .next = 0 };
	size_t next_new = 0;
	int keep;

	*b = (struct batch){ &c->frames, c->n_frames, c->tally };
	if (!is_conditional(c))
		return 0;
	lh_buf_reset(&c->selected);
	b->n = 0;
	while (lh_log_next(c->frames.p, c->frames.len, false, &f) == LH_LOG_FRAME) {
		keep = frame_applies(c, &f, &next_new, &b->tally, err);
		if (keep < 0)
			return -1;
		b->n += (uint64_t)keep;
		if (!keep && b->frames == &c->frames) {	/* the first frame left out */
			lh_buf_add(&c->selected, c->frames.p, f.at);
			b->frames = &c->selected;
		} else if (keep && b->frames == &c->selected) {
			lh_buf_add(&c->selected, c->frames.p + f.at, f.next - f.at);
		}
	}
	return 0;
}

/* ---- the log ---- */

/* Append frames at the end of the valid part of the log, over a torn tail. */
static int append_at(const struct batch *b, int fd, const struct lh_index *base,
		     struct lh_log_extent *x, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf head = { 0 };
	int rc;

	lh_buf_init(&head, 256);
	/* Append to out what precedes the frames in the log: a mark and the head of a group. */
	if (!x->open || x->old)
		lh_log_add_mark(&head, base->checksum, base->params.dimension);
	if (b->n > 1 && b->frames->len <= LH_LOG_PAYLOAD_MAX)
		lh_log_add_group(&head, b->frames);
	rc = lh_buf_check(&head, err);
	if (rc == 0 && ftruncate(fd, (off_t)x->end) < 0)
		rc = lh_err_sys(err, "cannot cut");
	if (rc == 0)
		rc = lh_pwrite_all(fd, head.p, head.len, (off_t)x->end, err);
	if (rc == 0)
		rc = lh_pwrite_all(fd, b->frames->p, b->frames->len, (off_t)(x->end + head.len),
				   err);
	if (rc == 0 && fsync(fd) < 0)
		rc = lh_err_sys(err, "cannot sync");
	/* An incomplete record would be ignored, but reported: remove it. If that fails
	 * too, the next append does it. */
	if (rc < 0 && ftruncate(fd, (off_t)x->end) < 0)
		rc = -1;
	x->end += head.len + b->frames->len;
	x->n += b->n;
	x->open = true;
	x->old = false;
	return rc;
}

/* Replace a log that holds nothing for this index, or create it, with its name synced
 * to disk. */
static int begin_log(const char *path, const struct batch *b, const struct lh_index *base,
		     struct lh_log_extent *x, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf mark = { 0 };
	int rc;

	lh_buf_init(&mark, 256);
	lh_log_add_mark(&mark, base->checksum, base->params.dimension);
	rc = lh_buf_check(&mark, err);
	if (rc == 0)
		rc = lh_log_replace(path, &mark, b->frames, err);
	x->n = b->n;
	return rc;
}

/* Map the log and measure the part for this index.  *seen is how far it was known
 * before, or 0.  fd -1: no log. */
static int measure_log(const struct lh_index_change *c, int fd, const struct lh_index *base,
		       struct lh_mapped *m, struct lh_log_extent *x, uint64_t *seen,
		       struct lh_err *err)
{
	*seen = 0;
	if (fd < 0)
		return 0;
	if (lh_mapped_fd(m, fd, err) < 0)
		return -1;
	if (c->fd >= 0 && c->checksum == base->checksum && lh_same_file(c->fd, fd) &&
	    m->n >= c->appended.end) {
		*x = c->appended;
		*seen = x->end;
	}
	return lh_log_measure(m->p, m->n, base->checksum, x, err);
}

static int append_batch(const struct lh_index_change *c, int fd, const struct batch *b,
			const struct lh_index *base, struct lh_log_extent *x, struct lh_err *err)
{
	int rc = 0;

	if (b->n)
		rc = x->end ? append_at(b, fd, base, x, err) : begin_log(c->path, b, base, x, err);
	else if (fd >= 0 && fsync(fd) < 0)	/* frames of a killed writer decided that */
		rc = lh_err_sys(err, "cannot sync");
	return rc < 0 ? lh_err_prefix(err, "%s", c->log) : 0;
}

/* Append to the log, with the lock held.  Returns 1 when the log is full and bounded is
 * set. */
static int append_locked(struct lh_index_change *c, int fd, const struct lh_index *base,
			 bool bounded, struct lh_log_extent *x, struct lh_err *err)
{
	struct lh_mapped m = { "", 0 };
	struct batch b;
	uint64_t seen;
	int rc = measure_log(c, fd, base, &m, x, &seen, err);

	if (rc < 0)
		lh_err_prefix(err, "%s", c->log);
	else if (bounded && x->n >= lh_log_full(base->rows))
		rc = 1;
	else
		rc = refresh_known_ids(c, base, m.p, seen, x->end, err);
	lh_mapped_close(&m);
	if (rc != 0)
		return rc;
	/* A writer that was killed may have given the index or the log its name, and not synced
	 * the folder: with the names before, a power loss would take what is appended. */
	if (select_frames(c, &b, err) < 0 || (!seen && lh_sync_folder(c->path, err) < 0) ||
	    append_batch(c, fd, &b, base, x, err) < 0)
		return -1;
	c->tally = b.tally;
	return 0;
}

static int check_same(const char *what, const char *is, const char *was, struct lh_err *err)
{
	if (strcmp(is, was) == 0)
		return 0;
	return lh_err_set(err, LH_EIO,
			  "it was replaced meanwhile by an index of %s %.400s, expected %.400s",
			  what, *is ? is : "none", *was ? was : "none");
}

/* Return the field that is embedded, "" if a template makes the text. */
static const char *field_of(const struct lh_index_params *p)
{
	return *p->field || *p->text_template ? p->field : LH_INDEX_TEXT_FIELD;
}

/* Check that the index now at the path is one for the vectors that were gathered.
 * Deletes alone fit any index. */
static int check_same_kind(const struct lh_index_change *c, const struct lh_index_params *is,
			   struct lh_err *err)
{
	const struct lh_index_params *was = &c->params;

	if (c->n_frames == c->n_deletes)
		return 0;
	if (is->dimension != was->dimension)
		return lh_err_set(
			err, LH_EIO,
			"it was replaced meanwhile by an index of dimension %u, expected %u",
			is->dimension, was->dimension);
	if (check_same("distance", lh_distance_name(is->distance), lh_distance_name(was->distance),
		       err) < 0 ||
	    check_same("precision", lh_precision_name(is->precision),
		       lh_precision_name(was->precision), err) < 0 ||
	    check_same("engine", is->engine, was->engine, err) < 0 ||
	    check_same("model", is->model, was->model, err) < 0)
		return -1;
	if (check_same("field", field_of(is), field_of(was), err) < 0)
		return -1;
	return check_same("template", is->text_template, was->text_template, err);
}

/* Forget the changes that are now stored. */
static void clear_gathered(struct lh_index_change *c)
{
	lh_buf_reset(&c->frames);
	c->n_frames = c->n_deletes = 0;
	c->n_put_new = 0;
}

static int append(struct lh_index_change *c, const struct lh_index *base, bool bounded,
		  bool *compaction_due, struct lh_err *err)
{
	struct lh_log_extent x = { .end = 0 };
	int fd, rc;

	if (check_same_kind(c, &base->params, err) < 0)
		return lh_err_prefix(err, "%s", c->path);
	fd = lh_open_regular(c->log, O_RDWR, 0, err);
	if (fd < 0 && errno != ENOENT)
		return -1;
	rc = append_locked(c, fd, base, bounded, &x, err);
	if (rc < 0 || !x.end) {
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	/* The next commit reads only what was appended since. */
	if (c->fd >= 0)
		close(c->fd);
	c->fd = fd;
	c->checksum = base->checksum;
	c->appended = x;
	if (rc < 0)
		return -1;
	*compaction_due = x.n > lh_log_bound(base->rows);
	if (rc == 0)
		clear_gathered(c);
	return rc;
}

static int commit(struct lh_index_change *c, bool bounded, bool *compaction_due, struct lh_err *err)
{
	struct lh_lock lock = { .fd = -1 };
	struct lh_index *base = NULL;
	bool was = lh_signal_deferred();
	int rc;

	*compaction_due = false;
	if (!c->frames.len)
		return 0;
	lh_signal_defer(true);	/* do not stop in the middle of a frame */
	rc = c->held_lock.fd >= 0 ? 0 : lh_lock_take(&lock, c->lock, c->path, c->timeout, err);
	if (rc == 0) {
		base = lh_index_open_base(c->path, err);
		rc = base ? append(c, base, bounded, compaction_due, err) : -1;
	}
	lh_index_close(base);
	lh_lock_drop(&lock);
	lh_signal_defer(was);
	return rc;
}

int lh_index_change_commit(struct lh_index_change *c, bool *compaction_due, struct lh_err *err)
{
	return commit(c, false, compaction_due, err);
}

int lh_index_change_try(struct lh_index_change *c, bool *compaction_due, struct lh_err *err)
{
	return commit(c, true, compaction_due, err);
}

/* What others changed before is seen by lh_index_change_put_new: its live ids are read anew. */
int lh_index_change_hold(struct lh_index_change *c, struct lh_err *err)
{
	lh_index_known_close(&c->known);
	return lh_lock_take(&c->held_lock, c->lock, c->path, c->timeout, err);
}

void lh_index_change_release(struct lh_index_change *c)
{
	lh_lock_drop(&c->held_lock);
}

void lh_index_change_discard(struct lh_index_change *c)
{
	clear_gathered(c);
}

void lh_index_change_close(struct lh_index_change *c)
{
	if (!c)
		return;
	lh_index_change_release(c);
	if (c->fd >= 0)
		close(c->fd);
	lh_index_known_close(&c->known);
	free(c->put_new_at);
	lh_buf_free(&c->frames);
	lh_buf_free(&c->selected);
	lh_buf_free(&c->unit);
	free(c->path);
	free(c->log);
	free(c->lock);
	free(c);
}
