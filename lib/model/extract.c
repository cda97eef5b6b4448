/* extract.c - find the object that is the answer, and write it.  See extract.h. */
#include <stdlib.h>
#include <string.h>

#include "json/canon.h"
#include "model/extract.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json/json_scanner.h"
#include "json/json_leaf.h"	/* after what it uses */

/* ---- what was found ---- */

/* A brace outside of strings, if the text before it is. */
struct lh_brace {
	uint32_t at;
	uint32_t close;		/* of a {: the } that ends it; of a }: the next that ends what is
				 * around it; an index from 1, or 0 if there is none */
};

struct lh_tries {
	const char *base;	/* offsets are relative to it */
	uint64_t *kind;		/* a bit for each open container: set for an object */
	size_t kinds;
	struct lh_brace *brace;	/* those of the text, the last one first */
	size_t n, cap;
	bool counted;		/* brace is that of this text */
	struct lh_scan fail;	/* where and why a leaf is invalid */
};

/* The result of reading one object. */
struct lh_try {
	const char *end;	/* after the object; or where it cannot be read further */
	size_t deepest;		/* nesting of containers, the object included */
};

/* What a tag says about the text after it. */
enum lh_mark_kind {
	LH_MARK_NONE,		/* nothing, or it is not such a tag */
	LH_MARK_OPEN,		/* it is thought, up to the end of the same name */
	LH_MARK_CLOSE,		/* the thought of this name has ended */
	LH_MARK_CHANNEL,	/* it is a message in a channel of harmony other than final */
	LH_MARK_FINAL,		/* it is a final one */
	LH_MARK_STOP,		/* the message has ended */
};

#define LH_MARK_NAMES 7		/* names of thoughts; a channel's is this number */

struct lh_mark {
	enum lh_mark_kind kind;
	char name;
	const char *end;	/* after the tag; after its first byte if it is none */
};

static inline bool lh_json_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- one object, from its brace on ---- */

/* Enter the container at p, a brace or bracket. */
static void enter_container(struct lh_tries *x, struct lh_try *t, size_t depth, const char *p)
{
	uint64_t bit = 1ull << depth % 64;

	if (depth / 64 == x->kinds)
		lh_grow(&x->kind, &x->kinds, depth / 64 + 1, sizeof *x->kind);
	if (depth == t->deepest)
		t->deepest++;
	if (*p == '[')
		x->kind[depth / 64] &= ~bit;
	else
		x->kind[depth / 64] |= bit;
}

static bool is_object(const struct lh_tries *x, size_t depth)
{
	return x->kind[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
}

/* Read a key, its colon and the white space around them: return the start of the
 * value, or NULL. */
static const char *read_key(struct lh_scan *s, const char *p, const char *end)
{
	bool escaped;

	if (p >= end || *p != '"')
		return lh_scan_fail(s, p, "expected a key");
	p = scan_string(s, p + 1, end, &escaped);
	if (!p)
		return NULL;
	p = skip_space(p, end);
	if (p >= end || *p != ':')
		return lh_scan_fail(s, p, "expected ':'");
	return skip_space(p + 1, end);
}

static void end_failed(struct lh_try *t, const char *at)
{
	t->end = at;
}

/* Read one object at p ('{'), of any depth, with keys unchecked and anything after
 * it: 1, 0 if it is not one. */
static int lh_try_object(struct lh_tries *x, const char *p, const char *end, struct lh_try *t)
{
	struct lh_scan *s = &x->fail;
	bool object = true, escaped;
	size_t depth = 0;

	t->deepest = 0;
value:
	if (p >= end) {
		end_failed(t, p);
		return 0;
	}
	if (*p != '{' && *p != '[') {
		p = scan_leaf(s, p, end, &escaped);
		if (!p) {
			end_failed(t, s->at);
			return 0;
		}
		goto after;
	}
	enter_container(x, t, depth, p);
	object = *p == '{';
	depth++;
	p = skip_space(p + 1, end);
	if (p < end && *p == (object ? '}' : ']'))
		goto close;
	if (!object)
		goto value;
key:
	p = read_key(s, p, end);
	if (!p) {
		end_failed(t, s->at);
		return 0;
	}
	goto value;
after:
	p = skip_space(p, end);
	if (p < end && *p == ',') {
		p = skip_space(p + 1, end);
		if (object)
			goto key;
		goto value;
	}
	if (p >= end || *p != (object ? '}' : ']')) {
		end_failed(t, p);
		return 0;
	}
close:
	p++;
	if (--depth) {
		object = is_object(x, depth);
		goto after;
	}
	t->end = p;
	return 1;
}

/* The brace that ends what a place is in, by whether the place is in a string, or after a
 * backslash in one. */
struct enders {
	uint32_t outside, inside, escaped;
};

/* Count the braces of the text from its end on, so that what follows each place is known. */
static void count_braces(struct lh_tries *x, const char *end)
{
	struct enders e = { 0, 0, 0 }, was;
	const char *p;

	x->n = 0;
	x->counted = true;
	for (p = end; p-- > x->base; ) {
		was = e;
		e = (struct enders){ was.outside, was.inside, was.inside };
		if (*p == '"') {
			e.outside = was.inside;
			e.inside = was.outside;
		} else if (*p == '\\') {
			e.inside = was.escaped;
		} else if (*p == '{' || *p == '}') {
			lh_grow(&x->brace, &x->cap, x->n + 1, sizeof *x->brace);
			x->brace[x->n++] = (struct lh_brace){ (uint32_t)(p - x->base),
							      was.outside };
			if (*p == '}')
				e.outside = (uint32_t)x->n;
			else if (was.outside)
				e.outside = x->brace[was.outside - 1].close;
		}
	}
}

/* Set *close to the place after the } that ends the { at p, braces in strings not counted;
 * to NULL if nothing ends it. */
static void lh_try_end(struct lh_tries *x, const char *p, const char *end, const char **close)
{
	size_t lo = 0, hi, mid, at = (size_t)(p - x->base);

	if (!x->counted)
		count_braces(x, end);
	for (hi = x->n; lo < hi; ) {
		mid = (lo + hi) / 2;
		if (x->brace[mid].at > at)
			lo = mid + 1;
		else
			hi = mid;
	}
	lo = x->brace[lo].close;
	*close = lo ? x->base + x->brace[lo - 1].at + 1 : NULL;
}

/* ---- the tags around what a model thought ---- */

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

/* Read the tag at p, where a bracket may open one. */
static struct lh_mark lh_mark_read(const char *p, const char *end)
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

/* ---- an object that was found ---- */

/* A member that a later one with the same key may replace. */
struct member {
	struct lh_value key;
	const char *end;	/* after its comma; NULL: the last of an object */
};

/* The members of the open objects, the innermost object's last. */
struct members {
	struct member *v;
	size_t n, cap;
};

/* An object or array that is open. */
struct level {
	size_t first;		/* of its members */
	bool is_object;
};

static bool blank_bytes(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copy p..end without white space to `to`, which may be before it in the same
 * memory, as that of lh_json_compact may not; return its end. */
static char *copy_tight(char *to, const char *p, const char *end)
{
	const char *q;
	bool escaped;

	for (; p < end; p = q) {
		q = p + 1;
		if (blank_bytes(*p))
			continue;
		if (*p == '"')
			q = lh_skip_string(p, end, &escaped);
		memmove(to, p, (size_t)(q - p));
		to += q - p;
	}
	return to;
}

void lh_extract_put(struct lh_buf *out, const struct lh_value *v)
{
	char *to = lh_buf_room(out, v->n);
	size_t n = v->n;

	if (!to)
		return;
	if (memchr(v->p, '\n', n) || memchr(v->p, '\r', n))
		n = (size_t)(copy_tight(to, v->p, v->p + n) - to);
	else
		memmove(to, v->p, n);
	lh_buf_took(out, n);
}

static int add_member(struct members *m, const struct level *l, const char *p, size_t n,
		      bool escaped, struct lh_err *err)
{
	if (lh_json_room(m->n - l->first, m->n, err) < 0)
		return -1;
	lh_grow(&m->v, &m->cap, m->n + 1, sizeof *m->v);
	m->v[m->n++] = (struct member){ { p, n, LH_STRING, escaped }, NULL };
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = lh_string_cmp(&x->key, &y->key);

	return c ? c : x->key.p < y->key.p ? -1 : x->key.p > y->key.p;
}

static int blank_replaced(struct members *m, const char *p, const char *end, struct lh_err *err)
{
	struct level level[LH_JSON_DEPTH + 1] = { { 0, false } }, *l = level;
	bool key = false, escaped;
	const char *q;

	for (; p < end; p = q) {
		q = p + 1;
		switch (*p) {
		case '{':
		case '[':
			key = *p == '{';
			*++l = (struct level){ m->n, key };
			break;
		case '}':
		case ']':
			if (m->n > l->first) {
				struct member *v = m->v + l->first;
				size_t i, n = m->n - l->first;

				/* Blank those that have a later one with the same key. */
				qsort(v, n, sizeof *v, by_key);
				for (i = 0; i + 1 < n; i++)
					if (lh_string_cmp(&v[i].key, &v[i + 1].key) == 0)
						memset((char *)(uintptr_t)v[i].key.p, ' ',
						       (size_t)(v[i].end - v[i].key.p));
			}
			m->n = l->first;
			l--;
			key = false;
			break;
		case ',':
			key = l->is_object;
			if (key)
				m->v[m->n - 1].end = q;
			break;
		case '"':
			q = lh_skip_string(p, end, &escaped);
			if (key && add_member(m, l, p, (size_t)(q - p), escaped, err) < 0)
				return -1;
			key = false;
			break;
		}
	}
	return 0;
}

/* Append the checked object v without white space, and of duplicate keys in an
 * object only the last. */
static int lh_extract_last(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	struct members m = { NULL, 0, 0 };
	char *to = lh_buf_room(out, v->n);
	int rc;

	if (!to)
		return 0;
	memcpy(to, v->p, v->n);
	rc = blank_replaced(&m, to, to + v->n, err);
	free(m.v);
	if (rc == 0)
		lh_buf_took(out, (size_t)(copy_tight(to, to, to + v->n) - to));
	return rc;
}

/* ---- the answer ---- */

struct lh_extract {
	struct lh_tries tries;
	struct lh_record rec;
	struct lh_buf names;	/* of the thoughts that are open, a byte each */
	struct lh_buf own;	/* an object with duplicate keys, without the earlier ones */
};

struct lh_extract *lh_extract_new(void)
{
	return lh_calloc(1, sizeof(struct lh_extract));
}

void lh_extract_free(struct lh_extract *x)
{
	if (!x)
		return;
	free(x->tries.kind);
	free(x->tries.brace);
	lh_buf_free(&x->names);
	lh_record_free(&x->rec);
	lh_buf_free(&x->own);
	free(x);
}

/* ---- what was found ---- */

/* How good a place for an answer is, the best first. */
enum place { WHOLE_FENCE, FENCE, ELSEWHERE, PLACES };

struct walk {
	struct lh_extract *x;
	const char *end;
	struct lh_err *err;
	bool tags;		/* text in tags of thought is not searched, ... */
	bool thought;		/* ... and there was some */
	bool final;		/* a final channel has begun */
	const char *outer;	/* after the beginning of the thoughts that are open */
	size_t channel;		/* the place of another one's name, from 1, unless it has ended */
	struct lh_str found[PLACES];
	bool broken;		/* an object could not be read, or is too deep */
	bool hidden;		/* it has no end: nothing counts up to a fence that begins a line */
	const char *fence;	/* after its tag and blanks; NULL: none is open */
	struct lh_str fenced;	/* the first object in it */
	const char *within;	/* up to here the text belongs to an object that is broken, ... */
	size_t depth;		/* ... which began in so many thoughts */
	bool unquoted;		/* no string is to be passed over up to there */
	const char *from;	/* the stretch of text that p is in */
	struct lh_str *piece;	/* an object found in it, of which it may be the rest */
	size_t prose;		/* the braces of prose that are open in it */
	bool quoted;		/* an odd number of quotation marks precedes p on its line */
};

static bool in_thought(const struct walk *w)
{
	return w->x->names.len > 0;
}

static void keep_first(struct lh_str *to, struct lh_str object)
{
	if (!to->p)
		*to = object;
}

/* Forget what precedes the end of a thought that has no beginning. */
static void forget(struct walk *w)
{
	struct walk fresh = { .x = w->x, .end = w->end, .err = w->err, .tags = true };

	lh_buf_reset(&w->x->names);
	fresh.thought = true;
	fresh.final = w->final;
	*w = fresh;
}

/* Begin a stretch of text: what precedes p is no part of an object that ends after it. */
static void begin_stretch(struct walk *w, const char *p)
{
	w->from = p;
	w->piece = NULL;
	w->prose = 0;
	w->quoted = false;
}

/* ---- tags ---- */

static void close_thought(struct walk *w, char name)
{
	struct lh_buf *names = &w->x->names;
	size_t open = names->len;

	if (name == LH_MARK_NAMES && w->channel <= open)
		open = w->channel;
	while (open && names->p[open - 1] != name && name != LH_MARK_NAMES)
		open--;
	if (open && names->p[open - 1] == name) {
		names->len = open - 1;
		if (names->len < w->depth)
			w->within = NULL;
	} else if (name != LH_MARK_NAMES) {
		forget(w);
	}
}

static const char *pass_tag(struct walk *w, const char *p)
{
	struct lh_mark m = lh_mark_read(p, w->end);

	switch (m.kind) {
	case LH_MARK_NONE:
		return m.end;
	case LH_MARK_CLOSE:
	case LH_MARK_STOP:
		close_thought(w, m.name);
		break;
	case LH_MARK_FINAL:
		if (!w->final)
			forget(w);
		close_thought(w, m.name);
		w->final = true;
		break;
	case LH_MARK_CHANNEL:
		close_thought(w, m.name);
		lh_buf_putc(&w->x->names, m.name);
		w->channel = w->x->names.len;
		break;
	case LH_MARK_OPEN:
		if (!in_thought(w))
			w->outer = m.end;
		lh_buf_putc(&w->x->names, m.name);
		break;
	}
	w->thought = true;
	begin_stretch(w, m.end);
	return m.end;
}

/* ---- fences ---- */

static bool in_tag(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '+' || c == '-';
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && lh_json_blank(*p))
		p++;
	return p;
}

static bool begins_line(const struct walk *w, const char *p)
{
	while (p > w->x->tries.base && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p == w->x->tries.base || p[-1] == '\n' || p[-1] == '\r';
}

static const char *pass_fence(struct walk *w, const char *p)
{
	const char *after = p + 3;

	if (w->end - p < 3 || p[1] != '`' || p[2] != '`')
		return p + 1;
	if (in_thought(w) || (w->hidden && !begins_line(w, p)))
		return after;
	w->hidden = false;
	if (!w->fence) {
		while (after < w->end && in_tag(*after))
			after++;
		w->fence = skip_blanks(after, w->end);
		w->fenced = (struct lh_str){ NULL, 0 };
		begin_stretch(w, after);
		return after;
	}
	if (w->fenced.p) {
		bool whole = w->fenced.p == w->fence &&
			skip_blanks(w->fenced.p + w->fenced.n, p) == p;

		keep_first(&w->found[whole ? WHOLE_FENCE : FENCE], w->fenced);
	}
	w->fence = NULL;
	begin_stretch(w, after);
	return after;
}

/* ---- objects ---- */

/* The quotation marks that models write keys in, of JSON or not. */
static const char *const marks[] = {
	"\"", "'", "`", "\\\"", "\\'", "\u00b4", "\u00ab", "\u00bb", "\u2018", "\u2019",
	"\u201a", "\u201b", "\u201c", "\u201d", "\u201e", "\u201f", "\u2032", "\u2033",
	"\u2039", "\u203a", "\u300c", "\u300d", "\u300e", "\u300f", "\u301d", "\u301e",
	"\u301f", "\uff02", "\uff07",
};
static const char *const comments[] = { "//", "/*", "#", "--", "<!--" };

/* Return the length of the one of n texts that p begins with, or 0. */
static size_t one_of(const char *const *text, size_t n, const char *p, const char *end)
{
	while (n--)
		if (starts(p, end, text[n]))
			return strlen(text[n]);
	return 0;
}

static size_t mark(const char *p, const char *end)
{
	return one_of(marks, sizeof marks / sizeof *marks, p, end);
}

static bool in_word(char c)
{
	return in_tag(c) || c == '$' || c == '.' || (unsigned char)c >= 0x80;
}

/* Return the end of a key as JavaScript writes it, a word or a text in quotation marks; p if
 * there is none.  It holds no brace, so that a text of braces is read once. */
static const char *pass_key(const char *p, const char *end)
{
	size_t n = mark(p, end);

	if (!n) {
		while (p < end && in_word(*p))
			p++;
		return p;
	}
	for (p += n; p < end && !strchr("{}\n", *p); p++) {
		n = mark(p, end);
		if (n)
			return p + n;
	}
	return p;
}

/* Return whether the { at p begins an object, if only one that is broken. */
static bool begins_object(const char *p, const char *end)
{
	const char *key;

	p = skip_blanks(p + 1, end);
	if (p < end && (*p == '"' || *p == '\'' || *p == '}'))
		return true;
	if (one_of(comments, sizeof comments / sizeof *comments, p, end))
		return true;
	do {
		key = p + (p < end && *p == ',');
		key = skip_blanks(key, end);
		p = pass_key(key, end);
		if (p == key)
			return false;
		p = skip_blanks(p, end);
	} while (p < end && *p == ',');	/* { to, body, reply: ... } */
	return p < end && *p == ':';
}

/* Keep the object, unless there is one; if other text precedes it, it may be a piece of one. */
static void keep_object(struct walk *w, struct lh_str object)
{
	struct lh_str *to = w->fence ? &w->fenced : &w->found[ELSEWHERE];
	const char *p = object.p;

	if (to->p)
		return;
	*to = object;
	while (p > w->from && lh_json_blank(p[-1]))
		p--;
	/* A tag is no part of an object, an arrow is. */
	if (p > w->from && (p[-1] != '>' || p - w->from < 2 || p[-2] == '=' || p[-2] == '-'))
		w->piece = to;
}

/* Pass the brace of prose, or the quotation mark, at p.  If the brace ends nothing, the text
 * before it was an object without its beginning, and the object found in it is a piece. */
static const char *pass_prose(struct walk *w, const char *p)
{
	if (*p == '"')
		w->quoted = !w->quoted;
	else if (w->quoted)
		return p + 1;
	else if (*p == '{')
		w->prose++;
	else if (w->prose)
		w->prose--;
	else {
		if (!in_thought(w) && skip_blanks(w->from, p) < p)
			w->broken = true;
		if (w->piece)
			*w->piece = (struct lh_str){ NULL, 0 };
		begin_stretch(w, p + 1);
	}
	return p + 1;
}

/* Read the object at p, and return what is to be read next; NULL after an error.
 * What cannot be read is not searched for objects: they would be pieces of the answer. */
static const char *pass_object(struct walk *w, const char *p)
{
	struct lh_try t;
	const char *close;
	int rc = lh_try_object(&w->x->tries, p, w->end, &t);

	if (rc < 0)
		return NULL;
	if (rc && in_thought(w))
		return t.end;
	if (rc && t.deepest <= LH_JSON_DEPTH) {
		if (!w->hidden)
			keep_object(w, (struct lh_str){ p, (size_t)(t.end - p) });
		return t.end;
	}
	w->broken |= !in_thought(w);
	if (rc)
		return t.end;
	lh_try_end(&w->x->tries, p, w->end, &close);
	w->hidden |= !close && !in_thought(w);
	w->within = close ? close : t.end;
	w->depth = w->x->names.len;
	w->unquoted = !close;
	return p + 1;
}

/* Return the end of a string of a broken object. */
static const char *pass_string(struct walk *w, const char *p)
{
	const char *q;

	for (q = p + 1; q < w->within && *q != '"'; q++)
		q += *q == '\\';
	if (q < w->within)
		return q + 1;
	w->unquoted = true;
	return p + 1;
}

/* ---- the walk ---- */

/*
 * Walk through the text once.
 *
 * Why this is linear: an object is read once, up to its end or to where it cannot be read
 * further.  In the latter case no other is tried up to there, or up to the brace that ends it,
 * which count_braces() finds for all objects together.
 */
static int walk_text(struct walk *w, const char *p)
{
	lh_buf_reset(&w->x->names);
	begin_stretch(w, p);
	while (p && p < w->end) {
		bool within = p < w->within;

		if (*p == '{' && !within && begins_object(p, w->end))
			p = pass_object(w, p);
		else if (*p == '"' && within && !w->unquoted)
			p = pass_string(w, p);
		else if (*p == '`' && !within)
			p = pass_fence(w, p);
		else if (!within && (*p == '{' || *p == '}' || *p == '"'))
			p = pass_prose(w, p);
		else if (w->tags && (*p == '<' || *p == '[' || *p == '\xe2'))
			p = pass_tag(w, p);
		else
			w->quoted &= *p++ != '\n' || within;
	}
	if (!p)
		return -1;
	if (w->fence && w->fenced.p)
		keep_first(&w->found[ELSEWHERE], w->fenced);
	return 0;
}

/* Return whether the walk has seen thoughts, and no object, not even a broken one, elsewhere. */
static bool only_thoughts(const struct walk *w)
{
	return w->thought && !w->broken && !w->found[WHOLE_FENCE].p && !w->found[FENCE].p &&
		!w->found[ELSEWHERE].p;
}

/*
 * Find the best object of the text; if there is none, that of the thoughts.  Of these the ones
 * that have no end come first: "<think>no</think>The [analysis] is: {...}" has its answer there.
 */
static int find(struct lh_extract *x, const char *p, const char *end, struct lh_value *v,
		struct lh_err *err)
{
	struct walk w = { .x = x, .end = end, .err = err, .tags = true };
	enum place i;

	if (walk_text(&w, p) < 0)
		return -1;
	if (only_thoughts(&w) && in_thought(&w) && w.outer) {
		const char *from = w.outer;

		w = (struct walk){ .x = x, .end = end, .err = err, .tags = true, .thought = true };
		if (walk_text(&w, from) < 0)
			return -1;
	}
	if (only_thoughts(&w)) {
		w = (struct walk){ .x = x, .end = end, .err = err };
		if (walk_text(&w, p) < 0)
			return -1;
	}
	for (i = 0; i < PLACES; i++) {
		if (!w.found[i].p)
			continue;
		*v = (struct lh_value){ w.found[i].p, w.found[i].n, LH_OBJECT, false };
		return 1;
	}
	return 0;
}

/* ---- result ---- */

/* Check the keys of the object found: only in it do they matter. */
static int check_keys(struct lh_extract *x, struct lh_value *v, struct lh_err *err)
{
	struct lh_value again;

	if (lh_json_parse(&x->rec, v->p, v->n, &again, err) == 0)
		return 1;
	if (err->code != LH_EDATA)
		return -1;
	lh_buf_reset(&x->own);
	if (lh_extract_last(&x->own, v, err) < 0)
		return -1;
	v->p = x->own.p;
	v->n = x->own.len;
	return 1;
}

int lh_extract(struct lh_extract *x, const char *p, size_t n, struct lh_value *v,
	       struct lh_err *err)
{
	int rc;

	if (n > UINT32_MAX)
		return lh_err_data(err, 413, "text is longer than 4 GiB");
	x->tries.base = p;
	x->tries.counted = false;
	rc = find(x, p, p + n, v, err);
	return rc == 1 ? check_keys(x, v, err) : rc;
}

int lh_extract_wire(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	return lh_canon_audit(out, v, NULL, 0, err);
}
