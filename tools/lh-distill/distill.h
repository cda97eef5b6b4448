/*
 * distill.h - the parts of lh-distill.
 *
 *     run.c         run: the five stages, also for acceptance; drift.json: what changed since the
 *                   newest other run; summary.md; receipts as entries of a transparency log
 *     reports.c     the runs below reports/distillation
 *     health.c      health: evidence against the rows it came from; receipts: those of stored runs
 *     acceptance.c  acceptance: a known root, and 22 invariants
 */
#ifndef DISTILL_H
#define DISTILL_H

#include "json/json.h"
#include "distill/stages.h"
#include "distill/receipt.h"
#include "distill/root.h"
#include "tool/op.h"

enum { V_RUN = 1, V_HEALTH = 2, V_RECEIPTS = 4, V_ACCEPTANCE = 8 };

struct settings {
	struct lh_run_how run;
	bool all;		/* health: every row */
	const char *subjects;	/* health: NULL: LH_SUBJECT_DIR below the root */
	const char *fixture;	/* acceptance: a root, or NULL for the built-in one */
	const char *tlog;	/* the folder of a transparency log, or NULL */
	struct lh_list tlog_key;
};

/* One function per verb. */
int distill_run(struct lh_tool *tool, void *settings);
int distill_health(struct lh_tool *tool, void *settings);
int distill_receipts(struct lh_tool *tool, void *settings);
int distill_acceptance(struct lh_tool *tool, void *settings);

/* ---- run.c ---- */

struct summary {
	const char *run_id, *git_commit;
	char started_at[LH_TIME_LEN + 1], ended_at[LH_TIME_LEN + 1];
	const struct lh_stage_result *stage;	/* LH_STAGES of them */
	uint64_t duration_ms;
	bool passed;
	char run_hash[65];	/* SHA-256 over the output hashes joined by "|" */
};

struct whole {
	struct lh_run *run;
	struct lh_stage_result stage[LH_STAGES];
	struct summary summary;
	struct lh_buf json;	/* summary.json, with its LF */
	const char *severity;	/* of the drift: "ok", "warn", "alert" ... */
	char *prior;		/* ... against this run, or NULL */
	struct lh_buf bad;	/* a line for each stored summary that is bad */
};

/* Called after a stage has ended well. */
typedef void whole_fn(void *ctx, const struct lh_stage_result *res);

/* Run the five stages and write receipts, drift, summary.md and, last,
 * summary.json, which marks a run as complete.  Free it in any case. */
int whole_run(struct whole *w, const struct lh_run_how *how, const char *now, whole_fn *ended,
	      void *ctx, struct lh_err *err);
void whole_free(struct whole *w);

/* ---- reports.c ---- */

/* Read a report of a run (lh_report_read), with the path before a reason. */
int report_read(struct lh_report *r, const struct lh_root *root, const char *run_id,
		const char *name, const char *schema, struct lh_err *err);

/*
 * Find the newest run except the one of the id but (or NULL), and return its id,
 * which the caller frees: the greatest ended_at of its summary, of equal ones the
 * greatest id.  With any, a run without a summary counts too, by its latest
 * receipt.  1, 0 if there is none, -1.  A bad report is skipped, with a line in
 * *bad.
 */
int report_newest(char **id, const struct lh_root *root, const char *but, bool any,
		  struct lh_buf *bad, struct lh_err *err);

/* Report each of these lines. */
void warn_bad(struct lh_tool *tool, const struct lh_buf *bad);

#endif
