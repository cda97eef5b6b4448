/*
 * routes - the routes of lh-serve: those that are built in, those of its configuration, and
 * what one of them accepts.
 *
 *     struct lh_routes routes = { 0 };
 *     if (lh_routes_built_in(&routes, "demo", err) == 0)
 *             r = lh_routes_find(&routes, "POST", &path, 0);
 *     lh_routes_free(&routes);
 *
 * The state is a folder: index/NAME.lhv, playbook/NAME.lhv, log/NAME.jsonl, data (a root of a
 * distillation), roster.jsonl, rules/.  The argv of a built-in route names files in it, and
 * depends on which of them exist: rules/ is used if it exists; logs of subjects need
 * LH_SUBJECT_AUDIT_KEY.  The roster is the first of roster.jsonl, LH_ROSTER and index/workers.lhv
 * that exists; one that is made later is noticed.
 *
 * Owner:   the struct is the caller's, all zero at first; freeing it frees the routes.
 * Errors:  LH_EUSAGE for a configuration, with "file:line: " before the reason; LH_EIO.
 * Threads: any number may read.
 */
#ifndef LH_ROUTES_H
#define LH_ROUTES_H

#include "json/json.h"

/*
 * route - a route: what an HTTP request must look like, and the filter that answers it.
 *
 *     struct lh_route r = { 0 };
 *     struct lh_route_path path = { 0 };
 *     if (lh_route_parse(&r, "GET /v1/vectors/index/{name}", err) == 0 &&
 *         lh_route_path_read(&path, target, err) == 0 && lh_route_fits(&r, &path))
 *             lh_route_members(&r, &path, &members, err);
 *
 * A path is divided at "/" into pieces.  A piece of a route is literal, or a name in braces,
 * which stands for any piece that is not empty; {name...}, at the end, stands for one piece or
 * more, empty ones too, with the "/" between them.  The pieces of a request are
 * percent-decoded after the division, so that %2F never divides; a piece must be UTF-8
 * without NUL, and neither "." nor "..", as written or decoded.
 *
 * The query is a list NAME=VALUE separated by "&", percent-decoded, "+" being a space
 * (application/x-www-form-urlencoded).  A name twice, and an empty name, are errors.
 *
 * Pieces with a name, the query, and the constant members of the route become members of the
 * record for the filter, in addition to those of the body.  No two of them may have one name.
 *
 * Owner:   the structs are the caller's; free them with the functions below.
 * Errors:  LH_EDATA (status 400).
 * Threads: one thread per struct.
 */

#define LH_ROUTE_PIECES 16
#define LH_ROUTE_ARGS 32
#define LH_NAME_MAX 128		/* bytes of the NAME of an index, a playbook */

enum lh_route_kind {
	LH_ROUTE_FILTER,	/* a filter answers, the others are answered by the bridge */
	LH_ROUTE_HEALTH,
	LH_ROUTE_READY,		/* whether new requests are taken */
	LH_ROUTE_METRICS,
	LH_ROUTE_OPENAPI,
	LH_ROUTE_CACHE,		/* the caches of a pool of lh-embed, added up */
	LH_ROUTE_SESSIONS,	/* the newest sessions */
	LH_ROUTE_AUDITS,	/* the newest audits */
	LH_ROUTE_FILE,		/* a file of the console */
	LH_ROUTE_PUT,		/* a filter stores the body, which is in a file */
	LH_ROUTE_INGEST,	/* the same with the field "file" of a form, if it is one */
	LH_ROUTE_GET,		/* a filter fills the file that is the answer */
	LH_ROUTE_MCP,		/* the tools for models */
	/* those that "tlog" of a configuration turns on: */
	LH_ROUTE_CHECKPOINT,	/* the checkpoint of a log */
	LH_ROUTE_TILE,		/* a tile of a log, or a bundle of its entries */
};

/* As whose service a route writes its errors, and that it is one for clients of that. */
enum lh_route_errors { LH_ERRORS_OURS, LH_ERRORS_OPENAI, LH_ERRORS_OLLAMA };

/* What a token must be allowed; each right has those before it. */
enum lh_right { LH_RIGHT_ADMIN, LH_RIGHT_READ, LH_RIGHT_WRITE };

struct lh_route_piece {
	struct lh_str text;	/* literal text, or the name */
	bool name;
};

struct lh_route {
	char *route;		/* "METHOD PATH", owned */
	const char *path;	/* in route */
	char method[16];
	struct {
		struct lh_route_piece v[LH_ROUTE_PIECES];
		size_t n, names;
		bool rest;	/* the last piece is {name...} */
	} pieces;		/* of path */

	enum lh_route_kind kind;
	char **run;		/* argv, owned, NULL at its end; NULL: see kind and off */
	char **env;		/* names of variables that it inherits as well, owned; or NULL */
	char *members;		/* constant members, JSON text without braces, owned; or NULL */
	struct {
		char **name;	/* unescaped, owned */
		size_t n, cap;
	} constants;		/* the names of members */
	char *token_file;	/* owned; or NULL */
	const char *off;	/* why it answers 404; NULL: it does not */
	char *why;		/* owned: off, where it is not a constant */
	char *title;		/* one line for people, owned; or NULL */
	struct {
		uint64_t pool, depth;	/* processes; requests at one time in each */
		uint64_t body;		/* bytes */
		double timeout;		/* seconds */
	} limits;
	bool read;		/* changes nothing: may be asked once more in another process */
	bool trace;		/* the record gets "trace_id" */
	bool built_in, open;	/* open: without a token */
	bool audit;		/* needs the legal token */
	enum lh_route_errors errors;
	enum lh_right right;
	bool neutral;		/* its answer tells of no record that is kept */
	bool has_right;		/* the configuration says which */
	struct lh_value operation;	/* as lh_routes_describe has set it */
	bool scoped;			/* whose input has a scope: of a token with a filter */
	bool described;			/* its command has said what it does, ... */
	char *program, *says;		/* ... being asked: its name and text, owned; or NULL */
};

/* The methods of routes; NULL ends them. */
extern const char *const lh_route_methods[];

int lh_route_parse(struct lh_route *r, const char *route, struct lh_err *err);
void lh_route_free(struct lh_route *r);
/* Set the constant members, to those of a checked object.  None may be named like a piece. */
int lh_route_set_members(struct lh_route *r, const struct lh_value *object, struct lh_err *err);
/* The fields of HTTP that are members of a record, where its operation takes those; the last has
 * no name. */
extern const struct lh_route_field {
	const char *name, *member;
} lh_route_fields[];
/* Return whether a constant member, a piece or such a field has that name. */
bool lh_route_gives(const struct lh_route *r, struct lh_str name);
/* Return whether both accept the same requests: names of pieces do not matter. */
bool lh_route_same(const struct lh_route *a, const struct lh_route *b);

/* Copy a list of texts that ends with NULL; free it; compare two, NULL being an empty one. */
char **lh_argv_copy(char *const *argv);
void lh_argv_free(char **argv);
bool lh_argv_same(char *const *a, char *const *b);

struct lh_route_path {
	struct lh_str piece[LH_ROUTE_PIECES];
	size_t n;		/* LH_ROUTE_PIECES + 1: more than these */
	struct lh_str raw;	/* the path as written, in the target, after its first "/" */
	struct lh_str key[LH_ROUTE_ARGS], value[LH_ROUTE_ARGS];
	size_t args;
	struct lh_buf text;	/* the decoded text */
};

/* Read the target of a request: a path and a query, or an absolute URI (http or https).  After
 * an error there is no piece and no parameter. */
int lh_route_path_read(struct lh_route_path *p, struct lh_str target, struct lh_err *err);
void lh_route_path_free(struct lh_route_path *p);
/* Return the value of a query parameter; p is NULL if it is absent. */
struct lh_str lh_route_arg(const struct lh_route_path *p, const char *key);

/* Return whether the path, from its piece number skip on, is one of the route. */
bool lh_route_fits(const struct lh_route *r, const struct lh_route_path *p, size_t skip);

/* Append what a route's {name...} stands for, decoded; skip as above. */
int lh_route_rest(const struct lh_route *r, const struct lh_route_path *p, size_t skip,
		  struct lh_buf *out, struct lh_err *err);

/* Append the members that the route and the path give, as JSON text without braces: constant
 * members, pieces with a name, the query.  Names that are numbers in the INPUT tables of the
 * filters are written as numbers (400 if they are not).  A query parameter that the route
 * gives already is an error: it would be another operation, or another subject.  So is
 * "file" where the bridge gives that. */
int lh_route_members(const struct lh_route *r, const struct lh_route_path *p, size_t skip,
		     struct lh_buf *out, struct lh_err *err);

/* Decode %XX (and, with plus, "+") and append it.  Refuses an incomplete escape, NUL, and what
 * is not UTF-8. */
int lh_percent_decode(struct lh_str in, bool plus, struct lh_buf *out, struct lh_err *err);

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
void lh_routes_describe(struct lh_routes *r, const struct lh_described *all);
/* Return whether the route's operation has a member in its input, by its schema. */
bool lh_route_takes(const struct lh_route *r, const char *member);
/* Ask the command of a route itself, COMMAND --describe, if it is not described: also one that
 * another program starts, as in "nice lh-query".  LH_EUSAGE if it does not say what it does. */
int lh_route_ask(struct lh_route *r, struct lh_err *err);
/* Return the name of the program that answers a route: as it calls itself, or of its file. */
const char *lh_route_program(const struct lh_route *r);
/* Return whether a list of the route's operation, "shows" or "uses", has a member, at any depth;
 * NULL: any member. */
bool lh_route_lists(const struct lh_route *r, const char *list, const char *member);
/* Refuse a query or a body (or NULL) with a member of "paths" that is not safe. */
int lh_route_refuse_paths(const struct lh_route *r, const struct lh_route_path *path,
			  const struct lh_record *rec, struct lh_err *err);

/* Return the route that is written "METHOD PATH", or NULL. */
struct lh_route *lh_routes_named(const struct lh_routes *r, struct lh_str route);

/* Return the route for a method and a path without its first `skip` pieces: the one with the
 * fewest names in its path, then one without {name...}.  NULL if there is none. */
const struct lh_route *lh_routes_find(const struct lh_routes *r, const char *method,
				      const struct lh_route_path *path, size_t skip);

/* A log in the folder tlog/NAME of the state. */
struct lh_serve_log {
	char *name;
	bool is_public, entries;	/* needs no token; its entries are served, too */
};

#define LH_TOKEN_NAME 63	/* bytes of the name of a token */
#define LH_PURPOSE_MAX 63	/* of what it is for, in rows of who looked */

/* A token with a name, and what it may do. */
struct lh_serve_token {
	char *name, *file;
	char *purpose;			/* in the rows of whose data it was shown; or NULL */
	enum lh_right right;
	char **corpora, **routes;	/* these alone; NULL: all */
	char *filter;			/* records alone that it matches, JSON; NULL: all */
	char *scope;			/* both as filter/scope.h reads them; NULL: everything */
};
extern const char *const lh_rights[];	/* names, in the order of enum lh_right */

/* Return whether a token with a name may ask a route; NULL: it may ask all. */
bool lh_token_may(const struct lh_serve_token *t, const struct lh_route *r);
/* Return whether there is a corpus, or a playbook, for it. */
bool lh_token_sees(const struct lh_serve_token *t, const char *corpus);
/* Return whether a text may stand as a purpose in rows. */
bool lh_is_purpose(struct lh_str text);

/* What options and a configuration say; what they do not is NULL, 0 or as in LH_SERVE_CONFIG. */
struct lh_serve_config {
	struct lh_list listen, token_file, allow, allow_write, allow_origin, trusted_proxy;
	struct lh_serve_token *token;
	size_t tokens;
	const char *trusted_user_header;	/* by which trusted proxies name the user */
	size_t listen_line, allow_line;		/* where they are in the file; 0: they are not */
	const char *legal_token_file, *state, *mount, *mount_off, *access_log;
	const char *tools;			/* as written: a JSON array */
	struct {
		const char *log;		/* of persons */
		struct lh_list persons;		/* names of corpora */
		const char *anchor;		/* an anchor of the logs, or a folder of them */
		int required;			/* 1, 0; -1: absent */
		int sync;			/* of lh_serve_syncs; -1: absent */
	} audit;
	struct {
		bool kept, text;		/* a log of them; with what was asked */
	} decisions;
	struct {
		struct lh_list elsewhere;	/* copies out of reach of an erasure */
		bool forbid_return;		/* of persons who were erased */
	} subject;
	struct lh_serve_log *log;
	size_t logs;
	bool no_console, warm, no_confine;
	struct lh_list may_read;		/* what filters may read besides */
	struct {
		uint64_t connections, queue, state;	/* state 0: any */
		double drain;			/* seconds; below 0: absent */
	} limits;
	struct lh_routes routes;		/* its "routes" alone */
	void **owned;				/* texts and lists of the file */
	size_t n_owned, owned_cap;
};
#define LH_SERVE_CONFIG { .audit = { .required = -1, .sync = -1 }, .limits.drain = -1 }

/* Turn on the built-in routes of logs if some are configured; they stay off otherwise. */
void lh_routes_turn_on(struct lh_routes *r, const struct lh_serve_config *c);
/* Return whether a route is one of those. */
bool lh_route_is_switched(const struct lh_route *r);
/* Return the log of that name, or NULL. */
const struct lh_serve_log *lh_serve_log_named(const struct lh_serve_config *c, struct lh_str name);

extern const char *const lh_serve_syncs[];	/* each, batch, none */

/* Take from a configuration file what *c does not have: options come before it.  Every command of
 * its routes must exist. */
int lh_serve_config_read(struct lh_serve_config *c, const char *path, struct lh_err *err);
void lh_serve_config_free(struct lh_serve_config *c);

/* Replace built-in routes by configured ones that accept the same requests, and add the
 * others.  A route that replaces one of the audit is one of the audit.  They move out of from. */
void lh_routes_replace(struct lh_routes *to, struct lh_routes *from);

/* Give the commands lh-query and lh-catalog the store of the state where they name none, so that
 * no other store is read or registered because a manifest names it; and --files to those
 * whose files the bridge itself names. */
void lh_routes_bind_store(struct lh_routes *r, const char *state);

/* Return whether there is a program of that name, in the folder of this one or in PATH. */
bool lh_is_command(const char *name);

/*
 * What a filter may, as lib/file/confine.h has it: it reads what its command names, and what its
 * program needs; it writes what its program's row says that it writes, which are the folders of
 * files that are written; it starts only what that row has; and it connects only if the row has
 * services or the command a URL.  A program without a row, such as a script, gains no privileges,
 * and may all else.
 *
 *     struct lh_confine may;
 *     rc = lh_filter_confine(&may, argv, &(struct lh_filter_place){ .state = state }, err);
 */
struct lh_confine;
struct lh_filter_place {
	const char *state, *tmp;	/* tmp: its TMPDIR */
	const struct lh_list *read;	/* what may be read as well; or NULL */
	const struct lh_route *route;	/* whose members it gets; or NULL */
};
int lh_filter_confine(struct lh_confine *to, char *const *argv, const struct lh_filter_place *place,
		      struct lh_err *err);
bool lh_filter_has_row(char *const *argv);

/* Return which variables the filter argv[0] inherits: a set of enum lh_child_keys. */
unsigned lh_route_keys(const char *command);
/* Return how many requests a process of the command takes at one time, unless that is
 * configured: 1 if it is not of this family, since it may answer twice, which is then seen,
 * and 1 of lh-query, of which one slow statement must not hold up others. */
unsigned lh_route_depth(const char *command);

#endif
