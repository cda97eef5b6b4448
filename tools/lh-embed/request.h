/*
 * A record as the texts it asks for, and the answer to it.
 *
 *     request_open(&rq, e, rec, err)
 *     while ((more = request_next(&rq, &scratch, &text, err)) > 0) ...
 *     answer_open(out, &rq);
 *     answer_vector(out, &rq, v, dimension);     once per text
 *     answer_close(out, &rq, dimension, model);
 *
 * A record with the text field (or any record, under --template) gives one
 * text and is answered by itself plus three fields; {"texts":[...]} is
 * answered by the reply alone.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "embed.h"

struct request {
	const struct embed *e;
	const struct lh_record *rec;
	bool many;		/* {"texts":[...]} */
	bool done;		/* the one text was given */
	struct lh_iter it;	/* over the many */
	const struct lh_value *model;	/* that a request asked for, or NULL */
	size_t read, written;	/* texts, vectors */
};

int request_open(struct request *rq, const struct embed *e, const struct lh_record *rec, struct lh_err *err);

/* 1 with the next text (its bytes may lie in scratch, which is appended to),
 * 0 after the last, -1 when the record is bad. */
int request_next(struct request *rq, struct lh_buf *scratch, struct lh_str *text, struct lh_err *err);

void answer_open(struct lh_buf *out, struct request *rq);
void answer_vector(struct lh_buf *out, struct request *rq, const float *v, size_t dimension);
void answer_close(struct lh_buf *out, struct request *rq, size_t dimension, const char *model);

#endif
