/* line.c - whether a line holds a row.  See rows.h. */
#include "rows.h"

#include <string.h>

#include <lh/time.h>

#define BEFORE "{\"erased\":\""
#define BETWEEN "\",\"at\":\""
#define AFTER "\"}"

bool lh_line_blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
			return false;
	return true;
}

bool lh_erasure_id(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'z') || p[i] == '-'))
			return false;
	return n && n <= LH_ERASURE_ID;
}

/* Step over a text: whether *p begins with it. */
static bool skip(const char **p, size_t *n, const char *text)
{
	size_t len = strlen(text);

	if (*n < len || memcmp(*p, text, len))
		return false;
	*p += len;
	*n -= len;
	return true;
}

bool lh_line_erased(const char *p, size_t n, struct lh_str *id)
{
	const char *quote;
	int64_t ms;

	n -= n && p[n - 1] == '\r';
	if (n > LH_TOMBSTONE || !skip(&p, &n, BEFORE))
		return false;
	quote = memchr(p, '"', n);
	if (!quote || !lh_erasure_id(p, (size_t)(quote - p)))
		return false;
	if (id)
		*id = (struct lh_str){ p, (size_t)(quote - p) };
	n -= (size_t)(quote - p);
	p = quote;
	return skip(&p, &n, BETWEEN) && n == LH_TIME_LEN + strlen(AFTER) &&
	       p[LH_TIME_LEN - 1] == 'Z' && lh_time_read(p, LH_TIME_LEN, &ms) == 0 &&
	       !memcmp(p + LH_TIME_LEN, AFTER, strlen(AFTER));
}

bool lh_tombstone_next(struct lh_str *rest, struct lh_str *id)
{
	const char *p = rest->p, *end = p + rest->n, *lf;
	bool found = false;

	while (!found && p < end && (p = memmem(p, (size_t)(end - p), BEFORE, strlen(BEFORE)))) {
		lf = memchr(p, '\n', (size_t)(end - p));
		lf = lf ? lf : end;
		found = (p == rest->p || p[-1] == '\n') &&
			lh_line_erased(p, (size_t)(lf - p), id);
		p = lf < end ? lf + 1 : end;
	}
	if (found)
		*rest = (struct lh_str){ p, (size_t)(end - p) };
	return found;
}

void lh_tombstone(struct lh_buf *out, struct lh_str id, const char *at)
{
	lh_buf_puts(out, BEFORE);
	lh_buf_add(out, id.p, id.n);
	lh_buf_puts(out, BETWEEN);
	lh_buf_add(out, at, LH_TIME_LEN);
	lh_buf_puts(out, AFTER);
}
