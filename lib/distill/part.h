/*
 * part - a run that is divided: its parts, and how they are joined.
 *
 * Each process of a divided run does the rows of one shard (struct lh_run_how), and
 * writes them into a folder of the root that the sources are in:
 *
 *     shards/<run_id>/<I>-of-<N>/            a part, laid out as a root
 *     shards/<run_id>/<I>-of-<N>/part.json   written last: a part with it is complete
 *     shards/<run_id>/recorded_at            the time of the run, if no option has it
 *
 * part.json has what the part is of, the digests of the sources as they were read and
 * those of the part's files, and a hash of itself.  A part that is made again is emptied
 * first.  A row goes by its sig_hash; a row without one by its line, as in base/xxh3.h.
 *
 * lh_parts_open locks all parts of a run and checks them: each of 0 to N-1 is there once,
 * complete and unchanged; they are of the same run, job and time; and the sources are
 * still those that they have read.  Then lh_stage_join_collect and lh_stage_join_score do
 * in the root what lh_stage_collect and lh_stage_score would do, with the same bytes, but
 * take evidence and scored runs from the parts: these are merged by their lines, which
 * reads each part once.  A row that is on file is not appended, so that a join that was
 * killed is completed by the next.
 *
 *     parts = lh_parts_open(run, &tool.err);
 *     rc = parts ? lh_stage_join_collect(run, parts, &res, &how, &tool.err) : -1;
 *     ...
 *     lh_parts_close(parts);
 *
 * Memory:  for each part a window of a file; as in stage.h.  A descriptor or two
 *          for each part.
 * Errors:  0, or -1 (NULL) with *err, which names the part.  LH_ECORRUPT: a part is
 *          missing, or of something else, or was changed.
 */
#ifndef LH_PART_H
#define LH_PART_H

#include "stages.h"

#define LH_PART_SHARDS "shards"
#define LH_PART_FILE "part.json"

enum lh_part_job { LH_PART_MATERIALIZE, LH_PART_DISTILL };

/* Complete the part that run has made: write part.json, and append it to out. */
int lh_part_finish(struct lh_run *run, enum lh_part_job job, const struct lh_collect *how,
		   struct lh_buf *out, struct lh_err *err);

struct lh_parts;

/* Open the parts of the run in its root.  The run gets their recorded_at; it is an error
 * if its options say another. */
struct lh_parts *lh_parts_open(struct lh_run *run, struct lh_err *err);
void lh_parts_close(struct lh_parts *parts);	/* NULL is allowed */

enum lh_part_job lh_parts_job(const struct lh_parts *parts);

/* Collect what the parts have collected; how is filled as by lh_stage_collect, with the
 * dedup and the sources of the parts. */
int lh_stage_join_collect(struct lh_run *run, const struct lh_parts *parts,
			  struct lh_stage_result *res, struct lh_collect *how, struct lh_err *err);

/* Score the evidence that is on file before the parts are collected, as a run would: its
 * scored runs come first.  This begins the stage that lh_stage_join_score ends. */
int lh_stage_join_begin(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err);

/* Add the scored runs of the parts to those on file. */
int lh_stage_join_score(struct lh_run *run, const struct lh_parts *parts,
			struct lh_stage_result *res, struct lh_err *err);

/* Copy the receipts of the parts to the reports of the run: shards/<I>-of-<N>/. */
int lh_parts_keep(struct lh_run *run, const struct lh_parts *parts, struct lh_err *err);

#endif
