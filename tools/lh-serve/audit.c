/* audit.c - the logs of the persons whom answers show, and their rows, before an answer is sent.
 * See site.h, serve.h and persons/persons.h. */
#include <stdio.h>
#include <stdlib.h>

#include "audit/subject.h"
#include "base/mem.h"
#include "serve.h"
#include "site.h"

/* Let the built-in filters that append to the logs, or read them, use the folder that is
 * configured. */
static void move_logs(struct site *site)
{
	size_t i, k;

	for (i = 0; i < site->routes.n; i++) {
		char **run = site->routes.v[i].built_in ? site->routes.v[i].run : NULL;

		for (k = 1; run && run[k]; k++) {
			if (strcmp(run[k], site->audit_default) != 0)
				continue;
			free(run[k]);
			run[k] = lh_strndup(site->audit_log, strlen(site->audit_log));
		}
	}
}

/* Let the filters that judge append to DIR/log/decisions.jsonl, if the configuration says so. */
static int log_decisions(struct site *site, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/log/decisions.jsonl", c->state);

	if (!c->decisions.kept)
		return c->decisions.text ? lh_err_set(err, LH_EUSAGE, "\"decisions_text\": needs "
						      "\"decisions\"") : 0;
	lh_persons_decisions(&site->routes, path, c->decisions.text);
	return 0;
}

/* A state of persons is served without the key of the logs of who looked only if that is asked for:
 * nobody would see that rows are missing. */
static int settle_without(struct site *site, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;

	if (c->audit.log || c->audit.required > 0)
		return lh_err_set(err, LH_EUSAGE, "--audit-%s: no key: name its file by "
				  "LH_SUBJECT_AUDIT_KEY", c->audit.log ? "log" : "required");
	site->unrecorded = lh_persons_in(c->state, &c->audit.persons);
	return !site->unrecorded || !c->audit.required ? 0
		: lh_err_set(err, LH_EUSAGE, "%s holds persons (%s), and no key is named: "
			     "LH_SUBJECT_AUDIT_KEY names its file, or --no-audit-required serves "
			     "them without rows of who looked", c->state, site->unrecorded);
}

void audit_say(const struct site *site)
{
	if (site->unrecorded)
		lh_tool_warn(site->tool, "who looks at persons (%s) is not recorded: "
			     "LH_SUBJECT_AUDIT_KEY names no key", site->unrecorded);
}

/* Check that the key can be read, and is that of the logs. */
static int try_key(const struct site *site, const char *key, struct lh_err *err)
{
	if (lh_persons_try_keys(site->audit_log, &key, 1, err) == 0)
		return 0;
	lh_err_prefix(err, "LH_SUBJECT_AUDIT_KEY");
	if (site->config.audit.required)
		return -1;
	lh_tool_warn(site->tool, "%s", err->msg);
	return 0;
}

/* Set the folder of the logs: by default that of the state, if there is a key. */
int audit_settle(struct site *site, struct lh_err *err)
{
	struct lh_serve_config *c = &site->config;
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");
	struct lh_persons_how how;

	if (log_decisions(site, err) < 0)
		return -1;
	if (!key || !*key)
		return settle_without(site, err);
	c->audit.required = c->audit.required != 0;
	site->audit_default = lh_format("%s/" LH_SUBJECT_DIR, c->state);
	site->audit_log = c->audit.log ? c->audit.log : site->audit_default;
	if (c->audit.log)
		move_logs(site);
	if (try_key(site, key, err) < 0)
		return -1;
	how = (struct lh_persons_how){
		.folder = site->audit_log, .required = c->audit.required,
		.anchor = c->audit.anchor, .corpus = c->audit.persons.v,
		.corpora = c->audit.persons.n, .warn = lh_tool_told,
		.owner = site->tool };
	return lh_persons_filters(&site->routes, &how, err) < 0
		? -1 : lh_mcp_tools_audit(&site->tools, &how, err);
}

int audit_start(struct site *site, struct pools *pools, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;
	struct lh_pool_how pool = { .argv = NULL };

	if (!site->audit_log)
		return 0;
	site->persons = lh_persons_new(&(struct lh_persons_how){
		.folder = site->audit_log, .daemon = "lh-serve",
		.sync = c->audit.sync < 0 ? LH_PERSONS_BATCH
					  : (enum lh_persons_sync)c->audit.sync,
		.state = c->state, .corpus = c->audit.persons.v,
		.corpora = c->audit.persons.n, .required = c->audit.required,
		.text = c->decisions.text, .warn = lh_tool_told, .owner = pools->tool,
		.lost = &pools->rows });
	lh_persons_command(site->persons, &pool);
	site->auditor = pools_take(pools, pool, c, NULL, err);
	if (!site->auditor)
		return lh_err_prefix(err, "audit log");
	lh_persons_use(site->persons, site->auditor->pool);
	return 0;
}

void audit_free(struct site *site)
{
	lh_persons_free(site->persons);
	free(site->audit_default);
	free(site->unrecorded);
}

/* ---- who ---- */

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
