/* change.c - long division, as on paper.  See change.h. */
#include "change.h"

#include <math.h>
#include <stdio.h>

#include <lh/num.h>

#define FRACTION 4	/* digits behind the point: a percentage with one decimal, and what rounds it */
#define SIGNIFICANT 40	/* digits that tell which double is nearest */
#define FAR 1000000000	/* no exponent needs to be read further */

static int64_t read_exponent(const char *p, const char *end)
{
	bool negative = p < end && *p == '-';
	int64_t e = 0;

	for (p += *p == '-' || *p == '+'; p < end; p++)
		if (e < FAR)
			e = e * 10 + (*p - '0');
	return negative ? -e : e;
}

bool fixed_read(struct fixed *f, const char *p, size_t n)
{
	const char *end = p + n, *stop, *s;
	int64_t at = 0;		/* a digit is worth its value times ten to this */

	*f = (struct fixed){ .negative = *p == '-', .zero = true };
	p += f->negative;
	for (stop = p; stop < end && (*stop | 0x20) != 'e'; stop++)
		;
	if (stop < end)
		at = read_exponent(stop + 1, end);
	for (s = p; s < stop && *s != '.'; s++)
		at++;
	for (; p < stop; p++) {
		if (*p == '.')
			continue;
		at--;
		if (*p == '0')
			continue;
		if (at >= CHANGE_PLACES || at < -CHANGE_PLACES)
			return false;
		f->digit[CHANGE_PLACES - at] = (unsigned char)(*p - '0');
		f->zero = false;
	}
	return true;
}

/* ---- magnitudes ---- */

static void add(unsigned char *sum, const unsigned char *a, const unsigned char *b)
{
	unsigned carry = 0, v;
	size_t i;

	for (i = CHANGE_WIDTH; i-- > 0; carry = v > 9) {
		v = a[i] + b[i] + carry;
		sum[i] = (unsigned char)(v > 9 ? v - 10 : v);
	}
}

/* a - b of n digits; a is not the smaller one, and may be the difference. */
static void subtract(unsigned char *diff, const unsigned char *a, const unsigned char *b, size_t n)
{
	int borrow = 0, v;

	while (n-- > 0) {
		v = a[n] - b[n] - borrow;
		borrow = v < 0;
		diff[n] = (unsigned char)(v + 10 * borrow);
	}
}

/* to - from: its magnitude, and whether it is below zero. */
static bool difference(unsigned char *diff, const struct fixed *from, const struct fixed *to)
{
	const unsigned char *a = to->digit, *b = from->digit;

	if (to->negative != from->negative) {
		add(diff, a, b);
		return to->negative;
	}
	if (memcmp(a, b, CHANGE_WIDTH) >= 0) {
		subtract(diff, a, b, CHANGE_WIDTH);
		return to->negative;
	}
	subtract(diff, b, a, CHANGE_WIDTH);
	return !to->negative;
}

static bool any(const unsigned char *digit, size_t n)
{
	while (n && !digit[n - 1])
		n--;
	return n;
}

/* ---- the quotient ---- */

/* The digits lo..hi of a number that are not all zeros around it. */
struct span {
	size_t lo, hi;
};

static struct span span_of(const unsigned char *a, const unsigned char *b)
{
	struct span s = { 0, CHANGE_WIDTH };

	while (!a[s.lo] && !b[s.lo])
		s.lo++;
	while (!a[s.hi - 1] && !b[s.hi - 1])
		s.hi--;
	return s;
}

/* Bring down the next digit: how often the divisor fits into what is left. */
static unsigned char step(unsigned char *left, unsigned char next, const unsigned char *by, size_t n)
{
	unsigned char times = 0;

	memmove(left, left + 1, n);
	left[n] = next;
	while (left[0] || memcmp(left + 1, by, n) >= 0) {
		subtract(left, left, by - 1, n + 1);
		times++;
	}
	return times;
}

void change_of(struct change *c, const struct fixed *from, const struct fixed *to)
{
	unsigned char diff[CHANGE_WIDTH], by[1 + CHANGE_WIDTH] = { 0 }, left[1 + CHANGE_WIDTH] = { 0 };
	struct span s;
	size_t n, i, significant = 0;

	*c = (struct change){ .negative = difference(diff, from, to) != from->negative };
	s = span_of(diff, from->digit);
	n = s.hi - s.lo;
	memcpy(by + 1, from->digit + s.lo, n);
	for (i = 0; i < n; i++) {
		c->digit[c->n] = step(left, diff[s.lo + i], by + 1, n);
		significant += significant || c->digit[c->n];
		c->n++;
	}
	c->whole = c->n;
	while (c->n - c->whole < FRACTION || (significant < SIGNIFICANT && any(left, n + 1))) {
		c->digit[c->n] = step(left, 0, by + 1, n);
		significant += significant || c->digit[c->n];
		c->n++;
	}
	c->more = any(left, n + 1);
	if (!c->more && !any(c->digit, c->n))
		c->negative = false;
}

bool change_is_large(const struct change *c)
{
	const unsigned char *tenth = c->digit + c->whole;

	if (any(c->digit, c->whole) || *tenth > 2)
		return true;
	return *tenth == 2 && (c->more || any(tenth + 1, c->n - c->whole - 1));
}

void change_percent(struct lh_buf *out, const struct change *c)
{
	unsigned char d[1 + sizeof c->digit] = { 0 };	/* of tenths of a percent; the first is a carry */
	size_t n = c->whole + 3, i;

	memcpy(d + 1, c->digit, n);
	if (c->digit[n] >= 5) {
		for (i = n; d[i] == 9; i--)
			d[i] = 0;
		d[i]++;
	}
	for (i = 0; i < n - 1 && !d[i]; )
		i++;
	lh_buf_putc(out, c->negative ? '-' : '+');
	for (; i <= n; i++) {
		if (i == n)
			lh_buf_putc(out, '.');
		lh_buf_putc(out, (char)('0' + d[i]));
	}
	lh_buf_putc(out, '%');
}

bool change_double(const struct change *c, double *out)
{
	char text[sizeof c->digit + 32 + LH_PAD] = { 0 }, *to = text;
	const char *next;
	size_t i = 0;

	if (c->negative)
		*to++ = '-';
	while (i + 1 < c->n && !c->digit[i])
		i++;
	for (; i < c->n; i++)
		*to++ = (char)('0' + c->digit[i]);
	to += snprintf(to, 32, "%de-%zu", c->more, c->n - c->whole + 1);
	*out = lh_f64_read(text, to, &next);
	return isfinite(*out);
}
