/*
 * gunzip - gzip undone by zlib, its check sums checked.
 *
 * libarchive (up to 3.7 at least) reads gzip without looking at the CRC and
 * the length behind each member, so a flipped bit can come out as other data
 * and exit status 0.  Here it is an error.  Several members one behind the
 * other are one stream; zeros behind the last are allowed, as gzip(1) does.
 *
 * Private to liblh.
 */
#ifndef LH_GUNZIP_H
#define LH_GUNZIP_H

#include <sys/types.h>

#include <lh/err.h>

struct lh_gunzip;

/* source gives raw bytes: their number, 0 at the end, -1 after an error that
 * it keeps. */
struct lh_gunzip *lh_gunzip_new(ssize_t (*source)(void *ctx, const void **p), void *ctx, struct lh_err *err);
void lh_gunzip_free(struct lh_gunzip *g);

/* Bytes at *p, valid until the next call; 0 at the end; -1 with *err, which is
 * left alone when it was the source that failed. */
ssize_t lh_gunzip_read(struct lh_gunzip *g, const void **p, struct lh_err *err);

#endif
