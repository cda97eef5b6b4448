/*
 * query_weights - the weights of a query's terms, from a table in a file: one JSON object, term
 * to weight, as encoders of learned sparse documents come with one for queries.
 *
 *     q = lh_query_weights_open("idf.json", err);
 *     rc = lh_query_weights_read(q, text, &terms, err);
 *     ... terms.v[0..terms.n) ...
 *     lh_query_terms_free(&terms);
 *     lh_query_weights_free(q);
 *
 * A text is cut as WordPiece does it (tokenizer.h), with the terms of the table as vocabulary: a
 * piece that does not begin a word is written with "##" in front.  Of a word with a part that
 * is no term, nothing is left.  Terms of weight 0 take part in the cutting only.
 *
 * Owner:   terms point into the table.
 * Errors:  LH_EIO with the path, also for what is no such table; LH_ENOMEM.
 * Threads: any number may read one table, each with its own terms.
 */
#ifndef LH_QUERY_WEIGHTS_H
#define LH_QUERY_WEIGHTS_H

#include "lexical/weights.h"

struct lh_query_weights;
struct lh_query_weights *lh_query_weights_open(const char *path, struct lh_err *err);
void lh_query_weights_free(struct lh_query_weights *q);

struct lh_query_terms {		/* a zeroed struct is empty */
	struct lh_weighted *v;	/* different ones */
	size_t n, cap;
	uint32_t *piece;	/* scratch */
	size_t cap_pieces;
};
/* Replace *to by the terms of a text (UTF-8). */
int lh_query_weights_read(const struct lh_query_weights *q, struct lh_str text,
			  struct lh_query_terms *to, struct lh_err *err);
void lh_query_terms_free(struct lh_query_terms *t);

#endif
