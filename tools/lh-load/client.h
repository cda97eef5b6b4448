/* client.h - HTTP requests over many connections at once: where they go, and those to filters. */
#ifndef CLIENT_H
#define CLIENT_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/str.h"
#include "crypto/secret.h"
#include "reply.h"
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

/* ---- requests to filters, without a server ---- */

/*
 * The folder is a state of lh-serve.  A filter is started when its first request comes, with
 * as many processes as lh-serve has; routes with the same command share them.
 */

struct filters_how {
	const char *folder;
	size_t slots;
	double timeout;		/* seconds */
	void (*done)(void *ctx, size_t slot, const struct answer *a);
	void *ctx;
};

struct filters;

struct filters *filters_open(const struct filters_how *how, struct lh_err *err);
/* End the processes; those of a filter that does not end in five seconds are killed. */
void filters_close(struct filters *f);

/* Send a request in a slot that has none.  address is a path, possibly with a query.  A
 * failure is reported to done, later. */
void filters_send(struct filters *f, size_t slot, const char *method, struct lh_str address,
		  struct lh_str body);

/* Wait for answers, at most 20 ms, and handle them.  -1: the wait failed, or memory. */
int filters_turn(struct filters *f, struct lh_err *err);

/* Return the last thing that a process said when it ended by itself, or "".  To be called when
 * all requests are done: if a process was lost, the others are ended, too. */
const char *filters_last_words(struct filters *f);

#endif
