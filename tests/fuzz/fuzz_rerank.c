/*
 * fuzz_rerank - hostile cross-encoders: each is refused with one line, or it scores a pair.
 *
 * The input is a list of changes to a good file, of bert or modern-bert as the number of bytes is
 * even or odd: u24 offset, u8 length, bytes.  A changed weight
 * may give any score, or none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rerank/reranker.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MODELS "tests/fuzz/corpus/fuzz_gguf/"
#define MOST (1 << 20)

static struct lh_err err;
static unsigned char good[2][MOST], bytes[MOST];
static size_t sizes[2];
static char path[] = "/tmp/fuzz_rerank.XXXXXX";
static int fd;

static void remove_file(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const models[] = { MODELS "ranker", MODELS "modern-ranker" };
	bool good_files = true;

	(void)argc;
	(void)argv;
	for (int i = 0; i < 2; i++) {
		int file = open(models[i], O_RDONLY);
		ssize_t got = read(file, good[i], MOST);

		close(file);
		good_files &= got > 0;
		sizes[i] = (size_t)got;
	}
	fd = mkstemp(path);
	atexit(remove_file);
	return fd < 0 || !good_files;
}

static void score(struct lh_reranker *r)
{
	const struct lh_str text[] = { { "", 0 }, { "b a b", 5 }, { "a b a b a b a b a", 17 } };
	double score[3];

	if (lh_reranker_score(r, &(struct lh_rerank_ask){ .query = { "a b", 3 }, .text = text,
							  .n = 3 }, score, &err) < 0) {
		if (err.code != LH_EDATA && err.code != LH_ECORRUPT)
			abort();
		return;
	}
	for (int i = 0; i < 3; i++)
		if (!(score[i] - score[i] == 0))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct lh_reranker *r;
	size_t size = sizes[n % 2];

	memcpy(bytes, good[n % 2], size);
	for (size_t i = 0; i + 4 <= n; i += 4 + data[i + 3]) {
		size_t at = (data[i] | data[i + 1] << 8 | (size_t)data[i + 2] << 16) % size;

		for (size_t k = 0; k < data[i + 3] && at + k < size && i + 4 + k < n; k++)
			bytes[at + k] = data[i + 4 + k];
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
	err = (struct lh_err){ .code = LH_OK };
	r = lh_reranker_new(&(struct lh_reranker_how){ .model = path, .threads = 1 }, &err);
	if (r)
		score(r);
	else if (!*err.msg || (err.code != LH_ECORRUPT && err.code != LH_ENOMEM))
		abort();
	lh_reranker_free(r);
	return 0;
}
