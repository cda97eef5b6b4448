/*
 * client - HTTP requests over many connections at once, on one thread.
 *
 * Each slot has a connection of its own and one request at a time.  A request is sent by
 * client_send; its answer is passed to done, from client_turn, which may send the next
 * one.  A connection is opened when it is needed and kept as long as the server keeps it.
 * A slot whose last two requests failed pauses before its next one: 10 ms, twice that
 * after each further failure, at most a second.
 *
 * Memory:  a few hundred bytes for each slot; with keep, its last body too.
 * Owner:   the bytes of a request stay the caller's and unchanged until done.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "reply.h"
#include "target.h"

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

#endif
