/*
 * service.h - calls of services, shared by their engines: JSON out, JSON in, vectors
 * checked one by one.
 *
 *     service_init(&s, e, err)
 *     w = service_body(&s, call);
 *     lh_write_array(&w, "input");
 *     service_texts(&w, call);
 *     lh_write_end(&w);
 *     lh_write_end(&w);
 *     rc = service_call(&s, &(struct service_call){ url, call, read_it }, out, &status, err);
 *     service_free(&s);
 *
 * Messages about an answer name the URL and quote the first bytes of the answer, in
 * which the key is replaced by "***".
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "json/write.h"
#include "embed.h"
#include "model/http.h"
#include "crypto/secret.h"

struct service {
	struct embed *e;
	struct lh_http *http;
	struct lh_record json;
	struct lh_buf body;	/* of the request */
	const struct lh_secret *key;	/* for the Authorization header; NULL: none */
	size_t dimension;	/* of the vectors of this answer; 0: none read yet */
};

struct service_call {
	const char *url;
	const struct call *call;	/* as many vectors as texts are expected */
	/* Append the vectors to out; an error of the answer goes to why. */
	int (*read)(struct service *s, const struct service_call *call, const struct lh_value *root,
		    struct lh_buf *out, struct lh_err *why);
};

int service_init(struct service *s, struct embed *e, const struct lh_secret *key,
		 struct lh_err *err);
void service_free(struct service *s);

/* Check the settings that all services have. */
int service_check(struct embed *e);

/* Join base, without trailing slashes, and path; freed by the caller. */
char *service_url(const char *base, const char *path);

/* Begin a body: an object with the model. */
struct lh_writer service_body(struct service *s, const struct call *call);
/* Write the texts as elements of an array. */
void service_texts(struct lh_writer *w, const struct call *call);

/* POST the body.  *status is that of the answer, 0 without one. */
int service_call(struct service *s, const struct service_call *call, struct lh_buf *out,
		 long *status, struct lh_err *err);

/* Append the i-th vector (from 1) after checking its dimension, which for a model is
 * that of its first good answer. */
int service_vector(struct service *s, const struct model *m, const struct lh_value *v, size_t i,
		   struct lh_buf *out, struct lh_err *why);

#endif
