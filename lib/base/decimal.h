/*
 * decimal - the shortest decimal of a float, before it is written; not
 * installed.  Schubfach (Raffaello Giulietti, 2020) after Alexander Bolz's
 * C++ rendering.
 */
#ifndef LH_DECIMAL_H
#define LH_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "eight digits are laid out in one little-endian word"
#endif

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

/* v < 10^8 as eight digit values, the first in the lowest byte: halves, then
 * pairs, then digits, each split by a multiplication in all lanes at once. */
static inline uint64_t lh_eight_digits(uint64_t v)
{
	uint64_t hi = v / 10000, x = hi | (v - hi * 10000) << 32, q;

	q = (x * 10486 >> 20) & 0x0000007f0000007full;
	x = q | (x - q * 100) << 16;
	q = (x * 103 >> 10) & 0x000f000f000f000full;
	return q | (x - q * 10) << 8;
}

#endif
