/* who.c - rows in the audit logs of the persons whom an answer shows, before it is sent.  See
 * serve.h and persons/persons.h. */
#include <stdio.h>

#include "serve.h"

/* Write the name of a route: its literal pieces, without v1. */
static void name_route(const struct lh_route *r, char to[64])
{
	static const struct {
		const char *name, *is;
	} shorter[] = { { "vectors_index_record", "record" },
			{ "vectors_index_search", "vectors_search" } };
	size_t i, n = 0;

	*to = '\0';
	for (i = 0; i < r->pieces.n; i++) {
		const struct lh_str piece = r->pieces.v[i].text;

		if (r->pieces.v[i].name || lh_str_is(piece, "v1", 2) || n + piece.n + 2 > 64)
			continue;
		n += (size_t)snprintf(to + n, 64 - n, "%s%.*s", n ? "_" : "", (int)piece.n,
				      piece.p);
	}
	for (i = 0; i < sizeof shorter / sizeof *shorter; i++)
		if (!strcmp(to, shorter[i].name))
			snprintf(to, 64, "%s", shorter[i].is);
}

int who_refuses(struct request *r, struct lh_err *err)
{
	const struct lh_route *route = r->route->route;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str key;

	if (route->kind != LH_ROUTE_GET || !r->site->persons || !r->site->config.audit.required)
		return 0;
	if (lh_route_rest(route, &r->path, r->skip, &text, err) < 0)
		return -1;
	key = (struct lh_str){ text.p, text.len };
	return !lh_persons_dataset(&key) ? 0
		: lh_err_data(err, 403, "objects of datasets may hold persons, and bytes leave no "
			      "rows of them in the audit log: ask by SQL");
}

int who_show(struct request *r, const struct lh_buf *line, struct lh_buf *body,
	     struct lh_persons_rows *rows, struct lh_err *err)
{
	const struct lh_route *route = r->route ? r->route->route : NULL;
	struct lh_persons_answer a = { .trace = r->trace, .token = r->token, .who = r->who,
				       .route = route };
	LH_SCOPED(lh_persons_said_free) struct lh_persons_said said = { .unnamed = false };
	char purpose[64];

	/* of bytes the dataset alone is known, and the tools of /mcp leave rows of their own */
	if (!route || !r->site->persons ||
	    (route->kind != LH_ROUTE_FILTER && route->kind != LH_ROUTE_GET &&
	     route->kind != LH_ROUTE_SESSIONS && route->kind != LH_ROUTE_AUDITS))
		return 0;
	name_route(route, purpose);
	a.purpose = *r->purpose ? r->purpose : purpose;
	if (lh_persons_attributed(route))
		lh_persons_cut(body, &said);
	a.body = (struct lh_str){ body->p, body->len };
	a.asked = (struct lh_str){ line->p, line->len ? line->len - 1 : 0 };
	a.tables = (struct lh_str){ said.tables.p, said.tables.len };
	a.used = (struct lh_str){ said.used.p, said.used.len };
	a.unnamed = said.unnamed;
	return lh_persons_show(r->site->persons, rows, &a, err);
}
