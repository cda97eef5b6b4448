/*
 * sample - retrieval, fine-tuning and preference samples out of evidence and
 * what it was scored, and why a record becomes none.
 *
 * A record passes four gates in this order: its category (lh_sample_gate), its
 * provenance (where it came from, the evidence it names, whether a model made
 * it), its content (a text, files that exist), and the schema of the sample
 * that was built of it.  The first gate that is shut gives the refusal.
 *
 *     s = lh_sampler_new(LH_SFT, &how, "2026-05-03T12:00:00.000Z", err);
 *     rc = lh_sample_scored(s, &scored, err);            1: needs its evidence
 *     if (rc > 0)
 *             rc = lh_sample_make(s, evidence, &out, err);     1: out has grown
 *     if (rc == 0)
 *             ... lh_sampler_result(s)->refused ...
 *     lh_sampler_free(s);
 *
 * Preference samples are made of two records each: lh_sample_scored and
 * lh_sample_side say whether a record may be one side, lh_pairs (pairs.h)
 * finds who stands against whom, and lh_sample_pair makes the sample.
 *
 * Text that is built is written with the fewest escapes; trimming is of ASCII
 * white space, and characters are code points.
 *
 * Owner:   records must live until lh_sample_make or lh_sample_side returns;
 *          what lh_sampler_result points to, until the next call.
 * Threads: one thread per sampler.
 */
#ifndef LH_SAMPLE_H
#define LH_SAMPLE_H

#include <lh/json.h>
#include "score.h"

enum lh_exporter { LH_RAG, LH_SFT, LH_PREFERENCE, LH_EXPORTERS };

const char *lh_exporter_name(enum lh_exporter x);	/* "rag" */
const char *lh_exporter_output(enum lh_exporter x);	/* "exports/rag/playbooks.jsonl" */
const char *lh_exporter_quarantine(enum lh_exporter x);	/* "exports/quarantine/rag.jsonl" */

enum lh_refusal {
	LH_NOT_REFUSED = -1,
	LH_MISSING_PROVENANCE, LH_MISSING_SOURCE_RUN_ID, LH_EMPTY_CONTENT, LH_SCHEMA_VIOLATION,
	LH_UNSAFE_SFT_CATEGORY, LH_UNSAFE_RAG_CATEGORY, LH_INVALID_PREFERENCE_PAIRING,
	LH_HALLUCINATED_FILE_PATH, LH_DUPLICATE_ID, LH_SELF_PAIRING, LH_CATEGORY_DISALLOWED,
	LH_REFUSALS
};

/* "missing_provenance"; and back, LH_NOT_REFUSED for none of them. */
const char *lh_refusal_name(enum lh_refusal r);
enum lh_refusal lh_refusal_read(const struct lh_value *v);

/* What an export is asked for, and what it came to (stage_export.h). */
struct lh_export {
	bool include_review;		/* rag: needs_human_review too */
	bool include_partial;		/* sft: partially_accepted too */
	const char *verify_paths;	/* the folder that source_files must be in, or NULL */

	uint64_t files, read, exported, quarantined, refused[LH_REFUSALS];
};

/* May this category become a sample?  LH_NOT_REFUSED, or why not.  What is
 * never safe is decided first, out of a constant that no option changes. */
enum lh_refusal lh_sample_gate(enum lh_exporter x, const struct lh_export *how, enum lh_category c);

#define LH_SAMPLE_ID 32		/* bytes that hold any id and a NUL */

/* "rag-" and the first 16 hex digits of SHA-256("rag|<run_id>|<sig_hash>"); for
 * LH_PREFERENCE a and b are the run ids of the chosen and the rejected. */
int lh_sample_id(enum lh_exporter x, const struct lh_str *a, const struct lh_str *b, struct lh_buf *scratch,
			char out[LH_SAMPLE_ID], struct lh_err *err);

struct lh_sampler;
struct lh_sampler *lh_sampler_new(enum lh_exporter x, const struct lh_export *how, const char *recorded_at, struct lh_err *err);
void lh_sampler_free(struct lh_sampler *s);

/* Of the last call. */
struct lh_sample_result {
	enum lh_refusal refused;
	struct lh_buf errors;		/* JSON strings with commas between them */
	struct lh_value provenance;	/* p NULL: it has none */
	struct lh_str run_id, sig;	/* empty: it has none; the evidence to join */
	struct lh_str task_id;		/* behind lh_sample_side */
	enum lh_category category;
	char id[LH_SAMPLE_ID];		/* of the sample made */
};
const struct lh_sample_result *lh_sampler_result(const struct lh_sampler *s);

/* The gates that a scored run alone decides: 1, 0 refused, -1. */
int lh_sample_scored(struct lh_sampler *s, const struct lh_record *scored, struct lh_err *err);

/* The other gates, and the sample appended to out: 1, 0 refused (out is as it
 * was), -1.  evidence NULL: it was not found. */
int lh_sample_make(struct lh_sampler *s, const struct lh_record *evidence, struct lh_buf *out, struct lh_err *err);

/* May the record be one side of a pair: 1, 0, -1. */
int lh_sample_side(struct lh_sampler *s, const struct lh_record *evidence, struct lh_err *err);

/* A pair, as lh_sample_make.  Where a scored run has its evidence's provenance,
 * its category and first reason may stand for it. */
struct lh_side {
	const struct lh_record *evidence, *scored;	/* scored NULL: it is not at hand */
	enum lh_category category;
	struct lh_str reason;
};
int lh_sample_pair(struct lh_sampler *s, const struct lh_side *chosen, const struct lh_side *rejected, struct lh_buf *out, struct lh_err *err);

#endif
