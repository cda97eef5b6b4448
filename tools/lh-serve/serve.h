/*
 * serve.h - requests and their answers.  The files of lh-serve, lower ones first; none calls a
 * later one but by a pointer:
 *
 *     http.h          connections, and HTTP on them: what knows no route
 *     site.h          a configuration in force, and the filters that answer its routes
 *     access.c        who may, and who asks: tokens, addresses, Origin, Host and proxies
 *     bounds.c        limits of bytes and files that requests hold, and of the state
 *     indexes.c       whether the indexes of the state can be opened
 *     log.c           the access log
 *     audit.c         rows in the audit logs of the persons whom an answer shows
 *     answer.c        the answer to a request: of a filter, in memory or in a file
 *     tlog.c          logs that strangers check: their files
 *     stream.c        bodies of many lines
 *     inside.c        routes that the bridge answers itself: health, cache, newest rows, console
 *     metrics.c       /metrics
 *     openapi.c       /openapi.json
 *     mcp.c           the tools for models
 *     request.c       a request from its header to its row in the log; what is refused
 *     server.c        the loop: signals, reloading, ending
 *     main.c          options; files of records as a state
 *
 * One thread runs all of it, inside one epoll loop: http.c the connections, lib/serve the
 * filters.  A connection is suspended while its line is in a filter, and resumed by the answer.
 */
#ifndef SERVE_H
#define SERVE_H

#include "json/write.h"
#include "serve/body.h"
#include "site.h"

#define ANSWER_ROOM ((uint64_t)1 << 20)		/* bytes that must be left for a new answer */
#define ID_MAX 128			/* bytes of an X-Request-Id, of a request id */

/* What requests hold: bytes in memory; bodies and objects in files. */
enum held { HELD_BODIES, HELD_ANSWERS, HELD_UPLOADS, HELD_DOWNLOADS, HELDS };

struct peer {				/* what the requests of one client hold */
	struct peer *next;
	unsigned char key[ADDRESS_KEY];
	unsigned requests;
	uint64_t held[HELDS];
};
#define PEER_LISTS 256

struct bounds {
	uint64_t held[HELDS];
	struct peer *peer[PEER_LISTS];
};

struct access_log {
	struct lh_tool *tool;
	struct lh_buf text;		/* rows that are not written */
	bool gone, fails, part;		/* part: of the first row a part is written */
	int fd;				/* stdout, or --access-log */
	char *path;			/* of the latter, or NULL */
	unsigned kind;			/* S_IFREG ... */
	uint64_t lost;			/* rows */
};

struct server {
	struct lh_tool *tool;
	const struct settings *set;
	const char *environment_token;
	struct lh_loop loop;
	struct lh_watch signals;
	struct connections connections;
	struct site *site;
	struct pools pools;
	struct stats stats;
	struct bounds bounds;
	struct room {
		uint64_t bytes;		/* of the state, ... */
		double at, took;	/* ... when they were counted, in seconds; 0: not yet */
	} room;
	struct indexes {
		struct index_file *v;
		size_t n, cap;
		double next;		/* when they are looked at again */
		bool changed;		/* one has, since persons were looked for */
		const struct site *of;	/* whose filters were there at the last look */
	} indexes;
	struct access_log log;
	time_t began;
	struct lh_record body;		/* the body parsed last, ... */
	struct lh_buf members;		/* ... and the members added to it */
	struct stream *starved;		/* streams that wait until answers fit */
	uint64_t in_flight;		/* requests */
	const char *audit_wrong;	/* why no row of who looked can be written; or NULL */
	bool down;			/* as the last deep health said */
	unsigned stop;			/* signals to stop so far */
	double stop_at;			/* when to give up what is in flight */
	struct {
		char seed[16];		/* random bytes ... */
		uint64_t last;		/* ... and the time of the last one, in ns */
	} ids;
};

struct intake {				/* the body of a request */
	struct lh_buf text;
	bool lines;			/* it is JSON Lines */
};

struct times {
	double received, answered;	/* lh_time_monotonic: body complete; answer complete */
	double queue, filter;		/* seconds */
};

struct request {
	struct message http;
	struct server *server;
	struct peer *peer;
	uint64_t held[HELDS];
	struct site *site;
	struct site_route *route;	/* NULL: none */
	size_t skip;			/* pieces of the mount */
	struct lh_route_path path;
	const struct token *as;		/* whose token it has; NULL: none was needed */
	const char *token;		/* its label */
	char who[2 * LH_TOKEN_NAME + 2];	/* NAME, NAME/USER; "" without either */
	char purpose[LH_PURPOSE_MAX + 1];	/* of its token or header; or "" */
	char origin[256];		/* that --allow-origin lists, or "" */
	char id[ID_MAX + 1], trace[ID_MAX + 1];
	struct intake body;
	struct reply reply;
	struct times times;
	struct lh_ask ask;
	struct lh_persons_rows rows;	/* of the persons in the answer */
	bool shown;			/* they were looked for */
	bool own_status;		/* the body made last has a status of its own */
	struct spool *spool;		/* the file of the body, or of the answer */
	struct {
		void *of;		/* what a kind of routes keeps; or NULL ... */
		void (*free)(void *of);	/* ... and how it ends with the request */
	} work;
};

/* ---- request.c ---- */

extern const struct http_calls request_calls;	/* connections are those of a struct server */

/* ---- target.c ---- */

bool is_method(const struct request *r, const char *method);
/* Find the route. */
bool find_route(struct request *r);
/* Return whether the request is OPTIONS of the server as a whole. */
bool is_star(const struct request *r);
/* Return whether a request of the health asks every pool; would, of a route; is one that everybody
 * may ask. */
bool is_deep(const struct request *r);
bool asks_deep(const struct request *r, const struct lh_route *route);
bool is_open_health(const struct request *r);
/* Return whether the body goes to a file; how many bytes it may have. */
bool is_upload(const struct request *r);
uint64_t body_max(const struct request *r);
/* Return whether a request may make the state larger. */
bool writes_state(const struct request *r);
/* Return the log that the path of its route names, or NULL; whether a request needs no token since
 * its route is of a public log. */
const struct lh_serve_log *log_of(const struct request *r);
bool is_public(const struct request *r);

/* ---- access.c ---- */

bool may_connect(const struct request *r);
/* Return whether a request has the tokens that its route wants; that it wants of its own.  A route
 * that its token may not ask is none. */
bool has_tokens(struct request *r);
/* Return whether the token of a request may ask a route. */
bool may_ask(const struct request *r, const struct lh_route *route);
/* List the methods that the path has for it, for Allow; false if it has none. */
bool list_methods(struct request *r, bool any);
bool has_own_token(const struct request *r, const struct site_route *route);

#define ORIGIN_FIELDS 6

/* Note the origin of a request that is listed: its page may read the answer, refusals too. */
void origin_take(struct request *r);
/* Return whether a browser asks what a listed origin may send. */
bool is_preflight(const struct request *r);
/* Refuse by Origin, Host and the headers of proxies; 0 if the request may come. */
unsigned origin_refuse(struct request *r, const char **why);
/* Write the fields by which a browser lets a listed origin read the answer; return their end. */
struct http_field *origin_fields(const struct request *r, struct http_field to[ORIGIN_FIELDS]);
/* Note who asks and what for: the token, the user whom a trusted proxy names, the purpose.  0, or
 * 400 if that cannot stand in a row. */
unsigned who_take(struct request *r, const char **why);
/* Copy the address for which a trusted proxy asks; false if there is none. */
bool proxied_for(const struct request *r, const struct sockaddr *peer,
		 struct sockaddr_storage *to);

/* ---- bounds.c ---- */

void peer_take(struct request *r);
void peer_drop(struct request *r);
/* Hold n more; do so unless there are too many; release them. */
void hold(struct request *r, enum held of, uint64_t n);
bool may_hold(struct request *r, enum held of, uint64_t n);
void release(struct request *r, enum held of, uint64_t n);
/* Return whether n more bytes of answers fit; whether an answer of n bytes may be sent. */
bool answers_fit(const struct request *r, uint64_t n);
bool answer_may_stay(const struct request *r, uint64_t n);

#define NO_ROOM "the state is as large as it may be (--state-max)"
/* Return whether the state may get n more bytes; take them (LH_EDATA with status 507). */
bool state_has_room(struct request *r, uint64_t n);
int state_take(struct request *r, uint64_t n, struct lh_err *err);

/* ---- indexes.c ---- */

/* Look at the indexes of the state, if it is time for it or now is set. */
void indexes_look(struct server *s, bool now);
/* Return the path of number *at, and count; NULL: there are no more. */
const char *indexes_next(const struct server *s, size_t *at);
/* Return the next one, or with others the next log or key, from number *at on, that could not be
 * opened, by its path below the state; NULL: there is none. */
const char *indexes_damaged(const struct server *s, size_t *at, bool others);
void indexes_free(struct indexes *all);

/* ---- log.c ---- */

void log_request(struct request *r);
/* Count the ends of lines. */
uint64_t count_lines(const char *p, size_t n);
/* Open the file of the log, also again after it was renamed; without one it is stdout. */
int log_open(struct access_log *log, const char *path, struct lh_err *err);
void log_close(struct access_log *log);
void log_flush(struct access_log *log);
void log_end(struct access_log *log);

/* ---- audit.c ---- */

/* Refuse an object whose rows may be persons, where rows are required. */
int who_refuses(struct request *r, struct lh_err *err);
/* Append the rows for the answer to one line of a body: as lh_persons_show; 0 if answers of the
 * route are not looked at. */
int who_show(struct request *r, const struct lh_buf *line, struct lh_buf *body,
	     struct lh_persons_rows *rows, struct lh_err *err);

/* ---- answer.c ---- */

/* Answer: with r->reply.body, with an error, with constant text. */
void answer(struct request *r, unsigned status);
void answer_error(struct request *r, unsigned status, const char *why);
/* Return the status, and say why, where no filter has answered. */
unsigned asked_status(enum lh_asked how, const char **why);
/* Fill the times of the log from those of an ask; asked 0: there was none. */
void take_times(struct request *r, double asked, double sent);

/* Receive a body that goes to a file, and whose Content-Type is type. */
int upload_begin(struct request *r, const char *type, struct lh_err *err);
int upload_more(struct request *r, const char *p, size_t n, struct lh_err *err);
int upload_end(struct request *r, struct lh_err *err);
/* Make the file for an answer. */
int spool_open(struct request *r, struct lh_err *err);
void spool_free(struct request *r);

/* Read the line of a filter into status and body; errors as {"error":...}. */
void read_answer(const struct lh_record *rec, bool own_status, unsigned *status,
		 struct lh_buf *out);
/* Make the line for the filter of one body, with the members of its file, if it has one. */
int make_line(struct request *r, struct lh_str body, bool empty, struct lh_buf *line,
	      struct lh_err *err);
/* Ask the filter of the route, and answer with its line. */
void ask_filter(struct request *r);

/* ---- stream.c ---- */

void stream_start(struct request *r);
/* Let streams go on for whose answers there is room again; called each turn. */
void streams_wake(struct server *s);

/* ---- inside.c, metrics.c, openapi.c, mcp.c, tlog.c ---- */

typedef void answer_fn(struct request *r);
answer_fn tlog_answer, health_answer, ready_answer, cache_answer, sessions_answer, audits_answer,
	file_answer, metrics_answer, openapi_answer, mcp_answer;
/* Cancel the call of a client that has ended. */
void mcp_left(struct message *m);

extern const char console_policy[];	/* Content-Security-Policy */

/* ---- server.c ---- */

int serve(struct lh_tool *tool, const struct settings *set, struct site *site,
	  const char *environment_token);

#endif
