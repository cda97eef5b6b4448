/*
 * decisions - the log of what filters decided: one row of JSON for each decision.
 *
 * A row has these members in this order; those marked ? are left out without
 * --decisions-text, and a tool adds others at the end:
 *
 *     schema ("decision.v1"), ts, trace_id, tool, asked, text?, verdict, rules, playbook,
 *     indexes, ids
 *
 *     static const struct lh_option options[] = {
 *             LH_DECISIONS_OPTIONS(struct settings, decisions), ... };
 *
 *     if (lh_decisions_open(&log, tool, &settings->decisions) < 0) ...
 *     w = lh_decision_begin(&row, log, &(struct lh_decision){ .asked = text, ... });
 *     lh_write_array(&w, "indexes"); ... lh_write_end(&w);
 *     lh_write_array(&w, "ids"); ... lh_write_end(&w);
 *     rc = lh_decision_end(&w, log, err);        before the answer is printed
 *     rc = lh_decisions_sync(log, err);          before the output is written
 *     lh_decisions_close(log);
 *
 * Log:     as of observe.h: made with mode 0600, one write(2) a row under flock; a row that a
 *          crash cut stays as it is, and a log that was renamed or removed is made again.  A
 *          file that begins in another way than a row is refused.
 * Errors:  0, or -1 with *err.  With --on-error emit, a row that cannot be appended is an error
 *          of its record, with status 503; otherwise it ends the run.
 * Threads: any number may append; each has a buffer of its own.
 */
#ifndef LH_DECISIONS_H
#define LH_DECISIONS_H

#include "json/bind.h"
#include "json/write.h"
#include "tool/records.h"

#define LH_DECISION_SCHEMA "decision.v1"

struct lh_decisions_how {	/* what the options say */
	const char *path;
	bool text;
};

/* For a table of options; the rest are members of each, as .verbs. */
#define LH_DECISIONS_OPTIONS(s, f, ...) \
	{ 0, "decisions", "FILE", "append a row for each decision to FILE", \
	  LH_TEXT(s, f.path, ##__VA_ARGS__) }, \
	{ 0, "decisions-text", NULL, "rows have the text that was asked, too", \
	  LH_FLAG(s, f.text, ##__VA_ARGS__) }

struct lh_decisions;
/* Open the log that the options name; without one *d is NULL, which close and sync accept. */
int lh_decisions_open(struct lh_decisions **d, struct lh_tool *tool,
		      const struct lh_decisions_how *how);
void lh_decisions_close(struct lh_decisions *d);

struct lh_decision {
	struct lh_str asked;		/* what was asked */
	struct lh_str trace;		/* n = 0: LH_TRACE_ID */
	const char *verdict;
	const char *rules;		/* the hash of the rules; NULL: none */
	struct lh_str playbook;		/* its name; p NULL: none */
	const char *playbook_generation;
};

/* Begin a row, of which "indexes" and "ids" are still to be written. */
struct lh_writer lh_decision_begin(struct lh_buf *row, const struct lh_decisions *d,
				   const struct lh_decision *what);
/* Write an element of "indexes". */
void lh_decision_index(struct lh_writer *w, struct lh_str name, const char *generation);
/* Add an id that was looked up in a roster to a list of them. */
void lh_decision_id(struct lh_buf *ids, struct lh_str id, bool found);
/* Write "indexes" and "ids" of a verdict: the roster (p NULL: none), and that list. */
void lh_decision_judged(struct lh_writer *w, struct lh_str roster, const char *version,
			const struct lh_buf *ids);
/* End the row and append it. */
int lh_decision_end(struct lh_writer *w, struct lh_decisions *d, struct lh_err *err);
/* Append a row that was written before; alone: with --on-error emit, a failure is an error of
 * its record. */
int lh_decision_append(struct lh_decisions *d, const char *row, size_t n, bool alone,
		       struct lh_err *err);
/* Wait until all rows are on disk. */
int lh_decisions_sync(struct lh_decisions *d, struct lh_err *err);

/* A row that is read. */
struct lh_decision_row {
	struct lh_str schema, tool, verdict, trace;
	struct lh_value ids;
};
/* Read a row; its strings are in *text or the record.  LH_EDATA: it is not a decision. */
int lh_decision_read(const struct lh_record *rec, struct lh_decision_row *row,
		     struct lh_buf *text, struct lh_err *err);

#endif
