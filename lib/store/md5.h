/* md5 - MD5, which S3 uses to check what was sent and as the ETag of an object. */
#ifndef LH_MD5_H
#define LH_MD5_H

#include <stddef.h>
#include <stdint.h>

struct lh_md5 {
	uint32_t state[23];	/* libcrypto's */
};
void lh_md5_start(struct lh_md5 *m);
void lh_md5_more(struct lh_md5 *m, const void *p, size_t n);
void lh_md5_end(struct lh_md5 *m, unsigned char out[16]);

#endif
