/*
 * Tables of word vectors: their bytes are as in lhw(5), and a damaged one is never
 * used, and never a crash.
 */
#include "check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vector/quantize.h"
#include "embed/wordvec.h"
#include "embed/wordvec_file.h"
#include "base/xxh3.h"

#define WORDS 40
#define DIM 6

static struct lh_err err;
static unsigned char good[1 << 16], image[1 << 16];
static size_t size;
static int fd;

static const char text[] =
	"Worker3 workerz 17 the worker39 wörk worker, worker workers worked 60505";

/* Compile `from`. */
static void compile(int from, const char *name, int precision, struct lh_wordvec_made *made)
{
	int to = memfd_create("to", 0);
	struct lh_wordvec_job job = { .from = from, .to = to, .from_name = name, .to_name = "to",
				      .precision = precision };

	check(to >= 0);
	check_why(lh_wordvec_compile(&job, made, &err) == 0, err.msg);
	size = (size_t)lseek(to, 0, SEEK_END);
	check(size <= sizeof good && pread(to, good, size, 0) == (ssize_t)size);
	close(to);
}

/* Compile a table of WORDS words. */
static void make(int precision)
{
	int from = memfd_create("from", 0);
	struct lh_wordvec_made made;
	FILE *f = fdopen(from, "w");

	check(f);
	for (int i = 0; i < WORDS; i++) {
		fprintf(f, i % 5 ? "worker%d" : "%d", i);
		for (int d = 0; d < DIM; d++)
			fprintf(f, " %d.25", (i * 7 + d * 11) % 13 - 6);
		fputc('\n', f);
	}
	check(fflush(f) == 0 && lseek(from, 0, SEEK_SET) == 0);
	compile(from, "a/worker.txt", precision, &made);
	check(made.words == WORDS && made.dimension == DIM && !made.not_one && !made.twice &&
	      !made.not_utf8);
	fclose(f);
}

static struct lh_wordvec *open_image(const void *p, size_t n)
{
	check(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
	return lh_wordvec_open_fd(fd, "t", &err);
}

static struct lh_lhw_header *header(void)
{
	return (struct lh_lhw_header *)(void *)image;
}

/* Open the image with checksums that fit. */
static struct lh_wordvec *open_sealed(void)
{
	struct lh_lhw_header *h = header();

	for (int i = 0; i < LH_LHW_KINDS; i++)
		if (h->section[i].at <= size && h->section[i].bytes <= size - h->section[i].at)
			h->section[i].xxh3 = lh_xxh3(image + h->section[i].at, h->section[i].bytes);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_lhw_header, xxh3));
	return open_image(image, size);
}

/* Embedding with a damaged table gives a unit vector or an error. */
static int embed(const struct lh_wordvec *t)
{
	struct lh_wordvec_reader *r = lh_wordvec_reader_new(t, &err);
	static float v[LH_DIM_MAX];
	int rc;

	check(r);
	rc = lh_wordvec_embed(r, text, sizeof text - 1, false, v, &err);
	check(rc < 0 || lh_vec_finite(v, lh_wordvec_dimension(t)));
	lh_wordvec_reader_free(r);
	return rc;
}

static void a_shorter_file_is_refused(void)
{
	for (size_t n = 0; n < size; n += n < 200 ? 1 : 4096 - n % 4096) {
		check(!open_image(good, n) && err.code == LH_ECORRUPT);
		if (n > 200)
			check(!open_image(good, n - 1));
	}
	memcpy(image, good, size);
	check(!open_image(image, size + 1));
}

static void no_byte_changes_unseen(void)
{
	for (size_t i = 0; i < size; i += i < LH_LHW_PAGE ? 1 : 5) {
		struct lh_wordvec *t;

		memcpy(image, good, size);
		image[i] ^= (unsigned char)(1u << i % 8);
		t = open_image(image, size);
		check((i < LH_LHW_PAGE) == !t);
		if (!t)
			continue;
		check(lh_wordvec_verify(t, &err) < 0 && err.code == LH_ECORRUPT);
		embed(t);
		lh_wordvec_close(t);
	}
}

/* Set a u32 of a section to an invalid value; all checksums fit. */
static void set(int kind, size_t at, uint32_t value)
{
	memcpy(image, good, size);
	check(4 * at + 4 <= header()->section[kind].bytes);
	memcpy(image + header()->section[kind].at + 4 * at, &value, 4);
}

static void what_a_section_says_is_not_believed(void)
{
	static const struct { int kind; size_t at; uint32_t value; const char *what; } damage[] = {
		{ LH_LHW_WEIGHTS, 1, 0x7fc00000, "weights" },
		{ LH_LHW_WEIGHTS, 0, 0x40000000, "weights" },
		{ LH_LHW_WEIGHTS, 3, 0, "weights" }, { LH_LHW_ROWS, 3, 0x7f800000, "rows" },
		{ LH_LHW_WORD_AT, 4, UINT32_MAX, "word offsets" },
		{ LH_LHW_WORD_AT, 0, 1, "word offsets" },
		{ LH_LHW_WORD_AT, WORDS, 0, "word offsets" },
		{ LH_LHW_WORDS, 0, 0x31313131, "word hash" },
		{ LH_LHW_WORDS, 0, 0x20202020, "words:" },
		{ LH_LHW_GRAM_AT, 0, 1, "n-gram directory" },
		{ LH_LHW_GRAM_AT, 2, UINT32_MAX, "n-gram directory" },
		{ LH_LHW_GRAMS, 1, WORDS, "n-grams" }, { LH_LHW_GRAMS, 1, UINT32_MAX, "n-grams" },
		{ LH_LHW_GRAMS, 0, UINT32_MAX, "n-grams" },
	};

	make(LH_F32);
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		struct lh_wordvec *t;

		set(damage[i].kind, damage[i].at, damage[i].value);
		t = open_sealed();
		check_why(t, err.msg);
		check(lh_wordvec_verify(t, &err) < 0);
		check_why(strstr(err.msg, damage[i].what), err.msg);
		if (embed(t) < 0)
			check(err.code == LH_ECORRUPT || err.code == LH_EDATA);
		lh_wordvec_close(t);
	}
}

static void what_the_header_says_is_not_believed(void)
{
	static const uint32_t values[] = { 0, 1, 3, 4095, 4096, 65537, 0x7fffffff, 0x80000000,
					   UINT32_MAX };

	for (size_t at = 8; at < 336; at += 4)
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			struct lh_wordvec *t;

			memcpy(image, good, size);
			if (!memcmp(image + at, &values[i], 4))
				continue;
			memcpy(image + at, &values[i], 4);
			t = open_sealed();
			if (!t) {
				check(err.code == LH_ECORRUPT);
				continue;
			}
			/* exceptions: the stride is the same, the name, a section whose
			 * size is free */
			check(at >= 28);
			embed(t);
			lh_wordvec_verify(t, &err);
			lh_wordvec_close(t);
		}
}

int main(void)
{
	fd = memfd_create("table", 0);
	check(fd >= 0);
	make(LH_I8);
	test(a_shorter_file_is_refused());
	test(no_byte_changes_unseen());
	test(what_a_section_says_is_not_believed());
	test(what_the_header_says_is_not_believed());
	return 0;
}
