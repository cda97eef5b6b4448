/*
 * sample - make retrieval, fine-tuning and preference samples of evidence and its
 * scored runs, or the reason for a refusal.
 *
 * A record passes four gates in this order: its category (lh_sample_gate), its
 * provenance (its origin, the evidence that it names, whether a model wrote it),
 * its content (a text, files that exist), and the schema of the finished sample.
 * The first gate that it does not pass is the reason of the refusal.
 *
 *     s = lh_sampler_new(LH_SFT, &how, "2026-05-03T12:00:00.000Z", err);
 *     rc = lh_sample_scored(s, &scored, err);            1: needs its evidence
 *     if (rc > 0)
 *             rc = lh_sample_make(s, evidence, &out, err);     1: out has grown
 *     if (rc == 0)
 *             ... lh_sampler_result(s)->refused ...
 *     lh_sampler_free(s);
 *
 * A preference sample is made of two records: lh_sample_scored and lh_sample_side
 * decide whether a record may be one side, lh_pairs (pairs.h) finds the pairs, and
 * lh_sample_pair makes the sample.
 *
 * Text is written with the fewest escapes; trimming is of ASCII white space, and
 * characters are code points.
 *
 * Owner:   records must live until lh_sample_make or lh_sample_side returns; the
 *          memory of lh_sampler_result, until the next call.
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

/* Return "missing_provenance" etc.; and back, LH_NOT_REFUSED if it is none of them. */
const char *lh_refusal_name(enum lh_refusal r);
enum lh_refusal lh_refusal_read(const struct lh_value *v);

/* The options of an export, and its counts (stage_export.h). */
struct lh_export {
	bool include_review;		/* rag: needs_human_review too */
	bool include_partial;		/* sft: partially_accepted too */
	const char *verify_paths;	/* the folder that source_files must be in, or NULL */

	uint64_t files, read, exported, quarantined, refused[LH_REFUSALS];
};

/* Decide whether a record of this category may become a sample: LH_NOT_REFUSED, or
 * the reason.  The categories that are never safe are checked first, against a
 * constant that no option changes. */
enum lh_refusal lh_sample_gate(enum lh_exporter x, const struct lh_export *how, enum lh_category c);

#define LH_SAMPLE_ID 32		/* bytes that hold any id and a NUL */

/* Make "rag-" and the first 16 hex digits of SHA-256("rag|<run_id>|<sig_hash>");
 * for LH_PREFERENCE a and b are the run ids of the chosen and the rejected. */
int lh_sample_id(enum lh_exporter x, const struct lh_str *a, const struct lh_str *b,
		 struct lh_buf *scratch,
			char out[LH_SAMPLE_ID], struct lh_err *err);

struct lh_sampler;
struct lh_sampler *lh_sampler_new(enum lh_exporter x, const struct lh_export *how,
				  const char *recorded_at, struct lh_err *err);
void lh_sampler_free(struct lh_sampler *s);

/* The result of the last call. */
struct lh_sample_result {
	enum lh_refusal refused;
	struct lh_buf errors;		/* JSON strings with commas between them */
	struct lh_value provenance;	/* p NULL: it has none */
	struct lh_str run_id, sig;	/* empty: it has none; of the evidence to find */
	struct lh_str task_id;		/* after lh_sample_side */
	enum lh_category category;
	char id[LH_SAMPLE_ID];		/* of the finished sample */
};
const struct lh_sample_result *lh_sampler_result(const struct lh_sampler *s);

/* Apply the gates that need only the scored run: 1, 0 refused, -1. */
int lh_sample_scored(struct lh_sampler *s, const struct lh_record *scored, struct lh_err *err);

/* Apply the other gates and append the sample to out: 1, 0 refused (out is
 * unchanged), -1.  evidence NULL: not found. */
int lh_sample_make(struct lh_sampler *s, const struct lh_record *evidence, struct lh_buf *out,
		   struct lh_err *err);

/* Decide whether the record may be one side of a pair: 1, 0, -1. */
int lh_sample_side(struct lh_sampler *s, const struct lh_record *evidence, struct lh_err *err);

/* Make the sample of a pair, as lh_sample_make.  If the scored run has the
 * provenance of its evidence, category and first reason may replace it. */
struct lh_side {
	/* scored NULL: replaced by category and reason */
	const struct lh_record *evidence, *scored;
	enum lh_category category;
	struct lh_str reason;
};
int lh_sample_pair(struct lh_sampler *s, const struct lh_side *chosen,
		   const struct lh_side *rejected, struct lh_buf *out, struct lh_err *err);

#endif
