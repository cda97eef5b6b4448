/*
 * texts - where texts begin in bytes.
 *
 *     struct lh_texts *t = lh_texts_new(text, n, err);
 *     lh_texts_find(t, p, n, on_text, ctx);
 *     lh_texts_free(t);
 *
 * A text counts without a letter, a digit, "_" or "-" of its script beside it; in scripts that
 * have no blanks between words, a text of two characters or more counts anywhere.
 * With fold it is compared by its
 * signs (text/spelling.h), "First Last" is found as "Last, First" too and the other way round, and
 * a text that is a telephone number is found by its digits alone, whatever separates them, with
 * its country or as it is dialled there (text/telephone.h).
 *
 * Threads: any number may find in one struct.
 */
#ifndef LH_TEXTS_H
#define LH_TEXTS_H

#include "base/buf.h"
#include "base/str.h"

#define LH_TEXT_DIGITS 7
#define LH_TEXT_MAX 4096		/* bytes of a text */
#define LH_TEXT_LEAST 4		/* without --short */

struct lh_needle {
	struct lh_str text;
	size_t number;		/* for the caller: several may have the same */
	bool fold;
	bool id;		/* no telephone number, though it may look like one */
};
struct lh_texts;

enum lh_text_kind { LH_TEXT_NAME, LH_TEXT_EMAIL, LH_TEXT_TELEPHONE, LH_TEXT_KINDS };
/* Append what a text of fold is compared by, so that two that are found in the same places have the
 * same: the last digits of a telephone number, else its signs in UTF-8, of "Last, First" those of
 * "First Last"; and set its kind. */
void lh_needle_normal(const struct lh_needle *text, struct lh_buf *out, enum lh_text_kind *kind);

/* LH_EDATA: a text is empty, too long, or has blanks alone. */
struct lh_texts *lh_texts_new(const struct lh_needle *text, size_t n, struct lh_err *err);

void lh_texts_free(struct lh_texts *t);

/* Take a text that begins at p[at]; it may be that of the caller, or is it. */
enum lh_text_how { LH_TEXT_SURE, LH_TEXT_PERHAPS };
typedef void lh_texts_fn(void *ctx, size_t number, size_t at, size_t len, enum lh_text_how how);
void lh_texts_find(const struct lh_texts *t, const unsigned char *p, size_t n, lh_texts_fn *fn,
		   void *ctx);

/* Return whether two texts are one telephone number, or may be. */
bool lh_texts_one_telephone(struct lh_str a, struct lh_str b);

/* Return the most bytes of a text as it may be written. */
size_t lh_texts_longest(const struct lh_texts *t);

/* Set *out to a text without its escapes of JSON (sign '\\') or percent-encoding (sign '%'). */
void lh_text_unescape(struct lh_str s, char sign, struct lh_buf *out);

#endif
