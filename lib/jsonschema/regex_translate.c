/* regex_translate.c - a pattern of ECMA-262 as one of PCRE2.  See regex_translate.h. */
#include "regex_translate.h"

#include <lh/str.h>
#include <stdlib.h>

#include "base/utf8.h"

#define DEPTH 200		/* groups inside each other */
#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

#include "character_sets.inc"

struct parser {
	struct lh_translation *t;
	struct lh_buf *out;
	const char *p, *end, *start;	/* a NUL is at the end */
	const char *open[DEPTH];	/* the ( of each group ... */
	size_t begin[DEPTH];		/* ... and that in out */
	bool look[DEPTH];		/* it is an assertion */
	unsigned depth;
	struct lh_err *err;
};

/* Report what is wrong at `at`; returns -1. */
static int fault(struct parser *ps, const char *at, const char *why)
{
	lh_err_set(ps->err, LH_EDATA, "%s", why);
	ps->err->column = (size_t)(at - ps->start) + 1;
	return -1;
}

/* What is written from here on is from here in the pattern. */
static void note_place(struct parser *ps)
{
	if (!ps->t->column || ps->out->len < ps->t->until)
		ps->t->column = (size_t)(ps->p - ps->start) + 1;
}

static bool take(struct parser *ps, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(ps->p, text, n) != 0)
		return false;
	ps->p += n;
	return true;
}

static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

static void put_char(struct parser *ps, uint32_t c)
{
	lh_buf_printf(ps->out, c < 128 && is_in((char)c, DIGITS LETTERS) ? "%c" : "\\x{%x}", c);
}

/* Write the character of the n hex digits that are next. */
static void put_hex(struct parser *ps, size_t n)
{
	lh_buf_printf(ps->out, "\\x{%.*s}", (int)n, ps->p);
	ps->p += n;
}

/* After a backslash: write the character that is meant. */
static int put_char_escape(struct parser *ps, const char *at)
{
	static const char from[] = "tnvfr", to[] = "\t\n\v\f\r";
	char c = *ps->p++;
	size_t n = c ? strspn(ps->p, HEX) : 0;		/* nothing follows the end */
	unsigned high, low;

	if (c == 'u' && take(ps, "{")) {
		n = strspn(ps->p, HEX);
		return n && ps->p[n] == '}' ? put_hex(ps, n), ps->p++, 0
					    : fault(ps, at, "not a code point in {...}");
	}
	if (c == 'x' && n >= 2) {
		put_hex(ps, 2);
		return 0;
	}
	if (c == 'u' && n >= 4) {
		if (sscanf(ps->p, "%4x\\u%4x", &high, &low) < 2 || strspn(ps->p + 6, HEX) < 4 ||
		    high >> 10 != 0xd800 >> 10 || low >> 10 != 0xdc00 >> 10) {
			put_hex(ps, 4);
			return 0;
		}
		put_char(ps, 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff));
		ps->p += 10;
	} else if (is_in(c, from)) {
		put_char(ps, (uint32_t)to[strchr(from, c) - from]);
	} else if (c == 'c' && is_in(*ps->p, LETTERS)) {
		put_char(ps, *ps->p++ & 31);
	} else if ((c == '0' && !is_in(*ps->p, DIGITS)) ||
		   (c > ' ' && c < 127 && !is_in(c, DIGITS LETTERS))) {
		put_char(ps, c == '0' ? 0 : (uint32_t)c);
	} else {
		return fault(ps, at, "not an escape of ECMA-262");
	}
	return 0;
}

/* Find a name in a list; return what comes after it, or NULL. */
static const char *find_name(const char *list, struct lh_str name)
{
	const char *p;

	for (p = list; p; p = strchr(p + 1, ' '))
		if (name.n && !strncmp(p + 1, name.p, name.n) && is_in(p[name.n + 1], " ="))
			return p + name.n + 1;
	return NULL;
}

/* After \p or \P: write PCRE2's name of the property.  Outside of classes PCRE2 10.42 takes two
 * negated ones for disjoint. */
static int put_property(struct parser *ps, const char *at, bool negated, bool in_class)
{
	bool category, script, extended;
	const char *found;
	struct lh_str name;

	if (!take(ps, "{"))
		return fault(ps, at, "\\p needs {...}");
	negated ^= !strncmp(ps->p, "Assigned}", 9);
	lh_buf_puts(ps->out, !negated ? "\\p{" : in_class ? "\\P{" : "[^\\p{");
	category = take(ps, "gc=") || take(ps, "General_Category=");
	script = !category && (take(ps, "sc=") || take(ps, "Script="));
	extended = !category && !script && (take(ps, "scx=") || take(ps, "Script_Extensions="));
	lh_buf_puts(ps->out, script ? "sc:" : extended ? "scx:" : "");
	script |= extended;
	name = (struct lh_str){ ps->p, strspn(ps->p, DIGITS LETTERS "_") };
	ps->p += name.n;
	found = find_name(categories, name);
	if (!found && !category)
		found = find_name(binary_properties, name);
	if (!take(ps, "}") || (!found && !script))
		return fault(ps, at, "this property is not supported");
	if (!script && *found == '=')
		name = (struct lh_str){ found + 1, strcspn(found + 1, " ") };
	lh_buf_add(ps->out, name.p, name.n);
	lh_buf_puts(ps->out, negated && !in_class ? "}]" : "}");
	return 0;
}

/* After a backslash, in a class or outside: write a class (\d, \W, \p{...}) or a character. */
static int put_escape(struct parser *ps, bool in_class)
{
	const char *at = ps->p - 1;
	char c = *ps->p;

	if (!is_in(c, "dDwWsSpP"))
		return put_char_escape(ps, at);
	ps->p++;
	if ((c | 32) == 'p')
		return put_property(ps, at, c == 'P', in_class);
	if ((c | 32) == 's')
		lh_buf_printf(ps->out, in_class ? "%s" : "[%s]", c == 's' ? SPACE : NO_SPACE);
	else if (in_class && c < 'a')	/* PCRE2 10.42 forgets WIDE in [^\W\p{Lu}] */
		lh_buf_printf(ps->out, "\\%c" WIDE "\\%c", c, c);
	else
		lh_buf_printf(ps->out, "\\%c", c);
	return 0;
}

/* After [ until ], which is taken.  PCRE2 sees to the ranges. */
static int put_class(struct parser *ps)
{
	const char *open = ps->p - 1;
	bool negated = take(ps, "^"), empty = *ps->p == ']';

	lh_buf_puts(ps->out, negated != empty ? "[^" : "[");
	if (empty)
		lh_buf_puts(ps->out, "\\D\\d");	/* any character */
	while (ps->p < ps->end && *ps->p != ']') {
		note_place(ps);
		if (take(ps, "-"))
			lh_buf_putc(ps->out, '-');
		else if (take(ps, "\\b"))
			put_char(ps, '\b');
		else if (!take(ps, "\\"))
			put_char(ps, lh_utf8_get((const unsigned char **)&ps->p));
		else if (put_escape(ps, true) < 0)
			return -1;
	}
	lh_buf_putc(ps->out, ']');
	return take(ps, "]") ? 0 : fault(ps, open, "[ without ]");
}

/* Write the name of a group, and its >.  PCRE2 sees to what names there are. */
static int put_name(struct parser *ps, const char *at, const char *before)
{
	lh_buf_puts(ps->out, before);
	for (; is_in(*ps->p, DIGITS LETTERS "_") || *ps->p & 0x80; ps->p++)
		lh_buf_putc(ps->out, *ps->p);
	lh_buf_putc(ps->out, '>');
	return take(ps, ">") ? 0 : fault(ps, at, "not the name of a group");
}

/* After the backslash of \1 or \k<name>. */
static int put_back_reference(struct parser *ps)
{
	const char *at = ps->p - 1;
	size_t n = strspn(ps->p, DIGITS);

	ps->t->refers = true;
	if (!n)
		return take(ps, "k<") ? put_name(ps, at, "\\k<")
				      : fault(ps, at, "not an escape of ECMA-262");
	lh_buf_printf(ps->out, "\\g{%.*s}", (int)n, ps->p);
	ps->p += n;
	return 0;
}

static int open_group(struct parser *ps)
{
	static const char *const begins[] = { "(?=", "(?!", "(?<=", "(?<!", "(?:", "(?<", "(" };
	const char *at = ps->p;
	unsigned i;

	for (i = 0; !take(ps, begins[i]); i++)
		continue;
	if (i == 6 && *ps->p == '?')
		return fault(ps, at, "this kind of group is not supported");
	if (ps->depth == DEPTH)
		return fault(ps, at, "more than 200 groups inside each other");
	ps->open[ps->depth] = at;
	ps->begin[ps->depth] = ps->out->len;
	ps->look[ps->depth++] = i < 4;
	if (i == 5)
		return put_name(ps, at, "(?<");
	lh_buf_printf(ps->out, "%s%s", begins[i], i < 2 ? "(?C)" : "");
	return 0;
}

/* Write a quantifier, if there is one.  PCRE2 sees to its numbers. */
static int put_quantifier(struct parser *ps)
{
	const char *at = ps->p, *end;
	unsigned long least = 0;

	if (is_in(*ps->p, "*+?")) {
		ps->p++;
	} else if (take(ps, "{")) {
		least = strtoul(ps->p, NULL, 10);
		ps->p += strspn(ps->p, DIGITS);
		end = ps->p + (*ps->p == ',' ? 1 + strspn(ps->p + 1, DIGITS) : 0);
		if (ps->p == at + 1 || *end != '}')
			return fault(ps, at, "not a number of repetitions");
		ps->p = end + 1;
	} else {
		return 0;
	}
	if (ps->p[-2] == '0' && at + 1 + strspn(at + 1, "0,") == ps->p - 1) {
		/* Put what is at the end, if it is the group that begins there, into one more:
		 * what PCRE2 10.42 knows about the start of (?:a|(?=b)){0} is wrong. */
		struct lh_buf *out = ps->out;
		bool is_group = !out->failed && out->p[out->len - 1] == ')';

		if (is_group)
			lh_buf_puts(out, "(?:)");
		if (is_group && !out->failed) {
			char *begin = out->p + ps->begin[ps->depth];

			memmove(begin + 3, begin, (size_t)(out->p + out->len - 4 - begin));
			memcpy(begin, "(?:", 3);
			out->p[out->len - 1] = ')';
		}
	}
	if (least > ps->t->least)	/* PCRE2 has 65535 at most */
		ps->t->least = (uint16_t)least;
	take(ps, "?");
	lh_buf_add(ps->out, at, (size_t)(ps->p - at));
	lh_buf_puts(ps->out, "(?C)");
	return 0;
}

/* Write one atom with its quantifier, an assertion, or a part of a group. */
static int put_term(struct parser *ps)
{
	const char *at = ps->p;
	char c = *ps->p;
	int rc = 0;

	if (c == '(')
		return open_group(ps);
	if (is_in(c, "*+?{}]"))
		return fault(ps, at, c == '}' || c == ']' ? "needs a \\ before it"
							  : "nothing to repeat");
	if (take(ps, "|") || take(ps, "^") || take(ps, "$") || take(ps, "\\b") ||
	    take(ps, "\\B")) {
		if (c == '\\')
			lh_buf_add(ps->out, at, 2);
		else
			lh_buf_puts(ps->out, c == '|' ? "|(?C)" : c == '$' ? "\\z" : "^");
		return 0;
	}
	if (take(ps, ")")) {
		if (!ps->depth)
			return fault(ps, at, ") without (");
		lh_buf_putc(ps->out, ')');
		if (ps->look[--ps->depth])
			return 0;
	} else if (take(ps, ".")) {
		lh_buf_puts(ps->out, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
	} else if (take(ps, "[")) {
		rc = put_class(ps);
	} else if (take(ps, "\\")) {
		rc = is_in(*ps->p, "k123456789") ? put_back_reference(ps) : put_escape(ps, false);
	} else {
		put_char(ps, lh_utf8_get((const unsigned char **)&ps->p));
	}
	return rc < 0 ? -1 : put_quantifier(ps);
}

int lh_regex_translate(struct lh_translation *t, const char *pattern, size_t n,
		       struct lh_err *err)
{
	struct parser ps = { .t = t, .out = &t->out, .p = pattern, .start = pattern,
			     .end = pattern + n, .err = err };

	lh_buf_puts(ps.out, "(?C)");
	while (ps.p < ps.end) {
		note_place(&ps);
		if (put_term(&ps) < 0)
			return -1;
	}
	return ps.depth ? fault(&ps, ps.open[ps.depth - 1], "( without )")
			: 0;
}
