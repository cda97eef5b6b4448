/* who.c - rows in the audit logs of the persons whom an answer shows, before it is sent.  See
 * serve.h and persons/persons.h. */
#include <stdio.h>
#include <stdlib.h>

#include <lh/subject.h>
#include "base/mem.h"
#include "serve.h"

/* ---- of a site ---- */

static size_t length(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* Let the built-in filters that append to the logs, or read them, use the folder that is
 * configured. */
static int move_logs(struct site *site, struct lh_err *err)
{
	size_t i, k;

	for (i = 0; i < site->routes.n; i++) {
		char **run = site->routes.v[i].built_in ? site->routes.v[i].run : NULL;

		for (k = 1; run && run[k]; k++) {
			if (strcmp(run[k], site->audit_default) != 0)
				continue;
			free(run[k]);
			run[k] = lh_strndup(site->audit_log, strlen(site->audit_log), err);
			if (!run[k])
				return -1;
		}
	}
	return 0;
}

/* Let the filters that judge append to DIR/log/decisions.jsonl, if the configuration says so. */
static int log_decisions(struct site *site, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;
	struct lh_buf path = { 0 };
	int rc;

	if (!c->decisions)
		return c->decisions_text ? lh_err_set(err, LH_EUSAGE, "\"decisions_text\": needs "
						      "\"decisions\"") : 0;
	lh_buf_puts(&path, c->state);
	lh_buf_add(&path, "/log/decisions.jsonl", sizeof "/log/decisions.jsonl");
	rc = lh_buf_check(&path, err);
	if (!rc)
		rc = lh_persons_decisions(&site->routes, path.p, c->decisions_text, err);
	lh_buf_free(&path);
	return rc;
}

/* Set the folder of the logs: by default that of the state, if there is a key. */
int who_settle(struct site *site, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");
	struct lh_buf path = { 0 };

	if (log_decisions(site, err) < 0)
		return -1;
	if (!key || !*key)
		return c->audit_log || c->audit_required
			? lh_err_set(err, LH_EUSAGE, "--audit-%s: no key: name its file by "
				     "LH_SUBJECT_AUDIT_KEY", c->audit_log ? "log" : "required")
			: 0;
	lh_buf_puts(&path, c->state);
	lh_buf_add(&path, "/" LH_SUBJECT_DIR, sizeof "/" LH_SUBJECT_DIR);
	if (lh_buf_check(&path, err) < 0) {
		lh_buf_free(&path);
		return -1;
	}
	site->audit_default = path.p;
	site->audit_log = c->audit_log ? c->audit_log : path.p;
	if (c->audit_log && move_logs(site, err) < 0)
		return -1;
	return lh_persons_filters(&site->routes, &(struct lh_persons_how){
		.folder = site->audit_log, .required = c->audit_required,
		.anchor = c->audit_anchor, .corpus = (const char *const *)c->persons,
		.corpora = length(c->persons) }, err);
}

static void warn(void *tool, const char *text)
{
	lh_tool_warn(tool, "%s", text);
}

int who_start(struct site *site, struct server *s, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;
	struct lh_pool_how pool = { .argv = NULL };

	if (!site->audit_log)
		return 0;
	site->persons = lh_persons_new(&(struct lh_persons_how){
		.folder = site->audit_log, .daemon = "lh-serve",
		.sync = c->audit_sync < 0 ? LH_PERSONS_BATCH
					  : (enum lh_persons_sync)c->audit_sync,
		.state = c->state, .corpus = (const char *const *)c->persons,
		.corpora = length(c->persons), .required = c->audit_required, .warn = warn,
		.owner = s->tool }, err);
	if (!site->persons)
		return -1;
	lh_persons_command(site->persons, &pool);
	site->auditor = site_take_pool(site, s, pool, err);
	if (!site->auditor)
		return lh_err_prefix(err, "audit log");
	lh_persons_use(site->persons, site->auditor->pool);
	return 0;
}

void who_free(struct site *site)
{
	lh_persons_free(site->persons);
	free(site->audit_default);
}

/* ---- of a route ---- */

/* Write the name of a route: its literal pieces, without v1. */
static void name_route(const struct lh_route *r, char to[64])
{
	static const struct {
		const char *name, *is;
	} shorter[] = { { "vectors_index_record", "record" },
			{ "vectors_index_search", "vectors_search" } };
	size_t i, n = 0;

	*to = '\0';
	for (i = 0; i < r->n; i++) {
		const struct lh_str piece = r->piece[i].text;

		if (r->piece[i].name || lh_str_is(piece, "v1", 2) || n + piece.n + 2 > 64)
			continue;
		n += (size_t)snprintf(to + n, 64 - n, "%s%.*s", n ? "_" : "", (int)piece.n,
				      piece.p);
	}
	for (i = 0; i < sizeof shorter / sizeof *shorter; i++)
		if (!strcmp(to, shorter[i].name))
			snprintf(to, 64, "%s", shorter[i].is);
}

/* Return whether the answers of a route are looked at: bytes of objects are not, and the tools
 * of /mcp leave rows of their own. */
static bool is_looked_at(const struct request *r)
{
	if (!r->site || !r->site->persons || !r->route)
		return false;
	switch (r->route->route->kind) {
	case LH_ROUTE_FILTER:
	case LH_ROUTE_SESSIONS:
	case LH_ROUTE_AUDITS:
		return true;
	default:
		return false;
	}
}

/* Set the corpus of the records that name none: the index that was asked. */
static void take_corpus(struct server *s, const struct lh_route *route, const struct lh_buf *line,
			struct lh_buf *text, struct lh_str *corpus)
{
	const struct lh_value *v;
	struct lh_err err;

	if ((!lh_persons_run_by(route, "lh-search") && !lh_persons_run_by(route, "lh-index")) ||
	    !line->len || lh_record_parse(&s->body, line->p, line->len - 1, &err) < 0)
		return;
	v = lh_record_get(&s->body, "index");
	v = v ? v : lh_record_get(&s->body, "name");
	if (v && v->type == LH_STRING)
		lh_value_str(v, text, corpus, &err);
}

/* Append the rows for an answer to the line of a filter: as lh_persons_show. */
static int show(struct request *r, const struct lh_buf *line, struct lh_buf *body,
		struct lh_persons_rows *rows, struct lh_err *err)
{
	const struct lh_route *route = r->route->route;
	struct lh_persons_answer a = { .trace = r->trace };
	struct lh_buf text = { 0 };
	char purpose[64];
	int rc;

	name_route(route, purpose);
	a.purpose = purpose;
	a.unnamed = lh_persons_run_by(route, "lh-query") && lh_persons_cut_unnamed(body);
	a.body = (struct lh_str){ body->p, body->len };
	if (lh_persons_run_by(route, "lh-iterate") && line->len)
		a.used = (struct lh_str){ line->p, line->len - 1 };
	take_corpus(r->server, route, line, &text, &a.corpus);
	rc = lh_persons_show(r->site->persons, rows, &a, err);
	lh_buf_free(&text);
	return rc;
}

/* ---- a request ---- */

static void on_written(struct lh_persons_rows *rows, const char *withheld)
{
	struct request *r = (struct request *)((char *)rows - offsetof(struct request, rows));

	if (withheld)
		answer_error(r, 503, withheld);
	else
		answer(r, r->status);
}

bool who_waits(struct request *r, unsigned status)
{
	struct lh_err err;
	int rc;

	if (r->shown || r->stream || !r->out.len || !is_looked_at(r))
		return false;
	r->shown = true;
	r->status = status;
	r->rows.written = on_written;
	rc = show(r, &r->ask.line, &r->out, &r->rows, &err);
	if (rc < 0)
		answer_error(r, lh_err_status(&err), err.msg);
	return rc;
}

int who_line(struct request *r, const struct lh_buf *line, struct lh_buf *body,
	     struct lh_persons_rows *rows, struct lh_err *err)
{
	return is_looked_at(r) ? show(r, line, body, rows, err) : 0;
}
