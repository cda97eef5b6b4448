/* regex_translate - a pattern of ECMA-262 with the flag u as one of PCRE2. */
#ifndef LH_REGEX_TRANSLATE_H
#define LH_REGEX_TRANSLATE_H

#include <lh/buf.h>

struct lh_translation {
	struct lh_buf out;	/* for PCRE2_UTF | PCRE2_MATCH_UNSET_BACKREF */
	size_t until;		/* a byte of out ... */
	size_t column;		/* ... and the byte of the pattern that it is from, from 1 */
	uint32_t least;		/* the largest number of repetitions that one atom needs */
	bool refers;		/* the pattern has a back reference */
};

/* Translate the pattern of n bytes, after which a NUL is: 0, or -1 with LH_EDATA and err->column,
 * as lh_regex_new. */
int lh_regex_translate(struct lh_translation *t, const char *pattern, size_t n,
		       struct lh_err *err);

#endif
