/* bpe.c - the tokens of a text by BPE, over bytes or SentencePiece's.  See tokenizer.h. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/xxh3.h"
#include "tokenizer_parts.h"

/* ---- the words that BPE divides a text into first ---- */

/*
 * A word is the first alternative of a pattern that matches where the one before ended:
 *
 *     gpt2     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *     llama3   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
 *              | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *     qwen2    as llama3, but \p{N}
 *     default  runs of [\p{P}$+<=>^~|] are words; what is between them is divided as by gpt2, and
 *              numbers once more: without the space, and at each [0-9][0-9][0-9]
 */

enum kind { LETTER, NUMBER, SPACE, OTHER, STOP };

struct reader {
	const unsigned char *end;
	bool stops;			/* at what default has as words of their own */
};

static size_t bytes_of(unsigned char c)
{
	return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static bool is_punctuation(utf8proc_category_t category)
{
	return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static enum kind kind_of(uint32_t c, utf8proc_category_t category)
{
	switch (category) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO:
		return LETTER;
	case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_NO:
		return NUMBER;
	case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP:
		return SPACE;
	case UTF8PROC_CATEGORY_CC:
		return (c >= '\t' && c <= '\r') || c == 0x85 ? SPACE : OTHER;
	default:
		return OTHER;
	}
}

/* Return the kind of the code point at p. */
static enum kind kind_at(const struct reader *r, const unsigned char *p)
{
	utf8proc_category_t category;
	uint32_t c;

	if (p == r->end)
		return STOP;
	c = lh_utf8_get(&p);
	category = utf8proc_category((utf8proc_int32_t)c);
	if (r->stops && (is_punctuation(category) || (c < 0x80 && c && strchr("$+<=>^~|", (int)c))))
		return STOP;
	return kind_of(c, category);
}

/* Return the end of the code points of a kind. */
static const unsigned char *skip(const struct reader *r, const unsigned char *p, enum kind kind)
{
	while (p < r->end && kind_at(r, p) == kind)
		p += bytes_of(*p);
	return p;
}

/* Return the end of an English contraction at p, or p; fold: 0x20, to ignore case. */
static const unsigned char *contraction(const struct reader *r, const unsigned char *p,
					unsigned char fold)
{
	static const char rest[][3] = { "s", "t", "re", "ve", "m", "ll", "d" };
	size_t left = (size_t)(r->end - p), n;

	for (size_t i = 0; *p == '\'' && i < sizeof rest / sizeof *rest; i++) {
		n = strlen(rest[i]);
		if (left > n && (p[1] | fold) == rest[i][0] &&
		    (n == 1 || (p[2] | fold) == rest[i][1]))
			return p + 1 + n;
	}
	return p;
}

/* Return the end of the word of spaces at p: a last space that something follows is of the next
 * word; if lines, up to the last line break, whatever follows. */
static const unsigned char *spaces(const struct reader *r, const unsigned char *p, bool lines)
{
	const unsigned char *begin = p, *last = p, *line = NULL;

	for (; kind_at(r, p) == SPACE; p += bytes_of(*p)) {
		last = p;
		if (lines && (*p == '\n' || *p == '\r'))
			line = p + 1;
	}
	return line ? line : last > begin && kind_at(r, p) != STOP ? last : p;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool three_digits(const struct reader *r, const unsigned char *p)
{
	return r->end - p >= 3 && is_digit(p[0]) && is_digit(p[1]) && is_digit(p[2]);
}

/* Return the end of a part of the number at p: three digits, or what is before such. */
static const unsigned char *digits(const struct reader *r, const unsigned char *p)
{
	if (three_digits(r, p))
		return p + 3;
	while (kind_at(r, p) == NUMBER && !three_digits(r, p))
		p += bytes_of(*p);
	return p;
}

static const unsigned char *gpt2(const struct reader *r, const unsigned char *p)
{
	const unsigned char *after = contraction(r, p, 0), *q = *p == ' ' ? p + 1 : p;
	enum kind kind = kind_at(r, q);

	if (after > p)
		return after;
	if (kind == NUMBER && r->stops)
		return q > p ? q : digits(r, p);
	if (kind == SPACE || kind == STOP)
		return spaces(r, p, false);
	return skip(r, q, kind);
}

static const unsigned char *default_word(const struct reader *r, const unsigned char *p)
{
	if (kind_at(r, p) != STOP)
		return gpt2(r, p);
	while (p < r->end && kind_at(r, p) == STOP)
		p += bytes_of(*p);
	return p;
}

/* By llama3 a number has three digits, by qwen2 one. */
static const unsigned char *llama3(const struct reader *r, const unsigned char *p, int number)
{
	const unsigned char *after = contraction(r, p, 0x20), *q;
	enum kind kind = kind_at(r, p);

	if (after > p)
		return after;
	if (kind == NUMBER) {
		for (; number && kind_at(r, p) == NUMBER; number--)
			p += bytes_of(*p);
		return p;
	}
	q = kind == LETTER ? p : p + bytes_of(*p);
	if (*p != '\r' && *p != '\n' && kind_at(r, q) == LETTER)
		return skip(r, q, LETTER);
	q = *p == ' ' ? p + 1 : p;
	if (kind_at(r, q) != OTHER)
		return spaces(r, p, true);
	for (p = skip(r, q, OTHER); p < r->end && (*p == '\r' || *p == '\n'); p++)
		;
	return p;
}

/* Return the end of the first word of p..end, which is not empty. */
static const unsigned char *lh_pre_word(enum lh_pre pre, const unsigned char *p,
					const unsigned char *end)
{
	struct reader r = { end, pre == LH_PRE_DEFAULT };

	switch (pre) {
	case LH_PRE_GPT2:
		return gpt2(&r, p);
	case LH_PRE_LLAMA3:
		return llama3(&r, p, 3);
	case LH_PRE_QWEN2:
		return llama3(&r, p, 1);
	default:
		return default_word(&r, p);
	}
}

/* ---- merging ---- */

/*
 * Merging: symbols that follow each other become one, the pair of the lowest rank first and of
 * equal ones the leftmost, until no two of them are a pair.
 *
 *     struct lh_merger m = { .t = t, .find = find };
 *     for each word: m.n = 0, lh_merger_add for each symbol, lh_merger_run;
 *             then m.at[0], m.at[m.at[0].next] ... up to LH_NO_SYMBOL are what is left
 *     lh_merger_free(&m);
 *
 * Time is O(n log n) for n symbols.
 */
#define LH_NO_SYMBOL UINT32_MAX

struct lh_symbol {
	const char *p;
	uint32_t n;			/* bytes; 0: it is part of another one */
	uint32_t node;			/* of the trie, or 0 */
	uint32_t before, next;
};

struct lh_merger {
	const struct lh_tokenizer *t;
	/* Set the rank of a pair and the node of both; return whether it is merged. */
	bool (*find)(const struct lh_tokenizer *t, const struct lh_symbol *left,
		     const struct lh_symbol *right, uint32_t *rank, uint32_t *merged);
	struct lh_symbol *at;
	size_t n, cap;
	struct lh_offer *offer;		/* a heap */
	size_t offers, offer_cap;
};

struct lh_offer {			/* two symbols that may become one */
	uint32_t rank, left;
	uint32_t bytes, merged;		/* of both, when it was made; its node */
};

static int lh_merger_add(struct lh_merger *m, const char *p, size_t n, uint32_t node,
			 struct lh_err *err)
{
	if (m->n == LH_NO_SYMBOL)
		return lh_err_set(err, LH_EDATA, "a text of more than 4 GB");
	if (m->n == m->cap)
		lh_grow(&m->at, &m->cap, m->n + 1, sizeof *m->at);
	m->at[m->n++] = (struct lh_symbol){ .p = p, .n = (uint32_t)n, .node = node };
	return 0;
}

/* ---- the heap ---- */

static bool sooner(const struct lh_offer *a, const struct lh_offer *b)
{
	return a->rank < b->rank || (a->rank == b->rank && a->left < b->left);
}

static void push(struct lh_merger *m, struct lh_offer offer)
{
	size_t i = m->offers;

	if (m->offers == m->offer_cap)
		lh_grow(&m->offer, &m->offer_cap, m->offers + 1, sizeof *m->offer);
	m->offers++;
	for (; i && sooner(&offer, &m->offer[(i - 1) / 2]); i = (i - 1) / 2)
		m->offer[i] = m->offer[(i - 1) / 2];
	m->offer[i] = offer;
}

/* Take the first one, of at least one. */
static struct lh_offer pop(struct lh_merger *m)
{
	struct lh_offer first = m->offer[0], last = m->offer[--m->offers];
	size_t i = 0, next;

	while ((next = 2 * i + 1) < m->offers) {
		if (next + 1 < m->offers && sooner(&m->offer[next + 1], &m->offer[next]))
			next++;
		if (!sooner(&m->offer[next], &last))
			break;
		m->offer[i] = m->offer[next];
		i = next;
	}
	m->offer[i] = last;
	return first;
}

/* ---- merging ---- */

/* Offer a symbol and its next one, if they are a pair. */
static void offer_pair(struct lh_merger *m, uint32_t left)
{
	const struct lh_symbol *a = left == LH_NO_SYMBOL ? NULL : &m->at[left], *b;
	struct lh_offer offer = { .left = left };

	if (!a || a->next == LH_NO_SYMBOL)
		return;
	b = &m->at[a->next];
	if (!m->find(m->t, a, b, &offer.rank, &offer.merged))
		return;
	offer.bytes = a->n + b->n;
	push(m, offer);
}

/* A symbol grows to the right only, so that its bytes say whether it is as it was offered. */
static bool is_current(const struct lh_merger *m, const struct lh_offer *o)
{
	const struct lh_symbol *a = &m->at[o->left];

	return a->n && a->next != LH_NO_SYMBOL && a->n + m->at[a->next].n == o->bytes;
}

static void merge(struct lh_merger *m, const struct lh_offer *o)
{
	struct lh_symbol *a = &m->at[o->left], *b = &m->at[a->next];

	a->n += b->n;
	a->node = o->merged;
	a->next = b->next;
	b->n = 0;
	if (a->next != LH_NO_SYMBOL)
		m->at[a->next].before = o->left;
	offer_pair(m, a->before);
	offer_pair(m, o->left);
}

static void lh_merger_run(struct lh_merger *m)
{
	struct lh_offer o;

	m->offers = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		m->at[i].before = i ? i - 1 : LH_NO_SYMBOL;
		m->at[i].next = i + 1 < m->n ? i + 1 : LH_NO_SYMBOL;
	}
	for (uint32_t i = 0; i < m->n; i++)
		offer_pair(m, i);
	while (m->offers) {
		o = pop(m);
		if (is_current(m, &o))
			merge(m, &o);
	}
}

static void lh_merger_free(struct lh_merger *m)
{
	free(m->at);
	free(m->offer);
}

/* ---- BPE over bytes ---- */

/*
 * A piece is a node of the trie, be it a token or only a part of one, so that a pair is two
 * numbers and the number of what they become.
 */

#define KEY(name) "tokenizer.ggml." name
#define ARRAY_STRING 8
#define BYTES_MAX 1025			/* of a merge: two tokens and the space between them */

/* Write the character that stands for a byte in tokens: itself if it is printable in Latin-1, the
 * others from U+0100 on; return its bytes. */
static size_t write_byte(unsigned char b, unsigned char to[4])
{
	uint32_t c = b;

	if (b <= ' ')
		c = 0x100u + b;
	else if (b >= 0x7f && b <= 0xa0)
		c = 0x121u + b - 0x7f;
	else if (b == 0xad)
		c = 0x143;
	return lh_utf8_put(c, to);
}

/* ---- the vocabulary ---- */

static int read_pre(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	static const char *const known[LH_PRES][12] = {
		[LH_PRE_DEFAULT] = { "", "default" },
		[LH_PRE_GPT2] = { "gpt-2", "modern-bert", "roberta-bpe", "jina-v1-en",
				  "jina-v2-code", "jina-v2-de", "jina-v2-es", "jina-de",
				  "jina-es" },
		[LH_PRE_LLAMA3] = { "llama-bpe", "llama3", "llama-v3", "lfm2", "jina-v5-nano" },
		[LH_PRE_QWEN2] = { "qwen2", "deepseek-r1-qwen" },
	};
	struct lh_str name = { "", 0 };

	if (lh_gguf_has(g, KEY("pre")) && lh_gguf_str(g, KEY("pre"), &name, err) < 0)
		return -1;
	t->twice = lh_str_is(name, "roberta-bpe", 11);
	for (t->pre = 0; t->pre < LH_PRES; t->pre++)
		for (size_t i = 0; known[t->pre][i]; i++)
			if (lh_str_is(name, known[t->pre][i], strlen(known[t->pre][i])))
				return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: the pre-tokenizer \"%.*s\" is not known", t->path,
			  (int)name.n, name.p);
}

static struct lh_merge_pair *place_of(const struct lh_pairs *pairs, uint32_t left,
				      uint32_t right)
{
	size_t mask = ((size_t)1 << pairs->bits) - 1;
	size_t i = (((uint64_t)left << 32 | right) * pairs->seed) >> (64 - pairs->bits);

	while (pairs->at[i].left && (pairs->at[i].left != left || pairs->at[i].right != right))
		i = (i + 1) & mask;
	return &pairs->at[i];
}

/* Return the pair of two nodes, or NULL. */
static const struct lh_merge_pair *lh_pair_find(const struct lh_pairs *pairs, uint32_t left,
						uint32_t right)
{
	const struct lh_merge_pair *p = place_of(pairs, left, right);

	return p->left ? p : NULL;
}

/* Add a merge, "left right", of which the first one counts.  One without two parts is never
 * found in a text. */
static int add_merge(struct lh_tokenizer *t, struct lh_str s, uint32_t rank, struct lh_err *err)
{
	const char *space = s.n > 1 ? memchr(s.p + 1, ' ', s.n - 1) : NULL;
	struct lh_str left, right;
	struct lh_merge_pair pair = { .rank = rank }, *to;

	if (!space || space + 1 == s.p + s.n)
		return 0;
	left = (struct lh_str){ s.p, (size_t)(space - s.p) };
	right = (struct lh_str){ space + 1, s.n - left.n - 1 };
	pair.left = lh_trie_node(&t->trie, LH_TRIE_ROOT, left, err);
	pair.right = pair.left ? lh_trie_node(&t->trie, LH_TRIE_ROOT, right, err) : 0;
	pair.merged = pair.right ? lh_trie_node(&t->trie, pair.left, right, err) : 0;
	if (!pair.merged)
		return err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", t->path) : -1;
	to = place_of(&t->pairs, pair.left, pair.right);
	if (!to->left)
		*to = pair;
	return 0;
}

int lh_merges_read(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	struct lh_gguf_array a;

	if (read_pre(t, g, err) < 0 || lh_gguf_array(g, KEY("merges"), ARRAY_STRING, &a, err) < 0)
		return -1;
	if (a.n > UINT32_MAX)
		return lh_err_set(err, LH_ECORRUPT, "%s: more than 2^32 merges", t->path);
	t->pairs = (struct lh_pairs){ .bits = 1, .seed = lh_seed() | 1 };
	while ((uint64_t)1 << t->pairs.bits < 2 * a.n)
		t->pairs.bits++;
	t->pairs.at = lh_calloc_table((size_t)1 << t->pairs.bits, sizeof *t->pairs.at);
	for (uint64_t i = 0; i < a.n; i++) {
		struct lh_str s = lh_gguf_array_str(&a, i);

		if (s.n > BYTES_MAX)
			return lh_err_set(err, LH_ECORRUPT, "%s: merge %llu has more than %d bytes",
					  t->path, (unsigned long long)i, BYTES_MAX);
		if (add_merge(t, s, (uint32_t)i, err) < 0)
			return -1;
	}
	lh_bytes_set(t);
	return 0;
}

/* Set the token of each byte that SentencePiece writes as itself, or as unknown. */
static void set_byte_tokens(struct lh_tokenizer *t)
{
	char name[8];
	uint32_t node;

	for (unsigned b = 0; b < 256; b++) {
		snprintf(name, sizeof name, "<0x%02X>", b);
		node = lh_trie_walk(&t->trie, LH_TRIE_ROOT, name, 6);
		if (!node || t->trie.value[node] == LH_TRIE_NONE)
			node = b < 0x80 ? lh_trie_walk(&t->trie, LH_TRIE_ROOT, &(char){ (char)b },
						       1) : 0;
		t->byte[b] = node && t->trie.value[node] != LH_TRIE_NONE ? t->trie.value[node] :
			     t->unknown;
	}
}

void lh_bytes_set(struct lh_tokenizer *t)
{
	unsigned char s[4];
	size_t n;

	if (t->kind == LH_SPM) {
		set_byte_tokens(t);
		return;
	}
	for (unsigned b = 0; b < 256; b++) {
		n = write_byte((unsigned char)b, s);
		t->byte[b] = lh_trie_walk(&t->trie, LH_TRIE_ROOT, (const char *)s, n);
	}
}

/* ---- a text ---- */

static bool find_merge(const struct lh_tokenizer *t, const struct lh_symbol *left,
		       const struct lh_symbol *right, uint32_t *rank, uint32_t *merged)
{
	const struct lh_merge_pair *p;

	if (!left->node || !right->node)
		return false;
	p = lh_pair_find(&t->pairs, left->node, right->node);
	if (!p)
		return false;
	*rank = p->rank;
	*merged = p->merged;
	return true;
}

/* Append the token of a add_piece.  As in llama.cpp, of one that is no token those of its ASCII
 * characters are taken, and the rest is left out. */
static void add_piece(const struct lh_tokenizer *t, const struct lh_symbol *s,
		      struct lh_token_list *to)
{
	uint32_t id = s->node ? t->trie.value[s->node] : LH_TRIE_NONE, node;

	if (id != LH_TRIE_NONE) {
		lh_tokens_push(to, id);
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		unsigned char b = (unsigned char)s->p[i];

		node = b > ' ' && b < 0x7f ? t->byte[b] : 0;
		id = node ? t->trie.value[node] : LH_TRIE_NONE;
		if (id != LH_TRIE_NONE)
			lh_tokens_push(to, id);
	}
}

/* Return the token that a whole word is, or LH_TRIE_NONE. */
static uint32_t whole(const struct lh_tokenizer *t, const unsigned char *p,
		      const unsigned char *end)
{
	uint32_t node = LH_TRIE_ROOT;
	unsigned char s[4];

	for (; p < end && node; p++)
		node = lh_trie_walk(&t->trie, node, (const char *)s, write_byte(*p, s));
	return node ? t->trie.value[node] : LH_TRIE_NONE;
}

static int word(struct lh_merger *m, const unsigned char *p, const unsigned char *end,
		struct lh_token_list *to, struct lh_err *err)
{
	uint32_t id = m->t->pre == LH_PRE_LLAMA3 ? whole(m->t, p, end) : LH_TRIE_NONE;

	if (id != LH_TRIE_NONE) {
		lh_tokens_push(to, id);
		return 0;
	}
	m->n = 0;
	for (; p < end; p++)
		if (lh_merger_add(m, (const char *)p, 1, m->t->byte[*p], err) < 0)
			return -1;
	lh_merger_run(m);
	for (uint32_t i = 0; i != LH_NO_SYMBOL; i = m->at[i].next)
		add_piece(m->t, &m->at[i], to);
	return 0;
}

int lh_bpe(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n, *next;
	struct lh_merger m = { .t = t, .find = find_merge };
	int rc = 0;

	for (; !rc && p < end; p = next) {
		next = lh_pre_word(t->pre, p, end);
		rc = word(&m, p, next, to, err);
	}
	lh_merger_free(&m);
	return rc;
}

/* ---- SentencePiece BPE ---- */

/* Return a score as a rank: the higher the score, the lower. */
static uint32_t rank_of(float score)
{
	uint32_t bits;

	score += 0.0f;			/* -0 is 0 */
	memcpy(&bits, &score, sizeof bits);
	return bits & 0x80000000u ? bits : ~bits & 0x7fffffffu;
}

static bool find_token(const struct lh_tokenizer *t, const struct lh_symbol *left,
		       const struct lh_symbol *right, uint32_t *rank, uint32_t *merged)
{
	uint32_t id;

	*merged = lh_trie_walk(&t->trie, left->node, right->p, right->n);
	id = *merged ? t->trie.value[*merged] : LH_TRIE_NONE;
	if (id == LH_TRIE_NONE)
		return false;
	*rank = rank_of(t->score[id]);
	return true;
}

/* Write the text as tokens have it, U+2581 for spaces. */
static void escape(const struct lh_tokenizer *t, struct lh_str text, struct lh_buf *to)
{
	const char *end = text.p + text.n, *space;

	if (t->prefix)
		lh_buf_add(to, LH_TOKEN_WORD, sizeof LH_TOKEN_WORD - 1);
	for (const char *p = text.p; p < end; p = space + 1) {
		space = memchr(p, ' ', (size_t)(end - p));
		if (!space)
			space = end;
		lh_buf_add(to, p, (size_t)(space - p));
		if (space < end)
			lh_buf_add(to, LH_TOKEN_WORD, sizeof LH_TOKEN_WORD - 1);
	}
}

static int add_symbols(struct lh_merger *m, const char *p, const char *end, struct lh_err *err)
{
	for (size_t n; p < end; p += n) {
		unsigned char c = (unsigned char)*p;

		n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (lh_merger_add(m, p, n, lh_trie_walk(&m->t->trie, LH_TRIE_ROOT, p, n), err) < 0)
			return -1;
	}
	lh_merger_run(m);
	return 0;
}

/* Append the token of a add_token, or of its bytes. */
static void add_token(const struct lh_tokenizer *t, const struct lh_symbol *s,
		      struct lh_token_list *to)
{
	uint32_t id = s->node ? t->trie.value[s->node] : LH_TRIE_NONE;

	if (id != LH_TRIE_NONE) {
		lh_tokens_push(to, id);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		lh_tokens_push(to, t->byte[(unsigned char)s->p[i]]);
}

int lh_spm(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err)
{
	struct lh_merger m = { .t = t, .find = find_token };
	struct lh_buf all = { 0 };
	int rc;

	escape(t, text, &all);
	rc = add_symbols(&m, all.p, all.p + all.len, err);
	for (uint32_t i = 0; !rc && i != LH_NO_SYMBOL; i = m.at[i].next)
		add_token(t, &m.at[i], to);
	lh_merger_free(&m);
	lh_buf_free(&all);
	return rc;
}
