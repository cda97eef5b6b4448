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
 * decide whether a record may be one side, lh_pairs (sample.h) finds the pairs, and
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

#include "json/json.h"

#include "base/table.h"
#include "root.h"
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

/* The options of an export, and its counts (stage.h). */
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
int lh_sample_scored(struct lh_sampler *s, const struct lh_record *scored);

/* Apply the other gates and append the sample to out: 1, 0 refused (out is
 * unchanged), -1.  evidence NULL: not found. */
int lh_sample_make(struct lh_sampler *s, const struct lh_record *evidence, struct lh_buf *out,
		   struct lh_err *err);

/* Decide whether the record may be one side of a pair: 1, 0, -1. */
int lh_sample_side(struct lh_sampler *s, const struct lh_record *evidence);

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

/*
 * pairs - pair the records of each task: accepted against rejected.
 *
 * Per task, in byte order of tasks: the accepted records against the rejected or,
 * if there are none, against the partially accepted; the first with the first, the
 * second with the second, in the order in which they were added, until one side has
 * no more.
 *
 * Only the place of a record is kept, and each task id once.
 *
 *     p = lh_pairs_new(err);
 *     ... lh_pairs_add(p, &task_id, LH_ACCEPTED, &place, err) ...
 *     rc = lh_pairs_each(p, on_pair, ctx, err);
 *     lh_pairs_free(p);
 *
 * Memory:  40 bytes per record, 4 more while they are paired; each task id, and 40
 *          bytes for it.
 * Threads: one thread per struct.
 */

/* Where the two lines of a record are; file and reason have the meaning that the
 * caller gives them. */
struct lh_row_at {
	uint64_t evidence, scored;	/* offsets */
	uint32_t evidence_n, scored_n;
	uint32_t file;
	uint16_t reason;
	uint8_t category;		/* set by lh_pairs_add */
};

struct lh_pairs;
struct lh_pairs *lh_pairs_new(void);
void lh_pairs_free(struct lh_pairs *p);

/* Add a record.  One of LH_NEEDS_HUMAN_REVIEW is on no side. */
int lh_pairs_add(struct lh_pairs *p, const struct lh_str *task_id, enum lh_category c,
		 const struct lh_row_at *at, struct lh_err *err);

/* Call fn for each pair, once, after all records are added.  A result other than 0
 * ends it and is returned. */
typedef int lh_pairs_fn(void *ctx, const struct lh_row_at *chosen, const struct lh_row_at *rejected,
			struct lh_err *err);
int lh_pairs_each(struct lh_pairs *p, lh_pairs_fn *fn, void *ctx, struct lh_err *err);

/* ---- the lines of a pair, read again ---- */

struct lh_pair {		/* zeroed: empty */
	struct lh_buf text[4];
	struct lh_record rec[4];	/* chosen: evidence, scored run; rejected: the same */
	struct lh_buf source;
};
void lh_pair_free(struct lh_pair *p);

/* Read one of the two lines of a record from its file; side 0 is the chosen. */
int lh_pair_read(struct lh_pair *p, int side, bool scored, const struct lh_row_at *at, int fd,
		 const char *path, struct lh_err *err);

/* Return {"chosen":<scored run>,"rejected":<scored run>} of what was read, valid
 * until the next call. */
void lh_pair_source(struct lh_pair *p, struct lh_str *out);

/*
 * quarantine - store the records that an export refused, with the reason.
 *
 *     {"exporter","reason","source_record","errors":[],"recorded_at","source_provenance"}
 *
 * source_record is the refused record, unchanged: a scored run; for a pair
 * {"chosen":...,"rejected":...}; in a filter the evidence if it could not be
 * scored.  source_provenance is omitted if there is none.
 *
 * A row is written once for each (exporter, reason, run id, sig_hash), also over
 * many runs into one file; the key of a record without these two is its bytes.
 * Counts count every time.
 *
 *     q = lh_quarantine_new(LH_RAG, "2026-05-03T12:00:00.000Z", err);
 *     rc = lh_quarantine_root(q, root, &known, err);       or lh_quarantine_file, or neither
 *     ... lh_quarantine_add(q, &refused, err) ...
 *     rc = lh_quarantine_commit(q, err);
 *     lh_quarantine_free(q);
 *
 * Memory:  32 to 48 bytes for each record on file.
 * Errors:  0, or -1 with *err.
 * Threads: one thread per struct.
 */

struct lh_refused {
	enum lh_refusal why;
	struct lh_str source;		/* the record's JSON */
	struct lh_value provenance;	/* p NULL: none */
	struct lh_key key;		/* of lh_record_key */
	const struct lh_buf *errors;	/* JSON strings with commas between them, or NULL */
};

/* Return the key of a record: of its run id and sig_hash or, without these two, of
 * its bytes in source. */
struct lh_key lh_record_key(const struct lh_str *run_id, const struct lh_str *sig,
			    const struct lh_str *source);

struct lh_quarantine;

struct lh_quarantine *lh_quarantine_new(enum lh_exporter x, const char *recorded_at);
void lh_quarantine_free(struct lh_quarantine *q);

/*
 * Choose where rows go: into the exporter's file in a root, all of them at the
 * commit or none; or each at once into a file of any name; by default nowhere.  The
 * rows on file in a root are noted in *known, a bit for each exporter and reason,
 * which all quarantines of that root share; the bits from LH_QUARANTINE_BITS on are
 * free.
 */
#define LH_QUARANTINE_BITS (LH_EXPORTERS * LH_REFUSALS)
int lh_quarantine_root(struct lh_quarantine *q, const struct lh_root *root, struct lh_map *known,
		       struct lh_err *err);
int lh_quarantine_file(struct lh_quarantine *q, const char *path, double lock_timeout,
		       struct lh_err *err);

int lh_quarantine_add(struct lh_quarantine *q, const struct lh_refused *r, struct lh_err *err);

/* The same for a record whose provenance and key are still to be read from its source. */
int lh_quarantine_read(struct lh_quarantine *q, struct lh_refused *r, struct lh_err *err);

int lh_quarantine_commit(struct lh_quarantine *q, struct lh_err *err);

/* Return the counts by reason, LH_REFUSALS of them. */
const uint64_t *lh_quarantine_counts(const struct lh_quarantine *q);

#endif
