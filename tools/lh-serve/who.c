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

/* Set the corpus of the records that name none: the index that was asked for records, also where
 * nothing is known of the filter. */
static void take_corpus(struct server *s, const struct lh_route *route, const struct lh_buf *line,
			struct lh_buf *text, struct lh_str *corpus)
{
	const struct lh_value *v;
	struct lh_err err;

	if ((route->operation.p && !lh_route_lists(route, "shows", "id")) || !line->len ||
	    lh_record_parse(&s->body, line->p, line->len - 1, &err) < 0)
		return;
	v = lh_record_get(&s->body, "index");
	v = v ? v : lh_record_get(&s->body, "name");
	if (v && v->type == LH_STRING)
		lh_value_str(v, text, corpus, &err);
}

int who_show(struct request *r, const struct lh_buf *line, struct lh_buf *body,
	     struct lh_persons_rows *rows, struct lh_err *err)
{
	const struct lh_route *route = r->route ? r->route->route : NULL;
	struct lh_persons_answer a = { .trace = r->trace };
	struct lh_buf text = { 0 };
	char purpose[64];
	int rc;

	/* bytes of objects are not looked at, and the tools of /mcp leave rows of their own */
	if (!route || !r->site->persons ||
	    (route->kind != LH_ROUTE_FILTER && route->kind != LH_ROUTE_SESSIONS &&
	     route->kind != LH_ROUTE_AUDITS))
		return 0;
	name_route(route, purpose);
	a.purpose = purpose;
	a.unnamed = lh_persons_attributed(route) && lh_persons_cut_unnamed(body);
	a.body = (struct lh_str){ body->p, body->len };
	if (lh_route_lists(route, "uses", NULL) && line->len)
		a.used = (struct lh_str){ line->p, line->len - 1 };
	take_corpus(r->server, route, line, &text, &a.corpus);
	rc = lh_persons_show(r->site->persons, rows, &a, err);
	lh_buf_free(&text);
	return rc;
}
