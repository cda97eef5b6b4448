/* corpus.c - find samples for tasks, in the export or in an index.  See replay.h. */
#include <stdlib.h>

#include "index/index.h"
#include "base/mem.h"
#include "base/signal.h"
#include "embed/embedder.h"
#include "file/rows.h"
#include "json/bind.h"
#include "replay.h"

/* ---- samples as artifacts ---- */

static struct kept *kept_new(const struct lh_str *id, const char *text, size_t n)
{
	struct kept *k = lh_calloc(1, sizeof *k + id->n + n + LH_PAD);

	k->refs = 1;
	k->id_n = id->n;
	k->n = n;
	k->text = k->id + id->n;
	memcpy(k->id, id->p, id->n);
	memcpy(k->text, text, n);
	return k;
}

static void kept_drop(struct kept *k)
{
	if (k && --k->refs == 0)
		free(k);
}

static int compare(const char *a, size_t an, const char *b, size_t bn)
{
	int rc = memcmp(a, b, an < bn ? an : bn);

	return rc ? rc : (an > bn) - (an < bn);
}

static bool before(double score, const char *id, size_t n, const struct hit *h)
{
	return score > h->score ||
		(score == h->score && compare(id, n, h->kept->id, h->kept->id_n) < 0);
}

/* Return whether a sample of that score and id would be among them. */
static bool hits_want(const struct hits *h, double score, const struct lh_str *id)
{
	return h->n < HITS || before(score, id->p, id->n, &h->v[h->n - 1]);
}

static void hits_put(struct hits *h, double score, struct kept *k)
{
	size_t i;

	if (h->n == HITS)
		kept_drop(h->v[--h->n].kept);
	for (i = h->n; i && before(score, k->id, k->id_n, &h->v[i - 1]); i--)
		h->v[i] = h->v[i - 1];
	h->v[i] = (struct hit){ score, k };
	k->refs++;
	h->n++;
}

void hits_reset(struct hits *h)
{
	while (h->n)
		kept_drop(h->v[--h->n].kept);
}

void found_free(struct found *f)
{
	lh_record_free(&f->scan);
	lh_buf_free(&f->text);
}

#define TEXT(name) \
	{ LH_BIND_VALUE(#name, struct sample, name, LH_BIND_IS(LH_STRING)), .required = true }

static const struct lh_bind members[] = {
	TEXT(id),
	TEXT(title),
	TEXT(content),
	{ LH_BIND_ARRAY("tags", struct sample, tags), .required = true,
	  .each = LH_BIND_IS(LH_STRING) },
	TEXT(source_run_id),
	TEXT(success_score),
	LH_BIND_END
};

/* Read a sample, with an id if it must have one; LH_EDATA. */
static int sample_read(struct sample *s, const struct lh_record *rec, bool with_id,
		       struct lh_err *err)
{
	return lh_bind(with_id ? members : members + 1, rec, s, NULL, err);
}

static size_t preview(const struct lh_str *s)
{
	size_t i, points = 0;

	for (i = 0; i < s->n; i++)
		if (((unsigned char)s->p[i] & 0xc0) != 0x80 && points++ == PREVIEW)
			break;
	return i;
}

static int read_one(struct found *f, const struct hit *h, struct artifact *a, struct lh_err *err)
{
	struct sample s;

	if (lh_record_parse(&f->scan, h->kept->text, h->kept->n, err) < 0 ||
	    sample_read(&s, &f->scan, false, err) < 0)
		return -1;
	lh_value_str(&s.title, &f->text, &a->title);
	lh_value_str(&s.content, &f->text, &a->content);
	lh_value_str(&s.source_run_id, &f->text, &a->source_run_id);
	lh_value_str(&s.success_score, &f->text, &a->success_score);
	a->rag_id = (struct lh_str){ h->kept->id, h->kept->id_n };
	a->preview = (struct lh_str){ a->content.p, preview(&a->content) };
	a->tags = s.tags;
	a->score = h->score;
	return 0;
}

int found_read(struct found *f, const struct hits *h, struct lh_err *err)
{
	size_t i, n = 1;

	lh_buf_reset(&f->text);
	for (i = 0; i < h->n; i++)
		n += h->v[i].kept->n;
	lh_buf_room(&f->text, n);	/* so that its contents do not move */
	for (f->n = 0; f->n < h->n; f->n++)
		if (read_one(f, &h->v[f->n], &f->v[f->n], err) < 0)
			return -1;
	return 0;
}

/* ---- the export, in one pass ---- */

/*
 * See
 * replay.h.
 *
 * A sample's words are only searched among those of the tasks.  The number of its
 * different words, which needs a set, is counted only if it may be among a task's
 * best: the number of words shared with a task of n words, divided by n, is an
 * upper bound of its score.
 */

struct corpus {
	const char *path;
	struct lh_rows *rows;
	struct lh_record rec;
	struct lh_buf text, id;		/* of a sample: title, content and tags; its id unescaped */
	/* of all tasks; seen: the line in which a word was seen last */
	struct words asked;
	struct words own;		/* of a sample */
	size_t n;			/* tasks */
	size_t total[BATCH];		/* words of a task, ... */
	size_t shared[BATCH];		/* ... and how many of them the sample has */
	struct hits *const *hits;
};

struct corpus *corpus_new(const char *path)
{
	struct corpus *c = lh_calloc(1, sizeof *c);

	c->path = path;
	c->rows = lh_rows_new();
	return c;
}

void corpus_free(struct corpus *c)
{
	if (!c)
		return;
	lh_rows_free(c->rows);
	lh_record_free(&c->rec);
	lh_buf_free(&c->text);
	lh_buf_free(&c->id);
	words_free(&c->asked);
	words_free(&c->own);
	free(c);
}

static void put_text(struct corpus *c, const struct lh_value *v)
{
	struct lh_str s;

	lh_value_str(v, &c->text, &s);
	if (!v->escaped)
		lh_buf_add(&c->text, s.p, s.n);
	lh_buf_putc(&c->text, '\n');
}

/* Read the sample: all parts with words as one text, and its id. */
static int read_sample(struct corpus *c, const struct lh_file_row *row, struct lh_str *id,
		       struct lh_err *err)
{
	size_t mark = row->line == 1 ? lh_mark_len(row->p, row->n) : 0;
	struct sample s;
	struct lh_iter it;

	lh_buf_reset(&c->text);
	lh_buf_reset(&c->id);
	if (lh_record_parse(&c->rec, row->p + mark, row->n - mark, err) < 0 ||
	    sample_read(&s, &c->rec, true, err) < 0)
		return -1;
	lh_value_str(&s.id, &c->id, id);
	put_text(c, &s.title);
	put_text(c, &s.content);
	for (lh_iter_init(&it, &s.tags); lh_iter_next(&it); )
		put_text(c, &it.val);
	return 0;
}

/* Count what the sample shares with each task; return the mask of those with at
 * least one word. */
static uint64_t count_shared(struct corpus *c, uint64_t line)
{
	struct word_iter it;
	uint64_t all = 0, mask;
	struct word *w;

	for (word_iter_init(&it, c->text.p, c->text.len); word_next(&it); ) {
		w = words_find(&c->asked, &it);
		if (!w || w->seen == line)
			continue;
		w->seen = line;
		for (mask = w->mask; mask; mask &= mask - 1) {
			int t = __builtin_ctzll(mask);

			c->shared[t] = all >> t & 1 ? c->shared[t] + 1 : 1;
			all |= UINT64_C(1) << t;
		}
	}
	return all;
}

/* Offer the sample to the task. */
static int offer(struct corpus *c, int t, const struct lh_str *id, struct kept **kept,
		 struct lh_err *err)
{
	struct hits *h = c->hits[t];
	double score;

	if (!hits_want(h, (double)c->shared[t] / (double)c->total[t], id))
		return 0;
	if (!c->own.n && words_add(&c->own, c->text.p, c->text.len, 0, err) < 0)
		return -1;
	score = (double)c->shared[t] / (double)(c->total[t] + c->own.n - c->shared[t]);
	if (!hits_want(h, score, id))
		return 0;
	if (!*kept)
		*kept = kept_new(id, c->rec.line, c->rec.len);
	hits_put(h, score, *kept);
	return 0;
}

static int damaged(const struct corpus *c, uint64_t line, struct lh_err *err)
{
	unsigned long long at = line;

	err->code = LH_ECORRUPT;
	if (err->column)
		return lh_err_prefix(err, "%s:%llu:%zu", c->path, at, err->column);
	return lh_err_prefix(err, "%s:%llu", c->path, at);
}

static int on_sample(struct corpus *c, const struct lh_file_row *row, struct lh_err *err)
{
	struct kept *kept = NULL;
	struct lh_str id;
	uint64_t mask;
	int rc = read_sample(c, row, &id, err);

	if (rc < 0)
		return err->code == LH_EDATA ? damaged(c, row->line, err) : -1;
	mask = count_shared(c, row->line);
	if (mask)
		words_reset(&c->own);
	for (; !rc && mask; mask &= mask - 1)
		rc = offer(c, __builtin_ctzll(mask), &id, &kept, err);
	kept_drop(kept);
	return rc;
}

static int ask(struct corpus *c, const struct lh_str *const *task, size_t n, struct lh_err *err)
{
	size_t i, k;

	words_reset(&c->asked);
	for (i = 0; i < n; i++) {
		c->total[i] = 0;
		if (words_add(&c->asked, task[i]->p, task[i]->n, UINT64_C(1) << i, err) < 0)
			return -1;
	}
	for (k = 0; k < c->asked.n; k++)
		for (i = 0; i < n; i++)
			c->total[i] += c->asked.word[k].mask >> i & 1;
	return 0;
}

int corpus_find(struct corpus *c, const struct lh_str *const *task, struct hits *const *hits,
		size_t n, struct lh_err *err)
{
	struct lh_file_row row;
	size_t i;
	int rc;

	c->hits = hits;
	for (i = 0; i < n; i++)
		hits_reset(hits[i]);
	if (ask(c, task, n, err) < 0)
		return -1;
	rc = lh_rows_open(c->rows, c->path, err);
	while (rc > 0 && (rc = lh_rows_next(c->rows, &row, err)) > 0) {
		if (row.line % 1024 == 0 && lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (on_sample(c, &row, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- an index ---- */

struct index {
	const struct lh_index *ix;
	const char *path;
	struct lh_embedder *texts;
	struct lh_searcher *searcher;
	struct lh_record rec;
	struct lh_buf vector;
};

bool index_asks(const struct lh_index *ix)
{
	const char *engine = lh_index_get_params(ix)->engine;

	return !strcmp(engine, lh_engine_name(LH_ENGINE_OLLAMA)) ||
		!strcmp(engine, lh_engine_name(LH_ENGINE_OPENAI));
}

struct index *index_new(const struct lh_index *ix, const char *path, struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_get_params(ix);
	struct index *x = lh_calloc(1, sizeof *x);

	x->ix = ix;
	x->path = path;
	if (p->engine[0]) {
		x->texts =
			lh_embedder_new(&(struct lh_embedder_options){ .engine = p->engine,
								       .model = p->model,
								       .url = p->url,
								       .dimension = p->dimension,
								       .prefix = p->query_prefix },
					err);
		x->searcher = x->texts ? lh_searcher_new(ix, err) : NULL;
	} else {
		lh_err_set(err, LH_EUSAGE, "it has no engine to embed text with");
	}
	if (x->searcher)
		return x;
	lh_err_prefix(err, "--index: %s", path);
	index_free(x);
	return NULL;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	lh_embedder_free(x->texts);
	lh_searcher_free(x->searcher);
	lh_record_free(&x->rec);
	lh_buf_free(&x->vector);
	free(x);
}

static int embed(struct index *x, const struct lh_str *task, struct lh_str trace,
		 struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_get_params(x->ix);
	uint32_t got;

	lh_buf_reset(&x->vector);
	if (lh_embedder_ask(x->texts,
			    &(struct lh_embedder_ask){ .text = task, .n = 1, .trace = trace },
			    &x->vector, &got, err) < 0)
		return -1;
	if (got != p->dimension)
		return lh_err_set(err, LH_ENET, "engine %s made dimension %u, not %u", p->engine,
				  got, p->dimension);
	if (p->distance == LH_COSINE && !lh_vec_unit((float *)(void *)x->vector.p, got))
		return lh_err_set(err, LH_ENET, "engine %s made a vector without a direction",
				  p->engine);
	return 0;
}

/* Convert a distance to a similarity, 1 for equal. */
static double alike(const struct lh_index_params *p, double distance)
{
	return p->distance == LH_L2 ? 1 / (1 + distance) : 1 - distance;
}

/* Add a hit; the members of a sample are in the row's metadata. */
static int put_hit(struct index *x, const struct lh_hit *hit, struct hits *hits, struct lh_err *err)
{
	struct sample s;
	struct kept *kept = NULL;
	struct lh_row row;
	double score;
	int rc = lh_index_row(x->ix, hit->row, &row, err);

	if (rc == 0)
		return lh_err_set(err, LH_ECORRUPT, "row %llu: found, but not there",
				  (unsigned long long)hit->row);
	if (rc < 0)
		return -1;
	score = alike(lh_index_get_params(x->ix), hit->distance);
	if (score <= 0)
		return 0;
	kept = kept_new(&row.id, row.meta.n ? row.meta.p : "{}", row.meta.n ? row.meta.n : 2);
	rc = lh_record_parse(&x->rec, kept->text, kept->n, err);
	if (!rc)
		rc = sample_read(&s, &x->rec, false, err);
	if (rc < 0 && err->code == LH_EDATA)
		lh_err_prefix(err, "metadata of %.*s", row.id.n < 200 ? (int)row.id.n : 200,
			      row.id.p);
	if (!rc)
		hits_put(hits, score, kept);
	kept_drop(kept);
	return rc;
}

int index_find(struct index *x, const struct lh_str *task, struct lh_str trace, struct hits *hits,
	       struct lh_err *err)
{
	struct lh_query q = { .k = HITS };
	struct lh_hit hit[HITS];
	long n = -1, i;
	int rc;

	hits_reset(hits);
	rc = embed(x, task, trace, err);
	q.vector = (const float *)(const void *)x->vector.p;
	if (!rc && (n = lh_index_search(x->searcher, &q, hit, err)) < 0)
		rc = -1;
	for (i = 0; !rc && i < n; i++)
		rc = put_hit(x, &hit[i], hits, err);
	if (rc == 0 || err->code == LH_EINTR)
		return rc;
	err->code = LH_ECORRUPT;	/* whatever it is, it ends the run */
	return lh_err_prefix(err, "%s", x->path);
}
