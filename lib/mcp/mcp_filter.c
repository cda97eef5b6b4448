/* mcp_filter.c - which pool answers a tool, and the line for it.  See mcp_parts.h. */
#include "mcp_parts.h"

#include "base/mem.h"
#include "serve/body.h"

#define QUEUE 4096		/* lines that wait */

struct lh_pool *lh_mcp_pool(struct lh_mcp *m, const struct lh_pool_how *how, struct lh_err *err)
{
	struct lh_pool *p;
	size_t i;

	for (i = 0; i < m->pools; i++)
		if (lh_pool_is(m->pool[i], how))
			return m->pool[i];
	lh_grow(&m->pool, &m->cap_pools, m->pools + 1, sizeof(struct lh_pool *));
	p = lh_pool_new(how, err);
	if (p)
		m->pool[m->pools++] = p;
	return p;
}

static struct lh_pool *pool_of(struct lh_mcp *m, const struct lh_mcp_tool *t,
			       const struct lh_route *r, struct lh_err *err)
{
	struct lh_pool_how how = {
		.argv = t->run, .processes = t->pool ? (unsigned)t->pool : 1, .queue = QUEUE,
		.longest = 4 * m->how.answer_max, .loop = m->how.loop, .ended = m->how.warn,
		.owner = m->how.owner
	};
	struct lh_pool *p = m->how.pool ? m->how.pool(m->how.owner, t, r) : NULL;

	if (p)
		return p;
	if (r) {
		how.argv = r->run;
		how.inherit = r->env;
		how.processes = (unsigned)r->limits.pool;
		how.depth = (unsigned)r->limits.depth;
	} else {
		how.depth = lh_route_depth(t->run[0]);
	}
	how.keys = lh_route_keys(r ? lh_route_program(r) : how.argv[0]);
	return lh_mcp_pool(m, &how, err);
}

/* Return the route of a question; it has a filter. */
static const struct lh_route *route_of(const struct lh_mcp *m, struct lh_str name,
				       struct lh_err *err)
{
	const struct lh_route *r = lh_routes_named(m->how.routes, name);

	if (r && !r->off && r->run)
		return r;
	if (r)
		lh_err_data(err, r->off ? 404 : 503, "%s", r->off ? r->off : "no filter");
	else
		lh_err_data(err, 503, "there is no route %.*s", (int)name.n, name.p);
	return NULL;
}

/* Return the request id that the filter of a route gets, or NULL. */
static const char *trace_of(const struct lh_mcp_call *c, const struct lh_route *r)
{
	return !r->trace ? NULL : *c->trace ? c->trace : c->peer->trace;
}

/* Add the members that the route gives, and the request id. */
static int add_members(struct lh_mcp_call *c, const struct lh_route *r, struct lh_err *err)
{
	struct lh_mcp *m = c->m;
	struct lh_buf *members = &m->links;
	struct lh_writer w;

	lh_buf_reset(members);
	if (r->members)
		lh_buf_puts(members, r->members);
	if (lh_record_parse(&m->line, m->text.p, m->text.len, err) < 0)
		return -1;
	w = (struct lh_writer){ .out = members, .comma = members->len > 0 };
	if (trace_of(c, r) && !lh_record_get(&m->line, "trace_id"))
		lh_write_text(&w, "trace_id", trace_of(c, r));
	if (m->how.persons)
		lh_persons_token(r, c->peer->token, &w);
	return lh_repack(&m->line, (struct lh_str){ members->p, members->len }, &c->ask.line, err);
}

int lh_mcp_prepare(struct lh_mcp_call *c, struct lh_err *err)
{
	struct lh_mcp *m = c->m;
	const struct lh_mcp_tool *t = c->tool;
	struct lh_mcp_question q = { lh_str_of(t->route ? t->route : ""), &m->text, m->how.state };
	const struct lh_route *r = NULL;
	const char *why = NULL;
	struct lh_value v;
	struct lh_pool *p;

	lh_buf_reset(&m->text);
	if (lh_mcp_ask(&q, t, &c->args, err) < 0 || (t->route && !(r = route_of(m, q.route, err))))
		return -1;
	/* what its filter says decides on the rows of persons */
	if (r && m->how.persons && lh_route_ask(lh_routes_named(m->how.routes, q.route), err) < 0 &&
	    (err->code != LH_EUSAGE || lh_persons_required(m->how.persons)))
		return err->code == LH_EUSAGE ? lh_err_data(err, 503, "the filter does not say "
							    "what it does") : -1;
	if (r && c->peer->refuse)
		why = c->peer->refuse(c->peer, r);
	if (why)
		return lh_err_data(err, 401, "%s", why);
	c->own_status = lh_value_get(&c->args, "status", &v) || lh_value_get(&c->args, "code", &v);
	c->ask.read = r ? r->read : t->repeat;
	if (r && (r->members || trace_of(c, r))) {
		if (add_members(c, r, err) < 0)
			return -1;
	} else {
		lh_buf_add(&c->ask.line, m->text.p, m->text.len);
	}
	lh_buf_putc(&c->ask.line, '\n');
	if (!(p = pool_of(m, t, r, err)))
		return -1;
	c->pool = p;
	c->route = r ? r : t->own;
	return 0;
}
