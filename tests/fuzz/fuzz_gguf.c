/*
 * fuzz_gguf - hostile GGUF files: each is refused with one line, or every key and tensor that it
 * has can be read, and the parameters of a model are refused or are in their ranges; with these
 * it makes vectors of a text, or a score of a pair.
 *
 * Every second mutation is another number as the value of a key, or as a size of a tensor.
 */
#include "fuzz.h"

#include "transformer/encoder_parts.h"
#include "transformer/tokenizer.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);

#define ROW_MAX 65536		/* values of a row that is decoded */

static struct lh_err err;
static float row[ROW_MAX];
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fd = fuzz_nameless();
	return 0;
}

static uint64_t sum_of(const char *p, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += (unsigned char)p[n];
	return sum;
}

static void read_array(const struct lh_gguf *g, const char *key, uint32_t type)
{
	struct lh_gguf_array a;
	uint64_t sum = 0;

	if (lh_gguf_array(g, key, type, &a, &err) < 0)
		return;
	for (uint64_t i = 0; i < a.n; i++)
		if (type == 8) {
			struct lh_str s = lh_gguf_array_str(&a, i);

			sum += sum_of(s.p, s.n);
		} else {
			sum += (uint64_t)lh_gguf_array_i64(&a, i) + !lh_gguf_array_f64(&a, i);
		}
	if (sum == 1234567890123456789)
		abort();		/* so that it is computed */
}

static void read_key(const struct lh_gguf *g, const char *key)
{
	struct lh_str s;
	uint64_t n;
	double d;
	bool b;

	never(lh_gguf_u64(g, key, 3, 100, &n, &err) == 0 && (n < 3 || n > 100));
	never(lh_gguf_f64(g, key, &d, &err) == 0 && d - d != 0);
	lh_gguf_bool(g, key, &b, &err);
	never(lh_gguf_str(g, key, &s, &err) == 0 && !lh_utf8_valid(s.p, s.n));
	for (uint32_t type = 0; type < 13; type++)
		read_array(g, key, type);
}

static void read_tensor(const struct lh_gguf *g, const struct lh_gguf_tensor *t)
{
	struct lh_str all = lh_gguf_bytes(g);
	uint64_t rows = t->dim[1] * t->dim[2] * t->dim[3];

	never((const char *)t->data < all.p || (const char *)t->data + t->bytes > all.p + all.n);
	if (!lh_gguf_readable(t))
		return;
	lh_gguf_finite(t);
	if (t->dim[0] > ROW_MAX)
		return;
	lh_gguf_row(t, 0, row);
	lh_gguf_row(t, rows - 1, row);
}

/* The vectors of a text, or the score of a pair. */
static void run(const struct lh_encoder *e, const struct lh_tokenizer *t, bool pairs)
{
	struct lh_token_list one = { 0 }, pair = { 0 }, *list = pairs ? &pair : &one;
	struct lh_encoder_work *w = lh_encoder_work_new(e);
	struct lh_encoder_info info;
	double *scratch = NULL;
	float *v = NULL;

	lh_encoder_info(e, &info);
	if (w && lh_tokenizer_run(t, lh_str_of("a b ab <x> 7"), &one, &err) == 0 &&
	    (!pairs || lh_tokenizer_pair(t, &one, &one, info.context, &pair, &err) == 0) &&
	    (v = calloc(list->n + 2, info.width * sizeof *v)) &&
	    lh_encoder_run(w, list, 1, v, &err) == 0 && pairs &&
	    (scratch = calloc(2, info.width * sizeof *scratch)))
		lh_encoder_score(e, v, scratch);
	free(scratch);
	free(v);
	lh_token_list_free(&one);
	lh_token_list_free(&pair);
	lh_encoder_work_free(w);
}

static void use_model(struct lh_gguf *g, bool pairs)
{
	struct lh_encoder_how how = { .pairs = pairs, .raw = pairs };
	struct lh_tokenizer *t = lh_tokenizer_new(g, &err);
	struct lh_encoder *e = t ? lh_encoder_new(g, &how, &err) : NULL;

	if (e)
		run(e, t, pairs);
	else if (!*err.msg || (err.code != LH_ECORRUPT && err.code != LH_ENOMEM))
		abort();
	lh_encoder_free(e);
	lh_tokenizer_free(t);
}

/* Set the number after a name and the u32 after that: a key's value, or a tensor's first size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
	static const char *const names[] = {
		"pooling_type", "attention.causal", "rope.freq_base", "rope.freq_base_swa",
		"rope.dimension_count", "attention.sliding_window", "sliding_window_pattern",
		"classifier.output_labels", "attention.head_count", "attention.head_count_kv",
		"attention.key_length", "attention.value_length", "block_count", "context_length",
		"embedding_length", "feed_forward_length", "layer_norm_epsilon", "rms_epsilon",
		"tokenizer.ggml.pre", "tokenizer.ggml.merges", "tokenizer.ggml.model",
		"add_bos_token", "add_eos_token", "bos_token_id", "eos_token_id",
		"hidden_activation", "dense_2.weight", "dense_3.weight", "rope_freqs.weight",
		"cls.weight", "cls.norm.weight", "cls.output.weight", "cls.bias",
		"token_types.weight", "position_embd.weight", "ffn_up.weight", "attn_qkv.weight",
	};
	static const uint32_t numbers[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64, 512, 1 << 20, (1 << 20) + 1,
		INT32_MAX, UINT32_MAX, 0x3f800000, 0x7f800000, 0x7fc00000, 0xff7fffff, 0x80000000,
	};
	const char *name = names[seed / 2 % (sizeof names / sizeof *names)];
	uint32_t to = numbers[seed / 128 % (sizeof numbers / sizeof *numbers)];
	uint8_t *p = memmem(data, n, name, strlen(name));

	p = p ? p + strlen(name) + 4 : NULL;
	if (seed % 2 || !p || (size_t)(data + n - p) < sizeof to)
		return LLVMFuzzerMutate(data, n, most);
	memcpy(p, &to, seed % 8 ? sizeof to : 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const keys[] = {
		"general.architecture", "general.alignment", "bert.block_count", "many.4",
		"bert.attention.layer_norm_epsilon", "tokenizer.ggml.tokens", "many.6", "",
		"bert.classifier.output_labels", "bert.pooling_type", "tokenizer.ggml.merges",
		"tokenizer.ggml.pre", "tokenizer.ggml.add_bos_token",
	};
	struct lh_shape shape = { .layers = 0 };
	struct lh_gguf *g;

	fuzz_fill(fd, data, n);
	g = lh_gguf_open(fuzz_path, &err);
	if (!g) {
		never(err.code != LH_ECORRUPT || !*err.msg);
		return 0;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		read_key(g, keys[i]);
	never(lh_shape_read(&shape, g, n % 2, &err) == 0 ? lh_shape_wrong(&shape) != NULL
							 : err.code != LH_ECORRUPT || !*err.msg);
	for (size_t i = 0; i < lh_gguf_tensors(g); i++)
		read_tensor(g, lh_gguf_tensor_at(g, i));
	use_model(g, false);
	use_model(g, true);
	lh_gguf_close(g);
	return 0;
}
