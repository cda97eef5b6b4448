/*
 * reply - read an HTTP/1.x answer as it arrives.
 *
 *     reply_start(&r);
 *     for (;;) {
 *             n = recv(fd, p, room, 0);
 *             is = n ? reply_feed(&r, p, n, &used, &body) : reply_end(&r);
 *             if (is == REPLY_DONE) ... r.status, r.bytes, r.close ...
 *             if (is == REPLY_BAD) ... r.fault ...
 *     }
 *
 * The reader is strict: what is not an answer by RFC 9112 is REPLY_BAD.  Interim answers
 * (1xx) are skipped.
 *
 * Limits:  64 KiB of headers, trailers and chunk extensions; 256 MiB of body.
 * Owner:   faults are constant strings.
 */
#ifndef REPLY_H
#define REPLY_H

#include "base/buf.h"

#define REPLY_HEAD_MAX ((size_t)64 << 10)
#define REPLY_BODY_MAX ((uint64_t)256 << 20)

enum reply_is { REPLY_MORE, REPLY_DONE, REPLY_BAD };

enum reply_part {
	REPLY_HEAD, REPLY_LENGTH, REPLY_TO_END, REPLY_SIZE, REPLY_EXTENSION, REPLY_SIZE_LF,
	REPLY_CHUNK, REPLY_CHUNK_CR, REPLY_CHUNK_LF, REPLY_TRAILER, REPLY_TRAILER_TEXT,
	REPLY_TRAILER_LF, REPLY_LAST_LF
};

struct reply {
	enum reply_part part;
	unsigned status;
	bool close;		/* the connection ends after this answer */
	bool begun;		/* at least one byte came */
	unsigned digits;	/* of a chunk's size */
	uint64_t left;		/* bytes of the body, or of the chunk, still to come */
	uint64_t bytes;		/* of the body so far */
	size_t extra;		/* bytes of interim answers, extensions and trailers */
	struct lh_buf head;	/* the beginning of a header block */
	const char *fault;
};

/* Start an answer; a zeroed struct may be started. */
void reply_start(struct reply *r);
void reply_free(struct reply *r);

/* Read n bytes, *used of them; the rest belongs to no answer.  The body is appended to
 * *body, unless that is NULL. */
enum reply_is reply_feed(struct reply *r, const char *p, size_t n, size_t *used,
			 struct lh_buf *body);

/* Handle the end of the connection: REPLY_DONE if it is the end of the answer. */
enum reply_is reply_end(struct reply *r);

#endif
