/*
 * site.h - a configuration in force, and the filters that answer its routes.
 *
 *     access.c    tokens, by their hashes
 *     metrics.c   counts of each route
 *     pools.c     pools of filters, shared by routes and by sites
 *     audit.c     the logs of the persons whom answers show
 *     openapi.c   what the filters say of their operations, and bodies are, as JSON Schema
 *     site.c      routes, pools, tokens; --print-config and --check
 */
#ifndef SITE_H
#define SITE_H

#include "http.h"
#include "file/file.h"
#include "mcp/mcp.h"
#include "persons/persons.h"
#include "serve/pool.h"
#include "serve/routes.h"

struct lh_writer;

struct settings {			/* the command line */
	struct lh_serve_config given;
	const char *config;
	bool audit_required, no_audit_required, check, print_config;
};

/* ---- access.c ---- */

struct token {
	char label[LH_TOKEN_NAME + 1];	/* in the logs: never the token */
	unsigned char hash[32];
	const struct lh_serve_token *may;	/* NULL: all, and it has no name */
};

struct tokens {
	struct token *v;
	size_t n;
};

/* Add the token of a file; of a text.  Each has a label of its own. */
int tokens_add_file(struct tokens *t, const char *path, const char *label, struct lh_err *err);
int tokens_add(struct tokens *t, const char *text, size_t n, const char *label,
	       struct lh_err *err);
void tokens_free(struct tokens *t);

/* ---- metrics.c ---- */

#define STATUSES 600
#define BUCKETS 15

struct route_stats {
	struct route_stats *next;
	char *route;
	uint64_t status[STATUSES];
	uint64_t bucket[BUCKETS + 1], requests;
	double seconds;
};

struct stats {
	struct route_stats *first, *none;	/* none: of requests without a route */
};

extern const double stats_bound[BUCKETS];	/* in seconds */
struct route_stats *stats_of(struct stats *all, const char *route);
void stats_count(struct route_stats *st, unsigned status, double seconds);
void stats_free(struct stats *all);

/* ---- pools.c ---- */

struct shared_pool {			/* routes with one command share its processes */
	struct lh_pool *pool;		/* NULL: it has ended */
	char *open;			/* the program, if it has no row: not confined; or NULL */
	unsigned sites;			/* that use it */
	bool retired;			/* no site uses it, and it is not over yet */
};

struct pools {
	struct lh_tool *tool;
	struct lh_loop *loop;
	struct shared_pool **v;
	size_t n, cap;
	struct lh_persons_lost rows;	/* of who looked, that were not written */
	struct lh_tmpdir tmp;		/* of filters that are confined; .path NULL: none */
};

/* Write which filters are not confined, and what the kernel cannot refuse to the others:
 * "confinement"; nothing if all is well.  Say it. */
void pools_write_open(struct lh_writer *w, const struct pools *all,
		      const struct lh_serve_config *c);
void pools_say_open(const struct pools *all, const struct lh_serve_config *c);

/* Return a pool of processes: one that runs already, for this site or another, or a new one; of a
 * route, or NULL. */
struct shared_pool *pools_take(struct pools *all, struct lh_pool_how how,
			       const struct lh_serve_config *c, const struct lh_route *route,
			       struct lh_err *err);
/* Drop a pool, or NULL: the last use of it lets it end. */
void pools_drop(struct shared_pool *p);
void pools_tick(struct pools *all);
/* Fail what is asked; end the processes; free what sites still use. */
void pools_kill(struct pools *all);
void pools_end(struct pools *all);
void pools_free(struct pools *all);

/* ---- openapi.c ---- */

extern const struct lh_described described[];

/* Make the table that checks bodies; *to stays NULL if nothing is known. */
int schema_table(const struct lh_route *r, struct lh_bind **to, struct lh_err *err);

/* ---- site.c ---- */

struct site_route {
	const struct lh_route *route;
	struct shared_pool *pool;	/* NULL: none */
	struct tokens token;		/* of its own token_file */
	struct lh_bind *body;		/* checks its body; NULL: it is not checked */
	struct route_stats *stats;
};

struct site {
	struct lh_serve_config config;	/* with the command line taken into account */
	struct lh_routes routes;
	struct site_route *route;	/* as many as routes */
	struct tokens token, legal;
	struct networks allow, trusted;
	struct lh_route_path mount;
	struct lh_mcp_tools tools;	/* of the configuration ... */
	struct shared_pool **tool_pool;	/* ... and their processes; as many */
	struct lh_mcp *mcp;		/* NULL: not started */
	struct lh_persons *persons;	/* NULL: no audit */
	struct shared_pool *auditor;	/* that appends its rows */
	const char *audit_log;		/* its folder; NULL: none */
	char *audit_default;		/* owned: that of the state */
	char *unrecorded;		/* owned: what is of persons, and leaves no rows; or NULL */
	struct lh_tool *tool;		/* of its warnings */
	unsigned users;			/* requests, and the server */
};

/* Make the routes, tokens and networks; start no process. */
struct site *site_new(struct lh_tool *tool, const struct settings *set, const char *token,
		      struct lh_err *err);
/* Start the pools, or take over those that run the same command; and the tools for models. */
int site_start(struct site *site, struct pools *pools, struct stats *stats, struct lh_err *err);
/* Say what a command was taken for that described itself, and what is not recorded. */
void site_say(const struct site *site);
void site_use(struct site *site);
void site_drop(struct site *site);
/* Return whether route number n has a pool, and is the first one that has it. */
bool site_first_of_pool(const struct site *site, size_t n);
/* Print the configuration as JSON. */
int site_print(const struct site *site, struct lh_tool *tool);
/* Embed a text as POST /v1/embed would.  A service that is down is reported; -1 for an engine
 * or a model that cannot work. */
int site_try_engine(const struct site *site, struct lh_tool *tool);

/* ---- audit.c ---- */

/* Check the options of the audit, and set its folder. */
int audit_settle(struct site *site, struct lh_err *err);
/* Make the one that appends, once the routes are there. */
int audit_start(struct site *site, struct pools *pools, struct lh_err *err);
/* Say that persons are served whose looks are not recorded, if so. */
void audit_say(const struct site *site);
void audit_free(struct site *site);

#endif
