/*
 * What engines across a network have in common: JSON out, JSON in, vectors
 * checked one by one.
 *
 *     service_init(&s, e, err)
 *     service_body(&s, call, ",\"input\":[");
 *     service_texts(&s, call);
 *     lh_buf_puts(&s.body, "]}");
 *     rc = service_call(&s, &(struct service_call){ url, call, read_it }, out, &status, err);
 *     service_free(&s);
 *
 * Each message about an answer names the URL and quotes the first bytes of the
 * answer, with the key, should it stand there, as "***".
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "embed.h"
#include "model/http.h"
#include "crypto/secret.h"

struct service {
	struct embed *e;
	struct lh_http *http;
	struct lh_record json;
	struct lh_buf body;	/* of the request */
	struct lh_buf quote;
	const struct lh_secret *key;	/* for the Authorization header; NULL: none */
	size_t dimension;	/* of the vectors of this answer; 0: none was read */
};

struct service_call {
	const char *url;
	const struct call *call;	/* as many vectors as texts are wanted */
	/* Append them to out; what is wrong with the answer goes to why. */
	int (*read)(struct service *s, const struct service_call *call, const struct lh_value *root, struct lh_buf *out, struct lh_err *why);
};

int service_init(struct service *s, struct embed *e, const struct lh_secret *key, struct lh_err *err);
void service_free(struct service *s);

/* Do the settings that every service has suit? */
int service_check(struct embed *e);

/* base, less its trailing slashes, and path; the caller frees it. */
char *service_url(const char *base, const char *path, struct lh_err *err);

/* Begin a body: the model, and then member; the texts will follow. */
void service_body(struct service *s, const struct call *call, const char *member);
/* The texts, as elements of an array. */
void service_texts(struct service *s, const struct call *call);

/* POST the body.  *status is the answer's, 0 when there is none. */
int service_call(struct service *s, const struct service_call *call, struct lh_buf *out, long *status, struct lh_err *err);

/* Append the i-th vector (from 1), checked against the model's dimension, which is
 * that of the first answer that was good as a whole. */
int service_vector(struct service *s, const struct model *m, const struct lh_value *v, size_t i, struct lh_buf *out, struct lh_err *why);

#endif
