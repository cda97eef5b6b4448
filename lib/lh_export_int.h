/*
 * lh_export_int - the parts of lh_stage_export; not installed.
 *
 *     lh_stage_export.c    the stage, and samples that stand for themselves
 *     lh_export_pairs.c    preference samples
 *     lh_export_check.c    what stands on file, read again
 */
#ifndef LH_EXPORT_INT_H
#define LH_EXPORT_INT_H

#include "lh_join_int.h"
#include "lh_pairs.h"
#include "lh_quarantine.h"
#include "lh_rows.h"
#include "lh_stage_export.h"
#include "lh_tool.h"

struct lh_exporting {
	struct lh_run *run;
	struct lh_stage_result *res;
	struct lh_export *how;
	enum lh_exporter which;
	struct lh_sampler *sampler;
	struct lh_quarantine *refused;
	struct lh_append *append;
	struct lh_join *join;
	struct lh_rows *rows;
	const char *relpath;		/* of the file of scored runs */
	uint64_t row_number, rows_read;	/* in it, in all files */
	struct lh_record scored;
	struct lh_buf sample, reason;
	struct lh_hashset on_file, seen;	/* ids; of those, this run's */
	struct lh_export_unsafe unsafe;

	/* lh_export_pairs.c: */
	struct lh_pairs *pairs;
	struct lh_export_pair_file *file;
	size_t files, cap, open;
	struct lh_pair pair;
	bool pair_ready;
};

/* The record in x->scored is refused, for what the sampler said. */
int lh_export_refuse(struct lh_exporting *x, const struct lh_str *source, enum lh_refusal why, struct lh_err *err);

/* The sample in x->sample goes out, unless its id already came in this run. */
int lh_export_sample(struct lh_exporting *x, bool *is_new, struct lh_err *err);

/* A file of scored runs begins; a row of it; all were read. */
int lh_export_file(struct lh_exporting *x, const char *relpath, struct lh_err *err);
int lh_export_side(struct lh_exporting *x, const struct lh_row *row, struct lh_err *err);
int lh_export_pairs(struct lh_exporting *x, struct lh_err *err);
void lh_export_pairs_free(struct lh_exporting *x);

#endif
