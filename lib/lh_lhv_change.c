/* lh_lhv_change.c - upserts and deletes, appended to INDEX-log.  See lh_lhv.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lh_idmap.h"
#include "lh_lhv_log.h"
#include "lh_mem.h"
#include "lh_signal_int.h"

struct touched {
	struct lh_str id;
	bool live;
};

struct lh_lhv_change {
	char *path, *log, *lock;
	double timeout;
	struct lh_lhv_params params;
	struct lh_buf frames;		/* what the next commit appends */
	uint64_t n_frames;
	struct lh_buf unit;		/* a vector being scaled */
	/* The log as the last commit left it: what is before appended.end has been
	 * looked at.  Held open, so that no other file has the same inode. */
	int fd;				/* -1: none */
	uint64_t checksum;		/* of the index it is for */
	struct lh_log_extent appended;
	struct lh_lhv *seen;		/* opened when an id is first asked for */
	struct touched *touched;	/* what this change said of ids since then */
	size_t n_touched, cap;
	struct lh_idmap by_id;
};

static struct lh_str touched_id(const void *ctx, uint32_t i)
{
	return ((const struct lh_lhv_change *)ctx)->touched[i].id;
}

struct lh_lhv_change *lh_lhv_change_open(const char *path, double lock_timeout, struct lh_err *err)
{
	struct lh_lhv_change *c = lh_calloc(1, sizeof *c, err);
	struct lh_lhv *base;

	if (!c)
		return NULL;
	lh_buf_init(&c->frames, LH_BUF_NOMAX);
	lh_buf_init(&c->unit, LH_BUF_NOMAX);
	c->by_id = (struct lh_idmap){ .key = touched_id, .ctx = c };
	c->timeout = lock_timeout;
	c->fd = -1;
	c->path = lh_strndup(path, strlen(path), err);
	c->log = lh_lhv_beside(path, LH_LHV_LOG, err);
	c->lock = lh_lhv_beside(path, LH_LHV_LOCK, err);
	base = c->path && c->log && c->lock && lh_lhv_no_link(path, err) == 0 ? lh_lhv_open_base(path, err) : NULL;
	if (!base) {
		lh_lhv_change_close(c);
		return NULL;
	}
	c->params = base->params;
	lh_lhv_close(base);
	return c;
}

const struct lh_lhv_params *lh_lhv_change_params(const struct lh_lhv_change *c)
{
	return &c->params;
}

static int touch(struct lh_lhv_change *c, struct lh_str id, bool live, struct lh_err *err)
{
	int64_t i = lh_idmap_find(&c->by_id, id.p, id.n);

	if (i >= 0) {
		c->touched[i].live = live;
		return 0;
	}
	if (c->n_touched >= LH_LHV_ROWS_MAX)
		return lh_err_set(err, LH_EIO, "more than %u changes at once", LH_LHV_ROWS_MAX);
	if (lh_grow(&c->touched, &c->cap, c->n_touched + 1, sizeof *c->touched, err) < 0)
		return -1;
	id.p = lh_strndup(id.p, id.n, err);
	if (!id.p)
		return -1;
	c->touched[c->n_touched++] = (struct touched){ id, live };
	return lh_idmap_set(&c->by_id, id.p, id.n, (uint32_t)c->n_touched - 1, err);
}

/* What is on disk is told by a snapshot that is opened later. */
static void forget(struct lh_lhv_change *c)
{
	while (c->n_touched)
		free((char *)(uintptr_t)c->touched[--c->n_touched].id.p);
	lh_idmap_free(&c->by_id);
}

int lh_lhv_change_has(struct lh_lhv_change *c, const char *id, size_t id_len, struct lh_err *err)
{
	int64_t i = lh_idmap_find(&c->by_id, id, id_len);

	if (i >= 0)
		return c->touched[i].live;
	if (!c->seen)
		c->seen = lh_lhv_open(c->path, err);
	if (!c->seen)
		return -1;
	i = lh_lhv_find(c->seen, id, id_len, err);
	return i == -2 ? -1 : i >= 0;
}

int lh_lhv_change_put(struct lh_lhv_change *c, const char *id, size_t id_len, const float *vector, size_t n, const char *meta, size_t meta_len, struct lh_err *err)
{
	struct lh_str key = { id, id_len }, m = { meta, meta_len };

	if (lh_lhv_check_id(id, id_len, err) < 0 || lh_lhv_check_vector(&c->params, vector, n, err) < 0)
		return -1;
	if (meta_len > LH_LOG_PAYLOAD_MAX / 2)
		return lh_err_set(err, LH_EDATA, "metadata of %zu bytes: at most %u", meta_len, LH_LOG_PAYLOAD_MAX / 2);
	if (c->params.distance == LH_COSINE) {
		lh_buf_reset(&c->unit);
		lh_buf_add(&c->unit, vector, n * sizeof *vector);
		if (lh_buf_check(&c->unit, err) < 0)
			return -1;
		if (!lh_vec_unit((float *)(void *)c->unit.p, n))
			return lh_err_set(err, LH_EDATA, "vector cannot be scaled to unit length");
		vector = (const float *)(const void *)c->unit.p;
	}
	lh_log_add_put(&c->frames, key, vector, c->params.dimension, meta ? &m : NULL);
	c->n_frames++;
	if (lh_buf_check(&c->frames, err) < 0)
		return -1;
	return touch(c, key, true, err);
}

int lh_lhv_change_delete(struct lh_lhv_change *c, const char *id, size_t id_len, struct lh_err *err)
{
	struct lh_str key = { id, id_len };
	int live;

	if (lh_lhv_check_id(id, id_len, err) < 0)
		return -1;
	live = lh_lhv_change_has(c, id, id_len, err);
	if (live != 1)
		return live;
	lh_log_add_delete(&c->frames, key);
	c->n_frames++;
	if (lh_buf_check(&c->frames, err) < 0 || touch(c, key, false, err) < 0)
		return -1;
	return 1;
}

size_t lh_lhv_change_bytes(const struct lh_lhv_change *c)
{
	return c->frames.len;
}

/* Put frames at the end of what is good in the log, over a torn tail. */
static int append_at(struct lh_lhv_change *c, int fd, struct lh_log_extent *x, uint64_t checksum, struct lh_err *err)
{
	struct lh_buf mark;
	int rc;

	lh_buf_init(&mark, 256);
	if (!x->open)
		lh_log_add_mark(&mark, checksum, c->params.dimension);
	rc = lh_buf_check(&mark, err);
	if (rc == 0 && ftruncate(fd, (off_t)x->end) < 0)
		rc = lh_err_sys(err, "cannot cut");
	if (rc == 0)
		rc = lh_pwrite_all(fd, mark.p, mark.len, (off_t)x->end, err);
	if (rc == 0)
		rc = lh_pwrite_all(fd, c->frames.p, c->frames.len, (off_t)(x->end + mark.len), err);
	if (rc == 0 && fsync(fd) < 0)
		rc = lh_err_sys(err, "cannot sync");
	/* Half a record is ignored, but it would be reported: take it back.  Should
	 * that fail too, the next append does it. */
	if (rc < 0 && ftruncate(fd, (off_t)x->end) < 0)
		rc = -1;
	x->end += mark.len + c->frames.len;
	x->n += c->n_frames;
	x->open = true;
	lh_buf_free(&mark);
	return rc;
}

/* A log that holds nothing for this index is replaced, which also brings one
 * into being with its name on disk. */
static int begin_log(struct lh_lhv_change *c, uint64_t checksum, struct lh_log_extent *x, struct lh_err *err)
{
	struct lh_buf mark;
	int rc;

	lh_buf_init(&mark, 256);
	lh_log_add_mark(&mark, checksum, c->params.dimension);
	rc = lh_buf_check(&mark, err);
	if (rc == 0)
		rc = lh_log_replace(c->path, &mark, &c->frames, err);
	x->n = c->n_frames;
	lh_buf_free(&mark);
	return rc;
}

/* So that a commit costs what was appended since our last one, not the log. */
static void remember(struct lh_lhv_change *c, int fd, uint64_t checksum, const struct lh_log_extent *x)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = fd;
	c->checksum = checksum;
	c->appended = *x;
}

/* 1: the log is full, and that is what the caller wants to know (bounded). */
static int append_to(struct lh_lhv_change *c, int fd, const struct lh_lhv *base, bool bounded, struct lh_log_extent *x, struct lh_err *err)
{
	struct lh_mapped m;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot look at it");
	if (c->fd >= 0 && c->checksum == base->checksum && lh_same_file(c->fd, fd) && (uint64_t)st.st_size >= c->appended.end)
		*x = c->appended;
	if (st.st_size > 0) {
		if (lh_mapped_fd(&m, fd, err) < 0)
			return -1;
		rc = lh_log_measure(m.p, m.n, base->checksum, x, err);
		lh_mapped_close(&m);
		if (rc < 0)
			return -1;
	}
	if (bounded && x->n >= lh_log_full(base->rows))
		return 1;
	return x->end ? append_at(c, fd, x, base->checksum, err) : begin_log(c, base->checksum, x, err);
}

static int append(struct lh_lhv_change *c, const struct lh_lhv *base, bool bounded, bool *fold, struct lh_err *err)
{
	const struct lh_lhv_params *was = &c->params, *is = &base->params;
	struct lh_log_extent x = { 0, 0, false };
	int fd, rc;

	if (is->dimension != was->dimension || is->distance != was->distance || is->precision != was->precision)
		return lh_err_set(err, LH_EIO, "the index was replaced by one of dimension %u, distance %s, precision %s meanwhile",
				  is->dimension, lh_distance_name(is->distance), lh_precision_name(is->precision));
	fd = lh_open_regular(c->log, O_RDWR, 0, err);
	if (fd < 0 && errno != ENOENT)
		return -1;
	rc = fd >= 0 ? append_to(c, fd, base, bounded, &x, err) : begin_log(c, base->checksum, &x, err);
	if (rc < 0 || !x.end) {
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	remember(c, fd, base->checksum, &x);
	if (rc < 0)
		return lh_err_prefix(err, "%s", c->log);
	*fold = x.n > lh_log_bound(base->rows);
	if (rc == 1)
		return 1;
	lh_buf_reset(&c->frames);
	c->n_frames = 0;
	if (!c->seen)
		forget(c);
	return 0;
}

static int commit(struct lh_lhv_change *c, bool bounded, bool *fold, struct lh_err *err)
{
	struct lh_lock lock = { .fd = -1 };
	struct lh_lhv *base = NULL;
	bool was = lh_signal_deferred();
	int rc;

	*fold = false;
	if (!c->frames.len)
		return lh_buf_check(&c->frames, err);
	lh_signal_defer(true);	/* not in the middle of a frame */
	rc = lh_lock_take(&lock, c->lock, c->timeout, err);
	if (rc == 0) {
		base = lh_lhv_open_base(c->path, err);
		rc = base ? append(c, base, bounded, fold, err) : -1;
	}
	lh_lhv_close(base);
	lh_lock_drop(&lock);
	lh_signal_defer(was);
	return rc;
}

int lh_lhv_change_commit(struct lh_lhv_change *c, bool *fold, struct lh_err *err)
{
	return commit(c, false, fold, err);
}

int lh_lhv_change_try(struct lh_lhv_change *c, bool *fold, struct lh_err *err)
{
	return commit(c, true, fold, err);
}

void lh_lhv_change_close(struct lh_lhv_change *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	forget(c);
	free(c->touched);
	lh_lhv_close(c->seen);
	lh_buf_free(&c->frames);
	lh_buf_free(&c->unit);
	free(c->path);
	free(c->log);
	free(c->lock);
	free(c);
}
