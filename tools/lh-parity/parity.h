/*
 * parity - one probe: the cases of a fixture through two commands, compared.
 *
 *   main.c      options; one probe, or all of them
 *   probes.c    the descriptions that "all" runs
 *   run.c       the fixture; a side: a co-process, or a process per case; both sides, case by
 *               case, and the verdict of each
 *   compare.c   two answers, without the ignored members, by value or by bytes, the guard, or by
 *               their vectors
 *   report.c    lines on stdout, Markdown
 *
 * Errors: as in lib.  A failure of a command is never an error of lh-parity: it
 *         is the detail of a case.
 */
#ifndef PARITY_H
#define PARITY_H

#include "proc/run.h"
#include "proc/coproc.h"
#include "json/value.h"
#include "tool/tool.h"

/* One side's answer to one case.  Its struct lh_buf has as much of the body as a
 * report shows. */
struct answer {
	struct lh_buf body;
	size_t len;		/* of the whole body */
	int status;		/* exit status of a process per case; else -1 */
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
	struct lh_path field;		/* of the string that is stdin; text NULL: the record */

	struct kase *cases;
	size_t n, cap;
	uint64_t passed, failed, skipped;
	bool absent;			/* a command was not found */
};

extern const struct lh_made made_report;

#define TOLERANCE 0.00001
#define TIMEOUT 10.0

extern const char *const side_name[2];

/* ---- main.c: read, run, print, and report to a file if requested ---- */
int probe_one(struct lh_tool *tool, struct probe *p, const char *report);

/* ---- run.c ---- */
int cases_read(struct lh_tool *tool, struct probe *p);
void cases_free(struct probe *p);

/* ---- run.c: every case's verdict, and the tally ---- */
int probe_run(struct lh_tool *tool, struct probe *p);

/* ---- run.c ---- */
struct side {
	const struct probe *probe;
	const char *name, *command;
	struct lh_coproc coproc;
	struct lh_child_out child;
	struct lh_buf text;		/* a case's stdin */
	struct lh_record rec;
	bool started, answered, over;	/* over: it answers no more ... */
	char why[1200];			/* ... for this reason */
	bool absent;			/* the shell reports that there is no such command */
	/* it wrote without a request: no answer is known to belong to its case */
	bool spoilt;
};

/* ---- compare.c ---- */
/* Compare two answers, each with LH_PAD readable bytes after it.  Nothing is
 * appended to why if they match. */
int compare(const struct probe *p, struct lh_str left, struct lh_str right, struct lh_buf *why,
	    struct lh_err *err);
/* Append any bytes as UTF-8: others, and controls (except LF and tab if multi is
 * set), as \xnn. */
void put_clean(struct lh_buf *b, const char *p, size_t n, bool multi);

/* ---- compare.c: append why they differ, or nothing ---- */
void cosine(double tolerance, const struct lh_value v[2], struct lh_buf *why);

/* ---- compare.c ---- */

/* ---- report.c ---- */
int print_lines(struct lh_tool *tool, const struct probe *p);
int print_tally(struct lh_tool *tool, const char *probe, uint64_t passed, uint64_t failed,
		uint64_t skipped);
int report_write(struct lh_tool *tool, const struct probe *p, const char *path);

/* ---- probes.c: all probes that a folder describes, or the one of that name ---- */
/* Return the value of LH_PARITY_RIGHT_<NAME>, or NULL. */
const char *probe_right(const char *name);
/* record: add to doc/verified.md. */
int probes_run(struct lh_tool *tool, const char *folder, const char *out, const char *only,
	       bool record);

#endif
