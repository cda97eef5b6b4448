/* md5.c - MD5 with libcrypto.  See store/md5.h. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "md5.h"

#include <openssl/md5.h>

_Static_assert(sizeof(MD5_CTX) == sizeof(struct lh_md5), "struct lh_md5 holds an MD5_CTX");

void lh_md5_start(struct lh_md5 *m)
{
	MD5_Init((MD5_CTX *)m);
}

void lh_md5_more(struct lh_md5 *m, const void *p, size_t n)
{
	MD5_Update((MD5_CTX *)m, p, n);
}

void lh_md5_end(struct lh_md5 *m, unsigned char out[16])
{
	MD5_Final(out, (MD5_CTX *)m);
}
