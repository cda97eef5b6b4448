/* folder_words.c - the vocabulary of a folder, as the keys of a GGUF file.  See folder.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "folder_parts.h"
#include "tokenizer_parts.h"

enum { NORMAL = 1, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5 };		/* types of tokens */

struct vocabulary {
	struct {
		struct lh_str text;	/* p NULL: there is none of this number */
		float score;		/* of Unigram */
		int32_t type;
	} *token;
	size_t n, cap;
	struct lh_buf scratch;		/* of unescaped texts */
	struct lh_buf map;		/* of Unigram: the charsmap */
	bool unigram, lower, strip, chinese;
	uint64_t unknown;
};

static void vocabulary_free(struct vocabulary *v)
{
	free(v->token);
	lh_buf_free(&v->scratch);
	lh_buf_free(&v->map);
}

static int set_token(struct lh_folder_reader *r, struct vocabulary *v, uint64_t id,
		     struct lh_str text, float score, int32_t type)
{
	size_t before = v->n;

	if (id >= LH_FOLDER_TOKENS_MAX)
		return lh_folder_wrong(r, "a token with a number of 2^24 or more");
	if (id >= v->n) {
		lh_grow(&v->token, &v->cap, id + 1, sizeof *v->token);
		v->n = id + 1;
		memset(v->token + before, 0, (v->n - before) * sizeof *v->token);
	}
	v->token[id].text = text;
	v->token[id].score = score;
	v->token[id].type = type;
	return 0;
}

static int read_pieces(struct lh_folder_reader *r, struct vocabulary *v, const struct lh_value *of)
{
	struct lh_iter it, pair;
	struct lh_str s;
	int64_t id = 0;

	for (lh_iter_init(&it, of); lh_iter_next(&it); id += v->unigram) {
		float score = 0;

		if (!v->unigram) {
			if (it.val.type != LH_NUMBER || !lh_value_i64(&it.val, &id) || id < 0)
				return lh_folder_wrong(r, "a token without a number");
			lh_value_str(&it.key, &v->scratch, &s);
		} else {
			lh_iter_init(&pair, &it.val);
			if (it.val.type != LH_ARRAY || !lh_iter_next(&pair) ||
			    pair.val.type != LH_STRING)
				return lh_folder_wrong(r, "a token without a text");
			lh_value_str(&pair.val, &v->scratch, &s);
			if (!lh_iter_next(&pair) || pair.val.type != LH_NUMBER)
				return lh_folder_wrong(r, "a token without a score");
			score = (float)lh_value_f64(&pair.val);
		}
		if (set_token(r, v, (uint64_t)id, s, score, NORMAL) < 0)
			return -1;
	}
	return 0;
}

/* Read the tokens that are cut out of a text before it is divided. */
static int read_added(struct lh_folder_reader *r, struct vocabulary *v)
{
	struct lh_value all, content, id;
	struct lh_iter it;
	struct lh_str s;
	int64_t n;

	if (!lh_folder_member(&r->v, "added_tokens", LH_ARRAY, &all))
		return 0;
	for (lh_iter_init(&it, &all); lh_iter_next(&it); ) {
		if (!lh_folder_member(&it.val, "content", LH_STRING, &content) ||
		    !lh_folder_member(&it.val, "id", LH_NUMBER, &id) ||
		    !lh_value_i64(&id, &n) || n < 0)
			return lh_folder_wrong(r, "an added token without content or id");
		lh_value_str(&content, &v->scratch, &s);
		if (set_token(r, v, (uint64_t)n, s, 0,
			      lh_folder_true(&it.val, "special", false) ? CONTROL
									 : USER_DEFINED) < 0)
			return -1;
	}
	return 0;
}

static int read_normalizer(struct lh_folder_reader *r, struct vocabulary *v)
{
	struct lh_value of, charsmap, parts;
	struct lh_str s;
	struct lh_iter it;
	long n;

	v->lower = v->strip = v->chinese = false;
	if (!lh_folder_member(&r->v, "normalizer", LH_OBJECT, &of))
		return v->unigram ? 0 : lh_folder_wrong(r, "WordPiece without BertNormalizer");
	if (!v->unigram) {
		v->lower = lh_folder_true(&of, "lowercase", true);
		v->strip = lh_folder_true(&of, "strip_accents", v->lower);
		v->chinese = lh_folder_true(&of, "handle_chinese_chars", true);
		r->v = of;
		return lh_folder_check(r, "type", "BertNormalizer");
	}
	if (lh_folder_member(&of, "normalizers", LH_ARRAY, &parts))
		for (lh_iter_init(&it, &parts); lh_iter_next(&it); )
			if (lh_folder_member(&it.val, "precompiled_charsmap", LH_STRING, &charsmap))
				of = it.val;
	if (!lh_folder_member(&of, "precompiled_charsmap", LH_STRING, &charsmap))
		return 0;
	lh_value_str(&charsmap, &v->scratch, &s);
	n = lh_base64_read(s.p, s.n, lh_buf_room(&v->map, s.n / 4 * 3 + 3));
	lh_buf_took(&v->map, n < 0 ? 0 : (size_t)n);
	return n < 0 ? lh_folder_wrong(r, "its precompiled_charsmap is not base64") : 0;
}

static int from_tokenizer(struct lh_folder_reader *r, struct vocabulary *v)
{
	struct lh_value model, pieces, unknown;
	struct lh_value top = r->v;
	int64_t id = 0;

	lh_buf_room(&v->scratch, r->text.len);	/* texts in it do not move */
	if (!lh_folder_member(&r->v, "model", LH_OBJECT, &model))
		return lh_folder_wrong(r, "no \"model\"");
	v->unigram = lh_folder_member(&model, "vocab", LH_ARRAY, &pieces);
	if (!v->unigram && !lh_folder_member(&model, "vocab", LH_OBJECT, &pieces))
		return lh_folder_wrong(r, "no \"vocab\" in \"model\"");
	r->v = model;
	if (lh_folder_check(r, "type", v->unigram ? "Unigram" : "WordPiece") < 0 ||
	    lh_folder_check(r, "continuing_subword_prefix", "##") < 0)
		return -1;
	r->v = top;
	if (read_pieces(r, v, &pieces) < 0)
		return -1;
	if (v->unigram && lh_folder_member(&model, "unk_id", LH_NUMBER, &unknown) &&
	    (!lh_value_i64(&unknown, &id) || id < 0 || (uint64_t)id >= v->n))
		return lh_folder_wrong(r, "a wrong unk_id");
	v->unknown = (uint64_t)id;
	return read_added(r, v) < 0 ? -1 : read_normalizer(r, v);
}

/* Read vocab.txt, a token a line. */
static int from_lines(struct lh_folder_reader *r, struct vocabulary *v)
{
	static const char *const special[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
	uint64_t id = 0;
	struct lh_str s;
	int rc;

	rc = lh_folder_text(r, "vocab.txt", LH_FOLDER_JSON_MAX);
	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_set(r->err, LH_EIO, "%s: a folder without "
						"tokenizer.json and vocab.txt", r->f->path);
	lh_buf_add(&v->scratch, r->text.p, r->text.len);
	for (size_t at = 0; at < v->scratch.len; at += s.n + 1, id++) {
		const char *p = v->scratch.p + at, *lf = memchr(p, '\n', v->scratch.len - at);
		int32_t type = NORMAL;

		s = (struct lh_str){ p, lf ? (size_t)(lf - p) : v->scratch.len - at };
		for (size_t i = 0; i < 5; i++)
			if (lh_str_is(s, special[i], strlen(special[i])))
				type = CONTROL;
		if (set_token(r, v, id, s, 0, type) < 0)
			return -1;
	}
	rc = lh_folder_json(r, "tokenizer_config.json");
	v->lower = rc <= 0 || lh_folder_true(&r->v, "do_lower_case", true);
	v->strip = rc <= 0 ? v->lower : lh_folder_true(&r->v, "strip_accents", v->lower);
	v->chinese = rc <= 0 || lh_folder_true(&r->v, "tokenize_chinese_chars", true);
	return rc < 0 ? -1 : 0;
}

/* Write the token as llama.cpp has it: U+2581 begins a word, nothing what continues one. */
static void put_token(struct lh_buf *b, const struct vocabulary *v, size_t i)
{
	struct lh_str s = v->token[i].text;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	bool word = !v->unigram && v->token[i].type == NORMAL;

	if (!s.p)
		lh_buf_printf(&text, "[PAD%zu]", i);
	else if (word && s.n > 2 && !memcmp(s.p, "##", 2))
		lh_buf_add(&text, s.p + 2, s.n - 2);
	else {
		if (word)
			lh_buf_puts(&text, "\xe2\x96\x81");
		lh_buf_add(&text, s.p, s.n);
	}
	lh_folder_put_str(b, (struct lh_str){ text.p, text.len });
}

static void put_special(struct lh_folder_reader *r, const struct vocabulary *v)
{
	static const struct {
		const char *key, *wordpiece, *unigram;
	} special[] = {
		{ "tokenizer.ggml.bos_token_id", NULL, "<s>" },
		{ "tokenizer.ggml.eos_token_id", NULL, "</s>" },
		{ "tokenizer.ggml.unknown_token_id", "[UNK]", "<unk>" },
		{ "tokenizer.ggml.seperator_token_id", "[SEP]", "</s>" },
		{ "tokenizer.ggml.padding_token_id", "[PAD]", "<pad>" },
		{ "tokenizer.ggml.cls_token_id", "[CLS]", "<s>" },
		{ "tokenizer.ggml.mask_token_id", "[MASK]", "<mask>" },
	};

	for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
		const char *text = v->unigram ? special[i].unigram : special[i].wordpiece;

		for (size_t k = 0; text && k < v->n; k++)
			if (lh_str_is(v->token[k].text, text, strlen(text))) {
				lh_folder_u32(r, special[i].key, k);
				break;
			}
	}
	if (!v->unigram)
		return;
	lh_folder_bool(r, "tokenizer.ggml.add_bos_token", true);
	lh_folder_bool(r, "tokenizer.ggml.add_eos_token", true);
}

static void put_vocabulary(struct lh_folder_reader *r, struct vocabulary *v,
			   const struct lh_folder_sizes *s)
{
	struct lh_buf *b;

	lh_folder_u32(r, "tokenizer.ggml.token_type_count", s->types);
	lh_folder_str(r, "tokenizer.ggml.model", lh_str_of(v->unigram ? "t5" : "bert"));
	lh_folder_str(r, "tokenizer.ggml.pre",
		lh_str_of(v->unigram || !v->lower ? "default" : "bert-bge"));
	b = lh_folder_array(r, "tokenizer.ggml.tokens", STRING, v->n);
	for (size_t i = 0; i < v->n; i++)
		put_token(b, v, i);
	if (v->unigram) {
		b = lh_folder_array(r, "tokenizer.ggml.scores", F32, v->n);
		for (size_t i = 0; i < v->n; i++) {
			uint32_t bits;
			float score = v->token[i].text.p ? v->token[i].score : -10000;

			memcpy(&bits, &score, sizeof bits);
			lh_folder_put_u32(b, bits);
		}
		v->token[v->unknown].type = 2;
	}
	b = lh_folder_array(r, "tokenizer.ggml.token_type", I32, v->n);
	for (size_t i = 0; i < v->n; i++)
		lh_folder_put_u32(b, v->token[i].text.p ? (uint32_t)v->token[i].type : UNUSED);
	if (v->unigram) {
		lh_folder_bool(r, "tokenizer.ggml.add_space_prefix", true);
		lh_folder_bool(r, "tokenizer.ggml.remove_extra_whitespaces", true);
		if (v->map.len) {
			b = lh_folder_array(r, "tokenizer.ggml.precompiled_charsmap", 0,
					    v->map.len);
			lh_buf_add(b, v->map.p, v->map.len);
		}
	} else {
		lh_folder_bool(r, LH_HF_LOWER, v->lower || r->lower);
		lh_folder_bool(r, LH_HF_STRIP, v->strip);
		lh_folder_bool(r, LH_HF_CHINESE, v->chinese);
	}
	put_special(r, v);
}

int lh_folder_vocabulary(struct lh_folder_reader *r, const struct lh_folder_sizes *s)
{
	LH_SCOPED(vocabulary_free) struct vocabulary v = { .n = 0 };
	int rc = lh_folder_json(r, "tokenizer.json");

	rc = rc < 0 ? -1 : rc ? from_tokenizer(r, &v) : from_lines(r, &v);
	if (rc < 0)
		return -1;
	if (!v.n || v.n > s->vocabulary)
		return lh_err_set(r->err, LH_ECORRUPT, "%s/%s: %zu tokens, and config.json says "
				  "vocab_size %llu", r->f->path, r->file, v.n,
				  (unsigned long long)s->vocabulary);
	if (s->roberta != v.unigram)
		return lh_folder_wrong(r, s->roberta
					? "an XLMRobertaModel whose tokenizer is not Unigram"
					   : "a BertModel whose tokenizer is not WordPiece");
	put_vocabulary(r, &v, s);
	return 0;
}

