/* process.c - the life of a process of a filter, and the descriptors that are waited for.  See
 * process.h and pool.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "pool.h"
#include "proc/coproc.h"
#include "process.h"

/* ---- loop ---- */

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

/* ---- process ---- */

#define MESSAGES 64		/* reads of stderr in one turn */

/* ---- start ---- */

static void on_messages(struct lh_watch *s, uint32_t events)
{
	struct lh_process *c = (struct lh_process *)((char *)s -
		offsetof(struct lh_process, messages));
	ssize_t n = 1;
	int i;

	(void)events;
	for (i = 0; i < MESSAGES && n > 0; i++)
		n = lh_stderr_tail_read(&c->tail, s->fd);
	if (n > 0)
		return;			/* there may be more, in the next turn */
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		lh_loop_remove(c->loop, s);
		close(s->fd);
		s->fd = -1;
	}
}

/* Make the descriptors of a child: *io for both directions, *messages for its stderr. */
static int connect_child(struct lh_process *c, int child[2], struct lh_err *err)
{
	int io[2], messages[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, io) < 0)
		return lh_err_sys(err, "socketpair");
	if (pipe2(messages, O_CLOEXEC) < 0) {
		close(io[0]);
		close(io[1]);
		return lh_err_sys(err, "pipe2");
	}
	fcntl(io[1], F_SETFL, 0);	/* blocking, for the child */
	fcntl(messages[0], F_SETFL, O_NONBLOCK);
	c->io.fd = io[0];
	c->messages = (struct lh_watch){ messages[0], on_messages };
	child[0] = io[1];
	child[1] = messages[1];
	return 0;
}

void lh_process_init(struct lh_process *c, struct lh_loop *loop, unsigned number)
{
	memset(c, 0, sizeof *c);
	c->loop = loop;
	c->number = number;
	c->messages.fd = -1;
}

int lh_process_start(struct lh_process *c, const struct lh_spawn *how,
		     void (*ready)(struct lh_watch *s, uint32_t events), struct lh_err *err)
{
	struct lh_spawn spawn = *how;
	int child[2] = { -1, -1 };
	pid_t pid;

	if (connect_child(c, child, err) < 0)
		return -1;
	c->io.ready = ready;
	spawn.fd = (int[]){ child[0], child[0], child[1] };
	spawn.n_fd = 3;
	spawn.group = true;
	pid = lh_coproc_spawn(&spawn, err);
	close(child[0]);
	close(child[1]);
	if (pid < 0 || lh_loop_add(c->loop, &c->io, EPOLLIN, err) < 0 ||
	    lh_loop_add(c->loop, &c->messages, EPOLLIN, err) < 0) {
		close(c->io.fd);
		close(c->messages.fd);
		c->messages.fd = -1;
		if (pid > 0) {
			kill(-pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		return -1;
	}
	c->pid = pid;
	c->tail.n = c->tail.open = 0;
	c->has_record = c->wanted = false;
	return 0;
}

/* ---- end ---- */

/* Return whether a message of a filter is about a record of its stdin. */
static bool about_record(const char *line)
{
	return strstr(line, ": -:") != NULL;
}

/* Return whether the last line of its stderr may be reported.  A process that was given nothing
 * cannot repeat what is private; of the others only the tools of this family, whose
 * messages say whether they are about a record. */
static bool may_quote(const struct lh_process *c, const char *program, const char *line)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

	return !c->has_record || (!strncmp(name, "lh-", 3) && !about_record(line));
}

static void report_end(struct lh_endings *e, const struct lh_ending *d, int status)
{
	char text[sizeof d->last + 200];
	int n;

	if (d->silent || !e->ended ||
	    (WIFEXITED(status) &&
	     (((e->wanted || d->wanted) && WEXITSTATUS(status) < 2) ||
	      (*d->last && !strcmp(d->last, e->told)))))
		return;
	memcpy(e->told, d->last, sizeof e->told);
	n = snprintf(text, sizeof text, WIFSIGNALED(status) ? "%s[%u] was ended by signal %d"
							    : "%s[%u] ended with status %d",
		     e->name, d->number,
		     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (*d->last && n > 0 && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, ": %s", d->last);
	e->ended(e->owner, text);
}

void lh_process_failed(struct lh_process *c, struct lh_endings *e)
{
	char last[sizeof e->told], text[sizeof e->told + 200];

	if (!e->ended || c->tail.line)
		return;
	lh_stderr_tail_drain(&c->tail, c->messages.fd);
	lh_stderr_tail_last_line(&c->tail, e->name, last, sizeof last);
	if (!*last || !strcmp(last, e->told) || !may_quote(c, e->name, last))
		return;
	memcpy(e->told, last, sizeof e->told);
	snprintf(text, sizeof text, "%s[%u]: %s", e->name, c->number, last);
	e->ended(e->owner, text);
}

/* Return whether a child has ended; its PID remains taken. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == pid;
}

bool lh_process_has_ended(const struct lh_process *c)
{
	return has_ended(c->pid);
}

/* Collect a process, and end what it left running; false if it still runs. */
static bool collect_child(struct lh_endings *e, struct lh_ending *d, double now)
{
	int status = 0;

	if (!has_ended(d->pid)) {
		if (!d->killed && now - d->since > LH_PROCESS_GRACE) {
			kill(-d->pid, SIGKILL);
			d->killed = true;
		}
		return false;
	}
	kill(-d->pid, SIGKILL);
	waitpid(d->pid, &status, 0);
	report_end(e, d, status);
	return true;
}

void lh_endings_collect(struct lh_endings *e, double now)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		if (!collect_child(e, &e->v[i], now))
			e->v[n++] = e->v[i];
	e->n = n;
}

void lh_endings_free(struct lh_endings *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		kill(-e->v[i].pid, SIGKILL);
		waitpid(e->v[i].pid, NULL, 0);
	}
	free(e->v);
	e->v = NULL;
	e->n = e->cap = 0;
}

/* Plan to collect a process; at_once: kill it, and say nothing more. */
static void bury_child(const struct lh_process *c, struct lh_endings *to, bool at_once)
{
	struct lh_ending *d;

	if (at_once)
		kill(-c->pid, SIGKILL);
	lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
	d = &to->v[to->n++];
	*d = (struct lh_ending){ .pid = c->pid, .number = c->number, .killed = at_once,
				 .silent = at_once, .wanted = c->wanted,
				 .since = lh_time_monotonic() };
	lh_stderr_tail_last_line(&c->tail, to->name, d->last, sizeof d->last);
	if (c->tail.line || !may_quote(c, to->name, d->last))
		*d->last = '\0';
}

void lh_process_leave(struct lh_process *c, struct lh_endings *to, bool at_once)
{
	lh_loop_remove(c->loop, &c->io);
	close(c->io.fd);
	if (c->messages.fd >= 0) {
		lh_stderr_tail_drain(&c->tail, c->messages.fd);
		lh_loop_remove(c->loop, &c->messages);
		close(c->messages.fd);
		c->messages.fd = -1;
	}
	lh_stderr_tail_end(&c->tail);
	bury_child(c, to, at_once);
	c->pid = 0;
}

/* ---- memory ---- */

uint64_t lh_resident(pid_t pid)
{
	char path[64], text[128];
	unsigned long long pages = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	sscanf(text, "%*u %llu", &pages);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
