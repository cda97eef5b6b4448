/* err.c - errors as values, and the names that one proposes.  See err.h and suggest.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "suggest.h"

/* ---- errors ---- */

/* Set every member but the text. */
static void init_err(struct lh_err *err, enum lh_code code, unsigned status)
{
	err->code = code;
	err->column = 0;
	err->status = status;
	err->coded = false;
}

int lh_err_set(struct lh_err *err, enum lh_code code, const char *fmt, ...)
{
	va_list ap;

	init_err(err, code, 0);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int lh_err_data(struct lh_err *err, unsigned status, const char *fmt, ...)
{
	va_list ap;

	init_err(err, LH_EDATA, status);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return -1;
}

unsigned lh_err_status(const struct lh_err *err)
{
	static const unsigned short of[] = {
		[LH_EDATA] = 400, [LH_EUSAGE] = 400, [LH_EIO] = 500, [LH_ENOMEM] = 500,
		[LH_ECORRUPT] = 500,
		[LH_ENET] = 502, [LH_ELOCKED] = 503, [LH_EINTR] = 503,
	};

	return err->status ? err->status : of[err->code];
}

int lh_err_sys(struct lh_err *err, const char *fmt, ...)
{
	int saved = errno;
	size_t n;
	va_list ap;

	init_err(err, LH_EIO, 0);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	/* the words that a failed allocation has everywhere */
	snprintf(err->msg + n, sizeof err->msg - n, ": %s",
		 saved == ENOMEM ? "out of memory" : strerror(saved));
	errno = saved;
	return -1;
}

int lh_err_nomem(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "out of memory");
}

int lh_err_prefix(struct lh_err *err, const char *fmt, ...)
{
	char old[sizeof err->msg];
	size_t n;
	va_list ap;

	memcpy(old, err->msg, sizeof old);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", old);
	return -1;
}

/* ---- the closest names ---- */

#define NAME_MAX_LENGTH 48
#define FAR 1000u

struct lh_suggest lh_suggest_for(const char *given, size_t n)
{
	return (struct lh_suggest){ .given = given, .n = n };
}

static char plain(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c == '_' ? '-' : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Count the letters to insert, remove, replace or exchange with their neighbour (optimal
 * string alignment), by three rows of the table: this one and the two before it.
 */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][NAME_MAX_LENGTH + 1], *two = rows[0], *one = rows[1], *row = rows[2];
	size_t i, j;

	for (j = 0; j <= m; j++)
		one[j] = two[j] = (unsigned)j;
	for (i = 1; i <= n; i++) {
		unsigned *spare = two;

		row[0] = (unsigned)i;
		for (j = 1; j <= m; j++) {
			bool same = plain(a[i - 1]) == plain(b[j - 1]);

			row[j] = least(least(one[j], row[j - 1]) + 1, one[j - 1] + !same);
			if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) &&
			    plain(a[i - 2]) == plain(b[j - 1]))
				row[j] = least(row[j], two[j - 2] + 1);
		}
		two = one;
		one = row;
		row = spare;
	}
	return one[m];
}

/* Whether the name ends with "-" and what was given, as judge-model does with model. */
static bool is_end(const struct lh_suggest *s, const char *name, size_t n)
{
	return s->n >= 2 && n > s->n && name[n - s->n - 1] == '-' &&
	       memcmp(name + n - s->n, s->given, s->n) == 0;
}

/* Tell how far a name is from what was given; FAR if it is not close. */
static unsigned judge(const struct lh_suggest *s, const char *name, size_t n)
{
	size_t i, longer = n > s->n ? n : s->n, bound = longer < 3 ? 1 : longer / 3;
	unsigned d;

	if (!s->n || !n || s->n > NAME_MAX_LENGTH || n > NAME_MAX_LENGTH)
		return FAR;
	for (i = 0; i < s->n && i < n && plain(s->given[i]) == plain(name[i]); i++)
		;
	if (i == s->n && i >= 2)	/* the beginning of the name */
		return i == n ? 0 : 1;
	if (is_end(s, name, n))
		return 1;
	d = distance(s->given, s->n, name, n);
	/* a name that has not one letter of the other is not close */
	return d <= bound && d < longer ? d : FAR;
}

void lh_suggest_alias(struct lh_suggest *s, const char *name, size_t n, const char *as,
		      size_t n_as)
{
	unsigned d = judge(s, name, n);
	size_t at;

	if (d == FAR)
		return;
	for (at = 0; at < s->n_best; at++)
		if (strlen(s->best[at].name) == n_as && memcmp(s->best[at].name, as, n_as) == 0) {
			if (s->best[at].distance <= d)
				return;
			break;
		}
	s->n_best -= at < s->n_best;
	if (s->n_best > at)
		memmove(&s->best[at], &s->best[at + 1], (s->n_best - at) * sizeof *s->best);
	for (at = s->n_best; at > 0 && s->best[at - 1].distance > d; at--)
		if (at < LH_SUGGEST_MAX)
			s->best[at] = s->best[at - 1];
	if (at == LH_SUGGEST_MAX)
		return;
	snprintf(s->best[at].name, sizeof s->best[at].name, "%.*s", (int)n_as, as);
	s->best[at].distance = d;
	s->n_best += s->n_best < LH_SUGGEST_MAX;
}

void lh_suggest_offer(struct lh_suggest *s, const char *name, size_t n)
{
	lh_suggest_alias(s, name, n, name, n);
}

void lh_suggest_choices(struct lh_suggest *s, const char *choices)
{
	size_t n;

	for (; *choices; choices += n + (choices[n] == '|')) {
		n = strcspn(choices, "|");
		lh_suggest_offer(s, choices, n);
	}
}

/* Return how many of the best are named: those as close as the first. */
static size_t named(const struct lh_suggest *s)
{
	size_t n = 0;

	while (n < s->n_best && s->best[n].distance <= s->best[0].distance)
		n++;
	return n;
}

const char *lh_suggest_text(const struct lh_suggest *s, const char *prefix, char *to)
{
	size_t i, at = 0, n = named(s);

	*to = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(to + at, LH_SUGGEST_ROOM - at, "%s%s%s%s",
				       i == 0 ? "did you mean " : i + 1 < n ? ", " : " or ",
				       prefix, s->best[i].name, *prefix == '"' ? prefix : "");
	if (n)
		snprintf(to + at, LH_SUGGEST_ROOM - at, "?");
	return to;
}

struct lh_counted lh_counted(unsigned long long n, const char *what)
{
	size_t one = strcspn(what, "|");
	struct lh_counted c;

	if (n == 1)
		snprintf(c.text, sizeof c.text, "1 %.*s", (int)one, what);
	else if (what[one])
		snprintf(c.text, sizeof c.text, "%llu %s", n, what + one + 1);
	else
		snprintf(c.text, sizeof c.text, "%llu %ss", n, what);
	return c;
}
