/*
 * model - write a GGUF model, as tests/model/make.py does, with the same options: the large ones
 * that are measured.
 *
 *     model VOCABULARY FILE [--architecture nomic-bert] [--type F16] [--layers 12] ...
 *
 * VOCABULARY is tests/model/wordpiece.txt or unigram.txt.  tests/model/README.md says how
 * weights follow from the seed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../tests/unit/check.h"

#define GOLDEN 0x9e3779b97f4a7c15u
#define NAME 64

enum { U32 = 4, I32 = 5, F32 = 6, BOOL = 7, STRING = 8, ARRAY = 9 };	/* types of keys */

/* ---- blocks ---- */

static void put16(unsigned char *to, unsigned v)
{
	to[0] = (unsigned char)v;
	to[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *to, uint32_t v)
{
	put16(to, v & 0xffff);
	put16(to + 2, v >> 16);
}

static void put_half(unsigned char *to, float v)
{
	_Float16 h = (_Float16)v;
	uint16_t bits;

	memcpy(&bits, &h, sizeof bits);
	put16(to, bits);
}

static float half(float v)
{
	return (float)(_Float16)v;
}

static float farthest(const float *v, int n)
{
	float best = 0;

	for (int i = 0; i < n; i++)
		if (fabsf(v[i]) > fabsf(best))
			best = v[i];
	return best;
}

static float inverse(float d)
{
	return d != 0 ? 1 / d : 0;
}

static int clamp(float v, int least, int most)
{
	return v < (float)least ? least : v > (float)most ? most : (int)v;
}

/* Pack pairs of values at distance d, n of them, into bytes of two nibbles. */
static void nibbles(const int *q, int n, int d, unsigned char *to)
{
	for (int i = 0; i < n; i++)
		to[i] = (unsigned char)((q[i] & 15) | (q[i + d] & 15) << 4);
}

static void high_bits(const int *q, unsigned char *to)
{
	uint32_t bits = 0;

	for (int i = 0; i < 32; i++)
		bits |= (uint32_t)(q[i] >> 4 & 1) << i;
	put32(to, bits);
}

/* Encode around a half, with a scale: Q4_0, Q5_0. */
static float around(const float *v, int mid, int *q)
{
	float d = farthest(v, 32) / (float)-mid, id = inverse(d);

	for (int i = 0; i < 32; i++)
		q[i] = clamp(v[i] * id + ((float)mid + 0.5f), 0, 2 * mid - 1);
	return d;
}

/* Encode from a minimum on, with a scale: Q4_1, Q5_1. */
static float affine(const float *v, int most, int *q, float *least)
{
	float low = v[0], high = v[0], d, id;

	for (int i = 1; i < 32; i++) {
		low = v[i] < low ? v[i] : low;
		high = v[i] > high ? v[i] : high;
	}
	d = (high - low) / (float)most;
	id = inverse(d);
	for (int i = 0; i < 32; i++)
		q[i] = clamp((v[i] - low) * id + 0.5f, 0, most);
	*least = low;
	return d;
}

static void q4_0(const float *v, unsigned char *to)
{
	int q[32];

	put_half(to, around(v, 8, q));
	nibbles(q, 16, 16, to + 2);
}

static void q4_1(const float *v, unsigned char *to)
{
	float low;
	int q[32];

	put_half(to, affine(v, 15, q, &low));
	put_half(to + 2, low);
	nibbles(q, 16, 16, to + 4);
}

static void q5_0(const float *v, unsigned char *to)
{
	int q[32];

	put_half(to, around(v, 16, q));
	high_bits(q, to + 2);
	nibbles(q, 16, 16, to + 6);
}

static void q5_1(const float *v, unsigned char *to)
{
	float low;
	int q[32];

	put_half(to, affine(v, 31, q, &low));
	put_half(to + 2, low);
	high_bits(q, to + 4);
	nibbles(q, 16, 16, to + 8);
}

static void q8_0(const float *v, unsigned char *to)
{
	float d = fabsf(farthest(v, 32)) / 127, id = inverse(d);

	put_half(to, d);
	for (int i = 0; i < 32; i++)
		to[2 + i] = (unsigned char)(int)roundf(v[i] * id);
}

/* Write d, dmin and eight scales and minima to 16 bytes; values 0..most to q. */
static void k_scales(const float *v, int most, unsigned char *to, int *q)
{
	float low[8], scale[8], top = 0, bottom = 0, up, down, d, dmin;
	int ls[8], lm[8];

	for (int j = 0; j < 8; j++) {
		float high = v[32 * j];

		low[j] = 0;
		for (int i = 0; i < 32; i++) {
			low[j] = v[32 * j + i] < low[j] ? v[32 * j + i] : low[j];
			high = v[32 * j + i] > high ? v[32 * j + i] : high;
		}
		scale[j] = (high - low[j]) / (float)most;
		top = scale[j] > top ? scale[j] : top;
		bottom = -low[j] > bottom ? -low[j] : bottom;
	}
	up = top > 0 ? 63 / top : 0;
	down = bottom > 0 ? 63 / bottom : 0;
	d = half(top / 63);
	dmin = half(bottom / 63);
	for (int i = 0; i < 256; i++) {
		int j = i / 32;
		float ds, dm;

		ls[j] = clamp(rintf(up * scale[j]), 0, 63);
		lm[j] = clamp(rintf(down * -low[j]), 0, 63);
		ds = d * (float)ls[j];
		dm = dmin * (float)lm[j];
		q[i] = ds != 0 ? clamp(rintf((v[i] + dm) / ds), 0, most) : 0;
	}
	put_half(to, d);
	put_half(to + 2, dmin);
	for (int j = 0; j < 4; j++) {
		to[4 + j] = (unsigned char)(ls[j] | ls[j + 4] >> 4 << 6);
		to[8 + j] = (unsigned char)(lm[j] | lm[j + 4] >> 4 << 6);
		to[12 + j] = (unsigned char)((ls[j + 4] & 15) | (lm[j + 4] & 15) << 4);
	}
}

static void q4_k(const float *v, unsigned char *to)
{
	int q[256];

	k_scales(v, 15, to, q);
	for (int i = 0; i < 4; i++)
		nibbles(q + 64 * i, 32, 32, to + 16 + 32 * i);
}

static void q5_k(const float *v, unsigned char *to)
{
	int q[256];

	k_scales(v, 31, to, q);
	memset(to + 16, 0, 32);
	for (int i = 0; i < 256; i++)
		to[16 + i % 32] |= (unsigned char)(q[i] >> 4 << i / 32);
	for (int i = 0; i < 4; i++)
		nibbles(q + 64 * i, 32, 32, to + 48 + 32 * i);
}

static void q6_k(const float *v, unsigned char *to)
{
	float scale[16], top, up, d;
	int q[256];

	for (int j = 0; j < 16; j++)
		scale[j] = farthest(v + 16 * j, 16) / -32;
	top = farthest(scale, 16);
	memset(to, 0, 210);
	if (top == 0)
		return;
	up = -128 / top;
	d = half(1 / up);
	for (int i = 0; i < 256; i++) {
		int s = clamp(rintf(up * scale[i / 16]), -128, 127);
		float ds = d * (float)s;

		to[192 + i / 16] = (unsigned char)s;
		q[i] = ds != 0 ? clamp(rintf(v[i] / ds), -32, 31) + 32 : 32;
	}
	for (int h = 0; h < 2; h++) {
		nibbles(q + 128 * h, 64, 64, to + 64 * h);
		for (int i = 0; i < 128; i++)
			to[128 + 32 * h + i % 32] |=
				(unsigned char)(q[128 * h + i] >> 4 << i / 32 * 2);
	}
	put_half(to + 208, d);
}

static void f32(const float *v, unsigned char *to)
{
	uint32_t bits;

	memcpy(&bits, v, sizeof bits);
	put32(to, bits);
}

static void f16(const float *v, unsigned char *to)
{
	put_half(to, *v);
}

static void bf16(const float *v, unsigned char *to)
{
	uint32_t bits;

	memcpy(&bits, v, sizeof bits);
	put16(to, (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static const struct type {
	const char *name;
	unsigned number, values, bytes;
	void (*encode)(const float *v, unsigned char *to);
} types[] = {
	{ "F32", 0, 1, 4, f32 }, { "F16", 1, 1, 2, f16 }, { "BF16", 30, 1, 2, bf16 },
	{ "Q4_0", 2, 32, 18, q4_0 }, { "Q4_1", 3, 32, 20, q4_1 }, { "Q5_0", 6, 32, 22, q5_0 },
	{ "Q5_1", 7, 32, 24, q5_1 }, { "Q8_0", 8, 32, 34, q8_0 }, { "Q4_K", 12, 256, 144, q4_k },
	{ "Q5_K", 13, 256, 176, q5_k }, { "Q6_K", 14, 256, 210, q6_k },
};

/* ---- options ---- */

static const char *architecture = "nomic-bert", *type_name = "F32", *pooling = "mean";
static const char *tokenizer;
static long seed = 1, layers = 2, width, heads = 4, ff, context, experts = 8, least_tokens, rows;
static long labels, types_of_tokens;
static bool split, nomic, moe, fused;
static const struct type *type;
static uint32_t token_types;

static const struct { const char *name; long *number; const char **text; } options[] = {
	{ "--architecture", NULL, &architecture }, { "--type", NULL, &type_name },
	{ "--seed", &seed, NULL }, { "--layers", &layers, NULL }, { "--width", &width, NULL },
	{ "--heads", &heads, NULL }, { "--feed-forward", &ff, NULL },
	{ "--context", &context, NULL }, { "--experts", &experts, NULL },
	{ "--pooling", NULL, &pooling }, { "--tokenizer", NULL, &tokenizer },
	{ "--tokens", &least_tokens, NULL }, { "--rows", &rows, NULL },
	{ "--labels", &labels, NULL }, { "--types", &types_of_tokens, NULL },
};

static void read_options(char **arg)
{
	for (; *arg; arg++) {
		size_t i;

		if (!strcmp(*arg, "--split")) {
			split = true;
			continue;
		}
		for (i = 0; i < sizeof options / sizeof *options; i++)
			if (!strcmp(options[i].name, *arg))
				break;
		check_why(i < sizeof options / sizeof *options && arg[1], *arg);
		arg++;
		if (options[i].text)
			*options[i].text = *arg;
		else
			*options[i].number = strtol(*arg, NULL, 10);
	}
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].name, type_name))
			type = &types[i];
	check_why(type, type_name);
	moe = !strcmp(architecture, "nomic-bert-moe");
	nomic = strcmp(architecture, "bert") != 0;
	width = width ? width : type->values == 256 ? 256 : 64;
	ff = ff ? ff : 2 * width;
	context = context ? context : nomic && !moe ? 2048 : 512;
	tokenizer = tokenizer ? tokenizer : moe ? "t5" : "bert";
	token_types = types_of_tokens ? (uint32_t)types_of_tokens : moe ? 1 : 2;
	fused = nomic && !split;
}

/* ---- the file ---- */

static FILE *out;

static void bytes(const void *p, size_t n)
{
	check(fwrite(p, 1, n, out) == n);
}

static void u32(uint32_t v)
{
	bytes(&v, sizeof v);
}

static void u64(uint64_t v)
{
	bytes(&v, sizeof v);
}

static void string(const char *s)
{
	u64(strlen(s));
	bytes(s, strlen(s));
}

static uint64_t align(uint64_t n)
{
	return (n + 31) / 32 * 32;
}

static void pad(uint64_t n)
{
	static const char zeros[32];

	bytes(zeros, align(n) - n);
}

/* ---- keys; the first pass only counts them ---- */

static bool counting;
static uint64_t keys;

/* Begin a key; return whether its value is to be written.  "." stands for the architecture. */
static bool key(const char *name, uint32_t kind)
{
	char full[128];

	keys++;
	if (counting)
		return false;
	snprintf(full, sizeof full, "%s%s", *name == '.' ? architecture : "", name);
	string(full);
	u32(kind);
	return true;
}

static void key_u32(const char *name, long v)
{
	if (key(name, U32))
		u32((uint32_t)v);
}

static void key_f32(const char *name, float v)
{
	if (key(name, F32))
		bytes(&v, sizeof v);
}

static void key_bool(const char *name, bool v)
{
	if (key(name, BOOL))
		bytes(&v, 1);
}

static void key_string(const char *name, const char *v)
{
	if (key(name, STRING))
		string(v);
}

static bool key_array(const char *name, uint32_t of, uint64_t n)
{
	if (!key(name, ARRAY))
		return false;
	u32(of);
	u64(n);
	return true;
}

/* ---- the vocabulary ---- */

enum { PAD, UNK, CLS, SEP, MASK, SPECIALS };
static struct { char text[NAME]; float score; } *token;
static size_t tokens;
static uint32_t special[SPECIALS];

static void add_token(const char *text, float score)
{
	static const char *const names[2][SPECIALS] = {
		{ "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" },
		{ "<pad>", "<unk>", "<s>", "</s>", "<mask>" },
	};

	if (tokens % 4096 == 0)
		check((token = realloc(token, (tokens + 4096) * sizeof *token)));
	snprintf(token[tokens].text, NAME, "%s", text);
	token[tokens].score = score;
	for (int i = 0; i < SPECIALS; i++)
		if (!strcmp(names[!strcmp(tokenizer, "t5")][i], text))
			special[i] = (uint32_t)tokens;
	tokens++;
}

static void read_vocabulary(const char *path)
{
	FILE *f = fopen(path, "r");
	char text[256];
	float score = 0;
	size_t of_file;

	check_why(f, path);
	while (fscanf(f, "%255s", text) == 1) {
		check_why(strcmp(tokenizer, "t5") || fscanf(f, "%f", &score) == 1, path);
		add_token(text, score);
	}
	fclose(f);
	of_file = tokens;
	while ((long)tokens < least_tokens) {
		size_t i = tokens - of_file, left = i;
		char word[NAME] = "\u2581", *p = strchr(word, 0);

		for (int syllable = 0; syllable < 3; syllable++, left /= 85) {
			*p++ = "bcdfghjklmnprstvz"[left % 17];
			*p++ = "aeiou"[left / 17 % 5];
		}
		add_token(word, -12 - (float)(i % 64) / 8);
	}
}

static uint32_t kind_of(size_t id)
{
	for (int i = 0; i < SPECIALS; i++)
		if (special[i] == id)
			return i == UNK ? 2 : 3;
	return 1;
}

static void token_keys(void)
{
	bool t5 = !strcmp(tokenizer, "t5");

	key_string("tokenizer.ggml.model", tokenizer);
	if (key_array("tokenizer.ggml.tokens", STRING, tokens))
		for (size_t i = 0; i < tokens; i++)
			string(token[i].text);
	if (key_array("tokenizer.ggml.token_type", I32, tokens))
		for (size_t i = 0; i < tokens; i++)
			u32(kind_of(i));
	key_u32("tokenizer.ggml.token_type_count", token_types);
	if (t5) {
		if (key_array("tokenizer.ggml.scores", F32, tokens))
			for (size_t i = 0; i < tokens; i++)
				bytes(&token[i].score, 4);
		key_bool("tokenizer.ggml.add_bos_token", true);
		key_bool("tokenizer.ggml.add_eos_token", true);
		key_bool("tokenizer.ggml.add_space_prefix", true);
		key_bool("tokenizer.ggml.remove_extra_whitespaces", true);
	}
	key_u32("tokenizer.ggml.bos_token_id", special[CLS]);
	key_u32("tokenizer.ggml.eos_token_id", special[SEP]);
	key_u32("tokenizer.ggml.unknown_token_id", special[UNK]);
	key_u32("tokenizer.ggml.seperator_token_id", special[SEP]);
	key_u32("tokenizer.ggml.padding_token_id", special[PAD]);
	key_u32("tokenizer.ggml.cls_token_id", special[CLS]);
	key_u32("tokenizer.ggml.mask_token_id", special[MASK]);
}

static long pooling_type(void)
{
	static const char *const names[] = { "none", "mean", "cls", "last", "rank" };

	for (long i = 0; i < 5; i++)
		if (!strcmp(names[i], pooling))
			return i;
	check_why(false, pooling);
	return -1;
}

static void all_keys(void)
{
	key_string("general.architecture", architecture);
	key_string("general.name", "test");
	key_u32(".block_count", layers);
	key_u32(".context_length", context);
	key_u32(".embedding_length", width);
	key_u32(".feed_forward_length", ff);
	key_u32(".attention.head_count", heads);
	key_f32(".attention.layer_norm_epsilon", moe ? 1e-5f : 1e-12f);
	key_bool(".attention.causal", false);
	key_u32(".pooling_type", pooling_type());
	if (nomic)
		key_f32(".rope.freq_base", moe ? 10000 : 1000);
	if (moe) {
		key_u32(".expert_count", experts);
		key_u32(".expert_used_count", 2);
		key_u32(".moe_every_n_layers", 2);
	}
	if (labels && key_array(".classifier.output_labels", STRING, (uint64_t)labels))
		for (long i = 0; i < labels; i++) {
			char name[32];

			snprintf(name, sizeof name, "LABEL_%ld", i);
			string(name);
		}
	token_keys();
}

/* ---- tensors: declared, then written ---- */

static struct tensor {
	char name[NAME + 32];
	long dim[3];			/* 0: no more */
	const struct type *type;
	int center, exponent;
} *tensor;
static size_t tensors;

static void declare(const char *name, const char *suffix, const struct type *of, const long *dim,
		    int center, int exponent)
{
	struct tensor *t;

	if (tensors % 64 == 0)
		check((tensor = realloc(tensor, (tensors + 64) * sizeof *tensor)));
	t = &tensor[tensors++];
	*t = (struct tensor){ .dim = { dim[0], dim[1], dim[2] }, .type = of, .center = center,
			      .exponent = exponent };
	snprintf(t->name, sizeof t->name, "%s%s", name, suffix);
}

static void plain(const char *name, const char *suffix, long n, long n2, int center, int exponent)
{
	declare(name, suffix, &types[0], (long[]){ n, n2, 0 }, center, exponent);
}

static void norm(const char *name)
{
	plain(name, ".weight", width, 0, 1, -2);
	plain(name, ".bias", width, 0, 0, -3);
}

static void matrix(const char *name, long in, long to, long n, bool bias)
{
	int k = 0;

	while ((6L << 2 * k) < in)
		k++;
	declare(name, ".weight", type, (long[]){ in, to, n }, 0, -k);
	if (bias)
		plain(name, ".bias", to, 0, 0, -3);
}

static const char *block(long layer, const char *name)
{
	static char full[NAME];

	snprintf(full, sizeof full, "blk.%ld.%s", layer, name);
	return full;
}

static void declare_layer(long i)
{
	static const char *const parts[] = { "attn_q", "attn_k", "attn_v" };
	bool bias = !nomic || moe;

	if (fused)
		matrix(block(i, "attn_qkv"), width, 3 * width, 0, bias);
	for (int p = 0; p < 3 && !fused; p++)
		matrix(block(i, parts[p]), width, width, 0, bias);
	matrix(block(i, "attn_output"), width, width, 0, bias);
	norm(block(i, "attn_output_norm"));
	if (moe && i % 2 == 1) {
		plain(block(i, "ffn_gate_inp"), ".weight", width, experts, 0, -2);
		matrix(block(i, "ffn_up_exps"), width, ff, experts, false);
		matrix(block(i, "ffn_down_exps"), ff, width, experts, false);
	} else {
		if (nomic && !moe)
			matrix(block(i, "ffn_gate"), width, ff, 0, false);
		matrix(block(i, "ffn_up"), width, ff, 0, bias);
		matrix(block(i, "ffn_down"), ff, width, 0, bias);
	}
	norm(block(i, "layer_output_norm"));
}

static void declare_all(void)
{
	long n = rows > (long)tokens ? rows : (long)tokens;

	declare("token_embd", ".weight", type, (long[]){ width, n, 0 }, 0, 0);
	plain("token_types", ".weight", width, token_types, 0, -2);
	if (!nomic)
		plain("position_embd", ".weight", width, context, 0, -2);
	norm("token_embd_norm");
	for (long i = 0; i < layers; i++)
		declare_layer(i);
	if (labels) {
		matrix("cls", width, width, 0, true);
		matrix("cls.output", width, labels, 0, true);
	}
}

static uint64_t values_of(const struct tensor *t)
{
	uint64_t n = 1;

	for (int i = 0; i < 3 && t->dim[i]; i++)
		n *= (uint64_t)t->dim[i];
	return n;
}

static uint64_t bytes_of(const struct tensor *t)
{
	return values_of(t) / t->type->values * t->type->bytes;
}

static void write_tensor_heads(void)
{
	uint64_t at = 0;

	for (size_t i = 0; i < tensors; i++) {
		const struct tensor *t = &tensor[i];
		uint32_t dims = t->dim[2] ? 3 : t->dim[1] ? 2 : 1;

		string(t->name);
		u32(dims);
		for (uint32_t d = 0; d < dims; d++)
			u64((uint64_t)t->dim[d]);
		u32(t->type->number);
		u64(at);
		at += align(bytes_of(t));
	}
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Fill v with the next values of the tensor whose generator is at *at. */
static void draw(const struct tensor *t, uint64_t *at, float *v, unsigned n)
{
	const float unit = ldexpf(1, t->exponent);

	for (unsigned i = 0; i < n; i++) {
		uint64_t z = mix(*at += GOLDEN);
		int sum = (int)(z >> 41) + (int)(z >> 18 & 0x7fffff) - 0x7fffff;

		v[i] = (float)sum * 0x1p-23f * unit + (float)t->center;
	}
}

static void write_tensor(const struct tensor *t)
{
	uint64_t h = 0xcbf29ce484222325u, at, n = values_of(t);
	unsigned char encoded[8192];
	size_t used = 0;
	float v[256];

	for (const char *p = t->name; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	at = mix((uint64_t)seed + h);
	for (uint64_t i = 0; i < n; i += t->type->values) {
		draw(t, &at, v, t->type->values);
		t->type->encode(v, encoded + used);
		used += t->type->bytes;
		if (used > sizeof encoded - 256) {
			bytes(encoded, used);
			used = 0;
		}
	}
	bytes(encoded, used);
	pad(bytes_of(t));
}

int main(int argc, char **argv)
{
	check_why(argc > 2, "model VOCABULARY FILE [OPTION VALUE]...");
	read_options(argv + 3);
	read_vocabulary(argv[1]);
	check_why((out = fopen(argv[2], "wb")), argv[2]);
	declare_all();
	counting = true;
	all_keys();
	counting = false;
	bytes("GGUF", 4);
	u32(3);
	u64(tensors);
	u64(keys);
	all_keys();
	write_tensor_heads();
	pad((uint64_t)ftell(out));
	for (size_t i = 0; i < tensors; i++)
		write_tensor(&tensor[i]);
	check(fclose(out) == 0);
	free(token);
	free(tensor);
	return 0;
}
