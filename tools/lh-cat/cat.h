/* cat.h - what the files of lh-cat share. */
#ifndef CAT_H
#define CAT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "archive/archive.h"
#include "tool/tool.h"

/* ---- an object in S3 as a stream, by lh-store as a child ---- */

struct object {
	pid_t pid;
	int stderr_fd;
};

/* Return whether the operand is "s3://..." . */
bool object_named(const char *operand);

/* Start to read the object: a descriptor of its bytes, or -1. */
int object_open(struct object *o, const char *operand, struct lh_err *err);

/* Wait for the child, whose descriptor was read to its end or closed: -1 if it failed. */
int object_close(struct object *o, struct lh_err *err);

/* ---- the output of lh-cat ---- */

/*
 * As lines, files follow each other with every line ended, and only whole lines are
 * written, so that whole records remain of a file that proves to be damaged; a line
 * longer than the buffer is written in pieces.  As frames
 * (lib/archive/archive.h), the bytes of each member are unchanged.
 *
 * Functions return 0, or -1 with tool->err.
 */

struct out {
	struct lh_tool *tool;
	bool frames;
	bool any;		/* an earlier file had output */
	bool open_line;		/* the bytes added last did not end with an LF */
	bool begun;		/* bytes of the current file were added */
	size_t n;
	char p[256 << 10];
};

int out_begin(struct out *o, const char *name);

int out_add(struct out *o, const char *p, size_t n);

/* Write what is complete, because the next bytes may take time. */
int out_flush(struct out *o);

/* End the current file; if it broke off (why), drop its incomplete line. */
int out_end(struct out *o);
int out_broken(struct out *o, const char *why);

/* End the output. */
int out_finish(struct out *o);

/* ---- the reverse of lh-cat ---- */

/* Compress stdin to stdout, as frames (archive/archive.h). */
int pack(struct lh_tool *tool, const char *compression);

#endif
