/*
 * fuzz_gguf - hostile GGUF files: each is refused with one line, or every key and tensor that it
 * has can be read, and the parameters of a model are refused or are in their ranges.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "transformer/design.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ROW_MAX 65536		/* values of a row that is decoded */

static struct lh_err err;
static float row[ROW_MAX];
static char path[64];
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fd = memfd_create("gguf", 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fd < 0;
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

	if (lh_gguf_u64(g, key, 3, 100, &n, &err) == 0 && (n < 3 || n > 100))
		abort();
	if (lh_gguf_f64(g, key, &d, &err) == 0 && d - d != 0)
		abort();
	lh_gguf_bool(g, key, &b, &err);
	if (lh_gguf_str(g, key, &s, &err) == 0 && !lh_utf8_valid(s.p, s.n))
		abort();
	for (uint32_t type = 0; type < 13; type++)
		read_array(g, key, type);
}

static void read_tensor(const struct lh_gguf *g, const struct lh_gguf_tensor *t)
{
	struct lh_str all = lh_gguf_bytes(g);
	uint64_t rows = t->dim[1] * t->dim[2] * t->dim[3];

	if ((const char *)t->data < all.p || (const char *)t->data + t->bytes > all.p + all.n)
		abort();
	if (!lh_gguf_readable(t))
		return;
	lh_gguf_finite(t);
	if (t->dim[0] > ROW_MAX)
		return;
	lh_gguf_row(t, 0, row);
	lh_gguf_row(t, rows - 1, row);
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

	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
		abort();
	g = lh_gguf_open(path, &err);
	if (!g) {
		if (err.code != LH_ECORRUPT || !*err.msg)
			abort();
		return 0;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		read_key(g, keys[i]);
	if (lh_shape_read(&shape, g, n % 2, &err) == 0 ? lh_shape_wrong(&shape) != NULL
						       : err.code != LH_ECORRUPT || !*err.msg)
		abort();
	for (size_t i = 0; i < lh_gguf_tensors(g); i++)
		read_tensor(g, lh_gguf_tensor_at(g, i));
	lh_gguf_close(g);
	return 0;
}
