/*
 * encoder.c - the parameters of a model.  See encoder.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "encoder_parts.h"

#define LAYERS_MAX 1024
#define SIZE_MOST ((uint64_t)1 << 20)	/* of a dimension */

static const char *const architectures[] = { "bert", "nomic-bert", "nomic-bert-moe" };
#define ARCHITECTURES (sizeof architectures / sizeof *architectures)

struct reader {
	struct lh_encoder *e;
	const struct lh_gguf *g;
	struct lh_err *err;
};

/* ---- keys ---- */

static char *key_of(const struct lh_encoder *e, const char *name, char key[96])
{
	snprintf(key, 96, "%s.%s", e->architecture, name);
	return key;
}

static int size_key(const struct reader *r, const char *name, uint64_t most, uint64_t *to)
{
	char key[96];

	return lh_gguf_u64(r->g, key_of(r->e, name, key), 1, most, to, r->err);
}

static int wrong(const struct reader *r, const char *what)
{
	return lh_err_set(r->err, LH_ECORRUPT, "%s: %s", lh_gguf_path(r->g), what);
}

static void set_architecture(struct lh_encoder *e, size_t i)
{
	e->architecture = architectures[i];
	e->rotary = i > 0;
	e->gated = i == 1;
	e->moe = i == 2;
}

static int architecture(struct reader *r)
{
	struct lh_str s;

	if (lh_gguf_str(r->g, "general.architecture", &s, r->err) < 0)
		return -1;
	for (size_t i = 0; i < ARCHITECTURES; i++)
		if (s.n == strlen(architectures[i]) && !memcmp(s.p, architectures[i], s.n)) {
			set_architecture(r->e, i);
			return 0;
		}
	return lh_err_set(r->err, LH_ECORRUPT,
			  "%s: architecture \"%.*s\" is not bert, nomic-bert or nomic-bert-moe",
			  lh_gguf_path(r->g), (int)(s.n < 64 ? s.n : 64), s.p);
}

static int sizes(struct reader *r)
{
	struct lh_encoder *e = r->e;

	if (size_key(r, "block_count", LAYERS_MAX, &e->layers) < 0 ||
	    size_key(r, "context_length", SIZE_MOST, &e->context) < 0 ||
	    size_key(r, "embedding_length", SIZE_MOST, &e->width) < 0 ||
	    size_key(r, "feed_forward_length", SIZE_MOST, &e->feed_forward) < 0 ||
	    size_key(r, "attention.head_count", SIZE_MOST, &e->heads) < 0)
		return -1;
	e->pooling = LH_POOL_CLS;
	return e->how.pairs ? 0 : size_key(r, "pooling_type", LH_POOL_LAST, &e->pooling);
}

static int numbers(struct reader *r)
{
	struct lh_encoder *e = r->e;
	char key[96];
	bool causal = false;

	if (lh_gguf_f64(r->g, key_of(e, "attention.layer_norm_epsilon", key), &e->epsilon,
			r->err) < 0)
		return -1;
	e->base = 10000;
	key_of(e, "rope.freq_base", key);
	if (e->rotary && lh_gguf_has(r->g, key) && lh_gguf_f64(r->g, key, &e->base, r->err) < 0)
		return -1;
	key_of(e, "attention.causal", key);
	if (lh_gguf_has(r->g, key) && lh_gguf_bool(r->g, key, &causal, r->err) < 0)
		return -1;
	return causal ? wrong(r, "attention is causal: this is not a model for embeddings") : 0;
}

static int expert_keys(struct reader *r)
{
	struct lh_encoder *e = r->e;

	if (!e->moe)
		return 0;
	if (size_key(r, "moe_every_n_layers", LAYERS_MAX, &e->moe_every) < 0 ||
	    size_key(r, "expert_count", SIZE_MOST, &e->experts) < 0)
		return -1;
	return size_key(r, "expert_used_count", e->experts, &e->experts_used);
}

/* Return what is wrong with parameters that are in their ranges, or NULL. */
static const char *contradiction(const struct lh_encoder *e)
{
	if (e->width % e->heads)
		return "the number of heads does not divide the width";
	if (e->rotary && e->width / e->heads % 2)
		return "the width of a head is odd: rotary embeddings need pairs";
	if (e->epsilon < 0)
		return "attention.layer_norm_epsilon is negative";
	return e->base > 0 ? NULL : "rope.freq_base is not positive";
}

static int read_keys(struct lh_encoder *e, const struct lh_gguf *g, struct lh_err *err)
{
	struct reader r = { e, g, err };
	const char *what;

	if (architecture(&r) < 0 || sizes(&r) < 0 || numbers(&r) < 0 || expert_keys(&r) < 0)
		return -1;
	what = contradiction(e);
	return what ? wrong(&r, what) : 0;
}

/* ---- compiled ---- */

static bool in_range(uint64_t n, uint64_t most)
{
	return n >= 1 && n <= most;
}

/* Return whether the parameters of a compiled model are in the ranges of the keys. */
static bool plausible(const struct lh_compiled_encoder *c)
{
	bool moe = c->architecture == 2;

	return c->architecture < ARCHITECTURES && in_range(c->layers, LAYERS_MAX) &&
	       in_range(c->context, SIZE_MOST) && in_range(c->width, SIZE_MOST) &&
	       in_range(c->feed_forward, SIZE_MOST) && in_range(c->heads, SIZE_MOST) &&
	       in_range(c->pooling, LH_POOL_LAST) && __builtin_isfinite(c->epsilon) &&
	       __builtin_isfinite(c->base) &&
	       (moe ? in_range(c->moe_every, LAYERS_MAX) && in_range(c->experts, SIZE_MOST) &&
			       in_range(c->experts_used, c->experts)
		    : !c->moe_every && !c->experts && !c->experts_used);
}

static int read_compiled(struct lh_encoder *e, const struct lh_compiled *c, struct lh_err *err)
{
	const struct lh_compiled_encoder *of = &lh_compiled_header(c)->encoder;
	const char *what;

	if (!plausible(of))
		return lh_compiled_wrong(c, "its parameters are not those of a model", err);
	set_architecture(e, of->architecture);
	e->layers = of->layers;
	e->width = of->width;
	e->context = of->context;
	e->heads = of->heads;
	e->feed_forward = of->feed_forward;
	e->pooling = of->pooling;
	e->experts = of->experts;
	e->experts_used = of->experts_used;
	e->moe_every = of->moe_every;
	e->epsilon = of->epsilon;
	e->base = of->base;
	what = contradiction(e);
	return what ? lh_compiled_wrong(c, what, err) : 0;
}

void lh_encoder_compile(const struct lh_encoder *e, struct lh_compiling *m)
{
	uint32_t i = e->moe ? 2 : e->gated ? 1 : 0;

	m->h.encoder = (struct lh_compiled_encoder){
		.architecture = i, .pooling = (uint32_t)e->pooling, .layers = e->layers,
		.width = e->width, .context = e->context, .heads = e->heads,
		.feed_forward = e->feed_forward, .experts = e->experts,
		.experts_used = e->experts_used, .moe_every = e->moe_every,
		.epsilon = e->epsilon, .base = e->base,
	};
	lh_weights_compile(e, m);
}

/* ---- both ---- */

const struct lh_product *lh_encoder_product(const struct lh_encoder *e, uint32_t type, bool exact)
{
	if (e->how.pairs && !e->how.fast)
		return &lh_kernels()->f32;
	return lh_product(type, e->how.fast && !e->how.pairs && !exact);
}

static struct lh_encoder *encoder_new(const struct lh_encoder_how *how, struct lh_err *err)
{
	struct lh_encoder *e = lh_calloc(1, sizeof *e, err);

	if (!e)
		return NULL;
	e->how = *how;
	e->kernels = lh_kernels();
	e->floats = lh_encoder_product(e, LH_GGUF_F32, true);
	return e;
}

struct lh_encoder *lh_encoder_new(struct lh_gguf *g, const struct lh_encoder_how *how,
				  struct lh_err *err)
{
	struct lh_encoder *e = encoder_new(how, err);

	if (e && read_keys(e, g, err) == 0 && lh_weights_load(e, g, err) == 0)
		return e;
	lh_encoder_free(e);
	return NULL;
}

struct lh_encoder *lh_encoder_mapped(const struct lh_compiled *c, const struct lh_encoder_how *how,
				     struct lh_err *err)
{
	struct lh_encoder *e = encoder_new(how, err);

	if (e && read_compiled(e, c, err) == 0 && lh_weights_map(e, c, err) == 0)
		return e;
	lh_encoder_free(e);
	return NULL;
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
	free(e->packing);
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
