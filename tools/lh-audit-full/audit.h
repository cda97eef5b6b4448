/*
 * audit.h - one audit of a root, and its parts.
 *
 *     main.c                options and verbs
 *     run.c                 the audit: phases in order, then output and files
 *     check.c               the checks: their table, and how a phase sets one
 *     census.c              every row on disk, read once: the data of phases 2 to 4 and of the
 *                           metrics
 *     phases.c samples.c receipts.c replays.c    the phases
 *     baselines.c drift.c   rows of baselines; metrics then and now
 *     report.c charts.c     what the audit says, to programs and to people
 *
 * A fault of the root is a failed check, with file and line, never an error; a
 * function here fails only if the audit itself cannot continue (memory, a signal, a
 * requested file that cannot be written).
 *
 * Owner:   all texts of a struct audit are its own until run.c frees it.
 * Threads: one; the census reads files with tool->jobs of its own.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "history.h"
#include "base/buf.h"
#include "distill/root.h"
#include "distill/sample.h"
#include "distill/stage.h"
#include "base/time.h"
#include "proc/run.h"
#include "tool/tool.h"

#define NO_ROW INT64_MIN		/* not given */

enum { V_AUDIT = 1, V_DRIFT = 2 };

#define AUDIT_BASELINES "data/_kb/audit_baselines.jsonl"
#define AUDIT_REPLAYS "data/_kb/replay_runs.jsonl"
#define AUDIT_RECON "docs/recon/local-distillation-recon.md"

struct settings {
	const char *root;		/* NULL: LH_DISTILL_ROOT, else the working directory */
	const char *subjects;		/* NULL: LH_SUBJECT_DIR below the root */
	const char *out, *html;		/* files, or NULL */
	const char *test_command, *samples, *acceptance_fixture, *replay_command;
	struct lh_list phase;		/* "0" to "7"; none: all */
	bool json, append_baseline, observer, fail_on_drift;
	int64_t from, to;		/* drift: rows from 1, negative from the last; or NO_ROW */
};

/* ---- checks ---- */

#define PHASES 8
#define TIER1 (LH_AUDIT_FACTS + 1)	/* the first streams are tier 1 */

enum check_id {
	CHECK_RECON, CHECK_STREAMS,				/* phase 0 */
	CHECK_VALIDATORS, CHECK_SAMPLES,			/* 1 */
	CHECK_DRY_RUN, CHECK_TIER1,				/* 2 */
	CHECK_SCORED,						/* 3 */
	CHECK_SFT, CHECK_RAG, CHECK_SELF_PAIR,			/* 4 */
	CHECK_SAME_TEXT, CHECK_PROVENANCE, CHECK_QUARANTINE,
	CHECK_FIVE, CHECK_RECEIPTS, CHECK_SUMMARY,		/* 5 */
	CHECK_RUN_HASH, CHECK_DRIFT,
	CHECK_ACCEPTANCE,					/* 6 */
	CHECK_REPLAYS, CHECK_GUARD, CHECK_TAIL,			/* 7 */
	CHECKS
};

struct check {
	int phase;
	const char *name;
	bool required;		/* in this run: --observer requires fewer */
	bool ran;		/* false: its phase was not requested, and it has no line */
	bool passed, skipped;
	struct lh_buf expected, actual, notes;	/* UTF-8, without a NUL */
};

/* ---- metrics ---- */

enum metric_id {		/* in the order of names, which is the order of the output */
	P2_EVIDENCE_ROWS, P2_EVIDENCE_SKIPS, P3_ACCEPTED, P3_HUMAN, P3_PARTIAL, P3_REJECTED,
	P4_PREF_PAIRS, P4_RAG_ROWS, P4_SFT_ROWS, P4_TOTAL_QUARANTINED,
	METRICS
};

extern const char *const metric_names[METRICS];

/* ---- the census (census.c) ---- */

enum finding_id {
	FOUND_EVIDENCE,		/* evidence or skips: cannot be read */
	FOUND_SCORED,		/* scored runs: the same, or no category */
	FOUND_SFT, FOUND_RAG, FOUND_SELF_PAIR, FOUND_SAME_TEXT, FOUND_PROVENANCE,
	FOUND_QUARANTINE,	/* cannot be read */
	FINDINGS
};

struct finding {
	uint64_t rows;		/* faulty */
	/* with a NUL after census_end: "exports/rag/playbooks.jsonl:3: ...", or why a file
	 * could not be read at all */
	struct lh_buf first;
};

struct census {
	uint64_t evidence, tier1, skips, scored[LH_CATEGORIES];
	uint64_t exported[LH_EXPORTERS], quarantined;
	uint64_t read;				/* rows of all kinds */
	bool found_export[LH_EXPORTERS];	/* the file exists */
	struct finding found[FINDINGS];
};

/* ---- the audit ---- */

struct audit {
	struct lh_tool *tool;
	const struct settings *s;
	struct lh_root *root;
	char recorded_at[LH_TIME_LEN + 8];
	char git_commit[LH_GIT_COMMIT + 1];	/* "" without a repository */
	struct check check[CHECKS];
	struct census census;
	char *run_id;			/* of the newest run; NULL: there is none */
	/* with a NUL: "reports/distillation/r/summary.json: ...", of a run that is
	 * not known to be older */
	struct lh_buf bad_summary;
	uint64_t metric[METRICS];
	unsigned required_passed, required_total, checks_total;
	struct history history;		/* baselines on file, and drift */
};

/* Set the result of a check, in printf's way, from any bytes.  A second call
 * replaces the first; notes are joined by "; ". */
void check_set(struct audit *a, enum check_id id, bool passed, const char *expected,
	       const char *actual, ...) LH_PRINTF(5, 6);
void check_note(struct audit *a, enum check_id id, const char *fmt, ...) LH_PRINTF(3, 4);
void check_skip(struct audit *a, enum check_id id, const char *why);

/* Return *err as the text of a note: the root's own path before the name of a file
 * is omitted. */
const char *check_reason(const struct audit *a, const struct lh_err *err);

/* Return whether *err is about the contents of the root (a check fails); otherwise
 * the audit cannot continue. */
bool check_is_finding(const struct lh_err *err);

/* Set up the table for these settings; compute the sums, and report memory that ran out
 * on the way. */
void checks_begin(struct audit *a);
void checks_end(struct audit *a);
void checks_free(struct audit *a);

/* Return whether this phase was requested. */
bool phase_asked(const struct settings *s, int phase);

/* Judge every row of every file, and count the metrics. */
int census_take(struct audit *a, struct lh_err *err);
void census_free(struct census *c);

/* A phase sets each of its checks, in any order.  0, or -1. */
int phase_documents(struct audit *a, struct lh_err *err);	/* 0 */
int phase_samples(struct audit *a, struct lh_err *err);		/* 1 */
int phase_evidence(struct audit *a, struct lh_err *err);	/* 2 */
int phase_scores(struct audit *a, struct lh_err *err);		/* 3 */
int phase_exports(struct audit *a, struct lh_err *err);		/* 4 */
int phase_receipts(struct audit *a, struct lh_err *err);	/* 5 */
int phase_gate(struct audit *a, struct lh_err *err);		/* 6 */
int phase_replay(struct audit *a, struct lh_err *err);		/* 7 */

/* Return the folder of subjects, which the caller frees (check.c). */
char *audit_subjects(const struct lh_root *root, const struct settings *s);

/* Find the newest run: its summary has the greatest ended_at (of equal ones the
 * greatest id). */
int newest_run(struct audit *a, struct lh_err *err);	/* receipts.c */

/* ---- programs and files (phases.c) ---- */

#define OBSERVER "observer: nothing is run"

/* Run it: 1 if it ended by itself, 0 if it could not be run or was killed, which a
 * note of the check reports, -1 if the audit cannot continue.  The caller frees
 * *out in any case. */
int child_run(struct audit *a, enum check_id id, const struct lh_child_how *how, const void *in,
	      size_t n, struct lh_child_out *out, struct lh_err *err);

/* Replace the contents of *out with a regular file of the root: 1, 0 if it does not
 * exist, -1 with the reason. */
int root_file(const struct audit *a, const char *relpath, struct lh_buf *out, struct lh_err *err);

/* Check that no two of the files that the settings name are the same, and that none
 * is a log of the root (run.c). */
int targets_check(const struct audit *a, struct lh_err *err);

/* ---- what it says (report.c) ---- */

/* Write {"p2_evidence_rows":12,...}. */
void metrics_write(struct lh_writer *w, const char *name, const struct audit *a);

extern const char *const phase_title[PHASES];

/* Return "passed", "FAILED", "not met" if it is not required, or "skipped". */
const char *check_result(const struct check *c);

/* Return whether every required check that ran has passed; whether all ran. */
bool audit_is_sound(const struct audit *a);
bool audit_is_whole(const struct audit *a);	/* check.c */

/* A check in words for people (check.c). */
struct check_words {
	const char *looked, *means, *remedy;
	const char *observed;	/* looked at with --observer, if that is something else */
};
const struct check_words *check_words(enum check_id id);

/* Return what a check has looked at: "nothing" if it did not run. */
const char *check_looked(const struct audit *a, enum check_id id);

#define AUDIT_BEYOND \
	"No audit looks at logs of accesses (lh-subject-audit verify), indexes (lh-index " \
	"verify), datasets (lh-catalog verify) or the contents of documents."

/* Print to stdout what the settings request. */
int report_print(struct audit *a);
/* Write the files for people that they name; the page also to standard output. */
int report_write(struct audit *a, struct lh_err *err);

/* ---- the history of the metrics (charts.c) ---- */

#define CHART_AUDITS 300	/* drawn at most */

struct charts {
	size_t n;
	uint64_t unread;		/* rows that are not a baseline */
	double value[METRICS][CHART_AUDITS];
};

/* Read the values of all charts.  Freed with free(); NULL with *err. */
struct charts *charts_read(struct audit *a, struct lh_err *err);
/* Append a chart as an SVG element, and its scale. */
void chart_print(struct lh_buf *out, const struct charts *c, const struct audit *a, int metric);

/* ---- verbs ---- */

int audit_verb(struct lh_tool *tool, void *settings);	/* run.c */
int drift_verb(struct lh_tool *tool, void *settings);	/* drift.c */

#endif
