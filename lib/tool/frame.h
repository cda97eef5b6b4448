/*
 * frame - what the parts of the tool frame share: options, messages, records.
 * Private to liblh.
 */
#ifndef LH_FRAME_H
#define LH_FRAME_H

#include "tool.h"

struct lh_tool_state {
	void *settings;
	unsigned closed;	/* descriptors 0 to 2 that were closed at start */
	bool bad;		/* a verdict is bad */
	bool failed;		/* a part of the work could not be done; written atomically */
	bool stopped;		/* --on-error stop stopped us */
	bool pipe_gone;		/* stdout has no reader any more; SIGPIPE is ignored */
	bool out_failed;	/* a write to stdout failed and was reported */
	uint64_t records, rejected;
	struct lh_buf out;
	struct {
		bool shown, tty;
		const char *what;	/* the records are of, or NULL */
		double start, last;	/* lh_time_monotonic */
	} progress;
};

/* Read argv (and the environment) into the fields; options.c. */
int lh_options_parse(struct lh_tool *t, int argc, char **argv, void *settings);
void lh_options_free(struct lh_tool *t);

/* The text of --help, appended; help.c. */
void lh_help_text(const struct lh_tool *t, struct lh_buf *b);

/* One message in one write: "tool: file:line:column: text"; file NULL, line 0
 * and column 0 are left out.  Allocates nothing. */
void lh_message_at(struct lh_tool *t, const char *file, uint64_t line, size_t column, const char *text);

/* Mark a failure whose message has been written: t->err with an empty text,
 * which lh_tool_finish does not repeat.  Returns -1. */
int lh_tool_reported(struct lh_tool *t);

/* Show how far we are, at most five times a second; messages.c. */
void lh_progress_tick(struct lh_tool *t);
void lh_progress_clear(struct lh_tool *t);

/* Write to stdout at once, after what lh_tool_out holds: 0, or -1 with t->err. */
int lh_tool_write(struct lh_tool *t, const void *p, size_t n);

#endif
