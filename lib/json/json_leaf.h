/*
 * json_leaf - scan white space, strings, numbers and words (everything but
 * containers).
 *
 * Included by the files that scan JSON.  A file that defines LH_BLOCK (bytes examined
 * together, at most LH_PAD) also defines block_look() and, in base/cpu.h, LH_TARGET (a
 * target attribute); without it strings are examined eight bytes at a time, on any CPU.
 * Bytes past the end may be read but never decide anything.
 */
#ifndef LH_BLOCK
#define LH_TARGET
#define LH_BLOCK 8

#define ONES 0x0101010101010101ull
#define TOPS 0x8080808080808080ull

/* Gather the top bit of each byte into one bit per byte, as the wider versions have
 * it. */
static inline uint64_t gather(uint64_t v)
{
	return ((v & TOPS) >> 7) * 0x0102040810204080ull >> 56;
}

/* Set the top bit of each byte that is zero; exact, no borrow runs between bytes. */
static inline uint64_t zeroes(uint64_t v)
{
	return ~(((v & ~TOPS) + ~TOPS) | v) & TOPS;
}

static inline struct lh_look block_look(const char *p)
{
	uint64_t v = lh_load64(p), stop;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	stop = zeroes(v ^ ONES * '"') | zeroes(v ^ ONES * '\\') | zeroes(v & ONES * 0xe0);
	return (struct lh_look){ gather(stop), gather(v) };
}
#endif

static LH_TARGET inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static LH_TARGET inline const char *skip_space(const char *p, const char *end)
{
	p += p < end && *p == ' ';
	if (likely((unsigned char)*p > ' '))
		return p;
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* p is after a string's opening quote; return the byte after its closing quote, or
 * NULL. */
static LH_TARGET inline __attribute__((always_inline)) const char *
scan_string(struct lh_scan *s, const char *p, const char *end, bool *escaped)
{
	const char *q = p, *bad;
	uint64_t high = 0;

	*escaped = false;
	for (;;) {
		struct lh_look l = block_look(q);

		if (!l.stop) {
			high |= l.high;
			q += LH_BLOCK;
			if (unlikely(q >= end))
				return lh_scan_fail(s, end, "unexpected end of line");
			continue;
		}
		high |= l.high & ((l.stop & -l.stop) - 1);
		q += __builtin_ctzll(l.stop);
		if (unlikely(q >= end))
			return lh_scan_fail(s, end, "unexpected end of line");
		if (likely(*q == '"'))
			break;
		if (*q != '\\')
			return lh_scan_fail(s, q, "control character in string");
		*escaped = true;
		if (likely(q + 1 < end && lh_short_escape[(unsigned char)q[1]])) {
			q += 2;
			continue;
		}
		q = lh_scan_escape(s, q, end);
		if (!q)
			return NULL;
	}
	if (unlikely(high) && (bad = lh_utf8_bad(p, q)) < q)
		return lh_scan_fail(s, bad, "invalid UTF-8");
	return q + 1;
}

static LH_TARGET inline const char *skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* Skip at least one digit, then all that follow. */
static LH_TARGET inline const char *scan_digits(struct lh_scan *s, const char *p, const char *end)
{
	if (p >= end)
		return lh_scan_fail(s, end, "unexpected end of line");
	if (!is_digit(*p))
		return lh_scan_fail(s, p, "invalid number");
	return skip_digits(p + 1, end);
}

static LH_TARGET inline const char *scan_number(struct lh_scan *s, const char *p, const char *end)
{
	p += *p == '-';
	if (p < end && *p == '0') {
		p++;
		if (p < end && is_digit(*p))
			return lh_scan_fail(s, p, "invalid number");
	} else {
		p = scan_digits(s, p, end);
	}
	if (p && p < end && *p == '.')
		p = scan_digits(s, p + 1, end);
	if (p && p < end && (*p | 0x20) == 'e') {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		p = scan_digits(s, p, end);
	}
	return p;
}

static LH_TARGET inline const char *scan_word(struct lh_scan *s, const char *p, const char *end,
					      const char *word, size_t n)
{
	if ((size_t)(end - p) < n || memcmp(p, word, n))
		return lh_scan_fail(s, p, "expected a value");
	return p + n;
}

/* Scan a value that is not a container; return the byte after it, or NULL. */
static LH_TARGET inline const char *scan_leaf(struct lh_scan *s, const char *p, const char *end,
					      bool *escaped)
{
	switch (*p) {
	case '"':
		return scan_string(s, p + 1, end, escaped);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return scan_number(s, p, end);
	case 't':
		return scan_word(s, p, end, "true", 4);
	case 'f':
		return scan_word(s, p, end, "false", 5);
	case 'n':
		return scan_word(s, p, end, "null", 4);
	default:
		return lh_scan_fail(s, p, "expected a value");
	}
}
