/*
 * telephone.h - telephone numbers: what one says, when two are one, and where one is in bytes.
 * For texts.c, whose header says what is found.
 *
 * A number has several readings if it does not say its country: 0612345678 is 612345678 where a 0
 * is put before numbers, 12345678 in Hungary, and itself in Italy.  Two numbers are one if a
 * reading of each has the same national number, and nothing speaks against one country.
 */
#ifndef TELEPHONE_H
#define TELEPHONE_H

#include "text/spelling.h"
#include "text/texts.h"

#define LH_TELEPHONE_MAX 15		/* digits of a number with its country, ... */
#define LH_TELEPHONE_WRITTEN 18		/* ... and with what is dialled before that */
#define LH_TELEPHONE_NATIONAL 10	/* digits that are a number by themselves */

struct lh_telephone {
	unsigned n;
	bool plus;			/* before its digits */
	char digit[LH_TELEPHONE_WRITTEN];
};

/* Read a text that is a telephone number; false: it is none. */
bool lh_telephone_read(struct lh_str text, struct lh_telephone *t);

/* Return whether two numbers are one, or may be. */
bool lh_telephones_alike(const struct lh_telephone *a, const struct lh_telephone *b);

/* The numbers that are searched for. */
struct lh_telephones;
/* Add a number to *s, which is NULL at first. */
void lh_telephones_add(struct lh_telephones **s, const struct lh_telephone *t, size_t number);
void lh_telephones_free(struct lh_telephones *s);
/* Find the numbers in digits that begin at p[at], and return where these end. */
size_t lh_telephones_find(const struct lh_telephones *s, const unsigned char *p, size_t n,
			  size_t at, lh_texts_fn *fn, void *ctx);

/* ---- between telephone.c and telephone_find.c ---- */

struct lh_reading {
	uint64_t national;
	unsigned n;			/* digits of it */
	unsigned country;		/* its calling code; 0: none is named */
	unsigned char trunk;		/* what was before it, in a table */
	bool guessed;			/* the country is, from digits without a plus */
	bool sure;			/* the country and the length of the number agree */
	bool last;			/* it is the last ten digits of a number */
};
#define LH_TELEPHONE_READINGS 10

/* Set the readings of a number, and return how many there are. */
unsigned lh_telephone_readings(const struct lh_telephone *t, struct lh_reading *to);
enum lh_alike { LH_DIFFER, LH_MAY_BE_ALIKE, LH_ALIKE };
enum lh_alike lh_readings_alike(const struct lh_reading *a, const struct lh_reading *b);

#define LH_TELEPHONE_GAP 8		/* most characters between two digits of a number */

static inline bool lh_sign_is_digit(uint32_t sign)
{
	return sign >= '0' && sign <= '9';
}
/* Return whether a sign may be between digits of any number, ... */
bool lh_telephone_separates(uint32_t sign);
/* ... and of one that has all ten. */
bool lh_telephone_parts(uint32_t sign);

#endif
