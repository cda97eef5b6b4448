/*
 * fuzz_compiled - hostile compiled models: each is refused with one line, or its tokenizer and
 * encoder can be used.
 *
 * The input is a list of changes to a good file, u24 offset, u8 length, bytes; the checksums are
 * then repaired, unless the first byte is odd.  A changed weight may give any vector.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../unit/compiled_use.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MODEL "tests/fuzz/corpus/fuzz_gguf/model"
#define MOST (1 << 20)

static struct lh_err err;
static unsigned char good[MOST], bytes[MOST];
static size_t size;
static char path[64];
static int fd;

/* Compile the model that fuzz_gguf begins with. */
static void compile(void)
{
	static struct lh_compiling m = { .h.source.name = "model" };
	char to[] = "/tmp/fuzz_compiled.XXXXXX";
	struct lh_gguf *g = lh_gguf_open(MODEL, &err);
	struct lh_tokenizer *t = g ? lh_tokenizer_new(g, &err) : NULL;
	struct lh_encoder *e = t ? lh_encoder_new(g, &(struct lh_encoder_how){ 0 }, &err) : NULL;
	int file = mkstemp(to);
	ssize_t got;

	if (!e || file < 0)
		abort();
	lh_tokenizer_compile(t, &m);
	lh_encoder_compile(e, &m);
	if (lh_compiled_write(&m, to, 0600, &err) < 0)
		abort();
	close(file);
	lh_encoder_free(e);
	lh_tokenizer_free(t);
	lh_gguf_close(g);
	file = open(to, O_RDONLY);
	got = read(file, good, sizeof good);
	close(file);
	unlink(to);
	if (got <= 0 || got == sizeof good)
		abort();
	size = (size_t)got;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	compile();
	fd = memfd_create("compiled", 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fd < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool repair = n && !(data[0] & 1);

	memcpy(bytes, good, size);
	for (size_t i = 1; i + 4 <= n; i += 4 + data[i + 3]) {
		size_t at = (data[i] | data[i + 1] << 8 | (size_t)data[i + 2] << 16) % size;

		for (size_t k = 0; k < data[i + 3] && at + k < size && i + 4 + k < n; k++)
			bytes[at + k] = data[i + 4 + k];
	}
	if (repair)
		compiled_repair(bytes, size);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
	compiled_use(path, &err);
	return 0;
}
