/*
 * texts - where texts begin in bytes.  find and verify go by the same ones.
 *
 *     struct texts *t = texts_new(text, n, err);
 *     texts_find(t, p, n, on_text, ctx);
 *     texts_free(t);
 *
 * A text counts without a letter, a digit, "_" or "-" beside it.  With fold neither case counts nor
 * how accents are composed, and a text of telephone characters with TEXT_DIGITS digits is found by
 * its digits alone, whatever telephone characters are between them.
 *
 * Threads: any number may find in one struct.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include <lh/buf.h>
#include <lh/str.h>

#define TEXT_DIGITS 7
#define TEXT_MAX 4096		/* bytes of a text */
#define TEXT_LEAST 4		/* without --short */

struct text {
	struct lh_str text;
	size_t number;		/* for the caller: several may have the same */
	bool fold;
};
struct texts;

/* LH_EUSAGE: a text is empty or too long. */
struct texts *texts_new(const struct text *text, size_t n, struct lh_err *err);

/* Look for texts of which a file has only {"sha256","bytes"}, a line each: the hash and the
 * length of a text as it is.  Each word, or sequence of words, of such a length is hashed. */
struct texts *texts_of_hashes(const char *path, struct lh_err *err);
void texts_free(struct texts *t);

/* Take a text that begins at p[at]; joined: there is a word before it, so that it does not count
 * unless these bytes were decoded from some that end there. */
typedef void texts_fn(void *ctx, size_t number, size_t at, size_t len, bool joined);
void texts_find(const struct texts *t, const unsigned char *p, size_t n, texts_fn *fn, void *ctx);

/* Return the bytes of the shortest and of the longest text. */
size_t texts_shortest(const struct texts *t);
size_t texts_longest(const struct texts *t);
/* Return the bytes of a text; of one that is found by its hash, SIZE_MAX. */
size_t texts_length(const struct texts *t, size_t number);
/* Return the hash of a text that was found by it, LH_HASH_SIZE bytes. */
const void *texts_hash(const struct texts *t, size_t number);

#endif
