/*
 * writer - the index writer, shared by the files that build an index.  Private to
 * lib/index.
 *
 *     writer.c       gathers rows, numbered in the order of the puts, copies those of another
 *                    index, decides the order in which they are stored, makes the table of ids
 *     qg_graph.c     builds the graph and writes the rows
 *     whole_index.c  writes the file in that order
 */
#ifndef LH_WRITER_H
#define LH_WRITER_H

#include "vector/graph.h"
#include "base/table.h"
#include "index_parts.h"
#include "base/mem.h"

/* An index file being written, section by section; header receives the section table. */
struct lh_index_out {
	int fd;
	struct lh_index_header *header;
	uint64_t at;			/* offset of piece in the file */
	size_t n;
	char piece[65536];
	struct lh_xxh3_stream sum;
	bool failed;			/* err is set */
	struct lh_err err;
};

/* Write a section: begin, add, end.  A failure is returned by the end. */
void lh_index_section_begin(struct lh_index_out *o, uint32_t kind);
void lh_index_section_add(struct lh_index_out *o, const void *p, uint64_t n);
int lh_index_section_end(struct lh_index_out *o, struct lh_err *err);
/* Write a section in one call. */
int lh_index_section_write(struct lh_index_out *o, uint32_t kind, const void *p, uint64_t n,
			   struct lh_err *err);

struct lh_index_writer {
	char *path;
	struct lh_index_params p;
	struct lh_lock lock;
	bool locked;
	lh_index_progress_fn *progress;		/* NULL: none */
	void *progress_ctx;

	uint64_t rows;
	size_t stride;
	struct lh_growable block, exact, ids, metas;	/* exact: with rescore */
	float *unit;		/* scratch: a vector scaled to unit length */
	struct lh_growable id_at, meta_at, meta_n;	/* u64, u64 and u32 per row */
	struct lh_table by_id;		/* rows by id, until the order is decided; ... */
	struct lh_growable hash;		/* ... then the hash table of the file */
	uint64_t id_seed;

	uint64_t rows_before;			/* rows before the last one copied */
	struct lh_record scan;		/* scratch for copied metadata */
	struct lh_buf meta;
	const struct lh_index *old;	/* the index whose graph is continued, or NULL; ... */
	bool anew;		/* ... its order alone is */
	uint32_t *number_of;	/* of rows of old: the number here; none if gone */
	uint32_t *from;		/* of the rows here that are of old: the number there */
	uint32_t kept;		/* how many are; they come first */
	uint32_t *old_order;	/* the order of their puts */
	bool linked;		/* there is a graph */
	uint32_t entry;		/* of the graph */
	uint32_t *in_graph;	/* under ip, the rows that are; NULL: all */
	uint32_t *links;	/* 2 * m of each row; free ones name the row itself */
	uint32_t *order;	/* the row that is stored as number i; NULL: i */
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

/* ---- whole_index.c ---- */
void lh_index_report_progress(const struct lh_index_writer *w, const char *stage, uint64_t done);
/* Report the progress of the graph; ctx is the writer. */
void lh_index_report_graph(void *ctx, uint64_t rows);
bool lh_index_stopping(void);
/* Return whether the graph of another index is continued. */
static inline bool lh_index_continues_graph(const struct lh_index_writer *w)
{
	return w->old && !w->anew;
}
/* Return the 2 * m links of a row; some may be the row itself. */
static inline const uint32_t *lh_index_links_of(const struct lh_index_writer *w, uint32_t row)
{
	return w->links + row * (size_t)2 * w->p.m;
}

/* ---- qg_graph.c ---- */

/* Build, repair or continue the graph. */
int lh_qg_link_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err);
int lh_qg_write_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err);
int lh_qg_write_signs(struct lh_index_writer *w, struct lh_err *err);

/* ---- writer.c ---- */

/* Build the hash table of ids, after the order is decided; no more rows can be added. */
int lh_index_build_id_table(struct lh_index_writer *w, struct lh_err *err);

/* Copy the links of a row, or the order of the rows, of the index that is continued, and check the
 * copy. */
int lh_index_copy_lanes(const struct lh_index *old, uint64_t row, uint32_t *links,
			struct lh_err *err);

/* Decide the order in which rows are stored; without a graph, the order of the puts. */
int lh_index_order_rows(struct lh_index_writer *w, struct lh_err *err);
/* Return the row that is stored as number i. */
static inline uint32_t lh_index_row_at(const struct lh_index_writer *w, uint64_t i)
{
	return w->order ? w->order[i] : (uint32_t)i;
}
/* Return the i-th row in the order of the puts. */
uint32_t lh_index_nth_added(const struct lh_index_writer *w, uint64_t i);

#endif
