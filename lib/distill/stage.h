/*
 * stage - what the five stages of a distillation run share.
 *
 * A run (struct lh_run) is a locked root with one run id, one recorded_at and one
 * commit; lh-materialize, lh-score and lh-export --root run one stage in it,
 * lh-distill runs all five.  A stage reads files of the root, appends to others,
 * and ends with its receipt (receipt.h):
 *
 *     int lh_stage_score(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err)
 *     {
 *             lh_stage_begin(res, LH_STAGE_SCORE);
 *             ... append to the root's files, commit them, count into *res ...
 *             ... lh_stage_fault(res, "...") if the stage must not pass ...
 *             return lh_receipt_write(run, res, err);
 *     }
 *
 * and a tool does
 *
 *     run = lh_run_open(&settings.run, tool.now, &tool.err);
 *     rc = run ? lh_stage_score(run, &res, &tool.err) : -1;
 *     lh_stage_done(&res);
 *     lh_run_close(run);
 *
 * A stage prints nothing.  A result has what the receipt reports; the other counts
 * are the stage's own (evidence.h, sample.h).
 *
 * Errors:  0, or -1 (NULL) with *err; files are then unchanged, or as the commits before
 *          the error left them.
 * Threads: one thread per run; stages may start threads of their own.
 */
#ifndef LH_STAGE_H
#define LH_STAGE_H

#include "base/buf.h"
#include "base/time.h"

#include "proc/run.h"
#include "root.h"

enum lh_stage {
	LH_STAGE_COLLECT,
	LH_STAGE_SCORE,
	LH_STAGE_RAG,
	LH_STAGE_SFT,
	LH_STAGE_PREFERENCE,
	LH_STAGES
};
const char *lh_stage_name(enum lh_stage s);	/* "collect", "score", "export-rag", ... */

/* ---- the run ---- */

/* The options of a tool; NULL means the default. */
struct lh_run_how {
	const char *root;		/* --root: LH_DISTILL_ROOT, else the working directory */
	const char *recorded_at;	/* --recorded-at: now */
	const char *run_id;		/* --run-id: made */
	unsigned jobs;			/* -j; 0 is 1 */
	double lock_timeout;		/* seconds to wait for another run */
	/* nothing will be written: no lock, no run id, no receipts */
	bool dry;
	/* Called periodically with the number of records that the stage has
	 * processed; or NULL. */
	void (*progress)(void *ctx, enum lh_stage stage, uint64_t records);
	void *ctx;
};

/* The same options in every tool that runs stages: how is the struct lh_run_how in
 * the settings s, of the set of verbs they belong to (0: all). */
#define LH_RUN_OPTIONS(s, how, of) \
	{ 0, "root", "DIR", "the root (default: the working directory)", \
	  LH_TEXT(s, how.root, .env = "LH_DISTILL_ROOT", .verbs = of) }, \
	{ 0, "recorded-at", "TIME", "when the records are said to be made (default: now)", \
	  LH_TIME(s, how.recorded_at, .verbs = of) }, \
	{ 0, "run-id", "ID", "of the run (default: a UUID)", \
	  LH_TEXT(s, how.run_id, .verbs = of) }, \
	LH_LOCK_OPTION(of)

struct lh_digest_cache;

struct lh_run {
	struct lh_root *root;
	char recorded_at[LH_TIME_LEN + 1];	/* UTC with milliseconds */
	char *id;				/* NULL in a dry run */
	char git_commit[LH_GIT_COMMIT + 1];	/* zeros if there is none ... */
	bool no_git;
	struct lh_err why_no_git;		/* ... for this reason */
	bool fixed;				/* the clock is fixed: nothing takes time */
	int64_t now;				/* of a fixed clock, in ms */
	struct lh_run_how how;
	struct lh_digest_cache *facts;			/* of files hashed before in this run */
};

/*
 * Open and lock the root, remove temporary files of killed runs, and set the other
 * members.  now is the tool's --now or NULL.  Without --run-id the id is a random
 * UUID; with now it is made of time and root, with "-2", "-3", ... appended if its
 * folder exists already.  LH_EUSAGE: a run id that cannot name a folder.
 */
struct lh_run *lh_run_open(const struct lh_run_how *how, const char *now, struct lh_err *err);
void lh_run_close(struct lh_run *run);	/* NULL is allowed */
void lh_run_release(struct lh_run *run);	/* close the root alone, with its lock */

/* Print the present time, LH_TIME_LEN + 1 bytes, for what is written now. */
void lh_run_time(const struct lh_run *run, char *out);

/* Return whether lh_run_open accepts this id: a name of a folder, not hidden, of up
 * to 128 bytes of UTF-8 without "/" and controls. */
bool lh_run_id_valid(const char *id);

/* Call fn for each name below LH_ROOT_REPORTS that can be a run's id, in no order;
 * without the folder for none.  A result other than 0 ends it and is returned. */
typedef int lh_run_fn(void *ctx, const char *id, struct lh_err *err);
int lh_run_each(const struct lh_root *root, lh_run_fn *fn, void *ctx, struct lh_err *err);

static inline void lh_run_progress(const struct lh_run *run, enum lh_stage stage, uint64_t records)
{
	if (run->how.progress)
		run->how.progress(run->how.ctx, stage, records);
}

/* ---- the result of a stage ---- */

struct lh_stage_result {
	enum lh_stage stage;
	unsigned sources;	/* collect: set of the streams read; 0: all */
	uint64_t accepted, rejected, quarantined, skipped;
	bool passed;		/* until a fault is reported */
	struct lh_buf errors, warnings;	/* JSON strings with commas between them */
	double start;		/* lh_time_monotonic */

	/* set by lh_receipt_write: */
	uint64_t records_in, records_out, duration_ms;
	char input_hash[65], output_hash[65];
};

void lh_stage_begin(struct lh_stage_result *res, enum lh_stage stage);
void lh_stage_done(struct lh_stage_result *res);	/* an all zero struct is allowed */

/* Add an error to the receipt (the stage has not passed), or a warning.  The text
 * is UTF-8. */
void lh_stage_fault(struct lh_stage_result *res, const char *fmt, ...) LH_PRINTF(2, 3);
void lh_stage_warn(struct lh_stage_result *res, const char *fmt, ...) LH_PRINTF(2, 3);

/* ---- the stages ---- */

/* Each runs with its defaults if the last but one argument is NULL. */
struct lh_collect;	/* evidence.h */
struct lh_export;	/* sample.h */
int lh_stage_collect(struct lh_run *run, struct lh_stage_result *res, struct lh_collect *how,
		     struct lh_err *err);
int lh_stage_score(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err);
int lh_stage_export(struct lh_run *run, enum lh_stage which, struct lh_stage_result *res,
		    struct lh_export *how, struct lh_err *err);

#endif
