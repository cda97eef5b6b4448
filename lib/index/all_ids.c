/* all_ids.c - the ids in an index file or a log, of live records and others, and which bytes of an
 * index are texts.  See index_tools.h. */
#include <unistd.h>

#include "format.h"
#include "index_log.h"
#include "index_tools.h"

static const struct lh_index_section *section_of(const struct lh_mapped *m,
						 const struct lh_index_header *h, uint32_t kind)
{
	size_t i;

	for (i = 0; i < LH_INDEX_SECTIONS; i++)
		if (h->section[i].kind == kind && h->section[i].at <= m->n &&
		    h->section[i].bytes <= m->n - h->section[i].at)
			return &h->section[i];
	return NULL;
}

static int ids_of_index(const struct lh_mapped *m, lh_index_id_fn *fn, void *ctx,
			struct lh_err *err)
{
	const struct lh_index_header *h = (const void *)m->p;
	const struct lh_index_section *at = section_of(m, h, LH_INDEX_ID_AT),
		*ids = section_of(m, h, LH_INDEX_IDS);
	uint64_t i, to[2];
	int rc = 0;

	for (i = 0; !rc && at && ids && i + 1 < at->bytes / 8; i++) {
		memcpy(to, m->p + at->at + 8 * i, sizeof to);
		if (to[0] > to[1] || to[1] > ids->bytes)
			break;
		rc = fn(ctx, (struct lh_str){ m->p + ids->at + to[0], to[1] - to[0] }, err);
	}
	return rc;
}

static int ids_of_log(const struct lh_mapped *m, lh_index_id_fn *fn, void *ctx,
		      struct lh_err *err)
{
	struct lh_log_frame f = { .next = 0 };
	struct lh_log_mark mark = { .dimension = 0 };
	struct lh_pending row;
	struct lh_err later;
	bool with_meta;
	int rc = 0;

	while (!rc && lh_log_next(m->p, m->n, false, &f) == LH_LOG_FRAME)
		if (f.kind == LH_LOG_MARK && lh_log_get_mark(&f, &mark, &later) < 0)
			break;
		else if (f.kind != LH_LOG_MARK &&
			 lh_log_get_change(&f, mark.dimension, &row, &with_meta) == 0)
			rc = fn(ctx, row.id, err);
	return rc;
}

bool lh_index_in_numbers(int fd, uint64_t at)
{
	struct lh_index_header h;
	size_t i;

	if (pread(fd, &h, sizeof h, 0) != sizeof h || memcmp(&h, LH_INDEX_MAGIC, 8))
		return false;
	for (i = 0; i < LH_INDEX_SECTIONS; i++)
		if (at >= h.section[i].at && at - h.section[i].at < h.section[i].bytes)
			switch (h.section[i].kind) {
			case LH_INDEX_PARAMS: case LH_INDEX_IDS: case LH_INDEX_METAS:
			case LH_INDEX_TERM_TEXTS:
				return false;
			default:
				return h.section[i].kind < LH_INDEX_KINDS;
			}
	return false;
}

int lh_index_all_ids(int fd, lh_index_id_fn *fn, void *ctx, struct lh_err *err)
{
	struct lh_mapped m;
	int rc = 0;

	if (lh_mapped_fd(&m, fd, err) < 0)
		return -1;
	if (m.n >= sizeof(struct lh_index_header) && !memcmp(m.p, LH_INDEX_MAGIC, 8))
		rc = ids_of_index(&m, fn, ctx, err);
	else if (m.n >= sizeof(struct lh_log_head) + 8 &&
		 !memcmp(m.p + sizeof(struct lh_log_head), LH_LOG_MAGIC, 8))
		rc = ids_of_log(&m, fn, ctx, err);
	lh_mapped_close(&m);
	return rc;
}
