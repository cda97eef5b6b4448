/*
 * score - assign a category to a piece of evidence by fixed rules.
 *
 * The file name in provenance.source_file, without ".jsonl", selects a list of
 * rules (tables in score_rules.c); they are tried in order, and the first that
 * holds gives the category and its reasons.  Rows of a source without a list are
 * for people to decide.  No clock, no model, no state: the same record gives the
 * same bytes under one LH_SCORER_VERSION, forever.
 *
 *     s = lh_scorer_new(err);
 *     if (lh_score_check(s, &evidence, err) == 0)
 *             lh_score_one(s, &evidence, "2026-05-03T12:00:00.000Z", &category, &out, err);
 *     lh_scorer_free(s);
 *
 * A scored run names its evidence and has sub_scores.scored_sig, the SHA-256 of the
 * JCS form of {category, evidence_sig, reasons, run_id, scorer_version, task_id}:
 * what was decided about which evidence, but not when.
 *
 * Input:   records that lh_score_check accepts.  Others do no harm; if something that a
 *          scored run needs is missing, the result is LH_EDATA.
 * Owner:   the reasons of a verdict are in the scorer, until its next use.
 * Threads: one thread per scorer.
 */
#ifndef LH_SCORE_H
#define LH_SCORE_H

#include "json/json.h"

#include "base/table.h"
#include "root.h"

#define LH_SCORER_VERSION "v1.0.0"

enum lh_category { LH_CATEGORY_NONE = -1, LH_ACCEPTED, LH_PARTIALLY_ACCEPTED, LH_REJECTED,
		   LH_NEEDS_HUMAN_REVIEW, LH_CATEGORIES };

/* Return "accepted", "partially_accepted", ...; and back: LH_CATEGORY_NONE if it is
 * none of them. */
const char *lh_category_name(enum lh_category c);
enum lh_category lh_category_read(const struct lh_value *v);

#define LH_REASONS 2	/* of one verdict, at most */

struct lh_judged {
	enum lh_category category;
	struct lh_str reason[LH_REASONS];	/* code points as UTF-8, not JSON */
	size_t reasons;				/* at least 1 */
};

struct lh_scorer;
struct lh_scorer *lh_scorer_new(void);
void lh_scorer_free(struct lh_scorer *s);

/* Check against the schema evidence_record (schema/schema.h).  LH_EDATA with its
 * violations, as many as there is room for, joined by "; ". */
int lh_score_check(struct lh_scorer *s, const struct lh_record *evidence, struct lh_err *err);

/* Apply the rules. */
void lh_score_judge(struct lh_scorer *s, const struct lh_record *evidence, struct lh_judged *got);

/* Apply the rules and append the scored run to out: compact, keys in the order of
 * the schema.  scored_at NULL: the time at which the evidence was recorded.
 * category may be NULL. */
int lh_score_one(struct lh_scorer *s, const struct lh_record *evidence, const char *scored_at,
			enum lh_category *category, struct lh_buf *out, struct lh_err *err);

/* The members of a provenance as they are written, found in one walk; p NULL: absent. */
enum { LH_FROM_FILE, LH_FROM_OFFSET, LH_FROM_SIG, LH_FROM_RECORDED_AT, LH_FROMS };
extern const char *const lh_from_names[LH_FROMS];
struct lh_from {
	struct lh_value all;	/* the object */
	struct lh_value v[LH_FROMS];
};
void lh_from_read(const struct lh_record *rec, struct lh_from *from);

/* Write a member; a string gets the fewest escapes, as JCS has it. */
struct lh_writer;
void lh_write_plain(struct lh_writer *json, const char *name, const struct lh_value *v,
		    struct lh_buf *scratch);

/* The decision of a scored run on file, and the evidence it is about. */
struct lh_scored {
	unsigned char sig[32];		/* provenance.sig_hash */
	enum lh_stream stream;
	enum lh_category category;
	bool current;			/* by LH_SCORER_VERSION */
};
int lh_scored_read(const struct lh_record *run, struct lh_scored *got, struct lh_err *err);

/* Read provenance.sig_hash of an evidence record or a scored run, and its stream. */
int lh_score_sig(const struct lh_record *rec, unsigned char sig[32], enum lh_stream *stream,
		 struct lh_err *err);

#endif
