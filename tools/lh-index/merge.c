/* merge.c - lh-index merge: copy rows that DEST lacks from other indexes. */
#include "index/index_tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "index.h"
#include <lh/hashv1.h>
#include "base/mem.h"
#include "base/signal.h"

/* ---- shared with move ---- */

bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

bool index_of_persons(const char *path, const struct lh_list *named)
{
	const struct lh_str name = lh_index_name(path);
	struct lh_err unused;
	struct lh_index *ix;
	bool is = false;
	size_t i;

	for (i = 0; i < named->n && !is; i++)
		is = lh_str_is(name, named->v[i], strlen(named->v[i]));
	ix = is ? NULL : lh_index_open(path, &unused);	/* one that is damaged is reported later */
	is = is || (ix && lh_index_get_params(ix)->persons);
	lh_index_close(ix);
	return is;
}

int carry_persons(const char *dest, const char *src, const struct settings *s, unsigned jobs,
		  struct lh_err *err)
{
	const struct lh_list none = { .n = 0 };

	if (!index_of_persons(src, &s->persons) || index_of_persons(dest, &none))
		return 0;
	return lh_index_set_persons(dest, jobs, s->lock_timeout, err);
}

int transfer_open(struct transfer *t, const char *dest, const char *src, double lock_timeout,
		  struct lh_err *err)
{
	if (src && same_file(dest, src))
		return lh_err_set(err, LH_EUSAGE, "%s: is DEST itself", src);
	if (changes_open(&t->to, dest, lock_timeout, err) < 0 ||
	    (src && changes_open(&t->from, src, lock_timeout, err) < 0))
		return -1;
	t->vector = lh_calloc(lh_index_change_params(t->to.c)->dimension, sizeof *t->vector);
	return 0;
}

void transfer_close(struct transfer *t)
{
	lh_index_change_close(t->to.c);
	lh_index_change_close(t->from.c);
	metadata_free(&t->meta);
	free(t->vector);
}

static const char *or_none(const char *s)
{
	return *s ? s : "none";
}

/* Report two models.  Of those of hash, either index can be made anew. */
static int other_model(const char *has, const char *want, const char *label, struct lh_err *err)
{
	if (!lh_hash_knows(has) || !lh_hash_knows(want) || strchr(label, '"'))
		return lh_err_set(err, LH_EUSAGE, "%s: model %s, expected %s", label, or_none(has),
				  or_none(want));
	return lh_err_set(err, LH_EUSAGE, "%s: model %s, expected %s: make one of the two indexes "
			  "anew, by lh-index upgrade --model %s INDEX",
			  label, has, want, LH_HASH_MODEL);
}

/* Check that an index with parameters has fits one with those wanted. */
static int same_kind(const struct lh_index_params *has, const struct lh_index_params *want,
		     const char *label, struct lh_err *err)
{
	if (want->dimension != has->dimension)
		return lh_err_set(err, LH_EUSAGE, "%s: dimension %u, expected %u", label,
				  has->dimension, want->dimension);
	if (want->distance != has->distance)
		return lh_err_set(err, LH_EUSAGE, "%s: distance %s, expected %s", label,
				  lh_distance_name(has->distance),
				  lh_distance_name(want->distance));
	if (strcmp(want->model, has->model) != 0)
		return other_model(has->model, want->model, label, err);
	return 0;
}

int rows_fit(const struct lh_index *src, const struct lh_index_params *want, const char *label,
	     struct lh_err *err)
{
	struct lh_index_stats st;

	lh_index_get_stats(src, &st);
	return st.live ? same_kind(lh_index_get_params(src), want, label, err) : 0;
}

int transfer_fits(const struct transfer *t, const char *path, const char *label,
		  struct lh_err *err)
{
	struct lh_index *src = lh_index_open(path, err);
	int rc = src ? same_kind(lh_index_get_params(src), lh_index_change_params(t->to.c), label,
				 err) : -1;

	lh_index_close(src);
	return rc;
}

/* Verify the checksums of a file, but once only if all batches of a move read it. */
static int check_sums(struct transfer *t, struct lh_index *src, struct lh_err *err)
{
	struct lh_index_identity is = lh_index_identity(src), *was = &t->verified;

	if (was->dev == is.dev && was->ino == is.ino && was->checksum == is.checksum)
		return 0;
	if (lh_index_check_sums(src, err) < 0)
		return -1;
	t->verified = is;
	return 0;
}

struct lh_index *transfer_source(struct transfer *t, const char *path, struct lh_err *err)
{
	struct lh_index *src = lh_index_open(path, err);
	int rc = src ? rows_fit(src, lh_index_change_params(t->to.c), path, err) : -1;

	if (rc == 0 && (check_sums(t, src, err) < 0 || lh_index_check_order(src, err) < 0))
		rc = lh_err_prefix(err, "%s", path);
	if (rc == 0)
		return src;
	lh_index_close(src);
	return NULL;
}

int transfer_row(struct transfer *t, transfer_fn *put, const struct lh_index *src, uint64_t at,
		 const struct lh_row *row, struct lh_err *err)
{
	const char *meta;

	if (lh_index_check_row_meta(&t->meta.scan, &t->meta.copy, row->meta, at, err) < 0)
		return -1;
	meta = row->meta.n ? t->meta.copy.p : "{}";
	lh_index_vector(src, at, t->vector);
	if (put(t->to.c, row->id.p, row->id.n, t->vector,
		lh_index_change_params(t->to.c)->dimension, meta, row->meta.n ? row->meta.n : 2,
		err) == 0)
		return 1;
	if (!t->lenient || err->code != LH_EDATA)
		return lh_err_prefix(err, "row %llu", (unsigned long long)at);
	t->failed++;
	return 0;
}

/* ---- merge ---- */

/* Gather the rows of an open index that DEST lacks, and store most of them. */
static int merge_source(struct transfer *t, const struct lh_index *src, const char *path,
			struct lh_err *err)
{
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc = 0;

	for (i = 0; rc == 0 && i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc > 0)
			rc = transfer_row(t, lh_index_change_put_new, src, at, &row, err);
		if (rc > 0)
			rc = changes_store_some(&t->to, err);
		if (rc < 0)
			lh_err_prefix(err, "%s", path);
	}
	return rc;
}

int merge_rows(struct transfer *t, const char *path, struct lh_err *err)
{
	struct lh_index *src = transfer_source(t, path, err);
	int rc = src ? merge_source(t, src, path, err) : -1;

	lh_index_close(src);
	return rc;
}

int merge_counts(struct lh_tool *tool, uint64_t merged, uint64_t skipped)
{
	return lh_tool_out_counts(tool, (const char *const[]){ "merged", "skipped" },
				  (uint64_t[]){ merged, skipped }, 2);
}

/* Open all sources, and merge them if all are good and fit: what was checked is what is read,
 * whatever the paths lead to later. */
static int merge_sources(struct transfer *t, struct lh_tool *tool, struct lh_index **src)
{
	char **path = tool->operands + 1;
	size_t i, n = tool->n_operands - 1;

	for (i = 0; i < n; i++) {
		src[i] = transfer_source(t, path[i], &tool->err);
		if (!src[i] || not_stopped(tool) < 0)
			return -1;
	}
	for (i = 0; i < n; i++)
		if (merge_source(t, src[i], path[i], &tool->err) < 0 || not_stopped(tool) < 0)
			return -1;
	return 0;
}

static int merge_all(struct transfer *t, struct lh_tool *tool, const struct settings *s)
{
	const struct lh_index_tally *tally = lh_index_change_tally(t->to.c);
	size_t i, n = tool->n_operands - 1;
	LH_SCOPED(lh_free_local) struct lh_index **src = lh_calloc(n, sizeof *src);
	int rc = merge_sources(t, tool, src);

	for (i = 0; i < n; i++)
		lh_index_close(src[i]);
	if (rc < 0 || changes_finish(&t->to, tool, s) < 0)
		return -1;
	return merge_counts(tool, tally->added, tally->existing);
}

int index_merge(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(transfer_close) struct transfer t = { .vector = NULL };
	int rc = merge_new(tool, s);
	size_t i;

	if (rc)
		return rc < 0 ? -1 : 0;
	for (i = 1; !rc && i < tool->n_operands; i++)
		rc = carry_persons(tool->operands[0], tool->operands[i], s, (unsigned)tool->jobs,
				   &tool->err);
	if (!rc)
		rc = transfer_open(&t, tool->operands[0], NULL, s->lock_timeout, &tool->err);
	return rc ? rc : merge_all(&t, tool, s);
}
