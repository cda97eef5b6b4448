/* utf8.c - validate UTF-8.  See utf8.h and lh/str.h. */
#include "cpu.h"
#include <lh/str.h>
#include "bits.h"
#include "utf8.h"

static bool tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Table 3-7 of the Unicode standard. */
size_t lh_utf8_len(const unsigned char *s, size_t left)
{
	unsigned char c = s[0];

	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (c < 0xe0)
		return left >= 2 && tail(s[1]) ? 2 : 0;
	if (c < 0xf0) {
		if (left < 3 || !tail(s[1]) || !tail(s[2]))
			return 0;
		return (c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ? 0 : 3;
	}
	if (left < 4 || !tail(s[1]) || !tail(s[2]) || !tail(s[3]))
		return 0;
	return (c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f) ? 0 : 4;
}

const char *lh_utf8_bad(const char *p, const char *end)
{
	size_t n;

#ifdef __x86_64__
	if (end - p >= 32 && lh_cpu() == LH_CPU_AVX2 && lh_utf8_valid_avx2(p, (size_t)(end - p)))
		return end;
#endif
	while (p < end) {
		if (end - p >= 8 && !(lh_load64(p) & 0x8080808080808080ull)) {
			p += 8;
		} else if (!(*p & 0x80)) {
			p++;
		} else {
			n = lh_utf8_len((const unsigned char *)p, (size_t)(end - p));
			if (!n)
				return p;
			p += n;
		}
	}
	return end;
}

bool lh_utf8_valid(const char *p, size_t n)
{
	return lh_utf8_bad(p, p + n) == p + n;
}
