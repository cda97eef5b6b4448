/*
 * index_parts - the structures and functions that the files of lib/index share.
 * Not part of the API.
 *
 * Reading
 *     index_file.c       open, reopen, rows, ids: the mapped file, checked before use
 *     params.c           the parameters, and their JSON in the file
 *     folder.c           the indexes in a folder, by name from outside, and their engines
 *     index_log.c        INDEX-log: frames, replay into a snapshot, replaced, checked
 * Searching
 *     searcher.c         walk by measuring, exact scan, the best sorted (searcher.h)
 *     qg_walk.c          walk by the codes of links
 *     filtered_search.c  the same for the rows that a filter allows
 *     index_words.c      search by words (lexical/lexical.h)
 * Building
 *     writer.c           rows in memory, also of another index, their order and ids (writer.h)
 *     qg_graph.c         the graph, and the rows of the file
 *     whole_index.c      the file; an empty index created, an index removed
 * Changing
 *     change.c           puts and deletes appended to INDEX-log
 *     compact.c          compaction (a separate object, because it needs the
 *                        writer, which a search should not link)
 * Checking
 *     index_verify.c     every byte of the file, its checksums, and which rows a walk gets to
 *     sound.c            single rows and links
 *
 * Snapshots.  lh_index_open maps the file and calls lh_index_log_replay, which
 * fills the marked part of struct lh_index and does not touch it afterwards.  Row
 * numbers below rows are rows of the file; rows + i is pending[i].  A search leaves
 * out rows of the file whose bit in hidden is set and pending rows that are dead,
 * and scans the other pending rows exactly.
 *
 * The index file may be replaced between opening it and opening the log.  So
 * lh_index_open looks at the path again after the replay and starts over when
 * another file is there; a replay that finds a log of another index has no effect.
 *
 * Replacing index and log takes two renames, and a crash may come between them.
 * So a compaction, before it renames the index, appends to the old log a mark with
 * the checksum of the new index, followed by the frames that the new index lacks.
 * A replay reads only the frames after the mark of its own index, up to the next
 * mark.
 */
#ifndef LH_INDEX_PARTS_H
#define LH_INDEX_PARTS_H

#include <stdatomic.h>

#include "file/file.h"
#include "file/held.h"
#include "lexical/lexical.h"
#include "index_tools.h"
#include "format.h"
#include "base/bits.h"
#include "base/xxh3.h"
#include "vector/graph.h"
#include "vector/quantize.h"

/* Where the parts of a row of the file are. */
struct lh_index_shape {
	size_t stride;
	/* With a graph: after the code of the vector, the f32 unit of the factors, for all links
	 * f16 f_add and f_rescale, and u32 rows, and their codes (vector/graph.h); the rows alone
	 * if values is 0. */
	size_t unit_at, add_at, rescale_at, ids_at, codes_at;
	uint32_t values;	/* that a code keeps */
};

struct lh_pending {
	struct lh_str id, meta;		/* meta.n 0: none */
	const float *vector;		/* of unit length under cosine; not aligned */
	bool dead;			/* replaced or deleted later in the log */
};

/* The part that all snapshots of one file share, with a reference count. */
struct lh_index_common {
	atomic_uint others;		/* references, less one */
	atomic_ulong walks;		/* over the graph, so far */
	struct lh_mapped map;
	char *path, *log;		/* path as given; path of the log */
	struct lh_stamp file;		/* identity of the file at path */
};

struct lh_index {
	atomic_uint others;		/* references, less one */
	struct lh_index_common *common;	/* NULL in an index opened without its log */
	struct lh_stamp log_stamp;
	struct lh_mapped map;		/* common's, or its own */
	struct lh_index_header header;	/* a copy, so that the checked bytes are those used */
	bool reads_old;			/* a file of an earlier format is opened too */
	dev_t dev;
	ino_t ino;
	struct lh_index_params params;
	uint64_t checksum;		/* of the header: identifies this file */

	uint64_t rows;			/* rows of the file */
	struct lh_index_shape shape;	/* of a row in block */
	size_t stride, vector_at;	/* the header's; vector_at: 0, but in earlier formats */
	const unsigned char *block;
	const unsigned char *exact;	/* f32[dimension] of each row; NULL: not stored */
	bool graph;
	uint32_t entry;			/* row where a walk begins */
	const unsigned char *signs;	/* of the rotation; NULL: rows have no codes */
	const uint32_t *order;		/* rows in the order of the puts; NULL: by their numbers */
	const uint64_t *id_at, *meta_at;	/* [rows + 1] each */
	const char *ids, *metas;
	uint64_t ids_n, metas_n;
	const uint32_t *hash;		/* pairs: low half of xxh3(id), row + 1 (0: free) */
	uint64_t hash_slots;		/* a power of two, or 0 */
	uint64_t hash_probes;		/* most slots that a look-up reads */
	uint64_t id_seed;
	struct lh_lexical lexical;	/* of the file's rows, if params.lexical */

	/* Filled by lh_index_log_replay, zero before it. */
	struct lh_pending *pending;
	size_t n_pending;
	uint64_t *hidden;		/* a bit per row of the file; NULL: none hidden */
	uint64_t n_hidden, n_dead;	/* bits set in hidden; dead pending rows */
	uint64_t logged_puts, logged_deletes;	/* for lh_index_get_stats */
	int64_t torn_at;		/* -1 before the replay */
	void *log;			/* struct replay of index_log.c */
};

static inline bool lh_index_hidden(const struct lh_index *ix, uint64_t row)
{
	return ix->hidden && (ix->hidden[row / 64] >> (row % 64) & 1);
}

/* Return the code of a row of the file: its vector in the index's precision
 * (vector/quantize.h). */
static inline const void *lh_index_code(const struct lh_index *ix, uint64_t row)
{
	return ix->block + row * ix->stride + ix->vector_at;
}

/* Return the sizes of a stored vector: its code, and its exact values (0 without
 * rescore). */
static inline size_t lh_index_code_bytes(const struct lh_index_params *p)
{
	return lh_quantize_bytes(p->precision, p->dimension);
}

static inline size_t lh_index_exact_bytes(const struct lh_index_params *p)
{
	return p->rescore ? 4 * (size_t)p->dimension : 0;
}

/*
 * Return how many values a vector has in a graph.  Under ip it is lifted: divided by the length
 * of the longest that is in the graph, and given one value more, so that all have length 1, and
 * the rows with the greatest products are those nearest to a query of length 1 with a zero there.
 */
static inline uint32_t lh_index_lifted(const struct lh_index_params *p)
{
	return p->dimension + (p->distance == LH_IP);
}

/* Return the exact vector of a row of the file; rescore only. */
static inline const void *lh_index_exact(const struct lh_index *ix, uint64_t row)
{
	return ix->exact + row * lh_index_exact_bytes(&ix->params);
}

static inline bool lh_index_all_zero(const void *p, size_t n)
{
	const char *b = p;

	return !n || (!b[0] && !memcmp(b, b + 1, n - 1));
}

/* ---- params.c ---- */
/* Compute the shape of rows, with or without a graph. */
void lh_index_get_shape(const struct lh_index_params *p, bool graph, struct lh_index_shape *out);
void lh_index_params_write(struct lh_buf *b, const struct lh_index_params *p);
/* old: of a file of an earlier format, whose graph is not read. */
int lh_index_params_read(const char *text, size_t n, bool old, struct lh_index_params *p,
			 struct lh_err *err);

/* ---- index_file.c ---- */

/* Open the index file without its log. */
struct lh_index *lh_index_open_base(const char *path, struct lh_err *err);

/* Resolve a symbolic link, for readers, who read the log of the file that it leads to:
 * *real is that path (freed by the caller), or NULL when path is not a link.  Writers
 * refuse links instead. */
int lh_index_resolve_link(const char *path, char **real, struct lh_err *err);
int lh_index_refuse_link(const char *path, struct lh_err *err);

/* Copy and check the header of ix->map. */
int lh_index_read_header(struct lh_index *ix, struct lh_err *err);

/* Fill ix from ix->map, with all sizes checked. */
int lh_index_open_mapped(struct lh_index *ix, struct lh_err *err);

/* Return the id or metadata (kind LH_INDEX_IDS or LH_INDEX_METAS) of a row of the file.
 * Its offsets are checked, its bytes are not. */
int lh_index_row_text(const struct lh_index *ix, uint32_t kind, uint64_t row, struct lh_str *out,
		      struct lh_err *err);

/* Do the same as lh_index_row and lh_index_find for rows of the file, hidden ones
 * included. */
int lh_index_base_row(const struct lh_index *ix, uint64_t row, struct lh_row *out,
		      struct lh_err *err);
int64_t lh_index_base_find(const struct lh_index *ix, const char *id, size_t n, struct lh_err *err);

/* Return the length of the longest run of used slots between two free ones, or slots
 * when none is free.  A look-up reads at most one slot more. */
uint64_t lh_index_longest_run(const uint32_t *hash, uint64_t slots);

/* Return the number of the i-th row in the order of the puts, or -1 when it is damaged. */
int64_t lh_index_nth(const struct lh_index *ix, uint64_t i, struct lh_err *err);

/* Check an id, and a vector against the parameters; LH_EDATA.  Under cosine the vector
 * still has to be scaled (lh_vec_unit). */
int lh_index_check_id(const char *id, size_t n, struct lh_err *err);
int lh_index_check_vector(const struct lh_index_params *p, const float *v, size_t n,
			  struct lh_err *err);

/* ---- qg_graph.c ---- */

/* Makes rows with codes, in one thread. */
struct lh_qg_coder {
	const struct lh_index_params *p;
	const struct lh_index_shape *shape;
	const unsigned char *signs;
	uint64_t rows;
	const void *(*code_of)(const void *ctx, uint32_t row);	/* a row's code (quantize.h) */
	const void *ctx;
	float *vector;		/* scratch: a decoded row */
	/* The rotated rows that were used last, by the low bits of their numbers: rows that
	 * link to each other are near each other. */
	float *rotated;
	uint64_t *kept;		/* their numbers plus 1 */
	float *factors, *old;	/* scratch: f_add of all links, f_rescale of all */
	uint32_t slots;
};
void lh_qg_coder_init(struct lh_qg_coder *c, unsigned jobs);	/* that share the memory */
void lh_qg_coder_free(struct lh_qg_coder *c);
/* Make the codes and factors of the links of a row, which at holds with its vector and the least
 * unit to be used.  The links are existing rows.  Those of the bits of kept are there already, in
 * that unit; if it does not do for all, all are made, in units of the greatest factor. */
void lh_qg_coder_row(struct lh_qg_coder *c, uint32_t row, unsigned char *at, uint64_t kept);

/* ---- writer.c, whole_index.c ---- */

/* Decide how many values the codes of new rows keep, once the dimension is known. */
void lh_index_choose_codes(struct lh_index_params *p);
/* Create a writer that takes no lock, for a compaction.  lh_index_prepare builds the
 * graph and writes and syncs the whole file under a temporary name; after that the
 * checksum is known, and lh_index_swap renames it into place, while the caller holds
 * the lock. */
struct lh_index_writer *lh_index_writer_bare(const char *path, const struct lh_index_params *p,
					     struct lh_err *err);
/* Copy a row of ix's file, hidden or not, byte by byte; ix has the same parameters, and
 * the id is new to the writer.  The copy is checked: LH_ECORRUPT names the section. */
int lh_index_copy_row(struct lh_index_writer *w, const struct lh_index *ix, uint64_t from,
		      struct lh_err *err);
/* Add a pending row of such an index, unless it is dead. */
int lh_index_copy_pending(struct lh_index_writer *w, const struct lh_pending *row,
			  struct lh_err *err);
/* Declare that the first rows added are rows of ix, in the order of their numbers, all but those
 * that are gone.  Their links are kept, and only the rows after them are inserted into the graph,
 * if those gone, by earlier compactions too, are not more than a quarter: false if they are.  ix is
 * borrowed until lh_index_prepare, which checks what it copies. */
bool lh_index_writer_continue(struct lh_index_writer *w, const struct lh_index *ix, uint64_t gone);
int lh_index_prepare(struct lh_index_writer *w, unsigned jobs, struct lh_err *err);
uint64_t lh_index_writer_checksum(const struct lh_index_writer *w);
int lh_index_swap(struct lh_index_writer *w, struct lh_err *err);

/* ---- sound.c ---- */

/* Check one part of an index.  All return 0, or -1 with LH_ECORRUPT and the row.
 * Arguments from the file must be copies. */

/* Check the links of a row: links to different other rows, then the row itself. */
int lh_index_check_lanes(const struct lh_index *ix, const uint32_t *lanes, uint64_t row,
			 struct lh_err *err);
int lh_index_check_row_vector(const struct lh_index_params *p, const float *v, uint64_t row,
			      struct lh_err *err);
/* Decode the code to v and check both. */
int lh_index_check_row_code(const struct lh_index_params *p, const void *code, float *v,
			    uint64_t row, struct lh_err *err);

/* ---- index_log.c ---- */

/* Replay the log of the index at path into ix.  No log, and a log of other indexes,
 * count as empty; a torn tail ends it (torn_at).  -1 for damage. */
int lh_index_log_replay(struct lh_index *ix, const char *path, struct lh_err *err);
/* Replay a log of which from has replayed the beginning: only the rest is read, the
 * state before it is copied from from.  1; 0 when it is another log by now or damaged. */
int lh_index_log_extend(struct lh_index *ix, const struct lh_index *from, struct lh_err *err);
/* Return the place in pending of the live row of that id, or -1. */
int64_t lh_index_log_find(const struct lh_index *ix, const char *id, size_t n);
void lh_index_log_free(struct lh_index *ix);
/* Remove the log of the index at path after a fresh build has replaced the index (lock
 * held). */
int lh_index_log_remove(const char *path, struct lh_err *err);
/* Drop from the log the frames for an index of that checksum, before a build renames
 * such an index into place (lock held).  They may remain from a compaction that was
 * interrupted, or from an index of exactly the same bytes, and must not apply to the
 * new one. */
int lh_index_log_discard(const char *path, uint64_t checksum, struct lh_err *err);
/* Check the log of the index at path, as lh_index_verify does. */
int lh_index_log_verify(const struct lh_index *ix, const char *path,
			void (*damage)(void *ctx, const char *section, const char *text), void *ctx,
			struct lh_err *err);

#endif
