/*
 * routes - the routes of the bridge: those that are built in, and those of its configuration.
 *
 *     struct lh_routes routes = { 0 };
 *     if (lh_routes_built_in(&routes, "demo", err) == 0)
 *             r = lh_routes_find(&routes, "POST", &path, 0);
 *     lh_routes_free(&routes);
 *
 * The state is a folder: index/NAME.lhv, playbook/NAME.lhv, log/NAME.jsonl, data (a root of a
 * distillation), roster.jsonl, rules/.  The argv of a built-in route names files in it, and
 * depends on which of them exist: rules/ is used if it exists; logs of subjects need
 * LH_SUBJECT_AUDIT_KEY.  Of roster.jsonl, LH_ROSTER and index/workers.lhv the first that is there
 * is the roster, also one that comes later.
 *
 * Owner:   the struct is the caller's, all zero at first; freeing it frees the routes.
 * Errors:  LH_EUSAGE for a configuration, with "file:line: " before the reason; LH_EIO;
 *          LH_ENOMEM.
 * Threads: any number may read.
 */
#ifndef LH_ROUTES_H
#define LH_ROUTES_H

#include "route.h"

struct lh_routes {
	struct lh_route *v;
	size_t n, cap;
};

/* Add the routes that are there without a configuration. */
int lh_routes_built_in(struct lh_routes *to, const char *state, struct lh_err *err);
void lh_routes_free(struct lh_routes *r);

/* What a filter prints with --describe, the JSON object of lib/tool/op.h, which is valid; run is
 * the command that was asked, ending with NULL.  The last of a list has no run. */
struct lh_described {
	const char *const *run;
	const char *text;
};
/* Set the operation of each route that has a filter: the element of "operations" of what a
 * command of the same program and modes says, under the name that the route's "op" (else the
 * command, such as "gate") gives.  It points into the text; .p is NULL if nothing is known, as
 * of a program of another family.
 *
 *     struct lh_value input;
 *     if (route->operation.p && lh_value_get(&route->operation, "input", &input)) ...
 */
int lh_routes_describe(struct lh_routes *r, const struct lh_described *all, struct lh_err *err);

/* Return the route that is written "METHOD PATH", or NULL. */
struct lh_route *lh_routes_named(const struct lh_routes *r, struct lh_str route);

/* Return the route for a method and a path without its first `skip` pieces: the one with the
 * fewest names in its path, then one without {name...}.  NULL if there is none. */
const struct lh_route *lh_routes_find(const struct lh_routes *r, const char *method,
				      const struct lh_route_path *path, size_t skip);

/* A configuration: the members of its file, each NULL or 0 if absent. */
struct lh_serve_config {
	char **listen, **token_file, **allow, **allow_write;	/* each ends with NULL */
	char **allow_origin, **trusted_proxy;
	size_t listen_line, allow_line;		/* where they are */
	char *legal_token_file, *state, *mount, *mount_off, *access_log;
	char *tools;				/* as written: a JSON array */
	char *audit_log, **persons;		/* logs of persons; names of corpora */
	char *audit_anchor;			/* an anchor of the logs, or a folder of them */
	bool audit_required;
	bool decisions, decisions_text;		/* a log of them; with what was asked */
	int audit_sync;				/* of lh_serve_syncs; -1: absent */
	bool no_console, warm;
	uint64_t connections, queue, state_max;	/* state_max 0: any */
	double drain;				/* seconds; below 0: absent */
	struct lh_routes routes;		/* its "routes" alone */
};

extern const char *const lh_serve_syncs[];	/* each, batch, none */

/* Read a configuration file.  Every command of its routes must exist. */
int lh_serve_config_read(struct lh_serve_config *c, const char *path, struct lh_err *err);
void lh_serve_config_free(struct lh_serve_config *c);

/* Replace built-in routes by configured ones that accept the same requests, and add the
 * others.  A route of the audit remains one.  The routes of from move. */
int lh_routes_replace(struct lh_routes *to, struct lh_routes *from, struct lh_err *err);

/* Give each lh-query and lh-catalog that names no store that of the state, so that none that a
 * manifest names is followed or registered. */
int lh_routes_bind_store(struct lh_routes *r, const char *state, struct lh_err *err);

/* Return whether there is a program of that name, in the folder of this one or in PATH. */
bool lh_is_command(const char *name);

/* Return which variables the filter argv[0] inherits: a set of enum lh_child_keys. */
unsigned lh_route_keys(const char *command);
/* Return how many requests a process of the command takes at one time, unless that is
 * configured: 1 if it is not of this family, since it may answer twice, which is then seen,
 * and 1 of lh-query, of which one slow statement must not hold up others. */
unsigned lh_route_depth(const char *command);

#endif
