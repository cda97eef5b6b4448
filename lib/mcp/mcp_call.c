/*
 * mcp_call.c - calls of tools and reads of resources, from the request to the answer.  See
 * mcp_parts.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "mcp_parts.h"
#include "serve/body.h"

/* ---- which pool answers a tool, and the line for it ---- */

#define QUEUE 4096		/* lines that wait */

/* Return a pool that is started here, or runs already. */
static struct lh_pool *lh_mcp_pool(struct lh_mcp *m, const struct lh_pool_how *how,
				   struct lh_err *err)
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
static const struct lh_route *route_of(const struct lh_mcp *m, const struct lh_mcp_peer *p,
				       struct lh_str name, struct lh_err *err)
{
	const struct lh_route *r = lh_routes_named(m->how.routes, name);

	if (r && p->may && !p->may(p, r))
		r = NULL;
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
		lh_persons_token(r, c->peer->who && *c->peer->who ? c->peer->who
								  : c->peer->token, &w);
	if (c->peer->scope && r->scoped)
		lh_write_raw(&w, "scope", lh_str_of(c->peer->scope));
	return lh_repack(&m->line, (struct lh_str){ members->p, members->len }, &c->ask.line, err);
}

/* Find the pool for a tool, and make the line in c->ask; an error is for the client. */
static int lh_mcp_prepare(struct lh_mcp_call *c, struct lh_err *err)
{
	struct lh_mcp *m = c->m;
	const struct lh_mcp_tool *t = c->tool;
	struct lh_mcp_question q = { lh_str_of(t->route ? t->route : ""), &m->text, m->how.state,
				     c->peer };
	const struct lh_route *r = NULL;
	const char *why = NULL;
	struct lh_value v;
	struct lh_pool *p;

	lh_buf_reset(&m->text);
	if (lh_mcp_ask(&q, t, &c->args, err) < 0 ||
	    (t->route && !(r = route_of(m, c->peer, q.route, err))))
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
	if (r && (r->members || trace_of(c, r) || c->peer->scope)) {
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

/* ---- calls in flight ---- */

/* Make the key of an id, in m->strings: equal ids have equal ones, "1" and 1 do not. */
static struct lh_str key_of(struct lh_mcp *m, const struct lh_value *id)
{
	struct lh_buf *b = &m->strings;
	struct lh_str text = { id->p, id->n };

	lh_buf_reset(b);
	lh_buf_putc(b, id->type == LH_STRING ? 's' : 'n');
	if (id->type == LH_NUMBER || !id->escaped) {
		lh_buf_add(b, id->p + (id->type == LH_STRING),
			   id->n - 2 * (id->type == LH_STRING));
	} else {
		lh_value_str(id, b, &text);	/* appends what is escaped */
	}
	return (struct lh_str){ b->p, b->len };
}

static struct lh_mcp_call **bucket_of(struct lh_mcp *m, uint64_t hash)
{
	return &m->bucket[hash % LH_MCP_BUCKETS];
}

struct lh_mcp_call *lh_mcp_find(struct lh_mcp *m, const struct lh_mcp_peer *p,
				const struct lh_value *id)
{
	struct lh_str key = key_of(m, id);
	uint64_t hash = lh_xxh3_seeded(key.p, key.n, lh_seed());
	struct lh_mcp_call *c = *bucket_of(m, hash);

	while (c && (c->peer != p || c->hash != hash || !lh_str_is(c->key, key.p, key.n)))
		c = c->chain;
	return c;
}

/* Forget a call: its peer gets no answer. */
static void unlink_call(struct lh_mcp_call *c)
{
	struct lh_mcp_call **at = bucket_of(c->m, c->hash);

	while (*at != c)
		at = &(*at)->chain;
	*at = c->chain;
	if (c->before)
		c->before->next = c->next;
	else
		c->peer->first = c->next;
	if (c->next)
		c->next->before = c->before;
	c->peer->calls--;
	c->peer = NULL;
}

static void free_call(struct lh_mcp_call *c)
{
	if (c->peer)
		unlink_call(c);
	lh_persons_rows_free(&c->rows);
	lh_buf_free(&c->ask.line);
	lh_buf_free(&c->text);
	lh_buf_free(&c->answer);
	lh_buf_free(&c->uri);
	free(c);
}

/* Copy what the call needs of its request: values that point into c->text. */
static void copy_request(struct lh_mcp_call *c, const struct lh_mcp_request *r,
			 const struct lh_value *args)
{
	const struct lh_str key = key_of(r->m, &r->id);

	lh_buf_add(&c->text, r->id.p, r->id.n);
	lh_buf_add(&c->text, key.p, key.n);
	lh_buf_add(&c->text, args->p, args->n);
	c->id = r->id;
	c->id.p = c->text.p;
	c->key = (struct lh_str){ c->text.p + r->id.n, key.n };
	c->hash = lh_xxh3_seeded(key.p, key.n, lh_seed());
	c->args = *args;
	c->args.p = c->key.p + key.n;
}

static struct lh_mcp_call *new_call(const struct lh_mcp_request *r, const struct lh_mcp_tool *t,
				    const struct lh_value *args)
{
	struct lh_mcp_call *c = lh_calloc(1, sizeof *c);
	struct lh_mcp_call **bucket;
	struct lh_value v;

	copy_request(c, r, args);
	c->m = r->m;
	c->peer = r->peer;
	c->tool = t;
	c->modern = r->modern;
	/* Take the request id of _meta.traceparent: "00-TRACE-SPAN-FLAGS". */
	if (r->meta.p && lh_value_get(&r->meta, "traceparent", &v) && v.type == LH_STRING &&
	    !v.escaped && v.n >= 2 + 55 && v.p[3] == '-' && v.p[36] == '-' &&
	    strspn(v.p + 4, "0123456789abcdef") == 32)
		memcpy(c->trace, v.p + 4, 32);
	bucket = bucket_of(c->m, c->hash);
	c->chain = *bucket;
	*bucket = c;
	c->next = c->peer->first;
	if (c->next)
		c->next->before = c;
	c->peer->first = c;
	c->peer->calls++;
	return c;
}

/* ---- answers ---- */

/* Answer that a resource cannot be read, with its URI. */
static void refuse_read(const struct lh_mcp_request *r, struct lh_str uri,
			const struct lh_err *err)
{
	const unsigned status = lh_err_status(err);
	const int none = r->modern ? LH_MCP_PARAMS : LH_MCP_NO_RESOURCE;
	struct lh_buf *data = &r->m->text;
	struct lh_writer w = lh_write_to(data);

	lh_buf_reset(data);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "uri", uri);
	lh_write_end(&w);
	lh_mcp_error(r->m, r->peer, &r->id, status == 400 || status == 404 ? none : LH_MCP_INTERNAL,
		     err->msg, (struct lh_str){ data->p, data->len });
}

static void fail_call(struct lh_mcp_call *c, unsigned status, const char *why)
{
	struct lh_mcp *m = c->m;
	const struct lh_mcp_request r = { .m = m, .peer = c->peer, .id = c->id,
					  .modern = c->modern };
	struct lh_writer w;
	struct lh_err err;

	if (c->is_read) {
		lh_err_data(&err, status, "%s", why);
		refuse_read(&r, (struct lh_str){ c->uri.p, c->uri.len }, &err);
	} else {
		w = lh_mcp_result(m, &c->id, c->modern);
		lh_mcp_write_failure(&w, why);
		lh_mcp_result_end(m, c->peer, &w);
	}
	free_call(c);
}

static int lh_mcp_audit(struct lh_mcp_call *c, const struct lh_record *rec, struct lh_err *err);

/* Fail a call whose filter was asked: the rows of what it was asked come first. */
static void fail_asked(struct lh_mcp_call *c, unsigned status, const char *why)
{
	struct lh_err err;
	int rc = lh_mcp_audit(c, NULL, &err);

	if (rc < 0)
		fail_call(c, 503, err.msg);
	else if (rc == 0)
		fail_call(c, status, why);
	else
		lh_err_data(&c->failed, status, "%s", why);
}

/* Write the answer into m->out. */
static void write_answer(struct lh_mcp_call *c, struct lh_str structured)
{
	struct lh_mcp *m = c->m;
	const struct lh_buf *links = &m->links;
	struct lh_writer w = lh_mcp_result(m, &c->id, c->modern);

	if (c->is_read) {
		lh_mcp_write_contents(&w, (struct lh_str){ c->uri.p, c->uri.len }, c->type,
				      structured);
		if (c->modern)
			lh_mcp_write_fresh(&w, 0, false);
	} else {
		lh_mcp_write_reply(&w, structured, (struct lh_str){ links->p, links->len });
	}
	lh_write_end(&w);
	lh_write_end(&w);
}

/* Send the answer in m->out once the rows for it are written. */
static void finish(struct lh_mcp_call *c, const struct lh_record *rec)
{
	struct lh_mcp *m = c->m;
	struct lh_err err;
	int rc;

	if (m->out.len > m->how.answer_max) {
		lh_err_set(&err, LH_EDATA, "the answer has %zu bytes, more than %zu: ask for less",
			   m->out.len, m->how.answer_max);
		fail_asked(c, 413, err.msg);
		return;
	}
	rc = lh_mcp_audit(c, rec, &err);
	if (rc < 0)
		fail_call(c, 503, err.msg);
	if (rc)
		return;
	lh_mcp_send(m, c->peer, 0);
	free_call(c);
}

/* Send the answer in c->answer, whose rows are written; missing: why it fails instead, or NULL. */
static void lh_mcp_call_audited(struct lh_mcp_call *c, const char *missing)
{
	struct lh_mcp *m = c->m;

	if (!c->peer) {
		free_call(c);
	} else if (missing) {
		fail_call(c, 503, missing);
	} else if (c->failed.code != LH_OK) {
		fail_call(c, lh_err_status(&c->failed), c->failed.msg);
	} else {
		lh_buf_reset(&m->out);
		lh_buf_add(&m->out, c->answer.p, c->answer.len);
		lh_mcp_send(m, c->peer, 0);
		free_call(c);
	}
}

/* Take an answer as it is, but for what is said to this server alone. */
static void take_whole(struct lh_mcp_call *c, struct lh_str body)
{
	LH_SCOPED(lh_persons_said_free) struct lh_persons_said said = { .unnamed = false };

	lh_buf_add(&c->m->text, body.p, body.n);
	if (c->route && lh_persons_attributed(c->route))
		lh_persons_cut(&c->m->text, &said);
}

/* Answer from the line of the filter. */
static void answer(struct lh_mcp_call *c, const struct lh_record *rec)
{
	struct lh_mcp *m = c->m;
	struct lh_answer a = { .status = 0 };
	struct lh_mcp_reply reply = { c->tool, &m->text, &m->links, 0 };
	struct lh_err err = { .code = LH_OK };
	int rc = 0;

	lh_buf_reset(&m->text);
	lh_buf_reset(&m->links);
	lh_answer_read(rec, c->own_status, &a);
	reply.status = a.status;
	if (a.status >= 400 && !(c->tool->answer && c->tool->verdicts)) {
		/* Fail with the error that the filter has answered. */
		const struct lh_value *error = NULL;
		struct lh_str why = { NULL, 0 };

		lh_buf_reset(&m->strings);
		if (lh_record_parse(&m->line, a.body.p, a.body.n, &err) == 0)
			error = lh_record_get(&m->line, "error");
		if (error && error->type == LH_STRING)
			lh_value_str(error, &m->strings, &why);
		else
			why = a.body;
		snprintf(err.msg, sizeof err.msg, "%.*s", (int)why.n, why.p);
		fail_asked(c, a.status, err.msg);
		lh_answer_free(&a);
		return;
	}
	if (c->tool->answer)
		rc = c->tool->answer(&reply, &c->args, rec, &err);
	else
		take_whole(c, a.body);
	lh_answer_free(&a);
	if (rc) {
		fail_asked(c, lh_err_status(&err), err.msg);
		return;
	}
	write_answer(c, (struct lh_str){ m->text.p, m->text.len });
	finish(c, rec);
}

static void on_answer(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct lh_mcp_call *c = (struct lh_mcp_call *)((char *)a -
		offsetof(struct lh_mcp_call, ask));
	char late[80];

	c->pool = NULL;
	if (!c->peer) {
		free_call(c);		/* cancelled; the server may be gone */
		return;
	}
	c->peer->asked = a->asked;
	c->peer->sent = a->sent;
	snprintf(late, sizeof late, "no answer in %g seconds", c->m->how.timeout);
	if (how == LH_ASKED_ANSWERED)
		answer(c, rec);
	else if (how == LH_ASKED_LATE)
		fail_asked(c, 504, late);
	else if (how == LH_ASKED_GONE)
		fail_asked(c, 502, "the filter ended before it answered");
	else
		fail_call(c, 503, "the filter is busy or down");
}

void lh_mcp_cancel(struct lh_mcp *m, struct lh_mcp_call *c)
{
	(void)m;
	if (c->pool)
		lh_pool_cancel(c->pool, &c->ask);
	c->pool = NULL;
	unlink_call(c);
	if (!c->waits)
		free_call(c);		/* otherwise the last answer frees it */
}

void lh_mcp_leave(struct lh_mcp *m, struct lh_mcp_peer *p)
{
	while (p->first)
		lh_mcp_cancel(m, p->first);
}

/* ---- requests ---- */

static void start(struct lh_mcp_call *c)
{
	struct lh_err err;

	if (lh_mcp_prepare(c, &err) < 0) {
		fail_call(c, lh_err_status(&err), err.msg);
		return;
	}
	c->ask.timeout = c->m->how.timeout;
	c->ask.client = c->peer->client;
	c->ask.answered = on_answer;
	if (lh_pool_ask(c->pool, &c->ask) == 0)
		return;
	c->pool = NULL;
	fail_call(c, 503, "the filter is busy or down");
}

bool lh_mcp_may(const struct lh_mcp_peer *p, const struct lh_routes *routes, const char *route)
{
	const struct lh_route *r = route ? lh_routes_named(routes, lh_str_of(route)) : NULL;

	return !p->may || p->may(p, r);
}

bool lh_mcp_sees(const struct lh_mcp_peer *p, const char *corpus)
{
	return !p->sees || p->sees(p, corpus);
}

/* Return whether a tool may be called. */
static bool lh_mcp_allowed(const struct lh_mcp *m, const struct lh_mcp_tool *t)
{
	size_t i;

	for (i = 0; i < m->how.allowed && strcmp(m->how.allow[i], t->name); i++)
		;
	return !t->write || i < m->how.allowed;
}

/* Return tool number i of those that are there. */
static const struct lh_mcp_tool *tool_at(const struct lh_mcp *m, size_t i)
{
	const size_t more = m->how.more ? m->how.more->n : 0;

	return i < more ? &m->how.more->v[i]
	     : i - more < m->how.tools->n ? &m->how.tools->v[i - more] : NULL;
}

static const struct lh_mcp_tool *find_tool(const struct lh_mcp *m, const struct lh_value *name)
{
	const struct lh_mcp_tool *t;
	size_t i;

	for (i = 0; (t = tool_at(m, i)); i++)
		if ((!t->compat || m->how.compat) && lh_value_is(name, t->name, strlen(t->name)))
			return t;
	return NULL;
}

/* Return whether there is a filter for the route of a tool. */
static bool is_on(const struct lh_mcp *m, const struct lh_mcp_tool *t)
{
	size_t i;

	for (i = 0; t->route && i < m->how.routes->n; i++) {
		const struct lh_route *r = &m->how.routes->v[i];

		if (!strcmp(r->route, t->route))
			return r->run && !r->off;
	}
	return !t->route;
}

/* A tool of a file hides the one that is built in, of the same name.  Within a file, and within
 * the table, each name is there once. */
static bool is_listed(const struct lh_mcp *m, const struct lh_mcp_peer *p, size_t i,
		      const struct lh_mcp_tool *t)
{
	const size_t more = m->how.more ? m->how.more->n : 0;
	size_t k;

	if ((t->compat && !m->how.compat) || !lh_mcp_allowed(m, t) || !is_on(m, t) ||
	    !lh_mcp_may(p, m->how.routes, t->route))
		return false;
	for (k = 0; i >= more && k < more; k++)
		if (!strcmp(m->how.more->v[k].name, t->name))
			return false;
	return true;
}

const struct lh_mcp_tool *lh_mcp_tool_at(const struct lh_mcp *m, const struct lh_mcp_peer *p,
					 size_t n)
{
	const struct lh_mcp_tool *t;
	size_t i;

	for (i = 0; (t = tool_at(m, i)); i++)
		if (is_listed(m, p, i, t) && !n--)
			return t;
	return NULL;
}

/* Answer a call that cannot be made. */
static void fail_request(const struct lh_mcp_request *r, const char *why)
{
	struct lh_writer w = lh_mcp_result(r->m, &r->id, r->modern);

	lh_mcp_write_failure(&w, why);
	lh_mcp_result_end(r->m, r->peer, &w);
}

static void refuse(const struct lh_mcp_request *r, int code, const char *why)
{
	lh_mcp_error(r->m, r->peer, &r->id, code, why, (struct lh_str){ NULL, 0 });
}

bool lh_mcp_read_string(const struct lh_mcp_request *r, const char *name, struct lh_value *v)
{
	char why[64];

	*v = (struct lh_value){ .type = LH_NULL };
	if (r->params.p)
		lh_value_get(&r->params, name, v);
	if (v->type == LH_STRING)
		return true;
	snprintf(why, sizeof why,
		 v->type == LH_NULL ? "missing %s (string)" : "%s must be a string", name);
	refuse(r, LH_MCP_PARAMS, why);
	return false;
}

void lh_mcp_tools_call(const struct lh_mcp_request *r)
{
	static const struct lh_value none = { .p = "{}", .n = 2, .type = LH_OBJECT };
	struct lh_value name, args = none;
	const struct lh_mcp_tool *t;
	const char *header = NULL;
	char why[200];

	if (!lh_mcp_read_string(r, "name", &name))
		return;
	t = find_tool(r->m, &name);
	if (t && !lh_mcp_may(r->peer, r->m->how.routes, t->route))
		t = NULL;
	if (lh_value_get(&r->params, "arguments", &args) && args.type == LH_NULL)
		args = none;
	snprintf(why, sizeof why, "%s changes what is stored, and is not allowed: see "
		 "--allow-write", t ? t->name : "");
	if (t)
		header = lh_mcp_param_mismatch(r, t, &args);
	if (!t)
		refuse(r, LH_MCP_PARAMS, "unknown tool");
	else if (header)
		refuse(r, LH_MCP_HEADER, header);
	else if (!lh_mcp_allowed(r->m, t))
		fail_request(r, why);
	else if (args.type != LH_OBJECT)
		fail_request(r, "arguments must be an object");
	else
		start(new_call(r, t, &args));
}

/* Read a resource that is there at once, or by a call of a tool. */
static void read_opened(const struct lh_mcp_request *r, struct lh_str uri,
			const struct lh_mcp_resource *res)
{
	const struct lh_value args = { .p = res->args.p, .n = res->args.len, .type = LH_OBJECT };
	struct lh_writer w;
	struct lh_mcp_call *c;

	if (!res->by) {
		w = lh_mcp_result(r->m, &r->id, r->modern);
		lh_mcp_write_contents(&w, uri, res->type,
				      (struct lh_str){ res->text.p, res->text.len });
		if (r->modern)
			lh_mcp_write_fresh(&w, 0, false);
		lh_mcp_result_end(r->m, r->peer, &w);
		return;
	}
	c = new_call(r, res->by, &args);
	c->type = res->type;
	c->is_read = true;
	lh_buf_add(&c->uri, uri.p, uri.n);
	start(c);
}

void lh_mcp_resources_read(const struct lh_mcp_request *r)
{
	struct lh_mcp_resource res = { .type = NULL };
	const struct lh_mcp_page of = { .state = r->m->how.state, .peer = r->peer,
					.routes = r->m->how.routes };
	struct lh_buf text = { 0 };
	struct lh_value v;
	struct lh_str uri = { "", 0 };
	struct lh_err err;

	if (!lh_mcp_read_string(r, "uri", &v))
		return;
	lh_value_str(&v, &text, &uri);
	if (lh_mcp_resource_open(&res, r->m->how.tools, &of, uri, &err) == 0)
		read_opened(r, uri, &res);
	else
		refuse_read(r, uri, &err);
	lh_buf_free(&text);
	lh_buf_free(&res.text);
	lh_buf_free(&res.args);
}

/* ---- rows on the chains of the persons that an answer shows ---- */

/* Start the process that appends, unless the owner has one. */
static int start_auditor(struct lh_mcp *m, struct lh_err *err)
{
	struct lh_pool_how how = { .loop = m->how.loop, .ended = m->how.warn,
				   .owner = m->how.owner };
	struct lh_pool *p;

	if (lh_persons_ready(m->how.persons))
		return 0;
	lh_persons_command(m->how.persons, &how);
	p = lh_mcp_pool(m, &how, err);
	if (!p)
		return -1;
	lh_persons_use(m->how.persons, p);
	return 0;
}

static void on_written(struct lh_persons_rows *rows, const char *withheld)
{
	struct lh_mcp_call *c = (struct lh_mcp_call *)((char *)rows -
		offsetof(struct lh_mcp_call, rows));

	c->waits = false;
	lh_mcp_call_audited(c, withheld);
}

/* Append the rows for the persons whom the answer in m->out shows, made of a line of the filter,
 * and of what it was asked; rec NULL: it has answered nothing that is shown.  0 if nothing has to
 * be waited for; 1 if the call ends later, by lh_mcp_call_audited; -1 if
 * rows are missing that are required. */
static int lh_mcp_audit(struct lh_mcp_call *c, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_mcp *m = c->m;
	struct lh_persons_answer a = { .trace = *c->trace ? c->trace : c->peer->trace,
				       .token = c->peer->token, .who = c->peer->who,
				       .route = c->route };
	const bool says = rec && c->route && lh_persons_attributed(c->route);
	const struct lh_value *v;
	char purpose[64];
	int rc;

	if (!m->how.persons)
		return 0;
	snprintf(purpose, sizeof purpose, "mcp_%s", c->tool->name);
	a.purpose = c->peer->purpose && *c->peer->purpose ? c->peer->purpose : purpose;
	a.asked = (struct lh_str){ c->ask.line.p, c->ask.line.len ? c->ask.line.len - 1 : 0 };
	if (says && (v = lh_record_get(rec, "tables")) && v->type == LH_ARRAY) {
		a.tables = (struct lh_str){ v->p, v->n };
		a.unnamed = lh_record_get(rec, "unnamed");
	}
	if (says && (v = lh_record_get(rec, "persons")) && v->type == LH_ARRAY)
		a.used = (struct lh_str){ v->p, v->n };
	if (rec)
		a.body = c->tool->cuts ? (struct lh_str){ rec->line, rec->len }
				       : (struct lh_str){ m->text.p, m->text.len };
	c->rows.written = on_written;
	rc = start_auditor(m, err);
	if (!rc)
		rc = lh_persons_show(m->how.persons, &c->rows, &a, err);
	c->waits = rc > 0;
	if (rc > 0 && rec)
		lh_buf_add(&c->answer, m->out.p, m->out.len);
	return rc;
}
