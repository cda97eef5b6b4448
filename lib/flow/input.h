/*
 * input - files (else stdin) as one sequence: plain ones straight from their
 * descriptor, compressed ones and the members of archives through lh-cat.
 *
 * Private to liblh.
 */
#ifndef LH_INPUT_H
#define LH_INPUT_H

#include "blocks.h"

struct lh_input {
	char **operands;	/* the files, "-" for stdin */
	size_t n, next;		/* the operand to open next */
	bool plain;		/* nothing is decoded */
	int opened;		/* the one operand, open already and not ours to close; or -1 */
	int output;		/* next to stdout, what is no input; or 0 */
	struct lh_lines lines;
	const char *operand;	/* the open one, "-" for stdin; NULL: none is open */
	off_t start;		/* where in it we began, when it can be sought */
	char *member;		/* "operand/name" when it is an archive, else NULL */
	int fd;
	struct lh_child_reader *cat;	/* the child that decodes it, or NULL */
};

/* n 0: stdin alone.  max_line: of a line, in bytes. */
void lh_input_init(struct lh_input *in, char **operands, size_t n, uint64_t max_line);
void lh_input_free(struct lh_input *in);

/* May opening the next file wait for its writer?  A FIFO's does. */
bool lh_input_waits(const struct lh_input *in);

/* Open the next file (an operand, or the next member of the archive that is
 * open): 1, 0 when there is none, -1 with *err about in->operand. */
int lh_input_open(struct lh_input *in, struct lh_err *err);

/* The next block of the open file; see blocks.h.  Finds out whether it
 * is compressed, and then reads through lh-cat. */
enum lh_lines_is lh_input_next(struct lh_input *in, struct lh_bytes *block, struct lh_err *err);

/* Leave the open operand; what an archive still holds is not read. */
void lh_input_leave(struct lh_input *in);

/* Is what is open an archive itself, none of its members? */
bool lh_input_archive(const struct lh_input *in);

/* How messages call the open file: "a.jsonl", "-", "a.tar/one.jsonl". */
const char *lh_input_name(const struct lh_input *in);

#endif
