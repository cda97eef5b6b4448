/* site.c - a configuration in force: routes, pools, tokens, networks; --print-config and --check.
 * See site.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "json/write.h"
#include "proc/coproc.h"
#include "site.h"

#define CONNECTIONS 10000
#define QUEUE 1024
#define DRAIN 30.0
#define FILES "--files"			/* by which a tool lets requests name files */
#define SCRIPT_MAX ((size_t)1 << 20)	/* bytes of a script that are looked at */

/* ---- counts of each route ---- */

/* Upper bounds of the histogram, in seconds. */
const double stats_bound[BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
				     0.25, 0.5, 1, 2.5, 5, 10, 30 };

struct route_stats *stats_of(struct stats *all, const char *route)
{
	struct route_stats *st;

	for (st = all->first; st; st = st->next)
		if (!strcmp(st->route, route))
			return st;
	st = lh_calloc(1, sizeof *st);
	st->route = lh_strndup(route, strlen(route));
	st->next = all->first;
	all->first = st;
	return st;
}

void stats_free(struct stats *all)
{
	struct route_stats *st;

	while ((st = all->first)) {
		all->first = st->next;
		free(st->route);
		free(st);
	}
}

void stats_count(struct route_stats *st, unsigned status, double seconds)
{
	unsigned i;

	for (i = 0; i < BUCKETS && seconds > stats_bound[i]; i++)
		;
	st->bucket[i]++;
	st->requests++;
	st->seconds += seconds;
	st->status[status < STATUSES ? status : 0]++;
}

/* ---- tokens ---- */

/* A route that is not there would be a right that is missed. */
static int check_routes(const struct site *site, const struct lh_serve_token *t,
			struct lh_err *err)
{
	char **route;

	for (route = t->routes; route && *route; route++)
		if (!lh_routes_named(&site->routes, lh_str_of(*route)))
			return lh_err_set(err, LH_EUSAGE, "\"tokens\": %s: there is no route "
					  "\"%s\"", t->name, *route);
	return 0;
}

/* Of two names for one token neither says who asks, nor what may be asked. */
static int check_distinct(const struct tokens *t, struct lh_err *err)
{
	size_t i, k;

	for (i = 0; i < t->n; i++)
		for (k = 0; k < i; k++)
			if ((t->v[i].may || t->v[k].may) &&
			    lh_const_eq(t->v[i].hash, t->v[k].hash, sizeof t->v[i].hash))
				return lh_err_set(err, LH_EUSAGE, "\"tokens\": %s and %s are the "
						  "same token", t->v[k].label, t->v[i].label);
	return 0;
}

static int read_tokens(struct site *site, const char *token, struct lh_err *err)
{
	const struct lh_serve_config *c = &site->config;
	char label[32];
	size_t i;

	for (i = 0; i < c->token_file.n; i++) {
		snprintf(label, sizeof label, "token %zu", i + 1);
		if (tokens_add_file(&site->token, c->token_file.v[i], label, err) < 0)
			return -1;
	}
	for (i = 0; i < c->tokens; i++) {
		if (tokens_add_file(&site->token, c->token[i].file, c->token[i].name, err) < 0 ||
		    check_routes(site, &c->token[i], err) < 0)
			return -1;
		site->token.v[site->token.n - 1].may = &c->token[i];
	}
	if (token && tokens_add(&site->token, token, strlen(token), "environment", err) < 0)
		return lh_err_prefix(err, "LH_SERVE_TOKEN");
	if (check_distinct(&site->token, err) < 0)
		return -1;
	if (site->config.legal_token_file &&
	    tokens_add_file(&site->legal, site->config.legal_token_file, "legal", err) < 0)
		return -1;
	for (i = 0; i < site->routes.n; i++)
		if (site->routes.v[i].token_file &&
		    tokens_add_file(&site->route[i].token, site->routes.v[i].token_file, "route",
				    err) < 0)
			return -1;
	return 0;
}

static int read_networks(struct networks *to, const struct lh_list *cidr, const char *option,
			 struct lh_err *err)
{
	size_t i;

	for (i = 0; i < cidr->n; i++)
		if (networks_add(to, cidr->v[i], err) < 0)
			return lh_err_prefix(err, "%s", option);
	return 0;
}

/* Put "file:line: " before an error about a member, unless an option replaced it. */
static int in_file(const struct settings *set, size_t line, struct lh_err *err)
{
	return line ? lh_err_prefix(err, "%s:%zu", set->config, line) : -1;
}

/* Check that each origin is written as browsers write one. */
static int origins_check(const struct lh_list *all, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const char *origin = all->v[i], *host = after_scheme(lh_str_of(origin), true);

		if (!host || strpbrk(host, "/?#@*,; \t\\") || strlen(origin) > 255)
			return lh_err_set(err, LH_EUSAGE,
					  "\"%.100s\" is not an origin: expected "
					  "http://HOST[:PORT] or https://HOST[:PORT]", origin);
	}
	return 0;
}

static int check_addresses(struct site *site, const struct settings *set, struct lh_err *err)
{
	if (read_networks(&site->allow, &site->config.allow, "--allow", err) < 0)
		return in_file(set, site->config.allow_line, err);
	if (read_networks(&site->trusted, &site->config.trusted_proxy, "--trusted-proxy", err) < 0)
		return -1;
	if (site->config.trusted_user_header && !site->trusted.n)
		return lh_err_set(err, LH_EUSAGE, "--trusted-user-header: no --trusted-proxy "
				  "is named, which would send it");
	if (origins_check(&site->config.allow_origin, err) < 0)
		return lh_err_prefix(err, "--allow-origin");
	if (listen_check(&site->config.listen, NULL, site->token.n, err) < 0)
		return in_file(set, site->config.listen_line, err);
	return 0;
}

static int read_mount(struct site *site, struct lh_err *err)
{
	const char *mount = site->config.mount;

	if (!mount && site->config.mount_off)
		mount = "/_go";
	if (!mount)
		return 0;
	if (*mount != '/' || !mount[1] || mount[strlen(mount) - 1] == '/' ||
	    strpbrk(mount, "{}?%"))
		return lh_err_set(err, LH_EUSAGE, "--mount: \"%s\" is not a path such as /_go",
				  mount);
	return lh_route_path_read(&site->mount, lh_str_of(mount), err);
}

/* Return whether a command, or the script that it is, says that clients may name files. */
static bool says_files(char *const *run)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = SCRIPT_MAX };
	char path[4096];
	struct lh_err unused;
	size_t i;

	for (i = 0; run[i]; i++)
		if (strstr(run[i], FILES))
			return true;
	return lh_coproc_program(run[0], path, sizeof path) &&
	       lh_file_read(path, &text, &unused) == 1 && text.len > 2 &&
	       !memcmp(text.p, "#!", 2) && memmem(text.p, text.len, FILES, sizeof FILES - 1);
}

/* Return whether a word of a command is one of these tools, or has one in it: behind another. */
static bool runs_ours(char *const *run)
{
	for (run++; *run; run++)
		if (strstr(*run, "lh-"))
			return true;
	return false;
}

/* Ask configured commands in front of these tools what they do, so that members which name files
 * are refused there, too; of one that does not say, it is an error that it takes files. */
static int ask_commands(struct site *site, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++) {
		struct lh_route *r = &site->routes.v[i];
		const bool files = r->run && !r->built_in && !r->described && says_files(r->run);

		if (!files && (!r->run || r->built_in || !runs_ours(r->run)))
			continue;
		if (lh_route_ask(r, err) == 0 && (!files || r->operation.p))
			continue;
		if (r->described)
			lh_err_set(err, LH_EUSAGE, "\"%s\": %s does not say which of its "
				   "operations this is", r->route, r->program);
		if (files || err->code != LH_EUSAGE)
			return files ? lh_err_prefix(err, "clients could name any file (" FILES ")")
				     : -1;
		*err = (struct lh_err){ 0 };
	}
	return 0;
}

static int read_routes(struct site *site, struct lh_err *err)
{
	struct lh_routes *all = &site->routes;
	size_t i, n = 0;

	if (lh_routes_built_in(all, site->config.state, err) < 0)
		return -1;
	lh_routes_turn_on(all, &site->config);
	lh_routes_replace(all, &site->config.routes);
	lh_routes_bind_store(all, site->config.state);
	lh_routes_describe(all, described);
	if (ask_commands(site, err) < 0)
		return -1;
	for (i = 0; i < all->n; i++)
		if (site->config.no_console &&
		    (all->v[i].kind == LH_ROUTE_FILE || all->v[i].kind == LH_ROUTE_SESSIONS ||
		     all->v[i].kind == LH_ROUTE_AUDITS))
			lh_route_free(&all->v[i]);
		else
			all->v[n++] = all->v[i];
	all->n = n;
	site->route = lh_calloc(n + 1, sizeof *site->route);
	for (i = 0; i < n; i++) {
		site->route[i].route = &all->v[i];
		if (schema_table(&all->v[i], &site->route[i].body, err) < 0)
			return -1;
	}
	return 0;
}

struct site *site_new(struct lh_tool *tool, const struct settings *set, const char *token,
		      struct lh_err *err)
{
	struct site *site = lh_calloc(1, sizeof *site);
	struct lh_serve_config *c = &site->config;
	size_t i;

	site->tool = tool;
	site->users = 1;
	site->config = set->given;
	if ((set->config && lh_serve_config_read(&site->config, set->config, err) < 0) ||
	    (site->config.tools && lh_mcp_tools_read(&site->tools, set->config, err) < 0)) {
		site_drop(site);
		return NULL;
	}
	c->state = c->state ? c->state : ".";
	c->limits.connections = c->limits.connections ? c->limits.connections : CONNECTIONS;
	c->limits.queue = c->limits.queue ? c->limits.queue : QUEUE;
	c->limits.drain = c->limits.drain >= 0 ? c->limits.drain : DRAIN;
	if (!strncmp(site->config.state, "s3://", 5)) {
		lh_err_set(err, LH_EUSAGE, "--state: %s is not a folder: restore it first, and "
			   "serve that", site->config.state);
		site_drop(site);
		return NULL;
	}
	if (read_mount(site, err) < 0 || read_routes(site, err) < 0 ||
	    read_tokens(site, token, err) < 0 || check_addresses(site, set, err) < 0 ||
	    audit_settle(site, err) < 0) {
		site_drop(site);
		return NULL;
	}
	/* the audit's routes need a token of their own */
	for (i = 0; i < site->routes.n; i++)
		if (site->routes.v[i].audit && !site->legal.n && !site->route[i].token.n &&
		    !site->routes.v[i].off)
			site->routes.v[i].off = "no legal token file is configured; "
						"--legal-token-file turns this on";
	return site;
}

/* ---- start ---- */

static void warn(void *site, const char *text)
{
	lh_tool_warn(((const struct site *)site)->tool, "%s", text);
}

static struct lh_pool *pool_of(void *owner, const struct lh_mcp_tool *t,
			       const struct lh_route *route)
{
	const struct site *site = owner;
	const struct shared_pool *p = route ? site->route[route - site->routes.v].pool
					    : site->tool_pool[t - site->tools.v];

	return p ? p->pool : NULL;
}

static int start_tools(struct site *site, struct pools *pools, struct lh_err *err)
{
	const struct lh_mcp_how mcp = {
		.more = &site->tools,
		.state = site->config.state, .routes = &site->routes, .pool = pool_of,
		.loop = pools->loop, .allow = site->config.allow_write.v,
		.allowed = site->config.allow_write.n, .timeout = LH_MCP_TIMEOUT,
		.version = LH_VERSION, .persons = site->persons, .warn = warn, .owner = site
	};
	size_t i;

	site->tool_pool = lh_calloc(site->tools.n + 1, sizeof(struct shared_pool *));
	for (i = 0; i < site->tools.n; i++) {
		const struct lh_mcp_tool *t = &site->tools.v[i];
		const struct lh_pool_how how = {
			.argv = t->run, .processes = t->pool ? (unsigned)t->pool : 1,
			.depth = t->run ? lh_route_depth(t->run[0]) : 0
		};

		if (!t->run)
			continue;		/* the route's */
		site->tool_pool[i] = pools_take(pools, how, &site->config, NULL, err);
		if (!site->tool_pool[i])
			return lh_err_prefix(err, "tool %s", t->name);
	}
	site->mcp = lh_mcp_new(&mcp, err);
	return site->mcp ? 0 : -1;
}

int site_start(struct site *site, struct pools *pools, struct stats *stats, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++) {
		const struct lh_route *r = &site->routes.v[i];

		site->route[i].stats = stats_of(stats, r->route);
		if (!r->run || r->off)
			continue;
		site->route[i].pool =
			pools_take(pools, (struct lh_pool_how){
					.argv = r->run, .inherit = r->env,
					.processes = (unsigned)r->limits.pool,
					.depth = (unsigned)r->limits.depth }, &site->config, r,
				   err);
		if (!site->route[i].pool)
			return lh_err_prefix(err, "route \"%s\"", r->route);
	}
	return audit_start(site, pools, err) < 0 ? -1 : start_tools(site, pools, err);
}

bool site_first_of_pool(const struct site *site, size_t n)
{
	size_t i;

	for (i = 0; i < n && site->route[i].pool != site->route[n].pool; i++)
		;
	return site->route[n].pool && i == n;
}

void site_say(const struct site *site)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++) {
		const struct lh_route *r = &site->routes.v[i];

		if (r->program)
			lh_tool_message(site->tool, "\"%s\": its command, %s, says that it is %s",
					r->route, r->run[0], r->program);
	}
	audit_say(site);
}

void site_use(struct site *site)
{
	site->users++;
}

/* Drop a use; the last one frees it, and lets pools end that no other site uses. */
void site_drop(struct site *site)
{
	size_t i;

	if (!site || --site->users)
		return;
	lh_mcp_free(site->mcp);
	for (i = 0; site->tool_pool && i < site->tools.n; i++)
		pools_drop(site->tool_pool[i]);
	free(site->tool_pool);
	lh_mcp_tools_free(&site->tools);
	pools_drop(site->auditor);
	audit_free(site);
	for (i = 0; site->route && i < site->routes.n; i++) {
		pools_drop(site->route[i].pool);
		tokens_free(&site->route[i].token);
		lh_bind_free(site->route[i].body);
	}
	tokens_free(&site->token);
	tokens_free(&site->legal);
	networks_free(&site->allow);
	networks_free(&site->trusted);
	lh_route_path_free(&site->mount);
	lh_routes_free(&site->routes);
	lh_serve_config_free(&site->config);
	free(site->route);
	free(site);
}

/* ---- --print-config ---- */

static void print_list(struct lh_writer *w, const char *name, const struct lh_list *list)
{
	size_t i;

	if (!list->n)
		return;
	lh_write_array(w, name);
	for (i = 0; i < list->n; i++)
		lh_write_bytes(w, NULL, list->v[i]);
	lh_write_end(w);
}

static void print_argv(struct lh_writer *w, const char *name, char *const *argv)
{
	struct lh_list list = { (const char **)(uintptr_t)argv, 0 };

	while (argv && argv[list.n])
		list.n++;
	print_list(w, name, &list);
}

static void print_text(struct lh_writer *w, const char *name, const char *text)
{
	if (text)
		lh_write_bytes(w, name, text);
}

static void print_route(struct lh_writer *w, const struct lh_route *r)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "route", r->route);
	if (r->run && !r->off) {
		print_argv(w, "run", r->run);
		print_argv(w, "env", r->env);
		lh_write_u64(w, "pool", r->limits.pool);
		lh_write_u64(w, "depth", r->limits.depth);
		lh_write_f64(w, "timeout_s", r->limits.timeout);
		lh_write_u64(w, "max_body", r->limits.body);
		lh_write_bool(w, "read", r->read);
		lh_write_bool(w, "trace", r->trace);
	}
	if (r->members) {
		lh_write_key(w, "members");
		lh_buf_putc(w->out, '{');
		lh_buf_puts(w->out, r->members);
		lh_buf_putc(w->out, '}');
	}
	print_text(w, "token_file", r->token_file);
	if (r->right != LH_RIGHT_ADMIN)
		lh_write_text(w, "right", lh_rights[r->right]);
	print_text(w, "off", r->off);
	lh_write_end(w);
}

static void print_tlog(struct lh_writer *w, const struct lh_serve_config *c)
{
	size_t i;

	if (!c->logs)
		return;
	lh_write_object(w, "tlog");
	for (i = 0; i < c->logs; i++) {
		lh_write_object(w, c->log[i].name);
		lh_write_bool(w, "public", c->log[i].is_public);
		lh_write_bool(w, "entries", c->log[i].entries);
		lh_write_end(w);
	}
	lh_write_end(w);
}

static bool is_printed(const struct lh_route *r)
{
	return (r->run || r->off) && !lh_route_is_switched(r);
}

/* Print what a configuration file may hold; a route that the bridge answers itself has neither
 * "run" nor "off" and is listed as "built_in", as are those that another member turns on. */
static void print_true(struct lh_writer *w, const char *name, bool value)
{
	if (value)
		lh_write_bool(w, name, true);
}

static void print_tokens(struct lh_writer *w, const struct lh_serve_config *c)
{
	size_t i;

	if (!c->tokens)
		return;
	lh_write_array(w, "tokens");
	for (i = 0; i < c->tokens; i++) {
		const struct lh_serve_token *t = &c->token[i];

		lh_write_object(w, NULL);
		lh_write_text(w, "name", t->name);
		lh_write_bytes(w, "token_file", t->file);
		if (t->right != LH_RIGHT_ADMIN)
			lh_write_text(w, "rights", lh_rights[t->right]);
		print_argv(w, "corpora", t->corpora);
		if (t->filter)
			lh_write_raw(w, "filter", lh_str_of(t->filter));
		print_argv(w, "routes", t->routes);
		print_text(w, "purpose", t->purpose);
		lh_write_end(w);
	}
	lh_write_end(w);
}

int site_print(const struct site *site, struct lh_tool *tool)
{
	const struct lh_serve_config *c = &site->config;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	size_t i;

	lh_write_object(&w, NULL);
	print_list(&w, "listen", &c->listen);
	lh_write_bytes(&w, "state", c->state);
	print_list(&w, "token_file", &c->token_file);
	print_tokens(&w, c);
	print_list(&w, "allow", &c->allow);
	print_list(&w, "allow_write", &c->allow_write);
	print_list(&w, "allow_origin", &c->allow_origin);
	print_list(&w, "trusted_proxy", &c->trusted_proxy);
	print_text(&w, "trusted_user_header", c->trusted_user_header);
	if (c->tools)
		lh_write_raw(&w, "tools", lh_str_of(c->tools));
	print_text(&w, "legal_token_file", c->legal_token_file);
	print_text(&w, "audit_log", c->audit.log);
	print_text(&w, "audit_anchor", c->audit.anchor);
	if (c->audit.required >= 0)
		lh_write_bool(&w, "audit_required", c->audit.required);
	print_true(&w, "decisions", c->decisions.kept);
	print_true(&w, "decisions_text", c->decisions.text);
	if (c->audit.sync >= 0)
		lh_write_text(&w, "audit_sync", lh_serve_syncs[c->audit.sync]);
	print_list(&w, "persons", &c->audit.persons);
	print_list(&w, "elsewhere", &c->subject.elsewhere);
	print_true(&w, "forbid_return", c->subject.forbid_return);
	print_tlog(&w, c);
	print_text(&w, "mount", c->mount);
	print_text(&w, "mount_off", c->mount_off);
	lh_write_bool(&w, "no_console", c->no_console);
	lh_write_bool(&w, "warm", c->warm);
	if (c->no_confine)
		lh_write_bool(&w, "confine", false);
	print_list(&w, "may_read", &c->may_read);
	lh_write_u64(&w, "connections", c->limits.connections);
	lh_write_u64(&w, "queue", c->limits.queue);
	lh_write_f64(&w, "drain", c->limits.drain);
	if (c->limits.state)
		lh_write_u64(&w, "state_max", c->limits.state);
	print_text(&w, "access_log", c->access_log);
	lh_write_array(&w, "routes");
	for (i = 0; i < site->routes.n; i++)
		if (is_printed(&site->routes.v[i]))
			print_route(&w, &site->routes.v[i]);
	lh_write_end(&w);
	lh_write_array(&w, "built_in");
	for (i = 0; i < site->routes.n; i++)
		if (!is_printed(&site->routes.v[i]))
			lh_write_text(&w, NULL, site->routes.v[i].route);
	lh_write_end(&w);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

/* ---- --check: the engine of the routes that embed ---- */

#define WAIT 10.0	/* seconds for the first vector */

/* Judge the answer: a service that is down may come back, a model that it lacks does not. */
static int judge(struct lh_tool *tool, const char *route, struct lh_str said, struct lh_err *err)
{
	const struct lh_value *error;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc;

	rc = lh_record_parse(&rec, said.p, said.n, err);
	error = rc ? NULL : lh_record_get(&rec, "error");
	if (error) {
		lh_coproc_refusal(error, err);
		if (err->code == LH_ENET && !strstr(err->msg, ": HTTP 404"))
			lh_tool_warn(tool, "%s: %s", route, err->msg);
		else
			rc = -1;
	}
	return rc;
}

static int try_engine(struct lh_tool *tool, const struct lh_route *r)
{
	static const char text[] = "{\"texts\":[\"forklift operator\"]}";
	struct lh_coproc c = { .pid = 0 };
	struct lh_err *err = &tool->err, unused;
	struct lh_str said;
	int rc = lh_coproc_start(&c, r->run, lh_route_keys(lh_route_program(r)), err);

	if (rc == 0)
		rc = lh_coproc_ask(&c, text, sizeof text - 1, WAIT, &said, err);
	if (rc == 0) {
		rc = judge(tool, r->route, said, err);
	} else if (err->code == LH_ENET) {
		lh_tool_warn(tool, "%s: %s", r->route, err->msg);
		rc = 0;
	}
	lh_coproc_stop(&c, &unused);
	return rc ? lh_err_prefix(err, "%s", r->route) : 0;
}

int site_try_engine(const struct site *site, struct lh_tool *tool)
{
	const struct lh_route *r = lh_routes_named(&site->routes, lh_str_of("POST /v1/embed"));
	const char *slash = r && r->run ? strrchr(r->run[0], '/') : NULL;

	if (!r || !r->run || r->off || strcmp(slash ? slash + 1 : r->run[0], "lh-embed") != 0)
		return 0;
	return try_engine(tool, r);
}
