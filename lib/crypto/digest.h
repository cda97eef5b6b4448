/*
 * digest - SHA-256 and HMAC-SHA256 with OpenSSL's libcrypto, lowercase hex.
 *
 * The keyed context is set up once and copied for each message: an audit log is
 * millions of short messages under one key.
 */
#ifndef LH_DIGEST_H
#define LH_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define LH_SHA256_HEX 64

void lh_sha256(const void *p, size_t n, unsigned char out[32]);

/* SHA-256 of bytes that arrive in pieces: start, more, end. */
struct lh_sha256 {
	uint64_t state[14];	/* libcrypto's */
};
void lh_sha256_start(struct lh_sha256 *s);
void lh_sha256_more(struct lh_sha256 *s, const void *p, size_t n);
void lh_sha256_end(struct lh_sha256 *s, unsigned char out[32]);

void lh_hex(const unsigned char *p, size_t n, char *out /* 2n bytes, no NUL */);
/* Read the hash of 64 lowercase hex digits into h; false for anything else. */
bool lh_unhex(const char *p, size_t n, unsigned char h[32]);

struct lh_hmac;
struct lh_hmac *lh_hmac_new(const void *key, size_t n);
/* Compute the MAC of a followed by b (either may be empty).  Any number of threads
 * may use one key. */
void lh_hmac(const struct lh_hmac *h, const void *a, size_t an, const void *b, size_t bn,
	     unsigned char out[32]);
void lh_hmac_free(struct lh_hmac *h);	/* wipes the key */

/* Return whether both are equal, in a time that does not depend on where they differ. */
int lh_const_eq(const void *a, const void *b, size_t n);

#endif
