/*
 * num_round - decimal to single precision with one multiplication.
 *
 * w * 10^e is w times the upper 64 bits of the power.  The upper half of the
 * product is within two units of the exact value, so it decides the rounding unless
 * the bits below a float's 24 are that close to one half.  Those (about one in
 * 10^10) are left to the caller's slow path.
 */
#ifndef LH_NUM_ROUND_H
#define LH_NUM_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pow10.h"

/* Round w * 10^e to the bits of a float without its sign; false if this
 * multiplication does not decide it. */
static inline bool lh_round_f32(uint64_t w, int64_t e, uint32_t *bits)
{
	const uint64_t *pow;
	uint64_t hi, half, low;
	uint32_t zero = w == 0;		/* many elements are: no branch */
	int lz, up, exp;

	*bits = 0;
	if (__builtin_expect(e < -64 || e > 40, 0))
		return zero;
	w |= zero;
	pow = lh_pow10((int)e);
	lz = __builtin_clzll(w);
	hi = (uint64_t)((unsigned __int128)(w << lz) * (pow[0] + (pow[1] != 0)) >> 64);
	up = (int)(hi >> 63);
	exp = lh_log2_pow10((int)e) + 63 - lz + up + 127;
	half = 1ull << (38 + up);
	low = hi & (2 * half - 1);
	if (__builtin_expect(exp < 1 || exp > 253 || low - half + 2 <= 4, 0))
		return false;
	*bits = (((uint32_t)exp << 23) + (uint32_t)((hi + half) >> (39 + up)) - 0x800000) &
		(zero - 1);
	return true;
}

/* Read plain numbers (a digit, perhaps a point and digits) from p, which is at one
 * in an array that began at from, until something else follows; return where that
 * begins.  *n counts the elements of out, those already there included. */
const char *lh_f32s_avx2(const char *p, const char *from, const char *end, float *out, size_t max,
			 size_t *n);

#endif
