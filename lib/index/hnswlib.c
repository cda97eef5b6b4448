/* hnswlib.c - check and read an index file of the library hnswlib.  See hnswlib.h. */
#include "hnswlib.h"

#include <stdlib.h>
#include <string.h>

#include <lh/distance.h>

#include "base/mem.h"
#include "hnswlib_format.h"
#include "index_parts.h"

#define LABEL 8

static uint32_t u32_at(const struct lh_hnswlib *h, uint64_t at)
{
	uint32_t v;

	memcpy(&v, h->p + at, sizeof v);
	return v;
}

static uint64_t element_at(const struct lh_hnswlib *h, uint64_t element)
{
	return LH_HNSWLIB_HEAD + element * h->stride;
}

static uint64_t list_bytes(const struct lh_hnswlib *h)
{
	return 4 * (1 + (uint64_t)h->max_upper);
}

/* ---- checking ---- */

/* Check the sizes that the head states, each against the others. */
static int check_sizes(const struct lh_hnswlib_head *head, struct lh_err *err)
{
	uint64_t vector = head->label_at - head->vector_at;

	if (head->level0_at || head->max_base < 1 || head->max_base > LH_HNSWLIB_LINKS_MAX ||
	    head->max_upper < 1 || head->max_upper > LH_HNSWLIB_LINKS_MAX ||
	    head->vector_at != 4 * (1 + head->max_base) || head->label_at <= head->vector_at ||
	    vector % 4 || vector / 4 > LH_DIM_MAX || head->stride != head->label_at + LABEL)
		return lh_err_set(err, LH_ECORRUPT,
				  "not an index of hnswlib: the sizes in its head contradict each "
				  "other");
	if (head->rows > LH_INDEX_ROWS_MAX || head->room < head->rows)
		return lh_err_set(err, LH_ECORRUPT, "%llu elements, with room for %llu",
				  (unsigned long long)head->rows, (unsigned long long)head->room);
	return 0;
}

static int read_head(struct lh_hnswlib *h, struct lh_err *err)
{
	struct lh_hnswlib_head head;

	if (h->n < sizeof head)
		return lh_err_set(err, LH_ECORRUPT,
				  "not an index of hnswlib: %zu bytes, at least %zu", h->n,
				  sizeof head);
	memcpy(&head, h->p, sizeof head);
	if (check_sizes(&head, err) < 0)
		return -1;
	if (head.rows > (h->n - sizeof head) / head.stride)
		return lh_err_set(err, LH_ECORRUPT, "%llu elements of %llu bytes in %zu bytes",
				  (unsigned long long)head.rows, (unsigned long long)head.stride,
				  h->n);
	if (head.rows ? head.entry >= head.rows || head.top < 0 :
			head.entry != UINT32_MAX || head.top != -1)
		return lh_err_set(err, LH_ECORRUPT,
				  "searches begin at element %u on level %d, of %llu elements",
				  head.entry, head.top, (unsigned long long)head.rows);
	h->rows = head.rows;
	h->dimension = (uint32_t)((head.label_at - head.vector_at) / 4);
	h->max_upper = (uint32_t)head.max_upper;
	h->max_base = (uint32_t)head.max_base;
	h->ef_construction = head.ef_construction;
	h->entry = head.entry;
	h->top = head.rows ? (uint32_t)head.top : 0;
	h->stride = head.stride;
	h->vector_at = head.vector_at;
	h->label_at = head.label_at;
	return 0;
}

/* Find the upper lists of all elements, by subtraction from what is left of the file. */
static int read_levels(struct lh_hnswlib *h, struct lh_err *err)
{
	uint64_t at = element_at(h, h->rows), e, list = list_bytes(h);
	uint32_t bytes;

	h->upper = lh_calloc(h->rows + 1, sizeof *h->upper);
	for (e = 0; e < h->rows; e++) {
		if (h->n - at < 4)
			return lh_err_set(err, LH_ECORRUPT, "element %llu: its levels are cut off",
					  (unsigned long long)e);
		bytes = u32_at(h, at);
		at += 4;
		if (bytes > h->n - at || bytes % list || bytes / list > h->top)
			return lh_err_set(err, LH_ECORRUPT,
					  "element %llu: %u bytes of upper links, in lists of %llu "
					  "and at most %u of them",
					  (unsigned long long)e, bytes, (unsigned long long)list,
					  h->top);
		h->upper[e] = at;
		at += bytes;
	}
	h->upper[e] = at + 4;
	if (at != h->n)
		return lh_err_set(err, LH_ECORRUPT, "%llu bytes after the last element",
				  (unsigned long long)(h->n - at));
	if (h->rows && lh_hnswlib_level(h, h->entry) != h->top)
		return lh_err_set(err, LH_ECORRUPT, "searches begin on level %u at element %u, "
				  "which is not there", h->top, h->entry);
	return 0;
}

/* Return where the list of an element on a level is. */
static uint64_t list_at(const struct lh_hnswlib *h, uint64_t element, uint32_t level)
{
	return level ? h->upper[element] + (level - 1) * list_bytes(h) : element_at(h, element);
}

static int check_list(const struct lh_hnswlib *h, uint64_t e, uint32_t level, struct lh_err *err)
{
	uint64_t at = list_at(h, e, level);
	uint32_t word = u32_at(h, at), n = word & LH_HNSWLIB_COUNT, to, i;
	uint32_t max = level ? h->max_upper : h->max_base;

	if (word & ~(uint32_t)LH_HNSWLIB_COUNT & ~(level ? 0u : LH_HNSWLIB_DELETED))
		return lh_err_set(err, LH_ECORRUPT, "element %llu, level %u: unknown mark %#x",
				  (unsigned long long)e, level, word);
	if (n > max)
		return lh_err_set(err, LH_ECORRUPT, "element %llu, level %u: %u links, at most %u",
				  (unsigned long long)e, level, n, max);
	for (i = 1; i <= n; i++) {
		to = u32_at(h, at + 4 * (uint64_t)i);
		if (to >= h->rows || lh_hnswlib_level(h, to) < level)
			return lh_err_set(err, LH_ECORRUPT,
					  "element %llu, level %u: a link to element %u, which is "
					  "not there",
					  (unsigned long long)e, level, to);
	}
	return 0;
}

static int check_element(struct lh_hnswlib *h, uint64_t e, struct lh_err *err)
{
	uint64_t label = lh_hnswlib_label(h, e);
	uint32_t level;
	bool is_new;

	for (level = 0; level <= lh_hnswlib_level(h, e); level++)
		if (check_list(h, e, level, err) < 0)
			return -1;
	if (lh_map_add(&h->label, &label, sizeof label, sizeof label, &is_new, err) < 0)
		return -1;
	if (!is_new)
		return lh_err_set(err, LH_ECORRUPT, "element %llu: label %llu is also that of "
				  "another element", (unsigned long long)e,
				  (unsigned long long)label);
	h->deleted += lh_hnswlib_is_deleted(h, e);
	return 0;
}

int lh_hnswlib_read(struct lh_hnswlib *h, const void *p, size_t n, struct lh_err *err)
{
	uint64_t e;

	*h = (struct lh_hnswlib){ .p = p, .n = n };
	if (read_head(h, err) < 0 || read_levels(h, err) < 0)
		return -1;
	for (e = 0; e < h->rows; e++)
		if (check_element(h, e, err) < 0)
			return -1;
	return 0;
}

int lh_hnswlib_open(struct lh_hnswlib *h, const char *path, struct lh_err *err)
{
	struct lh_mapped map;
	int rc;

	*h = (struct lh_hnswlib){ .p = NULL };
	if (lh_mapped_open(&map, path, err) < 0)
		return -1;
	rc = lh_hnswlib_read(h, map.p, map.n, err);
	h->map = map;
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

void lh_hnswlib_close(struct lh_hnswlib *h)
{
	free(h->upper);
	lh_map_free(&h->label);
	lh_mapped_close(&h->map);
	*h = (struct lh_hnswlib){ .p = NULL };
}

/* ---- reading ---- */

int64_t lh_hnswlib_find(const struct lh_hnswlib *h, uint64_t label)
{
	return lh_map_find(&h->label, &label, sizeof label, sizeof label);
}

uint64_t lh_hnswlib_label(const struct lh_hnswlib *h, uint64_t element)
{
	uint64_t label;

	memcpy(&label, h->p + element_at(h, element) + h->label_at, sizeof label);
	return label;
}

bool lh_hnswlib_is_deleted(const struct lh_hnswlib *h, uint64_t element)
{
	return u32_at(h, element_at(h, element)) & LH_HNSWLIB_DELETED;
}

void lh_hnswlib_vector(const struct lh_hnswlib *h, uint64_t element, float *out)
{
	memcpy(out, h->p + element_at(h, element) + h->vector_at, 4 * (size_t)h->dimension);
}

uint32_t lh_hnswlib_level(const struct lh_hnswlib *h, uint64_t element)
{
	return (uint32_t)((h->upper[element + 1] - 4 - h->upper[element]) / list_bytes(h));
}

uint32_t lh_hnswlib_links(const struct lh_hnswlib *h, uint64_t element, uint32_t level,
			  uint32_t *out)
{
	uint64_t at = list_at(h, element, level);
	uint32_t n = u32_at(h, at) & LH_HNSWLIB_COUNT, i, j, to, found = 0;
	uint32_t max = level ? h->max_upper : h->max_base;

	for (i = 1; i <= n && i <= max; i++) {
		to = u32_at(h, at + 4 * (uint64_t)i);
		for (j = 0; j < found && out[j] != to; j++)
			;
		if (j == found && to != element && to < h->rows)
			out[found++] = to;
	}
	return found;
}
