/*
 * alike - signs, names and texts that a reader takes for the same.
 *
 *     if (lh_names_alike(&scratch, given, roster)) ...
 *
 * Two names are the same if their normal forms are the same bytes: their signs (spelling.h), with
 * no blank at either end and no soft hyphens; "Last, First" is "first last".
 *
 * Threads: no state.
 */
#ifndef LH_ALIKE_H
#define LH_ALIKE_H

#include <stdint.h>

#include <lh/buf.h>
#include <lh/str.h>

/* What a character is to a reader. */
enum lh_sign {
	LH_SIGN_OTHER,
	LH_SIGN_DIGIT,		/* a decimal digit of any script */
	LH_SIGN_HYPHEN,		/* a dash of any length, and the minus sign */
	LH_SIGN_BLANK,
	LH_SIGN_LINE_END,
	LH_SIGN_APOSTROPHE,
	LH_SIGN_NOTHING,	/* a soft hyphen, or another sign of no width */
};

enum lh_sign lh_sign_of(uint32_t c);

/* Append the normal form of valid UTF-8. */
void lh_name_normal(struct lh_buf *out, struct lh_str name);

/* Return whether two names have one form; a soft hyphen may also be a hyphen.  The scratch is
 * emptied first. */
bool lh_names_alike(struct lh_buf *scratch, struct lh_str a, struct lh_str b);

/* The same form for a text in which a name is searched: a comma moves nothing. */
void lh_text_normal(struct lh_buf *out, struct lh_str text);

/* Append valid UTF-8 in NFC, each run of white space as one blank, without white space at either
 * end and without signs of no width: two texts of which the same bytes are appended look the
 * same. */
void lh_text_plain(struct lh_buf *out, struct lh_str text);

#endif
