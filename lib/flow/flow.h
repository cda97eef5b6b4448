/*
 * flow - run the records of files through a function, on several threads, and get
 * the outputs in the order of the input.
 *
 *     files -> blocks of whole lines -> map, on threads -> sink, on the calling thread
 *
 * A record is a line that holds a JSON object.  The flow reads the files, parses each
 * line and calls the map with the record.  The map appends text to a buffer.  The sink
 * gets these outputs one by one; without a sink they are written, one line each.
 *
 * The simplest filter is a map alone.  This one passes on the records that have an id:
 *
 *     static int on_record(struct lh_record *rec, struct lh_buf *out, void *context,
 *                          struct lh_err *err)
 *     {
 *             if (!lh_record_get(rec, "id"))
 *                     return lh_err_set(err, LH_EDATA, "missing \"id\"");
 *             lh_buf_add(out, rec->line, rec->len);
 *             return 0;
 *     }
 *
 *     rc = lh_records_run(&tool, &(struct lh_flow){ .map = on_record });
 *
 * lh_records_run (tool/records.h) is the flow with what a tool adds: the operands as
 * files, stdout, messages and --on-error.  The flow itself prints nothing and knows no
 * tool.  lh_flow_file runs it over one file, here with a fill function and a sink:
 *
 *     struct length { size_t bytes; };
 *
 *     static int measure(struct lh_record *rec, void *result, struct lh_buf *out,
 *                        void *context, struct lh_err *err)
 *     {
 *             ((struct length *)result)->bytes = rec->len;
 *             return 1;
 *     }
 *
 *     static int add_length(const struct lh_output *o, void *shared, struct lh_err *err)
 *     {
 *             *(uint64_t *)shared += ((const struct length *)o->result)->bytes;
 *             return 0;
 *     }
 *
 *     uint64_t total = 0;
 *     rc = lh_flow_file("ids.jsonl", &(struct lh_flow){
 *             .fill = measure, .result_size = sizeof(struct length),
 *             .sink = add_length, .shared = &total }, err);
 *
 * Map:     appends the output of one record to out, without a final LF, and returns 0.
 *          A record without output is dropped.  In place of the map a flow may have a
 *          fill (a typed result in addition to the text) or a batch (several records in
 *          one call).
 * Result:  a struct of result_size bytes, filled by fill, batch or bad, and passed to the
 *          sink next to the text, so that nothing has to be parsed again.
 * Sink:    takes one output at a time, in the order of the input.
 * Context: memory of one thread for its calls of map, fill, batch, bad and instead, for
 *          example buffers to reuse.  Created and freed by the flow.
 * Hooks:   functions of the program around the flow: messages, writing, progress.
 *
 * Errors:  a map returns -1 with *err.  LH_EDATA rejects this record alone; its output
 *          is discarded.  Any other code ends the run, after the output of the records
 *          before it.  Lines that do not parse and lines over the limit are rejected too,
 *          unless flow->bad makes an output of them.  Rejections go to hooks->rejected;
 *          without it the first one ends the run, with LH_ECORRUPT and "file:line: reason".
 * Input:   "-" is stdin.  Compressed files and archives are read through lh-cat, a child
 *          process.  A BOM, CRLF and blank lines are accepted.  A signal (base/signal.h)
 *          ends the run with LH_EINTR.
 * Threads: map, fill, batch, bad and instead run on any thread, each with its thread's
 *          context; all other functions run on the calling thread, and may run another
 *          flow there.
 */
#ifndef LH_FLOW_H
#define LH_FLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "json/json.h"
#include "base/str.h"
#include "base/xxh3.h"
#include "file/held.h"

/* ---- blocks of whole lines ---- */

/*
 * The reader fills a buffer of its own.  It returns the buffer as a block as soon as the
 * buffer holds enough whole lines, or at least one when no more input is ready.  The
 * unfinished line at the end is moved to the next buffer.  Each read(2) goes directly
 * into the buffer.  The buffer grows for a longer line, up to the limit; a line over the
 * limit is returned in pieces and not kept.
 *
 *     for (;;) {
 *             switch (lh_lines_next(&l, &block, &err)) {
 *             case LH_LINES_BLOCK:    block.p[0..n) ends with LF, or with the file
 *             case LH_LINES_WAIT:     no input ready: lh_lines_wait, then again
 *             case LH_LINES_PROBE:    only with l.probe: l.b holds the first bytes
 *             case LH_LINES_ROOM:     needs l.want bytes: lh_lines_allow, then again
 *             case LH_LINES_LONG:     lh_lines_piece until it returns 0
 *             case LH_LINES_END:      end of input
 *             case LH_LINES_ERROR:    err; the unfinished line is dropped
 *
 * Owner:   the caller owns a block's memory, and passes it to the next call for reuse or
 *          frees block.p; LH_PAD readable bytes follow it.
 */

#define LH_LINES_FIRST ((size_t)64 << 10)	/* of the first block: small, for a quick start */
#define LH_LINES_BLOCK_MAX ((size_t)256 << 10)	/* fits the L2 cache of a core */
#define LH_LINES_FREE_GROWTH ((size_t)4 << 20) /* a buffer grows up to here without LH_LINES_ROOM */

enum lh_lines_is {
	LH_LINES_BLOCK, LH_LINES_WAIT, LH_LINES_PROBE, LH_LINES_ROOM, LH_LINES_LONG, LH_LINES_END,
	LH_LINES_ERROR
};

struct lh_bytes {
	char *p;
	size_t n, cap;		/* cap + LH_PAD bytes are allocated */
};

struct lh_lines {
	int fd, wake;		/* wake: a descriptor that ends a wait when readable; or -1 */
	int reader;		/* a pipe that ends a wait when it has no reader any more; or 0 */
	/* Read bytes, as read(2) does; NULL: read(2) on fd. */
	ssize_t (*read)(void *ctx, void *p, size_t n, struct lh_err *err);
	void *ctx;
	/* Take each piece as it was read; or NULL. */
	void (*show)(void *ctx, const char *p, size_t n);
	void *show_ctx;
	bool regular, short_read, ended, too_long;
	bool probe;		/* stop at the first bytes, until this is cleared */
	bool texts;		/* the whole file is one line */
	struct lh_err failed;	/* the error to return after the block just returned */
	uint64_t max_line;
	size_t target, max_lines;	/* of a block; max_lines 0: any number */
	size_t want, allowed;
	struct lh_bytes b;
	size_t whole;		/* bytes of b up to its last LF, included */
	size_t given;		/* bytes returned as a piece, removed at the next call */
};

/* Start reading fd; the buffer of an earlier file is reused. */
void lh_lines_open(struct lh_lines *l, int fd);
void lh_lines_free(struct lh_lines *l);

/* Return the next event, with *block set on LH_LINES_BLOCK. */
enum lh_lines_is lh_lines_next(struct lh_lines *l, struct lh_bytes *block, struct lh_err *err);

/* Return whether more input may be available without waiting. */
bool lh_lines_ready(const struct lh_lines *l);

/* Wait for input for at most that many milliseconds: false if there is none, or with wake. */
bool lh_lines_come(const struct lh_lines *l, int ms);

/* Wait for input.  -1 with LH_EINTR when wake became readable, or the reader has gone. */
int lh_lines_wait(const struct lh_lines *l, struct lh_err *err);

/* Allow the buffer to grow to l->want. */
void lh_lines_allow(struct lh_lines *l);

/* Set *p to the next piece of a line over the limit, without its LF, and return its
 * length; 0 at the end, -1 on error.  *p is valid until the next call. */
ssize_t lh_lines_piece(struct lh_lines *l, const char **p, struct lh_err *err);

/* ---- records ---- */

#define LH_FLOW_MAX_LINE (UINT64_C(256) << 20)

/* The output of a record, and the place of the record. */
struct lh_output {
	const char *text;	/* n bytes, as the map appended them */
	size_t n;
	const void *result;	/* result_size bytes, filled by fill, batch or bad; or NULL */
	const char *file;
	uint64_t line;
};

/* A rejected record, or a line that is not a record. */
struct lh_rejection {
	const char *file;
	uint64_t line;
	size_t operand;		/* index of the file in flow->files, from 1 */
	const char *record;	/* the line; n is 0 if it was over the limit and not kept */
	size_t n;
	enum lh_code code;	/* code to why: as in struct lh_err */
	size_t column;
	unsigned status;	/* lh_err_status of the reason */
	bool coded;
	const char *why;
	bool opening;		/* only blank lines are before it in its file */
};

/* A line that is not a record. */
struct lh_bad_line {
	uint64_t line;
	const char *p;		/* n bytes, without CR, LF and BOM; NULL if over the limit */
	size_t n;
	const struct lh_err *why;
};

/*
 * Several records for one call of flow->batch.  The batch function answers every record, in
 * order: it appends the record's output to out and calls lh_batch_accept, or it calls
 * lh_batch_reject, which discards what was appended for this record.
 */
struct lh_batch {
	struct lh_record **rec;	/* parsed records, n of them */
	size_t n;
	struct lh_buf *out;
	void *result;		/* of the next record to answer, zeroed; with result_size */
	struct lh_flow_block *block;
};
void lh_batch_accept(struct lh_batch *b);
void lh_batch_reject(struct lh_batch *b, const struct lh_err *why);

/* Functions that the flow calls at its events; each may be NULL, but see write. */
struct lh_flow_hooks {
	/* Handle a rejected record, after the output of the records before it.  0 continues; -1
	 * ends the run, and is required with stop_at_reject. */
	int (*rejected)(void *owner, const struct lh_rejection *r, struct lh_err *err);
	/* Take a piece of a line over the limit; its rejection follows the last piece. */
	int (*long_line)(void *owner, const char *p, size_t n, struct lh_err *err);
	/* Handle a read error, in *err: 0 continues with the next file, -1 ends the run.  NULL:
	 * the run ends, with the file's name before the reason. */
	int (*unreadable)(void *owner, const char *file, struct lh_err *err);
	/* Write outputs, each ended by LF.  Required without a sink, unused with one. */
	int (*write)(void *owner, const char *p, size_t n, struct lh_err *err);
	/* Take, before delivered, how much of the input that is: done of so many bytes, or 0 of 0
	 * where the size is not known, since a file is compressed or not a regular one. */
	void (*share)(void *owner, uint64_t done, uint64_t of);
	/* Count records: so many more were passed to sink or write, or rejected. */
	int (*delivered)(void *owner, uint64_t records, struct lh_err *err);
	/* Prepare for a wait for input, for example by flushing output: 0, or the descriptor of
	 * a pipe that output goes to: the wait, and the run with LH_EINTR, ends when that has no
	 * reader any more.  -1 ends the run. */
	int (*waiting)(void *owner, struct lh_err *err);
};

struct lh_flow {
	/* ---- input ---- */
	char **files;		/* "-" is stdin; n_files 0: stdin alone */
	size_t n_files;
	uint64_t jobs;		/* number of threads; 0: one */
	uint64_t max_line;	/* bytes; 0: LH_FLOW_MAX_LINE */
	bool plain;		/* read files as they are: no decompression */
	bool texts;		/* each file is one text of any bytes, not lines: the map gets
				   it in rec->line and rec->len; rec has no members */
	bool values;		/* a line may hold any JSON value, in rec->line and rec->len;
				   rec has no members */
	bool lines;		/* rec->line and rec->len are all of the line, with the white
				   space around the record */
	bool tombstones;	/* the files are logs or sources: a tombstone (file/rows.h) is a
				   blank line */
	bool ids;		/* a line that begins with none of { [ " is text as it is, in
				   rec->line and rec->len; rec has no members */
	int output;		/* descriptor of an output file other than stdout; 0: none.  The
				   same file as input is an error (unreadable) */
	/* Take each piece of the input as read, before any of it is mapped.  With plain. */
	void (*show)(void *shared, const char *p, size_t n);

	/* ---- the records, on the threads ---- */
	int (*map)(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err);
	/* In place of map, with a sink: fill *result (result_size zeroed bytes) and append the
	 * text that belongs to it.  Return 1 to pass both to the sink, 0 to drop the record, -1
	 * as a map does.  The result must not hold pointers into out, whose memory moves. */
	int (*fill)(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		    struct lh_err *err);
	size_t result_size;
	bool one_by_one;	/* a block per record, so that even a few slow records are
				   spread over the threads */
	/* In place of map: answer up to batch_max records.  A batch is made of the records at
	 * hand; the flow does not wait for more.  It is of 1 with batch_max 1 or one_by_one.  0
	 * when all are answered; -1 ends the run. */
	int (*batch)(struct lh_batch *b, void *context, struct lh_err *err);
	size_t batch_max;
	/* Make an output of a line that is not a record, instead of its rejection. */
	void (*bad)(const struct lh_bad_line *bad, void *result, struct lh_buf *out,
		    void *context);
	/* Append the output that takes the place of a rejected record; rec is NULL for a line
	 * that is not a record.  Without a sink only. */
	void (*instead)(const struct lh_rejection *r, const struct lh_record *rec,
			struct lh_buf *out, void *context);
	bool reject_net;	/* LH_ENET rejects its record alone, as LH_EDATA does */
	bool stop_at_reject;	/* end at the first rejected record */

	/* ---- context and state of the maps ---- */
	/* The context of a thread: context_size zeroed bytes.  context_init (or NULL) prepares it
	 * from shared, or from held's state; context_free (or NULL) frees its contents, also after
	 * a context_init that failed half way.  Both run on any thread.  context_size 0: shared is
	 * the context of all threads. */
	size_t context_size;
	int (*context_init)(void *context, void *shared, struct lh_err *err);
	void (*context_free)(void *context);
	/* A state opened from files that may change (file/held.h), or NULL.  Contexts are made
	 * from it.  Before each block the flow checks whether the files have changed, except with
	 * once and while it reads a regular file: such a file is mapped with one state.  For a
	 * block of a newer state a context is freed and made again, or moved by renew (if not
	 * NULL), during which the old state is still open; -1 from renew ends the run.  If the
	 * state cannot be opened, the records of the block are rejected with status 503. */
	struct lh_held *held;
	int (*renew)(void *context, void *state, struct lh_err *err);
	bool once;

	/* ---- in order, on the calling thread ---- */
	/* Take the output of a record: 0, or -1 as a map (LH_EDATA rejects the record). */
	int (*sink)(const struct lh_output *o, void *shared, struct lh_err *err);
	/* Store what must be on disk before the next outputs are passed to sink or write.  -1
	 * ends the run and discards these outputs.  With one job, no record after them has been
	 * mapped yet. */
	int (*before_output)(void *shared, struct lh_err *err);
	/* Return for how many milliseconds more the outputs that the sink holds back may wait for
	 * further input; 0: hooks->waiting is called now.  Or NULL. */
	int (*hold)(void *shared);
	void *shared;		/* for sink, before_output, hold, show and context_init */

	const struct lh_flow_hooks *hooks;
	void *owner;		/* for the hooks */
};

/*
 * Run a flow that has a sink or hooks->write.  Return 0 at the end of the input, or -1 with
 * *err; the output of the records before the one that ended the run has then been passed on.
 */
int lh_flow_run(const struct lh_flow *flow, struct lh_err *err);

/* Run a flow over one file that is open already and stays open; name is for messages. */
int lh_flow_fd(const char *name, int fd, const struct lh_flow *flow, struct lh_err *err);

/* Run a flow over one regular file, not a symbolic link, with plain.  Returns as
 * lh_flow_run. */
int lh_flow_file(const char *path, const struct lh_flow *flow, struct lh_err *err);

/*
 * input - read a list of files (or stdin) as one sequence of files.  Plain files are read
 * from their descriptor; compressed files, and archives member by member, through lh-cat.
 *
 * Private to lib.
 */

struct lh_input {
	char **operands;	/* the files, "-" for stdin */
	size_t n, next;		/* the operand to open next */
	bool plain;		/* no file is decompressed */
	bool any;		/* of any kind: a workbook is not refused */
	int opened;		/* descriptor of the one operand, owned by the caller; or -1 */
	int output;		/* see struct lh_flow */
	struct lh_lines lines;
	const char *operand;	/* the open one, "-" for stdin; NULL: none is open */
	off_t start;		/* the offset at which reading began; -1: not a regular file */
	char *member;		/* "operand/name" of the open archive member, or NULL */
	int fd;
	struct lh_child_reader *cat;	/* the child that decodes it, or NULL */
};

/* Initialize; n 0 reads stdin alone, max_line is in bytes. */
void lh_input_init(struct lh_input *in, char **operands, size_t n, uint64_t max_line);
void lh_input_free(struct lh_input *in);

/* Return the bytes of all operands from where they will be read, or 0 if one of them is not a
 * regular file. */
uint64_t lh_input_size(const struct lh_input *in);

/* Return whether opening the next file may wait, as a FIFO waits for its writer. */
bool lh_input_waits(const struct lh_input *in);

/* Open the next file (an operand, or the next member of the archive that is
 * open): 1, 0 when there is none, -1 with *err about in->operand. */
int lh_input_open(struct lh_input *in, struct lh_err *err);

/* Return the next event of the open file, as lh_lines_next does.  Detects compressed files
 * and reads them through lh-cat. */
enum lh_lines_is lh_input_next(struct lh_input *in, struct lh_bytes *block, struct lh_err *err);

/* Close the open operand; further members of an archive are not read. */
void lh_input_leave(struct lh_input *in);

/* Return whether an archive is open, but none of its members. */
bool lh_input_archive(const struct lh_input *in);

/* Return the name of the open file in messages: "a.jsonl", "-", "a.tar/one.jsonl". */
const char *lh_input_name(const struct lh_input *in);

/* hint - recognise input that is not JSON Lines by its first line. */

/* Return what to do with input whose first line, blank ones apart, is this, if it cannot be JSON
 * Lines but is a JSON array, JSON over several lines, a table, a text, Parquet, UTF-16 or
 * UTF-32; or NULL.  No line of JSON Lines is taken for one of them. */
const char *lh_hint_of(struct lh_str line);

#endif
