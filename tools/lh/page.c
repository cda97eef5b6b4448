/* page.c - mdoc to text.  See page.h. */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 78
#define ARGS_MAX 40
#define ARG_MAX 400
#define NESTED_MAX 12

enum list { BODY, TAG, BULLET, ENUM, COLUMN, ITEM };

struct page {
	struct lh_buf *out;
	unsigned indent, column;	/* column 0: the line is empty */
	bool literal, filled; /* lines as they are; some were written since the last blank one */
	bool glued;			/* the next word follows without a space */
	bool synopsis;
	char name[80];
	struct {
		enum list list;
		bool compact, literal;
		unsigned indent, count;
	} in[NESTED_MAX];
	unsigned depth;
};

struct args {
	char v[ARGS_MAX][ARG_MAX];
	bool quoted[ARGS_MAX];
	size_t n;
};

static void end_line(struct page *p)
{
	if (p->column)
		lh_buf_putc(p->out, '\n');
	p->filled |= p->column > 0;
	p->column = 0;
	p->glued = false;
}

static void blank(struct page *p)
{
	end_line(p);
	if (p->filled)
		lh_buf_putc(p->out, '\n');
	p->filled = false;
}

static unsigned characters(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* A character by its number, as UTF-8. */
static char *put_code(char *to, unsigned long c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xe0 | (c >> 12 & 0xf));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* The escapes that the pages use; what one means is never longer. */
static void unescape(char *s)
{
	static const struct {
		const char *is, *means;
	} table[] = {
		{ "\\(dq", "\"" }, { "\\(mu", "×" }, { "\\(em", "—" }, { "\\('e", "é" },
		{ "\\(ae", "æ" },  { "\\(/o", "ø" }, { "\\(aq", "'" }, { "\\(ss", "ß" },
		{ "\\(pc", "·" },  { "\\(>=", "≥" }, { "\\(mi", "−" }, { "\\-", "-" },
		{ "\\e", "\\" },   { "\\&", "" },
	};
	char *to = s, *after;
	unsigned long c;
	size_t i;

	while (*s) {
		for (i = 0; i < sizeof table / sizeof *table &&
		     strncmp(s, table[i].is, strlen(table[i].is));
		     i++)
			;
		if (i < sizeof table / sizeof *table) {
			s += strlen(table[i].is);
			to = mempcpy(to, table[i].means, strlen(table[i].means));
		} else if (strncmp(s, "\\[u", 3) == 0 &&
			   (c = strtoul(s + 3, &after, 16)) <= 0xffff && *after == ']') {
			to = put_code(to, c);
			s = after + 1;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* A word, after a space unless it is glued to the one before. */
static void word(struct page *p, const char *text)
{
	unsigned n = characters(text), space = p->column && !p->glued;

	if (space && p->column + 1 + n > WIDTH)
		end_line(p);
	if (!p->column) {
		lh_buf_printf(p->out, "%*s", (int)p->indent, "");
		p->column = p->indent;
	} else if (!p->glued) {
		lh_buf_putc(p->out, ' ');
		p->column++;
	}
	lh_buf_puts(p->out, text);
	p->column += n;
	p->glued = false;
}

static void glue(struct page *p, const char *text)
{
	p->glued = true;
	word(p, text);
}

static void open_with(struct page *p, const char *text)
{
	word(p, text);
	p->glued = true;
}

static void words(struct page *p, const char *text)
{
	char one[ARG_MAX];
	size_t n;

	for (; *text; text += n + (text[n] == ' ')) {
		n = strcspn(text, " ");
		snprintf(one, sizeof one, "%.*s", (int)n, text);
		unescape(one);
		if (n)
			word(p, one);
	}
}

static void line(struct page *p, const char *text, unsigned indent)
{
	char copy[ARG_MAX * 2];

	snprintf(copy, sizeof copy, "%s", text);
	unescape(copy);
	lh_buf_printf(p->out, "%*s%s\n", *copy ? (int)indent : 0, "", copy);
	p->filled = true;
}

/* ---- macros within a line ---- */

static const struct {
	const char *name, *before, *after;
} inline_macros[] = {
	{ "Op", "[", "]" },   { "Pq", "(", ")" },   { "Dq", "“", "”" },	  { "Qq", "\"", "\"" },
	{ "Sq", "‘", "’" },   { "Ql", "‘", "’" },   { "Po", "(", NULL },  { "Pc", NULL, ")" },
	{ "Fl", "-", NULL },  { "Nm", NULL, NULL }, { "Xr", NULL, NULL }, { "Ns", NULL, NULL },
	{ "No", NULL, NULL }, { "Ta", NULL, NULL }, { "Ar", NULL, NULL }, { "Cm", NULL, NULL },
	{ "Li", NULL, NULL }, { "Va", NULL, NULL }, { "Pa", NULL, NULL }, { "Em", NULL, NULL },
	{ "Ev", NULL, NULL }, { "Ic", NULL, NULL }, { "Dv", NULL, NULL }, { "Sy", NULL, NULL },
	{ "Sx", NULL, NULL }, { "Lk", NULL, NULL },
};

static int macro_of(const char *arg)
{
	size_t i;

	for (i = 0; i < sizeof inline_macros / sizeof *inline_macros; i++)
		if (strcmp(arg, inline_macros[i].name) == 0)
			return (int)i;
	return -1;
}

static bool closes(const char *s)
{
	return *s && !s[1] && strchr(".,;:!?)]", *s);
}

static bool opens(const char *s)
{
	return strcmp(s, "(") == 0 || strcmp(s, "[") == 0;
}

/* An argument that stands for itself: after "-" of Fl, say, or punctuation. */
static void plain(struct page *p, const char *arg, bool quoted, const char *before)
{
	char with[ARG_MAX + 8];

	if (!quoted && closes(arg)) {
		glue(p, arg);
	} else if (!quoted && opens(arg)) {
		open_with(p, arg);
	} else {
		snprintf(with, sizeof with, "%s%s", before ? before : "", arg);
		unescape(with);
		if (strchr(with, ' '))
			words(p, with);
		else
			word(p, with);
	}
}

/* The place of the punctuation that ends a line. */
static size_t tail(const struct args *a)
{
	size_t n = a->n;

	while (n && !a->quoted[n - 1] && closes(a->v[n - 1]))
		n--;
	return n;
}

/* Xr NAME SECTION, and Nm without a name. */
static size_t special(struct page *p, const struct args *a, size_t i)
{
	char text[2 * ARG_MAX + 4];

	if (strcmp(a->v[i - 1], "Xr") == 0 && i + 1 < a->n) {
		snprintf(text, sizeof text, "%s(%s)", a->v[i], a->v[i + 1]);
		word(p, text);
		return i + 2;
	}
	if (strcmp(a->v[i - 1], "Nm") == 0) {
		bool named = i < a->n && !closes(a->v[i]) && macro_of(a->v[i]) < 0;

		if (named && !*p->name)
			snprintf(p->name, sizeof p->name, "%.79s", a->v[i]);
		word(p, named ? a->v[i] : p->name);
		return i + named;
	}
	return i;
}

/* The arguments from i on, the first of which may be a macro. */
static void run(struct page *p, const struct args *a, size_t i)
{
	const char *after[ARGS_MAX], *before = NULL;
	size_t depth = 0, end = tail(a);
	bool bare = false;	/* Fl without a word so far */
	int m;

	for (; i < a->n; ) {
		m = i < end && !a->quoted[i] ? macro_of(a->v[i]) : -1;
		while (i == end && depth)
			glue(p, after[--depth]);
		if (m < 0) {
			plain(p, a->v[i], a->quoted[i], i < end ? before : NULL);
			bare = false;
			i++;
			continue;
		}
		if (bare)
			word(p, "-");
		i++;
		before = NULL;
		bare = strcmp(inline_macros[m].name, "Fl") == 0;
		if (bare)
			before = "-";
		else if (strcmp(inline_macros[m].name, "Ns") == 0)
			p->glued = true;
		else if (strcmp(inline_macros[m].name, "Ta") == 0)
			word(p, " ");
		else if (inline_macros[m].before)
			open_with(p, inline_macros[m].before);
		else if (inline_macros[m].after)
			glue(p, inline_macros[m].after);
		if (!bare && inline_macros[m].before && inline_macros[m].after)
			after[depth++] = inline_macros[m].after;
		i = special(p, a, i);
	}
	if (bare)
		word(p, "-");
	while (depth)
		glue(p, after[--depth]);
}

/* ---- lines ---- */

static void split(struct args *a, const char *s)
{
	size_t n;

	a->n = 0;
	while (*s && a->n < ARGS_MAX) {
		bool quoted = *s == '"';
		char *to = a->v[a->n];

		s += quoted;
		for (n = 0; *s && (quoted ? *s != '"' || s[1] == '"' : *s != ' '); s++) {
			if (quoted && *s == '"')
				s++;		/* two are one */
			if (n < ARG_MAX - 1)
				to[n++] = *s;
		}
		to[n] = '\0';
		a->quoted[a->n++] = quoted;
		s += quoted && *s == '"';
		while (*s == ' ')
			s++;
	}
}

static bool has(const struct args *a, const char *word)
{
	size_t i;

	for (i = 1; i < a->n; i++)
		if (strcmp(a->v[i], word) == 0)
			return true;
	return false;
}

static void begin(struct page *p, const struct args *a)
{
	static const struct {
		const char *option;
		enum list list;
	} kinds[] = { { "-tag", TAG },	 { "-bullet", BULLET }, { "-dash", BULLET },
		      { "-enum", ENUM }, { "-column", COLUMN }, { "-item", ITEM } };
	size_t i;

	if (p->depth == NESTED_MAX)
		return;
	p->in[p->depth].list = BODY;
	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (has(a, kinds[i].option))
			p->in[p->depth].list = kinds[i].list;
	p->in[p->depth].compact = has(a, "-compact");
	p->in[p->depth].literal = p->literal;
	p->in[p->depth].indent = p->indent;
	p->in[p->depth].count = 0;
	p->literal = has(a, "-literal");
	end_line(p);
	if (p->in[p->depth].list == BODY && !p->in[p->depth].compact)
		blank(p);
	if (has(a, "-offset"))
		p->indent += 6;
	p->depth++;
}

static void end(struct page *p)
{
	end_line(p);
	if (!p->depth)
		return;
	p->depth--;
	p->indent = p->in[p->depth].indent;
	p->literal = p->in[p->depth].literal;
}

static void item(struct page *p, const struct args *a)
{
	unsigned base, n;
	char number[16];

	if (!p->depth)
		return;
	n = p->depth - 1;
	base = p->in[n].indent;
	if (p->in[n].compact)
		end_line(p);
	else
		blank(p);
	p->indent = base;
	if (p->in[n].list == TAG) {
		run(p, a, 1);
		end_line(p);
		p->indent = base + 8;
	} else if (p->in[n].list == BULLET || p->in[n].list == ENUM) {
		snprintf(number, sizeof number, "%u.", ++p->in[n].count);
		word(p, p->in[n].list == ENUM ? number : "-");
		p->indent = base + 3;
	} else {
		run(p, a, 1);
	}
}

static void section(struct page *p, const char *title, unsigned indent)
{
	p->indent = indent;
	blank(p);
	words(p, title);
	end_line(p);
	p->filled = false;
	p->indent = 5;
	p->synopsis = strcmp(title, "SYNOPSIS") == 0;
}

static void text_macro(struct page *p, const struct args *a, const char *rest)
{
	if (strcmp(a->v[0], "Nd") == 0) {
		words(p, "–");
		words(p, rest);
	} else if (strcmp(a->v[0], "Dl") == 0) {
		end_line(p);
		line(p, rest, p->indent + 6);
	} else {
		if (p->synopsis && strcmp(a->v[0], "Nm") == 0)
			end_line(p);
		run(p, a, 0);
	}
}

static void macro(struct page *p, const char *s)
{
	static struct args a;
	const char *rest = strchr(s, ' ');

	rest = rest ? rest + 1 : "";
	split(&a, s);
	if (!a.n || strcmp(a.v[0], "Dd") == 0 || strcmp(a.v[0], "Dt") == 0 ||
	    strcmp(a.v[0], "Os") == 0 || strncmp(s, "\\\"", 2) == 0)
		return;
	if (strcmp(a.v[0], "Sh") == 0)
		section(p, rest, 0);
	else if (strcmp(a.v[0], "Ss") == 0)
		section(p, rest, 3);
	else if (strcmp(a.v[0], "Pp") == 0)
		blank(p);
	else if (strcmp(a.v[0], "br") == 0)
		end_line(p);
	else if (strcmp(a.v[0], "Bl") == 0 || strcmp(a.v[0], "Bd") == 0)
		begin(p, &a);
	else if (strcmp(a.v[0], "El") == 0 || strcmp(a.v[0], "Ed") == 0)
		end(p);
	else if (strcmp(a.v[0], "It") == 0)
		item(p, &a);
	else
		text_macro(p, &a, rest);
}

void page_text(const char *page, size_t n, struct lh_buf *out)
{
	struct page p = { .out = out };
	const char *end_of_page = page + n;
	char text[2 * ARG_MAX];
	size_t len;

	for (; page < end_of_page; page += len + 1) {
		const char *lf = memchr(page, '\n', (size_t)(end_of_page - page));

		len = (size_t)((lf ? lf : end_of_page) - page);
		snprintf(text, sizeof text, "%.*s",
			 (int)(len < sizeof text ? len : sizeof text - 1), page);
		if (*text == '.')
			macro(&p, text + 1);
		else if (p.literal)
			line(&p, text, p.indent);
		else
			words(&p, text);
	}
	end_line(&p);
}
