/*
 * index_log - the bytes of INDEX-log, as lhv(5) describes them; not for
 * callers.
 *
 * A log is a row of frames: a head of 24 bytes and a payload whose length is a
 * multiple of 8.  The head carries a checksum of its own, so that a length is
 * believed before the payload has been looked at: that is what tells the torn
 * end of an interrupted append (ignored, and overwritten by the next append)
 * from damage in the middle (an error, since good records may follow).
 *
 * A mark names the index, by the checksum of its header, that the frames
 * behind it belong to, up to the next mark.  All numbers are little-endian.
 */
#ifndef LH_INDEX_LOG_H
#define LH_INDEX_LOG_H

#include "base/id_table.h"
#include "index_parts.h"

#define LH_LOG_VERSION 1
#define LH_LOG_MAGIC "lhv-log\n"
#define LH_LOG_PAYLOAD_MAX (1u << 30)

enum lh_log_kind { LH_LOG_MARK = 1, LH_LOG_PUT, LH_LOG_DELETE };

struct lh_log_head {
	uint32_t bytes;		/* of the payload */
	uint32_t kind;
	uint64_t head_xxh3;	/* of the eight bytes before it */
	uint64_t xxh3;		/* of the payload */
};

struct lh_log_mark {
	char magic[8];
	uint32_t version, dimension;
	uint64_t checksum;
};

/* What a put or delete begins with; then f32[dimension] of a put, the id, the
 * metadata, and zeros to a multiple of 8. */
struct lh_log_change {
	uint16_t id_n;
	uint16_t with_meta;	/* 0: what is stored stays */
	uint32_t meta_n;
};

struct lh_log_frame {
	uint32_t kind;
	const char *p;		/* the payload */
	size_t n;
	uint64_t at, next;	/* of this frame and of the one behind it */
};

enum lh_log_step {
	LH_LOG_DAMAGED = -1,	/* neither a frame nor a torn one at f->at */
	LH_LOG_END,		/* nothing behind f->at */
	LH_LOG_TORN,		/* an unfinished frame at f->at, and nothing behind it */
	LH_LOG_FRAME,
};

/* Step to the frame at f->next (0 before the first) of the log p[0..n); deep
 * checks the checksum of every payload, else only a mark's and the last one's. */
enum lh_log_step lh_log_next(const char *p, size_t n, bool deep, struct lh_log_frame *f);

/* Is f a mark of format version 1 (*mark filled)?  Else -1 with *err. */
int lh_log_get_mark(const struct lh_log_frame *f, struct lh_log_mark *mark, struct lh_err *err);

/* Take a put or delete apart; -1 when its sizes do not add up. */
int lh_log_get_change(const struct lh_log_frame *f, uint32_t dimension, struct lh_pending *row,
		      bool *with_meta);

/* Frames, appended to a buffer. */
void lh_log_add_mark(struct lh_buf *b, uint64_t checksum, uint32_t dimension);
void lh_log_add_put(struct lh_buf *b, struct lh_str id, const float *vector, uint32_t dimension,
		    const struct lh_str *meta);
void lh_log_add_delete(struct lh_buf *b, struct lh_str id);

/* Read path's whole log; an absent one is empty. */
int lh_log_read(const char *path, struct lh_buf *b, struct lh_err *err);

/* The log as a snapshot read it. */
const struct lh_buf *lh_index_log_text(const struct lh_index *ix);

/* Replace path's log whole by the bytes of a and then b; with none, remove it. */
int lh_log_replace(const char *path, const struct lh_buf *a, const struct lh_buf *b,
		   struct lh_err *err);

/* Copy the puts and deletes that belong to the index of that checksum and lie
 * at or behind from; with others, instead every frame that does not, marks
 * included.  -1 when the log is damaged. */
int lh_log_collect(const struct lh_buf *log, uint64_t checksum, bool others, uint64_t from,
		   struct lh_buf *out, struct lh_err *err);

/* The place after the last frame that belongs to the index of that checksum (0
 * without any), how many puts and deletes there are, and whether the log's
 * last mark is that index's.  Heads only, but for the last frame.  *x is all zero,
 * or what was found of this log before, open, from which it goes on. */
struct lh_log_extent {
	uint64_t end, n;
	bool open;
};
int lh_log_measure(const char *p, size_t n, uint64_t checksum, struct lh_log_extent *x,
		   struct lh_err *err);

/* ---- known_ids.c ---- */

/* Which ids are live: a snapshot, and what was said of ids since then.  A change
 * decides by it under the lock, and need not read the whole log for each commit.
 * All zero, nothing is known; not moved while open. */
struct lh_index_known {
	struct lh_index *ix;		/* NULL: nothing is known */
	struct lh_index_later {
		struct lh_str id;
		bool live;
	} *later;
	size_t n, cap;
	struct lh_idmap by_id;
};
/* From a new snapshot of the index at path. */
int lh_index_known_open(struct lh_index_known *k, const char *path, struct lh_err *err);
void lh_index_known_close(struct lh_index_known *k);
/* 1, 0, or -1 when the index is damaged. */
int lh_index_known_live(const struct lh_index_known *k, struct lh_str id, struct lh_err *err);
int lh_index_known_set(struct lh_index_known *k, struct lh_str id, bool live, struct lh_err *err);
/* Take in the frames p[from..to) of the log, where a part for the index begins. */
int lh_index_known_replay(struct lh_index_known *k, const char *p, uint64_t from, uint64_t to,
			  struct lh_err *err);

/* How many changes a log may hold: a tenth of the index's rows, within bounds. */
static inline uint64_t lh_log_bound(uint64_t rows)
{
	return rows < 1000 ? 100 : rows > 100000 ? 10000 : rows / 10;
}

/* And from how many on a writer who can wait does so: a search reads all of them. */
static inline uint64_t lh_log_full(uint64_t rows)
{
	return rows < 10000 ? 2000 : 2 * lh_log_bound(rows);
}

#endif
