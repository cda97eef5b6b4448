/*
 * index_log - the frames of INDEX-log, as lhv(5) describes them, and what the
 * parts of the index room share about it.  Private to lib/index.
 *
 * A log is a sequence of frames.  A frame is a head of 24 bytes and a payload
 * whose length is a multiple of 8.  The head has a checksum of its own, so that
 * the length can be trusted before the payload is read.  This distinguishes the
 * torn tail of an interrupted append (ignored, and overwritten by the next append)
 * from damage in the middle (an error, since good frames may follow).
 *
 * A mark is a frame that names an index by the checksum of its header: the frames
 * after it, up to the next mark, belong to that index.  The payload of a group is the
 * puts and deletes of one commit: with a torn group all of them are ignored.  All
 * numbers are little-endian.
 */
#ifndef LH_INDEX_LOG_H
#define LH_INDEX_LOG_H

#include "base/table.h"
#include "index_parts.h"

#define LH_LOG_VERSION 2	/* 1 has no groups */
#define LH_LOG_MAGIC "lhv-log\n"
#define LH_LOG_PAYLOAD_MAX (1u << 30)

enum lh_log_kind { LH_LOG_MARK = 1, LH_LOG_PUT, LH_LOG_DELETE, LH_LOG_GROUP };

struct lh_log_head {
	uint32_t bytes;		/* of the payload */
	uint32_t kind;
	uint64_t head_xxh3;	/* of bytes and kind */
	uint64_t xxh3;		/* of the payload */
};

struct lh_log_mark {
	char magic[8];
	uint32_t version, dimension;
	uint64_t checksum;
};

/* The start of the payload of a put or delete.  It is followed by the f32[dimension] of
 * a put, the id, the metadata, and zeros to a multiple of 8 bytes. */
struct lh_log_change {
	uint16_t id_n;
	uint16_t with_meta;	/* 0: the stored metadata stays */
	uint32_t meta_n;
};

struct lh_log_frame {
	uint32_t kind;
	const char *p;		/* the payload */
	size_t n;
	uint64_t at, next;	/* offsets of this frame and of the next */
	uint64_t group_end;	/* offset after the last group */
};

enum lh_log_step {
	LH_LOG_DAMAGED = -1,	/* neither a frame nor a torn one at f->at */
	LH_LOG_END,		/* f->at is the end of the log */
	LH_LOG_TORN,		/* an incomplete frame at f->at, and nothing after it */
	LH_LOG_FRAME,
};

/* Step to the frame at f->next (0 before the first) of the log p[0..n), or to the first one
 * in the group that begins there.  deep verifies the checksum of every payload, otherwise
 * only that of marks and of the last frame. */
enum lh_log_step lh_log_next(const char *p, size_t n, bool deep, struct lh_log_frame *f);

/* Read the frame f as a mark of a known format version.  LH_ECORRUPT for anything else. */
int lh_log_get_mark(const struct lh_log_frame *f, struct lh_log_mark *mark, struct lh_err *err);

/* Decode a put or delete; *row points into the frame.  Returns -1 (without a message)
 * when its sizes do not add up. */
int lh_log_get_change(const struct lh_log_frame *f, uint32_t dimension, struct lh_pending *row,
		      bool *with_meta);

/* Append a frame to a buffer (lh_buf_check afterwards). */
void lh_log_add_mark(struct lh_buf *b, uint64_t checksum, uint32_t dimension);
void lh_log_add_put(struct lh_buf *b, struct lh_str id, const float *vector, uint32_t dimension,
		    const struct lh_str *meta);
void lh_log_add_delete(struct lh_buf *b, struct lh_str id);
/* Append the head of a group of these frames, at most LH_LOG_PAYLOAD_MAX bytes. */
void lh_log_add_group(struct lh_buf *b, const struct lh_buf *frames);

/* Read the whole log of the index at path; no log is read as an empty one. */
int lh_log_read(const char *path, struct lh_buf *b, struct lh_err *err);

/* Return the bytes of the log as the snapshot read them. */
const struct lh_buf *lh_index_log_text(const struct lh_index *ix);

/* Replace the log of the index at path by the bytes of a and then b, atomically;
 * without any bytes, remove it. */
int lh_log_replace(const char *path, const struct lh_buf *a, const struct lh_buf *b,
		   struct lh_err *err);

/* Append to out the puts and deletes at or after offset from that belong to the index
 * of that checksum.  With others, append every frame that does not belong to it
 * instead, marks included.  LH_ECORRUPT for a damaged log. */
int lh_log_collect(const struct lh_buf *log, uint64_t checksum, bool others, uint64_t from,
		   struct lh_buf *out, struct lh_err *err);

/* Scan p[0..n) for the part of a log that belongs to the index of that checksum: the
 * end of its last frame (0: there is none), the number of its puts and deletes, and
 * whether the last mark is that index's and of the newest version, so that a frame can
 * be appended without another mark.  Reads the heads only, except of the last frame.
 * *x starts as zeros, or as the result of an earlier scan with open set, which is then
 * continued. */
struct lh_log_extent {
	uint64_t end, n;
	bool open, old;		/* old: the last mark is of an earlier version */
};
int lh_log_measure(const char *p, size_t n, uint64_t checksum, struct lh_log_extent *x,
		   struct lh_err *err);

/* ---- change.c ---- */

/* The set of live ids: a snapshot, and the changes of ids since then.  It lets a
 * commit, under the lock, decide by id without reading the whole log each time.  All
 * zero is the empty state; not to be moved while open. */
struct lh_index_known {
	struct lh_index *ix;		/* NULL: empty */
	struct lh_index_later {
		struct lh_str id;
		bool live;
	} *later;
	size_t n, cap;
	struct lh_table by_id;
};

/* Return how many changes a log may hold before compaction is due: a tenth of the rows,
 * at least 100, at most 10,000. */
static inline uint64_t lh_log_bound(uint64_t rows)
{
	return rows < 1000 ? 100 : rows > 100000 ? 10000 : rows / 10;
}

/* Return how many changes make a log full, so that writers who can wait do: every
 * search scans all of them. */
static inline uint64_t lh_log_full(uint64_t rows)
{
	return rows < 10000 ? 2000 : 2 * lh_log_bound(rows);
}

#endif
