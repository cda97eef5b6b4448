/*
 * lh_decimal - the shortest decimal of a float, before it is written; not
 * installed.  Schubfach (Raffaello Giulietti, 2020) after Alexander Bolz's
 * C++ rendering.
 */
#ifndef LH_DECIMAL_H
#define LH_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* digit[0].digit[1]digit[2]... * 10^e, n digits that neither begin nor end
 * with 0; zeros follow them in text. */
struct lh_decimal {
	char digit[24];
	int n, e;
};

/* v is finite, positive and not zero. */
void lh_f32_decimal(struct lh_decimal *d, float v);
void lh_f64_decimal(struct lh_decimal *d, double v);

/* The digits of m * 10^k, 0 < m < 10^17. */
void lh_decimal_set(struct lh_decimal *d, uint64_t m, int k);

/* Write it in the shorter of fixed and scientific notation: the length.  to
 * has 48 bytes. */
size_t lh_decimal_print(char *to, const struct lh_decimal *d);

#endif
