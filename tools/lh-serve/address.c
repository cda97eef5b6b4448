/* address.c - addresses, networks and listening sockets.  See http.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "http.h"

#define LISTEN_FDS_START 3
#define BACKLOG 4096
#define STANDARD "127.0.0.1:3110"

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_four(const unsigned char a[16])
{
	return !memcmp(a, mapped, sizeof mapped);
}

/* Write the address as 16 bytes; false if it is neither IPv4 nor IPv6. */
static bool bytes_of(const struct sockaddr *a, unsigned char to[16])
{
	if (a->sa_family == AF_INET) {
		memcpy(to, mapped, 12);
		memcpy(to + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
		return true;
	}
	if (a->sa_family != AF_INET6)
		return false;
	memcpy(to, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
	return true;
}

static int bad_network(struct lh_err *err, const char *cidr)
{
	return lh_err_set(err, LH_EUSAGE,
			  "\"%.100s\" is not a network: expected ADDRESS or ADDRESS/BITS", cidr);
}

/* Read the number of bits after "/"; all without it. */
static bool read_bits(const char *p, unsigned most, unsigned *bits)
{
	char *end;
	unsigned long n;

	*bits = most;
	if (!*p)
		return true;
	if (p[1] < '0' || p[1] > '9' || (p[1] == '0' && p[2]) || strlen(p) > 4)
		return false;
	n = strtoul(p + 1, &end, 10);
	*bits = (unsigned)n;
	return !*end && n <= most;
}

static bool bit(const unsigned char *p, unsigned i)
{
	return p[i / 8] >> (7 - i % 8) & 1;
}

int networks_add(struct networks *to, const char *cidr, struct lh_err *err)
{
	const char *slash = strchrnul(cidr, '/');
	struct network n = { .bits = 0 }, *v;
	char text[INET6_ADDRSTRLEN];
	unsigned i;
	bool four;

	if ((size_t)(slash - cidr) >= sizeof text)
		return bad_network(err, cidr);
	snprintf(text, sizeof text, "%.*s", (int)(slash - cidr), cidr);
	four = inet_pton(AF_INET, text, n.address + 12) == 1;
	if ((!four && inet_pton(AF_INET6, text, n.address) != 1) ||
	    !read_bits(slash, four ? 32 : 128, &n.bits))
		return bad_network(err, cidr);
	if (four) {
		memcpy(n.address, mapped, 12);
		n.bits += 96;
	}
	for (i = n.bits; i < 128; i++)
		if (bit(n.address, i))
			return lh_err_set(err, LH_EUSAGE,
					  "\"%.100s\" is not a network: bits after the prefix are "
					  "set",
					  cidr);
	v = lh_realloc(to->v, to->n + 1, sizeof *v);
	to->v = v;
	to->v[to->n++] = n;
	return 0;
}

bool networks_have(const struct networks *n, const struct sockaddr *address)
{
	unsigned char a[16];
	size_t i;
	unsigned b;

	if (!bytes_of(address, a))
		return address->sa_family == AF_UNIX;
	for (i = 0; i < n->n; i++) {
		if (is_four(a) != (n->v[i].bits >= 96 && is_four(n->v[i].address)))
			continue;
		for (b = 0; b < n->v[i].bits && bit(a, b) == bit(n->v[i].address, b); b++)
			;
		if (b == n->v[i].bits)
			return true;
	}
	return false;
}

void networks_free(struct networks *n)
{
	free(n->v);
	memset(n, 0, sizeof *n);
}

void address_text(const struct sockaddr *address, char *to, size_t n)
{
	unsigned char a[16];
	bool four = bytes_of(address, a) && is_four(a);

	if (!bytes_of(address, a) ||
	    !inet_ntop(four ? AF_INET : AF_INET6, four ? a + 12 : a, to, (socklen_t)n))
		snprintf(to, n, "local");
}

void address_key(const struct sockaddr *address, unsigned char key[ADDRESS_KEY])
{
	if (!bytes_of(address, key))
		memset(key, 0, ADDRESS_KEY);
	else if (!is_four(key) && !is_loopback(address))
		memset(key + 8, 0, 8);
}

bool is_loopback(const struct sockaddr *address)
{
	unsigned char a[16];

	if (!bytes_of(address, a))
		return address->sa_family == AF_UNIX;
	if (is_four(a))
		return a[12] == 127;
	return IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)a);
}

const char *after_scheme(struct lh_str origin, bool secure)
{
	const char *scheme[] = { "http://", "https://" };
	int i;

	for (i = 0; i <= secure; i++) {
		size_t n = strlen(scheme[i]);

		if (origin.n > n && !strncasecmp(origin.p, scheme[i], n))
			return origin.p + n;
	}
	return NULL;
}

/* ---- listening ---- */

static void add_listener(struct connections *all, int fd)
{
	struct listener *v = lh_realloc(all->listener, all->listeners + 1, sizeof *v);

	all->listener = v;
	v[all->listeners++] = (struct listener){ .io = { .fd = fd }, .all = all };
}

/* Refuse what is neither local nor guarded by a token. */
static int may_listen(bool guarded, const struct sockaddr *a, struct lh_err *err)
{
	char text[64];

	if (is_loopback(a) || guarded)
		return 0;
	address_text(a, text, sizeof text);
	return lh_err_set(err, LH_EUSAGE,
			  "%s is not a loopback address: --token-file FILE lets it listen there",
			  text);
}

static int listen_at(struct connections *all, const struct addrinfo *a, struct lh_err *err)
{
	int fd, one = 1;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return lh_err_sys(err, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		lh_err_sys(err, "cannot listen");
		close(fd);
		return -1;
	}
	add_listener(all, fd);
	return 0;
}

/* Divide ADDR:PORT or [ADDR]:PORT. */
static int divide_address(const char *address, char *host, size_t n, const char **port,
			  struct lh_err *err)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (len > 2 && *address == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	} else if (colon && memchr(address, ':', len)) {
		colon = NULL;		/* an IPv6 address without brackets */
	}
	if (!colon || !len || len >= n || !colon[1] || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strtoul(colon + 1, NULL, 10) > 65535) {
		if (*address && strspn(address, "0123456789:") == strlen(address))
			return lh_err_set(err, LH_EUSAGE, "expected ADDRESS:PORT, such as "
					  "127.0.0.1:%.5s", address + (*address == ':'));
		return lh_err_set(err, LH_EUSAGE, "expected ADDRESS:PORT or [ADDRESS]:PORT");
	}
	snprintf(host, n, "%.*s", (int)len, address);
	*port = colon + 1;
	return 0;
}

static int find_address(const char *address, struct addrinfo **found, struct lh_err *err)
{
	const struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	const char *port = "";
	char host[256];
	int rc;

	if (divide_address(address, host, sizeof host, &port, err) < 0)
		return lh_err_prefix(err, "--listen %s", address);
	rc = getaddrinfo(host, port, &hint, found);
	return rc ? lh_err_set(err, LH_EUSAGE, "--listen %s: %s", address, gai_strerror(rc)) : 0;
}

/* Listen at an address; only check it without all. */
static int listen_address(struct connections *all, bool guarded, const char *address,
			  struct lh_err *err)
{
	struct addrinfo *found, *a;
	int rc = find_address(address, &found, err);

	if (rc)
		return -1;
	for (a = found; a && !rc; a = a->ai_next)
		rc = all ? listen_at(all, a, err) : may_listen(guarded, a->ai_addr, err);
	freeaddrinfo(found);
	return rc < 0 ? lh_err_prefix(err, "--listen %s", address) : 0;
}

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_storage room;
};

int listen_check(const struct lh_list *address, const struct connections *all, bool guarded,
		 struct lh_err *err)
{
	union address a;
	size_t i;

	for (i = 0; i < address->n; i++)
		if (listen_address(NULL, guarded, address->v[i], err) < 0)
			return -1;
	for (i = 0; all && i < all->listeners; i++) {
		socklen_t len = sizeof a;

		if (getsockname(all->listener[i].io.fd, &a.any, &len) == 0 &&
		    may_listen(guarded, &a.any, err) < 0)
			return -1;
	}
	return 0;
}

static int take_socket(struct connections *all, int fd, bool guarded, struct lh_err *err)
{
	union address a;
	socklen_t len = sizeof a, n = sizeof(int);
	int listens = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) < 0 || !listens ||
	    getsockname(fd, &a.any, &len) < 0)
		return lh_err_set(err, LH_EUSAGE, "LISTEN_FDS: descriptor %d does not listen", fd);
	if (may_listen(guarded, &a.any, err) < 0)
		return lh_err_prefix(err, "LISTEN_FDS");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	add_listener(all, fd);
	return 0;
}

/* Take over the sockets that systemd opened: LISTEN_FDS of them, from descriptor 3 on. */
static int take_sockets(struct connections *all, bool guarded, struct lh_err *err)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int fd, end;

	if (!pid || !n || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	end = LISTEN_FDS_START + (int)strtol(n, NULL, 10);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (fd = LISTEN_FDS_START; fd < end; fd++)
		if (take_socket(all, fd, guarded, err) < 0)
			return -1;
	return 0;
}

/* Say where it listens: with port 0 it is not known otherwise. */
static void say_addresses(struct connections *all)
{
	union address a;
	size_t i;

	for (i = 0; i < all->listeners; i++) {
		socklen_t len = sizeof a;
		char text[64];

		if (getsockname(all->listener[i].io.fd, &a.any, &len) < 0)
			continue;
		address_text(&a.any, text, sizeof text);
		if (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6)
			lh_tool_message(all->tool,
					a.any.sa_family == AF_INET6 ? "listening on http://[%s]:%u"
								    : "listening on http://%s:%u",
					text, ntohs(a.four.sin_port));
		else
			lh_tool_message(all->tool, "listening on a local socket");
	}
}

int listen_open(struct connections *all, const struct lh_list *address, bool guarded,
		void (*accept)(struct lh_watch *s, uint32_t events), struct lh_err *err)
{
	size_t i;

	if (take_sockets(all, guarded, err) < 0)
		return -1;
	if (!address->n && !all->listeners && listen_address(all, guarded, STANDARD, err) < 0)
		return -1;
	for (i = 0; i < address->n; i++)
		if (listen_address(all, guarded, address->v[i], err) < 0)
			return -1;
	for (i = 0; i < all->listeners; i++) {
		all->listener[i].io.ready = accept;
		if (lh_loop_add(all->loop, &all->listener[i].io, EPOLLIN, err) < 0)
			return -1;
	}
	say_addresses(all);
	return 0;
}

void listen_close(struct connections *all)
{
	size_t i;

	for (i = 0; i < all->listeners; i++) {
		lh_loop_remove(all->loop, &all->listener[i].io);
		close(all->listener[i].io.fd);
	}
	free(all->listener);
	all->listener = NULL;
	all->listeners = 0;
}

void listen_pause(struct connections *all, bool pause)
{
	size_t i;

	for (i = 0; i < all->listeners; i++) {
		if (all->listener[i].paused == pause)
			continue;
		all->listener[i].paused = pause;
		lh_loop_change(all->loop, &all->listener[i].io, pause ? 0 : EPOLLIN);
	}
}

/* ---- systemd ---- */

void notify_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (!n || n >= sizeof a.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}
