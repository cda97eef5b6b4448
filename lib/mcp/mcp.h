/*
 * mcp - a server of the Model Context Protocol, without its transport, and the
 * lines of a stream of messages.
 *
 *     struct lh_mcp *m = lh_mcp_new(&(struct lh_mcp_how){
 *             .state = "demo",
 *             .routes = &routes, .loop = &loop, .timeout = 30 }, err);
 *     struct lh_mcp_peer peer = { .answer = on_answer };
 *
 *     lh_mcp_take(m, &peer, message);            one JSON-RPC message; on_answer(&peer, ...)
 *     for (;;) {                                 is called for each request, now or later
 *             lh_loop_wait(&loop, 50, err);
 *             lh_mcp_tick(m);
 *     }
 *     lh_mcp_leave(m, &peer);                    cancels what it has in flight
 *     lh_mcp_free(m);
 *
 * A peer is a connection, or a single HTTP request.  Its requests are answered in any order, by
 * their ids.  Both eras of the protocol are served: a request whose params._meta names a
 * protocol version is served as of revision 2026-07-28, without any state; a request without
 * is served as of the older revisions, once the peer has sent "initialize" (peer->version).
 *
 * Processes of filters are started by the first call that needs them, and held open.
 *
 * Owner:   the peer, the routes, the table and all texts are the caller's, and stay until the
 *          server is freed.
 * Errors:  those of requests are answered; functions fail with LH_EUSAGE.
 * Threads: one thread per server and its loop.
 */
#ifndef LH_MCP_H
#define LH_MCP_H

#include "base/buf.h"
#include "base/str.h"

#include "mcp_tool.h"
#include "persons/persons.h"
#include "serve/pool.h"
#include "serve/routes.h"

/*
 * mcp_lines - messages of a stream: lines that come in pieces of any size.
 *
 *     struct lh_mcp_lines in = { .max = 16 << 20 };
 *
 *     to = lh_mcp_lines_room(&in, CHUNK);
 *     lh_mcp_lines_took(&in, read(fd, to, CHUNK));   0: the end
 *     while ((got = lh_mcp_lines_next(&in, &line)))
 *             if (got < 0) ...                       a line that is too long: skipped
 *             else ...                               line, until the next call
 *     lh_mcp_lines_free(&in);
 *
 * A line ends with LF, the last one also with the stream.  Blank lines are skipped.  At most the
 * maximum and a piece are kept, however long a line is.
 *
 * Owner:   the struct is the caller's; all zero but max at first.
 * Threads: one thread per struct.
 */

struct lh_mcp_lines {
	size_t max;		/* bytes of a line */

	struct lh_buf text;
	size_t done, seen;	/* bytes that were given out; of the rest those without LF */
	bool skipping;		/* the rest of a line that is too long */
	bool ended;
};

/* Return room for n bytes, or NULL; report what was read into it. */
char *lh_mcp_lines_room(struct lh_mcp_lines *l, size_t n);
void lh_mcp_lines_took(struct lh_mcp_lines *l, size_t n);
/* Return 1 and the next line; -1 if that is too long; 0 if there is none yet. */
int lh_mcp_lines_next(struct lh_mcp_lines *l, struct lh_str *line);
void lh_mcp_lines_free(struct lh_mcp_lines *l);

#define LH_MCP_TIMEOUT 30.0			/* seconds of a call */
#define LH_MCP_ANSWER ((size_t)16 << 20)	/* bytes of an answer, ... */
#define LH_MCP_ANSWER_LINE (((size_t)8 << 20) - 1)	/* ... of a line over stdio, without LF */
#define LH_MCP_WRITERS "playbook_record"	/* tools of the table that write: "a|b" */
#define LH_MCP_MODERN "2026-07-28"

enum lh_mcp_code {
	LH_MCP_PARSE = -32700, LH_MCP_REQUEST = -32600, LH_MCP_METHOD = -32601,
	LH_MCP_PARAMS = -32602, LH_MCP_INTERNAL = -32603,
	LH_MCP_HEADER = -32020, LH_MCP_VERSION = -32022,
	LH_MCP_NO_RESOURCE = -32002		/* of the older era */
};

/* The header of an HTTP request; each NULL if absent. */
struct lh_mcp_headers {
	const char *version, *method, *name;	/* MCP-Protocol-Version, Mcp-Method, Mcp-Name */
	/* Return the header Mcp-Param-NAME, valid until the next call; NULL: absent, or twice. */
	const char *(*param)(const struct lh_mcp_headers *h, const char *name);
};

struct lh_mcp_call;
struct lh_mcp_peer {
	/* Take the answer to a request: one line of JSON, without LF.  code is that of its
	 * error, 0 for a result.  It must not free the peer. */
	void (*answer)(struct lh_mcp_peer *p, struct lh_str json, int code);
	/* In HTTP: held against the message, whose modern requests must match. */
	const struct lh_mcp_headers *headers;
	/* Revision of the older era that was agreed, or that its HTTP header names; NULL: none
	 * yet. */
	const char *version;
	/* Request id of calls whose _meta has none; or NULL. */
	const char *trace;
	const char *token;		/* name of its token, in rows; or NULL */
	const char *who, *purpose;	/* it with the user, what for, in rows; or NULL, "" */
	const char *scope;		/* what its calls may be about (filter/scope.h); or NULL */
	/* Return whether there is a route, NULL: what no route says the right for; a corpus, for
	 * the peer.  What is not there is answered as what does not exist.  Or NULL: all are. */
	bool (*may)(const struct lh_mcp_peer *p, const struct lh_route *r);
	bool (*sees)(const struct lh_mcp_peer *p, const char *corpus);
	const void *client;		/* whose turn its calls take (serve/pool.h); or NULL */
	/* Return why its calls may not ask a route; NULL: they may.  Or NULL: they may ask all. */
	const char *(*refuse)(struct lh_mcp_peer *p, const struct lh_route *r);

	/* set by the server; zero at first */
	struct lh_mcp_call *first;
	uint64_t calls;			/* in flight */
	double asked, sent;		/* struct lh_ask of the call answered last */
	bool unread;			/* LH_MCP_PARAMS was about what every message has */
};

struct lh_mcp_how {
	const struct lh_mcp_tools *tools;	/* NULL: those that are built in */
	const struct lh_mcp_tools *more;	/* those of a file, listed first; or NULL */
	const char *program, *version;	/* "lh-mcp", "0.1.0" */
	const char *state;		/* the folder of the bridge */
	const struct lh_routes *routes;
	/* Return the pool of a route, or of a tool that has an argv, with route NULL.  NULL, or
	 * if it returns NULL: the server starts its own. */
	struct lh_pool *(*pool)(void *owner, const struct lh_mcp_tool *t,
				const struct lh_route *route);
	struct lh_loop *loop;
	const char *const *allow;	/* names of tools that may write */
	size_t allowed;
	bool compat;
	double timeout;			/* seconds of a call */
	size_t answer_max;		/* bytes; 0: LH_MCP_ANSWER */
	struct lh_persons *persons;	/* who appends rows of the persons shown; NULL: none */
	/* Report what ended, or could not be written; or NULL. */
	void (*warn)(void *owner, const char *text);
	void *owner;
};

/* Return whether a revision is one of the older era that is served. */
bool lh_mcp_is_older(const char *version);

struct lh_mcp;
/* Make a server; how is copied. */
struct lh_mcp *lh_mcp_new(const struct lh_mcp_how *how, struct lh_err *err);

/* Take a message.  Returns whether it is a request, which is answered; a notification and an
 * answer of the peer are not.  The text is used only during the call. */
bool lh_mcp_take(struct lh_mcp *m, struct lh_mcp_peer *p, struct lh_str text);
/* Answer an error about a message that could not be taken, such as one that is too long. */
void lh_mcp_refuse(struct lh_mcp *m, struct lh_mcp_peer *p, enum lh_mcp_code code,
		   const char *why);
/* Cancel all that the peer has in flight, without an answer. */
void lh_mcp_leave(struct lh_mcp *m, struct lh_mcp_peer *p);

/* Let the pools work that the server started.  Call after each turn of the loop, and at least
 * every 50 ms while something is in flight. */
void lh_mcp_tick(struct lh_mcp *m);
/* Let its processes end, and return whether they have.  No messages after it. */
void lh_mcp_retire(struct lh_mcp *m);
bool lh_mcp_over(const struct lh_mcp *m);
/* Kill its processes and free it.  Calls in flight are answered as failed first. */
void lh_mcp_free(struct lh_mcp *m);

#endif
