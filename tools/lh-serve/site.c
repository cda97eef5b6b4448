/* site.c - a configuration in force: routes, pools, tokens, networks.  See serve.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/write.h"
#include "proc/coproc.h"
#include "serve.h"

#define CONNECTIONS 10000
#define QUEUE 1024
#define DRAIN 30.0

/* ---- the command line before the file before the defaults ---- */

static int replace_text(char **to, const char *by, const char *otherwise, struct lh_err *err)
{
	const char *text = by ? by : *to ? NULL : otherwise;

	if (!text)
		return 0;
	free(*to);
	*to = lh_strndup(text, strlen(text), err);
	return *to ? 0 : -1;
}

static int replace_list(char ***to, const struct lh_list *by, struct lh_err *err)
{
	size_t i;

	if (!by->n)
		return 0;
	lh_argv_free(*to);
	*to = lh_calloc(by->n + 1, sizeof **to, err);
	for (i = 0; *to && i < by->n; i++) {
		(*to)[i] = lh_strndup(by->v[i], strlen(by->v[i]), err);
		if (!(*to)[i])
			return -1;
	}
	return *to ? 0 : -1;
}

static int merge_settings(struct lh_serve_config *c, const struct settings *set,
			  struct lh_err *err)
{
	if (replace_list(&c->listen, &set->listen, err) < 0 ||
	    replace_list(&c->token_file, &set->token_file, err) < 0 ||
	    replace_list(&c->allow, &set->allow, err) < 0 ||
	    replace_list(&c->allow_write, &set->allow_write, err) < 0 ||
	    replace_list(&c->allow_origin, &set->allow_origin, err) < 0 ||
	    replace_list(&c->trusted_proxy, &set->trusted_proxy, err) < 0 ||
	    replace_text(&c->legal_token_file, set->legal_token_file, NULL, err) < 0 ||
	    replace_text(&c->state, set->state, ".", err) < 0 ||
	    replace_text(&c->audit_log, set->audit_log, NULL, err) < 0 ||
	    replace_list(&c->persons, &set->persons, err) < 0 ||
	    replace_text(&c->mount, set->mount, NULL, err) < 0 ||
	    replace_text(&c->access_log, set->access_log, NULL, err) < 0)
		return -1;
	c->audit_required |= set->audit_required;
	c->audit_sync = set->audit_sync >= 0 ? set->audit_sync : c->audit_sync;
	c->no_console |= set->no_console;
	c->warm |= set->warm;
	c->connections = set->connections ? set->connections : c->connections;
	c->queue = set->queue ? set->queue : c->queue;
	c->state_max = set->state_max ? set->state_max : c->state_max;
	c->drain = set->drain >= 0 ? set->drain : c->drain;
	c->connections = c->connections ? c->connections : CONNECTIONS;
	c->queue = c->queue ? c->queue : QUEUE;
	c->drain = c->drain >= 0 ? c->drain : DRAIN;
	return 0;
}

/* ---- tokens ---- */

static int read_tokens(struct site *site, const char *token, struct lh_err *err)
{
	char **file = site->config.token_file;
	char label[32];
	size_t i;

	for (i = 0; file && file[i]; i++) {
		snprintf(label, sizeof label, i ? "token %zu" : "primary", i + 1);
		if (tokens_add_file(&site->token, file[i], label, err) < 0)
			return -1;
	}
	if (token && tokens_add(&site->token, token, strlen(token), "environment", err) < 0)
		return lh_err_prefix(err, "LH_SERVE_TOKEN");
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

static int read_networks(struct networks *to, char *const *cidr, const char *option,
			 struct lh_err *err)
{
	for (; cidr && *cidr; cidr++)
		if (networks_add(to, *cidr, err) < 0)
			return lh_err_prefix(err, "%s", option);
	return 0;
}

/* Put "file:line: " before an error about a member, unless an option replaced it. */
static int in_file(const struct settings *set, const struct lh_list *option, size_t line,
		   struct lh_err *err)
{
	return line && !option->n ? lh_err_prefix(err, "%s:%zu", set->config, line) : -1;
}

static int check_addresses(struct site *site, const struct settings *set, struct lh_err *err)
{
	if (read_networks(&site->allow, site->config.allow, "--allow", err) < 0)
		return in_file(set, &set->allow, site->config.allow_line, err);
	if (read_networks(&site->trusted, site->config.trusted_proxy, "--trusted-proxy", err) < 0)
		return -1;
	if (origins_check(site->config.allow_origin, err) < 0)
		return lh_err_prefix(err, "--allow-origin");
	if (listen_check(site, NULL, err) < 0)
		return in_file(set, &set->listen, site->config.listen_line, err);
	return 0;
}

/* The audit's routes need a token of their own. */
static void close_audit(struct site *site)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++)
		if (site->routes.v[i].audit && !site->legal.n && !site->route[i].token.n &&
		    !site->routes.v[i].off)
			site->routes.v[i].off = "no legal token file is configured";
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

/* Remove the routes of the console. */
static void without_console(struct lh_routes *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->n; i++)
		if (r->v[i].kind == LH_ROUTE_FILE || r->v[i].kind == LH_ROUTE_SESSIONS ||
		    r->v[i].kind == LH_ROUTE_AUDITS)
			lh_route_free(&r->v[i]);
		else
			r->v[n++] = r->v[i];
	r->n = n;
}

static int read_routes(struct site *site, struct lh_err *err)
{
	size_t i;

	if (lh_routes_built_in(&site->routes, site->config.state, err) < 0 ||
	    lh_routes_replace(&site->routes, &site->config.routes, err) < 0 ||
	    lh_routes_bind_store(&site->routes, site->config.state, err) < 0)
		return -1;
	if (site->config.no_console)
		without_console(&site->routes);
	site->route = lh_calloc(site->routes.n + 1, sizeof *site->route, err);
	for (i = 0; site->route && i < site->routes.n; i++)
		site->route[i].route = &site->routes.v[i];
	return site->route ? 0 : -1;
}

struct site *site_new(const struct settings *set, const char *token, struct lh_err *err)
{
	struct site *site = lh_calloc(1, sizeof *site, err);

	if (!site)
		return NULL;
	site->users = 1;
	site->config.drain = -1;
	site->config.audit_sync = -1;
	if ((set->config && lh_serve_config_read(&site->config, set->config, err) < 0) ||
	    (site->config.tools && lh_mcp_tools_read(&site->tools, set->config, err) < 0) ||
	    merge_settings(&site->config, set, err) < 0 || read_mount(site, err) < 0 ||
	    read_routes(site, err) < 0 || read_tokens(site, token, err) < 0 ||
	    check_addresses(site, set, err) < 0 || who_settle(site, err) < 0) {
		site_drop(site, NULL);
		return NULL;
	}
	close_audit(site);
	return site;
}

/* ---- pools ---- */

static void ended(void *tool, const char *text)
{
	lh_tool_warn(tool, "%s", text);
}

static struct shared_pool *start_pool(struct server *s, const struct lh_pool_how *how,
				      struct lh_err *err)
{
	struct shared_pool *p = lh_calloc(1, sizeof *p, err);

	if (p && lh_grow(&s->pool, &s->cap_pools, s->pools + 1, sizeof *s->pool, err) == 0)
		p->pool = lh_pool_new(how, err);
	if (p && p->pool)
		return s->pool[s->pools++] = p;
	free(p);
	return NULL;
}

struct shared_pool *site_take_pool(const struct site *site, struct server *s,
				   struct lh_pool_how how, struct lh_err *err)
{
	struct shared_pool *p = NULL;
	size_t i;

	how.keys = lh_route_keys(how.argv[0]);
	if (!how.queue)
		how.queue = (unsigned)site->config.queue;
	how.lazy = !site->config.warm;
	how.loop = &s->loop;
	how.ended = ended;
	how.owner = s->tool;
	for (i = 0; i < s->pools && !p; i++)
		if (!s->pool[i]->retired && lh_pool_is(s->pool[i]->pool, &how))
			p = s->pool[i];
	if (!p)
		p = start_pool(s, &how, err);
	if (p && site->config.warm)
		lh_pool_warm(p->pool);
	if (p)
		p->sites++;
	return p;
}

static void drop_pool(struct shared_pool *p)
{
	if (--p->sites)
		return;
	p->retired = true;
	lh_pool_retire(p->pool);
}

static int start_tools(struct site *site, struct server *s, struct lh_err *err)
{
	size_t i;

	site->tool_pool = lh_calloc(site->tools.n + 1, sizeof(struct shared_pool *), err);
	if (!site->tool_pool)
		return -1;
	for (i = 0; i < site->tools.n; i++) {
		const struct lh_mcp_tool *t = &site->tools.v[i];
		const struct lh_pool_how how = {
			.argv = t->run, .processes = t->pool ? (unsigned)t->pool : 1,
			.depth = lh_route_depth(t->run[0])
		};

		site->tool_pool[i] = site_take_pool(site, s, how, err);
		if (!site->tool_pool[i])
			return lh_err_prefix(err, "tool %s", t->name);
	}
	return mcp_start(site, s, err);
}

struct shared_pool *site_tool_pool(const struct site *site, const struct lh_mcp_tool *t)
{
	return site->tool_pool[t - site->tools.v];
}

int site_start(struct site *site, struct server *s, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++) {
		const struct lh_route *r = &site->routes.v[i];
		struct shared_pool *p;

		site->route[i].stats = stats_of(s, r->route, err);
		if (!site->route[i].stats)
			return -1;
		if (!r->run || r->off)
			continue;
		p = site_take_pool(site, s,
				   (struct lh_pool_how){ .argv = r->run, .inherit = r->env,
							 .processes = (unsigned)r->pool,
							 .depth = (unsigned)r->depth }, err);
		if (!p)
			return lh_err_prefix(err, "route \"%s\"", r->route);
		site->route[i].pool = p;
	}
	return who_start(site, s, err) < 0 ? -1 : start_tools(site, s, err);
}

bool site_first_of_pool(const struct site *site, size_t n)
{
	size_t i;

	for (i = 0; i < n && site->route[i].pool != site->route[n].pool; i++)
		;
	return site->route[n].pool && i == n;
}

void site_forget_pools(struct site *site)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++)
		site->route[i].pool = NULL;
	free(site->tool_pool);
	site->tool_pool = NULL;
	site->auditor = NULL;
}

void site_use(struct site *site)
{
	site->users++;
}

/* Drop a use; the last one frees it, and lets pools end that no other site uses. */
void site_drop(struct site *site, struct server *s)
{
	size_t i;

	if (!site || --site->users)
		return;
	lh_mcp_free(site->mcp);
	for (i = 0; site->tool_pool && s && i < site->tools.n; i++)
		if (site->tool_pool[i])
			drop_pool(site->tool_pool[i]);
	free(site->tool_pool);
	lh_mcp_tools_free(&site->tools);
	if (site->auditor && s)
		drop_pool(site->auditor);
	who_free(site);
	for (i = 0; site->route && i < site->routes.n; i++) {
		if (site->route[i].pool && s)
			drop_pool(site->route[i].pool);
		tokens_free(&site->route[i].token);
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

static void print_list(struct lh_writer *w, const char *name, char *const *list)
{
	if (!list || !*list)
		return;
	lh_write_array(w, name);
	for (; *list; list++)
		lh_write_bytes(w, NULL, *list);
	lh_write_end(w);
}

static void print_route(struct lh_writer *w, const struct lh_route *r)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "route", r->route);
	if (r->run && !r->off) {
		print_list(w, "run", r->run);
		print_list(w, "env", r->env);
		lh_write_u64(w, "pool", r->pool);
		lh_write_u64(w, "depth", r->depth);
		lh_write_f64(w, "timeout_s", r->timeout);
		lh_write_u64(w, "max_body", r->max_body);
		lh_write_bool(w, "read", r->read);
		lh_write_bool(w, "trace", r->trace);
	}
	if (r->members) {
		lh_write_key(w, "members");
		lh_buf_putc(w->out, '{');
		lh_buf_puts(w->out, r->members);
		lh_buf_putc(w->out, '}');
	}
	if (r->token_file)
		lh_write_bytes(w, "token_file", r->token_file);
	if (r->off)
		lh_write_text(w, "off", r->off);
	lh_write_end(w);
}

/* Print what a configuration file may hold; a route that the bridge answers itself has neither
 * "run" nor "off" and is listed as "built_in". */
int site_print(const struct site *site, struct lh_tool *tool)
{
	const struct lh_serve_config *c = &site->config;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	size_t i;

	lh_write_object(&w, NULL);
	print_list(&w, "listen", c->listen);
	lh_write_bytes(&w, "state", c->state);
	print_list(&w, "token_file", c->token_file);
	print_list(&w, "allow", c->allow);
	print_list(&w, "allow_write", c->allow_write);
	print_list(&w, "allow_origin", c->allow_origin);
	print_list(&w, "trusted_proxy", c->trusted_proxy);
	if (c->tools)
		lh_write_raw(&w, "tools", lh_str_of(c->tools));
	if (c->legal_token_file)
		lh_write_bytes(&w, "legal_token_file", c->legal_token_file);
	if (c->audit_log)
		lh_write_bytes(&w, "audit_log", c->audit_log);
	if (c->audit_anchor)
		lh_write_bytes(&w, "audit_anchor", c->audit_anchor);
	if (c->audit_required)
		lh_write_bool(&w, "audit_required", true);
	if (c->decisions)
		lh_write_bool(&w, "decisions", true);
	if (c->decisions_text)
		lh_write_bool(&w, "decisions_text", true);
	if (c->audit_sync >= 0)
		lh_write_text(&w, "audit_sync", lh_serve_syncs[c->audit_sync]);
	print_list(&w, "persons", c->persons);
	if (c->mount)
		lh_write_bytes(&w, "mount", c->mount);
	if (c->mount_off)
		lh_write_text(&w, "mount_off", c->mount_off);
	lh_write_bool(&w, "no_console", c->no_console);
	lh_write_bool(&w, "warm", c->warm);
	lh_write_u64(&w, "connections", c->connections);
	lh_write_u64(&w, "queue", c->queue);
	lh_write_f64(&w, "drain", c->drain);
	if (c->state_max)
		lh_write_u64(&w, "state_max", c->state_max);
	if (c->access_log)
		lh_write_bytes(&w, "access_log", c->access_log);
	lh_write_array(&w, "routes");
	for (i = 0; i < site->routes.n; i++)
		if (site->routes.v[i].run || site->routes.v[i].off)
			print_route(&w, &site->routes.v[i]);
	lh_write_end(&w);
	lh_write_array(&w, "built_in");
	for (i = 0; i < site->routes.n; i++)
		if (!site->routes.v[i].run && !site->routes.v[i].off)
			lh_write_text(&w, NULL, site->routes.v[i].route);
	lh_write_end(&w);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}
