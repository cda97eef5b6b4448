/*
 * out - what lh-cat writes: lines for people, frames for the tools that run it.
 *
 * As lines, files follow each other with every line ended, and only whole
 * lines are written, so that a file that turns out to be damaged leaves whole
 * records behind; a line longer than the buffer is passed on in pieces.  As
 * frames (lib/archive/child_archive.h), the bytes of each member are left as they are.
 *
 * Functions return 0, or -1 with tool->err.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>

#include "archive/archive.h"
#include "tool/tool.h"

struct out {
	struct lh_tool *tool;
	bool frames;
	bool entries;		/* frames, for whoever judges an archive */
	bool any;		/* something has been written for an earlier file */
	bool open_line;		/* what was added last did not end with an LF */
	bool begun;		/* bytes of the current file were added */
	size_t n;
	char p[256 << 10];
};

int out_begin(struct out *o, const char *name);

/* With entries, in place of out_begin. */
int out_entry(struct out *o, const struct lh_archive_entry *e);

int out_add(struct out *o, const char *p, size_t n);

/* Write what is whole now, because the next bytes may take their time. */
int out_flush(struct out *o);

/* The current file ended, or (why) broke off: its unfinished line is dropped. */
int out_end(struct out *o);
int out_broken(struct out *o, const char *why);

/* No more files. */
int out_finish(struct out *o);

#endif
