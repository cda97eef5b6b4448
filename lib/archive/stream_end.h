/*
 * stream_end - find where a zstd frame or an xz stream ends, without undoing it.
 *
 * libarchive undoes 64 or 128 KiB before it hands any on, and drops them if what
 * follows is damaged; so it is given one stream at a time.  Only lengths are read:
 * RFC 8878 for zstd, tukaani.org/xz/xz-file-format.txt and LZMA2's chunks for xz.
 * Where the bytes are not as those say, the stream has no end here, and libarchive
 * names the damage.
 *
 *     s = (struct lh_stream_end){ .xz = true };
 *     n = lh_stream_end_scan(&s, p, n);	n bytes of p belong to the stream
 *     if (s.ended) ...
 */
#ifndef LH_STREAM_END_H
#define LH_STREAM_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lh_stream_end {
	bool xz;			/* from the caller; all others begin as zero */
	bool ended;
	int state;
	uint64_t skip;			/* bytes to pass over before the next part */
	unsigned char part[16];		/* the part that is being read */
	size_t n_part;
	size_t check;			/* the size of a checksum, after a frame or a block */
	uint64_t size;			/* of the xz block or index so far */
	uint64_t numbers;		/* of the index that are to come; */
	unsigned shift;			/* the bits of the first one so far */
};

/* Return whether a stream can begin with this byte. */
bool lh_stream_end_begins(const struct lh_stream_end *s, unsigned char first);

/* Return how many of the n bytes belong to the stream; set s->ended at its end. */
size_t lh_stream_end_scan(struct lh_stream_end *s, const void *p, size_t n);

#endif
