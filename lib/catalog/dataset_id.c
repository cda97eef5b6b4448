/*
 * dataset_id.c - the id of a dataset: the UUID of version 5 (RFC 9562) of its name.
 *
 * SHA1_* are deprecated for the same reason, and used for the same one, as SHA256_* in
 * crypto/digest.c.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "catalog.h"

#include <openssl/sha.h>

#include <lh/digest.h>

/* a8f3c1d2-4e5b-5a6c-9d8e-7f0a1b2c3d4e */
static const unsigned char namespace[16] = {
	0xa8, 0xf3, 0xc1, 0xd2, 0x4e, 0x5b, 0x5a, 0x6c,
	0x9d, 0x8e, 0x7f, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e,
};

void lh_dataset_id(struct lh_str name, char id[LH_DATASET_ID + 1])
{
	static const unsigned char group[] = { 4, 2, 2, 2, 6 };
	unsigned char hash[SHA_DIGEST_LENGTH], *from = hash;
	SHA_CTX c;
	size_t i;

	SHA1_Init(&c);
	SHA1_Update(&c, namespace, sizeof namespace);
	SHA1_Update(&c, name.p, name.n);
	SHA1_Final(hash, &c);
	hash[6] = (hash[6] & 0x0f) | 0x50;
	hash[8] = (hash[8] & 0x3f) | 0x80;
	for (i = 0; i < sizeof group; i++) {
		lh_hex(from, group[i], id);
		from += group[i];
		id += 2 * group[i];
		*id++ = i + 1 < sizeof group ? '-' : '\0';
	}
}
