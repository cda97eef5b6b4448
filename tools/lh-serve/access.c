/* access.c - who may: tokens and addresses.  See serve.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "serve.h"

#define TOKEN_MIN 16
#define TOKEN_MAX 256

/* ---- tokens ---- */

int tokens_add(struct tokens *t, const char *text, size_t n, const char *label,
	       struct lh_err *err)
{
	struct token *v;
	size_t i;

	if (n < TOKEN_MIN || n > TOKEN_MAX)
		return lh_err_set(err, LH_EUSAGE,
				  "%s: a token has %d to %d bytes, this one has %zu", label,
				  TOKEN_MIN, TOKEN_MAX, n);
	for (i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return lh_err_set(err, LH_EUSAGE,
					  "%s: a token has only visible ASCII characters", label);
	v = lh_realloc(t->v, t->n + 1, sizeof *v, err);
	if (!v)
		return -1;
	t->v = v;
	v += t->n++;
	snprintf(v->label, sizeof v->label, "%s", label);
	lh_sha256(text, n, v->hash);
	return 0;
}

int tokens_add_file(struct tokens *t, const char *path, const char *label, struct lh_err *err)
{
	struct lh_secret s;
	struct stat st;
	int rc;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07577) != 0400)
		return lh_err_set(err, LH_EUSAGE, "%s: mode %04o; it must be 0600 or 0400", path,
				  st.st_mode & 07777);
	if (lh_secret_read(&s, path, TOKEN_MAX + 2, false, err) < 0) {
		err->code = LH_EUSAGE;
		return -1;
	}
	rc = tokens_add(t, (const char *)s.p, s.n - (s.n && s.p[s.n - 1] == '\n'), label, err);
	lh_secret_wipe(&s);
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

/* All are compared, whichever fits, by hashes: the time tells neither which nor how much. */
const char *tokens_find(const struct tokens *t, const char *text, size_t n)
{
	unsigned char hash[32];
	const char *found = NULL;
	size_t i;

	lh_sha256(text, n, hash);
	for (i = 0; i < t->n; i++)
		if (lh_const_eq(hash, t->v[i].hash, sizeof hash))
			found = t->v[i].label;
	return found;
}

void tokens_free(struct tokens *t)
{
	free(t->v);
	memset(t, 0, sizeof *t);
}

/* ---- the tokens of a request ---- */

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, name);
}

static const char *bearer(const struct request *r)
{
	const char *value = header(r, "Authorization");

	if (!value || strncasecmp(value, "Bearer ", 7))
		return NULL;
	for (value += 7; *value == ' ' || *value == '\t'; value++)
		;
	return value;
}

/* Return the label of a token that is one of them, or NULL; blanks after it do not matter. */
static const char *find_token(const struct tokens *t, const char *text)
{
	size_t n = strlen(text);

	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	return tokens_find(t, text, n);
}

bool has_own_token(const struct request *r, const struct site_route *route)
{
	const char *legal = header(r, "X-Lakehouse-Legal-Token");
	const struct tokens *own = route->token.n ? &route->token
				   : route->route->audit ? &r->site->legal : NULL;

	return !own || !own->n || (legal && find_token(own, legal));
}

/* Return whether the tokens are given that the route wants. */
bool has_tokens(struct request *r)
{
	const struct site *site = r->site;
	const char *token = bearer(r);

	if (site->token.n && (!r->route || !r->route->route->open || is_deep(r))) {
		r->token = token ? find_token(&site->token, token) : NULL;
		if (!r->token)
			return false;
	}
	return !r->route || has_own_token(r, r->route);
}

/* ---- addresses ---- */

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
	v = lh_realloc(to->v, to->n + 1, sizeof *v, err);
	if (!v)
		return -1;
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
