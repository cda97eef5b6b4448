/*
 * tokens - the words of a text, folded: small letters without diacritics, and each
 * character of a script without spaces as a word of its own.
 *
 *     struct lh_tokens in;
 *     struct lh_token t;
 *
 *     lh_tokens_init(&in, text, n);
 *     while (lh_tokens_next(&in, &t)) ...
 *
 * lh-hash-v1(7) specifies it, and the model of that name depends on each detail.
 */
#ifndef LH_TOKENS_H
#define LH_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#define LH_TOKEN_CHARS 64	/* a longer word is cut into several */
#define LH_TOKEN_MAX (LH_TOKEN_CHARS + 2)	/* its last letter may fold to three */
#define LH_TOKEN_BYTES (4 * LH_TOKEN_MAX)
#define LH_TOKEN_PAD 24		/* zero bytes after the word */

struct lh_token {
	unsigned char s[LH_TOKEN_BYTES];
	unsigned len, chars;
	bool solo;		/* one character of a script without spaces, ... */
	bool joined;		/* ... which touches the one before it */
	bool name;		/* capitalised, and not the first word of a sentence */
	bool value;		/* comes after a label and its colon */
	bool open;		/* directly after white space, or at the start, ... */
	bool spaced;		/* ... and the gap to the token before is white space only */
};

struct lh_tokens {
	const unsigned char *p, *end;
	unsigned char before;	/* the last byte that was not white space */
	bool joined, value;
	bool space, other;	/* the gap so far: ends in white space; has other characters */
};

/* Start with n bytes of valid UTF-8, which must stay unchanged. */
static inline void lh_tokens_init(struct lh_tokens *in, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;

	*in = (struct lh_tokens){ .p = p, .end = p + n, .space = true };
}

/* Set *t to the next token; false at the end. */
bool lh_tokens_next(struct lh_tokens *in, struct lh_token *t);

/* Return whether the token consists of the digits 0 to 9. */
static inline bool lh_token_is_number(const struct lh_token *t)
{
	unsigned n = t->len;

	while (n && t->s[n - 1] >= '0' && t->s[n - 1] <= '9')
		n--;
	return n == 0;
}

/* Cut English endings off a folded word of a to z, in place; return the new length. */
unsigned lh_token_stem(unsigned char *w, unsigned n);

/* Add the words of a text that are to be marked in others: as they are folded, without their
 * English endings, and of three letters or more. */
struct lh_intern;
void lh_marked_add(struct lh_intern *marked, const char *text);
/* Find the next of them in a text, and set *len to its bytes; n: there is none. */
size_t lh_marked_word(const struct lh_intern *marked, const char *p, size_t n, size_t *len);

#endif
