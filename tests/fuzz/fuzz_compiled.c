/*
 * fuzz_compiled - hostile compiled models: each is refused with one line, or its tokenizer and
 * encoder can be used.
 *
 * The input is a byte and a list of changes to a good file: u24 offset, u8 length, bytes; the
 * checksums are then repaired, unless the byte is odd.  Its other bits say which file.  A changed
 * weight may give any vector.
 */
#include "fuzz.h"

#include "../unit/compiled_use.h"

#define MODELS "tests/fuzz/corpus/fuzz_gguf/"
#define MOST (1 << 18)

static const char *const models[] = {
	MODELS "model", MODELS "ranker", MODELS "modern-ranker", MODELS "bpe",
	MODELS "gemma-embedding", MODELS "jina-bert-v2",
};
#define N_MODELS (sizeof models / sizeof *models)

static struct lh_err err;
static unsigned char goods[N_MODELS][MOST], bytes[MOST];
static size_t sizes[N_MODELS];
static int fd;

/* Compile a model that fuzz_gguf begins with. */
static void compile(size_t i)
{
	struct lh_compiling m = { .h.source.name = "model" };
	char to[] = "/tmp/fuzz_compiled.XXXXXX";
	struct lh_gguf *g = lh_gguf_open(models[i], &err);
	struct lh_tokenizer *t = g ? lh_tokenizer_new(g, &err) : NULL;
	struct lh_encoder_how how = { .pairs = g && lh_gguf_tensor(g, LH_CROSS_ENCODER) };
	struct lh_encoder *e = t ? lh_encoder_new(g, &how, &err) : NULL;
	int file = mkstemp(to);
	ssize_t got;

	never(!e || file < 0);
	lh_tokenizer_compile(t, &m);
	lh_encoder_compile(e, &m);
	never(lh_compiled_write(&m, to, 0600, &err) < 0);
	close(file);
	lh_encoder_free(e);
	lh_tokenizer_free(t);
	lh_gguf_close(g);
	file = open(to, O_RDONLY);
	got = read(file, goods[i], MOST);
	close(file);
	unlink(to);
	never(got <= 0 || got == MOST);
	sizes[i] = (size_t)got;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	for (size_t i = 0; i < N_MODELS; i++)
		compile(i);
	fd = fuzz_nameless();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool repair = n && !(data[0] & 1);
	size_t model = n ? (size_t)data[0] / 2 % N_MODELS : 0, size = sizes[model];

	memcpy(bytes, goods[model], size);
	if (n)
		fuzz_patch(bytes, size, data + 1, n - 1);
	if (repair)
		compiled_repair(bytes, size);
	fuzz_fill(fd, bytes, size);
	compiled_use(fuzz_path, &err);
	return 0;
}
