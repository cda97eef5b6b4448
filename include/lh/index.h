/*
 * index - the index file (.lhv): vectors, an HNSW graph, ids and metadata in
 * one file made to be mapped, with pending changes in INDEX-log beside it.
 * The bytes are described in lhv(5).
 *
 * Writing.  A writer takes rows, keeps them in the layout the file will have,
 * builds the graph (vector/hnsw.h) and replaces the file whole:
 *
 *     w = lh_index_writer_new(path, &params, 10.0, err);
 *     lh_index_put(w, id, id_len, vector, meta, meta_len, err);   (last id wins)
 *     lh_index_commit(w, jobs, err);
 *     lh_index_writer_free(w);
 *
 * Reading.  lh_index_open maps the file and replays the log: a snapshot.  Opening
 * costs the header and the pending changes, not the file.  Rows of the file
 * that the log replaced or deleted are hidden.  Everything read is treated as
 * hostile: a search on a damaged file may find less or report LH_ECORRUPT, but
 * never reads outside the map.  A snapshot never changes: lh_index_stale asks
 * whether its files did, lh_index_renew opens what is there now, and shares with
 * the one before what is the same: all of it, or the map, so that a log that
 * grew is read on from where it stood.  An id handed out is valid UTF-8; metadata is not
 * looked into, so whoever prints it checks that it is JSON.
 *
 * Changing.  lh_index_change appends upserts and deletes to the log under the
 * index's lock; lh_index_compact folds them in.
 *
 * Rows are numbered: 0..base-1 in the file, then the pending ones.  In the file
 * they lie as suits a search; lh_index_nth_row gives them in the order they came in.
 *
 * Owner:   ids and metadata handed out point into the map (or the log's copy)
 *          and live as long as the struct lh_index.  Each open and each again is
 *          closed once.
 * Threads: one open index may be searched by many threads, each with a
 *          struct lh_searcher of its own.
 */
#ifndef LH_INDEX_H
#define LH_INDEX_H

#include <lh/buf.h>
#include <lh/distance.h>
#include <lh/json.h>

LH_C_BEGIN

#define LH_ID_MAX 1024
#define LH_K_MAX 10000

/* What makes a row's text for searches by words: the string in a field of its
 * metadata (every string in it, where there is none), or a template. */
enum lh_lexical_source { LH_LEXICAL_NONE, LH_LEXICAL_FIELD, LH_LEXICAL_TEMPLATE };

struct lh_index_params {
	uint32_t dimension;	/* 0 until the first row sets it (writer only) */
	int distance;		/* enum lh_distance */
	int precision;		/* enum lh_precision: what searches go by */
	bool rescore;		/* f16, i8: the vectors themselves are kept beside */
	uint32_t m, ef_construction, exact_below;
	uint64_t seed;
	char engine[32];	/* "" is null */
	char model[256];	/* "" is null */
	char url[1024];		/* of the engine, "" is null */
	char created_at[32];
	char field[4096], text_template[4096];	/* what texts are made by; both "": not known */
	int lexical;		/* enum lh_lexical_source */
	char lexical_of[2048];	/* the field or the template */
};
LH_API void lh_index_params_default(struct lh_index_params *p);
/* What an index is called: its file name without folder and ".lhv". */
LH_API struct lh_str lh_index_name(const char *path);
LH_API const char *lh_distance_name(int distance);
LH_API const char *lh_precision_name(int precision);
LH_API const char *lh_lexical_source_name(int source);	/* NULL for none */

/* ---- writing ---- */
struct lh_index_writer;
LH_API struct lh_index_writer *lh_index_writer_new(const char *path,
						   const struct lh_index_params *p,
						   double lock_timeout, struct lh_err *err);
/* The parameters, still open to change until commit (model, dimension). */
LH_API struct lh_index_params *lh_index_writer_params(struct lh_index_writer *w);
/* vector has n values; LH_EDATA when it does not fit (dimension, not finite,
 * zero under cosine, a bad id).  meta is checked JSON text, or n = 0 for none. */
LH_API int lh_index_put(struct lh_index_writer *w, const char *id, size_t id_len,
			const float *vector, size_t n, const char *meta, size_t meta_len,
			struct lh_err *err);
LH_API uint64_t lh_index_writer_count(const struct lh_index_writer *w);
LH_API int lh_index_commit(struct lh_index_writer *w, unsigned jobs, struct lh_err *err);
LH_API void lh_index_writer_free(struct lh_index_writer *w);
/* Before a commit: tell is called periodically while it works, in the thread of the
 * commit, with the stage ("graph", "words", "file") and how much of it is done;
 * and once when all is. */
typedef void lh_index_progress_fn(void *ctx, const char *stage, uint64_t done, uint64_t of);
LH_API void lh_index_writer_watch(struct lh_index_writer *w, lh_index_progress_fn *tell, void *ctx);

/* ---- reading ---- */
struct lh_index;
/* Here messages begin with the path. */
LH_API struct lh_index *lh_index_open(const char *path, struct lh_err *err);
LH_API void lh_index_close(struct lh_index *ix);
/* Did the file or its log change since, or go?  One stat(2) each. */
LH_API bool lh_index_stale(const struct lh_index *ix);
/* What is there by now, or NULL with *err; ix stays as it is, and open.  One
 * thread at a time for an index and what came of it. */
LH_API struct lh_index *lh_index_renew(struct lh_index *ix, struct lh_err *err);
LH_API const struct lh_index_params *lh_index_get_params(const struct lh_index *ix);
struct lh_index_stats {
	uint64_t live, base, pending, deleted, file_bytes;
	uint32_t format;
	int64_t torn_at;	/* offset of a torn tail in the log, or -1 */
};
LH_API void lh_index_get_stats(const struct lh_index *ix, struct lh_index_stats *st);

struct lh_row {
	struct lh_str id, meta;		/* meta.n == 0: none; no LH_PAD behind them */
};
LH_API uint64_t lh_index_rows(const struct lh_index *ix); /* upper bound of row numbers */
/* 1: a live row; 0: none at that number (deleted or replaced); -1: damaged. */
LH_API int lh_index_row(const struct lh_index *ix, uint64_t row, struct lh_row *out,
			struct lh_err *err);
/* Before all rows are read in the order they were put: a damaged one would give
 * a row twice and another not at all.  LH_ECORRUPT. */
LH_API int lh_index_check_order(const struct lh_index *ix, struct lh_err *err);
/* As lh_index_row, of the i-th row that was put, i below lh_index_rows; *row is its number. */
LH_API int lh_index_nth_row(const struct lh_index *ix, uint64_t i, uint64_t *row,
			    struct lh_row *out, struct lh_err *err);
/* The vector of a row below lh_index_rows, into out: dimension values.  Damage may
 * have made any of them infinite or NaN. */
LH_API void lh_index_vector(const struct lh_index *ix, uint64_t row, float *out);
/* The live row of that id, or -1 when there is none, -2 with *err when damaged. */
LH_API int64_t lh_index_find(const struct lh_index *ix, const char *id, size_t n,
			     struct lh_err *err);

/* ---- searching ---- */

/* What a filter said of the rows of an index, two bits a row: made empty, filled
 * as searches ask, and shared by all that use the same filter, also at once in
 * several threads (each with a ctx of its own).  Which rows it knows already
 * never shows in an answer. */
struct lh_filter_cache;
LH_API struct lh_filter_cache *lh_filter_cache_new(const struct lh_index *ix, struct lh_err *err);
LH_API void lh_filter_cache_free(struct lh_filter_cache *v);

/* Candidates kept during a walk when nobody says how many. */
static inline size_t lh_index_ef(size_t k)
{
	return k > 32 ? 2 * k : 64;
}

struct lh_query {
	const float *vector;	/* of the index's dimension, finite; unit length under cosine */
	size_t k, ef;		/* ef 0: lh_index_ef(k), and with a filter several times that */
	bool exact;
	/* Does a filter allow this live row?  NULL: there is no filter.  1 yes, 0
	 * no, -1 with *err: damaged.  It is asked once of a row and must always say
	 * the same: verdicts, which every filter has its own of, remembers it. */
	int (*allow)(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *err);
	void *ctx;
	struct lh_filter_cache *filter_cache;
	const uint64_t
		*exclude; /* rows that may not answer, ascending, any of them more than once */
	size_t n_exclude;
	uint64_t dropped;	/* out: rows met that allow refused, without the excluded */
};
struct lh_hit {
	float distance;
	uint64_t row;
};
struct lh_searcher;
LH_API struct lh_searcher *lh_searcher_new(const struct lh_index *ix, struct lh_err *err);
LH_API void lh_searcher_free(struct lh_searcher *s);
/* Up to q->k hits into out, by ascending distance, ties by the bytes of the id.
 * Returns their number or -1. */
LH_API long lh_index_search(struct lh_searcher *s, struct lh_query *q, struct lh_hit *out,
			    struct lh_err *err);
/* How far a live row is from a vector (as in struct lh_query). */
LH_API int lh_index_distance(struct lh_searcher *s, const float *vector, uint64_t row, float *out,
			     struct lh_err *err);

/* ---- searching by words ---- */
struct lh_index_words;
/* Pending rows are read here.  LH_EUSAGE when the index was built without. */
LH_API struct lh_index_words *lh_index_words_new(const struct lh_index *ix, struct lh_err *err);
LH_API void lh_index_words_free(struct lh_index_words *w);
struct lh_index_words_hit {
	double score;		/* bm25 */
	uint64_t row;
};
/* Up to q->k hits into out, by descending score, ties by the bytes of the id, of
 * the rows that q allows; a text is UTF-8, and q's vector is not looked at.
 * Returns their number or -1. */
LH_API long lh_index_words_search(struct lh_index_words *w, struct lh_query *q, struct lh_str text,
				  struct lh_index_words_hit *out, struct lh_err *err);

/* ---- changing ---- */
struct lh_index_change;
/* Reads the parameters; the lock is held only by a commit. */
LH_API struct lh_index_change *lh_index_change_open(const char *path, double lock_timeout,
						    struct lh_err *err);
LH_API const struct lh_index_params *lh_index_change_params(const struct lh_index_change *c);
/* meta NULL: leave what is stored; "{}" clears it. */
LH_API int lh_index_change_put(struct lh_index_change *c, const char *id, size_t id_len,
			       const float *vector, size_t n, const char *meta, size_t meta_len,
			       struct lh_err *err);
/* The same, unless the id is live when this is committed. */
LH_API int lh_index_change_put_new(struct lh_index_change *c, const char *id, size_t id_len,
				   const float *vector, size_t n, const char *meta, size_t meta_len,
				   struct lh_err *err);
/* Whether the id is live is seen when this is committed; nothing is logged of
 * one that is not. */
LH_API int lh_index_change_delete(struct lh_index_change *c, const char *id, size_t id_len,
				  struct lh_err *err);
/* What the commits came to so far: ids that were deleted, and that were not
 * there; rows of put_new that went in, and whose id was there. */
struct lh_index_tally {
	uint64_t deleted, unknown, added, existing;
};
LH_API const struct lh_index_tally *lh_index_change_tally(const struct lh_index_change *c);
/* Append what was gathered in one go and fsync; *fold says whether the log has
 * outgrown its bounds (10 % of the records but at least 100, or 10,000).  Vectors
 * are refused when another index is there by now whose vectors are others. */
LH_API int lh_index_change_commit(struct lh_index_change *c, bool *compaction_due, struct lh_err *err);
/* The same, unless the log is twice as long as that already (or holds 2,000,
 * where that is more): then 1, and what was gathered stays for the next commit,
 * which lh_index_make_room is to go before.  So folds are not outrun. */
LH_API int lh_index_change_try(struct lh_index_change *c, bool *compaction_due, struct lh_err *err);
/* Take the index's lock before the commits and keep it over them, so that what is
 * read of the index in between is what they change.  Who holds two indexes takes
 * them in one order everywhere. */
LH_API int lh_index_change_hold(struct lh_index_change *c, struct lh_err *err);
LH_API void lh_index_change_release(struct lh_index_change *c);
/* Bytes gathered for the next commit. */
LH_API size_t lh_index_change_bytes(const struct lh_index_change *c);
LH_API void lh_index_change_close(struct lh_index_change *c);
LH_API int lh_index_compact(const char *path, unsigned jobs, double lock_timeout,
			    struct lh_err *err);
/* The same for whoever a commit told to: nothing is done when somebody else is
 * folding, so that of many writers one does the work. */
LH_API int lh_index_compact_unless_busy(const char *path, unsigned jobs, double lock_timeout,
					struct lh_err *err);
/* For whom lh_index_change_try sent back: wait until who is folding is done, or
 * fold. */
LH_API int lh_index_make_room(const char *path, unsigned jobs, double lock_timeout,
			      struct lh_err *err);

/* ---- checking ---- */
/* Calls damage(ctx, section, text) for everything found wrong in the file and
 * its log.  0: it was read to the end (damage or not); -1: it could not be read. */
LH_API int lh_index_verify(const char *path,
			   void (*damage)(void *ctx, const char *section, const char *text),
			   void *ctx, struct lh_err *err);

LH_C_END

#endif
