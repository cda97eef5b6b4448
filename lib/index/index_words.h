/*
 * index_words - the inverted index of an index's rows, for those who write
 * it.  Not for callers.
 */
#ifndef LH_INDEX_WORDS_H
#define LH_INDEX_WORDS_H

#include "index_parts.h"

/* The inverted index of rows whose metadata are handed out by meta, made in b:
 * *out points into that. */
int lh_index_lexical_build(const struct lh_index_params *p,
			   struct lh_str (*meta)(const void *ctx, uint64_t row), const void *ctx,
			   uint64_t rows, struct lh_lexical_build *b, struct lh_lexical *out,
			   struct lh_err *err);

#endif
