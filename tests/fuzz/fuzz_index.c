/*
 * fuzz_index - hostile index files: a valid one with bytes replaced and checksums
 * recomputed, so that what they protect is reached; or, when the input begins with
 * the magic number, the input itself.  The first byte selects the valid index, by
 * its precision.  An index without a finding of verify must compact.
 */
#include "fuzz.h"

#include <sys/stat.h>

#include "index/index_tools.h"
#include "index/format.h"
#include "base/xxh3.h"

#define ROWS 110	/* a walk of 3 candidates is chosen from 97 on */
#define DIM 5
#define KINDS 5

static struct lh_err err;
static unsigned char *good[KINDS], *image;
static size_t size[KINDS];
static char dir[] = "/dev/shm/lh-fuzz-XXXXXX", path[32];
static int fd;

static void clean(void)
{
	unlink(path);
	rmdir(dir);
}

static void make(const char *file, int kind)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	float v[DIM];
	char id[16];

	lh_index_params_default(&p);
	p.ef_construction = 8;
	p.exact_below = 10;
	p.precision = (kind + 1) / 2;
	p.lexical = LH_LEXICAL_FIELD;
	strcpy(p.lexical_of, "a");
	p.rescore = kind && kind % 2 == 0;
	p.distance = kind % 3;
	w = lh_index_writer_new(file, &p, 1, &err);
	for (unsigned i = 0; w && i < ROWS; i++) {
		for (unsigned d = 0; d < DIM; d++)
			v[d] = (float)((i * 37 + d * d * 11) % 29) - 14.2f;
		never(lh_index_put(w, id, (size_t)snprintf(id, sizeof id, "i%u", i), v, DIM,
				   "{\"a\":\"x y\"}", i % 2 ? 11 : 0, &err) < 0);
	}
	never(!w || lh_index_commit(w, 1, &err) < 0);
	lh_index_writer_free(w);
}

static void keep(const char *file, int kind)
{
	struct stat st;
	FILE *f;

	make(file, kind);
	f = fopen(file, "rb");
	never(!f || fstat(fileno(f), &st) < 0);
	size[kind] = (size_t)st.st_size;
	good[kind] = malloc(size[kind]);
	never(!good[kind] || fread(good[kind], 1, size[kind], f) != size[kind]);
	fclose(f);
	unlink(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char file[64];
	size_t max = 0;

	(void)argc;
	(void)argv;
	must(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/a", dir);
	for (int kind = 0; kind < KINDS; kind++) {
		keep(file, kind);
		max = size[kind] > max ? size[kind] : max;
	}
	image = malloc(max);
	must(image);
	strcat(file, "-lock");
	unlink(file);
	snprintf(path, sizeof path, "%s/x", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	atexit(clean);
	return fd < 0;
}

/* Apply groups of four bytes: an offset (its high byte first, two bits of it on top of
 * the third) and a value. */
static void patch(int kind, const uint8_t *data, size_t n)
{
	struct lh_index_header *h = (void *)image;
	uint32_t i;

	memcpy(image, good[kind], size[kind]);
	for (; n >= 4; data += 4, n -= 4)
		image[(data[0] * 256u + data[1] + (data[2] & 3u) * 65536u) % size[kind]] = data[3];
	for (i = 0; i < h->n_sections && i < LH_INDEX_SECTIONS; i++) {
		struct lh_index_section *s = &h->section[i];

		if (s->at <= size[kind] && s->bytes <= size[kind] - s->at)
			s->xxh3 = lh_xxh3(image + s->at, s->bytes);
	}
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
}

static int allow(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)e;
	(void)r;
	return row % 2 ? 1 : *(int *)ctx;
}

static void search(const struct lh_index *ix)
{
	static float v[LH_DIM_MAX] = { 1, -2, 3 };
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	struct lh_filter_cache *filter = s ? lh_filter_cache_new(ix) : NULL;
	struct lh_hit hit[12];
	int no = 0;

	for (int i = 0; filter && i < 4; i++) {
		struct lh_query q = { .vector = v,
				      .k = i ? 3 : 12,
				      .ef = i ? 3 : 0,
				      .exact = i == 2,
				      .allow = i == 3 ? allow : NULL,
				      .ctx = &no,
				      .filter_cache = filter };
		long n = lh_index_search(s, &q, hit, &err);

		for (long j = 0; j < n; j++)
			never(!__builtin_isfinite(hit[j].distance) || hit[j].row >= lh_index_rows(ix));
	}
	lh_filter_cache_free(filter);
	lh_searcher_free(s);
}

static void search_words(const struct lh_index *ix)
{
	struct lh_index_words *w = lh_index_words_new(ix, &err);
	struct lh_index_words_hit hit[5];
	struct lh_query q = { .k = 5 };
	long n = w ? lh_index_words_search(w, &q, (struct lh_str){ "y z x", 5 }, hit, &err) : 0;

	for (long j = 0; j < n; j++)
		never(!__builtin_isfinite(hit[j].score) || hit[j].row >= lh_index_rows(ix));
	lh_index_words_free(w);
}

/* Add a row, delete one and compact; afterwards the file is another one. */
static void compact_and_check(void)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	const struct lh_index_params *p = c ? lh_index_change_params(c) : NULL;
	static const float v[LH_DIM_MAX] = { 1, 2 };
	char sibling[40];
	bool due;

	never(c && lh_index_change_put(c, "new", 3, v, p->dimension, "{\"a\":\"y\"}", 9, &err) == 0 &&
	      (lh_index_change_delete(c, "i7", 2, &err) < 0 ||
	       lh_index_change_commit(c, &due, &err) < 0 || lh_index_compact(path, 1, 1, &err) < 0) &&
	      err.code == LH_ECORRUPT);
	lh_index_change_close(c);
	snprintf(sibling, sizeof sibling, "%s-log", path);
	unlink(sibling);
	snprintf(sibling, sizeof sibling, "%s-lock", path);
	unlink(sibling);
	close(fd);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	never(fd < 0);
}

static void count(void *ctx, const char *section, const char *text)
{
	++*(unsigned *)ctx;
	never(!*section || !*text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool raw = n >= 8 && !memcmp(data, LH_INDEX_MAGIC, 8);
	struct lh_index *ix;
	static float vector[LH_DIM_MAX];
	int kind = n ? data[0] % KINDS : 0;
	struct lh_row row;
	unsigned damages = 0;
	uint64_t at;

	if (!raw)
		patch(kind, n ? data + 1 : data, n ? n - 1 : 0);
	never(ftruncate(fd, 0) < 0 || pwrite(fd, raw ? data : image, raw ? n : size[kind], 0) !=
					      (ssize_t)(raw ? n : size[kind]));
	ix = lh_index_open(path, &err);
	if (ix) {
		search(ix);
		search_words(ix);
		lh_index_find(ix, "i3", 2, &err);
		for (uint64_t r = 0; r < lh_index_rows(ix) && r < 200; r++) {
			lh_index_vector(ix, r, vector);
			never(lh_index_row(ix, r, &row, &err) == 1 &&
			      (row.id.n < 1 || !lh_utf8_valid(row.id.p, row.id.n)));
			never(lh_index_nth_row(ix, r, &at, &row, &err) == 1 &&
			      at >= lh_index_rows(ix));
		}
		lh_index_close(ix);
	}
	if (lh_index_verify(path, count, &damages, &err) < 0) {
		never(err.code != LH_ENOMEM && err.status != LH_INDEX_OLD);
	} else if (!damages && (raw || memcmp(image, good[kind], size[kind]) != 0)) {
		compact_and_check();
	}
	return 0;
}
