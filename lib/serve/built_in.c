/* built_in.c - the routes that are there without a configuration.  See routes.h. */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "json/write.h"

enum filter {
	NONE, EMBED, EMBED_UNIT, SEARCH, RETRIEVE, INDEX, RELEVANCE, GATE, PLAYBOOK, VALIDATE,
	ITERATE, CHAT, PATHWAY, AUDIT, CATALOG, STORE, INGEST, SQL, TRACED, OBSERVE, WORKFLOW,
	FILTERS
};

#define BODY_MAX (UINT64_C(4) << 20)	/* bytes, unless the body goes to a file */
#define FILE_MAX (UINT64_C(256) << 20)

#define READ true
#define WRITE false
#define TRACE true
#define OP(name) LH_JSON({"op":#name})

static const struct built_in {
	const char *route;
	enum filter filter;
	enum lh_route_kind kind;
	const char *members;
	bool read, trace;
	const char *title;
} table[] = {
	{ "GET /health", NONE, LH_ROUTE_HEALTH, NULL, READ, false, "whether it serves" },
	{ "GET /ready", NONE, LH_ROUTE_READY, NULL, READ, false, "whether it takes requests" },
	{ "GET /metrics", NONE, LH_ROUTE_METRICS, NULL, READ, false, "counts for Prometheus" },
	{ "GET /openapi.json", NONE, LH_ROUTE_OPENAPI, NULL, READ, false, "the routes" },
	{ "GET /", NONE, LH_ROUTE_FILE, NULL, READ, false, "the console" },
	{ "GET /console.css", NONE, LH_ROUTE_FILE, NULL, READ, false, "its style" },
	{ "GET /console.js", NONE, LH_ROUTE_FILE, NULL, READ, false, "its program" },
	{ "GET /console/sessions", NONE, LH_ROUTE_SESSIONS, NULL, READ, false, "newest sessions" },
	{ "GET /console/audit", NONE, LH_ROUTE_AUDITS, NULL, READ, false, "newest audits" },
	{ "POST /mcp", NONE, LH_ROUTE_MCP, NULL, WRITE, false, "the tools, for models" },
	{ "POST /v1/embed", EMBED, 0, NULL, READ, TRACE, "vectors of texts" },
	{ "GET /v1/embed/stats", EMBED, LH_ROUTE_CACHE, OP(stats), READ, false,
	  "use of the cache of vectors" },
	{ "POST /ai/embed", EMBED_UNIT, 0, NULL, READ, TRACE, "unit vectors of texts" },
	{ "POST /v1/matrix/search", SEARCH, 0, NULL, READ, TRACE, "search several corpora" },
	{ "POST /v1/matrix/retrieve", RETRIEVE, 0, NULL, READ, TRACE,
	  "search by words and vectors" },
	{ "GET /v1/matrix/corpora", INDEX, 0, OP(corpora), READ, false, "the corpora" },
	{ "POST /v1/matrix/relevance", RELEVANCE, 0, NULL, READ, false,
	  "score chunks for a file" },
	{ "POST /v1/matrix/downgrade", GATE, 0, NULL, READ, false, "choose a mode by the model" },
	{ "POST /v1/matrix/playbooks/record", PLAYBOOK, 0, OP(record), WRITE, TRACE,
	  "record a good answer" },
	{ "POST /v1/matrix/playbooks/bulk", PLAYBOOK, 0, OP(bulk), WRITE, TRACE,
	  "record good answers" },
	{ "POST /v1/vectors/index", INDEX, 0, OP(create), WRITE, false, "make an index" },
	{ "GET /v1/vectors/index", INDEX, 0, OP(list), READ, false, "the indexes" },
	{ "GET /v1/vectors/index/{name}", INDEX, 0, OP(get), READ, false, "one index" },
	{ "DELETE /v1/vectors/index/{name}", INDEX, 0, OP(delete), WRITE, false,
	  "delete an index" },
	{ "POST /v1/vectors/index/{name}/add", INDEX, 0, OP(add), WRITE, false, "add vectors" },
	{ "GET /v1/vectors/index/{name}/record/{id}", INDEX, 0, OP(lookup), READ, false,
	  "one record of an index" },
	{ "POST /v1/vectors/index/{index}/search", SEARCH, 0, NULL, READ, false,
	  "search one index" },
	{ "POST /v1/vectors/search", SEARCH, 0, NULL, READ, false, "search one index" },
	{ "POST /v1/vectors/index/{src}/merge", INDEX, 0, OP(merge), WRITE, false,
	  "add an index to another" },
	{ "POST /v1/validate", VALIDATE, 0, NULL, WRITE, TRACE, "judge a draft" },
	{ "POST /v1/iterate", ITERATE, 0, NULL, WRITE, TRACE, "ask a model until it is valid" },
	{ "POST /v1/chat", CHAT, 0, NULL, WRITE, TRACE, "ask a model" },
	{ "GET /v1/chat/providers", CHAT, 0, OP(providers), READ, false, "providers of models" },
	{ "POST /v1/pathway/add", PATHWAY, 0, OP(add), WRITE, false, "add a trace" },
	{ "POST /v1/pathway/add_idempotent", PATHWAY, 0, OP(add_idempotent), WRITE, false,
	  "add a trace or count it" },
	{ "POST /v1/pathway/update", PATHWAY, 0, OP(update), WRITE, false, "replace a content" },
	{ "POST /v1/pathway/revise", PATHWAY, 0, OP(revise), WRITE, false, "add a successor" },
	{ "POST /v1/pathway/retire", PATHWAY, 0, OP(retire), WRITE, false, "hide a trace" },
	{ "POST /v1/pathway/get", PATHWAY, 0, OP(get), READ, false, "one trace" },
	{ "POST /v1/pathway/history", PATHWAY, 0, OP(history), READ, false,
	  "a trace and its predecessors" },
	{ "POST /v1/pathway/search", PATHWAY, 0, OP(search), READ, false, "search traces" },
	{ "GET /v1/pathway/stats", PATHWAY, 0, OP(stats), READ, false, "counts of traces" },
	{ "POST /v1/observer/event", OBSERVE, 0, OP(event), WRITE, false, "record an operation" },
	{ "POST /v1/observer/inbox", OBSERVE, 0, OP(inbox), WRITE, false, "record a message" },
	{ "GET /v1/observer/stats", OBSERVE, 0, OP(stats), READ, false, "counts of operations" },
	{ "GET /v1/observer/health", OBSERVE, 0, OP(health), READ, false,
	  "whether the log can be written" },
	{ "POST /v1/observer/workflow/run", WORKFLOW, 0, NULL, WRITE, false, "run a flow" },
	{ "GET /v1/audit/subject/{id}", AUDIT, 0, OP(report), WRITE, false,
	  "who looked at the data of a subject" },
	{ "POST /v1/catalog/register", CATALOG, 0, OP(register), WRITE, false,
	  "register a dataset" },
	{ "GET /v1/catalog/manifest/{name}", CATALOG, 0, OP(get), READ, false, "one dataset" },
	{ "GET /v1/catalog/list", CATALOG, 0, OP(list), READ, false, "the datasets" },
	{ "PUT /v1/storage/object/{key...}", STORE, LH_ROUTE_PUT, OP(put), WRITE, false,
	  "store an object" },
	{ "GET /v1/storage/object/{key...}", STORE, LH_ROUTE_GET, OP(get), READ, false,
	  "an object" },
	{ "DELETE /v1/storage/object/{key...}", STORE, 0, OP(delete), WRITE, false,
	  "delete an object" },
	{ "GET /v1/storage/list", STORE, 0, OP(list), READ, false, "the objects" },
	{ "POST /v1/ingest", INGEST, LH_ROUTE_INGEST, NULL, WRITE, false,
	  "keep a table as a dataset" },
	{ "POST /v1/sql", SQL, 0, NULL, READ, false, "SQL over the datasets" },
	{ "GET /v1/distill/trace/{id}", TRACED, 0, NULL, READ, false,
	  "where a sample came from" },
	{ "GET /v1/audit/health", AUDIT, 0, OP(health), READ, false, "whether the chains hold" },
};

/* How many processes a filter has, how many requests each takes at one time, and for how long;
 * NULL: -j1.  A service is waited for, so those that ask one take many at a time. */
static const struct {
	unsigned processes, depth;
	double timeout;
	const char *jobs;
} size_of[FILTERS] = {
	[EMBED] = { 2, 64, 70, NULL }, [EMBED_UNIT] = { 1, 64, 70, NULL },
	[SEARCH] = { 2, 64, 30, NULL }, [RETRIEVE] = { 1, 64, 30, NULL },
	[INDEX] = { 1, 64, 120, NULL }, [RELEVANCE] = { 1, 64, 30, NULL },
	[GATE] = { 1, 64, 30, NULL }, [PLAYBOOK] = { 1, 64, 90, NULL },
	[VALIDATE] = { 1, 64, 90, NULL }, [ITERATE] = { 1, 32, 900, "-j16" },
	[CHAT] = { 1, 32, 600, "-j16" }, [PATHWAY] = { 1, 64, 90, NULL },
	[AUDIT] = { 1, 16, 90, NULL }, [CATALOG] = { 1, 64, 90, NULL },
	[STORE] = { 4, 1, 900, NULL },
	[INGEST] = { 2, 1, 900, NULL }, [TRACED] = { 1, 16, 90, NULL },
	[OBSERVE] = { 1, 64, 90, NULL }, [WORKFLOW] = { 4, 1, 900, "-j4" },
	[SQL] = { 4, 1, 60, NULL },
};

/* ---- argv ---- */

struct words {
	struct lh_route *route;
	size_t n, cap;
	struct lh_err *err;
	bool failed;
};

static void add_word(struct words *w, const char *folder, const char *word)
{
	size_t n = strlen(folder) + strlen(word) + 2;
	char *copy = w->failed ? NULL : lh_calloc(n, 1, w->err);

	if (!copy ||
	    lh_grow(&w->route->run, &w->cap, w->n + 2, sizeof *w->route->run, w->err) < 0) {
		free(copy);
		w->failed = true;
		return;
	}
	snprintf(copy, n, "%s%s%s", folder, *folder ? "/" : "", word);
	w->route->run[w->n++] = copy;
	w->route->run[w->n] = NULL;
}

/* Add words; NULL ends them. */
static void add_words(struct words *w, const char *const *word)
{
	for (; *word; word++)
		add_word(w, "", *word);
}
#define ADD(w, ...) add_words(w, (const char *const[]){ __VA_ARGS__, NULL })

static bool exists(const char *state, const char *name)
{
	char path[4096];

	return (size_t)snprintf(path, sizeof path, "%s/%s", state, name) < sizeof path &&
	       access(path, F_OK) == 0;
}

static void add_roster(struct words *w, const char *state)
{
	const char *roster = getenv("LH_ROSTER");

	ADD(w, "--roster-later", "--roster");
	add_word(w, state, "roster.jsonl");
	if (roster && *roster)
		ADD(w, "--roster", roster);
	ADD(w, "--roster");
	add_word(w, state, "index/workers.lhv");
	if (exists(state, "rules")) {
		ADD(w, "--rules");
		add_word(w, state, "rules");
	}
}

static const char *audit_key(void)
{
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");

	return key && *key ? key : NULL;
}

static void add_search(struct words *w, const char *state)
{
	ADD(w, "lh-search", "--wire", "--playbooks");
	add_word(w, state, "playbook");
}

/* Add the folder of the indexes, whose engine the filter uses. */
static void add_indexes(struct words *w, const char *state)
{
	ADD(w, "--indexes");
	add_word(w, state, "index");
}

static void add_validate(struct words *w, const char *state)
{
	ADD(w, "lh-validate", "--wire");
	add_roster(w, state);
	if (!audit_key())
		return;
	ADD(w, "--audit-required", "--audit-log");
	add_word(w, state, "data/_catalog/subjects");
}

static void add_other_command(struct words *w, enum filter filter, const char *state)
{
	switch (filter) {
	case CATALOG:
		ADD(w, "lh-catalog", "requests", "--catalog");
		add_word(w, state, "catalog");
		ADD(w, "--store");
		add_word(w, state, "store");
		break;
	case STORE:
		ADD(w, "lh-store", "requests");
		break;
	case INGEST:
		ADD(w, "lh-ingest", "--requests", "--store");
		add_word(w, state, "store");
		ADD(w, "--catalog");
		add_word(w, state, "catalog");
		break;
	case SQL:
		ADD(w, "lh-query", "--timeout", "25", "--max-rows", "10000", "--catalog");
		add_word(w, state, "catalog");
		ADD(w, "--store");
		add_word(w, state, "store");
		break;
	case TRACED:
		ADD(w, "lh-distill", "trace", "--root");
		add_word(w, "", state);
		break;
	case OBSERVE:
		ADD(w, "lh-observe", "requests");
		break;
	case WORKFLOW:
		ADD(w, "lh-workflow", "requests", "--state");
		add_word(w, "", state);
		ADD(w, "--observe");
		add_word(w, state, "log/observer.jsonl");
		break;
	default:
		break;
	}
}

static void add_command(struct words *w, enum filter filter, const char *state)
{
	switch (filter) {
	case EMBED:
		ADD(w, "lh-embed", "--wire", "go");
		add_indexes(w, state);
		break;
	case EMBED_UNIT:
		ADD(w, "lh-embed", "--wire", "rust");
		add_indexes(w, state);
		break;
	case SEARCH:
		add_search(w, state);
		break;
	case RETRIEVE:
		add_search(w, state);
		ADD(w, "--hybrid");
		break;
	case INDEX:
		ADD(w, "lh-index", "requests", "--playbooks");
		add_word(w, state, "playbook");
		break;
	case RELEVANCE:
		ADD(w, "lh-relevance");
		break;
	case GATE:
		ADD(w, "lh-relevance", "gate");
		break;
	case PLAYBOOK:
		ADD(w, "lh-playbook", "requests");
		add_indexes(w, state);
		break;
	case VALIDATE:
		add_validate(w, state);
		break;
	case ITERATE:
		ADD(w, "lh-iterate", "--session-log");
		add_word(w, state, "log/sessions.jsonl");
		add_roster(w, state);
		break;
	case CHAT:
		ADD(w, "lh-chat", "--wire");
		break;
	case PATHWAY:
		ADD(w, "lh-pathway", "requests");
		break;
	case AUDIT:
		ADD(w, "lh-subject-audit", "requests", "--dir");
		add_word(w, state, "data/_catalog/subjects");
		break;
	default:
		add_other_command(w, filter, state);
	}
}

/* Add the operand of a filter. */
static void add_operand(struct words *w, enum filter filter, const char *state)
{
	if (filter == SEARCH || filter == RETRIEVE || filter == INDEX)
		add_word(w, state, "index");
	else if (filter == PLAYBOOK)
		add_word(w, state, "playbook");
	else if (filter == STORE)
		add_word(w, state, "store");
	else if (filter == PATHWAY)
		add_word(w, state, "log/pathway.jsonl");
	else if (filter == OBSERVE)
		add_word(w, state, "log/observer.jsonl");
}

static int add_run(struct lh_route *r, enum filter filter, const char *state, struct lh_err *err)
{
	struct words w = { .route = r, .err = err };

	add_command(&w, filter, state);
	/* -j is for threads, which these do not have */
	if (filter != PATHWAY && filter != OBSERVE && filter != CATALOG && filter != STORE &&
	    filter != INGEST)
		ADD(&w, size_of[filter].jobs ? size_of[filter].jobs : "-j1");
	ADD(&w, "-q", "--progress", "never", "--on-error", "emit");
	add_operand(&w, filter, state);
	return w.failed ? -1 : 0;
}

/* ---- routes ---- */

static int set_members(struct lh_route *r, const char *object, struct lh_err *err)
{
	struct lh_buf text = { 0 };
	struct lh_record rec;
	struct lh_value v;
	int rc;

	lh_record_init(&rec);
	lh_buf_puts(&text, object);
	rc = lh_buf_check(&text, err);
	if (!rc && lh_json_parse(&rec, text.p, text.len, &v, err) == 0)
		rc = lh_route_set_members(r, &v, err);
	lh_record_free(&rec);
	lh_buf_free(&text);
	return rc;
}

static int set_filter(struct lh_route *r, enum filter filter, const char *state,
		      struct lh_err *err)
{
	r->pool = filter == SEARCH ? lh_cpu_cores(64) : size_of[filter].processes;
	r->depth = size_of[filter].depth;
	r->timeout = size_of[filter].timeout;
	return add_run(r, filter, state, err);
}

static int fill(struct lh_route *r, const struct built_in *b, const char *state,
		struct lh_err *err)
{
	if (lh_route_parse(r, b->route, err) < 0)
		return -1;
	if (b->members && set_members(r, b->members, err) < 0)
		return -1;
	r->kind = b->kind;
	r->title = b->title;
	r->read = b->read;
	r->trace = b->trace;
	r->built_in = true;
	r->open = r->kind == LH_ROUTE_HEALTH || r->kind == LH_ROUTE_READY ||
		  (r->kind == LH_ROUTE_FILE && r->n <= 1);
	r->audit = b->filter == AUDIT;
	r->max_body = r->kind == LH_ROUTE_PUT || r->kind == LH_ROUTE_INGEST ? FILE_MAX : BODY_MAX;
	if (b->filter == SQL)
		r->off = "SQL is off: no configuration has this route";
	if (b->filter == NONE || b->filter == SQL)
		return 0;
	if (b->filter == AUDIT && !audit_key())
		r->off = "no key: LH_SUBJECT_AUDIT_KEY is not set";
	return set_filter(r, b->filter, state, err);
}

int lh_routes_built_in(struct lh_routes *to, const char *state, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++) {
		if (lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v, err) < 0)
			return -1;
		memset(&to->v[to->n], 0, sizeof *to->v);
		if (fill(&to->v[to->n++], &table[i], state, err) < 0)
			return -1;
	}
	return 0;
}

int lh_routes_add_sql(struct lh_routes *to, const char *state, const char *off,
		      struct lh_err *err)
{
	size_t i;

	for (i = 0; i < to->n && strcmp(to->v[i].route, "POST /v1/sql") != 0; i++)
		;
	to->v[i].off = off;
	return set_filter(&to->v[i], SQL, state, err);
}

bool lh_routes_are_built_in(struct lh_str route)
{
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].filter == NONE &&
		    lh_str_is(route, table[i].route, strlen(table[i].route)))
			return true;
	return false;
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
	return 2 * r->names + r->rest;
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
