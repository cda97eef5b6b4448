/* mcp_lines.c - messages of a stream.  See mcp.h. */
#include "mcp.h"

char *lh_mcp_lines_room(struct lh_mcp_lines *l, size_t n)
{
	if (l->done) {
		l->text.len -= l->done;
		memmove(l->text.p, l->text.p + l->done, l->text.len);
		l->done = 0;
	}
	return lh_buf_room(&l->text, n);
}

void lh_mcp_lines_took(struct lh_mcp_lines *l, size_t n)
{
	l->ended = !n;
	lh_buf_took(&l->text, n);
}

static bool is_blank(struct lh_str line)
{
	size_t i;

	for (i = 0; i < line.n && strchr(" \t\r", line.p[i]) && line.p[i]; i++)
		;
	return i == line.n;
}

/* Give out n bytes, and what ends them. */
static struct lh_str give(struct lh_mcp_lines *l, size_t n, size_t end)
{
	struct lh_str line = { l->text.p + l->done, n };

	l->done += n + end;
	l->seen = 0;
	return line;
}

/* Find the end of the next line: false if it is not there. */
static bool find_end(struct lh_mcp_lines *l, size_t *n, size_t *end)
{
	const char *from = l->text.p + l->done;
	const size_t left = l->text.len - l->done;
	const char *lf = left > l->seen ? memchr(from + l->seen, '\n', left - l->seen) : NULL;

	*n = lf ? (size_t)(lf - from) : left;
	*end = lf != NULL;
	l->seen = *n;
	return lf || (l->ended && left);
}

int lh_mcp_lines_next(struct lh_mcp_lines *l, struct lh_str *line)
{
	size_t n, end;
	bool was;

	while (find_end(l, &n, &end)) {
		*line = give(l, n, end);
		was = l->skipping;
		l->skipping = false;
		if (was || is_blank(*line))
			continue;
		return line->n > l->max ? -1 : 1;
	}
	if (l->skipping || n > l->max) {
		was = l->skipping;
		l->skipping = true;
		give(l, n, 0);
		return was ? 0 : -1;
	}
	return 0;
}

void lh_mcp_lines_free(struct lh_mcp_lines *l)
{
	lh_buf_free(&l->text);
}
