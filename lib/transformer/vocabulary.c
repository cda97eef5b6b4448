/*
 * vocabulary.c - the tokens of a model, from its keys or from a compiled model.  See tokenizer.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "compiled.h"
#include "tokenizer_parts.h"

/* ---- from the keys of a model ---- */

#define KEY(name) "tokenizer.ggml." name
#define NEVER 0x80000000u		/* in the trie: a token that is never found in a text */
#define TOKENS_MAX 0x7fffffffu
#define BYTES_MAX 512			/* of a token */
#define USERS_MAX 256

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };	/* types of tokens */

#define ARRAY_I32 5
#define ARRAY_F32 6
#define ARRAY_STRING 8

static int wrong(const struct lh_tokenizer *t, struct lh_err *err, const char *what)
{
	return lh_err_set(err, LH_ECORRUPT, "%s: %s", t->path, what);
}

/* ---- tokens ---- */

/* Return the type of a token. */
static int64_t type_of(const struct lh_gguf_array *types, uint64_t i)
{
	return types->n ? lh_gguf_array_i64(types, i) : NORMAL;
}

static bool found_in_text(const struct lh_tokenizer *t, int64_t type)
{
	return t->kind != LH_UNIGRAM || type == NORMAL || type == USER_DEFINED || type == UNUSED;
}

static int check_text(const struct lh_tokenizer *t, uint64_t i, struct lh_str s,
		      struct lh_err *err)
{
	const char *what = !s.n ? "is empty" : s.n > BYTES_MAX ? "has more than 512 bytes" :
			   !lh_utf8_valid(s.p, s.n) ? "is not UTF-8" : NULL;

	if (!what)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: token %llu %s", t->path,
			  (unsigned long long)i, what);
}

static int add_user(struct lh_tokenizer *t, uint32_t id, struct lh_err *err)
{
	if (!t->user) {
		t->user = lh_calloc(USERS_MAX, sizeof *t->user);
		lh_trie_init(&t->begins, USERS_MAX);
	}
	if (t->users == USERS_MAX)
		return wrong(t, err, "more than 256 user-defined tokens");
	t->user[t->users++] = id;
	if (t->kind != LH_UNIGRAM)
		return 0;
	return lh_trie_add(&t->begins, lh_gguf_array_str(&t->token, id), &id, err) < 0 ? -1 : 0;
}

static int add_token(struct lh_tokenizer *t, uint32_t id, int64_t type, struct lh_err *err)
{
	struct lh_str s = lh_gguf_array_str(&t->token, id);
	uint32_t value = found_in_text(t, type) ? id : id | NEVER;
	int rc;

	if (check_text(t, id, s, err) < 0)
		return -1;
	rc = lh_trie_add(&t->trie, s, &value, err);
	if (rc < 0)
		return err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", t->path) : -1;
	if (rc)
		return lh_err_set(err, LH_ECORRUPT, "%s: tokens %u and %u are both \"%.*s\"",
				  t->path, value & ~NEVER, id, (int)s.n, s.p);
	if (s.n > t->longest)
		t->longest = s.n;
	return type == USER_DEFINED || (t->kind == LH_HF_WORDS && type == CONTROL)
		? add_user(t, id, err) : 0;
}

/* Order by length, the longest first, then by number. */
static int longer(const void *x, const void *y, void *token)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	size_t na = lh_gguf_array_str(token, a).n, nb = lh_gguf_array_str(token, b).n;

	return na != nb ? (na < nb) - (na > nb) : (a > b) - (a < b);
}

/* Find an array that has a value for each token. */
static int of_tokens(const struct lh_tokenizer *t, struct lh_gguf *g, const char *key,
		     uint32_t type, struct lh_gguf_array *to, struct lh_err *err)
{
	if (lh_gguf_array(g, key, type, to, err) < 0)
		return -1;
	if (to->n == t->token.n)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: key \"%s\" has %llu values for %llu tokens",
			  lh_gguf_path(g), key, (unsigned long long)to->n,
			  (unsigned long long)t->token.n);
}

/* Check that there is a row of token_embd for each token; there may be more. */
static int check_rows(const struct lh_tokenizer *t, struct lh_err *err)
{
	const struct lh_gguf_tensor *rows = lh_gguf_tensor(t->g, "token_embd.weight");

	if (!rows || rows->dim[1] >= t->token.n)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: token_embd.weight has %llu rows for %llu tokens",
			  t->path, (unsigned long long)rows->dim[1],
			  (unsigned long long)t->token.n);
}

static int read_tokens(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_gguf_array *types,
		       struct lh_err *err)
{
	if (lh_gguf_array(g, KEY("tokens"), ARRAY_STRING, &t->token, err) < 0)
		return -1;
	if (t->token.n < 1 || t->token.n > TOKENS_MAX)
		return wrong(t, err, "no tokens, or more than 2^31 - 1");
	if (lh_gguf_has(g, KEY("token_type")) &&
	    of_tokens(t, g, KEY("token_type"), ARRAY_I32, types, err) < 0)
		return -1;
	lh_trie_init(&t->trie, t->token.n);
	for (uint32_t i = 0; i < t->token.n; i++)
		if (add_token(t, i, type_of(types, i), err) < 0)
			return -1;
	if (t->users)
		qsort_r(t->user, t->users, sizeof *t->user, longer, &t->token);
	return check_rows(t, err);
}

/* ---- special tokens ---- */

/* Read the number of a special token; otherwise: of a file without the key, -1 if there has to
 * be one. */
static int special(const struct lh_tokenizer *t, const char *key, int64_t otherwise,
		   uint64_t *to, struct lh_err *err)
{
	uint64_t most = t->token.n - 1;

	if (otherwise >= 0 && (uint64_t)otherwise <= most && !lh_gguf_has(t->g, key)) {
		*to = (uint64_t)otherwise;
		return 0;
	}
	return lh_gguf_u64(t->g, key, 0, most, to, err);
}

/* Check the numbers of special tokens that are not used here. */
static int check_others(const struct lh_tokenizer *t, struct lh_err *err)
{
	static const char *const key[] = {
		KEY("bos_token_id"), KEY("eos_token_id"), KEY("unknown_token_id"),
		KEY("seperator_token_id"), KEY("padding_token_id"), KEY("cls_token_id"),
		KEY("mask_token_id"),
	};
	uint64_t id;

	for (size_t i = 0; i < sizeof key / sizeof *key; i++)
		if (lh_gguf_has(t->g, key[i]) && special(t, key[i], -1, &id, err) < 0)
			return -1;
	return 0;
}

static int flag(const struct lh_gguf *g, const char *key, bool otherwise, bool *to,
		struct lh_err *err)
{
	*to = otherwise;
	return lh_gguf_has(g, key) ? lh_gguf_bool(g, key, to, err) : 0;
}

/* ---- the kinds ---- */

/* Refuse what would need other tables than those of WordPiece here. */
static int check_normalizer(const struct lh_tokenizer *t, struct lh_err *err)
{
	bool lower, strip;

	if (flag(t->g, KEY("normalizer.lowercase"), true, &lower, err) < 0 ||
	    flag(t->g, KEY("normalizer.strip_accents"), lower, &strip, err) < 0)
		return -1;
	if (lower && strip)
		return 0;
	return wrong(t, err, "a vocabulary with upper case or accents is not supported");
}

/* Both ends have a special token, whatever add_bos_token and add_sep_token say. */
static int read_wordpiece(struct lh_tokenizer *t, struct lh_err *err)
{
	const char *cls = lh_gguf_has(t->g, KEY("bos_token_id")) ||
			  !lh_gguf_has(t->g, KEY("cls_token_id")) ? KEY("bos_token_id") :
			  KEY("cls_token_id");
	uint64_t first, last, unknown;

	if (special(t, cls, 101, &first, err) < 0 ||
	    special(t, KEY("seperator_token_id"), 102, &last, err) < 0 ||
	    special(t, KEY("unknown_token_id"), 100, &unknown, err) < 0 ||
	    check_normalizer(t, err) < 0)
		return -1;
	t->first = (int64_t)first;
	t->last = (int64_t)last;
	t->unknown = (uint32_t)unknown;
	return 0;
}

static int read_hf_words(struct lh_tokenizer *t, struct lh_err *err)
{
	bool lower, strip, chinese;

	if (flag(t->g, LH_HF_LOWER, true, &lower, err) < 0 ||
	    flag(t->g, LH_HF_STRIP, lower, &strip, err) < 0 ||
	    flag(t->g, LH_HF_CHINESE, true, &chinese, err) < 0)
		return -1;
	t->words = (lower ? LH_WORDS_LOWER : 0u) | (strip ? LH_WORDS_STRIP : 0u) |
		   (chinese ? LH_WORDS_CHINESE : 0u);
	return 0;
}

/* Read one of the ends: the number of the special token, or -1. */
static int read_end(const struct lh_tokenizer *t, const char *add, bool added, const char *key,
		    int64_t otherwise, int64_t *to, struct lh_err *err)
{
	uint64_t id;

	*to = -1;
	if (flag(t->g, add, added, &added, err) < 0)
		return -1;
	if (!added)
		return 0;
	if (special(t, key, otherwise, &id, err) < 0)
		return -1;
	*to = (int64_t)id;
	return 0;
}

static int read_scores(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	struct lh_gguf_array a;

	if (of_tokens(t, g, KEY("scores"), ARRAY_F32, &a, err) < 0)
		return -1;
	t->score = lh_calloc(t->token.n, sizeof *t->score);
	for (uint64_t i = 0; i < t->token.n; i++) {
		t->score[i] = (float)lh_gguf_array_f64(&a, i);
		if (!__builtin_isfinite(t->score[i]))
			return lh_err_set(err, LH_ECORRUPT, "%s: the score of token %llu is not "
					  "finite", lh_gguf_path(g), (unsigned long long)i);
	}
	return 0;
}

/* Set the score of the unknown token, and that of user-defined ones. */
static int settle_scores(struct lh_tokenizer *t, const struct lh_gguf_array *types,
			 struct lh_err *err)
{
	float lowest = __FLT_MAX__;
	bool normal = false;

	for (uint64_t i = 0; i < t->token.n; i++) {
		if (type_of(types, i) == NORMAL) {
			normal = true;
			lowest = t->score[i] < lowest ? t->score[i] : lowest;
		}
		if (type_of(types, i) == USER_DEFINED)
			t->score[i] = 0;
	}
	t->unknown_score = (double)(lowest - 10);
	return normal ? 0 : wrong(t, err, "no token is of the normal type");
}

static int read_unigram(struct lh_tokenizer *t, struct lh_gguf *g,
			const struct lh_gguf_array *types, struct lh_err *err)
{
	uint64_t unknown;

	if (read_end(t, KEY("add_bos_token"), false, KEY("bos_token_id"), -1, &t->first, err) < 0 ||
	    read_end(t, KEY("add_eos_token"), true, KEY("eos_token_id"), 1, &t->last, err) < 0 ||
	    special(t, KEY("unknown_token_id"), 2, &unknown, err) < 0 ||
	    flag(g, KEY("add_space_prefix"), false, &t->prefix, err) < 0 ||
	    flag(g, KEY("remove_extra_whitespaces"), false, &t->merge, err) < 0 ||
	    read_scores(t, g, err) < 0 || settle_scores(t, types, err) < 0)
		return -1;
	t->twice = true;
	t->unknown = (uint32_t)unknown;
	return lh_charsmap_open(&t->map, g, err);
}

static int read_bpe(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	if (lh_merges_read(t, g, err) < 0 ||
	    read_end(t, KEY("add_bos_token"), t->pre == LH_PRE_LLAMA3, KEY("bos_token_id"), 11,
		     &t->first, err) < 0)
		return -1;
	return read_end(t, KEY("add_eos_token"), false, KEY("eos_token_id"), 11, &t->last, err);
}

static int read_spm(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	uint64_t unknown;

	if (read_end(t, KEY("add_bos_token"), true, KEY("bos_token_id"), 1, &t->first, err) < 0 ||
	    read_end(t, KEY("add_eos_token"), false, KEY("eos_token_id"), 2, &t->last, err) < 0 ||
	    special(t, KEY("unknown_token_id"), 0, &unknown, err) < 0 ||
	    flag(g, KEY("add_space_prefix"), true, &t->prefix, err) < 0 ||
	    read_scores(t, g, err) < 0)
		return -1;
	t->unknown = (uint32_t)unknown;
	lh_bytes_set(t);
	return 0;
}

static int read_kind(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	static const char *const name[] = { "bert", "t5", "gpt2", "llama" };
	struct lh_str model;

	if (lh_gguf_str(g, KEY("model"), &model, err) < 0)
		return -1;
	for (t->kind = 0; t->kind < LH_HF_WORDS; t->kind++) {
		if (!lh_str_is(model, name[t->kind], strlen(name[t->kind])))
			continue;
		if (t->kind == LH_WORDPIECE && lh_gguf_has(g, LH_HF_LOWER))
			t->kind = LH_HF_WORDS;
		return 0;
	}
	return lh_err_set(err, LH_ECORRUPT, "%s: the tokenizer is \"%.*s\", not \"bert\", "
			  "\"t5\", \"gpt2\" or \"llama\"", lh_gguf_path(g), (int)model.n,
			  model.p);
}

int lh_vocabulary_read(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	struct lh_gguf_array types = { 0 };

	if (read_kind(t, g, err) < 0 || read_tokens(t, g, &types, err) < 0 ||
	    check_others(t, err) < 0)
		return -1;
	switch (t->kind) {
	case LH_WORDPIECE:
		return read_wordpiece(t, err);
	case LH_HF_WORDS:
		return read_hf_words(t, err) < 0 ? -1 : read_wordpiece(t, err);
	case LH_UNIGRAM:
		return read_unigram(t, g, &types, err);
	case LH_BPE:
		return read_bpe(t, g, err);
	default:
		return read_spm(t, g, err);
	}
}

/* ---- from a compiled model ---- */

/*
 * See tokenizer.h and
 * encoder.h.
 *
 * The tables are those that vocabulary.c built; whatever is in a file, no index leads out of
 * them and every walk through them ends.
 */

#define NODES ((size_t)1 << 24)

/* ---- writing ---- */

static struct lh_str bytes(const void *p, size_t n)
{
	return (struct lh_str){ p, p ? n : 0 };
}

static void put_trie(const struct lh_trie *t, struct lh_str *edges, struct lh_str *nodes)
{
	*edges = bytes(t->edge, t->nodes ? sizeof *t->edge << t->bits : 0);
	*nodes = bytes(t->value, t->nodes * sizeof *t->value);
}

void lh_tokenizer_compile(const struct lh_tokenizer *t, struct lh_compiling *m)
{
	const struct lh_gguf_array *a = &t->token;

	m->h.tokenizer = (struct lh_compiled_tokenizer){
		.first = t->first, .last = t->last, .unknown = t->unknown, .kind = t->kind,
		.pre = t->pre, .prefix = t->prefix, .merge = t->merge, .twice = t->twice,
		.words = t->words,
		.longest = t->longest, .seed = t->trie.seed, .user_seed = t->begins.seed,
		.pair_seed = t->pairs.seed,
		.unknown_score = t->unknown_score,
	};
	m->part[LH_PART_TOKEN_AT] = bytes(a->offset, (a->n + 1) * sizeof *a->offset);
	m->part[LH_PART_TOKENS] = bytes(a->data, a->offset[a->n]);
	put_trie(&t->trie, &m->part[LH_PART_EDGES], &m->part[LH_PART_NODES]);
	put_trie(&t->begins, &m->part[LH_PART_USER_EDGES], &m->part[LH_PART_USER_NODES]);
	m->part[LH_PART_USER] = bytes(t->user, t->users * sizeof *t->user);
	m->part[LH_PART_SCORES] = bytes(t->score, a->n * sizeof *t->score);
	m->part[LH_PART_CHARSMAP] = t->map.all;
	m->part[LH_PART_PAIRS] = bytes(t->pairs.at, sizeof *t->pairs.at << t->pairs.bits);
}

/* ---- reading ---- */

struct mapper {
	struct lh_tokenizer *t;
	const struct lh_compiled *c;
	struct lh_err *err;
};

static int map_wrong(const struct mapper *m, const char *what)
{
	return lh_compiled_wrong(m->c, what, m->err);
}

static int map_tokens(const struct mapper *m)
{
	struct lh_gguf_array *a = &m->t->token;
	size_t n, size;

	a->type = 8;
	a->offset = lh_compiled_part(m->c, LH_PART_TOKEN_AT, sizeof *a->offset, &n);
	a->data = lh_compiled_part(m->c, LH_PART_TOKENS, 1, &size);
	if (n < 2 || n > NEVER || a->offset[0] != 0 || a->offset[n - 1] != size)
		return map_wrong(m, "its tokens are wrong");
	a->n = n - 1;
	for (uint64_t i = 0; i < a->n; i++) {
		uint64_t from = a->offset[i], to = a->offset[i + 1];

		if (to > size || to < from || to - from <= 8 || to - from > BYTES_MAX + 8 ||
		    !lh_utf8_valid((const char *)a->data + from + 8, to - from - 8))
			return map_wrong(m, "a token is wrong");
	}
	return 0;
}

/* Return whether every edge leads to a node, and one is free: there a search ends. */
static bool edges_good(const struct lh_trie *t, size_t edges)
{
	bool good = true, is_free = false;

	for (size_t i = 0; i < edges; i++) {
		good &= t->edge[i].to < t->nodes;
		is_free |= !t->edge[i].from;
	}
	return good && is_free;
}

/* Return whether the values are tokens; the root has none: a token has a byte, so that each takes
 * something of a text. */
static bool values_good(const struct lh_tokenizer *t, const struct lh_trie *trie)
{
	uint32_t never = t->kind == LH_UNIGRAM ? NEVER : 0, n = (uint32_t)t->token.n;
	bool good = trie->value[LH_TRIE_ROOT] == LH_TRIE_NONE;

	for (size_t i = 0; i < trie->nodes; i++)
		good &= trie->value[i] == LH_TRIE_NONE || (trie->value[i] & ~never) < n;
	return good;
}

static int map_trie(const struct mapper *m, enum lh_compiled_part edges,
		    enum lh_compiled_part nodes, uint64_t seed, struct lh_trie *to)
{
	size_t n;

	to->edge = (void *)lh_compiled_part(m->c, edges, sizeof *to->edge, &n);
	to->value = (void *)lh_compiled_part(m->c, nodes, sizeof *to->value, &to->nodes);
	to->seed = seed;
	if (n < 2 || n & (n - 1) || to->nodes < 2 || to->nodes > NODES)
		return map_wrong(m, "a trie is of a wrong size");
	to->bits = (unsigned)__builtin_ctzll(n);
	if (!edges_good(to, n) || !values_good(m->t, to))
		return map_wrong(m, "a trie is wrong");
	return 0;
}

static int map_users(const struct mapper *m, const struct lh_compiled_tokenizer *h)
{
	struct lh_tokenizer *t = m->t;

	t->user = (void *)lh_compiled_part(m->c, LH_PART_USER, sizeof *t->user, &t->users);
	if (t->users > USERS_MAX)
		return map_wrong(m, "too many user-defined tokens");
	for (size_t i = 0; i < t->users; i++)
		if (t->user[i] >= t->token.n)
			return map_wrong(m, "a user-defined token is wrong");
	if (!t->users || t->kind != LH_UNIGRAM)
		return 0;
	return map_trie(m, LH_PART_USER_EDGES, LH_PART_USER_NODES, h->user_seed, &t->begins);
}

static int map_scores(const struct mapper *m)
{
	struct lh_tokenizer *t = m->t;
	bool good = true;
	size_t n;

	t->score = (void *)lh_compiled_part(m->c, LH_PART_SCORES, sizeof *t->score, &n);
	for (size_t i = 0; i < n; i++)
		good &= __builtin_isfinite(t->score[i]) != 0;
	if (n != t->token.n || !good || !__builtin_isfinite(t->unknown_score))
		return map_wrong(m, "its scores are wrong");
	return 0;
}

static int map_charsmap(const struct mapper *m)
{
	struct lh_tokenizer *t = m->t;
	struct lh_str map;

	map.p = lh_compiled_part(m->c, LH_PART_CHARSMAP, 1, &map.n);
	if (map.n && lh_charsmap_set(&t->map, map, m->err) < 0)
		return lh_err_prefix(m->err, "%s", t->path);
	return 0;
}

/* Map the pairs: each leads to a node, and one is free: there a search ends. */
static int map_pairs(const struct mapper *m, uint64_t seed)
{
	struct lh_tokenizer *t = m->t;
	bool good = t->pre < LH_PRES, is_free = false;
	size_t n;

	t->pairs.at = (void *)lh_compiled_part(m->c, LH_PART_PAIRS, sizeof *t->pairs.at, &n);
	t->pairs.seed = seed;
	if (n < 2 || n & (n - 1))
		return map_wrong(m, "its pairs are of a wrong size");
	t->pairs.bits = (unsigned)__builtin_ctzll(n);
	for (size_t i = 0; i < n; i++) {
		good &= t->pairs.at[i].merged < t->trie.nodes;
		is_free |= !t->pairs.at[i].left;
	}
	return good && is_free ? 0 : map_wrong(m, "its pairs are wrong");
}

static int map_kind(const struct mapper *m, const struct lh_compiled_tokenizer *h)
{
	struct lh_tokenizer *t = m->t;

	if (t->kind == LH_BPE && map_pairs(m, h->pair_seed) < 0)
		return -1;
	if ((t->kind == LH_SPM || t->kind == LH_UNIGRAM) && map_scores(m) < 0)
		return -1;
	if (t->kind == LH_BPE || t->kind == LH_SPM)
		lh_bytes_set(t);
	return t->kind == LH_UNIGRAM ? map_charsmap(m) : 0;
}

static bool is_end(const struct lh_tokenizer *t, int64_t id)
{
	return id >= -1 && id < (int64_t)t->token.n;
}

int lh_vocabulary_map(struct lh_tokenizer *t, const struct lh_compiled *c, struct lh_err *err)
{
	const struct lh_compiled_tokenizer *h = &lh_compiled_header(c)->tokenizer;
	struct mapper m = { t, c, err };

	if (h->kind >= LH_TOKEN_KINDS)
		return map_wrong(&m, "its tokenizer is of no known kind");
	t->kind = h->kind;
	t->pre = h->pre;
	t->twice = h->twice;
	t->words = h->words;
	t->prefix = h->prefix;
	t->merge = h->merge;
	t->first = h->first;
	t->last = h->last;
	t->unknown = h->unknown;
	t->unknown_score = h->unknown_score;
	t->longest = h->longest;
	if (map_tokens(&m) < 0 ||
	    map_trie(&m, LH_PART_EDGES, LH_PART_NODES, h->seed, &t->trie) < 0 ||
	    map_users(&m, h) < 0)
		return -1;
	if (!is_end(t, t->first) || !is_end(t, t->last) || t->unknown >= t->token.n ||
	    t->longest > BYTES_MAX || !t->longest)
		return map_wrong(&m, "its special tokens are wrong");
	return map_kind(&m, h);
}
