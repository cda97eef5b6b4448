/*
 * connection.h - connections of clients and the HTTP on them; nothing here knows a route.
 *
 *     address.c   addresses and networks
 *     wire.c      the bytes of connections: chunks, and refusals by libmicrohttpd
 *     listen.c    listening sockets, also those of systemd
 *     client.c    connections: accepted, slow, ended
 *     http.c      messages as libmicrohttpd gives them, and their answers
 *
 * Who answers messages gives a struct http_calls.  Its requests begin with a struct message;
 * each is begun with its header, gets the parts of its body, and is complete after them.  It is
 * sent once it is ready, at once or later: until then its connection is suspended.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <netinet/in.h>

#include <lh/buf.h>
#include <lh/str.h>
#include "serve/pool.h"
#include "tool/tool.h"

#define HEADER_MAX 16384		/* bytes of a header block */
#define HEADER_SECONDS 10.0
#define IDLE_SECONDS 75.0		/* between requests of a connection */
#define SIZE_UNKNOWN UINT64_MAX		/* of a struct reply */
#define READ_END ((ssize_t)-1)		/* of what reply.read returns ... */
#define READ_FAILED ((ssize_t)-2)	/* ... */

struct MHD_Connection;
struct message;
struct connections;

/* ---- address.c ---- */

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
/* Return what comes after http:// or, with secure, https://; NULL if that does not begin it. */
const char *after_scheme(struct lh_str origin, bool secure);

/* ---- connections ---- */

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

struct pace {				/* how fast a body comes, or an answer goes */
	bool body;			/* it is being read ... */
	uint64_t length, came;		/* ... : Content-Length; bytes so far, ... */
	uint64_t bytes;			/* ... in the window */
	uint64_t swept;			/* came at the last sweep, ... */
	double moved;			/* ... and when bytes came last, as sweeps have seen it */
	bool upload;			/* to a file: it is among all->uploads */
	double taking;			/* since when bytes wait; 0: none did at the last sweep */
	uint64_t taken;			/* that the client's TCP had confirmed then */
};

struct client {				/* a connection */
	struct client *next, *before;
	struct client **list;		/* where it is: reading or busy */
	int fd;
	double since;			/* of its phase; of the window in which bytes are counted */
	uint64_t used;			/* bytes of all requests so far */
	bool known;			/* used is right: after chunks it is not */
	bool fresh, begun;		/* no request yet; a byte of the next header is there */
	bool cut, left;			/* it is being closed; the client ended before that */
	bool unread;			/* it was answered before its body was read */
	bool over;			/* the answer to its last request closes it */
	bool answering;			/* an answer is queued, or being sent */
	struct pace pace;
	struct wire wire;
	struct message *watched;	/* that is given up once the client ends; or NULL */
	unsigned requests;		/* begun */
	unsigned spoken;		/* status of its last words; 0: none */
};

struct listener {
	struct lh_watch io;
	struct connections *all;
	bool paused;
};

struct connections {
	struct lh_tool *tool;
	struct lh_loop *loop;
	const struct http_calls *calls;
	struct MHD_Daemon *http;
	struct lh_watch io;		/* of libmicrohttpd */
	struct listener *listener;
	size_t listeners;
	struct client *reading, *reading_last, *busy;	/* reading: newest first */
	uint64_t clients, limit;
	unsigned uploads;		/* bodies that are received into files */
	struct lingerer *lingers;
	unsigned lingering;
	bool resumed;			/* libmicrohttpd has something to do */
	bool ending;			/* each answer closes its connection */
};

/* ---- wire.c ---- */

/* Follow the bytes of a client; no more; of none. */
void wire_add(struct client *c);
void wire_remove(const struct client *c);
void wire_free(void);
/* Return why the request that was begun last is malformed, as far as its body has come. */
const char *wire_wrong(const struct client *c);
/* Send an answer where libmicrohttpd takes none, unless there is one; the connection must be
 * closed after it. */
void last_words(struct client *c, unsigned status, const char *why);

/* ---- listen.c ---- */

/* Check addresses, those of the sockets that listen too: unless they are guarded by a token,
 * all must be loopback. */
int listen_check(char *const *address, const struct connections *all, bool guarded,
		 struct lh_err *err);
/* Listen, also on the sockets of systemd; accept is called when a client waits. */
int listen_open(struct connections *all, char *const *address, bool guarded,
		void (*accept)(struct lh_watch *s, uint32_t events), struct lh_err *err);
void listen_pause(struct connections *all, bool pause);
void listen_close(struct connections *all);
/* Send a state to systemd, if it started the process. */
void notify_systemd(const char *state);

/* ---- client.c ---- */

/* Begin with a connection, or NULL; end with one. */
struct client *client_new(struct connections *all, int fd);
void client_close(struct connections *all, struct client *c);
/* Accept those who wait at a struct listener; at all, before listening ends. */
void clients_accept(struct lh_watch *listener, uint32_t events);
void clients_drain(struct connections *all);
/* Close connections that are too slow, or have ended; called each second. */
void clients_sweep(struct connections *all, double now);
void lingers_close(struct connections *all);
/* Move a connection to a phase: reading a header, or busy with a request. */
void client_reading(struct connections *all, struct client *c);
void client_busy(struct connections *all, struct client *c, bool body, uint64_t length);
/* Return how many bytes have come that are of no request. */
uint64_t client_unused(const struct client *c);

/* ---- http.c ---- */

struct message {
	struct connections *all;
	struct MHD_Connection *conn;
	struct client *client;
	char *target, method[16];
	const char *malformed;		/* what is wrong with the header, or NULL */
	size_t header;			/* its bytes */
	bool chunked, seen;		/* seen: the header is complete */
	bool ready, suspended;		/* the answer may be sent; it is waited for */
	bool last, sent;		/* last: of its connection */
	uint64_t counted, bytes_out;	/* bytes of its body, of its answer's body */
};

struct reply {				/* the answer to a message */
	unsigned status;
	struct lh_buf body;		/* in memory, unless ... */
	ssize_t (*read)(void *message, uint64_t at, char *to, size_t max);	/* ... this ... */
	bool in_file;
	int file;			/* ... or this file (borrowed) has it ... */
	uint64_t size;			/* ... and this many bytes of it */
	const char *type;		/* Content-Type; NULL: JSON; "": none */
	const char *cache;		/* Cache-Control; NULL: no-store */
	char allow[64], etag[160];	/* headers, or "" */
	unsigned retry;			/* Retry-After of a 503; 0: a second */
	bool coded;			/* it is refused for its coding */
	uint64_t held;			/* bytes of the body that are counted */
};

struct http_field {
	const char *name, *value;	/* value NULL: it is not sent */
};

struct http_calls {
	size_t size;			/* of a request, which is all zero at first */
	void (*begin)(struct message *m);
	/* Take a part of the body; false: close the connection. */
	bool (*more)(struct message *m, const char *p, size_t n);
	void (*complete)(struct message *m);
	/* Answer, by http_send. */
	bool (*send)(struct message *m);
	/* The client of a message that is watched has ended. */
	void (*left)(struct message *m);
	/* Free what the request holds.  status: why it was not answered; 0: it was. */
	void (*over)(struct message *m, unsigned status);
	/* Note a connection on which n bytes came last that never were a request. */
	void (*lost)(struct connections *all, struct MHD_Connection *conn, unsigned status,
		     uint64_t n);
};

int http_start(struct connections *all, struct lh_err *err);
/* Return whether there is something to do without a further event; do some of it; end. */
bool http_has_more(const struct connections *all);
void http_run(struct connections *all);
void http_stop(struct connections *all);
/* Return a field of the header, or NULL; call each with all of them. */
const char *http_field(const struct message *m, const char *name);
void http_each(const struct message *m, void (*each)(void *to, const char *name,
						     const char *value), void *to);
/* Return the address of the client, or NULL. */
const struct sockaddr *http_address(struct MHD_Connection *conn);
/* Return whether there is a body; its Content-Length, 0 without one. */
bool has_body(const struct message *m);
uint64_t body_length(const struct message *m);
/* Send the answer, with fields up to one without a name; reply.body moves. */
bool http_send(struct message *m, struct reply *reply, const struct http_field *field);
/* Wait until there is more to send; go on. */
void http_suspend(struct message *m);
void http_resume(struct message *m);

#endif
