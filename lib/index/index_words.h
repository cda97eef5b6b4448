/*
 * index_words - build the inverted index of an index's rows.  Private to lib/index.
 */
#ifndef LH_INDEX_WORDS_H
#define LH_INDEX_WORDS_H

#include "index_parts.h"

/* Build the inverted index of rows 0..rows, whose metadata the callback meta returns.
 * *out points into b. */
int lh_index_lexical_build(const struct lh_index_params *p,
			   struct lh_str (*meta)(const void *ctx, uint64_t row), const void *ctx,
			   uint64_t rows, struct lh_lexical_build *b, struct lh_lexical *out,
			   struct lh_err *err);

#endif
