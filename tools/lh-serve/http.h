/*
 * http.h - connections of clients and the HTTP/1.1 on them; nothing here knows a route.
 *
 *     address.c   addresses, networks, and listening sockets, also those of systemd
 *     http.c      connections and messages
 *
 * Who answers messages gives a struct http_calls.  Its requests begin with a struct message;
 * each is begun with its header, gets the parts of its body, and is complete after them.  It is
 * sent once it is ready, at once or later: until then nothing more is read of its connection.
 */
#ifndef HTTP_H
#define HTTP_H

#include <netinet/in.h>

#include "base/buf.h"
#include "base/str.h"
#include "serve/pool.h"
#include "tool/tool.h"

#define SIZE_UNKNOWN UINT64_MAX		/* of a struct reply */
#define READ_END ((ssize_t)-1)		/* of what reply.read returns ... */
#define READ_FAILED ((ssize_t)-2)	/* ... */

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

/* ---- listening ---- */

struct client;

struct listener {
	struct lh_watch io;
	struct connections *all;
	bool paused;
};

struct connections {
	struct lh_tool *tool;
	struct lh_loop *loop;
	const struct http_calls *calls;
	struct listener *listener;
	size_t listeners;
	struct client *newest, *oldest;	/* by their phases */
	struct client *queue;		/* there is something to do without a further event */
	uint64_t clients, limit;
	unsigned uploads;		/* bodies that are received into files */
	bool ending;			/* each answer closes its connection */
	struct {
		time_t at;
		char text[32];
	} date;				/* of answers */
	char room[65536];		/* for what is received, or read to be sent */
};

/* Check addresses, those of the sockets that listen too: unless they are guarded by a token,
 * all must be loopback. */
int listen_check(const struct lh_list *address, const struct connections *all, bool guarded,
		 struct lh_err *err);
/* Listen, also on the sockets of systemd; accept is called when a client waits. */
int listen_open(struct connections *all, const struct lh_list *address, bool guarded,
		void (*accept)(struct lh_watch *s, uint32_t events), struct lh_err *err);
void listen_pause(struct connections *all, bool pause);
void listen_close(struct connections *all);
/* Send a state to systemd, if it started the process. */
void notify_systemd(const char *state);

/* ---- messages ---- */

struct message {
	struct connections *all;
	struct client *client;
	int fd;				/* of its connection */
	const struct sockaddr *address;	/* of its client */
	struct lh_buf head;		/* method, target, and name and value of each field */
	const char *method, *target;
	size_t fields;			/* where those begin */
	bool chunked;
	uint64_t length;		/* Content-Length; 0 without one */
	bool ready, suspended;		/* the answer may be sent; it, or more of it, is awaited */
	bool one;			/* it is of HTTP/1.1, not 1.0 */
	bool last, sent;		/* of its connection; its answer is on its way */
	bool watched;			/* calls->left is called once its client has ended */
	bool upload;			/* its body goes to a file */
	uint64_t counted, bytes_out;	/* bytes of its body, of its answer's body */
	const struct reply *reply;	/* that is sent, ... */
	uint64_t at, size;		/* ... as far as that; bytes of it */
};

struct reply {				/* the answer to a message */
	unsigned status;
	struct lh_buf body;		/* in memory, unless ... */
	ssize_t (*read)(void *message, uint64_t at, char *to, size_t max);	/* ... this ... */
	bool in_file;
	int file;			/* ... or this file has it ... */
	uint64_t size;			/* ... and this many bytes of it */
	const char *type;		/* Content-Type; NULL: JSON; "": none */
	const char *cache;		/* Cache-Control; NULL: no-store */
	char allow[64], etag[160];	/* headers, or "" */
	unsigned retry;			/* Retry-After of a 503; 0: a second */
	bool coded;			/* it is refused for its coding */
};

struct http_field {
	const char *name, *value;	/* value NULL: it is not sent */
};

struct http_calls {
	size_t size;			/* of a request, which is all zero at first */
	void (*begin)(struct message *m);
	/* Take a part of the body; false: the rest is not wanted, and the answer is ready. */
	bool (*more)(struct message *m, const char *p, size_t n);
	void (*complete)(struct message *m);
	/* Answer, by http_send. */
	void (*send)(struct message *m);
	/* The client of a message that is watched has ended. */
	void (*left)(struct message *m);
	/* Free what the request holds.  status: why it was not answered; 0: it was. */
	void (*over)(struct message *m, unsigned status);
	/* Note n bytes that never were a request. */
	void (*lost)(struct connections *all, const struct sockaddr *address, unsigned status,
		     uint64_t n);
};

/* Accept those who wait at a struct listener; at all, and look at each connection once more. */
void http_accept(struct lh_watch *listener, uint32_t events);
void http_drain(struct connections *all);
/* Do some of what there is to do; end. */
void http_run(struct connections *all);
void http_stop(struct connections *all);
/* Close connections that are too slow, or have ended; called each second. */
void http_sweep(struct connections *all, double now);
/* Step from a field of the header to the next, from one that is all zero. */
bool http_next(const struct message *m, struct http_field *f);
/* Return the value of the first field with that name, or NULL; how many there are. */
static inline const char *http_field(const struct message *m, const char *name)
{
	struct http_field f = { 0 };

	while (http_next(m, &f))
		if (!strcasecmp(f.name, name))
			return f.value;
	return NULL;
}
static inline unsigned http_count(const struct message *m, const char *name)
{
	struct http_field f = { 0 };
	unsigned n = 0;

	while (http_next(m, &f))
		n += !strcasecmp(f.name, name);
	return n;
}
static inline bool has_body(const struct message *m)
{
	return m->chunked || m->length;
}

/* Send the answer, with fields up to one without a name.  It stays until the message is over. */
void http_send(struct message *m, const struct reply *reply, const struct http_field *field);
/* Go on with a message that is suspended, if it is: it is ready, or there is more to send. */
void http_resume(struct message *m);

#endif
