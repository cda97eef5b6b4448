/*
 * fuzz_hnswlib - hostile files of hnswlib: a valid one with bytes replaced, or the input
 * itself if it has the size of a head.  Of a file that passes the check everything is read,
 * also after other bytes of it have been replaced, as by a process that writes to it meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "index/hnswlib.h"
#include "index/hnswlib_format.h"

#define ROWS 12u
#define DIM 3u
#define M 2u
#define STRIDE (4 * (1 + 2 * M) + 4 * DIM + 8)
#define LIST (4 * (1 + M))
#define SIZE (sizeof(struct lh_hnswlib_head) + ROWS * (STRIDE + 4) + 3 * LIST)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void put(unsigned char **at, const void *p, size_t n)
{
	memcpy(*at, p, n);
	*at += n;
}

/* Write a valid index: element 3 is on two levels above 0, element 5 on one. */
static void make(unsigned char *at)
{
	struct lh_hnswlib_head head = {
		.room = ROWS, .rows = ROWS, .stride = STRIDE, .label_at = STRIDE - 8,
		.vector_at = 4 * (1 + 2 * M), .top = 2, .entry = 3,
		.max_upper = M, .max_base = 2 * M, .m = M, .ef_construction = 20,
	};
	float vector[DIM] = { 0, 1, 0 };
	uint64_t label;
	uint32_t i;

	put(&at, &head, sizeof head);
	for (i = 0; i < ROWS; i++) {
		uint32_t links[1 + 2 * M] = { 2, (i + 1) % ROWS, (i + 5) % ROWS };

		label = i * 3;
		put(&at, links, sizeof links);
		put(&at, vector, sizeof vector);
		put(&at, &label, sizeof label);
	}
	for (i = 0; i < ROWS; i++) {
		uint32_t bytes = i == 3 ? 2 * LIST : i == 5 ? LIST : 0;
		uint32_t lists[2][1 + M] = { { 1, i == 3 ? 5 : 3 }, { 0 } };

		put(&at, &bytes, sizeof bytes);
		put(&at, lists, bytes);
	}
}

static void replace(unsigned char *p, size_t size, const uint8_t *data, size_t n)
{
	for (; n >= 3; data += 3, n -= 3)
		p[(data[0] | data[1] << 8) % size] = data[2];
}

static void read_all(const struct lh_hnswlib *h)
{
	uint32_t *links = malloc(4 * ((size_t)h->max_base + h->max_upper)), level, i, found;
	float *vector = malloc(4 * (size_t)h->dimension);
	uint64_t e;

	for (e = 0; links && vector && e < h->rows; e++) {
		lh_hnswlib_vector(h, e, vector);
		lh_hnswlib_find(h, lh_hnswlib_label(h, e));
		for (level = 0; level <= lh_hnswlib_level(h, e); level++) {
			found = lh_hnswlib_links(h, e, level, links);
			for (i = 0; i < found; i++)
				if (links[i] >= h->rows || links[i] == e)
					abort();
		}
	}
	free(links);
	free(vector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool whole = n >= 1 + sizeof(struct lh_hnswlib_head) && data[0] == 255;
	size_t size = whole ? n - 1 : SIZE;
	unsigned char *p = malloc(size);	/* of its own, so that reading past it is found */
	struct lh_hnswlib h;
	struct lh_err err;

	if (!p)
		return 0;
	if (whole)
		memcpy(p, data + 1, size);
	else
		make(p);
	if (!whole && lh_hnswlib_read(&h, p, size, &err) < 0)
		abort();
	if (!whole)
		lh_hnswlib_close(&h);
	if (!whole)
		replace(p, size, data, n / 2);
	if (lh_hnswlib_read(&h, p, size, &err) == 0 && h.max_base <= 256 && h.max_upper <= 256) {
		read_all(&h);
		if (!whole)
			replace(p, size, data + n / 2, n - n / 2);
		read_all(&h);
	}
	lh_hnswlib_close(&h);
	free(p);
	return 0;
}
