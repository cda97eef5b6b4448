/*
 * input - the operands (else stdin) as one sequence of files: plain ones
 * straight from their descriptor, compressed ones and the members of archives
 * by way of lh-cat.
 *
 * Private to liblh.
 */
#ifndef LH_INPUT_H
#define LH_INPUT_H

#include "tool/frame.h"
#include "blocks.h"

struct lh_input {
	struct lh_tool *tool;
	char **operands;
	size_t n, next;		/* the operand to open next */
	bool plain;		/* nothing is decoded */
	struct lh_lines lines;
	const char *operand;	/* the open one, "-" for stdin; NULL: none is open */
	off_t start;		/* where in it we began, when it can be sought */
	char *member;		/* "operand/name" when it is an archive, else NULL */
	int fd;
	int rejects;		/* where rejects are appended, or -1: no input */
	struct lh_child_reader *cat;	/* the child that decodes it, or NULL */
};

/* operands NULL: stdin alone. */
void lh_input_init(struct lh_input *in, struct lh_tool *tool, char **operands, size_t n);
void lh_input_free(struct lh_input *in);

/* May opening the next file wait for somebody?  A FIFO's does. */
bool lh_input_waits(const struct lh_input *in);

/* Open the next file (an operand, or the next member of the archive that is
 * open): 1, 0 when there is none, -1 with tool->err about in->operand. */
int lh_input_open(struct lh_input *in);

/* The next block of the open file; see blocks.h.  Finds out whether it
 * is compressed, and then reads by way of lh-cat. */
enum lh_lines_is lh_input_next(struct lh_input *in, struct lh_bytes *block);

/* Leave the open operand; what an archive still holds is not read. */
void lh_input_leave(struct lh_input *in);

/* Is what is open an archive itself, none of its members? */
bool lh_input_archive(const struct lh_input *in);

/* How messages call the open file: "a.jsonl", "-", "a.tar/one.jsonl". */
const char *lh_input_name(const struct lh_input *in);

#endif
