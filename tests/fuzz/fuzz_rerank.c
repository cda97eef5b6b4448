/*
 * fuzz_rerank - hostile cross-encoders: each is refused with one line, or it scores a pair.
 *
 * The input is a list of changes to a good file, u24 offset, u8 length, bytes.  A changed weight
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

#define MODEL "tests/fuzz/corpus/fuzz_gguf/ranker"
#define MOST (1 << 20)

static struct lh_err err;
static unsigned char good[MOST], bytes[MOST];
static size_t size;
static char path[] = "/tmp/fuzz_rerank.XXXXXX";
static int fd;

static void remove_file(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int file = open(MODEL, O_RDONLY);
	ssize_t got = read(file, good, sizeof good);

	(void)argc;
	(void)argv;
	close(file);
	size = (size_t)got;
	fd = mkstemp(path);
	atexit(remove_file);
	return fd < 0 || got <= 0;
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

	memcpy(bytes, good, size);
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
