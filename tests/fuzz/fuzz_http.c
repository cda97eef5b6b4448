/*
 * fuzz_http - a byte that says in what pieces the rest arrives, and the bytes of a client.
 *
 * What requests they are, and what is refused, does not depend on the pieces: whole, or a few
 * bytes at a time, the same methods, targets, fields and bodies are read, and the same statuses
 * given.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include "../../tools/lh-serve/http.c"

struct asked {
	struct message m;
	struct reply reply;
};

static struct lh_loop loop;
static struct connections all;
static struct lh_buf *said;

/* The listening sockets, of which there are none. */
void listen_pause(struct connections *c, bool pause)
{
	(void)c, (void)pause;
}

static void begin(struct message *m)
{
	struct http_field f = { 0 };

	lh_buf_printf(said, "%s %s\n", m->method, m->target);
	while (http_next(m, &f))
		lh_buf_printf(said, "%s: %s\n", f.name, f.value);
	must(!(m->chunked && m->length));
}

static bool more(struct message *m, const char *p, size_t n)
{
	must(n && (m->chunked || m->counted <= m->length));
	lh_buf_add(said, p, n);
	return true;
}

static void complete(struct message *m)
{
	must(m->chunked || m->counted == m->length);
	lh_buf_puts(said, "\ncomplete\n");
	m->ready = true;
}

static void answer(struct message *m)
{
	struct asked *a = (struct asked *)(void *)m;
	const struct http_field none = { 0 };

	a->reply.status = 204;
	http_send(m, &a->reply, &none);
}

static void over(struct message *m, unsigned status)
{
	(void)m;
	lh_buf_printf(said, "\nover %u\n", status);
}

static void left(struct message *m)
{
	(void)m;
}

static void lost(struct connections *c, const struct sockaddr *address, unsigned status, uint64_t n)
{
	(void)c, (void)address;
	must(n);
	lh_buf_printf(said, "lost %u\n", status);
}

static const struct http_calls calls = {
	sizeof(struct asked), begin, more, complete, answer, left, over, lost
};

/* Do what there is to do, and take what is answered. */
static void turn(int peer)
{
	char answers[4096];
	struct lh_err err;

	do {
		lh_loop_wait(&loop, 0, &err);
		http_run(&all);
		while (recv(peer, answers, sizeof answers, MSG_DONTWAIT) > 0)
			;
	} while (all.queue);
}

static void converse(struct lh_buf *to, const uint8_t *p, size_t n, size_t piece)
{
	const struct sockaddr_in6 nobody = { .sin6_family = AF_INET6 };
	size_t at, some;
	int pair[2];

	said = to;
	lh_buf_reset(to);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	new_client(&all, pair[0], &nobody);
	for (at = 0; at < n && all.clients; at += some) {
		some = n - at < piece ? n - at : piece;
		if (send(pair[1], p + at, some, MSG_NOSIGNAL) != (ssize_t)some)
			break;
		turn(pair[1]);
	}
	shutdown(pair[1], SHUT_WR);
	turn(pair[1]);
	turn(pair[1]);
	must(!all.clients && !all.newest);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct lh_buf whole, parts;
	struct lh_err err;

	if (!all.calls) {
		must(lh_loop_open(&loop, &err) == 0);
		all.loop = &loop;
		all.calls = &calls;
		all.limit = 1;
	}
	if (n < 2 || n > 65536)
		return 0;
	converse(&whole, data + 1, n - 1, n);
	converse(&parts, data + 1, n - 1, data[0] % 32 + 1u);
	must(whole.len == parts.len && !memcmp(whole.p, parts.p, whole.len));
	return 0;
}
