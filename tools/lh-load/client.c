/* client.c - HTTP requests over many connections at once, and where they go.  See client.h. */
#include "client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "net/curl.h"

/* ---- where requests go ---- */

#define TOKEN_MAX 4096

static int refuse(struct lh_err *err, const char *url, const char *why)
{
	return lh_err_set(err, LH_EUSAGE, "\"%.200s\" is not an address like "
			  "http://127.0.0.1:3110/v1/embed: %s", url, why);
}

/* Copy host and port of "host:port", "[::1]:port", "host". */
static int split(struct target *t, const char *url, struct lh_str authority, struct lh_err *err)
{
	struct lh_str port, host = lh_url_divide(authority, &port);
	bool v6 = *authority.p == '[';

	if (v6 && !memchr(authority.p, ']', authority.n))
		return refuse(err, url, "[ without ]");
	if (host.n == (v6 ? 2 : 0))
		return refuse(err, url, "no host");
	if ((v6 && host.p[host.n - 1] != ']') || (port.p && !lh_url_port(port)))
		return refuse(err, url, "a wrong port");
	t->host = lh_strndup(host.p + v6, host.n - 2 * v6);
	t->port = port.p ? lh_strndup(port.p, port.n) : lh_strndup("80", 2);
	return 0;
}

static int parse(struct target *t, const char *url, struct lh_err *err)
{
	const char *at = url + 7, *p;
	size_t n;

	if (!strncasecmp(url, "https://", 8))
		return refuse(err, url, "TLS is not supported");
	if (strncasecmp(url, "http://", 7))
		return refuse(err, url, "no http://");
	for (p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
		    strchr("\"<>\\^`{|}", *p))
			return refuse(err, url, "a byte that must be percent-encoded");
	n = strcspn(at, "/?#");
	if (memchr(at, '@', n))
		return refuse(err, url, "user-info, which is given by --token-file or --header");
	if (strchr(at, '#'))
		return refuse(err, url, "a fragment");
	if (!n)
		return refuse(err, url, "no host");
	if (split(t, url, (struct lh_str){ at, n }, err) < 0)
		return -1;
	t->path = lh_calloc(strlen(at + n) + 2, 1);
	t->path[0] = '/';
	memcpy(t->path + (at[n] != '/'), at + n, strlen(at + n));
	return 0;
}

int target_open(struct target *t, const char *url, struct lh_err *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	int rc;

	*t = (struct target){ .host = NULL };
	if (parse(t, url, err) < 0)
		return -1;
	rc = getaddrinfo(t->host, t->port, &hints, &t->list);
	if (rc == EAI_MEMORY || (rc == EAI_SYSTEM && errno == ENOMEM))
		return lh_err_nomem(err);
	if (rc)
		return lh_err_set(err, LH_EIO, "%s: %s", t->host, gai_strerror(rc));
	return 0;
}

void target_close(struct target *t)
{
	if (t->list)
		freeaddrinfo(t->list);
	if (t->headers.p)
		explicit_bzero(t->headers.p, t->headers.cap);
	lh_buf_free(&t->headers);
	lh_secret_wipe(&t->token);
	free(t->host);
	free(t->port);
	free(t->path);
	*t = (struct target){ .host = NULL };
}

static bool is_header(const char *line, const char *name)
{
	size_t n = strlen(name);

	return !strncasecmp(line, name, n) && line[n] == ':';
}

static bool given(const struct lh_list *headers, const char *name)
{
	size_t i;

	for (i = 0; i < headers->n; i++)
		if (is_header(headers->v[i], name))
			return true;
	return false;
}

static int check_header(const char *line, struct lh_err *err)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = strspn(line, token);
	const char *p;

	if (!n || line[n] != ':')
		return lh_err_set(err, LH_EUSAGE, "--header: \"%.200s\" is not \"Name: value\"",
				  line);
	for (p = line + n; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return lh_err_set(err, LH_EUSAGE, "--header: a control byte in \"%.200s\"",
					  line);
	if (is_header(line, "Content-Length") || is_header(line, "Transfer-Encoding"))
		return lh_err_set(err, LH_EUSAGE, "--header: %.*s follows from the body", (int)n,
				  line);
	return 0;
}

static int read_token(struct target *t, const char *path, struct lh_err *err)
{
	size_t i;

	if (lh_secret_read(&t->token, path, TOKEN_MAX, false, err) < 0)
		return lh_err_prefix(err, "--token-file");
	t->token.n -= t->token.n && t->token.p[t->token.n - 1] == '\n';
	for (i = 0; i < t->token.n; i++)
		if (t->token.p[i] <= ' ' || t->token.p[i] >= 0x7f)
			break;
	if (!t->token.n || i < t->token.n)
		return lh_err_set(err, LH_EIO, "--token-file: %s: not one token of visible ASCII",
				  path);
	lh_buf_puts(&t->headers, "Authorization: Bearer ");
	lh_buf_add(&t->headers, t->token.p, t->token.n);
	lh_buf_puts(&t->headers, "\r\n");
	return 0;
}

int target_headers(struct target *t, const struct lh_list *headers, const char *token_file,
		   struct lh_err *err)
{
	bool v6 = strchr(t->host, ':') != NULL, other = strcmp(t->port, "80") != 0;
	size_t i;

	if (!given(headers, "Host"))
		lh_buf_printf(&t->headers, "Host: %s%s%s%s%s\r\n", v6 ? "[" : "", t->host,
			      v6 ? "]" : "", other ? ":" : "", other ? t->port : "");
	if (!given(headers, "User-Agent"))
		lh_buf_puts(&t->headers, "User-Agent: lh-load/" LH_VERSION "\r\n");
	if (!given(headers, "Content-Type"))
		lh_buf_puts(&t->headers, "Content-Type: application/json\r\n");
	if (token_file && given(headers, "Authorization"))
		return lh_err_set(err, LH_EUSAGE,
				  "--header: Authorization is given by --token-file");
	for (i = 0; i < headers->n; i++) {
		if (check_header(headers->v[i], err) < 0)
			return -1;
		lh_buf_printf(&t->headers, "%s\r\n", headers->v[i]);
	}
	if (token_file && read_token(t, token_file, err) < 0)
		return -1;
	return 0;
}

void target_request(const struct target *t, const char *method, struct lh_str path,
		    struct lh_str body, struct lh_buf *out)
{
	lh_buf_puts(out, method);
	lh_buf_putc(out, ' ');
	lh_buf_add(out, path.p, path.n);
	lh_buf_puts(out, " HTTP/1.1\r\n");
	lh_buf_add(out, t->headers.p, t->headers.len);
	if (body.p) {
		lh_buf_puts(out, "Content-Length: ");
		lh_buf_u64(out, body.n);
		lh_buf_puts(out, "\r\n");
	}
	lh_buf_puts(out, "\r\n");
	lh_buf_add(out, body.p, body.n);
}

/* ---- connections ---- */

#define EVENTS 256
#define IN_SIZE ((size_t)256 << 10)
#define BODY_KEPT ((size_t)1 << 20)	/* of a body's memory, kept for the next */
#define TICK 20000000u			/* ns between looks at time-outs and pauses */
#define PAUSE_FIRST 10000000u
#define PAUSE_LAST 1000000000u
#define OTHER_FILES 64			/* descriptors that are not connections */
#define ALARM UINT64_MAX		/* in place of a slot */
#define SIGNAL (UINT64_MAX - 1)

enum state { CLOSED, CONNECTING, OPEN };

struct conn {
	int fd;
	enum state state;
	bool busy;		/* has a request */
	bool watches_out;	/* for room to send */
	unsigned failures;	/* in a row */
	unsigned tried;		/* addresses, for this request */
	uint64_t due, began, resume;	/* resume: end of its pause, or 0 */
	struct lh_str request;
	size_t sent;
	const char *fault;	/* found while sending; to be reported */
	struct reply reply;
	struct lh_buf body;
};

struct client {
	struct client_how how;
	struct conn *conn;
	int epoll, timer;
	const struct addrinfo *at;	/* the address that worked last */
	unsigned addresses;
	size_t *failed, n_failed;	/* slots with a fault to be reported */
	uint64_t timeout, next_tick;
	char in[IN_SIZE];
};

uint64_t client_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void disconnect(struct conn *conn)
{
	if (conn->state != CLOSED)
		close(conn->fd);
	conn->state = CLOSED;
}

static void finish(struct client *c, struct conn *conn, const char *fault)
{
	struct answer a = { .fault = fault, .bytes = conn->reply.bytes, .from = conn->due };

	if (fault) {
		disconnect(conn);
		conn->failures++;
	} else {
		conn->failures = 0;
		a.status = conn->reply.status;
		a.body = (struct lh_str){ conn->body.p, conn->body.len };
	}
	a.to = client_clock();
	conn->busy = false;
	c->how.done(c->how.ctx, (size_t)(conn - c->conn), &a);
}

/* Report a fault from the next turn, so that done is never called by client_send. */
static void fail_later(struct client *c, struct conn *conn, const char *fault)
{
	disconnect(conn);
	conn->fault = fault;
	c->failed[c->n_failed++] = (size_t)(conn - c->conn);
}

static void watch(struct client *c, struct conn *conn, int op, bool out)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLRDHUP | (out ? EPOLLOUT : 0),
		.data.u64 = (uint64_t)(conn - c->conn),
	};

	if (op == EPOLL_CTL_MOD && out == conn->watches_out)
		return;
	conn->watches_out = out;
	if (epoll_ctl(c->epoll, op, conn->fd, &ev) < 0)
		fail_later(c, conn, strerror(errno));
}

static void send_more(struct client *c, struct conn *conn)
{
	ssize_t n = 0;

	while (conn->sent < conn->request.n) {
		n = send(conn->fd, conn->request.p + conn->sent, conn->request.n - conn->sent,
			 MSG_NOSIGNAL);
		if (n < 0)
			break;
		conn->sent += (size_t)n;
	}
	/* another error shows when the answer is read, which may have come before it */
	watch(c, conn, EPOLL_CTL_MOD, n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int dial(const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* Connect to the next address that has not been tried for this request. */
static void open_conn(struct client *c, struct conn *conn)
{
	while (conn->tried++ < c->addresses) {
		conn->fd = dial(c->at);
		if (conn->fd >= 0) {
			conn->state = CONNECTING;
			watch(c, conn, EPOLL_CTL_ADD, true);
			return;
		}
		c->at = c->at->ai_next ? c->at->ai_next : c->how.target->list;
	}
	fail_later(c, conn, strerror(errno));
}

static void begin(struct client *c, struct conn *conn)
{
	conn->resume = 0;
	conn->began = client_clock();
	if (!conn->due)
		conn->due = conn->began;
	if (conn->state == OPEN)
		send_more(c, conn);
	else
		open_conn(c, conn);
}

void client_send(struct client *c, size_t slot, struct lh_str request, uint64_t due)
{
	struct conn *conn = &c->conn[slot];
	uint64_t pause = PAUSE_FIRST;
	unsigned i;

	conn->busy = true;
	conn->due = due;
	conn->request = request;
	conn->sent = 0;
	conn->tried = 0;
	reply_start(&conn->reply);
	if (conn->body.cap > BODY_KEPT)
		lh_buf_free(&conn->body);
	lh_buf_reset(&conn->body);
	if (conn->failures < 2) {
		begin(c, conn);
		return;
	}
	for (i = 2; i < conn->failures && pause < PAUSE_LAST; i++)
		pause *= 2;
	conn->resume = client_clock() + (pause < PAUSE_LAST ? pause : PAUSE_LAST);
}

/* Handle n bytes that arrived; ends: the server sends nothing further. */
static void arrived(struct client *c, struct conn *conn, size_t n, bool ends)
{
	enum reply_is is;
	size_t used;

	if (!conn->busy) {
		disconnect(conn);	/* whatever it is, it answers nothing */
		return;
	}
	is = reply_feed(&conn->reply, c->in, n, &used, c->how.keep ? &conn->body : NULL);
	if (is == REPLY_DONE && used < n) {
		finish(c, conn, "more bytes than the answer has");
	} else if (is == REPLY_DONE) {
		if (conn->reply.close || ends || conn->sent < conn->request.n)
			disconnect(conn);
		finish(c, conn, NULL);
	} else if (is == REPLY_BAD) {
		finish(c, conn, conn->reply.fault);
	}
}

static void read_some(struct client *c, struct conn *conn, uint32_t events)
{
	ssize_t n = recv(conn->fd, c->in, sizeof c->in, 0);

	if (n > 0) {
		arrived(c, conn, (size_t)n, (events & (EPOLLRDHUP | EPOLLHUP)) &&
			(size_t)n < sizeof c->in);
	} else if (!n) {
		bool busy = conn->busy;

		disconnect(conn);
		if (busy)
			finish(c, conn,
			       reply_end(&conn->reply) == REPLY_DONE ? NULL : conn->reply.fault);
	} else if (errno == EAGAIN || errno == EINTR) {
		return;
	} else if (conn->busy) {
		finish(c, conn, strerror(errno));
	} else {
		disconnect(conn);
	}
}

static void take_events(struct client *c, struct conn *conn, uint32_t events)
{
	int error = 0;
	socklen_t n = sizeof error;

	if (conn->state == CLOSED)
		return;
	if (conn->state != CONNECTING) {
		if (conn->busy && conn->sent < conn->request.n && events & EPOLLOUT)
			send_more(c, conn);
		if (conn->state == OPEN && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			read_some(c, conn, events);
		return;
	}
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && !error) {
		conn->state = OPEN;
		send_more(c, conn);
		return;
	}
	disconnect(conn);
	c->at = c->at->ai_next ? c->at->ai_next : c->how.target->list;
	if (conn->tried < c->addresses)
		open_conn(c, conn);
	else
		finish(c, conn, strerror(error));
}

/* End what is late, and resume what has paused. */
static void tick(struct client *c)
{
	uint64_t now = client_clock();
	struct conn *conn;

	if (now < c->next_tick)
		return;
	c->next_tick = now + TICK;
	for (conn = c->conn; conn < c->conn + c->how.slots; conn++) {
		if (!conn->busy || conn->fault)
			continue;
		if (!conn->resume && now > conn->began + c->timeout)
			finish(c, conn, "timed out");
		else if (conn->resume && now >= conn->resume)
			begin(c, conn);
	}
}

int client_turn(struct client *c, struct lh_err *err)
{
	struct epoll_event ev[EVENTS];
	struct conn *conn;
	const char *fault;
	uint64_t ignored;
	size_t k, failed;
	int i, n = epoll_wait(c->epoll, ev, EVENTS, c->n_failed ? 0 : TICK / 1000000);

	if (n < 0 && errno != EINTR)
		return lh_err_sys(err, "epoll_wait");
	for (i = 0; i < n; i++) {
		if (ev[i].data.u64 < c->how.slots)
			take_events(c, &c->conn[ev[i].data.u64], ev[i].events);
		else if (ev[i].data.u64 == ALARM && read(c->timer, &ignored, sizeof ignored) < 0)
			continue;
	}
	for (k = 0, failed = c->n_failed; k < failed; k++) {
		conn = &c->conn[c->failed[k]];
		fault = conn->fault;
		conn->fault = NULL;
		finish(c, conn, fault);
	}
	/* those that failed again meanwhile */
	memmove(c->failed, c->failed + failed, (c->n_failed - failed) * sizeof *c->failed);
	c->n_failed -= failed;
	tick(c);
	return 0;
}

void client_alarm(struct client *c, uint64_t at)
{
	struct itimerspec when = {
		.it_value = { (time_t)(at / 1000000000u), (long)(at % 1000000000u) }
	};

	timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Allow as many descriptors as there are slots. */
static int raise_limit(size_t slots, struct lh_err *err)
{
	struct rlimit limit;
	rlim_t want = slots + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return lh_err_sys(err, "getrlimit");
	if (limit.rlim_cur >= want)
		return 0;
	if (limit.rlim_max < want)
		return lh_err_set(err, LH_EIO,
				  "%zu connections: at most %llu descriptors are allowed "
				  "(ulimit -Hn)", slots, (unsigned long long)limit.rlim_max);
	limit.rlim_cur = want;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? lh_err_sys(err, "setrlimit") : 0;
}

static int add(struct client *c, int fd, uint64_t what, struct lh_err *err)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = what };

	if (fd < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return lh_err_sys(err, "epoll_ctl");
	return 0;
}

static int open_events(struct client *c, struct lh_err *err)
{
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0)
		return lh_err_sys(err, "epoll_create1");
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	prctl(PR_SET_TIMERSLACK, 1ul, 0, 0, 0);
	if (add(c, c->timer, ALARM, err) < 0)
		return -1;
	return lh_signal_wake_fd() < 0 ? 0 : add(c, lh_signal_wake_fd(), SIGNAL, err);
}

struct client *client_open(const struct client_how *how, struct lh_err *err)
{
	struct client *c;
	const struct addrinfo *a;

	if (raise_limit(how->slots, err) < 0)
		return NULL;
	c = lh_calloc(1, sizeof *c);
	c->how = *how;
	c->epoll = c->timer = -1;
	c->timeout = (uint64_t)(how->timeout * 1e9);
	c->at = how->target->list;
	for (a = c->at; a; a = a->ai_next)
		c->addresses++;
	c->conn = lh_calloc(how->slots, sizeof *c->conn);
	c->failed = lh_calloc(2 * how->slots, sizeof *c->failed);
	if (open_events(c, err) == 0)
		return c;
	client_close(c);
	return NULL;
}

void client_close(struct client *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; c->conn && i < c->how.slots; i++) {
		disconnect(&c->conn[i]);
		reply_free(&c->conn[i].reply);
		lh_buf_free(&c->conn[i].body);
	}
	if (c->epoll >= 0)
		close(c->epoll);
	if (c->timer >= 0)
		close(c->timer);
	free(c->failed);
	free(c->conn);
	free(c);
}
