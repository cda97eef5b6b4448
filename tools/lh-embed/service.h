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

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "crypto/secret.h"
#include "embed.h"
#include "json/write.h"
#include "model/http.h"

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

/* ---- the models of a run ---- */

/*
 * Owner:   models live until models_free.
 * Threads: any number.
 */

/* A model and the dimension of its vectors. */
struct model {
	char *name;
	char *space;			/* prefix of its keys in the caches: what makes its
					 * vectors, and its name */
	atomic_size_t dimension;	/* 0 until the first answer */
	atomic_bool from_file;		/* it was learned from a vector of --cache */
	struct model *next;
};

struct models {
	char *by;			/* what makes the vectors: engine and settings */
	pthread_mutex_t lock;
	struct model *first;		/* grows under lock */
};

/* Set what makes the vectors. */
void models_init(struct models *ms, const struct embed *e);
void models_free(struct models *ms);

/* Find or add the model of that name. */
struct model *models_find(struct models *ms, const char *name, size_t n);

#endif
