/*
 * score_parts - the rules as lh_score applies them.  Private to liblh.
 */
#ifndef LH_SCORE_PARTS_H
#define LH_SCORE_PARTS_H

#include "score.h"

struct lh_scorer {
	struct lh_buf path;	/* the unescaped source_file, ... */
	struct lh_str stem;	/* ... and the stem in it */
	struct lh_buf text;	/* an unescaped string that a rule looks at */
	struct lh_buf reason;
	struct lh_buf list;	/* the reasons as JSON */
	struct lh_buf jcs;	/* what scored_sig is the hash of */
	const struct lh_schema *schema;
};

/*
 * A rule holds when its test says 1 (0: it does not, -1: memory is out).  Behind
 * a reason that ends in "=" goes what the test found.  The last rule of a table
 * always holds.
 */
struct lh_score_rule {
	int (*test)(struct lh_scorer *s, const struct lh_record *rec, const struct lh_score_rule *r, struct lh_str *found, struct lh_err *err);
	const char *arg;	/* of the test */
	unsigned least, most;	/* of an attempt; most 0: no bound */
	unsigned above;
	enum lh_category category;
	const char *reason;
	const char *also;	/* a reason more, or NULL */
};

/* The rules for a source. */
const struct lh_score_rule *lh_score_rules(enum lh_stream st);

#endif
