/*
 * pre_tokenize.c - the words that BPE divides a text into first.  See tokenizer.h.
 *
 * A word is the first alternative of a pattern that matches where the one before ended:
 *
 *     gpt2     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *     llama3   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
 *              | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *     qwen2    as llama3, but \p{N}
 *     default  runs of [\p{P}$+<=>^~|] are words; what is between them is divided as by gpt2, and
 *              numbers once more: without the space, and at each [0-9][0-9][0-9]
 */
#include <utf8proc.h>

#include "tokenizer_parts.h"
#include "base/utf8.h"

enum kind { LETTER, NUMBER, SPACE, OTHER, STOP };

struct reader {
	const unsigned char *end;
	bool stops;			/* at what default has as words of their own */
};

static size_t bytes_of(unsigned char c)
{
	return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static bool is_punctuation(utf8proc_category_t category)
{
	return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static enum kind kind_of(uint32_t c, utf8proc_category_t category)
{
	switch (category) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO:
		return LETTER;
	case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_NO:
		return NUMBER;
	case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP:
		return SPACE;
	case UTF8PROC_CATEGORY_CC:
		return (c >= '\t' && c <= '\r') || c == 0x85 ? SPACE : OTHER;
	default:
		return OTHER;
	}
}

/* Return the kind of the code point at p. */
static enum kind kind_at(const struct reader *r, const unsigned char *p)
{
	utf8proc_category_t category;
	uint32_t c;

	if (p == r->end)
		return STOP;
	c = lh_utf8_get(&p);
	category = utf8proc_category((utf8proc_int32_t)c);
	if (r->stops && (is_punctuation(category) || (c < 0x80 && c && strchr("$+<=>^~|", (int)c))))
		return STOP;
	return kind_of(c, category);
}

/* Return the end of the code points of a kind. */
static const unsigned char *skip(const struct reader *r, const unsigned char *p, enum kind kind)
{
	while (p < r->end && kind_at(r, p) == kind)
		p += bytes_of(*p);
	return p;
}

/* Return the end of an English contraction at p, or p; fold: 0x20, to ignore case. */
static const unsigned char *contraction(const struct reader *r, const unsigned char *p,
					unsigned char fold)
{
	static const char rest[][3] = { "s", "t", "re", "ve", "m", "ll", "d" };
	size_t left = (size_t)(r->end - p), n;

	for (size_t i = 0; *p == '\'' && i < sizeof rest / sizeof *rest; i++) {
		n = strlen(rest[i]);
		if (left > n && (p[1] | fold) == rest[i][0] &&
		    (n == 1 || (p[2] | fold) == rest[i][1]))
			return p + 1 + n;
	}
	return p;
}

/* Return the end of the word of spaces at p: a last space that something follows is of the next
 * word; if lines, up to the last line break, whatever follows. */
static const unsigned char *spaces(const struct reader *r, const unsigned char *p, bool lines)
{
	const unsigned char *begin = p, *last = p, *line = NULL;

	for (; kind_at(r, p) == SPACE; p += bytes_of(*p)) {
		last = p;
		if (lines && (*p == '\n' || *p == '\r'))
			line = p + 1;
	}
	return line ? line : last > begin && kind_at(r, p) != STOP ? last : p;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool three_digits(const struct reader *r, const unsigned char *p)
{
	return r->end - p >= 3 && is_digit(p[0]) && is_digit(p[1]) && is_digit(p[2]);
}

/* Return the end of a part of the number at p: three digits, or what is before such. */
static const unsigned char *digits(const struct reader *r, const unsigned char *p)
{
	if (three_digits(r, p))
		return p + 3;
	while (kind_at(r, p) == NUMBER && !three_digits(r, p))
		p += bytes_of(*p);
	return p;
}

static const unsigned char *gpt2(const struct reader *r, const unsigned char *p)
{
	const unsigned char *after = contraction(r, p, 0), *q = *p == ' ' ? p + 1 : p;
	enum kind kind = kind_at(r, q);

	if (after > p)
		return after;
	if (kind == NUMBER && r->stops)
		return q > p ? q : digits(r, p);
	if (kind == SPACE || kind == STOP)
		return spaces(r, p, false);
	return skip(r, q, kind);
}

static const unsigned char *default_word(const struct reader *r, const unsigned char *p)
{
	if (kind_at(r, p) != STOP)
		return gpt2(r, p);
	while (p < r->end && kind_at(r, p) == STOP)
		p += bytes_of(*p);
	return p;
}

/* By llama3 a number has three digits, by qwen2 one. */
static const unsigned char *llama3(const struct reader *r, const unsigned char *p, int number)
{
	const unsigned char *after = contraction(r, p, 0x20), *q;
	enum kind kind = kind_at(r, p);

	if (after > p)
		return after;
	if (kind == NUMBER) {
		for (; number && kind_at(r, p) == NUMBER; number--)
			p += bytes_of(*p);
		return p;
	}
	q = kind == LETTER ? p : p + bytes_of(*p);
	if (*p != '\r' && *p != '\n' && kind_at(r, q) == LETTER)
		return skip(r, q, LETTER);
	q = *p == ' ' ? p + 1 : p;
	if (kind_at(r, q) != OTHER)
		return spaces(r, p, true);
	for (p = skip(r, q, OTHER); p < r->end && (*p == '\r' || *p == '\n'); p++)
		;
	return p;
}

const unsigned char *lh_pre_word(enum lh_pre pre, const unsigned char *p, const unsigned char *end)
{
	struct reader r = { end, pre == LH_PRE_DEFAULT };

	switch (pre) {
	case LH_PRE_GPT2:
		return gpt2(&r, p);
	case LH_PRE_LLAMA3:
		return llama3(&r, p, 3);
	case LH_PRE_QWEN2:
		return llama3(&r, p, 1);
	default:
		return default_word(&r, p);
	}
}
