/* note_parts.h - what note.c and policy.c share. */
#ifndef LH_NOTE_PARTS_H
#define LH_NOTE_PARTS_H

#include "note.h"

static inline uint32_t lh_tlog_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void lh_tlog_put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Take a line that ends with LF; false if there is none. */
static inline bool lh_tlog_take_line(struct lh_str *rest, struct lh_str *line)
{
	return rest->n && memchr(rest->p, '\n', rest->n) && lh_next_line(rest, line);
}

/* Take the word at the beginning of a line. */
static inline bool lh_tlog_take_word(struct lh_str *line, const char *word)
{
	size_t n = strlen(word);

	if (line->n <= n || memcmp(line->p, word, n) != 0)
		return false;
	line->p += n;
	line->n -= n;
	return true;
}

#endif
