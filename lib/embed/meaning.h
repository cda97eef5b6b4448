/*
 * meaning - the table of word pieces of hash-v4, mapped once for all threads of a process.
 *
 *     m = lh_meaning_open(err);
 *     n = lh_meaning_pieces(m, word, length, pieces);
 *     lh_meaning_add(m, pieces, n, sum);
 *
 * A piece is a row of LH_MEANING_VALUES small integers and their factor, so that sums are
 * exact.  lh-hash-v4(7) states the file.  Its checksum is part of the recipe: another file
 * is refused, wherever it was found.
 */
#ifndef LH_MEANING_H
#define LH_MEANING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LH_MEANING_VALUES 256

struct lh_meaning;

/* Return the table, which stays mapped until the process ends.  LH_EUSAGE when it is not
 * there, or is not that of hash-v4. */
const struct lh_meaning *lh_meaning_open(struct lh_err *err);

/* Set path to the file where the table is found; false if there is none. */
bool lh_meaning_path(char *path, size_t room);

/* Set at[] to the pieces of a folded word of n bytes, which has room for n; return how many. */
unsigned lh_meaning_pieces(const struct lh_meaning *m, const unsigned char *word, unsigned n,
			   uint16_t *at);

/* Add the rows of n pieces to the LH_MEANING_VALUES sums. */
void lh_meaning_add(const struct lh_meaning *m, const uint16_t *at, unsigned n, int64_t *sum);

#endif
