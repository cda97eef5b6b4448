/*
 * answer.c - an answer into findings.  See review.h.
 *
 * A finding begins with a line "WHERE: path:line", which may be in bold, in a list, a quotation
 * or back quotes.  Its text is the rest of that line and all lines up to the next finding.
 */
#include "review.h"

#include "base/ascii.h"
#include "base/mem.h"

#define DIGITS_MOST 9
#define PLACE_MOST 16384	/* bytes of a place */
#define COLONS_MOST 32		/* of a place that are tried, from its end */

static bool is_of(char c, const char *marks)
{
	return c && strchr(marks, c) != NULL;
}

/* Remove blanks and marks of Markdown at both ends. */
static struct lh_str undecorate(struct lh_str s, const char *marks)
{
	while (s.n && is_of(*s.p, marks))
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	while (s.n && is_of(s.p[s.n - 1], marks))
		s.n--;
	return s;
}

/* Return what follows "WHERE:" in a line; p NULL if it does not begin so. */
static struct lh_str where_of(struct lh_str line)
{
	static const char word[] = "WHERE";
	struct lh_str s = line;
	size_t n = sizeof word - 1;

	while (s.n && (is_of(*s.p, " \t*`#>0123456789.)") ||
		       (s.n > 1 && *s.p == '-' && s.p[1] == ' ')))
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	if (s.n <= n || memcmp(s.p, word, n) != 0)
		return (struct lh_str){ NULL, 0 };
	s = (struct lh_str){ s.p + n, s.n - n };
	while (s.n && *s.p == '*')
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	if (!s.n || *s.p != ':')
		return (struct lh_str){ NULL, 0 };
	return undecorate((struct lh_str){ s.p + 1, s.n - 1 }, " \t\r");
}

static size_t count_digits(struct lh_str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* Read "12", or the first line of "12-15" and "12:5", and the text after it; 0: not a line. */
static uint64_t read_line(struct lh_str s, struct lh_str *rest)
{
	size_t n = count_digits(s), i, more;
	uint64_t line = 0;

	if (!n || n > DIGITS_MOST)
		return 0;
	for (i = 0; i < n; i++)
		line = line * 10 + (uint64_t)(s.p[i] - '0');
	s = (struct lh_str){ s.p + n, s.n - n };
	if (s.n && (*s.p == '-' || *s.p == ':')) {
		more = count_digits((struct lh_str){ s.p + 1, s.n - 1 });
		if (more)
			s = (struct lh_str){ s.p + 1 + more, s.n - 1 - more };
	}
	if (s.n && !is_of(*s.p, " \t*`,;"))
		return 0;
	*rest = undecorate(s, " \t*`,;-");
	return line;
}

/* Try the colon at i as the one before the line. */
static bool split_at(struct lh_str s, size_t i, struct finding *f, struct lh_str *rest)
{
	uint64_t line;

	if (s.p[i] != ':')
		return false;
	line = read_line((struct lh_str){ s.p + i + 1, s.n - i - 1 }, rest);
	if (!line)
		return false;
	f->line = line;
	f->path = (struct lh_str){ s.p, i };
	return true;
}

/* Find the place: the last colon before a line that has a path of the bundle before it. */
static void find_place(struct finding *f, const struct bundle *b, struct lh_str s,
		       struct lh_buf *scratch)
{
	struct finding try = *f;
	struct lh_str rest;
	size_t i, colons = 0;

	for (i = s.n; i-- && f->file < 0 && colons < COLONS_MOST; ) {
		if (!split_at(s, i, &try, &rest))
			continue;
		colons++;
		try.file = bundle_find(b, try.path, scratch);
		if (try.file < 0 && f->line)
			continue;
		f->file = try.file;
		f->path = try.path;
		f->line = try.line;
		f->text = rest;
	}
}

/* Set the place, without marks around it if it has none with them. */
static void place(struct finding *f, const struct bundle *b, struct lh_str s,
		  struct lh_buf *scratch)
{
	s.n = s.n < PLACE_MOST ? s.n : PLACE_MOST;
	find_place(f, b, s, scratch);
	if (f->file >= 0)
		return;
	s = undecorate(s, " \t*`");
	f->path = s;
	f->line = 0;
	find_place(f, b, s, scratch);
}

/* Set the text: the rest of the line with the place, then what follows. */
static void settle_text(struct finding *f, struct lh_str where, const char *end)
{
	const char *from = f->text.n ? f->text.p : where.p + where.n;

	while (!f->text.n && from < end && is_of(*from, " \t\r*`"))
		from++;
	f->text = lh_trim(from, (size_t)(end - from));
}

/* Return the answer without the thoughts that some models write before it. */
static struct lh_str without_thoughts(struct lh_str s)
{
	static const char begin[] = "<think>", end[] = "</think>";
	const char *p;

	s = lh_trim(s.p, s.n);
	if (s.n < sizeof begin - 1 || memcmp(s.p, begin, sizeof begin - 1) != 0)
		return s;
	p = memmem(s.p, s.n, end, sizeof end - 1);
	if (!p)
		return s;
	p += sizeof end - 1;
	return (struct lh_str){ p, s.n - (size_t)(p - s.p) };
}

int findings_read(struct findings *f, const struct bundle *b, size_t model, struct lh_str answer,
		  bool *more, struct lh_err *err)
{
	struct lh_str s = without_thoughts(answer), where = { NULL, 0 }, next;
	const char *p = s.p, *end = s.p + s.n, *lf;
	size_t first = f->n;

	*more = false;
	for (; p < end && !*more; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf)
			lf = end;
		next = where_of((struct lh_str){ p, (size_t)(lf - p) });
		if (!next.p)
			continue;
		if (f->n > first)
			settle_text(&f->v[f->n - 1], where, p);
		*more = f->n - first == FINDINGS_MOST;
		if (*more)
			return 0;
		if (lh_grow(&f->v, &f->cap, f->n + 1, sizeof *f->v, err) < 0)
			return -1;
		f->v[f->n] = (struct finding){ .file = -1, .model = model };
		place(&f->v[f->n++], b, next, &f->scratch);
		where = next;
	}
	if (f->n > first)
		settle_text(&f->v[f->n - 1], where, end);
	return lh_buf_check(&f->scratch, err);
}
