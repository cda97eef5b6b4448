/* filter.c - the line for a filter, and what becomes of its answer.  See serve.h. */
#include "serve.h"

void read_answer(const struct lh_record *rec, bool own_status, unsigned *status,
		 struct lh_buf *out)
{
	struct lh_answer a = { .status = 0 };

	lh_answer_read(rec, own_status, &a);
	if (a.status != 204)
		lh_buf_add(out, a.body.p, a.body.n);
	*status = a.status;
	lh_answer_free(&a);
}

/* Write the fields of the header that are members of the line: those of one name are one list. */
static void write_fields(const struct request *r, struct lh_writer *w)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	const struct lh_route_field *f;
	struct http_field had;

	for (f = lh_route_fields; f->name; f++) {
		if (!http_field(&r->http, f->name) || !lh_route_takes(r->route->route, f->member))
			continue;
		lh_buf_reset(&text);
		for (had = (struct http_field){ 0 }; http_next(&r->http, &had); )
			if (!strcasecmp(had.name, f->name))
				lh_buf_printf(&text, "%s%s", text.len ? ", " : "", had.value);
		lh_write_str(w, f->member, (struct lh_str){ text.p, text.len });
	}
}

int make_line(struct request *r, struct lh_str body, bool empty, struct lh_buf *line,
	      struct lh_err *err)
{
	struct lh_record *rec = body.n ? &r->server->body : NULL;
	struct lh_buf *members = &r->server->members;
	const struct lh_value *stream;
	struct lh_writer w;
	int rc;

	lh_buf_reset(members);
	rc = lh_route_members(r->route->route, &r->path, r->skip, members, err);
	if (!rc && !rec && !empty)
		rc = lh_err_set(err, LH_EDATA, "the body is empty: expected a JSON object");
	if (!rc && rec)
		rc = lh_record_parse(rec, body.p, body.n, err);
	stream = rc || !rec ? NULL : lh_record_get(rec, "stream");
	if (stream && stream->type == LH_TRUE && r->route->route->operation.p &&
	    !lh_route_takes(r->route->route, "stream"))
		rc = lh_err_set(err, LH_EDATA, "\"stream\": there is no stream of this route");
	if (!rc)
		rc = lh_route_refuse_paths(r->route->route, &r->path, rec, err);
	if (rc)
		return -1;
	r->own_status = rec && lh_body_has_status(rec);
	w = (struct lh_writer){ .out = members, .comma = members->len > 0 };
	/* the request id, unless the body or the route has one */
	if (r->route->route->trace && (!rec || !lh_record_get(rec, "trace_id")) &&
	    !lh_route_gives(r->route->route, lh_str_of("trace_id")) &&
	    !lh_route_arg(&r->path, "trace_id").p)
		lh_write_text(&w, "trace_id", r->trace);
	if (r->site->persons)
		lh_persons_token(r->route->route, *r->who ? r->who : r->token, &w);
	if (r->as && r->as->may && r->as->may->scope && lh_route_takes(r->route->route, "scope"))
		lh_write_raw(&w, "scope", lh_str_of(r->as->may->scope));
	spool_members(r, &w);
	write_fields(r, &w);
	if (lh_repack(rec, (struct lh_str){ members->p, members->len }, line, err) < 0)
		return -1;
	/* a member that is required may be in the query: then the filter checks the line */
	if (rec && r->route->body && !r->path.args &&
	    lh_bind_check_record(r->route->body, rec, err) < 0) {
		err->status = 0;	/* 400, also of a text that is too long */
		return -1;
	}
	lh_buf_putc(line, '\n');
	return 0;
}

/* Write the answer as server-sent events, if it is of such. */
static bool write_events(struct request *r, const struct lh_record *rec)
{
	const struct lh_value *all = r->route->route->errors == LH_ERRORS_OPENAI
				     ? lh_record_get(rec, "events") : NULL;
	struct lh_buf *to = &r->reply.body;
	struct lh_iter it;

	if (!all || all->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, all); lh_iter_next(&it); ) {
		lh_buf_puts(to, "data: ");
		lh_buf_add(to, it.val.p, it.val.n);
		lh_buf_puts(to, "\n\n");
	}
	lh_buf_puts(to, "data: [DONE]\n\n");
	r->reply.type = "text/event-stream";
	return true;
}

static void on_answer(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct request *r = (struct request *)((char *)a - offsetof(struct request, ask));
	unsigned status;

	take_times(r, a->asked, a->sent);
	if (how != LH_ASKED_ANSWERED)
		answer_asked(r, how);
	else if (r->route->route->kind == LH_ROUTE_GET && !lh_record_get(rec, "error"))
		object_answer(r, rec);
	else if (write_events(r, rec))
		answer(r, 200);
	else {
		read_answer(rec, r->own_status, &status, &r->reply.body);
		answer_stored(r, rec, status);
	}
}

void ask_filter(struct request *r)
{
	struct lh_err err;
	bool empty = r->spool || is_method(r, "GET") || is_method(r, "HEAD") ||
		     is_method(r, "DELETE");

	if (make_line(r, (struct lh_str){ r->body.text.p, r->body.text.len }, empty, &r->ask.line,
		      &err) < 0 || who_refuses(r, &err) < 0) {
		lh_buf_reset(&r->ask.line);	/* no filter was asked, so nothing was used */
		answer_error(r, lh_err_status(&err), err.msg);
		return;
	}
	r->ask.timeout = r->route->route->limits.timeout;
	r->ask.read = r->route->route->read;
	r->ask.client = r->peer;
	r->ask.answered = on_answer;
	if (lh_pool_ask(r->route->pool->pool, &r->ask) == 0)
		return;
	lh_buf_reset(&r->ask.line);
	answer_asked(r, LH_ASKED_REFUSED);
}
