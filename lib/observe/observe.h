/*
 * observe - logs: of what was done, one row of JSON for each operation, and of what filters
 * decided.
 *
 * A row has these members in this order; those marked ? are left out if they are empty,
 * and others may follow them:
 *
 *     timestamp, source, endpoint, input_summary?, success, duration_ms?,
 *     output_summary?, error?
 *
 *     struct lh_observe_log log;
 *     lh_observe_open(&log, "observer.jsonl", 60, err);
 *     lh_observe_print(&line, &(struct lh_observe_row){
 *             .timestamp = now, .source = lh_str_of("workflow"),
 *             .endpoint = lh_str_of("llm.chat"), .success = true,
 *             .duration_ms = lh_str_of("12.5"),
 *             .more = lh_str_of("\"node\":\"a\"") });
 *     lh_observe_append(&log, line.p, line.len, err);
 *     lh_observe_sync(&log, err);
 *     lh_observe_close(&log, err);
 *
 * The log may also contain session rows (memory/session.h) and access records of lh-serve;
 * lh_observe_read reads all three as operations.
 *
 * Log:     any number of processes may append.  A row is one write(2) under flock; an
 *          incomplete last line, which a crash leaves, stays as it is, and the next row
 *          begins on a line of its own.  A log that was renamed or removed is made again.
 * Owner:   rows borrow their strings.
 * Errors:  0, or -1 with *err.
 * Threads: one thread per struct; flock does not exclude threads that share one.
 */
#ifndef LH_OBSERVE_H
#define LH_OBSERVE_H

#include <sys/types.h>

#include "base/buf.h"
#include "json/json.h"

#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "tool/records.h"

#define LH_OBSERVE_MS 1e15	/* duration_ms is at most this */

struct lh_observe_row {
	struct lh_str timestamp, source, endpoint;
	struct lh_str input_summary, output_summary, error;	/* n = 0: left out */
	bool success;
	struct lh_str duration_ms;	/* a number as JSON text; n = 0: left out */
	struct lh_str more;		/* members as JSON text without braces; n = 0: none */
};

/* Append the row, without LF. */
void lh_observe_print(struct lh_buf *out, const struct lh_observe_row *row);

struct lh_observe_log {
	struct lh_applog file;	/* file.torn_at: an incomplete last line at the opening, or -1 */
	bool changed;		/* since the last sync */
};

/* Open the log; it is made with mode 0600 if it does not exist.  lock_timeout: seconds that
 * this and each append wait for other writers. */
int lh_observe_open(struct lh_observe_log *l, const char *path, double lock_timeout,
		    struct lh_err *err);
/* Append a row of n bytes, without LF; one is added. */
int lh_observe_append(struct lh_observe_log *l, const char *row, size_t n, struct lh_err *err);
/* Wait until all rows are on disk. */
int lh_observe_sync(struct lh_observe_log *l, struct lh_err *err);
int lh_observe_close(struct lh_observe_log *l, struct lh_err *err);

enum lh_observe_kind {
	LH_OBSERVE_OPERATION,
	LH_OBSERVE_ACCESS,	/* an access record of lh-serve: it has no endpoint, but route */
	LH_OBSERVE_SESSION,	/* by its member schema */
};

/* A row as an operation.  The endpoint of an access record is its route, of a session
 * iterate.session, whose source is iterate. */
struct lh_observed {
	enum lh_observe_kind kind;
	struct lh_str timestamp, source, endpoint;
	bool success;
	double duration_ms;	/* below 0: unknown */
};

#define LH_OBSERVE_SOURCE "mcp"			/* of rows without one */
#define LH_OBSERVE_ITERATE "iterate"
#define LH_OBSERVE_SESSION_NAME "iterate.session"
#define LH_OBSERVE_NO_ROUTE "(none)"		/* the endpoint of requests for no route */

/* Tell the kind of a record. */
enum lh_observe_kind lh_observe_kind(const struct lh_record *rec);

/* Read a row; its strings are in *text or the record.  LH_EDATA: it is not a row. */
int lh_observe_read(const struct lh_record *rec, struct lh_observed *o, struct lh_buf *text,
		    struct lh_err *err);

/*
 * log_lines - read the lines of a log that others append to, forwards or backwards.
 *
 *     struct lh_log_lines l;
 *     lh_log_lines_open(&l, fd, path, offset, longest);
 *     while ((rc = lh_log_lines_next(&l, &line, err)) > 0)
 *             ... line.p, line.n ...
 *     lh_log_lines_close(&l);
 *
 * Forwards, a line is returned once its LF is there; at the end of the file the call returns
 * 0, and a later one continues.  Backwards, a last line without LF is the first that is
 * returned, with whole false.  Blank lines are lines.
 *
 * Memory:  a chunk, and the longest line up to the limit; a longer line is returned with p
 *          NULL, its offsets alone.
 * Owner:   the descriptor and the path are the caller's.
 * Errors:  LH_EIO that names the path.
 * Threads: one thread per struct.
 */

struct lh_log_line {
	const char *p;		/* without its LF; until the next call; LH_PAD bytes follow */
	size_t n;
	uint64_t at, end;	/* offset of the line, and of what follows its LF */
	bool whole;		/* it ends with LF */
};

struct lh_log_lines {
	int fd;
	const char *path;
	size_t longest;
	uint64_t at;		/* forwards: of the next line; backwards: where the last began */
	struct lh_buf buf;	/* bytes of the file, from its byte `from` on */
	uint64_t from;
	struct lh_buf line;
	bool skips;		/* in a line that is too long */
};

void lh_log_lines_open(struct lh_log_lines *l, int fd, const char *path, uint64_t at,
		       size_t longest);
void lh_log_lines_close(struct lh_log_lines *l);

/* Return the line at l->at: 1, 0 if there is no whole one yet, -1. */
int lh_log_lines_next(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err);

/* Return the line that ends at l->at: 1, 0 at the beginning, -1.  Start at the file's end. */
int lh_log_lines_before(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err);

/*
 * cursor - how much of a log lh-observe push has sent, in a file of its own.
 *
 * A cursor holds against a log if the bytes before its offset have its hash.  LOG.cursor is of
 * Langfuse, LOG.otlp.cursor of OpenTelemetry.
 *
 * A log in which tombstones (file/rows.h) take the place of rows is written as a new file.  Its
 * cursor is moved first, and its lock held until the new file is in place:
 *
 *     rc = lh_cursor_lock(&lock, "observer.jsonl.cursor", timeout, err);
 *     rc = lh_cursor_move("observer.jsonl.cursor", before, after, err);
 *     rc = lh_atomic_commit(&out, err);          out.fd is after
 *     lh_lock_drop(&lock);
 *
 * After a kill in between, the cursor holds against the new file alone: when the same file is
 * made again, nothing is left to be moved.
 *
 * Errors:  0, or -1 with *err.
 */

#define LH_CURSOR_SCHEMA "observe.cursor.v1"

struct lh_cursor {
	struct lh_str schema, to, check;
	uint64_t offset, line;	/* line: how many are before the offset */
	struct lh_buf file, text;	/* of the strings */
};

/* Take the lock of the cursor at a path, which every program that writes it holds. */
int lh_cursor_lock(struct lh_lock *lock, const char *path, double timeout, struct lh_err *err);
/* Read a cursor: 1, 0 if there is none, -1; LH_ECORRUPT if the file is not one. */
int lh_cursor_read(struct lh_cursor *c, const char *path, struct lh_err *err);
void lh_cursor_free(struct lh_cursor *c);
/* Return whether it holds against an open log (-1: there is none): 1, 0, -1. */
int lh_cursor_holds(const struct lh_cursor *c, int log, struct lh_err *err);
/* Replace the cursor at a path. */
int lh_cursor_write(const char *path, struct lh_str to, int log, uint64_t offset, uint64_t line,
		    struct lh_err *err);
/* Move the cursor at a path to the same line of a log that replaces one: 1; 0 if there is none,
 * or it does not hold against the log before; -1. */
int lh_cursor_move(const char *path, int before, int after, struct lh_err *err);

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
