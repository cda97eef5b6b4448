/*
 * export_parts - the parts of lh_stage_export:
 *
 *     stage_export.c    the stage, and samples of single records
 *     export_pairs.c    preference samples
 *     export_rejected.c texts that were rejected
 *     export_check.c    verification of the written file
 */
#ifndef LH_EXPORT_PARTS_H
#define LH_EXPORT_PARTS_H

#include "base/table.h"
#include "evidence_lookup.h"
#include "sample.h"
#include "file/rows.h"
#include "sample_parts.h"
#include "stages.h"

/* One of the exporters that run. */
struct lh_export_one {
	enum lh_exporter x;
	struct lh_stage_result *res;
	struct lh_export *how;
	struct lh_sampler *sampler;	/* NULL: it does not run */
	struct lh_quarantine *refused;
	struct lh_append *append;
	struct lh_buf sample;
	struct lh_map on_file;	/* ids */
	struct lh_export_ids made;	/* ids of this run */
};

struct lh_exporting {
	struct lh_run *run;
	struct lh_export_one each[LH_EXPORTERS];
	struct lh_rows *rows;
	struct lh_evidence_lookup *join;
	const char *relpath;		/* of the file of scored runs */
	uint64_t row_number, rows_read;	/* in it, in all files */
	struct lh_file_row row;
	struct lh_record scored;	/* the row, ... */
	struct lh_source src;		/* ... and its evidence, shared by all samplers */
	struct lh_found found;
	bool sought;			/* the evidence was searched */
	struct lh_key key;		/* of the record, ... */
	struct lh_map known;		/* ... and the bits of all keys */
	struct lh_buf reason, text;
	struct lh_map rejected;		/* hashes of lh_source_text */

	/* export_pairs.c: */
	struct lh_pairs *pairs;
	struct lh_intern reasons;	/* first reasons */
	struct lh_export_pair_file *file;
	size_t files, cap, open;
	struct lh_pair pair;
	bool pair_ready;
};

/* Read the row's evidence into x->src, if there is any. */
int lh_export_evidence(struct lh_exporting *x, struct lh_err *err);

/* Write the sample in e->sample, unless a record with this key became one in this
 * run already. */
int lh_export_sample(struct lh_exporting *x, struct lh_export_one *e, const struct lh_key *key,
		     bool *is_new, struct lh_err *err);

/* Note the texts of all rejected records, which are no samples for the same task. */
int lh_export_rejected(struct lh_exporting *x, struct lh_err *err);

/* Begin a file of scored runs; process a row of it; finish after all files. */
void lh_export_file(struct lh_exporting *x, const char *relpath);
int lh_export_side(struct lh_exporting *x, struct lh_err *err);
int lh_export_pairs(struct lh_exporting *x, struct lh_err *err);
void lh_export_pairs_free(struct lh_exporting *x);

#endif
