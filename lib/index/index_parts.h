/*
 * index_parts - what the parts of lh_index share; not for callers.
 *
 *     index_file.c    open, rows, ids: the mapped file, all of it checked
 *     renew.c   did it change? and what is there by now
 *     searcher.c    the searcher, with
 *     rerank.c  what it hands out,
 *     filtered_search.c   what a filter makes of it (searcher.h), and
 *     filter_cache.c   what the filter said of which row
 *     writer.c   the writer's rows (writer.h), and what it makes of
 *     commit.c  them: the graph and the file
 *     id_slots.c   the table of ids
 *     take_over.c   rows and links taken over from an index
 *     sound.c   what may stand in an index
 *     index_verify.c  the checker
 *     index_words.c the words of rows (lexical/lexical.h), and searches by them
 *     text_sums.c   the checksums of ids and metadata alone
 *     index_log.c     INDEX-log (index_log.h): its replay into a snapshot
 *     change.c  upserts and deletes appended to it, as far as
 *     known_ids.c   the ids that are there by then let them
 *     compact.c the fold (an object of its own: it needs the writer,
 *                      which a search must not carry)
 *
 * A snapshot.  lh_index_open maps the file, then calls lh_index_log_replay, which
 * fills the part of struct lh_index that is marked so and leaves it alone after
 * that.  A row number below rows is a row of the file, rows + i is pending[i].
 * A search leaves out the rows of the file whose bit in hidden is set and the
 * pending rows that are dead, and scans all other pending rows exactly.
 *
 * The file may be swapped between the two opens.  lh_index_open therefore looks
 * again at the path when the replay is done and starts over when another file
 * is there by then; a replay that finds a log of another index just has
 * nothing to say.
 *
 * Swapping index and log are two renames, and a crash may fall between them.
 * So whoever folds appends to the old log, before the index is renamed, a mark
 * with the new index's checksum and behind it what must carry over; a replay
 * reads the part of the log behind the mark of its own index, up to the next
 * mark.
 */
#ifndef LH_INDEX_PARTS_H
#define LH_INDEX_PARTS_H

#include <stdatomic.h>

#include "file/file.h"
#include "file/held.h"
#include "lexical/lexical.h"
#include <lh/index.h>
#include "format.h"
#include "base/read_once.h"
#include "base/xxh3.h"
#include "vector/quantize.h"

#define LH_INDEX_LOG "-log"	/* behind the index's path */
#define LH_INDEX_LOCK "-lock"
#define LH_INDEX_COMPACT "-compact"

struct lh_pending {
	struct lh_str id, meta;		/* meta.n == 0: none */
	const float *vector;		/* unit length under cosine; any alignment */
	bool dead;			/* replaced or deleted further on in the log */
};

/* What snapshots of one file have in common. */
struct lh_index_common {
	atomic_uint others;		/* snapshots but one */
	struct lh_mapped map;
	char *path, *log;		/* as it was opened; where the log is */
	struct lh_stamp file;		/* of path */
};

struct lh_index {
	atomic_uint others;		/* who must close it, but one */
	struct lh_index_common *common;	/* NULL where the file alone was opened */
	struct lh_stamp log_stamp;
	struct lh_mapped map;		/* common's, or its own */
	struct lh_index_header header;	/* a copy: what is checked is what is used */
	dev_t dev;
	ino_t ino;
	struct lh_index_params params;
	uint64_t checksum;		/* of the header: names this very file */

	uint64_t rows;			/* in the file */
	size_t stride, vector_at;	/* of a row of the level-0 block */
	const unsigned char *block;
	const unsigned char *exact;	/* f32[dimension] of each row; NULL: not kept */
	bool graph;
	uint32_t entry, top;		/* where a walk begins, and its level */
	const uint32_t *level;		/* rows + 1: first upper link list of a row */
	const uint32_t *upper;		/* upper link lists of 1 + m words */
	uint64_t n_upper;
	const uint32_t *order;		/* the rows as they were put, or NULL: by their numbers */
	const uint64_t *id_at, *meta_at;	/* rows + 1 each */
	const char *ids, *metas;
	uint64_t ids_n, metas_n;
	const uint32_t *hash;		/* pairs: low half of xxh3(id), row + 1 */
	uint64_t hash_slots;		/* a power of two, or 0 */
	uint64_t hash_probes;		/* the most that a look-up takes */
	uint64_t id_seed;
	struct lh_lexical lexical;	/* of the file's rows, when params.lexical */

	/* filled by lh_index_log_replay, zero before it */
	struct lh_pending *pending;
	size_t n_pending;
	uint64_t *hidden;		/* a bit per row of the file; NULL: none hidden */
	uint64_t n_hidden, n_dead;	/* bits set; pending rows that are dead */
	uint64_t logged_puts, logged_deletes;	/* for lh_index_get_stats */
	int64_t torn_at;		/* set to -1 before the replay */
	void *log;			/* the replay's own: its copy, its lookup */
};

static inline bool lh_index_hidden(const struct lh_index *ix, uint64_t row)
{
	return ix->hidden && (ix->hidden[row / 64] >> (row % 64) & 1);
}

/* What the block holds of a row's vector (vector/quantize.h). */
static inline const void *lh_index_code(const struct lh_index *ix, uint64_t row)
{
	return ix->block + row * ix->stride + ix->vector_at;
}

/* The layout that the parameters ask for. */
static inline size_t lh_index_code_bytes(const struct lh_index_params *p)
{
	return lh_quantize_bytes(p->precision, p->dimension);
}

static inline size_t lh_index_exact_bytes(const struct lh_index_params *p)
{
	return p->rescore ? 4 * (size_t)p->dimension : 0;
}

/* The vector itself, where rescore keeps it. */
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
int lh_index_check_params(const struct lh_index_params *p, struct lh_err *err);
void lh_index_params_write(struct lh_buf *b, const struct lh_index_params *p);
int lh_index_params_read(const char *text, size_t n, struct lh_index_params *p, struct lh_err *err);

/* ---- index_file.c ---- */

/* Is this an index of a kind that can be read here, with its header intact? */
int lh_index_check_identity(const struct lh_index_header *h, size_t n, struct lh_err *err);
/* Do the header's section table and size fit a file of n bytes? */
int lh_index_check_sections(const struct lh_index_header *h, size_t n, struct lh_err *err);

/* The file alone, without its log. */
struct lh_index *lh_index_open_base(const char *path, struct lh_err *err);

/* A reader follows a symbolic link and takes the log beside what it leads to:
 * *real is that path, to be freed, or NULL when path is no link.  A writer
 * refuses one. */
int lh_index_resolve_link(const char *path, char **real, struct lh_err *err);
int lh_index_refuse_link(const char *path, struct lh_err *err);

/* The path of the index's log or locks (LH_INDEX_LOG, LH_INDEX_LOCK, LH_INDEX_COMPACT), to be freed. */
char *lh_index_sibling_path(const char *path, const char *suffix, struct lh_err *err);

/* Copy the header of ix->map, and check what it says of the file. */
int lh_index_read_header(struct lh_index *ix, struct lh_err *err);

/* Fill ix from ix->map, all sizes checked. */
int lh_index_open_mapped(struct lh_index *ix, struct lh_err *err);

/* A row's text, of kind LH_INDEX_IDS or LH_INDEX_METAS: its place is inside its
 * section, its bytes are whatever is there. */
int lh_index_row_text(const struct lh_index *ix, uint32_t kind, uint64_t row, struct lh_str *out,
		  struct lh_err *err);

/* As lh_index_row and lh_index_find, for rows of the file, hidden or not. */
int lh_index_base_row(const struct lh_index *ix, uint64_t row, struct lh_row *out,
		      struct lh_err *err);
int64_t lh_index_base_find(const struct lh_index *ix, const char *id, size_t n, struct lh_err *err);

/* The slots in use between two free ones, at most: a look-up takes one more.  All
 * of them where none is free. */
uint64_t lh_index_longest_run(const uint32_t *hash, uint64_t slots);

/* The number of the i-th row that was put, or -1 when damaged. */
int64_t lh_index_nth(const struct lh_index *ix, uint64_t i, struct lh_err *err);

/* Is this an id and a vector that the parameters take?  LH_EDATA says why not.
 * Under cosine the vector still has to be scaled (lh_vec_unit). */
int lh_index_check_id(const char *id, size_t n, struct lh_err *err);
int lh_index_check_vector(const struct lh_index_params *p, const float *v, size_t n,
			  struct lh_err *err);

/* ---- renew.c ---- */

/* Before the files are opened: remember which ones they are. */
struct lh_index_common *lh_index_common_new(const char *path, const char *real,
					    struct lh_stamp *log, struct lh_err *err);
void lh_index_common_drop(struct lh_index_common *c);

/* ---- writer.c, commit.c ---- */

/* A writer that takes no lock, for a fold.  prepare builds the graph and has
 * the whole file, synced, beside its target; after that the checksum is known
 * and swap renames it into place (the caller holds the lock by then). */
struct lh_index_writer *lh_index_writer_bare(const char *path, const struct lh_index_params *p,
					     struct lh_err *err);
/* Put a row of ix's file, hidden or not, as it lies there: an index of the same
 * parameters.  Its id must be new to the writer.  What was copied is checked:
 * LH_ECORRUPT names the section. */
int lh_index_copy_row(struct lh_index_writer *w, const struct lh_index *ix, uint64_t from,
		       struct lh_err *err);
/* A pending row of that index, unless it is dead. */
int lh_index_copy_pending(struct lh_index_writer *w, const struct lh_pending *row,
			 struct lh_err *err);
/* The rows put first are all those of ix, by their numbers: their links can stay,
 * and only the rows behind them are inserted.  ix is borrowed until prepare,
 * which checks what it copies. */
void lh_index_writer_continue(struct lh_index_writer *w, const struct lh_index *ix);
int lh_index_prepare(struct lh_index_writer *w, unsigned jobs, struct lh_err *err);
uint64_t lh_index_writer_checksum(const struct lh_index_writer *w);
int lh_index_swap(struct lh_index_writer *w, struct lh_err *err);

/* ---- index_verify.c ---- */

/* Has a file that is open changed since it was written?  Its checksums and its
 * padding alone. */
void lh_index_verify_sums(struct lh_index *ix,
			  void (*damage)(void *ctx, const char *section, const char *text),
			  void *ctx);

/* ---- sound.c ---- */

/* All: 0, or -1 with LH_ECORRUPT and which row.  What is asked about must be a
 * copy, as must level. */
struct lh_index_graph {
	uint64_t rows;
	const uint32_t *level;	/* rows + 1: first upper link list of a row */
};
/* A list of 1 + max words: links to different other rows, zeros behind them. */
int lh_index_check_links(const struct lh_index_graph *g, const uint32_t *list, uint32_t max,
			 uint64_t row, uint32_t level, struct lh_err *err);
int lh_index_check_levels(const struct lh_index_graph *g, uint64_t lists, uint32_t top,
			  struct lh_err *err);
int lh_index_check_row_vector(const struct lh_index_params *p, const float *v, uint64_t row,
			  struct lh_err *err);
/* v becomes what the code says. */
int lh_index_check_row_code(const struct lh_index_params *p, const void *code, float *v,
			    uint64_t row, struct lh_err *err);
/* copy becomes the metadata; scan lends its room.  Also LH_ENOMEM. */
int lh_index_check_row_meta(struct lh_record *scan, struct lh_buf *copy, struct lh_str meta,
			uint64_t row, struct lh_err *err);

/* ---- text_sums.c ---- */

/* Are the file's ids, their hash and the metadata as they were written?  Reads
 * all of them; LH_ECORRUPT. */
int lh_index_check_texts(const struct lh_index *ix, struct lh_err *err);

/* ---- index_log.c ---- */

/* Replay path's log into ix.  No log, and a log of another index, are an empty
 * one; a torn tail ends it (torn_at).  -1 on damage or without memory. */
int lh_index_log_replay(struct lh_index *ix, const char *path, struct lh_err *err);
/* The same where path's log is the one that from has replayed, and grew: what is
 * new is read, and all before it taken over.  1, 0 when it is another log by now
 * or damaged, -1 without memory. */
int lh_index_log_extend(struct lh_index *ix, const struct lh_index *from, struct lh_err *err);
/* The place in pending of the live row of that id, or -1. */
int64_t lh_index_log_find(const struct lh_index *ix, const char *id, size_t n);
void lh_index_log_free(struct lh_index *ix);
/* Remove path's log: a fresh build has replaced its index (lock held). */
int lh_index_log_remove(const char *path, struct lh_err *err);
/* Before a build renames an index of that checksum into place (lock held): what
 * the log may hold for such an index, left by a rebuild of the very same bytes
 * or by a fold that was cut off, must not apply to it. */
int lh_index_log_discard(const char *path, uint64_t checksum, struct lh_err *err);
/* Report what is wrong with path's log, as lh_index_verify does. */
int lh_index_log_verify(const struct lh_index *ix, const char *path,
			void (*damage)(void *ctx, const char *section, const char *text), void *ctx,
			struct lh_err *err);

#endif
