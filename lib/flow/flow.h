/*
 * flow - records from the operands (else stdin) through a function, in
 * order, on all cores: the loop of every filter, once.
 *
 * Input is read in blocks of whole lines; blocks are mapped by tool->jobs
 * threads and handed on in input order.  Operands, "-", compressed files (by
 * lh-cat as a child), BOM, CRLF, blank lines, lines over the limit, rejects,
 * --on-error, message caps, the summary, progress, and flushing before a read
 * that would block are all done here.
 *
 *     static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
 *     {
 *             lh_record_open(out, rec, drop, 1);
 *             lh_buf_puts(out, "\"seen\":true");
 *             lh_record_close(out, rec);
 *             return 0;
 *     }
 *     rc = lh_flow_run(&tool, &(struct lh_flow){ .map = on_record });
 *
 * A map appends its record's whole output without the last LF (which the flow
 * adds; a map that appends nothing drops the record) and returns 0; or -1 with
 * LH_EDATA, which rejects this record alone (its output so far is dropped); or
 * -1 with another code, which ends the run after the records before it.
 *
 * bad, if given, is told of every line that does not parse or is too long, and
 * may append an output for it, as a map does; then it is not rejected.
 *
 * error.code of an error record is lh_err_status of the rejection; err->coded puts
 * it before the message as well ("lh-chat: -:3: 502 http://...").
 *
 * With --on-error emit a map may fail with LH_ENET too, which then rejects this
 * record alone: an upstream that is down costs an error record, not the process.
 *
 * A sink, if given, takes each record's output in order on the calling thread
 * instead of stdout (no LF is added), and may reject or fail in the same way (a
 * failed lh_tool_out has its reason in tool->err already and may leave err alone).
 *
 * batch, if given, replaces map: it gets up to batch_max records at once (for
 * upstream calls that take many) and must call lh_batch_accept or
 * lh_batch_reject once for each, in order.  A batch is never held back for
 * records that are not there yet.  With batch_max 1 each record is mapped on
 * its own, so that few records that take long still share the threads.  A
 * rejection with LH_ENET (an upstream failed for this record, the next may do
 * better) makes the exit status 2.
 *
 * held, if given, is what the tool holds of files that may change (file/held.h).
 * It is looked at before each block of input that may have waited for its
 * writer, so not with --once nor for regular files, of which a run sees one
 * state.  Workers are then made from the state, not from ctx, and anew for a
 * block of another one, unless renew moves them there.  Where it cannot be had,
 * the records of the block are rejected with 503.
 */
#ifndef LH_FLOW_H
#define LH_FLOW_H

#include "file/held.h"
#include <lh/json.h>
#include "tool/tool.h"

struct lh_batch {
	struct lh_record **rec;	/* parsed records, n of them */
	size_t n;
	struct lh_buf *out;	/* append the next record's output here, ... */
	struct lh_flow_block *block;
};
void lh_batch_accept(struct lh_batch *b);			/* ... then this */
void lh_batch_reject(struct lh_batch *b, const struct lh_err *err);	/* or this; its output is dropped */

/* Where a record came from, for a sink that wants to say so. */
struct lh_origin {
	const char *file;
	uint64_t line;
};

struct lh_flow {
	bool plain;		/* files are JSON Lines as they lie, never compressed */
	bool texts;		/* each file is one text, not lines of JSON: a map's
				   record is its line and len alone, whatever they hold */
	int (*map)(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err);
	/* Line number is no record, for the reason in why. */
	void (*bad)(uint64_t number, const struct lh_err *why, struct lh_buf *out, void *worker);
	/* What stands on stdout in a rejected record's place, whatever --on-error
	 * says; why[0..n) is the reason as a JSON string.  Not with a sink. */
	void (*refusal)(const char *why, size_t n, unsigned code, struct lh_buf *out, void *worker);
	int (*batch)(struct lh_batch *b, void *worker, struct lh_err *err);
	size_t batch_max;
	/* With plain: on the calling thread, each piece of the input as it was read,
	 * before any of it is mapped. */
	void (*show)(void *ctx, const char *p, size_t n);
	int (*sink)(const char *p, size_t n, const struct lh_origin *from, void *ctx, struct lh_err *err);
	/* On the calling thread, each time before output of mapped records is
	 * written: what must be safe before anybody sees it.  -1 ends the run, and
	 * that output is dropped.  With one job no later record has been mapped. */
	int (*before_output)(void *ctx, struct lh_err *err);
	/* One per thread, made from ctx or held's state; NULL: ctx itself is it. */
	void *(*worker_new)(void *ctx, struct lh_err *err);
	void (*worker_free)(void *worker);
	struct lh_held *held;
	/* Let a worker go on with that state; -1 ends the run.  The state it had is
	 * still there. */
	int (*renew)(void *worker, void *state, struct lh_err *err);
	void *ctx;
	char **operands;	/* with n_operands: input files when these are not all
				   of the tool's operands; NULL: tool->operands */
	size_t n_operands;
};

/* Does that error reject its record alone, as if of a map?  For a batch. */
bool lh_flow_rejects(const struct lh_tool *tool, const struct lh_err *err);

/* 0 at the end of input (also when records were rejected: the frame counts
 * them), -1 with tool->err: a fatal error, a file that could not be read (the
 * others were; its message is out), or --on-error stop.  Whoever gathers for a
 * file of its own commits it on 0 alone. */
int lh_flow_run(struct lh_tool *tool, const struct lh_flow *flow);

/*
 * The same over one regular file, no symbolic link, for library code: nothing
 * is printed, counted or decoded, and every failure comes back in *err with the
 * file's name.  There must be a sink; a rejected record ends the run
 * (LH_ECORRUPT, with its line), and so does a line that is no record, unless
 * there is a bad.  jobs 0 is 1,
 * max_line 0 the default of --max-line.
 */
int lh_flow_file(const char *path, uint64_t jobs, uint64_t max_line, const struct lh_flow *flow, struct lh_err *err);

#endif
