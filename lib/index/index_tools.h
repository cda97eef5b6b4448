/*
 * index_tools - index functions for the tools only, in addition to index.h; not
 * installed.
 *
 * Names of indexes and enum values, folders of indexes, the state of a writer, rows in the
 * order of insertion, search by words, and changes that depend on the index's contents, wait
 * for compaction or span several commits under one lock.
 */
#ifndef LH_INDEX_TOOLS_H
#define LH_INDEX_TOOLS_H

#include <sys/types.h>

#include "index/index.h"
#include "filter/scope.h"

#include "json/write.h"

/* ---- names ---- */

/* Return the name of an index: its file name without folder and ".lhv".  It points into
 * path. */
struct lh_str lh_index_name(const char *path);
/* Return the name of an enum value, or "unknown". */
const char *lh_distance_name(int distance);
const char *lh_precision_name(int precision);
#define LH_INDEX_LAYOUT "qg"	/* of the graph of every index */
/* Return the number of links that there is for one that was asked of another graph. */
static inline uint32_t lh_index_nearest_m(uint64_t m)
{
	return m > 16 ? 32 : 16;
}
/* The field that is embedded where an index names neither a field nor a template. */
#define LH_INDEX_TEXT_FIELD "text"

/* Return "field" or "template", or NULL for LH_LEXICAL_NONE. */
const char *lh_lexical_source_name(int source);

/* Write which state of an index a snapshot has: the checksum of the file's header, in hex, and how
 * many changes its log had, "00c1d2e3f4a5b697+12". */
#define LH_INDEX_GENERATION 40		/* bytes, with NUL */
void lh_index_generation(const struct lh_index *ix, char to[LH_INDEX_GENERATION]);

/* ---- folders ---- */

#define LH_INDEX_NAME_MAX 128	/* bytes */

/* Return whether a text from outside may be the name of an index in a folder, the file
 * NAME.lhv: 1 to LH_INDEX_NAME_MAX bytes of [A-Za-z0-9_.-], the first of them not a dot. */
bool lh_index_name_valid(struct lh_str name);

struct lh_index_folder {
	char **name;		/* without ".lhv", sorted by bytes */
	size_t n, cap;
};
/* List the indexes in a folder by their names; files of other names and other folders are
 * left out.  LH_EIO without the path in its message. */
int lh_index_folder_read(struct lh_index_folder *f, const char *path, struct lh_err *err);
void lh_index_folder_free(struct lh_index_folder *f);
/* Write which indexes there are, for who asked for another: "known: a, b and 3 more". */
#define LH_INDEX_NAMES 600	/* bytes, with NUL */
struct lh_index_names {
	char *to;		/* LH_INDEX_NAMES bytes */
	size_t n, len, more;
};
void lh_index_names_add(struct lh_index_names *l, const char *name);
void lh_index_names_end(struct lh_index_names *l);
/* Return the path of the index of a valid name, to be freed. */
char *lh_index_folder_path(const char *folder, struct lh_str name);

/* The conditions of a member that is such a name, in a table of json/bind.h. */
#define LH_INDEX_NAME \
	.is = lh_index_is_name, \
	.what = "name of 1 to 128 letters, digits, \".\", \"_\" and \"-\", without \".\" " \
		"at the start", \
	.pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$"
#define LH_INDEX_NAMED LH_INDEX_NAME, .path = true, .safe = true
bool lh_index_is_name(const struct lh_value *v, struct lh_str name);

/* Check parameters, as lh_index_create and a commit do. */
int lh_index_check_params(const struct lh_index_params *p, struct lh_err *err);
/* Return a copy of the parameters of the index at path, to be freed; NULL with *err. */
struct lh_index_params *lh_index_read_params(const char *path, struct lh_err *err);

/* What embeds the texts of the indexes in a folder.  An index without an engine does not count,
 * nor does one that cannot be read; a folder that is missing is empty. */
struct lh_index_spaces;
/* Read the folder; before: an earlier reading of it, or NULL. */
struct lh_index_spaces *lh_index_spaces_read(const char *folder,
					     const struct lh_index_spaces *before,
					     struct lh_err *err);
void lh_index_spaces_free(struct lh_index_spaces *l);
/* Return the parameters of the i-th index that has an engine, by name, or NULL. */
const struct lh_index_params *lh_index_spaces_at(const struct lh_index_spaces *l, size_t i);
/* Return whether the folder has changed. */
bool lh_index_spaces_stale(const struct lh_index_spaces *l);
/* Return the parameters of the index whose model comes first among the defaults (newest first,
 * ended by NULL); of several, and if there is none, those of the index made last.  NULL: no
 * index has an engine.  Valid until lh_index_spaces_free. */
const struct lh_index_params *lh_index_spaces_best(const struct lh_index_spaces *l,
						   const char *const *defaults);

/* Return whether an open file begins as an index does. */
bool lh_index_is(int fd);
/* Call fn for the id of each record, live or not, that an open index or log has, up to where it is
 * damaged; of any other file there is none.  A result other than 0 ends it and is returned. */
typedef int lh_index_id_fn(void *ctx, struct lh_str id, struct lh_err *err);
int lh_index_all_ids(int fd, lh_index_id_fn *fn, void *ctx, struct lh_err *err);
/* Return whether a byte of an open index is of numbers (vectors, links, counts), not of texts; of
 * any other file none is. */
bool lh_index_in_numbers(int fd, uint64_t at);
/* The file that an index was opened from, and the bytes it then had; a copy of it may have another
 * log, and so other records. */
struct lh_index_identity {
	dev_t dev;
	ino_t ino;
	uint64_t checksum;	/* of its header, which contains those of all its parts */
};
struct lh_index_identity lh_index_identity(const struct lh_index *ix);
static inline bool lh_index_same(const struct lh_index_identity *a,
				 const struct lh_index_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->checksum == b->checksum;
}

#define LH_INDEX_LOG "-log"	/* appended to the index's path */
#define LH_INDEX_LOCK "-lock"
#define LH_INDEX_COMPACT "-compact"
/* Return the path of the index's log or of one of its locks, freed by the caller. */
char *lh_index_sibling_path(const char *path, const char *suffix);
/* Open an index for reading, fd[0], and the log of its pending changes, fd[1], or -1 if it has
 * none: under the lock, so that both belong together.  They stay so, whatever writers do. */
int lh_index_open_files(const char *path, double lock_timeout, int fd[2], struct lh_err *err);

/* Return whether there is a regular file; symbolic links do not count, since they may lead
 * out of the folder. */
bool lh_index_is_file(const char *path);
/* Return the index that a link leads to, to be freed; NULL: it is none, or leads to no index. */
char *lh_index_link(const char *path);

/* The indexes that requests from outside name.  Messages are for the client: they contain the
 * name, not the path. */
struct lh_index_named {
	const char *folder;
	const char *what;	/* "index", "playbook" */
	const struct lh_scope *scope;	/* others are as if they were not there; NULL: all */
};
/* Check at the start that the folder exists. */
int lh_index_named_check(const struct lh_index_named *in, struct lh_err *err);
/* Return the path of that name, to be freed.  LH_EDATA with 404 if there is no such file, and
 * with 503 if the folder cannot be read. */
char *lh_index_named_find(const struct lh_index_named *in, struct lh_str name, struct lh_err *err);
/* Turn an error in using the index at path into one that rejects the record: LH_ELOCKED,
 * LH_EIO and LH_ECORRUPT become LH_EDATA with 503, or with 404 if the file must exist and does
 * not by now.  Others are not changed.  Returns -1. */
int lh_index_named_error(const struct lh_index_named *in, const char *path, bool must_exist,
			 struct lh_err *err);

/* ---- building ---- */

/* Return the parameters.  model and dimension may be changed until the commit. */
struct lh_index_params *lh_index_writer_params(struct lh_index_writer *w);
/* Return the number of rows added so far. */
uint64_t lh_index_writer_count(const struct lh_index_writer *w);
/* Add a live row of another index, of the same dimension and distance, unless the writer has its
 * id: 1, or 0 if it has.  The vector is copied as it is stored if the writer stores it so. */
int lh_index_writer_take(struct lh_index_writer *w, const struct lh_index *ix, uint64_t at,
			 const struct lh_row *row, struct lh_err *err);
/* Report the progress of a commit: progress is called on the thread of the commit,
 * periodically and at the end, with the stage ("graph", "words" or "file"), the rows done and
 * the number of all rows. */
typedef void lh_index_progress_fn(void *ctx, const char *stage, uint64_t done, uint64_t of);
void lh_index_writer_watch(struct lh_index_writer *w, lh_index_progress_fn *progress,
			   void *ctx);

/* Do as lh_index_compact, and report its progress so. */
int lh_index_compact_watched(const char *path, unsigned jobs, double lock_timeout,
			     lh_index_progress_fn *progress, void *ctx, struct lh_err *err);

/* Say in an index that its records are persons: if it does not yet, it is compacted. */
int lh_index_set_persons(const char *path, unsigned jobs, double lock_timeout, struct lh_err *err);

/* Create an index without rows.  Returns 1, and changes nothing, if there is a file of that
 * name; one that appears meanwhile is not replaced either. */
int lh_index_create(const char *path, const struct lh_index_params *p, double lock_timeout,
		    struct lh_err *err);
/* Remove an index, then its log and what killed processes left of it.  Snapshots stay open.
 * Returns 1 if there is none.  After -1 the index is in place, or only its log or leftovers
 * are. */
int lh_index_remove(const char *path, double lock_timeout, struct lh_err *err);

/* Remove the locks of an index that a killed process left; those that are held stay. */
void lh_index_sweep_lock(const char *path);

/* Open an index as lh_index_open does, also one of an earlier format, to read its rows: it has no
 * graph then, and is neither searched nor changed. */
struct lh_index *lh_index_open_old(const char *path, struct lh_err *err);
/* The status of the error by which all others refuse such a file. */
#define LH_INDEX_OLD 503

/* ---- reading in the order of insertion ---- */

/* Read the i-th row in the order of insertion (of the put calls), i below lh_index_rows; *row
 * is set to its number.  Returns as lh_index_row. */
int lh_index_nth_row(const struct lh_index *ix, uint64_t i, uint64_t *row,
		     struct lh_row *out, struct lh_err *err);
/* Check the stored order of insertion, before all rows are read in that order: with a damaged
 * one a row would be read twice and another one not at all.  -1 with LH_ECORRUPT. */
int lh_index_check_order(const struct lh_index *ix, struct lh_err *err);
/* Verify the checksums and padding of an open file, which reads all of it, before its rows are
 * copied: the copy gets new checksums, which must not hide damage.  -1 with LH_ECORRUPT and the
 * first damage. */
int lh_index_check_sums(struct lh_index *ix, struct lh_err *err);
/* Verify the checksums of the ids, their hash and the metadata; reads all of them.
 * LH_ECORRUPT. */
int lh_index_check_texts(const struct lh_index *ix, struct lh_err *err);
/* The same where that takes a few milliseconds: nothing is checked where they have more than 32
 * MiB. */
int lh_index_check_few_texts(const struct lh_index *ix, struct lh_err *err);
/* Copy the metadata to copy and check it: JSON on one line, as it is part of a line wherever it
 * is written.  scan lends scratch memory.  LH_ECORRUPT with the row. */
int lh_index_check_row_meta(struct lh_record *scan, struct lh_buf *copy, struct lh_str meta,
			    uint64_t row, struct lh_err *err);

/* Follow all links from the entry of the graph, and those of all rows that were reached, and call
 * unreached (unless NULL) for each live row of the file that none leads to.  Rows of INDEX-log, and
 * all rows of a file without a graph, need no link: searches scan them.  Returns how many there
 * are. */
int64_t lh_index_unreached(const struct lh_index *ix, void (*unreached)(void *ctx, uint64_t row),
			   void *ctx);
/* Return whether the file has a graph. */
bool lh_index_has_graph(const struct lh_index *ix);

/* ---- searching by words ---- */

struct lh_index_words;
/* Create a searcher by words of a snapshot, for one thread; the words of rows still in the log
 * are indexed here.  LH_EUSAGE for an index without words (params.lexical).  ix must outlive
 * it. */
struct lh_index_words *lh_index_words_new(const struct lh_index *ix, struct lh_err *err);
void lh_index_words_free(struct lh_index_words *w);
/* Let the words of those rows count alone that the filter of `rows` allows, whose filter_cache is
 * used as long as it is set; filter_cache NULL: all rows count. */
int lh_index_words_of(struct lh_index_words *w, const struct lh_query *rows, struct lh_err *err);
struct lh_index_words_hit {
	double score;		/* BM25 */
	uint64_t row;
};
/* Write up to q->k hits for the words of text (UTF-8) to out, by descending score, ties by the
 * bytes of the id.  Filter and exclusions are those of q; its vector, ef and exact are ignored.
 * Returns the number of hits, or -1. */
long lh_index_words_search(struct lh_index_words *w, struct lh_query *q, struct lh_str text,
			   struct lh_index_words_hit *out, struct lh_err *err);
/* Return what the score of a row is below that has all words of the last search, even those that no
 * row has. */
double lh_index_words_most(const struct lh_index_words *w);

/* ---- changing ---- */

/* Return the parameters of the index. */
const struct lh_index_params *lh_index_change_params(const struct lh_index_change *c);
/* Gather a put, as lh_index_change_put does, but without effect if the id is live at the
 * commit. */
int lh_index_change_put_new(struct lh_index_change *c, const char *id, size_t id_len,
			    const float *vector, size_t n, const char *meta, size_t meta_len,
			    struct lh_err *err);
/* Discard what was gathered for the next commit. */
void lh_index_change_discard(struct lh_index_change *c);
/* Return the number of bytes gathered for the next commit. */
size_t lh_index_change_bytes(const struct lh_index_change *c);

/* Counts of all commits so far. */
struct lh_index_tally {
	uint64_t deleted;	/* deletes of a live id */
	uint64_t unknown;	/* deletes of an id that was not live */
	uint64_t added;		/* rows of lh_index_change_put_new that were added */
	uint64_t existing;	/* and those whose id was live already */
};
const struct lh_index_tally *lh_index_change_tally(const struct lh_index_change *c);

/* Commit as lh_index_change_commit does, unless the log is full (over twice the bounds for
 * compaction, and at least 2,000 records): then return 1 and keep the gathered changes for a
 * commit after lh_index_make_room.  This keeps writers from outrunning compaction. */
int lh_index_change_try(struct lh_index_change *c, bool *compaction_due,
			struct lh_err *err);
/* Take the index's lock for several commits, so that the index does not change between reading
 * it and committing.  Callers that lock two indexes must lock them in the same order
 * everywhere. */
int lh_index_change_hold(struct lh_index_change *c, struct lh_err *err);
void lh_index_change_release(struct lh_index_change *c);
/* Gather a put of a live row of ix with its vector as it is stored and other metadata ("{}":
 * none).  Another put of that id since ix was opened would be undone, so ix is opened or
 * renewed under lh_index_change_hold. */
int lh_index_change_put_meta(struct lh_index_change *c, const struct lh_index *ix, uint64_t row,
			     const char *meta, size_t meta_len, struct lh_err *err);
/* Check that metadata is not too long to be stored. */
int lh_index_check_meta(size_t meta_len, struct lh_err *err);
/* Compact after lh_index_change_try returned 1, or wait for the process that is compacting. */
int lh_index_make_room(const char *path, unsigned jobs, double lock_timeout,
		       struct lh_err *err);
/* Commit, after a compaction if the log is full: many writers would outrun compaction, and a
 * long log slows every search.  If the compaction fails, the changes are stored all the same,
 * and the next compaction reports why. */
int lh_index_change_in_turn(struct lh_index_change *c, const char *path, unsigned jobs,
			    double lock_timeout, bool *compaction_due, struct lh_err *err);

#endif
