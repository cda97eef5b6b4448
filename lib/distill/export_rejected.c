/* export_rejected.c - the texts of a root that were rejected, by their tasks.  See
 * export_parts.h. */
#include <stdlib.h>

#include "export_parts.h"
#include "base/mem.h"
#include "base/signal.h"

static int on_row(struct lh_exporting *x, struct lh_err *err)
{
	const struct lh_value *category;
	unsigned char hash[32];
	bool has;

	if (lh_record_parse(&x->scored, x->row.p, x->row.n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	category = lh_record_get(&x->scored, "category");
	if (!category || lh_category_read(category) != LH_REJECTED)
		return 0;
	x->sought = false;
	lh_source_scored(&x->src, &x->scored);
	if (lh_export_evidence(x, err) < 0)
		return -1;
	if (!x->src.evidence)
		return 0;
	lh_source_text(&x->src, &x->text, hash, &has);
	return has ? lh_hashset_add(&x->rejected, hash, &has, err) : 0;
}

static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct lh_exporting *x = ctx;
	LH_SCOPED(lh_free_local) char *path = lh_root_join(x->run->root, relpath);
	int rc = lh_rows_open(x->rows, path, err);

	if (rc > 0 && lh_evidence_lookup_open(x->join, x->run->root, relpath, err) < 0)
		rc = -1;
	for (x->row_number = 0; rc > 0 && (rc = lh_rows_next(x->rows, &x->row, err)) > 0;
	     x->row_number++) {
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (on_row(x, err) < 0)
			rc = -1;
	}
	return rc;
}

int lh_export_rejected(struct lh_exporting *x, struct lh_err *err)
{
	int i;

	for (i = 0; i < LH_PREFERENCE; i++)
		if (x->each[i].sampler)
			x->each[i].sampler->rejected = &x->rejected;
	if (!x->each[LH_RAG].sampler && !x->each[LH_SFT].sampler)
		return 0;
	return lh_root_each(x->run->root, LH_ROOT_SCORED, on_file, x, err);
}
