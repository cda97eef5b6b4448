/* score_parts - the rules as lh_score applies them. */
#ifndef LH_SCORE_PARTS_H
#define LH_SCORE_PARTS_H

#include "score.h"

struct lh_scorer {
	struct lh_buf path;	/* the unescaped source_file, ... */
	struct lh_str stream;	/* ... and the name of the stream in it */
	struct lh_buf text;	/* an unescaped string that a rule tests */
	struct lh_buf reason;
	struct lh_buf list;	/* the reasons as JSON */
	struct lh_buf jcs;	/* the text that scored_sig is the hash of */
	const struct lh_schema *schema;
};

/* A rule holds if its test returns true.  A reason that ends in "=" is followed by what the test
 * found.  The last rule of a table always holds. */
struct lh_score_rule {
	bool (*test)(struct lh_scorer *s, const struct lh_record *rec,
		     const struct lh_score_rule *r, struct lh_str *found);
	const char *arg;	/* of the test */
	unsigned least, most;	/* of an attempt; most 0: no bound */
	unsigned above;
	enum lh_category category;
	const char *reason;
	const char *also;	/* a second reason, or NULL */
};

/* Return the rules for a source. */
const struct lh_score_rule *lh_score_rules(enum lh_stream st);

#endif
