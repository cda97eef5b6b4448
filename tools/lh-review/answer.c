/*
 * answer.c - an answer into findings.  See review.h.
 *
 * A finding begins with a line "WHERE: path:line", which may be in bold, in a list, a table, a
 * quotation or brackets; symbols before it do not count, but a word, or the "+" of a diff, does.
 * Several may be on one line.  The text is what follows the place, up to the next finding.
 */
#include "review.h"

#include "base/utf8.h"
#include "base/mem.h"

#define DIGITS_MOST 9
#define PLACE_MOST 16384	/* bytes of a place */
#define COLONS_MOST 32		/* of a place that are tried, from its end */
#define TRIES_MOST 8		/* to find the next finding on a line */

static bool is_of(char c, const char *marks)
{
	return c && strchr(marks, c) != NULL;
}

static bool is_letter(char c)
{
	return lh_fold(c) >= 'a' && lh_fold(c) <= 'z';
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

	while (s.n && (is_of(*s.p, " \t*`#>0123456789.)_|([]") || (unsigned char)*s.p >= 0x80 ||
		       (s.n > 1 && *s.p == '-' && s.p[1] == ' ')))
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	if (s.n <= n || memcmp(s.p, word, n) != 0)
		return (struct lh_str){ NULL, 0 };
	s = (struct lh_str){ s.p + n, s.n - n };
	while (s.n && is_of(*s.p, "*_`"))
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

static struct lh_str after(struct lh_str s, const char *text)
{
	size_t n = strlen(text);

	if (s.n < n || memcmp(s.p, text, n) != 0)
		return (struct lh_str){ NULL, 0 };
	return (struct lh_str){ s.p + n, s.n - n };
}

/* Return s after the second number of "12-15", "12:5", "12..15" or with an en dash. */
static struct lh_str after_range(struct lh_str s)
{
	static const char *const between[] = { "-L", "-", ":", "..", "\xe2\x80\x93" };
	struct lh_str more = { NULL, 0 };
	size_t i, n = 0;

	for (i = 0; !n && i < sizeof between / sizeof *between; i++) {
		more = after(s, between[i]);
		n = count_digits(more);
	}
	return n ? (struct lh_str){ more.p + n, more.n - n } : s;
}

/* Return whether a number ends before s: "12." does, "12th", "12.c" and "12/x" do not. */
static bool is_number_end(struct lh_str s)
{
	if (s.n > 1 && *s.p == '.')
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	return !s.n || !(is_letter(*s.p) || count_digits(s) || is_of(*s.p, "/\\"));
}

/* Return the text after a place, without the marks that end the place and those before it. */
static struct lh_str text_after(struct lh_str s)
{
	static const char *const dashes[] = { "|", "-", ":", "\xe2\x80\x93", "\xe2\x80\x94" };
	struct lh_str text;
	size_t i;

	while (s.n && is_of(*s.p, "*`_\"')]}>|,;:.!?"))
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	s = undecorate(s, " \t");
	for (i = 0; i < sizeof dashes / sizeof *dashes; i++) {
		text = after(s, dashes[i]);
		if (text.p)
			s = undecorate(text, " \t");
	}
	return undecorate(s, " \t*`|").n ? s : (struct lh_str){ NULL, 0 };
}

/* Read "12", or the first line of a range, and the text after it; 0: not a line. */
static uint64_t read_line(struct lh_str s, struct lh_str *rest)
{
	size_t n = count_digits(s), i;
	uint64_t line = 0;

	if (!n || n > DIGITS_MOST)
		return 0;
	for (i = 0; i < n; i++)
		line = line * 10 + (uint64_t)(s.p[i] - '0');
	s = after_range((struct lh_str){ s.p + n, s.n - n });
	if (!is_number_end(s))
		return 0;
	*rest = text_after(s);
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
		       const char *marks, struct lh_buf *scratch)
{
	struct finding try = *f;
	struct lh_str rest;
	size_t i, colons = 0;

	for (i = s.n; i-- && f->file < 0 && colons < COLONS_MOST; ) {
		if (!split_at(s, i, &try, &rest))
			continue;
		colons++;
		try.path = undecorate(try.path, marks);
		try.file = bundle_find(b, try.path, scratch);
		if (try.file < 0 && f->line)
			continue;
		f->file = try.file;
		f->path = try.path;
		f->line = try.line;
		f->text = rest;
	}
}

/* Set the place: as it is written, or else without the marks around it or around its path. */
static void place(struct finding *f, const struct bundle *b, struct lh_str s,
		  struct lh_buf *scratch)
{
	static const char *const marks[] = { "", " \t*`", " \t*`_\"'()[]<>|" };
	size_t i;

	s.n = s.n < PLACE_MOST ? s.n : PLACE_MOST;
	for (i = 0; f->file < 0 && i < sizeof marks / sizeof *marks; i++) {
		s = undecorate(s, marks[i]);
		f->path = s;
		f->line = 0;
		find_place(f, b, s, marks[i], scratch);
	}
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

/* Return the next finding on the same line, from its "WHERE:" on, if it names a line. */
static struct lh_str next_on_line(const struct bundle *b, struct lh_str s, struct lh_buf *scratch)
{
	static const char word[] = "WHERE:";
	struct finding try;
	struct lh_str found = s, tail;
	int tries;

	for (tries = 0; s.n && tries < TRIES_MOST; tries++) {
		found.p = memmem(s.p, s.n, word, sizeof word - 1);
		if (!found.p)
			break;
		found.n = (size_t)(s.p + s.n - found.p);
		tail = undecorate(after(found, word), " \t");
		try = (struct finding){ .file = -1 };
		if (tail.n && is_of(found.p[-1], " \t*`(;,|"))
			place(&try, b, tail, scratch);
		if (try.line)
			return found;
		s = tail;
	}
	return (struct lh_str){ NULL, 0 };
}

/* Add the finding of a place; *rest is the next one on the same line, or p NULL. */
static int add_finding(struct findings *f, const struct bundle *b, size_t model,
		       struct lh_str *where, struct lh_str *rest, struct lh_err *err)
{
	struct finding new = { .file = -1, .model = model };

	if (lh_grow(&f->v, &f->cap, f->n + 1, sizeof *f->v, err) < 0)
		return -1;
	place(&new, b, *where, &f->scratch);
	*rest = next_on_line(b, new.file < 0 ? *where : new.text, &f->scratch);
	if (rest->p) {
		where->n = (size_t)(rest->p - where->p);
		*where = undecorate(*where, " \t");
		new = (struct finding){ .file = -1, .model = model };
		place(&new, b, *where, &f->scratch);
	}
	f->v[f->n++] = new;
	return 0;
}

int findings_read(struct findings *f, const struct bundle *b, size_t model, struct lh_str answer,
		  bool *more, struct lh_err *err)
{
	struct lh_str s = without_thoughts(answer), where = { NULL, 0 }, next, rest;
	const char *p = s.p, *end = s.p + s.n, *lf, *from;
	size_t first = f->n;

	*more = false;
	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf)
			lf = end;
		next = where_of((struct lh_str){ p, (size_t)(lf - p) });
		for (from = p; next.p; from = rest.p, next = where_of(rest)) {
			if (f->n > first)
				settle_text(&f->v[f->n - 1], where, from);
			*more = f->n - first == FINDINGS_MOST;
			if (*more)
				return 0;
			if (add_finding(f, b, model, &next, &rest, err) < 0)
				return -1;
			where = next;
		}
	}
	if (f->n > first)
		settle_text(&f->v[f->n - 1], where, end);
	return lh_buf_check(&f->scratch, err);
}
