/*
 * decompress - undo gzip, zstd, xz, bzip2 or lz4, as a stream of that kind alone, which must
 * reach to the end of the source; NUL bytes may follow.
 *
 * libarchive does it, but for what it does not find by itself (3.6.2): it reads gzip without
 * comparing the checksum and the length after each member, so zlib does that; and it ends,
 * silently, at what follows a bzip2 or lz4 stream and is not another one.
 *
 * Private to lh_archive.
 */
#ifndef LH_DECOMPRESS_H
#define LH_DECOMPRESS_H

#include <sys/types.h>

#include <lh/err.h>

struct lh_undo;

/* Return the number of raw bytes at *p, valid until the next call; 0 at the end, -1 after an
 * error that it keeps. */
typedef ssize_t lh_undo_source(void *ctx, const void **p);

/* NULL only for want of memory. */
struct lh_undo *lh_undo_new(const char *kind, lh_undo_source *source, void *ctx,
			    struct lh_err *err);
void lh_undo_free(struct lh_undo *u);

/* Return the number of bytes at *p, valid until the next call; 0 at the end; -1
 * with *err, which is unchanged if the source failed. */
ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err);

#endif
