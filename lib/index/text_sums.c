/* text_sums.c - verify only the checksums of ids, metadata and order.  See
 * index_parts.h and lh/index.h. */
#include "index_parts.h"

#define FEW ((uint64_t)32 << 20)

static int check_sums(const struct lh_index *ix, uint32_t first, uint32_t last, struct lh_err *err)
{
	const struct lh_index_header *h = &ix->header;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++) {
		const struct lh_index_section *s = &h->section[i];

		if (s->kind >= first && s->kind <= last &&
		    lh_xxh3(ix->map.p + s->at, s->bytes) != s->xxh3)
			return lh_err_set(err, LH_ECORRUPT, "%s: the checksum is wrong",
					  lh_index_kind_name(s->kind));
	}
	return 0;
}

int lh_index_check_texts(const struct lh_index *ix, struct lh_err *err)
{
	return check_sums(ix, LH_INDEX_ID_AT, LH_INDEX_METAS, err);
}

int lh_index_check_few_texts(const struct lh_index *ix, struct lh_err *err)
{
	const struct lh_index_header *h = &ix->header;
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++)
		if (h->section[i].kind >= LH_INDEX_ID_AT && h->section[i].kind <= LH_INDEX_METAS)
			bytes += h->section[i].bytes;
	return bytes > FEW ? 0 : lh_index_check_texts(ix, err);
}

int lh_index_check_order(const struct lh_index *ix, struct lh_err *err)
{
	return check_sums(ix, LH_INDEX_ORDER, LH_INDEX_ORDER, err);
}
