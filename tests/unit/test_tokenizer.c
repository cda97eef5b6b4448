/*
 * Tokens of texts: each kind of tokenizer on small vocabularies, and vocabularies that are not
 * consistent.  tests/embed/tokens.bats compares on large ones with other implementations.
 */
#include "check.h"

#include <stdarg.h>
#include <utf8proc.h>

#include "vocabulary.h"
#include "transformer/tokenizer.h"

#define T "tokenizer.ggml."
#define W "\xe2\x96\x81"
#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SPECIAL "[PAD]", "[UNK]", "[CLS]", "[SEP]"

static struct lh_err err;
static struct lh_gguf *g;
static struct lh_tokenizer *t;
static struct lh_token_list tokens;

/* ---- models ---- */

static const char *const words[] = {
	SPECIAL, W "he", "llo", "ll", W "w", "or", "ld", W "!",
	W "\xe4\xb8\x96", W "[", W "cls", W "]", W "a", "b", "abc", "z",
};
enum {
	PAD, UNK, CLS, SEP, HE, LLO, LL, WO, OR, LD, BANG, WORLD, OPEN, CLS_WORD, SHUT, A, B, ABC, Z
};

static const char *const pieces[] = {
	"<s>", "<pad>", "</s>", "<unk>", W, W "he", "llo", "l", "o", "ab", "a", "b", "c", "bc",
};
enum { S, P, E, U, SPACE, U_HE, U_LLO, U_L, U_O, U_AB, U_A, U_B, U_C, U_BC };
static const float scores[] = { 0, 0, 0, 0, -3, -4, -4, -5, -5, -4, -2, -2.5f, -3, -1.5f };

static void close_model(void)
{
	lh_tokenizer_free(t);
	lh_gguf_close(g);
	t = NULL;
}

/* Open what was made; *err says why it cannot be a tokenizer. */
static bool made(struct vocabulary *v)
{
	close_model();
	g = vocabulary_open(v, &err);
	check_why(g, err.msg);
	t = lh_tokenizer_new(g, &err);
	return t;
}

/* Begin a vocabulary of that kind, without tokens or with some. */
static struct vocabulary begun(const char *model, size_t n, const char *const *token)
{
	struct vocabulary v = vocabulary_begin();

	key_str(&v, T "model", model);
	if (token)
		key_strs(&v, T "tokens", n, token);
	return v;
}

/* Use what was made. */
static void use(struct vocabulary v)
{
	check_why(made(&v), err.msg);
}

static void wordpiece_ids(struct vocabulary *v)
{
	key_u32(v, T "bos_token_id", CLS);
	key_u32(v, T "unknown_token_id", UNK);
	key_u32(v, T "seperator_token_id", SEP);
}

static struct vocabulary wordpiece(void)
{
	struct vocabulary v = begun("bert", COUNT(words), words);

	wordpiece_ids(&v);
	return v;
}

static void put_types(struct vocabulary *v, size_t n, const int32_t *type)
{
	key_array(v, T "token_type", OF_I32, n);
	put(v, type, n * sizeof *type);
}

static void put_scores(struct vocabulary *v, size_t n, const float *score)
{
	key_array(v, T "scores", OF_F32, n);
	put(v, score, n * sizeof *score);
}

static const int32_t unigram_types[] = { 3, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

static struct vocabulary unigram_without(void)
{
	struct vocabulary v = begun("t5", COUNT(pieces), pieces);

	put_types(&v, COUNT(pieces), unigram_types);
	put_scores(&v, COUNT(pieces), scores);
	return v;
}

static struct vocabulary unigram(bool merge)
{
	struct vocabulary v = unigram_without();

	key_u32(&v, T "bos_token_id", S);
	key_u32(&v, T "eos_token_id", E);
	key_u32(&v, T "unknown_token_id", U);
	key_bool(&v, T "add_bos_token", true);
	key_bool(&v, T "add_space_prefix", true);
	key_bool(&v, T "remove_extra_whitespaces", merge);
	return v;
}

/* ---- results ---- */

/* Check the tokens of n bytes; the list ends with -1. */
static void gives_bytes(const char *text, size_t n, ...)
{
	va_list list;
	size_t i = 0;

	check_why(lh_tokenizer_run(t, (struct lh_str){ text, n }, &tokens, &err) == 0, err.msg);
	va_start(list, n);
	for (int id; (id = va_arg(list, int)) >= 0; i++) {
		if (i < tokens.n && tokens.id[i] != (uint32_t)id)
			fprintf(stderr, "\"%s\": token %zu is %u, not %d\n", text, i,
				tokens.id[i], id);
		check_why(i < tokens.n && tokens.id[i] == (uint32_t)id, text);
	}
	va_end(list);
	check_why(i == tokens.n, text);
}

#define gives(text, ...) gives_bytes(text, sizeof text - 1, __VA_ARGS__, -1)

static void refused(struct vocabulary *v, const char *why)
{
	if (made(v)) {
		fprintf(stderr, "taken: %s\n", why);
		check(false);
	}
	if (!strstr(err.msg, why))
		fprintf(stderr, "\"%s\" is not in \"%s\"\n", why, err.msg);
	check(err.code == LH_ECORRUPT && strstr(err.msg, why));
	check(strncmp(err.msg, "/proc/self/fd/", 14) == 0 && !strchr(err.msg, '\n'));
}

/* ---- WordPiece ---- */

static void wordpiece_divides_words(void)
{
	use(wordpiece());
	check(lh_tokenizer_size(t) == COUNT(words));
	check(lh_str_is(lh_tokenizer_text(t, LLO), "llo", 3));
	gives("hello world", CLS, HE, LLO, WO, OR, LD, SEP);
	gives("  HELLO\t\n!world\xc2\xa0", CLS, HE, LLO, BANG, WO, OR, LD, SEP);
	gives("he\xcc\x81llo h\xc3\xa9llo", CLS, HE, LLO, HE, LLO, SEP);
	gives("helo hell", CLS, UNK, HE, LL, SEP);
	gives("ab abc", CLS, A, B, UNK, SEP);		/* "abc" only continues a word */
	gives("!\xe4\xb8\x96!", CLS, BANG, WORLD, BANG, SEP);
	gives("hello\xe2\x80\x8bhello \x01 \xee\x80\x80", CLS, UNK, SEP);
	gives("he\0llo", CLS, HE, LLO, SEP);
	gives("", CLS, SEP);
	gives(" \xcc\x81\xef\xbf\xbd ", CLS, SEP);
}

static void special_tokens_in_a_text_are_plain(void)
{
	use(wordpiece());
	gives("[CLS] [SEP]", CLS, OPEN, CLS_WORD, SHUT, OPEN, UNK, SHUT, SEP);
}

static void a_syllable_becomes_its_first_letter(void)
{
	static const char *const row[] = { SPECIAL, W "\xe1\x84\x80", "\xe1\x84\x92" };
	struct vocabulary v = begun("bert", 6, row);

	wordpiece_ids(&v);
	use(v);
	gives("\xea\xb0\x80\xed\x9e\xa3", CLS, 4, 5, SEP);	/* U+AC00 U+D7A3 */
}

static void a_word_start_may_be_a_token(void)
{
	static const char *const row[] = { SPECIAL, W, "a" };
	struct vocabulary v = begun("bert", 6, row);

	wordpiece_ids(&v);
	use(v);
	gives("a aa " W "b", CLS, 4, 5, 4, 5, 5, UNK, SEP);
	gives("a" W "a " W, CLS, 4, 5, 4, 5, 4, 4, SEP);
}

static void user_defined_tokens_divide_first(void)
{
	static const int32_t types[] = { 3, 2, 3, 3, 1, 1, 4, 4, 4 };
	static const char *const row[] = { SPECIAL, W "a", "b", "<x>", "<x><x>y", "A" };
	struct vocabulary v = begun("bert", 9, row);

	put_types(&v, 9, types);
	wordpiece_ids(&v);
	use(v);
	gives("ab<x>ab", CLS, 4, 5, 6, 4, 5, SEP);
	gives("<x><x><x>ya<x><x>y", CLS, 6, 7, 4, 7, SEP);	/* the longest first */
	gives("aAb <X>", CLS, 4, 8, UNK, UNK, UNK, UNK, SEP);
}

static void texts_are_cut_before_the_last_token(void)
{
	use(wordpiece());
	check(lh_tokenizer_run(t, lh_str_of("hello world"), &tokens, &err) == 0);
	lh_tokenizer_truncate(t, &tokens, 7);
	check(tokens.n == 7);
	lh_tokenizer_truncate(t, &tokens, 4);
	check(tokens.n == 4 && tokens.id[0] == CLS && tokens.id[2] == LLO && tokens.id[3] == SEP);
	lh_tokenizer_truncate(t, &tokens, 1);
	check(tokens.n == 1 && tokens.id[0] == SEP);
	lh_tokenizer_truncate(t, &tokens, 0);
	check(tokens.n == 0);
}

static void long_texts(void)
{
	size_t n = check_is_small() ? 1 << 20 : 10 << 20;
	char *text = malloc(n);
	struct vocabulary v = wordpiece();

	check(text);
	use(v);
	memset(text, 'b', n);
	text[0] = 'a';
	check(lh_tokenizer_run(t, (struct lh_str){ text, n }, &tokens, &err) == 0);
	check(tokens.n == n + 2 && tokens.id[1] == A && tokens.id[n] == B);
	text[n - 1] = 'x';
	gives_bytes(text, n, CLS, UNK, SEP, -1);
	for (size_t i = 1; i < n; i += 2)
		text[i - 1] = 'a', text[i] = ' ';
	check(lh_tokenizer_run(t, (struct lh_str){ text, n }, &tokens, &err) == 0);
	check(tokens.n == n / 2 + 2 && tokens.id[n / 2] == A);
	use(unigram(true));
	check(lh_tokenizer_run(t, (struct lh_str){ text, n }, &tokens, &err) == 0);
	check(tokens.n == n + 2 && tokens.id[n - 1] == SPACE && tokens.id[n] == U_A);
	memset(text, 'c', n);
	check(lh_tokenizer_run(t, (struct lh_str){ text, n }, &tokens, &err) == 0);
	check(tokens.n == n + 3 && tokens.id[n + 1] == U_C);
	free(text);
}

/* ---- Unigram ---- */

static void unigram_takes_the_best_division(void)
{
	use(unigram(true));
	gives("hello", S, U_HE, U_LLO, E);
	gives("  hello   a ", S, U_HE, U_LLO, SPACE, U_A, E);
	gives("abc", S, SPACE, U_A, U_BC, E);		/* -3.5 against -7 and -7.5 */
	gives("aab", S, SPACE, U_A, U_AB, E);
	gives("", S, E);
	gives("  ", S, E);
	gives("hello\nhe", S, U_HE, U_LLO, U, E);	/* unknown ones are one: \n h e */
	gives("\xe4\xb8\x96\xe7\x95\x8c" "a\xe4\xb8\x96", S, SPACE, U, U_A, U, E);
	gives("<s></s>", S, SPACE, U, E);
	gives(W "a", S, SPACE, SPACE, U_A, E);
}

static void of_equal_divisions_the_first_found_is_taken(void)
{
	static const char *const row[] = { "<s>", "</s>", "<unk>", "a", "aa", "ab", "b" };
	struct vocabulary v = begun("t5", 7, row);

	put_types(&v, 7, (const int32_t[]){ 3, 3, 2, 1, 1, 1, 1 });
	put_scores(&v, 7, (const float[]){ 0, 0, 0, -1, -2, -2, -1 });
	use(v);		/* eos 1, unknown 2: the defaults */
	gives("aab", 3, 5, 1);
	gives("aa", 4, 1);
}

static void spaces_may_count(void)
{
	struct vocabulary v = unigram_without();

	use(unigram(false));
	gives(" a  b ", S, SPACE, SPACE, U_A, SPACE, SPACE, U_B, SPACE, E);
	key_u32(&v, T "unknown_token_id", U);
	key_u32(&v, T "eos_token_id", E);
	key_bool(&v, T "add_eos_token", false);
	use(v);
	gives("he a", U, SPACE, U_A);
	check(lh_tokenizer_run(t, lh_str_of("a"), &tokens, &err) == 0);
	lh_tokenizer_truncate(t, &tokens, 0);
	check(tokens.n == 0);
}

/* ---- the charsmap ---- */

/* Units: the root at 0 leads to 'X' at 0x158 and 'Y' at 0x159; X is "ab", XX is "", Y is " ". */
#define OFFSET(at, to) (((at) ^ (to)) << 10)
#define TEXT 0x100u

static void put_map(struct vocabulary *v, const uint32_t *unit, size_t units, const char *texts,
		    size_t n)
{
	key_array(v, T "precompiled_charsmap", OF_U8, 4 + 4 * units + n);
	put_u32(v, (uint32_t)(4 * units));
	put(v, unit, 4 * units);
	put(v, texts, n);
}

static uint32_t unit[1024];

static void make_units(void)
{
	memset(unit, 0, sizeof unit);
	unit[0] = OFFSET(0, 0x100) >> 8 | 0x200;	/* shifted */
	unit[0x158] = OFFSET(0x158, 0x200) | TEXT | 'X';
	unit[0x200] = 0x80000000;
	unit[0x258] = OFFSET(0x258, 0x300) | TEXT | 'X';
	unit[0x300] = 0x80000003;
	unit[0x159] = OFFSET(0x159, 0x301) | TEXT | 'Y';
	unit[0x301] = 0x80000004;
}

static const char map_texts[] = "ab\0\0 ";

static void map_replaces_the_longest_beginning(void)
{
	struct vocabulary v = unigram(true);

	make_units();
	put_map(&v, unit, COUNT(unit), map_texts, sizeof map_texts);
	use(v);
	gives("X", S, SPACE, U_AB, E);
	gives("XX", S, E);
	gives("XXXYYheY", S, SPACE, U_AB, U_HE, E);
}

/* Check that a map is refused, at once or by the text "XYcX". */
static void map_is_wrong(size_t units, const char *texts, size_t n, const char *why)
{
	struct vocabulary v = unigram(true);

	put_map(&v, unit, units, texts, n);
	if (!made(&v)) {
		check_why(strstr(err.msg, why), err.msg);
		return;
	}
	check(lh_tokenizer_run(t, lh_str_of("XYcX"), &tokens, &err) < 0);
	check_why(err.code == LH_ECORRUPT && strstr(err.msg, why), err.msg);
}

static void hostile_maps_are_errors(void)
{
	char repeated[600];
	struct vocabulary v;

	make_units();
	map_is_wrong(1024, map_texts, 0, "too few for its array");
	map_is_wrong(1024, map_texts, 5, "does not end with NUL");
	map_is_wrong(0x158, map_texts, sizeof map_texts, "beyond its end");
	map_is_wrong(0x200, map_texts, sizeof map_texts, "beyond its end");
	unit[0x200] = 0xffffffff;
	map_is_wrong(1024, map_texts, sizeof map_texts, "beyond its end");
	unit[0x200] = 0x80000000;
	unit[0] = 0xffffffff;
	map_is_wrong(1024, map_texts, sizeof map_texts, "beyond its end");
	make_units();
	memset(repeated, 'a', sizeof repeated);
	repeated[sizeof repeated - 1] = '\0';
	map_is_wrong(1024, repeated, sizeof repeated, "more than 256 bytes");
	unit[0x158] = OFFSET(0x158, 0x100) | 'X';	/* a circle */
	v = unigram(true);
	put_map(&v, unit, COUNT(unit), map_texts, sizeof map_texts);
	use(v);
	memset(repeated, 'X', sizeof repeated);
	check(lh_tokenizer_run(t, (struct lh_str){ repeated, sizeof repeated }, &tokens, &err) < 0);
	check_why(strstr(err.msg, "more than 256 bytes"), err.msg);
	v = unigram(true);
	key_array(&v, T "precompiled_charsmap", OF_U8, 3);
	put(&v, "\0\0", 3);
	refused(&v, "too few for its array");
}

/* ---- BPE ---- */

#define G "\xc4\xa0"			/* a space */

static const char *const parts[] = {
	"<s>", "</s>", "a", "b", "c", "ab", "bc", "abc", G, G "a", "<x>", "aa", "1", "!", "'", "s",
	"\xc4\x8a", "\xc3\xa9", "whole", G "whole",
};
enum { B_S, B_E, B_A, B_B, B_C, B_AB, B_BC, B_ABC, B_G, B_GA, B_X, B_AA, B_1, B_BANG, B_QUOTE,
       B_LETTER, B_LF, B_NO_BYTE, B_WHOLE, B_G_WHOLE };
static const int32_t part_types[] = { 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

static struct vocabulary bpe(const char *pre, size_t n, const char *const *merges)
{
	struct vocabulary v = begun("gpt2", COUNT(parts), parts);

	if (pre)
		key_str(&v, T "pre", pre);
	put_types(&v, COUNT(parts), part_types);
	key_strs(&v, T "merges", n, merges);
	key_u32(&v, T "bos_token_id", B_S);
	key_u32(&v, T "eos_token_id", B_E);
	return v;
}

static void bpe_merges_by_rank(void)
{
	static const char *const merges[] = { "b c", "a b", "a bc", "a a", "a b", G " a", "x y" };

	use(bpe("modern-bert", COUNT(merges), merges));
	gives("abc", B_ABC);
	gives("aaa", B_AA, B_A);		/* the leftmost of equal ones */
	gives("ab aab", B_AB, B_GA, B_AB);
	gives("a  a", B_A, B_G, B_GA);		/* the last space is of the next word */
	gives("a  ", B_A, B_G, B_G);
	gives("a's", B_A, B_QUOTE, B_LETTER);
	gives("<x>a<s>", B_X, B_A, B_LETTER);	/* "<" and ">" are no tokens */
	gives("", -1);
	gives("\xc3\xa9x", -1);			/* neither are these bytes */
}

static void merges_that_make_no_token_or_no_pair(void)
{
	static const char *const merges[] = {
		"", "a", "ab", "a ", " a", "a  b", "c a", "ca b", "\xc4 \xa0", "a b", "a b",
		"no where", "abc abc", G " " G,
	};

	use(bpe("modern-bert", COUNT(merges), merges));
	gives("cab", B_C, B_A, B_B);		/* "cab" is no token: its characters are */
	gives("ab", B_AB);
	gives("a   b", B_A, B_G, B_B);		/* a merged piece of two spaces is left out */
	use(bpe("modern-bert", 0, NULL));
	gives("ab", B_A, B_B);
}

static void words_are_those_of_the_pre_tokenizer(void)
{
	static const char *const merges[] = { "a a", "\xc4\x8a a" };
	struct vocabulary v = bpe(NULL, COUNT(merges), merges);

	use(bpe("llama-bpe", COUNT(merges), merges));
	gives("whole whole", B_S, B_WHOLE, B_G_WHOLE);	/* which no merge makes */
	gives("\n\na a\n", B_S, B_LF, B_LF, B_A, B_GA, B_LF);
	use(bpe("qwen2", COUNT(merges), merges));
	gives("a 'S", B_A, B_G, B_QUOTE);
	gives("1111", B_1, B_1, B_1, B_1);
	key_bool(&v, T "add_bos_token", true);
	key_bool(&v, T "add_eos_token", true);
	use(v);
	gives("a 1!a", B_S, B_A, B_G, B_1, B_BANG, B_A, B_E);
}

static void wrong_bpe(void)
{
	static char large[1100];
	static const char *merges[] = { "a b", large };
	struct vocabulary v = bpe("gpt-7", 1, merges);

	refused(&v, ": the pre-tokenizer \"gpt-7\" is not known");
	memset(large, 'a', sizeof large - 1);
	large[500] = ' ';
	v = bpe("qwen2", 2, merges);
	refused(&v, ": merge 1 has more than 1025 bytes");
	v = begun("gpt2", COUNT(parts), parts);
	refused(&v, "no key \"" T "merges\"");
	v = begun("gpt2", 0, NULL);
	key_str(&v, T "pre", "llama-bpe");
	key_strs(&v, T "tokens", 3, parts);
	key_strs(&v, T "merges", 0, NULL);
	refused(&v, "no key \"" T "bos_token_id\"");	/* its default, 11, is no token here */
}

/* ---- SentencePiece BPE ---- */

static const char *const spm_pieces[] = {
	"<unk>", "<s>", "</s>", "a", "b", "ab", "ba", W, W "a", "<x>", "<0x63>", "aa", "d",
};
static const float spm_scores[] = { 0, 0, 0, -9, -9, -2, -1, -9, -3, 0, 0, -4, -9 };
static const int32_t spm_types[] = { 2, 3, 3, 1, 1, 1, 1, 1, 1, 4, 6, 1, 1 };

static struct vocabulary spm(void)
{
	struct vocabulary v = begun("llama", COUNT(spm_pieces), spm_pieces);

	put_types(&v, COUNT(spm_pieces), spm_types);
	return v;
}

static void spm_merges_by_score(void)
{
	struct vocabulary v = spm();

	put_scores(&v, COUNT(spm_pieces), spm_scores);
	use(v);
	gives("aba", 1, 8, 6);			/* "ba" before "ab" */
	gives("ab ab", 1, 7, 5, 7, 5);
	gives("", 1);
	gives("c\xc3\xa9", 1, 7, 10, 0, 0);	/* a byte that has no token is unknown */
	gives("b<x>a", 1, 7, 4, 9, 8);		/* a space is before each part */
	gives("d", 1, 7, 12);
	v = spm();
	put_scores(&v, COUNT(spm_pieces), spm_scores);
	key_bool(&v, T "add_space_prefix", false);
	key_bool(&v, T "add_eos_token", true);
	use(v);
	gives("aaab", 1, 11, 5, 2);
	gives("\x01", 1, 0, 2);
}

static void wrong_spm(void)
{
	float changed[COUNT(spm_scores)];
	struct vocabulary v = spm();

	refused(&v, "no key \"" T "scores\"");
	memcpy(changed, spm_scores, sizeof changed);
	changed[3] = -__builtin_inff();
	v = spm();
	put_scores(&v, COUNT(changed), changed);
	refused(&v, "the score of token 3 is not finite");
}

/* ---- vocabularies that are not consistent ---- */

static void wrong_tokens(void)
{
	static const char *const row[] = { SPECIAL, NULL };
	static const struct {
		const char *token, *why;
	} wrong[] = {
		{ "", ": token 4 is empty" }, { "[UNK]", ": tokens 1 and 4 are both \"[UNK]\"" },
		{ "\xe2\x96", ": token 4 is not UTF-8" },
		{ NULL, ": token 4 has more than 512 bytes" },
	};
	char large[600];
	const char *now[5];
	struct vocabulary v;

	memset(large, 'a', sizeof large);
	large[sizeof large - 1] = '\0';
	for (size_t i = 0; i < COUNT(wrong); i++) {
		memcpy(now, row, sizeof row);
		now[4] = wrong[i].token ? wrong[i].token : large;
		v = vocabulary_begin();
		key_str(&v, T "model", "bert");
		key_strs(&v, T "tokens", 5, now);
		wordpiece_ids(&v);
		refused(&v, wrong[i].why);
	}
}

static void wrong_keys(void)
{
	static const char *const ids[] = {
		"bos_token_id", "eos_token_id", "unknown_token_id", "seperator_token_id",
		"padding_token_id", "cls_token_id", "mask_token_id",
	};
	struct vocabulary v = vocabulary_begin();

	refused(&v, "no key \"" T "model\"");
	v = begun("rwkv", 0, NULL);
	refused(&v, "the tokenizer is \"rwkv\", not \"bert\", \"t5\", \"gpt2\" or \"llama\"");
	v = begun("bert", 0, NULL);
	refused(&v, "no key \"" T "tokens\"");
	for (size_t i = 0; i < COUNT(ids); i++) {
		char name[64];

		v = vocabulary_begin();
		key_str(&v, T "model", "bert");
		key_strs(&v, T "tokens", COUNT(words), words);
		for (size_t k = 0; k < COUNT(ids); k++) {
			snprintf(name, sizeof name, T "%s", ids[k]);
			key_u32(&v, name, k == i ? (uint32_t)COUNT(words) : CLS);
		}
		snprintf(name, sizeof name, "\"" T "%s\" is 19, not from 0 to 18", ids[i]);
		refused(&v, name);
	}
}

static void wrong_wordpiece(void)
{
	static const int32_t types[COUNT(words) + 1];
	struct vocabulary v = begun("bert", 0, NULL);

	key_strs(&v, T "tokens", 0, NULL);
	refused(&v, "no tokens");
	v = begun("bert", COUNT(words), words);
	refused(&v, "no key \"" T "bos_token_id\"");	/* its default, 101, is no token here */
	v = wordpiece();
	put_types(&v, COUNT(types), types);
	refused(&v, "\"" T "token_type\" has 20 values for 19 tokens");
	v = wordpiece();
	key_array(&v, T "token_type", OF_F32, 0);
	refused(&v, "\"" T "token_type\" is not an array of type i32");
	v = wordpiece();
	key_bool(&v, T "normalizer.lowercase", false);
	refused(&v, "upper case or accents is not supported");
	v = wordpiece();
	key_bool(&v, T "normalizer.strip_accents", false);
	refused(&v, "upper case or accents is not supported");
}

static void wrong_unigram(void)
{
	float changed[COUNT(pieces)];
	struct vocabulary v = unigram_without();

	key_bool(&v, T "add_bos_token", true);
	refused(&v, "no key \"" T "bos_token_id\"");
	v = begun("t5", COUNT(pieces), pieces);
	refused(&v, "no key \"" T "scores\"");
	v = begun("t5", COUNT(pieces), pieces);
	put_scores(&v, COUNT(pieces) - 1, scores);
	refused(&v, "\"" T "scores\" has 13 values for 14 tokens");
	memcpy(changed, scores, sizeof changed);
	changed[7] = __builtin_nanf("");
	v = begun("t5", COUNT(pieces), pieces);
	put_scores(&v, COUNT(pieces), changed);
	refused(&v, "the score of token 7 is not finite");
	v = begun("t5", 3, pieces);
	put_types(&v, 3, unigram_types);
	put_scores(&v, 3, scores);
	refused(&v, "no token is of the normal type");
}

static void too_many_user_defined_tokens(void)
{
	static char name[300][16];
	static const char *token[300];
	static int32_t type[300];
	struct vocabulary v = vocabulary_begin();

	for (int i = 0; i < 300; i++) {
		snprintf(name[i], sizeof name[i], "u%d", i);
		token[i] = name[i];
		type[i] = 4;
	}
	key_str(&v, T "model", "bert");
	key_strs(&v, T "tokens", 300, token);
	put_types(&v, 300, type);
	refused(&v, "more than 256 user-defined tokens");
}

/* The version of llama.cpp's tables; another one would give texts other tokens. */
static void code_points_are_those_of_unicode_15(void)
{
	check(!strcmp(utf8proc_unicode_version(), "15.0.0"));
}

int main(void)
{
	test(code_points_are_those_of_unicode_15());
	test(wordpiece_divides_words());
	test(special_tokens_in_a_text_are_plain());
	test(a_syllable_becomes_its_first_letter());
	test(a_word_start_may_be_a_token());
	test(user_defined_tokens_divide_first());
	test(texts_are_cut_before_the_last_token());
	test(long_texts());
	test(unigram_takes_the_best_division());
	test(of_equal_divisions_the_first_found_is_taken());
	test(spaces_may_count());
	test(bpe_merges_by_rank());
	test(merges_that_make_no_token_or_no_pair());
	test(words_are_those_of_the_pre_tokenizer());
	test(wrong_bpe());
	test(spm_merges_by_score());
	test(wrong_spm());
	test(map_replaces_the_longest_beginning());
	test(hostile_maps_are_errors());
	test(wrong_tokens());
	test(wrong_keys());
	test(wrong_wordpiece());
	test(wrong_unigram());
	test(too_many_user_defined_tokens());
	lh_token_list_free(&tokens);
	close_model();
	return 0;
}
