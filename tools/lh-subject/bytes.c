/* bytes.c - search a stream of bytes, and what it decodes to.  See bytes.h. */
#include "bytes.h"

#include <stdio.h>

#include "base/mem.h"

#define WINDOW ((size_t)512 << 10)
#define BEFORE 256		/* bytes of the last window that are seen again, to decode by */
#define EXPANDS 16		/* escapes make a text so many times longer, most of the time */
#define LEVELS 3		/* of one encoding in another */

struct found {
	size_t at, text;
	unsigned how;		/* enum byte_kind of each level, two bits each; outermost lowest */
};

struct byte_search {
	const struct texts *texts;
	byte_hit_fn *fn;
	void *ctx;
	byte_numbers_fn *numbers;
	const void *numbers_of;
	struct level {
		unsigned char *p;	/* WINDOW + BYTE_SPARE bytes */
		uint32_t *from;		/* where each begins in the level before */
		struct byte_run *run;	/* of base64, WINDOW / 2 + 1 */
		size_t n;
		enum byte_kind kind;
	} level[LEVELS + 1];
	unsigned depth;		/* of the level that is searched */
	size_t from, to;	/* hits that begin there are new */
	struct found *found;
	size_t n, cap;
	struct lh_err failed;
	bool judges, opaque;
	struct byte_judge judge;
};

void byte_search_free(struct byte_search *b)
{
	size_t i;

	for (i = 0; b && i <= LEVELS; i++) {
		free(b->level[i].p);
		free(b->level[i].from);
		free(b->level[i].run);
	}
	if (b)
		free(b->found);
	free(b);
}

struct byte_search *byte_search_new(const struct texts *texts, byte_hit_fn *fn, void *ctx)
{
	struct byte_search *b = lh_calloc(1, sizeof *b);
	size_t i;

	*b = (struct byte_search){ .texts = texts, .fn = fn, .ctx = ctx };
	for (i = 0; i <= LEVELS; i++) {
		b->level[i].p = lh_calloc(WINDOW + BYTE_SPARE, 1);
		b->level[i].from = lh_calloc(WINDOW + BYTE_SPARE, sizeof *b->level[i].from);
		b->level[i].run = lh_calloc(WINDOW / 2 + 1, sizeof *b->level[i].run);
	}
	return b;
}

void byte_search_numbers(struct byte_search *b, byte_numbers_fn *fn, const void *ctx)
{
	b->numbers = fn;
	b->numbers_of = ctx;
}

/* ---- a window ---- */

/* Return whether a text that was decoded may begin at a byte in the middle of a run: base64 after a
 * character that separates words in texts that are not base64. */
static bool begins_base64(const struct level *l, size_t at)
{
	return l->kind == BYTE_BASE64 && at && l->from[at] == l->from[at - 1] + 2 &&
	       strchr("+/-_", l[-1].p[l->from[at] - 1]);
}

/* Note a text, a texts_fn. */
static void note(void *ctx, size_t text, size_t at, size_t len, bool joined)
{
	struct byte_search *b = ctx;
	unsigned how = 0, d;

	(void)len;
	if (joined && !begins_base64(&b->level[b->depth], at))
		return;
	for (d = b->depth; d; d--) {
		at = b->level[d].from[at];
		how |= (unsigned)b->level[d].kind << 2 * (d - 1);
	}
	if (at < b->from || at >= b->to)
		return;
	lh_grow(&b->found, &b->cap, b->n + 1, sizeof *b->found);
	b->found[b->n++] = (struct found){ at, text, how };
}

static void search_level(struct byte_search *b);

/* Search what the level that is searched was decoded to, n bytes. */
static void search_next(struct byte_search *b, enum byte_kind kind, size_t n)
{
	struct level *next = &b->level[++b->depth];

	next->kind = kind;
	next->n = n;
	search_level(b);
	b->depth--;
}

static void search_level(struct byte_search *b)
{
	const struct level *l = &b->level[b->depth], *to = l + 1;
	const size_t least = 3 * texts_longest(b->texts) + 16;	/* it may be encoded in that, too */
	enum byte_kind kind;
	size_t n, shift;

	if (!l->n || !texts_longest(b->texts))
		return;
	texts_find(b->texts, l->p, l->n, note, b);
	if (b->depth == LEVELS)
		return;
	for (kind = BYTE_JSON; kind <= BYTE_PERCENT; kind++)
		search_next(b, kind, byte_decode_escapes(kind, least, l->p, l->n, to->p, to->from));
	n = byte_find_runs((8 * texts_shortest(b->texts) + 5) / 6, l->p, l->n, l->run);
	for (shift = 0; shift < 4; shift++)
		search_next(b, BYTE_BASE64,
			    byte_decode_base64(l->run, n, shift, l->p, to->p, to->from));
}

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->text != y->text)
		return x->text < y->text ? -1 : 1;
	return (x->how > y->how) - (x->how < y->how);
}

static void name_form(unsigned how, char to[40])
{
	static const char *const name[BYTE_KINDS] = { "raw", "json", "percent", "base64" };
	int n = snprintf(to, 40, "%s", name[how & 3]);

	for (how >>= 2; how & 3; how >>= 2)
		n += snprintf(to + n, 40 - (size_t)n, "+%s", name[how & 3]);
}

/* Pass on what was found in a window that is at an offset, each text in its simplest form. */
static int pass_on(struct byte_search *b, uint64_t base, const char *member, const char *how,
		   struct lh_err *err)
{
	struct byte_hit hit = { .member = member };
	char form[40];
	size_t i;
	int rc = 0;

	if (b->n)
		qsort(b->found, b->n, sizeof *b->found, by_place);
	for (i = 0; i < b->n && !rc; i++) {
		const struct found *f = &b->found[i];

		if (i && f[-1].at == f->at && f[-1].text == f->text)
			continue;
		if (b->numbers && texts_length(b->texts, f->text) < BYTE_BY_CHANCE &&
		    b->numbers(b->numbers_of, base + f->at))
			continue;
		name_form(f->how, form);
		hit.text = f->text;
		hit.at = base + f->at;
		hit.how = how ? how : form;
		rc = b->fn(b->ctx, &hit, err);
	}
	b->n = 0;
	return rc;
}

/* ---- what is no text ---- */

#define ENCODED 16		/* characters of hex or base32, which are not taken for a word */

void byte_search_judge(struct byte_search *b, bool judge)
{
	b->judges = judge;
	b->judge = (struct byte_judge){ .hex = true, .base32 = true };
}

void byte_search_set_opaque(struct byte_search *b, bool opaque)
{
	b->opaque = opaque;
}

bool byte_search_is_opaque(const struct byte_search *b)
{
	return b->opaque;
}

/* Return the bytes at the end of a text that may be the beginning of a character. */
static size_t cut_char(const char *p, size_t n)
{
	size_t back = 1;

	while (back < 4 && back < n && ((unsigned char)p[n - back] & 0xc0) == 0x80)
		back++;
	return n && (unsigned char)p[n - back] >= 0xc0 && back < 4 ? back : 0;
}

static void judge(struct byte_judge *j, const char *p, size_t n)
{
	char joined[8];
	size_t i, take = 0;

	if (j->cut) {		/* a character may be in two blocks */
		memcpy(joined, j->head, j->cut);
		take = n < 4 ? n : 4;
		memcpy(joined + j->cut, p, take);
		for (i = j->cut + take; i > j->cut && !lh_utf8_valid(joined, i); i--)
			;
		j->binary |= i == j->cut;
		take = i - j->cut;
		j->cut = 0;
	}
	for (i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)p[i], low = c | 0x20;
		const bool digit = c >= '0' && c <= '9';

		if (c == '\n' || c == '\r')
			continue;
		j->n++;
		j->binary |= c < 0x20 && c != '\t' && c != '\f' && c != '\v' && c != '\b' &&
			     c != 0x1b;
		j->hex &= digit || (low >= 'a' && low <= 'f');
		j->base32 &= (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7') || c == '=';
	}
	if (j->binary || n == take)
		return;
	j->cut = lh_utf8_valid(p + take, n - take) ? 0 : cut_char(p + take, n - take);
	memcpy(j->head, p + n - j->cut, j->cut);
	j->binary = !lh_utf8_valid(p + take, n - take - j->cut);
}

static bool judge_end(const struct byte_judge *j)
{
	return j->binary || j->cut || (j->n >= ENCODED && (j->hex || j->base32));
}

int byte_search_stream(struct byte_search *b, byte_read_fn *read, void *from, const char *member,
		       const char *how, struct lh_err *err)
{
	const size_t ahead = EXPANDS * texts_longest(b->texts) + 64;
	struct level *l = &b->level[0];
	uint64_t base = 0;
	ssize_t got = 1;
	size_t keep;
	int rc = 0;

	l->n = b->from = 0;
	while (!rc && got > 0) {
		while (l->n < WINDOW && (got = read(from, l->p + l->n, WINDOW - l->n, err)) > 0) {
			if (b->judges)
				judge(&b->judge, (const char *)l->p + l->n, (size_t)got);
			l->n += (size_t)got;
		}
		if (got < 0)
			return -1;
		b->to = got ? l->n - ahead : l->n;
		search_level(b);
		if (b->failed.code) {
			*err = b->failed;
			return -1;
		}
		rc = pass_on(b, base, member, how, err);
		keep = b->to > BEFORE ? b->to - BEFORE : 0;
		memmove(l->p, l->p + keep, l->n - keep);
		l->n -= keep;
		base += keep;
		b->from = b->to - keep;
	}
	b->opaque |= b->judges && judge_end(&b->judge);
	b->judges = false;
	return rc;
}

static ssize_t read_text(void *from, void *p, size_t n, struct lh_err *err)
{
	struct lh_str *rest = from;

	(void)err;
	n = n < rest->n ? n : rest->n;
	memcpy(p, rest->p, n);
	rest->p += n;
	rest->n -= n;
	return (ssize_t)n;
}

int byte_search_text(struct byte_search *b, struct lh_str text, const char *member,
		     const char *how, struct lh_err *err)
{
	return byte_search_stream(b, read_text, &text, member, how, err);
}
