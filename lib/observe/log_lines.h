/*
 * log_lines - read the lines of a log that others append to, forwards or backwards.
 *
 *     struct lh_log_lines l;
 *     lh_log_lines_open(&l, fd, path, offset, longest);
 *     while ((rc = lh_log_lines_next(&l, &line, err)) > 0)
 *             ... line.p, line.n ...
 *     lh_log_lines_close(&l);
 *
 * Forwards, a line is returned once its LF is there; at the end of the file the call returns
 * 0, and a later one continues.  Backwards, a last line without LF is the first that is
 * returned, with whole false.  Blank lines are lines.
 *
 * Memory:  a chunk, and the longest line up to the limit; a longer line is returned with p
 *          NULL, its offsets alone.
 * Owner:   the descriptor and the path are the caller's.
 * Errors:  LH_EIO that names the path; LH_ENOMEM.
 * Threads: one thread per struct.
 */
#ifndef LH_LOG_LINES_H
#define LH_LOG_LINES_H

#include <lh/buf.h>

struct lh_log_line {
	const char *p;		/* without its LF; until the next call; LH_PAD bytes follow */
	size_t n;
	uint64_t at, end;	/* offset of the line, and of what follows its LF */
	bool whole;		/* it ends with LF */
};

struct lh_log_lines {
	int fd;
	const char *path;
	size_t longest;
	uint64_t at;		/* forwards: of the next line; backwards: where the last began */
	struct lh_buf buf;	/* bytes of the file, from its byte `from` on */
	uint64_t from;
	struct lh_buf line;
	bool skips;		/* in a line that is too long */
};

void lh_log_lines_open(struct lh_log_lines *l, int fd, const char *path, uint64_t at,
		       size_t longest);
void lh_log_lines_close(struct lh_log_lines *l);

/* Return the line at l->at: 1, 0 if there is no whole one yet, -1. */
int lh_log_lines_next(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err);

/* Return the line that ends at l->at: 1, 0 at the beginning, -1.  Start at the file's end. */
int lh_log_lines_before(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err);

#endif
