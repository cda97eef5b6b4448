/*
 * access.c - who may ask, and who asks: tokens, by their hashes; addresses; names that a request
 * used, which are Origin, Host and what proxies say.  See site.h and serve.h.
 *
 * A browser sends what any page asks it to, also to a server on loopback, and says in Origin
 * whose page that is.  A page whose name is made to resolve to this machine (DNS rebinding) is
 * of the server's own origin for the browser, and is known by Host alone.  A proxy on this
 * machine makes all of its clients loopback.  A token keeps all three out, so Host and proxies
 * are looked at only where none is required.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "net/curl.h"
#include "serve.h"
#include "site.h"

/* ---- tokens ---- */

#define TOKEN_MIN 16
#define TOKEN_MAX 256

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
	for (i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].label, label))
			return lh_err_set(err, LH_EUSAGE, "two tokens are called \"%s\"", label);
	v = lh_realloc(t->v, t->n + 1, sizeof *v);
	t->v = v;
	v += t->n++;
	v->may = NULL;
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

/* Return the token that is this text, or NULL.  All are compared, whichever fits, by hashes: the
 * time tells neither which nor how much. */
static const struct token *tokens_find(const struct tokens *t, const char *text)
{
	unsigned char hash[32];
	const struct token *found = NULL;
	size_t i;

	lh_sha256(text, strlen(text), hash);
	for (i = 0; i < t->n; i++)
		if (lh_const_eq(hash, t->v[i].hash, sizeof hash))
			found = &t->v[i];
	return found;
}

void tokens_free(struct tokens *t)
{
	free(t->v);
	memset(t, 0, sizeof *t);
}

/* ---- access ---- */

bool may_connect(const struct request *r)
{
	const struct sockaddr *a = r->http.address;

	return !r->site->allow.n || (a && networks_have(&r->site->allow, a));
}

static const char *bearer(const struct request *r)
{
	const char *value = http_field(&r->http, "Authorization");

	if (!value || strncasecmp(value, "Bearer ", 7))
		return NULL;
	for (value += 7; *value == ' ' || *value == '\t'; value++)
		;
	return value;
}

/* Return the tokens that a route wants of its own, or NULL. */
static const struct tokens *own_tokens(const struct site *site, const struct site_route *route)
{
	const struct tokens *own = route->token.n ? &route->token
				   : route->route->audit ? &site->legal : NULL;

	return own && own->n ? own : NULL;
}

bool has_own_token(const struct request *r, const struct site_route *route)
{
	const char *legal = http_field(&r->http, "X-Lakehouse-Legal-Token");
	const struct tokens *own = own_tokens(r->site, route);

	return !own || (legal && tokens_find(own, legal));
}

bool may_ask(const struct request *r, const struct lh_route *route)
{
	const struct lh_serve_token *t = r->as ? r->as->may : NULL;

	return lh_token_may(t, route) && (!t || t->right == LH_RIGHT_ADMIN || !asks_deep(r, route));
}

bool list_methods(struct request *r, bool any)
{
	char *list = r->reply.allow;
	size_t i, n;
	bool found = false;

	n = (size_t)snprintf(list, sizeof r->reply.allow, "OPTIONS");
	for (i = 0; lh_route_methods[i]; i++) {
		const char *method = lh_route_methods[i];
		const struct lh_route *route = lh_routes_find(&r->site->routes, method, &r->path,
							      r->skip);

		if (!any && !(route && may_ask(r, route)))
			continue;
		found = true;
		n += (size_t)snprintf(list + n, sizeof r->reply.allow - n, ", %s%s", method,
				      strcmp(method, "GET") ? "" : ", HEAD");
	}
	if (!found)
		*list = '\0';
	return found;
}

bool has_tokens(struct request *r)
{
	const struct site *site = r->site;
	const char *token = bearer(r);

	if (site->token.n && (!r->route || !r->route->route->open || is_deep(r)) &&
	    !is_public(r)) {
		r->as = token ? tokens_find(&site->token, token) : NULL;
		if (!r->as)
			return false;
		r->token = r->as->label;
		if (r->route && !may_ask(r, r->route->route))
			r->route = NULL;	/* as if there were none */
	}
	return !r->route || has_own_token(r, r->route);
}

/* ---- origin ---- */

#define MAX_AGE "600"			/* seconds that an answer to a preflight holds */

/* Return a field of the header; without it p is NULL. */
static struct lh_str field_of(const struct request *r, const char *name)
{
	const char *value = http_field(&r->http, name);

	return value ? lh_str_of(value) : (struct lh_str){ NULL, 0 };
}

static bool is_alike(struct lh_str a, struct lh_str b)
{
	return a.n == b.n && !strncasecmp(a.p, b.p, a.n);
}

/* ---- the names of this server ---- */

static bool is_loopback_name(struct lh_str host)
{
	return is_alike(host, lh_str_of("localhost")) || is_alike(host, lh_str_of("127.0.0.1")) ||
	       is_alike(host, lh_str_of("[::1]"));
}

/* Return whether a host is one that --listen names. */
static bool is_listened(const struct site *site, struct lh_str host)
{
	struct lh_str port;
	size_t i;

	for (i = 0; i < site->config.listen.n; i++)
		if (is_alike(host, lh_url_divide(lh_str_of(site->config.listen.v[i]), &port)))
			return true;
	return false;
}

/* Return whether HOST[:PORT] is the address that the client has connected to, or a name of it;
 * an origin has its port as well, 80 if it names none. */
static bool is_own(const struct request *r, struct lh_str authority, bool with_port)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	const struct sockaddr *address = (struct sockaddr *)&a;
	socklen_t len = sizeof a;
	char text[64], own[NI_MAXHOST + 2], number[NI_MAXSERV] = "";
	struct lh_str port, host = lh_url_divide(authority, &port);

	if ((port.n && strspn(port.p, "0123456789") < port.n) ||
	    getsockname(r->http.fd, (struct sockaddr *)&a, &len) < 0)
		return false;
	if (a.ss_family == AF_UNIX)
		return is_loopback_name(host);
	if (getnameinfo(address, len, NULL, 0, number, sizeof number, NI_NUMERICSERV))
		return false;
	if (with_port && !lh_str_is(port.n ? port : lh_str_of("80"), number, strlen(number)))
		return false;
	address_text(address, text, sizeof text);
	snprintf(own, sizeof own, strchr(text, ':') ? "[%s]" : "%s", text);
	return is_alike(host, lh_str_of(own)) || is_listened(r->site, host) ||
	       (is_loopback(address) && is_loopback_name(host));
}

/* ---- Origin ---- */

static bool is_allowed(const struct site *site, struct lh_str origin)
{
	size_t i;

	for (i = 0; i < site->config.allow_origin.n; i++)
		if (is_alike(origin, lh_str_of(site->config.allow_origin.v[i])))
			return true;
	return false;
}

/* Return whether the origin is this server.  A client that has a token knows the server, so the
 * name by which it asks is one; of others a page can have chosen that. */
static bool is_own_origin(const struct request *r, struct lh_str origin)
{
	const char *own = after_scheme(origin, false);
	const char *named = after_scheme(origin, true);
	const char *end = origin.p + origin.n;

	if (own && is_own(r, (struct lh_str){ own, (size_t)(end - own) }, true))
		return true;
	return named && r->site->token.n &&
	       is_alike((struct lh_str){ named, (size_t)(end - named) }, field_of(r, "Host"));
}

/* ---- requests ---- */

/* Return whether a proxy has left a field of its own. */
static bool is_proxied(const struct request *r)
{
	struct http_field f = { 0 };

	while (http_next(&r->http, &f))
		if (!strcasecmp(f.name, "Forwarded") || !strcasecmp(f.name, "Via") ||
		    !strcasecmp(f.name, "X-Real-IP") || !strncasecmp(f.name, "X-Forwarded-", 12))
			return true;
	return false;
}

/* Refuse what an open server takes from its own machine alone. */
static unsigned refuse_stranger(const struct request *r, const char **why)
{
	/* the target of a request may have a host, which is used instead of Host */
	const char *target = after_scheme(lh_str_of(r->http.target), true);
	const struct lh_str host = target ? (struct lh_str){ target, strcspn(target, "/?#") }
					  : field_of(r, "Host");

	*why = "it came through a proxy, and no token is required: see --token-file";
	if (is_proxied(r))
		return 403;
	*why = "this host is not the server's";
	return host.p && !is_own(r, host, false) ? 421 : 0;
}

/* Return whether the request could not have come here without a token. */
static bool has_token(const struct request *r)
{
	return r->site->token.n || (r->route && own_tokens(r->site, r->route));
}

void origin_take(struct request *r)
{
	const struct lh_str origin = field_of(r, "Origin");

	if (http_count(&r->http, "Origin") == 1 && is_allowed(r->site, origin))
		snprintf(r->origin, sizeof r->origin, "%s", origin.p);
}

unsigned origin_refuse(struct request *r, const char **why)
{
	const struct lh_str origin = field_of(r, "Origin"), type = field_of(r, "Content-Type");
	unsigned status;

	if (is_open_health(r))
		return 0;
	*why = "this origin is not allowed";
	if (http_count(&r->http, "Origin") > 1)
		return 403;
	if (origin.p && !*r->origin && !is_own_origin(r, origin))
		return 403;
	status = has_token(r) ? 0 : refuse_stranger(r, why);
	if (status)
		return status;
	*why = "a form needs a token, or the Origin of this server";
	/* a page can send one anywhere without asking, and old browsers do not say whose it is */
	return is_upload(r) && type.p && !strncasecmp(type.p, "multipart/", 10) && !origin.p &&
	       !has_token(r) ? 403 : 0;
}

bool is_preflight(const struct request *r)
{
	return is_method(r, "OPTIONS") && *r->origin &&
	       http_field(&r->http, "Access-Control-Request-Method");
}

struct http_field *origin_fields(const struct request *r, struct http_field to[ORIGIN_FIELDS])
{
	if (r->site->config.allow_origin.n)
		*to++ = (struct http_field){ "Vary", "Origin" };
	if (!*r->origin)
		return to;
	*to++ = (struct http_field){ "Access-Control-Allow-Origin", r->origin };
	*to++ = (struct http_field){ "Access-Control-Expose-Headers",
				     "X-Request-Id, X-Lakehouse-Trace-Id, ETag, Retry-After" };
	if (!is_preflight(r))
		return to;
	*to++ = (struct http_field){ "Access-Control-Allow-Methods", r->reply.allow };
	*to++ = (struct http_field){ "Access-Control-Allow-Headers",
				     http_field(&r->http, "Access-Control-Request-Headers") };
	*to++ = (struct http_field){ "Access-Control-Max-Age", MAX_AGE };
	return to;
}

/* ---- the client of a proxy ---- */

/* Take the last address of a list that ends at *n, and move *n before it. */
static struct lh_str last_of(const char *list, size_t *n)
{
	size_t end = *n, from;

	while (end && strchr(" \t,", list[end - 1]))
		end--;
	for (from = end; from && !strchr(" \t,", list[from - 1]); from--)
		;
	*n = from;
	return (struct lh_str){ list + from, end - from };
}

static bool read_address(struct lh_str text, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
	char copy[INET6_ADDRSTRLEN];

	memset(to, 0, sizeof *to);
	if (!text.n || text.n >= sizeof copy)
		return false;
	snprintf(copy, sizeof copy, "%.*s", (int)text.n, text.p);
	to->ss_family = AF_INET;
	if (inet_pton(AF_INET, copy, &four->sin_addr) == 1)
		return true;
	to->ss_family = AF_INET6;
	return inet_pton(AF_INET6, copy, &six->sin6_addr) == 1;
}

/* Return the user whom the proxy names, "" if it is not trusted or names none, NULL if the name
 * cannot stand in a row. */
static const char *user_of(const struct request *r)
{
	const char *name = r->site->config.trusted_user_header;
	const struct sockaddr *peer = r->http.address;
	const char *user;

	if (!name || !peer || !networks_have(&r->site->trusted, peer))
		return "";
	user = http_field(&r->http, name);
	if (!user)
		return "";
	return http_count(&r->http, name) == 1 && lh_is_purpose(lh_str_of(user)) &&
	       !strpbrk(user, "/ ") ? user : NULL;
}

unsigned who_take(struct request *r, const char **why)
{
	const struct lh_serve_token *t = r->as ? r->as->may : NULL;
	const char *user = user_of(r);
	const struct lh_str purpose = field_of(r, "X-Lakehouse-Purpose");

	*why = "the user whom the proxy names must be 1 to 63 visible characters of ASCII, once, "
	       "without \"/\"";
	if (!user)
		return 400;
	if (t || *user)
		snprintf(r->who, sizeof r->who, "%s%s%s", r->token ? r->token : "-",
			 *user ? "/" : "", user);
	*why = "X-Lakehouse-Purpose must be 1 to 63 visible characters of ASCII, once";
	if (http_count(&r->http, "X-Lakehouse-Purpose") > 1 ||
	    (purpose.p && !lh_is_purpose(purpose)))
		return 400;
	snprintf(r->purpose, sizeof r->purpose, "%s",
		 t && t->purpose ? t->purpose : purpose.p ? purpose.p : "");
	return 0;
}

/* The last address was written by the proxy that has connected, the one before it by the proxy
 * which that one names, if it is trusted too. */
bool proxied_for(const struct request *r, const struct sockaddr *peer,
		 struct sockaddr_storage *to)
{
	const struct networks *trusted = r->site ? &r->site->trusted : NULL;
	struct sockaddr_storage a;
	struct http_field f = { 0 };
	const char *list = "";
	bool found = false;
	size_t n;

	if (!trusted || !trusted->n || !peer || !networks_have(trusted, peer))
		return false;
	while (http_next(&r->http, &f))
		if (!strcasecmp(f.name, "X-Forwarded-For"))
			list = f.value;
	for (n = strlen(list); n;) {
		if (!read_address(last_of(list, &n), &a))
			break;
		*to = a;
		found = true;
		if (!networks_have(trusted, (struct sockaddr *)&a))
			break;
	}
	return found;
}
