/*
 * A record as the texts it asks for, and the answer to it.
 *
 *     request_open(&rq, e, rec, err)
 *     while ((more = request_next(&rq, &scratch, &text, err)) > 0) ...
 *     answer_open(out, &rq);
 *     answer_vector(out, &rq, v, dimension);     once per text
 *     answer_close(out, &rq, dimension, model, &errors);
 *
 * A record with the text field (or any record, under --template) gives one
 * text and is answered by itself plus three fields; {"texts":[...]} is
 * answered by the reply alone.  With "partial":true a text of those that cannot be
 * had is null among the vectors, and "errors" says why: index, code, message, and
 * whether an upstream failed or that text alone is bad.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "embed.h"

struct request {
	const struct embed *e;
	const struct lh_record *rec;
	bool many;		/* {"texts":[...]} */
	bool partial;
	bool done;		/* the one text was given */
	struct lh_iter it;	/* over the many */
	const struct lh_value *model;	/* that a request asked for, or NULL */
	size_t read, written;	/* texts, vectors */
	struct lh_str trace;	/* n = 0: none, ... */
	bool own_trace;		/* ... else the record's own, which it keeps */
};

/* Its trace id may be appended to scratch. */
int request_open(struct request *rq, const struct embed *e, const struct lh_record *rec, struct lh_buf *scratch, struct lh_err *err);

/* 1 with the next text (its bytes may lie in scratch, which is appended to),
 * 0 after the last, -1 when the record is bad, 2 when it is partial and this text
 * is bad: err says why. */
int request_next(struct request *rq, struct lh_buf *scratch, struct lh_str *text, struct lh_err *err);

void answer_open(struct lh_buf *out, struct request *rq);
void answer_vector(struct lh_buf *out, struct request *rq, const float *v, size_t dimension);
/* In place of a vector; the error goes to errors, which is for answer_close. */
void answer_error(struct lh_buf *out, struct request *rq, const struct lh_err *why, struct lh_buf *errors);
void answer_close(struct lh_buf *out, struct request *rq, size_t dimension, const char *model, const struct lh_buf *errors);

#endif
