/* log_frame.c - read and write the frames of INDEX-log.  See index_log.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index_log.h"
#include "base/mem.h"
#include "base/xxh3.h"

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
