/*
 * gguf.c - the engine gguf: a transformer in a GGUF file, in this process.
 *
 * Records are read by one thread; the texts of a batch are sorted by their length, divided into
 * pieces of some hundred tokens, and the pieces encoded by all threads.
 */
#include <pthread.h>
#include <stdlib.h>

#include "vector/distance.h"
#include "base/mem.h"
#include "base/signal.h"
#include "embed.h"
#include "service.h"

/* ---- the model ---- */

void gguf_free(struct gguf *g)
{
	if (g)
		lh_loaded_close(&g->model);
	free(g);
}

bool gguf_stale(const struct gguf *g)
{
	return lh_model_stale(&g->model.found);
}

static struct lh_encoder_how how_of(const struct embed *e)
{
	return (struct lh_encoder_how){ .raw = true, .fast = e->fast,
					.threads = (unsigned)e->threads };
}

static int identify(struct gguf *g, struct lh_err *err)
{
	return lh_model_identify(g->model.source.name, g->model.source.xxh3, g->id, err);
}

/* Open the model that e->operand names; gguf_free also frees after a failure. */
static int gguf_open(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	struct lh_encoder_how how = how_of(e);
	struct lh_err unused;
	int rc = lh_loaded_open(&g->model, e->operand, &how, &unused, err);

	if (unused.code)
		lh_tool_message(e->tool, "%s: not used (--compile makes it again)", unused.msg);
	if (rc < 0)
		return -1;
	lh_encoder_info(g->model.encoder, &g->info);
	if (e->context > g->info.context)
		return lh_tool_usage(e->tool, "--context %llu: %s has %llu positions",
				     (unsigned long long)e->context, g->model.found.path,
				     (unsigned long long)g->info.context);
	g->info.context = e->context ? e->context : g->info.limit;
	return identify(g, err);
}

int gguf_open_source(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	struct lh_encoder_how how = how_of(e);

	return lh_loaded_source(&g->model, e->operand, &how, err) < 0 ? -1 : identify(g, err);
}

/* ---- the engine ---- */

#define TEXTS_A_THREAD 32	/* in a batch, unless --batch says otherwise */
#define PIECE_MIN 128		/* tokens: fewer do not fill the encoder's matrix */
#define PIECE_MAX 512
#define PIECES_A_THREAD 4
#define TOKENS_KEPT 65536	/* a longer list is not kept for the next text */

/* ---- settings ---- */

/* Check the options that depend on the model. */
static int check_model(const struct embed *e)
{
	const struct gguf *g = e->gguf;

	if (e->dimension > g->info.width)
		return lh_tool_usage(e->tool, "--dimension %llu: the vectors of %s have %llu",
				     (unsigned long long)e->dimension, g->id,
				     (unsigned long long)g->info.width);
	if (e->each && (e->wire >= 0 || e->cache))
		return lh_tool_usage(e->tool, "%s: a model without pooling makes a vector of each "
				     "token: --%s is for one of each text", g->model.found.path,
				     e->wire >= 0 ? "wire" : "cache");
	return 0;
}

static int gguf_check(struct embed *e)
{
	struct lh_err *err = &e->tool->err;

	if (!e->model)
		return lh_tool_usage(e->tool,
				     "--engine gguf: name the model by --model FILE or NAME");
	if (e->url)
		return lh_tool_usage(e->tool, "--url: engine gguf has no service");
	if (e->dimension)
		e->narrow = e->dimension;	/* another model later is cut, too */
	if (!e->threads) {
		e->threads = e->tool->jobs;
		e->tool->jobs = 1;
	}
	if (!e->batch)
		e->batch = TEXTS_A_THREAD * e->threads;
	if (e->batch > BATCH_MAX)
		e->batch = BATCH_MAX;
	e->operand = e->model;
	e->gguf = lh_calloc(1, sizeof *e->gguf);
	if (gguf_open(e->gguf, e, err) < 0) {
		gguf_free(e->gguf);
		e->gguf = NULL;
		return -1;
	}
	e->model = e->gguf->id;
	e->dimension = e->narrow ? e->narrow : e->gguf->info.width;
	e->each = e->gguf->info.each;
	return check_model(e);
}

/* The identity, the name alone, or that without ":latest". */
static bool gguf_knows(const struct embed *e, struct lh_str model)
{
	const char *name = e->gguf->model.source.name, *colon = strrchr(name, ':');
	size_t n = strlen(name);

	if (lh_model_same(model, (struct lh_str){ e->model, strlen(e->model) }))
		return true;
	if (model.n == n && !memcmp(model.p, name, n))
		return true;
	return e->gguf->model.found.manifest && colon && strcmp(colon, ":latest") == 0 &&
		model.n == (size_t)(colon - name) && !memcmp(model.p, name, model.n);
}

/* ---- tokens ---- */

int gguf_tokens(const struct embed *e, struct lh_str text, bool whole, struct lh_buf *scratch,
		struct lh_token_list *to, struct lh_err *err)
{
	const struct gguf *g = e->gguf;

	if (e->prefix) {
		lh_buf_reset(scratch);
		lh_buf_puts(scratch, e->prefix);
		lh_buf_add(scratch, text.p, text.n);
		text = (struct lh_str){ scratch->p, scratch->len };
	}
	if (lh_tokenizer_run(g->model.tokenizer, text, to, err) < 0)
		return -1;
	if (!to->n && !whole)
		return lh_err_data(err, 400, "text of no token that the model has");
	if (to->n <= g->info.context)
		return 0;
	if (e->truncate) {
		lh_tokenizer_truncate(g->model.tokenizer, to, g->info.context);
		return 1;
	}
	if (whole)
		return 0;
	return lh_err_data(err, 413, "text of %zu tokens, and the model takes %llu (--truncate "
			   "cuts it)", to->n, (unsigned long long)g->info.context);
}

/* ---- the engine ---- */

struct piece {
	size_t first, n;		/* of the sorted lists */
};

struct engine_gguf {
	const struct embed *e;
	struct lh_encoder_work **work;	/* of each thread; NULL: not needed yet */
	struct lh_token_list *tokens;	/* of each text */
	struct lh_token_list *list;		/* the same, sorted, without those refused; ... */
	size_t *at;			/* ... which texts these are */
	struct piece *piece;
	size_t n, n_pieces;
	struct lh_buf scratch, sorted;

	/* of the present call */
	atomic_size_t next;		/* piece that no thread has taken yet */
	pthread_mutex_t lock;
	struct lh_err failure;		/* of the first thread that failed; under lock */
};

static void engine_close(void *self)
{
	struct engine_gguf *s = self;
	size_t i;

	for (i = 0; s->work && i < s->e->threads; i++)
		lh_encoder_work_free(s->work[i]);
	for (i = 0; s->tokens && i < s->e->batch; i++)
		lh_token_list_free(&s->tokens[i]);
	lh_buf_free(&s->scratch);
	lh_buf_free(&s->sorted);
	pthread_mutex_destroy(&s->lock);
	free(s->work);
	free(s->tokens);
	free(s->list);
	free(s->at);
	free(s->piece);
	free(s);
}

static void *engine_open(struct embed *e, struct lh_err *err)
{
	struct engine_gguf *s = lh_calloc(1, sizeof *s);

	(void)err;
	s->e = e;
	pthread_mutex_init(&s->lock, NULL);
	s->work = lh_calloc(e->threads, sizeof(struct lh_encoder_work *));
	s->tokens = lh_calloc(e->batch, sizeof *s->tokens);
	s->list = lh_calloc(e->batch, sizeof *s->list);
	s->at = lh_calloc(e->batch, sizeof *s->at);
	s->piece = lh_calloc(e->batch, sizeof *s->piece);
	return s;
}

/* Divide the texts into tokens; one that cannot be is refused. */
static int read_texts(struct engine_gguf *s, const struct call *call, struct lh_err *err)
{
	size_t i;
	int rc;

	s->n = 0;
	for (i = 0; i < call->n; i++) {
		rc = gguf_tokens(s->e, call->text[i], false, &s->scratch, &s->tokens[i], err);
		if (rc < 0 && err->code != LH_EDATA)
			return -1;
		if (rc > 0)
			call->cut(call->ctx, i);
		if (rc < 0)
			call->refused(call->ctx, i, err);
		else
			s->at[s->n++] = i;
		if (rc < 0 && s->tokens[i].cap > TOKENS_KEPT)
			lh_token_list_free(&s->tokens[i]);
	}
	return 0;
}

static int by_length(const void *a, const void *b, void *self)
{
	const struct lh_token_list *t = ((const struct engine_gguf *)self)->tokens;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;

	if (t[i].n != t[k].n)
		return t[i].n < t[k].n ? 1 : -1;
	return i < k ? -1 : i > k;
}

/* Sort the lists, the longest first, and divide them into pieces. */
static void divide(struct engine_gguf *s)
{
	size_t i, total = 0, want, have = PIECE_MAX;

	qsort_r(s->at, s->n, sizeof *s->at, by_length, s);
	for (i = 0; i < s->n; i++) {
		s->list[i] = s->tokens[s->at[i]];
		total += s->list[i].n;
	}
	want = total / (s->e->threads * PIECES_A_THREAD);
	want = want < PIECE_MIN ? PIECE_MIN : want > PIECE_MAX ? PIECE_MAX : want;
	s->n_pieces = 0;
	for (i = 0; i < s->n; i++) {
		if (have >= want) {
			s->piece[s->n_pieces++] = (struct piece){ .first = i };
			have = 0;
		}
		s->piece[s->n_pieces - 1].n++;
		have += s->list[i].n;
	}
}

/* Encode pieces until none is left, or one failed. */
static void encode(void *engine, size_t thread)
{
	struct engine_gguf *s = engine;
	struct lh_encoder_work **work = &s->work[thread];
	float *to = (float *)(void *)s->sorted.p;
	struct lh_err err = { .code = LH_OK };
	size_t i;

	if (!*work)
		*work = lh_encoder_work_new(s->e->gguf->model.encoder);
	while (!err.code && (i = atomic_fetch_add(&s->next, 1)) < s->n_pieces) {
		const struct piece *p = &s->piece[i];

		if (lh_stopping())
			lh_err_set(&err, LH_EINTR, "interrupted");
		else
			lh_encoder_run(*work, s->list + p->first, p->n,
				       to + p->first * s->e->gguf->info.width, &err);
	}
	if (!err.code)
		return;
	atomic_store(&s->next, s->n_pieces);
	pthread_mutex_lock(&s->lock);
	if (!s->failure.code)
		s->failure = err;
	pthread_mutex_unlock(&s->lock);
}

static int encode_all(struct engine_gguf *s, struct lh_err *err)
{
	s->failure.code = LH_OK;
	atomic_store(&s->next, 0);
	lh_signal_crew(s->n_pieces < s->e->threads ? s->n_pieces : s->e->threads, encode, s);
	if (s->failure.code)
		*err = s->failure;
	return s->failure.code ? -1 : 0;
}

static int gguf_many(void *self, const struct call *call, struct lh_buf *out, struct lh_err *err)
{
	struct engine_gguf *s = self;
	size_t dimension = s->e->dimension, width = s->e->gguf->info.width, i;
	size_t bytes = call->n * dimension * sizeof(float);
	float *to;
	const float *v;
	struct lh_err why;

	if (read_texts(s, call, err) < 0)
		return -1;
	divide(s);
	atomic_store(&call->model->dimension, s->e->dimension);
	lh_buf_reset(&s->sorted);
	to = (float *)(void *)lh_buf_room(out, bytes);
	lh_buf_room(&s->sorted, call->n * width * sizeof *to);
	if (encode_all(s, err) < 0)
		return -1;
	/* Put the vectors, or their beginnings, in the order of the texts. */
	v = (const float *)(const void *)s->sorted.p;
	memset(to, 0, bytes);
	lh_err_data(&why, 500, "the model makes no finite vector of this text");
	for (i = 0; i < s->n; i++, v += width) {
		if (lh_vec_finite(v, width))
			memcpy(to + s->at[i] * dimension, v, dimension * sizeof *v);
		else
			call->refused(call->ctx, s->at[i], &why);
	}
	lh_buf_took(out, bytes);
	return 0;
}

const struct engine engine_gguf = {
	.name = "gguf",
	.check = gguf_check,
	.open = engine_open,
	.close = engine_close,
	.many = gguf_many,
	.knows = gguf_knows,
};
