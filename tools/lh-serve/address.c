/* address.c - addresses and networks.  See connection.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "connection.h"

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
