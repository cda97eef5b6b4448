/*
 * flow - the records of files through a function, in order, on all cores.
 *
 *     files -> blocks of lines -> map, on .jobs threads -> sink, on the calling thread
 *
 * A file is read in blocks of whole lines.  The threads parse the lines of a block and
 * give each record to the map; what the maps make of them comes to the sink in the order
 * of the input.  Operands that are "-", compressed files and archives (read through
 * lh-cat as a child), a BOM, CRLF, blank lines and lines over the limit are the flow's
 * affair, and so are interruption by a signal and states that are opened anew
 * (file/held.h).  Nothing is printed: the flow knows no tool.  A tool runs its records
 * with lh_records_run (tool/records.h), which adds messages, --on-error and stdout.
 *
 *     static int on_record(struct lh_record *rec, struct lh_buf *out, void *context,
 *                          struct lh_err *err)
 *     {
 *             const struct lh_value *id = lh_record_get(rec, "id");
 *
 *             if (!id)
 *                     return lh_err_set(err, LH_EDATA, "missing \"id\"");
 *             lh_buf_add(out, id->p, id->n);
 *             return 0;
 *     }
 *
 *     static int on_id(const struct lh_output *o, void *shared, struct lh_err *err)
 *     {
 *             return lh_hashset_add(shared, o->text, ...);
 *     }
 *
 *     rc = lh_flow_file("ids.jsonl", &(struct lh_flow){
 *             .map = on_record, .sink = on_id, .shared = &set }, err);
 *
 * Outcome of a map: 0, with the record's whole output appended to out, without a last LF
 * (nothing appended: the record is dropped); -1 with LH_EDATA, which rejects this record
 * alone, its output so far with it; -1 with another code, which ends the run after the
 * records before it.
 *
 * Rejected are also lines that do not parse and lines over the limit, unless there is a
 * bad, which makes an output of them.  What becomes of a rejected record is for
 * hooks->rejected; without hooks the first one ends the run (LH_ECORRUPT, with its place).
 *
 * Threads: map, batch, bad and instead are called on any thread, each with a context of
 *          its own; all else on the calling thread.  One flow runs at a time.
 */
#ifndef LH_FLOW_H
#define LH_FLOW_H

#include "file/held.h"
#include <lh/json.h>

#define LH_FLOW_MAX_LINE (UINT64_C(256) << 20)

/* What was made of a record, and where the record came from. */
struct lh_output {
	const char *text;	/* n bytes, of which the map knows the meaning */
	size_t n;
	const void *result;	/* of result_size bytes, filled by fill, batch or bad; or NULL */
	const char *file;
	uint64_t line;
};

/* A record that is not taken, or a line that is no record. */
struct lh_rejection {
	const char *file;
	uint64_t line;
	size_t operand;		/* the number of the file as it was given, from 1 */
	const char *record;	/* the line; n 0: it was over the limit, and is gone */
	size_t n;
	enum lh_code code;	/* these five: as in struct lh_err */
	size_t column;
	unsigned status;	/* lh_err_status of the reason */
	bool coded;
	const char *why;
};

/*
 * Several records at once, for a call that takes many.  A batch function answers each in
 * order: it appends to out and accepts, or rejects, which drops what was appended.
 */
struct lh_batch {
	struct lh_record **rec;	/* parsed records, n of them */
	size_t n;
	struct lh_buf *out;
	void *result;		/* the next record's, zeroed; with result_size */
	struct lh_flow_block *block;
};
void lh_batch_accept(struct lh_batch *b);
void lh_batch_reject(struct lh_batch *b, const struct lh_err *why);

/* What the program around a flow does at its events; each may be NULL. */
struct lh_flow_hooks {
	/* A record is rejected, after the output of those before it: 0 goes on, -1 ends the
	 * run, as it must with stop_at_reject. */
	int (*rejected)(void *owner, const struct lh_rejection *r, struct lh_err *err);
	/* A piece of a line over the limit, which will be rejected. */
	int (*long_line)(void *owner, const char *p, size_t n, struct lh_err *err);
	/* A file cannot be read, or no further, for the reason in *err: 0 goes on with the next
	 * one.  NULL: the run ends, with the file's name before the reason. */
	int (*unreadable)(void *owner, const char *file, struct lh_err *err);
	/* Output in order, where there is no sink: each record's with a LF. */
	int (*write)(void *owner, const char *p, size_t n, struct lh_err *err);
	/* So many more records have been through sink or write, or were rejected. */
	int (*delivered)(void *owner, uint64_t records, struct lh_err *err);
	/* Input is about to be waited for. */
	int (*waiting)(void *owner, struct lh_err *err);
};

struct lh_flow {
	/* ---- input ---- */
	char **files;		/* "-" is stdin; none: stdin */
	size_t n_files;
	uint64_t jobs;		/* threads; 0: one */
	uint64_t max_line;	/* bytes; 0: LH_FLOW_MAX_LINE */
	bool plain;		/* files are JSON Lines as they are, never compressed */
	bool texts;		/* each file is one text: a map's record is its line and len
				   alone, whatever they hold */
	int output;		/* a descriptor, next to stdout, that must not be read: a file
				   that it is open on is unreadable; 0: none */
	/* With plain: each piece of the input as it was read, before any of it is mapped. */
	void (*show)(void *shared, const char *p, size_t n);

	/* ---- the records, on the threads ---- */
	int (*map)(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err);
	/* In place of map, with a sink: fill the record's result, and append what text belongs
	 * to it: 1 for both to the sink, 0 when nothing is to come of the record, -1 as for a
	 * map.  result is result_size zeroed bytes; it must not point into out. */
	int (*fill)(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		    struct lh_err *err);
	size_t result_size;
	bool one_by_one;	/* records take long: each is a block of its own, so that a few
				   share the threads */
	/* In place of map: up to batch_max records.  They are not waited for: a batch is what
	 * there is, and of 1 with batch_max 1 as with one_by_one. */
	int (*batch)(struct lh_batch *b, void *context, struct lh_err *err);
	size_t batch_max;
	/* That line is no record: make an output of it, as for a record. */
	void (*bad)(uint64_t line, const struct lh_err *why, void *result, struct lh_buf *out,
		    void *context);
	/* Append what comes out in place of a rejected record; rec is NULL where there is none.
	 * Not with a sink. */
	void (*instead)(const struct lh_rejection *r, const struct lh_record *rec,
			struct lh_buf *out, void *context);
	bool reject_net;	/* LH_ENET rejects its record alone, as LH_EDATA does */
	bool stop_at_reject;	/* nothing after the first rejected record is mapped */

	/* ---- what the maps use ---- */
	/* A context for each thread: so many zeroed bytes, made ready by context_init from
	 * shared, or held's state.  context_free frees what is in it, also after a
	 * context_init that failed half way.  From any thread.  0: shared is the context. */
	size_t context_size;
	int (*context_init)(void *context, void *shared, struct lh_err *err);
	void (*context_free)(void *context);
	/* Files that may change (file/held.h).  They are looked at before each block of input
	 * that may have been waited for, so not with once, nor for regular files, of which a run
	 * sees one state.  Contexts are then made from the state, and anew for a block of another
	 * one, unless renew moves them there (-1 ends the run; the old state is still there).
	 * Where the state cannot be had, the records of the block are rejected with 503. */
	struct lh_held *held;
	int (*renew)(void *context, void *state, struct lh_err *err);
	bool once;

	/* ---- in order, on the calling thread ---- */
	/* Take a record's output: 0, or -1 as for a map. */
	int (*sink)(const struct lh_output *o, void *shared, struct lh_err *err);
	/* Before output of mapped records is written: make safe what must be so before it is
	 * seen.  -1 ends the run, and that output is dropped.  With one job no later record has
	 * been mapped. */
	int (*before_output)(void *shared, struct lh_err *err);
	void *shared;		/* of sink, before_output, show and the contexts */

	const struct lh_flow_hooks *hooks;
	void *owner;		/* of hooks */
};

/*
 * Run a flow, with a sink or hooks->write: 0 at the end of the input, or -1 with the
 * reason.  The output of the records before the one that ended it is out by then.
 */
int lh_flow_run(const struct lh_flow *flow, struct lh_err *err);

/* The same over one regular file, no symbolic link, and never decoded. */
int lh_flow_file(const char *path, const struct lh_flow *flow, struct lh_err *err);

#endif
