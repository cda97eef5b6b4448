/* client.h - HTTP requests over many connections at once. */
#ifndef CLIENT_H
#define CLIENT_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/str.h"
#include "crypto/secret.h"
#include "tool/tool.h"

/* ---- where requests go ---- */

/*
 *     target_open(&t, "http://127.0.0.1:3110/v1/embed", err);
 *     target_headers(&t, headers, token_file, err);
 *     target_request(&t, "POST", t.path, body, &out);
 *     target_close(&t);
 *
 * Errors: LH_EUSAGE for an address, a header or a token that cannot be used; LH_EIO for a
 *         name that is not resolved and for the file.
 */

struct target {
	char *host, *port, *path;	/* path with the query; "/" without one */
	struct addrinfo *list;
	struct lh_buf headers;		/* of each request, Host included */
	struct lh_secret token;
};

int target_open(struct target *t, const char *url, struct lh_err *err);
int target_headers(struct target *t, const struct lh_list *headers, const char *token_file,
		   struct lh_err *err);
void target_close(struct target *t);

/* Append a request; body.p NULL: it has none. */
void target_request(const struct target *t, const char *method, struct lh_str path,
		    struct lh_str body, struct lh_buf *out);

/* ---- connections ---- */

/*
 * Each slot has a connection of its own and one request at a time.  A request is sent by
 * client_send; its answer is passed to done, from client_turn, which may send the next
 * one.  A connection is opened when it is needed and kept as long as the server keeps it.
 * A slot whose last two requests failed pauses before its next one: 10 ms, twice that
 * after each further failure, at most a second.
 *
 * Memory:  a few hundred bytes for each slot; with keep, its last body too.
 * Owner:   the bytes of a request stay the caller's and unchanged until done.
 */

struct answer {
	unsigned status;	/* 0: none came */
	const char *fault;	/* why not, else NULL */
	struct lh_str body;	/* with keep; LH_PAD bytes follow.  Until done returns */
	uint64_t bytes;		/* of the body */
	uint64_t from, to;	/* nanoseconds of CLOCK_MONOTONIC: when it was due, and ended */
};

struct client_how {
	const struct target *target;
	size_t slots;
	double timeout;		/* seconds */
	bool keep;		/* keep the body of an answer for done */
	void (*done)(void *ctx, size_t slot, const struct answer *a);
	void *ctx;
};

struct client;

struct client *client_open(const struct client_how *how, struct lh_err *err);
void client_close(struct client *c);

uint64_t client_clock(void);

/* Send a request in a slot that has none.  due: the time its answer is measured from; 0:
 * the time at which it is sent.  A failure is reported to done, later. */
void client_send(struct client *c, size_t slot, struct lh_str request, uint64_t due);

/* Wait for events, at most 20 ms or until the alarm, and handle them.  -1:
 * the wait failed, or memory. */
int client_turn(struct client *c, struct lh_err *err);

/* Have client_turn return at that time. */
void client_alarm(struct client *c, uint64_t at);

/* ---- answers ---- */

/*
 * Read an HTTP/1.x answer as it arrives.
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
