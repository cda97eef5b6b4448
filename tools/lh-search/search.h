/*
 * search.h - shared by the files of lh-search.
 *
 *     main.c      options, the flow
 *     given.c     the operands: indexes in S3, by local copies; files of records, by indexes of
 *                 them; the text
 *     shown.c     the answer as a table on a terminal
 *     names.c     the names of corpora: INDEX operands, folders, playbooks
 *     corpora.c   the open indexes
 *     state.c     the state that depends on files, reopened when they change
 *     query.c     reading a query record
 *     filters.c   a cache of the recent filters of an index
 *     absent.c    keys of filters that no record has
 *     seats.c     what a worker keeps for each corpus
 *     engines.c   the embedding of a query's text
 *     like.c      a search by records in place of one by text
 *     search.c    the search of one query over its corpora
 *     hybrid.c    the ranking by words, merged with that by vectors
 *     limits.c    --budget, --timeout, --explain
 *     playbook.c  boosts and injections by a playbook
 *     rerank.c    the order of a cross-encoder
 *     reread.c    the order of a model, which reads the best of a file again
 *     decide.c    a row in the log of decisions
 *     output.c    the answer as JSON
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "filter/scope.h"
#include "base/table.h"
#include "json/bind.h"
#include "file/held.h"
#include "filesearch/filesearch.h"
#include "index/index_tools.h"
#include "lineage/person_ids.h"
#include "memory/playbook.h"
#include "embed/embedder.h"
#include "rerank/reranker.h"
#include "observe/observe.h"
#include "store/store.h"
#include "memory/sought.h"
#include "tool/op.h"

struct settings {
	uint64_t k, offset, ef;
	double max_distance, min_score;	/* INFINITY, -INFINITY: none */
	uint64_t budget;	/* rows measured for a query; 0: any number */
	double timeout;		/* seconds of a query; 0: any */
	bool exact, flat, no_metadata, auto_role, hybrid, explain;
	bool wire, playbook_optional, ignore_unknown, attribute;
	bool no_cache, whole, words, passages, matched;
	bool look;		/* without hybrid, look whether a record has a word of the query */
	double read_within;	/* seconds that a model may read a file */
	bool divided;		/* rows of a file may be passages */
	bool lines;		/* each line of a text is a record */
	char *reads;		/* the model that reads files; NULL: none */
	const char *reader;	/* the same if it reads the best again */
	const char *field, *template, *id_field;	/* of files of records; or NULL */
	const char *query, *playbook, *playbooks;
	const char *model, *query_prefix;	/* for engine gguf; or NULL */
	const char *rerank, *rerank_url, *rerank_field;	/* NULL: not given */
	uint64_t rerank_depth;	/* 0: not given */
	struct lh_list where, exclude, like, persons;
	struct lh_decisions_how decisions;
	bool shown, shown_id;	/* the answer is a table, with a column for the id */
};

struct worker;

/* ---- given.c ---- */

/* The operands, with local copies in place of indexes in S3. */
struct fetched {
	char **operands;		/* as many as the tool's */
	struct lh_object_copies copies;
};

/* Copy what the operands and --playbook name. */
int fetched_open(struct fetched *f, struct settings *set, struct lh_tool *tool);
void fetched_close(struct fetched *f);

/* What is made of operands that are files of records. */
struct given {
	struct lh_filesearch *file;
	char **operand;			/* NAME=INDEX, in place of it */
	size_t n;
};

/* Take the last operand as the text, unless -Q gives one or it is a file. */
int given_text(struct lh_tool *tool, struct settings *set);
/* Replace the operands that are files of records by indexes of them, and say what was chosen. */
int given_open(struct given *g, char **operands, size_t *n, struct settings *set,
	       struct lh_tool *tool);
/* Remove what is not kept, once the indexes are open. */
void given_close(struct given *g);
/* Add to an error that a file does not exist how a text is given. */
int given_hint(const char *path, struct lh_err *err);

/* ---- shown.c ---- */

/* Append the records found, a line each. */
void print_shown(struct worker *w, struct lh_buf *out);
/* Show them, the words of the text marked. */
int show(struct lh_tool *tool, const struct lh_buf *lines, const char *text);

/* ---- names.c ---- */

#define NAME_RULE "1 to 128 of A-Z, a-z, 0-9, _, . and -, the first not a dot"

struct name {			/* of a corpus or playbook */
	char *text, *path;
	struct lh_buf json;	/* the text as a JSON string */
	bool lazy;		/* in a folder: opened when a query first needs it */
	bool alone;		/* if it fails, only the queries that need it do, with 502 */
};

struct folder {
	const char *path;
	struct lh_stamp stamp;
};

struct names {			/* shared by the states until a folder changes */
	atomic_uint others;	/* references, less one */
	struct name *v;		/* of corpora, sorted by their bytes, ... */
	size_t n;
	size_t all;		/* ... then of playbooks, likewise */
	struct folder *folder;
	size_t n_folders, cap, cap_folders;
	bool wire, again;	/* --wire; read again, for a later state */
};

struct looked_up {		/* corpora and keys that were reported; shared by the workers */
	pthread_mutex_t lock;
	struct lh_intern pairs;
};

struct run {
	struct lh_tool *tool;
	const struct settings *set;
	char **operands;		/* those of fetched */
	size_t n_operands;
	struct fetched fetched;
	struct lh_buf where;	/* the filter of --where */
	struct looked_up looked_up;
	struct lh_decisions *decisions;	/* or NULL */
	struct lh_reranker *reranker;	/* or NULL */
	struct lh_vocabularies *known;	/* of --auto-role */
};

/* Read the names of all operands, of --playbook and of --playbooks. */
struct names *names_new(const struct run *run, bool again, struct lh_err *err);
struct names *names_share(struct names *l);
void names_drop(struct names *l);
/* Return whether a folder has changed. */
bool names_stale(const struct names *l);
/* Return the number of a name, or -1. */
long names_find(const struct names *l, struct lh_str text);
long names_find_playbook(const struct names *l, struct lh_str text);
/* Return the number in l of name i of another list, if it has the same path, or -1. */
long names_find_same(const struct names *l, const struct names *of, size_t i);

/* Return the number of the name of a corpus that the query may be about, or -1. */
long names_find_in(const struct names *l, const struct lh_scope *scope, struct lh_str text);

/* ---- filters.c ---- */

struct cached_filter {			/* a filter, and its results for the rows of an index */
	struct lh_buf text;
	struct lh_filter_cache *verdicts;
	size_t users;			/* workers that use it */
	uint64_t taken;			/* when it was last used */
};

struct filters {		/* shared by the workers */
	pthread_mutex_t lock;
	struct cached_filter **v;
	size_t n, cap;
	uint64_t clock;
};

void filters_init(struct filters *f);
void filters_free(struct filters *f);
/* Find or add the filter of that text; NULL with *err. */
struct cached_filter *filters_take(struct filters *f, const struct lh_index *ix,
				   const struct lh_value *v);
void filters_give(struct filters *f, struct cached_filter *k);

/* ---- corpora.c ---- */

struct known_keys {		/* of filters: those that an index has or lacks */
	pthread_mutex_t lock;
	struct lh_intern has, lacks;
};

struct opened {			/* an open index, shared by the states that have its snapshot */
	atomic_uint others;		/* references, less one */
	struct lh_index *ix;
	const struct lh_index_params *params;
	struct lh_buf engine;	/* the same for corpora whose texts are embedded alike */
	atomic_bool damaged;	/* that was reported */
	atomic_int persons;	/* 0: not known, 1: it is not of persons, 2: it is */
	struct filters filters;
	struct known_keys keys;
};

struct corpora {
	struct names *names;
	struct opened *_Atomic *v;	/* of each name; NULL: not open */
	struct lh_stamp absent;		/* of --playbook, if it does not exist */
};

/* Open what is not lazy.  What has not changed since before (or NULL) is shared; close it
 * even after a failure. */
int corpora_open(struct corpora *c, const struct run *run, const struct corpora *before,
		 struct lh_err *err);
void corpora_close(struct corpora *c);
bool corpora_stale(const struct corpora *c);
/* Return an open index, which is opened now if need be; on any thread. */
struct opened *corpora_get(const struct corpora *c, size_t i, struct lh_err *err);
/* Check that all that are open can be searched by words. */
int corpora_have_words(const struct corpora *c, struct lh_err *err);
/* Make the failure of a corpus one of the query, without its path, if it is alone. */
int name_failed(const struct name *c, struct lh_err *err);

/* ---- query.c ---- */

struct query {
	struct lh_str text;		/* p NULL: none */
	struct lh_value text_json;	/* as in the record */
	struct lh_str trace;		/* id for a service; n = 0: none */
	struct lh_value vector_json;
	struct lh_value id;		/* not used */
	struct lh_value query_id;	/* p NULL: not given */
	struct lh_value model;		/* that made the vector; p NULL: not named */
	const float *vector;		/* NULL: search by text */
	size_t dimension;
	uint64_t k, per_corpus_k;
	uint64_t offset;
	uint64_t wanted;		/* k and offset: the k of the search may be deeper */
	double max_distance, min_score;
	struct lh_value filter;		/* p NULL: not given */
	struct lh_scope scope;		/* what it may be about */
	struct lh_value both;		/* its filter, joined with that of the scope by "and" */
	const struct lh_str *where;	/* its conditions as texts */
	size_t n_where;
	struct lh_value like_json;	/* p NULL: not given */
	const struct lh_str *like;	/* ids, or CORPUS/ID, whose vectors are the query's */
	size_t n_like;
	const struct lh_str *exclude;	/* ids */
	size_t n_exclude;
	const struct lh_str *name;	/* of corpora; none: all of them */
	size_t n_names;
	uint64_t budget, timeout_ms;	/* UINT64_MAX, 0: not given */
	struct lh_value explain;	/* true: it is wanted */
	struct lh_str index;		/* --wire: the one to search by vector; p NULL: none */
	bool use_playbook;
	struct lh_str playbook;		/* name of the playbook's corpus; p NULL: not named */
	uint64_t playbook_top_k;
	double playbook_max, playbook_max_inject;	/* distances */
	struct lh_str role;		/* n = 0: none */
};

/* The members of a query; of one with --wire. */
extern const struct lh_bind query_members[], wire_members[];

struct query_reader {
	struct query q;
	const struct lh_bind *members;	/* that a query may have */
	struct lh_sought sought;		/* by the text (--auto-role) */
	struct lh_buf text, vector, both, where, like;
	struct lh_str *liked;
	size_t cap_liked;
	struct lh_record scan;		/* of where */
};

void query_reader_init(struct query_reader *r, const struct settings *set);
void query_reader_free(struct query_reader *r);
/* Read a query.  LH_EDATA for a member of the wrong type, for one that is unknown with --wire
 * and --flat, which do not write it back, and when there is nothing to search by. */
int query_read(struct query_reader *r, const struct lh_record *rec, const struct settings *set,
	       struct lh_err *err);

/* ---- state.c ---- */

struct search {			/* shared by the workers, until a file changes */
	struct lh_tool *tool;
	const struct settings *set;
	const struct lh_buf *where;
	struct looked_up *looked_up;
	struct lh_decisions *decisions;
	struct lh_reranker *reranker;
	struct lh_vocabularies *known;
	struct corpora corpora;
};

/* Return how a run holds its struct search. */
struct lh_held_how state_how(struct run *run);

/* ---- engines.c ---- */

struct engine {			/* a worker's, for all corpora with the same opened.engine */
	struct engine *next;
	struct lh_buf key;
	size_t users;			/* seats */
	struct lh_embedder *texts;
	struct lh_buf made;		/* the vector of a text, ... */
	uint64_t query;			/* ... that of this query; 0: none */
};

struct worker;
struct corpus_search;
/* Set the vector of a corpus to that of the query's text. */
int embed(struct worker *w, struct corpus_search *s, struct lh_err *err);
void engine_give(struct worker *w, struct engine *e);	/* NULL: does nothing */

/* ---- like.c ---- */

/* Find the records that the query names in place of a text or a vector, and set its vector. */
int use_liked(struct worker *w, struct lh_err *err);
/* Return whether a corpus has vectors of the same kind as these records. */
bool is_alike(const struct worker *w, const struct corpus_search *s);

/* ---- seats.c ---- */

struct fused {			/* a hit of either ranking */
	uint64_t row;
	double score, words;	/* words: their part of it */
	size_t by_words;	/* rank by words, from 0; SIZE_MAX: none */
	float distance;
	bool measured;		/* the distance is set */
};

struct corpus_search {			/* a worker's search of one corpus */
	const struct name *name;
	struct opened *open;	/* NULL: not used yet, and so are the next five */
	struct lh_searcher *searcher;
	struct lh_index_words *words;	/* --hybrid */
	struct engine *engine;
	struct cached_filter *kept;	/* of the worker's filter of that number, ... */
	uint64_t kept_number;
	struct cached_filter *scoped;	/* of the scope's filter, whose records' words count */
	float *vector;			/* the query's vector for this corpus */
	uint64_t query;			/* the last query that chose it */
	size_t taken;			/* results so far */
	struct lh_hit *hit;
	size_t cap, n, at;		/* hits found; the next to be printed */
	uint64_t *excluded;		/* rows, sorted */
	size_t cap_excluded, n_excluded;
	struct lh_search_work work;	/* what the query's search did here */
	struct lh_index_words_hit *said;	/* --hybrid: hits by words, ... */
	struct fused *fused;		/* ... and both rankings; the first n are in hit */
	size_t n_fused, cap_said, cap_fused;
	float nearest, farthest;	/* --hybrid: of the hits by vector, ... */
	bool alone;			/* ... whose ranking counts alone */
};

struct result {			/* a result */
	struct corpus_search *seat;
	uint64_t number;		/* row number */
	struct lh_row row;
	float distance;
	double score;			/* --hybrid, ... */
	size_t by_words;		/* ... and what decides between equal ones */
	double rerank;			/* --rerank */
	struct lh_str playbook;		/* entry that moved it; p NULL: none */
	bool injected;
	float original;			/* distance before that */
};

struct liked {			/* a record whose vector is that of the query */
	struct corpus_search *seat;
	uint64_t row;
};

struct limits {			/* of the current query */
	uint64_t rows;		/* that may still be measured; UINT64_MAX: any number */
	int64_t deadline_ns;	/* of CLOCK_MONOTONIC; 0: none */
	bool reached;		/* one of them ended the search first */
};

struct worker {
	const struct search *run;
	struct query_reader reader;
	uint64_t query;			/* counts the queries, from 1 */
	struct corpus_search *seat;	/* of each name, in their order */
	size_t n_seats;
	struct corpus_search **chosen;	/* by the current query, in the order of seats */
	size_t n_chosen, cap_chosen;
	struct corpus_search **left_out;	/* of those: they cannot embed its text */
	size_t n_left_out, cap_left_out;
	struct liked *liked;		/* by the current query */
	size_t n_liked, cap_liked;
	struct engine *engines;
	struct result *found;		/* results of the current query */
	size_t n_found, cap_found;
	struct lh_hit *remembered;	/* hits in the playbook */
	size_t cap_remembered;
	struct lh_buf entry, texts;	/* scratch: an entry, its strings */
	const struct corpus_search *asked;	/* the playbook of the current query, or NULL */
	struct lh_buf row;		/* scratch: a decision */
	struct reranking *reranking;	/* scratch of rerank.c */
	bool model_failed;		/* that was reported */
	struct lh_embedder *model;	/* that of reread.c; NULL: not started */
	struct lh_persons_used used;	/* --attribute */
	uint64_t boosted, injected;
	bool looked, matched;		/* for the words of the text; a record has one */
	const char *nearest_by;		/* what the vectors are of, if words were looked for */
	struct limits limits;
	struct lh_filter *filter;	/* the last filter of a query, ... */
	uint64_t filter_number;		/* ... counted from 1; 0: none yet */
	uint64_t filters_made;
	struct lh_filter *own;		/* that of the query alone, if there is one of the scope */
	struct lh_filter *scope;	/* that of the scope; NULL: it is of all records */
	struct lh_record scan;		/* scratch */
	struct lh_value where;
	uint64_t dropped;
};

/* Return whether a record is in the scope of the query. */
static inline bool is_in_scope(struct worker *w, const struct lh_row *row)
{
	struct lh_err unused;

	return !w->scope || lh_filter_match(w->scope, row->meta.p, row->meta.n, &unused) > 0;
}

/* Order chosen corpora by their names. */
static inline int by_seat(const void *a, const void *b)
{
	const struct corpus_search *x = *(struct corpus_search *const *)a,
				   *y = *(struct corpus_search *const *)b;

	return x < y ? -1 : x > y;
}

/* Create, free and move the seats of a worker. */
void seats_init(struct worker *w);
void seats_free(struct worker *w);
void seats_renew(struct worker *w, const struct search *is);
/* Prepare a seat: open its index, set the query's vector for it, create its searcher. */
int seat_open(struct worker *w, struct corpus_search *s, struct lh_err *err);
/* Check that the query does not name another model than the open index has: 409. */
int check_model(const struct worker *w, const struct corpus_search *s, struct lh_err *err);
int set_vector(struct worker *w, struct corpus_search *s, struct lh_err *err);
int set_searcher(struct corpus_search *s, struct lh_err *err);
/* Report damage by the name of the file, or as a failure of the corpus; returns -1. */
int at_corpus(const struct corpus_search *s, struct lh_err *err);
int damaged_row(const struct corpus_search *s, uint64_t row, const char *what, struct lh_err *err);

/* ---- absent.c ---- */

/* Write the member that names the values of the query's filter that no record has, if nothing was
 * found. */
void print_unmatched(struct worker *w, struct lh_writer *to);

void looked_up_init(struct looked_up *l);
void looked_up_free(struct looked_up *l);
void known_keys_init(struct known_keys *k);
void known_keys_free(struct known_keys *k);
/* Refuse a key of the query's filter that no record of the corpora asked has, while one of them has
 * records (400); report each corpus that lacks one, once. */
int check_keys(struct worker *w, struct lh_err *err);

/* ---- search.c ---- */

/* Return whether a row may be a result, neither filtered out nor excluded: 1, 0, -1. */
int may_answer(struct worker *w, const struct corpus_search *s, uint64_t row,
	       const struct lh_row *r, struct lh_err *err);

/* Callbacks of the flow: context and map. */
int worker_init(void *context, void *run, struct lh_err *err);
void worker_free(void *worker);
int worker_renew(void *worker, void *search, struct lh_err *err);
int on_query(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err);

/* Return whether a distance, as it is printed, is one that the query asks for. */
static inline bool is_near(const struct worker *w, float distance)
{
	return distance <= (float)w->reader.q.max_distance;
}

/* ---- hybrid.c ---- */

/* Return how many hits of each ranking are looked for, to merge them for k. */
size_t hybrid_depth(size_t k);
/* Search by words too, unless there is no text or it is a job order, and merge with the hits by
 * vector: the best per_corpus_k of both are left, or all if some may be too far.  q->dropped is
 * that of the words. */
int hybrid_fuse(struct worker *w, struct corpus_search *s, struct lh_query *q, struct lh_err *err);

/* Look whether a record has a word of the query's text. */
int hybrid_look(struct worker *w, struct corpus_search *s, const struct lh_query *q,
		struct lh_err *err);

/* Return the score of a row of a corpus at that distance, which a playbook may have changed. */
double hybrid_score(const struct corpus_search *s, uint64_t row, double distance);
/* Compare two hits of any corpora; 0: they are equal. */
int hybrid_cmp(const struct fused *a, const struct fused *b);

/* ---- limits.c ---- */

/* Set the limits of the query that was read; its time begins. */
void limits_begin(struct worker *w);
/* Return whether the time is over, or nothing more may be measured, and note that this ended
 * the search. */
bool limits_late(struct limits *l);
bool limits_reached(struct limits *l);
/* Count rows that were measured. */
void limits_spend(struct limits *l, uint64_t rows);
/* Search a corpus by vector as far as the limits allow, as lh_index_search does. */
long limits_search(struct worker *w, struct corpus_search *s, struct lh_query *q,
		   struct lh_hit *hit, struct lh_err *err);
/* Write what the search did, if the query is to be explained. */
void print_explain(const struct worker *w, struct lh_writer *to);

/* ---- playbook.c ---- */

/* Boost and inject rows by the query's playbook. */
int use_playbook(struct worker *w, struct lh_err *err);

/* Count the results that it boosted and injected. */
void count_playbook(struct worker *w);

/* ---- rerank.c ---- */

/* Check the options of reranking, and open the model or service that they name, if any. */
int rerank_open(struct run *run, struct settings *set);
/* Put what the worker found in the order of the cross-encoder. */
int rerank(struct worker *w, struct lh_err *err);
void reranking_free(struct reranking *s);	/* NULL: does nothing */

/* ---- reread.c ---- */

#define REREAD_DEPTH 100	/* results that a model reads again */
/* Put what the worker found in the order of the model that reads it, and of the words. */
int reread(struct worker *w, struct lh_err *err);

/* ---- decide.c ---- */

/* Append what the worker found to the log of decisions. */
int decide(struct worker *w, struct lh_err *err);

/* ---- output.c ---- */

/* Return the id of the record that a row is a passage of. */
static inline struct lh_str record_id(struct lh_str row)
{
	const char *sign = memrchr(row.p, LH_PASSAGE_SIGN, row.n);

	return (struct lh_str){ row.p, sign ? (size_t)(sign - row.p) : row.n };
}
/* Return where the member with the passage begins in the metadata of a row, before its comma,
 * and set *passage to its value; without one, where the last sign of the metadata is. */
size_t passage_in(const struct worker *w, struct lh_str meta, struct lh_str *passage);

/* Note whose data the query has used: what it found, and whom it names. */
void note_used(struct worker *w);
/* Print what the worker found. */
int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out,
		 struct lh_err *err);
int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err);
int print_wire(struct worker *w, struct lh_buf *out, struct lh_err *err);

#endif
