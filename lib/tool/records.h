/*
 * records - a tool's records through a flow: the loop of every filter, once.
 *
 * A tool says what becomes of one record; its operands (else stdin), stdout, and the
 * options that all filters share (-j, --max-line, --on-error, --rejects, --once, -q, -v,
 * --progress) are taken from the tool.
 *
 *     static int on_record(struct lh_record *rec, struct lh_buf *out, void *context,
 *                          struct lh_err *err)
 *     {
 *             lh_record_open(out, rec, (const char *[]){ "seen" }, 1);
 *             lh_buf_puts(out, "\"seen\":true");
 *             lh_record_close(out, rec);
 *             return 0;
 *     }
 *     rc = lh_records_run(&tool, &(struct lh_flow){ .map = on_record });
 *
 * What the flow's members mean is in flow/flow.h.  This adds:
 *
 *     stdout     what a map appends, and a LF; with a sink, what the sink prints with
 *                lh_tool_out.  Flushed before input is waited for.
 *     rejected   a message "lh-x: FILE:LINE:COLUMN: reason", of which an operand gets 20
 *                unless -v is given; the line to --rejects; with --on-error emit an error
 *                object in the record's place ({"id":...,"error":{"file","line","code",
 *                "message"}}, code is lh_err_status), where flow->instead says nothing else;
 *                with --on-error stop the end of the run.  The exit status is 1, and 2
 *                after an LH_ENET.
 *     LH_ENET    with --on-error emit it rejects its record alone: an upstream that is
 *                down costs an error object, not the process.
 *     unreadable a file that cannot be read is reported, and the next one is read; the
 *                exit status is 2.
 *     progress   and, at the end, the summary "3 of 10 records rejected".
 *
 * A sink and before_output get &tool->err as their err, which is where a failed
 * lh_tool_out leaves its reason.
 */
#ifndef LH_RECORDS_H
#define LH_RECORDS_H

#include "flow/flow.h"
#include "tool.h"

/*
 * Run the flow over flow->files, or the tool's operands where that is NULL; jobs,
 * max_line, once, output, hooks and the members on rejections are filled in.
 *
 * 0 at the end of input (also when records were rejected), -1 with tool->err: a fatal
 * error, a file that could not be read (the others were; its message is out), or
 * --on-error stop.  A tool that gathers for a file of its own commits it on 0 alone.
 */
int lh_records_run(struct lh_tool *tool, const struct lh_flow *flow);

/* Does that error of a map reject its record alone?  For a batch. */
bool lh_records_rejects(const struct lh_tool *tool, const struct lh_err *err);

#endif
