/* config.c - the configuration of the bridge.  See routes.h. */
#include "routes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "proc/coproc.h"

#define CONFIG_MAX ((size_t)16 << 20)
#define NO_NUMBER (-1.0)
#define GIB 1073741824.0
#define SQL_PROCESSES 4
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

struct route_members {
	struct lh_str route, off, max_body, token_file;
	struct lh_value max_bytes, members, line;
	const struct lh_str *run, *env;
	size_t n_run, n_env;
	uint64_t pool, depth;
	double timeout;
	bool read, trace, has_right;
	int right;
};

static const struct lh_bind route_table[] = {
	{ LH_BIND_STRING("route", struct route_members, route), .required = true, .filled = true,
	  .no_nul = true, .as_written = LH_BIND_FIELD(struct route_members, line) },
	{ LH_BIND_STRINGS("run", struct route_members, run, n_run), .filled = true },
	{ LH_BIND_STRINGS("env", struct route_members, env, n_env), .each_filled = true },
	{ LH_BIND_STRING("off", struct route_members, off), .filled = true, .no_nul = true },
	{ LH_BIND_U64("pool", struct route_members, pool, 1, 256) },
	{ LH_BIND_U64("depth", struct route_members, depth, 1, 4096) },
	{ LH_BIND_F64("timeout_s", struct route_members, timeout, 0, 86400), .above = true },
	{ LH_BIND_VALUE("max_body", struct route_members, max_bytes,
			LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER)),
	  .what = "number of bytes, or text such as \"4M\"" },
	{ LH_BIND_OBJECT("members", struct route_members, members) },
	{ LH_BIND_BOOL("read", struct route_members, read) },
	{ LH_BIND_BOOL("trace", struct route_members, trace) },
	{ LH_BIND_INDEX("right", struct route_members, right, lh_rights),
	  .given = LH_BIND_FIELD(struct route_members, has_right) },
	{ LH_BIND_STRING("token_file", struct route_members, token_file), .filled = true,
	  .no_nul = true },
	LH_BIND_CLOSED
};

static const struct lh_bind log_table[] = {
	{ LH_BIND_BOOL("public", struct lh_serve_log, is_public) },
	{ LH_BIND_BOOL("entries", struct lh_serve_log, entries) },
	LH_BIND_CLOSED
};

struct token_members {
	struct lh_str name, file, purpose;
	struct lh_value filter;
	const struct lh_str *corpora, *routes;
	size_t n_corpora, n_routes;
	int right;
	bool has_right;
};

/* A name stands in logs, where "token 2" is one without a name. */
static bool is_token_name(const struct lh_value *v, struct lh_str name)
{
	size_t i;

	(void)v;
	for (i = 0; i < name.n; i++)
		if (!name.p[i] || !strchr(NAME_CHARS, name.p[i]))
			return false;
	return name.n > 0;
}

bool lh_is_purpose(struct lh_str text)
{
	size_t i;

	for (i = 0; i < text.n && text.p[i] >= ' ' && text.p[i] <= '~'; i++)
		;
	return text.n && i == text.n && text.n <= LH_PURPOSE_MAX && *text.p != ' ';
}

static bool is_purpose(const struct lh_value *v, struct lh_str text)
{
	(void)v;
	return lh_is_purpose(text);
}

static const struct lh_bind token_table[] = {
	{ LH_BIND_STRING("name", struct token_members, name), .required = true,
	  .longest = LH_TOKEN_NAME, .is = is_token_name,
	  .what = "name of letters, digits, \".\", \"_\" and \"-\"" },
	{ LH_BIND_STRING("token_file", struct token_members, file), .required = true,
	  .filled = true, .no_nul = true },
	{ LH_BIND_INDEX("rights", struct token_members, right, lh_rights),
	  .given = LH_BIND_FIELD(struct token_members, has_right) },
	{ LH_BIND_STRINGS("corpora", struct token_members, corpora, n_corpora), .filled = true },
	{ LH_BIND_OBJECT("filter", struct token_members, filter) },
	{ LH_BIND_STRINGS("routes", struct token_members, routes, n_routes), .filled = true },
	{ LH_BIND_STRING("purpose", struct token_members, purpose), .is = is_purpose,
	  .what = "text of 1 to 63 visible characters of ASCII" },
	LH_BIND_CLOSED
};

struct file_members {
	struct token_members *token;
	size_t n_tokens;
	const struct lh_str *listen, *token_file, *allow, *allow_write, *built_in, *persons,
		*allow_origin, *trusted_proxy, *elsewhere, *may_read;
	size_t n_listen, n_token_file, n_allow, n_allow_write, n_built_in, n_persons,
		n_allow_origin, n_trusted_proxy, n_elsewhere, n_may_read;
	struct lh_str audit_log, audit_anchor;
	bool decisions, decisions_text, forbid_return;
	int audit_sync, audit_required;
	struct lh_str legal_token_file, state, mount, mount_off, tools, access_log, user_header;
	struct lh_value log;
	struct lh_value listen_at, allow_at, mount_at, built_in_at;	/* for their lines */
	bool no_console, warm, confine;
	uint64_t connections, queue;
	double drain;
	struct lh_value state_max;
	struct route_members *route;
	size_t n_routes;
};

const char *const lh_serve_syncs[] = { "each", "batch", "none", NULL };

static const struct lh_bind file_table[] = {
	{ LH_BIND_STRINGS("listen", struct file_members, listen, n_listen), .each_filled = true,
	  .as_written = LH_BIND_FIELD(struct file_members, listen_at) },
	{ LH_BIND_STRINGS("token_file", struct file_members, token_file, n_token_file),
	  .each_filled = true },
	{ LH_BIND_TABLES("tokens", struct file_members, token, n_tokens, token_table) },
	{ LH_BIND_STRINGS("allow", struct file_members, allow, n_allow), .each_filled = true,
	  .as_written = LH_BIND_FIELD(struct file_members, allow_at) },
	{ LH_BIND_STRINGS("allow_write", struct file_members, allow_write, n_allow_write),
	  .each_filled = true },
	{ LH_BIND_STRINGS("allow_origin", struct file_members, allow_origin, n_allow_origin),
	  .each_filled = true },
	{ LH_BIND_STRINGS("trusted_proxy", struct file_members, trusted_proxy, n_trusted_proxy),
	  .each_filled = true },
	{ LH_BIND_STRING("trusted_user_header", struct file_members, user_header),
	  .filled = true, .no_nul = true },
	{ LH_BIND_JSON("tools", struct file_members, tools, LH_BIND_IS(LH_ARRAY)) },
	{ LH_BIND_STRING("legal_token_file", struct file_members, legal_token_file),
	  .filled = true, .no_nul = true },
	{ LH_BIND_STRING("state", struct file_members, state), .filled = true, .no_nul = true },
	{ LH_BIND_STRING("mount", struct file_members, mount), .filled = true, .no_nul = true,
	  .as_written = LH_BIND_FIELD(struct file_members, mount_at) },
	{ LH_BIND_STRING("mount_off", struct file_members, mount_off), .filled = true,
	  .no_nul = true },
	{ LH_BIND_STRING("audit_log", struct file_members, audit_log), .filled = true,
	  .no_nul = true },
	{ LH_BIND_STRING("audit_anchor", struct file_members, audit_anchor), .filled = true,
	  .no_nul = true },
	{ LH_BIND_TRUTH("audit_required", struct file_members, audit_required) },
	{ LH_BIND_BOOL("decisions", struct file_members, decisions) },
	{ LH_BIND_BOOL("decisions_text", struct file_members, decisions_text) },
	{ LH_BIND_INDEX("audit_sync", struct file_members, audit_sync, lh_serve_syncs) },
	{ LH_BIND_STRINGS("persons", struct file_members, persons, n_persons),
	  .each_filled = true },
	{ LH_BIND_OBJECT("tlog", struct file_members, log) },
	{ LH_BIND_STRINGS("elsewhere", struct file_members, elsewhere, n_elsewhere),
	  .each_filled = true },
	{ LH_BIND_BOOL("forbid_return", struct file_members, forbid_return) },
	{ LH_BIND_BOOL("no_console", struct file_members, no_console) },
	{ LH_BIND_BOOL("warm", struct file_members, warm) },
	{ LH_BIND_BOOL("confine", struct file_members, confine) },
	{ LH_BIND_STRINGS("may_read", struct file_members, may_read, n_may_read),
	  .each_filled = true },
	{ LH_BIND_U64("connections", struct file_members, connections, 1, 1000000) },
	{ LH_BIND_U64("queue", struct file_members, queue, 1, 1000000) },
	{ LH_BIND_VALUE("state_max", struct file_members, state_max,
			LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER)),
	  .what = "number of bytes, or text such as \"10G\"" },
	{ LH_BIND_STRING("access_log", struct file_members, access_log), .filled = true,
	  .no_nul = true },
	{ LH_BIND_F64("drain", struct file_members, drain, 0, 86400) },
	{ LH_BIND_TABLES("routes", struct file_members, route, n_routes, route_table) },
	{ LH_BIND_STRINGS("built_in", struct file_members, built_in, n_built_in),
	  .as_written = LH_BIND_FIELD(struct file_members, built_in_at) },
	LH_BIND_CLOSED
};

/* What is being read: for the place of an error. */
struct reading {
	const char *path;
	struct lh_buf text;
	struct lh_err *err;
};

static int wrong(const struct reading *r, const char *at)
{
	return lh_bind_file_error(r->path, r->text.p, at, r->err);
}

/* Copy a text that is there; NULL if it is not. */
static char *copy(struct lh_str s)
{
	return s.p ? lh_strndup(s.p, s.n) : NULL;
}

static int copy_list(char ***to, const struct lh_str *from, size_t n, struct lh_err *err)
{
	size_t i;

	*to = lh_calloc(n + 1, sizeof **to);
	for (i = 0; i < n; i++) {
		if (memchr(from[i].p, '\0', from[i].n))
			return lh_err_set(err, LH_EDATA, "a text holds NUL");
		(*to)[i] = copy(from[i]);
	}
	return 0;
}

/* ---- routes ---- */

bool lh_is_command(const char *name)
{
	char path[4096];

	return lh_coproc_program(name, path, sizeof path);
}

/* Read a number of bytes: a number, or digits and K, M or G. */
static int read_size(const struct lh_value *v, const char *name, double most, uint64_t *to,
		     struct lh_err *err)
{
	char text[32], *end = text;
	double n;

	if (!v->p)
		return 0;
	snprintf(text, sizeof text, "%.*s", (int)(v->type == LH_STRING ? v->n - 2 : v->n),
		 v->p + (v->type == LH_STRING));
	n = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
	if (*end == 'K' || *end == 'M' || *end == 'G')
		n *= *end == 'K' ? 1024 : *end == 'M' ? 1048576 : GIB, end++;
	if (*end || end == text || !(n >= 1 && n <= most) || n != floor(n))
		return lh_err_set(err, LH_EDATA, "\"%s\" must be from 1 to %gG bytes", name,
				  most / GIB);
	*to = (uint64_t)n;
	return 0;
}

/* Take over the names of variables.  None of them is LH_SERVE_TOKEN, which no filter gets. */
static int fill_env(struct lh_route *r, const struct route_members *m, struct lh_err *err)
{
	char **name;

	if (!m->n_env)
		return 0;
	if (copy_list(&r->env, m->env, m->n_env, err) < 0)
		return -1;
	for (name = r->env; *name; name++)
		if (strchr(*name, '=') || !strcmp(*name, "LH_SERVE_TOKEN"))
			return lh_err_set(err, LH_EDATA,
					  "route \"%s\": \"env\": no filter inherits %s", r->route,
					  *name);
	return 0;
}

/* Return whether a command answers SQL, of which one slow statement must not hold up others. */
static bool is_sql(const char *command)
{
	const char *slash = strrchr(command, '/');

	return !strcmp(slash ? slash + 1 : command, "lh-query");
}

static int fill_route(struct lh_route *r, const struct route_members *m, struct lh_err *err)
{
	char *route = copy(m->route);
	int rc = lh_route_parse(r, route, err);

	free(route);
	if (rc)
		return -1;
	r->limits.pool = m->pool;
	r->limits.timeout = m->timeout > 0 ? m->timeout : 30;
	r->limits.body = UINT64_C(4) << 20;
	r->read = m->read;
	r->trace = m->trace;
	r->right = (enum lh_right)m->right;
	r->has_right = m->has_right;
	if (read_size(&m->max_bytes, "max_body", GIB, &r->limits.body, err) < 0)
		return -1;
	r->token_file = m->token_file.n ? copy(m->token_file) : NULL;
	if (!m->n_run == !m->off.n)
		return lh_err_set(err, LH_EDATA, "route \"%s\": either \"run\" or \"off\"",
				  r->route);
	r->off = r->why = m->off.n ? copy(m->off) : NULL;
	if (m->n_run && copy_list(&r->run, m->run, m->n_run, err) < 0)
		return -1;
	if (fill_env(r, m, err) < 0)
		return -1;
	if (m->n_run && !lh_is_command(r->run[0]))
		return lh_err_set(err, LH_EDATA, "route \"%s\": \"run\": there is no command %s",
				  r->route, r->run[0]);
	if (!r->limits.pool)
		r->limits.pool = m->n_run && is_sql(r->run[0]) ? SQL_PROCESSES : 1;
	r->limits.depth = m->depth ? m->depth : m->n_run ? lh_route_depth(r->run[0]) : 1;
	return 0;
}

static int add_route(struct lh_routes *to, const struct route_members *m, struct lh_err *err)
{
	struct lh_route *r;
	size_t i;

	lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
	r = &to->v[to->n++];
	memset(r, 0, sizeof *r);
	if (fill_route(r, m, err) < 0 ||
	    (m->members.p && lh_route_set_members(r, &m->members, err) < 0))
		return -1;
	for (i = 0; i + 1 < to->n; i++)
		if (lh_route_same(&to->v[i], r))
			return lh_err_set(err, LH_EDATA, "route \"%s\" is there twice", r->route);
	return 0;
}

/* ---- the file ---- */

static int check_mount(struct lh_str mount, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < mount.n && !strchr("{}?%", mount.p[i]); i++)
		;
	if (!mount.p || (mount.n > 1 && *mount.p == '/' && mount.p[mount.n - 1] != '/' &&
			 i == mount.n))
		return 0;
	return lh_err_set(err, LH_EDATA, "\"mount\" must be a path such as \"/_go\"");
}

/* "built_in" is what --print-config lists; it changes nothing, and must not pretend to. */
static int check_built_in(const struct file_members *m, struct lh_err *err)
{
	struct lh_routes all = { 0 };
	const struct lh_route *r;
	size_t i;
	int rc = m->n_built_in ? lh_routes_built_in(&all, ".", err) : 0;

	for (i = 0; !rc && i < m->n_built_in; i++) {
		r = lh_routes_named(&all, m->built_in[i]);
		if (!r || (r->run && !lh_route_is_switched(r)))
			rc = lh_err_set(err, LH_EDATA,
					"\"built_in\": the bridge does not answer \"%.*s\"",
					(int)(m->built_in[i].n > 200 ? 200 : m->built_in[i].n),
					m->built_in[i].p);
	}
	lh_routes_free(&all);
	return rc;
}

static bool is_log_name(struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!memchr(NAME_CHARS, s.p[i], sizeof NAME_CHARS - 1))
			return false;
	return s.n && s.n <= LH_NAME_MAX && *s.p != '.';
}

static int take_log(struct lh_serve_config *c, const struct lh_iter *it, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_serve_log *log = &c->log[c->logs];
	struct lh_str name;

	lh_value_str(&it->key, &text, &name);
	if (!is_log_name(name))
		return lh_err_set(err, LH_EDATA, "\"tlog\": a name has 1 to %d of A-Z a-z 0-9 _ . "
				  "-, and does not begin with a full stop", LH_NAME_MAX);
	log->name = copy(name);
	c->logs++;
	return lh_bind_value(log_table, &it->val, log, NULL, err) < 0
		? lh_err_prefix(err, "\"tlog\": %s", log->name) : 0;
}

/* Take what is said of the logs. */
static int take_tlog(struct lh_serve_config *c, const struct file_members *m, struct lh_err *err)
{
	struct lh_iter it;
	size_t n = 0;

	if (!m->log.p)
		return 0;
	for (lh_iter_init(&it, &m->log); lh_iter_next(&it); )
		n++;
	c->log = lh_calloc(n + 1, sizeof *c->log);
	for (lh_iter_init(&it, &m->log); lh_iter_next(&it); )
		if (take_log(c, &it, err) < 0)
			return -1;
	return 0;
}

const struct lh_serve_log *lh_serve_log_named(const struct lh_serve_config *c, struct lh_str name)
{
	size_t i;

	for (i = 0; i < c->logs; i++)
		if (!lh_str_cmp(lh_str_of(c->log[i].name), name))
			return &c->log[i];
	return NULL;
}

/* ---- tokens ---- */

/* Make the scope of a token that does not see everything. */
static int make_scope(struct lh_serve_token *t, const struct token_members *m, struct lh_err *err)
{
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	struct lh_filter *f = lh_filter_new();
	size_t i;
	int rc = m->filter.p ? lh_filter_compile(f, &m->filter, err) : 0;

	lh_filter_free(f);
	lh_write_object(&w, NULL);
	if (t->corpora)
		lh_write_array(&w, "corpora");
	for (i = 0; !rc && i < m->n_corpora; i++) {
		lh_write_str(&w, NULL, m->corpora[i]);
		if (!lh_index_name_valid(m->corpora[i]))
			rc = lh_err_set(err, LH_EDATA, "\"%s\" is not the name of a corpus",
					t->corpora[i]);
	}
	if (t->corpora)
		lh_write_end(&w);
	if (m->filter.p) {
		lh_write_key(&w, "filter");
		i = text.len;
		lh_json_compact(&text, m->filter.p, m->filter.n);
		t->filter = lh_strndup(text.p + i, text.len - i);
	}
	lh_write_end(&w);
	lh_buf_putc(&text, '\0');
	t->scope = text.p;
	return rc;
}

static int take_token(struct lh_serve_token *t, const struct token_members *m, struct lh_err *err)
{
	const bool confined = m->n_corpora || m->filter.p;

	t->name = copy(m->name);
	t->file = copy(m->file);
	t->purpose = m->purpose.n ? copy(m->purpose) : NULL;
	t->right = confined && !m->has_right ? LH_RIGHT_READ : (enum lh_right)m->right;
	if ((m->n_corpora && copy_list(&t->corpora, m->corpora, m->n_corpora, err) < 0) ||
	    (m->n_routes && copy_list(&t->routes, m->routes, m->n_routes, err) < 0))
		return -1;
	if (confined && t->right == LH_RIGHT_ADMIN)
		return lh_err_set(err, LH_EDATA, "one with \"corpora\" or \"filter\" cannot have "
				  "all rights: \"read\" or \"write\"");
	return confined ? make_scope(t, m, err) : 0;
}

static int take_tokens(struct lh_serve_config *c, const struct file_members *m, struct lh_err *err)
{
	size_t i;

	c->token = lh_calloc(m->n_tokens + 1, sizeof *c->token);
	for (i = 0; i < m->n_tokens; i++)
		if (take_token(&c->token[c->tokens++], &m->token[i], err) < 0)
			return lh_err_prefix(err, "\"tokens\": %.*s", (int)m->token[i].name.n,
					     m->token[i].name.p);
	return 0;
}

static bool is_listed(char *const *list, const char *name)
{
	for (; list && *list && strcmp(*list, name) != 0; list++)
		;
	return list && *list;
}

bool lh_token_sees(const struct lh_serve_token *t, const char *corpus)
{
	return !t || !t->corpora || is_listed(t->corpora, corpus);
}

static unsigned level(enum lh_right right)
{
	return right == LH_RIGHT_ADMIN ? LH_RIGHT_WRITE + 1 : right;
}

bool lh_token_may(const struct lh_serve_token *t, const struct lh_route *r)
{
	if (!t || r->open)
		return true;
	return level(t->right) >= level(r->right) &&
	       (!t->routes || is_listed(t->routes, r->route)) &&
	       (!t->scope || r->neutral || r->scoped);
}

/* ---- the members ---- */

static void *own(struct lh_serve_config *c, void *p)
{
	lh_grow(&c->owned, &c->owned_cap, c->n_owned + 1, sizeof *c->owned);
	return c->owned[c->n_owned++] = p;
}

/* Take a text that is there, where no option has given one. */
static void take_text(struct lh_serve_config *c, const char **to, struct lh_str from)
{
	if (!*to && from.p)
		*to = own(c, copy(from));
}

static int take_list(struct lh_serve_config *c, struct lh_list *to, const struct lh_str *from,
		     size_t n, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (memchr(from[i].p, '\0', from[i].n))
			return lh_err_set(err, LH_EDATA, "a text holds NUL");
	if (to->n || !n)
		return 0;
	to->v = own(c, lh_calloc(n, sizeof *to->v));
	for (; to->n < n; to->n++)
		to->v[to->n] = own(c, copy(from[to->n]));
	return 0;
}

static int take_lists(struct lh_serve_config *c, const struct file_members *m, struct lh_err *err)
{
	return take_list(c, &c->listen, m->listen, m->n_listen, err) < 0 ||
	       take_list(c, &c->token_file, m->token_file, m->n_token_file, err) < 0 ||
	       take_list(c, &c->allow, m->allow, m->n_allow, err) < 0 ||
	       take_list(c, &c->allow_write, m->allow_write, m->n_allow_write, err) < 0 ||
	       take_list(c, &c->audit.persons, m->persons, m->n_persons, err) < 0 ||
	       take_list(c, &c->allow_origin, m->allow_origin, m->n_allow_origin, err) < 0 ||
	       take_list(c, &c->trusted_proxy, m->trusted_proxy, m->n_trusted_proxy, err) < 0 ||
	       take_list(c, &c->subject.elsewhere, m->elsewhere, m->n_elsewhere, err) < 0 ||
	       take_list(c, &c->may_read, m->may_read, m->n_may_read, err) < 0 ? -1 : 0;
}

static int take_file(struct lh_serve_config *c, const struct file_members *m, struct lh_err *err)
{
	uint64_t state = 0;

	if (c->audit.required < 0)
		c->audit.required = m->audit_required;
	if (c->audit.sync < 0)
		c->audit.sync = m->audit_sync;
	c->decisions.kept = m->decisions;
	c->decisions.text = m->decisions_text;
	c->subject.forbid_return = m->forbid_return;
	c->no_console |= m->no_console;
	c->warm |= m->warm;
	c->no_confine |= !m->confine;
	c->limits.connections = c->limits.connections ? c->limits.connections : m->connections;
	c->limits.queue = c->limits.queue ? c->limits.queue : m->queue;
	c->limits.drain = c->limits.drain >= 0 ? c->limits.drain : m->drain;
	if (take_tokens(c, m, err) < 0 || take_lists(c, m, err) < 0)
		return -1;
	take_text(c, &c->legal_token_file, m->legal_token_file);
	take_text(c, &c->audit.log, m->audit_log);
	take_text(c, &c->audit.anchor, m->audit_anchor);
	take_text(c, &c->state, m->state);
	take_text(c, &c->tools, m->tools);
	take_text(c, &c->mount, m->mount);
	take_text(c, &c->trusted_user_header, m->user_header);
	take_text(c, &c->access_log, m->access_log);
	take_text(c, &c->mount_off, m->mount_off);
	if (take_tlog(c, m, err) < 0)
		return -1;
	if (read_size(&m->state_max, "state_max", 1048576 * GIB, &state, err) < 0)
		return -1;
	c->limits.state = c->limits.state ? c->limits.state : state;
	return 0;
}

/* Check what is not checked by the tables. */
static int check_file(const struct file_members *m, const struct reading *r)
{
	if (check_mount(m->mount, r->err) < 0)
		return wrong(r, m->mount_at.p);
	return check_built_in(m, r->err) < 0 ? wrong(r, m->built_in_at.p) : 0;
}

static int read_text(struct lh_serve_config *c, struct reading *r, struct lh_record *rec)
{
	struct file_members m = { .drain = NO_NUMBER, .audit_sync = -1,
				  .audit_required = -1, .confine = true };
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	struct lh_value v;
	size_t i;
	int rc;

	if (lh_json_parse(rec, r->text.p, r->text.len, &v, r->err) < 0)
		return wrong(r, NULL);
	rc = lh_bind_file(file_table, &v, r->text.p, &m, &strings, r->err);
	if (rc)
		rc = wrong(r, NULL);
	/* options replace these */
	if (!c->listen.n && m.listen_at.p)
		c->listen_line = lh_bind_line(r->text.p, m.listen_at.p);
	if (!c->allow.n && m.allow_at.p)
		c->allow_line = lh_bind_line(r->text.p, m.allow_at.p);
	if (!rc && take_file(c, &m, r->err) < 0)
		rc = wrong(r, v.p);
	if (!rc)
		rc = check_file(&m, r);
	for (i = 0; !rc && i < m.n_routes; i++)
		if (add_route(&c->routes, &m.route[i], r->err) < 0)
			rc = wrong(r, m.route[i].line.p);
	return rc;
}

int lh_serve_config_read(struct lh_serve_config *c, const char *path, struct lh_err *err)
{
	struct reading r = { .path = path, .err = err };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc;

	lh_buf_init(&r.text, CONFIG_MAX);
	rc = lh_file_read_commands(path, &r.text, err);
	if (rc == 0)
		rc = lh_err_set(err, LH_EIO, "%s: no such file", path);
	else if (rc > 0)
		rc = read_text(c, &r, &rec);
	lh_buf_free(&r.text);
	return rc;
}

void lh_serve_config_free(struct lh_serve_config *c)
{
	while (c->tokens) {
		struct lh_serve_token *t = &c->token[--c->tokens];

		free(t->name);
		free(t->file);
		free(t->purpose);
		free(t->filter);
		free(t->scope);
		lh_argv_free(t->corpora);
		lh_argv_free(t->routes);
	}
	free(c->token);
	while (c->logs)
		free(c->log[--c->logs].name);
	free(c->log);
	while (c->n_owned)
		free(c->owned[--c->n_owned]);
	free(c->owned);
	lh_routes_free(&c->routes);
	memset(c, 0, sizeof *c);
}

/* Keep of a built-in route what a configuration does not say: that it belongs to the audit or
 * is always open, and with the same filter and members that its answers are added up. */
static void inherit(struct lh_route *r, struct lh_route *built_in)
{
	r->audit = built_in->audit;
	r->errors = built_in->errors;
	if (!r->has_right)
		r->right = built_in->right;
	r->open = built_in->kind == LH_ROUTE_HEALTH || built_in->kind == LH_ROUTE_READY;
	r->title = built_in->title;
	built_in->title = NULL;
	r->neutral = built_in->neutral && r->run && built_in->run &&
		     !strcmp(r->run[0], built_in->run[0]);
	if (r->run && built_in->run && !strcmp(r->run[0], built_in->run[0]) && r->members &&
	    built_in->members && !strcmp(r->members, built_in->members))
		r->kind = built_in->kind;
}

/* The use of the cache is that of the filter which embeds, also if that is configured. */
static void share_caches(struct lh_routes *r)
{
	struct lh_route *from = lh_routes_named(r, lh_str_of("POST /v1/embed"));
	struct lh_route *to = lh_routes_named(r, lh_str_of("GET /v1/embed/stats"));

	if (!from || !to || from->built_in || !to->built_in || !from->run)
		return;
	lh_argv_free(to->run);
	to->limits.pool = from->limits.pool;
	to->limits.depth = from->limits.depth;
	to->run = lh_argv_copy(from->run);
	to->env = from->env ? lh_argv_copy(from->env) : NULL;
}

/* Return whether the command of a route may follow the stores that manifests name. */
static bool follows_stores(char *const *run)
{
	const char *slash = strrchr(run[0], '/'), *name = slash ? slash + 1 : run[0];
	size_t i;

	for (i = 1; run[i] && strcmp(run[i], "--") != 0; i++)
		if (!strncmp(run[i], "--store", 7))
			return false;
	return !strcmp(name, "lh-query") ||
	       (!strcmp(name, "lh-catalog") && run[1] && !strcmp(run[1], "requests"));
}

/* Return whether the bridge gives the filter of a route files, and its command lacks --files. */
static bool is_given_files(const struct lh_route *r)
{
	size_t i = 1;

	if (r->kind != LH_ROUTE_PUT && r->kind != LH_ROUTE_GET && r->kind != LH_ROUTE_INGEST)
		return false;
	while (r->run[i] && strcmp(r->run[i], "--files") != 0)
		i++;
	return !r->run[i] && !strncmp(r->run[0], "lh-", 3);
}

/* Insert a word, option and value, before the operands. */
static void add_word(struct lh_route *r, const char *option, const char *value)
{
	size_t n = 0, at = strcmp(r->run[1] ? r->run[1] : "", "requests") ? 1 : 2;
	struct lh_buf word = { 0 };
	char **run;

	while (r->run[n])
		n++;
	lh_buf_printf(&word, "%s%s", option, value);
	lh_buf_putc(&word, '\0');
	run = lh_calloc(n + 2, sizeof *run);
	memcpy(run, r->run, at * sizeof *run);
	run[at] = word.p;
	memcpy(run + at + 1, r->run + at, (n - at) * sizeof *run);
	free(r->run);
	r->run = run;
}

void lh_routes_bind_store(struct lh_routes *r, const char *state)
{
	LH_SCOPED(lh_buf_free) struct lh_buf store = { 0 };
	size_t i;

	lh_buf_printf(&store, "%s/store", state);
	lh_buf_putc(&store, '\0');
	for (i = 0; i < r->n; i++) {
		struct lh_route *route = &r->v[i];

		if (!route->run)
			continue;
		if (follows_stores(route->run))
			add_word(route, "--store=", store.p);
		if (is_given_files(route))
			add_word(route, "--files", "");
	}
}

void lh_routes_replace(struct lh_routes *to, struct lh_routes *from)
{
	size_t i, j;

	for (i = 0; i < from->n; i++) {
		for (j = 0; j < to->n && !lh_route_same(&to->v[j], &from->v[i]); j++)
			;
		if (j == to->n) {
			lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
			memset(&to->v[to->n++], 0, sizeof *to->v);
		} else {
			inherit(&from->v[i], &to->v[j]);
		}
		lh_route_free(&to->v[j]);
		to->v[j] = from->v[i];
		memset(&from->v[i], 0, sizeof *from->v);
	}
	share_caches(to);
}

unsigned lh_route_depth(const char *command)
{
	return strncmp(command, "lh-", 3) || is_sql(command) ? 1 : 32;
}

unsigned lh_route_keys(const char *command)
{
	static const struct {
		const char *name;
		unsigned keys;
	} needs[] = {
		{ "lh-embed", LH_KEYS_OLLAMA | LH_KEYS_OPENAI },
		{ "lh-search", LH_KEYS_OLLAMA | LH_KEYS_OPENAI | LH_KEYS_STORE | LH_KEYS_RERANK },
		{ "lh-rerank", LH_KEYS_RERANK },
		{ "lh-playbook", LH_KEYS_OLLAMA | LH_KEYS_OPENAI },
		{ "lh-index", LH_KEYS_OLLAMA | LH_KEYS_OPENAI | LH_KEYS_STORE },
		{ "lh-cat", LH_KEYS_STORE }, { "lh-ingest", LH_KEYS_STORE },
		{ "lh-query", LH_KEYS_STORE }, { "lh-store", LH_KEYS_STORE },
		{ "lh-chat", LH_KEYS_CHAT }, { "lh-iterate", LH_KEYS_CHAT },
		{ "lh-replay", LH_KEYS_CHAT },
		{ "lh-validate", LH_KEYS_AUDIT }, { "lh-subject-audit", LH_KEYS_AUDIT },
		{ "lh-subject", LH_KEYS_AUDIT | LH_KEYS_STORE },
	};
	const char *slash = strrchr(command, '/'), *name = slash ? slash + 1 : command;
	size_t i;

	for (i = 0; i < sizeof needs / sizeof *needs; i++)
		if (!strcmp(name, needs[i].name))
			return needs[i].keys;
	return strncmp(name, "lh-", 3) ? LH_KEYS_STRANGER : LH_KEYS_NONE;
}
