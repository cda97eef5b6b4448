/*
 * ed25519 - signatures of RFC 8032 with OpenSSL's libcrypto.
 * Want of memory ends the process (base/mem.h).
 *
 * Threads: any number may use one key.
 */
#ifndef LH_ED25519_H
#define LH_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LH_ED25519_KEY 32		/* bytes of a seed, and of a public key */
#define LH_ED25519_SIGNATURE 64

/* Make the private key of a seed, and write its public key. */
struct lh_ed25519;
struct lh_ed25519 *lh_ed25519_new(const uint8_t seed[LH_ED25519_KEY],
				  uint8_t public_key[LH_ED25519_KEY]);
void lh_ed25519_free(struct lh_ed25519 *key);

void lh_ed25519_sign(const struct lh_ed25519 *key, const void *p, size_t n,
		     uint8_t signature[LH_ED25519_SIGNATURE]);

/* Return whether the signature is that of a public key. */
bool lh_ed25519_check(const uint8_t public_key[LH_ED25519_KEY], const void *p, size_t n,
		      const uint8_t signature[LH_ED25519_SIGNATURE]);

#endif
