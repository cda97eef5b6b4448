/*
 * observe - the log of what was done: one row of JSON for each operation.
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
 * The log may also contain session rows (lh/session.h) and access records of lh-serve;
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

#include <lh/buf.h>
#include <lh/json.h>

#include "file/file.h"

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
 * Errors:  LH_EIO that names the path; LH_ENOMEM.
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

#endif
