/* known_ids.c - the set of live ids, by which a commit decides.  See index_log.h. */
#include <stdlib.h>

#include "index_log.h"
#include "base/mem.h"

static struct lh_str later_id(const void *ctx, uint32_t i)
{
	return ((const struct lh_index_known *)ctx)->later[i].id;
}

int lh_index_known_open(struct lh_index_known *k, const char *path, struct lh_err *err)
{
	lh_index_known_close(k);
	k->ix = lh_index_open(path, err);
	return k->ix ? 0 : -1;
}

void lh_index_known_close(struct lh_index_known *k)
{
	while (k->n)
		free((char *)(uintptr_t)k->later[--k->n].id.p);
	free(k->later);
	lh_table_free(&k->by_id);
	lh_index_close(k->ix);
	*k = (struct lh_index_known){ .ix = NULL };
}

int lh_index_known_live(const struct lh_index_known *k, struct lh_str id, struct lh_err *err)
{
	int64_t i = lh_table_find(&k->by_id, id, later_id, k);

	if (i >= 0)
		return k->later[i].live;
	i = lh_index_find(k->ix, id.p, id.n, err);
	return i == -2 ? -1 : i >= 0;
}

int lh_index_known_set(struct lh_index_known *k, struct lh_str id, bool live, struct lh_err *err)
{
	int64_t i = lh_table_find(&k->by_id, id, later_id, k);

	if (i >= 0) {
		k->later[i].live = live;
		return 0;
	}
	if (k->n >= LH_INDEX_ROWS_MAX)
		return lh_err_set(err, LH_EIO, "more than %u changes at once", LH_INDEX_ROWS_MAX);
	lh_grow(&k->later, &k->cap, k->n + 1, sizeof *k->later);
	id.p = lh_strndup(id.p, id.n);
	k->later[k->n++] = (struct lh_index_later){ id, live };
	lh_table_set(&k->by_id, id, (uint32_t)k->n - 1, later_id, k);
	return 0;
}

int lh_index_known_replay(struct lh_index_known *k, const char *p, uint64_t from, uint64_t to,
			  struct lh_err *err)
{
	struct lh_log_frame f = { .next = from };
	struct lh_log_mark mark;
	struct lh_pending row;
	bool ours = true, with_meta;

	while (lh_log_next(p, to, false, &f) == LH_LOG_FRAME) {
		if (f.kind == LH_LOG_MARK) {
			if (lh_log_get_mark(&f, &mark, err) < 0)
				return -1;
			ours = mark.checksum == k->ix->checksum;
		} else if (ours) {
			if (lh_log_get_change(&f, k->ix->params.dimension, &row, &with_meta) < 0 ||
			    lh_index_check_id(row.id.p, row.id.n, err) < 0)
				return lh_err_set(err, LH_ECORRUPT,
						  "log: the record at byte %llu is damaged",
						  (unsigned long long)f.at);
			if (lh_index_known_set(k, row.id, f.kind == LH_LOG_PUT, err) < 0)
				return -1;
		}
	}
	return 0;
}
