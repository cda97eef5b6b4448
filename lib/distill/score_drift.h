/*
 * score_drift - compare scored runs on file with what the rules give today.
 *
 * Evidence with its present verdict, and scored runs from the file, are added in
 * any order and joined by sig_hash and stream; of several with the same key the
 * last counts.
 *
 *     struct lh_drift d = { 0 };
 *     lh_drift_scored(&d, sig, stream, LH_ACCEPTED, err);      for each scored run
 *     lh_drift_classified(&d, sig, stream, LH_REJECTED, err);      for each evidence record
 *     lh_drift_finish(&d);
 *     lh_drift_json(&out, &d);
 *     lh_drift_free(&d);
 *
 * Memory:  46 to 75 bytes for each pair, until lh_drift_finish.
 * Threads: one thread per struct.
 */
#ifndef LH_SCORE_DRIFT_H
#define LH_SCORE_DRIFT_H

#include "base/table.h"
#include "score.h"

struct lh_drift {
	struct lh_map pairs;		/* by key: category on file, and now */
	uint64_t count[LH_CATEGORIES][LH_CATEGORIES];	/* from, to */
	uint64_t unscored;		/* evidence without a scored run on file */
	uint64_t orphans;		/* scored runs without their evidence */
};

int lh_drift_scored(struct lh_drift *d, const unsigned char sig[32], enum lh_stream stream,
		    enum lh_category category, struct lh_err *err);
int lh_drift_classified(struct lh_drift *d, const unsigned char sig[32], enum lh_stream stream,
		    enum lh_category category, struct lh_err *err);

/* Count the pairs and remove them: later additions are joined anew. */
void lh_drift_finish(struct lh_drift *d);

uint64_t lh_drift_total(const struct lh_drift *d);
uint64_t lh_drift_matched(const struct lh_drift *d);

/* Append {"total","matched","mismatched","drift_rate","scorer_version","shifts"}. */
void lh_drift_json(struct lh_buf *out, const struct lh_drift *d);

void lh_drift_free(struct lh_drift *d);

#endif
