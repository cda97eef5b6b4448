/*
 * lift.h - shared by the files of lh-lift.
 *
 *     search.c    lh-search as a child: a query and its hits
 *     judge.c     the score of a hit, by what is known or by a model; other words
 *     compare.c   both passes: search, judge, record the best answers; search with these
 *     tally.c     the figures, as JSON and as Markdown
 *
 * Between the passes the queries are stored in a file in a temporary folder, one
 * line each, with the findings of the first pass; memory holds only those being
 * worked on.
 */
#ifndef LIFT_H
#define LIFT_H

#include "proc/coproc.h"
#include "model/extract.h"
#include "file/file.h"
#include "json/write.h"
#include "observe/observe.h"
#include "tool/records.h"
#include "index/index.h"

#define STYLES 16	/* counted separately in the summary; further ones together */
#define REPORTED 50	/* discoveries without a lift that are listed in a report */
#define STYLE_LEN 32	/* bytes of the name of a style */

/* What is added up, of one query or of many. */
enum sum {
	QUERIES,
	ANSWERED,	/* both passes found hits */
	DISCOVERY, LIFTED,
	DISPLACED,	/* no lift: another recorded answer is first, ... */
	WORSE,		/* ... and the judge scored that lower */
	OPEN_GATE,	/* lh-search knew no role */
	GATED,		/* the best is not recorded: it scored less than the least */
	BOOSTED, INJECTED,
	BLEED, BLEED_OPEN,	/* with the gate shut, and open */
	REFUSED,	/* injected results that scored less, left out */
	REWORDED, HELD,	/* asked in other words; those with the same answer */
	CHANGE,		/* of the top distance, of those answered */
	SCORED, COLD_SCORE, WARM_SCORE,	/* of the top hits, where both are known */
	SUMS
};

struct tally {
	double n[SUMS];
	char style[STYLE_LEN];	/* "" for a query without one */
};

struct lift {
	struct lh_tool *tool;
	/* options */
	const char *playbook, *judge_model, *report_path;
	bool reword;
	double timeout, least;
	uint64_t k, retries;
	struct lh_decisions_how decide;

	struct lh_decisions *decisions;	/* or NULL */
	struct lh_tmpdir folder;
	char run[32];			/* id of the run */
	char *book;			/* path of the playbook */
	char *spool_path;
	int spool_fd;
	struct lh_buf spool;		/* of it, not written yet */
	struct lh_coproc recorder;	/* lh-playbook record */
	struct tally all, style[STYLES + 1];
	size_t n_styles;
	struct lh_atomic report;	/* fd -1: none */
	struct lh_buf unlifted;		/* rows of its table of discoveries without a lift */
	uint64_t n_unlifted;
};

/* Add the options for the log of decisions, at most 5, to those of a child, after n: their
 * number.  now: with the time. */
size_t decide_options(const struct lift *l, char **argv, size_t n, bool now);

/* ---- a query ---- */

struct demand {
	struct lh_record *rec;
	struct lh_value text_json, role_json;	/* as in the record */
	struct lh_str text, role, city, state, style;	/* n = 0: none; text is not empty */
	struct lh_str client, at;		/* p NULL: none */
	struct lh_value count;			/* a number; p NULL: none */
	struct lh_buf strings;
};
extern const struct lh_bind demand_members[];
void demand_free(struct demand *d);
/* Read a demand; its strings are those of rec and d.  LH_EDATA for a member of the
 * wrong type, and when there is no text. */
int demand_read(struct demand *d, struct lh_record *rec, struct lh_err *err);

/* ---- search.c ---- */

struct hit {
	struct lh_value id, distance, corpus;
	struct lh_value metadata, playbook;	/* p NULL: none */
	double score;				/* by the judge; below 0: none */
};
struct hits {
	struct hit *v;
	size_t n, cap;
};

struct search {
	struct lh_coproc child;
	struct lh_buf line;
	struct lh_record reply;
	struct hits hits;		/* of the last query; they point into its reply */
	bool has_role;			/* lh-search knew one */
	uint64_t boosted, injected;
};
void search_free(struct search *s);
/* Start lh-search, with the playbook (warm) or without. */
int search_start(struct search *s, const struct lift *l, bool warm, struct lh_err *err);
/* Search for the query, or for text in its place. */
int search_ask(struct search *s, const struct lh_record *query, bool warm,
	       const struct lh_value *text, struct lh_err *err);
/* Read the hits of a list; ours: one written by hits_write, with scores. */
int hits_read(struct hits *h, const struct lh_value *list, bool ours, struct lh_err *err);
/* Write the hits as a list of id, distance, corpus, score, playbook. */
void hits_write(struct lh_writer *w, const char *name, const struct hits *h);
/* Read the entry that moved a hit. */
struct moved {
	struct lh_value id;	/* a string; p NULL: none did */
	bool injected;
};
int hit_moved(const struct hit *h, struct moved *by, struct lh_err *err);
bool hit_same(const struct hit *a, const struct hit *b);
/* Return the hit with the best score; of equals, the nearest. */
size_t hits_best(const struct hits *h);
/* Write a rank from 1; of 0, null. */
void write_rank(struct lh_writer *w, const char *name, size_t rank);

/* ---- judge.c ---- */

struct judge {
	const struct lift *l;
	struct lh_chat_child child;	/* lh-chat, of a model */
	struct lh_extract *extract;
	struct lh_buf line, prompt;
};
void judge_init(struct judge *j, const struct lift *l);
void judge_free(struct judge *j);
/* Check that what the judge needs is known. */
int judge_needs(const struct judge *j, const struct demand *d, struct lh_err *err);
/* Score each hit that has no score from 0 to 1.  LH_EDATA when a model gives no rating, LH_ENET
 * when it cannot be asked. */
int judge_hits(struct judge *j, const struct demand *d, struct hits *h, struct lh_err *err);
/* Write the wordings in the styles other than its own, or none, as a list of strings. */
void reword(struct lh_writer *w, const char *name, const struct demand *d, bool styles);

/* ---- compare.c ---- */

int cold_pass(struct lift *l);
int warm_pass(struct lift *l);

/* ---- tally.c ---- */

void tally_add(struct lift *l, const struct tally *o);
/* Append {"summary":...} and an LF. */
void tally_print(struct lh_buf *out, const struct lift *l);
/* Append a row about a discovery without a lift. */
void report_row(struct lh_buf *out, const struct demand *d, const struct hit *best,
		const struct hits *warm);
int report_write(struct lift *l, struct lh_err *err);

#endif
