/*
 * writer - a writer as its parts share it.  Not for callers.
 *
 *     writer.c    gathers the rows, numbered as they were put
 *     take_over.c    takes them over from an index
 *     row_order.c    says in which order they are kept
 *     id_slots.c    finds them by their ids
 *     commit.c   makes the file of them, in that order
 *     sections.c  the file's sections, as bytes come
 */
#ifndef LH_WRITER_H
#define LH_WRITER_H

#include "vector/hnsw.h"
#include "base/id_table.h"
#include "index_parts.h"
#include "base/growable.h"

/* A file whose sections are being written; header is where they are entered. */
struct lh_index_out {
	int fd;
	struct lh_index_header *header;
	uint64_t at;			/* of the piece in the file */
	size_t n;
	char piece[65536];
	struct lh_xxh3_stream sum;
	bool failed;			/* then err says why */
	struct lh_err err;
};

/* Begin, add, end; a failure is told at the end. */
void lh_index_section_begin(struct lh_index_out *o, uint32_t kind);
void lh_index_section_add(struct lh_index_out *o, const void *p, uint64_t n);
int lh_index_section_end(struct lh_index_out *o, struct lh_err *err);
/* All of it at once. */
int lh_index_section_write(struct lh_index_out *o, uint32_t kind, const void *p, uint64_t n,
			 struct lh_err *err);

struct lh_index_writer {
	char *path;
	struct lh_index_params p;
	struct lh_lock lock;
	bool locked;
	lh_index_progress_fn *progress;		/* or NULL */
	void *progress_ctx;

	uint64_t rows;
	size_t stride, vector_at;
	struct lh_growable block, exact, ids, metas;	/* exact: with rescore */
	float *unit;		/* the vector being put, of unit length */
	struct lh_growable id_at, meta_at, meta_n;	/* u64, u64, u32 a row */
	struct lh_idmap by_id;		/* until the rows have their places, ... */
	struct lh_growable hash;		/* ... then the table of the file */
	uint64_t id_seed;

	uint64_t rows_before;			/* rows so far, when the last was taken over */
	struct lh_record scan;		/* for what is taken over: zeroed is empty */
	struct lh_buf meta;
	const struct lh_index *old;	/* whose graph is continued, or NULL */
	uint32_t *old_order; /* the order of old, or NULL: as they are numbered */
	uint32_t *level, *upper;
	struct lh_hnsw graph;
	uint32_t *order;	/* the row stored as number i; NULL: as added */
	uint32_t *stored_at;	/* the number that a row is stored as; NULL: its own */
	struct lh_lexical_build *words;
	struct lh_lexical lexical;
	struct lh_atomic out;
	bool out_open;
	struct lh_index_header header;
	struct lh_index_out file;
};

/* ---- writer.c ---- */
struct lh_str lh_index_writer_id(const struct lh_index_writer *w, uint64_t row);
struct lh_str lh_index_writer_meta(const struct lh_index_writer *w, uint64_t row);
/* The dimension, and what follows from it. */
int lh_index_set_layout(struct lh_index_writer *w, uint32_t dimension, struct lh_err *err);
/* The row of that id, made unless it is there, with that metadata. */
int lh_index_writer_add(struct lh_index_writer *w, const char *id, size_t id_len, const char *meta,
		   size_t meta_len, uint64_t *row, struct lh_err *err);
void *lh_index_writer_code(struct lh_index_writer *w, uint64_t row);
void *lh_index_writer_exact(struct lh_index_writer *w, uint64_t row);

/* ---- id_slots.c ---- */

/* Make the table of ids of rows that have their places; no more can be put. */
int lh_index_build_id_table(struct lh_index_writer *w, struct lh_err *err);

/* ---- take_over.c ---- */

/* Of the index that is continued, copied and then checked: where the upper links
 * of its rows are; with room for them, all links; the order of its rows. */
int lh_index_copy_levels(struct lh_index_writer *w, struct lh_err *err);
int lh_index_copy_links(struct lh_index_writer *w, struct lh_err *err);
int lh_index_copy_order(struct lh_index_writer *w, struct lh_err *err);

/* ---- row_order.c ---- */

/* Give every row its place; without a graph they stay as they were put. */
int lh_index_order_rows(struct lh_index_writer *w, struct lh_err *err);
/* The row that is kept as number i. */
static inline uint32_t lh_index_row_at(const struct lh_index_writer *w, uint64_t i)
{
	return w->order ? w->order[i] : (uint32_t)i;
}
/* The i-th row that was put, in this writer or in those whose graph it continues. */
uint32_t lh_index_nth_added(const struct lh_index_writer *w, uint64_t i);

#endif
