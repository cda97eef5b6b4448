/* print.c - lh-serve --print-config.  See site.h. */
#include "json/write.h"
#include "site.h"

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
	if (r->token_file)
		lh_write_bytes(w, "token_file", r->token_file);
	if (r->right != LH_RIGHT_ADMIN)
		lh_write_text(w, "right", lh_rights[r->right]);
	if (r->off)
		lh_write_text(w, "off", r->off);
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
		print_list(w, "corpora", t->corpora);
		if (t->filter)
			lh_write_raw(w, "filter", lh_str_of(t->filter));
		print_list(w, "routes", t->routes);
		if (t->purpose)
			lh_write_text(w, "purpose", t->purpose);
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
	print_list(&w, "listen", c->listen);
	lh_write_bytes(&w, "state", c->state);
	print_list(&w, "token_file", c->token_file);
	print_tokens(&w, c);
	print_list(&w, "allow", c->allow);
	print_list(&w, "allow_write", c->allow_write);
	print_list(&w, "allow_origin", c->allow_origin);
	print_list(&w, "trusted_proxy", c->trusted_proxy);
	if (c->trusted_user_header)
		lh_write_bytes(&w, "trusted_user_header", c->trusted_user_header);
	if (c->tools)
		lh_write_raw(&w, "tools", lh_str_of(c->tools));
	if (c->legal_token_file)
		lh_write_bytes(&w, "legal_token_file", c->legal_token_file);
	if (c->audit.log)
		lh_write_bytes(&w, "audit_log", c->audit.log);
	if (c->audit.anchor)
		lh_write_bytes(&w, "audit_anchor", c->audit.anchor);
	if (c->audit.required >= 0)
		lh_write_bool(&w, "audit_required", c->audit.required);
	print_true(&w, "decisions", c->decisions.kept);
	print_true(&w, "decisions_text", c->decisions.text);
	if (c->audit.sync >= 0)
		lh_write_text(&w, "audit_sync", lh_serve_syncs[c->audit.sync]);
	print_list(&w, "persons", c->audit.persons);
	print_list(&w, "elsewhere", c->subject.elsewhere);
	print_true(&w, "forbid_return", c->subject.forbid_return);
	print_tlog(&w, c);
	if (c->mount)
		lh_write_bytes(&w, "mount", c->mount);
	if (c->mount_off)
		lh_write_text(&w, "mount_off", c->mount_off);
	lh_write_bool(&w, "no_console", c->no_console);
	lh_write_bool(&w, "warm", c->warm);
	if (c->no_confine)
		lh_write_bool(&w, "confine", false);
	print_list(&w, "may_read", c->may_read);
	lh_write_u64(&w, "connections", c->limits.connections);
	lh_write_u64(&w, "queue", c->limits.queue);
	lh_write_f64(&w, "drain", c->limits.drain);
	if (c->limits.state)
		lh_write_u64(&w, "state_max", c->limits.state);
	if (c->access_log)
		lh_write_bytes(&w, "access_log", c->access_log);
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
