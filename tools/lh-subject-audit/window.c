/* window.c - the times of --from and --to, which may be days and months. */
#include <stdio.h>

#include <lh/time.h>
#include "audit.h"

/* Return the number of n digits, -1 if there is something else. */
static int digits(const char *p, size_t n)
{
	int x = 0;

	for (; n; p++, n--) {
		if (*p < '0' || *p > '9')
			return -1;
		x = x * 10 + *p - '0';
	}
	return x;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool window_read(const char *text, size_t n, bool end, char to[WINDOW_TIME])
{
	struct lh_moment at;
	int year, month, day;

	if (n < WINDOW_TIME && lh_moment_read(text, n, &at) == 0) {
		memcpy(to, text, n);
		to[n] = '\0';
		return true;
	}
	if ((n != 7 && n != 10) || text[4] != '-' || (n == 10 && text[7] != '-'))
		return false;
	year = digits(text, 4);
	month = digits(text + 5, 2);
	if (year < 0 || month < 1 || month > 12)
		return false;
	day = n == 10 ? digits(text + 8, 2) : end ? days_of(year, month) : 1;
	if (day < 1 || day > days_of(year, month))
		return false;
	snprintf(to, WINDOW_TIME, "%04d-%02d-%02dT%s", year, month, day,
		 end ? "23:59:59.999999999Z" : "00:00:00Z");
	return true;
}

bool window_is_backwards(const char *from, const char *to)
{
	struct lh_moment a, b;

	return from && to && lh_moment_read(from, strlen(from), &a) == 0 &&
	       lh_moment_read(to, strlen(to), &b) == 0 && lh_moment_before(b, a);
}

int window_settle(struct lh_tool *tool, struct settings *s)
{
	const struct {
		const char *name, **text;
		char *to;
	} end[] = {
		{ "--from", &s->from, s->from_time }, { "--to", &s->to, s->to_time }
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!*end[i].text)
			continue;
		if (!window_read(*end[i].text, strlen(*end[i].text), i == 1, end[i].to))
			return lh_tool_usage(tool,
					     "%s: \"%s\" is not a time like 2026-05-03T12:00:00Z, "
					     "a day like 2026-05-03 or a month like 2026-05",
					     end[i].name, *end[i].text);
		*end[i].text = end[i].to;
	}
	if (window_is_backwards(s->from, s->to))
		return lh_tool_usage(tool, "--from %s is after --to %s", s->from, s->to);
	return 0;
}
