/*
 * index - build, search and change an index of vectors.
 *
 * An index is one file, INDEX.lhv, that is mapped into memory: vectors, a
 * graph over them, ids, metadata (JSON text per row) and, on request, an
 * inverted index of the words in the metadata.  Changes are appended to a
 * second file, INDEX.lhv-log, until a compaction builds a new index file from
 * both.  lhv(5) describes the bytes.
 *
 * Terms
 *   row       an id, a vector and optional metadata.  Rows are numbered: from 0
 *             on those of the index file, then those of the log.
 *   live      a row that has not been replaced or deleted by a later change.
 *   pending   a row that is in the log only.
 *   snapshot  an open index (struct lh_index).  It never changes, whatever
 *             happens to its files.
 *   ef        the number of candidates that a walk over the graph keeps: the
 *             more, the slower and the more exact.
 *
 * Building replaces the whole file, atomically, at the commit:
 *
 *     struct lh_index_params params;
 *
 *     lh_index_params_default(&params);
 *     w = lh_index_writer_new("workers.lhv", &params, 10.0, &err);
 *     lh_index_put(w, id, id_len, vector, n, meta, meta_len, &err);     (each row)
 *     lh_index_commit(w, jobs, &err);
 *     lh_index_writer_free(w);
 *
 * Searching: one snapshot, and one searcher per thread:
 *
 *     ix = lh_index_open("workers.lhv", &err);
 *     s = lh_searcher_new(ix, &err);
 *     n = lh_index_search(s, &(struct lh_query){ .vector = v, .k = 10 }, hit, &err);
 *     lh_index_row(ix, hit[0].row, &row, &err);                 (its id, its metadata)
 *     lh_searcher_free(s);
 *     lh_index_close(ix);
 *
 * Changing appends to the log, and compacts when the commit says that it is due:
 *
 *     c = lh_index_change_open("workers.lhv", 10.0, &err);
 *     lh_index_change_put(c, id, id_len, vector, n, meta, meta_len, &err);
 *     lh_index_change_commit(c, &due, &err);
 *     lh_index_change_close(c);
 *     if (due)
 *             lh_index_compact_unless_busy("workers.lhv", jobs, 10.0, &err);
 *
 * How:     opening reads the header and the log, not the whole file.  A program
 *          that runs for long asks lh_index_stale whether the files changed and
 *          opens the new state by lh_index_renew, which shares with the old
 *          snapshot what is the same: everything, or the map and the part of the
 *          log that is already read.  Readers take no lock; writers take the
 *          lock INDEX.lhv-lock.
 * Trust:   an index file may be damaged or hostile.  Every value is checked
 *          before use: a search on a damaged file may find less or report
 *          LH_ECORRUPT, but never reads outside the map.  Ids handed out are
 *          valid UTF-8.  Metadata is handed out unchecked: check that it is JSON
 *          before printing it.
 * Owner:   ids and metadata handed out point into the snapshot and are valid
 *          until its last lh_index_close.  Strings passed in are copied.
 * Errors:  0, or -1 (NULL for pointers) with *err filled, unless stated
 *          otherwise.  Messages of lh_index_open and lh_index_renew begin with
 *          the path.
 * Threads: many threads may search one snapshot, each by its own searcher.
 *          Writers, searchers and changes belong to one thread each.
 */
#ifndef LH_INDEX_H
#define LH_INDEX_H

#include "base/buf.h"
#include "vector/distance.h"
#include "json/json.h"

#define LH_ID_MAX 1024		/* bytes of an id */
#define LH_K_MAX 10000		/* results of a search */
#define LH_INDEX_EF_MAX 1000000	/* candidates of a search */

/* ---- parameters ---- */

/* The source of a row's text in a search by words: the string in one field of
 * its metadata (without such a string, every string in the metadata), or a
 * template. */
enum lh_lexical_source { LH_LEXICAL_NONE, LH_LEXICAL_FIELD, LH_LEXICAL_TEMPLATE };

struct lh_index_params {
	uint32_t dimension;	/* values per vector; 0: set by the first row (writer only) */
	enum lh_distance distance;
	enum lh_precision precision;	/* f32, or quantized to f16 or i8 */
	bool rescore;		/* quantized: also store the f32 vectors, to rank the best */
	uint32_t m;		/* 16 or 32: half the links of a row */
	uint32_t ef_construction;	/* ef while the graph is built */
	uint32_t ef_search;	/* ef of searches that name none; 0: lh_index_ef decides */
	uint32_t code_values;	/* values that codes of links keep; 0: links have no codes */
	double longest;		/* length of the longest row in the graph, under ip (writer: 0) */
	uint32_t outside;	/* the last rows are longer, and not in the graph (writer: 0) */
	uint32_t exact_below;	/* no graph for an index of fewer rows: it is scanned */
	uint32_t repaired;	/* rows removed from the graph since it was built (writer: 0) */
	uint64_t seed;		/* of the graph and the rotation */
	char engine[32];	/* that made the vectors; "": not known */
	char model[256];	/* of the engine; "": not known */
	char url[1024];		/* of the engine; "": not known */
	char created_at[32];
	char field[4096];	/* of the records that the vectors' texts are in; "": none */
	char text_template[4096];	/* or the template that makes them; both "": not known */
	enum lh_lexical_source lexical;
	char lexical_of[2048];	/* the field or template of it */
	bool persons;		/* its records are persons, whatever members they have */
	char prefix[256];	/* before each text that the engine embeds; "": none */
	char query_prefix[256];	/* the same for queries */
};

/* Set the defaults: cosine, f32, m 16, ef_construction 200, exact_below 1000,
 * seed 1, no ef_search. */
void lh_index_params_default(struct lh_index_params *p);

/* ---- building ---- */

struct lh_index_writer;

/* Create a writer for path and take the index's lock, waiting for at most
 * lock_timeout seconds (LH_ELOCKED).  The lock is held until lh_index_writer_free. */
struct lh_index_writer *lh_index_writer_new(const char *path,
					    const struct lh_index_params *p,
					    double lock_timeout, struct lh_err *err);
/* Add a row, or replace the row of the same id.  vector has n values; meta is
 * checked JSON text without a line break, meta_len 0 for none.  LH_EDATA for a
 * vector that does not fit (dimension, NaN or infinity, zero under cosine) and for
 * a bad id. */
int lh_index_put(struct lh_index_writer *w, const char *id, size_t id_len,
		 const float *vector, size_t n, const char *meta, size_t meta_len,
		 struct lh_err *err);
/* Build the graph on jobs threads, replace the index file and remove its log.
 * After a failure the old index is in place, or the new one when only the removal
 * of the log failed. */
int lh_index_commit(struct lh_index_writer *w, unsigned jobs, struct lh_err *err);
/* Release the writer and its lock.  NULL is allowed. */
void lh_index_writer_free(struct lh_index_writer *w);

/* ---- reading ---- */

struct lh_index;

/* Open a snapshot of the index at path, its log included. */
struct lh_index *lh_index_open(const char *path, struct lh_err *err);
/* Release one reference to a snapshot: each open and each renew is closed once.
 * NULL is allowed. */
void lh_index_close(struct lh_index *ix);
/* Return whether the index file or its log has changed or gone since the
 * snapshot was opened.  Costs one stat(2) each. */
bool lh_index_stale(const struct lh_index *ix);
/* Open the present state of the same index.  ix stays valid and open; when
 * nothing has changed, the result is ix itself with one more reference.  Calls on
 * snapshots that came from each other must not overlap. */
struct lh_index *lh_index_renew(struct lh_index *ix, struct lh_err *err);
/* Return the parameters of the index. */
const struct lh_index_params *lh_index_get_params(const struct lh_index *ix);

struct lh_index_stats {
	uint64_t live;		/* live rows */
	uint64_t base;		/* rows in the index file */
	uint64_t pending;	/* puts in the log */
	uint64_t deleted;	/* deletes in the log */
	uint64_t file_bytes;	/* of the index file, ... */
	uint64_t section_bytes;	/* ... without its header and padding */
	uint32_t format;	/* version of the index file */
	int64_t torn_at;	/* offset of an incomplete record at the end of the log, or -1 */
};
void lh_index_get_stats(const struct lh_index *ix, struct lh_index_stats *st);

struct lh_row {
	struct lh_str id, meta;		/* meta.n 0: none.  Not followed by LH_PAD. */
};

/* Return the number of row numbers, of live rows and of others. */
uint64_t lh_index_rows(const struct lh_index *ix);
/* Read a row: 1 for a live row, 0 when there is none of that number, -1 with
 * LH_ECORRUPT when it is damaged. */
int lh_index_row(const struct lh_index *ix, uint64_t row, struct lh_row *out,
		 struct lh_err *err);
/* Copy the vector of a row below lh_index_rows to out, which has room for
 * dimension values.  In a damaged file any of them may be NaN or infinite. */
void lh_index_vector(const struct lh_index *ix, uint64_t row, float *out);
/* Return the number of the live row of that id, -1 when there is none, -2 with
 * *err when the index is damaged. */
int64_t lh_index_find(const struct lh_index *ix, const char *id, size_t n,
		      struct lh_err *err);

/* ---- searching by vector ---- */

/* The results of one filter for the rows of one snapshot, two bits per row.  It
 * starts empty, is filled by the searches that use it, and may be shared by all
 * searches with the same filter, in several threads at once (each with its own
 * ctx).  The answers do not depend on what is already in it. */
struct lh_filter_cache;
struct lh_filter_cache *lh_filter_cache_new(const struct lh_index *ix);
void lh_filter_cache_free(struct lh_filter_cache *v);

/* Return the ef of a search for k results in an index of these parameters. */
static inline size_t lh_index_ef(const struct lh_index_params *p, size_t k)
{
	if (p->ef_search)
		return p->ef_search;
	return 2 * k > 64 ? 2 * k : 64;
}

/* What a search did. */
struct lh_search_work {
	uint32_t ef;		/* of the walk; 0: the graph was not walked */
	uint32_t restarts;	/* walks that came up short, or cost too much; more came after */
	uint64_t walked;	/* rows whose links were followed */
	uint64_t measured;	/* rows compared with the query, each time that one was */
	uint64_t bytes_read;	/* of the vectors, codes and links of those rows */
	/* How the rows that match were looked for; both after a restart, and neither without
	 * a filter. */
	bool filter_walked, filter_scanned;
};

struct lh_query {
	const float *vector;	/* dimension finite values; of unit length under cosine */
	size_t k;		/* results wanted */
	size_t ef;		/* 0: lh_index_ef, and a walk that ends when it is stable */
	bool exact;		/* scan all rows instead of walking the graph */
	/* The filter, or NULL: returns 1 for a live row that may be a result, 0
	 * for others, -1 with *err for damage.  It must give the same answer for
	 * the same row every time; it is called once per row and filter_cache. */
	int (*allow)(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *err);
	void *ctx;
	struct lh_filter_cache *filter_cache;	/* of this filter; required with allow */
	const uint64_t *exclude;	/* rows never returned, ascending, repeats allowed */
	size_t n_exclude;
	uint64_t budget;	/* most rows that may be measured; 0: any number */
	int64_t deadline_ns;	/* of CLOCK_MONOTONIC, when the search ends; 0: none */
	uint64_t dropped;	/* out: rows met that the filter refused, excluded ones aside */
	/* out: the budget or the deadline stopped the search before it was done: rows may match
	 * that are nearer than the hits, or more than those.  Otherwise, fewer than k hits are all
	 * rows that match. */
	bool truncated;
	struct lh_search_work work;	/* out */
};
struct lh_hit {
	float distance;		/* cosine and ip: 1 - dot product; l2: Euclidean */
	uint64_t row;
};
struct lh_searcher;
/* Create a searcher of a snapshot, for one thread.  ix must outlive it. */
struct lh_searcher *lh_searcher_new(const struct lh_index *ix, struct lh_err *err);
void lh_searcher_free(struct lh_searcher *s);
/* Write up to q->k hits to out, by ascending distance, ties by the bytes of the
 * id.  Returns their number, or -1. */
long lh_index_search(struct lh_searcher *s, struct lh_query *q, struct lh_hit *out,
		     struct lh_err *err);
/* Compute the distance of a live row from a vector (as in struct lh_query). */
int lh_index_distance(struct lh_searcher *s, const float *vector, uint64_t row, float *out,
		      struct lh_err *err);

/* ---- changing ---- */

struct lh_index_change;
/* Open the index at path for changes.  Its parameters are read here; its lock is
 * taken only by a commit, which waits for at most lock_timeout seconds. */
struct lh_index_change *lh_index_change_open(const char *path, double lock_timeout,
					     struct lh_err *err);
/* Discard changes that are not committed, and close.  NULL is allowed. */
void lh_index_change_close(struct lh_index_change *c);
/* Gather a put of a row.  meta NULL keeps the metadata of the row of that id;
 * "{}" removes it. */
int lh_index_change_put(struct lh_index_change *c, const char *id, size_t id_len,
			const float *vector, size_t n, const char *meta, size_t meta_len,
			struct lh_err *err);
/* Gather a delete.  If the id is not live at the commit, nothing is logged. */
int lh_index_change_delete(struct lh_index_change *c, const char *id, size_t id_len,
			   struct lh_err *err);

/* Append what was gathered to the log, and sync it: all of it or nothing, whenever the
 * process is killed (over 1 GiB: a part of it, in order).  Sets
 * *compaction_due when the log has outgrown its bounds: a tenth of the index's
 * rows, at least 100 and at most 10,000 records.  LH_EIO when the index has been
 * replaced meanwhile by one for other vectors. */
int lh_index_change_commit(struct lh_index_change *c, bool *compaction_due,
			   struct lh_err *err);

/* Compact: replace the index file by one of its live rows and those of its log,
 * and reduce the log to what was appended meanwhile. */
int lh_index_compact(const char *path, unsigned jobs, double lock_timeout,
		     struct lh_err *err);
/* Compact after a commit that set *compaction_due: nothing is done while another
 * process compacts, so that one of many writers does the work. */
int lh_index_compact_unless_busy(const char *path, unsigned jobs, double lock_timeout,
				 struct lh_err *err);

/* ---- checking ---- */

/* Check every byte of an index file and its log; damage is called for each
 * finding with the section and a message.  Returns 0 when all was read, with
 * damage or without, -1 when it could not be read. */
int lh_index_verify(const char *path,
		    void (*damage)(void *ctx, const char *section, const char *text),
		    void *ctx, struct lh_err *err);

#endif
