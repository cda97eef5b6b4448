/*
 * request.h - read the texts of a record, and write the answer.
 *
 *     request_open(&rq, e, rec, err)
 *     while ((more = request_next(&rq, &scratch, &text, err)) > 0) ...
 *     answer_open(out, &rq);
 *     answer_vector(out, &rq, v, dimension);     once per text
 *     answer_close(&rq, dimension, model, &errors);
 *
 * A record with the text field (or any record, with --template) has one text; the
 * answer is the record with three members added.  The answer to {"texts":[...]} is
 * a new object.  Where each token has a vector, the record has "vectors".  With
 * "partial":true, a text that failed has null among the vectors, and an element of
 * "errors": index, code, message, and whether an upstream failed or only that text is
 * at fault.
 *
 * With --wire there are only requests, and their answers have no request id.  One with
 * {"op":"stats"} has no texts; it is answered by answer_stats.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "embed.h"
#include "json/bind.h"
#include "json/write.h"

struct request {
	const struct embed *e;
	const struct lh_record *rec;
	const char *op;		/* "stats", or NULL */
	bool many;		/* {"texts":[...]} */
	bool partial;
	bool done;		/* the one text was returned */
	struct lh_iter it;	/* over the many */
	struct lh_value texts;
	struct lh_value model;	/* of the request; p NULL: none */
	struct lh_value id;	/* of --id-field; p NULL: none */
	size_t read, written;	/* texts read, vectors written */
	struct lh_str trace;	/* n = 0: none; ... */
	bool own_trace;		/* ... or the record's own, which stays in it */
	struct lh_writer to;	/* the answer, from answer_open to answer_close */
};

/* Of {"texts":[...]} with --wire, of {"op":"stats"}. */
extern const struct lh_bind wire_members[], op_members[];

/* Open a record.  Its request id may be appended to scratch. */
int request_open(struct request *rq, const struct embed *e, const struct lh_record *rec,
		 struct lh_buf *scratch, struct lh_err *err);

/* Read the next text (its bytes may be in scratch, which is appended to): 1; 0 after
 * the last; -1 when the record is bad; 2 when the record is partial and this text is
 * bad.  *err is set for the last two. */
int request_next(struct request *rq, struct lh_buf *scratch, struct lh_str *text,
		 struct lh_err *err);

/* Write the use of the cache in memory, which holds so many vectors. */
void answer_stats(struct lh_buf *out, const struct embed *run, uint64_t hits, uint64_t misses,
		  uint64_t size);

void answer_open(struct lh_buf *out, struct request *rq);
void answer_vector(struct lh_buf *out, struct request *rq, const float *v, size_t dimension);
/* Write null in place of a vector, and the error to errors, for answer_close. */
void answer_error(struct request *rq, const struct lh_err *why, struct lh_buf *errors);
void answer_close(struct request *rq, size_t dimension, const char *model,
		  const struct lh_buf *errors);

#endif
