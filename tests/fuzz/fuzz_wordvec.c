/*
 * fuzz_wordvec - hostile tables of word vectors.  By the first byte: 'c', a compiled table
 * with bytes replaced and checksums recomputed; otherwise the rest is a table in any
 * form to be compiled, and the compiled table must verify.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vector/quantize.h"
#include "embed/wordvec.h"
#include "embed/wordvec_file.h"
#include "base/xxh3.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char words[] = "9 3\nthe 1 2 3\nworker 1 0 1\nworkers 1 0 2\nwork 0 1e-3 2\n17 0 0 1\n"
			    "word -1 -2 -3\nweld 1 1 1\nwelder 1 2 1\n\xe4\xbd\xa0 4 4 4\n";
static const char query[] = "The workerz wordwork welded 17 \xe4\xbd\xa0 60505 weld wo";

static struct lh_err err;
static unsigned char *good, *image;
static size_t size;
static int from, to;

static void put(int fd, const void *p, size_t n)
{
	if (ftruncate(fd, 0) < 0 || pwrite(fd, p, n, 0) != (ssize_t)n || lseek(fd, 0, SEEK_SET) < 0)
		abort();
}

static int compile(int precision)
{
	struct lh_wordvec_job job = {
		.from = from, .to = to, .from_name = "fuzz", .to_name = "to", .precision = precision
	};
	struct lh_wordvec_made made;

	if (ftruncate(to, 0) < 0)
		abort();
	return lh_wordvec_compile(&job, &made, &err);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	from = memfd_create("from", 0);
	to = memfd_create("to", 0);
	put(from, words, sizeof words - 1);
	if (compile(LH_F32) < 0)
		abort();
	size = (size_t)lseek(to, 0, SEEK_END);
	good = malloc(size);
	image = malloc(size);
	return !good || !image || pread(to, good, size, 0) != (ssize_t)size;
}

static void embed(const struct lh_wordvec *t)
{
	struct lh_wordvec_reader *r = lh_wordvec_reader_new(t, &err);
	static float v[LH_DIM_MAX];

	if (!r)
		return;
	if (lh_wordvec_embed(r, query, sizeof query - 1, true, v, &err) == 0 &&
	    !lh_vec_finite(v, lh_wordvec_dimension(t)))
		abort();
	lh_wordvec_reader_free(r);
}

/* Apply groups of four bytes: an offset (its high byte first, two bits of it on top of
 * the third) and a value. */
static void damaged(const uint8_t *data, size_t n)
{
	struct lh_lhw_header *h = (void *)image;
	struct lh_wordvec *t;

	memcpy(image, good, size);
	for (; n >= 4; data += 4, n -= 4)
		image[(data[0] * 256u + data[1] + (data[2] & 3u) * 65536u) % size] = data[3];
	for (int i = 0; i < LH_LHW_KINDS; i++)
		if (h->section[i].at <= size && h->section[i].bytes <= size - h->section[i].at)
			h->section[i].xxh3 = lh_xxh3(image + h->section[i].at, h->section[i].bytes);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_lhw_header, xxh3));
	put(to, image, size);
	t = lh_wordvec_open_fd(to, "fuzz", &err);
	if (!t)
		return;
	embed(t);
	lh_wordvec_verify(t, &err);
	lh_wordvec_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct lh_wordvec *t;

	if (n && *data == 'c') {
		damaged(data + 1, n - 1);
		return 0;
	}
	put(from, data, n);
	if (compile(n % 3 == 0 ? LH_F32 : n % 3 == 1 ? LH_F16 : LH_I8) < 0) {
		if (!*err.msg)
			abort();
		return 0;
	}
	t = lh_wordvec_open_fd(to, "fuzz", &err);
	if (!t || lh_wordvec_verify(t, &err) < 0)
		abort();
	embed(t);
	lh_wordvec_close(t);
	return 0;
}
