/*
 * loop - wait for descriptors, with epoll.
 *
 *     struct lh_loop loop;
 *     struct lh_source input = { .fd = fd, .ready = on_ready };
 *
 *     lh_loop_open(&loop, err);
 *     lh_loop_add(&loop, &input, EPOLLIN, err);
 *     while (!done)
 *             lh_loop_wait(&loop, 100, err);        calls on_ready(&input, events)
 *     lh_loop_remove(&loop, &input);
 *     lh_loop_close(&loop);
 *
 * A source is a member of the struct that it belongs to.  It may remove and free itself and
 * others while it is called: events of a source removed in the same turn are dropped.
 *
 * Threads: one thread per loop.
 */
#ifndef LH_LOOP_H
#define LH_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include <lh/err.h>

#define LH_LOOP_EVENTS 256

struct lh_source {
	int fd;
	void (*ready)(struct lh_source *s, uint32_t events);
};

struct lh_loop {
	int fd;
	struct epoll_event event[LH_LOOP_EVENTS];
	int n, at;		/* events of this turn; the next one */
};

int lh_loop_open(struct lh_loop *l, struct lh_err *err);
void lh_loop_close(struct lh_loop *l);
int lh_loop_add(struct lh_loop *l, struct lh_source *s, uint32_t events, struct lh_err *err);
void lh_loop_change(struct lh_loop *l, struct lh_source *s, uint32_t events);
void lh_loop_remove(struct lh_loop *l, struct lh_source *s);
/* Wait for events, at most ms milliseconds (-1: any time), and call their sources. */
int lh_loop_wait(struct lh_loop *l, int ms, struct lh_err *err);

#endif
