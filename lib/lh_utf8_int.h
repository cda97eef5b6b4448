/*
 * lh_utf8_int - UTF-8, one character at a time.  Whole texts are lh_utf8_valid's.
 * Private to liblh.
 */
#ifndef LH_UTF8_INT_H
#define LH_UTF8_INT_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed character at s, whose first byte is above
 * 0x7f and which has n bytes at most; 0 when it is none. */
size_t lh_utf8_len(const unsigned char *s, size_t n);

/* Write the code point c to to (4 bytes): the length. */
static inline size_t lh_utf8_put(uint32_t c, unsigned char *to)
{
	if (c < 0x80) {
		to[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (unsigned char)(0xc0 | c >> 6);
		to[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (unsigned char)(0xe0 | c >> 12);
		to[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (unsigned char)(0xf0 | c >> 18);
	to[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

#endif
