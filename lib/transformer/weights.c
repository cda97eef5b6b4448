/* weights.c - open and close a model: its weights, in one block of memory.  See encoder.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "encoder_parts.h"
#include "gguf.h"

/* ---- weights ---- */

/*
 * The model is gone through twice: first the shape of every tensor is checked and the memory for
 * the weights is counted, then each gets its place.  Tensors are decoded and put into their
 * places by all threads at the end.  Of a compiled model the block is mapped, and only the places
 * are found.
 */

#define LINE (64 / sizeof(float))	/* floats in a line of the cache */
#define ROWS_A_JOB 1024
#define THREADS_MAX 64
#define NO_LAYER UINT64_MAX
#define PARTS 3			/* tensors of a matrix, at most */

/* Rows first..first+n of a tensor are finite, and outputs at.. of a matrix. */
struct job {
	const struct lh_gguf_tensor *t;
	uint64_t first, n;
	struct lh_panels to;		/* product NULL: only checked */
	size_t at;
};

struct loader {
	struct lh_encoder *e;
	struct lh_gguf *g;		/* NULL: a compiled model */
	const struct lh_compiled *c;
	float *memory;			/* NULL: the first time */
	size_t used, most;		/* floats */
	size_t packings;		/* matrices so far */
	uint64_t layer;
	struct job *job;
	size_t jobs, jobs_cap;
	struct lh_err *err;
};

/* Return the product for a matrix of tensors of a type.  Without fast it is exact. */
static const struct lh_product *lh_encoder_product(const struct lh_encoder *e, uint32_t type,
						   enum lh_rounding rounding)
{
	if (e->how.pairs && !e->how.fast)
		return lh_product_of_floats(type);
	return lh_product(type, e->how.fast && !e->how.pairs ? rounding : LH_EXACT);
}

/* ---- tensors ---- */

static const struct lh_gguf_tensor *find_tensor(struct loader *l, const char *name, uint64_t a,
						uint64_t b, uint64_t c, bool at_least)
{
	return lh_gguf_find(l->g, name, (const uint64_t[3]){ a, b, c }, at_least, l->err);
}

/* Have rows checked and put into a matrix, the second time. */
static void plan(struct loader *l, const struct lh_gguf_tensor *t, uint64_t first, uint64_t n,
		 const struct lh_panels *to, size_t at)
{
	const struct lh_panels none = { .product = NULL };
	uint64_t some;

	for (; l->memory && n; first += some, at += some, n -= some) {
		some = n < ROWS_A_JOB ? n : ROWS_A_JOB;
		lh_grow(&l->job, &l->jobs_cap, l->jobs + 1, sizeof *l->job);
		l->job[l->jobs++] = (struct job){ t, first, some, to ? *to : none, at };
	}
}

/* Take n floats of the memory; NULL the first time. */
static int take(struct loader *l, size_t n, const float **to)
{
	size_t lines = (n + LINE - 1) / LINE * LINE;

	if (lines > l->most - l->used)
		return lh_compiled_wrong(l->c, "its weights are too few for its sizes", l->err);
	*to = l->memory ? l->memory + l->used : NULL;
	l->used += lines;
	return 0;
}

/* Decode the first rows of a tensor to their place, the second time. */
static void decode(struct loader *l, const struct lh_gguf_tensor *t, uint64_t rows, const float *to)
{
	for (uint64_t i = 0; to && i < rows; i++)
		lh_gguf_row(t, i, (float *)to + i * t->dim[0]);
	plan(l, t, 0, t->dim[1], NULL, 0);
}

/* Load rows of n values; room for a whole panel. */
static int load_rows(struct loader *l, const char *name, uint64_t n, uint64_t rows,
		     const float **to)
{
	const struct lh_gguf_tensor *t;

	if (take(l, lh_panels_round(n * rows), to) < 0)
		return -1;
	if (!l->g)
		return 0;
	t = find_tensor(l, name, n, rows, 1, false);
	if (!t)
		return -1;
	decode(l, t, rows, *to);
	return 0;
}

static int vector(struct loader *l, const char *name, uint64_t n, const float **to)
{
	return load_rows(l, name, n, 1, to);
}

/* Load a vector that may be absent, for zeros. */
static int vector_if_there(struct loader *l, const char *name, uint64_t n, const float **to)
{
	if (!l->g || lh_gguf_tensor(l->g, name))
		return vector(l, name, n, to);
	return take(l, lh_panels_round(n), to);
}

/* Write the name of a tensor of the layer, or of the model. */
static void name_of(const struct loader *l, const char *part, const char *end, char name[96])
{
	if (l->layer == NO_LAYER)
		snprintf(name, 96, "%s%s", part, end);
	else
		snprintf(name, 96, "blk.%llu.%s%s", (unsigned long long)l->layer, part, end);
}

static int norm(struct loader *l, const char *part, uint64_t n, struct lh_norm *to)
{
	char name[96];

	name_of(l, part, ".weight", name);
	if (vector(l, name, n, &to->weight) < 0)
		return -1;
	name_of(l, part, ".bias", name);
	return l->e->design->biased ? vector(l, name, n, &to->bias) : 0;
}

/* ---- matrices ---- */

/* Keep the packing of the next matrix. */
static void add_packing(struct loader *l, const struct lh_gguf_tensor *const t[PARTS],
			enum lh_rounding rounding)
{
	struct lh_encoder *e = l->e;
	struct lh_packing *p;

	lh_grow(&e->packing, &e->packings_cap, e->packings + 1, sizeof *p);
	p = &e->packing[e->packings++];
	*p = (struct lh_packing){ .type = t[0]->type };
	for (size_t i = 1; i < PARTS && t[i]; i++)
		p->type = p->type == (uint32_t)t[i]->type ? p->type : UINT32_MAX;
	snprintf(p->name, sizeof p->name, "%s",
		 lh_packing(lh_encoder_product(e, p->type, rounding)));
}

/* Set the product of the next matrix. */
static int set_product(struct loader *l, const struct lh_gguf_tensor *const t[PARTS],
		       enum lh_rounding rounding, struct lh_panels *m)
{
	const struct lh_packing *p;

	if (l->g && !l->memory)
		add_packing(l, t, rounding);
	if (l->packings == l->e->packings)
		return lh_compiled_wrong(l->c, "a matrix has no packing", l->err);
	p = &l->e->packing[l->packings++];
	m->product = lh_encoder_product(l->e, p->type, rounding);
	if (strncmp(p->name, lh_packing(m->product), sizeof p->name))
		return lh_err_set(l->err, LH_ECORRUPT, "%s: compiled for another processor, "
				  "LH_KERNEL or --fast (weights are packed as %.*s, not %s)",
				  lh_compiled_path(l->c), (int)sizeof p->name, p->name,
				  lh_packing(m->product));
	if (p->type == LH_GGUF_Q8_0 && m->in % LH_Q8_INPUTS)
		return lh_compiled_wrong(l->c, "a matrix has rows of incomplete blocks", l->err);
	return 0;
}

/* Return where an output of a matrix is; gates are the first half of a gated one. */
static size_t place(const struct loader *l, const struct lh_panels *m, size_t output)
{
	size_t half = l->e->s.feed_forward, i = output % half;

	if (!m->gated)
		return output;
	return (i - i % LH_PANEL) * 2 + output / half * LH_PANEL + i % LH_PANEL;
}

/* Set up a matrix, with memory for its weights. */
static int panels(struct loader *l, const struct lh_gguf_tensor *const t[PARTS], uint64_t in,
		  uint64_t out, enum lh_rounding rounding, struct lh_panels *to)
{
	const float *w = NULL;

	*to = (struct lh_panels){ .in = in, .out = out, .gated = to->gated };
	if (to->gated)
		to->out = 2 * lh_panels_round(out / 2);
	if (set_product(l, t, rounding, to) < 0 ||
	    take(l, lh_panels_bytes(to->product, in, to->out) / sizeof(float), &w) < 0)
		return -1;
	to->w = w;
	return 0;
}

struct part {			/* a tensor of a matrix; the last of fewer has no name */
	const char *name;
	uint64_t out;
};

/* Load the biases of a matrix, as far as there are some. */
static int biases(struct loader *l, const struct part part[PARTS], struct lh_panels *to)
{
	const struct lh_gguf_tensor *t;
	char name[96];
	size_t at = 0;

	if (take(l, lh_panels_round(to->out), &to->bias) < 0)
		return -1;
	for (size_t i = 0; l->g && i < PARTS && part[i].name; at += part[i++].out) {
		name_of(l, part[i].name, ".bias", name);
		if (!lh_gguf_tensor(l->g, name))
			continue;
		if (!(t = find_tensor(l, name, part[i].out, 1, 1, false)))
			return -1;
		LH_SCOPED(lh_free_local) float *row = lh_calloc(part[i].out, sizeof *row);
		decode(l, t, 1, row);
		for (size_t k = 0; to->bias && k < part[i].out; k++)
			((float *)to->bias)[place(l, to, at + k)] = row[k];
	}
	return 0;
}

/* Load a matrix whose outputs are those of up to three tensors, and their biases. */
static int matrix(struct loader *l, const struct part part[PARTS], uint64_t in,
		  enum lh_rounding rounding, struct lh_panels *to)
{
	const struct lh_gguf_tensor *t[PARTS] = { NULL };
	uint64_t out = 0, at = 0;
	char name[96];

	for (size_t i = 0; i < PARTS && part[i].name; out += part[i++].out) {
		name_of(l, part[i].name, ".weight", name);
		if (l->g && !(t[i] = find_tensor(l, name, in, part[i].out, 1, false)))
			return -1;
	}
	if (panels(l, t, in, out, rounding, to) < 0)
		return -1;
	for (size_t i = 0; i < PARTS && t[i]; at += part[i++].out)
		plan(l, t[i], 0, part[i].out, to, at);
	return biases(l, part, to);
}

/* Load the matrices of all experts, which are one tensor. */
static int expert_matrices(struct loader *l, const char *part, uint64_t in, uint64_t out,
			   struct lh_panels **to)
{
	const struct lh_gguf_tensor *t[PARTS] = { NULL };
	uint64_t n = l->e->s.experts;
	char name[96];

	name_of(l, part, ".weight", name);
	if (l->g && !(t[0] = find_tensor(l, name, in, out, n, false)))
		return -1;
	if (!*to)
		*to = lh_calloc(n, sizeof **to);
	for (uint64_t i = 0; i < n; i++) {
		if (panels(l, t, in, out, LH_FINE, &(*to)[i]) < 0)
			return -1;
		if (l->g)
			plan(l, t[0], i * out, out, &(*to)[i], 0);
	}
	return 0;
}

/* ---- the model ---- */

static int feed_forward(struct loader *l, struct lh_layer *to)
{
	uint64_t width = l->e->s.width, ff = l->e->s.feed_forward;
	const struct part router[PARTS] = { { "ffn_gate_inp", l->e->s.experts } },
			  gated[PARTS] = { { "ffn_gate", ff }, { "ffn_up", ff } },
			  both[PARTS] = { { "ffn_up", 2 * ff } }, up[PARTS] = { { "ffn_up", ff } },
			  down[PARTS] = { { "ffn_down", width } };

	if (l->e->s.moe_every && l->layer % l->e->s.moe_every == 1)
		return matrix(l, router, width, LH_EXACT, &to->router) < 0 ||
		       expert_matrices(l, "ffn_up_exps", width, ff, &to->up_of) < 0 ||
		       expert_matrices(l, "ffn_down_exps", ff, width, &to->down_of) < 0 ? -1 : 0;
	to->up.gated = lh_encoder_gated(l->e);
	if (matrix(l, lh_encoder_has(l->e, LH_GATE) ? gated
		      : lh_encoder_has(l->e, LH_GATE_IN_UP) ? both : up,
		   width, LH_COARSE, &to->up) < 0)
		return -1;
	return matrix(l, down, ff, LH_COARSE, &to->down);
}

/* Load the projections: one tensor, or three.  A compiled model has them in one matrix. */
static int projections(struct loader *l, struct lh_layer *to)
{
	const struct lh_encoder *e = l->e;
	uint64_t q = lh_encoder_queries(e), kv = e->s.kv_heads * e->s.head;
	const struct part fused[PARTS] = { { "attn_qkv", q + 2 * kv } },
			  split[PARTS] = { { "attn_q", q }, { "attn_k", kv }, { "attn_v", kv } };
	char name[96];

	name_of(l, "attn_qkv", ".weight", name);
	return matrix(l, l->g && !lh_gguf_tensor(l->g, name) ? split : fused, e->s.width,
		      LH_FINE, &to->qkv);
}

static const char *const norms[LH_NORMS] = {
	[LH_ATTENTION_IN] = "attn_norm", [LH_QUERY] = "attn_q_norm", [LH_KEY] = "attn_k_norm",
	[LH_ATTENTION_POST] = "post_attention_norm", [LH_ATTENTION_OUT] = "attn_output_norm",
	[LH_ATTENTION_SECOND] = "attn_norm_2", [LH_FORWARD_IN] = "ffn_norm",
	[LH_FORWARD_POST] = "post_ffw_norm", [LH_LAYER_OUT] = "layer_output_norm",
};

/* Return the values that a norm of a layer has; 0: it has none. */
static uint64_t norm_values(const struct loader *l, unsigned place)
{
	const struct lh_encoder *e = l->e;
	uint64_t heads = place == LH_QUERY ? e->s.heads : e->s.kv_heads;

	if (!((e->design->norms | e->s.has) & LH_BIT(place)) ||
	    (place == LH_ATTENTION_IN && !l->layer && !lh_encoder_has(e, LH_FIRST_IN)))
		return 0;
	if (place != LH_QUERY && place != LH_KEY)
		return e->s.width;
	return e->design->rms ? e->s.head : heads * e->s.head;
}

/* Check that the layer has no tensor that is taken only if the first layer has it. */
static int check_alike(const struct loader *l, const char *part, enum lh_has what)
{
	char name[96];

	name_of(l, part, ".weight", name);
	if (!l->g || !(l->e->design->may & LH_BIT(what)) || lh_encoder_has(l->e, what) ||
	    !lh_gguf_tensor(l->g, name))
		return 0;
	return lh_err_set(l->err, LH_ECORRUPT, "%s: tensor \"%s\" is one that the first layer does "
			  "not have", lh_gguf_path(l->g), name);
}

static int layer(struct loader *l, struct lh_layer *to)
{
	const struct part out[PARTS] = { { "attn_output", l->e->s.width } };
	uint64_t n;

	to->local = l->e->s.window && l->e->s.local[l->layer / 64] >> l->layer % 64 & 1;
	if (check_alike(l, "ffn_gate", LH_GATE) < 0 || projections(l, to) < 0)
		return -1;
	if (matrix(l, out, lh_encoder_queries(l->e), LH_FINE, &to->out) < 0 ||
	    feed_forward(l, to) < 0)
		return -1;
	for (unsigned i = 0; i < LH_NORMS; i++) {
		if (check_alike(l, norms[i], (enum lh_has)i) < 0)
			return -1;
		n = norm_values(l, i);
		if (n && norm(l, norms[i], n, &to->norm[i]) < 0)
			return -1;
	}
	return 0;
}

/* Find the embeddings of types, if the model has them. */
static int types(struct loader *l)
{
	struct lh_encoder *e = l->e;
	const struct lh_gguf_tensor *t;

	if (!lh_encoder_has(e, LH_TYPES))
		return 0;
	if (take(l, e->s.width, &e->type) < 0 ||
	    (e->s.labels && take(l, e->s.width, &e->second_type) < 0))
		return -1;
	if (!l->g)
		return 0;
	if (!(t = find_tensor(l, "token_types.weight", e->s.width, 1, 1, true)))
		return -1;
	if (e->second_type)
		lh_gguf_row(t, t->dim[1] > 1, (float *)e->second_type);
	decode(l, t, 1, e->type);
	return 0;
}

/* Find the embeddings, which stay in the file but for those of types. */
static int embeddings(struct loader *l)
{
	struct lh_encoder *e = l->e;
	struct lh_gguf_array tokens;

	if (lh_gguf_array(l->g, "tokenizer.ggml.tokens", 8, &tokens, l->err) < 0)
		return -1;
	e->token = find_tensor(l, "token_embd.weight", e->s.width, tokens.n, 1, true);
	if (!e->token)
		return -1;
	plan(l, e->token, 0, e->token->dim[1], NULL, 0);
	if (e->design->position != LH_LEARNED)
		return 0;
	e->position = find_tensor(l, "position_embd.weight", e->s.width, e->s.context, 1, true);
	if (!e->position)
		return -1;
	plan(l, e->position, 0, e->position->dim[1], NULL, 0);
	return 0;
}

/* Load what makes a score of a vector. */
static int head(struct loader *l)
{
	struct lh_encoder *e = l->e;
	uint64_t width = e->s.width, labels = e->s.labels;

	if (!labels)
		return 0;
	if (load_rows(l, LH_CROSS_ENCODER, width, labels, &e->head.out) < 0 ||
	    vector_if_there(l, "cls.output.bias", labels, &e->head.out_bias) < 0)
		return -1;
	if (!lh_encoder_has(e, LH_CLS))
		return 0;
	if (load_rows(l, "cls.weight", width, width, &e->head.dense) < 0 ||
	    vector_if_there(l, "cls.bias", width, &e->head.dense_bias) < 0)
		return -1;
	return lh_encoder_has(e, LH_CLS_NORM)
		? vector(l, "cls.norm.weight", width, &e->head.norm) : 0;
}

/* Load what is before the layers and after them. */
static int outside(struct loader *l)
{
	struct lh_encoder *e = l->e;
	uint64_t width = e->s.width, dense = e->s.dense;
	const struct part second[PARTS] = { { "dense_2", dense } },
			  third[PARTS] = { { "dense_3", width } };

	if ((l->g && embeddings(l) < 0) || types(l) < 0 ||
	    (e->design->embedding_norm && norm(l, "token_embd_norm", width, &e->norm) < 0) ||
	    (e->design->output_norm && norm(l, "output_norm", width, &e->output_norm) < 0))
		return -1;
	if (lh_encoder_has(e, LH_FACTORS) &&
	    vector(l, "rope_freqs.weight", e->s.rotated / 2, &e->factors) < 0)
		return -1;
	if (lh_encoder_has(e, LH_DENSE_2) && matrix(l, second, width, LH_EXACT, &e->dense[0]) < 0)
		return -1;
	if (lh_encoder_has(e, LH_DENSE_3) && matrix(l, third, dense, LH_EXACT, &e->dense[1]) < 0)
		return -1;
	return head(l);
}

static int all_weights(struct loader *l)
{
	struct lh_encoder *e = l->e;

	l->used = l->packings = 0;
	l->layer = NO_LAYER;
	e->design = lh_design(e->s.architecture);
	if (!e->layer)
		e->layer = lh_calloc(e->s.layers, sizeof *e->layer);
	if (outside(l) < 0)
		return -1;
	for (l->layer = 0; l->layer < e->s.layers; l->layer++)
		if (layer(l, &e->layer[l->layer]) < 0)
			return -1;
	return 0;
}

/* ---- threads ---- */

struct crew {
	const struct loader *l;
	atomic_size_t next;		/* job that no thread has taken yet */
	pthread_mutex_t lock;
	size_t failed;			/* the first job that failed; under lock */
	struct lh_err failure;
};

static int run_job(const struct loader *l, const struct job *j, struct lh_err *err)
{
	size_t bytes = lh_gguf_layout(j->t->type)->bytes *
		       (j->t->dim[0] / lh_gguf_layout(j->t->type)->values);
	const unsigned char *p = j->t->data + j->first * bytes;
	const struct lh_product *product = j->to.product;
	LH_SCOPED(lh_free_local) float *row = NULL;
	uintptr_t page, from;

	if (!lh_gguf_rows_finite(j->t, j->first, j->n))
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: tensor \"%.*s\" has a value that is not finite",
				  lh_gguf_path(l->g), (int)j->t->name.n, j->t->name.p);
	if (product)
		row = lh_calloc(j->to.in, sizeof *row);
	for (uint64_t i = 0; product && i < j->n; i++) {
		if (!product->raw)
			lh_gguf_row(j->t, j->first + i, row);
		product->put((void *)j->to.w, place(l, &j->to, j->at + i),
			     product->raw ? (const void *)(p + i * bytes) : row, j->to.in);
	}
	/* Give back the file's pages of rows: they are not needed until they are read again. */
	page = (uintptr_t)sysconf(_SC_PAGESIZE);
	from = (uintptr_t)p & ~(page - 1);
	madvise((void *)from, (uintptr_t)p + j->n * bytes - from, MADV_DONTNEED);
	return 0;
}

/* Run jobs until none is left, or one failed. */
static void run_jobs(void *crew, size_t unused)
{
	struct crew *c = crew;
	struct lh_err err;
	size_t i;

	(void)unused;
	while ((i = atomic_fetch_add(&c->next, 1)) < c->l->jobs) {
		if (run_job(c->l, &c->l->job[i], &err) == 0)
			continue;
		atomic_store(&c->next, c->l->jobs);
		pthread_mutex_lock(&c->lock);
		if (i < c->failed) {
			c->failed = i;
			c->failure = err;
		}
		pthread_mutex_unlock(&c->lock);
	}
}

static int run_crew(const struct loader *l)
{
	struct crew crew = { .l = l, .lock = PTHREAD_MUTEX_INITIALIZER, .failed = SIZE_MAX };
	size_t n = l->e->how.threads < THREADS_MAX ? l->e->how.threads : THREADS_MAX;

	n += !n;	/* threads 0: this one alone */
	lh_signal_crew(n < l->jobs ? n : l->jobs, run_jobs, &crew);
	if (crew.failed < SIZE_MAX)
		*l->err = crew.failure;
	return crew.failed < SIZE_MAX ? -1 : 0;
}

/* ---- from a model ---- */

/* Read the weights of a model whose parameters are known;
 * lh_encoder_free also frees after a failure. */
static int lh_weights_load(struct lh_encoder *e, struct lh_gguf *g, struct lh_err *err)
{
	struct loader l = { .e = e, .g = g, .most = SIZE_MAX, .err = err };
	int rc = all_weights(&l);
	uintptr_t skip;

	if (rc < 0)
		return -1;
	e->memory = lh_calloc_table(l.used + LINE, sizeof *l.memory);
	skip = -(uintptr_t)e->memory & (LINE * sizeof *l.memory - 1);
	l.memory = (float *)((char *)e->memory + skip);
	e->weights = (struct lh_str){ (const char *)l.memory, l.used * sizeof *l.memory };
	rc = all_weights(&l) < 0 ? -1 : run_crew(&l);
	free(l.job);
	return rc;
}

/* ---- compiled ---- */

void lh_encoder_compile(const struct lh_encoder *e, struct lh_compiling *m)
{
	m->h.encoder = e->s;
	m->h.encoder.row_type = e->token->type;
	m->h.encoder.rows = e->token->dim[1];
	m->part[LH_PART_ROWS] = (struct lh_str){ (const char *)e->token->data, e->token->bytes };
	if (e->position) {
		m->h.encoder.position_type = e->position->type;
		m->part[LH_PART_POSITIONS] = (struct lh_str){ (const char *)e->position->data,
							      e->position->bytes };
	}
	m->part[LH_PART_PACKINGS] = (struct lh_str){ (const char *)e->packing,
						     e->packings * sizeof *e->packing };
	m->part[LH_PART_WEIGHTS] = e->weights;
}

/* Set a tensor of at least so many rows of a type. */
static int map_rows(const struct loader *l, enum lh_compiled_part part, uint32_t type,
		    uint64_t rows, struct lh_gguf_tensor *to)
{
	const struct lh_gguf_layout *layout = lh_gguf_layout(type);
	uint64_t width = l->e->s.width;
	size_t n;

	if (!layout || !layout->decode || width % layout->values)
		return lh_compiled_wrong(l->c, "its embeddings are of a wrong type", l->err);
	to->data = lh_compiled_part(l->c, part, width / layout->values * layout->bytes, &n);
	if (!to->data || n < rows || !rows)
		return lh_compiled_wrong(l->c, "its embeddings are too few, or incomplete", l->err);
	to->type = (enum lh_gguf_type)type;
	to->dims = 2;
	for (size_t i = 0; i < 4; i++)
		to->dim[i] = i ? 1 : width;
	to->dim[1] = n;
	return 0;
}

static int map_embeddings(struct loader *l)
{
	const struct lh_shape *h = &lh_compiled_header(l->c)->encoder;
	struct lh_encoder *e = l->e;

	if (map_rows(l, LH_PART_ROWS, h->row_type, h->rows, &e->mapped[0]) < 0)
		return -1;
	e->token = &e->mapped[0];
	if (e->design->position != LH_LEARNED)
		return 0;
	if (map_rows(l, LH_PART_POSITIONS, h->position_type, e->s.context, &e->mapped[1]) < 0)
		return -1;
	e->position = &e->mapped[1];
	return 0;
}

/* Find them in a compiled model. */
static int lh_weights_map(struct lh_encoder *e, const struct lh_compiled *c, struct lh_err *err)
{
	struct loader l = { .e = e, .c = c, .err = err };
	const struct lh_packing *p;

	p = lh_compiled_part(c, LH_PART_PACKINGS, sizeof *p, &e->packings);
	e->packing = lh_calloc(e->packings, sizeof *p);
	if (e->packings)
		memcpy(e->packing, p, e->packings * sizeof *p);
	l.memory = (float *)lh_compiled_part(c, LH_PART_WEIGHTS, LINE * sizeof(float), &l.most);
	l.most *= LINE;
	if (all_weights(&l) < 0 || map_embeddings(&l) < 0)
		return -1;
	if (l.used != l.most || l.packings != e->packings)
		return lh_compiled_wrong(c, "its weights are too many for its sizes", err);
	return 0;
}

/* ---- a model ---- */

static int read_compiled(struct lh_encoder *e, const struct lh_compiled *c, struct lh_err *err)
{
	const char *what;

	e->s = lh_compiled_header(c)->encoder;
	what = lh_shape_wrong(&e->s);
	if (!what && !e->s.labels != !e->how.pairs)
		what = e->s.labels ? "a cross-encoder, which makes scores, not vectors"
				   : "not a cross-encoder";
	return what ? lh_compiled_wrong(c, what, err) : 0;
}

/* ---- both ---- */

static struct lh_encoder *encoder_new(const struct lh_encoder_how *how)
{
	struct lh_encoder *e = lh_calloc(1, sizeof *e);

	e->how = *how;
	e->kernels = lh_kernels();
	e->floats = lh_encoder_product(e, LH_GGUF_F32, LH_EXACT);
	return e;
}

struct lh_encoder *lh_encoder_new(struct lh_gguf *g, const struct lh_encoder_how *how,
				  struct lh_err *err)
{
	struct lh_encoder *e = encoder_new(how);

	if (lh_shape_read(&e->s, g, how->pairs, err) == 0 && lh_weights_load(e, g, err) == 0)
		return e;
	lh_encoder_free(e);
	return NULL;
}

struct lh_encoder *lh_encoder_mapped(const struct lh_compiled *c, const struct lh_encoder_how *how,
				     struct lh_err *err)
{
	struct lh_encoder *e = encoder_new(how);

	if (read_compiled(e, c, err) == 0 && lh_weights_map(e, c, err) == 0)
		return e;
	lh_encoder_free(e);
	return NULL;
}

void lh_encoder_free(struct lh_encoder *e)
{
	if (!e)
		return;
	for (uint64_t i = 0; e->layer && i < e->s.layers; i++) {
		free(e->layer[i].up_of);
		free(e->layer[i].down_of);
	}
	free(e->layer);
	free(e->packing);
	free(e->memory);
	free(e);
}

void lh_encoder_info(const struct lh_encoder *e, struct lh_encoder_info *info)
{
	static const char *const pooling[] = { "none", "mean", "cls", "last" };
	const struct lh_shape *s = &e->s;

	*info = (struct lh_encoder_info){
		.architecture = lh_design(s->architecture)->name, .layers = s->layers,
		.width = s->width, .context = s->context, .heads = s->heads,
		.limit = s->limit ? s->limit : s->context,
		.feed_forward = s->feed_forward, .experts = s->experts,
		.pooling = pooling[s->pooling], .each = s->pooling == LH_POOL_NONE,
	};
}

struct lh_kernel_names lh_kernel_names(void)
{
	return (struct lh_kernel_names){
		.models = lh_kernels()->name,
		.exact = lh_product(LH_GGUF_F32, LH_EXACT)->name,
		.fast = lh_product(LH_GGUF_Q8_0, LH_COARSE)->name,
	};
}
