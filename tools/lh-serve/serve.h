/*
 * serve.h - shared by the files of lh-serve.
 *
 *     main.c      options and configuration; --check, --print-config
 *     server.c    the loop: signals, reloading, ending
 *     listen.c    listening sockets, also those of systemd; connections
 *     site.c      a configuration in force: routes, pools, tokens
 *     access.c    who may: tokens and addresses
 *     origin.c    by which name: Origin, Host and proxies
 *     http.c      requests as libmicrohttpd gives them; refusals
 *     wire.c      the bytes of connections: chunks, and refusals by libmicrohttpd
 *     request.c   a request from its complete body to its answer
 *     stream.c    bodies of many lines
 *     bounds.c    limits of bytes and files that requests hold; slow clients
 *     spool.c     bodies and answers that are in files
 *     who.c       rows in the audit logs of the persons whom an answer shows
 *     room.c      how large the state may become
 *     inside.c    routes that the bridge answers itself: health, cache, newest rows
 *     mcp.c       the tools for models
 *     metrics.c   counts and /metrics
 *     openapi.c   /openapi.json
 *     log.c       the access log
 *     console.c   the files of the console
 *
 * One thread runs all of it: libmicrohttpd reads and writes the connections, lib/serve the
 * filters, both inside one epoll loop.  A connection is suspended while its line is in a
 * filter, and resumed by the answer.
 */
#ifndef SERVE_H
#define SERVE_H

#include <microhttpd.h>
#include <netinet/in.h>

#include "crypto/secret.h"
#include "json/write.h"
#include "mcp/mcp.h"
#include "persons/persons.h"
#include "serve/loop.h"
#include "serve/pool.h"
#include "serve/repack.h"
#include "serve/routes.h"
#include "tool/tool.h"

#define HEADER_MAX 16384		/* bytes of a header block */
#define HEADER_SECONDS 10.0
#define IDLE_SECONDS 75.0		/* between requests of a connection */
#define BODIES_MAX ((uint64_t)256 << 20)	/* bytes of all bodies together, ... */
#define ANSWERS_MAX ((uint64_t)256 << 20)	/* ... of all answers, ... */
#define ANSWER_ROOM ((uint64_t)1 << 20)		/* ... that must be left for a new one, ... */
#define STREAM_MAX ((uint64_t)16 << 20)		/* ... of those of a connection */
#define ID_MAX 128			/* bytes of an X-Request-Id, of a request id */

struct settings {			/* the command line */
	struct lh_list listen, token_file, allow, allow_write, persons, allow_origin,
		trusted_proxy;
	const char *audit_log;
	bool audit_required;
	int audit_sync;			/* -1: not given */
	const char *config, *legal_token_file, *mount, *state, *access_log;
	bool no_console, warm, check, print_config;
	uint64_t connections, queue, state_max;	/* 0: not given */
	double drain;			/* below 0: not given */
};

/* ---- access.c ---- */

struct token {
	char label[32];			/* in the log: never the token */
	unsigned char hash[32];
};

struct tokens {
	struct token *v;
	size_t n;
};

/* Add the token of a file; of a text. */
int tokens_add_file(struct tokens *t, const char *path, const char *label, struct lh_err *err);
int tokens_add(struct tokens *t, const char *text, size_t n, const char *label,
	       struct lh_err *err);
/* Return the label of a token that is one of them, or NULL. */
const char *tokens_find(const struct tokens *t, const char *text, size_t n);
void tokens_free(struct tokens *t);

struct request;
struct site_route;
/* Return whether a request has the tokens that its route wants; that it wants of its own. */
bool has_tokens(struct request *r);
bool has_own_token(const struct request *r, const struct site_route *route);

struct network {
	unsigned char address[16];
	unsigned bits;
};

struct networks {
	struct network *v;
	size_t n;
};

int networks_add(struct networks *to, const char *cidr, struct lh_err *err);
bool networks_have(const struct networks *n, const struct sockaddr *address);
void networks_free(struct networks *n);
/* Write the address as text, without the port; v4-mapped addresses as IPv4. */
void address_text(const struct sockaddr *address, char *to, size_t n);
/* Write what tells clients apart: an address of IPv4, the network of one of IPv6. */
#define ADDRESS_KEY 16
void address_key(const struct sockaddr *address, unsigned char key[ADDRESS_KEY]);
bool is_loopback(const struct sockaddr *address);

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

struct server;
struct route_stats *stats_of(struct server *s, const char *route, struct lh_err *err);
void stats_count(struct route_stats *st, unsigned status, double seconds);
void stats_free(struct server *s);
struct request;
void metrics_answer(struct request *r);

/* ---- site.c ---- */

struct shared_pool {			/* routes with one command share its processes */
	struct lh_pool *pool;
	unsigned sites;			/* that use it */
	bool retired;			/* no site uses it, and it is not over yet */
};

struct site_route {
	const struct lh_route *route;
	struct shared_pool *pool;	/* NULL: none */
	struct tokens token;		/* of its own token_file */
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
	struct server *server;		/* of mcp */
	unsigned users;			/* requests, and the server */
};

/* Make the routes, tokens and networks; start no process. */
struct site *site_new(const struct settings *set, const char *token, struct lh_err *err);
/* Start the pools, or take over those that run the same command. */
int site_start(struct site *site, struct server *s, struct lh_err *err);
/* Embed a text as POST /v1/embed would.  A service that is down is reported; -1 for an engine
 * or a model that cannot work. */
int site_try_engine(const struct site *site, struct lh_tool *tool);
/* Return a pool of processes: one that runs already, for this site or another, or a new one. */
struct shared_pool *site_take_pool(const struct site *site, struct server *s,
				   struct lh_pool_how how, struct lh_err *err);
void site_use(struct site *site);
void site_drop(struct site *site, struct server *s);
/* Forget the pools, which have been freed. */
void site_forget_pools(struct site *site);
/* Return the pool of a tool of the configuration. */
struct shared_pool *site_tool_pool(const struct site *site, const struct lh_mcp_tool *t);
/* Return whether route number n has a pool, and is the first one that has it. */
bool site_first_of_pool(const struct site *site, size_t n);
/* Print the configuration as JSON. */
int site_print(const struct site *site, struct lh_tool *tool);

/* ---- listen.c ---- */

struct wire {				/* how far what has been received is followed */
	int state;
	unsigned begun;			/* requests whose header is complete */
	uint64_t left, size;		/* bytes of a body or chunk to come; size of a chunk */
	size_t line, fields, trailers;	/* bytes of the line; lines; bytes of trailers */
	bool cr, chunked;
	char word[128];			/* the line's begin ... */
	size_t kept;			/* ... and its bytes */
	const char *wrong;		/* why request number begun is malformed; or NULL */
};

struct client {				/* a connection */
	struct client *next, *before;
	struct client **list;		/* where it is: reading or busy */
	int fd;
	double since;			/* of its phase; of the window in which bytes are counted */
	uint64_t bytes, swept;		/* of the body in the window; at the last sweep */
	uint64_t used;			/* bytes of all requests so far */
	bool known;			/* used is right: after chunks it is not */
	bool fresh, begun;		/* no request yet; a byte of the next header is there */
	bool body;			/* its body is being read */
	bool cut, left;			/* it is being closed; the client ended before that */
	bool unread;			/* it was answered before its body was read */
	bool over;			/* the answer to its last request closes it */
	uint64_t length, came;		/* of its body: Content-Length; bytes so far */
	bool answered;			/* an answer is being sent */
	double taking;			/* since when bytes wait; 0: none did at the last sweep */
	uint64_t taken;			/* that the client's TCP had confirmed then */
	struct request *mcp;		/* that is answered by a tool for models; or NULL */
	struct wire wire;
	unsigned requests;		/* begun */
	bool answering;			/* an answer is queued */
	unsigned spoken;		/* status of its last words; 0: none */
};

struct listener {
	struct lh_source io;
	struct server *server;
	bool paused;
};

int listen_all(struct server *s, char *const *address, struct lh_err *err);
void listen_close(struct server *s);
/* Check the addresses of a site, and that only a token lets one of them leave loopback; with a
 * server also the sockets that it has. */
int listen_check(const struct site *site, const struct server *s, struct lh_err *err);
/* Accept what has connected: before listening ends. */
void listen_drain(struct server *s);
void lingers_close(struct server *s);
/* Close connections that are too slow, or have ended; called each second. */
void clients_sweep(struct server *s, double now);
/* Move a connection to a phase: reading a header, or busy with a request. */
void client_reading(struct server *s, struct client *c);
void client_busy(struct server *s, struct client *c, bool body);
/* Return how many bytes have come that are of no request. */
uint64_t client_unused(const struct client *c);
void on_connection(void *server, struct MHD_Connection *conn, void **context,
		   enum MHD_ConnectionNotificationCode what);
/* Send a state to systemd, if it started the process. */
void notify_systemd(const char *state);

/* ---- bounds.c ---- */

enum spool_kind { SPOOL_PUT, SPOOL_INGEST, SPOOL_GET, SPOOLS };
#define SPOOL_UPLOADS 4		/* bodies of one kind at one time */
#define SPOOL_DOWNLOADS 64	/* objects that are being read or sent */

struct peer {				/* what the requests of one client hold */
	struct peer *next;
	unsigned char key[ADDRESS_KEY];
	unsigned requests, spools[SPOOLS];
	uint64_t bodies, answers;
};
#define PEER_LISTS 256

struct request;
void peer_take(struct request *r);
void peer_drop(struct request *r);
/* Hold n more bytes of a body, a file; false: there are too many.  Release all. */
bool body_hold(struct request *r, size_t n);
void body_release(struct request *r);
bool spool_hold(struct request *r, enum spool_kind kind);
void spool_release(struct request *r, enum spool_kind kind);
/* Return whether n more bytes of answers fit; whether an answer of n bytes may be sent. */
bool answers_fit(const struct request *r, uint64_t n);
bool answer_may_stay(const struct request *r, uint64_t n);
void answer_hold(struct request *r, uint64_t n);
void answer_release(struct request *r, uint64_t n);
/* Return whether the client sends its body, or takes its answer, too slowly; called each
 * second. */
bool is_slow_body(struct client *c, double now);
bool is_slow_reader(struct client *c, double now);

/* ---- server.c ---- */

struct server {
	struct lh_tool *tool;
	const struct settings *set;
	const char *environment_token;
	struct lh_loop loop;
	struct MHD_Daemon *http;
	struct lh_source http_io, signals;
	struct listener *listener;
	size_t listeners;
	struct client *reading, *reading_last, *busy;	/* reading: newest first */
	uint64_t clients, limit;
	struct lingerer *lingers;
	unsigned lingering;
	struct site *site;
	struct shared_pool **pool;
	size_t pools, cap_pools;
	struct route_stats *stats, *other;
	struct lh_record body;		/* the body parsed last, ... */
	struct lh_buf members;		/* ... and the members added to it */
	uint64_t in_flight, bodies;	/* requests; bytes of their bodies in memory, ... */
	uint64_t answers;		/* ... of their answers */
	unsigned spools[SPOOLS];	/* bodies and objects in files */
	struct peer *peer[PEER_LISTS];
	struct stream *starved;		/* streams that wait until answers fit */
	struct room {
		uint64_t bytes;		/* of the state, ... */
		double at, took;	/* ... when they were counted, in seconds; 0: not yet */
	} room;
	bool resumed;			/* a connection was resumed */
	unsigned stop;			/* signals to stop so far */
	double stop_at;			/* when to give up what is in flight */
	struct lh_buf log;
	bool log_gone, log_fails, log_part;	/* part: of the first line a part is written */
	int log_fd;			/* stdout, or --access-log */
	unsigned log_kind;		/* S_IFREG ... */
	uint64_t log_lost;
	char seed[16];			/* random bytes for ids ... */
	uint64_t ids;			/* ... and the time of the last one, in ns */
};

int serve(struct lh_tool *tool, const struct settings *set, struct site *site,
	  const char *environment_token);

/* ---- http.c ---- */

int http_start(struct server *s, struct lh_err *err);
/* Log a connection that ends, if what came last on it was no request. */
void http_closed(struct server *s, struct MHD_Connection *conn, const struct client *c);

struct stream;

struct request {
	struct server *server;
	struct MHD_Connection *conn;
	struct client *client;
	struct peer *peer;		/* NULL: none */
	struct site *site;
	struct site_route *route;	/* NULL: none */
	size_t skip;			/* pieces of the mount */
	char *target;
	struct lh_route_path path;
	char method[16];
	const char *token;		/* label */
	char origin[256];		/* that --allow-origin lists, or "" */
	char id[ID_MAX + 1], trace[ID_MAX + 1];
	struct lh_buf body;
	uint64_t counted, held;		/* bytes of it that came; those in server->bodies */
	uint64_t discarded;		/* bytes that came after its refusal */
	unsigned refused;		/* the status for it: 400, 413, 503; 0: it is taken */
	char refusal[256];
	unsigned retry;			/* Retry-After of a 503; 0: a second */
	const char *malformed;		/* what is wrong with the header, or NULL */
	bool seen, lines, chunked, last;	/* last: of its connection */

	struct lh_ask ask;
	struct lh_persons_rows rows;	/* of the persons in the answer */
	bool shown;			/* they were looked for */
	bool own_status;		/* the body made last has a status of its own */
	struct stream *stream;
	struct inside *inside;
	struct mcp *mcp;
	struct spool *spool;		/* the file of the body, or of the answer */
	bool is_object;			/* the answer is that file, or for HEAD its size */
	uint64_t object_size;
	char etag[160];			/* its header, or "" */
	unsigned status;
	struct lh_buf out;		/* the body of the answer */
	uint64_t answer_held;		/* bytes of it in server->answers */
	const char *type;		/* Content-Type; NULL: JSON; "": none */
	char allow[64];			/* Allow, or "" */
	bool ready, suspended, in_flight, sent;
	double received, answered;	/* lh_time_monotonic: body complete; answer complete */
	double queue, filter;		/* seconds */
	uint64_t bytes_out;
};

/* ---- origin.c ---- */

/* Check the origins of a configuration. */
int origins_check(char *const *origin, struct lh_err *err);
/* Return whether the request is one for the health, which everybody may ask. */
bool is_open_health(const struct request *r);
/* Note the origin of a request that is listed: its page may read the answer, refusals too. */
void origin_take(struct request *r);
/* Return whether a browser asks what a listed origin may send. */
bool is_preflight(const struct request *r);
/* Refuse by Origin, Host and the headers of proxies; 0 if the request may come. */
unsigned origin_refuse(struct request *r, const char **why);
/* Add the headers by which a browser lets a listed origin read the answer. */
void origin_headers(const struct request *r, struct MHD_Response *m);
/* Write the address for which a trusted proxy asks; false if there is none. */
bool proxied_for(const struct request *r, const struct sockaddr *peer, char *to, size_t room);

/* ---- wire.c ---- */

/* Follow the bytes of a client; no more; of none.  False without memory for it. */
bool wire_add(struct client *c);
void wire_remove(const struct client *c);
void wire_free(void);
/* Return why the request that was begun last is malformed, as far as its body has come. */
const char *wire_wrong(const struct client *c);
/* Send an answer where libmicrohttpd takes none, unless there is one; the connection must be
 * closed after it. */
void last_words(struct client *c, unsigned status, const char *why);

/* ---- request.c ---- */

/* Begin with a request whose body is complete. */
void request_run(struct request *r);
/* Answer: with r->out, with an error, with constant text. */
void answer(struct request *r, unsigned status);
void answer_error(struct request *r, unsigned status, const char *why);
void answer_asked(struct request *r, enum lh_asked how);
/* Read the line of a filter into status and body; errors as {"error":...}. */
int read_answer(const struct lh_record *rec, bool own_status, unsigned *status,
		struct lh_buf *out);
/* Make the line for the filter of one body. */
int make_line(struct request *r, struct lh_str body, bool empty, struct lh_buf *line,
	      struct lh_err *err);
void request_free(struct request *r);
/* Fill the times of the log from those of an ask; asked 0: there was none. */
void take_times(struct request *r, double asked, double sent);

/* ---- stream.c ---- */

void stream_start(struct request *r);
void stream_free(struct stream *s);
/* Let streams go on for whose answers there is room again; called each turn. */
void streams_wake(struct server *s);
ssize_t stream_read(void *request, uint64_t at, char *to, size_t max);

/* ---- spool.c ---- */

/* Return whether the body goes to a file; how many bytes it may have. */
bool is_upload(const struct request *r);
uint64_t body_max(const struct request *r);
/* Receive such a body, whose Content-Type is type. */
int upload_begin(struct request *r, const char *type, struct lh_err *err);
int upload_more(struct request *r, const char *p, size_t n, struct lh_err *err);
int upload_end(struct request *r, struct lh_err *err);
/* Make the file for an answer. */
int spool_open(struct request *r, struct lh_err *err);
void spool_free(struct request *r);
/* Write the members that name the file for the filter. */
void spool_members(const struct request *r, struct lh_writer *w);
/* Answer with the file, which the filter has described and filled. */
void object_answer(struct request *r, const struct lh_record *rec);
struct MHD_Response *object_response(struct request *r);

/* ---- who.c ---- */

/* Check the options of the audit, and set its folder. */
int who_settle(struct site *site, struct lh_err *err);
/* Make the one that appends, once the routes are there. */
int who_start(struct site *site, struct server *s, struct lh_err *err);
void who_free(struct site *site);
/* Append the rows for the answer in r->out: true if it is sent later, by answer, or has been
 * replaced by an error. */
bool who_waits(struct request *r, unsigned status);
/* Append the rows for the answer to one line of a body: as lh_persons_show. */
int who_line(struct request *r, const struct lh_buf *line, struct lh_buf *body,
	     struct lh_persons_rows *rows, struct lh_err *err);

/* ---- room.c ---- */

#define NO_ROOM "the state is as large as it may be (--state-max)"
/* Return whether the state may get n more bytes; take them (LH_EDATA with status 507). */
bool state_has_room(struct request *r, uint64_t n);
int state_take(struct request *r, uint64_t n, struct lh_err *err);
/* Return whether a request may make the state larger. */
bool writes_state(const struct request *r);
/* Return whether a request with a body of that length would write beyond the limit. */
bool is_beyond_state(struct request *r, uint64_t length);

/* ---- inside.c ---- */

void inside_answer(struct request *r);
/* Return whether a request of the health asks every pool. */
bool is_deep(const struct request *r);
void inside_free(struct inside *i);

/* ---- mcp.c ---- */

/* Make the server of the tools, whose filters are those of the site. */
int mcp_start(struct site *site, struct server *s, struct lh_err *err);
void mcp_answer(struct request *r);
/* Cancel the call of a client that has ended. */
void mcp_left(struct request *r);
void mcp_free(struct request *r);

/* ---- openapi.c ---- */

void openapi_answer(struct request *r);

/* ---- log.c ---- */

void log_request(struct request *r);
/* Open the file of the log, also again after it was renamed; without one it is stdout. */
int log_open(struct server *s, const char *path, struct lh_err *err);
void log_close(struct server *s);
void log_flush(struct server *s);
void log_end(struct server *s);

/* ---- console.c ---- */

struct console_file {
	const char *path, *type, *text;
	size_t n;
};
extern const struct console_file console_files[];
extern const char console_policy[];	/* Content-Security-Policy */

#endif
