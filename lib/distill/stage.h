/*
 * stage - what the five stages of a distillation run share.
 *
 * A run (struct lh_run) is a root, held by its lock, with one run id, one
 * recorded_at and one commit; lh-materialize, lh-score and lh-export --root
 * run one stage in it, lh-distill run all five.  A stage reads the files of
 * the root, grows others, and ends with its receipt (receipt.h):
 *
 *     int lh_stage_score(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err)
 *     {
 *             lh_stage_begin(res, LH_STAGE_SCORE);
 *             ... append to the root's files, commit them, count into *res ...
 *             ... lh_stage_fault(res, "...") when the stage must not pass ...
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
 * A stage prints nothing.  A result says what a receipt says of the stage; the
 * counts beyond it are the stage's own (evidence.h, sample.h).
 *
 * Errors:  0, or -1 (NULL) with *err; files then hold what they held, or what
 *          the commits before the error made of them.
 * Threads: one thread per run; stages may start threads of their own.
 */
#ifndef LH_STAGE_H
#define LH_STAGE_H

#include <lh/buf.h>
#include "root.h"
#include <lh/time.h>

enum lh_stage { LH_STAGE_COLLECT, LH_STAGE_SCORE, LH_STAGE_RAG, LH_STAGE_SFT, LH_STAGE_PREFERENCE, LH_STAGES };
const char *lh_stage_name(enum lh_stage s);	/* "collect", "score", "export-rag", ... */

#define LH_GIT_COMMIT 40	/* hex digits */

/* ---- the run ---- */

/* What a tool's options say; NULL means the default. */
struct lh_run_how {
	const char *root;		/* --root: LH_DISTILL_ROOT, else the working directory */
	const char *recorded_at;	/* --recorded-at: now */
	const char *run_id;		/* --run-id: minted */
	unsigned jobs;			/* -j; 0 is 1 */
	double lock_timeout;		/* seconds to wait for another run */
	bool dry;			/* nothing will be written: no lock, no run id, no receipts */
	/* Told now and then how many records the stage has done; or NULL. */
	void (*progress)(void *ctx, enum lh_stage stage, uint64_t records);
	void *ctx;
};

/* The same options in every tool that runs stages: how is the struct
 * lh_run_how in the settings s, verbs the set they belong to (0: all). */
#define LH_RUN_OPTIONS(s, how, verbs) \
	{ 0, "root", "DIR", "the root (default: the working directory)", LH_OPT_TEXT, false, offsetof(s, how.root), 0, 0, "LH_DISTILL_ROOT", verbs }, \
	{ 0, "recorded-at", "TIME", "when the records are said to be made (default: now)", LH_OPT_TIME, false, offsetof(s, how.recorded_at), 0, 0, NULL, verbs }, \
	{ 0, "run-id", "ID", "of the run (default: a UUID)", LH_OPT_TEXT, false, offsetof(s, how.run_id), 0, 0, NULL, verbs }, \
	LH_LOCK_OPTION(verbs)

struct lh_digest_cache;

struct lh_run {
	struct lh_root *root;
	char recorded_at[LH_TIME_LEN + 1];	/* UTC with milliseconds */
	char *id;				/* NULL in a dry run */
	char git_commit[LH_GIT_COMMIT + 1];	/* zeros when there is none ... */
	bool no_git;
	struct lh_err why_no_git;		/* ... for this reason */
	bool fixed;				/* the clock stands: nothing takes time */
	int64_t now;				/* of a clock that stands, in ms */
	struct lh_run_how how;
	struct lh_digest_cache *facts;			/* of files hashed before in this run */
};

/*
 * Open and lock the root, remove temporary files of killed runs, and settle the
 * rest.  now is the tool's --now or NULL.  A minted id is a random UUID; with now it is made of
 * time and root, and where its folder exists already "-2", "-3", ... follows.
 * LH_EUSAGE: a run id that is no name of a folder.
 */
struct lh_run *lh_run_open(const struct lh_run_how *how, const char *now, struct lh_err *err);
void lh_run_close(struct lh_run *run);	/* NULL is fine */

/* The time, as text (LH_TIME_LEN + 1 bytes) for what is written now. */
void lh_run_time(const struct lh_run *run, char *out);

/* Is this an id that lh_run_open accepts: a name of a folder, not hidden, of up
 * to 128 bytes of UTF-8 without "/" and controls? */
bool lh_run_id_valid(const char *id);

/* Tell fn each name below LH_ROOT_REPORTS that can be a run's id, in no order; no
 * folder, no runs.  It returns non-zero to end, which is returned. */
typedef int lh_run_fn(void *ctx, const char *id, struct lh_err *err);
int lh_run_each(const struct lh_root *root, lh_run_fn *fn, void *ctx, struct lh_err *err);

static inline void lh_run_progress(const struct lh_run *run, enum lh_stage stage, uint64_t records)
{
	if (run->how.progress)
		run->how.progress(run->how.ctx, stage, records);
}

/* ---- what a stage came to ---- */

struct lh_stage_result {
	enum lh_stage stage;
	unsigned sources;	/* collect: bit set of the stems read; 0 is all */
	uint64_t accepted, rejected, quarantined, skipped;
	bool passed;		/* until a fault is told */
	struct lh_buf errors, warnings;	/* JSON strings with commas between them */
	double start;		/* lh_time_monotonic */

	/* filled by lh_receipt_write: */
	uint64_t records_in, records_out, duration_ms;
	char input_hash[65], output_hash[65];
};

void lh_stage_begin(struct lh_stage_result *res, enum lh_stage stage);
void lh_stage_done(struct lh_stage_result *res);	/* all zero is fine */

/* An error in the receipt (the stage has not passed), or a warning.  The text
 * is UTF-8.  What did not fit into memory comes out in lh_receipt_write. */
void lh_stage_fault(struct lh_stage_result *res, const char *fmt, ...) LH_PRINTF(2, 3);
void lh_stage_warn(struct lh_stage_result *res, const char *fmt, ...) LH_PRINTF(2, 3);

/* ---- the stages ---- */

/* Each runs with its defaults when the last but one is NULL. */
struct lh_collect;	/* evidence.h */
struct lh_export;	/* sample.h */
int lh_stage_collect(struct lh_run *run, struct lh_stage_result *res, struct lh_collect *how, struct lh_err *err);
int lh_stage_score(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err);
int lh_stage_export(struct lh_run *run, enum lh_stage which, struct lh_stage_result *res, struct lh_export *how, struct lh_err *err);

#endif
