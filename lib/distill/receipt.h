/*
 * receipt - the receipts that a run leaves: what lay there, hashed.
 *
 *     reports/distillation/<run_id>/<stage>.json     lh_receipt_write
 *     reports/distillation/<run_id>/summary.json     lh_summary_print
 *
 * A receipt lists the files of its stage as they lie on disk behind it, written
 * now or before, of all days, sorted by path: collect reads the sources and
 * writes evidence and the skips; score reads evidence and writes scored runs;
 * an export reads scored runs and evidence and writes its samples and its
 * quarantine.  A side's hash is SHA-256 over the lines "<path>\t<sha256>\n", its
 * record_count the sum of its files' lines that are not blank.
 *
 * A file that a run has hashed before and that has not changed since (device,
 * inode, size, times) is not read again: struct lh_digest_cache remembers.  A source is
 * hashed while it is read, a file that a run makes while it is written.
 *
 * Errors:  0, or -1 with *err.
 * Threads: one thread per run.
 */
#ifndef LH_RECEIPT_H
#define LH_RECEIPT_H

#include "stage.h"

/* What is to be known of a file. */
struct lh_file_digest {
	uint64_t bytes, records;
	unsigned char sha256[32];
};

struct lh_digest_cache *lh_digest_cache_new(struct lh_err *err);
void lh_digest_cache_free(struct lh_digest_cache *f);

/* Of the file relpath of a root: 1, 0 when it is not there, -1. */
int lh_digest_cache_get(struct lh_digest_cache *f, const struct lh_root *root, const char *relpath, struct lh_file_digest *fact, struct lh_err *err);

/* The file was just put there with these contents, as the inode that made
 * describes (before its rename); what is there now is believed to be that if it
 * has the same inode, as many bytes, and was not written to since. */
struct stat;
int lh_digest_cache_written(struct lh_digest_cache *f, const struct lh_root *root, const char *relpath, const struct stat *made,
			 const struct lh_file_digest *fact, struct lh_err *err);

/* The file was read to its end and these were its contents, if it is now what
 * it was before. */
int lh_digest_cache_read(struct lh_digest_cache *f, const struct lh_root *root, const char *relpath, const struct stat *before,
			 const struct lh_file_digest *fact, struct lh_err *err);

/*
 * End a stage: hash its files, fill what is open in *res, and replace its
 * receipt.  In a dry run there is none, and nothing is done.
 */
int lh_receipt_write(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err);

/* Replace the file name ("summary.md") in the run's folder by these bytes. */
int lh_report_write(struct lh_run *run, const char *name, const struct lh_buf *text, struct lh_err *err);

/* ---- of all stages ---- */

struct lh_summary {
	const char *run_id, *git_commit;
	char started_at[LH_TIME_LEN + 1], ended_at[LH_TIME_LEN + 1];
	const struct lh_stage_result *stage;	/* LH_STAGES of them */
	uint64_t duration_ms;
	bool passed;
	char run_hash[65];	/* SHA-256 over the output hashes joined by "|" */
};

/* Fill passed and run_hash out of the stages.  The numbers of samples are what
 * the exports accepted. */
void lh_summary_settle(struct lh_summary *s);

/* The sums over the stages. */
void lh_summary_total(const struct lh_summary *s, struct lh_stage_result *total);

/* Append the RunSummary, compact and without a LF. */
void lh_summary_print(struct lh_buf *out, const struct lh_summary *s);

/* The commit that the repository around path stands at, 40 hex digits and a
 * NUL; zeros, and false with the reason in *why, when there is none. */
bool lh_git_commit(const char *path, char out[LH_GIT_COMMIT + 1], struct lh_err *why);

#endif
