/*
 * receipt - the receipts of a run: its files, with digests.
 *
 *     reports/distillation/<run_id>/<stage>.json     lh_receipt_write
 *     reports/distillation/<run_id>/summary.json     of lh-distill(1)
 *
 * A receipt lists the files of its stage as they are on disk after it, written now
 * or before, of all days, sorted by path: collect reads the sources and writes
 * evidence and the skips; score reads evidence and writes scored runs; an export
 * reads scored runs and evidence and writes its samples and its quarantine.  The
 * hash of a side is SHA-256 over the lines "<path>\t<sha256>\n", its record_count
 * the number of lines in its files that are neither blank nor a tombstone (file/rows.h).
 *
 * A side is a manifest (manifest/manifest.h).  A source is hashed while it is read, an output
 * file while it is written, and no file twice in a run.
 *
 * Errors:  0, or -1 with *err.
 * Threads: one thread per run.
 */
#ifndef LH_RECEIPT_H
#define LH_RECEIPT_H

#include "audit/erasures.h"
#include "manifest/manifest.h"
#include "stage.h"

/* End a stage: hash its files, complete *res, and replace its receipt.  In a dry
 * run there is none, and nothing is done. */
int lh_receipt_write(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err);

/* Replace the file name ("summary.md") in the run's folder by these bytes. */
int lh_report_write(struct lh_run *run, const char *name, const struct lh_buf *text,
		    struct lh_err *err);

/* ---- reports, read ---- */

#define LH_REPORT_PATH 256

/* A report of a run as a file: its text, and what was read from it. */
struct lh_report {
	char relpath[LH_REPORT_PATH];
	struct lh_buf file, text, scratch;
	struct lh_record rec;
	char why[512];		/* the first violation of its schema, "" without one */
};
void lh_report_init(struct lh_report *r);
void lh_report_free(struct lh_report *r);

/* Read a report of a run by its schema and table, each or NULL: 1, 0 if it does not exist, -1 with
 * LH_ECORRUPT and the reason alone if it is not one. */
int lh_report_read(struct lh_report *r, const struct lh_root *root, const char *id,
		   const char *name, const char *schema, const struct lh_bind *table, void *to,
		   struct lh_err *err);

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
 * Rows may have been erased since: then the newest receipts have the counts and hashes of what
 * is left, and the erasures in "erased", as {"receipt","rows"}.  Each has a receipt of its own
 * (erasures.h) in the folder of subjects, by which at least as many rows of the files are gone;
 * so has each tombstone of a source.
 *
 *     struct lh_receipts c = { .root = root, .run_id = id, .fault = on_fault, .ctx = me };
 *     rc = lh_receipts_check(&c, err);
 *
 * Errors:  0, or -1 with *err if the check cannot continue; a fault of the root is reported
 *          to the caller as a text that names the file, relative to the root.
 * Memory:  a path and 64 bytes for each file named.
 * Threads: one.
 */

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
	const char *subjects;	/* the folder of subjects; NULL: nothing was erased */
	void (*fault)(void *ctx, enum lh_receipt_fault what, const char *text);
	void *ctx;

	/* set: */
	struct lh_erasures erasures;	/* while it runs */
	unsigned there, good;	/* receipts of the run */
	uint64_t files, bytes;	/* that were compared */
};

int lh_receipts_check(struct lh_receipts *c, struct lh_err *err);

/*
 * receipt_erase - keep receipts true when rows of files of a root are erased.
 *
 * Under the lock of the root, after files were replaced, the bytes of them that the newest receipts
 * name are cut to what is left of these:
 *
 *     rc = lh_receipts_cut(root, "er-5f0c1d3a9b7e2468", cuts, n, err);
 *
 * The newest receipt of each stage gets the new counts and hashes, and so does the summary of its
 * run; all that name one of the files get {"receipt","rows"} in "erased".  A receipt that is true
 * already stays, so that the call may be repeated.
 */

int lh_receipts_cut(const struct lh_root *root, const char *erasure, const struct lh_cut *cut,
		    size_t n, struct lh_err *err);

#endif
