/* ed25519.c - signatures with libcrypto.  See ed25519.h. */
#include "ed25519.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/mem.h"

struct lh_ed25519 {
	EVP_PKEY *key;		/* libcrypto wipes it when it frees it */
};

/* Whether libcrypto has its default context.  OpenSSL 3.0 uses one that it had no memory for. */
static bool ready(void)
{
	return OSSL_LIB_CTX_get0_global_default() != NULL;
}

struct lh_ed25519 *lh_ed25519_new(const uint8_t seed[LH_ED25519_KEY],
				  uint8_t public_key[LH_ED25519_KEY])
{
	struct lh_ed25519 *k = lh_calloc(1, sizeof *k);
	size_t n = LH_ED25519_KEY;

	if (ready())
		k->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, n);
	if (!k->key || EVP_PKEY_get_raw_public_key(k->key, public_key, &n) != 1)
		lh_no_memory(n);
	return k;
}

void lh_ed25519_free(struct lh_ed25519 *key)
{
	if (key)
		EVP_PKEY_free(key->key);
	free(key);
}

void lh_ed25519_sign(const struct lh_ed25519 *key, const void *p, size_t n,
		     uint8_t signature[LH_ED25519_SIGNATURE])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = LH_ED25519_SIGNATURE;

	if (!c || EVP_DigestSignInit(c, NULL, NULL, NULL, key->key) != 1 ||
	    EVP_DigestSign(c, signature, &len, p, n) != 1)
		lh_no_memory(len);
	EVP_MD_CTX_free(c);
}

static bool check(const uint8_t public_key[LH_ED25519_KEY], const void *p, size_t n,
		  const uint8_t signature[LH_ED25519_SIGNATURE])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key,
						    LH_ED25519_KEY);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good;

	if (!key || !c || EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) != 1)
		lh_no_memory(LH_ED25519_KEY);
	good = EVP_DigestVerify(c, signature, LH_ED25519_SIGNATURE, p, n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return good;
}

bool lh_ed25519_check(const uint8_t public_key[LH_ED25519_KEY], const void *p, size_t n,
		      const uint8_t signature[LH_ED25519_SIGNATURE])
{
	EVP_MD *hash;
	bool good;

	if (!ready())
		lh_no_memory(LH_ED25519_KEY);
	if (check(public_key, p, n, signature))
		return true;
	/* libcrypto says the same of a bad signature and of memory that ran out while it looked:
	 * it looks again, and then there must be the hash that it needs. */
	good = check(public_key, p, n, signature);
	hash = EVP_MD_fetch(NULL, "SHA512", NULL);
	if (!good && !hash)
		lh_no_memory(LH_ED25519_KEY);
	EVP_MD_free(hash);
	return good;
}
