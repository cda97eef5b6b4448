/* telephone.c - what a telephone number says, and when two are one.  See telephone.h. */
#include "telephone.h"

#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

/* ---- countries ---- */

/* What is put before a number within its country. */
enum { NONE, ZERO, ONE, EIGHT, ZERO_SIX, EIGHTY, TRUNKS };
static const char *const trunks[TRUNKS] = { "", "0", "1", "8", "06", "80" };

/* Calling codes, by what is put before a number there, and by how many digits it has. */
static const struct plan {
	unsigned char trunk, least, most;
	const char *codes;
} plans[] = {
	{ NONE, 4, 5, "290 " },
	{ NONE, 4, 7, "683 690 " },
	{ NONE, 4, 11, "352 " },
	{ NONE, 5, 5, "247 500 682 " },
	{ NONE, 5, 7, "676 677 678 688 " },
	{ NONE, 5, 10, "685 " },
	{ NONE, 6, 6, "298 299 672 681 687 " },
	{ NONE, 6, 7, "597 " },
	{ NONE, 6, 9, "376 " },
	{ NONE, 6, 12, "39 " },
	{ NONE, 7, 7, "238 239 246 248 269 297 501 592 673 674 679 680 691 960 " },
	{ NONE, 7, 8, "230 241 267 372 507 599 670 675 975 " },
	{ NONE, 7, 9, "48 220 354 " },
	{ NONE, 7, 12, "882 " },
	{ NONE, 8, 8, "45 47 65 216 222 223 226 227 228 235 236 253 257 266 268 350 356 357 "
		"371 502 503 504 505 506 509 689 800 808 852 853 965 968 973 974 " },
	{ NONE, 8, 9, "224 258 " },
	{ NONE, 8, 10, "378 " },
	{ NONE, 8, 12, "883 " },
	{ NONE, 9, 9, "34 56 221 237 240 242 244 245 351 420 979 992 998 " },
	{ NONE, 9, 10, "881 " },
	{ NONE, 9, 12, "870 " },
	{ NONE, 10, 10, "30 52 225 229 " },
	{ NONE, 11, 11, "888 " },
	{ NONE, 12, 12, "878 " },
	{ ZERO, 4, 12, "43 " },
	{ ZERO, 5, 8, "686 " },
	{ ZERO, 5, 9, "27 " },
	{ ZERO, 5, 10, "82 358 " },
	{ ZERO, 5, 11, "49 " },
	{ ZERO, 6, 9, "40 252 359 421 508 " },
	{ ZERO, 6, 10, "53 63 95 98 880 " },
	{ ZERO, 7, 7, "291 " },
	{ ZERO, 7, 8, "961 " },
	{ ZERO, 7, 9, "46 231 254 265 423 595 967 " },
	{ ZERO, 7, 10, "243 353 " },
	{ ZERO, 7, 11, "86 " },
	{ ZERO, 7, 12, "62 381 " },
	{ ZERO, 8, 8, "232 370 373 374 382 386 389 591 598 " },
	{ ZERO, 8, 9, "32 51 66 213 250 264 355 377 385 387 593 855 886 962 963 970 971 " },
	{ ZERO, 8, 10, "20 57 60 64 850 856 964 976 977 " },
	{ ZERO, 8, 12, "383 972 " },
	{ ZERO, 9, 9, "33 41 61 93 94 211 212 218 233 249 251 255 256 260 261 262 263 380 590 "
		"594 596 966 994 995 996 " },
	{ ZERO, 9, 10, "44 81 84 92 " },
	{ ZERO, 9, 11, "31 " },
	{ ZERO, 10, 10, "54 58 90 91 234 " },
	{ ZERO, 10, 11, "55 " },
	{ ZERO_SIX, 8, 9, "36 " },
	{ ONE, 7, 7, "692 " },
	{ ONE, 10, 10, "1 " },
	{ EIGHT, 8, 8, "993 " },
	{ EIGHT, 10, 10, "7 " },
	{ EIGHTY, 9, 9, "375 " },
};

static unsigned char plan_of[1000];	/* of each calling code, from 1; 0: there is none */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_plans(void)
{
	const char *p;
	unsigned code;
	size_t i;

	for (i = 0; i < sizeof plans / sizeof *plans; i++)
		for (p = plans[i].codes; *p; p++) {
			for (code = 0; *p != ' '; p++)
				code = code * 10 + (unsigned)(*p - '0');
			plan_of[code] = (unsigned char)(i + 1);
		}
}

static const struct plan *plan_of_code(unsigned code)
{
	pthread_once(&once, fill_plans);
	return code && plan_of[code] ? &plans[plan_of[code] - 1] : NULL;
}

static bool fits(const struct plan *plan, unsigned n)
{
	return n >= plan->least && n <= plan->most;
}

/* ---- readings ---- */

static uint64_t value_of(const char *digit, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v * 10 + (uint64_t)(*digit++ - '0');
	return v;
}

static bool begins_with(const char *digit, unsigned n, const char *with)
{
	const size_t k = strlen(with);

	return n > k && !memcmp(digit, with, k);
}

/* Read the country and the number there from the digits from `from` on; false: they are none. */
static bool read_country(const struct lh_telephone *t, unsigned from, struct lh_reading *r)
{
	const struct plan *plan = NULL;
	const char *digit = t->digit;
	unsigned code = 0, at = from;

	while (!plan && at < t->n && at < from + 3) {
		code = code * 10 + (unsigned)(digit[at++] - '0');
		plan = plan_of_code(code);
	}
	if (!plan || at == t->n)
		return false;
	/* a 0 that is dialled within the country alone, and what Mexico and Argentina put before
	 * mobile telephones */
	if (plan->trunk && begins_with(digit + at, t->n - at, trunks[plan->trunk]) &&
	    (digit[at] == '0' || t->n - at > plan->most))
		at += (unsigned)strlen(trunks[plan->trunk]);
	if (t->n - at == plan->most + 1u && ((code == 52 && digit[at] == '1') ||
					     (code == 54 && digit[at] == '9')))
		at++;
	*r = (struct lh_reading){ value_of(digit + at, t->n - at), t->n - at, code,
				  .sure = fits(plan, t->n - at) };
	return true;
}

/* Add the reading of a number that is written for another country; true: it has no other. */
static bool add_foreign(const struct lh_telephone *t, struct lh_reading *to, unsigned *n)
{
	static const char *const prefix[] = { "00", "011", "0011" };
	struct lh_reading *r;
	size_t i;

	if (t->plus) {
		*n += read_country(t, 0, &to[*n]);
		return *n && to->sure;
	}
	for (i = 0; i < sizeof prefix / sizeof *prefix; i++) {
		r = &to[*n];
		if (!begins_with(t->digit, t->n, prefix[i]) ||
		    !read_country(t, (unsigned)strlen(prefix[i]), r) || !r->sure)
			continue;
		++*n;
		if (!i)
			return true;
		r->guessed = true;	/* 011 is also an area */
	}
	return false;
}

unsigned lh_telephone_readings(const struct lh_telephone *t, struct lh_reading *to)
{
	unsigned n = 0, k, i;
	const bool foreign = add_foreign(t, to, &n);

	if (t->n > LH_TELEPHONE_MAX && !n)
		return 0;
	if (t->n >= LH_TELEPHONE_NATIONAL && !(foreign && to->n < LH_TELEPHONE_NATIONAL)) {
		k = t->n - LH_TELEPHONE_NATIONAL;
		to[n++] = (struct lh_reading){ value_of(t->digit + k, LH_TELEPHONE_NATIONAL),
					       LH_TELEPHONE_NATIONAL, foreign ? to->country : 0,
					       .last = true };
	}
	if (foreign)
		return n;
	for (i = 0; i < TRUNKS; i++) {
		k = (unsigned)strlen(trunks[i]);
		if (i != ONE && t->n >= k + LH_TEXT_DIGITS &&
		    begins_with(t->digit, t->n, trunks[i]))
			to[n++] = (struct lh_reading){ value_of(t->digit + k, t->n - k), t->n - k,
						       .trunk = (unsigned char)i };
	}
	if (!t->plus && t->n >= LH_TELEPHONE_NATIONAL && read_country(t, 0, &to[n]) &&
	    to[n].sure) {
		to[n].guessed = to[n].country != 1;	/* 1 is dialled there, too */
		n++;
	}
	return n;
}

/* Return what a number without a country has in common with one of that country. */
static enum lh_alike alike_in(const struct lh_reading *with, const struct lh_reading *without)
{
	const struct plan *plan = plan_of_code(with->country);

	if (without->trunk && without->trunk != plan->trunk)
		return LH_DIFFER;
	return with->guessed || !with->sure || without->trunk == ZERO_SIX ? LH_MAY_BE_ALIKE
								     : LH_ALIKE;
}

enum lh_alike lh_readings_alike(const struct lh_reading *a, const struct lh_reading *b)
{
	const unsigned trunk = a->trunk > b->trunk ? a->trunk : b->trunk;

	if (a->national != b->national || a->n != b->n ||
	    (a->country && b->country && a->country != b->country))
		return LH_DIFFER;
	if (a->last || b->last)
		return LH_MAY_BE_ALIKE;
	if (a->country && b->country)
		return LH_ALIKE;
	if (a->country || b->country)
		return a->country ? alike_in(a, b) : alike_in(b, a);
	if (a->trunk == b->trunk || (a->trunk <= ZERO && b->trunk <= ZERO))
		return LH_ALIKE;
	return a->trunk + b->trunk == trunk && a->n >= LH_TELEPHONE_NATIONAL ? LH_MAY_BE_ALIKE
									    : LH_DIFFER;
}

bool lh_telephones_alike(const struct lh_telephone *a, const struct lh_telephone *b)
{
	struct lh_reading of_a[LH_TELEPHONE_READINGS], of_b[LH_TELEPHONE_READINGS];
	const unsigned n = lh_telephone_readings(a, of_a), m = lh_telephone_readings(b, of_b);
	unsigned i, k;

	if (a->n == b->n && a->plus == b->plus && !memcmp(a->digit, b->digit, a->n))
		return true;
	for (i = 0; i < n; i++)
		for (k = 0; k < m; k++)
			if (lh_readings_alike(&of_a[i], &of_b[k]))
				return true;
	return false;
}

/* ---- a text ---- */

static bool is_bracket(uint32_t sign)
{
	const utf8proc_category_t category = utf8proc_category((int32_t)sign);

	return category == UTF8PROC_CATEGORY_PS || category == UTF8PROC_CATEGORY_PE;
}

bool lh_telephone_parts(uint32_t sign)
{
	return sign && sign < 0x80 && strchr("~*:,;|=\\'\"#<>!&", (int)sign);
}

bool lh_telephone_separates(uint32_t sign)
{
	switch (sign) {
	case ' ': case '-': case '.': case '(': case ')': case '[': case ']': case '/': case '+':
	case '_':
	case '{': case '}': case LH_SOFT: case 0xb7: case 0x2022: case 0x2027: case 0x2219:
	case 0x22c5: case 0x3002: case 0x30fb:
		return true;
	default:
		return sign > 0x7f && is_bracket(sign);
	}
}

/* Return whether what is left of a text is an extension, whose first sign is that: x5, ext. 5,
 * ;ext=5, and parameters of tel: of any kind. */
static bool is_extension(uint32_t sign, struct lh_spelled *s)
{
	static const char letters[] = "extnsion.:;=#, ";
	unsigned digits = 0;

	if (sign == ';')
		return true;
	if (sign != 'x' && sign != 'e' && sign != '#' && sign != ',')
		return false;
	for (; sign && (lh_sign_is_digit(sign) || (sign < 0x80 && strchr(letters, (int)sign)));
	     sign = lh_spelled_next(s))
		digits += lh_sign_is_digit(sign);
	return !sign && digits && digits <= 8;
}

/* Return the text after a scheme such as tel:, and blanks before it. */
static struct lh_str without_scheme(struct lh_str s)
{
	static const char *const scheme[] = { "tel:", "sms:", "callto:", "whatsapp:", "tel%3a",
					      "sms%3a", "callto%3a", "whatsapp%3a" };
	size_t i, n;

	s = lh_trim(s.p, s.n);
	for (i = 0; i < sizeof scheme / sizeof *scheme; i++) {
		n = strlen(scheme[i]);
		if (s.n > n && lh_fold_equal(s.p, n, scheme[i], n))
			return (struct lh_str){ s.p + n, s.n - n };
	}
	return s;
}

/* Return a number that was written as a fraction, such as 3125550101.0, without that. */
static struct lh_str without_fraction(struct lh_str s)
{
	size_t i = 0, digits;

	while (i < s.n && lh_sign_is_digit((unsigned char)s.p[i]))
		i++;
	digits = i;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] == '0'; i++)
			;
	return i == s.n && i > digits + 1 ? (struct lh_str){ s.p, digits } : s;
}

bool lh_telephone_read(struct lh_str text, struct lh_telephone *t)
{
	struct lh_spelled s, rest;
	struct lh_reading unused[LH_TELEPHONE_READINGS];
	unsigned gap = 0;
	bool parts = false, extended = false;
	uint32_t sign;

	text = without_fraction(without_scheme(text));
	s = lh_spelled_of(text.p, text.n);
	t->n = 0;
	t->plus = false;
	while ((sign = lh_spelled_next(&s))) {
		if (lh_sign_is_digit(sign) && t->n < sizeof t->digit && gap <= LH_TELEPHONE_GAP) {
			t->digit[t->n++] = (char)sign;
			gap = 0;
			continue;
		}
		rest = s;
		extended = t->n >= (parts ? LH_TELEPHONE_NATIONAL : LH_TEXT_DIGITS) &&
			   is_extension(sign, &rest);
		if (extended || !(lh_telephone_separates(sign) || lh_telephone_parts(sign)))
			break;
		parts |= !lh_telephone_separates(sign);
		t->plus |= sign == '+' && !t->n;
		gap += t->n > 0;
	}
	return t->n >= (parts ? LH_TELEPHONE_NATIONAL : LH_TEXT_DIGITS) && (!sign || extended) &&
	       (t->n <= LH_TELEPHONE_MAX || lh_telephone_readings(t, unused));
}
