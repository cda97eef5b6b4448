/* built_in.c - the routes that are there without a configuration: share/serve/routes.json, which
 * is compiled in.  See routes.h.
 *
 * A filter is an argument vector, with how many processes it has (without "pool": one for each
 * core), how many requests each takes at one time, and for how long.  A service is waited for, so
 * those that ask one take many at a time; -j is for threads, so it stands where a filter has
 * them.  "{state}" begins the path of a file of the state; "{quiet}", "{roster}" and "{audit}"
 * stand for several words.  A route is answered by a filter or, as "answer" says, by the bridge.
 * "right" is what a token must be allowed, of a route that does not say so all (admin).  A token
 * that does not see every record may ask a route that is "neutral", since it tells of none, and one
 * whose operation takes a scope (lib/filter/scope.h).
 */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "json/bind.h"

#define BODY_MAX (UINT64_C(4) << 20)	/* bytes, where a route does not say */

static const char file[] =
#include "share/serve/routes.json.inc"
	;

#define AUDIT_OFF \
	"no key: LH_SUBJECT_AUDIT_KEY is not set; the name of a file of keys in it turns this on"

/* In the order of enum lh_route_kind. */
static const char *const answers[] = { "filter", "health", "ready", "metrics", "openapi", "cache",
				       "sessions", "audits", "file", "put", "ingest", "get",
				       "mcp", "checkpoint", "tile", NULL };

struct filter {
	struct lh_str name;
	const struct lh_str *run;
	size_t n_run;
	uint64_t pool, depth;
	double timeout;
};

static const struct lh_bind filter_table[] = {
	{ LH_BIND_STRING("name", struct filter, name), .required = true },
	{ LH_BIND_U64("pool", struct filter, pool, 1, 256) },
	{ LH_BIND_U64("depth", struct filter, depth, 1, 4096), .required = true },
	{ LH_BIND_F64("timeout_s", struct filter, timeout, 1, 86400), .required = true },
	{ LH_BIND_STRINGS("run", struct filter, run, n_run), .required = true, .filled = true },
	LH_BIND_CLOSED
};

struct built_in {
	struct lh_str route, filter, off, about;
	struct lh_value members;
	uint64_t max_body;
	enum lh_route_kind kind;
	bool read, trace, audit, neutral;
	int right, errors;
};

const char *const lh_rights[] = { "admin", "read", "write", NULL };

/* In the order of enum lh_route_errors. */
static const char *const services[] = { "ours", "openai", "ollama", NULL };

static const struct lh_bind built_in_table[] = {
	{ LH_BIND_STRING("route", struct built_in, route), .required = true },
	{ LH_BIND_STRING("filter", struct built_in, filter) },
	{ LH_BIND_INDEX("answer", struct built_in, kind, answers) },
	{ LH_BIND_OBJECT("members", struct built_in, members) },
	{ LH_BIND_BOOL("read", struct built_in, read) },
	{ LH_BIND_BOOL("trace", struct built_in, trace) },
	{ LH_BIND_BOOL("audit", struct built_in, audit) },
	{ LH_BIND_INDEX("right", struct built_in, right, lh_rights) },
	{ LH_BIND_BOOL("neutral", struct built_in, neutral) },
	{ LH_BIND_INDEX("errors", struct built_in, errors, services) },
	{ LH_BIND_STRING("off", struct built_in, off) },
	{ LH_BIND_U64("max_body", struct built_in, max_body, 1, INT64_MAX) },
	{ LH_BIND_STRING("about", struct built_in, about), .required = true },
	LH_BIND_CLOSED
};

struct file_members {
	struct filter *filter;
	size_t n_filters;
	struct built_in *route;
	size_t n_routes;
};

static const struct lh_bind file_table[] = {
	{ LH_BIND_TABLES("filters", struct file_members, filter, n_filters, filter_table) },
	{ LH_BIND_TABLES("routes", struct file_members, route, n_routes, built_in_table) },
	LH_BIND_CLOSED
};

/* ---- argv ---- */

struct words {
	struct lh_route *route;
	const char *state;
	size_t n, cap;
};

/* Add a word; "{state}" at its begin is the folder of the state. */
static void add_word(struct words *w, struct lh_str word)
{
	static const char state[] = "{state}";
	const size_t n = sizeof state - 1;
	const size_t skip = word.n >= n && !memcmp(word.p, state, n) ? n : 0;
	struct lh_buf copy = { 0 };

	lh_buf_puts(&copy, skip ? w->state : "");
	lh_buf_add(&copy, word.p + skip, word.n - skip);
	lh_buf_putc(&copy, '\0');
	lh_grow(&w->route->run, &w->cap, w->n + 2, sizeof *w->route->run);
	w->route->run[w->n++] = copy.p;
	w->route->run[w->n] = NULL;
}

/* Add words; NULL ends them. */
static void add_words(struct words *w, const char *const *word)
{
	for (; *word; word++)
		add_word(w, lh_str_of(*word));
}
#define ADD(w, ...) add_words(w, (const char *const[]){ __VA_ARGS__, NULL })

static void add_roster(struct words *w)
{
	const char *roster = getenv("LH_ROSTER");
	char rules[4096];

	ADD(w, "--roster-later", "--roster", "{state}/roster.jsonl");
	if (roster && *roster)
		ADD(w, "--roster", roster);
	ADD(w, "--roster", "{state}/index/workers.lhv");
	if ((size_t)snprintf(rules, sizeof rules, "%s/rules", w->state) < sizeof rules &&
	    access(rules, F_OK) == 0)
		ADD(w, "--rules", "{state}/rules");
}

static bool has_audit_key(void)
{
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");

	return key && *key;
}

static bool is(struct lh_str s, const char *text)
{
	return lh_str_is(s, text, strlen(text));
}

static void add_run(struct lh_route *r, const struct filter *f, const char *state)
{
	struct words w = { .route = r, .state = state };
	size_t i;

	for (i = 0; i < f->n_run; i++) {
		if (is(f->run[i], "{quiet}"))
			ADD(&w, "-q", "--progress", "never", "--on-error", "emit");
		else if (is(f->run[i], "{roster}"))
			add_roster(&w);
		else if (!is(f->run[i], "{audit}"))
			add_word(&w, f->run[i]);
		else if (has_audit_key())
			ADD(&w, "--audit-required", "--audit-log",
			    "{state}/data/_catalog/subjects");
	}
}

/* ---- routes ---- */

static int set_filter(struct lh_route *r, const struct file_members *all, struct lh_str name,
		      const char *state, struct lh_err *err)
{
	const struct filter *f = all->filter, *end = f + all->n_filters;

	while (f < end && !lh_str_is(f->name, name.p, name.n))
		f++;
	if (f == end)
		return lh_err_set(err, LH_EUSAGE, "there is no filter %.*s", (int)name.n, name.p);
	r->limits.pool = f->pool ? f->pool : lh_cpu_cores(64);
	r->limits.depth = f->depth;
	r->limits.timeout = f->timeout;
	add_run(r, f, state);
	return 0;
}

static int fill(struct lh_route *r, const struct file_members *all, const struct built_in *b,
		const char *state, struct lh_err *err)
{
	char *route = lh_strndup(b->route.p, b->route.n);
	int rc = lh_route_parse(r, route, err);

	free(route);
	if (rc || (b->members.p && lh_route_set_members(r, &b->members, err) < 0))
		return -1;
	r->title = lh_strndup(b->about.p, b->about.n);
	r->why = b->off.n ? lh_strndup(b->off.p, b->off.n) : NULL;
	r->kind = b->kind;
	r->read = b->read;
	r->trace = b->trace;
	r->built_in = true;
	r->open = r->kind == LH_ROUTE_HEALTH || r->kind == LH_ROUTE_READY ||
		  (r->kind == LH_ROUTE_FILE && r->pieces.n <= 1);
	r->audit = b->audit;
	r->right = (enum lh_right)b->right;
	r->neutral = b->neutral;
	r->errors = (enum lh_route_errors)b->errors;
	r->limits.body = b->max_body ? b->max_body : BODY_MAX;
	r->off = r->audit && !has_audit_key() ? AUDIT_OFF : r->why;
	return b->filter.n ? set_filter(r, all, b->filter, state, err) : 0;
}

int lh_routes_built_in(struct lh_routes *to, const char *state, struct lh_err *err)
{
	struct file_members all = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_value v;
	size_t i;
	int rc;

	rc = lh_json_parse(&rec, file, sizeof file - 1, &v, err);
	if (!rc)
		rc = lh_bind_file(file_table, &v, file, &all, &strings, err);
	for (i = 0; !rc && i < all.n_routes; i++) {
		lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
		memset(&to->v[to->n], 0, sizeof *to->v);
		rc = fill(&to->v[to->n++], &all, &all.route[i], state, err);
	}
	return rc;
}

bool lh_route_is_switched(const struct lh_route *r)
{
	return r->built_in && r->kind >= LH_ROUTE_CHECKPOINT;
}

void lh_routes_turn_on(struct lh_routes *r, const struct lh_serve_config *c)
{
	size_t i, k;

	for (i = 0; i < r->n && c->logs; i++) {
		if (!lh_route_is_switched(&r->v[i]))
			continue;
		r->v[i].off = NULL;
		r->v[i].open = true;		/* if all logs are public */
		for (k = 0; k < c->logs; k++)
			r->v[i].open &= c->log[k].is_public;
	}
}

struct lh_route *lh_routes_named(const struct lh_routes *r, struct lh_str route)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (is(route, r->v[i].route))
			return &r->v[i];
	return NULL;
}

void lh_routes_free(struct lh_routes *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		lh_route_free(&r->v[i]);
	free(r->v);
	memset(r, 0, sizeof *r);
}

/* The fewest names come first, then a route that does not take the rest of the path. */
static size_t rank(const struct lh_route *r)
{
	return 2 * r->pieces.names + r->pieces.rest;
}

const struct lh_route *lh_routes_find(const struct lh_routes *r, const char *method,
				      const struct lh_route_path *path, size_t skip)
{
	const struct lh_route *best = NULL;
	size_t i;

	for (i = 0; i < r->n; i++)
		if ((!best || rank(&r->v[i]) < rank(best)) && !strcmp(r->v[i].method, method) &&
		    lh_route_fits(&r->v[i], path, skip))
			best = &r->v[i];
	return best;
}
