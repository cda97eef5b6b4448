/*
 * tokens - the words of a text, folded: small letters without diacritics,
 * and each character of a script without spaces as a word of its own.
 *
 *     struct lh_tokens in;
 *     struct lh_token t;
 *
 *     lh_tokens_init(&in, text, n);
 *     while (lh_tokens_next(&in, &t)) ...
 *
 * lh-hash-v1(7) states how, and the model of that name depends on each detail.
 * Private to liblh.
 */
#ifndef LH_TOKENS_H
#define LH_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#define LH_TOKEN_CHARS 64	/* a longer word is cut into several */
#define LH_TOKEN_MAX (LH_TOKEN_CHARS + 2)	/* its last letter may fold to three */
#define LH_TOKEN_BYTES (4 * LH_TOKEN_MAX)
#define LH_TOKEN_PAD 24		/* so many bytes are zero where there is no word */

struct lh_token {
	unsigned char s[LH_TOKEN_BYTES];
	unsigned len, chars;
	bool solo;		/* one character of a script without spaces, ... */
	bool joined;		/* ... which touches the one before it */
	bool name;		/* capitalised, but not as the first of a sentence is */
	bool value;		/* comes after a label and its colon */
	bool open;		/* directly after white space, or at the start, ... */
	bool spaced;		/* ... and nothing else lies between it and the token before */
};

struct lh_tokens {
	const unsigned char *p, *end;
	unsigned char before;	/* the last byte that was not white space */
	bool joined, value;
	bool space, other;	/* ends in white space; has something else: the gap so far */
};

/* n bytes of valid UTF-8, which must stay. */
static inline void lh_tokens_init(struct lh_tokens *in, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;

	*in = (struct lh_tokens){ .p = p, .end = p + n, .space = true };
}

/* False at the end. */
bool lh_tokens_next(struct lh_tokens *in, struct lh_token *t);

/* Of the digits 0 to 9 alone? */
static inline bool lh_token_is_number(const struct lh_token *t)
{
	unsigned n = t->len;

	while (n && t->s[n - 1] >= '0' && t->s[n - 1] <= '9')
		n--;
	return n == 0;
}

/* Cut English endings off a folded word of a to z, in place; the new length. */
unsigned lh_token_stem(unsigned char *w, unsigned n);

#endif
