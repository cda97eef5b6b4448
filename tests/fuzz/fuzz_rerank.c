/*
 * fuzz_rerank - hostile cross-encoders: each is refused with one line, or it scores a pair.
 *
 * The input is a list of changes to a good file, of bert or modern-bert as the number of bytes is
 * even or odd: u24 offset, u8 length, bytes.  A changed weight may give any score, or none.
 */
#include "fuzz.h"

#include "rerank/reranker.h"

#define MODELS "tests/fuzz/corpus/fuzz_gguf/"
#define MOST (1 << 20)

static struct lh_err err;
static unsigned char good[2][MOST], bytes[MOST];
static size_t sizes[2];
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const models[] = { MODELS "ranker", MODELS "modern-ranker" };

	(void)argc, (void)argv;
	for (int i = 0; i < 2; i++) {
		int file = open(models[i], O_RDONLY);
		ssize_t got = read(file, good[i], MOST);

		close(file);
		must(got > 0);
		sizes[i] = (size_t)got;
	}
	fuzz_choose_path(".gguf");	/* a model has a name */
	fd = open(fuzz_path, O_RDWR | O_CREAT, 0600);
	return fd < 0;
}

static void score(struct lh_reranker *r)
{
	const struct lh_str text[] = { { "", 0 }, { "b a b", 5 }, { "a b a b a b a b a", 17 } };
	double score[3];

	if (lh_reranker_score(r, &(struct lh_rerank_ask){ .query = { "a b", 3 }, .text = text,
							  .n = 3 }, score, &err) < 0) {
		never(err.code != LH_EDATA && err.code != LH_ECORRUPT);
		return;
	}
	for (int i = 0; i < 3; i++)
		never(!(score[i] - score[i] == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct lh_reranker *r;
	size_t size = sizes[n % 2];

	memcpy(bytes, good[n % 2], size);
	fuzz_patch(bytes, size, data, n);
	fuzz_fill(fd, bytes, size);
	err = (struct lh_err){ .code = LH_OK };
	r = lh_reranker_new(&(struct lh_reranker_how){ .model = fuzz_path, .threads = 1 }, &err);
	if (r)
		score(r);
	else if (!*err.msg || (err.code != LH_ECORRUPT && err.code != LH_ENOMEM))
		abort();
	lh_reranker_free(r);
	return 0;
}
