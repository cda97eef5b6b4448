/*
 * lift.h - the parts of lh-lift.
 *
 *     demand.c    a query, and what is known about it
 *     search.c    lh-search as a child: one query, its hits
 *     judge.c     how good is a hit, by what is known
 *     chat.c      lh-chat as a child: how good is a hit, by a model
 *     reword.c    the same demand in other words
 *     book.c      the entries of the playbook
 *     cold.c      the first pass: search, judge, record what was found
 *     warm.c      the second: search with the playbook, compare
 *     tally.c     what it comes to
 *     report.c    the same for people
 *
 * Between the passes the queries lie in a file of a folder of our own, a line
 * each, with what the first pass found: memory holds those in work alone.
 */
#ifndef LIFT_H
#define LIFT_H

#include "proc/coproc.h"
#include <lh/extract.h>
#include "file/file.h"
#include "tool/records.h"
#include <lh/index.h>
#include "file/tmpdir.h"

#define STYLES 16	/* told apart in the summary; the others are one */
#define REPORTED 50	/* discoveries that are no lifts and stand in a report */
#define STYLE_LEN 32	/* bytes of a style's name */

/* What one query comes to. */
struct outcome {
	bool answered;		/* both passes found something */
	bool discovery, lifted;
	bool displaced;		/* not lifted: another recorded answer comes first, ... */
	bool worse;		/* ... and the judge liked that less */
	bool open_gate;		/* lh-search knew no role */
	uint64_t boosted, injected, bleed;
	uint64_t reworded, held;	/* asked in other words; of these, answered alike */
	double change;		/* of the top distance; when answered */
	double cold_score, warm_score;	/* of the top; below 0: not known */
	char style[STYLE_LEN];	/* "" where the query has none */
};

struct tally {
	uint64_t queries, answered, discoveries, lifts, displaced, worse, boosted, injected;
	uint64_t open_gate, bleed, bleed_open;	/* bleed: where the gate was shut */
	uint64_t reworded, held;
	uint64_t scored;	/* queries whose two scores are known */
	double change, cold_score, warm_score;	/* sums */
	char style[STYLE_LEN];
};

struct lift {
	struct lh_tool *tool;
	const char *playbook, *judge_model, *reword_model, *report_path;	/* options */
	bool reword;
	double timeout;
	uint64_t k, retries;

	struct lh_tmpdir folder;
	char *book;			/* path of the playbook */
	char *spool_path;
	int spool_fd;
	struct lh_buf spool;		/* of it, what is not written yet */
	struct lh_coproc recorder;	/* lh-playbook record */
	struct tally all, style[STYLES + 1];
	size_t n_styles;
	struct lh_atomic report;	/* fd -1: there is none */
	struct lh_buf unlifted;		/* rows of its table of discoveries that are no lifts */
	uint64_t n_unlifted;
};

/* ---- demand.c ---- */

struct demand {
	struct lh_record *rec;
	struct lh_value text_json;	/* as it is written */
	struct lh_str text, role, city, state, style;	/* n = 0: none; text has some */
	struct lh_buf strings;
};
void demand_init(struct demand *d);
void demand_free(struct demand *d);
/* Texts are those of rec and d.  LH_EDATA when there is no text to record, or a
 * member is of the wrong type. */
int demand_read(struct demand *d, struct lh_record *rec, struct lh_err *err);

/* As much of the text as max bytes hold, in whole characters. */
struct lh_str head_of(struct lh_str s, size_t max);

/* ---- search.c ---- */

struct hit {
	struct lh_value id, distance, corpus;
	struct lh_value metadata, playbook;	/* p NULL: none */
	double score;				/* the judge's; below 0: none */
};
struct hits {
	struct hit *v;
	size_t n, cap;
};

struct search {
	struct lh_coproc child;
	struct lh_buf line;
	struct lh_record reply;
	struct hits hits;		/* of the last query, in its reply */
	bool has_role;			/* lh-search knew one */
	uint64_t boosted, injected;
};
void search_init(struct search *s);
void search_free(struct search *s);
/* Start it; with a playbook or without. */
int search_start(struct search *s, const struct lift *l, bool warm, struct lh_err *err);
/* Ask the query, or with text that instead of its own. */
int search_ask(struct search *s, const struct lh_record *query, bool warm, const struct lh_value *text, struct lh_err *err);
/* The hits of a list; of one that is ours, with the judge's scores. */
int hits_read(struct hits *h, const struct lh_value *list, bool ours, struct lh_err *err);
/* As a list: id, distance, corpus, score, playbook. */
void hits_put(struct lh_buf *out, const struct hits *h);
/* Name and value, as they are. */
void put_value(struct lh_buf *out, const char *name, const struct lh_value *v);
bool hit_same(const struct hit *a, const struct hit *b);

/* ---- judge.c ---- */

/* Is known what the judge goes by? */
int judge_needs(const struct demand *d, struct lh_err *err);
/* Score each hit from 0 to 1. */
int judge_hits(const struct demand *d, struct hits *h, struct lh_buf *scratch, struct lh_err *err);

/* ---- chat.c ---- */

struct chat {
	const struct lift *l;
	struct lh_coproc child;
	struct lh_extract *extract;
	struct lh_buf line, prompt, content;
	struct lh_record reply;
};
void chat_init(struct chat *c, const struct lift *l);
void chat_free(struct chat *c);
/* Score each hit from 0 to 1 as the model rates it.  LH_EDATA when it gives no
 * rating, LH_ENET when it cannot be asked. */
int chat_judge(struct chat *c, const struct demand *d, struct hits *h, struct lh_err *err);
/* The demand in other words, in c until the next call; n = 0: the same words. */
int chat_reword(struct chat *c, const struct demand *d, struct lh_str *words, struct lh_err *err);

/* ---- reword.c ---- */

/* Append other wordings as a list of strings: the styles that it is not in, and
 * the model's. */
int reword(struct lh_buf *out, const struct demand *d, struct chat *c, struct lh_err *err);

/* ---- book.c ---- */

struct book {
	struct lh_index *ix;		/* NULL: not needed yet */
	const char *path;
	struct lh_record entry;
	struct lh_buf line, strings;
};
void book_init(struct book *b, const char *path);
void book_free(struct book *b);
/* The role of the entry that touched the hit, in b until the next call; n = 0: it
 * has none, or is gone. */
int book_role(struct book *b, const struct hit *h, struct lh_str *role, struct lh_err *err);

/* ---- cold.c, warm.c ---- */

int cold_pass(struct lift *l);
int warm_pass(struct lift *l);

/* ---- tally.c ---- */

void tally_add(struct lift *l, const struct outcome *o);
/* {"summary":...} and an LF. */
void tally_print(struct lh_buf *out, const struct lift *l);

/* ---- report.c ---- */

/* A row about a discovery that is no lift. */
void report_row(struct lh_buf *out, const struct demand *d, const struct hit *best, const struct hits *warm);
int report_write(struct lift *l, struct lh_err *err);

#endif
