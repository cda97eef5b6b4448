/* regex_set.c - sets of characters.  See regex_parts.h. */
#include "regex_parts.h"

#include <stdlib.h>

#include "base/mem.h"

#include "categories.inc"

#define RUNS (sizeof category_run / sizeof *category_run)
#define CATEGORIES (sizeof category_name / sizeof *category_name)

int lh_re_add(struct lh_re_set *s, uint32_t first, uint32_t last, struct lh_err *err)
{
	if (lh_grow(&s->range, &s->cap, 2 * s->n + 2, sizeof *s->range, err) < 0)
		return -1;
	s->range[2 * s->n] = first;
	s->range[2 * s->n + 1] = last;
	s->n++;
	return 0;
}

int lh_re_add_set(struct lh_re_set *s, const struct lh_re_set *other, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < other->n; i++)
		if (lh_re_add(s, other->range[2 * i], other->range[2 * i + 1], err) < 0)
			return -1;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void join(struct lh_re_set *s)
{
	uint32_t *r = s->range;
	size_t i, n = 0;

	qsort(r, s->n, 2 * sizeof *r, by_first);
	for (i = 0; i < s->n; i++) {
		if (n && r[2 * i] <= r[2 * n - 1] + 1) {
			if (r[2 * i + 1] > r[2 * n - 1])
				r[2 * n - 1] = r[2 * i + 1];
			continue;
		}
		r[2 * n] = r[2 * i];
		r[2 * n + 1] = r[2 * i + 1];
		n++;
	}
	s->n = n;
}

static int invert(struct lh_re_set *s, struct lh_err *err)
{
	struct lh_re_set other = { 0 };
	uint32_t from = 0;
	size_t i;

	for (i = 0; i <= s->n; i++) {
		uint32_t till = i < s->n ? s->range[2 * i] : LH_RE_MOST + 1;

		if (till > from && lh_re_add(&other, from, till - 1, err) < 0) {
			free(other.range);
			return -1;
		}
		if (i < s->n)
			from = s->range[2 * i + 1] + 1;
	}
	free(s->range);
	*s = other;
	return 0;
}

int lh_re_set_end(struct lh_re_set *s, bool negated, struct lh_err *err)
{
	size_t i;
	uint32_t c;

	if (s->n)
		join(s);
	if (negated && invert(s, err) < 0)
		return -1;
	s->ascii[0] = s->ascii[1] = 0;
	for (i = 0; i < s->n; i++)
		for (c = s->range[2 * i]; c <= s->range[2 * i + 1] && c < 128; c++)
			s->ascii[c >> 6] |= 1ull << (c & 63);
	return 0;
}

int lh_re_add_class(struct lh_re_set *s, char letter, struct lh_err *err)
{
	static const uint32_t digit[] = { '0', '9', 0, 0 };
	static const uint32_t word[] = { '0', '9', 'A', 'Z', '_', '_', 'a', 'z', 0, 0 };
	static const uint32_t space[] = { '\t', '\r', ' ', ' ', 0xa0, 0xa0, 0x1680, 0x1680,
		0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000,
		0xfeff, 0xfeff, 0, 0 };
	const uint32_t *r = letter == 'd' ? digit : letter == 'w' ? word : space;

	for (; *r; r += 2)
		if (lh_re_add(s, r[0], r[1], err) < 0)
			return -1;
	return 0;
}

/* Long names of categories; several letters of the second column: a group. */
static const struct {
	const char *name, *is;
} long_name[] = {
	{ "Cased_Letter", "LC" }, { "Letter", "L" }, { "Mark", "M" }, { "Combining_Mark", "M" },
	{ "Number", "N" }, { "Punctuation", "P" }, { "punct", "P" }, { "Symbol", "S" },
	{ "Separator", "Z" }, { "Other", "C" },
	{ "Uppercase_Letter", "Lu" }, { "Lowercase_Letter", "Ll" }, { "Titlecase_Letter", "Lt" },
	{ "Modifier_Letter", "Lm" }, { "Other_Letter", "Lo" }, { "Nonspacing_Mark", "Mn" },
	{ "Spacing_Mark", "Mc" }, { "Enclosing_Mark", "Me" }, { "Decimal_Number", "Nd" },
	{ "digit", "Nd" }, { "Letter_Number", "Nl" }, { "Other_Number", "No" },
	{ "Connector_Punctuation", "Pc" }, { "Dash_Punctuation", "Pd" },
	{ "Open_Punctuation", "Ps" }, { "Close_Punctuation", "Pe" },
	{ "Initial_Punctuation", "Pi" }, { "Final_Punctuation", "Pf" },
	{ "Other_Punctuation", "Po" }, { "Math_Symbol", "Sm" }, { "Currency_Symbol", "Sc" },
	{ "Modifier_Symbol", "Sk" }, { "Other_Symbol", "So" }, { "Space_Separator", "Zs" },
	{ "Line_Separator", "Zl" }, { "Paragraph_Separator", "Zp" }, { "Control", "Cc" },
	{ "cntrl", "Cc" }, { "Format", "Cf" }, { "Surrogate", "Cs" }, { "Private_Use", "Co" },
	{ "Unassigned", "Cn" },
};

/* Return the categories of a name, a bit for each. */
static uint32_t categories(struct lh_str name)
{
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < sizeof long_name / sizeof *long_name; i++)
		if (lh_str_is(name, long_name[i].name, strlen(long_name[i].name)))
			name = lh_str_of(long_name[i].is);
	if (lh_str_is(name, "LC", 2))
		return 7;		/* Lu, Ll, Lt */
	for (i = 0; i < CATEGORIES; i++)
		if (name.n && name.n <= 2 && !memcmp(name.p, category_name[i], name.n))
			bits |= 1u << i;
	return bits;
}

static int add_categories(struct lh_re_set *s, uint32_t bits, struct lh_err *err)
{
	uint32_t last;
	size_t i;

	for (i = 0; i < RUNS; i++) {
		last = i + 1 < RUNS ? (category_run[i + 1] >> 8) - 1 : LH_RE_MOST;
		if (bits >> (category_run[i] & 0xff) & 1 &&
		    lh_re_add(s, category_run[i] >> 8, last, err) < 0)
			return -1;
	}
	return 1;
}

int lh_re_add_property(struct lh_re_set *s, struct lh_str name, struct lh_err *err)
{
	static const char *const prefix[] = { "General_Category=", "gc=" };
	uint32_t bits;
	size_t i, n;

	if (lh_str_is(name, "Any", 3))
		return lh_re_add(s, 0, LH_RE_MOST, err) < 0 ? -1 : 1;
	if (lh_str_is(name, "ASCII", 5))
		return lh_re_add(s, 0, 127, err) < 0 ? -1 : 1;
	if (lh_str_is(name, "Assigned", 8))
		return add_categories(s, ~categories(lh_str_of("Cn")), err);
	for (i = 0; i < 2; i++) {
		n = strlen(prefix[i]);
		if (name.n > n && !memcmp(name.p, prefix[i], n)) {
			name.p += n;
			name.n -= n;
			break;
		}
	}
	bits = categories(name);
	return bits ? add_categories(s, bits, err) : 0;
}
