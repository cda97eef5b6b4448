/*
 * digest.c - SHA-256 and HMAC with libcrypto.  See digest.h.
 *
 * The SHA256_* functions are deprecated in favour of EVP, which searches a provider
 * first: that takes a millisecond at start, too long for a filter.  They are linked
 * statically: loading the shared libcrypto takes longer than all else at start.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK 64	/* bytes of a SHA-256 block */
#define LITTLE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

struct lh_hmac {
	SHA256_CTX inner, outer;	/* after the padded key */
};

void lh_sha256(const void *p, size_t n, unsigned char out[32])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	SHA256_Final(out, &c);
}

_Static_assert(sizeof(SHA256_CTX) == sizeof(struct lh_sha256),
	       "struct lh_sha256 holds a SHA256_CTX");

void lh_sha256_start(struct lh_sha256 *s)
{
	SHA256_Init((SHA256_CTX *)s);
}

void lh_sha256_more(struct lh_sha256 *s, const void *p, size_t n)
{
	SHA256_Update((SHA256_CTX *)s, p, n);
}

void lh_sha256_end(struct lh_sha256 *s, unsigned char out[32])
{
	SHA256_Final(out, (SHA256_CTX *)s);
}

/* Convert four bytes to eight digits: spread the nibbles, then move those above 9
 * to the letters. */
static uint64_t hex4(const unsigned char *p)
{
	uint32_t v;
	uint64_t x, above;

	memcpy(&v, p, sizeof v);
	x = v;
	x = (x | x << 16) & 0x0000ffff0000ffffull;
	x = (x | x << 8) & 0x00ff00ff00ff00ffull;
	x = (x >> 4 | x << 8) & 0x0f0f0f0f0f0f0f0full;
	above = (x + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
	return x + 0x3030303030303030ull + above * ('a' - '0' - 10);
}

void lh_hex(const unsigned char *p, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";
	uint64_t x;
	size_t i = 0;

	for (; LITTLE && i + 4 <= n; i += 4) {
		x = hex4(p + i);
		memcpy(out + 2 * i, &x, sizeof x);
	}
	for (; i < n; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
}

bool lh_unhex(const char *p, size_t n, unsigned char h[32])
{
	static const signed char digit[256] = {
		['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
		['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
		['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	};
	int hi, lo, bad = 0;
	size_t i;

	if (n != LH_SHA256_HEX)
		return false;
	for (i = 0; i < 32; i++) {
		hi = digit[(unsigned char)p[2 * i]] - 1;
		lo = digit[(unsigned char)p[2 * i + 1]] - 1;
		bad |= hi | lo;
		h[i] = (unsigned char)(hi * 16 | lo);	/* hi may be -1, so not shifted */
	}
	return bad >= 0;
}

struct lh_hmac *lh_hmac_new(const void *key, size_t n)
{
	struct lh_hmac *h = lh_calloc(1, sizeof *h);
	unsigned char pad[BLOCK] = { 0 };
	size_t i;

	if (n > BLOCK)
		lh_sha256(key, n, pad);
	else if (n)
		memcpy(pad, key, n);
	for (i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	SHA256_Init(&h->inner);
	SHA256_Update(&h->inner, pad, BLOCK);
	for (i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&h->outer);
	SHA256_Update(&h->outer, pad, BLOCK);
	OPENSSL_cleanse(pad, sizeof pad);
	return h;
}

void lh_hmac(const struct lh_hmac *h, const void *a, size_t an, const void *b, size_t bn,
	     unsigned char out[32])
{
	SHA256_CTX c = h->inner;

	SHA256_Update(&c, a, an);
	SHA256_Update(&c, b, bn);
	SHA256_Final(out, &c);
	c = h->outer;
	SHA256_Update(&c, out, 32);
	SHA256_Final(out, &c);
	OPENSSL_cleanse(&c, sizeof c);
}

void lh_hmac_free(struct lh_hmac *h)
{
	if (h)
		OPENSSL_cleanse(h, sizeof *h);
	free(h);
}

int lh_const_eq(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	uint64_t diff = 0, v, w;

	for (; n >= sizeof v; x += sizeof v, y += sizeof v, n -= sizeof v) {
		memcpy(&v, x, sizeof v);
		memcpy(&w, y, sizeof w);
		diff |= v ^ w;
	}
	while (n--)
		diff |= *x++ ^ *y++;
	__asm__("" : "+r"(diff));	/* prevents an early exit */
	return diff == 0;
}
