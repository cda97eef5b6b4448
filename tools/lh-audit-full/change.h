/*
 * change.h - by how much one number differs from another, exactly.
 *
 * Both are numbers as JSON writes them, of up to CHANGE_PLACES digits before
 * and behind the point; nothing is rounded on the way, so what is said of a
 * change is true of the digits on file.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include <lh/json.h>

#define CHANGE_PLACES 512
#define CHANGE_WIDTH (1 + 2 * CHANGE_PLACES)	/* the one is a sum's carry */

/* A number with its point in the middle. */
struct fixed {
	bool negative, zero;
	unsigned char digit[CHANGE_WIDTH];
};

/* Read the checked number p..p+n; false: it has digits further out. */
bool fixed_read(struct fixed *f, const char *p, size_t n);

/* (to - from) / from as whole digits, a point, and more digits. */
struct change {
	bool negative;
	bool more;		/* it does not end there */
	size_t whole, n;
	unsigned char digit[CHANGE_WIDTH + 2 * CHANGE_PLACES + 64];
};

/* from is not zero. */
void change_of(struct change *c, const struct fixed *from, const struct fixed *to);

/* Is it more than a fifth, either way? */
bool change_is_large(const struct change *c);

/* "+583.3%": one decimal, halves away from zero; a fall that rounds to nothing
 * is -0.0%. */
void change_percent(struct lh_buf *out, const struct change *c);

/* The nearest double; false when there is none. */
bool change_double(const struct change *c, double *out);

#endif
