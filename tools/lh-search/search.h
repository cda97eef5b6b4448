/*
 * search.h - shared by the files of lh-search.
 *
 *     main.c      options, the flow
 *     corpora.c   INDEX operands: names, opening, reopening
 *     state.c     the state that depends on files, reopened when they change
 *     query.c     reading a query record
 *     filters.c   a cache of recent filters
 *     search.c    the search of one query over its corpora
 *     hybrid.c    the ranking by words, fused with that by vectors
 *     playbook.c  boosts and injections by a playbook
 *     output.c    the answer as JSON
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <pthread.h>
#include <stdatomic.h>

#include <lh/metadata_filter.h>
#include "file/held.h"
#include "index/index_tools.h"
#include <lh/playbook.h>
#include "embed/embedder.h"
#include "tool/tool.h"

struct settings {
	uint64_t k, ef;
	bool exact, flat, no_metadata, auto_role, hybrid;
	const char *query, *playbook;
	struct lh_list where, exclude;
};

/* ---- corpora.c ---- */

struct corpus {
	char *name;
	const char *path;
	struct lh_index *ix;
	const struct lh_index_params *params;
	size_t engine_owner;		/* first corpus with the same engine, model and dimension */
	struct lh_stamp table;	/* for engine static */
	bool other_table;	/* not the table that was opened first */
	struct lh_buf json;	/* the name as a JSON string */
};

struct corpora {
	struct corpus *v;	/* operands sorted by the bytes of their names, ... */
	size_t n;
	size_t all;		/* ... then --playbook, if the file exists */
	struct lh_stamp absent;	/* of --playbook, if it does not exist */
	bool playbook;		/* --playbook is given */
};

/* Set the names only, including that of --playbook (NULL: not given). */
int corpora_name(struct corpora *c, char **operands, size_t n, const char *playbook,
		 struct lh_err *err);
void corpora_unname(struct corpora *c);
/* Open the files; names must outlive it.  Without before, a playbook that does not
 * exist is not opened; with it, what has not changed is shared. */
int corpora_open(struct corpora *c, const struct corpora *names, const struct corpora *before,
		 struct lh_err *err);
void corpora_close(struct corpora *c);
bool corpora_stale(const struct corpora *c);
bool corpora_same_engine(const struct corpus *a, const struct corpus *b);
/* Check that all can be searched by words. */
int corpora_have_words(const struct corpora *c, struct lh_err *err);
/* Return the number of a corpus, or -1. */
long corpora_find(const struct corpora *c, const char *name, size_t n);

/* ---- query.c ---- */

struct query {
	struct lh_str text;		/* p NULL: none */
	struct lh_value text_json;	/* as in the record */
	struct lh_str trace;		/* id for a service; n = 0: none */
	struct lh_value vector_json;
	const float *vector;		/* NULL: search by text */
	size_t dimension;
	uint64_t k, per_corpus_k;
	struct lh_value filter;		/* p NULL: not given */
	const struct lh_str *exclude;	/* ids */
	size_t n_exclude;
	const struct lh_str *name;	/* of corpora; none: all of them */
	size_t n_names;
	bool use_playbook;
	struct lh_str playbook;		/* name of the playbook's corpus; p NULL: not named */
	uint64_t playbook_top_k;
	double playbook_max, playbook_max_inject;	/* distances */
	struct lh_str role;		/* n = 0: none */
	bool role_made;			/* found by --auto-role */
};

struct query_reader {
	struct query q;
	struct lh_buf text, vector, role;
};

void query_reader_init(struct query_reader *r);
void query_reader_free(struct query_reader *r);
/* Read a query.  LH_EDATA for a member of the wrong type, and when there is nothing to
 * search by. */
int query_read(struct query_reader *r, const struct lh_record *rec, const struct settings *set,
	       struct lh_err *err);

/* ---- filters.c ---- */

struct cached_filter {			/* a filter, and its results for the rows of each corpus */
	struct lh_buf text;
	struct lh_filter_cache **verdicts;
	size_t users;			/* workers that use it */
	uint64_t taken;			/* when it was last used */
};

struct filters {		/* shared by the workers */
	pthread_mutex_t lock;
	atomic_uint others;		/* references, less one */
	struct cached_filter **v;
	size_t n, cap;
	size_t corpora;
	uint64_t clock;
};

struct filters *filters_new(size_t corpora, struct lh_err *err);
struct filters *filters_share(struct filters *f);
void filters_drop(struct filters *f);
/* Find or add the filter of that text; NULL with *err. */
struct cached_filter *filters_take(struct filters *f, const struct corpora *c,
				   const struct lh_value *v, struct lh_err *err);
void filters_give(struct filters *f, struct cached_filter *k);

/* ---- state.c ---- */

struct run {
	const struct settings *set;
	struct corpora names;
	struct lh_buf where;	/* the filter of --where */
};

struct search {			/* shared by the workers, until a file changes */
	const struct settings *set;
	const struct lh_buf *where;
	struct corpora corpora;
	struct filters *filters;
};

/* Return how a run holds its struct search. */
struct lh_held_how state_how(struct run *run);

/* ---- search.c ---- */

struct fused {			/* a hit of either ranking */
	uint64_t row;
	double score;
	size_t by_words;	/* rank by words, from 0; SIZE_MAX: none */
	float distance;
	bool measured;		/* the distance is set */
};

struct corpus_search {			/* a worker's search of one corpus */
	const struct corpus *corpus;
	struct lh_searcher *searcher;	/* created on first use */
	struct lh_hit *hit;
	size_t cap, n, at;		/* hits found; the next to be printed */
	bool chosen;			/* by the current query */
	uint64_t *excluded;		/* rows, sorted */
	size_t cap_excluded, n_excluded;
	float *vector;			/* the query's vector for this corpus */
	struct lh_index_words *words;	/* --hybrid: created on first use, ... */
	struct lh_index_words_hit *said;	/* ... its hits, ... */
	struct fused *fused;		/* ... and both rankings; the first n are in hit */
	size_t cap_said, cap_fused;
	struct lh_embedder *texts;		/* in an engine_owner: its engine, ... */
	struct lh_buf made;		/* ... the vector of the query's text, ... */
	bool embedded;			/* ... and whether that is made */
};

struct result {			/* a result */
	struct corpus_search *seat;
	uint64_t number;		/* row number */
	struct lh_row row;
	float distance;
	double score;			/* --hybrid */
	struct lh_str playbook;		/* entry that moved it; p NULL: none */
	bool injected;
	float original;			/* distance before that */
};

struct worker {
	const struct search *run;
	struct query_reader reader;
	struct corpus_search *seat;
	size_t n_seats;
	struct result *found;		/* results of the current query */
	size_t n_found, cap_found;
	struct lh_hit *remembered;	/* hits in the playbook */
	size_t cap_remembered;
	struct lh_buf entry, texts;	/* scratch: an entry, its strings */
	uint64_t boosted, injected;
	struct lh_filter *filter;	/* the last filter of a query, ... */
	struct cached_filter *kept;		/* ... and its cached results; NULL: none yet */
	struct lh_record scan;		/* scratch */
	struct lh_value where;
	uint64_t dropped;
};

/* Prefix a message about damage with the file's name; returns -1. */
int at_corpus(const struct corpus_search *s, struct lh_err *err);

/* Prepare a corpus for the current query. */
int set_vector(struct worker *w, struct corpus_search *s, struct lh_err *err);
int set_searcher(struct corpus_search *s, struct lh_err *err);
/* Return whether a row may be a result, neither filtered out nor excluded: 1, 0, -1. */
int may_answer(struct worker *w, const struct corpus_search *s, uint64_t row,
	       const struct lh_row *r, struct lh_err *err);

/* Callbacks of the flow: context and map. */
int worker_init(void *context, void *run, struct lh_err *err);
void worker_free(void *worker);
int worker_renew(void *worker, void *search, struct lh_err *err);
int on_query(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err);

/* ---- hybrid.c ---- */

/* Return how many hits of each ranking are fused for k. */
size_t hybrid_depth(size_t k);
/* Search by words too, and fuse with the hits by vector: the best k of both are left. */
int hybrid_fuse(struct corpus_search *s, struct lh_query *q, struct lh_str text, size_t k,
		struct lh_err *err);

/* Compare two hits of any corpora; 0: they are equal. */
int hybrid_cmp(const struct fused *a, const struct fused *b);

/* ---- playbook.c ---- */

/* Boost and inject rows by the query's playbook. */
int use_playbook(struct worker *w, struct lh_err *err);

/* ---- output.c ---- */

/* Print what the worker found. */
int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out,
		 struct lh_err *err);
int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err);

#endif
