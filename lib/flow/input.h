/*
 * input - read a list of files (or stdin) as one sequence of files.  Plain files are read
 * from their descriptor; compressed files, and archives member by member, through lh-cat.
 *
 * Private to liblh.
 */
#ifndef LH_INPUT_H
#define LH_INPUT_H

#include "blocks.h"

struct lh_input {
	char **operands;	/* the files, "-" for stdin */
	size_t n, next;		/* the operand to open next */
	bool plain;		/* no file is decompressed */
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

#endif
