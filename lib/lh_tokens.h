/*
 * lh_tokens - the words of a text, folded: small letters without diacritics,
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
};

struct lh_tokens {
	const unsigned char *p, *end;
	unsigned char before;	/* the last byte that was not white space */
	bool joined, value;
};

/* n bytes of valid UTF-8, which must stay. */
static inline void lh_tokens_init(struct lh_tokens *in, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;

	*in = (struct lh_tokens){ .p = p, .end = p + n };
}

/* False at the end. */
bool lh_tokens_next(struct lh_tokens *in, struct lh_token *t);

/* Cut English endings off a folded word of a to z, in place; the new length. */
unsigned lh_token_stem(unsigned char *w, unsigned n);

#endif
