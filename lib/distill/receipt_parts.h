/*
 * receipt_parts.h - receipts and summaries as they are read: by receipt.c, which writes them,
 * receipt_check.c, which compares files with them, and receipt_erase.c, which keeps them true.
 */
#ifndef LH_RECEIPT_PARTS_H
#define LH_RECEIPT_PARTS_H

#include "receipt.h"

/* What is counted of a stage; the last four are the stats of its receipt. */
enum lh_receipt_count {
	LH_COUNT_IN, LH_COUNT_OUT, LH_COUNT_ACCEPTED, LH_COUNT_REJECTED, LH_COUNT_QUARANTINED,
	LH_COUNT_SKIPPED, LH_COUNTS
};

struct lh_receipt_counts {
	uint64_t n[LH_COUNTS];
};

struct lh_receipt_side {
	struct lh_listed_text *file;
	size_t n;
	uint64_t records;
	struct lh_str hash;
};

struct lh_receipt {
	struct lh_str run_id, stage, timestamp, git_commit;
	struct lh_receipt_side in, out;
	struct lh_receipt_counts stats;
	struct lh_receipt_validation {
		bool passed;
	} validation;
	struct lh_receipt_erased {
		struct lh_str id;	/* of the receipt of an erasure */
		uint64_t rows;
	} *erased;
	size_t n_erased;
};
extern const struct lh_bind lh_receipt_members[];

/* A summary, and a stage as it has it. */
struct lh_summary_stage {
	struct lh_str stage, input_hash, output_hash;
	struct lh_receipt_counts of;
	bool passed;
};
struct lh_summary_text {
	struct lh_str run_id, git_commit, started_at, ended_at, run_hash;
	struct lh_summary_stage *stage;
	size_t n;
	struct lh_receipt_counts total;
	uint64_t samples[3];		/* rag, sft, pairs */
	bool passed;
};
extern const struct lh_bind lh_summary_members[];

/* Write a side of a receipt. */
void lh_receipt_side_write(struct lh_writer *w, const char *name, const struct lh_files *m);

/* What the newest receipts say of files: v[].from is the stage of the receipt. */
struct lh_claims {
	struct lh_files all;		/* sorted; those of a path by the times of their receipts */
	char *receipt[LH_STAGES];	/* the newest of each stage, relative; NULL: none */
};

/* Read the newest receipt of each stage, and report the faults of receipts and summary. */
int lh_claims_read(struct lh_claims *c, struct lh_receipts *what, struct lh_err *err);
void lh_claims_free(struct lh_claims *c);

#endif
