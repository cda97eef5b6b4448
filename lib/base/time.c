/* time.c - RFC 3339 and back.  See time.h. */
#include "base/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define NS_IN_MS 1000000

/* Return the days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant,
 * "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t z, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

/* Return the number of exactly n digits at *s and advance *s, or -1. */
static int read_digits(const char **s, const char *end, int n)
{
	int v = 0;

	for (; n; n--, ++*s) {
		if (*s == end || **s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static int expect(const char **s, const char *end, char c)
{
	if (*s == end || (**s | (c >= 'A' ? 0x20 : 0)) != (c | (c >= 'A' ? 0x20 : 0)))
		return -1;
	++*s;
	return 0;
}

static int days_in(int y, int m)
{
	static const char n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return n[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

/* Read the zone at s, which ends the text, in minutes east. */
static int read_zone(const char *s, const char *end, int *minutes)
{
	int sign, h, m;

	*minutes = 0;
	if (end - s == 1)
		return expect(&s, end, 'Z');
	if (end - s != 6 || (*s != '+' && *s != '-'))
		return -1;
	sign = *s++ == '-' ? -1 : 1;
	h = read_digits(&s, end, 2);
	if (expect(&s, end, ':') < 0)
		return -1;
	m = read_digits(&s, end, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return -1;
	*minutes = sign * (h * 60 + m);
	return 0;
}

/* Return two digits as a number; set *bad if they are not digits. */
static int read_two_digits(const char *s, unsigned *bad)
{
	unsigned a = (unsigned)s[0] - '0', b = (unsigned)s[1] - '0';

	*bad |= (a > 9) | (b > 9);
	return (int)(a * 10 + b);
}

/* Read the form that lh_time_print writes. */
static bool read_ours(const char *s, int f[6], int *frac)
{
	unsigned bad = 0, last = (unsigned)s[22] - '0';
	int ms;

	if (s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
	    s[19] != '.' || s[23] != 'Z')
		return false;
	f[0] = read_two_digits(s, &bad) * 100 + read_two_digits(s + 2, &bad);
	f[1] = read_two_digits(s + 5, &bad);
	f[2] = read_two_digits(s + 8, &bad);
	f[3] = read_two_digits(s + 11, &bad);
	f[4] = read_two_digits(s + 14, &bad);
	f[5] = read_two_digits(s + 17, &bad);
	ms = read_two_digits(s + 20, &bad) * 10 + (int)last;
	if (bad || last > 9)
		return false;
	*frac = ms * NS_IN_MS;
	return true;
}

/* Read any other form. */
static int read_any(const char *s, size_t n, int f[6], int *frac, int *minutes)
{
	static const char sep[] = "--T::";
	const char *end = s + n, *from;
	int i, scale = 100 * NS_IN_MS;

	for (i = 0; i < 6; i++) {
		if (i && expect(&s, end, sep[i - 1]) < 0)
			return -1;
		f[i] = read_digits(&s, end, i ? 2 : 4);
		if (f[i] < 0)
			return -1;
	}
	if (s < end && *s == '.') {
		for (from = ++s; s < end && *s >= '0' && *s <= '9'; s++, scale /= 10)
			*frac += (*s - '0') * scale;
		if (s == from)
			return -1;
	}
	return read_zone(s, end, minutes);
}

int lh_moment_read(const char *s, size_t n, struct lh_moment *at)
{
	int f[6], frac = 0, minutes = 0;

	if (n != LH_TIME_LEN || !read_ours(s, f, &frac)) {
		frac = 0;
		if (read_any(s, n, f, &frac, &minutes) < 0)
			return -1;
	}
	if (f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > days_in(f[0], f[1]) ||
	    f[3] > 23 || f[4] > 59 || f[5] > 59)
		return -1;
	at->s = days_from_civil(f[0], f[1], f[2]) * (DAY_MS / 1000) +
		(f[3] * 60 + f[4] - minutes) * INT64_C(60) + f[5];
	at->ns = frac;
	return 0;
}

int lh_time_read(const char *s, size_t n, int64_t *ms)
{
	struct lh_moment at;

	if (lh_moment_read(s, n, &at) < 0)
		return -1;
	*ms = at.s * 1000 + at.ns / NS_IN_MS;
	return 0;
}

void lh_time_print(int64_t ms, char *out)
{
	int64_t day = ms / DAY_MS, left = ms % DAY_MS;
	int y, m, d;
	char text[80];

	if (left < 0) {
		left += DAY_MS;
		day--;
	}
	civil_from_days(day, &y, &m, &d);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", y, m, d,
		 (int)(left / 3600000), (int)(left / 60000 % 60), (int)(left / 1000 % 60),
		 (int)(left % 1000));
	memcpy(out, text, LH_TIME_LEN);
	out[LH_TIME_LEN] = '\0';
}

int64_t lh_time_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

double lh_time_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
