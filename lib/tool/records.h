/*
 * records - run the records of a tool's input through a flow: the loop of every filter.
 *
 * A tool has one function for a record.  The input (the operands, or stdin without any),
 * stdout, and the options that all filters share (-j, --max-line, --on-error, --rejects,
 * --once, -q, -v, --progress) come from struct lh_tool.
 *
 *     static int on_record(struct lh_record *rec, struct lh_buf *out, void *context,
 *                          struct lh_err *err)
 *     {
 *             lh_record_open(out, rec, (const char *[]){ "seen" }, 1);
 *             lh_buf_puts(out, "\"seen\":true}");
 *             return 0;
 *     }
 *     rc = lh_records_run(&tool, &(struct lh_flow){ .map = on_record });
 *
 * The members of struct lh_flow are described in flow/flow.h.  This module adds:
 *
 *     stdout     The output of each map, ended by LF; with a sink, what the sink prints with
 *                lh_tool_out.  Flushed before a wait for input.
 *     rejected   A message "lh-x: FILE:LINE:COLUMN: reason", at most 20 per operand unless
 *                -v is given.  The line is appended to --rejects.  With --on-error emit an
 *                error object takes the record's place, unless flow->instead is set:
 *                {"id":...,"error":{"file","line","code","message"}}, where code is
 *                lh_err_status.  With --on-error stop the run ends.  The exit status is 1,
 *                and 2 after an LH_ENET.
 *     LH_ENET    With --on-error emit it rejects its record alone: an unreachable upstream
 *                gives error objects and does not end the run.
 *     unreadable A file that cannot be read is reported, and the next one is read; the
 *                exit status is 2.
 *     progress   On stderr, and at the end the summary "3 of 10 records rejected".
 *
 * The err of a sink and of before_output is &tool->err, so that the reason of a failed
 * lh_tool_out need not be copied.
 */
#ifndef LH_RECORDS_H
#define LH_RECORDS_H

#include "flow/flow.h"
#include "json/value.h"
#include "tool.h"

/*
 * Run the flow over flow->files, or over the tool's operands if that is NULL.  jobs,
 * max_line, once, output, hooks and the members on rejections are set here.
 *
 * Returns 0 at the end of input, also when records were rejected.  -1 with tool->err: a
 * fatal error, --on-error stop, or a file that could not be read (its message is written;
 * the other files were read).  A tool that writes a file of its own commits it on 0 only.
 */
int lh_records_run(struct lh_tool *tool, const struct lh_flow *flow);

/*
 * Let the next lh_records_run report a path that an option names and no record has: in a
 * warning after 1,000 records, and at the end, where the exit status becomes 1.  A path that was
 * looked for in no record is not reported.  The path stays the caller's.
 */
void lh_records_want(struct lh_tool *tool, const char *option, struct lh_path *path);
/* The same for all paths of a template; NULL: none. */
void lh_records_want_template(struct lh_tool *tool, const struct lh_template *t);
/* Report the paths that no record had, at the end; for a tool with records of another kind. */
void lh_records_absent(struct lh_tool *tool);

/* Return whether an error of a map rejects its record alone; for batch functions. */
bool lh_records_rejects(const struct lh_tool *tool, const struct lh_err *err);

/*
 * Make an error of what all records need, such as a log on a full disk, one of its record
 * alone, for a filter that answers a bridge.  It is reported on stderr unless *reported, which
 * is set; the client gets why, with status 503, or 502 for LH_ENET.  LH_EDATA without status
 * 503 and LH_EINTR remain as they are.  Returns -1.
 */
int lh_records_unavailable(struct lh_tool *tool, bool *reported, const char *why,
			   struct lh_err *err);

/*
 * The same for a loop over records that are not lines of JSON, such as rows of a table:
 *
 *     struct lh_records *r = lh_records_begin(tool);
 *
 *     while (... a record ...)
 *             if (bad)
 *                     rc = lh_records_reject(r, &rejection);
 *     lh_records_delivered(r, n);           from time to time, n more were done or rejected
 *     rc = lh_records_end(r, rc);
 *
 * The output of the records before a rejected one must have been passed to lh_tool_out.
 */
struct lh_records;

/* Open --rejects.  NULL with tool->err. */
struct lh_records *lh_records_begin(struct lh_tool *tool);

/* Let a rejection with `opening` that looks like an array, JSON over several lines or a table
 * be followed by what to do with such a file: the records are lines of JSON. */
void lh_records_hint(struct lh_records *r);

/* Return the descriptor of --rejects, which must not be read at the same time; 0: none. */
int lh_records_output(const struct lh_records *r);

/* Set a line, without its LF, that comes before the first rejected record if --rejects is
 * empty.  It stays the caller's. */
void lh_records_header(struct lh_records *r, struct lh_str header);

/* Handle a rejected record: 0 continues, -1 ends the run. */
int lh_records_reject(struct lh_records *r, const struct lh_rejection *of);

/* Append a piece of a record over the limit to --rejects; its rejection follows. */
int lh_records_long_line(struct lh_records *r, const char *p, size_t n);

int lh_records_delivered(struct lh_records *r, uint64_t records);

/* Free r (or NULL); the result is rc, or -1 if --rejects could not be written. */
int lh_records_end(struct lh_records *r, int rc);

#endif
