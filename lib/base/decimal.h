/*
 * decimal - the shortest decimal of a float, as digits and exponent.
 *
 * Schubfach (Raffaello Giulietti, 2020) after Alexander Bolz's C++ version.
 */
#ifndef LH_DECIMAL_H
#define LH_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "eight digits are laid out in one little-endian word"
#endif

/* digit[0].digit[1]digit[2]... * 10^e: n digits that neither begin nor end with 0;
 * zero bytes follow them in text. */
struct lh_decimal {
	char digit[24];
	int n, e;
};

/* Compute the shortest decimal of v, which is finite and positive. */
void lh_f64_decimal(struct lh_decimal *d, double v);

/* Split v < 10^8 into eight digit values, the first in the lowest byte: into
 * halves, then pairs, then digits, each by one multiplication in all lanes. */
static inline uint64_t lh_eight_digits(uint64_t v)
{
	uint64_t hi = v / 10000, x = hi | (v - hi * 10000) << 32, q;

	q = (x * 10486 >> 20) & 0x0000007f0000007full;
	x = q | (x - q * 100) << 16;
	q = (x * 103 >> 10) & 0x000f000f000f000full;
	return q | (x - q * 10) << 8;
}

#endif
