/* utf8.c - validate UTF-8.  See utf8.h and lh/str.h. */
#include <string.h>

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

/* Return whether Windows-1252, and so Latin-1, has this byte.  þ and ÿ are left out: they are
 * rare in texts, and frequent in what is none. */
static bool in_windows_1252(unsigned char c)
{
	return c < 0xfe && !memchr("\x81\x8d\x8f\x90\x9d", c, 5) &&
	       (c >= ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Of two bytes that could begin a character of UTF-8 the text is more likely damaged UTF-8.
 * In the languages that Latin-1 serves there are hardly three such letters in a row. */
const char *lh_utf8_advice(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p, *to = (const unsigned char *)end;
	size_t run = 0, longest = 0;
	bool any = false;

	for (; s < to; s++) {
		if (!in_windows_1252(*s) ||
		    (*s >= 0xc0 && s + 1 < to && s[1] >= 0x80 && s[1] < 0xc0))
			return "";
		any |= *s >= 0xc0 || (*s >= 0x80 && *s < 0xa0);	/* a letter; quotes and the euro */
		run = *s >= 0xc0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return !any ? "" : longest < 3
	       ? ", looks like Latin-1 (iconv -f WINDOWS-1252 -t UTF-8 converts it)"
	       : ", looks like another encoding (iconv -f ENCODING -t UTF-8 converts it)";
}
