/*
 * receipt_check - compare the files of a root with what its newest receipts say of them.
 *
 * Of each stage the receipt with the latest time counts: of the newest run, or of a run
 * that has no summary, because a stage was run alone or the run was killed.  Every file
 * that one of these five names must be there with its size and SHA-256.  Files are only
 * ever appended to: of a source, and of what an older of the five names, the bytes that
 * the receipt names must be the first of the file.  Evidence, the skips, scored runs,
 * samples and quarantine that no receipt names are faults too.
 *
 * A receipt is compared with itself (sums and hashes) and with the summary of its run, so
 * that none of the files can be changed alone.  A receipt is not signed: who can write all
 * of them can make others.  errors, warnings and durations, drift.json and summary.md are
 * not compared with anything.
 *
 *     struct lh_receipts c = { .root = root, .run_id = id, .fault = on_fault, .ctx = me };
 *     rc = lh_receipts_check(&c, err);
 *
 * Errors:  0, or -1 with *err if the check cannot continue; a fault of the root is reported
 *          to the caller as a text that names the file, relative to the root.
 * Memory:  a path and 64 bytes for each file named.
 * Threads: one.
 */
#ifndef LH_RECEIPT_CHECK_H
#define LH_RECEIPT_CHECK_H

#include "stage.h"

enum lh_receipt_fault {
	LH_RECEIPT_MISSING,	/* the run has no receipt of a stage */
	LH_RECEIPT_BAD,		/* a receipt is not one, or contradicts itself or the summary */
	LH_RECEIPT_SUMMARY,	/* the summary contradicts itself, or one was removed */
	LH_RECEIPT_RUN_HASH,	/* the run_hash is not that of the stages */
	LH_RECEIPT_DIFFERS,	/* a file is not as a receipt says */
	LH_RECEIPT_UNCOVERED,	/* no receipt says anything of a file: not compared */
};

struct lh_receipts {
	const struct lh_root *root;
	/* of the newest run, whose summary has the latest ended_at; NULL: no run has one */
	const char *run_id;
	void (*fault)(void *ctx, enum lh_receipt_fault what, const char *text);
	void *ctx;

	/* set: */
	unsigned there, good;	/* receipts of the run */
	uint64_t files, bytes;	/* that were compared */
};

int lh_receipts_check(struct lh_receipts *c, struct lh_err *err);

#endif
