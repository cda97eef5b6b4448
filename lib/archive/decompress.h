/*
 * decompress - undo zstd, xz, bzip2 and lz4 with libarchive, as a stream.
 *
 * libarchive by itself goes on to look for an archive in the decompressed bytes,
 * and ends at any bytes after a bzip2 or lz4 stream that are not another one.  Here
 * it undoes one kind of compression, which must reach to the end of the source; NUL
 * bytes may follow.  Streams of zstd and xz are undone one at a time, so that what
 * follows one does not lose its last bytes.
 *
 * Private to lh_archive; gzip has lh_gunzip.
 */
#ifndef LH_DECOMPRESS_H
#define LH_DECOMPRESS_H

#include <sys/types.h>

#include <lh/err.h>

struct lh_undo;

/* Open.  kind is one of the four.  source returns the number of raw bytes at *p,
 * valid until its next call; 0 at the end, -1 after an error that it keeps. */
struct lh_undo *lh_undo_new(const char *kind, ssize_t (*source)(void *ctx, const void **p),
			    void *ctx, struct lh_err *err);
void lh_undo_free(struct lh_undo *u);

/* Return the number of bytes at *p, valid until the next call; 0 at the end; -1
 * with *err, which is unchanged if the source failed. */
ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err);

#endif
