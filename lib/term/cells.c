/* cells.c - how many cells of a terminal a text takes.  See term.h. */
#include "term.h"

#include <utf8proc.h>

#include "base/utf8.h"
#include "text/escape.h"

#define ESCAPED 4	/* \xNN */

/* Return two for East Asian Width W and F; none for marks (Mn, Me) and for the medial and final
 * letters of Hangul.  utf8proc_charwidth itself gives marks that advance (Mc) no cell. */
static unsigned width(uint32_t c)
{
	if (c - 0x1160 <= 0x11ff - 0x1160 || c - 0xd7b0 <= 0xd7ff - 0xd7b0)
		return 0;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_ME:
		return 0;
	case UTF8PROC_CATEGORY_CN:	/* some will be ideographs */
		return c - 0xf900 <= 0xfaff - 0xf900 || c - 0x20000 <= 0x2fffd - 0x20000 ||
		       c - 0x30000 <= 0x3fffd - 0x30000 ? 2 : 1;
	default:
		return utf8proc_charwidth((utf8proc_int32_t)c) == 2 ? 2 : 1;
	}
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
