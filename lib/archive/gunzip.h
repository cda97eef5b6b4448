/*
 * gunzip - undo gzip with zlib, and verify its checksums.
 *
 * libarchive (up to 3.7 at least) reads gzip without checking the CRC and the
 * length after each member, so that a flipped bit can produce other data with exit
 * status 0.  Here it is an error.  Several members in sequence are one stream;
 * zeros after the last are permitted, as in gzip(1).
 */
#ifndef LH_GUNZIP_H
#define LH_GUNZIP_H

#include <sys/types.h>

#include <lh/err.h>

struct lh_gunzip;

/* Open.  source returns the number of raw bytes at *p: 0 at the end, -1 after an
 * error that it keeps. */
struct lh_gunzip *lh_gunzip_new(ssize_t (*source)(void *ctx, const void **p), void *ctx,
				struct lh_err *err);
void lh_gunzip_free(struct lh_gunzip *g);

/* Return the number of bytes at *p, valid until the next call; 0 at the end; -1
 * with *err, which is unchanged if the source failed. */
ssize_t lh_gunzip_read(struct lh_gunzip *g, const void **p, struct lh_err *err);

#endif
