/*
 * design.c - the architectures, and the parameters of a model from its keys.  See encoder_parts.h.
 *
 * Names of keys and tensors, and what a key that is absent means, are those of llama.cpp's
 * conversions.
 */
#include "encoder_parts.h"

#define SIZE_MOST ((uint64_t)1 << 20)	/* of a dimension */
#define POOLING_MOST 3
#define LABELS_MOST 2
#define KEY_BOOL 7			/* the element types of arrays */
#define KEY_STRING 8

#define AFTER (LH_BIT(LH_ATTENTION_OUT) | LH_BIT(LH_LAYER_OUT))
#define BEFORE (LH_BIT(LH_ATTENTION_IN) | LH_BIT(LH_FORWARD_IN))
#define OF_HEADS (LH_BIT(LH_QUERY) | LH_BIT(LH_KEY))
#define POST (LH_BIT(LH_ATTENTION_POST) | LH_BIT(LH_FORWARD_POST))
#define HEAD (LH_BIT(LH_CLS) | LH_BIT(LH_CLS_NORM))

static const struct lh_design designs[] = {
	{ "bert", .position = LH_LEARNED, .norms = AFTER, .has = LH_BIT(LH_TYPES),
	  .may = LH_BIT(LH_CLS) | LH_BIT(LH_ERF), .biased = true, .embedding_norm = true,
	  .pairs = LH_POOL_CLS },
	{ "nomic-bert", .position = LH_HALVES, .norms = AFTER,
	  .has = LH_BIT(LH_TYPES) | LH_BIT(LH_GATE) | LH_BIT(LH_SILU), .may = LH_BIT(LH_CLS),
	  .biased = true, .embedding_norm = true, .pairs = LH_POOL_CLS },
	{ "nomic-bert-moe", .position = LH_HALVES, .norms = AFTER, .has = LH_BIT(LH_TYPES),
	  .may = LH_BIT(LH_CLS), .biased = true, .embedding_norm = true, .moe = true,
	  .pairs = LH_POOL_CLS },
	{ "jina-bert-v2", .position = LH_ALIBI, .norms = AFTER, .has = LH_BIT(LH_TYPES),
	  .may = OF_HEADS | LH_BIT(LH_ATTENTION_SECOND) | LH_BIT(LH_GATE) | LH_BIT(LH_GATE_IN_UP),
	  .biased = true, .embedding_norm = true },
	{ "jina-bert-v3", .position = LH_HALVES, .norms = AFTER, .may = LH_BIT(LH_TYPES),
	  .biased = true, .embedding_norm = true },
	{ "modern-bert", .position = LH_HALVES, .norms = BEFORE, .has = LH_BIT(LH_GATE_IN_UP),
	  .may = LH_BIT(LH_FIRST_IN) | LH_BIT(LH_SILU) | HEAD, .embedding_norm = true,
	  .output_norm = true, .period = 3, .global_first = true, .pairs = LH_POOL_MEAN },
	{ "gemma-embedding", .position = LH_HALVES, .norms = BEFORE | OF_HEADS | POST,
	  .has = LH_BIT(LH_FIRST_IN) | LH_BIT(LH_GATE),
	  .may = LH_BIT(LH_DENSE_2) | LH_BIT(LH_DENSE_3), .rms = true, .output_norm = true,
	  .scaled = true, .causal = LH_IGNORED, .period = 6 },
	{ "qwen3", .position = LH_HALVES, .norms = BEFORE | OF_HEADS,
	  .has = LH_BIT(LH_FIRST_IN) | LH_BIT(LH_GATE) | LH_BIT(LH_SILU), .rms = true,
	  .output_norm = true, .causal = LH_CAUSAL },
	{ "llama-embed", .position = LH_ADJACENT, .norms = BEFORE,
	  .has = LH_BIT(LH_FIRST_IN) | LH_BIT(LH_GATE) | LH_BIT(LH_SILU),
	  .may = LH_BIT(LH_FACTORS), .rms = true, .output_norm = true, .causal = LH_CAUSAL },
};
#define DESIGNS (sizeof designs / sizeof *designs)

const struct lh_design *lh_design(uint32_t number)
{
	return number < DESIGNS ? &designs[number] : NULL;
}

static bool is_rotary(const struct lh_design *d)
{
	return d->position == LH_HALVES || d->position == LH_ADJACENT;
}

/* ---- keys ---- */

struct reader {
	struct lh_shape *s;
	const struct lh_design *d;
	const struct lh_gguf *g;
	struct lh_err *err;
	char key[96];
};

static const char *key_of(struct reader *r, const char *name)
{
	snprintf(r->key, sizeof r->key, "%s.%s", r->d->name, name);
	return r->key;
}

static bool has_key(struct reader *r, const char *name)
{
	return lh_gguf_has(r->g, key_of(r, name));
}

static int size_key(struct reader *r, const char *name, uint64_t least, uint64_t most,
		    uint64_t *to)
{
	return lh_gguf_u64(r->g, key_of(r, name), least, most, to, r->err);
}

/* Read a key that may be absent, which leaves *to as it is. */
static int size_if_there(struct reader *r, const char *name, uint64_t least, uint64_t most,
			 uint64_t *to)
{
	return has_key(r, name) ? size_key(r, name, least, most, to) : 0;
}

static int number_if_there(struct reader *r, const char *name, double *to)
{
	return has_key(r, name) ? lh_gguf_f64(r->g, r->key, to, r->err) : 0;
}

static int wrong(const struct reader *r, const char *what)
{
	return lh_err_set(r->err, LH_ECORRUPT, "%s: %s", lh_gguf_path(r->g), what);
}

static int architecture(struct reader *r)
{
	char names[256] = "";
	struct lh_str s;
	size_t n = 0;

	if (lh_gguf_str(r->g, "general.architecture", &s, r->err) < 0)
		return -1;
	for (uint32_t i = 0; i < DESIGNS; i++) {
		r->d = &designs[i];
		r->s->architecture = i;
		if (s.n == strlen(r->d->name) && !memcmp(s.p, r->d->name, s.n))
			return 0;
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", r->d->name,
				      i + 1 == DESIGNS ? "" : i + 2 == DESIGNS ? " or " : ", ");
	}
	return lh_err_set(r->err, LH_ECORRUPT, "%s: architecture \"%.*s\" is not %s",
			  lh_gguf_path(r->g), (int)(s.n < 64 ? s.n : 64), s.p, names);
}

static int sizes(struct reader *r)
{
	struct lh_shape *s = r->s;
	uint64_t values;

	if (size_key(r, "block_count", 1, LH_LAYERS_MAX, &s->layers) < 0 ||
	    size_key(r, "context_length", 1, SIZE_MOST, &s->context) < 0 ||
	    size_key(r, "embedding_length", 1, SIZE_MOST, &s->width) < 0 ||
	    size_key(r, "feed_forward_length", 1, SIZE_MOST, &s->feed_forward) < 0 ||
	    size_key(r, "attention.head_count", 1, SIZE_MOST, &s->heads) < 0)
		return -1;
	if (lh_gguf_has(r->g, LH_MAX_LENGTH) &&
	    lh_gguf_u64(r->g, LH_MAX_LENGTH, 1, s->context, &s->limit, r->err) < 0)
		return -1;
	s->kv_heads = s->heads;
	if (s->width % s->heads && !has_key(r, "attention.key_length"))
		return wrong(r, "the number of heads does not divide the width");
	s->head = s->width / s->heads;
	if (size_if_there(r, "attention.head_count_kv", 1, s->heads, &s->kv_heads) < 0 ||
	    size_if_there(r, "attention.key_length", 1, SIZE_MOST, &s->head) < 0)
		return -1;
	values = s->head;
	if (size_if_there(r, "attention.value_length", 1, SIZE_MOST, &values) < 0)
		return -1;
	return values == s->head ? 0 : wrong(r, "attention.value_length is not that of keys");
}

static int pooling(struct reader *r, bool pairs)
{
	uint64_t n = r->d->pairs;

	if (!pairs && size_key(r, "pooling_type", 0, POOLING_MOST, &n) < 0)
		return -1;
	r->s->pooling = (uint32_t)n;
	if (!pairs || r->d->pairs)
		return 0;
	return lh_err_set(r->err, LH_ECORRUPT, "%s: architecture \"%s\" is not one of a "
			  "cross-encoder", lh_gguf_path(r->g), r->d->name);
}

/* Set the number of labels of a cross-encoder. */
static int labels(struct reader *r)
{
	struct lh_gguf_array of = { .n = 1 };

	if (!lh_gguf_tensor(r->g, LH_CROSS_ENCODER))
		return wrong(r, "not a cross-encoder: it has no tensor \"" LH_CROSS_ENCODER "\"");
	if (has_key(r, "classifier.output_labels") &&
	    lh_gguf_array(r->g, r->key, KEY_STRING, &of, r->err) < 0)
		return -1;
	r->s->labels = of.n;
	if (of.n == 1 || of.n == LABELS_MOST)
		return 0;
	return lh_err_set(r->err, LH_ECORRUPT, "%s: %llu labels: a cross-encoder has one or two",
			  lh_gguf_path(r->g), (unsigned long long)of.n);
}

static int rotation(struct reader *r)
{
	struct lh_shape *s = r->s;
	double factor = 1;

	s->base = s->local_base = 10000;
	s->rotated = s->head;
	if (!is_rotary(r->d))
		return 0;
	if (number_if_there(r, "rope.freq_base", &s->base) < 0 ||
	    number_if_there(r, "rope.freq_base_swa", &s->local_base) < 0 ||
	    number_if_there(r, "rope.scaling.factor", &factor) < 0 ||
	    size_if_there(r, "rope.dimension_count", 1, s->head, &s->rotated) < 0)
		return -1;
	return factor == 1 || factor == 0 ? 0 : wrong(r, "rope.scaling.factor is not 1: scaled "
							 "positions are not supported");
}

static int causal(struct reader *r)
{
	bool causal = r->d->causal == LH_CAUSAL;

	if (r->d->causal != LH_IGNORED && has_key(r, "attention.causal") &&
	    lh_gguf_bool(r->g, r->key, &causal, r->err) < 0)
		return -1;
	r->s->causal = causal;
	return causal && r->d->causal != LH_CAUSAL
		? wrong(r, "attention is causal: this is not a model for embeddings") : 0;
}

/* Set which layers have the window: a key with a period, or with a boolean of each. */
static int pattern(struct reader *r)
{
	struct lh_gguf_array of = { .n = 0 };
	uint64_t period = r->d->period;
	struct lh_err none;

	if (has_key(r, "attention.sliding_window_pattern") &&
	    lh_gguf_array(r->g, r->key, KEY_BOOL, &of, &none) < 0 &&
	    size_key(r, "attention.sliding_window_pattern", 0, LH_LAYERS_MAX, &period) < 0)
		return -1;
	if (of.n && of.n != r->s->layers)
		return wrong(r, "attention.sliding_window_pattern is not of all layers");
	for (uint64_t i = 0; i < r->s->layers; i++)
		if (of.n ? of.data[i] != 0
			 : !period || i % period != (r->d->global_first ? 0 : period - 1))
			r->s->local[i / 64] |= (uint64_t)1 << i % 64;
	return 0;
}

static int window(struct reader *r)
{
	const char *name = "attention.sliding_window";

	if (!r->d->period || (r->d->global_first && !has_key(r, name)))
		return 0;
	/* modern-bert's 0 is none; in gemma-embedding's it would be a token that sees itself. */
	if (size_key(r, name, !r->d->global_first, SIZE_MOST, &r->s->window) < 0)
		return -1;
	return r->s->window ? pattern(r) : 0;
}

static int numbers(struct reader *r)
{
	const char *epsilon = r->d->rms ? "attention.layer_norm_rms_epsilon"
					: "attention.layer_norm_epsilon";

	if (lh_gguf_f64(r->g, key_of(r, epsilon), &r->s->epsilon, r->err) < 0)
		return -1;
	if (rotation(r) < 0 || causal(r) < 0 || window(r) < 0)
		return -1;
	if (!r->d->moe)
		return 0;
	if (size_key(r, "moe_every_n_layers", 1, LH_LAYERS_MAX, &r->s->moe_every) < 0 ||
	    size_key(r, "expert_count", 1, SIZE_MOST, &r->s->experts) < 0)
		return -1;
	return size_key(r, "expert_used_count", 1, r->s->experts, &r->s->experts_used);
}

/* ---- what a file has ---- */

static const char *const tensor_of[LH_HAS] = {
	[LH_QUERY] = "blk.0.attn_q_norm.weight", [LH_KEY] = "blk.0.attn_k_norm.weight",
	[LH_ATTENTION_SECOND] = "blk.0.attn_norm_2.weight",
	[LH_FIRST_IN] = "blk.0.attn_norm.weight", [LH_TYPES] = "token_types.weight",
	[LH_FACTORS] = "rope_freqs.weight", [LH_GATE] = "blk.0.ffn_gate.weight",
	[LH_DENSE_2] = "dense_2.weight", [LH_DENSE_3] = "dense_3.weight",
	[LH_CLS] = "cls.weight", [LH_CLS_NORM] = "cls.norm.weight",
};

static int activation(struct reader *r)
{
	struct lh_str s = { "gelu", 4 };
	bool erf = false;

	if (lh_gguf_has(r->g, LH_GELU_ERF) &&
	    lh_gguf_bool(r->g, LH_GELU_ERF, &erf, r->err) < 0)
		return -1;
	if (erf && r->d->may & LH_BIT(LH_ERF))
		r->s->has |= LH_BIT(LH_ERF);
	if (!(r->d->may & LH_BIT(LH_SILU)) || !has_key(r, "hidden_activation"))
		return 0;
	if (lh_gguf_str(r->g, r->key, &s, r->err) < 0)
		return -1;
	if (s.n != 4 || (memcmp(s.p, "silu", 4) != 0 && memcmp(s.p, "gelu", 4) != 0))
		return lh_err_set(r->err, LH_ECORRUPT, "%s: hidden_activation \"%.*s\" is not gelu "
				  "or silu", lh_gguf_path(r->g), (int)(s.n < 64 ? s.n : 64), s.p);
	if (*s.p == 's')
		r->s->has |= LH_BIT(LH_SILU);
	return 0;
}

static int parts(struct reader *r)
{
	const struct lh_gguf_tensor *t;
	struct lh_shape *s = r->s;

	s->has = r->d->has;
	for (unsigned i = 0; i < LH_HAS; i++)
		if (r->d->may & LH_BIT(i) && tensor_of[i] && lh_gguf_tensor(r->g, tensor_of[i]))
			s->has |= LH_BIT(i);
	if (!s->labels)
		s->has &= ~HEAD;
	t = lh_gguf_tensor(r->g, "blk.0.ffn_up.weight");
	if (r->d->may & LH_BIT(LH_GATE_IN_UP) && !(s->has & LH_BIT(LH_GATE)) && t &&
	    t->dim[1] == 2 * s->feed_forward)
		s->has |= LH_BIT(LH_GATE_IN_UP);
	s->dense = s->has & (LH_BIT(LH_DENSE_2) | LH_BIT(LH_DENSE_3)) ? s->width : 0;
	t = lh_gguf_tensor(r->g, tensor_of[LH_DENSE_2]);
	if (t && s->has & LH_BIT(LH_DENSE_2) && s->has & LH_BIT(LH_DENSE_3))
		s->dense = t->dim[1];
	return activation(r);
}

int lh_shape_read(struct lh_shape *to, const struct lh_gguf *g, bool pairs, struct lh_err *err)
{
	struct reader r = { .s = to, .g = g, .err = err };
	const char *what;

	if (architecture(&r) < 0 || sizes(&r) < 0 || pooling(&r, pairs) < 0 ||
	    (pairs && labels(&r) < 0) || numbers(&r) < 0 || parts(&r) < 0)
		return -1;
	what = lh_shape_wrong(to);
	return what ? wrong(&r, what) : 0;
}

/* ---- checks ---- */

static bool in_range(uint64_t n, uint64_t most)
{
	return n >= 1 && n <= most;
}

/* Return whether the parameters are in the ranges of the keys. */
static bool is_plausible(const struct lh_shape *s, const struct lh_design *d)
{
	const unsigned dense = LH_BIT(LH_DENSE_2) | LH_BIT(LH_DENSE_3);

	return in_range(s->layers, LH_LAYERS_MAX) && in_range(s->context, SIZE_MOST) &&
	       in_range(s->width, SIZE_MOST) && in_range(s->feed_forward, SIZE_MOST) &&
	       in_range(s->heads, SIZE_MOST) && in_range(s->kv_heads, s->heads) &&
	       in_range(s->head, SIZE_MOST) && in_range(s->rotated, s->head) &&
	       s->limit <= s->context && s->window <= SIZE_MOST && s->pooling <= POOLING_MOST &&
	       (!(s->has & dense) ? !s->dense
		: (s->has & dense) == dense ? in_range(s->dense, SIZE_MOST)
					    : s->dense == s->width) &&
	       (s->has & d->has) == d->has && !(s->has & ~(d->has | d->may)) &&
	       (s->labels ? s->labels <= LABELS_MOST && d->pairs && s->pooling == d->pairs
			  : !(s->has & HEAD)) &&
	       __builtin_isfinite(s->epsilon) && __builtin_isfinite(s->base) &&
	       __builtin_isfinite(s->local_base) &&
	       (d->moe ? in_range(s->moe_every, LH_LAYERS_MAX) && in_range(s->experts, SIZE_MOST) &&
				 in_range(s->experts_used, s->experts)
		       : !s->moe_every && !s->experts && !s->experts_used);
}

const char *lh_shape_wrong(const struct lh_shape *s)
{
	const struct lh_design *d = lh_design(s->architecture);

	if (!d || !is_plausible(s, d))
		return "its parameters are not those of a model";
	if (s->heads % s->kv_heads)
		return "attention.head_count_kv does not divide the number of heads";
	if (s->heads * s->head > SIZE_MOST)
		return "its heads are too wide together";
	if (is_rotary(d) && s->rotated % 2)
		return "the width of a head is odd: rotary embeddings need pairs";
	if (s->epsilon < 0)
		return d->rms ? "attention.layer_norm_rms_epsilon is negative"
			      : "attention.layer_norm_epsilon is negative";
	if (s->base <= 0)
		return "rope.freq_base is not positive";
	return s->local_base > 0 ? NULL : "rope.freq_base_swa is not positive";
}
