/* query_weights.c - see query_weights.h. */
#include "query_weights.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"
#include "file/file.h"
#include "json/value.h"
#include "tokenizer_parts.h"

#define FILE_MAX (1u << 30)
#define BEGINS "\xff"	/* in front of terms that begin a word; no text has this byte */

struct lh_query_weights {
	struct lh_intern terms;
	double *weight;
	size_t cap;
	struct lh_trie trie;		/* the terms as tokenizer.h has them */
};

/* Add a term to the trie, where those that begin a word are marked, and not the others. */
static int add_piece(struct lh_query_weights *q, struct lh_str term, uint32_t number,
		     struct lh_buf *key, struct lh_err *err)
{
	bool inner = term.n > 2 && !memcmp(term.p, "##", 2);

	lh_buf_reset(key);
	if (!inner)
		lh_buf_add(key, BEGINS, strlen(BEGINS));
	lh_buf_add(key, term.p + 2 * inner, term.n - 2 * inner);
	if (lh_buf_check(key, err) < 0)
		return -1;
	if (lh_trie_add(&q->trie, (struct lh_str){ key->p, key->len }, &number, err) < 0)
		return -1;
	return 0;
}

static int add_term(struct lh_query_weights *q, const struct lh_iter *it, struct lh_buf *scratch,
		    struct lh_err *err)
{
	double weight = it->val.type == LH_NUMBER ? lh_value_f64(&it->val) : -1;
	struct lh_str term;
	uint32_t number;

	if (!(weight >= 0) || weight > __FLT_MAX__)
		return lh_err_set(err, LH_EIO,
				  "the weight of %.*s must be a number from 0 to 3.4e38",
				  (int)(it->key.n < 100 ? it->key.n : 100), it->key.p);
	lh_buf_reset(scratch);
	if (lh_value_str(&it->key, scratch, &term, err) < 0)
		return -1;
	if (!term.n)
		return 0;	/* no piece of a text */
	if (lh_intern_add(&q->terms, term.p, term.n, &number, err) < 0 ||
	    lh_grow(&q->weight, &q->cap, q->terms.n, sizeof *q->weight, err) < 0)
		return -1;
	q->weight[number] = weight;
	return add_piece(q, lh_intern_text(&q->terms, number), number, scratch, err);
}

static int read_table(struct lh_query_weights *q, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, scratch = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	struct lh_iter it;
	int rc;

	lh_buf_init(&text, FILE_MAX);
	rc = lh_file_read(path, &text, err);
	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_set(err, LH_EIO, "%s: there is no such file", path);
	if (lh_json_parse(&scan, text.p ? text.p : "", text.len, &v, err) < 0)
		return lh_err_prefix(err, "%s", path);
	if (v.type != LH_OBJECT)
		return lh_err_set(err, LH_EIO, "%s: it must be one JSON object of weights", path);
	for (lh_iter_init(&it, &v); lh_iter_next(&it); )
		if (add_term(q, &it, &scratch, err) < 0)
			return lh_err_prefix(err, "%s", path);
	return 0;
}

struct lh_query_weights *lh_query_weights_open(const char *path, struct lh_err *err)
{
	struct lh_query_weights *q = lh_calloc(1, sizeof *q, err);

	if (!q)
		return NULL;
	if (lh_trie_init(&q->trie, 1, err) == 0 && read_table(q, path, err) == 0)
		return q;
	if (err->code != LH_ENOMEM)
		err->code = LH_EIO;	/* also what is not JSON: it is no record */
	lh_query_weights_free(q);
	return NULL;
}

void lh_query_weights_free(struct lh_query_weights *q)
{
	if (!q)
		return;
	lh_intern_free(&q->terms);
	lh_trie_free(&q->trie);
	free(q->weight);
	free(q);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int lh_query_weights_read(const struct lh_query_weights *q, struct lh_str text,
			  struct lh_query_terms *to, struct lh_err *err)
{
	const struct lh_pieces by = { &q->trie, BEGINS, LH_TRIE_NONE };
	struct lh_token_list pieces = { .id = to->piece, .cap = to->cap_pieces };
	size_t i;
	int rc = lh_wordpiece(&by, text, &pieces, err);

	to->piece = pieces.id;
	to->cap_pieces = pieces.cap;
	to->n = 0;
	if (rc < 0 || lh_grow(&to->v, &to->cap, pieces.n, sizeof *to->v, err) < 0)
		return -1;
	if (pieces.n)
		qsort(pieces.id, pieces.n, sizeof *pieces.id, by_number);
	for (i = 0; i < pieces.n; i++) {
		uint32_t id = pieces.id[i];

		if (id != LH_TRIE_NONE && q->weight[id] > 0 && (!i || id != pieces.id[i - 1]))
			to->v[to->n++] = (struct lh_weighted){ lh_intern_text(&q->terms, id),
							       q->weight[id] };
	}
	return 0;
}

void lh_query_terms_free(struct lh_query_terms *t)
{
	free(t->v);
	free(t->piece);
	*t = (struct lh_query_terms){ .v = NULL };
}
