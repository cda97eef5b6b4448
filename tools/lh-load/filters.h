/*
 * filters - requests to the filters of lh-serve's routes, without a server.
 *
 * The folder is a state of lh-serve.  A filter is started when its first request comes, with
 * as many processes as lh-serve has; routes with the same command share them.
 */
#ifndef FILTERS_H
#define FILTERS_H

#include "client.h"

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
