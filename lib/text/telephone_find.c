/* telephone_find.c - where telephone numbers are in bytes.  See telephone.h. */
#include <string.h>

#include "base/mem.h"
#include "telephone.h"

#define BESIDE 5		/* most digits beside a short number that belong to it */
#define HELD 32			/* digits, more than are written of a number */

/* What is between two groups of digits: they are of one number, or may be, or are only if that has
 * all ten. */
enum gap { JOINS, MAY_JOIN, PARTS };

/* Digits of numbers, of which the last are held. */
struct digits {
	const unsigned char *p;
	size_t n;			/* bytes */
	size_t at;			/* bytes that were read */
	size_t count;			/* digits */
	unsigned group;			/* digits that are next to each other */
	struct digit {
		char value;
		enum gap gap;		/* before its group */
		unsigned before;	/* in its group */
		size_t at;
	} held[HELD];
};

static const struct digit *held(const struct digits *d, size_t back)
{
	return &d->held[(d->count - back) % HELD];
}

/* Read digits that are next to each other, and set their end. */
static size_t read_group(struct digits *d, enum gap gap)
{
	uint32_t sign;
	size_t len, end = d->at;

	for (d->group = 0; d->at < d->n; d->at += len) {
		len = lh_spelled_at(d->p + d->at, d->n - d->at, &sign);
		if (!lh_sign_is_digit(sign)) {
			if (sign || len < 2)
				break;
			continue;	/* it has no width */
		}
		d->held[d->count++ % HELD] = (struct digit){ (char)sign, gap, d->group++, d->at };
		end = d->at + len;
	}
	d->at = end;
	return end;
}

/* Pass over what separates the digits of a number: true if digits follow. */
static bool pass_gap(struct digits *d, enum gap *is)
{
	bool blank = false, closes = false, parts = false;
	unsigned gap = 0, blanks = 0;
	uint32_t sign, before = 0;
	size_t len;

	for (; d->at < d->n; d->at += len) {
		len = lh_spelled_at(d->p + d->at, d->n - d->at, &sign);
		if (lh_sign_is_digit(sign))
			break;
		if (sign ? !lh_telephone_separates(sign) && !lh_telephone_parts(sign) : len < 2)
			return false;
		parts |= lh_telephone_parts(sign);
		gap += sign && (sign != ' ' || before != ' ');
		blanks = sign == ' ' ? blanks + 1 : sign ? 0 : blanks;
		if (gap > LH_TELEPHONE_GAP || blanks > LH_SPELLED_BLANKS)
			return false;
		before = sign ? sign : before;
		blank |= sign == ' ';
		closes |= sign == ')';
	}
	*is = parts ? PARTS : blank && !closes ? MAY_JOIN : JOINS;
	return d->at < d->n;
}

/* Return whether the number that was read is written as a fraction: .0 follows, and no more. */
static bool is_fraction(const struct digits *d)
{
	struct digits next = *d;
	enum gap gap = JOINS;
	size_t at = d->at;

	if (d->count != d->group || at + 1 >= d->n || d->p[at] != '.' || d->p[at + 1] != '0')
		return false;
	while (++at < d->n && d->p[at] == '0')
		;
	next.at = at;
	return !(pass_gap(&next, &gap) && (gap == JOINS || next.at == at));
}

/* Return whether digits next to a short number, which blanks separate from it, are of it too as an
 * area code is: more than the one of an hour, fewer than a date has, and no part of a time. */
static bool belongs(const struct digits *d, unsigned count, size_t at, size_t end)
{
	return count > 1 && count <= BESIDE && !(at && d->p[at - 1] == ':') &&
	       !(end < d->n && d->p[end] == ':');
}

/* Return whether digits before the last n are of their number. */
static bool has_more_before(const struct digits *d, unsigned n)
{
	const struct digit *first = held(d, n), *digit = first;
	unsigned i;

	if (first->before || first->gap == JOINS)
		return true;
	if (first->gap == PARTS)
		return false;
	for (i = 0; i <= BESIDE && d->count > n + i; i++) {
		digit = held(d, n + i + 1);
		if (!digit->before && digit->gap != JOINS)
			return belongs(d, i + 1, digit->at, first->at);
	}
	return false;
}

/* Return whether digits that follow are of the number that was read. */
static bool has_more_after(const struct digits *d)
{
	struct digits next = *d;
	enum gap gap = JOINS;
	unsigned count = 0;
	size_t at, end;

	if (is_fraction(d) || !pass_gap(&next, &gap) || gap == PARTS)
		return false;
	if (gap == JOINS)
		return true;
	at = next.at;
	do {
		end = read_group(&next, gap);
		count += next.group;
	} while (count <= BESIDE && pass_gap(&next, &gap) && gap == JOINS);
	return belongs(d, count, at, end);
}

/* Return where digits of ASCII that begin at p[at], and what may be between them, end, if they are
 * too few for a telephone number, as most are; else 0. */
static size_t pass_few(const unsigned char *p, size_t n, size_t at)
{
	unsigned digits = 0;

	for (; at < n && digits < LH_TEXT_DIGITS; at++)
		if (lh_sign_is_digit(p[at]))
			digits++;
		else if (p[at] >= 0x80 || lh_spelled_escapes(p[at]))
			return 0;
		else if (!lh_telephone_separates(lh_spelled_ascii(p[at])) &&
			 !lh_telephone_parts(p[at]))
			return at;
	return digits < LH_TEXT_DIGITS ? at : 0;
}

/* ---- a number ---- */

struct needle {
	struct lh_reading is;
	size_t number;
	size_t next;			/* of those with the same end, from 1; 0: none */
};
#define ENDS 10000
struct lh_telephones {
	struct needle *v;
	size_t n, cap;
	size_t first[ENDS];		/* by the last four digits */
};

void lh_telephones_add(struct lh_telephones **s, const struct lh_telephone *t, size_t number)
{
	struct lh_reading reading[LH_TELEPHONE_READINGS];
	const unsigned n = lh_telephone_readings(t, reading);
	struct lh_telephones *to = *s ? *s : lh_calloc(1, sizeof *to);
	unsigned i;

	*s = to;
	for (i = 0; i < n; i++) {
		size_t *first = &to->first[reading[i].national % ENDS];

		lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
		to->v[to->n++] = (struct needle){ reading[i], number, *first };
		*first = to->n;
	}
}

void lh_telephones_free(struct lh_telephones *s)
{
	if (s)
		free(s->v);
	free(s);
}

/* Return where the plus before the digits at p[at] is, or at if there is none. */
static size_t plus_before(const unsigned char *p, size_t at)
{
	size_t i = at;

	while (i && at - i < 2 && (p[i - 1] == ' ' || p[i - 1] == '('))
		i--;
	if (i && p[i - 1] == '+')
		return i - 1;
	return i > 2 && (!memcmp(p + i - 3, "\xef\xbc\x8b", 3) || !memcmp(p + i - 3, "%2B", 3) ||
			 !memcmp(p + i - 3, "%2b", 3)) ? i - 3 : at;
}

/* Return whether the digits that were read end with those of a reading. */
static bool ends_with(const struct digits *d, const struct lh_reading *r)
{
	uint64_t v = r->national;
	unsigned i;

	for (i = 1; i <= r->n && i <= d->count && held(d, i)->value == (char)('0' + v % 10); i++)
		v /= 10;
	return i > r->n;
}

/* What the last digits that were read say. */
struct written {
	struct lh_telephone digits;
	size_t at;			/* with its plus */
	struct lh_reading reading[LH_TELEPHONE_READINGS];
	unsigned n;
	bool foreign;			/* they are a number with its country, and no other */
};

static void read_written(const struct digits *d, unsigned n, struct written *w)
{
	unsigned i;

	w->at = plus_before(d->p, held(d, n)->at);
	w->digits.n = n;
	w->digits.plus = w->at < held(d, n)->at;
	for (i = 0; i < n; i++)
		w->digits.digit[i] = held(d, n - i)->value;
	w->n = lh_telephone_readings(&w->digits, w->reading);
	w->foreign = w->n && w->reading->country && w->reading->sure && !w->reading->guessed &&
		     (w->digits.plus || !memcmp(w->digits.digit, "00", 2));
}

static enum lh_alike compare(const struct digits *d, const struct written *w,
			     const struct lh_reading *r)
{
	enum lh_alike best = LH_DIFFER, is;
	unsigned i;

	for (i = 0; i < w->n; i++) {
		is = lh_readings_alike(&w->reading[i], r);
		best = is > best ? is : best;
	}
	/* one of few digits has to be all of a number: 555-0101 is not in 312 555 0101 */
	return best && w->digits.n < LH_TELEPHONE_NATIONAL &&
	       ((!w->digits.plus && has_more_before(d, w->digits.n)) || has_more_after(d))
		? LH_DIFFER : best;
}

/* ---- digits that are no telephone ---- */

#define GROUPS 9
#define FAR 64			/* bytes before a number that are looked at */

/* Groups of digits that signs join. */
struct groups {
	unsigned n;
	struct {
		uint64_t value;
		unsigned digits;
		unsigned char sign;	/* that joins it to the one before */
	} v[GROUPS];
};

static bool is_group(const struct groups *g, unsigned i, unsigned least, unsigned most,
		     uint64_t greatest)
{
	return i < g->n && g->v[i].digits >= least && g->v[i].digits <= most &&
	       g->v[i].value <= greatest;
}

/* Return how many groups from i on are a date, of which the year is the first or the last. */
static unsigned date_at(const struct groups *g, unsigned i)
{
	uint64_t a, b;
	bool year_first = is_group(g, i, 4, 4, 2099);

	if (i + 3 > g->n || g->v[i + 1].sign != g->v[i + 2].sign ||
	    !strchr("-/.", g->v[i + 1].sign) || !is_group(g, i + 1, 1, 2, 31) ||
	    !is_group(g, year_first ? i + 2 : i, 1, 2, 31) ||
	    (!year_first && !is_group(g, i + 2, 4, 4, 2099)) ||
	    g->v[year_first ? i : i + 2].value < 1900)
		return 0;
	a = g->v[i + 1].value;
	b = g->v[year_first ? i + 2 : i].value;
	return a && b && (a <= 12 || (b <= 12 && !year_first)) ? 3 : 0;
}

/* Return how many groups from i on are a time, with a fraction of a second. */
static unsigned time_at(const struct groups *g, unsigned i)
{
	unsigned n = 1;

	if (!is_group(g, i, 1, 2, 24))
		return 0;
	while (n < 3 && is_group(g, i + n, 2, 2, 60) && g->v[i + n].sign == ':')
		n++;
	if (n == 3 && i + n < g->n && strchr(".,", g->v[i + n].sign))
		n++;
	return n > 1 ? n : 0;
}

/* Return whether groups are an address of IP, with a port or not: LH_MAY_BE_ALIKE a telephone, of
 * groups of two digits behind an area. */
static enum lh_alike not_address(const struct groups *g)
{
	unsigned i;

	if (g->n < 4 || g->n > 5 || (g->n == 5 && g->v[4].sign != ':'))
		return LH_ALIKE;
	for (i = 0; i < 4; i++)
		if (!is_group(g, i, 1, 3, 255) || (i && g->v[i].sign != '.'))
			return LH_ALIKE;
	return g->n == 4 && g->v[0].digits > 1 && g->v[1].digits == 2 && g->v[2].digits == 2 &&
	       g->v[3].digits == 2 ? LH_MAY_BE_ALIKE : LH_DIFFER;
}

/* The same of an amount, with signs between thousands or before a fraction. */
static enum lh_alike not_amount(const struct groups *g)
{
	unsigned n = g->n, i;
	unsigned char sign, point = g->n > 1 ? g->v[g->n - 1].sign : 0;
	const bool fraction = n > 1 && (point == '.' || point == ',') && g->v[n - 1].digits < 3;

	n -= fraction;
	sign = n > 1 ? g->v[1].sign : 0;
	if (n == 1)
		return fraction ? LH_MAY_BE_ALIKE : LH_ALIKE;
	if ((sign != '.' && sign != ',') || g->v[0].digits > 3 || (fraction && point == sign))
		return LH_ALIKE;
	for (i = 1; i < n; i++)
		if (g->v[i].digits != 3 || g->v[i].sign != sign)
			return LH_ALIKE;
	return sign == ',' || fraction ? LH_DIFFER : LH_MAY_BE_ALIKE;
}

/* Return whether digits may be of a telephone as they are written. */
static enum lh_alike judge(const struct groups *g)
{
	unsigned n = date_at(g, 0), i;
	uint64_t day = g->v[0].value;
	enum lh_alike address = not_address(g), amount = not_amount(g);

	n += n ? date_at(g, n) : is_group(g, 0, 4, 4, 2099);	/* a span, or a year and a time */
	n += time_at(g, n);
	if (n == g->n && n > 1)
		return LH_DIFFER;
	if (g->n == 1 && g->v[0].digits >= 8 && g->v[0].digits <= 14) {
		for (i = g->v[0].digits; i > 8; i--)
			day /= 10;
		return day >= 19000101 && day < 21000000 && day / 100 % 100 >= 1 &&
		       day / 100 % 100 <= 12 && day % 100 >= 1 && day % 100 <= 31
			? LH_MAY_BE_ALIKE : LH_ALIKE;
	}
	return address < amount ? address : amount;
}

static bool is_currency(const unsigned char *p, size_t at)
{
	at -= at && p[at - 1] == ' ';
	return (at && p[at - 1] == '$') ||
	       (at > 1 && (!memcmp(p + at - 2, "\u00a3", 2) || !memcmp(p + at - 2, "\u00a5", 2))) ||
	       (at > 2 && !memcmp(p + at - 3, "\u20ac", 3));
}

/* Return whether digits at [at, end), and what is joined to them, may be of a telephone: not of a
 * date, a time, an address of IP or an amount. */
static enum lh_alike may_be_telephone(const unsigned char *p, size_t n, size_t at, size_t end)
{
	static const char joins[] = "-/.:,";
	const size_t first = at > FAR ? at - FAR : 0;
	enum lh_alike least = LH_ALIKE, is;

	while (at > first && (lh_sign_is_digit(p[at - 1]) ||
		      (at > 1 && p[at - 1] && strchr(joins, p[at - 1]) &&
		       lh_sign_is_digit(p[at - 2]))))
		at--;
	for (; at < end && least; at++) {
		const bool money = lh_sign_is_digit(p[at]) && is_currency(p, at);
		struct groups g = { .n = 0 };
		unsigned char sign = 0;

		while (at < n && g.n <= GROUPS && lh_sign_is_digit(p[at])) {
			unsigned digits = 0;
			uint64_t value = 0;

			for (; at < n && lh_sign_is_digit(p[at]); at++, digits++)
				value = digits < 18 ? value * 10 + (p[at] - 48u) : value;
			if (g.n < GROUPS) {
				g.v[g.n].value = value;
				g.v[g.n].digits = digits;
				g.v[g.n].sign = sign;
			}
			g.n++;
			sign = at < n ? p[at] : 0;
			at += at + 1 < n && sign && strchr(joins, sign) &&
			      lh_sign_is_digit(p[at + 1]);
		}
		is = money ? LH_DIFFER : g.n && g.n <= GROUPS ? judge(&g) : LH_ALIKE;
		least = is < least ? is : least;
	}
	return least;
}

/* ---- a number in digits ---- */

/* Return whether the digits that were read, which end there, end with a number, and set where that
 * begins. */
static enum lh_alike is_number(const struct digits *d, const struct lh_reading *r, size_t end,
			       size_t *at)
{
	enum lh_alike best = LH_DIFFER, is, most;
	struct written w;
	bool parted = false;
	unsigned n;

	if (!ends_with(d, r))
		return LH_DIFFER;
	if (r->last && held(d, r->n)->before + r->n <= LH_TELEPHONE_MAX) {
		*at = held(d, r->n + held(d, r->n)->before)->at;
		best = may_be_telephone(d->p, d->n, *at, end) ? LH_MAY_BE_ALIKE : LH_DIFFER;
	}
	for (n = 1; n <= LH_TELEPHONE_WRITTEN && n <= d->count; n++) {
		const struct digit *first = held(d, n);
		const bool too_few = n < r->n || n < (parted ? LH_TELEPHONE_NATIONAL
							     : LH_TEXT_DIGITS);

		parted |= !first->before && first->gap == PARTS;
		if (first->before || too_few)
			continue;
		read_written(d, n, &w);
		is = compare(d, &w, r);
		most = is ? may_be_telephone(d->p, d->n, w.at, end) : is;
		is = is < most ? is : most;
		if (is > best || w.foreign)
			*at = w.at;
		best = is > best || w.foreign ? is : best;
		if (w.foreign)
			break;
	}
	return best;
}

static void find_ending(const struct lh_telephones *s, const struct digits *d, size_t end,
			lh_texts_fn *fn, void *ctx)
{
	unsigned last = 0, i;
	enum lh_alike is;
	size_t at, k;

	for (i = 4; i && d->count >= LH_TEXT_DIGITS; i--)
		last = last * 10 + (unsigned)(held(d, i)->value - '0');
	for (k = d->count >= LH_TEXT_DIGITS ? s->first[last] : 0; k; k = s->v[k - 1].next) {
		is = is_number(d, &s->v[k - 1].is, end, &at);
		if (is)
			fn(ctx, s->v[k - 1].number, at, end - at,
			   is == LH_ALIKE ? LH_TEXT_SURE : LH_TEXT_PERHAPS);
	}
}

size_t lh_telephones_find(const struct lh_telephones *s, const unsigned char *p, size_t n,
			  size_t at, lh_texts_fn *fn, void *ctx)
{
	enum gap gap = MAY_JOIN;
	struct digits d;
	size_t end = pass_few(p, n, at);

	if (end)
		return end;
	d.p = p;		/* the digits are not set to zero, which takes time */
	d.n = n;
	d.at = at;
	d.count = 0;
	do {
		end = read_group(&d, gap);
		if (d.group)
			find_ending(s, &d, end, fn, ctx);
	} while (pass_gap(&d, &gap));
	return end;
}
