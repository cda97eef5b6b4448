/*
 * frame - the state and functions shared by the files of lib/tool.
 * Private to lib.
 */
#ifndef LH_FRAME_H
#define LH_FRAME_H

#include "base/str.h"
#include "op.h"

struct lh_path;

struct lh_tool_state {
	void *settings;
	unsigned closed;	/* descriptors 0 to 2 that were closed at start */
	bool bad;		/* a verdict is bad */
	bool failed;		/* a part of the work could not be done; written atomically */
	bool stopped;		/* --on-error stop ended the run */
	bool pipe_gone;		/* the reader of stdout has closed it; SIGPIPE is ignored */
	bool out_failed;	/* a write to stdout failed and was reported */
	bool terminal;		/* stdout is one */
	uint64_t records, rejected;
	struct lh_path *wanted;	/* paths to report if no record has them */
	struct lh_buf out;
	int (*settle)(void *ctx, struct lh_buf *text, struct lh_err *err);	/* or NULL */
	void *settle_ctx;
	struct {
		bool shown;		/* a line of progress is on the terminal */
		bool tty, out_tty;	/* stderr and stdout are terminals */
		bool midline;		/* stdout, a terminal, has part of a line */
		const char *what;	/* the stage, or NULL */
		double start, last;	/* lh_time_monotonic */
		uint64_t done, of;	/* bytes of the input of a flow; of 0: not known */
		size_t cells;		/* of the line shown */
		char erase[160];	/* what removes it */
	} progress;
};

/* Parse argv (and the environment) into the fields; options.c. */
int lh_options_parse(struct lh_tool *t, int argc, char **argv, void *settings);
void lh_options_free(struct lh_tool *t);

/* End with a line and status 2 where a mapped file is read that was truncated; stderr.c.
 * name stays the caller's. */
void lh_truncated_install(const char *name);

/* Append the text of --help; describe.c. */
void lh_help_text(const struct lh_tool *t, struct lh_buf *b);
/* Append the line of --describe-options; describe.c. */
void lh_describe_text(const struct lh_tool *t, struct lh_buf *b);

/* Append the line of --describe; describe.c. */
void lh_operations_text(const struct lh_tool *t, struct lh_buf *b);
#define LH_OP_TRACE "trace_id"	/* which any request may have, */
#define LH_OP_ID "id"		/* and this, which an error repeats */
/* Return whether a request must not have members that the operation does not. */
bool lh_op_is_shut(const struct lh_op *op);
/* Return the operation of a filter under the options given. */
const struct lh_op *lh_op_of_filter(const struct lh_tool *t);

/* The operations of requests, and the table of the member that names one. */
struct lh_op_asked {
	int op;			/* index of name and of */
};
struct lh_op_names {
	const char *name[LH_OPS_MAX + 1];	/* ends with NULL */
	const struct lh_op *of[LH_OPS_MAX];
	struct lh_bind member[2];
};
void lh_op_names_set(struct lh_op_names *n, const struct lh_op *ops);

/* Write a message "tool: file:line:column: text" with one write(2); file NULL, line 0 and
 * column 0 are omitted.  style is that of the name, where messages are coloured: LH_STYLE_BAD
 * for an error.  Allocates nothing. */
void lh_message_at(struct lh_tool *t, enum lh_style style, const char *file, uint64_t line,
		   size_t column, const char *text);

/* Mark a failure whose message has been written: t->err with an empty text,
 * which lh_tool_finish does not repeat.  Returns -1. */
int lh_tool_reported(struct lh_tool *t);

/* Start progress, at the start of a tool; stderr.c. */
void lh_progress_init(struct lh_tool *t);
/* Remove the line of progress from the terminal. */
void lh_progress_clear(struct lh_tool *t);
/* Make place for n bytes of stdout that are about to be written. */
void lh_progress_give_way(struct lh_tool *t, const char *p, size_t n);

/* Write to stdout at once, after the bytes buffered by lh_tool_out: 0, or -1 with t->err. */
int lh_tool_write(struct lh_tool *t, const void *p, size_t n);

#endif
