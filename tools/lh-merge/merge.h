/*
 * merge - the parts of lh-merge, which joins the answers of several searches into one.
 *
 *     main.c     options; which of the two ways
 *     lines.c    the answers of a file, one after the other: query, hits, counters
 *     combine.c  several answers to one query as one
 *     join.c     which belong together: of FILE operands the i-th answers of all, of standard
 *                input those to the same query
 */
#ifndef MERGE_H
#define MERGE_H

#include "base/table.h"
#include "flow/flow.h"
#include "json/bind.h"
#include "json/write.h"
#include "tool/op.h"

#define K_MAX 10000
#define SUMS_MAX INT64_MAX	/* of a counter */

struct settings {
	uint64_t k;
	uint64_t expect;	/* answers to each query; 0: not known */
	const char *corpus;	/* name for the corpora of all hits, or NULL */
};

/* ---- lines.c ---- */

/* The members of an answer. */
extern const struct lh_bind answer_members[];

/* Members of an answer that are added up, in the order in which lh-search writes them. */
enum counter {
	PER_CORPUS_COUNTS,	/* an object of numbers; the others are numbers */
	FILTER_DROPPED, PLAYBOOK_BOOSTED, PLAYBOOK_INJECTED,
	N_COUNTERS
};
extern const char *const counter_names[N_COUNTERS];

struct hit {
	struct lh_str id, corpus;	/* corpus.p is NULL if there is none */
	struct lh_value corpus_json;
	double distance, score;
	bool has_score;
	struct lh_str raw;		/* the object as written */
	size_t turn;			/* its place among all hits, which decides between equals */
	size_t group;			/* a number for its corpus */
	struct hit_playbook {
		bool injected;
	} playbook;
};

/* A line that lh-search wrote.  It points into the line. */
struct answer {
	struct lh_record rec;
	struct lh_value results;
	struct hit *hit;
	size_t n;
	uint64_t k, per_corpus_k;	/* of the query; UINT64_MAX: it has none */
	struct lh_value counter[N_COUNTERS];	/* p is NULL if absent */
	bool partial, truncated;
	struct lh_value explain;	/* p is NULL if absent */
	struct lh_buf text;		/* unescaped members, and the hits */
	struct lh_buf query;		/* an object of the query's members, not closed */
	struct lh_writer to_query;	/* continues it */
};

void answer_free(struct answer *a);

/* Read a line: LH_EDATA if it is not an answer. */
int answer_read(struct answer *a, const char *p, size_t n, struct lh_err *err);

/* ---- combine.c ---- */

struct combiner {
	const struct settings *s;
	struct hit *hit;		/* of all answers */
	size_t n, cap;
	uint64_t *taken;		/* results of each group of hits */
	size_t cap_taken;
	struct lh_intern corpora;	/* the keys of per_corpus_counts, ... */
	uint64_t *count;		/* ... and their sums */
	size_t cap_count;
	bool partial;			/* the last answer was */
	bool truncated;			/* any answer was */
};

void combiner_init(struct combiner *c, const struct settings *s);
void combiner_free(struct combiner *c);

/* Check that two answers are to one query, and ordered alike: LH_EDATA says what differs. */
int combine_check(const struct answer *first, const struct answer *a, struct lh_err *err);

/* Append the one answer that n answers make, with at least one of them not NULL. */
int combine(struct combiner *c, struct answer *const *a, size_t n, bool partial,
	    struct lh_buf *out, struct lh_err *err);

/* ---- lines.c ---- */

struct lines {
	struct lh_tool *tool;
	struct lh_records *records;
	struct lh_input in;
	bool open, first;
	struct lh_bytes block;
	const char *p, *end;		/* the rest of the block */
	const char *record;		/* the line in hand, without its LF */
	size_t n;
	uint64_t line;			/* its number */
	uint64_t taken;			/* lines since lines_taken */
	struct answer answer;
};

enum line_is { LINE_END, LINE_ANSWER, LINE_REJECTED, LINE_FAILED };

/* Open *operand, which must stay; n_operands are open at the same time. */
int lines_open(struct lines *l, struct lh_tool *tool, struct lh_records *records, char **operand,
	       size_t n_operands);
void lines_close(struct lines *l);

/* Read the next answer into l->answer.  A line that is not an answer is reported. */
enum line_is lines_next(struct lines *l);

/* Reject the line in hand: 0, or -1 to end the run. */
int lines_reject(struct lines *l, const struct lh_err *why);

/* Return the number of lines taken since the last call. */
uint64_t lines_taken(struct lines *l);

/* Set the error "FILE:LINE: text" about the line in hand, which ends the run.  Returns -1. */
int lines_fail(const struct lines *l, const char *fmt, ...) LH_PRINTF(2, 3);

/* ---- main.c ---- */

/* Report how many answers are partial; any, and any that is truncated, makes the exit status 1. */
void report_partial(struct lh_tool *tool, uint64_t partial, uint64_t answers, bool truncated);

/* ---- join.c, join.c ---- */

int step_run(struct lh_tool *tool, const struct settings *s, struct lh_records *records);
int join_run(struct lh_tool *tool, const struct settings *s, struct lh_records *records);

#endif
