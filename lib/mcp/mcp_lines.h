/*
 * mcp_lines - messages of a stream: lines that come in pieces of any size.
 *
 *     struct lh_mcp_lines in = { .max = 16 << 20 };
 *
 *     to = lh_mcp_lines_room(&in, CHUNK);            NULL: out of memory
 *     lh_mcp_lines_took(&in, read(fd, to, CHUNK));   0: the end
 *     while ((got = lh_mcp_lines_next(&in, &line)))
 *             if (got < 0) ...                       a line that is too long: skipped
 *             else ...                               line, until the next call
 *     lh_mcp_lines_free(&in);
 *
 * A line ends with LF, the last one also with the stream.  Blank lines are skipped.  At most the
 * maximum and a piece are kept, however long a line is.
 *
 * Owner:   the struct is the caller's; all zero but max at first.
 * Threads: one thread per struct.
 */
#ifndef LH_MCP_LINES_H
#define LH_MCP_LINES_H

#include <lh/buf.h>
#include <lh/str.h>

struct lh_mcp_lines {
	size_t max;		/* bytes of a line */

	struct lh_buf text;
	size_t done, seen;	/* bytes that were given out; of the rest those without LF */
	bool skipping;		/* the rest of a line that is too long */
	bool ended;
};

/* Return room for n bytes, or NULL; report what was read into it. */
char *lh_mcp_lines_room(struct lh_mcp_lines *l, size_t n);
void lh_mcp_lines_took(struct lh_mcp_lines *l, size_t n);
/* Return 1 and the next line; -1 if that is too long; 0 if there is none yet. */
int lh_mcp_lines_next(struct lh_mcp_lines *l, struct lh_str *line);
void lh_mcp_lines_free(struct lh_mcp_lines *l);

#endif
