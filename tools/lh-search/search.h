/*
 * search.h - what the parts of lh-search share.
 *
 *     main.c      options, the loop
 *     corpora.c   INDEX operands: names, opening
 *     query.c     a query record: what it asks for
 *     search.c    the search of one query over its corpora
 *     output.c    the answer as JSON
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "lh_filter.h"
#include "lh_lhv.h"
#include "lh_texts.h"
#include "lh_tool.h"

struct settings {
	uint64_t k, ef;
	bool exact, flat, no_metadata;
	const char *query;
	struct lh_list where, exclude;
};

/* ---- corpora.c ---- */

struct corpus {
	char *name;
	const char *path;
	struct lh_lhv *ix;
	const struct lh_lhv_params *params;
	size_t twin;		/* first corpus with the same engine, model and dimension */
	struct lh_buf json;	/* ,"corpus":NAME as it stands in a hit */
};

struct corpora {		/* sorted by the bytes of their names */
	struct corpus *v;
	size_t n;
};

int corpora_open(struct corpora *c, char **operands, size_t n, struct lh_err *err);
void corpora_close(struct corpora *c);
/* Its number, or -1. */
long corpora_find(const struct corpora *c, const char *name, size_t n);

/* ---- query.c ---- */

struct query {
	struct lh_str text;		/* p NULL: none */
	struct lh_value text_json;	/* the text as it stands in the record */
	const float *vector;		/* NULL: search by text */
	size_t dimension;
	uint64_t k, per_corpus_k;
	const struct lh_value *filter, *exclude;	/* NULL: not given */
	bool use_playbook;
	const struct lh_value *names;	/* of corpora; NULL: all */
};

struct query_reader {
	struct query q;
	struct lh_buf text, vector;
};

void query_reader_init(struct query_reader *r);
void query_reader_free(struct query_reader *r);
/* LH_EDATA when a member has the wrong type or there is nothing to search by. */
int query_read(struct query_reader *r, const struct lh_record *rec, uint64_t k, struct lh_err *err);

/* ---- search.c ---- */

struct search {			/* one run: what the workers share */
	const struct settings *set;
	struct corpora corpora;
	struct lh_buf where;	/* the filter that --where stands for */
};

struct seat {			/* a worker's place at one corpus */
	const struct corpus *corpus;
	struct lh_searcher *searcher;	/* made when first needed */
	struct lh_hit *hit;
	size_t cap, n, at;		/* hits found; the next to be printed */
	bool chosen;			/* by the query at hand */
	uint64_t *excluded;		/* rows, sorted */
	size_t cap_excluded, n_excluded;
	struct lh_filter *filter;	/* of the query, borrowed; NULL: none */
	uint8_t *verdict;		/* per row: round << 1 | allowed */
	unsigned round;
	float *vector;			/* what this corpus is searched by */
	struct lh_texts *texts;		/* of a twin: its engine, ... */
	struct lh_buf made;		/* ... the vector of the query's text, ... */
	bool embedded;			/* ... and whether it is there yet */
};

struct worker {
	const struct search *run;
	struct query_reader reader;
	struct seat *seat;
	struct lh_filter *filter;
	struct lh_record scan;		/* lends its scratch */
	struct lh_value where;
	struct lh_buf scratch;
	uint64_t dropped;
};

/* Put the file's name before the text of a damage; returns -1. */
int at_corpus(const struct seat *s, struct lh_err *err);

/* Worker and map of the flow. */
void *worker_new(void *run, struct lh_err *err);
void worker_free(void *worker);
int on_query(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err);

/* ---- output.c ---- */

/* The answer to the query: what the seats hold, merged, at most k. */
int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out, struct lh_err *err);
int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err);

#endif
