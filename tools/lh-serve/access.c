/* access.c - who may: tokens and addresses.  See serve.h. */
#include <stdio.h>

#include "serve.h"

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

const struct tokens *own_tokens(const struct site *site, const struct site_route *route)
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
