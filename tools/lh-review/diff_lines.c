/* diff_lines.c - bytes to lines.  See diff_parts.h. */
#include "diff_parts.h"

#include "base/mem.h"

#define ROOM ((size_t)64 << 10)

/* Read more bytes: 1, 0 if no more fit or come, -1. */
static int fill(struct lh_diff *d, struct lh_diff_lines *l, struct lh_err *err)
{
	ssize_t got;

	if (l->at) {
		memmove(l->p, l->p + l->at, l->n - l->at);
		l->n -= l->at;
		l->at = 0;
	}
	if (l->ended || l->n == ROOM)
		return 0;
	got = d->read(d->ctx, l->p + l->n, ROOM - l->n, err);
	if (got < 0)
		return -1;
	l->ended = got == 0;
	l->n += (size_t)got;
	d->bytes += (uint64_t)got;
	return got > 0;
}

int lh_diff_lines_look(struct lh_diff *d, struct lh_diff_lines *l, struct lh_diff_line *line,
		       struct lh_err *err)
{
	size_t looked = 0, n;
	const char *lf;
	int rc = 1;

	if (!l->p && !(l->p = lh_calloc(ROOM, 1, err)))
		return -1;
	for (;;) {
		lf = l->n - l->at > looked
			? memchr(l->p + l->at + looked, '\n', l->n - l->at - looked) : NULL;
		if (lf || !rc)
			break;
		looked = l->n - l->at;
		rc = fill(d, l, err);
		if (rc < 0)
			return -1;
	}
	n = lf ? (size_t)(lf - l->p) + 1 - l->at : l->n - l->at;
	line->text = line->words = (struct lh_str){ l->p + l->at, n };
	line->first = !l->within;
	line->words.n -= lf != NULL;
	if (line->words.n && line->words.p[line->words.n - 1] == '\r')
		line->words.n--;
	return n > 0;
}

void lh_diff_lines_pass(struct lh_diff_lines *l, const struct lh_diff_line *line)
{
	l->line += line->first;
	l->at += line->text.n;
	l->within = line->text.p[line->text.n - 1] != '\n';
}
