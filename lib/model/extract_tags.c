/* extract_tags.c - the tags around what a model thought.  See lh/extract.h. */
#include <string.h>

#include "base/utf8.h"
#include "extract_parts.h"

/* The pairs of brackets that tags are written in; Kimi's models have the last. */
static const struct { const char *open, *close; } brackets[] = {
	{ "<", ">" }, { "[", "]" }, { "\u25c1", "\u25b7" },
};

/* A word of the name of a tag: <begin_of_thought>, <reasoning_content>.  An s may follow. */
static const char *const thoughts[] = {
	"think", "thinking", "thought", "reasoning", "reflection", "scratchpad", "analysis",
};
_Static_assert(sizeof thoughts / sizeof *thoughts == LH_MARK_NAMES, "their number");
#define SEPARATORS "_:.-"	/* between the words of a name */

/* The tags of the harmony format that end a message. */
static const char *const stops[] = { "end", "start", "call", "return" };

/* A tag as it is written. */
struct written {
	struct lh_str name;	/* with words before it: "seed:think", "begin_of_thought" */
	bool slash, bar, bar_after;
	bool empty;		/* <think/> */
	const char *end;
};

static bool starts(const char *p, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - p) >= n && memcmp(p, with, n) == 0;
}

static bool is(struct lh_str s, const char *word)
{
	return lh_fold_equal(s.p, s.n, word, strlen(word));
}

static bool in_name(char c)
{
	return (c >= '0' && c <= '9') || (lh_fold(c) >= 'a' && lh_fold(c) <= 'z') ||
		(c && strchr(SEPARATORS, c));
}

/* Read a tag.  Only one in angle brackets has attributes, so that "[think about it]" is text. */
static bool read_tag(const char *p, const char *end, struct written *t)
{
	const char *from, *close;
	size_t i;

	for (i = 0; i < 3 && !starts(p, end, brackets[i].open); )
		i++;
	if (i == 3)
		return false;
	close = brackets[i].close;
	*t = (struct written){ .slash = false };
	p += strlen(brackets[i].open);
	for (; p < end && (lh_json_blank(*p) || *p == '/' || *p == '|'); p++) {
		t->slash |= *p == '/';
		t->bar |= *p == '|';
	}
	for (from = p; p < end && in_name(*p); )
		p++;
	t->name = (struct lh_str){ from, (size_t)(p - from) };
	if (p < end && i == 0 && (lh_json_blank(*p) || *p == '/'))
		while (p < end && *p != '<' && *p != '>' && *p != '|')
			p++;
	else
		while (p < end && lh_json_blank(*p))
			p++;
	t->empty = p > from && p[-1] == '/';
	t->bar_after = p < end && *p == '|';
	p += t->bar_after;
	t->end = p;
	if (!starts(p, end, close))
		return false;
	t->end += strlen(close);
	return true;
}

/* Return the name of the channel that is written after its tag. */
static enum lh_mark_kind channel(const char *p, const char *end)
{
	const char *from;

	while (p < end && lh_json_blank(*p))
		p++;
	for (from = p; p < end && in_name(*p); )
		p++;
	return is((struct lh_str){ from, (size_t)(p - from) }, "final") ? LH_MARK_FINAL :
		LH_MARK_CHANNEL;
}

/* Return whether the name's words from p on are a word, of which an s may follow. */
static bool is_word(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - p) == n + 1 && lh_fold(end[-1]) == 's')
		end--;
	return lh_fold_equal(p, (size_t)(end - p), word, n);
}

/* What the tag of a thought's name says; LH_MARK_NONE for another name. */
static enum lh_mark_kind thought(const struct written *t, char *name)
{
	const char *const first = t->name.p;
	const char *end = first + t->name.n, *p;
	size_t i = LH_MARK_NAMES;

	for (; i == LH_MARK_NAMES && end > first; end = p > first ? p - 1 : p) {
		for (p = end; p > first && !strchr(SEPARATORS, p[-1]); )
			p--;
		for (i = 0; i < LH_MARK_NAMES && !is_word(p, end, thoughts[i]); )
			i++;
	}
	*name = (char)i;
	if (i == LH_MARK_NAMES || (t->empty && !t->slash))
		return LH_MARK_NONE;
	return t->slash || (t->name.n > 4 && lh_fold_equal(t->name.p, 3, "end", 3) &&
			    strchr(SEPARATORS, t->name.p[3])) ? LH_MARK_CLOSE : LH_MARK_OPEN;
}

struct lh_mark lh_mark_read(const char *p, const char *end)
{
	struct lh_mark m = { LH_MARK_NONE, LH_MARK_NAMES, p + 1 };
	struct written t;
	size_t i;

	if (!read_tag(p, end, &t) || !t.name.n)
		return m;
	m.kind = thought(&t, &m.name);
	if (m.kind == LH_MARK_NONE && (t.bar || t.bar_after)) {
		m.name = LH_MARK_NAMES;
		if (is(t.name, "channel"))
			m.kind = t.bar ? channel(t.end, end) : LH_MARK_STOP;
		for (i = 0; i < sizeof stops / sizeof *stops; i++)
			if (is(t.name, stops[i]))
				m.kind = LH_MARK_STOP;
	}
	if (m.kind != LH_MARK_NONE)
		m.end = t.end;
	return m;
}
