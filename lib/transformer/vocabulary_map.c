/*
 * vocabulary_map.c - the tokens of a compiled model: its tables, checked.  See tokenizer.h and
 * encoder.h.
 *
 * The tables are those that vocabulary.c built; whatever is in a file, no index leads out of
 * them and every walk through them ends.
 */
#include "encoder.h"
#include "tokenizer_parts.h"

#define BYTES_MAX 512			/* of a token, as in vocabulary.c */
#define NEVER 0x80000000u
#define NODES ((size_t)1 << 24)
#define USERS_MAX 256

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

static int wrong(const struct mapper *m, const char *what)
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
		return wrong(m, "its tokens are wrong");
	a->n = n - 1;
	for (uint64_t i = 0; i < a->n; i++) {
		uint64_t from = a->offset[i], to = a->offset[i + 1];

		if (to > size || to < from || to - from <= 8 || to - from > BYTES_MAX + 8 ||
		    !lh_utf8_valid((const char *)a->data + from + 8, to - from - 8))
			return wrong(m, "a token is wrong");
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
		return wrong(m, "a trie is of a wrong size");
	to->bits = (unsigned)__builtin_ctzll(n);
	if (!edges_good(to, n) || !values_good(m->t, to))
		return wrong(m, "a trie is wrong");
	return 0;
}

static int map_users(const struct mapper *m, const struct lh_compiled_tokenizer *h)
{
	struct lh_tokenizer *t = m->t;

	t->user = (void *)lh_compiled_part(m->c, LH_PART_USER, sizeof *t->user, &t->users);
	if (t->users > USERS_MAX)
		return wrong(m, "too many user-defined tokens");
	for (size_t i = 0; i < t->users; i++)
		if (t->user[i] >= t->token.n)
			return wrong(m, "a user-defined token is wrong");
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
		return wrong(m, "its scores are wrong");
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
		return wrong(m, "its pairs are of a wrong size");
	t->pairs.bits = (unsigned)__builtin_ctzll(n);
	for (size_t i = 0; i < n; i++) {
		good &= t->pairs.at[i].merged < t->trie.nodes;
		is_free |= !t->pairs.at[i].left;
	}
	return good && is_free ? 0 : wrong(m, "its pairs are wrong");
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
		return wrong(&m, "its tokenizer is of no known kind");
	t->kind = h->kind;
	t->pre = h->pre;
	t->twice = h->twice;
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
		return wrong(&m, "its special tokens are wrong");
	return map_kind(&m, h);
}
