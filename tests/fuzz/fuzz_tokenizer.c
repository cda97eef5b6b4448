/*
 * fuzz_tokenizer - texts and vocabularies.  By the first byte: 'w', 'u', 's' or '0' to '3', the
 * rest is a text for a vocabulary of WordPiece, Unigram (with a charsmap), SentencePiece BPE or
 * BPE with a pre-tokenizer, whose tokens must be in it and, of WordPiece, must not depend on words
 * before; 'm', a charsmap of its own; otherwise a vocabulary, its tokens divided by LF, each after
 * its type and score; they are also its merges.
 */
#include "fuzz.h"

#include "../unit/vocabulary.h"
#include "transformer/tokenizer.h"

#define T "tokenizer.ggml."
#define W "\xe2\x96\x81"

static struct lh_err err;

struct model {
	struct lh_gguf *g;
	struct lh_tokenizer *t;
};

static const char *const words[] = {
	"[PAD]", "[UNK]", "[CLS]", "[SEP]", W "a", W "b", W "ab", "a", "b", "c", "abc", "bca", W "!",
	W "\xe4\xb8\x96", "\xce\xb1", W, "<x>", "<x>y", "0", "1", "a" W "b",
};
#define WORDS (sizeof words / sizeof *words)

/* A map of 'X' to "ab" and 'Y' to " ". */
static void put_map(struct vocabulary *v)
{
	static uint32_t unit[512] = {
		[0] = 0x100 << 10, [0x158] = (0x158 ^ 0x180) << 10 | 0x100 | 'X',
		[0x180] = 0x80000000, [0x159] = (0x159 ^ 0x181) << 10 | 0x100 | 'Y',
		[0x181] = 0x80000003,
	};

	key_array(v, T "precompiled_charsmap", OF_U8, 4 + sizeof unit + 6);
	put_u32(v, sizeof unit);
	put(v, unit, sizeof unit);
	put(v, "ab\0 \0", 6);
}

static void put_words(struct vocabulary *v, const char *kind)
{
	key_str(v, T "model", kind);
	key_strs(v, T "tokens", WORDS, words);
	key_array(v, T "token_type", OF_I32, WORDS);
	for (uint32_t i = 0; i < WORDS; i++)
		put_u32(v, i < 4 ? 3 : words[i][0] == '<' ? 4 : 1);
	key_array(v, T "scores", OF_F32, WORDS);
	for (uint32_t i = 0; i < WORDS; i++)
		put(v, &(float){ -1 - (float)(i * 5 % 7) }, 4);
	key_u32(v, T "bos_token_id", 2);
	key_u32(v, T "eos_token_id", 3);
	key_u32(v, T "seperator_token_id", 3);
	key_u32(v, T "unknown_token_id", 1);
}

static struct model opened(struct vocabulary *v)
{
	struct model m = { .g = vocabulary_open(v, &err) };

	m.t = m.g ? lh_tokenizer_new(m.g, &err) : NULL;
	never(!m.t && !*err.msg);
	return m;
}

static void close_model(struct model *m)
{
	lh_tokenizer_free(m->t);
	lh_gguf_close(m->g);
}

/* Tokenize: each token is one of the vocabulary. */
static int run(const struct model *m, struct lh_str text, struct lh_token_list *to)
{
	if (lh_tokenizer_run(m->t, text, to, &err) < 0) {
		never(err.code != LH_ECORRUPT);
		return -1;
	}
	never(to->n > 3 * text.n + 3);
	for (size_t i = 0; i < to->n; i++)
		never(to->id[i] >= lh_tokenizer_size(m->t));
	return 0;
}

static const char *const pre[] = { "", "modern-bert", "llama-bpe", "qwen2" };
#define PRES (sizeof pre / sizeof *pre)

static void put_bpe(struct vocabulary *v, const char *name)
{
	static const char *const merges[] = {
		"b c", "a b", "a bc", "bc a", "a a", "aa aa", "0 1", "\xc4\xa0 a", "x", "", " ",
		"z y z",
	};

	put_words(v, "gpt2");
	key_str(v, T "pre", name);
	key_strs(v, T "merges", sizeof merges / sizeof *merges, merges);
	key_bool(v, T "add_eos_token", true);
}

/* The tokens of a text with " a" after it are those of the text and one more. */
static void known_model(const struct model *m, struct lh_str text, bool wordpiece)
{
	struct lh_token_list one = { 0 }, two = { 0 };
	char *longer = malloc(text.n + 2);

	must(longer);
	memcpy(longer, text.p, text.n);
	memcpy(longer + text.n, " a", 2);
	never(run(m, text, &one) < 0 || run(m, (struct lh_str){ longer, text.n + 2 }, &two) < 0);
	never(wordpiece && (two.n != one.n + 1 || two.id[two.n - 2] != 4 ||
			    memcmp(one.id, two.id, (one.n - 1) * sizeof *one.id) != 0));
	lh_tokenizer_truncate(m->t, &two, two.n / 2);
	never(two.n && two.id[two.n - 1] != 3);
	lh_token_list_free(&one);
	lh_token_list_free(&two);
	free(longer);
}

static void any_model(struct vocabulary *v, struct lh_str text)
{
	struct lh_token_list tokens = { 0 };
	struct model m = opened(v);

	if (m.t)
		run(&m, text, &tokens);
	lh_token_list_free(&tokens);
	close_model(&m);
}

static void own_map(struct lh_str data)
{
	struct vocabulary v = vocabulary_begin();

	put_words(&v, "t5");
	key_array(&v, T "precompiled_charsmap", OF_U8, data.n + 4);
	put_u32(&v, (uint32_t)(data.n / 2));
	put(&v, data.p, data.n);
	any_model(&v, lh_str_of("aXbY\xce\xb1 c \xe4\xb8\x96X"));
}

/* Lines: type, score, the token. */
static void own_vocabulary(struct lh_str data, const char *kind)
{
	struct vocabulary v = vocabulary_begin();
	struct lh_str line[64];
	size_t n = 0;

	for (const char *p = data.p, *end = p + data.n, *lf; p < end && n < 64; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		lf = lf ? lf : end;
		if (lf - p > 2)
			line[n++] = (struct lh_str){ p, (size_t)(lf - p) };
	}
	key_str(&v, T "model", kind);
	key_array(&v, T "tokens", OF_STR, n);
	for (size_t i = 0; i < n; i++)
		put_str(&v, (struct lh_str){ line[i].p + 2, line[i].n - 2 });
	key_array(&v, T "token_type", OF_I32, n);
	for (size_t i = 0; i < n; i++)
		put_u32(&v, (uint32_t)line[i].p[0] & 7);
	key_array(&v, T "scores", OF_F32, n);
	for (size_t i = 0; i < n; i++)
		put(&v, &(float){ (float)line[i].p[1] }, 4);
	key_str(&v, T "pre", pre[data.n / 2 % PRES]);
	key_array(&v, T "merges", OF_STR, n);
	for (size_t i = 0; i < n; i++)
		put_str(&v, (struct lh_str){ line[i].p + 2, line[i].n - 2 });
	key_u32(&v, T "bos_token_id", 0);
	key_u32(&v, T "seperator_token_id", 1);
	key_u32(&v, T "unknown_token_id", 2);
	key_bool(&v, T "remove_extra_whitespaces", data.n & 1);
	any_model(&v, lh_utf8_valid(data.p, data.n) ? data : lh_str_of(W "a ab"));
}

static struct model wordpiece, unigram, spm, bpe[PRES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct vocabulary w = vocabulary_begin(), u = vocabulary_begin(), s = vocabulary_begin();

	(void)argc;
	(void)argv;
	put_words(&w, "bert");
	put_words(&u, "t5");
	put_map(&u);
	put_words(&s, "llama");
	key_bool(&s, T "add_eos_token", true);
	wordpiece = opened(&w);
	unigram = opened(&u);
	spm = opened(&s);
	for (size_t i = 0; i < PRES; i++) {
		struct vocabulary b = vocabulary_begin();

		put_bpe(&b, pre[i]);
		bpe[i] = opened(&b);
		if (!bpe[i].t)
			return 1;
	}
	return !wordpiece.t || !unigram.t || !spm.t;
}

/* Return the model that the first byte names, or NULL. */
static const struct model *model_of(uint8_t c)
{
	return c == 'w' ? &wordpiece : c == 'u' ? &unigram : c == 's' ? &spm :
	       c >= '0' && c < '0' + PRES ? &bpe[c - '0'] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const kinds[] = { "t5", "bert", "gpt2", "llama" };
	struct lh_str rest = { (const char *)data + 1, n - 1 };
	const struct model *m;

	*err.msg = '\0';
	if (!n)
		return 0;
	if (*data == 'm')
		own_map(rest);
	else if (!(m = model_of(*data)))
		own_vocabulary(rest, kinds[*data & 3]);
	else if (lh_utf8_valid(rest.p, rest.n))
		known_model(m, rest, m == &wordpiece);
	return 0;
}
