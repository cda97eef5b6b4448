/*
 * audit.h - one audit of a root, and its parts.
 *
 *     main.c                options and verbs; phases in order, then output and files
 *     check.c               the checks: their table, and how a phase sets one
 *     census.c              every row on disk, read once: the data of phases 2 to 4 and of the
 *                           metrics
 *     phases.c samples.c receipts.c replays.c    the phases
 *     drift.c               rows of baselines; metrics then and now, and their charts
 *     report.c              what the audit says, to programs and to people
 *
 * A fault of the root is a failed check, with file and line, never an error; a
 * function here fails only if the audit itself cannot continue (memory, a signal, a
 * requested file that cannot be written).
 *
 * Owner:   all texts of a struct audit are its own until main.c frees it.
 * Threads: one; the census reads files with tool->jobs of its own.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "base/buf.h"
#include "base/time.h"
#include "distill/root.h"
#include "distill/sample.h"
#include "distill/stage.h"
#include "file/rows.h"
#include "json/json.h"
#include "json/write.h"
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

struct audit;

/* ---- the history of the metrics (drift.c) ---- */

/*
 * The metrics of earlier audits, and how far this one is from them.
 *
 * Baselines are rows of a file:
 *
 *     {"recorded_at":"...","git_commit":"...","metrics":{"p3_accepted":353,...}}
 *
 * Other programs append to the same file.  So it is only ever appended to, and a
 * row needs only to be one JSON object whose metrics are an object; everything else
 * in it is ignored.
 *
 *     rc = baselines_open(&b, path, err);
 *     if (!rc && b.n && baselines_take(&b, b.n, err) == 0)
 *             ... b.metrics ...
 *     baselines_close(&b);
 *
 * Errors: 0, or -1 with *err, whose text names the file and the line; LH_EDATA for a
 *         bad row.
 *
 * Drift compares metrics with those of a baseline.
 *
 * A metric without a baseline, or whose baseline is null, is a first run.  Against
 * 0 any other number is a warning, without a percentage.  Otherwise it is a warning
 * if the number changed by more than a fifth of its baseline.  Compared metrics
 * must be numbers within the range of a double; others in the row are ignored.
 *
 * A fall is no warning if there is none once the rows are put back that receipts of erasures
 * (audit/erasures.h) name, of erasures that ended between the two rows.
 *
 * An audit's history:
 *
 *     rc = history_read(&audit, err);          after the metrics are counted
 *     ... history.drift, history.bad ...
 *     rc = history_append(&audit, err);        --append-baseline; last of all
 *     history_free(&audit.history);
 *
 * A file of baselines that cannot be read, or whose last row is bad, does not
 * prevent the checks: history_read then returns 0 with the reason in history.bad
 * and no row of drift, and nothing is appended.  The caller reports it after
 * printing the checks, and ends with 2.
 */

struct baselines {
	const char *path;	/* borrowed */
	int fd;			/* of the file, borrowed; or -1: path is opened */
	uint64_t n;		/* rows at the opening; blank lines do not count */
	struct lh_rows *rows;
	uint64_t at;		/* rows read so far */
	size_t bom;		/* length of the BOM before the row that was read last */

	/* the row read last, valid until the next */
	uint64_t line;
	struct lh_record rec;
	struct lh_value metrics;	/* an object */
	struct lh_value recorded_at;	/* a string, or p NULL */
};

enum drift_flag { DRIFT_OK, DRIFT_WARN, DRIFT_FIRST, DRIFT_ERASED };

struct drift_row {
	struct lh_str metric, baseline, current;	/* numbers as written; baseline.n 0: none */
	bool has_pct;
	double pct;		/* a fraction, or infinite */
	enum drift_flag flag;
};

/* Rows in byte order of the names of their metrics. */
struct drift {
	struct drift_row *row;
	size_t n, warned, first, erased;
};

struct drift_metric {
	struct lh_str name;
	struct lh_value value;
};

/* The metrics of a row, sorted by name. */
struct drift_metrics {
	struct drift_metric *v;
	size_t n, cap;
	struct lh_buf names;	/* those that had to be unescaped */
	const struct baselines *row;	/* their row; NULL: they were just measured */
};

/* Return whether a change, as a fraction, is more than a fifth. */
void drift_free(struct drift *d);	/* an all zero struct is allowed */

const char *drift_flag_name(enum drift_flag flag);

/* Append "+583.3%": one decimal, halves away from zero; a decrease that rounds to
 * nothing is -0.0%.  "-" if there is none. */
void drift_percent(struct lh_buf *out, const struct drift_row *row);

/* Append the table and its last line, for people. */
void drift_table(struct lh_buf *out, const struct drift *d);

/* Write [{"metric":...},...]. */
void drift_write(struct lh_writer *w, const char *name, const struct drift *d);

struct history {
	char *path;
	struct baselines on_file;	/* with its last row read, unless it is a first run */
	struct drift_metrics now, before;
	struct drift drift;
	struct lh_err bad;		/* code LH_OK: no fault */
	char *numbers;			/* of now */
};

int history_read(struct audit *a, struct lh_err *err);
int history_append(const struct audit *a, struct lh_err *err);
void history_free(struct history *h);

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

/* ---- what it says (report.c) ---- */

/* Write {"p2_evidence_rows":12,...}. */
void metrics_write(struct lh_writer *w, const char *name, const struct audit *a);

extern const char *const phase_title[PHASES];

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

/* ---- charts (drift.c) ---- */

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

int audit_verb(struct lh_tool *tool, void *settings);	/* main.c */
int drift_verb(struct lh_tool *tool, void *settings);	/* drift.c */

#endif
