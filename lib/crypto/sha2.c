/* sha2.c - SHA-256, two messages at a time.  See sha2.h. */
#include "sha2.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define SHA __attribute__((target("sha,sse4.1")))
#define CPUID_SHA (1u << 29)		/* leaf 7, ebx */

static const uint32_t k[64] __attribute__((aligned(16))) = {	/* FIPS 180-4, 4.2.2 */
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static bool detect(void)
{
	const char *bound = getenv("LH_KERNEL");
	unsigned a, b, c, d;

	if (bound && strcmp(bound, "portable") == 0)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & CPUID_SHA && __builtin_cpu_supports("sse4.1");
}

bool lh_sha2_can(void)
{
	static int known;	/* 0: not yet */
	int can = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (!can) {
		can = detect() ? 1 : 2;
		__atomic_store_n(&known, can, __ATOMIC_RELAXED);
	}
	return can == 1;
}

/* The instructions keep the state as two vectors, abef and cdgh. */
struct lane {
	__m128i abef, cdgh, w[4];
};

static SHA inline void load(struct lane *l, const uint32_t *s)
{
	__m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)s), 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(s + 4)), 0x1b);

	l->abef = _mm_alignr_epi8(badc, hgfe, 8);
	l->cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
}

static SHA inline void store(const struct lane *l, uint32_t *s)
{
	__m128i feba = _mm_shuffle_epi32(l->abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(l->cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)s, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(s + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Rounds 4g to 4g + 3; the words of the message for them come first. */
static SHA inline void rounds(struct lane *l, const unsigned char *p, int g)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i *w = l->w, m;

	if (g < 4)
		w[g] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + g), swap);
	else
		w[g & 3] = _mm_sha256msg2_epu32(
			_mm_add_epi32(_mm_sha256msg1_epu32(w[g & 3], w[(g + 1) & 3]), _mm_alignr_epi8(w[(g + 3) & 3], w[(g + 2) & 3], 4)),
			w[(g + 3) & 3]);
	m = _mm_add_epi32(w[g & 3], _mm_load_si128((const __m128i *)k + g));
	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, m);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(m, 0x0e));
}

SHA void lh_sha2_blocks(uint32_t *const state[2], const unsigned char *const p[2], size_t n)
{
	struct lane a, b, a0, b0;
	size_t i;
	int g;

	load(&a, state[0]);
	load(&b, state[1]);
	for (i = 0; i < n; i++) {
		a0 = a;
		b0 = b;
#pragma GCC unroll 16
		for (g = 0; g < 16; g++) {
			rounds(&a, p[0] + 64 * i, g);
			rounds(&b, p[1] + 64 * i, g);
		}
		a.abef = _mm_add_epi32(a.abef, a0.abef);
		a.cdgh = _mm_add_epi32(a.cdgh, a0.cdgh);
		b.abef = _mm_add_epi32(b.abef, b0.abef);
		b.cdgh = _mm_add_epi32(b.cdgh, b0.cdgh);
	}
	store(&a, state[0]);
	store(&b, state[1]);
}
#else
bool lh_sha2_can(void)
{
	return false;
}

void lh_sha2_blocks(uint32_t *const state[2], const unsigned char *const p[2], size_t n)
{
	(void)state, (void)p, (void)n;
}
#endif
