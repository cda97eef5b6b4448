/* texts.c - where texts begin in bytes.  See texts.h. */
#include "texts.h"

#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "telephone.h"

#define WORDS 5			/* of a name that may be written "Last, First" */
#define TITLED 16		/* words of a name that may have titles */
#define ESCAPED 8		/* bytes of a character, about */

/* What is searched for, as its ends are compared with what is beside them. */
struct edge {
	uint32_t sign;
	bool single;		/* the text is one character */
};

/* A text in one spelling: as signs (text/spelling.h), or as it is. */
struct form {
	size_t number;
	uint32_t *sign;			/* NULL: as it is */
	size_t n;
	struct lh_str text;		/* as it is, with its bytes alone if there are signs */
	bool email;
	struct edge first, last;
};
/* What may begin with a byte. */
enum { BEGINS_TEXT = 1, BEGINS_NUMBER = 2, BEGINS_CHAR = 4 };

struct lh_texts {
	struct form *form;
	size_t n, cap;
	struct lh_telephones *telephones;	/* NULL: there are none */
	size_t longest;
	uint8_t begins[256];
};

/* ---- what is beside a text ---- */

enum script { SCRIPT_NONE, SCRIPT_LATIN, SCRIPT_UNSPACED, SCRIPT_OTHER };

/* Return the script of a letter: one number for those that have no blanks between words, and none
 * for digits and signs. */
static unsigned script_of(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		unsigned script;
	} range[] = {
		{ 'A', 'Z', SCRIPT_LATIN }, { 'a', 'z', SCRIPT_LATIN },
		{ 0xaa, 0x2af, SCRIPT_LATIN }, { 0x370, 0x3ff, SCRIPT_OTHER },
		{ 0x400, 0x52f, SCRIPT_OTHER + 1 }, { 0x531, 0x58f, SCRIPT_OTHER + 2 },
		{ 0x590, 0x5ff, SCRIPT_OTHER + 3 }, { 0x600, 0x77f, SCRIPT_OTHER + 4 },
		{ 0x900, 0x97f, SCRIPT_OTHER + 5 }, { 0x980, 0x9ff, SCRIPT_OTHER + 6 },
		{ 0xb80, 0xbff, SCRIPT_OTHER + 7 }, { 0xe00, 0x109f, SCRIPT_UNSPACED },
		{ 0x10a0, 0x10ff, SCRIPT_OTHER + 8 }, { 0x1100, 0x11ff, SCRIPT_UNSPACED },
		{ 0x1780, 0x17ff, SCRIPT_UNSPACED }, { 0x1950, 0x1aaf, SCRIPT_UNSPACED },
		{ 0x1e00, 0x1eff, SCRIPT_LATIN }, { 0x1f00, 0x1fff, SCRIPT_OTHER },
		{ 0x2e80, 0x2fdf, SCRIPT_UNSPACED }, { 0x3005, 0x3007, SCRIPT_UNSPACED },
		{ 0x3040, 0x318f, SCRIPT_UNSPACED }, { 0x31a0, 0x31ff, SCRIPT_UNSPACED },
		{ 0x3400, 0x9fff, SCRIPT_UNSPACED }, { 0xa960, 0xa97f, SCRIPT_UNSPACED },
		{ 0xa9e0, 0xa9ff, SCRIPT_UNSPACED }, { 0xaa60, 0xaadf, SCRIPT_UNSPACED },
		{ 0xac00, 0xd7ff, SCRIPT_UNSPACED }, { 0xf900, 0xfaff, SCRIPT_UNSPACED },
		{ 0xff21, 0xff3a, SCRIPT_LATIN }, { 0xff41, 0xff5a, SCRIPT_LATIN },
		{ 0xff66, 0xffdc, SCRIPT_UNSPACED }, { 0x1b000, 0x1b16f, SCRIPT_UNSPACED },
		{ 0x20000, 0x3ffff, SCRIPT_UNSPACED },
	};
	size_t i;

	for (i = 0; i < sizeof range / sizeof *range; i++)
		if (c >= range[i].first && c <= range[i].last)
			return range[i].script;
	return SCRIPT_NONE;
}

static bool is_unspaced(uint32_t sign)
{
	return sign >= 0xe00 && script_of(sign) == SCRIPT_UNSPACED;
}

/* Return whether a letter or a digit is of the word whose end it is next to: a word ends where the
 * script changes, and anywhere in a script without blanks. */
static bool is_joined(uint32_t c, struct edge edge)
{
	unsigned of, other;

	if (c < 0x80 && edge.sign < 0x80)
		return true;
	of = script_of(c);
	other = script_of(edge.sign);
	if (of == SCRIPT_UNSPACED || other == SCRIPT_UNSPACED)
		return of == other && edge.single;
	return !of || !other || of == other;
}

/* Return whether the character at p belongs to the word whose end it is next to. */
static bool is_word(const unsigned char *p, size_t n, struct edge edge)
{
	unsigned char low = *p | 0x20;
	uint32_t c;

	if (lh_spelled_escapes(*p)) {
		unsigned char made[4];

		lh_spelled_char(p, n, &c);
		return c && (c > 0x7f || !lh_spelled_escapes((unsigned char)c)) &&
		       is_word(made, lh_utf8_put(c, made), edge);
	}
	if (*p < 0x80)
		return ((low >= 'a' && low <= 'z') || (*p >= '0' && *p <= '9') || *p == '_' ||
			*p == '-') && is_joined(*p, edge);
	if (!lh_utf8_len(p, n))
		return false;
	c = lh_utf8_get(&p);
	if (c == 0x2010 || c == 0x2011)		/* hyphens, which are no dashes */
		return true;
	switch (utf8proc_category((int32_t)c)) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_ND:
		return is_joined(c, edge);
	default:
		return false;
	}
}

static bool is_before_word(const unsigned char *p, size_t n, size_t at, struct edge edge)
{
	return at < n && is_word(p + at, n - at, edge);
}

/* Return the bytes of the character that ends at p[at]; 0 at the beginning. */
static size_t char_before(const unsigned char *p, size_t at)
{
	size_t back = 1;

	while (back < 4 && back < at && (p[at - back] & 0xc0) == 0x80)
		back++;
	return at ? back : 0;
}

static bool is_after_word(const unsigned char *p, size_t at, struct edge edge)
{
	size_t back = char_before(p, at), len;
	uint32_t sign;

	if (at > 2 && p[at - 3] == '%' && (len = lh_spelled_char(p + at - 3, 3, &sign)) == 3)
		back = len;
	return back && is_word(p + at - back, back, edge);
}

/* Return whether what ends at p[at] may be of the address that goes on there: not a dot that has
 * nothing of an address before it. */
static bool is_in_address(const unsigned char *p, size_t at, struct edge edge)
{
	size_t back = char_before(p, at);
	uint32_t sign;

	if (!back)
		return false;
	lh_spelled_char(p + at - back, back, &sign);
	if (sign != '.')
		return sign == '%' || sign == '+' || is_word(p + at - back, back, edge);
	at -= back;
	return is_after_word(p, at, edge) || (at && (p[at - 1] == '%' || p[at - 1] == '+'));
}

/* Return whether the address that ends at p[at] goes on: .au of example.com.au. */
static bool address_goes_on(const unsigned char *p, size_t n, size_t at, struct edge edge)
{
	uint32_t sign = 0;
	size_t len = at < n ? lh_spelled_char(p + at, n - at, &sign) : 0;

	if (sign == '.' || sign == '@')
		return is_before_word(p, n, at + len, edge);
	return is_before_word(p, n, at, edge);
}

/* ---- prepare ---- */

/* Return the address of mailto:ADDRESS?subject=..., and any other text as it is. */
static struct lh_str without_mailto(struct lh_str s)
{
	const struct lh_str t = lh_trim(s.p, s.n);
	const char *end;

	if (t.n < 8 || !lh_fold_equal(t.p, 7, "mailto:", 7))
		return s;
	end = memchr(t.p + 7, '?', t.n - 7);
	return (struct lh_str){ t.p + 7, end ? (size_t)(end - t.p) - 7 : t.n - 7 };
}

static void measure(struct lh_texts *t, size_t longest)
{
	t->longest = t->longest < longest ? longest : t->longest;
}

static void add_telephone(struct lh_texts *t, const struct lh_telephone *tel, size_t number)
{
	unsigned c;

	lh_telephones_add(&t->telephones, tel, number);
	measure(t, (size_t)LH_TELEPHONE_WRITTEN * ESCAPED + LH_SPELLED_BLANKS);
	for (c = '0'; c <= '9'; c++)
		t->begins[c] |= BEGINS_NUMBER;
	for (c = 0xc2; c < 0xf5; c++)
		t->begins[c] |= BEGINS_CHAR;
}

/* Set the signs at the ends of a text, which marks of letters are not. */
static void set_edges(struct form *f)
{
	size_t i, last = f->n, chars = 0;
	uint32_t sign = 0;

	for (i = 0; i < f->n; i++)	/* a syllable of Hangul is two signs, or three */
		chars += !(f->sign[i] >= 0x1160 && f->sign[i] <= 0x11ff);
	while (last > 1 && lh_spelled_is_mark(f->sign[last - 1]))
		last--;
	f->first.sign = f->sign ? *f->sign : 0;
	f->last.sign = f->sign ? f->sign[last - 1] : 0;
	for (i = 0; !f->sign && i < f->text.n; chars++) {
		i += lh_spelled_char((const unsigned char *)f->text.p + i, f->text.n - i, &sign);
		f->first.sign = chars ? f->first.sign : sign;
		f->last.sign = sign;
	}
	f->first.single = f->last.single = chars < 2;
}

/* Add a form, whose signs are taken over. */
static void add_form(struct lh_texts *t, const struct form *like)
{
	struct form *f;
	unsigned c;

	lh_grow(&t->form, &t->cap, t->n + 1, sizeof *f);
	f = &t->form[t->n++];
	*f = *like;
	set_edges(f);
	if (!f->sign) {
		t->begins[(unsigned char)*f->text.p] |= BEGINS_TEXT;
		return;
	}
	for (c = 1; c < 0x80; c++)
		if (lh_spelled_escapes((unsigned char)c) ||
		    lh_spelled_first((const unsigned char[]){ (unsigned char)c }, 1) == *f->sign)
			t->begins[c] |= BEGINS_TEXT;
	for (c = 0xc2; c < 0xf5; c++)
		t->begins[c] |= BEGINS_CHAR;
}

/* Add a form in which the signs from `from` on come first, then `between`, unless it is 0, and then
 * those before `end`. */
static void add_turned(struct lh_texts *t, const struct form *of, size_t end, size_t from,
		      uint32_t between)
{
	const size_t last = of->n - from;
	struct form to = *of;

	to.sign = lh_calloc(of->n + 1, sizeof *to.sign);
	memcpy(to.sign, of->sign + from, last * sizeof *to.sign);
	to.sign[last] = between;
	memcpy(to.sign + last + 1, of->sign, end * sizeof *to.sign);
	to.n = last + (between != 0) + end;
	add_form(t, &to);
}

/* Add the forms of a name, whose signs are borrowed: as it is, of "Last, First" also "First Last",
 * and of "First Last" also "Last, First", wherever its last name may begin. */
static void add_name(struct lh_texts *t, const struct form *f)
{
	size_t i, blanks = 0, commas = 0, comma = 0;

	for (i = 0; i < f->n; i++) {
		blanks += f->sign[i] == ' ';
		commas += f->sign[i] == ',';
		comma = f->sign[i] == ',' ? i : comma;
	}
	add_turned(t, f, 0, 0, 0);
	if (commas == 1 && comma && comma + 1 < f->n) {
		add_turned(t, f, comma, comma + 1, ' ');
		return;
	}
	for (i = 0; !commas && blanks < WORDS && i < f->n; i++)
		if (f->sign[i] == ' ')
			add_turned(t, f, i, i + 1, ',');
}

/* Set the signs of a text, with soft hyphens as `soft`, without white space at its ends.  Returns
 * their number. */
static size_t spell(struct lh_str text, uint32_t soft, uint32_t *sign, bool *had_soft)
{
	struct lh_spelled s = lh_spelled_of(text.p, text.n);
	uint32_t c;
	size_t n = 0;

	while ((c = lh_spelled_next(&s))) {
		*had_soft |= c == LH_SOFT;
		c = c == LH_SOFT ? soft : c;
		if (c && (n || c != ' '))
			sign[n++] = c;
	}
	return n && sign[n - 1] == ' ' ? n - 1 : n;
}

/* Return room for the signs of a text: three bytes may be 18. */
static uint32_t *sign_room(struct lh_str text)
{
	return lh_calloc(text.n * 6 + LH_SPELLED_SIGNS, sizeof(uint32_t));
}

/* ---- titles ---- */

/* Return whether a word of a name is a title before it, or after its end. */
static bool is_title(const uint32_t *sign, size_t n, bool after)
{
	static const char before_name[] = " dr mr mrs ms mx miss prof professor sir rev ",
		after_name[] = " jr sr ii iii iv phd md rn lpn esq mba cpa ";
	char word[12] = " ";
	size_t i, len = 1;

	for (i = 0; i < n; i++) {
		if (sign[i] == '.')
			continue;
		if (sign[i] > 0x7f || len > sizeof word - 3)
			return false;
		word[len++] = (char)sign[i];
	}
	word[len] = ' ';
	word[len + 1] = '\0';
	return len > 1 && strstr(after ? after_name : before_name, word);
}

/* Take the titles out of a name, at its ends and next to a comma, if two words are left: "Dr. Ann
 * Lee, Jr." is "ann lee", and "Lee Jr., Ann" is "lee,ann".  Return the number of its signs. */
static size_t without_titles(uint32_t *sign, size_t n)
{
	struct {
		size_t at, n;
		bool comma, title;	/* comma: one is before it */
	} word[TITLED];
	size_t i, words = 0, left = 0, to = 0;
	bool comma = false;

	for (i = 0; i < n; i++) {
		if (sign[i] == ' ' || sign[i] == ',') {
			comma |= sign[i] == ',';
			continue;
		}
		if (!i || sign[i - 1] == ' ' || sign[i - 1] == ',') {
			if (words == TITLED)
				return n;
			word[words].at = i;
			word[words].n = 0;
			word[words++].comma = comma;
			comma = false;
		}
		word[words - 1].n++;
	}
	for (i = 0; i < words; i++)
		word[i].title = (!i || word[i].comma || word[i - 1].title) &&
				is_title(sign + word[i].at, word[i].n, false);
	for (i = words; i-- > 0; left += !word[i].title)
		word[i].title |= (i + 1 == words || word[i + 1].comma || word[i + 1].title) &&
				 is_title(sign + word[i].at, word[i].n, true);
	if (left < 2 || left == words)
		return n;
	for (i = 0, comma = false; i < words; i++) {
		comma |= word[i].comma;
		if (word[i].title)
			continue;
		if (to)
			sign[to++] = comma ? ',' : ' ';
		memmove(sign + to, sign + word[i].at, word[i].n * sizeof *sign);
		to += word[i].n;
		comma = false;
	}
	return to;
}

static void put_signs(struct lh_buf *out, const uint32_t *sign, size_t n)
{
	unsigned char c[4];
	size_t i;

	for (i = 0; i < n; i++)
		lh_buf_add(out, (const char *)c, lh_utf8_put(sign[i], c));
}

void lh_needle_normal(const struct lh_needle *text, struct lh_buf *out, enum lh_text_kind *kind)
{
	struct lh_telephone tel;
	unsigned from;
	LH_SCOPED(lh_free_local) uint32_t *sign = NULL;
	size_t i, n, comma = 0, commas = 0;
	struct lh_str name;
	bool soft = false;

	*kind = LH_TEXT_TELEPHONE;
	if (!text->id && lh_telephone_read(text->text, &tel)) {
		from = tel.n > LH_TELEPHONE_NATIONAL ? tel.n - LH_TELEPHONE_NATIONAL : 0;
		lh_buf_add(out, tel.digit + from, tel.n - from);
		return;
	}
	*kind = LH_TEXT_NAME;
	name = text->id ? text->text : without_mailto(text->text);
	sign = sign_room(name);
	n = spell(name, 0, sign, &soft);
	n = text->id ? n : without_titles(sign, n);
	for (i = 0; i < n; i++) {
		commas += sign[i] == ',';
		comma = sign[i] == ',' ? i : comma;
		*kind = sign[i] == '@' ? LH_TEXT_EMAIL : *kind;
	}
	if (commas == 1 && comma && comma + 1 < n) {
		put_signs(out, sign + comma + 1, n - comma - 1);
		lh_buf_putc(out, ' ');
		n = comma;
	}
	put_signs(out, sign, n);
}

/* Add the forms of a name with its titles and without. */
static void add_titled(struct lh_texts *t, struct form *f, bool id)
{
	const size_t n = f->n;

	add_name(t, f);
	f->n = id ? n : without_titles(f->sign, n);
	if (f->n < n)
		add_name(t, f);
}

static int add_spelled(struct lh_texts *t, const struct lh_needle *text, struct lh_err *err)
{
	const struct lh_str plain = text->id ? text->text : without_mailto(text->text);
	LH_SCOPED(lh_free_local) uint32_t *sign = sign_room(plain);
	struct form f = { .number = text->number, .sign = sign, .text = { NULL, plain.n } };
	size_t i;
	bool soft = false;

	f.n = spell(plain, 0, sign, &soft);
	if (!f.n)
		return lh_err_set(err, LH_EDATA, "a text must have other characters than blanks");
	for (i = 0; i < f.n; i++)
		f.email |= sign[i] == '@';
	measure(t, ESCAPED * plain.n + LH_SPELLED_BLANKS);
	add_titled(t, &f, text->id);
	if (!soft)
		return 0;
	f.n = spell(plain, '-', sign, &soft);
	add_titled(t, &f, text->id);
	return 0;
}

static int add_text(struct lh_texts *t, const struct lh_needle *text, struct lh_err *err)
{
	struct lh_telephone tel;
	char *copy;

	if (!text->text.n || text->text.n > LH_TEXT_MAX)
		return lh_err_set(err, LH_EDATA, "a text must have 1 to %d bytes", LH_TEXT_MAX);
	if (text->fold && !text->id && lh_telephone_read(text->text, &tel)) {
		add_telephone(t, &tel, text->number);
		return 0;
	}
	if (text->fold)
		return add_spelled(t, text, err);
	copy = lh_strndup(text->text.p, text->text.n);
	measure(t, text->text.n);
	add_form(t, &(struct form){ .number = text->number,
					   .text = { copy, text->text.n } });
	return 0;
}

struct lh_texts *lh_texts_new(const struct lh_needle *text, size_t n, struct lh_err *err)
{
	struct lh_texts *t = lh_calloc(1, sizeof *t);
	size_t i;

	for (i = 0; i < n; i++)
		if (add_text(t, &text[i], err) < 0) {
			lh_texts_free(t);
			return NULL;
		}
	return t;
}

bool lh_texts_one_telephone(struct lh_str a, struct lh_str b)
{
	struct lh_telephone of_a, of_b;

	return lh_telephone_read(a, &of_a) && lh_telephone_read(b, &of_b) &&
	       lh_telephones_alike(&of_a, &of_b);
}

void lh_texts_free(struct lh_texts *t)
{
	if (!t)
		return;
	while (t->n) {
		free((char *)t->form[--t->n].text.p);
		free(t->form[t->n].sign);
	}
	free(t->form);
	lh_telephones_free(t->telephones);
	free(t);
}

size_t lh_texts_longest(const struct lh_texts *t)
{
	return t->longest;
}

/* ---- find ---- */

/* Return the next sign of a text, or the wanted one where it is written in another way: a soft
 * hyphen is a hyphen or nothing, and in the data of a form + is a blank, which is nothing after a
 * comma. */
static uint32_t next_wanted(struct lh_spelled *s, uint32_t wanted)
{
	const bool comma = s->comma;
	uint32_t sign;

	do
		sign = lh_spelled_next(s);
	while (sign == LH_SOFT && wanted != '-');
	if (sign == '+' && comma && wanted != '+')
		sign = lh_spelled_next(s);
	return (sign == LH_SOFT && wanted == '-') || (sign == '+' && wanted == ' ') ? wanted : sign;
}

/* Read sign i of a form, true if it is there: in a script without blanks a blank between two
 * characters counts as nothing. */
static bool is_next(struct lh_spelled *s, const struct form *f, size_t i)
{
	const uint32_t wanted = f->sign[i];
	const bool unspaced = i && is_unspaced(f->sign[i - 1]);
	struct lh_spelled before = *s;
	uint32_t sign = next_wanted(s, wanted);

	if (sign == wanted)
		return true;
	if (unspaced && wanted == ' ' && i + 1 < f->n && is_unspaced(f->sign[i + 1])) {
		*s = before;
		return true;
	}
	return unspaced && sign == ' ' && is_unspaced(wanted) && next_wanted(s, wanted) == wanted;
}

/* Return the bytes of the text of a form at p, with no word after it; 0: it is not there. */
static size_t match(const struct form *f, const unsigned char *p, size_t n)
{
	struct lh_spelled s;
	size_t i;

	if (!f->sign)
		return n >= f->text.n && !memcmp(p, f->text.p, f->text.n) &&
		       !is_before_word(p, n, f->text.n, f->last) ? f->text.n : 0;
	for (i = 0; i < f->n && i < n && p[i] > ' ' && p[i] < 0x80 && p[i] != '+' &&
	     !lh_spelled_escapes(p[i]); i++)
		if (lh_spelled_ascii(p[i]) != f->sign[i])
			return 0;
	s = lh_spelled_of(p, n);
	s.at = i;
	s.comma = i && f->sign[i - 1] == ',';
	for (; i < f->n; i++)
		if (!is_next(&s, f, i))
			return 0;
	return lh_spelled_is_whole(&s) &&
	       !(f->email ? address_goes_on(p, n, s.at, f->last)
			  : is_before_word(p, n, s.at, f->last)) ? s.at : 0;
}

void lh_texts_find(const struct lh_texts *t, const unsigned char *p, size_t n, lh_texts_fn *fn,
		   void *ctx)
{
	size_t i, k, len, numbers = 0;
	uint32_t sign;

	for (i = 0; (t->n || t->telephones) && i < n; i++) {
		const uint8_t begins = t->begins[p[i]];

		if (!begins || (begins == BEGINS_NUMBER && i < numbers))
			continue;
		lh_spelled_at(p + i, n - i, &sign);
		if (t->telephones && i >= numbers && lh_sign_is_digit(sign))
			numbers = lh_telephones_find(t->telephones, p, n, i, fn, ctx);
		for (k = 0; k < t->n; k++) {
			const struct form *f = &t->form[k];

			if (f->sign ? *f->sign != sign : (unsigned char)*f->text.p != p[i])
				continue;
			len = match(f, p + i, n - i);
			if (len && !(f->email ? is_in_address(p, i, f->first)
					      : is_after_word(p, i, f->first)))
				fn(ctx, f->number, i, len, LH_TEXT_SURE);
		}
	}
}

/* ---- escapes ---- */

static unsigned hex(unsigned char c)
{
	const unsigned char low = c | 0x20;

	return lh_sign_is_digit(c) ? c - 48u : low >= 'a' && low <= 'f' ? low - 87u : 16;
}

static size_t undo_percent(const unsigned char *p, size_t n, unsigned char *to, size_t *made)
{
	*made = 1;
	if (n < 3 || *p != '%' || hex(p[1]) > 15 || hex(p[2]) > 15)
		return 0;
	*to = (unsigned char)(hex(p[1]) << 4 | hex(p[2]));
	return 3;
}

/* Read the four digits of \uXXXX at p: the code unit, or -1. */
static int32_t code_unit(const unsigned char *p, size_t n)
{
	int32_t c = 0;
	size_t i;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (i = 2; i < 6; i++) {
		if (hex(p[i]) > 15)
			return -1;
		c = c << 4 | (int32_t)hex(p[i]);
	}
	return c;
}

static size_t undo_json(const unsigned char *p, size_t n, unsigned char *to, size_t *made)
{
	static const char escape[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *e = n > 1 && p[1] ? strchr(escape, p[1]) : NULL;
	int32_t c = code_unit(p, n), low;

	*made = 1;
	if (e)
		to[0] = (unsigned char)means[e - escape];
	if (c < 0)
		return e && *p == '\\' ? 2 : 0;
	low = c >= 0xd800 && c < 0xdc00 ? code_unit(p + 6, n - 6) : -1;
	if (low >= 0xdc00 && low < 0xe000)
		c = 0x10000 + ((c - 0xd800) << 10) + low - 0xdc00;
	*made = lh_utf8_put((uint32_t)c, to);
	return c > 0xffff ? 12 : 6;
}

void lh_text_unescape(struct lh_str s, char sign, struct lh_buf *out)
{
	const unsigned char *p = (const unsigned char *)s.p, *const end = p + s.n;
	unsigned char to[4];
	size_t used, made;

	for (lh_buf_reset(out); p < end; p += used ? used : 1) {
		used = sign == '%' ? undo_percent(p, (size_t)(end - p), to, &made)
				   : undo_json(p, (size_t)(end - p), to, &made);
		lh_buf_add(out, used ? (const char *)to : (const char *)p, used ? made : 1);
	}
}

