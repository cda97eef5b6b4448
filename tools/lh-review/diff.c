/* diff.c - read a unified diff file by file.  See diff.h. */
#include "diff.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/mem.h"
#include "diff_parts.h"

#define PARENTS 64		/* of a merge */
#define LONGEST_COUNT 18	/* digits of a number in a hunk's header */

enum where { BETWEEN, HEADER, HUNKS, IN_HUNK, BINARY };

struct lh_diff_reader {
	struct lh_diff_lines lines;
	struct lh_diff_names names;
	enum where where;
	bool plain;		/* the open part has no header of git's */
	bool hunks;		/* it has a hunk */
	bool in_line;		/* the rest of a long line follows, ... */
	bool kept;		/* ... which belongs to the part */
	bool any;		/* a part was seen */
	struct lh_buf old_line;	/* a line "--- NAME", if the last line was one */
	struct lh_str old_name;	/* the name in it */
	uint64_t old_at;	/* its number */
	uint64_t text_at;	/* the first line that is not blank, or 0 */
	size_t parents;		/* of the hunk */
	uint64_t left[PARENTS + 1];	/* lines missing by parent; the last: of the new side */
};

/* ---- the open part ---- */

static void add(struct lh_diff *d, struct lh_str s)
{
	d->size += s.n;
	if (d->size > d->max_file)
		lh_buf_reset(&d->text);
	else
		lh_buf_add(&d->text, s.p, s.n);
}

/* End the open part: 1 if it is one, 0. */
static int close_part(struct lh_diff *d)
{
	struct lh_diff_reader *r = d->reader;
	bool is_part = !r->plain || r->hunks;

	r->where = BETWEEN;
	d->path = text_of(&r->names.path);
	r->any |= is_part;
	return is_part;
}

/* ---- hunks ---- */

/* Read a number; -1 if there is none. */
static int64_t read_count(struct lh_str *s)
{
	int64_t v = 0;
	size_t i = 0;

	while (i < s->n && i < LONGEST_COUNT && s->p[i] >= '0' && s->p[i] <= '9')
		v = v * 10 + (s->p[i++] - '0');
	*s = (struct lh_str){ s->p + i, s->n - i };
	return i ? v : -1;
}

/* Read "-3,7 " or "+3 ": the number of lines, -1 if it is neither. */
static int64_t read_range(struct lh_str *s, char sign)
{
	int64_t n = 1;

	if (!s->n || s->p[0] != sign)
		return -1;
	*s = (struct lh_str){ s->p + 1, s->n - 1 };
	if (read_count(s) < 0)
		return -1;
	if (s->n && s->p[0] == ',') {
		*s = (struct lh_str){ s->p + 1, s->n - 1 };
		n = read_count(s);
	}
	if (!s->n || s->p[0] != ' ')
		return -1;
	*s = (struct lh_str){ s->p + 1, s->n - 1 };
	return n;
}

/* Read "@@ -1,2 +1,3 @@", of a merge with one more @ for each more parent. */
static bool read_hunk(struct lh_diff_reader *r, struct lh_str s)
{
	size_t at = 0, i;

	while (at < s.n && s.p[at] == '@')
		at++;
	if (at < 2 || at > PARENTS + 1 || at == s.n || s.p[at] != ' ')
		return false;
	s = (struct lh_str){ s.p + at + 1, s.n - at - 1 };
	for (i = 0; i < at; i++) {
		int64_t n = read_range(&s, i + 1 < at ? '-' : '+');

		if (n < 0)
			return false;
		r->left[i] = (uint64_t)n;
	}
	for (i = 0; i < at && i < s.n && s.p[i] == '@'; i++)
		;
	if (i < at)
		return false;
	r->parents = at - 1;
	return true;
}

static bool hunk_ended(const struct lh_diff_reader *r)
{
	uint64_t left = 0;
	size_t i;

	for (i = 0; i <= r->parents; i++)
		left |= r->left[i];
	return !left;
}

/* Count a line of the hunk: false if it is not one, or one too many. */
static bool count_line(struct lh_diff_reader *r, struct lh_str s)
{
	bool removed = false;
	size_t i;

	if (s.n && s.p[0] == '\\')
		return true;
	if (s.n && s.n < r->parents)
		return false;
	for (i = 0; i < r->parents && s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '+' && s.p[i] != '-')
			return false;
		removed |= s.p[i] == '-';
	}
	for (i = 0; i <= r->parents; i++) {
		char c = i < r->parents && s.n ? s.p[i] : ' ';
		bool has = removed ? i < r->parents && c == '-' : c == ' ';

		if (has && !r->left[i]--)
			return false;
	}
	return true;
}

static int broken_hunk(struct lh_diff *d, bool ended, struct lh_err *err)
{
	struct lh_diff_reader *r = d->reader;
	struct lh_buf *path = &r->names.path;

	d->line = r->lines.line + !ended;
	return lh_err_set(err, LH_EDATA, "%.*s: %s", (int)(path->len < 500 ? path->len : 500),
			  path->len ? path->p : "",
			  ended ? "the diff ends within a hunk"
				: "this line is not one of the hunk, which has more");
}

/* ---- lines ---- */

/* Take a line of a header of git's: false if it is not one. */
static bool header_line(struct lh_diff_reader *r, struct lh_str s)
{
	static const char *const known[] = { "index ", "old mode ", "new mode ", "mode ",
					     "new file mode ", "deleted file mode ",
					     "similarity index ", "dissimilarity index ",
					     "rename from ", "copy from " };
	struct lh_str name;
	size_t i;

	if ((name = lh_diff_after(s, "rename to ")).p || (name = lh_diff_after(s, "copy to ")).p)
		lh_diff_names_moved(&r->names, name);
	else if ((name = lh_diff_after(s, "--- ")).p)
		lh_diff_names_old(&r->names, name);
	else if ((name = lh_diff_after(s, "+++ ")).p)
		lh_diff_names_new(&r->names, name);
	for (i = 0; !name.p && i < sizeof known / sizeof *known; i++)
		name = lh_diff_after(s, known[i]);
	return name.p;
}

/* Return whether a line is of the data of a binary patch. */
static bool is_data(struct lh_str s)
{
	return !s.n || lh_diff_after(s, "literal ").p || lh_diff_after(s, "delta ").p ||
		(s.n <= 66 && s.n % 5 == 1 && !memchr(s.p, ' ', s.n));
}

/* Take a line of the open part: 1, 0 if the part ended before it. */
static int part_line(struct lh_diff *d, struct lh_str s)
{
	struct lh_diff_reader *r = d->reader;

	if (r->where == BINARY) {
		r->kept = false;
		return is_data(s);
	}
	r->kept = true;
	if (s.n && s.p[0] == '@' && read_hunk(r, s)) {
		r->hunks = true;
		r->where = hunk_ended(r) ? HUNKS : IN_HUNK;
		return 1;
	}
	if (r->where == HUNKS)
		return r->hunks && s.n && s.p[0] == '\\';
	if (lh_diff_after(s, "GIT binary patch").p)
		r->where = BINARY;
	else if (lh_diff_after(s, "Binary files ").p)
		r->where = HUNKS;
	else
		return header_line(r, s);
	return 1;
}

/* Begin the part that a line begins: false if it does not. */
static bool begins(struct lh_diff *d, struct lh_str s)
{
	struct lh_diff_reader *r = d->reader;
	struct lh_str name;
	bool header = false, plain = false;

	lh_diff_names_reset(&r->names);
	if ((name = lh_diff_after(s, "diff --git ")).p)
		header = lh_diff_names_git(&r->names, name);
	else if ((name = lh_diff_after(s, "diff --cc ")).p ||
		 (name = lh_diff_after(s, "diff --combined ")).p)
		header = lh_diff_names_merge(&r->names, name);
	else if (r->old_line.len && (name = lh_diff_after(s, "+++ ")).p)
		plain = true;
	if (plain) {
		lh_diff_names_old(&r->names, r->old_name);
		lh_diff_names_new(&r->names, name);
		plain = r->names.sure;
	}
	if (!header && !plain)
		return false;
	r->plain = plain;
	r->hunks = false;
	r->where = plain ? HUNKS : HEADER;
	d->size = 0;
	d->line = plain ? r->old_at : r->lines.line + 1;
	lh_buf_reset(&d->text);
	if (plain)
		add(d, text_of(&r->old_line));
	return true;
}

/* Keep a line "--- NAME" until the next line shows what it is. */
static int keep_old_line(struct lh_diff_reader *r, const struct lh_diff_line *line,
			 struct lh_err *err)
{
	lh_buf_add(&r->old_line, line->text.p, line->text.n);
	if (lh_buf_check(&r->old_line, err) < 0)
		return -1;
	r->old_name = (struct lh_str){ r->old_line.p + 4, line->words.n - 4 };
	r->old_at = r->lines.line + 1;
	return 0;
}

/* Take a line outside the parts. */
static int outer_line(struct lh_diff *d, const struct lh_diff_line *line, struct lh_err *err)
{
	struct lh_diff_reader *r = d->reader;

	r->kept = begins(d, line->words);
	lh_buf_reset(&r->old_line);
	if (lh_diff_names_check(&r->names, err) < 0)
		return -1;
	if (r->kept)
		return 0;
	if (lh_diff_after(line->words, "@@ -").p || lh_diff_after(line->words, "@@@ -").p) {
		d->line = r->lines.line + 1;
		return lh_err_set(err, LH_EDATA, read_hunk(r, line->words)
				  ? "a hunk without the name of its file"
				  : "not the header of a hunk");
	}
	if (lh_diff_after(line->words, "--- ").p && keep_old_line(r, line, err) < 0)
		return -1;
	if (!r->text_at && lh_trim(line->words.p, line->words.n).n)
		r->text_at = r->lines.line + 1;
	return 0;
}

/* Take a line: 1 if the open part ended before it, 0, -1. */
static int take(struct lh_diff *d, const struct lh_diff_line *line, struct lh_err *err)
{
	struct lh_diff_reader *r = d->reader;
	int rc = 0;

	if (line->first && r->where == IN_HUNK) {
		if (!count_line(r, line->words))
			return broken_hunk(d, false, err);
		if (hunk_ended(r))
			r->where = HUNKS;
	} else if (line->first && r->where != BETWEEN && !part_line(d, line->words) &&
		   close_part(d)) {
		return 1;
	} else if (line->first && r->where == BETWEEN) {
		rc = outer_line(d, line, err);
	}
	if (!rc && r->kept)
		add(d, line->text);
	return rc;
}

/* ---- the input ---- */

static int at_end(struct lh_diff *d, struct lh_err *err)
{
	struct lh_diff_reader *r = d->reader;

	if (r->where == IN_HUNK)
		return broken_hunk(d, true, err);
	if (r->where != BETWEEN && close_part(d))
		return 1;
	if (r->any || !r->text_at)
		return 0;
	d->line = r->text_at;
	return lh_err_set(err, LH_EDATA, "not a unified diff: no line begins a file");
}

int lh_diff_next(struct lh_diff *d, struct lh_err *err)
{
	struct lh_diff_line line;
	struct lh_diff_reader *r;
	int rc;

	if (!d->reader && !(d->reader = lh_calloc(1, sizeof *d->reader, err)))
		return -1;
	r = d->reader;
	while ((rc = lh_diff_lines_look(d, &r->lines, &line, err)) > 0) {
		rc = take(d, &line, err);
		if (rc)
			break;
		lh_diff_lines_pass(&r->lines, &line);
	}
	if (!rc)
		rc = at_end(d, err);
	if (rc > 0 && (lh_buf_check(&d->text, err) < 0 || lh_diff_names_check(&r->names, err) < 0))
		return -1;
	return rc;
}

void lh_diff_restart(struct lh_diff *d)
{
	struct lh_diff_reader *r = d->reader;

	if (!r)
		return;
	r->lines.at = r->lines.n = 0;
	r->lines.ended = r->lines.within = false;
	r->lines.line = r->text_at = 0;
	r->where = BETWEEN;
	r->any = r->kept = false;
	lh_buf_reset(&r->old_line);
}

void lh_diff_free(struct lh_diff *d)
{
	if (d->reader) {
		free(d->reader->lines.p);
		lh_diff_names_free(&d->reader->names);
		lh_buf_free(&d->reader->old_line);
		free(d->reader);
	}
	lh_buf_free(&d->text);
	d->reader = NULL;
}
