/*
 * decompress - zstd, xz, bzip2 and lz4 undone by libarchive, as a stream.
 *
 * libarchive would go on to look for an archive in what it has undone, and takes
 * whatever follows a bzip2 or lz4 stream and is not one for its end.  Here it
 * undoes one kind of compression, which must reach to the end of the source;
 * NUL bytes may follow.
 *
 * Private to lh_archive; gzip has lh_gunzip.
 */
#ifndef LH_DECOMPRESS_H
#define LH_DECOMPRESS_H

#include <sys/types.h>

#include <lh/err.h>

struct lh_undo;

/* kind is one of the four.  source gives raw bytes, valid until its next call:
 * their number, 0 at the end, -1 after an error that it keeps. */
struct lh_undo *lh_undo_new(const char *kind, ssize_t (*source)(void *ctx, const void **p), void *ctx,
			    struct lh_err *err);
void lh_undo_free(struct lh_undo *u);

/* Bytes at *p, valid until the next call; 0 at the end; -1 with *err, which is
 * left alone when it was the source that failed. */
ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err);

#endif
