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
				  uint8_t public_key[LH_ED25519_KEY], struct lh_err *err)
{
	struct lh_ed25519 *k = lh_calloc(1, sizeof *k);
	size_t n = LH_ED25519_KEY;

	if (ready())
		k->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, n);
	if (k->key && EVP_PKEY_get_raw_public_key(k->key, public_key, &n) == 1)
		return k;
	lh_ed25519_free(k);
	lh_err_nomem(err);
	return NULL;
}

void lh_ed25519_free(struct lh_ed25519 *key)
{
	if (key)
		EVP_PKEY_free(key->key);
	free(key);
}

int lh_ed25519_sign(const struct lh_ed25519 *key, const void *p, size_t n,
		    uint8_t signature[LH_ED25519_SIGNATURE], struct lh_err *err)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = LH_ED25519_SIGNATURE;
	int good = c && EVP_DigestSignInit(c, NULL, NULL, NULL, key->key) == 1 &&
		   EVP_DigestSign(c, signature, &len, p, n) == 1;

	EVP_MD_CTX_free(c);
	return good ? 0 : lh_err_nomem(err);
}

static int check(const uint8_t public_key[LH_ED25519_KEY], const void *p, size_t n,
		 const uint8_t signature[LH_ED25519_SIGNATURE])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key,
						    LH_ED25519_KEY);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	int rc = -1;

	if (key && c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1)
		rc = EVP_DigestVerify(c, signature, LH_ED25519_SIGNATURE, p, n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return rc;
}

int lh_ed25519_check(const uint8_t public_key[LH_ED25519_KEY], const void *p, size_t n,
		     const uint8_t signature[LH_ED25519_SIGNATURE])
{
	EVP_MD *hash;
	int rc = ready() ? check(public_key, p, n, signature) : -1;

	if (rc != 0)
		return rc;
	/* libcrypto says the same of a bad signature and of memory that ran out while it looked:
	 * it looks again, and then there must be the hash that it needs. */
	rc = check(public_key, p, n, signature);
	hash = EVP_MD_fetch(NULL, "SHA512", NULL);
	if (rc == 0 && !hash)
		rc = -1;
	EVP_MD_free(hash);
	return rc;
}
