/* loop.c - wait for descriptors.  See pool.h. */
#include "pool.h"

#include <errno.h>
#include <unistd.h>

int lh_loop_open(struct lh_loop *l, struct lh_err *err)
{
	l->n = l->at = 0;
	l->fd = epoll_create1(EPOLL_CLOEXEC);
	return l->fd < 0 ? lh_err_sys(err, "epoll_create1") : 0;
}

void lh_loop_close(struct lh_loop *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int lh_loop_add(struct lh_loop *l, struct lh_watch *s, uint32_t events, struct lh_err *err)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	return epoll_ctl(l->fd, EPOLL_CTL_ADD, s->fd, &e) < 0 ? lh_err_sys(err, "epoll_ctl") : 0;
}

void lh_loop_change(struct lh_loop *l, struct lh_watch *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	epoll_ctl(l->fd, EPOLL_CTL_MOD, s->fd, &e);
}

void lh_loop_remove(struct lh_loop *l, struct lh_watch *s)
{
	int i;

	epoll_ctl(l->fd, EPOLL_CTL_DEL, s->fd, NULL);
	for (i = l->at; i < l->n; i++)
		if (l->event[i].data.ptr == s)
			l->event[i].data.ptr = NULL;
}

int lh_loop_wait(struct lh_loop *l, int ms, struct lh_err *err)
{
	l->n = epoll_wait(l->fd, l->event, LH_LOOP_EVENTS, ms);
	if (l->n < 0) {
		l->n = 0;
		return errno == EINTR ? 0 : lh_err_sys(err, "epoll_wait");
	}
	for (l->at = 0; l->at < l->n; ) {
		struct epoll_event *e = &l->event[l->at++];
		struct lh_watch *s = e->data.ptr;

		if (s)
			s->ready(s, e->events);
	}
	l->n = l->at = 0;
	return 0;
}
