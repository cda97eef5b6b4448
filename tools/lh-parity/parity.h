/*
 * parity - one probe: a fixture's cases through two commands, compared.
 *
 *   main.c      options; one probe, or all of them
 *   probes.c    the descriptions that "all" runs
 *   cases.c     the fixture
 *   run.c       both sides, case by case, and what each verdict is
 *   side.c      one command: a co-process, or a process a case
 *   compare.c   two answers, by value or by bytes; the guard
 *   cosine.c    two answers, by their vectors
 *   strip.c     an answer without the members that do not count
 *   report.c    lines on stdout, Markdown
 *
 * Errors: as in liblh.  What a command does is never an error of ours: it is
 * the detail of a case.
 */
#ifndef PARITY_H
#define PARITY_H

#include "proc/run.h"
#include "proc/coproc.h"
#include <lh/json.h>
#include "tool/tool.h"

/* One side's answer to one case.  Its struct lh_buf holds the body as far as a
 * report will show it. */
struct answer {
	struct lh_buf body;
	size_t len;		/* of the whole body */
	int status;		/* exit status of a process a case; else -1 */
};

struct kase {
	struct lh_buf line;	/* the record */
	struct lh_buf name;
	struct lh_buf detail;	/* why it does not match, or was skipped */
	struct answer answer[2];
	int expect_exit;
	bool match, skipped;
};

enum compare { COMPARE_EXACT, COMPARE_JSON, COMPARE_COSINE };

struct probe {
	const char *name, *fixture;
	const char *command[2];		/* left, right */
	int compare;
	struct lh_list ignore;		/* dotted paths */
	double tolerance, timeout;
	bool per_record;
	const char *field;		/* stdin is this string of the record; NULL: the record */

	struct kase *cases;
	size_t n, cap;
	uint64_t passed, failed, skipped;
	bool absent;			/* a command was not to be had */
};

#define TOLERANCE 0.00001
#define TIMEOUT 10.0

extern const char *const side_name[2];

/* ---- main.c: read, run, print, and report to a file if there is one ---- */
int probe_one(struct lh_tool *tool, struct probe *p, const char *report);

/* ---- cases.c ---- */
int cases_read(struct lh_tool *tool, struct probe *p);
void cases_free(struct probe *p);

/* ---- run.c: every case's verdict, and the tally ---- */
int probe_run(struct probe *p, struct lh_err *err);

/* ---- side.c ---- */
struct side {
	const struct probe *probe;
	const char *name, *command;
	struct lh_coproc coproc;
	struct lh_child_out child;
	struct lh_buf text;		/* what a case gets on stdin */
	struct lh_record rec;
	bool started, answered, over;	/* over: it answers no more ... */
	char why[1200];			/* ... and why */
	bool absent;			/* the shell says that there is no such command */
	bool spoilt;			/* it wrote unasked: no answer is known to be its case's */
};

void side_init(struct side *s, const struct probe *p, int which);
/* 0 and *got, valid until the next call; 1 when there is no answer, for the
 * reason in s->why; -1. */
int side_ask(struct side *s, const struct kase *k, struct lh_str *got, int *status, struct lh_err *err);
/* The end of a co-process: 0; 1 when it did not end as it should, for the reason in
 * s->why; -1. */
int side_close(struct side *s, int expect, struct lh_err *err);
void side_free(struct side *s);

/* ---- compare.c ---- */
/* Both have LH_PAD readable bytes behind them.  Nothing is appended to why when
 * they match; -1 only when memory is out. */
int compare(const struct probe *p, struct lh_str left, struct lh_str right, struct lh_buf *why, struct lh_err *err);
/* At most some 80 bytes of what one side answered, printable, on one line. */
void put_short(struct lh_buf *b, const char *p, size_t n);
/* Any bytes as UTF-8: what is none, and controls (LF and tab only if multi is
 * false), as \xnn. */
void put_clean(struct lh_buf *b, const char *p, size_t n, bool multi);

/* ---- cosine.c: why they differ, or nothing ---- */
int cosine(double tolerance, const struct lh_value v[2], struct lh_buf *why, struct lh_err *err);

/* ---- strip.c ---- */
/* Append v's text without the members at the paths; what stays keeps its bytes. */
void strip(struct lh_buf *b, const struct lh_value *v, const struct lh_list *paths, struct lh_buf *at);

/* ---- report.c ---- */
int print_lines(struct lh_tool *tool, const struct probe *p);
int print_tally(struct lh_tool *tool, const char *probe, uint64_t passed, uint64_t failed, uint64_t skipped);
int report_write(struct lh_tool *tool, const struct probe *p, const char *path);
int write_file(const char *path, struct lh_buf *b, struct lh_err *err);

/* ---- probes.c: all that a folder describes, or the one of that name ---- */
/* What LH_PARITY_RIGHT_<NAME> says, or NULL. */
const char *probe_right(const char *name);
int probes_run(struct lh_tool *tool, const char *folder, const char *out, const char *only);

#endif
