/*
 * regex.c - patterns of ECMA-262 by PCRE2.  See jsonschema_parts.h.
 *
 * The pattern is read by the grammar of ECMA-262 with the flag u and written in the syntax of
 * PCRE2.  Where u permits a backslash before syntax characters alone, it is permitted before all
 * ASCII punctuation.  lh-validate(1) lists what else differs.
 *
 * PCRE2 backtracks, so the pattern gets callouts ("(?C)") at its start and that of lookaheads, at
 * alternatives and after repetitions.  A callout counts a step, one for each 16 bytes that the
 * text was passed over since the callout before, and some for a long pattern; it ends the match
 * when none is left.  No JIT: its code is not counted in the same way, and needs a stack of its
 * own.
 */
#include "jsonschema_parts.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

/* ---- a pattern in the syntax of PCRE2 ---- */

#define DEPTH 200		/* groups inside each other */
#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* In a class: the white space of ECMA-262, and all but it.  A class of PCRE2's is at both ends, so
 * that it refuses a range from here or to here. */
#define SPACE "\\s\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}" \
	"\\x{3000}\\x{feff}\\s"
#define NO_SPACE "\\d\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}" \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}" \
	"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}\\d"

#define WIDE "\\x{100}-\\x{10ffff}"

/* Names that ECMA-262 has, with those that PCRE2 has for them; without one: the same. */
static const char categories[] =
	" L Letter=L LC=L& Cased_Letter=L& M Mark=M Combining_Mark=M N Number=N"
	" P Punctuation=P punct=P S Symbol=S Z Separator=Z C Other=C"
	" Lu Uppercase_Letter=Lu Ll Lowercase_Letter=Ll Lt Titlecase_Letter=Lt"
	" Lm Modifier_Letter=Lm Lo Other_Letter=Lo Mn Nonspacing_Mark=Mn Mc Spacing_Mark=Mc"
	" Me Enclosing_Mark=Me Nd Decimal_Number=Nd digit=Nd Nl Letter_Number=Nl"
	" No Other_Number=No Pc Connector_Punctuation=Pc Pd Dash_Punctuation=Pd"
	" Ps Open_Punctuation=Ps Pe Close_Punctuation=Pe Pi Initial_Punctuation=Pi"
	" Pf Final_Punctuation=Pf Po Other_Punctuation=Po Sm Math_Symbol=Sm"
	" Sc Currency_Symbol=Sc Sk Modifier_Symbol=Sk So Other_Symbol=So Zs Space_Separator=Zs"
	" Zl Line_Separator=Zl Zp Paragraph_Separator=Zp Cc Control=Cc cntrl=Cc Cf Format=Cf"
	" Cs Surrogate=Cs Co Private_Use=Co Cn Unassigned=Cn ";
static const char binary_properties[] =
	" ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Any Assigned=Cn Bidi_Control Bidi_C"
	" Bidi_Mirrored Bidi_M"
	" Case_Ignorable CI Cased Changes_When_Casefolded CWCF Changes_When_Casemapped CWCM"
	" Changes_When_Lowercased CWL Changes_When_Titlecased CWT Changes_When_Uppercased CWU"
	" Dash Default_Ignorable_Code_Point DI Deprecated Dep Diacritic Dia Emoji Emoji_Component"
	" EComp Emoji_Modifier EMod Emoji_Modifier_Base EBase Emoji_Presentation EPres"
	" Extended_Pictographic ExtPict Extender Ext Grapheme_Base Gr_Base Grapheme_Extend Gr_Ext"
	" Hex_Digit Hex IDS_Binary_Operator IDSB IDS_Trinary_Operator IDST ID_Continue IDC"
	" ID_Start IDS Ideographic Ideo Join_Control Join_C Logical_Order_Exception LOE Lowercase"
	" Lower Math Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn Pattern_White_Space"
	" Pat_WS Quotation_Mark QMark Radical Regional_Indicator RI Sentence_Terminal STerm"
	" Soft_Dotted SD Terminal_Punctuation Term Unified_Ideograph UIdeo Uppercase Upper"
	" Variation_Selector VS White_Space space XID_Continue XIDC XID_Start XIDS ";

/* A pattern as one of PCRE2, with the flags PCRE2_UTF | PCRE2_MATCH_UNSET_BACKREF. */
struct translation {
	struct lh_buf out;
	uint32_t least;		/* the largest number of repetitions that one atom needs */
	bool refers;		/* the pattern has a back reference */
	bool never;		/* something may occur 0 times at most */
};

struct parser {
	struct translation *t;
	struct lh_buf *out;
	const char *p, *end, *start;	/* a NUL is at the end */
	const char *open[DEPTH];	/* the ( of each group */
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
	if (ps->p[-2] == '0' && at + 1 + strspn(at + 1, "0,") == ps->p - 1)
		ps->t->never = true;
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

/* Translate the pattern of n bytes, after which a NUL is: 0, or -1 with LH_EDATA and
 * err->column. */
static int translate(struct translation *t, const char *pattern, size_t n, struct lh_err *err)
{
	struct parser ps = { .t = t, .out = &t->out, .p = pattern, .start = pattern,
			     .end = pattern + n, .err = err };

	lh_buf_puts(ps.out, "(?C)");
	while (ps.p < ps.end) {
		if (put_term(&ps) < 0)
			return -1;
	}
	return ps.depth ? fault(&ps, ps.open[ps.depth - 1], "( without )")
			: 0;
}

/* ---- compile and search ---- */

#define LONGEST 65535		/* bytes of a pattern */
#define HEAP_KIB 65536

struct lh_regex {
	pcre2_code *code;
	uint32_t weight;	/* steps of what is between two callouts, at most */
	bool refers;
};

/* Steps that are left, and where in the text the last callout was. */
struct budget {
	const struct lh_regex *re;
	uint64_t *steps;
	size_t at;
};

static int compile(struct lh_regex *re, const struct translation *t, size_t n, struct lh_err *err)
{
	pcre2_compile_context *how = pcre2_compile_context_create(NULL);
	uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_MATCH_UNSET_BACKREF;
	int code = PCRE2_ERROR_HEAP_FAILED;
	PCRE2_SIZE at = 0, size = 0;
	char why[200];

	if (!t->refers)
		options |= PCRE2_NO_AUTO_CAPTURE;
	if (t->never)	/* what PCRE2 10.42 knows about the start of (?:a|(?=b)){0} is wrong */
		options |= PCRE2_NO_START_OPTIMIZE;
	if (how) {
		/* as \uD83D: no text has one */
		pcre2_set_compile_extra_options(how, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);
		re->code = pcre2_compile((PCRE2_SPTR)t->out.p, t->out.len, options, &code, &at,
					 how);
	}
	pcre2_compile_context_free(how);
	if (!re->code && code == PCRE2_ERROR_HEAP_FAILED)
		lh_no_memory(t->out.len);
	if (!re->code) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
		return lh_err_set(err, LH_EDATA, "%s", code == PCRE2_ERROR_PATTERN_TOO_LARGE
				  ? "the pattern is too large" : why);
	}
	/* a group of {0,9} is in it nine times */
	pcre2_pattern_info(re->code, PCRE2_INFO_SIZE, &size);
	re->weight = (uint32_t)(n + t->least + size / 16) / 16;
	re->refers = t->refers;
	return 0;
}

struct lh_regex *lh_regex_new(struct lh_str pattern, struct lh_err *err)
{
	struct lh_regex *re = lh_calloc(1, sizeof *re);
	struct translation t = { 0 };
	LH_SCOPED(lh_free_local) char *text = lh_strndup(pattern.p, pattern.n);
	int rc;

	err->column = 0;
	if (pattern.n > LONGEST)
		rc = lh_err_set(err, LH_EDATA, "the pattern is too large");
	else
		rc = translate(&t, text, pattern.n, err);
	if (!rc)
		rc = compile(re, &t, pattern.n, err);
	if (rc < 0) {
		lh_regex_free(re);
		re = NULL;
	}
	lh_buf_free(&t.out);
	return re;
}

void lh_regex_free(struct lh_regex *re)
{
	if (re)
		pcre2_code_free(re->code);
	free(re);
}

static int on_callout(pcre2_callout_block *c, void *ctx)
{
	struct budget *b = ctx;
	size_t at = c->current_position;
	uint64_t cost = at > b->at ? at - b->at : b->at - at;
	uint32_t i;

	b->at = at;
	/* each back reference compares up to what its group has */
	for (i = 1; b->re->refers && i < c->capture_top; i++)
		if (c->offset_vector[2 * i] != PCRE2_UNSET)
			cost += 16 + c->offset_vector[2 * i + 1] - c->offset_vector[2 * i];
	return lh_js_spend(b->steps, 1 + cost / 16 + b->re->weight) ? 0 : PCRE2_ERROR_CALLOUT;
}

int lh_regex_search(const struct lh_regex *re, struct lh_jsonschema_run *run, struct lh_str text,
		    uint64_t *steps, struct lh_err *err)
{
	struct budget b = { re, steps, 0 };
	int rc = PCRE2_ERROR_MATCHLIMIT;

	if (!run->match)
		run->match = pcre2_match_data_create(1, NULL);
	if (!run->limits)
		run->limits = pcre2_match_context_create(NULL);
	if (!run->match || !run->limits)
		lh_no_memory(sizeof *run);
	pcre2_set_heap_limit(run->limits, HEAP_KIB);
	if (lh_js_spend(steps, 1 + text.n / 16)) {
		pcre2_set_callout(run->limits, on_callout, &b);
		pcre2_set_match_limit(run->limits,
				      *steps < UINT32_MAX ? (uint32_t)*steps : UINT32_MAX);
		rc = pcre2_match(re->code, (PCRE2_SPTR)text.p, text.n, 0, PCRE2_NO_UTF_CHECK,
				 run->match, run->limits);
	}
	if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
		return rc >= 0;
	if (rc == PCRE2_ERROR_NOMEMORY)
		lh_no_memory(text.n);
	return lh_err_data(err, 413, rc == PCRE2_ERROR_HEAPLIMIT
			   ? "a pattern needs too much memory" : "the record needs too many steps");
}

void lh_jsonschema_run_free(struct lh_jsonschema_run *run)
{
	lh_buf_free(&run->scratch);
	lh_buf_free(&run->bits);
	lh_buf_free(&run->field);
	lh_buf_free(&run->problem);
	pcre2_match_data_free(run->match);
	pcre2_match_context_free(run->limits);
	*run = (struct lh_jsonschema_run){ 0 };
}
