/* base64.c - RFC 4648 base64, with padding, strict.  See lh/num.h. */
#include "base64_avx2.h"
#include "cpu.h"
#include <lh/num.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define XX 64
static const unsigned char value[256] = {
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX, XX, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
	XX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, XX,
	XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
	[128 ... 255] = XX,
};

static size_t encode(char *to, const unsigned char *s, size_t n)
{
	size_t i = 0;
	char *at;

#ifdef __x86_64__
	if (lh_cpu() == LH_CPU_AVX2)
		i = lh_base64_encode_avx2(to, s, n);
#endif
	for (at = to + i / 3 * 4; i + 3 <= n; i += 3, at += 4) {
		uint32_t v = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];

		at[0] = alphabet[v >> 18];
		at[1] = alphabet[v >> 12 & 63];
		at[2] = alphabet[v >> 6 & 63];
		at[3] = alphabet[v & 63];
	}
	if (i < n) {
		uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0);

		at[0] = alphabet[v >> 18];
		at[1] = alphabet[v >> 12 & 63];
		at[2] = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		at[3] = '=';
		at += 4;
	}
	return (size_t)(at - to);
}

void lh_buf_base64(struct lh_buf *b, const void *p, size_t n)
{
	char *to = lh_buf_room(b, n < SIZE_MAX / 2 ? (n + 2) / 3 * 4 : SIZE_MAX);

	if (to)
		lh_buf_took(b, encode(to, p, n));
}

long lh_base64_read(const char *p, size_t n, void *to)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned char *at = to, a, b, c, d, bad = 0;
	size_t i = 0, pad;

	if (n % 4)
		return -1;
#ifdef __x86_64__
	if (lh_cpu() == LH_CPU_AVX2)
		i = lh_base64_decode_avx2(to, s, n);
#endif
	at += i / 4 * 3;
	pad = n ? (s[n - 1] == '=') + (s[n - 1] == '=' && s[n - 2] == '=') : 0;
	for (; i + 4 + (pad ? 4 : 0) <= n; i += 4, at += 3) {
		a = value[s[i]];
		b = value[s[i + 1]];
		c = value[s[i + 2]];
		d = value[s[i + 3]];
		bad |= a | b | c | d;
		at[0] = (unsigned char)(a << 2 | b >> 4);
		at[1] = (unsigned char)(b << 4 | c >> 2);
		at[2] = (unsigned char)(c << 6 | d);
	}
	if (pad) {
		a = value[s[i]];
		b = value[s[i + 1]];
		c = pad == 2 ? 0 : value[s[i + 2]];
		bad |= a | b | c;
		/* bits after the last byte must be zero, otherwise two texts have one
		 * meaning */
		if ((pad == 2 ? b & 15 : c & 3))
			return -1;
		*at++ = (unsigned char)(a << 2 | b >> 4);
		if (pad == 1)
			*at++ = (unsigned char)(b << 4 | c >> 2);
	}
	return bad & XX ? -1 : at - (unsigned char *)to;
}
