/* csv_first.c - what the first row of an input tells about all of it.  See csv.h. */
#include "csv.h"

#include <strings.h>

#define FIRST_MAX 4096		/* bytes that are looked at */
#define N_DELIMITERS 4

static const char delimiters[N_DELIMITERS] = { ',', ';', '|', '\t' };

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Count the delimiters outside of quotes in the first row; return its length. */
static size_t count_delimiters(struct lh_str s, unsigned count[N_DELIMITERS])
{
	bool begins = true, quoted = false;
	const char *d;
	size_t i;

	memset(count, 0, N_DELIMITERS * sizeof *count);
	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			quoted = c != '"';
		} else if (c == '"' && (begins || s.p[i - 1] == '"')) {
			quoted = true;
			begins = false;
		} else if (is_line_end(c)) {
			break;
		} else {
			d = memchr(delimiters, c, N_DELIMITERS);
			begins = d != NULL;
			if (d)
				count[d - delimiters]++;
		}
	}
	return i;
}

/* Refuse what is often taken for a table, by its first bytes. */
static int refuse(struct lh_str head, struct lh_err *err)
{
	static const struct { const char *begin, *what; } others[] = {
		{ "<!doctype html", "a page of HTML" }, { "<html", "a page of HTML" },
		{ "<head", "a page of HTML" }, { "<body", "a page of HTML" },
		{ "<table", "a page of HTML" }, { "<meta", "a page of HTML" },
		{ "<!--", "a page of HTML" }, { "<?xml", "XML" }, { "%PDF-", "a PDF file" },
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook" },
	};
	size_t i, n;

	while (head.n && (is_line_end(*head.p) || *head.p == ' ' || *head.p == '\t')) {
		head.p++;
		head.n--;
	}
	for (i = 0; i < sizeof others / sizeof others[0]; i++) {
		n = strlen(others[i].begin);
		if (head.n >= n && strncasecmp(head.p, others[i].begin, n) == 0)
			return lh_err_set(err, LH_EIO, "is %s, not a table; save it as CSV in "
					  "UTF-8", others[i].what);
	}
	return 0;
}

/* Return the length of a line sep=X, without its line end, and set *delimiter to X; or 0. */
static size_t sep_line(struct lh_str s, char *delimiter)
{
	const bool quoted = s.n && *s.p == '"';
	const size_t n = 5 + 2 * quoted;
	char x;

	if (s.n < n || strncasecmp(s.p + quoted, "sep=", 4) ||
	    (quoted && s.p[n - 1] != '"') || (s.n > n && !is_line_end(s.p[n])))
		return 0;
	x = s.p[4 + quoted];
	if (x == '"' || is_line_end(x) || !x || x & 0x80)
		return 0;
	*delimiter = x;
	return n;
}

/* Return whether the row after the first one, of n bytes, has as many of a delimiter; -1: more
 * bytes may tell. */
static int repeats(struct lh_str s, size_t n, bool all, size_t delimiter, unsigned times)
{
	unsigned count[N_DELIMITERS];
	size_t i = n;

	while (i < s.n && is_line_end(s.p[i]))
		i++;
	s.p += i;
	s.n -= i;
	if (count_delimiters(s, count) == s.n && !all)
		return -1;
	return s.n && count[delimiter] == times;
}

/* Set what the delimiters of the first row, of n bytes, tell: 0, or -1 if more bytes may change
 * it.  Of another delimiter that is not the only one, the second row has to have as many: a name
 * may have some, as in "tags (a;b;c)". */
static int judge_row(struct lh_csv *c, struct lh_str s, size_t n, bool all,
		     const unsigned count[N_DELIMITERS])
{
	const char *known = memchr(delimiters, c->first.delimiter, N_DELIMITERS);
	const size_t usual = (size_t)(known - delimiters);
	struct lh_csv_first *f = &c->first;
	size_t i, best = !usual;
	bool alone = true;
	int plainly;

	for (i = 0; i < N_DELIMITERS; i++)
		best = i != usual && count[i] > count[best] ? i : best;
	for (i = 0; i < N_DELIMITERS; i++)
		alone &= i == best || i == usual || count[i] < count[best];
	if (!count[best])
		return 0;
	f->lonely = !count[usual];
	f->other = delimiters[best];
	if (!c->guess || !alone || count[best] <= count[usual])
		return 0;
	plainly = f->lonely ? 1 : repeats(s, n, all, best, count[best]);
	if (plainly <= 0)
		return plainly;
	f->delimiter = f->guessed = f->other;
	f->other = 0;
	f->lonely = false;
	return 0;
}

int lh_csv_judge(struct lh_csv *c, struct lh_str head, bool all, size_t *skip,
		 struct lh_err *err)
{
	unsigned count[N_DELIMITERS];
	size_t blank = 0, n, of_sep;
	char sep = 0;

	if (head.n > FIRST_MAX)
		head.n = FIRST_MAX;
	all |= head.n == FIRST_MAX;
	while (blank < head.n && is_line_end(head.p[blank]))
		blank++;
	head.p += blank;
	head.n -= blank;
	n = count_delimiters(head, count);
	if (n == head.n && !all)
		return 0;
	if (refuse((struct lh_str){ head.p, n }, err) < 0)
		return -1;
	of_sep = sep_line(head, &sep);
	*skip = of_sep ? blank + of_sep : 0;
	c->first = (struct lh_csv_first){
		.delimiter = c->delimiter ? c->delimiter : sep ? sep : c->tsv ? '\t' : ',' };
	if (!c->delimiter && !sep && judge_row(c, head, n, all, count) < 0)
		return 0;
	c->first.in_quotes = !of_sep && head.n && *head.p == '"' && !lh_csv_quoted(c);
	return 1;
}
