/*
 * encoder.c - load the weights of a model.  See encoder.h.
 *
 * The model is gone through twice: first every tensor is checked and the memory for the
 * weights is counted, then it is allocated and filled.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "encoder_parts.h"

#define LAYERS_MAX 1024
#define SIZE_MOST ((uint64_t)1 << 20)	/* of a dimension */
#define LINE (64 / sizeof(float))	/* floats in a line of the cache */

struct loader {
	struct lh_encoder *e;
	struct lh_gguf *g;
	float *memory;		/* NULL: the first time */
	size_t used;
	uint64_t layer;
	const struct lh_product *int8;	/* NULL: not used */
	struct lh_err *err;
};

/* ---- keys ---- */

static char *key_of(const struct lh_encoder *e, const char *name, char key[96])
{
	snprintf(key, 96, "%s.%s", e->architecture, name);
	return key;
}

static int size_key(const struct loader *l, const char *name, uint64_t most, uint64_t *to)
{
	char key[96];

	return lh_gguf_u64(l->g, key_of(l->e, name, key), 1, most, to, l->err);
}

static int wrong(const struct loader *l, const char *what)
{
	return lh_err_set(l->err, LH_ECORRUPT, "%s: %s", lh_gguf_path(l->g), what);
}

static int architecture(struct loader *l)
{
	static const char *const known[] = { "bert", "nomic-bert", "nomic-bert-moe" };
	struct lh_str s;

	if (lh_gguf_str(l->g, "general.architecture", &s, l->err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (s.n == strlen(known[i]) && !memcmp(s.p, known[i], s.n)) {
			l->e->architecture = known[i];
			l->e->rotary = i > 0;
			l->e->gated = i == 1;
			return 0;
		}
	return lh_err_set(l->err, LH_ECORRUPT,
			  "%s: architecture \"%.*s\" is not bert, nomic-bert or nomic-bert-moe",
			  lh_gguf_path(l->g), (int)(s.n < 64 ? s.n : 64), s.p);
}

static int sizes(struct loader *l)
{
	struct lh_encoder *e = l->e;

	if (size_key(l, "block_count", LAYERS_MAX, &e->layers) < 0 ||
	    size_key(l, "context_length", SIZE_MOST, &e->context) < 0 ||
	    size_key(l, "embedding_length", SIZE_MOST, &e->width) < 0 ||
	    size_key(l, "feed_forward_length", SIZE_MOST, &e->feed_forward) < 0 ||
	    size_key(l, "attention.head_count", SIZE_MOST, &e->heads) < 0 ||
	    size_key(l, "pooling_type", LH_POOL_LAST, &e->pooling) < 0)
		return -1;
	if (e->width % e->heads)
		return wrong(l, "the number of heads does not divide the width");
	if (e->rotary && e->width / e->heads % 2)
		return wrong(l, "the width of a head is odd: rotary embeddings need pairs");
	return 0;
}

static int numbers(struct loader *l)
{
	struct lh_encoder *e = l->e;
	char key[96];
	bool causal = false;

	if (lh_gguf_f64(l->g, key_of(e, "attention.layer_norm_epsilon", key), &e->epsilon,
			l->err) < 0)
		return -1;
	if (e->epsilon < 0)
		return wrong(l, "attention.layer_norm_epsilon is negative");
	e->base = 10000;
	key_of(e, "rope.freq_base", key);
	if (e->rotary && lh_gguf_has(l->g, key) && lh_gguf_f64(l->g, key, &e->base, l->err) < 0)
		return -1;
	if (!(e->base > 0))
		return wrong(l, "rope.freq_base is not positive");
	key_of(e, "attention.causal", key);
	if (lh_gguf_has(l->g, key) && lh_gguf_bool(l->g, key, &causal, l->err) < 0)
		return -1;
	return causal ? wrong(l, "attention is causal: this is not a model for embeddings") : 0;
}

static int expert_keys(struct loader *l)
{
	struct lh_encoder *e = l->e;

	if (strcmp(e->architecture, "nomic-bert-moe") != 0)
		return 0;
	if (size_key(l, "moe_every_n_layers", LAYERS_MAX, &e->moe_every) < 0 ||
	    size_key(l, "expert_count", SIZE_MOST, &e->experts) < 0)
		return -1;
	return size_key(l, "expert_used_count", e->experts, &e->experts_used);
}

/* ---- tensors ---- */

static int bad_tensor(const struct loader *l, const char *name, const char *what)
{
	return lh_err_set(l->err, LH_ECORRUPT, "%s: tensor \"%s\" %s", lh_gguf_path(l->g), name,
			  what);
}

/* Give back the file's pages of a tensor: they are not needed until it is read again. */
static void release(const struct lh_gguf_tensor *t)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)t->data & ~(page - 1);

	madvise((void *)from, (uintptr_t)t->data + t->bytes - from, MADV_DONTNEED);
}

/* Find a tensor of the shape a x b x c; b may be more if at_least. */
static const struct lh_gguf_tensor *find(struct loader *l, const char *name, uint64_t a, uint64_t b,
					 uint64_t c, bool at_least)
{
	const struct lh_gguf_tensor *t = lh_gguf_tensor(l->g, name);
	char what[192];

	if (!t) {
		bad_tensor(l, name, "is missing");
		return NULL;
	}
	if (t->dim[0] != a || (at_least ? t->dim[1] < b : t->dim[1] != b) || t->dim[2] != c ||
	    t->dim[3] != 1) {
		snprintf(what, sizeof what, "is %llu x %llu x %llu x %llu, not %llu x %llu x %llu",
			 (unsigned long long)t->dim[0], (unsigned long long)t->dim[1],
			 (unsigned long long)t->dim[2], (unsigned long long)t->dim[3],
			 (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
		bad_tensor(l, name, what);
		return NULL;
	}
	if (!lh_gguf_readable(t)) {
		snprintf(what, sizeof what, "is of type %s, which is not read here",
			 lh_gguf_type_name(t->type));
		bad_tensor(l, name, what);
		return NULL;
	}
	if (!l->memory && !lh_gguf_finite(t)) {
		bad_tensor(l, name, "has a value that is not finite");
		return NULL;
	}
	if (!l->memory)
		release(t);
	return t;
}

/* Take n floats of the memory; NULL the first time. */
static float *take(struct loader *l, size_t n)
{
	float *p = l->memory ? l->memory + l->used : NULL;

	l->used += (n + LINE - 1) / LINE * LINE;
	return p;
}

/* Load a vector of n values; room for a whole panel. */
static int vector(struct loader *l, const char *name, uint64_t n, const float **to)
{
	const struct lh_gguf_tensor *t = find(l, name, n, 1, 1, false);
	float *p = take(l, lh_panels_round(n));

	if (!t)
		return -1;
	if (p)
		lh_gguf_row(t, 0, p);
	*to = p;
	return 0;
}

static int norm(struct loader *l, const char *prefix, struct lh_norm *to)
{
	char name[96];

	snprintf(name, sizeof name, "%s.weight", prefix);
	if (vector(l, name, l->e->width, &to->weight) < 0)
		return -1;
	snprintf(name, sizeof name, "%s.bias", prefix);
	return vector(l, name, l->e->width, &to->bias);
}

/* Put the rows first..first+out of a tensor into panels as outputs from at on. */
static int fill(struct loader *l, const struct lh_gguf_tensor *t, uint64_t first, uint64_t out,
		const struct lh_panels *to, size_t at)
{
	size_t bytes = t->bytes / (t->dim[1] * t->dim[2]);
	float *row = lh_calloc(to->in, sizeof *row, l->err);
	bool int8 = to->product == l->int8;
	void *panels = (void *)to->w;

	if (!row)
		return -1;
	for (uint64_t i = 0; i < out; i++) {
		if (!int8)
			lh_gguf_row(t, first + i, row);
		to->product->put(panels, at + i,
				 int8 ? (const void *)(t->data + (first + i) * bytes) : row,
				 to->in);
	}
	free(row);
	release(t);
	return 0;
}

/* Return the product for a matrix of tensors. */
static const struct lh_product *product(const struct loader *l,
					const struct lh_gguf_tensor *const t[3], bool exact)
{
	bool q8 = l->int8 && !exact;

	for (size_t i = 0; i < 3 && t[i]; i++)
		q8 &= t[i]->type == LH_GGUF_Q8_0;
	return q8 ? l->int8 : &l->e->kernels->f32;
}

/* Set up a matrix, with memory for its weights. */
static struct lh_panels panels(struct loader *l, const struct lh_product *p, uint64_t in,
			       uint64_t out)
{
	float *w = take(l, lh_panels_bytes(p, in, out) / sizeof(float));

	return (struct lh_panels){ p, w, NULL, in, out };
}

/* The name of a tensor of the layer. */
static void layer_name(const struct loader *l, const char *part, const char *end, char name[96])
{
	snprintf(name, 96, "blk.%llu.%s%s", (unsigned long long)l->layer, part, end);
}

/* Load the biases of a layer's matrix, as far as there are some. */
static int biases(struct loader *l, const char *const part[3], size_t n, uint64_t out,
		  struct lh_panels *to)
{
	float *bias = take(l, lh_panels_round(to->out));
	const struct lh_gguf_tensor *t;
	char name[96];

	to->bias = bias;
	for (size_t i = 0; i < n; i++) {
		layer_name(l, part[i], ".bias", name);
		if (!lh_gguf_tensor(l->g, name))
			continue;
		if (!(t = find(l, name, out, 1, 1, false)))
			return -1;
		if (bias)
			lh_gguf_row(t, 0, bias + i * out);
	}
	return 0;
}

/* Load a matrix whose outputs are those of up to three tensors, and their biases.  exact: it is
 * multiplied in floats, fast or not. */
static int matrix(struct loader *l, const char *const part[3], uint64_t in, uint64_t out,
		  bool exact, struct lh_panels *to)
{
	const struct lh_gguf_tensor *t[3] = { NULL };
	char name[96];
	size_t n;

	for (n = 0; n < 3 && part[n]; n++) {
		layer_name(l, part[n], ".weight", name);
		if (!(t[n] = find(l, name, in, out, 1, false)))
			return -1;
	}
	*to = panels(l, product(l, t, exact), in, n * out);
	for (size_t i = 0; to->w && i < n; i++)
		if (fill(l, t[i], 0, out, to, i * out) < 0)
			return -1;
	return biases(l, part, n, out, to);
}

/* Load the matrices of all experts, which are one tensor. */
static int expert_matrices(struct loader *l, const char *part, uint64_t in, uint64_t out,
			   struct lh_panels **to)
{
	const struct lh_gguf_tensor *t[3] = { NULL };
	uint64_t n = l->e->experts;
	char name[96];

	layer_name(l, part, ".weight", name);
	if (!(t[0] = find(l, name, in, out, n, false)))
		return -1;
	if (!*to && !(*to = lh_calloc(n, sizeof **to, l->err)))
		return -1;
	for (uint64_t i = 0; i < n; i++) {
		(*to)[i] = panels(l, product(l, t, false), in, out);
		if ((*to)[i].w && fill(l, t[0], i * out, out, &(*to)[i], 0) < 0)
			return -1;
	}
	return 0;
}

/* ---- the model ---- */

static int feed_forward(struct loader *l, struct lh_layer *to)
{
	static const char *const gated[3] = { "ffn_gate", "ffn_up" }, *const up[3] = { "ffn_up" },
				*const down[3] = { "ffn_down" },
				*const router[3] = { "ffn_gate_inp" };
	uint64_t width = l->e->width, ff = l->e->feed_forward;

	if (l->e->moe_every && l->layer % l->e->moe_every == 1)
		return matrix(l, router, width, l->e->experts, true, &to->router) < 0 ||
		       expert_matrices(l, "ffn_up_exps", width, ff, &to->up_of) < 0 ||
		       expert_matrices(l, "ffn_down_exps", ff, width, &to->down_of) < 0 ? -1 : 0;
	if (matrix(l, l->e->gated ? gated : up, width, ff, false, &to->up) < 0)
		return -1;
	return matrix(l, down, ff, width, false, &to->down);
}

static int layer(struct loader *l, struct lh_layer *to)
{
	static const char *const fused[3] = { "attn_qkv" }, *const out[3] = { "attn_output" },
				*const split[3] = { "attn_q", "attn_k", "attn_v" };
	uint64_t width = l->e->width;
	char name[96];

	layer_name(l, "attn_qkv", ".weight", name);
	if (lh_gguf_tensor(l->g, name) ? matrix(l, fused, width, 3 * width, false, &to->qkv) < 0
				       : matrix(l, split, width, width, false, &to->qkv) < 0)
		return -1;
	/* a 16th of the arithmetic, but a quarter of the error of short texts */
	if (matrix(l, out, width, width, true, &to->out) < 0)
		return -1;
	layer_name(l, "attn_output_norm", "", name);
	if (norm(l, name, &to->attention_norm) < 0 || feed_forward(l, to) < 0)
		return -1;
	layer_name(l, "layer_output_norm", "", name);
	return norm(l, name, &to->output_norm);
}

/* Find the embeddings, which stay in the file but for the one type. */
static int embeddings(struct loader *l)
{
	struct lh_encoder *e = l->e;
	struct lh_gguf_array tokens;
	const struct lh_gguf_tensor *type;
	float *p = take(l, e->width);

	if (lh_gguf_array(l->g, "tokenizer.ggml.tokens", 8, &tokens, l->err) < 0)
		return -1;
	e->token = find(l, "token_embd.weight", e->width, tokens.n, 1, true);
	if (!e->token || !(type = find(l, "token_types.weight", e->width, 1, 1, true)))
		return -1;
	if (!e->rotary &&
	    !(e->position = find(l, "position_embd.weight", e->width, e->context, 1, true)))
		return -1;
	if (p)
		lh_gguf_row(type, 0, p);
	e->type = p;
	return norm(l, "token_embd_norm", &e->norm);
}

static int all_weights(struct loader *l)
{
	l->used = 0;
	if (embeddings(l) < 0)
		return -1;
	for (l->layer = 0; l->layer < l->e->layers; l->layer++)
		if (layer(l, &l->e->layer[l->layer]) < 0)
			return -1;
	return 0;
}

static int load(struct loader *l)
{
	struct lh_encoder *e = l->e;
	uintptr_t skip;

	if (architecture(l) < 0 || sizes(l) < 0 || numbers(l) < 0 || expert_keys(l) < 0)
		return -1;
	e->layer = lh_calloc(e->layers, sizeof *e->layer, l->err);
	if (!e->layer || all_weights(l) < 0)
		return -1;
	e->memory = lh_calloc_table(l->used + LINE, sizeof *l->memory, l->err);
	if (!e->memory)
		return -1;
	skip = -(uintptr_t)e->memory & (LINE * sizeof *l->memory - 1);
	l->memory = (float *)((char *)e->memory + skip);
	return all_weights(l);
}

struct lh_encoder *lh_encoder_new(struct lh_gguf *g, const struct lh_encoder_how *how,
				  struct lh_err *err)
{
	struct lh_encoder *e = lh_calloc(1, sizeof *e, err);
	struct loader l = { .e = e, .g = g, .err = err };

	if (!e)
		return NULL;
	e->how = *how;
	e->kernels = lh_kernels();
	l.int8 = how->fast ? lh_product_int8() : NULL;
	if (load(&l) < 0) {
		lh_encoder_free(e);
		return NULL;
	}
	return e;
}

void lh_encoder_free(struct lh_encoder *e)
{
	if (!e)
		return;
	for (uint64_t i = 0; e->layer && i < e->layers; i++) {
		free(e->layer[i].up_of);
		free(e->layer[i].down_of);
	}
	free(e->layer);
	free(e->memory);
	free(e);
}

void lh_encoder_info(const struct lh_encoder *e, struct lh_encoder_info *info)
{
	static const char *const pooling[] = { "", "mean", "cls", "last" };

	*info = (struct lh_encoder_info){
		.architecture = e->architecture, .layers = e->layers, .width = e->width,
		.context = e->context, .heads = e->heads, .feed_forward = e->feed_forward,
		.experts = e->experts, .pooling = pooling[e->pooling],
	};
}
