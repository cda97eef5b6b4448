/*
 * digest.c - SHA-256 and HMAC over libcrypto.  See lh/digest.h.
 *
 * The SHA256_* functions are deprecated in favour of EVP, which looks up a
 * provider first: a millisecond at start that a filter cannot spare.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <lh/digest.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sha2.h"

#define BLOCK 64	/* bytes that SHA-256 takes in at a time */
#define LITTLE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

struct lh_hmac {
	SHA256_CTX inner, outer;	/* the padded key already in them */
};

void lh_sha256(const void *p, size_t n, unsigned char out[32])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	SHA256_Final(out, &c);
}

_Static_assert(sizeof(SHA256_CTX) == sizeof(struct lh_sha256), "struct lh_sha256 holds a SHA256_CTX");

void lh_sha256_start(struct lh_sha256 *s)
{
	SHA256_Init((SHA256_CTX *)s);
}

void lh_sha256_more(struct lh_sha256 *s, const void *p, size_t n)
{
	SHA256_Update((SHA256_CTX *)s, p, n);
}

static void add_length(SHA256_CTX *c, uint64_t bytes)
{
	uint64_t bits = ((uint64_t)c->Nh << 32 | c->Nl) + bytes * 8;

	c->Nl = (SHA_LONG)bits;
	c->Nh = (SHA_LONG)(bits >> 32);
}

/* The first of the n bytes, to the end of the block that they go on with. */
static size_t finish_block(SHA256_CTX *c, const void *p, size_t n)
{
	size_t head = (BLOCK - c->num) % BLOCK;

	if (head > n)
		head = n;
	SHA256_Update(c, p, head);
	return head;
}

void lh_sha256_more2(struct lh_sha256 *const s[2], const void *const p[2], const size_t n[2])
{
	SHA256_CTX *c[2] = { (SHA256_CTX *)s[0], (SHA256_CTX *)s[1] };
	const unsigned char *at[2];
	size_t left[2], both = 0, i;

	for (i = 0; i < 2; i++) {
		left[i] = n[i] - finish_block(c[i], p[i], n[i]);
		at[i] = (const unsigned char *)p[i] + (n[i] - left[i]);
	}
	if (lh_sha2_can())
		both = (left[0] < left[1] ? left[0] : left[1]) / BLOCK;
	if (both)
		lh_sha2_blocks((uint32_t *[]){ c[0]->h, c[1]->h }, at, both);
	for (i = 0; i < 2; i++) {
		add_length(c[i], both * BLOCK);
		SHA256_Update(c[i], at[i] + both * BLOCK, left[i] - both * BLOCK);
	}
}

void lh_sha256_end(struct lh_sha256 *s, unsigned char out[32])
{
	SHA256_Final(out, (SHA256_CTX *)s);
}

/* Four bytes to eight digits: the nibbles are spread, then those above 9 moved
 * on to the letters. */
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

struct lh_hmac *lh_hmac_new(const void *key, size_t n, struct lh_err *err)
{
	struct lh_hmac *h = lh_calloc(1, sizeof *h, err);
	unsigned char pad[BLOCK] = { 0 };
	size_t i;

	if (!h)
		return NULL;
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

void lh_hmac(const struct lh_hmac *h, const void *a, size_t an, const void *b, size_t bn, unsigned char out[32])
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

/* ---- two messages ---- */

/* What stands behind a message's whole blocks: its rest, a bit, its length. */
struct end {
	unsigned char p[2 * BLOCK];
	size_t blocks;
};

static void make_end(struct end *e, const unsigned char *p, size_t n, size_t before)
{
	uint64_t bits = __builtin_bswap64((uint64_t)(before + n) * 8);
	size_t rest = n % BLOCK;

	e->blocks = rest + 9 > BLOCK ? 2 : 1;
	memset(e->p + BLOCK * (e->blocks - 1), 0, BLOCK);
	memset(e->p, 0, BLOCK);
	memcpy(e->p, p + (n - rest), rest);
	e->p[rest] = 0x80;
	memcpy(e->p + e->blocks * BLOCK - sizeof bits, &bits, sizeof bits);
}

/* n[i] blocks from each; where one has more, the other works in vain. */
static void take_blocks(uint32_t *const state[2], const unsigned char *const p[2], const size_t n[2])
{
	size_t both = n[0] < n[1] ? n[0] : n[1], more = n[0] < n[1];
	const unsigned char *rest[2];
	uint32_t vain[8] = { 0 }, *to[2];

	lh_sha2_blocks(state, p, both);
	if (n[0] == n[1])
		return;
	to[more] = state[more];
	to[!more] = vain;
	rest[0] = rest[1] = p[more] + BLOCK * both;
	lh_sha2_blocks(to, rest, n[more] - both);
}

static void put_state(const uint32_t s[8], unsigned char out[32])
{
	size_t i;
	uint32_t w;

	for (i = 0; i < 8; i++) {
		w = __builtin_bswap32(s[i]);
		memcpy(out + 4 * i, &w, sizeof w);
	}
}

/* Two messages to their end, of which before bytes are in the states already. */
static void finish_two(uint32_t *const state[2], const unsigned char *const p[2], const size_t n[2], size_t before,
		       unsigned char out[2][32])
{
	const unsigned char *ends[2];
	struct end end[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		make_end(&end[i], p[i], n[i], before);
		ends[i] = end[i].p;
	}
	take_blocks(state, p, (size_t[2]){ n[0] / BLOCK, n[1] / BLOCK });
	take_blocks(state, ends, (size_t[2]){ end[0].blocks, end[1].blocks });
	for (i = 0; i < 2; i++)
		put_state(state[i], out[i]);
}

void lh_sha256_pair(const void *const p[2], const size_t n[2], unsigned char out[2][32])
{
	static const uint32_t start[8] = {	/* FIPS 180-4, 5.3.3 */
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};
	uint32_t s[2][8];
	size_t i;

	if (!lh_sha2_can()) {
		for (i = 0; i < 2; i++)
			lh_sha256(p[i], n[i], out[i]);
		return;
	}
	memcpy(s[0], start, sizeof start);
	memcpy(s[1], start, sizeof start);
	finish_two((uint32_t *[]){ s[0], s[1] }, (const unsigned char *[]){ p[0], p[1] }, n, 0, out);
}

static void load_state(uint32_t s[8], const SHA256_CTX *c)
{
	memcpy(s, c->h, 8 * sizeof *s);
}

void lh_hmac_pair(const struct lh_hmac *h, const void *const p[2], const size_t n[2], unsigned char out[2][32])
{
	uint32_t s[2][8], *const state[2] = { s[0], s[1] };
	size_t i;

	if (!lh_sha2_can()) {
		for (i = 0; i < 2; i++)
			lh_hmac(h, p[i], n[i], NULL, 0, out[i]);
		return;
	}
	load_state(s[0], &h->inner);
	load_state(s[1], &h->inner);
	finish_two(state, (const unsigned char *[]){ p[0], p[1] }, n, BLOCK, out);
	load_state(s[0], &h->outer);
	load_state(s[1], &h->outer);
	finish_two(state, (const unsigned char *[]){ out[0], out[1] }, (size_t[2]){ 32, 32 }, BLOCK, out);
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
	__asm__("" : "+r"(diff));	/* so that nobody makes it end early */
	return diff == 0;
}
