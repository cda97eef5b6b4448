/*
 * search.h - what the parts of lh-search share.
 *
 *     main.c      options, the loop
 *     corpora.c   INDEX operands: names, opening, and opening again
 *     state.c     what is held of files, and what is made of it
 *     query.c     a query record: what it asks for
 *     filters.c   the filters that queries came with of late
 *     search.c    the search of one query over its corpora
 *     hybrid.c    the ranking by words, fused with that by vectors
 *     playbook.c  what a playbook does to the hits
 *     output.c    the answer as JSON
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <pthread.h>
#include <stdatomic.h>

#include <lh/metadata_filter.h>
#include "file/held.h"
#include <lh/index.h>
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
	struct lh_stamp table;	/* of engine static */
	bool other_table;	/* not the one that was there at first */
	struct lh_buf json;	/* ,"corpus":NAME as it stands in a hit */
};

struct corpora {
	struct corpus *v;	/* the operands, sorted by the bytes of their names, ... */
	size_t n;
	size_t all;		/* ... and behind them --playbook, if it is there */
	struct lh_stamp absent;	/* of --playbook, if it is not */
	bool playbook;		/* there is that option */
};

/* The names alone, of --playbook as well (NULL: none was given). */
int corpora_name(struct corpora *c, char **operands, size_t n, const char *playbook, struct lh_err *err);
void corpora_unname(struct corpora *c);
/* What they lead to; names outlives it.  before NULL: then a playbook that does
 * not exist is not opened; else what has not changed since is shared. */
int corpora_open(struct corpora *c, const struct corpora *names, const struct corpora *before, struct lh_err *err);
void corpora_close(struct corpora *c);
bool corpora_stale(const struct corpora *c);
bool corpora_same_engine(const struct corpus *a, const struct corpus *b);
/* Can all of them be searched by words? */
int corpora_have_words(const struct corpora *c, struct lh_err *err);
/* Its number, or -1. */
long corpora_find(const struct corpora *c, const char *name, size_t n);

/* ---- query.c ---- */

struct query {
	struct lh_str text;		/* p NULL: none */
	struct lh_value text_json;	/* the text as it is in the record */
	struct lh_str trace;		/* id to ask a service by; n = 0: none */
	struct lh_value vector_json;
	const float *vector;		/* NULL: search by text */
	size_t dimension;
	uint64_t k, per_corpus_k;
	struct lh_value filter;		/* p NULL: not given */
	const struct lh_str *exclude;	/* ids */
	size_t n_exclude;
	const struct lh_str *name;	/* of corpora; none: all */
	size_t n_names;
	bool use_playbook;
	struct lh_str playbook;		/* the corpus that it is; p NULL: not named */
	uint64_t playbook_top_k;
	double playbook_max, playbook_max_inject;	/* distances */
	struct lh_str role;		/* n = 0: none */
	bool role_made;			/* by --auto-role */
};

struct query_reader {
	struct query q;
	struct lh_buf text, vector, role;
};

void query_reader_init(struct query_reader *r);
void query_reader_free(struct query_reader *r);
/* LH_EDATA when a member has the wrong type or there is nothing to search by. */
int query_read(struct query_reader *r, const struct lh_record *rec, const struct settings *set, struct lh_err *err);

/* ---- filters.c ---- */

struct cached_filter {			/* a filter, and what it said of each corpus's rows */
	struct lh_buf text;
	struct lh_filter_cache **verdicts;
	size_t users;			/* workers that have it */
	uint64_t taken;			/* when it was last asked for */
};

struct filters {		/* shared by the workers */
	pthread_mutex_t lock;
	atomic_uint others;		/* states that share it, but one */
	struct cached_filter **v;
	size_t n, cap;
	size_t corpora;
	uint64_t clock;
};

struct filters *filters_new(size_t corpora, struct lh_err *err);
struct filters *filters_share(struct filters *f);
void filters_drop(struct filters *f);
/* The one of that very text, made if it is not there; NULL and *err. */
struct cached_filter *filters_take(struct filters *f, const struct corpora *c, const struct lh_value *v, struct lh_err *err);
void filters_give(struct filters *f, struct cached_filter *k);

/* ---- state.c ---- */

struct run {
	const struct settings *set;
	struct corpora names;
	struct lh_buf where;	/* the filter that --where stands for */
};

struct search {			/* what the workers share, until a file changes */
	const struct settings *set;
	const struct lh_buf *where;
	struct corpora corpora;
	struct filters *filters;
};

/* How a run holds its struct search. */
struct lh_held_how state_how(struct run *run);

/* ---- search.c ---- */

struct fused {			/* a hit of either ranking */
	uint64_t row;
	double score;
	size_t by_words;	/* its rank there, from 0; SIZE_MAX: none */
	float distance;
	bool measured;		/* the distance is there */
};

struct corpus_search {			/* a worker's place at one corpus */
	const struct corpus *corpus;
	struct lh_searcher *searcher;	/* made when first needed */
	struct lh_hit *hit;
	size_t cap, n, at;		/* hits found; the next to be printed */
	bool chosen;			/* by the query at hand */
	uint64_t *excluded;		/* rows, sorted */
	size_t cap_excluded, n_excluded;
	float *vector;			/* what this corpus is searched by */
	struct lh_index_words *words;	/* --hybrid: made when first needed, ... */
	struct lh_index_words_hit *said;	/* ... what it found, ... */
	struct fused *fused;		/* ... and both rankings; the first n are hit */
	size_t cap_said, cap_fused;
	struct lh_embedder *texts;		/* of a engine_owner: its engine, ... */
	struct lh_buf made;		/* ... the vector of the query's text, ... */
	bool embedded;			/* ... and whether it is there yet */
};

struct result {			/* a result */
	struct corpus_search *seat;
	uint64_t number;		/* of the row */
	struct lh_row row;
	float distance;
	double score;			/* --hybrid */
	struct lh_str playbook;		/* the entry that touched it; p NULL: none did */
	bool injected;
	float original;			/* distance before that */
};

struct worker {
	const struct search *run;
	struct query_reader reader;
	struct corpus_search *seat;
	size_t n_seats;
	struct result *found;		/* results of the query at hand */
	size_t n_found, cap_found;
	struct lh_hit *remembered;	/* hits in the playbook */
	size_t cap_remembered;
	struct lh_buf entry, texts;	/* one of them, and its texts unescaped */
	uint64_t boosted, injected;
	struct lh_filter *filter;	/* the last that a query came with, ... */
	struct cached_filter *kept;		/* ... and what is known of it; NULL before that */
	struct lh_record scan;		/* lends its scratch */
	struct lh_value where;
	uint64_t dropped;
};

/* Put the file's name before the text of a damage; returns -1. */
int at_corpus(const struct corpus_search *s, struct lh_err *err);

/* Ready a seat for a search by the query at hand. */
int set_vector(struct worker *w, struct corpus_search *s, struct lh_err *err);
int set_searcher(struct corpus_search *s, struct lh_err *err);
/* May this row of a seat answer, neither filtered out nor excluded?  1, 0, -1. */
int may_answer(struct worker *w, const struct corpus_search *s, uint64_t row, const struct lh_row *r, struct lh_err *err);

/* Worker and map of the flow. */
void *worker_new(void *run, struct lh_err *err);
void worker_free(void *worker);
int worker_renew(void *worker, void *search, struct lh_err *err);
int on_query(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err);

/* ---- hybrid.c ---- */

/* How many hits of each ranking are fused to k. */
size_t hybrid_depth(size_t k);
/* The seat holds the hits of q by vector: search the text by words as well, and
 * leave the best k of both. */
int hybrid_fuse(struct corpus_search *s, struct lh_query *q, struct lh_str text, size_t k, struct lh_err *err);

/* Which of two comes first, whatever corpora they are of; 0: they are alike. */
int hybrid_cmp(const struct fused *a, const struct fused *b);

/* ---- playbook.c ---- */

/* Boost and inject, by what the query's playbook remembers. */
int use_playbook(struct worker *w, struct lh_err *err);

/* ---- output.c ---- */

/* What the worker found. */
int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out, struct lh_err *err);
int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err);

#endif
