/*
 * diff_parts - what the files of this room share.
 *
 *     diff.c        lines to parts
 *     diff_lines.c  bytes to lines
 *     diff_names.c  header lines to the path
 */
#ifndef LH_DIFF_PARTS_H
#define LH_DIFF_PARTS_H

#include <stdbool.h>

#include "diff.h"

/* A line, or the next piece of a line that is longer than the buffer. */
struct lh_diff_line {
	struct lh_str text;	/* with its LF */
	struct lh_str words;	/* without LF and CR */
	bool first;		/* the line's beginning */
};

struct lh_diff_lines {
	char *p;
	size_t at, n;		/* read and not yet passed on: p[at..n) */
	bool ended, within;	/* within: the last line is not complete */
	uint64_t line;
};

/* Look at the next line or piece: 1, 0 at the end, -1.  lh_diff_lines_pass goes past it. */
int lh_diff_lines_look(struct lh_diff *d, struct lh_diff_lines *l, struct lh_diff_line *line,
		       struct lh_err *err);
void lh_diff_lines_pass(struct lh_diff_lines *l, const struct lh_diff_line *line);

/* The names in the header of a part. */
struct lh_diff_names {
	struct lh_buf path;	/* what is known best so far */
	struct lh_buf old;	/* of "--- " */
	struct lh_buf scratch[2];
	bool sure;		/* path needs no other line */
};

/* Take the names after "diff --git ", or the one after "diff --cc "; false: it is not a header. */
bool lh_diff_names_git(struct lh_diff_names *n, struct lh_str s);
bool lh_diff_names_merge(struct lh_diff_names *n, struct lh_str s);
/* Take the name after "rename to " or "copy to ", "--- " and "+++ ". */
void lh_diff_names_moved(struct lh_diff_names *n, struct lh_str s);
void lh_diff_names_old(struct lh_diff_names *n, struct lh_str s);
void lh_diff_names_new(struct lh_diff_names *n, struct lh_str s);
void lh_diff_names_reset(struct lh_diff_names *n);
/* Return 0, or -1 if there was no memory for a name, which then is unknown. */
int lh_diff_names_check(const struct lh_diff_names *n, struct lh_err *err);
void lh_diff_names_free(struct lh_diff_names *n);

static inline struct lh_str text_of(const struct lh_buf *b)
{
	return (struct lh_str){ b->len ? b->p : "", b->len };
}

/* Return what follows the text in s, if s begins with it; else p is NULL. */
static inline struct lh_str lh_diff_after(struct lh_str s, const char *text)
{
	size_t n = strlen(text);

	if (s.n < n || memcmp(s.p, text, n) != 0)
		return (struct lh_str){ NULL, 0 };
	return (struct lh_str){ s.p + n, s.n - n };
}

#endif
