/* cells.c - how many cells of a terminal a text takes.  See term.h. */
#include "term.h"

#include "base/utf8.h"
#include "cells.inc"
#include "text/escape.h"

#define ESCAPED 4	/* \xNN */

static unsigned width(uint32_t c)
{
	size_t from = 0, to = sizeof widths / sizeof *widths;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (c < widths[mid].first)
			to = mid;
		else if (c > widths[mid].last)
			from = mid + 1;
		else
			return widths[mid].cells;
	}
	return 1;
}

/* Return the cells of the character at p; *len is its length. */
static unsigned cells_at(const char *p, size_t n, size_t *len)
{
	const unsigned char *s = (const unsigned char *)p;

	*len = lh_escape_char_len(p, n);
	if (!*len) {
		*len = 1;
		return ESCAPED;
	}
	return *s < 0x80 ? 1 : width(lh_utf8_get(&s));
}

size_t lh_term_cells(const char *p, size_t n)
{
	size_t cells = 0, len;

	for (; n; p += len, n -= len)
		cells += cells_at(p, n, &len);
	return cells;
}

size_t lh_term_fit(const char *p, size_t n, size_t cells)
{
	size_t at, len, used = 0;

	for (at = 0; at < n; at += len) {
		used += cells_at(p + at, n - at, &len);
		if (used > cells)
			break;
	}
	return at;
}
